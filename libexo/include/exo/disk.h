/*
 * What the server of a disk is asked, and answers: messages to an endpoint of its own, whose badge tells it the holder and which disk he may read.
 * No server of this system answers this yet; one that is written against it can be. Its client is exo_disk_read (exo/papers.h).
 *
 * Word 0 of a question is the operation, word 0 of the answer its result: 0 or more, or -EXO_E_*. BADCALL: no such operation. A block is a page.
 * The server copies what it was asked before it looks at it, deletes each capability that came, and keeps none.
 *
 * EXO_DISK_READ, by ep_call_cap: word 1 is the first block, 2 how many, 3 the first page of the frame block that comes in word 4 (a capability with READ,
 * WRITE and COPY), to which the blocks are read. Result: how many were read, from the first on, at least one: a server may do less than it was asked
 * for. INVAL: none were asked for; RANGE: some are beyond the end of the disk, or of the frame block; TYPE: no frame came; RIGHTS: it cannot be
 * written; NOMEM: the server has no memory; DENIED: the holder may not read the disk. Who does not trust the server takes the frame back with cap_revoke.
 */
#ifndef EXO_DISK_H
#define EXO_DISK_H
#include <exo/abi.h>

#define EXO_DISK_BLOCK_BYTES EXO_PAGE_BYTES

enum exo_disk_operation {
    EXO_DISK_READ = 1,
};

#endif
