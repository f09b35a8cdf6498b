/*
 * The loopback as a network interface: by ioctl, by netlink as C libraries ask, and options of IP, IPv6 and TCP. Every case passes on Linux as well.
 * guest-test: --timeout 100
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

/* What Linux's headers call so; the C library of the guest's tests has none of them. */
enum { NETLINK_ROUTE = 0, NLM_F_REQUEST = 1, NLM_F_MULTI = 2, NLM_F_ACK = 4, NLM_F_DUMP = 0x300, NLMSG_NOOP = 1, NLMSG_ERROR = 2 };
enum { RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_GETADDR = 22, RTM_NEWROUTE = 24, RTM_GETROUTE = 26 };
struct sockaddr_nl {
    uint16_t nl_family, pad;
    uint32_t nl_pid, nl_groups;
};
struct header {
    uint32_t bytes;
    uint16_t type, flags;
    uint32_t sequence, port;
};
struct link {
    uint8_t family, pad;
    uint16_t kind;
    int32_t index;
    uint32_t flags, change;
};
#define ROUTE_BYTES 12u

static void *volatile wild = (void *)0x1234;

static int asked(int fd, unsigned long request, struct ifreq *answer, const char *name)
{
    memset(answer, 0x55, sizeof *answer);
    strcpy(answer->ifr_name, name);
    return ioctl(fd, request, answer);
}

static void test_ioctl(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
    struct ifreq one, many[16];
    struct ifconf list = {.ifc_len = sizeof many, .ifc_req = many};
    struct sockaddr_in *address = (struct sockaddr_in *)&one.ifr_addr;
    unsigned found = 0;

    CASE("flags", asked(fd, SIOCGIFFLAGS, &one, "lo") == 0 && (one.ifr_flags & IFF_LOOPBACK));
    CASE("address", asked(fd, SIOCGIFADDR, &one, "lo") == 0 && address->sin_family == AF_INET && address->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
                        address->sin_port == 0);
    CASE("mask", asked(fd, SIOCGIFNETMASK, &one, "lo") == 0 && address->sin_addr.s_addr == htonl(0xff000000));
    CASE("greatest packet", asked(fd, SIOCGIFMTU, &one, "lo") == 0 && one.ifr_mtu == 65536);
    CASE("kind", asked(fd, SIOCGIFHWADDR, &one, "lo") == 0 && one.ifr_hwaddr.sa_family == 772 && one.ifr_hwaddr.sa_data[0] == 0);
    CASE("index, of any socket", asked(other, SIOCGIFINDEX, &one, "lo") == 0 && one.ifr_ifindex == 1);
    CASE("address, of AF_INET only", FAILS(asked(other, SIOCGIFADDR, &one, "lo"), ENOTTY));
    one.ifr_ifindex = 1;
    CASE("name", ioctl(fd, SIOCGIFNAME, &one) == 0 && strcmp(one.ifr_name, "lo") == 0);
    one.ifr_ifindex = 99999;
    CASE("no such index", FAILS(ioctl(fd, SIOCGIFNAME, &one), ENODEV));
    CASE("no such name", FAILS(asked(fd, SIOCGIFFLAGS, &one, "none0"), ENODEV) && FAILS(asked(fd, SIOCGIFADDR, &one, "none0"), ENODEV));
    CASE("nowhere", FAILS(ioctl(fd, SIOCGIFFLAGS, wild), EFAULT) && FAILS(ioctl(fd, SIOCGIFCONF, wild), EFAULT));
    CASE("list", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len >= (int)sizeof one && list.ifc_len % (int)sizeof one == 0);
    for (unsigned i = 0; i < (unsigned)list.ifc_len / sizeof one; i++)
        found += strcmp(many[i].ifr_name, "lo") == 0;
    CASE("list has lo", found == 1);
    list = (struct ifconf){.ifc_len = 10, .ifc_req = many};
    CASE("a list without room", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len == 0);
    list = (struct ifconf){0};
    CASE("room that a list needs", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len >= (int)sizeof one);
    close(fd);
    close(other);
}

static void test_library(void)
{
    struct ifaddrs *all = NULL;
    struct if_nameindex *names = if_nameindex();
    unsigned four = 0, six = 0, lo = 0;
    char name[IF_NAMESIZE];

    CASE("getifaddrs", getifaddrs(&all) == 0);
    for (struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)one->ifa_addr;

        if (!one->ifa_addr || strcmp(one->ifa_name, "lo") != 0)
            continue;
        four += one->ifa_addr->sa_family == AF_INET && ((struct sockaddr_in *)one->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
                ((struct sockaddr_in *)one->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000) && (one->ifa_flags & IFF_LOOPBACK);
        six += one->ifa_addr->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->sin6_addr);
    }
    CASE("lo has its addresses", four == 1 && six <= 1);
    for (struct if_nameindex *one = names; one && one->if_index; one++)
        lo += one->if_index == 1 && strcmp(one->if_name, "lo") == 0;
    CASE("if_nameindex", lo == 1);
    CASE("if_nametoindex", if_nametoindex("lo") == 1 && if_nametoindex("none0") == 0);
    CASE("if_indextoname", if_indextoname(1, name) && strcmp(name, "lo") == 0);
    freeifaddrs(all);
    if_freenameindex(names);
}

struct question {
    struct header header;
    uint8_t family, rest[67];
};
static _Alignas(8) char answer[32768];

static ssize_t ask(int fd, int type, int flags, unsigned body)
{
    struct question question = {.header = {.bytes = (uint32_t)sizeof question.header + body,
                                           .type = (uint16_t)type,
                                           .flags = (uint16_t)(NLM_F_REQUEST | flags),
                                           .sequence = 77}};

    if (send(fd, &question, question.header.bytes, 0) < 0)
        return -1;
    return recv(fd, answer, sizeof answer, MSG_DONTWAIT);
}

static int error_of(ssize_t bytes)
{
    struct header header;
    int32_t error;

    memcpy(&header, answer, sizeof header);
    memcpy(&error, answer + sizeof header, sizeof error);
    return bytes >= (ssize_t)(sizeof header + sizeof error) && header.type == NLMSG_ERROR && header.sequence == 77 ? error : 1;
}

static void test_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), type = 0;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK}, from;
    socklen_t length = sizeof address;
    struct pollfd polled = {.fd = fd, .events = POLLIN | POLLOUT};
    struct header *header = (struct header *)answer;
    struct link *link = (struct link *)(header + 1);
    char small[20];
    struct iovec vector = {small, sizeof small};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &vector, .msg_iovlen = 1};
    ssize_t bytes, peeked;
    int status;
    pid_t child;

    CASE("a socket", fd >= 0);
    CASE("no such protocol", FAILS(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT));
    CASE("no such type", FAILS(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT));
    CASE("bind", bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CASE("its address", getsockname(fd, (struct sockaddr *)&address, &length) == 0 && length == sizeof address && address.nl_pid != 0);
    CASE("bind to another", (address.nl_pid += 1, FAILS(bind(fd, (struct sockaddr *)&address, sizeof address), EINVAL)));
    CASE("a short address", FAILS(bind(fd, (struct sockaddr *)&address, 4), EINVAL));
    address.nl_family = AF_INET;
    CASE("of another family", FAILS(bind(fd, (struct sockaddr *)&address, sizeof address), EINVAL));
    CASE("protocol", (length = sizeof type, getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &type, &length)) == 0 && type == NETLINK_ROUTE);
    CASE("nothing to read", poll(&polled, 1, 0) == 1 && polled.revents == POLLOUT && FAILS(recv(fd, answer, 1, MSG_DONTWAIT), EAGAIN));
    bytes = ask(fd, RTM_GETLINK, NLM_F_DUMP, sizeof *link);
    CASE("links", bytes > (ssize_t)(sizeof *header + sizeof *link) && header->type == RTM_NEWLINK && header->sequence == 77 &&
                      header->flags & NLM_F_MULTI && link->index == 1 && link->flags & IFF_LOOPBACK);
    while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
        continue;
    CASE("one link that is not named", error_of(ask(fd, RTM_GETLINK, 0, sizeof *link)) == -EINVAL);
    CASE("acknowledged nothing", error_of(ask(fd, NLMSG_NOOP, NLM_F_ACK, 0)) == 0);
    CASE("no body", FAILS(ask(fd, RTM_GETLINK, 0, 0), EAGAIN));
    CASE("a body that is too short", error_of(ask(fd, RTM_GETLINK, 0, 4)) == -EINVAL);
    CASE("an unknown request", error_of(ask(fd, 1000, 0, 16)) == -EOPNOTSUPP);
    {
        struct question question = {.header = {.bytes = 4000, .type = RTM_GETLINK, .flags = NLM_F_REQUEST}};

        CASE("longer than it is", send(fd, &question, sizeof question, 0) == sizeof question && FAILS(recv(fd, answer, 1, MSG_DONTWAIT), EAGAIN));
        question.header.bytes = 3;
        CASE("shorter than its header", send(fd, &question, sizeof question, 0) == sizeof question && FAILS(recv(fd, answer, 1, MSG_DONTWAIT), EAGAIN));
    }
    CASE("nowhere", FAILS(send(fd, wild, 40, 0), EFAULT));
    {
        struct question question = {
            .header = {.bytes = sizeof question.header + 1, .type = RTM_GETADDR, .flags = NLM_F_REQUEST | NLM_F_DUMP, .sequence = 5}, .family = AF_INET};

        CASE("asked without connecting", write(fd, &question, sizeof question) == sizeof question);
        polled.revents = 0;
        CASE("an answer is there", poll(&polled, 1, 1000) == 1 && polled.revents & POLLIN);
        peeked = recv(fd, answer, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        bytes = recvmsg(fd, &message, 0);
        CASE("cut off", peeked > (ssize_t)sizeof small && bytes == sizeof small && message.msg_flags & MSG_TRUNC);
        CASE("from the kernel", message.msg_namelen == sizeof from && from.nl_family == AF_NETLINK && from.nl_pid == 0);
    }
    while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
        continue;
    child = fork();
    if (child == 0)
        _exit(ask(fd, RTM_GETROUTE, NLM_F_DUMP, ROUTE_BYTES) > 0 && header->type == RTM_NEWROUTE ? 0 : 1);
    CASE("an inherited one", waitpid(child, &status, 0) == child && status == 0);
    CASE("no stream's calls", FAILS(listen(fd, 1), EOPNOTSUPP) && FAILS(accept(fd, NULL, NULL), EOPNOTSUPP));
    close(fd);
}

static int number(int fd, int level, int name)
{
    int value = -77;
    socklen_t length = sizeof value;

    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno - 1000;
}

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

static void test_options(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    unsigned char byte = 3;
    char name[16] = "";
    struct tcp_info info = {0};
    socklen_t length = sizeof name, bytes = sizeof info;

    CASE("IP_TTL", number(fd, IPPROTO_IP, IP_TTL) == 64 && set(fd, IPPROTO_IP, IP_TTL, 9) == 0 && number(fd, IPPROTO_IP, IP_TTL) == 9);
    CASE("IP_TTL out of range", FAILS(set(fd, IPPROTO_IP, IP_TTL, 256), EINVAL) && FAILS(set(fd, IPPROTO_IP, IP_TTL, 0), EINVAL));
    CASE("IP_TTL as at first", set(fd, IPPROTO_IP, IP_TTL, -1) == 0 && number(fd, IPPROTO_IP, IP_TTL) == 64);
    CASE("IP_MTU_DISCOVER", number(fd, IPPROTO_IP, IP_MTU_DISCOVER) == 1 && set(fd, IPPROTO_IP, IP_MTU_DISCOVER, 0) == 0 &&
                                number(fd, IPPROTO_IP, IP_MTU_DISCOVER) == 0 && FAILS(set(fd, IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL));
    CASE("a single byte", setsockopt(fd, IPPROTO_IP, IP_RECVERR, &byte, 1) == 0 && number(fd, IPPROTO_IP, IP_RECVERR) == 1);
    CASE("no byte at all", FAILS(setsockopt(fd, IPPROTO_TCP, TCP_CORK, &byte, 1), EINVAL));
    CASE("IP_MTU of none", number(fd, IPPROTO_IP, IP_MTU) == -ENOTCONN - 1000);
    CASE("no such options", FAILS(set(fd, IPPROTO_IP, 999, 1), ENOPROTOOPT) && number(fd, IPPROTO_IP, 999) == -ENOPROTOOPT - 1000);
    CASE("IPV6_UNICAST_HOPS", number(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 64 && set(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7) == 0 &&
                                  number(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 7);
    CASE("IPv6's of an IPv4 socket", FAILS(set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7), ENOPROTOOPT));
    CASE("IPv4's of an IPv6 socket", set(six, IPPROTO_IP, IP_PKTINFO, 5) == 0 && number(six, IPPROTO_IP, IP_PKTINFO) == 1);
    CASE("of AF_UNIX", FAILS(set(local, IPPROTO_IP, IP_TTL, 1), EOPNOTSUPP));
    CASE("TCP_KEEPCNT out of range", FAILS(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL) && FAILS(set(fd, IPPROTO_TCP, TCP_KEEPCNT, 0), EINVAL));
    CASE("TCP_DEFER_ACCEPT", set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1) == 0 && number(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
    CASE("TCP_FASTOPEN", set(fd, IPPROTO_TCP, TCP_FASTOPEN, 16) == 0 && FAILS(set(fd, IPPROTO_TCP, TCP_FASTOPEN, -1), EINVAL));
    CASE("TCP_CONGESTION", getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) == 0 && length == 16 && name[0]);
    CASE("TCP_CONGESTION that is none", FAILS(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "none such", 9), ENOENT));
    CASE("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0 && bytes >= 104 && info.tcpi_state == TCP_CLOSE);
    CASE("TCP's of a datagram socket", FAILS(set(six, IPPROTO_TCP, TCP_CORK, 1), ENOPROTOOPT));
    CASE("of a device", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0 && FAILS(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6), ENODEV));
    close(fd);
    close(six);
    close(local);
}

int main(void)
{
    test_ioctl();
    test_library();
    test_netlink();
    test_options();
    return tap_finish();
}
