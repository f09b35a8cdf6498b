/*
 * System V shared memory between fs and a libOS. A segment is a file without a name, so that mapping it, and what becomes of its pages, is what is done with
 * files; fs keeps its key and who made it. The structure is in the message page, both ways.
 */
#ifndef PX_PROTO_SHM_H
#define PX_PROTO_SHM_H
#include <stdint.h>

/* w2 of PX_FS_SHM. */
enum px_shm_call {
    PX_SHM_GET = 1, /* key, size, flags; answer w0 id */
    PX_SHM_ATTACH,  /* id, flags: SHM_RDONLY; answer node, size */
    PX_SHM_DETACH,  /* node */
    PX_SHM_STAT,    /* id, or with PX_SHM_BY_INDEX a place in the table; PX_SHM_ANYBODY: whoever asks. Answer all fields; w0 id */
    PX_SHM_SET,     /* id, uid, gid, mode */
    PX_SHM_REMOVE,  /* id */
    PX_SHM_INFO,    /* answer w0 the highest place in use, used: segments, pages: of theirs that there are */
};
#define PX_SHM_BY_INDEX 1u
#define PX_SHM_ANYBODY 2u
#define PX_SHM_MAX 128u

struct px_shm {
    int32_t key, id;
    uint32_t flags; /* of shmget, shmat; PX_SHM_* */
    uint32_t uid, gid, cuid, cgid, mode;
    uint64_t size, node;
    int64_t atime, dtime, ctime; /* seconds */
    int32_t cpid, lpid;
    uint64_t attached; /* processes */
    uint64_t used, pages;
};

#define IPC_PRIVATE 0
#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u
#define SHM_DEST 01000u

#endif
