/* Looking files up in the boot image's newc archive (cpio(5)); enough of it to find the servers. */
#ifndef RS_ARCHIVE_H
#define RS_ARCHIVE_H
#include <stdbool.h>
#include <stdint.h>

struct archive_file {
    uint64_t offset; /* of the data, in the archive */
    uint64_t bytes;
};

/* Finds the regular file `name` in the archive; false if it is not there or the archive is broken before it. */
bool archive_find(const void *archive, uint64_t bytes, const char *name, struct archive_file *found);

#endif
