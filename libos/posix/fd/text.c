/* Text that grows in a buffer of fixed size. */
#include "fd.h"

void px_text_put(struct px_text *text, const void *bytes, size_t count)
{
    size_t left = text->room - text->used;

    if (count > left) {
        count = left;
        text->full = true;
    }
    memcpy(text->at + text->used, bytes, count);
    text->used += count;
}

void px_text_add(struct px_text *text, const char *format, ...)
{
    size_t left = text->room - text->used;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(text->at + text->used, left, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length >= left) { /* the last byte went to the NUL */
        text->full = true;
        text->used += left ? left - 1 : 0;
    } else {
        text->used += (size_t)length;
    }
}
