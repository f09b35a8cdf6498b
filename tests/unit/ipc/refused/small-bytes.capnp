@0x9f2dd23a6536a26f;
using Exo = import "/exo.capnp";
struct Bad $Exo.bytes(8) { x @0 :UInt64; y @1 :UInt64; }
