/*
 * POSIX message queues: mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr. fs has the queues (servers/fs/mq.c); a descriptor
 * names one by its file's inode, which it holds. word[0] the token, word[1] the place in the page of words.
 */
#include "fs/files.h"
#include "sysv.h"

#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define RACES_MAX 16u

struct mq_attr {
    int64_t flags, most, bytes, count, pad[4];
};
struct mq_event { /* struct sigevent */
    uint64_t value;
    int32_t signo, notify;
    uint64_t pad[6];
};

static bool notified; /* this process may be one that waits for a notification */

static struct px_ipc about(const struct px_ofd *ofd)
{
    return (struct px_ipc){.node = PX_FS_NODE(ofd->node.ino, ofd->node.gen), .token = ofd->word[0]};
}

static unsigned mqueue_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    const struct px_ipc_words *words = (const struct px_ipc_words *)(px_meta_base + PX_META_LOAD(px_meta()->ipc));
    uint64_t place = ofd->word[1] % PX_MQ_QUEUES;
    uint32_t seen = __atomic_load_n(&words->queue[place].seq, __ATOMIC_SEQ_CST);
    uint32_t messages = PX_META_LOAD(words->queue[place].messages), most = PX_META_LOAD(words->queue[place].most);

    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)&words->queue[place].seq, .value = seen, .kind = EXO_WAIT_WORD};
    return ((messages ? POLLIN | POLLRDNORM : 0u) | (messages < most ? POLLOUT | POLLWRNORM : 0u)) & events;
}

static int64_t mqueue_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    return px_node_stat(&ofd->node, stat);
}

/* As Linux shows a queue: what is in it, and who wants to know. */
static int64_t mqueue_read(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset)
{
    struct px_ipc ipc = about(ofd);
    int64_t result = px_ipc_ask(PX_IPC_MQ_STAT, &ipc);
    char line[96];
    int length;

    if (result < 0)
        return result;
    length = exo_format(line, sizeof line, "QSIZE:%-10u NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", (unsigned)ipc.used,
                        !ipc.pid ? SIGEV_SIGNAL : !ipc.value ? SIGEV_NONE : ipc.value == PX_MQ_THREAD ? SIGEV_THREAD : SIGEV_SIGNAL,
                        ipc.pid && ipc.value != PX_MQ_THREAD ? ipc.value : 0, ipc.pid);
    if (!offset || *offset >= (uint64_t)length)
        return 0;
    bytes = bytes < (uint64_t)length - *offset ? bytes : (uint64_t)length - *offset;
    if (px_copy_out(to, line + *offset, bytes) != 0)
        return -EFAULT;
    *offset += bytes;
    return (int64_t)bytes;
}

static void mqueue_drop(struct px_ofd *ofd)
{
    struct px_ipc ipc = about(ofd);

    ipc.value = -1;
    if (notified && !px_fd_exiting)
        (void)!px_ipc_ask(PX_IPC_MQ_NOTIFY, &ipc);
    px_node_drop(&ofd->node);
}

const struct px_ops px_mqueue_ops = {
    .name = "mqueue",
    .read = mqueue_read,
    .seek = px_anonymous_seek,
    .stat = mqueue_stat,
    .poll = mqueue_poll,
    .drop = mqueue_drop,
};

/* The name to behind the structure of the message page: its length or -errno. */
static int64_t take_name(px_user from)
{
    char name[NAME_MAX + 2];
    int64_t length = px_copy_string(name, from, sizeof name - 1);

    if (length < 0)
        return length;
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    if (length == 0)
        return -ENOENT;
    if (memchr(name, '/', (size_t)length))
        return -EACCES;
    memcpy(px_ipc_data(), name, (size_t)length);
    return length;
}

static int64_t describe(const struct px_ipc *ipc, unsigned flags, struct px_ofd **made)
{
    const struct px_node node = {.kind = PX_NODE_FS,
        .mode = ipc->mode,
        .ino = PX_FS_INO(ipc->node),
        .gen = PX_FS_GEN(ipc->node),
        .uid = ipc->uid,
        .gid = ipc->gid,
        .nlink = 1,
        .size = 80};
    int64_t status = px_node_hold(&node);

    if (status < 0)
        return status;
    *made = px_ofd_new(PX_OFD_MQUEUE, flags & (O_ACCMODE | O_NONBLOCK));
    if (!*made) {
        px_node_drop(&node);
        return -ENFILE;
    }
    (*made)->node = node;
    (*made)->word[0] = ipc->token;
    (*made)->word[1] = ipc->number;
    return 0;
}

PX_SYS(mq_open)
{
    static const uint8_t rights[4] = {4, 2, 6, 0};
    struct mq_attr attr = {.most = PX_MQ_MESSAGES, .bytes = PX_MQ_BYTES};
    unsigned flags = (unsigned)b;
    struct px_ofd *ofd;
    int64_t status = -ENOENT;

    if (flags & O_CREAT && d && px_copy_in(&attr, d, sizeof attr) != 0)
        return -EFAULT;
    if (!rights[flags & O_ACCMODE])
        return -EINVAL;
    for (unsigned races = 0; races < RACES_MAX && status == -ENOENT; races++) { /* it may go between the call and the hold */
        int64_t length = take_name(a);
        struct px_ipc ipc = {.flags = flags & (O_CREAT | O_EXCL),
            .number = rights[flags & O_ACCMODE],
            .part = (uint32_t)length,
            .mode = (uint32_t)c & 0777 & ~px_umask,
            .count = attr.most > 0 && attr.most < INT32_MAX ? (uint32_t)attr.most : 0,
            .bytes = attr.bytes > 0 && attr.bytes < INT32_MAX ? (uint32_t)attr.bytes : 0,
            .limit = px_limit(PX_LIMIT_MSGQUEUE)};

        if (length < 0)
            return length;
        status = px_ipc_ask(PX_IPC_MQ_OPEN, &ipc);
        if (status < 0)
            return status;
        status = describe(&ipc, flags, &ofd);
    }
    if (status < 0)
        return status;
    status = px_fd_install(ofd, 0, true); /* Linux's, too, are always closed on exec */
    if (status < 0) {
        mqueue_drop(ofd);
        px_ofd_abandon(ofd);
    }
    return status;
}

PX_SYS(mq_unlink)
{
    int64_t length = take_name(a);
    struct px_ipc ipc = {.part = (uint32_t)length};

    return length < 0 ? length : px_ipc_ask(PX_IPC_MQ_UNLINK, &ipc);
}

static int64_t find(int fd, struct px_ofd **ofd)
{
    *ofd = px_fd_get(fd);
    return *ofd && (*ofd)->kind == PX_OFD_MQUEUE ? 0 : -EBADF;
}

/* An absolute time of the real-time clock as a deadline. */
static int64_t deadline_of(px_user timeout, uint64_t *deadline_ns)
{
    uint64_t ns, now = px_real_ns();
    int64_t status;

    *deadline_ns = PX_DEADLINE_NEVER;
    if (!timeout)
        return 0;
    status = px_read_timespec(timeout, &ns);
    if (status == 0)
        *deadline_ns = px_deadline_after(ns > now ? ns - now : 0);
    return status;
}

PX_SYS(mq_timedsend)
{
    struct px_ofd *ofd = NULL;
    struct px_ipc ipc;
    uint64_t deadline_ns;
    int64_t status = deadline_of(e, &deadline_ns);

    if (status == 0 && (uint32_t)d >= PX_MQ_PRIORITIES)
        status = -EINVAL;
    if (status == 0)
        status = find((int)a, &ofd);
    if (status < 0)
        return status;
    if (!px_ofd_writable(ofd))
        return -EBADF;
    if (c > PX_MQ_HARD_BYTES)
        return -EMSGSIZE;
    ipc = about(ofd);
    ipc.type = (uint32_t)d;
    ipc.bytes = (uint32_t)c;
    ipc.flags = ofd->flags & O_NONBLOCK ? PX_IPC_NOWAIT : 0;
    return px_ipc_send(PX_IPC_MQ_SEND, &ipc, b, deadline_ns);
}

PX_SYS(mq_timedreceive)
{
    struct px_ofd *ofd = NULL;
    struct px_ipc ipc;
    uint64_t deadline_ns;
    int64_t status = deadline_of(e, &deadline_ns);
    uint32_t priority;

    if (status == 0)
        status = find((int)a, &ofd);
    if (status < 0)
        return status;
    if (!px_ofd_readable(ofd))
        return -EBADF;
    ipc = about(ofd);
    ipc.bytes = c > INT32_MAX ? INT32_MAX : (uint32_t)c;
    ipc.flags = ofd->flags & O_NONBLOCK ? PX_IPC_NOWAIT : 0;
    status = px_ipc_receive(PX_IPC_MQ_RECEIVE, &ipc, b, deadline_ns);
    priority = (uint32_t)ipc.type;
    if (status >= 0 && d && px_copy_out(d, &priority, sizeof priority) != 0)
        return -EFAULT;
    return status;
}

/* Whom SIGEV_THREAD means: a C library's thread that reads this cookie from a netlink socket. */
static int64_t listener_of(const struct mq_event *event, struct px_ofd **socket, uint8_t cookie[PX_NETLINK_COOKIE])
{
    int64_t error;

    if (px_copy_in(cookie, event->value, PX_NETLINK_COOKIE) != 0)
        return -EFAULT;
    *socket = px_netlink_get_socket((unsigned)event->signo, &error);
    return error;
}

PX_SYS(mq_notify)
{
    struct mq_event event;
    struct px_ofd *ofd = NULL, *socket = NULL;
    uint8_t cookie[PX_NETLINK_COOKIE];
    struct px_ipc ipc;
    int64_t status;

    if (b) {
        if (px_copy_in(&event, b, sizeof event) != 0)
            return -EFAULT;
        if (event.notify != SIGEV_NONE && event.notify != SIGEV_SIGNAL && event.notify != SIGEV_THREAD)
            return -EINVAL;
        if (event.notify == SIGEV_SIGNAL && (event.signo < 1 || event.signo > SIGRTMAX))
            return -EINVAL;
        if (event.notify == SIGEV_THREAD && (status = listener_of(&event, &socket, cookie)) < 0)
            return status;
    }
    status = find((int)a, &ofd);
    if (status < 0)
        return status;
    ipc = about(ofd);
    ipc.value = !b ? -1 : event.notify == SIGEV_NONE ? 0 : event.notify == SIGEV_THREAD ? PX_MQ_THREAD : event.signo;
    ipc.value64 = b ? event.value : 0;
    notified |= b != 0;
    status = px_ipc_ask(PX_IPC_MQ_NOTIFY, &ipc);
    return status == 0 && socket ? px_netlink_arm(socket, (uint32_t)ofd->word[1] % PX_MQ_QUEUES, ipc.seen, cookie) : status;
}

PX_SYS(mq_getsetattr)
{
    struct mq_attr attr, old;
    struct px_ofd *ofd = NULL;
    struct px_ipc ipc;
    int64_t status;

    if (b) {
        if (px_copy_in(&attr, b, sizeof attr) != 0)
            return -EFAULT;
        if (attr.flags & ~(int64_t)O_NONBLOCK)
            return -EINVAL;
    }
    status = find((int)a, &ofd);
    if (status < 0)
        return status;
    ipc = about(ofd);
    status = px_ipc_ask(PX_IPC_MQ_STAT, &ipc);
    if (status < 0)
        return status;
    old = (struct mq_attr){.flags = ofd->flags & O_NONBLOCK, .most = ipc.count, .bytes = ipc.bytes, .count = (int64_t)ipc.used};
    if (b)
        ofd->flags = (ofd->flags & ~(unsigned)O_NONBLOCK) | ((unsigned)attr.flags & O_NONBLOCK);
    return c && px_copy_out(c, &old, sizeof old) != 0 ? -EFAULT : 0;
}
