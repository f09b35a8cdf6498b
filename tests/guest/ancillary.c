/*
 * What datagrams of the internet bring along (hop limits, classes, where they were sent to, when they came), how much a stream's receiver waits for, closing
 * without lingering, and TCP_INFO. Runs on Linux as well.
 *
 * guest-test:
 */
#include "thread_help.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define STAMP_NS 35

union name {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int get(int fd, int level, int option)
{
    int value = -1;
    socklen_t room = sizeof value;

    return getsockopt(fd, level, option, &value, &room) == 0 ? value : -errno;
}

/* A socket that is bound to the loopback, at any port. */
static int bound(int family, int type, union name *name)
{
    int fd = socket(family, type, 0);
    socklen_t room = sizeof *name;

    memset(name, 0, sizeof *name);
    name->any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        name->four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        name->six.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
    if (bind(fd, &name->any, family == AF_INET ? sizeof name->four : sizeof name->six) != 0 || getsockname(fd, &name->any, &room) != 0)
        return -1;
    return fd;
}

static union {
    struct cmsghdr header;
    char bytes[512];
} control;
static struct msghdr got;

/* Receives one datagram with what comes along. */
static ssize_t receive(int fd, size_t room)
{
    static char bytes[64];
    static struct iovec vector = {.iov_base = bytes, .iov_len = sizeof bytes};

    memset(&control, 0, sizeof control);
    got = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};
    return recvmsg(fd, &got, MSG_DONTWAIT);
}

static const void *find(int level, int type)
{
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&got); one; one = CMSG_NXTHDR(&got, one))
        if (one->cmsg_level == level && one->cmsg_type == type)
            return CMSG_DATA(one);
    return NULL;
}

static int number(int level, int type)
{
    const void *data = find(level, type);

    return data ? *(const int *)data : -1;
}

static int byte(int level, int type)
{
    const void *data = find(level, type);

    return data ? *(const unsigned char *)data : -1;
}

/* Sends a byte with one piece of ancillary data. */
static ssize_t send_with(int fd, const union name *to, int level, int type, const void *data, size_t bytes)
{
    struct iovec vector = {.iov_base = "x", .iov_len = 1};
    union {
        struct cmsghdr header;
        char bytes[64];
    } block = {.header = {.cmsg_len = CMSG_LEN(bytes), .cmsg_level = level, .cmsg_type = type}};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
                             .msg_namelen = to->any.sa_family == AF_INET ? sizeof to->four : sizeof to->six,
                             .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &block, .msg_controllen = CMSG_SPACE(bytes)};

    memcpy(CMSG_DATA(&block.header), data, bytes);
    return sendmsg(fd, &message, 0);
}

static void options(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0), stream = socket(AF_INET, SOCK_STREAM, 0);
    unsigned char small = 0x20;
    socklen_t room = 1;

    CASE("hop limits at first", get(fd, IPPROTO_IP, IP_TTL) == 64 && get(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 64);
    CASE("set", set(fd, IPPROTO_IP, IP_TTL, 7) == 0 && get(fd, IPPROTO_IP, IP_TTL) == 7);
    CASE("back", set(fd, IPPROTO_IP, IP_TTL, -1) == 0 && get(fd, IPPROTO_IP, IP_TTL) == 64);
    CASE("none of these", FAILS(set(fd, IPPROTO_IP, IP_TTL, 0), EINVAL) && FAILS(set(fd, IPPROTO_IP, IP_TTL, 256), EINVAL) &&
                              FAILS(set(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL) && FAILS(set(six, IPPROTO_IPV6, IPV6_TCLASS, -2), EINVAL));
    CASE("a class by a byte", setsockopt(fd, IPPROTO_IP, IP_TOS, &small, 1) == 0 && get(fd, IPPROTO_IP, IP_TOS) == 0x20);
    small = 0;
    CASE("and told as one", getsockopt(fd, IPPROTO_IP, IP_TOS, &small, &room) == 0 && room == 1 && small == 0x20);
    CASE("a stream's has not its last bits", set(stream, IPPROTO_IP, IP_TOS, 0x13) == 0 && get(stream, IPPROTO_IP, IP_TOS) == 0x10);
    CASE("switches", set(fd, IPPROTO_IP, IP_PKTINFO, 5) == 0 && get(fd, IPPROTO_IP, IP_PKTINFO) == 1 && get(fd, IPPROTO_IP, IP_RECVTTL) == 0);
    CASE("IPv6's are not IPv4's", FAILS(set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1), ENOPROTOOPT));
    CASE("one kind of time or the other", set(fd, SOL_SOCKET, SO_TIMESTAMP, 1) == 0 && get(fd, SOL_SOCKET, SO_TIMESTAMP) == 1 &&
                                              set(fd, SOL_SOCKET, STAMP_NS, 1) == 0 && get(fd, SOL_SOCKET, STAMP_NS) == 1 &&
                                              get(fd, SOL_SOCKET, SO_TIMESTAMP) == 0);
    CASE("none", set(fd, SOL_SOCKET, SO_TIMESTAMP, 0) == 0 && get(fd, SOL_SOCKET, STAMP_NS) == 0);
    close(fd);
    close(six);
    close(stream);
}

static void datagrams_four(void)
{
    union name name, from;
    int fd = bound(AF_INET, SOCK_DGRAM, &name), sender = bound(AF_INET, SOCK_DGRAM, &from), value = 9;
    const struct in_pktinfo *info;

    CASE("nothing that was not asked for", send_with(sender, &name, IPPROTO_IP, IP_TTL, &value, sizeof value) == 1 && receive(fd, sizeof control) == 1 &&
                                               got.msg_controllen == 0);
    set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    set(fd, IPPROTO_IP, IP_RECVTOS, 1);
    sendto(sender, "x", 1, 0, &name.any, sizeof name.four);
    CASE("a datagram", receive(fd, sizeof control) == 1 && number(IPPROTO_IP, IP_TTL) == 64 && byte(IPPROTO_IP, IP_TOS) == 0);
    info = find(IPPROTO_IP, IP_PKTINFO);
    CASE("where it was sent to", info && info->ipi_ifindex == 1 && info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
    set(sender, IPPROTO_IP, IP_TTL, 7);
    set(sender, IPPROTO_IP, IP_TOS, 0x10);
    sendto(sender, "x", 1, 0, &name.any, sizeof name.four);
    CASE("as its sender's socket says", receive(fd, sizeof control) == 1 && number(IPPROTO_IP, IP_TTL) == 7 && byte(IPPROTO_IP, IP_TOS) == 0x10);
    CASE("as is said with it", send_with(sender, &name, IPPROTO_IP, IP_TTL, &value, sizeof value) == 1 && receive(fd, sizeof control) == 1 &&
                                   number(IPPROTO_IP, IP_TTL) == 9 && byte(IPPROTO_IP, IP_TOS) == 0x10);
    value = 0x28;
    CASE("its class, too", send_with(sender, &name, IPPROTO_IP, IP_TOS, &value, sizeof value) == 1 && receive(fd, sizeof control) == 1 &&
                               number(IPPROTO_IP, IP_TTL) == 7 && byte(IPPROTO_IP, IP_TOS) == 0x28);
    value = 0;
    CASE("but no hop limit of 0", FAILS(send_with(sender, &name, IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL));
    value = 300;
    CASE("nor one too large", FAILS(send_with(sender, &name, IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL));
    CASE("nor something unknown", FAILS(send_with(sender, &name, IPPROTO_IP, 99, &value, sizeof value), EINVAL));
    sendto(sender, "x", 1, 0, &name.any, sizeof name.four);
    CASE("cut off where there is no room", receive(fd, CMSG_SPACE(sizeof(struct in_pktinfo))) == 1 && got.msg_flags & MSG_CTRUNC &&
                                               find(IPPROTO_IP, IP_PKTINFO) && !find(IPPROTO_IP, IP_TTL));
    close(fd);
    close(sender);
}

static void datagrams_six(void)
{
    union name name, from, four = {.four = {.sin_family = AF_INET}};
    int fd = bound(AF_INET6, SOCK_DGRAM, &name), sender = bound(AF_INET6, SOCK_DGRAM, &from), other = socket(AF_INET6, SOCK_DGRAM, 0), value = 11;
    socklen_t room = sizeof four;
    const struct in6_pktinfo *info;
    union name any = {.six = {.sin6_family = AF_INET6}};

    if (fd < 0) { /* a Linux without */
        puts("# no IPv6");
        return;
    }
    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    set(sender, IPPROTO_IPV6, IPV6_TCLASS, 0x40);
    CASE("IPv6: said with it", send_with(sender, &name, IPPROTO_IPV6, IPV6_HOPLIMIT, &value, sizeof value) == 1 && receive(fd, sizeof control) == 1 &&
                                   number(IPPROTO_IPV6, IPV6_HOPLIMIT) == 11 && number(IPPROTO_IPV6, IPV6_TCLASS) == 0x40);
    info = find(IPPROTO_IPV6, IPV6_PKTINFO);
    CASE("IPv6: where it was sent to", info && info->ipi6_ifindex == 1 && IN6_IS_ADDR_LOOPBACK(&info->ipi6_addr));
    (void)!bind(other, &any.any, sizeof any.six);
    set(other, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    set(other, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    getsockname(other, &any.any, &room);
    four.four.sin_port = any.six.sin6_port;
    four.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    close(sender);
    sender = socket(AF_INET, SOCK_DGRAM, 0);
    sendto(sender, "x", 1, 0, &four.any, sizeof four.four);
    CASE("IPv4 at a socket of IPv6", receive(other, sizeof control) == 1 && (info = find(IPPROTO_IPV6, IPV6_PKTINFO)) &&
                                         IN6_IS_ADDR_V4MAPPED(&info->ipi6_addr) && !find(IPPROTO_IPV6, IPV6_HOPLIMIT));
    close(fd);
    close(sender);
    close(other);
}

static int64_t real_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000l + now.tv_nsec;
}

static void times(void)
{
    union name name;
    int fd = bound(AF_INET, SOCK_DGRAM, &name), pair[2];
    int64_t before;
    const struct timespec *ns;
    const struct timeval *us;
    struct timeval last;
    struct timespec last_ns;

    CASE("no time of a datagram that never came", FAILS(ioctl(fd, 0x8906, &last), ENOENT));
    set(fd, SOL_SOCKET, STAMP_NS, 1);
    before = real_ns();
    sendto(fd, "x", 1, 0, &name.any, sizeof name.four);
    CASE("a time comes along", receive(fd, sizeof control) == 1 && (ns = find(SOL_SOCKET, STAMP_NS)) && ns->tv_sec * 1000000000l + ns->tv_nsec >= before &&
                                   ns->tv_sec * 1000000000l + ns->tv_nsec <= real_ns());
    set(fd, SOL_SOCKET, SO_TIMESTAMP, 1);
    before = real_ns() / 1000;
    sendto(fd, "x", 1, 0, &name.any, sizeof name.four);
    CASE("in microseconds", receive(fd, sizeof control) == 1 && (us = find(SOL_SOCKET, SO_TIMESTAMP)) && us->tv_sec * 1000000l + us->tv_usec >= before &&
                                us->tv_sec * 1000000l + us->tv_usec <= real_ns() / 1000);
    set(fd, SOL_SOCKET, SO_TIMESTAMP, 0);
    sendto(fd, "x", 1, 0, &name.any, sizeof name.four);
    CASE("no more", receive(fd, sizeof control) == 1 && got.msg_controllen == 0);
    CASE("but can be asked for", ioctl(fd, 0x8906, &last) == 0 && last.tv_sec * 1000000l + last.tv_usec >= before && last.tv_usec < 1000000);
    CASE("in nanoseconds, too", ioctl(fd, 0x8907, &last_ns) == 0 && last_ns.tv_sec == last.tv_sec);
    (void)!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    set(pair[1], SOL_SOCKET, STAMP_NS, 1);
    before = real_ns();
    (void)!write(pair[0], "x", 1);
    CASE("of AF_UNIX", receive(pair[1], sizeof control) == 1 && (ns = find(SOL_SOCKET, STAMP_NS)) && ns->tv_sec * 1000000000l + ns->tv_nsec >= before);
    close(fd);
    close(pair[0]);
    close(pair[1]);
}

/* Two ends of a connection. */
static void connected(int ends[2])
{
    union name name;
    int server = bound(AF_INET, SOCK_STREAM, &name);

    listen(server, 3);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(ends[0], &name.any, sizeof name.four) != 0)
        exit(97);
    ends[1] = accept(server, NULL, NULL);
    close(server);
}

static bool readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

/* Another process sends two bytes and two more; who asked for four gets them together. */
static void low_water(int ends[2], bool internet)
{
    char bytes[10];

    set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 4);
    (void)!write(ends[0], "ab", 2);
    usleep(1000); /* as little as it takes on Linux */
    CASE("fewer bytes than were asked for", readable(ends[1]) == !internet);
    CASE("who does not wait has them", recv(ends[1], bytes, 10, MSG_DONTWAIT) == 2);
    if (fork() == 0) {
        (void)!write(ends[0], "ab", 2);
        usleep(20000);
        (void)!write(ends[0], "cd", 2);
        _exit(0);
    }
    CASE("who does waits for all", recv(ends[1], bytes, 10, 0) == 4 && memcmp(bytes, "abcd", 4) == 0);
    (void)!wait(NULL);
    (void)!write(ends[0], "ab", 2);
    CASE("unless he wants fewer", recv(ends[1], bytes, 2, 0) == 2);
    (void)!write(ends[0], "ab", 2);
    shutdown(ends[0], SHUT_WR);
    CASE("or no more can come", recv(ends[1], bytes, 10, 0) == 2 && recv(ends[1], bytes, 10, 0) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void lingering(void)
{
    const struct linger none = {.l_onoff = 1};
    struct pollfd one = {.events = POLLIN};
    int ends[2];
    char bytes[4];

    connected(ends);
    setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &none, sizeof none);
    (void)!write(ends[0], "ab", 2);
    close(ends[0]);
    one.fd = ends[1];
    CASE("closed without lingering: poll", poll(&one, 1, -1) == 1 && (one.revents & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP));
    CASE("what came before", recv(ends[1], bytes, 4, 0) == 2);
    CASE("then a reset", FAILS(recv(ends[1], bytes, 4, 0), ECONNRESET));
    CASE("once", recv(ends[1], bytes, 4, 0) == 0);
    close(ends[1]);
    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(ends[0]);
    CASE("AF_UNIX knows none of that", recv(ends[1], bytes, 4, 0) == 0);
    close(ends[1]);
}

static int state(int fd)
{
    struct tcp_info info = {0};
    socklen_t room = sizeof info;

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &room) == 0 && room >= 100 ? info.tcpi_state : -errno;
}

static void informed(void)
{
    union name name;
    int server = bound(AF_INET, SOCK_STREAM, &name), ends[2], datagram = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    struct tcp_info info = {0};
    socklen_t room = 1;

    CASE("TCP_INFO: not connected", state(server) == 7);
    listen(server, 3);
    CASE("who listens", state(server) == 10);
    connected(ends);
    CASE("connected", state(ends[0]) == 1 && state(ends[1]) == 1);
    CASE("as much as there is room for", getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &room) == 0 && room == 1 && info.tcpi_state == 1);
    shutdown(ends[0], SHUT_WR);
    CASE("the other has ended", readable(ends[1]) && state(ends[1]) == 8);
    CASE("and waits for the other's end", state(ends[0]) == 5 || state(ends[0]) == 4);
    CASE("none of datagrams", state(datagram) == -EOPNOTSUPP);
    CASE("nor of AF_UNIX", state(local) == -EOPNOTSUPP);
    close(server);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    int ends[2];

    options();
    datagrams_four();
    datagrams_six();
    times();
    connected(ends);
    low_water(ends, true);
    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    low_water(ends, false);
    lingering();
    informed();
    return tap_finish();
}
