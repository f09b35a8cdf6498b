/*
 * Lengths of instructions: each form of operands and prefixes once. With all 730,000 instructions of Debian's busybox and glibc objdump agrees.
 *
 * unit-sources: libos/posix/arch/x86_64/length.c
 */
#include "libos/posix/arch/x86_64/rewrite.h"

#include <stdio.h>
#include <string.h>

/* One instruction each, without the zero at its end. */
#define ONE(code) {sizeof(code) - 1, code}
static const struct {
    unsigned length;
    const char *code;
} known[] = {
    ONE("\xc3"), ONE("\xf3\xc3"), ONE("\x90"), ONE("\x66\x90"), ONE("\x0f\x05"), ONE("\xb8\x01\0\0\0"), ONE("\x66\xb8\x01\x02"),
    ONE("\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"), ONE("\x66\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08"), ONE("\x48\x66\xb8\x01\x02"),
    ONE("\x48\x89\xc7"), ONE("\x31\xc0"), ONE("\x0f\x1f\x40\0"), ONE("\x0f\x1f\x84\0\0\0\0\0"), ONE("\x66\x2e\x0f\x1f\x84\0\0\0\0\0"),
    ONE("\xf3\x0f\x1e\xfa"), ONE("\xe8\0\0\0\0"), ONE("\xe9\0\0\0\0"), ONE("\xeb\0"), ONE("\x0f\x84\0\0\0\0"), ONE("\x74\0"),
    ONE("\x48\x3d\0\xf0\xff\xff"), ONE("\x48\x8d\x0d\0\0\0\0"), ONE("\xff\x25\0\0\0\0"), ONE("\xff\xe0"), ONE("\x64\x48\x8b\x04\x25\0\0\0\0"),
    ONE("\x64\x83\x3c\x25\x18\0\0\0\0"), ONE("\xc7\x44\x24\xb8\x01\0\0\0"), ONE("\x66\xc7\0\x01\x02"), ONE("\x48\xc7\xc0\x0f\0\0\0"),
    ONE("\xf6\xc1\x01"), ONE("\xf6\xd1"), ONE("\xf7\xc1\0\0\0\0"), ONE("\xf7\xd9"), ONE("\x66\xf7\xc1\x01\x02"), ONE("\xc2\x08\0"), ONE("\xc8\0\0\0"),
    ONE("\xa1\0\0\0\0\0\0\0\0"), ONE("\x67\xa1\0\0\0\0"), ONE("\x69\xc0\x01\x02\x03\x04"), ONE("\x6b\xc0\x05"), ONE("\x48\x0f\xaf\xc1"),
    ONE("\x66\x0f\x70\xc0\x1b"), ONE("\x66\x0f\x38\0\xc1"), ONE("\x66\x0f\x3a\x0f\xc1\x08"), ONE("\xc5\xf8\x77"), ONE("\xc5\xf9\xef\xc0"),
    ONE("\xc4\xe2\x79\x18\xc0"), ONE("\xc4\xe3\x7d\x39\xc1\x01"), ONE("\x62\xf1\x7c\x48\x28\xc1"), ONE("\x62\xf1\x7c\x48\x28\x41\x01"),
    ONE("\x0f\x0b"), ONE("\xf4"), ONE("\xcc"), ONE("\x48\x0f\xc8"), ONE("\xf0\x0f\xc1\0"), ONE("\x8b\x04\x05\0\0\0\0"), ONE("\x8b\x44\x24\x08"),
    ONE("\x8b\x84\x24\0\0\0\0"), ONE("\x68\0\0\0\0"), ONE("\x66\x68\0\0"), ONE("\x6a\x01"), ONE("\xd3\xe0"), ONE("\xc1\xe0\x05"), ONE("\xcd\x80"),
    ONE("\x0f\xba\xe0\x05"), ONE("\x0f\xa4\xc1\x05"),
};
static const char *const unknown[] = {
    "\x06", "\x60", "\xea\x01", "\x0f\x04", "\x66\xe9\x01\x01\x01\x01", "\xc4\xe4\x79\x18\xc1", "\x62\xf4\x7c\x48\x28\xc1", "\x8f\xe8\x78\xc2\xec\x0e",
    "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90",
};

int main(void)
{
    unsigned count = 0, failed = 0;
    uint8_t code[32];

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        for (int rest = 0; rest < 256; rest += 51) { /* what follows does not matter */
            bool good;

            memset(code, rest, sizeof(code));
            memcpy(code, known[i].code, known[i].length);
            good = px_instruction_length(code, sizeof(code)) == known[i].length;
            failed += !good;
            printf("%sok %u - known %u before %02x\n", good ? "" : "not ", ++count, i, (unsigned)rest);
        }
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        bool good;

        memset(code, 0x90, sizeof(code));
        memcpy(code, unknown[i], strlen(unknown[i]));
        good = px_instruction_length(code, sizeof(code)) == 0;
        failed += !good;
        printf("%sok %u - unknown %u\n", good ? "" : "not ", ++count, i);
    }
    memset(code, 0x90, sizeof(code));
    for (unsigned bytes = 0; bytes < 16; bytes++)
        failed += px_instruction_length(code, bytes) != 0;
    printf("%sok %u - too few bytes\n1..%u\n", failed ? "not " : "", count + 1, count + 1);
    return failed != 0;
}
