/*
 * capget and capset. A process's capabilities follow from its effective user: root has all, others have none. The servers decide by the user, so what
 * cannot be given up here must not seem to be: capset takes what is there and refuses the rest. Daemons keep some over their change of user
 * (PR_SET_KEEPCAPS) in case they need them: those on ids are proc's to honour, the others are remembered for who asks, and allow nothing.
 */
#include "fd.h"

#define VERSION_1 0x19980330u
#define VERSION_2 0x20071026u
#define VERSION_3 0x20080522u
#define SETGID (1ull << 6)
#define SETUID (1ull << 7)
#define CAPABILITIES 0x1ffffffffffull /* up to CAP_CHECKPOINT_RESTORE, the last of Linux 6.1 */

struct header {
    uint32_t version;
    int32_t pid;
};
struct data {
    uint32_t effective, permitted, inheritable;
};

/* How many structures follow the header; a version that is not known is answered with the preferred one. */
static int64_t read_header(px_user from, struct header *header, unsigned *count)
{
    uint32_t preferred = VERSION_3;

    if (px_copy_in(header, from, sizeof *header) != 0)
        return -EFAULT;
    switch (header->version) {
    case VERSION_1:
        *count = 1;
        return 0;
    case VERSION_2:
    case VERSION_3:
        *count = 2;
        return 0;
    default:
        return px_copy_out(from, &preferred, sizeof preferred) ? -EFAULT : -EINVAL;
    }
}

/* What a process that was root has kept, and of that what it has on. */
static struct {
    bool known;
    uint64_t permitted, effective;
} kept;

static void kept_look(void)
{
    const struct px_proc *self = px_self();

    if (self->euid == 0 || self->uid == 0 || self->suid == 0 || !px_capabilities_kept())
        kept.known = false;
    else if (!kept.known) {
        kept.known = true;
        kept.permitted = CAPABILITIES;
        kept.effective = 0;
    }
}

bool px_may_set_ids(bool user)
{
    kept_look();
    return px_self()->euid == 0 || (kept.known && kept.effective & (user ? SETUID : SETGID));
}

PX_SYS(capget)
{
    const struct px_proc *process;
    struct header header;
    struct data data[2] = {{0}};
    uint64_t permitted, effective;
    unsigned count;
    int64_t result = read_header(a, &header, &count);

    if (result < 0)
        return result == -EINVAL && !b ? 0 : result;
    if (header.pid < 0)
        return -EINVAL;
    process = px_process_find(header.pid);
    if (!process)
        return -ESRCH;
    effective = process->euid == 0 ? CAPABILITIES : 0;
    permitted = process->euid == 0 || process->uid == 0 || process->suid == 0 ? CAPABILITIES : 0;
    kept_look();
    if (process == px_self() && kept.known) {
        effective = kept.effective;
        permitted = kept.permitted;
    }
    for (unsigned i = 0; i < 2; i++)
        data[i] = (struct data){.effective = (uint32_t)(effective >> 32 * i), .permitted = (uint32_t)(permitted >> 32 * i)};
    return b ? px_copy_out(b, data, count * sizeof *data) : 0;
}

PX_SYS(capset)
{
    const struct px_proc *self = px_self();
    uint64_t effective = 0, permitted = 0, inheritable = 0, all = self->euid == 0 ? CAPABILITIES : 0;
    struct header header;
    struct data data[2] = {{0}};
    unsigned count;
    int64_t result = read_header(a, &header, &count);

    if (result < 0)
        return result;
    if (px_copy_in(data, b, count * sizeof *data) != 0)
        return -EFAULT;
    if (header.pid != 0 && header.pid != self->pid)
        return -EPERM;
    for (unsigned i = 0; i < count; i++) {
        effective |= (uint64_t)data[i].effective << 32 * i;
        permitted |= (uint64_t)data[i].permitted << 32 * i;
        inheritable |= (uint64_t)data[i].inheritable << 32 * i;
    }
    kept_look();
    if (kept.known && !(permitted & CAPABILITIES & ~kept.permitted) && !(effective & CAPABILITIES & ~permitted) && !inheritable) {
        if (~permitted & kept.permitted & (SETUID | SETGID))
            result = px_capabilities_drop(); /* one without the other is not known: neither stays */
        if (result < 0)
            return result;
        kept.permitted = permitted & CAPABILITIES;
        kept.effective = effective & CAPABILITIES;
        return 0;
    }
    if (count == 1)
        all &= UINT32_MAX;
    return (effective & CAPABILITIES) == all && (permitted & CAPABILITIES) == all && !inheritable ? 0 : -EPERM;
}
