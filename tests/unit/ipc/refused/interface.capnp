@0x9ccea55944560395;
using Exo = import "/exo.capnp";
interface Bad { x @0 () -> (); }
