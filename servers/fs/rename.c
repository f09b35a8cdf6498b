/* rename: one name becomes another, replaces it or changes places with it. */
#include "core.h"

struct plan {
    struct px_inode *directory[2];
    struct px_name *name[2]; /* [1]: the target, or NULL */
    struct px_inode *inode[2];
    struct px_name *whiteout; /* what comes in the first one's place, or NULL */
    uint32_t whiteout_ino;
};

/* Is `above` the directory itself or one above it? */
static bool is_above(const struct px_inode *above, const struct px_inode *directory)
{
    for (uint32_t steps = 0; steps <= fs_meta()->inodes; steps++) {
        if (directory == above)
            return true;
        if (fs_number(directory) == fs_meta()->root)
            return false;
        directory = fs_inode(directory->parent);
    }
    return true;
}

static int64_t find(const struct fs_caller *caller, const struct fs_rename *rename, struct plan *plan)
{
    int64_t status = 0;

    for (unsigned i = 0; i < 2; i++) {
        plan->directory[i] = fs_directory(caller, rename->directory[i], &status);
        if (!plan->directory[i])
            return status;
        status = fs_name_check(rename->text[i], rename->bytes[i]);
        if (status < 0)
            return status == -EINVAL ? -EBUSY : status;
    }
    plan->name[0] = fs_name_find(PX_FS_INO(rename->directory[0]), rename->text[0], rename->bytes[0]);
    if (!plan->name[0])
        return -ENOENT;
    plan->name[1] = fs_name_find(PX_FS_INO(rename->directory[1]), rename->text[1], rename->bytes[1]);
    for (unsigned i = 0; i < 2; i++)
        plan->inode[i] = plan->name[i] ? fs_inode(plan->name[i]->inode) : NULL;
    return plan->directory[1]->nlink == 0 ? -ENOENT : 0;
}

static int64_t check_shape(const struct fs_rename *rename, const struct plan *plan)
{
    bool exchange = rename->flags & RENAME_EXCHANGE;

    if (rename->flags & RENAME_NOREPLACE && plan->name[1])
        return -EEXIST;
    if (exchange && !plan->name[1])
        return -ENOENT;
    if (S_ISDIR(plan->inode[0]->mode) && is_above(plan->inode[0], plan->directory[1]))
        return -EINVAL;
    if (plan->inode[1] && S_ISDIR(plan->inode[1]->mode) && is_above(plan->inode[1], plan->directory[0]))
        return exchange ? -EINVAL : -ENOTEMPTY;
    for (unsigned i = 0; i < 2; i++) {
        if (plan->inode[i] && plan->inode[i]->flags & PX_INODE_PROCFS)
            return -EBUSY;
    }
    return 0;
}

/* A directory that gets another parent changes itself: its `..`. */
static int64_t check_moved(const struct fs_caller *caller, const struct plan *plan, const struct px_inode *inode)
{
    if (!S_ISDIR(inode->mode) || plan->directory[0] == plan->directory[1] || fs_may(caller, inode, 2))
        return 0;
    return -EACCES;
}

static int64_t check_rights(const struct fs_caller *caller, const struct fs_rename *rename, const struct plan *plan)
{
    bool exchange = rename->flags & RENAME_EXCHANGE;
    int64_t status = fs_may_remove(caller, plan->directory[0], plan->name[0]);

    if (status < 0)
        return status;
    if (!plan->name[1]) {
        if (!fs_may(caller, plan->directory[1], 3))
            return -EACCES;
    } else {
        status = fs_may_remove(caller, plan->directory[1], plan->name[1]);
        if (status < 0)
            return status;
        if (!exchange && S_ISDIR(plan->inode[0]->mode) != S_ISDIR(plan->inode[1]->mode))
            return S_ISDIR(plan->inode[0]->mode) ? -ENOTDIR : -EISDIR;
    }
    status = check_moved(caller, plan, plan->inode[0]);
    if (status == 0 && exchange)
        status = check_moved(caller, plan, plan->inode[1]);
    if (status == 0 && !exchange && plan->inode[1] && S_ISDIR(plan->inode[1]->mode) &&
        plan->inode[1]->directory.count)
        status = -ENOTEMPTY;
    return status;
}

FS_APART static void exchange_names(const struct plan *plan)
{
    uint32_t ino[2] = {plan->name[0]->inode, plan->name[1]->inode};
    bool moved = plan->directory[0] != plan->directory[1];

    fs_name_retarget(plan->name[0], ino[1]);
    fs_name_retarget(plan->name[1], ino[0]);
    for (unsigned i = 0; i < 2 && moved; i++) {
        if (S_ISDIR(plan->inode[i]->mode)) {
            plan->directory[i]->nlink--;
            plan->directory[1 - i]->nlink++;
        }
    }
}

FS_APART static void replace_target(const struct plan *plan)
{
    uint32_t ino = plan->name[0]->inode, old = plan->name[1]->inode;
    struct px_inode *gone = plan->inode[1];
    bool directory = S_ISDIR(gone->mode);

    fs_name_leave(plan->name[0]);
    fs_name_free(plan->name[0]);
    fs_name_retarget(plan->name[1], ino);
    if (directory)
        plan->directory[0]->nlink--; /* one directory fewer there; the target's parent has one as before */
    gone->ctime = os_now();
    gone->nlink = directory ? 0 : gone->nlink - 1;
    if (gone->nlink == 0) /* its name is the new one's now: a copy, if there is room */
        fs_orphan(old, fs_name_new(plan->name[1]->text, plan->name[1]->length), plan->name[1]->directory);
}

static void move_name(const struct plan *plan, struct px_name *name)
{
    uint32_t ino = plan->name[0]->inode;

    fs_name_leave(plan->name[0]);
    fs_name_free(plan->name[0]);
    fs_name_enter(name, fs_number(plan->directory[1]), ino);
    if (S_ISDIR(plan->inode[0]->mode)) {
        plan->directory[0]->nlink--;
        plan->directory[1]->nlink++;
    }
}

/* The other name must hold what it is to hold by now. */
FS_APART static void tell_exchange(const struct plan *plan)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t cookie = fs_watch_cookie();

        fs_watch_name(plan->name[i], IN_MOVED_FROM, cookie);
        fs_watch_name(plan->name[1 - i], IN_MOVED_TO, cookie);
        fs_watch_self(plan->inode[i], IN_MOVE_SELF);
    }
}

/* RENAME_WHITEOUT: for who lays trees over each other it stands for a name that is not there. Made before anything is changed. */
FS_APART static int64_t make_whiteout(const struct fs_caller *caller, const struct fs_rename *rename, struct plan *plan)
{
    if (!fs_label_inode_room(caller->label))
        return -ENOSPC;
    plan->whiteout = fs_name_new(rename->text[0], rename->bytes[0]);
    plan->whiteout_ino = plan->whiteout ? fs_inode_new(S_IFCHR, caller->uid, caller->gid, 0) : 0;
    if (plan->whiteout && !plan->whiteout_ino)
        fs_name_free(plan->whiteout);
    if (!plan->whiteout_ino)
        return -ENOSPC;
    fs_label_set(fs_inode(plan->whiteout_ino), caller->label);
    return 0;
}

FS_APART static void forget_whiteout(const struct plan *plan)
{
    if (!plan->whiteout_ino)
        return;
    fs_name_free(plan->whiteout);
    fs_inode_free(plan->whiteout_ino);
}

FS_APART static void enter_whiteout(const struct plan *plan)
{
    fs_inode(plan->whiteout_ino)->nlink = 1;
    fs_name_enter(plan->whiteout, fs_number(plan->directory[0]), plan->whiteout_ino);
    if (fs_watched())
        fs_watch_name(plan->whiteout, IN_CREATE, 0);
}

static int64_t commit(const struct fs_rename *rename, const struct plan *plan)
{
    struct px_name *name = plan->name[1] ? plan->name[1] : fs_name_new(rename->text[1], rename->bytes[1]);
    uint32_t cookie = fs_watch_cookie();

    if (!name)
        return -ENOSPC;
    if (fs_watched() && !(rename->flags & RENAME_EXCHANGE))
        fs_watch_name(plan->name[0], IN_MOVED_FROM, cookie);
    if (rename->flags & RENAME_EXCHANGE) {
        exchange_names(plan);
        plan->inode[1]->ctime = os_now();
        if (fs_watched())
            tell_exchange(plan);
    } else if (plan->name[1]) {
        replace_target(plan);
    } else {
        move_name(plan, name);
    }
    if (fs_watched() && !(rename->flags & RENAME_EXCHANGE)) {
        fs_watch_name(name, IN_MOVED_TO, cookie);
        if (plan->inode[1] && !S_ISDIR(plan->inode[1]->mode))
            fs_watch_self(plan->inode[1], IN_ATTRIB);
        fs_watch_self(plan->inode[0], IN_MOVE_SELF);
    }
    if (plan->whiteout_ino)
        enter_whiteout(plan);
    fs_touch(plan->directory[0]);
    fs_touch(plan->directory[1]);
    plan->inode[0]->ctime = os_now();
    fs_orphans_sweep();
    return 0;
}

int64_t fs_rename(const struct fs_caller *caller, const struct fs_rename *rename)
{
    struct plan plan = {0};
    int64_t status;

    if (rename->flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) ||
        (rename->flags & RENAME_EXCHANGE && rename->flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
        return -EINVAL;
    status = find(caller, rename, &plan);
    if (status == 0)
        status = check_shape(rename, &plan);
    if (status < 0)
        return status;
    if (plan.inode[0] == plan.inode[1]) /* two names of one file: nothing to do, says POSIX */
        return 0;
    status = check_rights(caller, rename, &plan);
    if (status == 0 && rename->flags & RENAME_WHITEOUT)
        status = make_whiteout(caller, rename, &plan);
    if (status < 0)
        return status;
    status = commit(rename, &plan);
    if (status < 0)
        forget_whiteout(&plan);
    return status;
}
