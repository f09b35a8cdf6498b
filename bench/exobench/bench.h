/*
 * exobench: what one operation costs, the same static Linux program on ExoV6 and on Linux. A case is a function that runs its
 * operation n times and returns the ticks that took (nanoseconds, or ticks of the time stamp counter under --tsc). What must
 * exist around the operations (files, child processes) the case makes and removes itself, outside the timed part.
 */
#ifndef EXOBENCH_H
#define EXOBENCH_H
#include <stdbool.h>
#include <stdint.h>

/* Runs the operation n times; ticks, or NOT_HERE when this system does not have what the case measures. */
typedef uint64_t case_function(long n);
#define NOT_HERE UINT64_MAX

struct bench_case {
    const char *name;
    case_function *run;
    long count_operations; /* N under --tsc: times of N and 3N operations are compared */
};

/* One table per file, each ended by a case without a name. */
extern const struct bench_case call_cases[], file_cases[], memory_cases[], process_cases[], pipe_cases[], stream_cases[],
    thread_cases[], wait_cases[];

/* Now, in the unit that the command line chose. */
uint64_t ticks_now(void);

/* Ends the program with a message and errno's text. */
void fail(const char *what) __attribute__((noreturn));
/* The value of a call that must not fail. */
long must(long result, const char *what);

/* Runs `statement` n times, timed. */
#define TIMED(n, statement)                                                                                                      \
    ({                                                                                                                           \
        uint64_t timed_start = ticks_now();                                                                                      \
        for (long timed_i = (n); timed_i > 0; timed_i--)                                                                         \
            statement;                                                                                                           \
        ticks_now() - timed_start;                                                                                               \
    })

#endif
