/*
 * poll and select over made-up descriptions: what is asked and answered, who is waited for and how long, more
 * descriptions than a wait has predicates, pipes told about sleepers and told again, sets against a model,
 * wild pointers.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/board.c"
#include "libos/posix/fd/limits.c"
#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/ofd.c"
#include "libos/posix/fd/poll.c"
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

#define FDS 200u
#define WORDS ((uint32_t *)PX_SHARED_HI - 4096) /* each description's word to sleep on */

/* A description that is ready for what its word says. */
static unsigned word_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates,
                          unsigned *count)
{
    uint32_t *word = &WORDS[ofd->word[0]];

    if (predicates)
        predicates[(*count)++] = (struct exo_predicate){.va = (uint64_t)word, .value = *word};
    (void)events;
    return *word;
}
const struct px_ops px_device_ops = {.name = "word", .poll = word_poll};
const struct px_ops px_pipe_ops = {.name = "pipe", .poll = word_poll};
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    (void)server, (void)message;
    return -EIO;
}
void px_socket_watch(struct px_ofd *ofd, int step)
{
    (void)ofd;
    (void)step;
}
const struct px_ops px_file_ops, px_directory_ops, px_path_ops, px_tty_ops, px_proc_ops, px_socket_ops,
    px_event_ops, px_epoll_ops, px_timerfd_ops, px_signalfd_ops, px_pidfd_ops, px_inotify_ops, px_mqueue_ops;

bool px_epoll_partial;
uint32_t px_epoll_changes(void)
{
    return 0;
}
void px_epoll_watch(const struct px_ofd *ofd)
{
    (void)ofd;
}
void px_epoll_unwatch(const struct px_ofd *ofd, uint32_t begun)
{
    (void)ofd, (void)begun;
}

void px_epoll_settle(const struct px_ofd *ofd)
{
    (void)ofd;
}

/* Bells: how many places there may be, and are; the word that tells is kept as it is. */
static unsigned places_most, places;
static uint32_t told;
int px_bells_put(struct px_bells *bells, const struct exo_predicate *predicates, unsigned count, uint32_t *place)
{
    CHECK(count >= 1 && count <= EXO_WATCH_WORDS);
    if (places == places_most)
        return -1;
    for (unsigned i = 0; i < count; i++)
        if (*(const uint32_t *)predicates[i].va != predicates[i].value)
            return 0;
    bells->told = &told;
    bells->heard = told;
    *place = places++;
    return 1;
}
void px_bells_go(struct px_bells *bells)
{
    places = 0;
    *bells = (struct px_bells){0};
}

static int watched;
void px_pipe_watch(struct px_ofd *ofd, int step)
{
    CHECK(ofd->kind == PX_OFD_PIPE);
    watched += step;
}
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
void px_pipe_inherited(void)
{
}
static uint64_t mask_set;
void px_signal_mask_for_call(uint64_t mask)
{
    mask_set = mask;
}
uint64_t px_slacked(uint64_t deadline_ns)
{
    return deadline_ns;
}

uint64_t px_deadline_after(uint64_t ns)
{
    return fake_now + ns;
}
int64_t px_read_timespec(px_user from, uint64_t *ns)
{
    struct px_timespec time;

    if (px_copy_in(&time, from, sizeof time) != 0)
        return -EFAULT;
    *ns = (uint64_t)time.tv_sec * PX_SECOND + (uint64_t)time.tv_nsec;
    return 0;
}

static void make_descriptors(void)
{
    for (unsigned fd = 0; fd < FDS; fd++) {
        struct px_ofd *ofd = px_ofd_new(fd % 3 == 1   ? PX_OFD_PIPE
                                        : fd % 3 == 2 ? PX_OFD_FILE
                                                      : PX_OFD_DEVICE,
                                        O_RDWR);

        CHECK(ofd != NULL);
        ofd->word[0] = fd;
        EQUAL(px_fd_install(ofd, 0, false), fd);
    }
}

static struct pollfd *items(void)
{
    return (struct pollfd *)fake_user;
}

static int64_t poll_fds(unsigned count, int ms)
{
    return px_sys_poll(USER(0), count, (uint64_t)(int64_t)ms, 0, 0, 0);
}

static void answers(void)
{
    items()[0] = (struct pollfd){.fd = 0, .events = POLLIN};
    items()[1] = (struct pollfd){.fd = 999, .events = POLLIN};
    items()[2] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = 77};
    items()[3] = (struct pollfd){.fd = 2, .events = POLLIN | POLLOUT}; /* a file: always */
    items()[4] = (struct pollfd){.fd = 3, .events = POLLOUT};
    WORDS[0] = POLLIN | POLLOUT;
    WORDS[3] = POLLIN | POLLHUP;
    EQUAL(poll_fds(5, -1), 4);
    EQUAL(items()[0].revents, POLLIN);
    EQUAL(items()[1].revents, POLLNVAL);
    EQUAL(items()[2].revents, 0);
    EQUAL(items()[3].revents, POLLIN | POLLOUT);
    EQUAL(items()[4].revents, POLLHUP); /* without having been asked for */
    WORDS[0] = WORDS[3] = 0;
}

static unsigned hook_turns;
static bool ready_at_second(void)
{
    EQUAL(watched, 1); /* the one pipe in the set */
    if (++hook_turns == 2)
        WORDS[1] = POLLIN;
    return true;
}

static void sleeps_until_ready(void)
{
    items()[0] = (struct pollfd){.fd = 0, .events = POLLIN};
    items()[1] = (struct pollfd){.fd = 1, .events = POLLIN};
    hook_turns = 0;
    fake_wait_hook = ready_at_second;
    EQUAL(poll_fds(2, -1), 1);
    EQUAL(items()[1].revents, POLLIN);
    EQUAL(hook_turns, 2);
    EQUAL(watched, 0);
    WORDS[1] = 0;
    fake_wait_hook = NULL;
}

static bool signal_comes(void)
{
    return false;
}

static void ends_by_time_or_signal(void)
{
    uint64_t start = fake_now;

    items()[0] = (struct pollfd){.fd = 1, .events = POLLIN, .revents = 5};
    fake_waits = 0;
    EQUAL(poll_fds(1, 0), 0);
    EQUAL(fake_waits, 0);
    EQUAL(items()[0].revents, 0);
    EQUAL(poll_fds(1, 250), 0);
    EQUAL(fake_now, start + 250000000);
    EQUAL(poll_fds(0, 250), 0); /* only sleeps */
    EQUAL(fake_now, start + 500000000);
    fake_wait_hook = signal_comes;
    EQUAL(poll_fds(1, -1), -PX_ERESTARTNOHAND);
    EQUAL(watched, 0);
    fake_wait_hook = NULL;
}

/* The last of them cannot have its predicate, nor a bell: it is found all the same, in a slice of time. */
static bool last_becomes_ready(void)
{
    if (++hook_turns == 3)
        WORDS[198] = POLLIN;
    return true;
}

static void more_than_a_wait_has(void)
{
    unsigned count = 0;

    for (unsigned fd = 0; fd < FDS; fd += 3)
        items()[count++] = (struct pollfd){.fd = (int)fd, .events = POLLIN};
    CHECK(count > EXO_WAIT_MAX);
    hook_turns = 0;
    fake_wait_hook = last_becomes_ready;
    EQUAL(poll_fds(count, -1), 1);
    EQUAL(items()[count - 1].revents, POLLIN);
    EQUAL(hook_turns, 3);
    WORDS[198] = 0;
    fake_wait_hook = NULL;
    EQUAL(poll_fds(count, 25), 0); /* the time limit holds over slices */
}

/* It has a bell, as all have that the sleep has no room for: one sleep. */
static bool last_rings(void)
{
    CHECK(places > 0);
    WORDS[198] = POLLIN;
    told++;
    return true;
}

static void more_than_a_wait_has_ring(void)
{
    unsigned count = 0;

    for (unsigned fd = 0; fd < FDS; fd += 3)
        items()[count++] = (struct pollfd){.fd = (int)fd, .events = POLLIN};
    places_most = FDS;
    fake_waits = 0;
    fake_wait_hook = last_rings;
    EQUAL(poll_fds(count, -1), 1);
    EQUAL(items()[count - 1].revents, POLLIN);
    EQUAL(fake_waits, 1);
    EQUAL(places, 0);
    WORDS[198] = 0;
    fake_wait_hook = NULL;
    fake_waits = 0;
    EQUAL(poll_fds(count, 2500), 0); /* no slices */
    EQUAL(fake_waits, 1);
    places_most = 1;
    EQUAL(poll_fds(count, 25), 0); /* too few for all: slices */
    CHECK(fake_waits > 2);
    places_most = 0;
}

static void refuses(void)
{
    EQUAL(px_sys_poll(16, 1, 0, 0, 0, 0), -EFAULT);
    EQUAL(px_sys_poll(USER(0), PX_LIMIT_FILES + 1, 0, 0, 0, 0), -EINVAL);
    fake_user_bytes = 12;
    EQUAL(poll_fds(2, 0), -EFAULT);
    fake_user_bytes = sizeof fake_user;
    EQUAL(px_sys_ppoll(USER(0), 0, 16, 0, 0, 0), -EFAULT);
    EQUAL(px_sys_ppoll(USER(0), 0, 0, USER(0), 4, 0), -EINVAL);
    EQUAL(px_sys_select((uint64_t)-1, 0, 0, 0, 0, 0), -EINVAL);
    EQUAL(px_sys_select(64, 16, 0, 0, 0, 0), -EFAULT);
}

static void sets_the_mask(void)
{
    struct px_timespec *time = (struct px_timespec *)(fake_user + 4096);

    *(uint64_t *)(fake_user + 8192) = 0x1234;
    *time = (struct px_timespec){.tv_sec = 0, .tv_nsec = 1000};
    EQUAL(px_sys_ppoll(USER(0), 0, USER(4096), USER(8192), 8, 0), 0);
    EQUAL(mask_set, 0x1234);
    EQUAL(time->tv_nsec, 0); /* what was left */
}

/* ---- select against a model ---- */

static uint64_t *set(unsigned which)
{
    return (uint64_t *)(fake_user + which * 512);
}
static bool member(unsigned which, unsigned fd)
{
    return set(which)[fd / 64] >> fd % 64 & 1;
}

static void random_sets(void)
{
    for (unsigned turn = 0; turn < 2000; turn++) {
        bool wanted[3][FDS];
        unsigned highest = fake_random(FDS + 1);
        int64_t bits = 0, result;

        for (unsigned fd = 0; fd < FDS; fd++) {
            const unsigned choice[4] = {0, POLLIN, POLLOUT, POLLIN | POLLOUT | POLLPRI};

            WORDS[fd] = choice[fake_random(4)];
        }
        memset(fake_user, 0, 1536);
        for (unsigned s = 0; s < 3; s++) {
            for (unsigned fd = 0; fd < highest; fd++) {
                wanted[s][fd] = fake_random(8) == 0;
                set(s)[fd / 64] |= (uint64_t)wanted[s][fd] << fd % 64;
            }
        }
        memset(fake_user + 2048, 0, sizeof(struct px_timeval));
        result = px_sys_select(highest, USER(0), USER(512), USER(1024), USER(2048), 0);
        for (unsigned s = 0; s < 3; s++) {
            const unsigned events[3] = {POLLIN, POLLOUT, POLLPRI};

            for (unsigned fd = 0; fd < highest; fd++) {
                unsigned now = fd % 3 == 2 ? POLLIN | POLLOUT : WORDS[fd];
                bool expected = wanted[s][fd] && now & events[s];

                CHECK(member(s, fd) == expected);
                bits += expected;
            }
        }
        EQUAL(result, bits);
    }
    memset((void *)WORDS, 0, FDS * sizeof *WORDS);
    memset(fake_user, 0, 1536);
    set(0)[FDS / 64] |= 1ull << (FDS % 64); /* not open */
    EQUAL(px_sys_select(FDS + 1, USER(0), 0, 0, 0, 0), -EBADF);
}

int main(void)
{
    fake_start();
    px_fd_fork_child();
    make_descriptors();
    answers();
    sleeps_until_ready();
    ends_by_time_or_signal();
    more_than_a_wait_has();
    more_than_a_wait_has_ring();
    refuses();
    sets_the_mask();
    random_sets();
    EQUAL(watched, 0);
    printf("poll: ok\n");
    return 0;
}
