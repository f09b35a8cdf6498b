@0x9ded3da27994dfa9;
using Exo = import "/exo.capnp";
struct Bad $Exo.bytes(63) { x @0 :Text; }
