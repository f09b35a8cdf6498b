/*
 * Owners of open file descriptions (F_SETOWN): who is to get SIGIO and SIGURG of one. What happens to it only those see who share its pages, who need not
 * be allowed to signal the owner: they show the cookie that lies there. Its upper part whoever set the owner has drawn, so that nobody else guesses it.
 * A cookie is good while the process lives that set the owner, and whom it may signal is judged by the ids that this one had then.
 */
#include "proc.h"

#define OWNERS 256u
#define OF_ONE_MOST 64u
#define SI_SIGIO (-5)
#define BIT(n) PX_SIGBIT(n)
/* Signals whose codes have meanings of their own. */
#define SPECIFIC (BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGTRAP) | BIT(SIGCHLD) | BIT(SIGSYS))

static struct owner {
    uint64_t cookie; /* 0: free */
    uint32_t by, gen; /* the process that set it */
    uint32_t uid, euid;
    int32_t who; /* a pid, or a group's negated */
    int32_t fd;
    uint8_t signal; /* F_SETSIG; 0: SIGIO, which says nothing more */
} owners[OWNERS];

static bool is_good(const struct owner *owner)
{
    return owner->cookie && processes[owner->by].gen == owner->gen && is_alive(owner->by);
}

static struct owner *owner_of(uint64_t cookie)
{
    struct owner *owner = &owners[cookie % OWNERS];

    return cookie && owner->cookie == cookie && is_good(owner) ? owner : NULL;
}

/* A free place, or NULL: there is none, or the process has its share. */
static struct owner *take(uint32_t caller)
{
    struct owner *found = NULL;
    unsigned own = 0;

    for (struct owner *at = owners; at < owners + OWNERS; at++) {
        if (!is_good(at))
            found = at;
        else if (at->by == caller)
            own++;
    }
    return own < OF_ONE_MOST ? found : NULL;
}

static bool group_is_seen(uint32_t caller, int32_t pgid)
{
    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].pgid == pgid && processes[index].state != PX_FREE && zone_sees(processes[caller].zone, index))
            return true;
    return false;
}

int64_t owner_set(uint32_t caller, const struct owner_wish *wish, uint64_t *cookie)
{
    struct owner *owner = owner_of(*cookie);
    int32_t who = wish->who;

    if (owner && owner->by != caller)
        owner = NULL;
    if (wish->signal > SIGNAL_MAX)
        return -EINVAL;
    if (who > 0) {
        uint32_t index = ask_target(caller, who);

        who = index ? processes[index].pid : table_find_seen(caller, who) ? who : 0;
    } else if (who < 0 && (who == INT32_MIN || !group_is_seen(caller, -who))) {
        who = 0;
    }
    if (wish->who && !who)
        return -ESRCH;
    *cookie = 0;
    if (!who) {
        if (owner)
            owner->cookie = 0;
        return 0;
    }
    if (!owner && !(owner = take(caller)))
        return -EAGAIN;
    *owner = (struct owner){.by = caller, .gen = processes[caller].gen, .uid = processes[caller].uid, .euid = processes[caller].euid, .who = who,
                            .fd = wish->fd, .signal = (uint8_t)wish->signal};
    owner->cookie = wish->nonce / OWNERS * OWNERS + (uint64_t)(owner - owners);
    if (owner->cookie < OWNERS)
        owner->cookie += OWNERS; /* 0 is no cookie */
    *cookie = owner->cookie;
    return 0;
}

static void tell(const struct owner *owner, uint32_t index, const struct px_siginfo *info)
{
    const struct process *to = &processes[index];

    if (owner->euid == 0 || owner->euid == to->suid || owner->euid == to->uid || owner->uid == to->suid || owner->uid == to->uid)
        kill_post(index, info);
}

int64_t owner_tell(uint64_t cookie, uint64_t reason)
{
    static const uint16_t bands[] = {0, POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM | POLLWRBAND, POLLIN | POLLRDNORM, POLLERR, POLLPRI | POLLRDBAND,
                                     POLLHUP | POLLERR};
    const struct owner *owner = owner_of(cookie);
    struct px_siginfo info = {.signo = reason == PX_TELL_URGENT ? SIGURG : SIGIO, .code = SI_KERNEL};

    if (reason > PX_TELL_URGENT || (reason && reason < PX_TELL_URGENT && !bands[reason]) || !reason)
        return -EINVAL;
    if (!owner)
        return -ESRCH;
    if (owner->signal && reason != PX_TELL_URGENT)
        info = (struct px_siginfo){.signo = owner->signal, .code = SPECIFIC >> (owner->signal - 1) & 1 ? SI_SIGIO : (int32_t)reason,
                                   .pid = bands[reason], .value = (uint32_t)owner->fd};
    if (owner->who > 0) {
        tell(owner, table_find_seen(owner->by, owner->who), &info);
        return 0;
    }
    for (uint32_t index = INIT + 1; index < table_end(); index++)
        if (processes[index].pgid == -owner->who && is_alive(index) && zone_sees(processes[owner->by].zone, index))
            tell(owner, index, &info);
    return 0;
}
