/* Scripts for the line, shared by the recorded test (tty_line_test.c) and the comparison with this machine's kernel (tty_oracle_test.c). */
#ifndef TTY_CASES_H
#define TTY_CASES_H
#include "script.h"

struct line_case {
    const char *name;
    struct step steps[STEPS_MAX];
    uint64_t signals; /* bit n - 1: signal n was asked for */
    const char *transcript; /* as Linux 6.18 gives it, or # and its FNV-1a hash */
};
#define SIG(n) (1ull << ((n) - 1))
#define A16 "aaaaaaaaaaaaaaaa"
#define A256 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16
#define A1024 A256 A256 A256 A256

static const struct line_case line_cases[] = {
#include "cases.inc"
};
#define LINE_CASES (sizeof(line_cases) / sizeof(line_cases[0]))

#endif
