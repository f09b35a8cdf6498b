/*
 * Calls to fs: everything that changes files, and the first touch of their pages. Word 0 is the operation (low 8
 * bits); the answer's word 0 is 0 or positive, or a negative Linux errno. "node" is PX_FS_NODE(ino, gen). "msg" is
 * the caller's message page. After the answer the caller's next look at the metadata (fsmeta.h) sees the change.
 *
 * fs knows the caller's credentials by its badge. Whoever opens a file gets a token: a number that fs can check and
 * nobody can make, which says that its holder may read or write that inode, whatever became of modes and ids since:
 * the memory of an open file description. 0 is no token: the credentials decide.
 */
#ifndef PX_PROTO_FS_H
#define PX_PROTO_FS_H
#include <stdint.h>

#define PX_FS_NODE(ino, gen) ((uint64_t)(ino) | (uint64_t)(gen) << 32)
#define PX_FS_INO(node) ((uint32_t)(node))
#define PX_FS_GEN(node) ((uint32_t)((node) >> 32))

enum px_fs_op {
    /* Maps the metadata pages that the caller lacks: w1 pages that it has. Answer w1: pages that it has now. */
    PX_FS_META = 1,
    /* msg px_fs_create. Answer w1 node, w2 token (read and write). -EEXIST: w1 the node that is there. */
    PX_FS_CREATE,
    PX_FS_LINK,    /* msg px_fs_names: another name for node `from`: names[1] in directory[1] */
    PX_FS_UNLINK,  /* msg px_fs_names: names[0] in directory[0]; flags PX_FS_RMDIR */
    PX_FS_RENAME,  /* msg px_fs_names: names[0] in directory[0] becomes names[1] in directory[1]; flags RENAME_* */
    PX_FS_SETATTR, /* w1 node, msg px_fs_attributes */
    PX_FS_OPEN,    /* w1 node, w2 rights wanted (4 read, 2 write), w3 1: truncate. Answer w1 token. */
    PX_FS_TRUNCATE, /* w1 node, w2 size, w4 token */
    /* Maps pages of a file into the caller. w0 op | count << 32, w1 node, w2 first page, w3 va | PX_GRANT_*, w4
     * token. What is at va is replaced; holes stay unmapped unless PX_GRANT_FILL. Without FILL pages past the end are
     * left out. Answer w0 pages done (at most PX_GRANT_MAX), w1 version. */
    PX_FS_GRANT,
    /* The caller wrote start .. end through pages that it was granted: the file is at least `end` long, and zero
     * between its old end and start. w0 op | version << 32, w1 node, w2 start, w3 end, w4 token. -EAGAIN: pages were
     * taken away meanwhile; grant and write again. */
    PX_FS_EXTEND,
    /* w1 node, w2 bytes, w4 token: the file grows by so many zero bytes, or fewer. Answer w0 how many, w1 the offset
     * where they begin. */
    PX_FS_APPEND,
    /* msg data, w1 node, w2 offset or PX_FS_AT_END, w3 bytes (at most 4096), w4 token. Answer w0 bytes, w1 offset. */
    PX_FS_WRITE,
    PX_FS_TOUCH,  /* w1 node, w2 PX_TOUCH_*, w4 token */
    PX_FS_PUNCH,  /* w1 node, w2 offset, w3 bytes, w4 token: a hole there; the size stays */
    PX_FS_FILL,   /* w1 node, w2 offset, w3 bytes, w4 token: no holes there; w0 bit 32: the size stays. */
    PX_FS_REAP,   /* w1 node: the caller let go of a file that has no name: perhaps it can go now */
    /* One end of a named FIFO (ring.h). w1 node, w2 va of PX_PIPE_PAGES free pages in the caller, w3 4 read end, 2
     * write end. fs maps the ring there. Answer w1 the other side's sequence (write_seq, read_seq) before the caller
     * counts as an end: an opener bumps its own, so that who waits for it sees that it was there even if it has left;
     * w4 a capability to the tally of that end. fs holds one of each itself: a word counts one more than there are
     * ends. */
    PX_FS_FIFO,
    /* Sockets (decision 0020), all with msg px_fs_meet.
     * BIND: answer w1 the binding's ticket, w4 a capability to the tally by which it lives; its page (proto/socket.h, end 0, with the name that it
     * got) is mapped at va. CONNECT, ACCEPT: answer w1 pid | uid << 32 and w2 gid of the peer, w4 a capability to the tally of the caller's end (0 of
     * who connects, 1 of who accepts); the connection's pages are mapped at va. -EAGAIN: the line is full; nobody has come. UNBOUND: a binding or
     * connection may be over. */
    PX_FS_BIND,
    PX_FS_LISTEN,
    PX_FS_CONNECT,
    PX_FS_ACCEPT,
    PX_FS_UNBOUND,
    PX_FS_SEAL, /* w1 node, w2 F_SEAL_*, w4 token: these, too */
    /* Datagrams that go to names. BIND of SOCK_DGRAM maps PX_BOX_PAGES: end 0's flow is what comes, each record with a struct px_from before its bytes,
     * written by fs alone. AIM: msg px_fs_meet: what comes to the binding `ticket` (0: there is none) is from that address only, whoever
     * is there; without a name: from everybody again. AF_UNIX: somebody must be there, and w1 of the answer names him to SEND. SEND: msg
     * px_fs_letter: the next part of a datagram. Answer w0: bytes that are there now; -EAGAIN: no room;
     * -ESTALE: somebody else's came between the parts: begin anew; -ECONNREFUSED: nobody is there, or is there for this sender. */
    PX_FS_AIM,
    PX_FS_SEND,
    /* inotify (watch.h). NEW: w2 va of PX_WATCH_PAGES free pages in the caller, where the ring is mapped; answer w1 ticket. ADD: w1 node, w2 IN_*,
     * w4 ticket; answer w0 watch. REMOVE: w2 watch, w4 ticket. NOTICE: w1 node, w2 what the caller did to it, w4 token. */
    PX_FS_WATCH_NEW,
    PX_FS_WATCH_ADD,
    PX_FS_WATCH_REMOVE,
    PX_FS_NOTICE,
    PX_FS_SHM, /* w2 enum px_shm_call, msg struct px_shm (shm.h), both ways */
    PX_FS_XATTR, /* xattr.h: w1 node, w2 enum px_xattr_call */
    /* w1 node: -ETXTBSY while somebody has it open for writing; w2 PX_EXECUTE_RUN: the caller runs it; PX_EXECUTE_PATIENT: -EAGAIN while a
     * child has not yet said what it has open. Not needed where PX_INODE_WRITTEN and PX_INODE_RUN say it already. */
    PX_FS_EXECUTE,
    PX_FS_PARCEL, /* parcel.h: w1 enum px_parcel_call, w2 ticket */
    PX_FS_IPC, /* sysv.h */
    PX_FS_SOCKETS, /* w1 where to look: answer w1 where to go on, msg struct px_fs_socket; -ENOENT: there are no more */
    PX_FS_SETID, /* w1 node, which the caller is about to execute in a fresh environment (renew.h): its set-ID bits count now */
    /* A page that the caller shares with fs, at va: its first word is the file's length, which the caller makes larger after it has written into pages that it
     * was granted beyond the end, by compare and exchange, until it is PX_TAIL_CLOSED (fsmeta.h). w1 node, w2 va, w4 token. */
    PX_FS_TAIL,
    PX_FS_SETTLE, /* w1 node: its size is to be true; a tail is closed for that */
    PX_FS_OPS,
};

#define PX_EXECUTE_RUN 1u
#define PX_EXECUTE_PATIENT 2u
#define PX_GRANT_READ 1u /* protections as in PROT_* */
#define PX_GRANT_WRITE 2u
#define PX_GRANT_EXEC 4u
#define PX_GRANT_PRIVATE 8u /* the caller's writes go to its own copies */
#define PX_GRANT_FILL 16u   /* without PRIVATE: put pages into holes, and with WRITE beyond the end */
#define PX_GRANT_MAX 256u   /* pages a call */
#define PX_FS_AT_END (~0ull)
#define PX_TOUCH_WRITTEN 1u /* contents changed: modification time, set-ID bits */
#define PX_TOUCH_READ 2u    /* access time, as relatime */
#define PX_FS_RMDIR 1u
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u
#define RENAME_WHITEOUT 4u /* a device 0:0 where the name was */

/* The names follow right behind the structure. */
struct px_fs_create {
    uint64_t directory; /* node */
    uint64_t rdev;
    uint32_t mode;                     /* type and permissions, without the umask's bits */
    uint32_t flags;                    /* PX_CREATE_* */
    uint16_t name_bytes, target_bytes; /* name, then the symbolic link's target */
    uint32_t pad;
};
#define PX_CREATE_TMPFILE 1u /* no name; PX_INODE_TMPFILE */
#define PX_CREATE_MEMFD 4u   /* no name, in no directory: any may be named */
#define PX_CREATE_SEALABLE 8u
#define PX_CREATE_NOLINK 2u  /* and it will never have one (O_EXCL) */

struct px_fs_names {
    uint64_t from;         /* LINK: node */
    uint64_t directory[2]; /* nodes */
    uint32_t flags;
    uint16_t bytes[2]; /* names[0], names[1] */
};

struct px_fs_attributes {
    uint32_t what; /* PX_ATTRIBUTE_* */
    uint32_t mode, uid, gid;
    int64_t atime, mtime; /* PX_TIME (fsmeta.h) */
};
#define PX_ATTRIBUTE_MODE 1u
#define PX_ATTRIBUTE_UID 2u
#define PX_ATTRIBUTE_GID 4u
#define PX_ATTRIBUTE_ATIME 8u
#define PX_ATTRIBUTE_MTIME 16u
#define PX_ATTRIBUTE_ATIME_NOW 32u
#define PX_ATTRIBUTE_MTIME_NOW 64u
#define PX_ATTRIBUTE_CHOWN 128u /* a chown, even of nothing: set-ID bits go */

/* A name that is bound, or a connection on its way or made; what stands in pages that processes write is their word. */
struct px_fs_socket {
    uint16_t domain, type; /* of a connection 0: its names tell */
    uint16_t backlog;      /* of who listens, else 0 */
    uint16_t pending;      /* connections that wait to be accepted; 1 of one that does */
    uint32_t uid[2];
    uint64_t ino[2];         /* of its ends; 0: nobody has it (yet) */
    uint32_t waiting[2];     /* bytes that have come to that end */
    uint16_t name_bytes[2];  /* an address each: of a binding the first alone */
    uint8_t name[2][110];
    uint8_t connection, lite; /* lite: UDP-Lite */
};

struct px_fs_meet {
    uint64_t va;     /* where pages go: BIND one, CONNECT and ACCEPT PX_LINK_PAGES */
    uint64_t node;   /* BIND, CONNECT: of a path's socket inode; 0: the name is the address */
    uint64_t ticket; /* LISTEN, ACCEPT; CONNECT: of one's own binding, or 0 */
    uint32_t backlog;
    uint16_t domain, type;
    uint16_t name_bytes; /* the address: AF_UNIX's family alone, or a port of 0, asks BIND for a name */
    uint8_t name[110];
    uint32_t flags; /* PX_MEET_* */
};

struct px_fs_letter {
    struct px_fs_meet to; /* `ticket`: the sender's own binding, or 0 */
    uint64_t aim;         /* what AIM answered, instead of the address; 0: the address counts */
    uint32_t bytes;       /* of the datagram, */
    uint32_t offset, part; /* and of it what follows here */
    int32_t pid;          /* as whom; others than root only as themselves */
    uint32_t uid, gid;
    uint32_t rights; /* descriptors that come with it, in the parcel */
    uint64_t ticket;
    uint8_t hops, class, pad[6]; /* on the internet */
};
#define PX_LETTER_PART (4096u - (unsigned)sizeof(struct px_fs_letter))
#define PX_MEET_ONLY6 1u /* IPV6_V6ONLY */
#define PX_MEET_LITE 2u  /* of UDP-Lite, which has its own ports */
#define PX_MEET_REUSEADDR 4u
#define PX_MEET_REUSEPORT 8u
#define PX_MEET_SHARES (PX_MEET_REUSEADDR | PX_MEET_REUSEPORT)

#endif
