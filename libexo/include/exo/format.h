/*
 * Text formatting for freestanding code: %d %i %u %x %X %o %c %s %p %% with l, ll, z, width, precision, '-', '0', '+', ' ', '#' and '*'. No floating point.
 */
#ifndef EXO_FORMAT_H
#define EXO_FORMAT_H
#include <stdarg.h>
#include <stddef.h>

/* As snprintf: writes at most `bytes` with the ending NUL, returns the length that the whole text has. */
int exo_format(char *to, size_t bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
int exo_vformat(char *to, size_t bytes, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

#endif
