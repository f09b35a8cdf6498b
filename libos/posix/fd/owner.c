/*
 * Who gets the signals of a description: F_SETOWN, F_SETSIG and O_ASYNC. The owner is proc's to know (proto/proc.h), for others send him signals; here stands
 * what was asked for, and of kinds that can tell of something a cookie goes to where those find it who make it happen. Each process keeps this for itself:
 * after a fork parent and child change it for themselves.
 */
#include "owner.h"

#include "procfs.h"
#include "proto/proc.h"

#define OWNERS_MOST 64u
#define F_SETOWN 8u
#define F_GETOWN 9u
#define F_SETSIG 10u
#define F_GETSIG 11u
#define F_SETOWN_EX 15u
#define F_GETOWN_EX 16u
enum { OF_THREAD, OF_PROCESS, OF_GROUP };

struct owner {
    struct px_ofd *ofd; /* NULL: free */
    int32_t type, who;  /* 0: nobody */
    uint32_t signal;
    int32_t fd;         /* by which O_ASYNC was set */
    int32_t by;         /* the process that proc got it from, */
    uint64_t cookie;    /* and what proc calls it; 0: nobody */
};
struct owner_ex {
    int32_t type, who;
};

static struct owner *owners; /* NULL: there has been none */
PX_HOT_DATA unsigned px_owners;

static struct owner *owner_of(const struct px_ofd *ofd)
{
    for (unsigned i = 0; owners && i < OWNERS_MOST; i++)
        if (owners[i].ofd == ofd)
            return &owners[i];
    return NULL;
}

static struct owner *owner_make(struct px_ofd *ofd)
{
    struct owner *owner = owner_of(ofd);

    if (owner)
        return owner;
    if (!owners && (owners = px_alloc(OWNERS_MOST * sizeof *owners)))
        memset(owners, 0, OWNERS_MOST * sizeof *owners);
    owner = owners ? owner_of(NULL) : NULL;
    if (owner) {
        *owner = (struct owner){.ofd = ofd, .type = OF_PROCESS, .fd = -1};
        px_owners++;
    }
    return owner;
}

static int32_t number_of(const struct owner_ex *ex)
{
    return ex->type == OF_GROUP ? -ex->who : ex->who;
}

/* As proc is to know it from now on. */
static int64_t tell_proc(struct owner *owner, const struct owner_ex *ex, uint32_t signal)
{
    uint32_t who = (uint32_t)number_of(ex);
    uint64_t before = owner->by == px_self()->pid ? owner->cookie : 0;
    struct exo_message message = {.word = {PX_PROC_OWNER, before, who | (uint64_t)(uint32_t)owner->fd << 32, signal, 0}};
    int64_t result;

    px_random_bytes(&message.word[4], sizeof message.word[4]);
    result = px_call_server(PX_SLOT_PROC, &message);
    if (result < 0)
        return result;
    owner->type = ex->type;
    owner->who = ex->who;
    owner->signal = signal;
    owner->cookie = message.word[1];
    owner->by = px_self()->pid;
    if (px_ofd_ops(owner->ofd)->own)
        px_ofd_ops(owner->ofd)->own(owner->ofd, owner->cookie, owner->ofd->flags & O_ASYNC);
    return 0;
}

static int64_t set_owner(struct px_ofd *ofd, const struct owner_ex *ex)
{
    struct owner *owner = owner_make(ofd);

    return owner ? tell_proc(owner, ex, owner->signal) : -ENOMEM;
}

int64_t px_owner_set(struct px_ofd *ofd, int32_t who)
{
    const struct owner_ex ex = {.type = who < 0 ? OF_GROUP : OF_PROCESS, .who = who < 0 ? -who : who};

    return who == INT32_MIN ? -EINVAL : set_owner(ofd, &ex);
}

/* One that is gone is nobody. */
static struct owner_ex present(const struct px_ofd *ofd)
{
    const struct owner *owner = owner_of(ofd);
    struct owner_ex ex = {.type = owner ? owner->type : OF_THREAD, .who = owner ? owner->who : 0};

    if (ex.who && ex.type == OF_PROCESS && !px_proc_find(ex.who))
        ex.who = 0;
    return ex;
}

int32_t px_owner_get(const struct px_ofd *ofd)
{
    const struct owner_ex ex = present(ofd);

    return number_of(&ex);
}

static int64_t set_signal(struct px_ofd *ofd, uint64_t signal)
{
    struct owner *owner;
    struct owner_ex ex;

    if (signal > SIGRTMAX)
        return -EINVAL;
    owner = owner_make(ofd);
    if (!owner)
        return -ENOMEM;
    ex = (struct owner_ex){owner->type, owner->who};
    owner->signal = (uint32_t)signal;
    return owner->who ? tell_proc(owner, &ex, (uint32_t)signal) : 0;
}

static int64_t set_owner_ex(struct px_ofd *ofd, px_user from)
{
    struct owner_ex ex;

    if (px_copy_in(&ex, from, sizeof ex) != 0)
        return -EFAULT;
    if ((uint32_t)ex.type > OF_GROUP)
        return -EINVAL;
    return ex.who < 0 ? -ESRCH : set_owner(ofd, &ex);
}

static int64_t get_owner_ex(const struct px_ofd *ofd, px_user to)
{
    const struct owner_ex ex = present(ofd);

    return px_copy_out(to, &ex, sizeof ex);
}

int64_t px_owner_fcntl(struct px_ofd *ofd, unsigned command, uint64_t argument)
{
    const struct owner *owner;

    switch (command) {
    case F_SETOWN: return px_owner_set(ofd, (int32_t)argument);
    case F_GETOWN: return px_owner_get(ofd);
    case F_SETSIG: return set_signal(ofd, argument);
    case F_GETSIG: owner = owner_of(ofd); return owner ? (int64_t)owner->signal : 0;
    case F_SETOWN_EX: return set_owner_ex(ofd, argument);
    case F_GETOWN_EX: return get_owner_ex(ofd, argument);
    default: return -EINVAL;
    }
}

/* The flag itself is the caller's to change, before. */
void px_owner_async(struct px_ofd *ofd, int fd)
{
    struct owner *owner = owner_of(ofd);
    struct owner_ex ex;

    if (!owner)
        return;
    owner->fd = fd;
    ex = (struct owner_ex){owner->type, owner->who};
    (void)tell_proc(owner, &ex, owner->signal); /* an owner that is gone gets no signals either way */
}

void px_owner_forget(struct px_ofd *ofd)
{
    struct owner *owner = owner_of(ofd);
    struct exo_message message;

    if (!owner)
        return;
    px_owners--;
    if (owner->by == px_self()->pid && owner->cookie) {
        if (px_ofd_ops(ofd)->own)
            px_ofd_ops(ofd)->own(ofd, 0, false);
        message = (struct exo_message){.word = {PX_PROC_OWNER, owner->cookie}};
        (void)px_call_server(PX_SLOT_PROC, &message);
    }
    owner->ofd = NULL;
}

bool px_owner_tell(uint64_t *cookie, enum px_tell why)
{
    uint64_t shown = __atomic_load_n(cookie, __ATOMIC_SEQ_CST);
    struct exo_message message = {.word = {PX_PROC_TELL, shown, why}};

    if (!shown || px_call_server(PX_SLOT_PROC, &message) != -ESRCH)
        return true;
    return !__atomic_compare_exchange_n(cookie, &shown, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
