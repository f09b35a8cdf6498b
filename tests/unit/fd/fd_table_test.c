/*
 * The descriptor table and description pages against a model: random calls on up to the limit of descriptors,
 * each description's operations counted; fork, exec and exit; growth; and every allocation refused in turn.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/board.c"
#include "libos/posix/fd/limits.c"
#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/ofd.c"
#include "libos/posix/fd/table.c"

unsigned px_ring_pages(uint64_t va)
{
    (void)va;
    return 0;
}
void px_ring_let_go(uint64_t va)
{
    (void)va;
}

#define MODEL 300u

/* What the descriptions of this test count, by number (word[0]). */
static unsigned drops[1 << 16], destroys[1 << 16], forks[1 << 16];
static unsigned made;

static void count_drop(struct px_ofd *ofd)
{
    drops[ofd->word[0]]++;
}
static void count_destroy(struct px_ofd *ofd)
{
    destroys[ofd->word[0]]++;
}
static void count_fork(struct px_ofd *ofd)
{
    forks[ofd->word[0]]++;
}
const struct px_ops px_device_ops = {
    .name = "counted", .drop = count_drop, .destroy = count_destroy, .fork = count_fork};
const struct px_ops px_file_ops, px_directory_ops, px_path_ops, px_tty_ops, px_pipe_ops, px_proc_ops,
    px_socket_ops, px_event_ops, px_epoll_ops, px_timerfd_ops, px_signalfd_ops, px_pidfd_ops, px_inotify_ops, px_mqueue_ops;

int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    (void)server, (void)message;
    return -EIO;
}
static unsigned released, inherited;
void px_record_release(struct px_ofd *ofd)
{
    (void)ofd;
    released++;
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
void px_pipe_inherited(void)
{
    inherited++;
}

static struct px_ofd *new_description(void)
{
    struct px_ofd *ofd = px_ofd_new(PX_OFD_DEVICE, O_RDWR | O_CLOEXEC);

    if (ofd) {
        EQUAL(ofd->holders, 1);
        EQUAL(ofd->flags, O_RDWR);
        EQUAL(ofd->lock, 0);
        EQUAL(ofd->offset, 0);
        ofd->word[0] = ++made % (1 << 16);
    }
    return ofd;
}

/* ---- the model: which description each descriptor names ---- */

static struct px_ofd *model[MODEL];
static bool model_cloexec[MODEL];

static unsigned names(const struct px_ofd *ofd)
{
    unsigned count = 0;

    for (unsigned fd = 0; fd < MODEL; fd++)
        count += model[fd] == ofd;
    return count;
}

static int lowest_free(int from)
{
    while (from < (int)MODEL && model[from])
        from++;
    return from;
}

static void model_close(unsigned fd)
{
    struct px_ofd *ofd = model[fd];

    model[fd] = NULL;
    if (ofd && names(ofd) == 0) {
        EQUAL(drops[ofd->word[0]], 1);
        EQUAL(destroys[ofd->word[0]], 1);
        EQUAL(ofd->holders, 0);
    } else if (ofd) {
        EQUAL(drops[ofd->word[0]], 0);
        EQUAL(ofd->holders, 1);
    }
}

static void compare(void)
{
    for (unsigned fd = 0; fd < MODEL; fd++) {
        CHECK(px_fd_get((int)fd) == model[fd]);
        CHECK(!model[fd] || px_fd_cloexec(fd) == model_cloexec[fd]);
    }
    CHECK(px_fd_get(-1) == NULL);
    CHECK(px_fd_get(INT32_MAX) == NULL);
    for (int fd = px_fd_next(0), count = 0; fd >= 0; fd = px_fd_next((unsigned)fd + 1), count++)
        CHECK(model[fd] != NULL && count < (int)MODEL);
}

static void one_open(void)
{
    struct px_ofd *ofd = new_description();
    bool cloexec = fake_random(2);
    int expected = lowest_free(0);
    int64_t fd;

    CHECK(ofd != NULL);
    fd = px_fd_install(ofd, 0, cloexec);
    if (expected == (int)MODEL) {
        EQUAL(fd, -EMFILE);
        px_ofd_abandon(ofd);
        return;
    }
    EQUAL(fd, expected);
    model[fd] = ofd;
    model_cloexec[fd] = cloexec;
}

static void one_dup(unsigned fd, int lowest)
{
    bool cloexec = fake_random(2);
    int64_t result = px_fd_dup((int)fd, lowest, cloexec);
    int expected = lowest_free(lowest);

    if (!model[fd]) {
        EQUAL(result, -EBADF);
    } else if (expected == (int)MODEL) {
        EQUAL(result, -EMFILE);
    } else {
        EQUAL(result, expected);
        model[result] = model[fd];
        model_cloexec[result] = cloexec;
    }
}

static void one_dup_to(unsigned from, unsigned to)
{
    int64_t result = px_sys_dup2(from, to, 0, 0, 0, 0);

    if (!model[from]) {
        EQUAL(result, -EBADF);
        return;
    }
    EQUAL(result, to);
    if (from == to)
        return;
    if (model[to] != model[from])
        model_close(to);
    model[to] = model[from];
    model_cloexec[to] = false;
}

static void one_range(unsigned first, unsigned last)
{
    bool mark = fake_random(2);

    EQUAL(px_sys_close_range(first, last, mark ? CLOSE_RANGE_CLOEXEC : 0, 0, 0, 0), 0);
    for (unsigned fd = first; fd <= last && fd < MODEL; fd++) {
        if (!mark)
            model[fd] = NULL;
        else if (model[fd])
            model_cloexec[fd] = true;
    }
}

static void random_calls(void)
{
    px_limits[RLIMIT_NOFILE].soft = MODEL;
    for (unsigned turn = 0; turn < 200000; turn++) {
        unsigned fd = fake_random(fake_random(4) ? 12 : MODEL),
                 other = fake_random(fake_random(4) ? 12 : MODEL);

        switch (fake_random(8)) {
        case 0:
        case 1:
            one_open();
            break;
        case 2:
            one_dup(fd, (int)other);
            break;
        case 3:
            one_dup_to(fd, other);
            break;
        case 4:
        case 5:
        case 6:
            EQUAL(px_fd_close((int)fd), model[fd] ? 0 : -EBADF);
            model_close(fd);
            break;
        default:
            if (fake_random(50) == 0)
                one_range(fd < other ? fd : other, fd < other ? other : fd);
            break;
        }
        if (turn % 64 == 0)
            compare();
    }
    EQUAL(px_sys_close_range(0, ~0u, 0, 0, 0, 0), 0);
    memset(model, 0, sizeof model);
    compare();
}

static void refuses_nonsense(void)
{
    struct px_ofd *ofd = new_description();

    EQUAL(px_fd_install(ofd, 0, false), 0);
    EQUAL(px_sys_dup(7, 0, 0, 0, 0, 0), -EBADF);
    EQUAL(px_sys_dup2(0, MODEL, 0, 0, 0, 0), -EBADF);
    EQUAL(px_sys_dup2(0, (uint64_t)-1, 0, 0, 0, 0), -EBADF);
    EQUAL(px_sys_dup2(0, 0, 0, 0, 0, 0), 0);
    EQUAL(px_sys_dup3(0, 0, 0, 0, 0, 0), -EINVAL);
    EQUAL(px_sys_dup3(0, 1, O_APPEND, 0, 0, 0), -EINVAL);
    EQUAL(px_sys_dup3(0, 1, O_CLOEXEC, 0, 0, 0), 1);
    CHECK(px_fd_cloexec(1) && !px_fd_cloexec(0));
    EQUAL(px_fd_dup(0, MODEL, false), -EINVAL);
    EQUAL(px_sys_close_range(5, 4, 0, 0, 0, 0), -EINVAL);
    EQUAL(px_sys_close_range(0, 4, 1, 0, 0, 0), -EINVAL);
    EQUAL(px_fd_close(0), 0);
    EQUAL(px_fd_close(1), 0);
    EQUAL(px_fd_close(1), -EBADF);
}

/* Twins count once over fork; the description lives until both processes have left it. */
static void forks_count_once(void)
{
    struct px_ofd *ofd = new_description();
    unsigned number = (unsigned)ofd->word[0];

    EQUAL(px_fd_install(ofd, 0, false), 0);
    EQUAL(px_fd_dup(0, 0, false), 1);
    EQUAL(px_fd_dup(0, 40, false), 40);
    EQUAL(px_fd_fork_prepare(6, 1), 0);
    EQUAL(ofd->holders, 2);
    EQUAL(forks[number], 1);
    px_fd_fork_failed();
    EQUAL(ofd->holders, 1);
    EQUAL(drops[number], 1); /* what the child would have had */
    EQUAL(px_fd_fork_prepare(6, 1), 0);
    EQUAL(px_fd_close(0), 0);
    EQUAL(px_fd_close(1), 0);
    EQUAL(px_fd_close(40), 0);
    EQUAL(ofd->holders, 1);
    EQUAL(destroys[number], 0);
    px_ofd_leave(ofd); /* the child's last descriptor */
    EQUAL(destroys[number], 1);
    EQUAL(ofd->kind, PX_OFD_FREE);
    CHECK(inherited == 2);
}

/* A child is destroyed and says nothing: what its parent has closed by then is free again when a slot is needed, and not before. */
static void killed_child(void)
{
    unsigned pages_then;

    px_ofd_seal();
    ((struct px_proctab *)fake_table)->entries = 7;
    fake_process(6, 1, PX_RUNNING);
    for (unsigned i = 0; i < 3 * SLOTS; i++)
        EQUAL(px_fd_install(new_description(), 0, false), i);
    EQUAL(px_fd_fork_prepare(6, 1), 0);
    EQUAL(px_sys_close_range(0, ~0u, 0, 0, 0, 0), 0);
    pages_then = page_count;
    for (unsigned i = 0; i < SLOTS; i++)
        EQUAL(px_fd_install(new_description(), 0, false), i);
    CHECK(page_count > pages_then); /* it lives, and holds all of the others */
    fake_process(6, 1, PX_ZOMBIE);
    pages_then = page_count;
    for (unsigned i = SLOTS; i < 4 * SLOTS; i++)
        EQUAL(px_fd_install(new_description(), 0, false), i);
    EQUAL(page_count, pages_then);
    fake_process(6, 2, PX_RUNNING); /* another one at its place has nothing of it */
    EQUAL(px_fd_fork_prepare(6, 2), 0);
    CHECK(px_ofd_heir(px_fd_get(0)) == PX_LOCK_HOLDER(6, 2));
    fake_process(6, 3, PX_RUNNING);
    CHECK(px_ofd_heir(px_fd_get(0)) == 0);
    EQUAL(px_sys_close_range(0, ~0u, 0, 0, 0, 0), 0);
}

static void exec_closes(void)
{
    for (unsigned i = 0; i < 100; i++)
        EQUAL(px_fd_install(new_description(), 0, i % 3 == 0), i);
    px_fd_exec();
    for (int i = 0; i < 100; i++)
        CHECK((px_fd_get(i) == NULL) == (i % 3 == 0));
    EQUAL(px_sys_close_range(0, ~0u, 0, 0, 0, 0), 0);
}

/* New credentials: what comes after must not lie in pages that others can write. */
static void credentials_seal(void)
{
    struct px_ofd *before = new_description(), *after;
    struct px_proc *self = PX_PROC(fake_table, 5);

    px_ofd_abandon(before);
    self->euid = 1000;
    px_fd_exec();
    after = new_description();
    CHECK((uint64_t)before / PX_PAGE != (uint64_t)after / PX_PAGE);
    px_ofd_abandon(after);
    self->euid = 0;
    px_fd_exec();
}

static void memory_runs_out(void)
{
    struct px_ofd *ofd[64];
    unsigned count = 0;

    fake_allocations_left = 0;
    while (count < 64 && (ofd[count] = new_description()))
        count++;
    CHECK(count < 64); /* a page was there already, another could not be had */
    while (count)
        px_ofd_abandon(ofd[--count]);
    fake_allocations_left = ~0u;
}

/* A description that a relative filled with nonsense. */
static void survives_nonsense(void)
{
    struct px_ofd *ofd = new_description();

    EQUAL(px_fd_install(ofd, 0, false), 0);
    ofd->kind = 0xdeadbeef;
    CHECK(px_ofd_ops(ofd) == &px_none_ops);
    CHECK(!px_ofd_positioned(ofd) || ofd->kind % 32 < 8);
    ofd->holders = 0;
    EQUAL(px_fd_close(0), 0);
    ofd->holders = 0;
}

static void tells_others(void)
{
    px_board_start();
    px_board_all();
    CHECK(!px_board_has(px_self(), 3));
    EQUAL(px_fd_install(new_description(), 3, false), 3);
    CHECK(px_board_has(px_self(), 3) && !px_board_has(px_self(), 4) && !px_board_has(px_self(), 64));
    EQUAL(px_fd_close(3), 0);
    CHECK(!px_board_has(px_self(), 3));
}

#define MANY 6000u /* more than find their pages in the list that needs no heap */

static void grows_to_the_limit(void)
{
    px_limits[RLIMIT_NOFILE].soft = MANY;
    for (unsigned i = 0; i < MANY; i++)
        EQUAL(px_fd_install(new_description(), 0, false), i);
    {
        struct px_ofd *extra = new_description();

        EQUAL(px_fd_install(extra, 0, false), -EMFILE);
        px_ofd_abandon(extra);
    }
    px_limits[RLIMIT_NOFILE].soft = PX_RLIM_INFINITY;
    EQUAL(px_sys_dup2(0, PX_FD_MAX, 0, 0, 0, 0), -EBADF);
    EQUAL(px_sys_dup2(0, PX_FD_MAX - 1, 0, 0, 0, 0), PX_FD_MAX - 1);
    EQUAL(px_fd_next(MANY), PX_FD_MAX - 1);
    px_fd_exit();
    EQUAL(px_fd_next(0), -1);
    CHECK(released > MANY);
    free(px_fds.entry);
}

int main(void)
{
    fake_start();
    px_fd_fork_child();
    random_calls();
    refuses_nonsense();
    forks_count_once();
    killed_child();
    exec_closes();
    credentials_seal();
    memory_runs_out();
    survives_nonsense();
    tells_others();
    grows_to_the_limit();
    printf("table: ok\n");
    return 0;
}
