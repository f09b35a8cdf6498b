/*
 * Cases for single errors: each runs in a process forked from the booted kernel, makes calls as the first context or one that it made, and says what each
 * must answer. What was answered is recorded with the case's name, so that errors.py can tell which case provokes which error of which call.
 */
#ifndef CASES_H
#define CASES_H
#include "driver.h"

struct error_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function, text)                                                                                           \
    static void function(void);                                                                                        \
    static const struct error_case case_##function __attribute__((used, section("error_cases"))) = {text, function};   \
    static void function(void)

enum { SELF = 1, CTX = 2, ZONE = 3, MACHINE = 4, IMAGE = 5, AUDIT = 7 };
#define MEMORY 0x10000000ul /* pages of the first environment that cases use: 16, writable */
#define NOWHERE 0x600000000000ul

int64_t case_call(unsigned number, const uint64_t arguments[6]);
uint64_t case_must(unsigned number, const uint64_t arguments[6], const char *file, int line);
void case_expect(unsigned number, int64_t wanted, const uint64_t arguments[6], const char *file, int line);
#define NUMBER(NAME) (EXO_CALL_##NAME - EXO_CALL_BASE)
#define DO(NAME, ...) case_call(NUMBER(NAME), (const uint64_t[6]){__VA_ARGS__})
/* What a call that slept has answered in the end to the context that runs. */
void case_late(unsigned number, int64_t wanted);
/* The call must succeed; its value. */
#define MUST_DO(NAME, ...) case_must(NUMBER(NAME), (const uint64_t[6]){__VA_ARGS__}, __FILE__, __LINE__)
/* The call must answer this error. */
#define REFUSED(NAME, ERROR, ...) case_expect(NUMBER(NAME), -EXO_E_##ERROR, (const uint64_t[6]){__VA_ARGS__}, __FILE__, __LINE__)

struct context *case_self(void);           /* who runs */
void case_become(struct context *context); /* lets others run until this one does */
void case_poke(uint64_t va, const void *bytes, uint64_t count); /* stores to the present environment's memory */
/* A child in `zone` whose context is started; its first capability is one to itself. */
struct case_child {
    uint64_t env, ctx;
    struct context *context;
};
struct case_child case_child(uint64_t zone);
uint64_t case_give(const struct case_child *child, uint64_t handle); /* a copy; the handle there */
uint64_t case_zone(uint64_t quota, unsigned label);                   /* below the first zone */

/* Every reference count is what can be found (references.h): so at the end of each case, and where it asks. */
void case_check(void);

/* Runs those whose name contains `pattern`; false when one failed. Prints TAP. */
bool cases_run(const char *pattern);
void cases_record(const char *path);

#endif
