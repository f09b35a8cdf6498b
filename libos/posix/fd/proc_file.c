/* Descriptions opened below /proc and /sys: texts read and settings written, and directories. */
#include "entry/trace.h"
#include "proc_tree.h"
#include "travel.h"

#define FIRST_ROOM 4096u
#define MOST_ROOM (1u << 20)

/* The bytes of a text at an offset: how many there are up to its end, and where they lie. */
static size_t slice(const struct px_text *text, uint64_t offset, const char **at)
{
    const uint64_t skip = offset - text->begins;

    *at = text->at + (skip < text->used ? skip : 0);
    return skip < text->used ? text->used - skip : 0;
}

static int64_t copy_slice(const struct px_text *text, px_user to, size_t bytes, uint64_t *offset)
{
    const char *at;
    size_t left = slice(text, *offset, &at);

    if (bytes > left)
        bytes = left;
    if (bytes && px_copy_out(to, at, bytes) != 0)
        return -EFAULT;
    *offset += bytes;
    return (int64_t)bytes;
}

/* /proc/PID/mem: the offset is the address. What cannot be read or written ends it. */
static int64_t move_memory(const struct px_proc *process, bool write, px_user program, size_t bytes, uint64_t *offset)
{
    int64_t result = px_ask_move(process->pid, write, program, *offset, bytes, PX_ASK_AS_FORCE);

    if (result > 0)
        *offset += (uint64_t)result;
    return result == 0 && bytes ? -EIO : result == -ESRCH ? 0 : result;
}

/* A part of a text that another process makes. */
static int64_t read_asked(const struct px_proc *process, unsigned object, unsigned number, px_user to, size_t bytes, uint64_t *offset)
{
    size_t room = bytes < PX_ASK_BYTES ? bytes : PX_ASK_BYTES;
    uint8_t *part = px_alloc(PX_ASK_BYTES);
    int64_t result = part ? px_ask_proc(process->pid, PX_ASK_TEXT, object, *offset, number, part, room) : -ENOMEM;

    if (result > 0 && px_copy_out(to, part, (size_t)result) < 0)
        result = -EFAULT;
    px_free(part);
    if (result > 0)
        *offset += (uint64_t)result;
    return result == -ESRCH ? 0 : result == -EPERM ? -EACCES : result;
}

/* The text of a file, in memory of the caller's: all of it, or a part that begins at or before `from`. */
static int64_t make_text(unsigned object, unsigned number, const struct px_proc *process, uint64_t from, struct px_text *text)
{
    for (size_t room = FIRST_ROOM;; room *= 4) {
        *text = (struct px_text){.at = px_alloc(room), .room = room, .number = number, .from = from};
        if (!text->at)
            return -ENOMEM;
        px_proc_objects[object].text(text, process);
        if (!text->full || room >= MOST_ROOM)
            return 0;
        px_free(text->at);
    }
}

/* Of this process, or of a thread, descriptor and the like of it. */
static bool is_told(unsigned object)
{
    return object < px_proc_objects_count && px_proc_objects[object].text && (px_proc_objects[object].parent == PROC_PID || object == PROC_FDINFO_ENTRY);
}

int64_t px_procfs_part(unsigned object, unsigned number, uint64_t offset, void *to, size_t bytes)
{
    struct px_text text;
    int64_t result = is_told(object) ? make_text(object, number, px_self(), offset, &text) : -EINVAL;
    const char *at;
    size_t left;

    if (result < 0)
        return result;
    left = slice(&text, offset, &at);
    bytes = bytes < left ? bytes : left;
    memcpy(to, at, bytes);
    px_free(text.at);
    return (int64_t)bytes;
}

/* Makes the text anew, in a larger and larger buffer until it fits, and gives the part asked for. */
static int64_t proc_read(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset)
{
    unsigned object = PX_PROC_OBJECT(ofd->node.ino), number = PX_PROC_NUMBER(ofd->node.ino);
    const struct px_proc *process =
        PX_PROC_PID(ofd->node.ino) ? px_proc_find(PX_PROC_PID(ofd->node.ino)) : NULL;
    struct px_text text;
    int64_t result;

    if (object == PROC_MEM)
        return process ? move_memory(process, false, to, bytes, offset) : 0;
    if (object >= px_proc_objects_count || (!px_proc_objects[object].text && !px_proc_objects[object].fixed))
        return object < px_proc_objects_count && S_ISDIR(px_proc_objects[object].mode) ? -EISDIR : -EINVAL;
    if (PX_PROC_PID(ofd->node.ino) && !process)
        return -ESRCH;
    if (px_proc_objects[object].mode == PROC_SECRET && ofd->word[0] != px_exec_count)
        return 0; /* opened in a memory that an execve has ended: Linux has nothing to show either */
    if (process && process != px_self() && (px_proc_is_asked(object) || (number && is_told(object)))) {
        result = process->state == PX_ZOMBIE ? 0 : read_asked(process, object, number, to, bytes, offset);
        if (result != -EACCES || px_proc_is_asked(object))
            return result; /* who may not ask about a thread is told about its process */
    }
    if (px_proc_objects[object].fixed) {
        text = (struct px_text){.at = (char *)px_proc_objects[object].fixed, .used = strlen(px_proc_objects[object].fixed)};
        return copy_slice(&text, to, bytes, offset);
    }
    result = make_text(object, number, process, *offset, &text);
    if (result == 0) {
        result = copy_slice(&text, to, bytes, offset);
        px_free(text.at);
    }
    return result;
}

#define SETTING_MAX 256u

static int64_t proc_write(struct px_ofd *ofd, px_user from, size_t bytes, uint64_t *offset)
{
    char value[SETTING_MAX];
    const struct px_proc *process = px_proc_find(PX_PROC_PID(ofd->node.ino));
    int64_t result;

    if (PX_PROC_OBJECT(ofd->node.ino) == PROC_MEM)
        return process ? move_memory(process, true, from, bytes, offset) : 0;
    if (bytes >= sizeof value)
        return -EINVAL;
    if (px_copy_in(value, from, bytes) != 0)
        return -EFAULT;
    value[bytes] = '\0';
    result = px_proc_set(PX_PROC_OBJECT(ofd->node.ino) % px_proc_objects_count, PX_PROC_NUMBER(ofd->node.ino), process, value);
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

static bool is_in_sysfs(unsigned object)
{
    while (object < px_proc_objects_count && object != PROC_ROOT && object != SYSFS_ROOT)
        object = px_proc_objects[object].parent;
    return object == SYSFS_ROOT;
}

/* The access mode of another's descriptor, as permissions of its link. */
static uint32_t asked_mode(const struct px_node *node)
{
    static const uint16_t modes[] = {0500, 0300, 0700, 0};
    const struct px_proc *process = px_proc_find(PX_PROC_PID(node->ino));
    char text[PX_ASK_BYTES / 8 + 1] = {0};
    const char *flags;

    if (!process || !px_proc_may_look(process) ||
        px_ask_proc(process->pid, PX_ASK_TEXT, PROC_FDINFO_ENTRY, 0, PX_PROC_NUMBER(node->ino), text, sizeof text - 1) < 0)
        return 0;
    flags = strchr(text, '\n') ? strchr(strchr(text, '\n') + 1, '\n') : NULL; /* the second line ends with them, in octal */
    return flags && flags > text ? modes[flags[-1] & O_ACCMODE] : 0;
}

/* Of what a link below fd/ leads to, if that is no file: a pipe's own number and so on. */
static bool stat_target(const struct px_node *node, struct px_stat *stat)
{
    bool own = PX_PROC_PID(node->ino) == px_self()->pid, done;
    struct px_ofd *ofd = own ? px_fd_get((int)PX_PROC_NUMBER(node->ino)) : NULL;

    if (!own && px_parcel_ask(PX_PROC_PID(node->ino), PX_PROC_NUMBER(node->ino), &ofd) < 0)
        return false;
    memset(stat, 0, sizeof *stat);
    done = ofd && px_ofd_ops(ofd)->stat && px_ofd_ops(ofd)->stat(ofd, stat) == 0;
    if (!own)
        px_ofd_leave(ofd);
    return done;
}

int64_t px_procfs_stat(const struct px_node *node, struct px_stat *stat)
{
    uint64_t now = px_real_ns();

    if (PX_PROC_OBJECT(node->ino) == PROC_FD_ENTRY && !S_ISLNK(node->mode) && stat_target(node, stat))
        return 0;

    memset(stat, 0, sizeof *stat);
    stat->st_dev = is_in_sysfs(PX_PROC_OBJECT(node->ino)) ? PX_SYSFS_DEV : PX_PROC_DEV;
    stat->st_ino = node->ino;
    stat->st_nlink = node->nlink;
    stat->st_mode = node->mode;
    if (node->mode == S_IFLNK && PX_PROC_PID(node->ino) != px_self()->pid)
        stat->st_mode |= asked_mode(node);
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
    bool fds = object == PROC_FD || object == PROC_FDINFO;
    unsigned most = object == PROC_ROOT    ? PX_PROCS_MAX
                    : fds                  ? (process == px_self() ? px_fds.high : 64)
                    : object == PROC_TASK  ? (process == px_self() ? px_threads.made : 1)
                    : object == SYSFS_CPUS ? px_system_cpus()
                                           : 0;

    for (unsigned i = (unsigned)(*position - NUMBERED); i < most && !listing->full && !listing->fault; i++) {
        const struct px_proc *other = object == PROC_ROOT ? PX_PROC(PX_PROCTAB, i) : process;
        unsigned entry = object == PROC_FD       ? PROC_FD_ENTRY
                         : object == PROC_FDINFO ? PROC_FDINFO_ENTRY
                         : object == PROC_TASK   ? PROC_TID
                         : object == SYSFS_CPUS  ? SYSFS_CPU
                                                 : PROC_PID;
        const struct px_thread *thread = object == PROC_TASK && process == px_self() ? px_thread_number(i) : NULL;
        struct px_node node;
        char name[16];

        if (thread && !thread->live && i)
            continue;
        if (object == PROC_ROOT && (i == 0 || other->state == PX_FREE || other->state == PX_EMBRYO))
            continue;
        if (object != SYSFS_CPUS && (!other || (fds && !px_proc_has_descriptor(other, i))))
            continue;
        px_proc_node(&node, entry, other, object == PROC_ROOT ? 0 : i);
        exo_format(name, sizeof name, object == SYSFS_CPUS ? "cpu%d" : "%d", other && !fds ? (thread ? thread->tid : other->pid) : (int)i);
        list(listing, &node, name, NUMBERED + i + 1);
        if (!listing->full && !listing->fault)
            *position = NUMBERED + i + 1;
    }
}

/* Another process's threads, as it tells. Positions are as in list_numbers, which continues with what one answer left out. */
static void list_threads(struct listing *listing, const struct px_proc *process, uint64_t *position)
{
    int32_t tid[256] = {0};
    unsigned first = (unsigned)(*position - NUMBERED), next, count = px_proc_threads(process, first, tid, sizeof tid / sizeof *tid, &next);

    for (unsigned i = 0; i < count; i++) {
        unsigned number = tid[i] == process->pid ? 0 : (unsigned)tid[i] % PX_THREADS_MAX;
        struct px_node node;
        char name[16];

        px_proc_node(&node, PROC_TID, process, number);
        exo_format(name, sizeof name, "%d", tid[i]);
        list(listing, &node, name, NUMBERED + number + 1);
        if (listing->full || listing->fault)
            return;
        *position = NUMBERED + number + 1;
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
            if (i >= px_proc_objects_count) {
                *position = NUMBERED;
                return;
            }
            name = px_proc_lies_below(i, object) ? px_proc_objects[i].name : "";
            px_proc_node(&node, i, process, 0);
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
    if (position >= NUMBERED && PX_PROC_OBJECT(ofd->node.ino) == PROC_TASK && PX_PROC_PID(ofd->node.ino) != px_self()->pid)
        list_threads(&listing, px_proc_find(PX_PROC_PID(ofd->node.ino)), &position);
    else if (position >= NUMBERED && position <= NUMBERED + PX_FD_MAX)
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

int64_t px_proc_open(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    unsigned object = PX_PROC_OBJECT(node->ino);
    const struct px_proc *process = PX_PROC_PID(node->ino) ? px_proc_find(PX_PROC_PID(node->ino)) : NULL;

    if (object == PROC_FD_ENTRY)
        return process ? px_fd_reopen(process, PX_PROC_NUMBER(node->ino), flags, ofd) : -ENOENT;
    if (object >= px_proc_objects_count)
        return -ENOENT;
    if (S_ISDIR(node->mode) && (flags & O_ACCMODE) != O_RDONLY)
        return -EISDIR;
    if ((flags & O_ACCMODE) != O_RDONLY && px_proc_objects[object].mode != PROC_SETTING && object != PROC_MEM)
        return -EACCES;
    if (!S_ISDIR(node->mode) && !px_proc_objects[object].text && !px_proc_objects[object].fixed && object != PROC_MEM)
        return -EACCES;
    if (process && (object == PROC_MEM || px_proc_is_asked(object)) && !px_proc_may_look(process))
        return -EACCES;
    *ofd = px_ofd_new(PX_OFD_PROC, flags);
    if (!*ofd)
        return -ENFILE;
    (*ofd)->node = *node;
    (*ofd)->word[0] = px_exec_count;
    return 0;
}
