/* Reading virtio_mmio.device= words, as Linux's virtio_mmio driver defines them: sizes may end in K or M. */
#include "attach.h"

#include <exo/string.h>

static const char word[] = "virtio_mmio.device=";

static bool digit_of(char c, unsigned base, unsigned *digit)
{
    if (c >= '0' && c <= '9')
        *digit = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *digit = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        *digit = (unsigned)(c - 'A') + 10;
    else
        return false;
    return *digit < base;
}

/* A number as C writes it; false: none, or too large. */
static bool read_number(const char **text, uint64_t *value)
{
    const char *at = *text;
    unsigned base = 10, digit;
    bool some = false;

    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    for (*value = 0; digit_of(*at, base, &digit); at++) {
        if (*value > (UINT64_MAX - digit) / base)
            return false;
        *value = *value * base + digit;
        some = true;
    }
    *text = at;
    return some;
}

static bool read_size(const char **text, uint64_t *value)
{
    if (!read_number(text, value) || *value > 1u << 30)
        return false;
    if (**text == 'K' || **text == 'k') {
        *value <<= 10;
        ++*text;
    } else if (**text == 'M' || **text == 'm') {
        *value <<= 20;
        ++*text;
    }
    return true;
}

static bool read_transport(const char **text, struct virtio_transport *transport)
{
    uint64_t line;

    if (!read_size(text, &transport->bytes) || *(*text)++ != '@' || !read_number(text, &transport->address))
        return false;
    if (*(*text)++ != ':' || !read_number(text, &line) || line > 0xffff)
        return false;
    transport->line = (uint32_t)line;
    return transport->bytes >= 0x108 && transport->address % 4 == 0 && transport->address < 1ull << 52;
}

bool virtio_next_transport(const char **text, struct virtio_transport *transport)
{
    const char *at = *text;

    while (*at) {
        const char *value = at + sizeof(word) - 1;

        if (strncmp(at, word, sizeof(word) - 1) == 0 && read_transport(&value, transport)) {
            *text = value;
            return true;
        }
        while (*at && *at != ' ')
            at++;
        while (*at == ' ')
            at++;
    }
    *text = at;
    return false;
}
