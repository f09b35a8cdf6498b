#include <exo/format.h>
#include <exo/string.h>
#include <stdbool.h>
#include <stdint.h>

struct output {
    char *to;
    size_t bytes;
    size_t length;
};

struct specification {
    bool left, zero, plus, space, alternate;
    int width, precision; /* precision -1: none */
    int longs;            /* 0 int, 1 or more: 64 bits */
};

static void put(struct output *out, char character)
{
    if (out->length + 1 < out->bytes)
        out->to[out->length] = character;
    out->length++;
}

static void pad(struct output *out, char character, int count)
{
    while (count-- > 0)
        put(out, character);
}

static void put_text(struct output *out, const struct specification *spec, const char *text)
{
    size_t most = spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX;
    int length;

    if (!text)
        text = "(null)";
    length = (int)strnlen(text, most);
    if (!spec->left)
        pad(out, ' ', spec->width - length);
    for (int i = 0; i < length; i++)
        put(out, text[i]);
    if (spec->left)
        pad(out, ' ', spec->width - length);
}

static void put_number(struct output *out, const struct specification *spec, uint64_t value, unsigned base, const char *prefix,
                       bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char buffer[24];
    int count = 0, zeros, total, prefix_length = (int)strlen(prefix);

    while (value) {
        buffer[count++] = digits[value % base];
        value /= base;
    }
    if (count == 0 && spec->precision != 0)
        buffer[count++] = '0';
    zeros = spec->precision > count ? spec->precision - count : 0;
    if (spec->zero && !spec->left && spec->precision < 0 && spec->width > count + prefix_length)
        zeros = spec->width - count - prefix_length;
    total = count + zeros + prefix_length;
    if (!spec->left)
        pad(out, ' ', spec->width - total);
    while (*prefix)
        put(out, *prefix++);
    pad(out, '0', zeros);
    while (count-- > 0)
        put(out, buffer[count]);
    if (spec->left)
        pad(out, ' ', spec->width - total);
}

static void put_signed(struct output *out, const struct specification *spec, int64_t value)
{
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    put_number(out, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, sign, false);
}

static const char *parse_flags(const char *at, struct specification *spec)
{
    for (;; at++) {
        switch (*at) {
        case '-': spec->left = true; break;
        case '0': spec->zero = true; break;
        case '+': spec->plus = true; break;
        case ' ': spec->space = true; break;
        case '#': spec->alternate = true; break;
        default: return at;
        }
    }
}

static const char *parse_number(const char *at, int *value)
{
    *value = 0;
    while (*at >= '0' && *at <= '9' && *value < 10000)
        *value = *value * 10 + (*at++ - '0');
    return at;
}

int exo_vformat(char *to, size_t bytes, const char *format, va_list arguments)
{
    struct output out = {to, bytes, 0};

    for (const char *at = format; *at; at++) {
        struct specification spec = {.precision = -1};

        if (*at != '%') {
            put(&out, *at);
            continue;
        }
        at = parse_flags(at + 1, &spec);
        if (*at == '*') {
            spec.width = va_arg(arguments, int);
            at++;
        } else {
            at = parse_number(at, &spec.width);
        }
        if (*at == '.' && at[1] == '*') {
            spec.precision = va_arg(arguments, int);
            at += 2;
        } else if (*at == '.') {
            at = parse_number(at + 1, &spec.precision);
        }
        for (; *at == 'l' || *at == 'z' || *at == 'j'; at++)
            spec.longs++;
        switch (*at) {
        case 'd':
        case 'i':
            put_signed(&out, &spec, spec.longs ? va_arg(arguments, int64_t) : va_arg(arguments, int));
            break;
        case 'u':
            put_number(&out, &spec, spec.longs ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), 10, "", false);
            break;
        case 'o':
            put_number(&out, &spec, spec.longs ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), 8,
                       spec.alternate ? "0" : "", false);
            break;
        case 'x':
        case 'X':
            put_number(&out, &spec, spec.longs ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned), 16,
                       spec.alternate ? "0x" : "", *at == 'X');
            break;
        case 'p': put_number(&out, &spec, (uintptr_t)va_arg(arguments, void *), 16, "0x", false); break;
        case 'c': put(&out, (char)va_arg(arguments, int)); break;
        case 's': put_text(&out, &spec, va_arg(arguments, const char *)); break;
        case '%': put(&out, '%'); break;
        case '\0': at--; break;
        default: put(&out, *at); break;
        }
    }
    if (bytes > 0)
        to[out.length < bytes ? out.length : bytes - 1] = '\0';
    return (int)out.length;
}

int exo_format(char *to, size_t bytes, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(to, bytes, format, arguments);
    va_end(arguments);
    return length;
}
