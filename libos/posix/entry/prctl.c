/* prctl and the small calls about the process itself. */
#include <exo/descriptor.h>

#include "entry.h"
#include "px_calls.h"
#include "socket/rights.h"

enum {
    PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS, PR_GET_TIMING = 13, PR_SET_TIMING,
    PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP = 21, PR_CAPBSET_READ = 23, PR_CAPBSET_DROP, PR_GET_TSC, PR_SET_TSC, PR_GET_SECUREBITS, PR_SET_SECUREBITS,
    PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_PERF_DISABLE, PR_PERF_ENABLE, PR_MCE_KILL, PR_MCE_KILL_GET, PR_SET_CHILD_SUBREAPER = 36,
    PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, PR_CAP_AMBIENT = 47,
    PR_GET_SPECULATION_CTRL = 52, PR_SET_SPECULATION_CTRL,
};
#define CAPABILITY_LAST 40u
#define PR_EXO_KILL_AFTER 0x65786f4b /* this system's own: px_calls_left */

/* Kept here: they concern nobody else, and go over to children with the libOS's data. */
static struct {
    int32_t death_signal;
    bool keep_caps, root_keeps, no_huge_pages; /* root_keeps: as it was asked for last while the process was root's */
    uint8_t memory_errors;      /* PR_MCE_KILL, how to be told of them: 0 is what is usual */
    int32_t slack_of;           /* the process whose usual slack the following is */
    uint64_t usual_slack_ns;
} own;

/* 0 asks for the slack that the process had when it was forked. */
static int64_t set_timer_slack(uint64_t slack_ns)
{
    if (own.slack_of != px_self()->pid) { /* it has changed nothing yet */
        own.slack_of = px_self()->pid;
        own.usual_slack_ns = px_timer_slack_ns;
    }
    px_timer_slack_ns = slack_ns ? slack_ns : own.usual_slack_ns;
    return 0;
}

static int64_t tell_proc(uint64_t option, uint64_t value)
{
    struct exo_message message = {.word = {PX_PROC_PRCTL, option, value}};

    return px_call_proc(&message);
}

uint32_t px_personality;

int64_t px_process_name(const char name[16])
{
    memcpy(px_msg(), name, 16);
    return tell_proc(PR_SET_NAME, 0);
}

static int64_t set_name(px_user from)
{
    char name[16] = {0};
    int64_t status = px_copy_string(name, from, sizeof(name) - 1);

    if (status < 0 && status != -ENAMETOOLONG)
        return status;
    if (px_thread()->number) {
        memcpy(px_thread()->name, name, sizeof(name));
        return 0;
    }
    return px_process_name(name);
}

static int64_t get_name(px_user to)
{
    return px_copy_out(to, px_thread()->number ? px_thread()->name : px_self()->comm, sizeof(px_self()->comm));
}

/* proc keeps it: a forked child has it not. */
static int64_t get_subreaper(px_user to)
{
    struct exo_message message = {.word = {PX_PROC_PRCTL, PR_GET_CHILD_SUBREAPER}};
    int64_t status = px_call_proc(&message);
    int32_t value = (int32_t)message.word[1];

    return status < 0 ? status : px_copy_out(to, &value, sizeof(value));
}

/* A flag that can be set and asked for. */
static int64_t set_flag(bool *flag, uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    *flag = value;
    return 0;
}

/* Of memory that goes bad nobody tells. */
static int64_t set_memory_errors(uint64_t set, uint64_t how, uint64_t d, uint64_t e)
{
    enum { LATE, EARLY, USUAL };

    if (set > 1 || d || e || (set ? how > USUAL : how != 0))
        return -EINVAL;
    own.memory_errors = !set || how == USUAL ? 0 : (uint8_t)(how + 1);
    return 0;
}

static int64_t get_memory_errors(uint64_t value, uint64_t c, uint64_t d, uint64_t e)
{
    return value || c || d || e ? -EINVAL : own.memory_errors ? own.memory_errors - 1 : 2;
}

/* No capabilities(7): none are inheritable, so none is ambient. */
static int64_t ambient(uint64_t what, uint64_t capability, uint64_t d, uint64_t e)
{
    enum { IS_SET = 1, RAISE, LOWER, CLEAR_ALL };

    if (what == CLEAR_ALL)
        return capability || d || e ? -EINVAL : 0;
    if (capability > CAPABILITY_LAST || d || e || what < IS_SET || what > LOWER)
        return -EINVAL;
    return what == RAISE ? -EPERM : 0;
}

static int64_t get_tid_address(px_user to)
{
    return px_copy_out(to, &px_thread()->clear_tid, sizeof(px_thread()->clear_tid));
}

/* What has nothing to do with the process's own state. */
static int64_t other_prctl(unsigned option, uint64_t value, uint64_t c, uint64_t d, uint64_t e)
{
    switch (option) {
    case PR_GET_TIMING:
    case PR_PERF_DISABLE:
    case PR_PERF_ENABLE:
    case PR_GET_SECUREBITS: return 0;
    case PR_SET_TIMING: return value ? -EINVAL : 0;
    case PR_CAPBSET_DROP: return value > CAPABILITY_LAST ? -EINVAL : -EPERM;
    case PR_GET_TSC: return px_copy_out(value, &(int32_t){1}, sizeof(int32_t));
    case PR_SET_TSC: return value == 1 ? 0 : -EINVAL;
    case PR_SET_SECUREBITS: return value || px_self()->euid ? -EPERM : 0;
    case PR_CAP_AMBIENT: return ambient(value, c, d, e);
    case PR_GET_SPECULATION_CTRL: return c || d || e ? -EINVAL : -ENODEV;
    case PR_SET_SPECULATION_CTRL: return d || e ? -EINVAL : -ENODEV;
    default: return -EINVAL;
    }
}

static int64_t keep_capabilities(uint64_t value)
{
    const struct px_proc *self = px_self();
    int64_t status = set_flag(&own.keep_caps, value);

    if (status == 0 && (self->euid == 0 || self->uid == 0 || self->suid == 0)) {
        own.root_keeps = value;
        status = tell_proc(PR_SET_KEEPCAPS, value);
    }
    return status;
}

bool px_capabilities_kept(void)
{
    return own.root_keeps;
}

int64_t px_capabilities_drop(void)
{
    return tell_proc(PR_CAPBSET_DROP, 0);
}

void px_prctl_exec(void)
{
    own.keep_caps = own.root_keeps = false;
}

int64_t px_sys_prctl(uint64_t option, uint64_t value, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t status;

    (void)f;
    switch ((int)option) {
    case PR_SET_PDEATHSIG:
        status = value > SIGRTMAX ? -EINVAL : tell_proc(PR_SET_PDEATHSIG, value);
        if (status == 0)
            own.death_signal = (int32_t)value;
        return status;
    case PR_GET_PDEATHSIG: return px_copy_out(value, &own.death_signal, sizeof(own.death_signal));
    case PR_GET_DUMPABLE: return px_self()->dumpable;
    case PR_SET_DUMPABLE: return value > 1 ? -EINVAL : tell_proc(PR_SET_DUMPABLE, value);
    case PR_GET_KEEPCAPS: return own.keep_caps;
    case PR_SET_KEEPCAPS: return keep_capabilities(value);
    case PR_SET_NAME: return set_name(value);
    case PR_GET_NAME: return get_name(value);
    case PR_GET_SECCOMP: return 0;
    case PR_CAPBSET_READ: return value > CAPABILITY_LAST ? -EINVAL : 1;
    case PR_SET_TIMERSLACK: return set_timer_slack(value);
    case PR_GET_TIMERSLACK: return (int64_t)px_timer_slack_ns;
    case PR_SET_NO_NEW_PRIVS: return value == 1 && !c && !d && !e ? tell_proc(PR_SET_NO_NEW_PRIVS, 0) : -EINVAL;
    case PR_GET_NO_NEW_PRIVS: return value || c || d || e ? -EINVAL : !!(px_self()->flags & PX_PF_NO_NEW_PRIVS);
    case PR_SET_CHILD_SUBREAPER: return tell_proc(PR_SET_CHILD_SUBREAPER, value != 0);
    case PR_GET_CHILD_SUBREAPER: return get_subreaper(value);
    case PR_SET_THP_DISABLE: return c || d || e ? -EINVAL : set_flag(&own.no_huge_pages, value != 0);
    case PR_GET_THP_DISABLE: return value || c || d || e ? -EINVAL : own.no_huge_pages;
    case PR_MCE_KILL: return set_memory_errors(value, c, d, e);
    case PR_MCE_KILL_GET: return get_memory_errors(value, c, d, e);
    case PR_GET_TID_ADDRESS: return get_tid_address(value);
    case EXO_PR_PACK:
    case EXO_PR_UNPACK:
    case EXO_PR_DROP: return px_rights_prctl(option, value, c, d, e);
    case PR_EXO_KILL_AFTER:
        px_calls_left = value;
        px_entry_slow = value ? px_entry_slow | PX_SLOW_COUNT : px_entry_slow & ~PX_SLOW_COUNT;
        return 0;
    default: return other_prctl((unsigned)option, value, c, d, e);
    }
}

#define PERSONALITY_ASK 0xffffffffu

int64_t px_sys_personality(uint64_t wanted, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint32_t before = px_personality;

    (void)b, (void)c, (void)d, (void)e, (void)f;
    if ((uint32_t)wanted != PERSONALITY_ASK)
        px_personality = (uint32_t)wanted;
    return before;
}
