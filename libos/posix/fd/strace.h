/* Tracing: the state that fork copies, and what strace's parts owe each other. */
#ifndef PX_STRACE_H
#define PX_STRACE_H
#include "fd.h"

#include "px_calls.h"

extern bool px_missing_wanted; /* at exit say which calls were missing */

#define PX_STRACE_RESULT 6u /* where in `argument` the result lies */

/* The call that is shown. */
struct px_trace {
    const uint64_t *argument; /* six, and the result */
    uint64_t *kept;           /* a word for a kind that looks at something before the call and needs it after */
    bool leaving, failed;     /* it has returned: what it filled in may be shown; with an error */
};
/* Shows argument `index`. False: it wants to be asked again, when the call has returned; what it has shown already stays. */
typedef bool px_strace_kind(struct px_text *text, unsigned index, const struct px_trace *trace);

/* Defines a kind that has a name (calls.tab). */
#define PX_PUT(name) \
    bool px_kind_##name(PX_UNUSED struct px_text *text, PX_UNUSED unsigned index, PX_UNUSED const struct px_trace *trace)
#define PX_PUT_DECLARE(name) px_strace_kind px_kind_##name;
PX_KINDS(PX_PUT_DECLARE)
#undef PX_PUT_DECLARE

/* The arguments from `*format` and `index` on, until one wants to wait for the call's return; *format is then where to go on. */
void px_strace_arguments(struct px_text *text, const char **format, unsigned *index, const struct px_trace *trace);
/* The result, in the format's own way; `format` stands behind the arguments. */
void px_strace_result(struct px_text *text, const char *format, const struct px_trace *trace);
/* "ENOENT", "No such file or directory"; NULL for numbers that are no errors. */
const char *px_error_name(int error);
const char *px_error_text(int error);
const char *px_signal_name(int signo); /* "SIGCHLD"; NULL */

#endif
