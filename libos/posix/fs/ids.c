/* The ids that a check goes by: effective ones as a rule, real ones for access(2). */
#include "files.h"

#define GROUPS_MAX (sizeof((struct px_proc *)0)->groups / sizeof(uint32_t))

static void fill(struct px_ids *ids, uint32_t uid, uint32_t gid, const struct px_proc *self)
{
    ids->uid = uid;
    ids->gid = gid;
    ids->groups = self->groups;
    ids->group_count = self->ngroups <= GROUPS_MAX ? self->ngroups : GROUPS_MAX;
}

void px_ids_effective(struct px_ids *ids)
{
    const struct px_proc *self = px_self();

    fill(ids, self->fsuid, self->fsgid, self);
}

void px_ids_real(struct px_ids *ids)
{
    const struct px_proc *self = px_self();

    fill(ids, self->uid, self->gid, self);
}
