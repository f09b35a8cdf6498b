/*
 * AF_UNIX sockets with names: bind, listen, connect, accept, by paths and abstract names; who refuses whom, and what is left when somebody dies.
 * Every case passes on Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define PATH "/tmp/meeting.socket"

/* An address: a path, or with @ at first an abstract name. */
struct address {
    struct sockaddr_un un;
    socklen_t length;
};

static struct address named(const char *name)
{
    struct address address = {.un = {.sun_family = AF_UNIX}};

    strcpy(address.un.sun_path, name);
    address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
    if (name[0] == '@')
        address.un.sun_path[0] = '\0';
    return address;
}

static int bind_to(int fd, const char *name)
{
    struct address address = named(name);

    return bind(fd, (struct sockaddr *)&address.un, address.length);
}

static int connect_to(int fd, const char *name)
{
    struct address address = named(name);

    return connect(fd, (struct sockaddr *)&address.un, address.length);
}

static int listener(int type, const char *name, int backlog)
{
    int fd = socket(AF_UNIX, type, 0);

    if (fd < 0 || bind_to(fd, name) != 0 || listen(fd, backlog) != 0) {
        perror("listener");
        exit(1);
    }
    return fd;
}

static short polled(int fd, short events, int timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = events};

    return poll(&one, 1, timeout_ms) < 0 ? -1 : one.revents;
}

static int exit_status(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* A client process: connects, sends its number, reads it back, and ends. */
static pid_t client(int type, const char *name, char number)
{
    pid_t child = fork();

    if (child == 0) {
        int fd = socket(AF_UNIX, type, 0);
        char back;

        if (connect_to(fd, name) != 0)
            _exit(2);
        if (write(fd, &number, 1) != 1 || read(fd, &back, 1) != 1)
            _exit(3);
        _exit(back == number ? 0 : 4);
    }
    return child;
}

static void test_meet(int type, const char *name)
{
    int server, accepted;
    char byte;
    pid_t child;
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    struct ucred cred;
    int listens = 0;
    const struct address own = named(name);

    unlink(PATH);
    server = listener(type, name, 5);
    CASE("nobody has come", polled(server, POLLIN, 0) == 0);
    child = client(type, name, 'x');
    CASE("poll tells of an arrival", polled(server, POLLIN, 5000) == POLLIN);
    accepted = accept(server, (struct sockaddr *)&address, &length);
    CASE("accept", accepted >= 0 && length == 2 && address.sun_family == AF_UNIX);
    CASE("a byte there and back", read(accepted, &byte, 1) == 1 && byte == 'x' && write(accepted, &byte, 1) == 1 && exit_status(child) == 0);
    CASE("the client's end", read(accepted, &byte, 1) == 0);
    length = sizeof cred;
    CASE("the client's credentials", getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0 && cred.pid == child &&
                                         cred.uid == geteuid() && cred.gid == getegid());
    length = sizeof address;
    memset(&address, 0, sizeof address);
    CASE("its own name", getsockname(accepted, (struct sockaddr *)&address, &length) == 0 && length == own.length &&
                             memcmp(&address, &own.un, length) == 0);
    length = sizeof listens;
    CASE("SO_ACCEPTCONN", getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens == 1);
    close(accepted);
    close(server);
}

static void test_many_clients(void)
{
    int server = listener(SOCK_STREAM, "@many", 20), good = 0;
    pid_t child[12];

    for (int i = 0; i < 12; i++)
        child[i] = client(SOCK_STREAM, "@many", (char)('a' + i));
    for (int i = 0; i < 12; i++) {
        int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        char byte;

        good += fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK);
        polled(fd, POLLIN, 5000);
        good += read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1;
        close(fd);
    }
    for (int i = 0; i < 12; i++)
        good += exit_status(child[i]) == 0;
    CASE("twelve clients", good == 36);
    close(server);
}

static void test_refused(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), packet = socket(AF_UNIX, SOCK_SEQPACKET, 0), other = socket(AF_UNIX, SOCK_STREAM, 0), server;
    struct address address = named(PATH);

    unlink(PATH);
    CASE("no such path", FAILS(connect_to(fd, PATH), ENOENT));
    CASE("no such abstract name", FAILS(connect_to(fd, "@nobody"), ECONNREFUSED));
    CASE("no socket", FAILS(connect_to(fd, "/dev/null"), ECONNREFUSED));
    CASE("not a directory", FAILS(connect_to(fd, "/dev/null/x"), ENOTDIR) && FAILS(bind_to(fd, "/dev/null/x"), ENOTDIR));
    CASE("listen without a name", FAILS(listen(fd, 1), EINVAL));
    CASE("accept without listen", FAILS(accept(fd, NULL, NULL), EINVAL));
    CASE("bind", bind_to(fd, PATH) == 0);
    CASE("a second name", FAILS(bind_to(fd, "@second"), EINVAL));
    CASE("the name is taken", FAILS(bind_to(other, PATH), EADDRINUSE) && FAILS(bind_to(other, "/tmp"), EADDRINUSE));
    CASE("bound, and nobody listens", FAILS(connect_to(other, PATH), ECONNREFUSED));
    CASE("no address at all", FAILS(bind(other, (struct sockaddr *)&address.un, 1), EINVAL) &&
                                  FAILS(connect(other, (struct sockaddr *)&address.un, 1), EINVAL) &&
                                  FAILS(bind(other, (struct sockaddr *)&address.un, 200), EINVAL));
    address.un.sun_family = AF_INET;
    CASE("another family", FAILS(bind(other, (struct sockaddr *)&address.un, address.length), EINVAL) &&
                               FAILS(connect(other, (struct sockaddr *)&address.un, address.length), EINVAL));
    listen(fd, 1);
    CASE("another type", FAILS(connect_to(packet, PATH), EPROTOTYPE));
    CASE("a listener does not connect", FAILS(connect_to(fd, PATH), EINVAL));
    CASE("connected once", connect_to(other, PATH) == 0 && FAILS(connect_to(other, PATH), EISCONN) && FAILS(listen(other, 1), EINVAL));
    close(fd);
    CASE("the listener is gone", FAILS(connect_to(packet, PATH), ECONNREFUSED));
    CASE("and left a file", unlink(PATH) == 0);
    close(other);
    close(packet);
    server = listener(SOCK_STREAM, "@once", 1);
    other = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("an abstract name is taken", FAILS(bind_to(other, "@once"), EADDRINUSE));
    close(server);
    CASE("and free again", bind_to(other, "@once") == 0);
    close(other);
}

static void test_file(void)
{
    struct stat stat;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t child;

    unlink(PATH);
    umask(022);
    bind_to(fd, PATH);
    listen(fd, 3);
    CASE("a file of its type", lstat(PATH, &stat) == 0 && S_ISSOCK(stat.st_mode) && (stat.st_mode & 0777) == 0755);
    CASE("that cannot be opened", FAILS(open(PATH, O_RDWR), ENXIO));
    CASE("renamed and found", rename(PATH, PATH "2") == 0 && connect_to(other, PATH "2") == 0);
    close(other);
    if (geteuid() == 0) {
        chmod(PATH "2", 0700);
        child = fork();
        if (child == 0) {
            int mine = socket(AF_UNIX, SOCK_STREAM, 0);

            if (setgid(1234) != 0 || setuid(1234) != 0)
                _exit(2);
            _exit(!FAILS(connect_to(mine, PATH "2"), EACCES));
        }
        CASE("a mode that forbids", exit_status(child) == 0);
    }
    unlink(PATH "2");
    other = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("an unlinked name", FAILS(connect_to(other, PATH "2"), ENOENT) && bind_to(other, PATH "2") == 0);
    unlink(PATH "2");
    close(other);
    close(fd);
}

static void test_autobind(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;

    CASE("a name by itself", bind(fd, (struct sockaddr *)&address, 2) == 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
                                 length == 8 && address.sun_path[0] == '\0');
    CASE("can be met", listen(fd, 1) == 0 && connect(other, (struct sockaddr *)&address, length) == 0);
    close(fd);
    close(other);
}

static void test_names(void)
{
    int server = listener(SOCK_STREAM, "@server", 2), fd = socket(AF_UNIX, SOCK_STREAM, 0), accepted;
    struct sockaddr_un address;
    socklen_t length = sizeof address;

    CASE("a client with a name", bind_to(fd, "@client") == 0 && connect_to(fd, "@server") == 0);
    accepted = accept(server, (struct sockaddr *)&address, &length);
    CASE("accept tells it", accepted >= 0 && length == 9 && !memcmp(address.sun_path, "\0client", 7));
    length = sizeof address;
    CASE("getpeername there", getpeername(accepted, (struct sockaddr *)&address, &length) == 0 && length == 9 && !memcmp(address.sun_path, "\0client", 7));
    length = sizeof address;
    CASE("getpeername here", getpeername(fd, (struct sockaddr *)&address, &length) == 0 && length == 9 && !memcmp(address.sun_path, "\0server", 7));
    length = 4;
    CASE("cut off, with the length", getsockname(fd, (struct sockaddr *)&address, &length) == 0 && length == 9);
    close(server);
    CASE("a connection outlives its listener", write(fd, "x", 1) == 1 && read(accepted, &address, 1) == 1);
    close(fd);
    close(accepted);
}

static void test_backlog(void)
{
    int server = listener(SOCK_STREAM, "@line", 0), fd[3], accepted;
    pid_t child;
    char byte = 0;

    for (int i = 0; i < 3; i++)
        fd[i] = socket(AF_UNIX, SOCK_STREAM | (i ? SOCK_NONBLOCK : 0), 0);
    CASE("one in the line", connect_to(fd[0], "@line") == 0);
    CASE("no room for more", FAILS(connect_to(fd[1], "@line"), EAGAIN));
    child = client(SOCK_STREAM, "@line", 'w');
    usleep(30000);
    CASE("written before it is accepted", write(fd[0], "early", 5) == 5);
    accepted = accept(server, NULL, NULL);
    CASE("and read after", accepted >= 0 && read(accepted, &byte, 1) == 1 && byte == 'e');
    close(accepted);
    accepted = accept(server, NULL, NULL);
    CASE("who waited comes next", read(accepted, &byte, 1) == 1 && byte == 'w' && write(accepted, &byte, 1) == 1 && exit_status(child) == 0);
    close(accepted);
    fcntl(server, F_SETFL, O_NONBLOCK);
    CASE("nobody left", FAILS(accept(server, NULL, NULL), EAGAIN));
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    close(server);
}

/* Who waits for what, and the other side is killed. */
static void test_deaths(void)
{
    int server, fd, accepted;
    char byte;
    pid_t child = fork();

    if (child == 0) {
        (void)listener(SOCK_STREAM, "@dying", 5);
        kill(getpid(), SIGSTOP);
        _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("in the line", connect_to(fd, "@dying") == 0 && polled(fd, POLLIN, 0) == 0);
    kill(child, SIGKILL);
    CASE("a listener's death", polled(fd, POLLIN, 5000) & POLLHUP && (FAILS(read(fd, &byte, 1), ECONNRESET) || byte == 0));
    exit_status(child);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("its name is free", FAILS(connect_to(fd, "@dying"), ECONNREFUSED) && bind_to(fd, "@dying") == 0);
    close(fd);
    server = listener(SOCK_STREAM, "@living", 5);
    child = fork();
    if (child == 0) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect_to(fd, "@living") != 0 || write(fd, "x", 1) != 1)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    CASE("a client's death in the line", exit_status(child) == 1000 + SIGKILL);
    accepted = accept(server, NULL, NULL);
    CASE("it is accepted, and at its end", accepted >= 0 && read(accepted, &byte, 1) == 1 && read(accepted, &byte, 1) == 0);
    close(accepted);
    child = fork();
    if (child == 0) {
        struct timeval time = {.tv_usec = 20000};

        setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
        _exit(!FAILS(accept(server, NULL, NULL), EAGAIN));
    }
    CASE("accept has its time", exit_status(child) == 0);
    close(server);
}

/* Who accepts at once never takes the one who is just being connected for gone (his end is set up by then). */
static void test_never_gone(void)
{
    int server = listener(SOCK_STREAM, "@gone", 20), good = 0, rounds = 600;
    pid_t child = fork();

    if (child == 0) {
        for (int i = 0; i < rounds; i++) {
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            char byte = (char)i;

            good += connect_to(fd, "@gone") == 0 && write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
            close(fd);
        }
        _exit(good != rounds);
    }
    for (int i = 0; i < rounds; i++) {
        int fd = accept(server, NULL, NULL);
        char byte;

        good += read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1;
        close(fd);
    }
    CASE("nobody is taken for gone while he connects", good == rounds && exit_status(child) == 0);
    close(server);
}

/* A parent listens, children accept; and a listener that was inherited over exec's like keeps its name. */
static void test_prefork(void)
{
    int server = listener(SOCK_STREAM, "@prefork", 20), good = 0;
    pid_t worker[3], visitor[6];

    for (int i = 0; i < 3; i++) {
        worker[i] = fork();
        if (worker[i] == 0) {
            for (int k = 0; k < 2; k++) {
                int fd = accept(server, NULL, NULL);
                char byte;

                if (fd < 0 || read(fd, &byte, 1) != 1 || write(fd, &byte, 1) != 1)
                    _exit(1);
                close(fd);
            }
            _exit(0);
        }
    }
    close(server);
    for (int i = 0; i < 6; i++)
        visitor[i] = client(SOCK_STREAM, "@prefork", (char)i);
    for (int i = 0; i < 6; i++)
        good += exit_status(visitor[i]) == 0;
    for (int i = 0; i < 3; i++)
        good += exit_status(worker[i]) == 0;
    CASE("children accept", good == 9);
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("the last one took the name along", bind_to(server, "@prefork") == 0);
    close(server);
}

/* Connections one after another: nothing may be left of them. */
static void test_again_and_again(void)
{
    int server = listener(SOCK_STREAM, "@again", 5), good = 0;

    for (int i = 0; i < 1500; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0), accepted;
        char byte;

        if (connect_to(fd, "@again") != 0)
            break;
        accepted = accept(server, NULL, NULL);
        good += accepted >= 0 && write(fd, "x", 1) == 1 && read(accepted, &byte, 1) == 1;
        close(fd);
        close(accepted);
    }
    CASE("1,500 connections", good == 1500);
    close(server);
}

static void test_epoll(void)
{
    int server = listener(SOCK_STREAM, "@epoll", 5), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1}, found;
    pid_t child;

    epoll_ctl(set, EPOLL_CTL_ADD, server, &event);
    child = fork();
    if (child == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        usleep(20000);
        _exit(connect_to(fd, "@epoll") != 0);
    }
    CASE("epoll sleeps until somebody comes", epoll_wait(set, &found, 1, 5000) == 1 && found.events == EPOLLIN);
    exit_status(child);
    close(accept(server, NULL, NULL));
    CASE("and nobody is left", epoll_wait(set, &found, 1, 0) == 0);
    close(set);
    close(server);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    alarm(90);
    test_meet(SOCK_STREAM, PATH);
    test_meet(SOCK_STREAM, "@abstract");
    test_meet(SOCK_SEQPACKET, "@abstract");
    test_many_clients();
    test_refused();
    test_file();
    test_autobind();
    test_names();
    test_backlog();
    test_deaths();
    test_never_gone();
    test_prefork();
    test_again_and_again();
    test_epoll();
    unlink(PATH);
    return tap_finish();
}
