# Every kind of field that a message can have.
@0xc1d2e3f405162738;

using Exo = import "/exo.capnp";

enum Colour {
  red @0;
  lightGreen @1;
}

struct Kinds $Exo.bytes(160) {
  unsigned8 @0 :UInt8 = 200;
  signed8 @1 :Int8 = -3;
  unsigned16 @2 :UInt16;
  signed16 @3 :Int16 = -300;
  unsigned32 @4 :UInt32 = 4000000000;
  signed32 @5 :Int32;
  unsigned64 @6 :UInt64 = 18446744073709551615;
  signed64 @7 :Int64 = -9;
  yes @8 :Bool = true;
  no @9 :Bool;
  colour @10 :Colour = lightGreen;
  nothing @11 :Void;
  place :group {
    x @12 :Int16;
    y @13 :UInt8 = 1;
  }
  union {
    count @14 :UInt32;
    done @15 :Void;
    share @16 :UInt8 = 50;
  }
  title @17 :Text;
  bytes @18 :Data;

  struct Inner {
    value @0 :UInt64;
  }
}
