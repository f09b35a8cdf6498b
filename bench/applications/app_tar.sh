# The header files of C and Linux, packed.
timed tar -cf packed.tar -C /usr include
