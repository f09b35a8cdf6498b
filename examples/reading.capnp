# What a thermometer says: the messages of examples/channel.c.
@0xe3a1c7b2d4f50918;

using Exo = import "/exo.capnp";

enum Sensor {
  air @0;
  water @1;
}

struct Reading $Exo.bytes(48) {
  number @0 :UInt64;
  celsius @1 :Int16 = 20;
  sensor @2 :Sensor;
  place @3 :Text;
}
