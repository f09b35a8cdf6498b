@0x9c6d4b383a5e686b;
using Exo = import "/exo.capnp";
struct Bad { x @0 :Float32; }
