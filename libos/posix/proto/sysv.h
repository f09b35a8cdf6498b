/*
 * System V semaphores and message queues, and POSIX message queues, between fs and a libOS (PX_FS_IPC: w1 enum px_ipc_call, struct px_ipc in the message
 * page, both ways, and behind it what belongs to the call). fs keeps all of them, and does for who waits what he waits for, in the order of their coming.
 *
 * A call that cannot be done yet answers PX_IPC_WAIT with a place (`slot`) and what its word in the page of words is (`seen`). The caller sleeps while the
 * word is that, and then asks what has come of it (COLLECT), also when he gives up (flags PX_IPC_GIVE_UP): then it is done, or over.
 * Messages longer than a page go in parts, both ways; the first names or gets a slot, which the others name.
 */
#ifndef PX_PROTO_SYSV_H
#define PX_PROTO_SYSV_H
#include <stdint.h>

enum px_ipc_call {
    PX_IPC_SEM_GET = 1, /* key, count, flags; answer w0 id */
    PX_IPC_SEM_OP,      /* id, count, and struct px_sembuf[count] behind it, where IPC_NOWAIT stands, too */
    PX_IPC_SEM_STAT,    /* id, flags PX_IPC_BY_INDEX, ANYBODY; answer w0 id */
    PX_IPC_SEM_SET,     /* id, uid, gid, mode */
    PX_IPC_SEM_REMOVE,  /* id */
    PX_IPC_SEM_INFO,    /* answer w0 the highest place in use, used: sets, bytes: semaphores */
    PX_IPC_SEM_READ,    /* id, number; answer value, pid, waiting: for more, zeroes: for zero */
    PX_IPC_SEM_VALUES,  /* id; answer count, uint16_t[count] */
    PX_IPC_SEM_WRITE,   /* id, number, value */
    PX_IPC_SEM_WRITE_ALL, /* id, uint16_t[] */
    PX_IPC_EXIT,        /* the caller ends: what SEM_UNDO remembers of it is done */
    PX_IPC_MSG_GET,     /* key, flags; answer w0 id */
    PX_IPC_MSG_SEND,    /* id, type, bytes, offset, part, flags PX_IPC_NOWAIT; slot if offset is not 0 */
    PX_IPC_MSG_RECEIVE, /* id, type, bytes: room, flags MSG_*, PX_IPC_NOWAIT; answer type, bytes, part, and slot if there are more parts */
    PX_IPC_MSG_STAT,
    PX_IPC_MSG_SET, /* and limit: bytes in the queue */
    PX_IPC_MSG_REMOVE,
    PX_IPC_MSG_INFO, /* answer w0 highest place, used: queues, count: messages, bytes */
    /* name behind it, `part` bytes; number: rights 4, 2, flags O_CREAT, O_EXCL; for a new one mode, count: messages, bytes: of each, limit: RLIMIT_MSGQUEUE.
     * Answer node, token, number: place in the page of words, uid, gid, mode. */
    PX_IPC_MQ_OPEN,
    PX_IPC_MQ_UNLINK,  /* name, as OPEN */
    PX_IPC_MQ_SEND,    /* node, token, type: priority, and as MSG_SEND */
    PX_IPC_MQ_RECEIVE, /* node, token, bytes: room; answers as MSG_RECEIVE */
    PX_IPC_MQ_NOTIFY,  /* node, value: signal, 0: none is sent, PX_MQ_THREAD: told[] is looked at, -1: it is not wanted any more; value64.
                        * Answer seen: told[] */
    PX_IPC_MQ_STAT,    /* node; answer count, bytes, used: messages there are; pid and value: who wants to be told, by which signal */
    PX_IPC_PART,       /* slot, offset: further parts of what was received */
    PX_IPC_COLLECT,    /* slot, flags PX_IPC_GIVE_UP */
    PX_IPC_CALLS,
};
#define PX_IPC_WAIT 0x10000000 /* answer in w0 */
#define PX_IPC_BY_INDEX 1u
#define PX_IPC_ANYBODY 2u
#define PX_IPC_NOWAIT 04000u /* IPC_NOWAIT */
#define PX_IPC_GIVE_UP 1u
#define PX_IPC_NO_SLOT 0xffffffffu

struct px_ipc {
    int32_t key, id;
    uint32_t flags, count;
    uint32_t uid, gid, cuid, cgid, mode;
    uint32_t number;
    int32_t value, pid;
    uint32_t waiting, zeroes;
    int64_t atime, dtime, ctime; /* seconds: semop or msgsnd, msgrcv, change */
    int32_t lspid, lrpid;
    int64_t type;
    uint64_t limit, used;
    uint32_t bytes, offset, part;
    uint32_t slot, seen;
    uint32_t pad;
    uint64_t node, token, value64;
};
#define PX_IPC_PART_MOST (4096u - (unsigned)sizeof(struct px_ipc))

struct px_sembuf {
    uint16_t number;
    int16_t change;
    int16_t flags;
};
#define PX_SEM_UNDO 0x1000

/* Limits, as the kernel's parameters of those names. */
#define PX_SEMMNI 128u
#define PX_SEMMSL 250u
#define PX_SEMMNS 4096u
#define PX_SEMOPM 64u
#define PX_SEMVMX 32767
#define PX_MSGMNI 128u
#define PX_MSGMAX 8192u
#define PX_MSGMNB 16384u
#define PX_MQ_QUEUES 64u
#define PX_MQ_MESSAGES 10u   /* msg_max and msg_default */
#define PX_MQ_BYTES 8192u    /* msgsize_max and msgsize_default */
#define PX_MQ_HARD_MESSAGES 1024u /* for root */
#define PX_MQ_HARD_BYTES 65536u
#define PX_MQ_PRIORITIES 32768u
#define PX_MQ_THREAD 65
#define PX_IPC_SLOTS 256u

/* The page of words, in the metadata region at px_meta.ipc: fs writes it, everybody reads it and sleeps on it. */
struct px_ipc_words {
    uint32_t slot[PX_IPC_SLOTS];
    struct {
        uint32_t seq, messages, most, ino; /* of a POSIX message queue, for poll */
    } queue[PX_MQ_QUEUES];
    /* When who wanted to be told of a queue's next message no longer waits 2 are added; the lowest bit says whether he was told. */
    uint32_t told[PX_MQ_QUEUES];
    uint32_t told_seq; /* bumped with any of them */
};
#endif
