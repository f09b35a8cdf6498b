/*
 * mq_notify with SIGEV_THREAD: a C library's thread reads a cookie from a netlink socket. fs only counts up a word for each queue (proto/sysv.h); whoever
 * reads the socket, or polls it, finds that it has changed, and puts the cookie into the socket's ring.
 */
#include "socket.h"

#include "fd/sysv.h"
#include "fs/files.h"

#define COOKIE_WOKEN 1u
#define COOKIE_REMOVED 2u

/* Who is to be told through which socket; of this process, not of a child. */
static struct armed {
    struct px_ofd *ofd; /* NULL: nobody */
    uint32_t seen;
    uint8_t cookie[PX_NETLINK_COOKIE];
} *armed; /* by queue; NULL: there has been none */
static int32_t armed_by;

static const struct px_ipc_words *words(void)
{
    return (const struct px_ipc_words *)(px_meta_base + PX_META_LOAD(px_meta()->ipc));
}

struct px_ofd *px_netlink_get_socket(unsigned fd, int64_t *error)
{
    struct px_ofd *ofd = px_socket_get(fd, error);

    if (*error == 0 && px_socket_of(ofd)->domain != AF_NETLINK)
        *error = -EINVAL;
    return *error ? NULL : ofd;
}

static void collect(struct px_ofd *ofd)
{
    if (!armed || armed_by != px_self()->pid)
        return;
    for (uint32_t place = 0; place < PX_MQ_QUEUES; place++) {
        struct armed *one = &armed[place];
        uint32_t told = __atomic_load_n(&words()->told[place], __ATOMIC_SEQ_CST);

        if (one->ofd != ofd || told == one->seen)
            continue;
        one->ofd = NULL;
        one->cookie[PX_NETLINK_COOKIE - 1] = told & 1 ? COOKIE_WOKEN : COOKIE_REMOVED;
        px_netlink_deliver(ofd, one->cookie, PX_NETLINK_COOKIE);
    }
}

int64_t px_netlink_arm(struct px_ofd *ofd, uint32_t place, uint32_t seen, const uint8_t cookie[PX_NETLINK_COOKIE])
{
    struct px_flow *flow = &px_socket_link(ofd)->to[px_socket_side(ofd)];

    if (!armed || armed_by != px_self()->pid) {
        if (!armed)
            armed = px_alloc(PX_MQ_QUEUES * sizeof *armed);
        if (!armed)
            return -ENOMEM;
        memset(armed, 0, PX_MQ_QUEUES * sizeof *armed);
        armed_by = px_self()->pid;
    }
    collect(ofd); /* what was told of the same queue before */
    armed[place] = (struct armed){.ofd = ofd, .seen = seen};
    memcpy(armed[place].cookie, cookie, PX_NETLINK_COOKIE);
    __atomic_fetch_add(&flow->write_seq, 1, __ATOMIC_SEQ_CST); /* who sleeps looks for this one, too */
    exo_wake_all(&flow->write_seq);
    return 0;
}

static void add_word(struct exo_predicate *predicates, unsigned *count)
{
    const uint32_t *any = &words()->told_seq;

    predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)any, .value = __atomic_load_n(any, __ATOMIC_SEQ_CST), .kind = EXO_WAIT_WORD};
}

void px_netlink_poll(struct px_ofd *ofd, struct exo_predicate *predicates, unsigned *count)
{
    if (predicates)
        add_word(predicates, count);
    collect(ofd);
}

void px_netlink_drop(const struct px_ofd *ofd)
{
    for (uint32_t place = 0; armed && place < PX_MQ_QUEUES; place++)
        if (armed[place].ofd == ofd)
            armed[place].ofd = NULL;
}

int64_t px_netlink_receive(struct px_ofd *ofd, struct px_message *message)
{
    const uint32_t *sequence = &px_socket_link(ofd)->to[px_socket_side(ofd)].write_seq;
    uint64_t limit_ns = px_socket_end(ofd)->receive_ns, until = limit_ns ? px_deadline_after(limit_ns) : PX_DEADLINE_NEVER;
    unsigned flags = message->flags;

    for (;;) {
        struct exo_predicate unchanged[2];
        unsigned count = 1;
        int64_t result;

        unchanged[0] = (struct exo_predicate){.va = (uint64_t)sequence, .value = __atomic_load_n(sequence, __ATOMIC_SEQ_CST), .kind = EXO_WAIT_WORD};
        add_word(unchanged, &count);
        collect(ofd);
        message->flags = flags | MSG_DONTWAIT;
        result = px_flow_receive(ofd, message);
        message->flags = flags;
        if (result != -EAGAIN || flags & MSG_DONTWAIT || ofd->flags & O_NONBLOCK)
            return result;
        result = px_wait(unchanged, count, until);
        if (result == -ETIMEDOUT)
            return -EAGAIN;
        if (result < 0)
            return limit_ns ? -EINTR : result;
    }
}
