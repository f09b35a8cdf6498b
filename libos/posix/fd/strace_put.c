/* How strace shows numbers, strings, arrays and vectors in the program's memory. */
#include "strace_put.h"

#define PATH_SHOWN 511u

void px_put_hex(struct px_text *text, uint64_t value)
{
    px_text_add(text, value ? "%#lx" : "0", (unsigned long)value);
}

void px_put_octal(struct px_text *text, uint64_t value)
{
    px_text_add(text, value < 0100 ? "0%02lo" : "0%lo", (unsigned long)value);
}

void px_put_address(struct px_text *text, uint64_t va)
{
    if (va)
        px_text_add(text, "%#lx", (unsigned long)va);
    else
        px_text_add(text, "NULL");
}

bool px_put_read(struct px_text *text, void *to, px_user from, size_t bytes)
{
    if (from && px_copy_in(to, from, bytes) == 0)
        return true;
    px_put_address(text, from);
    return false;
}

/* ---- strings ---- */

static void put_byte(struct px_text *text, uint8_t byte, bool digit_follows)
{
    static const char plain[] = "\a\b\t\n\v\f\r", letter[] = "abtnvfr";

    if (byte == '"' || byte == '\\')
        px_text_add(text, "\\%c", byte);
    else if (byte >= ' ' && byte < 127)
        px_text_add(text, "%c", byte);
    else if (byte >= '\t' && byte <= '\r')
        px_text_add(text, "\\%c", letter[byte - plain[0]]);
    else
        px_text_add(text, digit_follows ? "\\%03o" : "\\%o", byte);
}

void px_strace_quote(struct px_text *text, const void *bytes, size_t count, bool more)
{
    const uint8_t *from = bytes;

    px_text_add(text, "\"");
    for (size_t i = 0; i < count; i++)
        put_byte(text, from[i], i + 1 < count && from[i + 1] >= '0' && from[i + 1] <= '7');
    px_text_add(text, more ? "\"..." : "\"");
}

void px_put_bytes(struct px_text *text, px_user from, uint64_t bytes)
{
    uint8_t copy[PX_STRING_SHOWN];
    size_t shown = bytes < sizeof copy ? bytes : sizeof copy;

    if (px_put_read(text, copy, from, shown))
        px_strace_quote(text, copy, shown, bytes > shown);
}

void px_put_string(struct px_text *text, px_user from, size_t most)
{
    char copy[PATH_SHOWN + 1];
    int64_t length = from ? px_copy_string(copy, from, most + 1 < sizeof copy ? most + 1 : sizeof copy) : -EFAULT;

    if (length >= 0)
        px_strace_quote(text, copy, (size_t)length, false);
    else if (length == -ENAMETOOLONG)
        px_strace_quote(text, copy, most, true);
    else
        px_put_address(text, from);
}

void px_put_path(struct px_text *text, px_user from)
{
    px_put_string(text, from, PATH_SHOWN);
}

/* ---- arrays ---- */

void px_put_array(struct px_text *text, px_user from, uint64_t count, size_t bytes, px_put_element *put, void *with)
{
    uint64_t element[PX_STRACE_ELEMENT / sizeof(uint64_t)];

    if (!from || (count && px_copy_in(element, from, bytes) != 0)) {
        px_put_address(text, from);
        return;
    }
    px_text_add(text, "[");
    for (uint64_t i = 0; i < count; i++) {
        px_user at = from + i * bytes;

        px_text_add(text, i ? ", " : "");
        if (i == PX_LIST_SHOWN) {
            px_text_add(text, "...");
            break;
        }
        if (px_copy_in(element, at, bytes) != 0) {
            px_text_add(text, "... /* %#lx */", (unsigned long)at);
            break;
        }
        put(text, element, with);
    }
    px_text_add(text, "]");
}

void px_put_element_int(struct px_text *text, const void *element, void *with)
{
    (void)with;
    px_text_add(text, "%d", *(const int32_t *)element);
}

static void put_string_at(struct px_text *text, const void *element, void *with)
{
    (void)with;
    px_put_string(text, *(const uint64_t *)element, PX_STRING_SHOWN);
}

/* How many pointers stand before the NULL; *ends: it is there. */
static uint64_t count_strings(px_user list, uint64_t most, bool *ends)
{
    uint64_t count = 0, at = 1;

    while (count < most && px_copy_in(&at, list + count * sizeof at, sizeof at) == 0 && at)
        count++;
    *ends = !at;
    return count;
}

void px_put_strings(struct px_text *text, px_user list)
{
    bool ends;
    uint64_t count = count_strings(list, PX_LIST_SHOWN + 1, &ends);

    px_put_array(text, list, count + !ends, sizeof(uint64_t), put_string_at, NULL);
}

void px_put_environment(struct px_text *text, px_user list)
{
    uint64_t at;
    bool ends;
    unsigned count;

    px_put_address(text, list);
    if (!list || px_copy_in(&at, list, sizeof at) != 0)
        return;
    count = (unsigned)count_strings(list, 65536, &ends);
    px_text_add(text, " /* %u var%s%s */", count, count == 1 ? "" : "s", ends ? "" : ", unterminated");
}

/* ---- vectors ---- */

static void put_element_of_vector(struct px_text *text, const void *element, void *with)
{
    const uint64_t *vector = element;
    uint64_t *left = with, bytes = vector[1];

    px_text_add(text, "{iov_base=");
    if (*left == PX_VECTOR_ADDRESSES) {
        px_put_address(text, vector[0]);
    } else {
        if (*left != PX_VECTOR_ALL) {
            bytes = bytes < *left ? bytes : *left;
            *left -= bytes;
        }
        if (bytes || !vector[0])
            px_put_bytes(text, vector[0], bytes);
        else
            px_text_add(text, "\"\"");
    }
    px_text_add(text, ", iov_len=%lu}", (unsigned long)vector[1]);
}

void px_put_vector(struct px_text *text, px_user from, uint64_t count, uint64_t bytes)
{
    px_put_array(text, from, count, 2 * sizeof(uint64_t), put_element_of_vector, &bytes);
}

PX_PUT(vector_in)
{
    if (!trace->leaving)
        return false;
    px_put_vector(text, trace->argument[index], trace->argument[index + 1],
                  trace->failed ? PX_VECTOR_ADDRESSES : trace->argument[PX_STRACE_RESULT]);
    return true;
}

PX_PUT(vector_remote)
{
    px_put_vector(text, trace->argument[index], trace->argument[index + 1], PX_VECTOR_ADDRESSES);
    return true;
}

/* ---- plain values that calls fill in ---- */

PX_PUT(int)
{
    int32_t value;

    if (px_put_read(text, &value, trace->argument[index], sizeof value))
        px_text_add(text, "[%d]", value);
    return true;
}

PX_PUT(size)
{
    uint64_t value;

    if (px_put_read(text, &value, trace->argument[index], sizeof value))
        px_text_add(text, "[%lu]", (unsigned long)value);
    return true;
}

PX_PUT(address)
{
    uint64_t value;

    if (px_put_read(text, &value, trace->argument[index], sizeof value)) {
        px_text_add(text, "[");
        px_put_address(text, value);
        px_text_add(text, "]");
    }
    return true;
}

PX_PUT(random)
{
    uint8_t copy[PX_STRING_SHOWN];
    uint64_t bytes = trace->argument[PX_STRACE_RESULT];
    size_t shown = bytes < sizeof copy ? bytes : sizeof copy;

    if (!trace->leaving)
        return false;
    if (trace->failed) {
        px_put_address(text, trace->argument[index]);
    } else if (px_put_read(text, copy, trace->argument[index], shown)) {
        px_text_add(text, "\"");
        for (size_t i = 0; i < shown; i++)
            px_text_add(text, "\\x%02x", copy[i]);
        px_text_add(text, bytes > shown ? "\"..." : "\"");
    }
    return true;
}

PX_PUT(groups)
{
    px_put_array(text, trace->argument[index], trace->argument[index - 1], sizeof(int32_t), px_put_element_int, NULL);
    return true;
}

PX_PUT(groups_got)
{
    if (!trace->leaving)
        return false;
    if (trace->failed || (!trace->argument[index - 1] && trace->argument[PX_STRACE_RESULT]))
        px_put_address(text, trace->argument[index]);
    else
        px_put_array(text, trace->argument[index], trace->argument[PX_STRACE_RESULT], sizeof(int32_t), px_put_element_int, NULL);
    return true;
}

static void put_processors(struct px_text *text, px_user from, uint64_t bytes)
{
    uint8_t set[128];
    const char *before = "";
    size_t known = bytes < sizeof set ? bytes : sizeof set;

    if (!px_put_read(text, set, from, known))
        return;
    px_text_add(text, "[");
    for (unsigned i = 0; i < known * 8; i++) {
        if (set[i / 8] >> i % 8 & 1) {
            px_text_add(text, "%s%u", before, i);
            before = " ";
        }
    }
    px_text_add(text, "]");
}

PX_PUT(cpus)
{
    put_processors(text, trace->argument[index], trace->argument[index - 1]);
    return true;
}

PX_PUT(cpus_got)
{
    if (!trace->leaving)
        return false;
    if (trace->failed)
        px_put_address(text, trace->argument[index]);
    else
        put_processors(text, trace->argument[index], trace->argument[PX_STRACE_RESULT]);
    return true;
}

static void put_resident(struct px_text *text, const void *element, void *with)
{
    (void)with;
    px_text_add(text, "%u", *(const uint8_t *)element & 1);
}

PX_PUT(mincore)
{
    if (!trace->leaving)
        return false;
    if (trace->failed)
        px_put_address(text, trace->argument[index]);
    else
        px_put_array(text, trace->argument[index], (trace->argument[index - 1] + PX_PAGE - 1) / PX_PAGE, 1, put_resident, NULL);
    return true;
}
