# What a schema says to the generator (generate.py) besides Cap'n Proto's own words: import "/exo.capnp".
@0xd8f1a2b7c3e46590;

annotation bytes @0xa7c3d5e1f2b40986 (struct) :UInt16;
# The size of a message, texts and data included. Without it: the size of the data section, and the struct may have no text or data.
