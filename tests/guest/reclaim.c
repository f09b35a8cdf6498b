/*
 * Demands for memory as the POSIX libOS answers them, and what becomes of a process from which memory was taken.
 * guest-test: --memory 64M
 */
#define _GNU_SOURCE
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/ipc.h>

#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/proc.h"

#define PAGE 4096ul
#define PAGES 48ul
#define SECOND 1000000000ul
#define FUTEX_WAIT 0

static const volatile struct exo_info *const info = (const struct exo_info *)PX_INFO;
static int ready[2], go[2];

/* ---- asking ---- */

static int64_t ask_proc(pid_t pid)
{
    struct exo_message message = {.word = {PX_PROC_RECLAIM, (uint64_t)pid}};

    if (exo_ep_call(PX_SLOT_PROC, &message) < 0)
        return -EIO;
    return (int64_t)message.word[0] < 0 ? (int64_t)message.word[0] : (int64_t)message.word[1];
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t mapped(uint64_t env)
{
    struct exo_env_info said = {0};

    return exo_env_info(env, &said) < 0 ? 0 : said.mapped;
}

/* Asks, and gives it 20 s: pages given. The demand is closed. */
static uint64_t request(uint64_t env, uint64_t pages)
{
    struct exo_reclaim standing = {0};
    uint64_t end = now_ns() + 20 * SECOND;

    if (exo_reclaim_ask(env, pages, EXO_DEADLINE_NEVER) < 0)
        return 0;
    while (exo_reclaim_status(env, &standing) == 0 && standing.given < pages && now_ns() < end)
        usleep(1000);
    if (exo_reclaim_ask(env, 0, 0) < 0)
        return 0;
    return standing.given;
}

/* After the deadline, which is now: pages taken. */
static uint64_t take(uint64_t env, uint64_t pages)
{
    int64_t taken;

    if (exo_reclaim_ask(env, pages, 0) < 0)
        return 0;
    do
        taken = exo_reclaim_take(env, PX_PROG_HI);
    while (taken == -EXO_E_AGAIN);
    return taken < 0 ? 0 : (uint64_t)taken;
}

/* All that it can spare. */
static void drain(uint64_t env)
{
    usleep(50000); /* it hears that demands may come */
    if (exo_reclaim_ask(env, 100000, EXO_DEADLINE_NEVER) == 0) {
        usleep(100000);
        (void)!exo_reclaim_ask(env, 0, 0);
    }
}

/* ---- those who are asked ---- */

static char *anonymous(uint64_t pages, int fill)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (uint64_t i = 0; at != MAP_FAILED && fill >= 0 && i < pages; i++)
        at[i * PAGE + i % PAGE] = (char)fill;
    return at;
}

/* Memory that can be spared: half of it given up, half of it zeros. */
static void spare(uint64_t pages)
{
    char *freed = anonymous(pages / 2, 7), *zero = anonymous(pages - pages / 2, 0);

    if (freed == MAP_FAILED || zero == MAP_FAILED || madvise(freed, pages / 2 * PAGE, MADV_FREE) < 0)
        _exit(90);
}

static void say_ready(void)
{
    if (write(ready[1], "", 1) != 1)
        _exit(91);
}

/* Child that does its part and exits with the part's result; returns when it has said that it is ready. */
static pid_t start(int (*part)(void))
{
    char byte;
    pid_t pid;

    if (pipe(ready) < 0 || pipe(go) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        close(ready[0]);
        close(go[1]);
        _exit(part());
    }
    close(ready[1]);
    close(go[0]);
    if (read(ready[0], &byte, 1) != 1)
        return -1;
    return pid;
}

static int finish_child(pid_t pid)
{
    int status = -1;

    close(go[1]);
    close(ready[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int wait_for_go(void)
{
    char byte;

    return read(go[0], &byte, 1) == 0 ? 0 : 10; /* end of file; EINTR would be an error */
}

static int in_read(void)
{
    spare(PAGES);
    say_ready();
    return wait_for_go();
}

static int in_poll(void)
{
    struct pollfd end = {.fd = go[0], .events = POLLIN};

    spare(PAGES);
    say_ready();
    return poll(&end, 1, -1) == 1 ? 0 : 10;
}

static int in_wait(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(wait_for_go());
    spare(PAGES);
    say_ready();
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 10;
}

/* On a word in a page of zeros, which is itself among what can be spared. */
static int in_futex(void)
{
    uint32_t *word = (uint32_t *)anonymous(1, 0);
    struct timespec limit = {3, 0};

    spare(PAGES);
    say_ready();
    return syscall(SYS_futex, word, FUTEX_WAIT, 0, &limit, NULL, 0) == -1 && errno == ETIMEDOUT ? 0 : 10;
}

static int in_sleep(void)
{
    struct timespec limit = {2, 0}, rest = {0, 0};

    spare(PAGES);
    say_ready();
    return nanosleep(&limit, &rest) == 0 ? 0 : 10;
}

static int spinning(void)
{
    uint64_t end = now_ns() + 3 * SECOND;
    volatile uint64_t turns = 0;

    spare(PAGES);
    say_ready();
    do
        for (unsigned i = 0; i < 10000000; i++)
            turns++;
    while (now_ns() < end);
    return 0;
}

static int with_all_blocked(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return in_read();
}

static int in_vfork(void)
{
    pid_t pid;

    spare(PAGES);
    say_ready();
    pid = vfork();
    if (pid == 0)
        _exit(wait_for_go());
    return pid > 0 ? 0 : 10;
}

static void test_waiting(void)
{
    static const struct {
        const char *name;
        int (*part)(void);
    } parts[] = {{"read", in_read}, {"poll", in_poll}, {"wait", in_wait}, {"futex", in_futex}, {"nanosleep", in_sleep}, {"a loop of its own", spinning},
                 {"read with all signals blocked", with_all_blocked}};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char name[120];
        pid_t pid = start(parts[i].part);
        int64_t env = ask_proc(pid);
        uint64_t before = mapped((uint64_t)env), given = env < 0 ? 0 : request((uint64_t)env, PAGES - 4);
        bool gone = mapped((uint64_t)env) + PAGES - 6 <= before; /* the ledger has come */

        snprintf(name, sizeof name, "memory is given by a process in %s, which does not notice", parts[i].name);
        CASE(name, given >= PAGES - 4 && gone && exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
    }
}

static void test_stopped(void)
{
    pid_t pid = start(in_read);
    int64_t env = ask_proc(pid);
    int status;

    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    CASE("a stopped process gives", WIFSTOPPED(status) && env > 0 && request((uint64_t)env, PAGES - 4) >= PAGES - 4);
    kill(pid, SIGCONT);
    CASE("and goes on", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

/* What the child of a vfork has, its parent has, too: nothing of it can be spared until it is gone, and nothing is harmed. */
static void test_vfork(void)
{
    pid_t pid = start(in_vfork);
    int64_t env = ask_proc(pid);

    usleep(100000);
    CASE("a demand while a vfork waits is survived", env > 0 && exo_reclaim_ask((uint64_t)env, 10, now_ns() + SECOND / 4) == 0);
    usleep(300000);
    CASE("and can be withdrawn", exo_reclaim_ask((uint64_t)env, 0, 0) == 0 && exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

/* A file, what was written beside it, and what was given up and written to again: all of that is still there afterwards. */
static int polite(void)
{
    int fd = open("/tmp/reclaim-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char block[PAGE], *file, *private, *kept, *again;

    for (unsigned i = 0; i < PAGES; i++) {
        memset(block, 'a' + (int)(i % 20), sizeof block);
        if (write(fd, block, sizeof block) != sizeof block)
            return 20;
    }
    file = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    private = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    kept = anonymous(PAGES, 5);
    again = anonymous(PAGES, 6);
    if (file == MAP_FAILED || private == MAP_FAILED || madvise(again, PAGES * PAGE, MADV_FREE) < 0)
        return 21;
    for (unsigned i = 0; i < PAGES; i++) {
        if (file[i * PAGE] != 'a' + (int)(i % 20))
            return 22;
        private[i * PAGE] = 'z';
        again[i * PAGE + 1] = i % 2 ? 1 : 0; /* written, whatever is written */
    }
    spare(PAGES);
    say_ready();
    if (wait_for_go() != 0)
        return 23;
    for (unsigned i = 0; i < PAGES; i++) {
        if (file[i * PAGE + 9] != 'a' + (int)(i % 20) || private[i * PAGE] != 'z' || private[i * PAGE + 1] != file[i * PAGE])
            return 24;
        if (kept[i * PAGE + i] != 5 || again[i * PAGE + i] != (i == 1 ? 1 : 6))
            return 25;
    }
    return 0;
}

static void test_polite(void)
{
    pid_t pid = start(polite);
    int64_t env = ask_proc(pid);
    uint32_t free_before = info->frames_free;
    uint64_t given = env < 0 ? 0 : request((uint64_t)env, PAGES);

    CASE("who has memory to spare gives it", given >= PAGES);
    CASE("and it is free then", info->frames_free >= free_before + PAGES - 8);
    given = env < 0 ? PAGES : 0;
    if (env > 0 && exo_reclaim_ask((uint64_t)env, 4 * PAGES, now_ns() + SECOND / 2) == 0) {
        struct exo_reclaim standing = {0};

        usleep(500000);
        given = exo_reclaim_status((uint64_t)env, &standing) < 0 ? PAGES : standing.given;
        CASE("a second demand is answered with what is left, and that is not all", given < PAGES && exo_reclaim_ask((uint64_t)env, 0, 0) == 0);
    }
    CASE("what it needs is still there", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

/* ---- taken ---- */

#define LOST 10ul
#define MUCH (EXO_TAKINGS_KEPT + 110ul)
static sigjmp_buf back;
static volatile sig_atomic_t signals, wrong;
static char *volatile touched;

static void on_bus(int signo, siginfo_t *siginfo, void *context)
{
    (void)context;
    signals++;
    if (signo != SIGBUS || siginfo->si_code != BUS_MCEERR_AR || siginfo->si_addr != touched)
        wrong++;
    siglongjmp(back, 1);
}

static bool is_lost(char *at, int *value)
{
    touched = at;
    if (sigsetjmp(back, 1))
        return true;
    *value = *(volatile char *)at;
    return false;
}

/* How many of the pages are lost; 1000: one that is not has changed. */
static unsigned long count_lost(char *at, unsigned long pages)
{
    unsigned long lost = 0;

    for (unsigned long i = 0; i < pages; i++) {
        int value = 0;

        if (is_lost(at + i * PAGE + i % PAGE, &value))
            lost++;
        else if (value != 9)
            return 1000;
    }
    return lost;
}

static int robbed(void)
{
    const struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    char *memory = anonymous(100, 9);
    unsigned long at = 0;
    int value, status, fd = open("/dev/null", O_WRONLY), fds[2];
    pid_t pid;

    sigaction(SIGBUS, &action, NULL);
    say_ready();
    if (wait_for_go() != 0)
        return 30;
    if (count_lost(memory, 100) != LOST || signals != LOST || wrong)
        return 31;
    if (count_lost(memory, 100) != LOST) /* it stays lost */
        return 32;
    while (!is_lost(memory + at * PAGE + at, &value))
        at++;
    pid = fork(); /* a child has lost it, too */
    if (pid == 0)
        _exit(count_lost(memory, 100) == LOST && !wrong ? 0 : 1);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        return 33;
    if (pipe(fds) < 0 || write(fds[1], memory + at * PAGE, PAGE) != -1 || errno != EFAULT)
        return 34;
    if (read(open("/etc/passwd", O_RDONLY), memory + at * PAGE, 10) != -1 || errno != EFAULT)
        return 35;
    if (madvise(memory + at * PAGE, PAGE, MADV_DONTNEED) < 0 || is_lost(memory + at * PAGE, &value) || value != 0)
        return 36;
    memory = mremap(memory, 100 * PAGE, 200 * PAGE, MREMAP_MAYMOVE);
    madvise(memory + at * PAGE, PAGE, MADV_DONTNEED);
    memory[at * PAGE + at] = 9;
    if (memory == MAP_FAILED || count_lost(memory, 100) != LOST - 1)
        return 37;
    if (mmap(memory, 100 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != memory)
        return 38;
    for (unsigned i = 0; i < 100; i++)
        if (is_lost(memory + i * PAGE, &value) || value != 0)
            return 39;
    close(fd);
    return 0;
}

/* Beside what is lost there are pages that were never touched: they are zeros, as they should be. */
static int robbed_of_much(void)
{
    const struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    char *memory = anonymous(400, 9);
    int value;

    memory = mremap(memory, 400 * PAGE, 500 * PAGE, MREMAP_MAYMOVE);
    sigaction(SIGBUS, &action, NULL);
    say_ready();
    if (memory == MAP_FAILED || wait_for_go() != 0)
        return 45;
    if (count_lost(memory, 400) != MUCH || signals != (int)MUCH || wrong)
        return 46;
    for (unsigned i = 400; i < 500; i++)
        if (is_lost(memory + i * PAGE, &value) || value != 0)
            return 47;
    return 0;
}

static int unprepared(void)
{
    char *memory = anonymous(100, 9);

    say_ready();
    if (wait_for_go() != 0)
        return 40;
    for (unsigned i = 0; i < 100; i++)
        if (memory[i * PAGE + i] != 9)
            return 41;
    return 0;
}

static void test_taken(void)
{
    pid_t pid = start(robbed);
    int64_t env = ask_proc(pid);

    drain((uint64_t)env);
    if (exo_reclaim_ask((uint64_t)env, LOST, now_ns() + SECOND / 4) < 0 || exo_reclaim_take((uint64_t)env, PX_PROG_HI) != -EXO_E_BUSY)
        CASE("nothing is taken before the deadline", false);
    usleep(300000);
    CASE("who gives nothing loses what is missing", exo_reclaim_take((uint64_t)env, PX_PROG_HI) == (int64_t)LOST);
    CASE("it gets SIGBUS at these pages and no others, and goes on", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);

    pid = start(unprepared);
    env = ask_proc(pid);
    drain((uint64_t)env);
    (void)!exo_reclaim_ask((uint64_t)env, LOST, now_ns() + SECOND / 4);
    usleep(300000);
    CASE("so does who is not prepared", exo_reclaim_take((uint64_t)env, PX_PROG_HI) == (int64_t)LOST);
    CASE("without a handler SIGBUS ends it", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 1000 + SIGBUS);

    pid = start(robbed_of_much);
    env = ask_proc(pid);
    drain((uint64_t)env);
    CASE("more may be taken than the repossession vector holds", take((uint64_t)env, MUCH) == MUCH);
    CASE("and nothing lost is taken for zeros", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

/* ---- misuse ---- */

static void test_refused(void)
{
    pid_t pid = start(in_read), other;
    int64_t env = ask_proc(pid);
    int status = 0;

    CASE("several demands at once: one is open", exo_reclaim_ask((uint64_t)env, 1, EXO_DEADLINE_NEVER) == 0 &&
             exo_reclaim_ask((uint64_t)env, 1, EXO_DEADLINE_NEVER) == -EXO_E_BUSY && exo_reclaim_ask((uint64_t)env, 0, 0) == 0);
    CASE("a process is not given more than that", exo_env_destroy((uint64_t)env, 1) == -EXO_E_RIGHTS &&
             exo_mem_unmap((uint64_t)env, 0x10000, 1) == -EXO_E_RIGHTS && exo_mem_alloc((uint64_t)env, 0x10000, 1, 3) == -EXO_E_RIGHTS);
    CASE("init cannot be asked, nor who is not there", ask_proc(1) == -ESRCH && ask_proc(29999) == -ESRCH && ask_proc(-5) == -ESRCH);
    other = fork();
    if (other == 0) {
        if (setuid(1000) < 0)
            _exit(1);
        _exit(ask_proc(pid) == -EPERM && ask_proc(getpid()) == -EPERM ? 0 : 2);
    }
    waitpid(other, &status, 0);
    CASE("who is not root asks nobody", status == 0);
    CASE("the capability dies with the process", finish_child(pid) == 0 && exo_reclaim_ask((uint64_t)env, 1, 0) < 0);
    if (exo_cap_delete((uint64_t)env) < 0)
        CASE("and is left behind", false);
}

/* ---- many ---- */

static int forking(void)
{
    spare(PAGES);
    say_ready();
    for (unsigned i = 0; i < 60; i++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            spare(8);
            _exit(3);
        }
        if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 3)
            return 50;
        spare(4);
    }
    return 0;
}

static const char *own_path;

static int executing(void)
{
    say_ready();
    execl(own_path, own_path, "again", "40", NULL);
    return 51;
}

/* Demands meet whatever the process does just then. */
static bool pester(pid_t pid)
{
    for (unsigned i = 0; i < 300 && waitpid(pid, NULL, WNOHANG | WNOWAIT) == 0; i++) {
        int64_t env = ask_proc(pid);

        if (env < 0)
            break;
        if (exo_reclaim_ask((uint64_t)env, 20, now_ns() + 1000000) == 0) {
            usleep(i % 7 * 300);
            (void)!exo_reclaim_ask((uint64_t)env, 0, 0);
        }
        if (exo_cap_delete((uint64_t)env) < 0)
            return false;
    }
    return true;
}

static void test_races(void)
{
    pid_t pid = start(forking);
    bool fine = pester(pid);

    CASE("demands while it forks harm nobody", fine && finish_child(pid) == 0);
    pid = start(executing);
    fine = pester(pid);
    CASE("demands while it executes harm nobody", fine && finish_child(pid) == 0);
}

static void test_leaks(void)
{
    pid_t pid = start(in_read);
    int64_t env = ask_proc(pid);
    uint32_t free_before;
    struct exo_env_info before = {0}, after = {0};
    bool fine = request((uint64_t)env, PAGES - 4) >= PAGES - 4;

    usleep(50000);
    (void)!exo_env_info(PX_SLOT_SELF, &before);
    free_before = info->frames_free;
    for (unsigned i = 0; i < 1000 && fine; i++) {
        int64_t again = ask_proc(pid);

        fine = again > 0 && exo_reclaim_ask((uint64_t)again, 1000, now_ns() + 1000000) == 0;
        if (i % 10 == 0)
            usleep(500);
        fine = fine && exo_reclaim_ask((uint64_t)again, 0, 0) == 0 && exo_cap_delete((uint64_t)again) == 0;
    }
    usleep(50000);
    (void)!exo_env_info(PX_SLOT_SELF, &after);
    CASE("a thousand demands in a row", fine);
    CASE("leave no frame and no slot behind", info->frames_free + 4 >= free_before && after.slots == before.slots);
    CASE("and the process goes on", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

/* All of the zone's memory is in use: by pages that hold nothing. */
static int exhausting(void)
{
    struct exo_zone_status zone = {0};
    uint64_t room = 0, kept;
    char *memory;

    if (exo_zone_status(PX_SLOT_ZONE, &zone) == 0)
        room = zone.limits.frames - zone.frames;
    kept = room < 400 ? 0 : room - 200;
    memory = anonymous(kept, 0);
    for (uint64_t i = 0; i < 400; i++) { /* the last ones */
        char *page = anonymous(1, -1);

        if (page == MAP_FAILED || exo_zone_status(PX_SLOT_ZONE, &zone) < 0 || zone.limits.frames - zone.frames < 6)
            break;
        *page = 1;
    }
    if (memory == MAP_FAILED)
        return 60;
    say_ready();
    return wait_for_go();
}

static void test_exhausted(void)
{
    struct exo_zone_status zone = {0};
    pid_t pid = start(exhausting);
    int64_t env = ask_proc(pid);

    (void)!exo_zone_status(PX_SLOT_ZONE, &zone);
    CASE("memory is used up", zone.limits.frames - zone.frames < 16);
    CASE("and given when asked for all the same", env > 0 && request((uint64_t)env, 2000) >= 2000);
    CASE("and is free then", exo_zone_status(PX_SLOT_ZONE, &zone) == 0 && zone.limits.frames - zone.frames >= 2000);
    CASE("and the process goes on", exo_cap_delete((uint64_t)env) == 0 && finish_child(pid) == 0);
}

int main(int argc, char **argv)
{
    own_path = argv[0];
    if (argc == 3 && strcmp(argv[1], "again") == 0) {
        char left[16];

        spare(8);
        snprintf(left, sizeof left, "%d", atoi(argv[2]) - 1);
        if (atoi(argv[2]) > 0)
            execl(argv[0], argv[0], "again", left, NULL);
        return atoi(argv[2]) > 0;
    }
    test_polite();
    test_waiting();
    test_stopped();
    test_vfork();
    test_taken();
    test_refused();
    test_races();
    test_leaks();
    test_exhausted();
    return tap_finish();
}
