/*
 * Set-user-ID and set-group-ID programs: this program copies itself, gives the copy to somebody, and executes it as somebody else; the copy says
 * what it has become. The same on Linux, as root.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define FOLDER "/tmp/setid"
#define PROGRAM FOLDER "/program"
#define SCRIPT FOLDER "/script"
#define USER 1000u
#define OTHER 1001u
#define GROUP 1002u

/* What the copy finds. */
struct report {
    uint32_t uid[3], gid[3], aux[5]; /* AT_UID .. AT_EGID, AT_SECURE */
    uint32_t status_uid[4], status_gid[4];
    int32_t dumpable, no_new_privs, pid, ppid, group, session, arguments;
    uint32_t mask;
    bool usr1_blocked, usr2_ignored, usr1_pending, chld_default, closed;
    uint64_t alarm_left, files;
    char cwd[64], variable[32], last[32];
    int64_t position, twin_position;
};

static char own_path[256];

/* ---- the copy ---- */

static void read_status(struct report *report)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        uint32_t *to = strncmp(line, "Uid:", 4) == 0 ? report->status_uid : strncmp(line, "Gid:", 4) == 0 ? report->status_gid : NULL;

        if (to)
            (void)!sscanf(line + 4, "%u %u %u %u", &to[0], &to[1], &to[2], &to[3]);
    }
    if (file)
        fclose(file);
}

static void look_at_signals(struct report *report)
{
    struct sigaction action;
    struct itimerval timer;
    sigset_t set;

    sigprocmask(SIG_BLOCK, NULL, &set);
    report->usr1_blocked = sigismember(&set, SIGUSR1);
    sigpending(&set);
    report->usr1_pending = sigismember(&set, SIGUSR1);
    sigaction(SIGUSR2, NULL, &action);
    report->usr2_ignored = action.sa_handler == SIG_IGN;
    sigaction(SIGCHLD, NULL, &action);
    report->chld_default = action.sa_handler == SIG_DFL;
    getitimer(ITIMER_REAL, &timer);
    report->alarm_left = (uint64_t)timer.it_value.tv_sec;
}

/* Descriptors: `to` a pipe, to + 1 and to + 2 one file, to + 3 was close-on-exec. */
static int tell(int to, int argc, char **argv)
{
    static const unsigned long aux[5] = {AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE};
    struct report report;
    struct rlimit limit;

    memset(&report, 0, sizeof report);
    getresuid(&report.uid[0], &report.uid[1], &report.uid[2]);
    getresgid(&report.gid[0], &report.gid[1], &report.gid[2]);
    for (unsigned i = 0; i < 5; i++)
        report.aux[i] = (uint32_t)getauxval(aux[i]);
    read_status(&report);
    look_at_signals(&report);
    report.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    report.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    report.pid = getpid();
    report.ppid = getppid();
    report.group = getpgrp();
    report.session = getsid(0);
    report.mask = umask(0);
    report.arguments = argc;
    getrlimit(RLIMIT_NOFILE, &limit);
    report.files = limit.rlim_cur;
    (void)!getcwd(report.cwd, sizeof report.cwd);
    if (getenv("SETID_VARIABLE"))
        strncpy(report.variable, getenv("SETID_VARIABLE"), sizeof report.variable - 1);
    strncpy(report.last, argv[argc - 1], sizeof report.last - 1);
    report.closed = fcntl(to + 3, F_GETFD) == -1;
    if (fcntl(to + 1, F_GETFD) >= 0) {
        report.position = lseek(to + 1, 3, SEEK_CUR);
        report.twin_position = lseek(to + 2, 0, SEEK_CUR);
    }
    return write(to, &report, sizeof report) == (ssize_t)sizeof report ? 7 : 8;
}

/* ---- running it ---- */

struct start {
    uid_t user;
    const char *path;
    char **argv;                /* or NULL: path, "tell", the pipe's number */
    void (*before)(int to);     /* in the child, as the user */
    void (*execute)(const char *path, char **argv);
};

#define PIPE_FD 20

static int child_of(const struct start *start, int to)
{
    char number[16];
    char *argv[] = {(char *)(uintptr_t)start->path, "tell", number, NULL};

    snprintf(number, sizeof number, "%d", PIPE_FD);
    if (dup2(to, PIPE_FD) < 0)
        return 100;
    if (start->user && (setgroups(0, NULL) < 0 || setresgid(start->user, start->user, start->user) < 0 ||
                        setresuid(start->user, start->user, start->user) < 0))
        return 101;
    if (start->before)
        start->before(PIPE_FD);
    if (start->execute)
        start->execute(start->path, start->argv ? start->argv : argv);
    else
        execv(start->path, start->argv ? start->argv : argv);
    return errno;
}

static int child_status;

/* True: the program ran and told. Otherwise child_status is the exit status, errno as a rule. */
static bool run(const struct start *start, struct report *report)
{
    int ends[2], status = -1;
    pid_t child;
    ssize_t got;

    memset(report, 0, sizeof *report);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    child = fork();
    if (child == 0)
        _exit(child_of(start, ends[1]));
    close(ends[1]);
    got = read(ends[0], report, sizeof *report);
    close(ends[0]);
    waitpid(child, &status, 0);
    child_status = WIFEXITED(status) ? WEXITSTATUS(status) : -status;
    return got == (ssize_t)sizeof *report && child_status == 7 && report->pid == child;
}

static bool ids_are(const uint32_t ids[3], uint32_t real, uint32_t effective, uint32_t saved)
{
    return ids[0] == real && ids[1] == effective && ids[2] == saved;
}

static bool aux_is(const struct report *report, uint32_t uid, uint32_t euid, uint32_t gid, uint32_t egid, bool secure)
{
    return report->aux[0] == uid && report->aux[1] == euid && report->aux[2] == gid && report->aux[3] == egid && report->aux[4] == secure;
}

static bool copy_to(const char *to, uid_t owner, gid_t group, mode_t mode)
{
    static char buffer[65536];
    int in = open(own_path, O_RDONLY), out;
    ssize_t got;

    unlink(to);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)got) != got)
            return false;
    close(in);
    return close(out) == 0 && chown(to, owner, group) == 0 && chmod(to, mode) == 0;
}

static bool program(uid_t owner, gid_t group, mode_t mode)
{
    return copy_to(PROGRAM, owner, group, mode);
}

/* ---- which ids ---- */

static void try_ids(void)
{
    struct start start = {.user = USER, .path = PROGRAM};
    struct report report;

    program(0, 0, 04755);
    CASE("a set-user-ID program runs", run(&start, &report));
    CASE("its effective and saved user are the file's", ids_are(report.uid, USER, 0, 0) && ids_are(report.gid, USER, USER, USER));
    CASE("/proc says so", report.status_uid[0] == USER && report.status_uid[1] == 0 && report.status_uid[2] == 0 && report.status_uid[3] == 0);
    CASE("so does the auxiliary vector, and AT_SECURE", aux_is(&report, USER, 0, USER, USER, true));
    CASE("it is not dumpable", report.dumpable != 1);
    program(0, GROUP, 02755);
    CASE("a set-group-ID program", run(&start, &report) && ids_are(report.gid, USER, GROUP, GROUP) && ids_are(report.uid, USER, USER, USER));
    CASE("... for which AT_SECURE holds, too", aux_is(&report, USER, USER, USER, GROUP, true));
    program(OTHER, GROUP, 06755);
    CASE("both bits", run(&start, &report) && ids_are(report.uid, USER, OTHER, OTHER) && ids_are(report.gid, USER, GROUP, GROUP) &&
                          report.status_gid[1] == GROUP && report.status_gid[3] == GROUP);
    program(0, GROUP, 02745);
    CASE("the group's bit without execution is another thing", run(&start, &report) && ids_are(report.gid, USER, USER, USER) && !report.aux[4]);
    program(USER, USER, 06755);
    CASE("one's own program", run(&start, &report) && ids_are(report.uid, USER, USER, USER) && !report.aux[4] && report.dumpable == 1);
    program(0, 0, 04711);
    CASE("a program that cannot be read", run(&start, &report) && ids_are(report.uid, USER, 0, 0));
    program(0, 0, 04754);
    CASE("one that the caller may not execute", !run(&start, &report) && child_status == EACCES);
    start.user = 0;
    program(USER, GROUP, 06755);
    CASE("root becomes somebody else", run(&start, &report) && ids_are(report.uid, 0, USER, USER) && ids_are(report.gid, 0, GROUP, GROUP));
    CASE("... and is told", aux_is(&report, 0, USER, 0, GROUP, true) && report.dumpable != 1);
}

static void no_new_privileges(int to)
{
    (void)to;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void only_effective(int to)
{
    (void)to;
    (void)!setresuid(USER, USER, 0);
}

static void refuse_ids(void)
{
    struct start start = {.user = USER, .path = PROGRAM, .before = no_new_privileges};
    struct report report;

    program(0, 0, 06755);
    CASE("no_new_privs", run(&start, &report) && ids_are(report.uid, USER, USER, USER) && ids_are(report.gid, USER, USER, USER) && !report.aux[4]);
    CASE("... is inherited", report.no_new_privs == 1);
    start.user = 0;
    program(USER, USER, 06755);
    CASE("... and binds root", run(&start, &report) && ids_are(report.uid, 0, 0, 0));
    program(0, 0, 0755);
    start.before = only_effective;
    CASE("without the bits, saved ids become the effective ones", run(&start, &report) && ids_are(report.uid, USER, USER, USER));
    CASE("PR_SET_NO_NEW_PRIVS takes 1 alone", FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL) && FAILS(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL));
}

/* ---- scripts ---- */

static bool script(const char *interpreter, mode_t mode)
{
    FILE *file = fopen(SCRIPT, "w");

    if (!file)
        return false;
    fprintf(file, "#!%s tell\n", interpreter);
    return fclose(file) == 0 && chmod(SCRIPT, mode) == 0;
}

static void scripts(void)
{
    char number[16];
    char *argv[] = {SCRIPT, number, NULL};
    struct start start = {.user = USER, .path = SCRIPT, .argv = argv};
    struct report report;

    snprintf(number, sizeof number, "%d", PIPE_FD);
    program(0, 0, 0755);
    script(PROGRAM, 06755);
    CASE("a script's bits say nothing", run(&start, &report) && ids_are(report.uid, USER, USER, USER));
    program(0, 0, 04755);
    script(PROGRAM, 0755);
    CASE("its interpreter's do", run(&start, &report) && ids_are(report.uid, USER, 0, 0) && report.arguments == 4);
}

/* ---- what stays ---- */

static void prepare(int to)
{
    struct itimerval timer = {.it_value = {1000, 0}};
    struct rlimit limit = {77, 99};
    int file = open(FOLDER "/data", O_RDWR);
    sigset_t set;

    lseek(file, 5, SEEK_SET);
    dup2(file, to + 1);
    dup2(to + 1, to + 2);
    dup3(file, to + 3, O_CLOEXEC);
    (void)!chdir(FOLDER);
    umask(027);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    setitimer(ITIMER_REAL, &timer, NULL);
    setrlimit(RLIMIT_NOFILE, &limit);
    setenv("SETID_VARIABLE", "kept", 1);
}

static void stays(void)
{
    struct start start = {.user = USER, .path = PROGRAM, .before = prepare};
    struct report report;
    int file = open(FOLDER "/data", O_RDWR | O_CREAT | O_TRUNC, 0666);

    (void)!fchmod(file, 0666);
    (void)!write(file, "0123456789", 10);
    close(file);
    program(0, 0, 04755);
    CASE("with much to keep", run(&start, &report) && ids_are(report.uid, USER, 0, 0));
    CASE("parent, group and session", report.ppid == getpid() && report.group == getpgrp() && report.session == getsid(0));
    CASE("current directory and umask", strcmp(report.cwd, FOLDER) == 0 && report.mask == 027);
    CASE("blocked, pending and ignored signals", report.usr1_blocked && report.usr1_pending && report.usr2_ignored && report.chld_default);
    CASE("the alarm", report.alarm_left > 0 && report.alarm_left <= 1000);
    CASE("limits", report.files == 77);
    CASE("environment and arguments", strcmp(report.variable, "kept") == 0 && report.arguments == 3);
    CASE("a file's position, and who shares it", report.position == 8 && report.twin_position == 8);
    CASE("what is close-on-exec is closed", report.closed);
}

static int common;

static void share(int to)
{
    dup2(common, to + 1);
    dup2(common, to + 2);
}

/* Here and in the program it is one description. */
static void shared_position(void)
{
    struct start start = {.user = USER, .path = PROGRAM, .before = share};
    struct report report;

    common = open(FOLDER "/data", O_RDWR);
    CASE("a position that a relative shares", run(&start, &report) && report.position == 3 && lseek(common, 0, SEEK_CUR) == 3);
    CASE("... goes on where it was left", lseek(common, 2, SEEK_CUR) == 5 && run(&start, &report) && report.position == 8 && lseek(common, 0, SEEK_CUR) == 8);
    start.path = "/bin/sh";
    start.argv = (char *[]){"sh", "-c", FOLDER "/program write; exec " FOLDER "/program write", NULL};
    (void)run(&start, &report);
    CASE("... over several programs", child_status == 7 && lseek(common, 0, SEEK_CUR) == 10);
    close(common);
}

static void by_descriptor(const char *path, char **argv)
{
    fexecve(open(path, O_PATH | O_CLOEXEC), argv, environ);
}

static void by_vfork(const char *path, char **argv)
{
    pid_t child = vfork();
    int status = 0;

    if (child == 0) {
        execv(path, argv);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

static void by_spawn(const char *path, char **argv)
{
    int status = 99 << 8;
    pid_t child;

    if (posix_spawn(&child, path, NULL, NULL, argv, environ) == 0)
        waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void *execute_elsewhere(void *argument)
{
    char **argv = argument;

    execv(argv[0], argv);
    _exit(errno);
}

static void by_thread(const char *path, char **argv)
{
    pthread_t thread;

    (void)path;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
    pthread_create(&thread, NULL, execute_elsewhere, argv);
    wait_for_ever(NULL);
}

#define MANY 2000

static void many_arguments(const char *path, char **argv)
{
    static char *list[MANY + 4], text[512];

    (void)path;
    memset(text, 'x', sizeof text - 1);
    memcpy(list, argv, 3 * sizeof *list);
    for (int i = 0; i < MANY; i++)
        list[3 + i] = text;
    list[MANY + 2] = "end";
    execv(list[0], list);
}

static void ways(void)
{
    struct start start = {.user = USER, .path = PROGRAM, .execute = by_descriptor};
    struct report report;

    CASE("by a descriptor that is close-on-exec", run(&start, &report) && ids_are(report.uid, USER, 0, 0));
    start.execute = by_thread;
    CASE("by the second of three threads", run(&start, &report) && ids_are(report.uid, USER, 0, 0));
    start.execute = many_arguments;
    CASE("with a million bytes of arguments", run(&start, &report) && report.arguments == MANY + 3 && strcmp(report.last, "end") == 0);
    start.execute = by_vfork;
    (void)run(&start, &report);
    CASE("by vfork", child_status == 7 && ids_are(report.uid, USER, 0, 0) && report.ppid != getpid());
    start.execute = by_spawn;
    (void)run(&start, &report);
    CASE("by posix_spawn", child_status == 7 && ids_are(report.uid, USER, 0, 0));
}

/* ---- chroot ---- */

static void in_other_root(const char *path, char **argv)
{
    (void)path;
    execv("/inner", argv);
}

static void other_root(int to)
{
    (void)to;
    if (chroot(FOLDER "/root") < 0 || chdir("/") < 0 || setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0)
        _exit(102);
}

static void below_chroot(void)
{
    struct start start = {.path = PROGRAM, .before = other_root, .execute = in_other_root};
    struct report report;

    mkdir(FOLDER "/root", 0755);
    CASE("below a root that root has chosen", copy_to(FOLDER "/root/inner", 0, 0, 04755) && run(&start, &report) && ids_are(report.uid, USER, 0, 0));
    CASE("... in which it stays", strcmp(report.cwd, "/") == 0 && report.status_uid[0] == 0);
}

/* ---- when the bits go ---- */

static mode_t mode_after(void (*change)(void))
{
    struct stat stat_;
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0)
            _exit(1);
        change();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status == 0 && stat(PROGRAM, &stat_) == 0 ? stat_.st_mode & 07777 : 0;
}

static void write_it(void)
{
    int fd = open(PROGRAM, O_WRONLY);

    if (write(fd, "x", 1) != 1)
        _exit(1);
}

static void cut_it(void)
{
    if (truncate(PROGRAM, 10) < 0)
        _exit(1);
}

static void give_it(void)
{
    if (chown(PROGRAM, (uid_t)-1, USER) < 0)
        _exit(1);
}

static void bits_go(void)
{
    program(0, 0, 06777);
    CASE("who writes to it takes the bits away", mode_after(write_it) == 0777);
    program(0, 0, 06777);
    CASE("... and who cuts it", mode_after(cut_it) == 0777);
    program(USER, GROUP, 06755);
    CASE("... and who gives it away", mode_after(give_it) == 0755);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "tell") == 0)
        return tell(atoi(strcmp(argv[2], SCRIPT) == 0 ? argv[3] : argv[2]), argc, argv);
    if (argc > 1 && strcmp(argv[1], "write") == 0)
        return write(PIPE_FD + 1, "w", 1) == 1 ? 7 : 8;
    if (geteuid() != 0) {
        puts("1..0 # SKIP only root can do this");
        return 0;
    }
    own_path[readlink("/proc/self/exe", own_path, sizeof own_path - 1)] = '\0';
    umask(022);
    mkdir(FOLDER, 0755);
    chmod(FOLDER, 0755);
    try_ids();
    refuse_ids();
    scripts();
    stays();
    shared_position();
    ways();
    below_chroot();
    bits_go();
    return tap_finish();
}
