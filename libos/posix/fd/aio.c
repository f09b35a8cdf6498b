/*
 * Linux's asynchronous input and output: io_setup and its family. Files are in memory, so io_submit does all of it before it returns (as Linux does with
 * what is cached), and what was done waits for io_getevents. A context's id is the address of a page, because libaio looks for a ring of events there; its
 * zeroes send libaio to io_getevents.
 */
#include "entry/thread.h"
#include "fd.h"
#include "mm/mm.h"
#include "poll.h"
#include "px_calls.h"

#define EVENTS_MAX 65536u /* fs.aio-max-nr */
#define EVENTS_SANE (0x10000000u / sizeof(struct io_event) / 2) /* Linux makes room for twice as many */
#define SLICE_NS 10000000ull
#define RWF_NONE_HERE 15u /* RWF_HIPRI, DSYNC, SYNC, NOWAIT: files are in memory */
#define IOCB_RESFD 1u     /* flags: an eventfd is told */
enum { PREAD, PWRITE, FSYNC, FDSYNC, PREADV = 7, PWRITEV };

struct iocb {
    uint64_t data;
    uint32_t key, rw_flags;
    uint16_t operation;
    int16_t priority;
    uint32_t fd;
    uint64_t buffer, bytes;
    int64_t offset;
    uint64_t reserved;
    uint32_t flags, told;
};
_Static_assert(sizeof(struct iocb) == 64, "struct iocb");

struct io_event {
    uint64_t data, iocb;
    int64_t result, result2;
};

struct done {
    struct done *next;
    struct io_event event;
};

struct context {
    struct context *next;
    uint64_t id;
    int32_t pid; /* a child has none of its parent's */
    uint32_t most, count;
    uint32_t changes; /* of the list of events */
    struct done *first, **last;
};

static struct context *contexts;

static struct context *find(uint64_t id)
{
    for (struct context *context = contexts; context; context = context->next)
        if (context->id == id && context->pid == px_self()->pid)
            return context;
    return NULL;
}

static void tell(struct context *context)
{
    __atomic_fetch_add(&context->changes, 1, __ATOMIC_SEQ_CST);
    exo_wake_all(&context->changes);
}

PX_SYS(io_setup)
{
    struct px_map map = {.bytes = PX_PAGE, .prot = PROT_READ | PROT_WRITE};
    struct context *context;
    uint64_t id;
    int64_t status;

    if (px_copy_in(&id, b, sizeof id) != 0)
        return -EFAULT;
    if (id || (uint32_t)a == 0 || (uint32_t)a > EVENTS_SANE)
        return -EINVAL;
    if ((uint32_t)a > EVENTS_MAX)
        return -EAGAIN;
    map.lo = px_vma_gap(PX_PAGE);
    status = map.lo ? px_mm_may_grow(1, map.prot, 0) : -ENOMEM;
    if (status == 0)
        status = px_vma_room(2);
    context = status == 0 ? px_alloc(sizeof *context) : NULL;
    if (!context)
        return status < 0 ? status : -ENOMEM;
    status = px_mm_map(&map);
    if (status == 0 && px_copy_out(b, &map.lo, sizeof map.lo) != 0) {
        px_vma_cut(map.lo, map.lo + PX_PAGE);
        status = -EFAULT;
    }
    if (status < 0) {
        px_free(context);
        return status;
    }
    *context = (struct context){.next = contexts, .id = map.lo, .pid = px_self()->pid, .most = (uint32_t)a, .last = &context->first};
    contexts = context;
    return 0;
}

static void forget_first(struct context *context)
{
    struct done *done = context->first;

    context->first = done->next;
    if (!context->first)
        context->last = &context->first;
    context->count--;
    px_free(done);
}

PX_SYS(io_destroy)
{
    struct context *context = find(a);

    if (!context)
        return -EINVAL;
    for (struct context **at = &contexts; *at; at = &(*at)->next)
        if (*at == context) {
            *at = context->next;
            break;
        }
    while (context->first)
        forget_first(context);
    if (px_vma_room(2) == 0)
        px_vma_cut(a, a + PX_PAGE);
    tell(context); /* who waits looks for it again */
    px_free(context);
    return 0;
}

static bool seeks(int fd)
{
    return px_sys_lseek((uint64_t)fd, 0, SEEK_CUR, 0, 0, 0) != -ESPIPE;
}

/* What the operation gives; *refused: nothing was begun, so the call says so. */
static int64_t run(const struct iocb *iocb, bool *refused)
{
    const uint64_t fd = iocb->fd, offset = (uint64_t)iocb->offset;
    const bool vector = iocb->operation == PREADV || iocb->operation == PWRITEV, at = seeks((int)fd);
    int64_t result = -EINVAL;

    if (iocb->operation <= PWRITE && iocb->rw_flags & ~RWF_NONE_HERE)
        result = -EOPNOTSUPP;
    else if (iocb->operation != FSYNC && iocb->operation != FDSYNC && at && iocb->offset < 0)
        result = -EINVAL;
    else if (iocb->operation == PREAD)
        result = at ? px_sys_pread64(fd, iocb->buffer, iocb->bytes, offset, 0, 0) : px_sys_read(fd, iocb->buffer, iocb->bytes, 0, 0, 0);
    else if (iocb->operation == PWRITE)
        result = at ? px_sys_pwrite64(fd, iocb->buffer, iocb->bytes, offset, 0, 0) : px_sys_write(fd, iocb->buffer, iocb->bytes, 0, 0, 0);
    else if (iocb->operation == PREADV)
        result = px_sys_preadv2(fd, iocb->buffer, iocb->bytes, at ? offset : UINT64_MAX, 0, iocb->rw_flags);
    else if (iocb->operation == PWRITEV)
        result = px_sys_pwritev2(fd, iocb->buffer, iocb->bytes, at ? offset : UINT64_MAX, 0, iocb->rw_flags);
    else if (iocb->operation <= FDSYNC)
        result = iocb->buffer || iocb->offset || iocb->bytes || iocb->rw_flags ? -EINVAL : px_sys_fsync(fd, 0, 0, 0, 0, 0);
    *refused = result == -EBADF || result == -EINVAL || result == -EOPNOTSUPP || (vector && result == -EFAULT);
    return result <= -PX_ERESTARTSYS ? -EINTR : result;
}

/* One operation, to its end. */
static int64_t submit(uint64_t id, px_user user)
{
    const uint32_t key = 0;
    struct context *context = find(id);
    struct px_ofd *told = NULL;
    struct iocb iocb;
    struct done *done;
    bool refused;

    if (px_copy_in(&iocb, user, sizeof iocb) != 0)
        return -EFAULT;
    if (iocb.reserved || (int64_t)iocb.bytes < 0)
        return -EINVAL;
    if (!context || context->count >= context->most)
        return context ? -EAGAIN : -EINVAL;
    if (!px_fd_get((int)iocb.fd))
        return -EBADF;
    if (iocb.flags & IOCB_RESFD) {
        told = px_fd_get((int)iocb.told);
        if (!told || !px_event_is(told))
            return told ? -EINVAL : -EBADF;
    }
    if (px_copy_out(user + offsetof(struct iocb, key), &key, sizeof key) != 0)
        return -EFAULT;
    done = px_alloc(sizeof *done);
    if (!done)
        return -EAGAIN;
    *done = (struct done){.event = {.data = iocb.data, .iocb = user, .result = run(&iocb, &refused)}};
    if (refused) {
        int64_t result = done->event.result;

        px_free(done);
        return result;
    }
    context = find(id); /* another thread may have destroyed it while this one waited */
    told = iocb.flags & IOCB_RESFD ? px_fd_get((int)iocb.told) : NULL;
    if (told && px_event_is(told))
        px_event_add(told);
    if (!context) {
        px_free(done);
        return 0;
    }
    *context->last = done;
    context->last = &done->next;
    context->count++;
    tell(context);
    return 0;
}

PX_SYS(io_submit)
{
    struct context *context = find(a);
    int64_t count = (int64_t)b, at, status = 0;

    if (count < 0 || !context)
        return -EINVAL;
    if (count > context->most)
        count = context->most;
    for (at = 0; at < count && status == 0; at++) {
        px_user user;

        status = px_copy_in(&user, c + (uint64_t)at * sizeof user, sizeof user) != 0 ? -EFAULT : submit(a, user);
    }
    if (status < 0)
        at--;
    return at ? at : status;
}

/* All that was submitted has been done. */
PX_SYS(io_cancel)
{
    uint32_t key;

    return px_copy_in(&key, b + offsetof(struct iocb, key), sizeof key) != 0 ? -EFAULT : -EINVAL;
}

/* Only another thread can bring more; one that was asleep while somebody forked may not be found (CAVEATS.md), so it looks again now and then. */
static uint64_t slice_end(uint64_t deadline_ns)
{
    uint64_t soon = px_threads.many ? px_deadline_after(SLICE_NS) : PX_DEADLINE_NEVER;

    return soon < deadline_ns ? soon : deadline_ns;
}

static int64_t get_events(uint64_t id, int64_t least, int64_t most, px_user to, uint64_t deadline_ns)
{
    int64_t got = 0, status = 0;

    for (;;) {
        struct context *context = find(id);

        if (!context || least < 0 || least > most)
            return got ? got : -EINVAL;
        for (; got < most && context->first; got++) {
            if (px_copy_out(to + (uint64_t)got * sizeof(struct io_event), &context->first->event, sizeof(struct io_event)) != 0)
                return got ? got : -EFAULT;
            forget_first(context);
        }
        if (got >= least || status == -ETIMEDOUT)
            return got;
        if (status < 0)
            return got ? got : status;
        status = px_wait_word(&context->changes, context->changes, slice_end(deadline_ns));
        if (status == -ETIMEDOUT && px_now_ns() < deadline_ns)
            status = 0;
    }
}

PX_SYS(io_getevents)
{
    uint64_t deadline_ns;
    int64_t status = px_poll_deadline(e, &deadline_ns);

    return status < 0 ? status : get_events(a, (int64_t)b, (int64_t)c, d, deadline_ns);
}

PX_SYS(io_pgetevents)
{
    uint64_t deadline_ns;
    int64_t status = px_poll_deadline(e, &deadline_ns);

    if (status == 0)
        status = px_poll_mask_at(f);
    return status < 0 ? status : get_events(a, (int64_t)b, (int64_t)c, d, deadline_ns);
}
