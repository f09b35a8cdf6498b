/*
 * Streams of the internet over the loopback: ports, names, who is met and who is not. Every case passes on Linux as well, where there is IPv6.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t size_of(int family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static union address at(int family, const char *text, int port)
{
    union address address = {.any = {.sa_family = (sa_family_t)family}};

    if (family == AF_INET) {
        address.v4.sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, text, &address.v4.sin_addr);
    } else {
        address.v6.sin6_port = htons((uint16_t)port);
        inet_pton(AF_INET6, text, &address.v6.sin6_addr);
    }
    return address;
}

static int bind_at(int fd, int family, const char *text, int port)
{
    union address address = at(family, text, port);

    return bind(fd, &address.any, size_of(family));
}

static int connect_at(int fd, int family, const char *text, int port)
{
    union address address = at(family, text, port);

    return connect(fd, &address.any, size_of(family));
}

static int port_of(int fd)
{
    union address address;
    socklen_t length = sizeof address;

    return getsockname(fd, &address.any, &length) == 0 ? ntohs(address.v4.sin_port) : -1;
}

/* Is the address, of this socket or of its peer, this one? A port of -1: any but 0. */
static int is_named(int fd, int peer, int family, const char *text, int port)
{
    union address address, wanted = at(family, text, port);
    socklen_t length = sizeof address;

    memset(&address, 0, sizeof address);
    if ((peer ? getpeername : getsockname)(fd, &address.any, &length) != 0 || length != size_of(family))
        return 0;
    if (port < 0 && address.v4.sin_port)
        wanted.v4.sin_port = address.v4.sin_port;
    return memcmp(&address, &wanted, length) == 0;
}

static int listener(int family, const char *text)
{
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0 || bind_at(fd, family, text, 0) != 0 || listen(fd, 10) != 0) {
        perror("listener");
        exit(1);
    }
    return fd;
}

static void test_meet(int family, const char *text)
{
    int server = listener(family, text), port = port_of(server), client = socket(family, SOCK_STREAM, IPPROTO_TCP), accepted;
    union address address;
    socklen_t length = sizeof address;
    char block[16];

    CASE("a port of its own", port > 1023 && is_named(server, 0, family, text, port));
    CASE("connect", connect_at(client, family, text, port) == 0);
    accepted = accept(server, &address.any, &length);
    CASE("accept tells from where", accepted >= 0 && length == size_of(family) && ntohs(address.v4.sin_port) == port_of(client));
    CASE("names", is_named(client, 0, family, text, -1) && is_named(client, 1, family, text, port) &&
                      is_named(accepted, 0, family, text, port) && is_named(accepted, 1, family, text, port_of(client)));
    CASE("there and back", write(client, "ping", 4) == 4 && read(accepted, block, 16) == 4 && write(accepted, "pong!", 5) == 5 &&
                               recv(client, block, 16, 0) == 5 && !memcmp(block, "pong!", 5));
    length = sizeof address;
    write(client, "x", 1);
    CASE("recvfrom tells no address", recvfrom(accepted, block, 16, 0, &address.any, &length) == 1 && length == 0);
    CASE("connected once", FAILS(connect_at(client, family, text, port), EISCONN));
    shutdown(client, SHUT_WR);
    CASE("the end of one way", read(accepted, block, 16) == 0 && write(accepted, "still", 5) == 5 && read(client, block, 16) == 5);
    close(accepted);
    CASE("and of the other", read(client, block, 16) == 0);
    close(client);
    close(server);
    client = socket(family, SOCK_STREAM, 0);
    CASE("nobody listens any more", FAILS(connect_at(client, family, text, port), ECONNREFUSED));
    close(client);
}

static void test_ports(void)
{
    int server = listener(AF_INET, "127.0.0.1"), port = port_of(server), other = socket(AF_INET, SOCK_STREAM, 0), on = 1, six;

    CASE("a port in use", FAILS(bind_at(other, AF_INET, "127.0.0.1", port), EADDRINUSE) && FAILS(bind_at(other, AF_INET, "0.0.0.0", port), EADDRINUSE));
    setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CASE("which SO_REUSEADDR does not change", FAILS(bind_at(other, AF_INET, "127.0.0.1", port), EADDRINUSE));
    CASE("another loopback address", bind_at(other, AF_INET, "127.0.0.2", port) == 0);
    close(other);
    six = socket(AF_INET6, SOCK_STREAM, 0);
    CASE("the other family's", bind_at(six, AF_INET6, "::1", port) == 0);
    close(six);
    other = socket(AF_INET, SOCK_STREAM, 0);
    CASE("nobody's address", FAILS(bind_at(other, AF_INET, "8.8.8.8", 0), EADDRNOTAVAIL));
    CASE("bound twice", bind_at(other, AF_INET, "0.0.0.0", 0) == 0 && FAILS(bind_at(other, AF_INET, "0.0.0.0", 0), EINVAL));
    six = socket(AF_INET, SOCK_STREAM, 0);
    CASE("bound, and nobody listens", FAILS(connect_at(six, AF_INET, "127.0.0.1", port_of(other)), ECONNREFUSED));
    close(six);
    close(other);
    other = socket(AF_INET, SOCK_STREAM, 0);
    CASE("listen without a port", listen(other, 3) == 0 && port_of(other) > 1023 && is_named(other, 0, AF_INET, "0.0.0.0", -1));
    close(other);
    if (geteuid() == 0) {
        pid_t child = fork();
        int status = -1;

        if (child == 0) {
            other = socket(AF_INET, SOCK_STREAM, 0);
            _exit(setuid(1234) != 0 || !FAILS(bind_at(other, AF_INET, "127.0.0.1", 80), EACCES));
        }
        waitpid(child, &status, 0);
        CASE("a port of root", status == 0);
    }
    close(server);
}

static void test_families(void)
{
    int server = listener(AF_INET6, "::"), port = port_of(server), four = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_STREAM, 0),
        accepted, on = 1;

    CASE("IPv4 meets who listens on all", connect_at(four, AF_INET, "127.0.0.1", port) == 0);
    accepted = accept(server, NULL, NULL);
    CASE("with mapped names", is_named(accepted, 0, AF_INET6, "::ffff:127.0.0.1", port) && is_named(accepted, 1, AF_INET6, "::ffff:127.0.0.1", -1) &&
                                  is_named(four, 1, AF_INET, "127.0.0.1", port));
    close(four);
    close(accepted);
    CASE("so does a mapped address", connect_at(six, AF_INET6, "::ffff:127.0.0.1", port) == 0 && is_named(six, 1, AF_INET6, "::ffff:127.0.0.1", port));
    close(six);
    close(server);
    server = socket(AF_INET6, SOCK_STREAM, 0);
    CASE("IPV6_V6ONLY", setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0 && bind_at(server, AF_INET6, "::", 0) == 0 &&
                            listen(server, 1) == 0);
    four = socket(AF_INET, SOCK_STREAM, 0);
    CASE("is met by IPv6 alone", FAILS(connect_at(four, AF_INET, "127.0.0.1", port_of(server)), ECONNREFUSED));
    close(four);
    four = socket(AF_INET, SOCK_STREAM, 0);
    CASE("and leaves the port to IPv4", bind_at(four, AF_INET, "0.0.0.0", port_of(server)) == 0);
    close(four);
    close(server);
}

static int number(int fd, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}

static void test_unconnected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, seconds = 30;
    int pair[2];
    union address address = at(AF_INET, "127.0.0.1", 1);
    socklen_t length = sizeof address;
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};
    char byte;

    CASE("what it is", number(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET && number(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP &&
                           number(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    CASE("not connected", FAILS(recv(fd, &byte, 1, 0), ENOTCONN) && FAILS(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE) && FAILS(shutdown(fd, SHUT_WR), ENOTCONN) &&
                              FAILS(getpeername(fd, &address.any, &length), ENOTCONN));
    CASE("no name yet", is_named(fd, 0, AF_INET, "0.0.0.0", 0));
    CASE("poll", poll(&one, 1, 0) == 1 && one.revents == (POLLOUT | POLLHUP));
    CASE("short addresses", FAILS(connect(fd, &address.any, 8), EINVAL) && FAILS(bind(fd, &address.any, 8), EINVAL));
    address.any.sa_family = AF_UNIX;
    CASE("of another family", FAILS(connect(fd, &address.any, 16), EAFNOSUPPORT) && FAILS(bind(fd, &address.any, 16), EAFNOSUPPORT));
    CASE("no pairs", FAILS(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP));
    on = 1;
    CASE("TCP_NODELAY", number(fd, IPPROTO_TCP, TCP_NODELAY) == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                            number(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
    CASE("keep-alive", setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds) == 0 &&
                           number(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 30 && number(fd, IPPROTO_TCP, TCP_KEEPCNT) > 0);
    CASE("no such option", FAILS(setsockopt(fd, IPPROTO_TCP, 999, &on, sizeof on), ENOPROTOOPT));
    CASE("accept without listen", FAILS(accept(fd, NULL, NULL), EINVAL));
    close(fd);
    CASE("other protocols", FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT));
}

/* A connection that nobody waits for: made, and refused. */
static void test_under_way(void)
{
    int server = listener(AF_INET, "127.0.0.1"), port = port_of(server), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = -1;
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    socklen_t length = sizeof error;
    char byte;

    CASE("it is under way", FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), EINPROGRESS));
    CASE("and then made", poll(&one, 1, 5000) == 1 && one.revents == POLLOUT && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    CASE("asked once more, and again", connect_at(fd, AF_INET, "127.0.0.1", port) == 0 && FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), EISCONN));
    CASE("bytes go there", write(fd, "a", 1) == 1 && read(accept(server, NULL, NULL), &byte, 1) == 1 && byte == 'a');
    close(fd), close(server);
    fd = one.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CASE("so is one that will be refused", FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), EINPROGRESS));
    CASE("poll tells", poll(&one, 1, 5000) == 1 && (one.revents & (POLLERR | POLLHUP | POLLOUT)) == (POLLERR | POLLHUP | POLLOUT));
    CASE("and SO_ERROR, once", getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNREFUSED &&
                                   getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    CASE("the next connect tells of the last", FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), ECONNABORTED));
    CASE("or of why", FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), EINPROGRESS) && poll(&one, 1, 5000) == 1 &&
                          FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), ECONNREFUSED));
    CASE("or a write does", FAILS(connect_at(fd, AF_INET, "127.0.0.1", port), EINPROGRESS) && poll(&one, 1, 5000) == 1 &&
                                FAILS(send(fd, "a", 1, MSG_NOSIGNAL), ECONNREFUSED));
    close(fd);
}

/* A server with epoll and children that ask: each gets its own answer. */
static int asked(int fd, int events)
{
    struct pollfd one = {.fd = fd, .events = (short)events};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static int error_of(int fd)
{
    int error = -1;
    socklen_t length = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

/* A connection: its two ends. */
static void meet(int server, int end[2])
{
    end[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect_at(end[0], AF_INET, "127.0.0.1", port_of(server));
    end[1] = accept(server, NULL, NULL);
}

/* What is sent to a peer that has closed is lost at first, and a broken pipe afterwards; one that left bytes unread has reset the connection. */
static void test_gone(void)
{
    const int all = POLLIN | POLLOUT | POLLRDHUP;
    int server = listener(AF_INET, "127.0.0.1"), end[2];
    char block[16];

    meet(server, end);
    write(end[0], "last", 4);
    close(end[0]);
    CASE("closed: only that no more comes", asked(end[1], all) == all);
    CASE("sent to nobody", send(end[1], "lost", 4, MSG_NOSIGNAL) == 4);
    CASE("then it is known", asked(end[1], all) == (all | POLLERR | POLLHUP));
    CASE("what came before is there", read(end[1], block, 16) == 4 && read(end[1], block, 16) == 0);
    CASE("a broken pipe", FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE) && FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE) &&
                              read(end[1], block, 16) == 0 && asked(end[1], all) == (all | POLLHUP));
    close(end[1]);

    meet(server, end);
    close(end[0]);
    send(end[1], "lost", 4, MSG_NOSIGNAL);
    CASE("as an error", error_of(end[1]) == EPIPE && error_of(end[1]) == 0);
    close(end[1]);

    meet(server, end);
    write(end[1], "unread", 6);
    close(end[0]);
    CASE("bytes left unread are a reset", asked(end[1], all) == (all | POLLERR | POLLHUP));
    CASE("of which writing hears", FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), ECONNRESET) && FAILS(send(end[1], "x", 1, MSG_NOSIGNAL), EPIPE) &&
                                       read(end[1], block, 16) == 0);
    close(end[1]);

    meet(server, end);
    write(end[1], "unread", 6);
    close(end[0]);
    CASE("or reading", FAILS(read(end[1], block, 16), ECONNRESET) && read(end[1], block, 16) == 0 && error_of(end[1]) == 0);
    close(end[1]);

    meet(server, end);
    shutdown(end[0], SHUT_RD);
    CASE("one's reading shut is nothing to the other", send(end[1], "x", 1, MSG_NOSIGNAL) == 1 && asked(end[1], all) == POLLOUT);
    shutdown(end[1], SHUT_WR);
    close(end[0]);
    close(end[1]);

    meet(server, end);
    shutdown(end[1], SHUT_WR);
    close(end[0]);
    CASE("both ways ended: a hang-up", asked(end[1], all) == (all | POLLHUP));
    close(end[1]);
    close(server);
}

/* UDP-Lite: as UDP, with ports of its own. */
static void test_lite(void)
{
    int lite = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), other = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), udp = socket(AF_INET, SOCK_DGRAM, 0),
        protocol = 0, port;
    union address to;
    socklen_t length = sizeof protocol;
    char block[16];

    CASE("UDP-Lite", lite >= 0 && getsockopt(lite, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_UDPLITE &&
                         FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDPLITE), EPROTONOSUPPORT));
    bind_at(lite, AF_INET, "127.0.0.1", 0);
    port = port_of(lite);
    to = at(AF_INET, "127.0.0.1", port);
    CASE("has its ports", bind_at(udp, AF_INET, "127.0.0.1", port) == 0 && FAILS(bind_at(other, AF_INET, "127.0.0.1", port), EADDRINUSE));
    CASE("and its datagrams", sendto(other, "lite", 4, 0, &to.any, size_of(AF_INET)) == 4 && recv(lite, block, 16, 0) == 4 &&
                                  FAILS(recv(udp, block, 16, MSG_DONTWAIT), EAGAIN));
    close(lite);
    close(other);
    close(udp);
}

static void test_server(void)
{
    int server = listener(AF_INET, "127.0.0.1"), port = port_of(server), set = epoll_create1(0), open = 0, served = 0, good = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server};
    pid_t child[8];

    fcntl(server, F_SETFL, O_NONBLOCK);
    epoll_ctl(set, EPOLL_CTL_ADD, server, &event);
    for (int i = 0; i < 8; i++) {
        child[i] = fork();
        if (child[i])
            continue;
        for (int k = 0; k < 5; k++) {
            int fd = socket(AF_INET, SOCK_STREAM, 0), value = i * 100 + k, back;

            if (connect_at(fd, AF_INET, "127.0.0.1", port) != 0 || write(fd, &value, sizeof value) != sizeof value ||
                recv(fd, &back, sizeof back, MSG_WAITALL) != sizeof back || back != value + 1)
                _exit(1);
            close(fd);
        }
        _exit(0);
    }
    while (served < 40 || open) {
        struct epoll_event found[8];
        int count = epoll_wait(set, found, 8, 10000);

        if (count <= 0)
            break;
        for (int i = 0; i < count; i++) {
            int fd = found[i].data.fd, value;

            if (fd == server) {
                while ((fd = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    event.data.fd = fd;
                    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
                    open++;
                }
                continue;
            }
            if (read(fd, &value, sizeof value) == sizeof value) {
                value++;
                served += write(fd, &value, sizeof value) == sizeof value;
            } else {
                close(fd);
                open--;
            }
        }
    }
    for (int i = 0; i < 8; i++) {
        int status = -1;

        waitpid(child[i], &status, 0);
        good += status == 0;
    }
    CASE("forty questions", served == 40 && good == 8);
    close(set);
    close(server);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    alarm(50);
    test_meet(AF_INET, "127.0.0.1");
    test_meet(AF_INET6, "::1");
    test_ports();
    test_families();
    test_unconnected();
    test_under_way();
    test_gone();
    test_lite();
    test_server();
    return tap_finish();
}
