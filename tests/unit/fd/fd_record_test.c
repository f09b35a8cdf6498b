/*
 * Advisory locks: fcntl's ranges of several owners against a model of every byte, flock of descriptions,
 * owners that die, a full table.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/record.c"
#include "libos/posix/fd/text.c"

#define OWNERS 3u
#define BYTES 48

struct px_fd_table px_fds;
int64_t px_node_stat(const struct px_node *node, struct px_stat *stat)
{
    (void)node;
    stat->st_size = 20;
    return 0;
}

static uint32_t heir; /* who else has the description */
uint32_t px_ofd_heir(const struct px_ofd *ofd)
{
    (void)ofd;
    return heir;
}

static struct px_ofd file = {.kind = PX_OFD_FILE, .flags = O_RDWR, .node = {.ino = 77, .gen = 2}};
static struct px_ofd other_file = {.kind = PX_OFD_FILE, .flags = O_RDWR, .node = {.ino = 78, .gen = 2}};

static void be(unsigned owner)
{
    fake_page.index = (int32_t)(10 + owner);
    px_lock_start();
}

static int64_t lock(struct px_ofd *ofd, unsigned command, int type, int whence, int64_t start, int64_t length)
{
    *(struct px_flock *)fake_user = (struct px_flock){
        .l_type = (int16_t)type, .l_whence = (int16_t)whence, .l_start = start, .l_len = length};
    return px_record_fcntl(ofd, command, USER(0));
}

/* ---- every byte's holders ---- */

static uint8_t model[BYTES][OWNERS]; /* 0 none, 1 read, 2 write */

static bool model_conflict(unsigned owner, int first, int last, int kind)
{
    for (int at = first; at <= last; at++) {
        for (unsigned o = 0; o < OWNERS; o++) {
            if (o != owner && model[at][o] && (model[at][o] == 2 || kind == 2))
                return true;
        }
    }
    return false;
}

static void random_ranges(void)
{
    for (unsigned turn = 0; turn < 100000; turn++) {
        unsigned owner = fake_random(OWNERS);
        int first = (int)fake_random(BYTES), length = 1 + (int)fake_random((unsigned)(BYTES - first)),
            last = first + length - 1;
        int type = (int)fake_random(3), kind = type == F_UNLCK ? 0 : type == F_RDLCK ? 1 : 2;
        bool conflicts = kind && model_conflict(owner, first, last, kind);

        be(owner);
        if (kind && fake_random(4) == 0) {
            EQUAL(lock(&file, 5, type, SEEK_SET, first, length), 0);
            CHECK((((struct px_flock *)fake_user)->l_type == F_UNLCK) == !conflicts);
            continue;
        }
        EQUAL(lock(&file, F_SETLK, type, SEEK_SET, first, length), conflicts ? -EAGAIN : 0);
        for (int at = first; at <= last && !conflicts; at++)
            model[at][owner] = (uint8_t)kind;
    }
    for (unsigned owner = 0; owner < OWNERS; owner++) {
        be(owner);
        px_record_release(&file); /* any close of the file gives all up */
    }
    be(0);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), 0);
    EQUAL(lock(&file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0), 0);
}

static void places(void)
{
    be(0);
    file.offset = 30;
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_CUR, 2, 3), 0);  /* 32..34 */
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_END, 0, -5), 0); /* 15..19 */
    be(1);
    EQUAL(lock(&file, 5, F_WRLCK, SEEK_SET, 0, 0), 0);
    EQUAL(((struct px_flock *)fake_user)->l_pid, 110);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, 34, 1), -EAGAIN);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, 35, 0), 0);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, 19, 1), -EAGAIN);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, 20, 12), 0);
    EQUAL(lock(&other_file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), 0);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, -1, 1), -EINVAL);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, SEEK_SET, INT64_MAX, 2), -EOVERFLOW);
    EQUAL(lock(&file, F_SETLK, F_RDLCK, 9, 0, 0), -EINVAL);
    EQUAL(lock(&file, F_SETLK, 3, SEEK_SET, 0, 0), -EINVAL);
    EQUAL(px_record_fcntl(&file, F_SETLK, 16), -EFAULT);
    px_record_exit();
    be(0);
    px_record_exit();
}

/* The lock of a process that was destroyed stands in nobody's way. */
static void owners_die(void)
{
    be(0);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), 0);
    be(1);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), -EAGAIN);
    fake_process(10, 1, PX_ZOMBIE);
    EQUAL(lock(&file, F_SETLKW, F_WRLCK, SEEK_SET, 0, 0), 0);
    px_record_exit();
    fake_process(10, 1, PX_RUNNING);
}

static bool unlocks(void)
{
    be(0);
    EQUAL(lock(&file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0), 0);
    be(1);
    return true;
}

static void waits(void)
{
    be(0);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), 0);
    be(1);
    fake_wait_hook = unlocks;
    EQUAL(lock(&file, F_SETLKW, F_WRLCK, SEEK_SET, 0, 0), 0);
    fake_wait_hook = NULL;
    px_record_exit();
}

static int64_t flock_of(struct px_ofd *ofd, unsigned operation)
{
    uint64_t entry = (uint64_t)ofd;

    px_fds = (struct px_fd_table){.entry = &entry, .count = 1, .high = 1};
    return px_sys_flock(0, operation, 0, 0, 0, 0);
}

static void descriptions(void)
{
    _Alignas(128) static struct px_ofd one, two;

    one = two = file;
    be(0);
    EQUAL(flock_of(&one, LOCK_SH), 0);
    EQUAL(flock_of(&two, LOCK_SH | LOCK_NB), 0);
    EQUAL(flock_of(&two, LOCK_EX | LOCK_NB), -EAGAIN);
    EQUAL(flock_of(&one, LOCK_UN), 0);
    EQUAL(flock_of(&two, LOCK_EX | LOCK_NB), 0);
    EQUAL(flock_of(&one, LOCK_SH | LOCK_NB), -EAGAIN);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), 0); /* the two kinds do not know each other */
    px_record_exit();
    px_record_forget(&two);
    EQUAL(flock_of(&one, LOCK_EX | LOCK_NB), 0);
    px_record_forget(&one);
    EQUAL(flock_of(&one, 7), -EINVAL);
    EQUAL(flock_of(&one, LOCK_EX), 0);
    fake_process(10, 1, PX_ZOMBIE); /* destroyed with the lock */
    be(1);
    EQUAL(flock_of(&two, LOCK_EX | LOCK_NB), 0);
    heir = PX_LOCK_HOLDER(12, 1);
    px_record_pass_on(&two); /* to a child */
    fake_process(11, 1, PX_ZOMBIE);
    be(2);
    EQUAL(flock_of(&one, LOCK_EX | LOCK_NB), -EAGAIN);
    fake_process(12, 1, PX_ZOMBIE); /* destroyed, too: nobody is left to say that it goes */
    EQUAL(flock_of(&one, LOCK_EX | LOCK_NB), 0);
    heir = 0; /* the others were destroyed before */
    px_record_pass_on(&one);
    EQUAL(flock_of(&two, LOCK_EX | LOCK_NB), 0);
    px_record_forget(&two);
    for (unsigned index = 10; index < 13; index++)
        fake_process(index, 1, PX_RUNNING);
}

/* Locks of descriptions by fcntl: two of one process stand in each other's way, and in that of the process's own; closing another descriptor leaves them. */
static void ranges_of_descriptions(void)
{
    _Alignas(128) static struct px_ofd one, two;

    one = two = file;
    be(0);
    EQUAL(lock(&one, F_OFD_GETLK + 1, F_WRLCK, SEEK_SET, 0, 10), 0);
    EQUAL(lock(&one, F_OFD_GETLK + 1, F_RDLCK, SEEK_SET, 5, 5), 0);
    EQUAL(lock(&two, F_OFD_GETLK + 1, F_WRLCK, SEEK_SET, 9, 5), -EAGAIN);
    EQUAL(lock(&two, F_OFD_GETLK + 1, F_RDLCK, SEEK_SET, 9, 5), 0);
    EQUAL(lock(&two, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), -EAGAIN);
    EQUAL(lock(&two, F_OFD_GETLK, F_WRLCK, SEEK_SET, 0, 1), 0);
    EQUAL(((struct px_flock *)fake_user)->l_pid, -1);
    *(struct px_flock *)fake_user = (struct px_flock){.l_type = F_RDLCK, .l_pid = 1};
    EQUAL(px_record_fcntl(&one, F_OFD_GETLK, USER(0)), -EINVAL);
    px_record_release(&one);
    px_record_exit();
    EQUAL(lock(&two, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), -EAGAIN);
    px_record_forget(&one);
    EQUAL(lock(&two, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), 0);
    EQUAL(lock(&two, F_SETLK, F_WRLCK, SEEK_SET, 9, 1), -EAGAIN);
    px_record_forget(&two);
    px_record_exit();
}

/* Each owner's locks lie apart, so none merge: at the end of the table there is an error, and nothing is
 * lost. */
static void table_full(void)
{
    int64_t result = 0;
    unsigned count = 0;

    be(0);
    while (result == 0 && count < 2 * RECORDS)
        result = lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 10 * (int64_t)count++, 1);
    EQUAL(result, -ENOLCK);
    CHECK(count > 300);
    be(1);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), -EAGAIN);
    be(0);
    px_record_exit();
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), 0);
    px_record_exit();
}

/* Only records that may hold something are looked at; whoever spoils their number spoils no more than locks. */
static void number_of_records(void)
{
    be(0);
    for (unsigned i = 0; i < 100; i++)
        EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 10 * (int64_t)i, 1), 0);
    EQUAL(table->header.records, 100);
    EQUAL(lock(&file, F_SETLK, F_UNLCK, SEEK_SET, 0, 500), 0);
    EQUAL(table->header.records, 100); /* the first half is free, and taken first */
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 1), 0);
    EQUAL(table->header.records, 100);
    EQUAL(lock(&file, F_SETLK, F_UNLCK, SEEK_SET, 500, 0), 0);
    EQUAL(table->header.records, 1);
    table->header.records = UINT32_MAX;
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 5000, 1), 0);
    px_record_exit();
    EQUAL(table->header.records, 0);
}

/* /proc/locks: a part of a file of a process, a whole one of a description; none of the dead. */
static void told(void)
{
    char space[512];
    struct px_text text = {.at = space, .room = sizeof space - 1};
    _Alignas(128) static struct px_ofd one = {.kind = PX_OFD_FILE, .flags = O_RDWR, .node = {.ino = 90, .gen = 1}};

    be(0);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 5, 10), 0);
    EQUAL(lock(&other_file, F_SETLK, F_RDLCK, SEEK_SET, 7, 0), 0);
    EQUAL(flock_of(&one, LOCK_EX), 0);
    px_text_locks(&text, NULL);
    space[text.used] = '\0';
    EQUAL(strcmp(space, "1: POSIX  ADVISORY  WRITE 110 00:02:77 5 14\n2: POSIX  ADVISORY  READ  110 00:02:78 7 EOF\n"
                        "3: FLOCK  ADVISORY  WRITE 110 00:02:90 0 EOF\n"), 0);
    EQUAL(lock(&file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0), 0);
    EQUAL(lock(&other_file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0), 0);
    EQUAL(flock_of(&one, LOCK_UN), 0);
    text.used = 0;
    px_text_locks(&text, NULL);
    EQUAL(text.used, 0);
}

int main(void)
{
    fake_start();
    for (uint32_t i = 0; i < OWNERS; i++)
        fake_process(10 + i, 1, PX_RUNNING);
    be(0);
    EQUAL(lock(&file, F_SETLK, F_WRLCK, SEEK_SET, 0, 0), -ENOLCK); /* before there is a table */
    px_record_start();
    random_ranges();
    places();
    told();
    number_of_records();
    owners_die();
    waits();
    descriptions();
    ranges_of_descriptions();
    table_full();
    printf("record: ok\n");
    return 0;
}
