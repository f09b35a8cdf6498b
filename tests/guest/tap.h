/* TAP for guest programs: CHECK counts a case by its text; finish() prints the plan and gives the exit status. Programs run on Linux as well. */
#ifndef TAP_H
#define TAP_H
#include <stdio.h>
#include <stdlib.h>

static int tap_count, tap_failed;

static inline void tap_case(int good, const char *name, const char *file, int line)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, name);
    if (!good) {
        printf("# %s:%d\n", file, line);
        tap_failed++;
    }
    fflush(stdout);
}
#define CASE(name, condition) tap_case(!!(condition), name, __FILE__, __LINE__)

static inline int tap_finish(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}
#endif
