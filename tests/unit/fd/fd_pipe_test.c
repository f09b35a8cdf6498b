/*
 * Pipes against a queue of bytes: random chunk sizes on both ends, atomic short writes, end of file, EPIPE
 * and SIGPIPE, faults in the middle, wakes only for those who wait, nonsense in the ring, and a large
 * transfer between real processes, one of which is destroyed in the middle.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/board.c"
#include "libos/posix/fd/fifo.c"
#include "libos/posix/fd/limits.c"
#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/ofd.c"
#include "libos/posix/fd/pipe.c"
#include "libos/posix/fd/pipe_tell.c"
#include "libos/posix/fd/pipe_make.c"
#include "libos/posix/fd/pipe_ring.c"
#include "libos/posix/fd/table.c"

const struct px_ops px_file_ops, px_directory_ops, px_path_ops, px_tty_ops, px_device_ops, px_proc_ops,
    px_socket_ops, px_event_ops, px_epoll_ops, px_timerfd_ops, px_signalfd_ops, px_pidfd_ops, px_inotify_ops, px_mqueue_ops;

void px_record_release(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_forget(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_pass_on(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_forked(void)
{
}
void px_record_exit(void)
{
}
int64_t px_node_stat(const struct px_node *node, struct px_stat *stat)
{
    (void)node, (void)stat;
    return -EIO;
}
int64_t px_node_hold(const struct px_node *node)
{
    (void)node;
    return 0;
}
void px_node_drop(const struct px_node *node)
{
    (void)node;
}
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    (void)server, (void)message;
    return -EIO;
}

static struct px_ofd *ends[2];
static struct px_pipe *ring;

static void open_pipe(unsigned flags)
{
    EQUAL(px_sys_pipe2(USER(0), flags, 0, 0, 0, 0), 0);
    ends[0] = px_fd_get(((int *)fake_user)[0]);
    ends[1] = px_fd_get(((int *)fake_user)[1]);
    CHECK(ends[0] && ends[1]);
    ring = px_pipe_ring(ends[0]);
    CHECK(ring == px_pipe_ring(ends[1]));
    EQUAL(ring->readers, 1);
    EQUAL(ring->writers, 1);
}

static void close_pipe(void)
{
    (void)px_fd_close(0);
    (void)px_fd_close(1);
    EQUAL(px_fd_next(0), -1);
}

static int64_t get(size_t at, size_t bytes)
{
    return px_pipe_ops.read(ends[0], USER(at), bytes, NULL);
}
static int64_t put_bytes(size_t at, size_t bytes)
{
    return px_pipe_ops.write(ends[1], USER(at), bytes, NULL);
}

/* ---- one process, not blocking: the model is a queue of consecutive numbers' low bytes ---- */

#define IN 0u
#define OUT (512u << 10)

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 167 >> 3);
}

static void random_chunks(void)
{
    uint64_t written = 0, read = 0;

    open_pipe(O_NONBLOCK);
    for (unsigned turn = 0; turn < 60000; turn++) {
        size_t bytes = fake_random(fake_random(3) ? 200 : 100000);
        uint64_t there = written - read, room = PX_PIPE_SIZE - there;
        int64_t result;

        if (fake_random(2)) {
            for (size_t i = 0; i < bytes; i++)
                fake_user[IN + i] = byte_at(written + i);
            result = put_bytes(IN, bytes);
            if (bytes == 0)
                EQUAL(result, 0);
            else if (bytes <= PX_PIPE_BUF ? room < bytes : room == 0)
                EQUAL(result, -EAGAIN);
            else
                EQUAL(result, bytes < room ? bytes : room);
            if (result > 0)
                written += (uint64_t)result;
        } else {
            result = get(OUT, bytes);
            EQUAL(result, bytes == 0 ? 0 : there == 0 ? -EAGAIN : (int64_t)(bytes < there ? bytes : there));
            for (int64_t i = 0; i < result; i++)
                EQUAL(fake_user[OUT + (size_t)i], byte_at(read + (uint64_t)i));
            if (result > 0)
                read += (uint64_t)result;
        }
        if (read == written)
            CHECK(ring->head == 0 && ring->tail == 0); /* starts over, to touch few pages */
        EQUAL(px_pipe_ops.ioctl(ends[0], FIONREAD, USER(OUT)), 0);
        EQUAL(*(uint32_t *)(fake_user + OUT), written - read);
    }
    EQUAL(fake_waits, 0);
    EQUAL(fake_wakes, 0);
    close_pipe();
}

static unsigned poll_now(struct px_ofd *ofd)
{
    return px_pipe_ops.poll(ofd, POLLIN | POLLOUT, NULL, NULL);
}

static void states(void)
{
    open_pipe(O_NONBLOCK);
    EQUAL(poll_now(ends[0]), 0);
    EQUAL(poll_now(ends[1]), POLLOUT);
    EQUAL(put_bytes(IN, PX_PIPE_SIZE - PX_PIPE_BUF + 1), PX_PIPE_SIZE - PX_PIPE_BUF + 1);
    EQUAL(poll_now(ends[0]), POLLIN);
    EQUAL(poll_now(ends[1]), 0); /* less than PIPE_BUF is free */
    EQUAL(px_fd_close(1), 0);
    EQUAL(ring->writers, 0);
    EQUAL(poll_now(ends[0]), POLLIN | POLLHUP);
    EQUAL(get(OUT, PX_PIPE_SIZE), PX_PIPE_SIZE - PX_PIPE_BUF + 1);
    EQUAL(poll_now(ends[0]), POLLHUP);
    EQUAL(get(OUT, 10), 0);
    EQUAL(get(OUT, 10), 0);
    close_pipe();
}

static void nobody_reads(void)
{
    open_pipe(0);
    EQUAL(px_fd_close(0), 0);
    EQUAL(poll_now(ends[1]), POLLOUT | POLLERR);
    fake_raised = 0;
    EQUAL(put_bytes(IN, 1), -EPIPE);
    EQUAL(fake_raised, SIGPIPE);
    close_pipe();
}

/* A reader that leaves while a long write sleeps: what went out counts, and the signal comes all the same. */
static bool reader_leaves(void)
{
    return px_fd_close(0) == 0;
}

static void reader_leaves_in_the_middle(void)
{
    open_pipe(0);
    fake_wait_hook = reader_leaves;
    fake_raised = 0;
    EQUAL(put_bytes(IN, PX_PIPE_SIZE + 5), PX_PIPE_SIZE);
    EQUAL(fake_raised, SIGPIPE);
    fake_wait_hook = NULL;
    close_pipe();
}

static bool signal_comes(void)
{
    return false;
}

static void signals_interrupt(void)
{
    open_pipe(0);
    fake_wait_hook = signal_comes;
    EQUAL(get(OUT, 5), -PX_ERESTARTSYS);
    EQUAL(ring->read_waiters, 0);
    EQUAL(put_bytes(IN, PX_PIPE_SIZE + 1), PX_PIPE_SIZE);
    EQUAL(put_bytes(IN, 1), -PX_ERESTARTSYS);
    EQUAL(ring->write_waiters, 0);
    EQUAL(ring->lock, 0);
    fake_wait_hook = NULL;
    close_pipe();
}

/* A sleeping reader is counted while it sleeps, and only then does a write enter the kernel. */
static bool writer_comes(void)
{
    EQUAL(ring->read_waiters, 1);
    EQUAL(ring->lock, 0);
    fake_wakes = 0;
    EQUAL(put_bytes(IN, 3), 3);
    EQUAL(fake_wakes, 1);
    EQUAL(put_bytes(IN, 3), 3); /* it has been woken */
    EQUAL(fake_wakes, 1);
    return true;
}

static bool reader_comes(void)
{
    EQUAL(ring->write_waiters, 1);
    fake_wakes = 0;
    EQUAL(get(OUT, PX_PIPE_BUF - 1), PX_PIPE_BUF - 1); /* not yet enough for a short write */
    EQUAL(fake_wakes, 0);
    EQUAL(get(OUT, 1), 1);
    EQUAL(fake_wakes, 1);
    return true;
}

static void wakes_who_sleeps(void)
{
    open_pipe(0);
    fake_wait_hook = writer_comes;
    EQUAL(get(OUT, 100), 6);
    EQUAL(ring->read_waiters, 0);
    fake_wait_hook = reader_comes;
    fake_wakes = 0;
    EQUAL(put_bytes(IN, PX_PIPE_SIZE), PX_PIPE_SIZE);
    EQUAL(fake_wakes, 0);
    EQUAL(put_bytes(IN, PX_PIPE_BUF), PX_PIPE_BUF);
    EQUAL(ring->write_waiters, 0);
    fake_wait_hook = NULL;
    close_pipe();
}

static void faults(void)
{
    open_pipe(O_NONBLOCK);
    EQUAL(px_pipe_ops.write(ends[1], 16, 5, NULL), -EFAULT);
    EQUAL(ring->tail, 0);
    fake_user_bytes = 1000;
    EQUAL(put_bytes(900, 300), 100); /* what could be read went out */
    EQUAL(px_pipe_ops.read(ends[0], 16, 5, NULL), -EFAULT);
    EQUAL(get(990, 50), 10);
    fake_user_bytes = sizeof fake_user;
    EQUAL(get(OUT, 500), 90);
    EQUAL(ring->lock, 0);
    EQUAL(px_sys_pipe2(16, 0, 0, 0, 0, 0), -EFAULT);
    EQUAL(px_fd_next(2), -1); /* and nothing stays open */
    EQUAL(px_sys_pipe2(USER(0), O_APPEND, 0, 0, 0, 0), -EINVAL);
    close_pipe();
}

static void gathered_writes_are_whole(void)
{
    uint64_t vector[6] = {USER(100), 3, USER(200), 0, USER(300), 4};

    open_pipe(O_NONBLOCK);
    memcpy(fake_user + 100, "abc", 3);
    memcpy(fake_user + 300, "defg", 4);
    EQUAL(put_bytes(IN, PX_PIPE_SIZE - 6), PX_PIPE_SIZE - 6);
    EQUAL(px_pipe_write_vector(ends[1], vector, 3, 7), -EAGAIN);
    EQUAL(get(OUT, 5000), 5000);
    EQUAL(px_pipe_write_vector(ends[1], vector, 3, 7), 7); /* around the ring's end */
    EQUAL(get(OUT, PX_PIPE_SIZE), PX_PIPE_SIZE - 6 - 5000 + 7);
    CHECK(memcmp(fake_user + OUT + PX_PIPE_SIZE - 5006, "abcdefg", 7) == 0);
    close_pipe();
}

static void nonsense_in_the_ring(void)
{
    open_pipe(O_NONBLOCK);
    EQUAL(put_bytes(IN, 10), 10);
    ring->head = 0x12345678;
    EQUAL(poll_now(ends[0]), 0);
    EQUAL(get(OUT, 10), -EAGAIN); /* an empty pipe */
    EQUAL(put_bytes(IN, 10), 10);
    EQUAL(get(OUT, 20), 10);
    ends[0]->word[0] = 16;
    EQUAL(get(OUT, 10), -EIO);
    ends[0]->word[0] = PX_SHARED_HI - PX_PAGE;
    EQUAL(get(OUT, 10), -EIO);
    EQUAL(poll_now(ends[0]), POLLERR);
    ends[0]->word[0] = (uint64_t)ring;
    ends[0]->word[1] = PX_SLOT_PROC; /* a relative would have us delete a capability that we need */
    EQUAL(px_fd_close(0), 0);
    close_pipe();
}

static void reopens(void)
{
    struct px_ofd *again;

    open_pipe(0);
    EQUAL(px_pipe_reopen(ends[0], O_WRONLY, &again), -EACCES);
    EQUAL(px_pipe_reopen(ends[0], O_RDONLY | O_NONBLOCK, &again), 0);
    EQUAL(ring->readers, 2);
    EQUAL(px_fd_install(again, 0, false), 2);
    EQUAL(px_fd_close(0), 0);
    EQUAL(ring->readers, 1);
    ends[0] = again;
    EQUAL(put_bytes(IN, 4), 4);
    EQUAL(get(OUT, 10), 4);
    EQUAL(get(OUT, 10), -EAGAIN);
    EQUAL(px_fd_close(2), 0);
    close_pipe();
}

/* A ring that nobody else ever saw is used again, cleared; one that a relative may have mapped is not. */
static void rings_are_used_again(void)
{
    uint64_t first;
    unsigned allocations;

    open_pipe(0);
    first = (uint64_t)ring;
    EQUAL(put_bytes(IN, 10), 10);
    close_pipe();
    allocations = fake_allocations;
    open_pipe(O_NONBLOCK);
    EQUAL((uint64_t)ring, first);
    EQUAL(fake_allocations, allocations);
    EQUAL(get(OUT, 10), -EAGAIN);
    px_pipe_inherited();
    close_pipe();
    open_pipe(0);
    CHECK((uint64_t)ring != first);
    close_pipe();
}

static void fails_cleanly(void)
{
    px_pipe_inherited(); /* empties the cache */
    fake_allocations_left = 0;
    EQUAL(px_sys_pipe2(USER(0), 0, 0, 0, 0, 0), -ENFILE);
    fake_allocations_left = ~0u;
    EQUAL(px_fd_next(0), -1);
    px_limits[RLIMIT_NOFILE].soft = 1;
    EQUAL(px_sys_pipe2(USER(0), 0, 0, 0, 0, 0), -EMFILE);
    px_limits[RLIMIT_NOFILE].soft = PX_LIMIT_FILES;
    EQUAL(px_fd_next(0), -1);
    for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++)
        EQUAL(fake_slot[slot], 0); /* no capability is left behind */
}

/* ---- real processes ---- */

#define LONG_TRANSFER (4u << 20)

static bool let_others_run(void)
{
    sched_yield();
    return true;
}

static void become(uint32_t index)
{
    fake_page.index = (int32_t)index;
    px_fd_fork_child();
}

static int start_child(uint32_t index)
{
    int pid;

    fake_process(index, index, PX_RUNNING);
    EQUAL(px_fd_fork_prepare(6, 1), 0);
    fake_slots_inherited(); /* before the child runs, as the clone of the slots is */
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        become(index);
    return pid;
}

static void write_long(void)
{
    for (uint64_t done = 0; done < LONG_TRANSFER;) {
        size_t bytes = 1 + fake_random(fake_random(2) ? 100000 : 3000);

        if (bytes > LONG_TRANSFER - done)
            bytes = LONG_TRANSFER - done;
        for (size_t i = 0; i < bytes; i++)
            fake_user[IN + i] = byte_at(done + i);
        EQUAL(put_bytes(IN, bytes), bytes);
        done += bytes;
    }
}

static void between_processes(void)
{
    uint64_t total = 0;
    int status;

    open_pipe(0);
    fake_wait_hook = let_others_run;
    if (start_child(30) == 0) {
        EQUAL(px_fd_close(0), 0);
        write_long();
        fake_environment_ends();
        _exit(0);
    }
    EQUAL(px_fd_close(1), 0);
    for (;;) {
        int64_t got = get(OUT, 1 + fake_random(70000));

        CHECK(got >= 0);
        if (got == 0)
            break;
        for (int64_t i = 0; i < got; i++)
            EQUAL(fake_user[OUT + (size_t)i], byte_at(total + (uint64_t)i));
        total += (uint64_t)got;
    }
    EQUAL(total, LONG_TRANSFER);
    CHECK(wait(&status) > 0);
    EQUAL(status, 0);
    EQUAL(ends[0]->holders, 1);
    close_pipe();
    fake_wait_hook = NULL;
}

/* A writer is destroyed while it holds the lock: the reader gets what was complete, and then the end. */
static void writer_is_destroyed(void)
{
    int status;

    open_pipe(0);
    if (start_child(31) == 0) {
        EQUAL(put_bytes(IN, 77), 77);
        px_lock_take(&ring->lock, PX_RANK_RING);
        memset(PX_PIPE_DATA(ring) + 77, 0xee, 1000);
        fake_environment_ends();
        PX_PROC(fake_table, 31)->state = PX_ZOMBIE;
        _exit(0);
    }
    EQUAL(px_fd_close(1), 0);
    CHECK(wait(&status) > 0);
    EQUAL(status, 0);
    EQUAL(get(OUT, 5000), 77);
    EQUAL(get(OUT, 5000), 0);
    EQUAL(ring->lock, 0);
    close_pipe();
}

/* Who wants a signal is told of each move, and counts as a sleeper, so that others look. */
static void tells_owners(void)
{
    open_pipe(O_NONBLOCK);
    fake_good_cookie = 4711;
    px_pipe_ops.own(ends[0], 4711, true);
    EQUAL(ring->read_waiters, 1);
    EQUAL(ring->write_waiters, 0);
    EQUAL(put_bytes(IN, 5), 5);
    EQUAL(put_bytes(IN, 5), 5);
    EQUAL(fake_told[PX_TELL_IN], 2);
    px_pipe_ops.own(ends[0], 4711, true);
    EQUAL(ring->read_waiters, 1);
    px_pipe_ops.own(ends[0], 4711, false);
    EQUAL(ring->read_waiters, 0);
    EQUAL(put_bytes(IN, 5), 5);
    EQUAL(fake_told[PX_TELL_IN], 2);
    px_pipe_ops.own(ends[1], 4711, true);
    EQUAL(get(OUT, 7), 7);
    EQUAL(fake_told[PX_TELL_OUT], 1);
    /* One that is good no more is taken away by who finds that out. */
    px_pipe_ops.own(ends[0], 99, true);
    EQUAL(put_bytes(IN, 5), 5);
    EQUAL(ring->owner[PX_PIPE_READER], 0);
    EQUAL(ring->read_waiters, 0);
    px_pipe_ops.own(ends[1], 0, false);
    px_pipe_ops.own(ends[0], 4711, true);
    EQUAL(px_fd_close(1), 0);
    EQUAL(fake_told[PX_TELL_IN], 3); /* of the end */
    px_pipe_ops.own(ends[0], 0, false);
    close_pipe();
}

int main(void)
{
    fake_start();
    px_fd_fork_child();
    random_chunks();
    states();
    nobody_reads();
    reader_leaves_in_the_middle();
    signals_interrupt();
    wakes_who_sleeps();
    faults();
    gathered_writes_are_whole();
    nonsense_in_the_ring();
    reopens();
    memset(fake_slot, 0, sizeof fake_slot); /* nonsense_in_the_ring left one, as it had to */
    rings_are_used_again();
    fails_cleanly();
    between_processes();
    writer_is_destroyed();
    tells_owners();
    printf("pipe: ok\n");
    return 0;
}
