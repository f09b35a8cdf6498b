/*
 * Waiting for children. proc keeps the truth; this file saves messages: child_seq in the process page is bumped by every change of any child, so as
 * long as it stands still, what proc said last still holds.
 */
#include "entry.h"
#include "fd/pidfd.h"
#include "px_calls.h"
#include "trace.h"

#define WNOHANG 1u
#define WUNTRACED 2u
#define WEXITED 4u
#define WCONTINUED 8u
#define WNOWAIT 0x01000000u
#define WNOTHREAD 0x20000000u
#define WALL 0x40000000u
#define WCLONE 0x80000000u
#define NS 1000000000ull
#define CLD_TRAPPED 4

static struct {
    bool quiet;         /* at child_seq == quiet_seq no child had anything to report */
    uint32_t quiet_seq;
    uint32_t children;  /* exact while quiet holds */
    int32_t last_forked; /* a child not yet waited for, or 0 */
    uint32_t forked_seq; /* child_seq before it was forked */
} known = {.quiet = true};

struct report {
    int32_t pid, status;
    struct px_spent spent; /* with PX_WAIT_SPENT */
    uint32_t uid;
    bool trapped; /* for its tracer */
};

uint32_t px_child_seq(void)
{
    return __atomic_load_n(&px_ppage()->child_seq, __ATOMIC_SEQ_CST);
}

void px_children_reset(void)
{
    known.quiet = true;
    known.quiet_seq = px_child_seq();
    known.children = 0;
    known.last_forked = 0;
}

void px_children_unknown(void)
{
    known.quiet = false;
}

void px_children_forked(int32_t pid, uint32_t seq_before)
{
    known.children++;
    known.last_forked = pid;
    known.forked_seq = seq_before;
}

#define OTHER_KINDS (WALL | WCLONE) /* what is known is of children that a plain wait sees */

/* 1: sleep without asking; 0: ask; -ECHILD. */
static int64_t guess(int32_t pid, unsigned options, uint32_t seq)
{
    if (options & OTHER_KINDS)
        return 0;
    if (pid > 0)
        return pid == known.last_forked && seq == known.forked_seq;
    if (pid != -1 || !known.quiet || seq != known.quiet_seq)
        return 0;
    return known.children > 0 ? 1 : -ECHILD;
}

static int64_t ask(int32_t pid, unsigned options, uint32_t seq, struct report *report)
{
    struct exo_message message = {.word = {PX_PROC_WAIT, (uint64_t)(int64_t)pid, options}};
    int64_t status = px_call_proc(&message);

    if (status < 0) {
        if (status == -ECHILD && pid == -1 && !(options & OTHER_KINDS))
            px_children_reset();
        return status;
    }
    *report = (struct report){.pid = (int32_t)message.word[1],
                              .status = (int32_t)message.word[2],
                              .uid = (uint32_t)message.word[4],
                              .trapped = message.word[4] & PX_WAIT_TRAPPED};
    if (options & PX_WAIT_SPENT)
        memcpy(&report->spent, px_msg(), sizeof(report->spent));
    if (options & OTHER_KINDS) {
        px_children_unknown();
        return 0;
    }
    known.children = (uint32_t)(message.word[4] >> 32 & 0x3fffffff);
    /* Only a question about all children and all kinds of news tells that there are none at all. */
    known.quiet = pid == -1 && !(message.word[4] & PX_WAIT_MORE) && !(options & WNOWAIT) && (report->pid == 0 || options & WEXITED);
    known.quiet_seq = seq;
    if (report->pid && report->pid == known.last_forked)
        known.last_forked = 0;
    return 0;
}

/* Waits as the options say: the pid, 0 (WNOHANG), or an error. */
static int64_t wait_for(int32_t pid, unsigned options, struct report *report)
{
    for (;;) {
        uint32_t seq = px_child_seq();
        int64_t status = guess(pid, options, seq);

        if (status < 0)
            return status;
        if (status == 0) {
            status = ask(pid, options & ~WNOHANG, seq, report);
            if (status < 0)
                return status;
            if (report->pid)
                return report->pid;
        }
        if (options & WNOHANG)
            return 0;
        status = px_wait_word(&px_ppage()->child_seq, seq, PX_DEADLINE_NEVER);
        if (status < 0 && px_child_seq() == seq)
            return status; /* but news goes first, and then the signal that came with it */
    }
}

int64_t px_sys_wait4(uint64_t pid, uint64_t status_out, uint64_t options, uint64_t usage, uint64_t e, uint64_t f)
{
    struct report report;
    int64_t result;

    (void)e, (void)f;
    if ((uint32_t)options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
        return -EINVAL;
    if ((int32_t)pid == INT32_MIN)
        return -ESRCH;
    result = wait_for((int32_t)pid, ((uint32_t)options & (WNOHANG | WUNTRACED | WCONTINUED | WALL | WCLONE)) | WEXITED | (usage ? PX_WAIT_SPENT : 0), &report);
    if (result <= 0)
        return result;
    if (status_out && px_copy_out(status_out, &report.status, sizeof(report.status)) < 0)
        return -EFAULT;
    return usage && px_rusage_put(usage, &report.spent) < 0 ? -EFAULT : result;
}

enum { P_ALL, P_PID, P_PGID, P_PIDFD };

static void describe(const struct report *report, struct px_siginfo *info)
{
    int32_t status = report->status;

    if (report->trapped) {
        *info = (struct px_siginfo){.signo = SIGCHLD, .code = CLD_TRAPPED, .pid = report->pid, .uid = (int32_t)report->uid, .status = status >> 8};
        return;
    }
    *info = (struct px_siginfo){.signo = SIGCHLD, .pid = report->pid, .uid = (int32_t)report->uid};
    if (status == 0xffff) {
        info->code = CLD_CONTINUED;
        info->status = SIGCONT;
    } else if ((status & 0xff) == 0x7f) {
        info->code = CLD_STOPPED;
        info->status = status >> 8 & 0xff;
    } else if (status & 0x7f) {
        info->code = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
        info->status = status & 0x7f;
    } else {
        info->code = CLD_EXITED;
        info->status = status >> 8 & 0xff;
    }
}

/* The pid whose news *report is, 0 or an error. */
static int64_t wait_id(uint64_t kind, int32_t id, unsigned options, bool spent, struct report *report)
{
    bool nonblocking = false;
    int32_t pid;
    int64_t result;

    if (options & ~(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL | WCLONE) ||
        !(options & (WEXITED | WUNTRACED | WCONTINUED)))
        return -EINVAL;
    switch (kind) {
    case P_ALL: pid = -1; break;
    case P_PID: pid = id; break;
    case P_PGID: pid = id == 0 ? 0 : -id; break;
    case P_PIDFD:
        result = px_pidfd_pid(id, &nonblocking);
        if (result < 0)
            return id < 0 ? -EINVAL : result;
        pid = (int32_t)result;
        break;
    default: return -EINVAL;
    }
    if ((kind == P_PID && pid <= 0) || (kind == P_PGID && (pid > 0 || pid == -1)))
        return -EINVAL;
    options &= WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WALL | WCLONE;
    result = wait_for(pid, options | (nonblocking ? WNOHANG : 0) | (spent ? PX_WAIT_SPENT : 0), report);
    return result == 0 && nonblocking && !(options & WNOHANG) ? -EAGAIN : result;
}

int64_t px_sys_waitid(uint64_t kind, uint64_t id, uint64_t info_out, uint64_t options, uint64_t usage, uint64_t f)
{
    struct px_siginfo info = {0};
    struct report report;
    int32_t words[8] = {0};
    int64_t result = wait_id(kind, (int32_t)id, (uint32_t)options, usage != 0, &report);

    (void)f;
    if (result > 0) {
        describe(&report, &info);
        if (usage && px_rusage_put(usage, &report.spent) < 0)
            return -EFAULT;
        result = 0;
    }
    /* Linux writes these six words, zeros after an error, and leaves the rest of the siginfo alone. */
    words[0] = info.signo;
    words[2] = info.code;
    words[4] = info.pid;
    words[5] = info.uid;
    words[6] = info.status;
    if (info_out && (px_copy_out(info_out, words, 12) < 0 || px_copy_out(info_out + 16, words + 4, 12) < 0))
        return -EFAULT;
    return result;
}
