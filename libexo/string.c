#include <exo/string.h>
#include <stdint.h>

/* memcpy and memset are in arch/. The compiler may call these two where the source does not: they stay, also when the whole program is optimised. */
void *memmove(void *to, const void *from, size_t bytes) __attribute__((used));
int memcmp(const void *left, const void *right, size_t bytes) __attribute__((used));

void *memmove(void *to, const void *from, size_t bytes)
{
    unsigned char *target = to;
    const unsigned char *source = from;

    if ((uintptr_t)target - (uintptr_t)source >= bytes)
        return memcpy(to, from, bytes);
    while (bytes >= 8) {
        uint64_t word;

        bytes -= 8;
        __builtin_memcpy(&word, source + bytes, 8);
        __builtin_memcpy(target + bytes, &word, 8);
    }
    while (bytes-- > 0)
        target[bytes] = source[bytes];
    return to;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
    const unsigned char *a = left, *b = right;

    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            return a[i] - b[i];
    return 0;
}

void *memchr(const void *from, int value, size_t bytes)
{
    const unsigned char *at = from;

    for (size_t i = 0; i < bytes; i++)
        if (at[i] == (unsigned char)value)
            return (void *)(uintptr_t)(at + i);
    return NULL;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length])
        length++;
    return length;
}

size_t strlen(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

int strncmp(const char *left, const char *right, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        int difference = (unsigned char)left[i] - (unsigned char)right[i];

        if (difference || !left[i])
            return difference;
    }
    return 0;
}

int strcmp(const char *left, const char *right)
{
    return strncmp(left, right, SIZE_MAX);
}

char *strchr(const char *text, int character)
{
    for (;; text++) {
        if (*text == (char)character)
            return (char *)(uintptr_t)text;
        if (!*text)
            return NULL;
    }
}

char *strrchr(const char *text, int character)
{
    const char *found = NULL;

    for (;; text++) {
        if (*text == (char)character)
            found = text;
        if (!*text)
            return (char *)(uintptr_t)found;
    }
}
