/* From messages to operations and back. A message's words are the client's word for nothing; its message page is copied before it is looked at. */
#include "proc.h"

#include <exo/ipc.h>
#include <exo/label.h>
#include <exo/string.h>

enum { PR_SET_PDEATHSIG = 1, PR_SET_DUMPABLE = 4, PR_SET_KEEPCAPS = 8, PR_SET_NAME = 15, PR_CAPBSET_DROP = 24,
       PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS };

static int64_t do_fork(uint32_t caller, struct exo_message *message)
{
    struct exo_ctx_state state;
    struct fork_answer answer;
    int64_t status;

    memcpy(&state, machine_message(caller), sizeof(state));
    status = life_fork(caller, message->word[1], &state, &answer);
    if (status < 0)
        return status;
    if (message->word[1] & PX_FORK_TRACED)
        trace_forked(caller, (int32_t)message->word[2], answer.index);
    message->word[1] = (uint64_t)answer.pid;
    message->word[2] = answer.index;
    message->word[3] = answer.child.env;
    message->word[4] = answer.child.ctx;
    return 0;
}

static int64_t do_claim(uint32_t caller, struct exo_message *message)
{
    const uint8_t *page = machine_message(caller);
    struct exo_ctx_state state;
    struct exec_text text;
    struct fork_answer answer;
    int64_t status;

    memcpy(&state, page, sizeof(state));
    memcpy(&text, page + PX_CLAIM_TEXT, sizeof(text));
    status = life_claim(caller, (int32_t)message->word[1], &state, message->word[2] ? &text : NULL, &answer);
    if (status < 0)
        return status;
    message->word[3] = answer.child.env;
    message->word[4] = answer.child.ctx;
    return 0;
}

static int64_t do_exec(uint32_t caller)
{
    struct exec_text text;

    memcpy(&text, machine_message(caller), sizeof(text));
    life_exec(caller, &text);
    return 0;
}

static int64_t do_wait(uint32_t caller, struct exo_message *message)
{
    struct wait_answer answer;
    int64_t status = wait_child(caller, (int32_t)message->word[1], message->word[2], &answer);

    if (status < 0)
        return status;
    message->word[1] = (uint64_t)(uint32_t)answer.pid;
    if (message->word[2] & PX_WAIT_SPENT)
        memcpy(machine_message(caller), &answer.spent, sizeof(answer.spent));
    message->word[2] = (uint64_t)(uint32_t)answer.status;
    message->word[4] = answer.uid | (uint64_t)answer.children << 32 | (answer.more ? PX_WAIT_MORE : 0) | (answer.trapped ? PX_WAIT_TRAPPED : 0);
    return 0;
}

static int64_t do_stopped(uint32_t caller, struct exo_message *message)
{
    int signo = (int)(message->word[2] & 0x3f);
    bool tracer_stops = processes[caller].tracees > 0 && PX_SIGBIT(signo | !signo) & PX_SIGBIT(SIGSTOP); /* for one thread */
    bool refused = !signo || (!(processes[caller].stops & PX_SIGBIT(signo)) && !tracer_stops) ||
                   (signo != SIGSTOP && group_is_orphaned(processes[caller].pgid, 0));

    message->word[1] = refused;
    message->word[2] = processes[caller].cont_seq;
    if (!refused && !trace_parent_traces(caller)) /* who will hear of it as a tracer */
        life_stopped(caller, 0x7f | signo << 8);
    return 0;
}

static int64_t do_set_credentials(uint32_t caller, const uint64_t *word)
{
    bool of_thread = word[1] & PX_CRED_OF_THREAD;
    struct px_cred_ids ids;
    int64_t status;

    memcpy(&ids, machine_message(caller), sizeof(ids));
    status = credentials_set(caller, word[1] & ~(uint64_t)PX_CRED_OF_THREAD, (uint32_t)word[2], (uint32_t)word[3], (uint32_t)word[4],
                             of_thread ? &ids : NULL);
    if (status == 0 && of_thread)
        memcpy(machine_message(caller), &ids, sizeof(ids));
    return status;
}

static int64_t do_set_groups(uint32_t caller, uint64_t count)
{
    uint32_t groups[32];

    if (count > sizeof(groups) / sizeof(groups[0]))
        return -EINVAL;
    memcpy(groups, machine_message(caller), sizeof(groups));
    return credentials_set_groups(caller, groups, count);
}

static int64_t do_set_name(uint32_t caller)
{
    char name[16];

    memcpy(name, machine_message(caller), sizeof(name));
    name[sizeof(name) - 1] = '\0';
    table_change_begin();
    memcpy(table_entry(caller)->comm, name, sizeof(name));
    table_change_end();
    zone_show(caller);
    return 0;
}

static int64_t do_limit(uint32_t caller, struct exo_message *message)
{
    const struct px_rlimit set = {message->word[3], message->word[4]};
    struct px_rlimit old = {0};
    int64_t status =
        limit_call(caller, (int32_t)message->word[1], message->word[2] & ~(uint64_t)PX_LIMIT_SET, message->word[2] & PX_LIMIT_SET ? &set : NULL, &old);

    message->word[3] = old.soft;
    message->word[4] = old.hard;
    return status;
}

static int64_t do_owner(uint32_t caller, uint64_t *word)
{
    const struct owner_wish wish = {.who = (int32_t)word[2], .fd = (int32_t)(word[2] >> 32), .signal = word[3], .nonce = word[4]};

    return owner_set(caller, &wish, &word[1]);
}

static int64_t do_prctl(uint32_t caller, uint64_t option, uint64_t value, uint64_t *answer)
{
    switch (option) {
    case PR_SET_NAME: return do_set_name(caller);
    case PR_SET_DUMPABLE:
        if (value > 1)
            return -EINVAL;
        processes[caller].dumpable = (int32_t)value;
        table_publish(caller);
        return 0;
    case PR_SET_PDEATHSIG:
        if (value > SIGNAL_MAX)
            return -EINVAL;
        processes[caller].death_signal = (int32_t)value;
        return 0;
    case PR_SET_NO_NEW_PRIVS:
        processes[caller].flags |= PX_PF_NO_NEW_PRIVS;
        table_publish(caller);
        return 0;
    case PR_SET_KEEPCAPS: processes[caller].keeps = value != 0; return 0;
    case PR_CAPBSET_DROP: processes[caller].may_set = false; return 0;
    case PR_SET_CHILD_SUBREAPER: processes[caller].subreaper = value != 0; return 0;
    case PR_GET_CHILD_SUBREAPER: *answer = processes[caller].subreaper; return 0;
    default: return -EINVAL;
    }
}

static int64_t do_set_hostname(uint32_t caller, uint64_t bytes)
{
    char name[sizeof(table->hostname)] = {0};

    if (processes[caller].euid != 0 || processes[caller].zone != 0)
        return -EPERM;
    if (bytes >= sizeof(name))
        return -EINVAL;
    memcpy(name, machine_message(caller), bytes);
    table_change_begin();
    memcpy(table->hostname, name, sizeof(name));
    table_change_end();
    return 0;
}

static int64_t do_set_time(uint32_t caller, int64_t shift_ns)
{
    if (processes[caller].euid != 0 || processes[caller].zone != 0)
        return -EPERM;
    __atomic_store_n(&table->wall_shift_ns, shift_ns, __ATOMIC_RELAXED);
    zone_show_time();
    return 0;
}

/* What the process says of itself; what is wrong in it is wrong in /proc. */
static void tell_page(uint32_t index, bool lives, struct px_usage *usage)
{
    const struct px_ppage *page = machine_ppage(index);

    usage->pages = lives ? page->mapped_pages : 0;
    usage->pending = __atomic_load_n(&page->sig_pending, __ATOMIC_RELAXED);
    usage->blocked = page->sig_blocked;
    usage->ignored = page->sig_ignored;
    usage->caught = page->sig_caught;
    usage->threads = page->more_threads + 1;
    usage->oom_score_adj = page->oom_score_adj;
}

static int64_t do_usage(uint32_t caller, struct exo_message *message)
{
    uint32_t index = message->word[1] == 0 ? caller : table_find_seen(caller, (int32_t)message->word[1]);
    struct px_usage usage = {.threads = 1};
    struct exo_env_info figures = {0};
    bool lives;

    if (!index)
        return -ESRCH;
    lives = index != INIT && is_alive(index) && !processes[index].lent && machine_figures(index, &figures);
    if (processes[index].state == PX_ZOMBIE || processes[index].lent)
        usage.own = processes[index].spent;
    else if (index != INIT)
        machine_spent(index, &usage.own);
    usage.children = processes[index].child_spent;
    usage.ready = figures.ready;
    message->word[2] = figures.frames;
    if (index != INIT)
        tell_page(index, lives, &usage);
    memcpy(machine_message(caller), &usage, sizeof(usage));
    return 0;
}

static int64_t do_reboot(uint32_t caller, uint64_t how)
{
    if (processes[caller].euid != 0 || processes[caller].zone != 0)
        return -EPERM;
    if (how > 3)
        return -EINVAL;
    if (how)
        machine_power((unsigned)how);
    return 0;
}

/* A zone below the caller's, and a child in it. */
static int64_t do_zone(uint32_t caller, struct exo_message *message)
{
    struct exo_zone_limits limits;
    struct fork_answer answer;
    int64_t status;

    memcpy(&limits, machine_message(caller), sizeof(limits));
    if (message->word[1] >= EXO_LABELS)
        return -EINVAL;
    status = life_spawn_in(caller, (unsigned)message->word[1], &limits, &answer);
    if (status < 0)
        return status;
    message->word[1] = (uint64_t)answer.pid;
    message->word[2] = answer.index;
    message->word[3] = answer.child.env;
    message->word[4] = answer.child.ctx;
    return 0;
}

/* The record is root's to read, where the labels let it be read at all. */
static int64_t do_audit(uint32_t caller, struct exo_message *message)
{
    int64_t handle = processes[caller].euid == 0 ? machine_give_audit(caller) : -EPERM;

    if (handle < 0)
        return handle;
    message->word[1] = (uint64_t)handle;
    return 0;
}

/* Power over others' memory is root's, over those that it sees. */
static int64_t do_reclaim(uint32_t caller, struct exo_message *message)
{
    uint32_t index = table_find_seen(caller, (int32_t)message->word[1]);
    int64_t handle;

    if (processes[caller].euid != 0)
        return -EPERM;
    if (!index || index == INIT || !is_alive(index) || processes[index].lent)
        return -ESRCH;
    handle = machine_give_reclaim(caller, index);
    if (handle < 0)
        return handle;
    message->word[1] = (uint64_t)handle;
    message->word[2] = processes[index].zone;
    message->word[3] = zone_label(processes[index].zone);
    return 0;
}

/* A process gives its own terminal up: a session leader for the whole session. */
static int64_t do_leave_tty(uint32_t caller, uint64_t tty)
{
    struct process *process = &processes[caller];

    if ((int64_t)tty != NO_TTY)
        return -EPERM; /* only tty may give one */
    if (process->flags & PX_PF_LEADER) {
        group_set_tty(process->sid, NO_TTY);
    } else {
        process->tty = NO_TTY;
        table_publish(caller);
    }
    return 0;
}

/* A status that wait tells of who has ended. A process says itself how it did: it cannot say that it was stopped, or of a signal that there is not. */
static int32_t status_said(uint64_t said)
{
    uint32_t number = said & 0x7f;

    return number == 0 ? (int32_t)(said & 0xff00) : number <= SIGNAL_MAX ? (int32_t)(said & 0xff) : SIGKILL;
}

/* Operations of processes. */
static int64_t serve_process(uint32_t caller, struct exo_message *message)
{
    uint64_t *word = message->word;
    int32_t sid = 0;
    int64_t status;

    switch (word[0]) {
    case PX_PROC_FORK: return do_fork(caller, message);
    case PX_PROC_FORK_DONE: return word[2] ? life_fork_failed(caller, (int32_t)word[1]) : 0;
    case PX_PROC_CLAIM: return do_claim(caller, message);
    case PX_PROC_LENT_EXIT: return life_lent_exit(caller, (int32_t)word[1], status_said(word[2]));
    case PX_PROC_EXEC: return do_exec(caller);
    case PX_PROC_WAIT: return do_wait(caller, message);
    case PX_PROC_KILL: return kill_call(caller, (int32_t)word[1], word[2], word[3], word[4]);
    case PX_PROC_SETPGID: return group_setpgid(caller, (int32_t)word[1], (int32_t)word[2]);
    case PX_PROC_SETSID:
        status = group_setsid(caller, &sid);
        word[1] = (uint64_t)sid;
        return status;
    case PX_PROC_SETCRED: return do_set_credentials(caller, word);
    case PX_PROC_SETGROUPS: return do_set_groups(caller, word[1]);
    case PX_PROC_STOPPED: return do_stopped(caller, message);
    case PX_PROC_CONTINUED: return 0;
    case PX_PROC_SETPRIORITY: return credentials_set_priority(caller, word[1], (uint32_t)word[2], (int64_t)word[3]);
    case PX_PROC_SETHOSTNAME: return do_set_hostname(caller, word[1]);
    case PX_PROC_SETTTY: return do_leave_tty(caller, word[1]);
    case PX_PROC_PRCTL: return do_prctl(caller, word[1], word[2], &word[1]);
    case PX_PROC_USAGE: return do_usage(caller, message);
    case PX_PROC_REBOOT: return do_reboot(caller, word[1]);
    case PX_PROC_TABLE: return word[1] < PX_PROCTAB_PAGES - 1 ? machine_map_table(caller, (uint32_t)word[1]) : -EINVAL;
    case PX_PROC_ZONE: return do_zone(caller, message);
    case PX_PROC_AUDIT: return do_audit(caller, message);
    case PX_PROC_RECLAIM: return do_reclaim(caller, message);
    case PX_PROC_LIMIT: return do_limit(caller, message);
    case PX_PROC_CHROOT: return renew_root(caller, word[1]);
    case PX_PROC_ASK: return ask_put(caller, (int32_t)word[1], &word[1]);
    case PX_PROC_ANSWERED: return ask_answered(caller, word[1], word[2] == 1, &word[1]);
    case PX_PROC_QUESTION: return ask_next(caller, &word[1]);
    case PX_PROC_ANSWER: return ask_answer(caller, word[1], (int64_t)word[2]);
    case PX_PROC_PTRACE: return trace_call(caller, word[1], (int32_t)word[2], word[3], word[4], &word[1]);
    case PX_PROC_TRACE: return trace_told(caller, word);
    case PX_PROC_OWNER: return do_owner(caller, word);
    case PX_PROC_TELL: return owner_tell(word[1], word[2]);
    case PX_PROC_INSPECT: return word[2] == 1 ? inspect_server(caller, word[1]) : word[2] ? -EINVAL : inspect(caller, (int32_t)word[1]);
    case PX_PROC_SETTIME: return do_set_time(caller, (int64_t)word[1]);
    default: return -EINVAL;
    }
}

/* Operations that only tty may ask for. */
static int64_t serve_tty(struct exo_message *message)
{
    uint64_t *word = message->word;
    int64_t status;
    int32_t pid = 0;

    switch (word[0]) {
    case PX_PROC_SPAWN:
        if (!message->capability || word[1] > EXO_LABELS)
            return -EINVAL;
        status = life_spawn(message->capability, word[1] ? (unsigned)word[1] - 1 : EXO_LABELS, &pid);
        word[1] = (uint64_t)pid;
        return status;
    case PX_PROC_TTYSIGNAL:
        if (word[2] < 1 || word[2] > SIGNAL_MAX || (int32_t)word[1] <= 1)
            return -EINVAL;
        return kill_group((int32_t)word[1], (int)word[2]) ? 0 : -ESRCH;
    case PX_PROC_TELL: return owner_tell(word[1], word[2]);
    case PX_PROC_SETTTY:
        if ((int32_t)word[2] <= 0)
            return -EINVAL;
        group_set_tty((int32_t)word[2], (int32_t)word[1]);
        return 0;
    case PX_PROC_KILL: { /* the host's signals for the first process */
        const struct px_siginfo info = {.signo = (int32_t)word[2], .code = SI_KERNEL};
        uint32_t target = table_find((int32_t)word[1]);

        if (word[2] < 1 || word[2] > SIGNAL_MAX)
            return -EINVAL;
        kill_post(target, &info);
        return target ? 0 : -ESRCH;
    }
    default: return -EPERM;
    }
}

static int64_t do_setid(struct exo_message *message)
{
    uint64_t *word = message->word;
    uint32_t index = table_by_badge(word[1]);
    int64_t taken = index ? renew_ids(index, (uint32_t)word[2], (uint32_t)(word[2] >> 32), word[3]) : -ESRCH;

    word[1] = taken > 0;
    return taken < 0 ? taken : 0;
}

/* fs sends the signals of message queues: pid | sender's pid << 32, signal | sender's uid << 32, code, value. */
static int64_t serve_fs_signal(const struct exo_message *message)
{
    const uint64_t *word = message->word;
    const struct px_siginfo info = {
        .signo = (int32_t)word[2], .code = (int32_t)word[3], .pid = (int32_t)(word[1] >> 32), .uid = (int32_t)(word[2] >> 32), .value = word[4]};
    uint32_t target = table_find((int32_t)word[1]);

    if (info.signo < 1 || info.signo > (int32_t)SIGNAL_MAX)
        return -EINVAL;
    kill_post(target, &info);
    return target ? 0 : -ESRCH;
}

static int64_t serve_fs(struct exo_message *message)
{
    switch (message->word[0]) {
    case PX_PROC_KILL: return serve_fs_signal(message);
    case PX_PROC_SETID: return do_setid(message);
    case PX_PROC_TELL: return owner_tell(message->word[1], message->word[2]);
    default: return -EINVAL;
    }
}

/* An environment ended by itself: a fault that no upcall could take, or its libOS gave up. */
static void serve_death(const struct exo_message *message)
{
    uint32_t index = table_by_badge(PX_COOKIE_BADGE(message->word[1]));
    uint64_t reason = message->word[2];
    int32_t status = SIGKILL;

    if (!index || PX_COOKIE_LIFE(message->word[1]) != processes[index].life)
        return; /* proc ended it itself */
    if ((reason & 0xff) == EXO_REASON_FAULT)
        status = SIGSEGV;
    else if ((reason & 0xff) == EXO_REASON_DESTROYED)
        status = status_said(reason >> 8);
    life_end(index, status, false);
}

/* True: the message is an answer now. */
static bool serve_message(struct exo_message *message)
{
    uint32_t caller;

    life_end_killed();
    if (message->badge == EXO_BADGE_KERNEL) {
        if (message->word[0] == EXO_NOTE_DEATH)
            serve_death(message);
        return false;
    }
    if (message->badge == PX_SERVER_BADGE(PX_SERVER_TTY)) {
        message->word[0] = (uint64_t)serve_tty(message);
        return true;
    }
    if (message->badge == PX_SERVER_BADGE(PX_SERVER_FS)) {
        message->word[0] = (uint64_t)serve_fs(message);
        return true;
    }
    caller = table_by_badge(message->badge);
    if (!caller) {
        message->word[0] = (uint64_t)-ESRCH;
        return true;
    }
    if (message->word[0] == PX_PROC_EXIT) {
        life_end(caller, status_said(message->word[1]), message->word[2] != 1);
        return false;
    }
    if (message->word[0] == PX_PROC_RENEW) {
        int64_t status = renew_process(caller, message->word[1], message->word[2]);

        message->word[0] = (uint64_t)status;
        return status < 0; /* or there is nobody left who asked */
    }
    message->word[0] = (uint64_t)serve_process(caller, message);
    return true;
}

bool serve(struct exo_message *message)
{
    bool answered = serve_message(message);

    if (message->capability)
        machine_drop(message->capability); /* it is used up, or nobody asked for it */
    return answered;
}
