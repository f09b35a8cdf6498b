@0x956fb3fa0f58afee;
using Exo = import "/exo.capnp";
struct Bad { x @0 :Text; }
