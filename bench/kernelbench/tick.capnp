# The message of kernelbench's channel: as large as those that go through registers.
@0xf2a4b6c8d0e1f305;

struct Tick {
  number @0 :UInt64;
  time @1 :UInt64;
  value @2 :Int64;
  source @3 :UInt32;
  kind @4 :UInt32;
}
