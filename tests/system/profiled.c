/* What tests/system/profile.py looks at: a long function, a short one, and one that calls the system. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile uint64_t sum;

__attribute__((noinline)) static void spin_long(unsigned rounds)
{
    for (unsigned i = 0; i < rounds * 8; i++)
        sum += i * sum;
}

__attribute__((noinline)) static void spin_short(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        sum ^= i;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    struct stat status;

    for (unsigned turn = 0; turn < 20; turn++) {
        spin_long(rounds * 100);
        spin_short(rounds * 350);
        for (unsigned i = 0; i < rounds; i++)
            if (stat("/etc/hostname", &status) < 0)
                return 1;
    }
    return 7;
}
