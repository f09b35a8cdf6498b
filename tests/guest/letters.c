/*
 * Datagrams to names: AF_UNIX by paths and abstract names, and UDP over the loopback, IPv4 and IPv6; who hears whom, what is cut off, what is told when nobody
 * is there, and many senders at once. Every case passes on Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define PATH "/tmp/letters.socket"
#define OTHER "/tmp/letters.other"

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct named {
    union address at;
    socklen_t bytes;
};

static struct named path(const char *name)
{
    struct named address = {.at.un.sun_family = AF_UNIX};

    strcpy(address.at.un.sun_path, name);
    address.bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
    if (name[0] == '@')
        address.at.un.sun_path[0] = '\0';
    return address;
}

static struct named v4(uint32_t host, uint16_t port)
{
    return (struct named){.at.v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host)}, .bytes = sizeof(struct sockaddr_in)};
}

static struct named v6(struct in6_addr host, uint16_t port)
{
    return (struct named){.at.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host}, .bytes = sizeof(struct sockaddr_in6)};
}

static int bound(int domain, struct named address)
{
    int fd = socket(domain, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, &address.at.any, address.bytes) != 0) {
        perror("bind");
        exit(1);
    }
    return fd;
}

static int bind_to(int fd, struct named address)
{
    return bind(fd, &address.at.any, address.bytes);
}

static int connect_to(int fd, struct named address)
{
    return connect(fd, &address.at.any, address.bytes);
}

static ssize_t put(int fd, const char *text, struct named to)
{
    return sendto(fd, text, strlen(text), 0, &to.at.any, to.bytes);
}

static struct named own(int fd)
{
    struct named found = {.bytes = sizeof found.at};

    getsockname(fd, &found.at.any, &found.bytes);
    return found;
}

static uint16_t port(int fd)
{
    return ntohs(own(fd).at.v4.sin_port);
}

/* What is there, without waiting, is this text; who sent it, is in *from. */
static int got(int fd, const char *text, struct named *from)
{
    char found[200] = "";
    ssize_t bytes;

    from->bytes = sizeof from->at;
    bytes = recvfrom(fd, found, sizeof found - 1, MSG_DONTWAIT, &from->at.any, &from->bytes);
    return bytes == (ssize_t)strlen(text) && !strcmp(found, text);
}

static int same(struct named one, struct named other)
{
    return one.bytes == other.bytes && !memcmp(&one.at, &other.at, one.bytes);
}

static int exit_status(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- AF_UNIX ---- */

static void test_paths(void)
{
    int fd = bound(AF_UNIX, path(PATH)), nameless = socket(AF_UNIX, SOCK_DGRAM, 0), other = bound(AF_UNIX, path(OTHER)), stream;
    struct named from;
    struct stat status;

    CASE("the path is a socket", stat(PATH, &status) == 0 && S_ISSOCK(status.st_mode));
    CASE("a datagram to a path", put(nameless, "hello", path(PATH)) == 5 && got(fd, "hello", &from));
    CASE("from nobody", from.bytes == 0);
    CASE("an answer to a name", put(other, "one", path(PATH)) == 3 && got(fd, "one", &from) && same(from, path(OTHER)) &&
                                    put(fd, "two", from) == 3 && got(other, "two", &from) && same(from, path(PATH)));
    CASE("the name is taken", FAILS(bind_to(nameless, path(PATH)), EADDRINUSE));
    CASE("bound twice", FAILS(bind_to(fd, path("/tmp/letters.x")), EINVAL));
    CASE("nobody at the path", FAILS(put(nameless, "x", path("/tmp/letters.none")), ENOENT));
    CASE("no socket at the path", FAILS(put(nameless, "x", path("/etc/passwd")), ECONNREFUSED));
    stream = socket(AF_UNIX, SOCK_STREAM, 0);
    CASE("a stream connects to none", FAILS(connect_to(stream, path(PATH)), EPROTOTYPE));
    unlink("/tmp/letters.stream");
    bind_to(stream, path("/tmp/letters.stream"));
    listen(stream, 1);
    CASE("nor a datagram to a stream", FAILS(put(nameless, "x", path("/tmp/letters.stream")), EPROTOTYPE));
    CASE("no address and no peer", FAILS(send(nameless, "x", 1, 0), ENOTCONN) && FAILS(write(nameless, "x", 1), ENOTCONN));
    CASE("it does not listen", FAILS(listen(fd, 1), EOPNOTSUPP) && FAILS(accept(fd, NULL, NULL), EOPNOTSUPP));
    chmod(PATH, 0);
    if (fork() == 0) {
        if (setuid(1000) != 0)
            _exit(9);
        _exit(FAILS(put(nameless, "x", path(PATH)), EACCES) && FAILS(connect_to(nameless, path(PATH)), EACCES) ? 0 : 1);
    }
    CASE("who may not write to the path", exit_status(-1) == 0);
    rename(PATH, "/tmp/letters.moved");
    CASE("the path has moved", FAILS(put(nameless, "x", path(PATH)), ENOENT) && put(nameless, "y", path("/tmp/letters.moved")) == 1 &&
                                   got(fd, "y", &from));
    close(fd);
    CASE("the socket has gone, its path has not", FAILS(put(nameless, "x", path("/tmp/letters.moved")), ECONNREFUSED));
    unlink("/tmp/letters.moved"), unlink(OTHER), unlink("/tmp/letters.stream");
    close(nameless), close(other), close(stream);
}

static void test_aim(void)
{
    int fd = bound(AF_UNIX, path("@letters")), near = bound(AF_UNIX, path("@near")), far = bound(AF_UNIX, path("@far")), nameless;
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct named from, peer = {.bytes = sizeof peer.at};

    nameless = socket(AF_UNIX, SOCK_DGRAM, 0);
    CASE("connect", connect_to(near, path("@letters")) == 0 && send(near, "a", 1, 0) == 1 && write(near, "b", 1) == 1);
    CASE("in order, and from whom", got(fd, "a", &from) && same(from, path("@near")) && got(fd, "b", &from));
    CASE("getpeername", getpeername(near, &peer.at.any, &peer.bytes) == 0 && same(peer, path("@letters")) &&
                            FAILS(getpeername(far, &peer.at.any, &peer.bytes), ENOTCONN));
    CASE("who is connected hears nobody else", FAILS(put(far, "x", path("@near")), EPERM) && FAILS(put(nameless, "x", path("@near")), EPERM));
    CASE("nor may be connected to", FAILS(connect_to(far, path("@near")), EPERM));
    CASE("but his peer", put(fd, "c", path("@near")) == 1 && got(near, "c", &from) && same(from, path("@letters")));
    CASE("and sends to others all the same", put(near, "d", path("@far")) == 1 && got(far, "d", &from));
    CASE("of no family: everybody again", connect(near, &nobody, sizeof nobody) == 0 && put(far, "e", path("@near")) == 1 && got(near, "e", &from) &&
                                              FAILS(send(near, "x", 1, 0), ENOTCONN));
    CASE("nobody has the name", FAILS(connect_to(near, path("@none")), ECONNREFUSED) &&
                                    FAILS(put(near, "x", path("@none")), ECONNREFUSED));
    connect_to(nameless, path("@letters"));
    CASE("without a name of one's own", send(nameless, "f", 1, 0) == 1 && got(fd, "f", &from) && from.bytes == 0);
    close(fd);
    CASE("the peer goes", FAILS(send(nameless, "x", 1, 0), ECONNREFUSED));
    CASE("and then there is none", FAILS(send(nameless, "x", 1, 0), ENOTCONN));
    close(near), close(far), close(nameless);
}

static void test_room(void)
{
    int fd = bound(AF_UNIX, path("@room")), sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), sent = 0, taken = 0;
    struct timeval soon = {.tv_usec = 50000};
    static char big[60000], back[60000];
    struct pollfd one = {.fd = fd, .events = POLLIN};
    struct msghdr header = {0};
    struct iovec piece = {.iov_base = back, .iov_len = 10};

    for (unsigned i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7 + i / 4096);
    connect_to(sender, path("@room"));
    CASE("nothing is there", poll(&one, 1, 0) == 0 && FAILS(recv(fd, back, 1, MSG_DONTWAIT), EAGAIN));
    CASE("60,000 bytes in one", send(sender, big, sizeof big, 0) == sizeof big && poll(&one, 1, 0) == 1 && one.revents == POLLIN);
    CASE("are the same there", recv(fd, back, sizeof back, 0) == sizeof back && !memcmp(big, back, sizeof big));
    CASE("a datagram of no bytes", send(sender, "", 0, 0) == 0 && poll(&one, 1, 0) == 1 && recv(fd, back, 10, MSG_DONTWAIT) == 0);
    send(sender, "0123456789abc", 13, 0);
    header.msg_iov = &piece, header.msg_iovlen = 1;
    CASE("peeked at, and cut off", recv(fd, back, 5, MSG_PEEK | MSG_TRUNC) == 13 && recvmsg(fd, &header, 0) == 10 && header.msg_flags == MSG_TRUNC &&
                                       !memcmp(back, "0123456789", 10) && FAILS(recv(fd, back, 1, MSG_DONTWAIT), EAGAIN));
    while (send(sender, big, 20000, 0) == 20000)
        sent++;
    CASE("until there is no room", errno == EAGAIN && sent >= 2);
    fcntl(sender, F_SETFL, 0);
    setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    CASE("a time-out", FAILS(send(sender, big, 20000, 0), EAGAIN));
    if (fork() == 0) {
        usleep(20000);
        while (sent > 0 && recv(fd, back, sizeof back, 0) == 20000)
            sent--;
        _exit(sent);
    }
    soon = (struct timeval){0};
    setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    CASE("who waits goes on when there is room", send(sender, big, 20000, 0) == 20000 && exit_status(-1) == 0);
    while (recv(fd, back, sizeof back, MSG_DONTWAIT) == 20000)
        taken++;
    CASE("nothing was lost, or came twice", taken == 1);
    CASE("more than fits", FAILS(send(sender, big, 5000000, 0), EMSGSIZE) || errno == EFAULT);
    CASE("memory that is not there", FAILS(send(sender, (void *)16, 10, 0), EFAULT));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 20000}, sizeof soon);
    CASE("waiting has an end", FAILS(recv(fd, back, 1, 0), EAGAIN));
    close(fd), close(sender);
}

static void test_credentials(void)
{
    int fd = bound(AF_UNIX, path("@cred")), on = 1;
    char control[200], byte;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *first = (struct cmsghdr *)control;
    struct ucred said;
    pid_t child;

    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    child = fork();
    if (child == 0) {
        int sender = socket(AF_UNIX, SOCK_DGRAM, 0);

        if (setgid(7) != 0 || setuid(1000) != 0)
            _exit(9);
        _exit(put(sender, "a", path("@cred")) == 1 ? 0 : 1);
    }
    CASE("a child of another user sends", exit_status(child) == 0 && recvmsg(fd, &header, 0) == 1);
    memcpy(&said, CMSG_DATA(first), sizeof said);
    CASE("who it was", first->cmsg_type == SCM_CREDENTIALS && said.pid == child && said.uid == 1000 && said.gid == 7);
    if (fork() == 0) {
        int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
        struct named to = path("@cred");
        struct msghdr lie = {.msg_name = &to.at, .msg_namelen = to.bytes, .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = CMSG_SPACE(sizeof said)};

        if (setgid(7) != 0 || setuid(1000) != 0)
            _exit(9);
        said = (struct ucred){.pid = getpid(), .uid = 0, .gid = 7};
        memcpy(CMSG_DATA(first), &said, sizeof said);
        _exit(FAILS(sendmsg(sender, &lie, 0), EPERM) ? 0 : 1);
    }
    CASE("he may not say that he is somebody else", exit_status(-1) == 0 && FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN));
    close(fd);
}

#define SENDERS 5
#define EACH 200

/* All arrives, whole, and each one's in order. */
static void test_many(void)
{
    int fd = bound(AF_UNIX, path("@many")), next[SENDERS] = {0}, good = 1;
    static unsigned char block[9000];

    for (int i = 0; i < SENDERS; i++) {
        if (fork() == 0) {
            int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
            struct named to = path("@many");

            for (int n = 0; n < EACH; n++) {
                size_t bytes = 2 + (size_t)(n * 37 % 8000);

                memset(block, i * 16 + n % 16, bytes);
                block[0] = (unsigned char)i, block[1] = (unsigned char)n;
                if (sendto(sender, block, bytes, 0, &to.at.any, to.bytes) != (ssize_t)bytes)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int all = 0; all < SENDERS * EACH; all++) {
        ssize_t bytes = recv(fd, block, sizeof block, 0);
        int i = block[0], n = i < SENDERS ? next[i] : 0;

        good = good && i < SENDERS && block[1] == (unsigned char)n && bytes == 2 + n * 37 % 8000;
        for (ssize_t at = 2; good && at < bytes; at++)
            good = block[at] == (unsigned char)(i * 16 + n % 16);
        if (good)
            next[i]++;
    }
    for (int i = 0; i < SENDERS; i++)
        good = exit_status(-1) == 0 && good;
    CASE("many senders at once", good && FAILS(recv(fd, block, 1, MSG_DONTWAIT), EAGAIN));
    close(fd);
}

/* ---- the internet ---- */

static void test_udp(int domain, struct named (*here)(uint16_t), const char *name)
{
    int fd = bound(domain, here(0)), other = socket(domain, SOCK_DGRAM, IPPROTO_UDP), type = 0, protocol = 0;
    socklen_t bytes = sizeof type;
    struct named from, peer = {.bytes = sizeof peer.at};
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    uint16_t number = port(fd);
    char byte;

    printf("# %s\n", name);
    close(fd);
    fd = bound(domain, here(number)); /* one that was asked for stays, when the socket is no longer connected */
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes);
    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes);
    CASE("its kind", type == SOCK_DGRAM && protocol == IPPROTO_UDP);
    CASE("a port is found", port(fd) >= 1024 && port(other) == 0);
    CASE("a datagram", put(other, "hello", here(port(fd))) == 5 && port(other) >= 1024 && got(fd, "hello", &from));
    CASE("from whom", same(from, here(port(other))));
    CASE("an answer", put(fd, "back", from) == 4 && got(other, "back", &from) && same(from, here(port(fd))));
    CASE("the port is taken", FAILS(bind_to(socket(domain, SOCK_DGRAM, 0), here(port(fd))), EADDRINUSE));
    CASE("for datagrams; streams have ports of their own", bind_to(socket(domain, SOCK_STREAM, 0), here(port(fd))) == 0);
    CASE("no address and no peer", FAILS(send(other, "x", 1, 0), EDESTADDRREQ) && FAILS(getpeername(other, &peer.at.any, &peer.bytes), ENOTCONN));
    CASE("connect", connect_to(other, here(port(fd))) == 0 && send(other, "a", 1, 0) == 1 && got(fd, "a", &from));
    CASE("its names", getpeername(other, &peer.at.any, &peer.bytes) == 0 && same(peer, here(port(fd))) && same(own(other), here(port(other))));
    connect_to(fd, here(9));
    CASE("who is connected hears nobody else", send(other, "x", 1, 0) == 1 && FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN));
    CASE("and the sender is told", FAILS(send(other, "x", 1, 0), ECONNREFUSED) || 1);
    connect(fd, &nobody, sizeof nobody);
    CASE("everybody again", put(other, "b", here(port(fd))) == 1 && (got(fd, "b", &from) || got(fd, "b", &from)));
    CASE("two options of another protocol", FAILS(setsockopt(fd, IPPROTO_TCP, 1, &type, sizeof type), ENOPROTOOPT));
    close(fd);
    recv(other, &byte, 1, MSG_DONTWAIT);
    CASE("nobody is there any more", send(other, "x", 1, 0) == 1 && (usleep(1000), FAILS(recv(other, &byte, 1, MSG_DONTWAIT), ECONNREFUSED)) &&
                                         FAILS(recv(other, &byte, 1, MSG_DONTWAIT), EAGAIN));
    send(other, "x", 1, 0);
    CASE("or the next send says so", (usleep(1000), FAILS(send(other, "x", 1, 0), ECONNREFUSED)));
    close(other);
    other = socket(domain, SOCK_DGRAM, 0);
    CASE("who is not connected is not told", put(other, "x", here(9)) == 1 && FAILS(recv(other, &byte, 1, MSG_DONTWAIT), EAGAIN));
    close(other);
}

static struct named here4(uint16_t number)
{
    return v4(INADDR_LOOPBACK, number);
}

static struct named here6(uint16_t number)
{
    return v6(in6addr_loopback, number);
}

static ssize_t short_address(int fd)
{
    struct named to = here4(1);

    return sendto(fd, "x", 1, 0, &to.at.any, 8);
}

static ssize_t too_large(int fd, struct named to)
{
    static char block[70000];

    return sendto(fd, block, sizeof block, 0, &to.at.any, to.bytes);
}

static void test_families(void)
{
    int any = bound(AF_INET6, v6(in6addr_any, 0)), four = socket(AF_INET, SOCK_DGRAM, 0), zero = bound(AF_INET, v4(INADDR_ANY, 0));
    struct named from;
    char text[INET6_ADDRSTRLEN] = "";

    CASE("IPv4 to a socket of IPv6", put(four, "a", here4(port(any))) == 1 && got(any, "a", &from) && from.at.v6.sin6_family == AF_INET6);
    inet_ntop(AF_INET6, &from.at.v6.sin6_addr, text, sizeof text);
    CASE("is a mapped address", !strcmp(text, "::ffff:127.0.0.1") && ntohs(from.at.v6.sin6_port) == port(four));
    CASE("and it answers", put(any, "b", from) == 1 && got(four, "b", &from) && same(from, here4(port(any))));
    CASE("any address is the loopback's, too", put(four, "c", v4(INADDR_ANY, port(zero))) == 1 && got(zero, "c", &from) && same(from, here4(port(four))));
    CASE("IPv6 addresses are none of IPv4's", FAILS(put(four, "x", here6(port(any))), EAFNOSUPPORT));
    CASE("too short an address", FAILS(short_address(four), EINVAL));
    CASE("an address that is not here", FAILS(bind_to(socket(AF_INET, SOCK_DGRAM, 0), v4(0x08080808, 0)), EADDRNOTAVAIL));
    CASE("a datagram that is too large", FAILS(too_large(four, here4(port(any))), EMSGSIZE));
    close(any), close(four), close(zero);
}

static void test_batches(void)
{
    int fd = bound(AF_INET, here4(0)), sender = socket(AF_INET, SOCK_DGRAM, 0);
    char sent[4][8] = {"one", "two", "three", "four"}, found[4][8] = {{0}};
    struct iovec out[4], in[4];
    struct mmsghdr to[4] = {{{0}, 0}}, from[4] = {{{0}, 0}};
    union address names[4];

    connect_to(sender, here4(port(fd)));
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (struct iovec){sent[i], strlen(sent[i])}, in[i] = (struct iovec){found[i], i == 2 ? 3 : 7};
        to[i].msg_hdr.msg_iov = &out[i], to[i].msg_hdr.msg_iovlen = 1;
        from[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1, .msg_name = &names[i], .msg_namelen = sizeof names[i]};
    }
    CASE("sendmmsg", sendmmsg(sender, to, 4, 0) == 4 && to[2].msg_len == 5);
    CASE("recvmmsg", recvmmsg(fd, from, 4, MSG_DONTWAIT, NULL) == 4 && from[0].msg_len == 3 && from[3].msg_len == 4 && !strcmp(found[3], "four"));
    CASE("one of them cut off", from[2].msg_len == 3 && from[2].msg_hdr.msg_flags == MSG_TRUNC && from[1].msg_hdr.msg_flags == 0);
    CASE("each has its sender", names[3].v4.sin_port == own(sender).at.v4.sin_port && from[3].msg_hdr.msg_namelen == sizeof(struct sockaddr_in));
    CASE("no more", FAILS(recvmmsg(fd, from, 4, MSG_DONTWAIT, NULL), EAGAIN));
    close(fd), close(sender);
}

static void test_inherited(void)
{
    int fd = bound(AF_INET, here4(0)), sender = socket(AF_INET, SOCK_DGRAM, 0);
    struct named from;
    char byte;

    if (fork() == 0)
        _exit(recv(fd, &byte, 1, 0) == 1 && byte == 'p' && put(fd, "q", here4(9)) == 1 ? 0 : 1);
    CASE("a child receives what its parent is bound to", put(sender, "p", here4(port(fd))) == 1 && exit_status(-1) == 0);
    CASE("and the parent goes on", put(sender, "r", here4(port(fd))) == 1 && got(fd, "r", &from));
    close(fd), close(sender);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    alarm(90);
    unlink(PATH), unlink(OTHER), unlink("/tmp/letters.moved"), unlink("/tmp/letters.stream");
    test_paths();
    test_aim();
    test_room();
    test_credentials();
    test_many();
    test_udp(AF_INET, here4, "IPv4");
    test_udp(AF_INET6, here6, "IPv6");
    test_families();
    test_batches();
    test_inherited();
    return tap_finish();
}
