/* newc: a 110-byte header of ASCII hexadecimal fields, the name, the data; name and data are padded to 4 bytes. */
#include "archive.h"

#include <exo/string.h>

#define HEADER_BYTES 110u
#define FIELD_MODE 1u
#define FIELD_BYTES 6u
#define FIELD_NAME 11u
#define MODE_TYPE 0170000u
#define MODE_REGULAR 0100000u

/* Field `index` of the header: eight hexadecimal digits. */
static bool read_field(const char *header, unsigned index, uint64_t *value)
{
    const char *digit = header + 6 + 8 * index;

    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        char c = digit[i];
        unsigned nibble;

        if (c >= '0' && c <= '9')
            nibble = (unsigned)(c - '0');
        else if (c >= 'A' && c <= 'F')
            nibble = (unsigned)(c - 'A' + 10);
        else if (c >= 'a' && c <= 'f')
            nibble = (unsigned)(c - 'a' + 10);
        else
            return false;
        *value = *value << 4 | nibble;
    }
    return true;
}

bool archive_find(const void *archive, uint64_t bytes, const char *name, struct archive_file *found)
{
    const char *base = archive;
    uint64_t at = 0;

    while (at < bytes && bytes - at >= HEADER_BYTES) {
        const char *header = base + at;
        uint64_t mode, length, name_length, data;

        if (memcmp(header, "070701", 6) != 0 || !read_field(header, FIELD_MODE, &mode) ||
            !read_field(header, FIELD_BYTES, &length) || !read_field(header, FIELD_NAME, &name_length))
            return false;
        if (name_length == 0 || name_length > bytes - at - HEADER_BYTES || header[HEADER_BYTES + name_length - 1] != '\0')
            return false;
        data = (at + HEADER_BYTES + name_length + 3) & ~3ul;
        if (data > bytes || length > bytes - data)
            return false;
        if ((mode & MODE_TYPE) == MODE_REGULAR && strcmp(header + HEADER_BYTES, name) == 0) {
            *found = (struct archive_file){data, length};
            return true;
        }
        at = (data + length + 3) & ~3ul;
    }
    return false;
}
