/* Tracing: the state that fork copies, and what strace's parts owe each other. */
#ifndef PX_STRACE_H
#define PX_STRACE_H
#include "fd.h"

extern bool px_missing_wanted; /* at exit say which calls were missing */

/* One argument of a kind (calls.tab) into the text. result: the call's (or 0 before it returned); `leaving`:
 * what the call filled in may be shown. */
struct px_trace {
    const uint64_t *argument;
    int64_t result;
    bool leaving;
};
void px_strace_argument(struct px_text *text, char kind, unsigned index, const struct px_trace *trace);
/* "ENOENT", "No such file or directory"; NULL for numbers that are no errors. */
const char *px_error_name(int error);
const char *px_error_text(int error);
const char *px_signal_name(int signo); /* "SIGCHLD"; NULL */
/* A quoted string of at most `most` bytes, with dots if it goes on. */
void px_strace_quote(struct px_text *text, const void *bytes, size_t count, bool more);

#endif
