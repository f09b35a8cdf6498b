/*
 * Several sockets of one address: SO_REUSEPORT of listeners and datagram sockets, SO_REUSEADDR of datagram sockets, and who is met. Every case passes on
 * Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

static struct sockaddr_in at(const char *text, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port) : -1;
}

/* A socket with the option, bound; -errno. */
static int bound(int type, int option, const char *text, int port)
{
    const struct sockaddr_in address = at(text, port);
    const int on = 1;
    int fd = socket(AF_INET, type, 0);

    if (option)
        setsockopt(fd, SOL_SOCKET, option, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -errno;
}

static int there(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, 0) == 1 && polled.revents & POLLIN;
}

static int connected(int port)
{
    const struct sockaddr_in address = at("127.0.0.1", port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void test_listeners(void)
{
    int one = bound(SOCK_STREAM, SO_REUSEPORT, "127.0.0.1", 0), port = port_of(one), other = bound(SOCK_STREAM, SO_REUSEPORT, "127.0.0.1", port);
    int none = bound(SOCK_STREAM, 0, "127.0.0.1", port), address = bound(SOCK_STREAM, SO_REUSEADDR, "127.0.0.1", port), client[32], met = 0, accepted = 0;

    CASE("two of one address", one >= 0 && other >= 0);
    CASE("none that does not say so", none == -EADDRINUSE);
    CASE("another option is not enough", address == -EADDRINUSE);
    CASE("who does not listen is not met", listen(other, 64) == 0);
    client[0] = connected(port);
    CASE("but who does", client[0] >= 0 && there(other) && !there(one));
    listen(one, 64);
    for (unsigned i = 1; i < 32; i++)
        met += (client[i] = connected(port)) >= 0;
    CASE("all are met", met == 31);
    CASE("each has some", there(one) && there(other));
    for (unsigned i = 0; i < 32; i++) {
        int *from = there(one) ? &one : &other;

        accepted += there(*from) && close(accept(*from, NULL, NULL)) == 0;
    }
    CASE("each once", accepted == 32 && !there(one) && !there(other));
    for (unsigned i = 0; i < 32; i++)
        close(client[i]);
    close(one);
    client[0] = connected(port);
    CASE("the rest goes on", client[0] >= 0 && there(other));
    close(client[0]);
    close(other);
    one = bound(SOCK_STREAM, 0, "127.0.0.1", 0);
    other = bound(SOCK_STREAM, SO_REUSEPORT, "127.0.0.1", port_of(one));
    CASE("both have to say so", other == -EADDRINUSE);
    close(one);
}

static void test_users(void)
{
    int one = bound(SOCK_STREAM, SO_REUSEPORT, "127.0.0.1", 0), port = port_of(one), status;
    pid_t child = fork();

    if (child == 0)
        _exit(setuid(1000) != 0 ? 2 : bound(SOCK_STREAM, SO_REUSEPORT, "127.0.0.1", port) == -EADDRINUSE ? 0 : 1);
    waitpid(child, &status, 0);
    CASE("of one user", status == 0 || status == 2 << 8); /* not root: cannot be tried */
    close(one);
}

static void test_datagrams(void)
{
    const struct sockaddr_in any = at("0.0.0.0", 0);
    int server = bound(SOCK_DGRAM, SO_REUSEADDR, "127.0.0.1", 0), port = port_of(server), second, first = socket(AF_INET, SOCK_DGRAM, 0), next;
    struct sockaddr_in to = at("127.0.0.1", port), from;
    socklen_t length = sizeof from;
    char text[8];

    next = bound(SOCK_DGRAM, 0, "127.0.0.1", 0);
    sendto(first, "a", 1, 0, (struct sockaddr *)&to, sizeof to);
    CASE("a first one", recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&from, &length) == 1);
    connect(server, (struct sockaddr *)&from, sizeof from);
    second = bound(SOCK_DGRAM, SO_REUSEADDR, "127.0.0.1", port);
    CASE("another of its port", second >= 0);
    CASE("not without the option", bound(SOCK_DGRAM, 0, "127.0.0.1", port) == -EADDRINUSE);
    sendto(first, "bb", 2, 0, (struct sockaddr *)&to, sizeof to);
    CASE("who is connected hears his own", there(server) && !there(second) && recv(server, text, sizeof text, 0) == 2);
    sendto(next, "ccc", 3, 0, (struct sockaddr *)&to, sizeof to);
    CASE("who is not, the others", !there(server) && there(second) && recv(second, text, sizeof text, 0) == 3);
    close(second);
    second = bound(SOCK_DGRAM, SO_REUSEADDR, "0.0.0.0", port);
    close(server);
    server = bound(SOCK_DGRAM, SO_REUSEADDR, "127.0.0.1", port);
    sendto(next, "d", 1, 0, (struct sockaddr *)&to, sizeof to);
    CASE("the very address before any", second >= 0 && there(server) && !there(second));
    close(server);
    sendto(next, "e", 1, 0, (struct sockaddr *)&to, sizeof to);
    CASE("then any", there(second));
    close(second);
    close(first);
    close(next);
    first = socket(AF_INET, SOCK_DGRAM, 0);
    CASE("a port of one's own", bind(first, (const struct sockaddr *)&any, sizeof any) == 0 && port_of(first) > 0);
    close(first);
}

static void test_groups(void)
{
    int one = bound(SOCK_DGRAM, SO_REUSEPORT, "127.0.0.1", 0), port = port_of(one), other = bound(SOCK_DGRAM, SO_REUSEPORT, "127.0.0.1", port), sender;
    struct sockaddr_in to = at("127.0.0.1", port);
    int same = 1, heard[2] = {0, 0};
    char text[8];

    for (unsigned i = 0; i < 40; i++) {
        int first;

        sender = bound(SOCK_DGRAM, 0, "127.0.0.1", 0);
        sendto(sender, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
        sendto(sender, "y", 1, 0, (struct sockaddr *)&to, sizeof to);
        first = there(one) ? one : other;
        heard[first == one]++;
        same &= recv(first, text, 8, MSG_DONTWAIT) == 1 && recv(first, text, 8, MSG_DONTWAIT) == 1 && !there(one) && !there(other);
        close(sender);
    }
    CASE("datagrams of one sender come to one", same);
    CASE("of many to all", heard[0] && heard[1]);
    close(one);
    close(other);
}

int main(void)
{
    test_listeners();
    test_users();
    test_datagrams();
    test_groups();
    return tap_finish();
}
