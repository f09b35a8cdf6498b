/* signalfd: takes signals of whoever reads from it. word[0] is the set. Signals that it waits for are blocked, so they tell of themselves by
 * sig_seq in the process page only. */
#include "entry/entry.h"
#include "fd.h"

#define SFD_FLAGS ((unsigned)O_NONBLOCK | (unsigned)O_CLOEXEC)

struct signalfd_siginfo {
    uint32_t signo;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trapno;
    int32_t status, integer;
    uint64_t pointer, user_time, system_time, address;
    uint16_t address_lsb, pad[23];
};
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "struct signalfd_siginfo");

static bool waits(uint64_t set)
{
    return (__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | px_thread()->pending) & set;
}

static void describe(const struct px_siginfo *info, struct signalfd_siginfo *to)
{
    *to = (struct signalfd_siginfo){.signo = (uint32_t)info->signo, .error = info->errno_, .code = info->code};
    if (info->code == SI_TIMER) {
        to->tid = (uint32_t)info->pid;
        to->overrun = (uint32_t)info->uid;
    } else {
        to->pid = (uint32_t)info->pid;
        to->uid = (uint32_t)info->uid;
    }
    if (info->code < 0) {
        to->pointer = info->value;
        to->integer = (int32_t)info->value;
    } else if (info->signo == SIGCHLD) {
        to->status = info->status;
    } else if (info->code > 0 && info->code != SI_KERNEL) {
        to->address = info->value;
    }
}

/* Waits until there is one: 0, -EAGAIN or -PX_ERESTARTSYS. */
static int64_t take(const struct px_ofd *ofd, uint64_t set, struct px_siginfo *info)
{
    while (!px_signal_take(set, info)) {
        uint32_t seen = __atomic_load_n(&px_ppage()->sig_seq, __ATOMIC_SEQ_CST);
        int64_t result;

        if (waits(set))
            continue;
        if (ofd->flags & O_NONBLOCK)
            return -EAGAIN;
        result = px_wait_word(&px_ppage()->sig_seq, seen, PX_DEADLINE_NEVER);
        if (result < 0 && !waits(set))
            return result;
    }
    return 0;
}

static int64_t signalfd_read(struct px_ofd *ofd, px_user to, size_t bytes, PX_UNUSED uint64_t *offset)
{
    uint64_t set = ofd->word[0] & ~PX_SIG_UNBLOCKABLE;
    size_t done = 0;

    if (bytes < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    while (bytes - done >= sizeof(struct signalfd_siginfo)) {
        struct signalfd_siginfo text;
        struct px_siginfo info;
        int64_t result = 0;

        if (done && !waits(set))
            break;
        result = take(ofd, set, &info);
        if (result < 0)
            return done ? (int64_t)done : result;
        describe(&info, &text);
        if (px_copy_out(to + done, &text, sizeof text) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += sizeof text;
    }
    return (int64_t)done;
}

static unsigned signalfd_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    uint32_t seen = __atomic_load_n(&px_ppage()->sig_seq, __ATOMIC_SEQ_CST);

    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)&px_ppage()->sig_seq, .value = seen, .kind = EXO_WAIT_WORD};
    return (waits(ofd->word[0] & ~PX_SIG_UNBLOCKABLE) ? POLLIN | POLLRDNORM : 0u) & events;
}

static void signalfd_tell(struct px_ofd *ofd, struct px_text *text)
{
    px_text_add(text, "sigmask:\t%016lx\n", (unsigned long)ofd->word[0]);
}

const struct px_ops px_signalfd_ops = {
    .tell = signalfd_tell,
    .name = "anon_inode:[signalfd]",
    .read = signalfd_read,
    .seek = px_anonymous_seek,
    .stat = px_anonymous_stat,
    .poll = signalfd_poll,
};

static int64_t signalfd_call(int fd, px_user from, uint64_t bytes, unsigned flags)
{
    struct px_ofd *ofd;
    uint64_t set;

    if (bytes != sizeof set || flags & ~SFD_FLAGS)
        return -EINVAL;
    if (px_copy_in(&set, from, sizeof set) != 0)
        return -EFAULT;
    set &= ~PX_SIG_UNBLOCKABLE;
    if (fd != -1) {
        ofd = px_fd_get(fd);
        if (!ofd)
            return -EBADF;
        if (ofd->kind != PX_OFD_SIGNAL)
            return -EINVAL;
        ofd->word[0] = set;
        return fd;
    }
    ofd = px_ofd_new(PX_OFD_SIGNAL, O_RDWR | (flags & O_NONBLOCK));
    if (!ofd)
        return -ENFILE;
    ofd->word[0] = set;
    fd = (int)px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (fd < 0)
        px_ofd_abandon(ofd);
    return fd;
}

PX_SYS(signalfd)
{
    return signalfd_call((int)a, b, c, 0);
}

PX_SYS(signalfd4)
{
    return signalfd_call((int)a, b, c, (unsigned)d);
}
