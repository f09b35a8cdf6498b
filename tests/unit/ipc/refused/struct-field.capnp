@0x9c2b4abd92abbe9f;
using Exo = import "/exo.capnp";
struct Bad $Exo.bytes(64) { x @0 :Bad; }
