/*
 * Max-min fairness as exo top computes it, against its two marks: nobody who got less than he wants could get more without somebody with no more for his
 * weight getting less, and all is given while somebody wants more.
 * unit-sources: user/exo/share.c
 */
#include "user/exo/share.h"

#include <math.h>
#include <stdio.h>

static unsigned failures, state = 1;

static void check(int good, const char *what)
{
    if (!good && failures++ < 10)
        printf("# %s\n", what);
}

static double some(unsigned most)
{
    state = state * 1103515245u + 12345u;
    return (double)(state >> 16 & 0x7fff) / 0x7fff * most;
}

static int close_to(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void random_ones(void)
{
    for (unsigned round = 0; round < 2000; round++) {
        struct share share[9];
        unsigned count = 1 + round % 9;
        double given = 0, wanted = 0, most = 0;

        for (unsigned i = 0; i < count; i++) {
            share[i] = (struct share){.weight = 1 + some(99), .wants = round % 3 && i % 2 ? 0 : some(2)};
            wanted += share[i].wants;
        }
        share_divide(1, share, count);
        for (unsigned i = 0; i < count; i++) {
            check(share[i].due >= 0 && share[i].due <= share[i].wants + 1e-9, "more than it wants");
            given += share[i].due;
            if (share[i].due + 1e-9 < share[i].wants && (most == 0 || share[i].due / share[i].weight < most))
                most = share[i].due / share[i].weight;
        }
        check(close_to(given, wanted < 1 ? wanted : 1), "not all is given, or more than there is");
        for (unsigned i = 0; i < count; i++)
            check(most == 0 || share[i].due / share[i].weight <= most + 1e-9, "somebody has more for his weight than one who wants more");
    }
}

static void known(void)
{
    struct share share[3] = {{.weight = 100, .wants = 2}, {.weight = 100, .wants = 0.1}, {.weight = 200, .wants = 1}};

    share_divide(1, share, 3);
    check(close_to(share[1].due, 0.1) && close_to(share[0].due, 0.3) && close_to(share[2].due, 0.6), "three of different weights and wishes");
    share_divide(0, share, 3);
    check(close_to(share[0].due, 0) && close_to(share[1].due, 0), "nothing to divide");
    share_divide(1, share, 0);
}

int main(void)
{
    known();
    random_ones();
    return failures != 0;
}
