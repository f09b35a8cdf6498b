/*
 * How rs finds its files in the boot archive.
 * unit-sources: servers/rs/archive.c
 */
#include "servers/rs/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static char archive[4096];
static size_t length;

static void add(const char *name, unsigned mode, const char *data)
{
    size_t name_bytes = strlen(name) + 1, bytes = strlen(data);

    length += (size_t)sprintf(archive + length, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0, 0, 1, 0,
                              (unsigned)bytes, 0, 0, 0, 0, (unsigned)name_bytes, 0);
    memcpy(archive + length, name, name_bytes);
    length = (length + name_bytes + 3) & ~3ul;
    memcpy(archive + length, data, bytes);
    length = (length + bytes + 3) & ~3ul;
}

static bool find(const char *name, size_t bytes, struct archive_file *file)
{
    char *exact = malloc(bytes ? bytes : 1);
    bool found;

    memcpy(exact, archive, bytes);
    found = archive_find(exact, bytes, name, file);
    free(exact);
    return found;
}

int main(void)
{
    struct archive_file file;

    add("exo", 0040755, "");
    add("exo/proc", 0100755, "abcde");
    add("exo/fs", 0120777, "link");
    add("exo/fs", 0100755, "xyz");
    add("TRAILER!!!", 0, "");
    CHECK(find("exo/proc", length, &file) && file.bytes == 5 && memcmp(archive + file.offset, "abcde", 5) == 0);
    CHECK(find("exo/fs", length, &file) && file.bytes == 3); /* the regular file, not the link */
    CHECK(!find("exo", length, &file) && !find("exo/tty", length, &file));
    for (size_t bytes = 0; bytes < length; bytes++)
        if (find("exo/proc", bytes, &file))
            CHECK(file.offset + file.bytes <= bytes);
    for (size_t at = 0; at < 400; at++) {
        char before = archive[at];

        archive[at] = 'F';
        if (find("exo/fs", length, &file))
            CHECK(file.offset <= length && file.bytes <= length - file.offset);
        archive[at] = '!';
        (void)find("exo/fs", length, &file);
        archive[at] = before;
    }
    return 0;
}
