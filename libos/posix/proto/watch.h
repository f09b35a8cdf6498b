/*
 * inotify between fs and a process: an instance is PX_WATCH_PAGES pages that both map: this header, then a ring of events as read(2) gives them. fs
 * writes events and moves `tail`, of which it keeps its own copy; a reader moves `head`. Who has the pages may write nonsense anywhere in them and spoils
 * his own events.
 */
#ifndef PX_PROTO_WATCH_H
#define PX_PROTO_WATCH_H
#include <stdint.h>

#define PX_WATCH_RING 65536u
#define PX_WATCH_PAGES (1u + PX_WATCH_RING / 4096u)

struct px_watch_ring {
    uint32_t head, tail; /* free-running */
    uint32_t seq;        /* bumped with each event: readers sleep on it */
};
#define PX_WATCH_DATA(ring) ((uint8_t *)(ring) + 4096)

struct px_watch_event { /* struct inotify_event; the name follows, filled up with NULs */
    int32_t wd;
    uint32_t mask, cookie, bytes;
};
#define PX_WATCH_NAME_BYTES(length) ((length) ? ((length) + 16u) / 16u * 16u : 0u) /* at least one NUL */

#define IN_ACCESS 1u
#define IN_MODIFY 2u
#define IN_ATTRIB 4u
#define IN_CLOSE_WRITE 8u
#define IN_CLOSE_NOWRITE 16u
#define IN_OPEN 32u
#define IN_MOVED_FROM 64u
#define IN_MOVED_TO 128u
#define IN_CREATE 256u
#define IN_DELETE 512u
#define IN_DELETE_SELF 1024u
#define IN_MOVE_SELF 2048u
#define IN_ALL_EVENTS 4095u
#define IN_UNMOUNT 0x2000u
#define IN_Q_OVERFLOW 0x4000u
#define IN_IGNORED 0x8000u
#define IN_ONLYDIR 0x01000000u
#define IN_DONT_FOLLOW 0x02000000u
#define IN_EXCL_UNLINK 0x04000000u
#define IN_MASK_CREATE 0x10000000u
#define IN_MASK_ADD 0x20000000u
#define IN_ISDIR 0x40000000u
#define IN_ONESHOT 0x80000000u

#endif
