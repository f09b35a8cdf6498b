/*
 * What strace's lines are made of: each function adds one value to the text. Addresses are the traced
 * program's and may be wild; what cannot be read is shown as its address.
 */
#ifndef PX_STRACE_PUT_H
#define PX_STRACE_PUT_H
#include "strace.h"

/* A list of names ends with a NULL. */
struct px_strace_name {
    uint64_t bits;
    const char *name;
};
extern const struct px_strace_name px_strace_open_flags[], px_strace_action_flags[], px_strace_poll_events[],
    px_strace_clone_flags[], px_strace_socket_types[], px_strace_socket_flags[], px_strace_futex_operations[];

/* strace_flags.c. Flags are names joined by |; `first` stands before them ("" and then `zero` if none is
 * set). */
void px_put_enum(struct px_text *text, const struct px_strace_name *names, uint64_t value);
void px_put_flags(struct px_text *text, const struct px_strace_name *names, uint64_t value, const char *first,
                  const char *zero);
/* False: no names belong to the kind. */
bool px_put_named(struct px_text *text, char kind, uint64_t value);

/* strace_put.c */
void px_put_address(struct px_text *text, uint64_t va);
void px_put_buffer(struct px_text *text, px_user from, uint64_t bytes);
void px_put_string(struct px_text *text, px_user from);
void px_put_strings(struct px_text *text, px_user list);
void px_put_environment(struct px_text *text, px_user list);
void px_put_signal(struct px_text *text, int signo);
void px_put_set(struct px_text *text, px_user from);
void px_put_action(struct px_text *text, px_user from);
void px_put_stat(struct px_text *text, px_user from);
void px_put_timespec(struct px_text *text, px_user from);
void px_put_pair(struct px_text *text, px_user from);
void px_put_wait_status(struct px_text *text, px_user from, const struct px_trace *trace);
void px_put_uname(struct px_text *text, px_user from);
void px_put_poll(struct px_text *text, px_user from, uint64_t count);
void px_put_vector(struct px_text *text, px_user from, uint64_t count);
void px_put_open_flags(struct px_text *text, const uint64_t *argument); /* and the mode, with O_CREAT */
void px_put_ioctl_argument(struct px_text *text, uint64_t request, px_user argument);
/* With the comma before it: some commands have no argument. */
void px_put_fcntl_argument(struct px_text *text, uint64_t command, uint64_t argument);

#endif
