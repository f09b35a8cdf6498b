@0x94c2b2328bdf752a;
using Exo = import "/exo.capnp";
struct Bad $Exo.bytes(64) { x @0 :Text = "x"; }
