# A C file of 2,000 lines, compiled and optimised.
seq 250 | sed 's/.*/unsigned f&(const unsigned *from, unsigned count)\n{\n    unsigned sum = &;\n    for (unsigned i = 0; i < count; i++)\n        sum = (from[i] ^ sum) * & + (sum >> (& % 31 + 1));\n    return sum;\n}\n/' >file.c
timed gcc -O2 -c file.c
