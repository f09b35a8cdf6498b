/* How strace shows an argument of each kind (the letters of calls.tab). */
#include "strace_put.h"

/* Kinds that are a number or a set of names. */
static bool put_plain(struct px_text *text, char kind, uint64_t value)
{
    switch (kind) {
    case 'd':
    case 'f':
    case 't':
        px_text_add(text, "%d", (int)value);
        return true;
    case 'u':
        px_text_add(text, "%u", (unsigned)value);
        return true;
    case 'l':
        px_text_add(text, "%ld", (long)value);
        return true;
    case 'n':
        px_text_add(text, "%lu", (unsigned long)value);
        return true;
    case 'x':
    case 'h':
        px_text_add(text, value ? "%#lx" : "0", (unsigned long)value);
        return true;
    case 'p':
        px_put_address(text, value);
        return true;
    case 'm':
        px_text_add(text, value ? "0%03o" : "000", (unsigned)value);
        return true;
    case 'a':
        px_text_add(text, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value);
        return true;
    case 'G':
        px_put_signal(text, (int)value);
        return true;
    default:
        return false;
    }
}

static void put_clone(struct px_text *text, uint64_t value)
{
    px_put_flags(text, px_strace_clone_flags, value & ~0xffull, "", value & 0xff ? "" : "0");
    if (value & 0xff) {
        px_text_add(text, value & ~0xffull ? "|" : "");
        px_put_signal(text, (int)(value & 0xff));
    }
}

/* What the call fills in is shown only after it succeeded. */
static void put_filled(struct px_text *text, char kind, uint64_t value, const struct px_trace *trace)
{
    if (!trace->leaving || trace->result < 0 || !value) {
        px_put_address(text, value);
        return;
    }
    switch (kind) {
    case '<':
    case 'g':
        px_put_buffer(text, value,
                   (uint64_t)trace->result -
                       (kind == 'g' && trace->result > 0 && trace->argument[0] == value));
        break;
    case 'E':
        px_put_stat(text, value);
        break;
    case 'D':
        px_put_uname(text, value);
        break;
    case 'F':
        px_put_pair(text, value);
        break;
    default:
        px_put_timespec(text, value);
        break;
    }
}

void px_strace_argument(struct px_text *text, char kind, unsigned index, const struct px_trace *trace)
{
    uint64_t value = trace->argument[index], next = index < 5 ? trace->argument[index + 1] : 0,
             before = index ? trace->argument[index - 1] : 0;

    if (put_plain(text, kind, value) || px_put_named(text, kind, value))
        return;
    switch (kind) {
    case 's':
    case 'P':
        px_put_string(text, value);
        break;
    case '>':
        px_put_buffer(text, value, next);
        break;
    case 'O':
        px_put_open_flags(text, &trace->argument[index]);
        break;
    case 'V':
        px_put_vector(text, value, next);
        break;
    case 'v':
        px_put_poll(text, value, next);
        break;
    case 'T':
        px_put_timespec(text, value);
        break;
    case 'w':
        px_put_wait_status(text, value, trace);
        break;
    case 'A':
        px_put_action(text, value);
        break;
    case 'B':
        px_put_set(text, value);
        break;
    case 'L':
        px_put_strings(text, value);
        break;
    case 'N':
        px_put_environment(text, value);
        break;
    case 'J':
        px_put_ioctl_argument(text, (uint32_t)before, value);
        break;
    case 'r':
        px_put_fcntl_argument(text, (uint32_t)before, value);
        break;
    case 'K':
        px_put_enum(text, px_strace_socket_types, value & 15);
        if (value & ~15ull) {
            px_text_add(text, "|");
            px_put_flags(text, px_strace_socket_flags, (uint32_t)value & ~15ull, "", "");
        }
        break;
    case 'c':
        put_clone(text, value);
        break;
    case 'y':
        px_put_enum(text, px_strace_futex_operations, value & 127);
        px_text_add(text, "%s%s", value & 128 ? "_PRIVATE" : "", value & 256 ? "|FUTEX_CLOCK_REALTIME" : "");
        break;
    default:
        put_filled(text, kind, value, trace);
        break;
    }
}
