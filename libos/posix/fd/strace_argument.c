/* How strace shows an argument of each kind (calls.tab): those that are a letter; those that have a name are looked up. */
#include "strace_put.h"

#define KIND(name) px_kind_##name,
static px_strace_kind *const named[] = {PX_KINDS(KIND)};
#undef KIND

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
        px_put_hex(text, value);
        return true;
    case 'p':
        px_put_address(text, value);
        return true;
    case 'm':
        px_put_octal(text, (uint32_t)value);
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

/* Kinds that are the address of something that the call reads. */
static bool put_read(struct px_text *text, char kind, uint64_t value, uint64_t next)
{
    switch (kind) {
    case 's':
        px_put_string(text, value, PX_STRING_SHOWN);
        return true;
    case 'P':
        px_put_path(text, value);
        return true;
    case '>':
        px_put_bytes(text, value, next);
        return true;
    case 'V':
        px_put_vector(text, value, next, PX_VECTOR_ALL);
        return true;
    case 'T':
        px_put_timespec(text, value);
        return true;
    case 'A':
        px_put_action(text, value);
        return true;
    case 'B':
        px_put_set(text, value, next);
        return true;
    case 'L':
        px_put_strings(text, value);
        return true;
    case 'N':
        px_put_environment(text, value);
        return true;
    default:
        return false;
    }
}

static void put_pair(struct px_text *text, px_user from)
{
    int32_t pair[2];

    if (px_put_read(text, pair, from, sizeof pair))
        px_text_add(text, "[%d, %d]", pair[0], pair[1]);
}

/* What the call fills in, after it. */
static bool put_filled(struct px_text *text, char kind, unsigned index, const struct px_trace *trace)
{
    uint64_t value = trace->argument[index], result = trace->argument[PX_STRACE_RESULT];

    if (!trace->leaving)
        return false;
    if (kind == 'w')
        px_put_wait_status(text, value, trace);
    else if (trace->failed)
        px_put_address(text, value);
    else if (kind == '<')
        px_put_bytes(text, value, result);
    else if (kind == 'g') /* getcwd's length counts the NUL, readlink's does not */
        px_put_bytes(text, value, result - (result > 0 && index == 0));
    else if (kind == 'E')
        px_put_stat(text, value);
    else if (kind == 'D')
        px_put_uname(text, value);
    else
        put_pair(text, value);
    return true;
}

static bool put_kind(struct px_text *text, char kind, unsigned index, const struct px_trace *trace)
{
    uint64_t value = trace->argument[index], next = index < 5 ? trace->argument[index + 1] : 0;

    if ((uint8_t)kind >= PX_KIND_NAMED)
        return named[(uint8_t)kind - PX_KIND_NAMED](text, index, trace);
    if (put_plain(text, kind, value) || px_put_letter(text, kind, value) || put_read(text, kind, value, next))
        return true;
    if (kind != 'O')
        return put_filled(text, kind, index, trace);
    px_put_open_flags(text, value);
    if (value & O_CREAT || (value & O_TMPFILE) == O_TMPFILE) {
        px_text_add(text, ", ");
        px_put_octal(text, (uint32_t)next);
    }
    return true;
}

static bool put_argument(struct px_text *text, const char *format, unsigned index, const struct px_trace *trace)
{
    if (*format != '^')
        return put_kind(text, *format, index, trace);
    if (!trace->leaving)
        return false;
    if (trace->failed || !trace->argument[index])
        px_put_address(text, trace->argument[index]);
    else
        (void)!put_kind(text, format[1], index, trace);
    return true;
}

static const char *next_argument(const char *at)
{
    return at + (*at == '^' ? 2 : 1);
}

void px_strace_arguments(struct px_text *text, const char **format, unsigned *index, const struct px_trace *trace)
{
    const char *at = *format;

    while (*at && *at != ':') {
        if (*at != '.' && !put_argument(text, at, *index, trace))
            break;
        at = next_argument(at);
        ++*index;
        if (*at && *at != ':' && *at != '.')
            px_text_add(text, ", ");
    }
    *format = at;
    if (trace->leaving || !*at || *at == ':')
        return;
    for (unsigned i = *index + 1; at = next_argument(at), *at && *at != ':'; i++) { /* they may want to look at something before the call */
        char none;
        struct px_text nowhere = {.at = &none, .room = 0};

        if (*at != '.')
            (void)!put_argument(&nowhere, at, i, trace);
    }
}

void px_strace_result(struct px_text *text, const char *format, const struct px_trace *trace)
{
    if (*format == ':')
        (void)!put_kind(text, format[1], PX_STRACE_RESULT, trace);
    else
        px_text_add(text, "%ld", (long)trace->argument[PX_STRACE_RESULT]);
}
