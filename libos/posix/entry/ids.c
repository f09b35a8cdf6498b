/* Who this process is: read from the process table; changed only by proc. */
#include "entry.h"
#include "px_calls.h"

#define UNUSED3 (void)d, (void)e, (void)f
#define UNUSED4 (void)c, (void)d, (void)e, (void)f
#define UNUSED5 (void)b, (void)c, (void)d, (void)e, (void)f
#define UNUSED6 (void)a, (void)b, (void)c, (void)d, (void)e, (void)f
#define GROUPS_MAX 32u

/* A call that takes nothing and answers a word of the own entry. */
#define GETTER(name, field)                                                                                            \
    int64_t px_sys_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)                      \
    {                                                                                                                  \
        UNUSED6;                                                                                                       \
        return px_self()->field;                                                                                       \
    }
GETTER(getpid, pid)
GETTER(getppid, ppid)
GETTER(getpgrp, pgid)
GETTER(getuid, uid)
GETTER(geteuid, euid)
GETTER(getgid, gid)
GETTER(getegid, egid)

struct px_cred_ids px_process_ids(void)
{
    const struct px_proc *self = px_self();

    return (struct px_cred_ids){self->uid, self->euid, self->suid, self->gid, self->egid, self->sgid};
}

/*
 * A process has one set of ids, with Linux each thread has its own, and a C library lets each of its threads make the same call. So each goes by what its own
 * calls have come to: a call that finds user 0 gone in the first thread must not find the process changed in the second.
 */
static int64_t set_credentials(enum px_cred what, uint64_t first, uint64_t second, uint64_t third)
{
    bool user = what == PX_CRED_UID || what == PX_CRED_REUID || what == PX_CRED_RESUID || what == PX_CRED_FSUID;
    uint64_t of_thread = px_threads.live > 1 ? PX_CRED_OF_THREAD : 0, without = px_may_set_ids(user) ? 0 : PX_CRED_WITHOUT;
    struct exo_message message = {.word = {PX_PROC_SETCRED, what | of_thread | without, (uint32_t)first, (uint32_t)second, (uint32_t)third}};
    int64_t status;

    px_files_keep_rights();
    if (of_thread)
        memcpy(px_msg(), &px_thread()->ids, sizeof(struct px_cred_ids));
    status = px_call_proc(&message);
    if (status == 0 && of_thread)
        memcpy(&px_thread()->ids, px_msg(), sizeof(struct px_cred_ids));
    return status;
}

#define SETTER(name, what, second, third)                                                                              \
    int64_t px_sys_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)                      \
    {                                                                                                                  \
        UNUSED6;                                                                                                       \
        return set_credentials(what, a, second, third);                                                                \
    }
SETTER(setuid, PX_CRED_UID, 0, 0)
SETTER(setgid, PX_CRED_GID, 0, 0)
SETTER(setreuid, PX_CRED_REUID, b, 0)
SETTER(setregid, PX_CRED_REGID, b, 0)
SETTER(setresuid, PX_CRED_RESUID, b, c)
SETTER(setresgid, PX_CRED_RESGID, b, c)

/* They answer what was, and say no word of what went wrong. */
int64_t px_sys_setfsuid(uint64_t id, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint32_t before = px_self()->fsuid;

    UNUSED5;
    (void)set_credentials(PX_CRED_FSUID, id, 0, 0);
    return before;
}

int64_t px_sys_setfsgid(uint64_t id, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint32_t before = px_self()->fsgid;

    UNUSED5;
    (void)set_credentials(PX_CRED_FSGID, id, 0, 0);
    return before;
}

static int64_t put_three(px_user one, px_user two, px_user three, const uint32_t ids[3])
{
    if (px_copy_out(one, &ids[0], 4) < 0 || px_copy_out(two, &ids[1], 4) < 0 || px_copy_out(three, &ids[2], 4) < 0)
        return -EFAULT;
    return 0;
}

int64_t px_sys_getresuid(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const uint32_t ids[3] = {px_self()->uid, px_self()->euid, px_self()->suid};

    UNUSED3;
    return put_three(a, b, c, ids);
}

int64_t px_sys_getresgid(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const uint32_t ids[3] = {px_self()->gid, px_self()->egid, px_self()->sgid};

    UNUSED3;
    return put_three(a, b, c, ids);
}

int64_t px_sys_getgroups(uint64_t room, uint64_t to, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint32_t count = px_self()->ngroups;

    UNUSED4;
    if ((int32_t)room < 0)
        return -EINVAL;
    if (room == 0)
        return count;
    if ((uint32_t)room < count)
        return -EINVAL;
    return px_copy_out(to, px_self()->groups, count * sizeof(uint32_t)) < 0 ? -EFAULT : (int64_t)count;
}

int64_t px_sys_setgroups(uint64_t count, uint64_t from, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_message message = {.word = {PX_PROC_SETGROUPS, count}};

    UNUSED4;
    if (!px_may_set_ids(false))
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL; /* Linux's limit is 65536; the process table keeps 32 */
    if (px_copy_in(px_msg(), from, count * sizeof(uint32_t)) < 0)
        return -EFAULT;
    return px_call_proc(&message);
}

const struct px_proc *px_process_find(int32_t pid)
{
    uint32_t entries = px_proctab()->entries;

    if (pid == 0 || pid == px_self()->pid)
        return px_self();
    if (entries > PX_PROCS_MAX)
        entries = PX_PROCS_MAX;
    for (uint32_t index = 1; index < entries; index++) {
        const struct px_proc *process = PX_PROC(PX_PROCTAB, index);

        if (process->pid == pid && process->state != PX_FREE)
            return process;
    }
    return NULL;
}

int64_t px_sys_getpgid(uint64_t pid, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_proc *process = px_process_find((int32_t)pid);

    UNUSED5;
    return process ? process->pgid : -ESRCH;
}

int64_t px_sys_getsid(uint64_t pid, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const struct px_proc *process = px_process_find((int32_t)pid);

    UNUSED5;
    return process ? process->sid : -ESRCH;
}

int64_t px_sys_setpgid(uint64_t pid, uint64_t pgid, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_message message = {.word = {PX_PROC_SETPGID, (uint64_t)(int64_t)(int32_t)pid, (uint64_t)(int64_t)(int32_t)pgid}};

    UNUSED4;
    return px_call_proc(&message);
}

int64_t px_sys_setsid(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_message message = {.word = {PX_PROC_SETSID}};
    int64_t status = px_call_proc(&message);

    UNUSED6;
    return status < 0 ? status : (int64_t)message.word[1];
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* 20 - nice of the most favoured one. */
int64_t px_sys_getpriority(uint64_t which, uint64_t who, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    uint32_t entries = px_proctab()->entries;
    int64_t best = -ESRCH;

    UNUSED4;
    if (which > PRIO_USER)
        return -EINVAL;
    if (which == PRIO_PROCESS) {
        const struct px_proc *process = px_process_find((int32_t)who);

        return process ? 20 - process->nice : -ESRCH;
    }
    if (who == 0)
        who = which == PRIO_PGRP ? (uint32_t)px_self()->pgid : px_self()->uid;
    for (uint32_t index = 1; index < entries && index < PX_PROCS_MAX; index++) {
        const struct px_proc *process = PX_PROC(PX_PROCTAB, index);

        if (process->state == PX_FREE || (which == PRIO_PGRP ? (uint32_t)process->pgid : process->uid) != (uint32_t)who)
            continue;
        if (20 - process->nice > best)
            best = 20 - process->nice;
    }
    return best;
}

int64_t px_sys_setpriority(uint64_t which, uint64_t who, uint64_t value, uint64_t d, uint64_t e, uint64_t f)
{
    struct exo_message message = {.word = {PX_PROC_SETPRIORITY, which, (uint32_t)who, (uint64_t)(int64_t)(int32_t)value}};

    UNUSED3;
    return which > PRIO_USER ? -EINVAL : px_call_proc(&message);
}
