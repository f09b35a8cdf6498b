/*
 * Advisory locks: fcntl's record locks (owned by a process) and flock's whole-file locks (owned by a
 * description). They live in one table in pages that proc gives all processes of a zone (layout.h). Locks of
 * processes that have died are passed over. Being advisory they protect nothing from a process that does not ask.
 */
#include <exo/loop.h>

#include "procfs.h"

#define TABLE_PAGES 4u
#define RECORDS ((TABLE_PAGES * PX_PAGE - sizeof(struct header)) / sizeof(struct record))
#define SLEEPERS 48u
#define RECHECK_NS 50000000ull
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLKW 38
#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u
#define LOCK_MAND 32u
#define EVERY_BYTE INT64_MAX

enum record_kind { RECORD_FREE, RECORD_READ, RECORD_WRITE };

struct record {
    uint64_t ino;
    uint64_t owner; /* a process: its lock word; a description: its lock_id */
    int64_t first, last;
    uint32_t process; /* PX_LOCK_HOLDER of who took it; of a description's: of one who has that */
    int32_t pid;
    uint16_t kind;  /* enum record_kind */
    uint16_t whole; /* flock */
    uint32_t gen;
};

struct header {
    uint32_t lock, change; /* change: bumped when a lock goes; sleepers wait on it */
    uint32_t waiters, next_id;
    uint32_t records, unused; /* all behind `records` are free */
    struct {
        uint32_t who, whom; /* PX_LOCK_HOLDER of who waits for a record lock, and of who is in his way; 0: free */
    } sleeper[SLEEPERS];
};

struct table {
    struct header header;
    struct record record[];
};

_Static_assert(TABLE_PAGES < PX_COMMON_PAGES, "the board is behind it");
static struct table *table; /* NULL: there is none, calls answer ENOLCK */
PX_HOT_DATA static unsigned mine; /* record locks that this process may hold: no look at the table when 0 */

void px_record_start(void)
{
    table = (struct table *)PX_SHARED;
}

void px_record_forked(void)
{
    mine = 0; /* record locks are not inherited */
}

/* A lock dies with the process that took it; that of a description, which others may have, too, with who is said to have it. */
static bool stale(const struct record *record)
{
    return px_holder_is_gone(record->process);
}

/* As many records as there may be something in. Others write here, too: never more than there are. */
static unsigned in_use(void)
{
    uint32_t records = __atomic_load_n(&table->header.records, __ATOMIC_RELAXED);

    return records < RECORDS ? records : RECORDS;
}

/* With the table's lock, after records were freed. */
static void forget_free(void)
{
    unsigned records = in_use();

    while (records > 0 && table->record[records - 1].kind == RECORD_FREE)
        records--;
    table->header.records = records;
}

static void changed(void)
{
    __atomic_fetch_add(&table->header.change, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&table->header.waiters, __ATOMIC_SEQ_CST))
        exo_wake_all(&table->header.change);
}

static bool same_file(const struct record *record, const struct px_ofd *ofd)
{
    return record->ino == ofd->node.ino && record->gen == ofd->node.gen;
}

/* The first lock in the file that stands in the way of `wanted`. */
static struct record *conflict(const struct record *wanted, const struct px_ofd *ofd)
{
    struct record *found = NULL;

    for (unsigned i = 0; i < in_use(); i++) {
        struct record *record = &table->record[i];

        if (record->kind == RECORD_FREE || record->whole != wanted->whole || !same_file(record, ofd) ||
            record->owner == wanted->owner)
            continue;
        if (record->last < wanted->first || record->first > wanted->last)
            continue;
        if (record->kind == RECORD_READ && wanted->kind == RECORD_READ)
            continue;
        if (stale(record))
            record->kind = RECORD_FREE;
        else if (!found || record->first < found->first)
            found = record;
    }
    return found;
}

static struct record *free_record(void)
{
    unsigned records = in_use();

    for (unsigned i = 0; i < records; i++) {
        if (table->record[i].kind == RECORD_FREE || stale(&table->record[i]))
            return &table->record[i];
    }
    if (records == RECORDS)
        return NULL;
    table->header.records = records + 1;
    return &table->record[records];
}

/* Takes first..last out of what the owner has on the file: cuts, and splits where it lies in the middle. */
static bool carve(const struct record *range, const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < in_use(); i++) {
        struct record *record = &table->record[i];

        if (record->kind == RECORD_FREE || record->whole != range->whole || record->owner != range->owner ||
            !same_file(record, ofd))
            continue;
        if (record->last < range->first || record->first > range->last)
            continue;
        if (record->first < range->first && record->last > range->last) {
            struct record *rest = free_record();

            if (!rest)
                return false;
            *rest = *record;
            rest->first = range->last + 1;
            record->last = range->first - 1;
        } else if (record->first < range->first) {
            record->last = range->first - 1;
        } else if (record->last > range->last) {
            record->first = range->last + 1;
        } else {
            record->kind = RECORD_FREE;
        }
    }
    return true;
}

/* Locks of one kind that lie side by side are one. */
static void join(struct record *place, const struct px_ofd *ofd)
{
    for (unsigned i = 0; i < in_use(); i++) {
        struct record *record = &table->record[i];

        if (record == place || record->kind != place->kind || record->whole || record->owner != place->owner || !same_file(record, ofd))
            continue;
        if (record->last == place->first - 1)
            place->first = record->first;
        else if (place->last != EVERY_BYTE && record->first == place->last + 1)
            place->last = record->last;
        else
            continue;
        record->kind = RECORD_FREE;
    }
}

/* With the table's lock. 0, -EAGAIN or -ENOLCK. */
static int64_t try_set(const struct record *wanted, const struct px_ofd *ofd)
{
    struct record *place;

    if (wanted->kind != RECORD_FREE && conflict(wanted, ofd))
        return -EAGAIN;
    if (!carve(wanted, ofd))
        return -ENOLCK;
    if (wanted->kind != RECORD_FREE) {
        place = free_record();
        if (!place)
            return -ENOLCK;
        *place = *wanted;
        if (!place->whole)
            join(place, ofd);
    }
    forget_free();
    return 0;
}

/* For whom does the process wait? 0: for nobody. */
static uint32_t waits_for(uint32_t process)
{
    for (unsigned i = 0; i < SLEEPERS; i++)
        if (table->header.sleeper[i].who == process && !px_holder_is_gone(process))
            return table->header.sleeper[i].whom;
    return 0;
}

/* With the table's lock: says that this process waits for `whom`. -EDEADLK: whom in the end waits for this one. */
static int64_t fall_asleep(uint32_t whom, unsigned *place)
{
    uint32_t next = whom;

    *place = SLEEPERS;
    for (unsigned steps = 0; next && steps < SLEEPERS; steps++) {
        if (next == px_lock_self)
            return -EDEADLK;
        next = waits_for(next);
    }
    for (unsigned i = 0; i < SLEEPERS && *place == SLEEPERS; i++)
        if (!table->header.sleeper[i].who || px_holder_is_gone(table->header.sleeper[i].who))
            *place = i;
    if (*place < SLEEPERS) { /* without a place it waits all the same, and nobody sees a circle that goes through it */
        table->header.sleeper[*place].who = px_lock_self;
        table->header.sleeper[*place].whom = whom;
    }
    return 0;
}

static void wake_up(unsigned place)
{
    if (place == SLEEPERS)
        return;
    px_lock_take(&table->header.lock, PX_RANK_RECORDS);
    if (table->header.sleeper[place].who == px_lock_self)
        table->header.sleeper[place].who = 0;
    px_lock_give(&table->header.lock);
}

static int64_t set(const struct record *wanted, const struct px_ofd *ofd, bool wait)
{
    for (;;) {
        unsigned place = SLEEPERS;
        const struct record *other;
        int64_t result;
        uint32_t seen;

        px_lock_take(&table->header.lock, PX_RANK_RECORDS);
        result = try_set(wanted, ofd);
        if (result == -EAGAIN && wait && wanted->owner == px_lock_self && (other = conflict(wanted, ofd)) && fall_asleep(other->process, &place) < 0)
            result = -EDEADLK;
        seen = __atomic_load_n(&table->header.change, __ATOMIC_SEQ_CST);
        if (result == -EAGAIN && wait)
            __atomic_fetch_add(&table->header.waiters, 1, __ATOMIC_SEQ_CST);
        px_lock_give(&table->header.lock);
        if (result != -EAGAIN || !wait) {
            if (result == 0)
                changed();
            return result;
        }
        /* A holder that is destroyed says nothing: look again from time to time. */
        result = px_wait_word(&table->header.change, seen, px_now_ns() + RECHECK_NS);
        wake_up(place);
        __atomic_fetch_sub(&table->header.waiters, 1, __ATOMIC_RELAXED);
        if (result < 0 && result != -ETIMEDOUT)
            return result;
    }
}

/* ---- fcntl ---- */

static int64_t range_of(struct px_ofd *ofd, const struct px_flock *lock, struct record *record)
{
    int64_t base = 0, length = lock->l_len;
    struct px_stat stat;

    if (lock->l_whence == SEEK_CUR) {
        base = (int64_t)ofd->offset;
    } else if (lock->l_whence == SEEK_END) {
        if (px_node_stat(&ofd->node, &stat) != 0)
            return -EINVAL;
        base = stat.st_size;
    } else if (lock->l_whence != SEEK_SET) {
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, lock->l_start, &record->first))
        return -EOVERFLOW;
    if (length < 0) {
        record->last = record->first - 1;
        if (__builtin_add_overflow(record->first, length, &record->first))
            return -EINVAL;
    } else if (length == 0) {
        record->last = EVERY_BYTE;
    } else if (__builtin_add_overflow(record->first, length - 1, &record->last)) {
        return -EOVERFLOW;
    }
    return record->first < 0 ? -EINVAL : 0;
}

static int64_t get_lock(struct px_ofd *ofd, struct px_flock *lock, const struct record *wanted, px_user to)
{
    struct record *other;

    px_lock_take(&table->header.lock, PX_RANK_RECORDS);
    other = conflict(wanted, ofd);
    if (other) {
        lock->l_type = other->kind == RECORD_READ ? F_RDLCK : F_WRLCK;
        lock->l_whence = SEEK_SET;
        lock->l_start = other->first;
        lock->l_len = other->last == EVERY_BYTE ? 0 : other->last - other->first + 1;
        lock->l_pid = other->owner >> 32 ? -1 : other->pid; /* a description's */
    } else {
        lock->l_type = F_UNLCK;
    }
    px_lock_give(&table->header.lock);
    return px_copy_out(to, lock, sizeof *lock);
}

static uint64_t description_owner(struct px_ofd *ofd)
{
    if (!ofd->lock_id)
        ofd->lock_id = 1ull << 32 | __atomic_add_fetch(&table->header.next_id, 1, __ATOMIC_RELAXED);
    return ofd->lock_id;
}

int64_t px_record_fcntl(struct px_ofd *ofd, unsigned command, px_user user_lock)
{
    struct px_flock lock;
    struct record wanted = {.owner = px_lock_self, .process = px_lock_self, .pid = px_self()->pid};
    bool description = command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
    int64_t result;

    if (description) /* the same ranges, but a description's: F_OFD_SETLK.. are F_SETLK.. */
        command -= F_OFD_SETLKW - F_SETLKW;
    if (command > F_SETLKW)
        return -EINVAL;
    if (px_copy_in(&lock, user_lock, sizeof lock) != 0)
        return -EFAULT;
    if ((uint16_t)lock.l_type > F_UNLCK)
        return -EINVAL;
    if (description && lock.l_pid != 0)
        return -EINVAL;
    if (ofd->kind != PX_OFD_FILE || !table)
        return ofd->kind != PX_OFD_FILE ? -EBADF : -ENOLCK;
    if (description)
        wanted.owner = description_owner(ofd);
    if (command != 5 && ((lock.l_type == F_RDLCK && !px_ofd_readable(ofd)) ||
                         (lock.l_type == F_WRLCK && !px_ofd_writable(ofd))))
        return -EBADF;
    result = range_of(ofd, &lock, &wanted);
    if (result < 0)
        return result;
    wanted.ino = ofd->node.ino;
    wanted.gen = ofd->node.gen;
    wanted.kind = lock.l_type == F_UNLCK ? RECORD_FREE : lock.l_type == F_RDLCK ? RECORD_READ : RECORD_WRITE;
    if (command == 5)
        return lock.l_type == F_UNLCK ? -EINVAL : get_lock(ofd, &lock, &wanted, user_lock);
    mine += !description;
    return set(&wanted, ofd, command == F_SETLKW);
}

PX_APART static void release_where(uint64_t owner, const struct px_ofd *ofd)
{
    bool released = false;

    if (!table)
        return;
    px_lock_take(&table->header.lock, PX_RANK_RECORDS);
    for (unsigned i = 0; i < in_use(); i++) {
        struct record *record = &table->record[i];

        if (record->kind == RECORD_FREE || record->owner != owner || (ofd && !same_file(record, ofd)))
            continue;
        record->kind = RECORD_FREE;
        released = true;
    }
    if (released)
        forget_free();
    px_lock_give(&table->header.lock);
    if (released)
        changed();
}

void px_record_release(struct px_ofd *ofd)
{
    if (mine && ofd->kind == PX_OFD_FILE)
        release_where(px_lock_self, ofd);
}

void px_record_exit(void)
{
    if (mine)
        release_where(px_lock_self, NULL);
}

/* ---- flock ---- */

void px_record_forget(struct px_ofd *ofd)
{
    release_where(ofd->lock_id, NULL);
}

void px_record_pass_on(struct px_ofd *ofd)
{
    uint32_t heir = px_ofd_heir(ofd);

    if (!table)
        return;
    if (!heir) { /* all others that had it were killed */
        px_record_forget(ofd);
        return;
    }
    px_lock_take(&table->header.lock, PX_RANK_RECORDS);
    for (unsigned i = 0; i < in_use(); i++) {
        struct record *record = &table->record[i];

        if (record->kind != RECORD_FREE && record->owner == ofd->lock_id)
            record->process = heir;
    }
    px_lock_give(&table->header.lock);
}

PX_SYS(flock)
{
    struct px_ofd *ofd = px_fd_entry((unsigned)a);
    unsigned operation = (unsigned)b & ~LOCK_NB;
    struct record wanted = {.last = EVERY_BYTE, .whole = 1, .process = px_lock_self, .pid = px_self()->pid};
    int64_t result;

    if (!ofd || ofd->flags & O_PATH)
        return -EBADF;
    if (operation & LOCK_MAND)
        return 0; /* Linux knows the number and does nothing */
    if (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN)
        return -EINVAL;
    if (!table)
        return -ENOLCK;
    wanted.owner = description_owner(ofd);
    wanted.ino = ofd->node.ino;
    wanted.gen = ofd->node.gen;
    wanted.kind = operation == LOCK_UN ? RECORD_FREE : operation == LOCK_SH ? RECORD_READ : RECORD_WRITE;
    result = set(&wanted, ofd, !(b & LOCK_NB));
    return result;
}

/* ---- /proc/locks ---- */

/* Those who wait for one are not told. */
void px_text_locks(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    unsigned number = 0;

    for (unsigned i = 0; table && i < RECORDS; i++) {
        const struct record record = table->record[i];
        bool of_process = !record.whole && record.owner == record.process;

        if (record.kind == RECORD_FREE || stale(&record))
            continue;
        px_text_add(text, "%u: %s ADVISORY  %s %d 00:%02x:%lu %lu ", ++number, record.whole ? "FLOCK " : of_process ? "POSIX " : "OFDLCK",
                    record.kind == RECORD_READ ? "READ " : "WRITE", of_process || record.whole ? record.pid : -1, (unsigned)PX_FS_DEV,
                    (unsigned long)record.ino, (unsigned long)record.first);
        if (record.last == EVERY_BYTE)
            px_text_add(text, "EOF\n");
        else
            px_text_add(text, "%lu\n", (unsigned long)record.last);
    }
}
