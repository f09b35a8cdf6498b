@0x97fd09355f7901c0;
using Exo = import "/exo.capnp";
struct Bad $Exo.bytes(64) { x @0 :List(UInt8); }
