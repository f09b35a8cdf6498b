/* long: one table of names and the small makers of their texts. */
/* The tree of /proc: names, paths, links, directories, and descriptions opened on its files. */
#include "procfs.h"

enum object {
    ROOT,
    PID,
    FD,
    FD_ENTRY,
    TASK,
    SYS,
    SYS_KERNEL,
    SYS_RANDOM,
    SYS_VM,
    SYS_FS,
    SYS_NET,
    SYS_NET_CORE,
    TID,
    SELF,
    THREAD_SELF,
    MOUNTS_LINK,
    CWD,
    EXE,
    ROOT_LINK,
    OOM_SCORE_ADJ,
    FIRST_TEXT,
};
#define DIRECTORY (S_IFDIR | 0555)
#define LINK (S_IFLNK | 0777)
#define TEXT (S_IFREG | 0444)
#define SECRET (S_IFREG | 0400)
#define SETTING (S_IFREG | 0644)

static const struct px_proc_object objects[] = {
    [ROOT] = {"", ROOT, DIRECTORY, NULL},
    [PID] = {"", ROOT, DIRECTORY, NULL},
    [FD] = {"fd", PID, S_IFDIR | 0500, NULL},
    [FD_ENTRY] = {"", FD, S_IFLNK | 0700, NULL},
    [TASK] = {"task", PID, DIRECTORY, NULL},
    [SYS] = {"sys", ROOT, DIRECTORY, NULL},
    [SYS_KERNEL] = {"kernel", SYS, DIRECTORY, NULL},
    [SYS_RANDOM] = {"random", SYS_KERNEL, DIRECTORY, NULL},
    [SYS_VM] = {"vm", SYS, DIRECTORY, NULL},
    [SYS_FS] = {"fs", SYS, DIRECTORY, NULL},
    [SYS_NET] = {"net", SYS, DIRECTORY, NULL},
    [SYS_NET_CORE] = {"core", SYS_NET, DIRECTORY, NULL},
    [TID] = {"", TASK, DIRECTORY, NULL}, /* has what PID has */
    [SELF] = {"self", ROOT, LINK, NULL},
    [THREAD_SELF] = {"thread-self", ROOT, LINK, NULL},
    [MOUNTS_LINK] = {"mounts", ROOT, LINK, NULL},
    [CWD] = {"cwd", PID, LINK, NULL},
    [EXE] = {"exe", PID, LINK, NULL},
    [ROOT_LINK] = {"root", PID, LINK, NULL},
    [OOM_SCORE_ADJ] = {"oom_score_adj", PID, SETTING, px_text_oom},
    [FIRST_TEXT] = {"stat", PID, TEXT, px_text_stat},
    {"status", PID, TEXT, px_text_status},
    {"statm", PID, TEXT, px_text_statm},
    {"cmdline", PID, TEXT, px_text_cmdline},
    {"comm", PID, SETTING, px_text_comm},
    {"environ", PID, SECRET, px_text_environ},
    {"auxv", PID, SECRET, px_text_auxv},
    {"maps", PID, TEXT, px_text_maps},
    {"limits", PID, TEXT, px_text_limits},
    {"mounts", PID, TEXT, px_text_mounts},
    {"mountinfo", PID, TEXT, px_text_mountinfo},
    {"cgroup", PID, TEXT, px_text_cgroup},
    {"loginuid", PID, SETTING, px_text_loginuid},
    {"oom_score", PID, TEXT, px_text_zero},
    {"wchan", PID, TEXT, px_text_wchan},
    {"io", PID, SECRET, px_text_io},
    {"meminfo", ROOT, TEXT, px_text_meminfo},
    {"uptime", ROOT, TEXT, px_text_uptime},
    {"loadavg", ROOT, TEXT, px_text_loadavg},
    {"stat", ROOT, TEXT, px_text_system_stat},
    {"version", ROOT, TEXT, px_text_version},
    {"cpuinfo", ROOT, TEXT, px_text_cpuinfo},
    {"filesystems", ROOT, TEXT, px_text_filesystems},
    {"cmdline", ROOT, TEXT, px_text_kernel_cmdline},
    {"vmstat", ROOT, TEXT, px_text_vmstat},
    {"devices", ROOT, TEXT, px_text_devices},
    {"partitions", ROOT, TEXT, px_text_partitions},
    {"swaps", ROOT, TEXT, px_text_swaps},
    {"hostname", SYS_KERNEL, SETTING, px_text_hostname},
    {"domainname", SYS_KERNEL, SETTING, px_text_domainname},
    {"osrelease", SYS_KERNEL, TEXT, px_text_osrelease},
    {"ostype", SYS_KERNEL, TEXT, px_text_ostype},
    {"version", SYS_KERNEL, TEXT, px_text_kernel_version},
    {"pid_max", SYS_KERNEL, SETTING, px_text_pid_max},
    {"threads-max", SYS_KERNEL, SETTING, px_text_threads_max},
    {"cap_last_cap", SYS_KERNEL, TEXT, px_text_cap_last_cap},
    {"ngroups_max", SYS_KERNEL, TEXT, px_text_ngroups_max},
    {"core_pattern", SYS_KERNEL, SETTING, px_text_core_pattern},
    {"overflowuid", SYS_KERNEL, SETTING, px_text_overflowid},
    {"overflowgid", SYS_KERNEL, SETTING, px_text_overflowid},
    {"uuid", SYS_RANDOM, TEXT, px_text_uuid},
    {"boot_id", SYS_RANDOM, TEXT, px_text_boot_id},
    {"entropy_avail", SYS_RANDOM, TEXT, px_text_random_size},
    {"poolsize", SYS_RANDOM, TEXT, px_text_random_size},
    {"overcommit_memory", SYS_VM, SETTING, px_text_overcommit},
    {"max_map_count", SYS_VM, SETTING, px_text_max_map_count},
    {"file-max", SYS_FS, SETTING, px_text_file_max},
    {"file-nr", SYS_FS, TEXT, px_text_file_nr},
    {"nr_open", SYS_FS, SETTING, px_text_nr_open},
    {"pipe-max-size", SYS_FS, SETTING, px_text_pipe_max},
    {"somaxconn", SYS_NET_CORE, SETTING, px_text_somaxconn},
};
#define OBJECTS (sizeof objects / sizeof *objects)

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

static void make_node(struct px_node *node, unsigned object, const struct px_proc *process, unsigned number)
{
    *node = (struct px_node){.kind = PX_NODE_PROC, .mode = objects[object].mode, .nlink = 1};
    node->ino = PX_PROC_INO(object, process ? process->pid : 0, number);
    if (S_ISDIR(node->mode))
        node->nlink = 2;
    if (process) {
        node->gen = process->gen;
        node->uid = process->euid;
        node->gid = process->egid;
    }
    if (object == FD_ENTRY) {
        const struct px_ofd *ofd = process == px_self() ? px_fd_get((int)number) : NULL;

        node->size = 64;
        node->mode =
            S_IFLNK | (ofd && px_ofd_readable(ofd) ? 0500 : 0) | (ofd && px_ofd_writable(ofd) ? 0300 : 0);
    }
}

/* A thread's directory has what its process's has, but no threads of its own. */
static bool lies_below(unsigned object, unsigned parent)
{
    if (parent == TID)
        return objects[object].parent == PID && object != TASK;
    return object != ROOT && objects[object].parent == parent;
}

/* The object below `parent` with this name: index, or 0. */
static unsigned named(unsigned parent, const char *name, size_t length)
{
    for (unsigned i = 1; i < OBJECTS; i++) {
        if (lies_below(i, parent) && strlen(objects[i].name) == length && length &&
            memcmp(objects[i].name, name, length) == 0)
            return i;
    }
    return 0;
}

/* A decimal number without signs or leading zeros, or -1. */
static int number_of(const char *text, size_t length)
{
    int value = 0;

    if (length == 0 || length > 7 || (text[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool has_descriptor(const struct px_proc *process, unsigned fd)
{
    return process == px_self() ? px_fd_get((int)fd) != NULL : px_board_has(process, fd);
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
        make_node(node, found, process, 0);
        return 0;
    }
    if ((object == ROOT || object == TASK) && number > 0) {
        if (object == TASK && number != process->pid)
            return -ENOENT;
        process = px_proc_find(number);
        if (!process)
            return -ENOENT;
        make_node(node, object == TASK ? TID : PID, process, 0);
        return 0;
    }
    if (object == FD && number >= 0 && has_descriptor(process, (unsigned)number)) {
        make_node(node, FD_ENTRY, process, (unsigned)number);
        return 0;
    }
    return -ENOENT;
}

static void step_up(struct px_node *node)
{
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;
    unsigned parent = objects[PX_PROC_OBJECT(node->ino)].parent;

    make_node(node, parent, parent == ROOT ? NULL : process, 0);
}

/* What an open of fd/N, or a stat through it, finds: the file itself, or a node that stands for the pipe,
 * terminal or device. */
static int64_t follow_descriptor(struct px_node *node)
{
    struct px_ofd *ofd = px_fd_get((int)PX_PROC_NUMBER(node->ino));
    struct px_stat stat = {0};

    if (PX_PROC_PID(node->ino) != px_self()->pid)
        return -EACCES;
    if (!ofd)
        return -ENOENT;
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

static bool follows_elsewhere(unsigned object)
{
    return object == CWD || object == EXE || object == ROOT_LINK;
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
    if (object == SELF || object == THREAD_SELF) {
        make_node(node, PID, px_self(), 0);
        return 0;
    }
    if (object == MOUNTS_LINK) {
        make_node(node, named(PID, "mounts", 6), px_self(), 0);
        return 0;
    }
    if (follows_elsewhere(object)) {
        *done = true;
        return walk_elsewhere(node, rest, flags);
    }
    if (object == FD_ENTRY) {
        int64_t result = follow_descriptor(node);

        if (result == 0 && *rest) {
            struct px_node link;

            make_node(&link, FD_ENTRY, px_self(), PX_PROC_NUMBER(node->ino));
            if (node->kind == PX_NODE_PROC)
                return S_ISDIR(node->mode) ? 0 : -ENOTDIR;
            *done = true;
            return walk_elsewhere(&link, rest, flags);
        }
        return result;
    }
    return 0;
}

int64_t px_procfs_walk(const char *rest, unsigned flags, struct px_node *node)
{
    make_node(node, ROOT, NULL, 0);
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
        result = resolve(node, rest, flags, &done);
        if (result < 0 || done)
            return result;
    }
    return flags & PX_WALK_DIRECTORY && !S_ISDIR(node->mode) ? -ENOTDIR : 0;
}

/* ---- links ---- */

static int64_t working_directory(char *to, size_t bytes)
{
    struct px_node node;
    int64_t result = px_walk(AT_FDCWD, ".", 0, &node);

    return result < 0 ? result : px_node_path(&node, to, bytes);
}

static int64_t link_text(const char *text, char *to, size_t bytes)
{
    size_t length = strlen(text);

    if (length > bytes)
        length = bytes;
    memcpy(to, text, length);
    return (int64_t)length;
}

int64_t px_procfs_readlink(const struct px_node *node, char *to, size_t bytes)
{
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;
    char text[32];

    if (PX_PROC_PID(node->ino) && !process)
        return -ENOENT;
    switch (PX_PROC_OBJECT(node->ino)) {
    case SELF:
        exo_format(text, sizeof text, "%d", px_self()->pid);
        return link_text(text, to, bytes);
    case THREAD_SELF:
        exo_format(text, sizeof text, "%d/task/%d", px_self()->pid, px_self()->pid);
        return link_text(text, to, bytes);
    case MOUNTS_LINK:
        return link_text("self/mounts", to, bytes);
    case ROOT_LINK:
        return link_text("/", to, bytes);
    case CWD: /* another's is not known here */
        return process == px_self() ? working_directory(to, bytes) : -EACCES;
    case EXE:
        return process && process->exe[0] ? link_text(process->exe, to, bytes) : -ENOENT;
    case FD_ENTRY: /* what another's descriptors name is not known here */
        if (process != px_self())
            return -EACCES;
        return px_fd_describe((int)PX_PROC_NUMBER(node->ino), to, bytes);
    default:
        return -EINVAL;
    }
}

/* Absolute path of an object: from it up to the root. */
int64_t px_procfs_path(const struct px_node *node, char *to, size_t bytes)
{
    char text[128];
    size_t at = sizeof text;
    unsigned object = PX_PROC_OBJECT(node->ino);

    for (unsigned depth = 0; depth < 8 && object != ROOT && object < OBJECTS;
         depth++, object = objects[object].parent) {
        char part[32];
        size_t length;

        if (object == PID || object == TID)
            length = (size_t)exo_format(part, sizeof part, "/%d", PX_PROC_PID(node->ino));
        else if (object == FD_ENTRY)
            length = (size_t)exo_format(part, sizeof part, "/%u", PX_PROC_NUMBER(node->ino));
        else
            length = (size_t)exo_format(part, sizeof part, "/%s", objects[object].name);
        at -= length;
        memcpy(text + at, part, length);
    }
    at -= 5;
    memcpy(text + at, "/proc", 5);
    if (bytes < sizeof text - at)
        return -ERANGE;
    memcpy(to, text + at, sizeof text - at);
    return (int64_t)(sizeof text - at);
}

int64_t px_fd_describe(int fd, char *to, size_t bytes)
{
    struct px_ofd *ofd = px_fd_get(fd);
    struct px_stat stat = {0};
    char text[64];

    if (!ofd)
        return -ENOENT;
    if (ofd->kind == PX_OFD_EVENT || ofd->kind == PX_OFD_EPOLL)
        return link_text(px_ofd_ops(ofd)->name, to, bytes);
    if (px_ofd_ops(ofd)->stat)
        (void)!px_ofd_ops(ofd)->stat(ofd, &stat);
    if (ofd->node.kind != PX_NODE_FS && (ofd->kind == PX_OFD_PIPE || ofd->kind == PX_OFD_SOCKET)) {
        exo_format(text, sizeof text, "%s:[%lu]", ofd->kind == PX_OFD_PIPE ? "pipe" : "socket",
                   (unsigned long)stat.st_ino);
        return link_text(text, to, bytes);
    }
    if (ofd->kind == PX_OFD_TTY && PX_MAJOR(stat.st_rdev) == 136) {
        exo_format(text, sizeof text, "/dev/pts/%u", PX_MINOR(stat.st_rdev));
        return link_text(text, to, bytes);
    }
    if (ofd->kind == PX_OFD_TTY)
        return link_text(stat.st_rdev == PX_MAKEDEV(5, 2) ? "/dev/ptmx" : "/dev/console", to, bytes);
    if (ofd->kind == PX_OFD_PROC)
        return px_procfs_path(&ofd->node, to, bytes);
    return px_node_path(&ofd->node, to, bytes);
}

/* ---- descriptions ---- */

#define FIRST_ROOM 4096u
#define MOST_ROOM (256u << 10)

static int64_t copy_slice(const struct px_text *text, px_user to, size_t bytes, uint64_t *offset)
{
    size_t left = *offset < text->used ? text->used - *offset : 0;

    if (bytes > left)
        bytes = left;
    if (bytes && px_copy_out(to, text->at + *offset, bytes) != 0)
        return -EFAULT;
    *offset += bytes;
    return (int64_t)bytes;
}

/* Makes the text anew, in a larger and larger buffer until it fits, and gives the part asked for. */
static int64_t proc_read(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset)
{
    unsigned object = PX_PROC_OBJECT(ofd->node.ino);
    const struct px_proc *process =
        PX_PROC_PID(ofd->node.ino) ? px_proc_find(PX_PROC_PID(ofd->node.ino)) : NULL;

    if (object >= OBJECTS || !objects[object].text)
        return object < OBJECTS && S_ISDIR(objects[object].mode) ? -EISDIR : -EINVAL;
    if (PX_PROC_PID(ofd->node.ino) && !process)
        return -ESRCH;
    if (objects[object].mode == SECRET && ofd->word[0] != px_exec_count)
        return 0; /* opened in a memory that an execve has ended: Linux has nothing to show either */
    for (size_t room = FIRST_ROOM;; room *= 4) {
        struct px_text text = {.at = px_alloc(room), .room = room};
        int64_t result;

        if (!text.at)
            return -ENOMEM;
        objects[object].text(&text, process);
        if (text.full && room < MOST_ROOM) {
            px_free(text.at);
            continue;
        }
        result = copy_slice(&text, to, bytes, offset);
        px_free(text.at);
        return result;
    }
}

#define SETTING_MAX 256u

static int64_t proc_write(struct px_ofd *ofd, px_user from, size_t bytes, uint64_t *offset)
{
    char value[SETTING_MAX];
    int64_t result;

    if (bytes >= sizeof value)
        return -EINVAL;
    if (px_copy_in(value, from, bytes) != 0)
        return -EFAULT;
    value[bytes] = '\0';
    result = px_proc_set(objects[PX_PROC_OBJECT(ofd->node.ino) % OBJECTS].text,
                         px_proc_find(PX_PROC_PID(ofd->node.ino)), value);
    if (result < 0)
        return result;
    *offset += bytes;
    return (int64_t)bytes;
}

static int64_t proc_seek(struct px_ofd *ofd, int64_t offset, int whence)
{
    if (whence == SEEK_CUR)
        offset += (int64_t)ofd->offset;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0)
        return -EINVAL;
    ofd->offset = (uint64_t)offset;
    return offset;
}

static int64_t proc_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    return px_procfs_stat(&ofd->node, stat);
}

int64_t px_procfs_stat(const struct px_node *node, struct px_stat *stat)
{
    uint64_t now = px_real_ns();

    memset(stat, 0, sizeof *stat);
    stat->st_dev = PX_PROC_DEV;
    stat->st_ino = node->ino;
    stat->st_nlink = node->nlink;
    stat->st_mode = node->mode;
    stat->st_uid = node->uid;
    stat->st_gid = node->gid;
    stat->st_rdev = node->rdev;
    stat->st_size = (int64_t)node->size;
    stat->st_blksize = S_ISREG(node->mode) || S_ISDIR(node->mode) || S_ISLNK(node->mode) ? 1024 : 4096;
    stat->st_atim =
        (struct px_timespec){.tv_sec = (int64_t)(now / PX_SECOND), .tv_nsec = (int64_t)(now % PX_SECOND)};
    stat->st_mtim = stat->st_ctim = stat->st_atim;
    return 0;
}

/* ---- directories ---- */

struct listing {
    px_user to;
    size_t bytes, used;
    bool old_layout, full, fault;
};

#define DT_DIR 4
#define DT_REG 8
#define DT_LNK 10

/* One struct linux_dirent64 or, for the old call, linux_dirent, whose type is in the last byte. */
static void list(struct listing *listing, const struct px_node *node, const char *name, uint64_t next)
{
    uint8_t entry[64] = {0};
    size_t length = strlen(name), header = listing->old_layout ? 18 : 19;
    size_t size = (header + length + 1 + (listing->old_layout ? 1 : 0) + 7) & ~7ul;
    uint8_t type = S_ISDIR(node->mode) ? DT_DIR : S_ISLNK(node->mode) ? DT_LNK : DT_REG;
    uint16_t record = (uint16_t)size;

    if (size > sizeof entry || listing->full || listing->fault)
        return;
    if (listing->used + size > listing->bytes) {
        listing->full = true;
        return;
    }
    memcpy(entry, &node->ino, 8);
    memcpy(entry + 8, &next, 8);
    memcpy(entry + 16, &record, 2);
    memcpy(entry + header, name, length);
    entry[listing->old_layout ? size - 1 : 18] = type;
    if (px_copy_out(listing->to + listing->used, entry, size) != 0)
        listing->fault = true;
    else
        listing->used += size;
}

/* Positions in a directory: 0 and 1 are . and .., then 2 + index in the table, then NUMBERED + process index
 * or descriptor. */
#define NUMBERED 4096u

static void list_numbers(struct listing *listing, const struct px_node *directory, uint64_t *position)
{
    unsigned object = PX_PROC_OBJECT(directory->ino);
    const struct px_proc *process = px_proc_find(PX_PROC_PID(directory->ino));
    unsigned most = object == ROOT   ? PX_PROCS_MAX
                    : object == FD   ? (process == px_self() ? px_fds.high : 64)
                    : object == TASK ? 1
                                     : 0;

    for (unsigned i = (unsigned)(*position - NUMBERED); i < most && !listing->full && !listing->fault; i++) {
        const struct px_proc *other = object == ROOT ? PX_PROC(PX_PROCTAB, i) : process;
        struct px_node node;
        char name[16];

        if (object == ROOT && (i == 0 || other->state == PX_FREE || other->state == PX_EMBRYO))
            continue;
        if (!other || (object == FD && !has_descriptor(other, i)))
            continue;
        make_node(&node, object == FD ? FD_ENTRY : object == TASK ? TID : PID, other, object == FD ? i : 0);
        exo_format(name, sizeof name, "%d", object == FD ? (int)i : other->pid);
        list(listing, &node, name, NUMBERED + i + 1);
        if (!listing->full && !listing->fault)
            *position = NUMBERED + i + 1;
    }
}

static void list_named(struct listing *listing, const struct px_node *directory, uint64_t *position)
{
    unsigned object = PX_PROC_OBJECT(directory->ino);
    const struct px_proc *process = px_proc_find(PX_PROC_PID(directory->ino));

    while (*position < NUMBERED && !listing->full && !listing->fault) {
        unsigned i = (unsigned)*position - 2;
        struct px_node node = *directory;
        const char *name = *position == 0 ? "." : "..";

        if (*position >= 2) {
            if (i >= OBJECTS) {
                *position = NUMBERED;
                return;
            }
            name = lies_below(i, object) ? objects[i].name : "";
            make_node(&node, i, process, 0);
        }
        if (*name)
            list(listing, &node, name, *position + 1);
        if (!listing->full && !listing->fault)
            (*position)++;
    }
}

static int64_t proc_getdents(struct px_ofd *ofd, px_user to, size_t bytes, bool old_layout)
{
    struct listing listing = {.to = to, .bytes = bytes, .old_layout = old_layout};
    uint64_t position = ofd->offset;

    if (!S_ISDIR(ofd->node.mode))
        return -ENOTDIR;
    if (PX_PROC_PID(ofd->node.ino) && !px_proc_find(PX_PROC_PID(ofd->node.ino)))
        return -ENOENT;
    list_named(&listing, &ofd->node, &position);
    if (position >= NUMBERED && position <= NUMBERED + PX_FD_MAX)
        list_numbers(&listing, &ofd->node, &position);
    if (!listing.used && (listing.full || listing.fault))
        return listing.fault ? -EFAULT : -EINVAL;
    ofd->offset = position;
    return (int64_t)listing.used;
}

const struct px_ops px_proc_ops = {
    .name = "proc",
    .read = proc_read,
    .write = proc_write,
    .seek = proc_seek,
    .stat = proc_stat,
    .getdents = proc_getdents,
};

/* Through its device number: a pseudo-terminal's master has none of its own. */
static int64_t reopen_terminal(struct px_ofd *old, unsigned flags, struct px_ofd **ofd)
{
    struct px_node node = {.kind = PX_NODE_FS, .mode = S_IFCHR};
    struct px_stat stat = {0};

    if (!px_ofd_ops(old)->stat || px_ofd_ops(old)->stat(old, &stat) < 0 || stat.st_rdev == PX_MAKEDEV(5, 2))
        return -EIO;
    node.rdev = stat.st_rdev;
    return px_open_node(&node, "", flags, NULL, ofd);
}

/* A second description of what a descriptor names. Files come here as nodes of fs and are opened there. */
int64_t px_fd_reopen(int fd, unsigned flags, struct px_ofd **ofd)
{
    struct px_ofd *old = px_fd_get(fd);

    if (!old)
        return -ENOENT;
    switch (old->kind) {
    case PX_OFD_PIPE:
        if (old->node.kind == PX_NODE_FS)
            return px_pipe_open_fifo(&old->node, flags, ofd);
        return px_pipe_reopen(old, flags, ofd);
    case PX_OFD_DEVICE:
        return px_open_node(&old->node, "", flags, NULL, ofd);
    case PX_OFD_TTY:
        return reopen_terminal(old, flags, ofd);
    default:
        return -ENXIO;
    }
}

int64_t px_proc_open(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    unsigned object = PX_PROC_OBJECT(node->ino);

    if (object == FD_ENTRY && PX_PROC_PID(node->ino) != px_self()->pid)
        return -EACCES;
    if (object == FD_ENTRY)
        return px_fd_reopen((int)PX_PROC_NUMBER(node->ino), flags, ofd);
    if (object >= OBJECTS)
        return -ENOENT;
    if (S_ISDIR(node->mode) && (flags & O_ACCMODE) != O_RDONLY)
        return -EISDIR;
    if ((flags & O_ACCMODE) != O_RDONLY && objects[object].mode != SETTING)
        return -EACCES;
    if (!S_ISDIR(node->mode) && !objects[object].text)
        return -EACCES;
    *ofd = px_ofd_new(PX_OFD_PROC, flags);
    if (!*ofd)
        return -ENFILE;
    (*ofd)->node = *node;
    (*ofd)->word[0] = px_exec_count;
    return 0;
}
