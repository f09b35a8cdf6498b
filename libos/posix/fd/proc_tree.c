/* The trees of /proc and /sys: names, paths and links. */
#include "entry/trace.h"
#include "proc_tree.h"
#include "travel.h"

const struct px_proc *px_proc_find(int pid)
{
    if (pid == px_self()->pid)
        return px_self();
    for (unsigned i = 1; i < PX_PROCS_MAX && pid > 0; i++) {
        const struct px_proc *process = PX_PROC(PX_PROCTAB, i);

        if (process->state != PX_FREE && process->state != PX_EMBRYO && process->pid == pid)
            return process;
    }
    return NULL;
}

/* ---- nodes ---- */

void px_proc_node(struct px_node *node, unsigned object, const struct px_proc *process, unsigned number)
{
    *node = (struct px_node){.kind = PX_NODE_PROC, .mode = px_proc_objects[object].mode, .nlink = 1};
    node->ino = PX_PROC_INO(object, process ? process->pid : 0, number);
    if (S_ISDIR(node->mode))
        node->nlink = 2;
    if (process) {
        node->gen = process->gen;
        node->uid = process->euid;
        node->gid = process->egid;
    }
    if (object == PROC_FD_ENTRY) {
        const struct px_ofd *ofd = process == px_self() ? px_fd_get((int)number) : NULL;

        node->size = 64;
        node->mode =
            S_IFLNK | (ofd && px_ofd_readable(ofd) ? 0500 : 0) | (ofd && px_ofd_writable(ofd) ? 0300 : 0);
    }
}

bool px_proc_lies_below(unsigned object, unsigned parent)
{
    if (parent == PROC_TID)
        return px_proc_objects[object].parent == PROC_PID && object != PROC_TASK;
    return object != PROC_ROOT && px_proc_objects[object].parent == parent;
}

/* The object below `parent` with this name: index, or 0. */
static unsigned named(unsigned parent, const char *name, size_t length)
{
    for (unsigned i = 1; i < px_proc_objects_count; i++) {
        if (px_proc_lies_below(i, parent) && strlen(px_proc_objects[i].name) == length && length &&
            memcmp(px_proc_objects[i].name, name, length) == 0)
            return i;
    }
    return 0;
}

/* A decimal number without signs or leading zeros, or -1. */
static int number_of(const char *text, size_t length)
{
    int64_t value = 0;

    if (length == 0 || length > 10 || (text[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value > INT32_MAX ? -1 : (int)value;
}

unsigned px_proc_threads(const struct px_proc *process, unsigned first, int32_t *tid, unsigned most, unsigned *next)
{
    int64_t result = px_ask_proc(process->pid, PX_ASK_THREADS, 0, first, 0, tid, most * sizeof(*tid));
    unsigned count = 0;

    *next = 0;
    if (result < 0) { /* of whom nothing is known but his first thread */
        tid[0] = process->pid;
        return first == 0;
    }
    while (count < most && tid[count] > 0)
        count++;
    *next = result > (int64_t)first && result < (int64_t)PX_THREADS_MAX ? (unsigned)result : 0;
    return count;
}

static bool another_has(const struct px_proc *process, int tid)
{
    int32_t tids[128];

    for (unsigned first = 0, next; PX_TID_INDEX(tid) == (unsigned)(process - PX_PROC(PX_PROCTAB, 0)); first = next) {
        unsigned count;

        memset(tids, 0, sizeof(tids));
        count = px_proc_threads(process, first, tids, sizeof(tids) / sizeof(tids[0]), &next);
        for (unsigned i = 0; i < count; i++)
            if (tids[i] == tid)
                return true;
        if (!next)
            break;
    }
    return false;
}

static bool has_thread(const struct px_proc *process, int tid)
{
    return tid == process->pid || (process == px_self() ? px_thread_find(tid) != NULL : another_has(process, tid));
}

bool px_proc_may_look(const struct px_proc *process)
{
    const struct px_proc *self = px_self();

    if (process == self || self->euid == 0)
        return true;
    return self->euid == process->uid && self->euid == process->euid && self->euid == process->suid && self->egid == process->gid &&
           self->egid == process->egid && self->egid == process->sgid && process->dumpable == 1;
}

bool px_proc_has_descriptor(const struct px_proc *process, unsigned fd)
{
    return process == px_self() ? px_fd_get((int)fd) != NULL : px_board_has(process, fd);
}

/* Threads can be named below /proc, and are not listed there. */
static int64_t step_to_thread(struct px_node *node, int tid)
{
    const struct px_proc *process = PX_PROC(PX_PROCTAB, PX_TID_INDEX(tid) % PX_PROCS_MAX);

    if (process->state == PX_FREE || process->state == PX_EMBRYO || process->pid <= 0 || !has_thread(process, tid))
        return -ENOENT;
    px_proc_node(node, PROC_TID, process, (unsigned)tid % PX_THREADS_MAX);
    return 0;
}

/* One step from a directory: 0 or -ENOENT. */
static int64_t step(struct px_node *node, const char *name, size_t length)
{
    unsigned object = PX_PROC_OBJECT(node->ino), found = named(object, name, length);
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;
    int number = number_of(name, length);

    if (PX_PROC_PID(node->ino) && !process)
        return -ENOENT;
    if (found) {
        px_proc_node(node, found, process, PX_PROC_NUMBER(node->ino)); /* what is below a thread or a processor is its */
        return 0;
    }
    if (object == SYSFS_CPUS && length > 3 && memcmp(name, "cpu", 3) == 0) {
        number = number_of(name + 3, length - 3);
        if (number < 0 || (unsigned)number >= px_system_cpus())
            return -ENOENT;
        px_proc_node(node, SYSFS_CPU, NULL, (unsigned)number);
        return 0;
    }
    if ((object == PROC_ROOT || object == PROC_TASK) && number > 0) {
        if (object == PROC_TASK && !has_thread(process, number))
            return -ENOENT;
        if (object == PROC_TASK) {
            px_proc_node(node, PROC_TID, process, number == process->pid ? 0 : (unsigned)number % PX_THREADS_MAX);
            return 0;
        }
        if (number >= PX_TID_FIRST)
            return step_to_thread(node, number);
        process = px_proc_find(number);
        if (!process)
            return -ENOENT;
        px_proc_node(node, PROC_PID, process, 0);
        return 0;
    }
    if ((object == PROC_FD || object == PROC_FDINFO) && number >= 0 && px_proc_has_descriptor(process, (unsigned)number)) {
        px_proc_node(node, object == PROC_FD ? PROC_FD_ENTRY : PROC_FDINFO_ENTRY, process, (unsigned)number);
        return 0;
    }
    return -ENOENT;
}

static void step_up(struct px_node *node)
{
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;
    unsigned object = PX_PROC_OBJECT(node->ino), parent = px_proc_objects[object].parent, number = PX_PROC_NUMBER(node->ino);

    if (px_proc_is_numbered(object))
        number = 0;
    else if (parent == PROC_PID && number)
        parent = PROC_TID;
    px_proc_node(node, parent, parent == PROC_ROOT ? NULL : process, number);
}

/* What an open of fd/N, or a stat through it, finds: the file itself, or a node that stands for the pipe,
 * terminal or device. */
static int64_t follow_to(struct px_node *node, struct px_ofd *ofd)
{
    struct px_stat stat = {0};

    if (ofd->kind == PX_OFD_FILE || ofd->kind == PX_OFD_DIRECTORY || ofd->kind == PX_OFD_PROC ||
        ofd->kind == PX_OFD_PATH) {
        *node = ofd->node;
        return 0;
    }
    if (px_ofd_ops(ofd)->stat && px_ofd_ops(ofd)->stat(ofd, &stat) == 0) {
        node->mode = stat.st_mode;
        node->rdev = stat.st_rdev;
    }
    return 0;
}

/* By its name: what cannot be had from another process. */
static int64_t follow_name(struct px_node *node)
{
    char path[PATH_MAX];
    int64_t length = px_procfs_readlink(node, path, sizeof path - 1);

    if (length < 0)
        return length;
    path[length] = '\0';
    return path[0] == '/' ? px_walk(AT_FDCWD, path, 0, node) : -ENXIO;
}

static int64_t follow_descriptor(struct px_node *node)
{
    const struct px_proc *process = px_proc_find(PX_PROC_PID(node->ino));
    struct px_ofd *ofd = px_fd_get((int)PX_PROC_NUMBER(node->ino));
    int64_t result;

    if (process == px_self())
        return ofd ? follow_to(node, ofd) : -ENOENT;
    if (!process || !px_proc_may_look(process))
        return process ? -EACCES : -ENOENT;
    result = px_parcel_ask(process->pid, PX_PROC_NUMBER(node->ino), &ofd);
    if (result == -EOPNOTSUPP)
        return follow_name(node);
    if (result < 0)
        return result == -EBADF || result == -ESRCH ? -ENOENT : -EACCES;
    result = follow_to(node, ofd);
    px_ofd_leave(ofd);
    return result;
}

static int64_t walk_on(const char *rest, unsigned flags, struct px_node *node);

static bool follows_elsewhere(unsigned object)
{
    return object == PROC_CWD || object == PROC_EXE || object == PROC_ROOT_LINK;
}

/* Goes on at a link's target with what is left of the path. */
static int64_t walk_elsewhere(struct px_node *node, const char *rest, unsigned flags)
{
    char path[PATH_MAX];
    int64_t length = px_procfs_readlink(node, path, sizeof path - 1);
    size_t more = strlen(rest);

    if (length < 0)
        return length;
    if ((size_t)length + more + 2 > sizeof path)
        return -ENAMETOOLONG;
    path[length] = '/';
    memcpy(path + length + 1, rest, more + 1);
    if (!more)
        path[length] = '\0';
    return px_walk(AT_FDCWD, path, flags, node);
}

/* Resolves a link in the middle or at the end of a path. *done: the path was walked to its end elsewhere. */
static int64_t resolve(struct px_node *node, const char *rest, unsigned flags, bool *done)
{
    unsigned object = PX_PROC_OBJECT(node->ino);

    *done = false;
    if (object == PROC_SELF || object == PROC_THREAD_SELF) {
        px_proc_node(node, PROC_PID, px_self(), 0);
        return 0;
    }
    if (px_proc_objects[object].fixed) {
        step_up(node);
        return walk_on(px_proc_objects[object].fixed, 0, node);
    }
    if (follows_elsewhere(object)) {
        *done = true;
        return walk_elsewhere(node, rest, flags);
    }
    if (object == PROC_FD_ENTRY) {
        struct px_node link = *node;
        int64_t result = follow_descriptor(node);

        if (result == 0 && *rest) {
            if (node->kind == PX_NODE_PROC)
                return S_ISDIR(node->mode) ? 0 : -ENOTDIR;
            *done = true;
            return walk_elsewhere(&link, rest, flags);
        }
        return result;
    }
    return 0;
}

/* openat2: is a link not to be followed? */
static int64_t refused(unsigned object, unsigned flags)
{
    bool magic = object == PROC_FD_ENTRY || follows_elsewhere(object);

    return flags & (magic ? PX_WALK_NO_LINKS : PX_WALK_NO_SYMLINKS) ? -ELOOP : magic && flags & PX_WALK_INSIDE ? -EXDEV : 0;
}

/* From an object on. */
static int64_t walk_on(const char *rest, unsigned flags, struct px_node *node)
{
    for (;;) {
        size_t length;
        bool done, last;
        int64_t result;

        while (*rest == '/')
            rest++;
        if (!*rest)
            break;
        length = (size_t)(strchr(rest, '/') ? strchr(rest, '/') - rest : (int64_t)strlen(rest));
        if (node->kind != PX_NODE_PROC || !S_ISDIR(node->mode))
            return -ENOTDIR;
        if (length == 2 && rest[0] == '.' && rest[1] == '.')
            step_up(node);
        else if (!(length == 1 && rest[0] == '.') && (result = step(node, rest, length)) < 0)
            return result;
        rest += length;
        last = !*rest;
        while (*rest == '/')
            rest++;
        if (!S_ISLNK(node->mode) || (last && flags & PX_WALK_NOFOLLOW))
            continue;
        result = refused(PX_PROC_OBJECT(node->ino), flags);
        if (result < 0 || (result = resolve(node, rest, flags, &done)) < 0 || done)
            return result;
    }
    return flags & PX_WALK_DIRECTORY && !S_ISDIR(node->mode) ? -ENOTDIR : 0;
}

int64_t px_procfs_walk(const char *rest, unsigned flags, struct px_node *node)
{
    px_proc_node(node, flags & PX_WALK_SYSFS ? SYSFS_ROOT : PROC_ROOT, NULL, 0);
    return walk_on(rest, flags, node);
}

/* ---- links ---- */

static int64_t working_directory(char *to, size_t bytes)
{
    struct px_node node;
    int64_t result = px_walk(AT_FDCWD, ".", 0, &node);

    return result < 0 ? result : px_node_path(&node, to, bytes);
}

int64_t px_proc_link(const char *text, char *to, size_t bytes)
{
    size_t length = strlen(text);

    if (length > bytes)
        length = bytes;
    memcpy(to, text, length);
    return (int64_t)length;
}

static int64_t ask_link(const struct px_proc *process, const struct px_node *node, char *to, size_t bytes)
{
    unsigned object = PX_PROC_OBJECT(node->ino);
    int64_t result = px_proc_may_look(process) ? px_ask_proc(process->pid, PX_ASK_LINK, object, 0, PX_PROC_NUMBER(node->ino), to, bytes) : -EACCES;

    return result == -EPERM || result == -EIO ? -EACCES : result == -ESRCH ? -ENOENT : result;
}

int64_t px_procfs_own_link(unsigned object, unsigned number, char *to, size_t bytes)
{
    struct px_node node;

    if (object != PROC_CWD && object != PROC_FD_ENTRY)
        return -EINVAL;
    if (object == PROC_FD_ENTRY && !px_fd_get((int)number))
        return -ENOENT;
    px_proc_node(&node, object, px_self(), number & 0xfffff);
    return px_procfs_readlink(&node, to, bytes);
}

int64_t px_procfs_readlink(const struct px_node *node, char *to, size_t bytes)
{
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;
    const char *fixed = S_ISLNK(node->mode) ? px_proc_objects[PX_PROC_OBJECT(node->ino) % px_proc_objects_count].fixed : NULL;
    char text[32];

    if (PX_PROC_PID(node->ino) && !process)
        return -ENOENT;
    if (fixed)
        return px_proc_link(fixed, to, bytes);
    switch (PX_PROC_OBJECT(node->ino)) {
    case PROC_SELF:
        exo_format(text, sizeof text, "%d", px_self()->pid);
        return px_proc_link(text, to, bytes);
    case PROC_THREAD_SELF:
        exo_format(text, sizeof text, "%d/task/%d", px_self()->pid, (int)px_sys_gettid(0, 0, 0, 0, 0, 0));
        return px_proc_link(text, to, bytes);
    case PROC_ROOT_LINK:
        return px_proc_link("/", to, bytes);
    case PROC_CWD: return process == px_self() ? working_directory(to, bytes) : ask_link(process, node, to, bytes);
    case PROC_EXE:
        return process && process->exe[0] ? px_proc_link(process->exe, to, bytes) : -ENOENT;
    case PROC_FD_ENTRY:
        if (process != px_self())
            return ask_link(process, node, to, bytes);
        return px_fd_describe((int)PX_PROC_NUMBER(node->ino), to, bytes);
    default:
        return -EINVAL;
    }
}

/* The name of an object in its directory. */
static int name_of(const struct px_node *node, unsigned object, char *to, size_t bytes)
{
    unsigned number = PX_PROC_NUMBER(node->ino);

    switch (object) {
    case PROC_TID: /* what other processes' threads are called only they know */
        if (number && PX_PROC_PID(node->ino) == px_self()->pid && px_thread_number(number))
            return exo_format(to, bytes, "/%d", px_thread_number(number)->tid);
        return exo_format(to, bytes, "/%d", PX_PROC_PID(node->ino));
    case PROC_PID: return exo_format(to, bytes, "/%d", PX_PROC_PID(node->ino));
    case PROC_FD_ENTRY:
    case PROC_FDINFO_ENTRY: return exo_format(to, bytes, "/%u", number);
    case SYSFS_CPU: return exo_format(to, bytes, "/cpu%u", number);
    case PROC_ROOT: return exo_format(to, bytes, "/proc");
    case SYSFS_ROOT: return exo_format(to, bytes, "/sys");
    default: return exo_format(to, bytes, "/%s", px_proc_objects[object].name);
    }
}

/* Absolute path of an object: from it up to the root. */
int64_t px_procfs_path(const struct px_node *node, char *to, size_t bytes)
{
    char text[160];
    size_t at = sizeof text;
    unsigned object = PX_PROC_OBJECT(node->ino);
    bool of_thread = PX_PROC_NUMBER(node->ino) && !px_proc_is_numbered(object);

    for (unsigned depth = 0; depth < 10 && object < px_proc_objects_count; depth++) {
        char part[32];
        size_t length = (size_t)name_of(node, object, part, sizeof part);

        at -= length;
        memcpy(text + at, part, length);
        if (object == PROC_ROOT || object == SYSFS_ROOT)
            break;
        object = px_proc_objects[object].parent;
        if (object == PROC_PID && of_thread) {
            object = PROC_TID;
            of_thread = false;
        }
    }
    if (bytes < sizeof text - at)
        return -ERANGE;
    memcpy(to, text + at, sizeof text - at);
    return (int64_t)(sizeof text - at);
}
