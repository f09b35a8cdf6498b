/*
 * What strace's lines are made of: each function adds one value to the text. Addresses are the traced
 * program's and may be wild; what cannot be read is shown as its address.
 */
#ifndef PX_STRACE_PUT_H
#define PX_STRACE_PUT_H
#include "strace.h"

#define PX_STRING_SHOWN 32u
#define PX_LIST_SHOWN 32u

/*
 * Names of bits or of numbers, a string: what one without a name is called ("SIG_???"; empty: nothing is said), then for each a bar, the value
 * in hex, a space and the name, without what stands before the question mark, which all have but those that begin with an equals sign.
 */
/* strace_flags.c. Flags are names joined by |. px_put_flags: `zero` if none is set. px_put_more: names after something that stands there
 * already, each with its bar; false: there was nothing to add. */
void px_put_enum(struct px_text *text, const char *names, uint64_t value);
void px_put_flags(struct px_text *text, const char *names, uint64_t value, const char *zero);
bool px_put_more(struct px_text *text, const char *names, uint64_t value);
bool px_put_name(struct px_text *text, const char *names, uint64_t value); /* false: it has none */
/* False: no names belong to the kind, a letter. */
bool px_put_letter(struct px_text *text, char kind, uint64_t value);
extern const char px_strace_open_flags[], px_strace_at_flags[], px_strace_clone_flags[], px_strace_whences[], px_strace_policies[];

/* strace_put.c */
void px_put_hex(struct px_text *text, uint64_t value);
void px_put_octal(struct px_text *text, uint64_t value);
void px_put_address(struct px_text *text, uint64_t va);
/* Quoted; `more`: dots after it. px_put_bytes: those at an address, 32 at most. px_put_string: up to the NUL, `most` at most. */
void px_strace_quote(struct px_text *text, const void *bytes, size_t count, bool more);
void px_put_bytes(struct px_text *text, px_user from, uint64_t bytes);
void px_put_string(struct px_text *text, px_user from, size_t most);
void px_put_path(struct px_text *text, px_user from);
void px_put_strings(struct px_text *text, px_user list);
void px_put_environment(struct px_text *text, px_user list);
/* False: the address stands there instead. */
bool px_put_read(struct px_text *text, void *to, px_user from, size_t bytes);
/* An array of the program's: `put` shows an element of `bytes`, at most PX_STRACE_ELEMENT of them. */
#define PX_STRACE_ELEMENT 64u
typedef void px_put_element(struct px_text *text, const void *element, void *with);
void px_put_array(struct px_text *text, px_user from, uint64_t count, size_t bytes, px_put_element *put, void *with);
px_put_element px_put_element_int;
/* iovec[count]; of what they point to `bytes` are shown, or their addresses (PX_VECTOR_ADDRESSES). */
#define PX_VECTOR_ADDRESSES (~0ull)
void px_put_vector(struct px_text *text, px_user from, uint64_t count, uint64_t bytes);
#define PX_VECTOR_ALL (~1ull)

/* strace_signal.c, strace_time.c: times are structures of two words. */
void px_put_signal(struct px_text *text, int signo);
void px_put_set_value(struct px_text *text, uint64_t set);
void px_put_set(struct px_text *text, px_user from, uint64_t bytes);
void px_put_siginfo_bytes(struct px_text *text, const uint8_t info[128]);
void px_put_action(struct px_text *text, px_user from);
void px_put_timespec(struct px_text *text, px_user from);
void px_put_timeval(struct px_text *text, px_user from);
void px_put_ticks(struct px_text *text, int64_t ticks); /* hundredths of a second */
/* strace_socket.c */
void px_put_sockaddr(struct px_text *text, px_user from, uint64_t bytes);
/* strace_file.c */
void px_put_stat(struct px_text *text, px_user from);
void px_put_uname(struct px_text *text, px_user from);
void px_put_mode(struct px_text *text, uint32_t mode); /* with its type */
void px_put_open_flags(struct px_text *text, uint64_t flags);
/* strace_process.c */
void px_put_wait_status(struct px_text *text, px_user from, const struct px_trace *trace);

#endif
