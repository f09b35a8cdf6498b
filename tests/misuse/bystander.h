/*
 * For the programs here that let a hostile user loose on the servers or on its own libOS: a bystander of another user, who works with files, pipes, a
 * pseudo-terminal, children, locks and a socket all the while and looks whether each gives what it should; and the count of what there is in the system,
 * which must be the same when the hostile ones are gone.
 */
#ifndef BYSTANDER_H
#define BYSTANDER_H
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <termios.h>
#include <time.h>

#include <exo/calls.h>

#include "../../libos/posix/proto/fsmeta.h"
#include "../../libos/posix/proto/layout.h"
#include "misuse.h"

#define HOSTILE_USER 1000u
#define BYSTANDER_USER 2000u
#define GIVE_UP_SECONDS 60

/* Shared by all processes of the test. */
struct common {
    volatile uint64_t rounds;  /* that the bystander has done */
    volatile int wrong;        /* line where it found something wrong */
    volatile uint64_t steps;   /* of the hostile one */
    volatile uint64_t random;  /* its state: the next one goes on there */
    volatile uint64_t answered;
    volatile uint64_t strange; /* an answer that is none */
};
static struct common *common;

static void bystander_nap(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static void *shared_page(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* ---- the bystander ---- */

#define EXPECT(condition)   \
    do {                    \
        if (!(condition))   \
            return __LINE__; \
    } while (0)

/* What has nothing to do with the others. The line of what was wrong, or 0. */
static int bystander_round(const char *path, int master, int slave)
{
    int ends[2], pair[2], fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 8};
    char text[64];
    pid_t child;

    EXPECT(fd >= 0 && write(fd, "some text", 9) == 9 && pread(fd, text, sizeof text, 0) == 9 && memcmp(text, "some text", 9) == 0);
    EXPECT(fcntl(fd, F_SETLK, &lock) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && close(fd) == 0);
    EXPECT(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    EXPECT(write(pair[0], "hello", 5) == 5 && read(pair[1], text, sizeof text) == 5);
    child = fork();
    if (child == 0)
        _exit(write(ends[1], "child", 5) == 5 ? 7 : 8);
    EXPECT(child > 0 && read(ends[0], text, sizeof text) == 5 && memcmp(text, "child", 5) == 0);
    EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    EXPECT(write(master, "typed\n", 6) == 6 && read(slave, text, sizeof text) == 6 && memcmp(text, "typed\n", 6) == 0);
    EXPECT(read(master, text, sizeof text) == 7 && memcmp(text, "typed\r\n", 7) == 0);
    EXPECT(close(ends[0]) + close(ends[1]) + close(pair[0]) + close(pair[1]) == 0);
    EXPECT(geteuid() == BYSTANDER_USER && getsid(0) == getpid() && getpgrp() == getpid());
    return 0;
}

static void bystander_works(const char *folder)
{
    char path[64], name[32];
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave = -1;

    snprintf(path, sizeof path, "%s/bystander", folder);
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, name, sizeof name) == 0)
        slave = open(name, O_RDWR | O_NOCTTY);
    setsid();
    if (slave < 0 || setgid(BYSTANDER_USER) || setuid(BYSTANDER_USER))
        common->wrong = __LINE__;
    while (!common->wrong) {
        common->wrong = bystander_round(path, master, slave);
        common->rounds++;
        bystander_nap();
    }
    _exit(1);
}

static pid_t bystander_start(const char *folder)
{
    pid_t child = fork();

    if (child == 0)
        bystander_works(folder);
    return child;
}

/* It still lives, and does so many rounds more. */
static bool bystander_is_well(pid_t bystander, uint64_t rounds)
{
    uint64_t seen = common->rounds;
    time_t begin = time(NULL);

    while (common->rounds < seen + rounds && !common->wrong && time(NULL) < begin + GIVE_UP_SECONDS)
        bystander_nap();
    if (common->wrong)
        printf("# the bystander found something wrong: line %d\n", common->wrong);
    return !common->wrong && common->rounds >= seen + rounds && kill(bystander, 0) == 0;
}

/* ---- what there is ---- */

#define KEPT 8u /* pages that servers may need more, to map what they never had at once before: no process leaves so few */

struct there_is {
    uint64_t pages, inodes, blocks, processes, terminals;
    uint64_t metadata; /* pages that fs has for it, which it keeps for other files */
};

static uint64_t count_terminals(void)
{
    int fd[64];
    uint64_t count = 0;

    while (count < 64 && (fd[count] = posix_openpt(O_RDWR | O_NOCTTY)) >= 0)
        count++;
    for (uint64_t i = 0; i < count; i++)
        close(fd[i]);
    return count;
}

static struct there_is count_all(void)
{
    struct there_is found = {.terminals = count_terminals()};
    struct sysinfo info;
    struct statfs files;

    sysinfo(&info);
    statfs("/", &files);
    found.pages = info.freeram * info.mem_unit / PAGE;
    found.inodes = files.f_ffree;
    found.blocks = files.f_bfree;
    found.processes = info.procs;
    found.metadata = PX_META_LOAD(((const struct px_meta *)PX_META)->pages);
    return found;
}

/*
 * What is made once and kept: the pages of a place in the process table, and what is kept of a process that was there until another one is. So there must
 * have been as many processes at once before anything is counted.
 */
static void many_at_once(void)
{
    pid_t child[100];
    int status;

    for (unsigned i = 0; i < sizeof child / sizeof child[0]; i++)
        if ((child[i] = fork()) == 0)
            for (;;)
                pause();
    for (unsigned i = 0; i < sizeof child / sizeof child[0]; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], &status, 0);
    }
}

/* As much is free as before, as soon as what ends piece by piece has ended. */
static bool is_free(const struct there_is *before, const struct there_is *now)
{
    uint64_t kept = now->metadata - before->metadata;

    return now->pages + kept + KEPT >= before->pages && now->inodes >= before->inodes && now->blocks + kept >= before->blocks &&
           now->processes == before->processes && now->terminals == before->terminals;
}

static bool all_is_free(const struct there_is *before)
{
    struct there_is now = count_all();
    time_t begin = time(NULL);

    while (!is_free(before, &now) && time(NULL) < begin + GIVE_UP_SECONDS) {
        pid_t child = fork();

        if (child == 0)
            for (;;)
                pause();
        kill(child, SIGKILL); /* servers look for what is left whenever somebody was killed */
        waitpid(child, NULL, 0);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        bystander_nap();
        now = count_all();
    }
    printf("# more than before: pages %ld (of metadata %ld), inodes %ld, blocks %ld, processes %ld, free terminals %ld\n", (long)(before->pages - now.pages),
           (long)(now.metadata - before->metadata), (long)(before->inodes - now.inodes), (long)(before->blocks - now.blocks),
           (long)(now.processes - before->processes), (long)(now.terminals - before->terminals));
    return is_free(before, &now);
}

/* ---- the hostile one ---- */

/* All processes of the hostile user end; ours are reaped. */
static void end_hostile(void)
{
    pid_t killer = fork();
    int status;

    if (killer == 0) {
        setgid(HOSTILE_USER);
        setuid(HOSTILE_USER);
        kill(-1, SIGKILL);
        _exit(0);
    }
    while (waitpid(killer, &status, 0) < 0 && errno == EINTR)
        ;
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
}

/* Waits for the child as long as it makes steps, and then ends it. How it ended. */
static int let_loose(pid_t child)
{
    uint64_t seen = common->steps;
    unsigned idle = 0;
    int status = 0;

    while (waitpid(child, &status, WNOHANG | WUNTRACED) != child && idle < 50) {
        idle = common->steps == seen ? idle + 1 : 0;
        seen = common->steps;
        bystander_nap();
    }
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}
#endif
