/* Opening, reading, writing and polling terminals. Nothing is kept here: tty has the line discipline, and says when there is nothing to do but sleep. */
#include "tty.h"

#include <exo/format.h>

#define CHUNK 4096u /* what a message page carries */

int64_t px_tty_call(struct px_ofd *ofd, struct exo_message *message)
{
    const struct exo_message asked = *message;
    struct exo_message claim = {.word = {PX_TTY_CLAIM, ofd->word[0], 0, 0, ofd->word[1]}};
    int64_t result;

    message->word[1] = ofd->word[0];
    result = px_call_server(PX_SLOT_TTY, message);
    if (result != -PX_TTY_ENOKEY)
        return result;
    /* Inherited, and never used by this process before. */
    result = px_call_server_cap(PX_SLOT_TTY, &claim);
    if (result < 0)
        return -EIO;
    *message = asked;
    message->word[1] = ofd->word[0];
    return px_call_server(PX_SLOT_TTY, message);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void name_of(unsigned index, bool master, char *name, size_t bytes)
{
    if (master)
        exo_format(name, bytes, "/dev/ptmx");
    else if (index == PX_TTY_CTTY)
        exo_format(name, bytes, "/dev/tty");
    else if (index == PX_TTY_CONSOLE)
        exo_format(name, bytes, "/dev/console");
    else
        exo_format(name, bytes, "/dev/pts/%u", index - 1);
}

static uint64_t device_of(unsigned index, bool master)
{
    if (master)
        return PX_MAKEDEV(5, 2);
    if (index == PX_TTY_CTTY)
        return PX_MAKEDEV(5, 0);
    return index == PX_TTY_CONSOLE ? PX_MAKEDEV(5, 1) : PX_MAKEDEV(136, index - 1);
}

/* What fstat tells: the node in /dev, or what would be there. */
static void find_node(struct px_node *node, unsigned index, bool master)
{
    char name[32];

    name_of(index, master, name, sizeof name);
    if (px_walk(AT_FDCWD, name, 0, node) == 0 && S_ISCHR(node->mode) && node->rdev == device_of(index, master))
        return;
    *node = (struct px_node){.kind = 0, .mode = S_IFCHR | 0620, .ino = index + 3u, .nlink = 1, .rdev = device_of(index, master)};
}

static int64_t open_done(struct exo_message *message, unsigned index, bool master, unsigned flags, struct px_ofd **ofd)
{
    uint64_t handle = message->word[1], slot = message->capability;

    *ofd = px_ofd_new(PX_OFD_TTY, flags);
    if (!*ofd) {
        struct exo_message closed = {.word = {PX_TTY_CLOSE, handle, 0, 0, 0}};

        (void)!exo_cap_delete(slot);
        (void)px_call_server(PX_SLOT_TTY, &closed);
        return -ENFILE;
    }
    (*ofd)->word[0] = handle;
    (*ofd)->word[1] = slot;
    find_node(&(*ofd)->node, index, master);
    return 0;
}

int64_t px_tty_open(unsigned index, unsigned flags, struct px_ofd **ofd)
{
    struct exo_message message = {.word = {PX_TTY_OPEN, index, flags, 0, 0}};
    int64_t result = px_call_server(PX_SLOT_TTY, &message);

    return result < 0 ? result : open_done(&message, index, false, flags, ofd);
}

int64_t px_tty_open_master(unsigned flags, struct px_ofd **ofd)
{
    struct exo_message message = {.word = {PX_TTY_NEWPTY, 0, flags, 0, 0}};
    int64_t result = px_call_server(PX_SLOT_TTY, &message);

    return result < 0 ? result : open_done(&message, PX_TTY_HANDLE_INDEX(message.word[1]), true, flags, ofd);
}

int64_t px_tty_adopt(struct px_ofd *ofd)
{
    struct exo_message claim = {.word = {PX_TTY_CLAIM, ofd->word[0], 0, 0, ofd->word[1]}};
    int64_t result = px_call_server_cap(PX_SLOT_TTY, &claim);

    find_node(&ofd->node, PX_TTY_HANDLE_INDEX(ofd->word[0]), ofd->word[0] & PX_TTY_MASTER);
    return result < 0 ? -EIO : 0;
}

static void tty_drop(struct px_ofd *ofd)
{
    struct exo_message message = {.word = {PX_TTY_CLOSE, ofd->word[0], 0, 0, 0}};

    if (px_fd_exiting)
        return; /* the capability goes with the environment */
    if (ofd->word[1] >= PX_SLOT_FIRST_FREE)
        (void)!exo_cap_delete(ofd->word[1]);
    (void)px_call_server(PX_SLOT_TTY, &message);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* A fault while bytes move between message page and program could need the message page itself: bring the program's pages in before. */
static void touch(px_user at, size_t bytes, bool writing)
{
    uint8_t byte;

    for (unsigned i = 0; i < 2; i++) {
        px_user place = i ? at + bytes - 1 : at;

        if (px_copy_in(&byte, place, 1) == 0 && writing)
            (void)px_copy_out(place, &byte, 1);
    }
}

/* How far a read has come, and when it gives up waiting (raw mode, VMIN and VTIME). */
struct reading {
    size_t total;
    uint64_t least;       /* VMIN, or 0 */
    uint64_t deadline_ns; /* of the next byte */
};

/* One question to tty. Bytes, 0 at the end of file, or -errno; -EAGAIN with *seen to sleep on. */
static int64_t read_some(struct px_ofd *ofd, px_user to, size_t bytes, struct reading *reading, uint32_t *seen)
{
    struct exo_message message = {.word = {PX_TTY_READ, 0, bytes, px_tty_ignores(SIGTTIN), 0}};
    uint64_t gap_ns;
    int64_t result;

    touch(to, bytes, true);
    result = px_tty_call(ofd, &message);
    *seen = (uint32_t)message.word[1];
    gap_ns = message.word[2];
    reading->least = message.word[3];
    if (result > 0) {
        if ((size_t)result > bytes || px_copy_out(to, px_msg(), (size_t)result) != 0)
            return -EFAULT;
        if (gap_ns)
            reading->deadline_ns = px_deadline_after(gap_ns);
    } else if (result == -EAGAIN && reading->total == 0) {
        /* Before the first byte VTIME counts only when VMIN is 0, and then from the start. */
        if (gap_ns == 0 || reading->least)
            reading->deadline_ns = PX_DEADLINE_NEVER;
        else if (reading->deadline_ns == PX_DEADLINE_NEVER)
            reading->deadline_ns = px_deadline_after(gap_ns);
    }
    return result;
}

static int64_t tty_read(struct px_ofd *ofd, px_user to, size_t bytes, uint64_t *offset)
{
    struct reading reading = {.deadline_ns = PX_DEADLINE_NEVER};

    (void)offset;
    while (reading.total < bytes) {
        size_t chunk = bytes - reading.total < CHUNK ? bytes - reading.total : CHUNK;
        uint32_t seen;
        int64_t result = read_some(ofd, to + reading.total, chunk, &reading, &seen);

        if (result == 0)
            break;
        if (result > 0) {
            reading.total += (size_t)result;
            if (reading.total >= reading.least)
                break;
            continue;
        }
        if (result == -EAGAIN && !(ofd->flags & O_NONBLOCK)) {
            result = px_wait_word(px_tty_word(ofd), seen, reading.deadline_ns);
            if (result >= 0)
                continue;
            if (result == -ETIMEDOUT)
                break;
        }
        if (reading.total)
            break;
        return result;
    }
    return (int64_t)reading.total;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int64_t write_some(struct px_ofd *ofd, px_user from, size_t bytes, uint32_t *seen)
{
    struct exo_message message = {.word = {PX_TTY_WRITE, 0, bytes, px_tty_ignores(SIGTTOU), 0}};
    int64_t result;

    touch(from, bytes, false);
    if (px_copy_in(px_msg(), from, bytes) != 0)
        return -EFAULT;
    result = px_tty_call(ofd, &message);
    *seen = (uint32_t)message.word[1];
    return result > (int64_t)bytes ? -EIO : result;
}

static int64_t tty_write(struct px_ofd *ofd, px_user from, size_t bytes, uint64_t *offset)
{
    size_t total = 0;

    (void)offset;
    while (total < bytes) {
        size_t chunk = bytes - total < CHUNK ? bytes - total : CHUNK;
        uint32_t seen;
        int64_t result = write_some(ofd, from + total, chunk, &seen);

        if (result > 0) {
            total += (size_t)result;
            if (total < bytes && px_signal_waiting())
                break;
            continue;
        }
        if (result == -EAGAIN && !(ofd->flags & O_NONBLOCK)) {
            result = px_wait_word(px_tty_word(ofd), seen, PX_DEADLINE_NEVER);
            if (result >= 0)
                continue;
        }
        return total ? (int64_t)total : result;
    }
    return (int64_t)total;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static unsigned tty_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count)
{
    struct exo_message message = {.word = {PX_TTY_POLL, 0, 0, 0, 0}};
    int64_t result = px_tty_call(ofd, &message);

    (void)events;
    if (result < 0)
        return POLLERR | POLLHUP;
    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){
            .va = (uint64_t)px_tty_word(ofd), .value = (uint32_t)message.word[1], .kind = EXO_WAIT_WORD};
    return (unsigned)result;
}

static void tty_own(struct px_ofd *ofd, uint64_t cookie, bool async)
{
    struct exo_message message = {.word = {PX_TTY_OWNER, 0, async ? cookie : 0, 0, 0}};

    (void)px_tty_call(ofd, &message); /* of one that is gone there is nothing to tell */
}

static int64_t tty_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    const struct px_node *node = &ofd->node;

    if (node->kind == PX_NODE_FS)
        return px_node_stat(node, stat);
    *stat = (struct px_stat){.st_dev = PX_DEVPTS_DEV, .st_ino = node->ino, .st_nlink = 1, .st_mode = node->mode, .st_uid = node->uid,
                             .st_gid = node->gid, .st_rdev = node->rdev, .st_blksize = 1024};
    return 0;
}

extern const struct px_ops px_tty_ops;
const struct px_ops px_tty_ops = {
    .name = "tty",
    .read = tty_read,
    .write = tty_write,
    .ioctl = px_tty_ioctl,
    .stat = tty_stat,
    .poll = tty_poll,
    .drop = tty_drop,
    .own = tty_own,
};
