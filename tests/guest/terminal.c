/*
 * long: cases one after another, each short.
 *
 * Pseudo-terminals and job control, from programs' side: opening and closing, line discipline through the calls, sessions, foreground groups, SIGTTIN and
 * SIGTTOU, orphaned groups, hang-up, window size, VMIN and VTIME. Runs on Linux as well, with the same result.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static int master, slave;
static char slave_name[64];

static int open_pair(void)
{
    int number = -1, lock = 0;

    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0 || ioctl(master, TIOCGPTN, &number) < 0 || ioctl(master, TIOCSPTLCK, &lock) < 0)
        return -1;
    snprintf(slave_name, sizeof(slave_name), "/dev/pts/%d", number);
    slave = open(slave_name, O_RDWR | O_NOCTTY);
    return slave;
}

static void close_pair(void)
{
    close(slave);
    close(master);
}

static void pause_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000l};

    nanosleep(&time, NULL);
}

/* Reads until so many bytes have come, or none comes for a second. */
static size_t read_all(int fd, char *to, size_t wanted)
{
    size_t done = 0;

    while (done < wanted) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        ssize_t some;

        if (poll(&one, 1, 1000) <= 0)
            break;
        some = read(fd, to + done, wanted - done);
        if (some <= 0)
            break;
        done += (size_t)some;
    }
    return done;
}

static int gives(int fd, const char *text)
{
    char got[512];
    size_t length = strlen(text);
    size_t count = read_all(fd, got, length);

    if (count == length && memcmp(got, text, length) == 0)
        return 1;
    printf("# wanted %zu bytes, got %zu: %.*s\n", length, count, (int)count, got);
    return 0;
}

static int type(const char *text)
{
    return write(master, text, strlen(text)) == (ssize_t)strlen(text);
}

static void settings(int fd, tcflag_t local_on, tcflag_t local_off, int min, int time)
{
    struct termios termios;

    tcgetattr(fd, &termios);
    termios.c_lflag = (termios.c_lflag | local_on) & ~local_off;
    if (min >= 0) {
        termios.c_cc[VMIN] = (cc_t)min;
        termios.c_cc[VTIME] = (cc_t)time;
    }
    tcsetattr(fd, TCSANOW, &termios);
}

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* ---- opening and the line ---------------------------------------------------------------------------------------- */

static void opening(void)
{
    int number = -1, lock = -1, fd;
    struct stat status;

    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CASE("ptmx opens", master >= 0);
    CASE("TIOCGPTN", ioctl(master, TIOCGPTN, &number) == 0 && number >= 0);
    CASE("TIOCGPTLCK: locked at first", ioctl(master, TIOCGPTLCK, &lock) == 0 && lock == 1);
    snprintf(slave_name, sizeof(slave_name), "/dev/pts/%d", number);
    CASE("locked slave: EIO", open(slave_name, O_RDWR | O_NOCTTY) < 0 && errno == EIO);
    lock = 0;
    CASE("TIOCSPTLCK", ioctl(master, TIOCSPTLCK, &lock) == 0);
    slave = open(slave_name, O_RDWR | O_NOCTTY);
    CASE("slave opens", slave >= 0);
    CASE("both are terminals", isatty(master) && isatty(slave));
    CASE("fstat of the slave", fstat(slave, &status) == 0 && S_ISCHR(status.st_mode) &&
                                   status.st_rdev == makedev(136, (unsigned)number));
    CASE("ttyname", ttyname(slave) && strcmp(ttyname(slave), slave_name) == 0);
    fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    CASE("TIOCGPTPEER", fd >= 0 && isatty(fd) && write(fd, "peer", 4) == 4 && gives(master, "peer"));
    close(fd);
    CASE("TIOCGPTN on the slave: ENOTTY", ioctl(slave, TIOCGPTN, &number) < 0 && errno == ENOTTY);
    CASE("unknown ioctl: ENOTTY", ioctl(slave, 0x5499, 0) < 0 && errno == ENOTTY);
    CASE("bad pointer: EFAULT", ioctl(slave, TCGETS, (void *)8) < 0 && errno == EFAULT);
    CASE("bad pointer in: EFAULT", ioctl(slave, TCSETS, (void *)8) < 0 && errno == EFAULT);
    CASE("lseek: ESPIPE", lseek(slave, 0, SEEK_SET) < 0 && errno == ESPIPE);
    close_pair();
    CASE("freed slave: EIO or no node", open(slave_name, O_RDWR | O_NOCTTY) < 0 && (errno == EIO || errno == ENOENT));
}

static void many(void)
{
    int fds[8], numbers[8], good = 1;

    for (int i = 0; i < 8; i++) {
        fds[i] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
        good &= fds[i] >= 0 && ioctl(fds[i], TIOCGPTN, &numbers[i]) == 0;
        for (int k = 0; k < i; k++)
            good &= numbers[k] != numbers[i];
    }
    CASE("eight at once, all different", good);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
    for (int i = 0; i < 100 && good; i++) {
        good = open_pair() >= 0;
        close_pair();
    }
    CASE("a hundred, one after the other", good);
}

static void line(void)
{
    char text[64];
    int count = -1;

    open_pair();
    CASE("echo", type("ab\x7f" "c\n") && gives(master, "ab\b \bc\r\n"));
    CASE("FIONREAD", ioctl(slave, FIONREAD, &count) == 0 && count == 3);
    CASE("a line is read", read(slave, text, sizeof(text)) == 3 && memcmp(text, "ac\n", 3) == 0);
    CASE("end of file", type("\x04") && read(slave, text, sizeof(text)) == 0);
    CASE("output is processed", write(slave, "x\ny", 3) == 3 && gives(master, "x\r\ny"));
    CASE("a line read in pieces", type("hello\n") && gives(master, "hello\r\n") && read(slave, text, 2) == 2 &&
                                      read(slave, text, 10) == 4 && memcmp(text, "llo\n", 4) == 0);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    CASE("nothing there: EAGAIN", read(slave, text, 1) < 0 && errno == EAGAIN);
    CASE("half a line: EAGAIN", type("half") && gives(master, "half") && read(slave, text, 10) < 0 && errno == EAGAIN);
    CASE("TCIFLUSH forgets it", tcflush(slave, TCIFLUSH) == 0 && type("\n") && gives(master, "\r\n") && read(slave, text, 10) == 1);
    fcntl(slave, F_SETFL, 0);
    fcntl(master, F_SETFL, O_NONBLOCK);
    CASE("master: EAGAIN", read(master, text, 1) < 0 && errno == EAGAIN);
    fcntl(master, F_SETFL, 0);
    CASE("read of nothing", read(slave, text, 0) == 0 && write(slave, text, 0) == 0);
    CASE("TCOOFF and TCOON", tcflow(slave, TCOOFF) == 0 && tcflow(slave, TCOON) == 0 && tcflow(slave, 9) < 0 && errno == EINVAL);
    CASE("tcdrain", tcdrain(slave) == 0);
    close_pair();
}

static void raw(void)
{
    struct timespec start;
    char text[64];

    open_pair();
    settings(slave, 0, ICANON | ECHO | ISIG, 1, 0);
    CASE("raw: bytes as they come", type("a\x03") && read(slave, text, 10) == 2 && text[1] == 3);
    settings(slave, 0, 0, 0, 0);
    CASE("MIN 0 TIME 0: at once", read(slave, text, 10) == 0);
    settings(slave, 0, 0, 0, 2);
    clock_gettime(CLOCK_MONOTONIC, &start);
    CASE("MIN 0 TIME 2: waits", read(slave, text, 10) == 0 && elapsed_ms(&start) >= 150);
    settings(slave, 0, 0, 5, 2);
    type("abc");
    CASE("MIN 5 TIME 2: what came before the gap", read(slave, text, 10) == 3);
    type("abcdefg");
    CASE("MIN 5: as much as there is", read(slave, text, 10) == 7);
    type("abcdefg");
    CASE("MIN 5: no more than asked for", read(slave, text, 3) == 3 && read(slave, text, 4) == 4);
    settings(slave, 0, 0, 3, 0);
    if (fork() == 0) {
        for (int i = 0; i < 3; i++) {
            pause_ms(30);
            type("x");
        }
        _exit(0);
    }
    CASE("MIN 3: waits for three", read(slave, text, 10) == 3);
    wait(NULL);
    close_pair();
}

static void polling(void)
{
    struct pollfd one = {.events = POLLIN | POLLOUT};
    char text[16];

    open_pair();
    one.fd = slave;
    CASE("slave: may be written", poll(&one, 1, 0) == 1 && one.revents == POLLOUT);
    type("x");
    gives(master, "x");
    CASE("slave: half a line is not ready", poll(&one, 1, 0) == 1 && one.revents == POLLOUT);
    type("\n");
    gives(master, "\r\n");
    one.events = POLLIN;
    CASE("slave: a line is", poll(&one, 1, 1000) == 1 && one.revents == POLLIN);
    read(slave, text, sizeof(text));
    CASE("slave: not any more", poll(&one, 1, 0) == 0);
    one.fd = master;
    CASE("master: nothing", poll(&one, 1, 0) == 0);
    if (fork() == 0) {
        pause_ms(50);
        write(slave, "z", 1);
        _exit(0);
    }
    CASE("master: woken", poll(&one, 1, 3000) == 1 && one.revents == POLLIN && gives(master, "z"));
    wait(NULL);
    close_pair();
}

/* ---- closing ----------------------------------------------------------------------------------------------------- */

static void closing(void)
{
    struct pollfd one = {.events = POLLIN};
    char text[16];
    int other;
    pid_t child;

    open_pair();
    write(slave, "last", 4);
    close(slave);
    one.fd = master;
    CASE("slave closed: master reads what is left", gives(master, "last"));
    CASE("then EIO", read(master, text, 1) < 0 && errno == EIO);
    CASE("and POLLHUP", poll(&one, 1, 0) == 1 && (one.revents & POLLHUP));
    slave = open(slave_name, O_RDWR | O_NOCTTY);
    CASE("opened again: alive", slave >= 0 && poll(&one, 1, 0) == 0 && write(slave, "x", 1) == 1 && gives(master, "x"));

    other = dup(slave);
    close(slave);
    CASE("a duplicate keeps it", poll(&one, 1, 0) == 0);
    child = fork();
    if (child == 0) {
        close(master);
        pause();
        _exit(0);
    }
    close(other);
    pause_ms(50);
    CASE("an heir keeps it", poll(&one, 1, 0) == 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CASE("killed: closed", poll(&one, 1, 2000) == 1 && (one.revents & POLLHUP));
    close(master);

    open_pair();
    close(master);
    CASE("master closed: read gives the end", read(slave, text, 1) == 0);
    CASE("write gives EIO", write(slave, "x", 1) < 0 && errno == EIO);
    one.fd = slave;
    one.events = POLLIN | POLLOUT;
    CASE("poll gives POLLHUP", poll(&one, 1, 0) == 1 && (one.revents & POLLHUP));
    CASE("ioctl gives EIO", ioctl(slave, TCGETS, text) < 0 && errno == EIO);
    close(slave);
}

/* A description that a child inherited and that this process never used works there. */
static void inherited(void)
{
    int status = -1;

    open_pair();
    if (fork() == 0) {
        char text[8];

        if (fork() == 0)
            _exit(write(slave, "deep", 4) == 4 && read(slave, text, 8) == 2 ? 0 : 1);
        wait(&status);
        _exit(WEXITSTATUS(status));
    }
    CASE("a grandchild writes", gives(master, "deep"));
    type("y\n");
    wait(&status);
    CASE("and reads", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_pair();
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t got[65];

static void note(int signal)
{
    got[signal]++;
}

static void on_signal(int signal, int flags)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = flags};

    sigaction(signal, &action, NULL);
}

static int wait_signal(int signal)
{
    for (int i = 0; i < 200 && !got[signal]; i++)
        pause_ms(10);
    return got[signal];
}

/* Runs `body` in a new session whose terminal is the pair's slave. Its exit status is a bit for each thing that failed. */
static int in_session(void (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        memset((void *)got, 0, sizeof(got));
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}
#define NEED(condition) \
    do { \
        if (!(condition)) { \
            dprintf(1, "# line %d: %s (errno %d)\n", __LINE__, #condition, errno); \
            _exit(1); \
        } \
    } while (0)

static void session_basics(void)
{
    pid_t group = -1, session = -1;
    int fd;

    NEED(ioctl(slave, TIOCGPGRP, &group) == 0 && group == getpid());
    NEED(ioctl(slave, TIOCGSID, &session) == 0 && session == getpid());
    NEED(tcgetpgrp(slave) == getpid());
    fd = open("/dev/tty", O_RDWR);
    NEED(fd >= 0 && write(fd, "T", 1) == 1);
    close(fd);
    NEED(ioctl(slave, TIOCSCTTY, 0) == 0); /* once more is no error */
    NEED(tcsetpgrp(slave, -1) < 0 && errno == EINVAL);
    NEED(tcsetpgrp(slave, 999999) < 0 && errno == ESRCH);
    NEED(tcsetpgrp(slave, getppid()) < 0 && (errno == EPERM || errno == ESRCH));
    signal(SIGHUP, SIG_IGN); /* giving the terminal up hangs up */
    NEED(ioctl(slave, TIOCNOTTY) == 0);
    NEED(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
    NEED(ioctl(slave, TIOCGPGRP, &group) < 0 && errno == ENOTTY);
}

static void opening_acquires(void)
{
    NEED(setsid() < 0 && errno == EPERM);
    signal(SIGHUP, SIG_IGN); /* giving the terminal up hangs up */
    NEED(ioctl(slave, TIOCNOTTY) == 0);
    NEED(open(slave_name, O_RDWR | O_NOCTTY) >= 0 && open("/dev/tty", O_RDWR) < 0);
    NEED(open(slave_name, O_RDWR) >= 0 && open("/dev/tty", O_RDWR) >= 0);
}

static void stranger(void)
{
    int status;

    if (fork() == 0) {
        setsid();
        NEED(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
        NEED(tcgetpgrp(slave) < 0 && errno == ENOTTY);
        NEED(tcsetpgrp(slave, getpid()) < 0 && errno == ENOTTY);
        NEED(ioctl(slave, TIOCSCTTY, 0) < 0 && errno == EPERM); /* another session's */
        NEED(write(slave, "s", 1) == 1);
        _exit(0);
    }
    wait(&status);
    NEED(status == 0);
}

static void keys(void)
{
    static const struct {
        const char *key;
        int signal;
    } all[] = {{"\x03", SIGINT}, {"\x1c", SIGQUIT}, {"\x1a", SIGTSTP}};

    for (unsigned i = 0; i < 3; i++) {
        on_signal(all[i].signal, 0);
        NEED(type(all[i].key));
        NEED(wait_signal(all[i].signal) == 1);
    }
}

static void interrupted_read(void)
{
    char text[8];

    on_signal(SIGINT, 0);
    if (fork() == 0) {
        signal(SIGINT, SIG_IGN);
        pause_ms(100);
        type("\x03");
        _exit(0);
    }
    NEED(read(slave, text, 8) < 0 && errno == EINTR && got[SIGINT]);
    on_signal(SIGINT, SA_RESTART);
    if (fork() == 0) {
        signal(SIGINT, SIG_IGN);
        pause_ms(100);
        type("\x03");
        pause_ms(100);
        type("ok\n");
        _exit(0);
    }
    NEED(read(slave, text, 8) == 3 && got[SIGINT] == 2);
}

/* A child in a group of its own, in the background; returns its wait status after it stopped or ended. */
static int background(void (*body)(void), pid_t *child)
{
    int status = -1;

    *child = fork();
    if (*child == 0) {
        setpgid(0, 0);
        body();
        _exit(0);
    }
    setpgid(*child, *child);
    waitpid(*child, &status, WUNTRACED);
    return status;
}

static void reads(void)
{
    char text[8];

    NEED(read(slave, text, 8) == 3);
}
static void sets(void)
{
    settings(slave, 0, ECHO, -1, 0);
}
static void writes(void)
{
    NEED(write(slave, "W", 1) == 1);
}
static void reads_ignoring(void)
{
    char text[8];

    signal(SIGTTIN, SIG_IGN);
    NEED(read(slave, text, 8) < 0 && errno == EIO);
}
static void reads_blocking(void)
{
    char text[8];
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    NEED(read(slave, text, 8) < 0 && errno == EIO);
}
static void sets_group_blocking(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTTOU);
    sigprocmask(SIG_BLOCK, &set, NULL);
    NEED(tcsetpgrp(slave, getpgrp()) == 0 && tcgetpgrp(slave) == getpgrp());
}
static void reads_with_handler(void)
{
    char text[8];

    on_signal(SIGTTIN, 0);
    NEED(read(slave, text, 8) < 0 && errno == EINTR && got[SIGTTIN]);
}

static void background_groups(void)
{
    pid_t child;
    int status = background(reads, &child);

    NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    NEED(tcsetpgrp(slave, child) == 0 && kill(child, SIGCONT) == 0 && type("ab\n"));
    NEED(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    signal(SIGTTOU, SIG_IGN);
    NEED(tcsetpgrp(slave, getpgrp()) == 0); /* from the background, ignoring SIGTTOU */
    signal(SIGTTOU, SIG_DFL);

    status = background(sets, &child);
    NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);

    NEED(background(writes, &child) == 0);
    settings(slave, TOSTOP, 0, -1, 0);
    status = background(writes, &child);
    NEED(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    settings(slave, 0, TOSTOP, -1, 0);

    NEED(background(reads_ignoring, &child) == 0);
    NEED(background(reads_blocking, &child) == 0);
    NEED(background(reads_with_handler, &child) == 0);
    NEED(background(sets_group_blocking, &child) == 0);
}

/* The parent of a group of its own is gone: nobody could continue it, so it is not stopped. */
static void orphans(void)
{
    int report[2], status = -1;
    char text[8];

    NEED(pipe(report) == 0);
    if (fork() == 0) {
        if (fork() == 0) {
            setpgid(0, 0);
            poll(NULL, 0, 200); /* until the parent has ended */
            status = read(slave, text, 8) < 0 ? errno : 0;
            write(report[1], &status, sizeof(status));
            _exit(0);
        }
        _exit(0);
    }
    wait(NULL);
    NEED(read(report[0], &status, sizeof(status)) == sizeof(status) && status == EIO);
}

static void window_size(void)
{
    struct winsize size = {.ws_row = 33, .ws_col = 101}, seen;

    on_signal(SIGWINCH, 0);
    NEED(ioctl(master, TIOCSWINSZ, &size) == 0 && wait_signal(SIGWINCH) == 1);
    NEED(ioctl(slave, TIOCGWINSZ, &seen) == 0 && seen.ws_row == 33 && seen.ws_col == 101);
    NEED(ioctl(slave, TIOCSWINSZ, &size) == 0); /* the same: no signal */
    pause_ms(50);
    NEED(got[SIGWINCH] == 1);
}

static void hang_up(void)
{
    char text[8];

    on_signal(SIGHUP, 0);
    on_signal(SIGCONT, 0);
    close(master); /* not the last: the parent has it */
    pause_ms(150);
    NEED(wait_signal(SIGHUP) == 1);
    NEED(wait_signal(SIGCONT) >= 1);
    NEED(read(slave, text, 8) == 0);
    NEED(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
}

static void leader_leaves(void)
{
    int ready[2];
    char byte;

    NEED(pipe(ready) == 0);
    if (fork() == 0) {
        on_signal(SIGHUP, 0);
        write(ready[1], "r", 1);
        NEED(wait_signal(SIGHUP));
        write(slave, "hup", 3);
        _exit(0);
    }
    read(ready[0], &byte, 1);
    _exit(0);
}

static void sessions(void)
{
    int status = -1;
    pid_t child;

    open_pair();
    CASE("session, /dev/tty, TIOCNOTTY", in_session(session_basics) == 0);
    CASE("opening acquires", in_session(opening_acquires) == 0);
    CASE("another session", in_session(stranger) == 0);
    CASE("keys send signals", in_session(keys) == 0);
    CASE("read is interrupted, or restarted", in_session(interrupted_read) == 0);
    CASE("background groups", in_session(background_groups) == 0);
    CASE("orphaned group", in_session(orphans) == 0);
    CASE("window size", in_session(window_size) == 0);
    close_pair();

    open_pair();
    CASE("leader's end", in_session(leader_leaves) == 0 && gives(master, "hup"));
    close_pair();

    open_pair();
    child = fork();
    if (child == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        hang_up();
        _exit(0);
    }
    close(slave);
    pause_ms(100);
    close(master);
    waitpid(child, &status, 0);
    CASE("hang-up", status == 0);
}

/* ---- much -------------------------------------------------------------------------------------------------------- */

static void bulk(void)
{
    static char block[5000], back[5000];
    size_t total = 0, wanted = 200 * sizeof(block);
    int good = 1;

    open_pair();
    settings(slave, 0, ICANON | ECHO | ISIG | IEXTEN, 1, 0);
    {
        struct termios termios;

        tcgetattr(slave, &termios);
        termios.c_iflag = 0;
        termios.c_oflag = 0;
        tcsetattr(slave, TCSANOW, &termios);
    }
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)(i * 31);
    if (fork() == 0) {
        for (int i = 0; i < 200; i++)
            write(slave, block, sizeof(block));
        _exit(0);
    }
    while (good && total < wanted) {
        ssize_t some = read(master, back, sizeof(back));

        for (ssize_t i = 0; i < some; i++)
            good &= back[i] == block[(total + (size_t)i) % sizeof(block)];
        good &= some > 0;
        total += some > 0 ? (size_t)some : 0;
    }
    wait(NULL);
    CASE("a megabyte from slave to master", good);
    if (fork() == 0) {
        for (int i = 0; i < 200; i++)
            write(master, block, sizeof(block));
        _exit(0);
    }
    for (total = 0; good && total < wanted;) {
        ssize_t some = read(slave, back, sizeof(back));

        for (ssize_t i = 0; i < some; i++)
            good &= back[i] == block[(total + (size_t)i) % sizeof(block)];
        good &= some > 0;
        total += some > 0 ? (size_t)some : 0;
    }
    wait(NULL);
    CASE("a megabyte from master to slave", good);
    close_pair();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    opening();
    many();
    line();
    raw();
    polling();
    closing();
    inherited();
    sessions();
    bulk();
    return tap_finish();
}
