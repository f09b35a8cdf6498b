@0x971e9ca07cc165b1;
using Exo = import "/exo.capnp";
struct Bad { union { a @0 :UInt8; g :group { b @1 :UInt8; c @2 :UInt8; } } }
