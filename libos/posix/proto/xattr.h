/* Extended attributes between fs and a libOS: PX_FS_XATTR, w1 node, w2 the call, message page this, then the name, then the value; answer w0, and what was
 * asked for at the start of the message page. */
#ifndef PX_PROTO_XATTR_H
#define PX_PROTO_XATTR_H
#include <stdint.h>

enum px_xattr_call { PX_XATTR_SET = 1, PX_XATTR_GET, PX_XATTR_LIST, PX_XATTR_REMOVE };

struct px_xattr {
    uint32_t flags; /* XATTR_* */
    uint32_t name_bytes, value_bytes;
};
#define PX_XATTR_NAME_MAX 255u
#define PX_XATTR_ALL 4096u /* of one file, with what it takes to tell them apart */

#define XATTR_CREATE 1u
#define XATTR_REPLACE 2u

#endif
