/*
 * AF_NETLINK: interfaces and addresses as C libraries ask for them and by hand, and mq_notify with SIGEV_THREAD, by the library and by hand. There may be
 * other interfaces than the loopback. Runs on Linux as well.
 *
 * guest-test:
 */
#include "thread_help.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct nl_name {
    unsigned short family, pad;
    unsigned port, groups;
};
struct nl_head {
    unsigned bytes;
    unsigned short type, flags;
    unsigned sequence, port;
};
enum { NETLINK = 16, ROUTE = 0, GETLINK = 18, GETADDR = 22, NEWLINK = 16, DELLINK = 17, NEWADDR = 20, REQUEST = 1, ACK = 4, DUMP = 0x300, ERROR = 2, DONE = 3 };

static int netlink(int type)
{
    return socket(NETLINK, type | SOCK_CLOEXEC, ROUTE);
}

/* Sends a request of this type, with `extra` bytes of zeros or given ones behind it. */
static ssize_t ask(int fd, unsigned type, unsigned flags, const void *body, size_t extra)
{
    struct {
        struct nl_head head;
        char body[64];
    } request = {.head = {.bytes = (unsigned)(sizeof(struct nl_head) + extra), .type = (unsigned short)type, .flags = (unsigned short)flags, .sequence = 7}};
    const struct nl_name to = {.family = NETLINK};

    if (body)
        memcpy(request.body, body, extra);
    return sendto(fd, &request, request.head.bytes, 0, (const struct sockaddr *)&to, sizeof to);
}

/* The error of an answer that is one; 1: another answer. */
static int answered(int fd)
{
    struct {
        struct nl_head head;
        char body[4000];
    } answer;
    int error;

    if (recv(fd, &answer, sizeof answer, MSG_DONTWAIT) < (ssize_t)sizeof answer.head)
        return -1000;
    memcpy(&error, answer.body, sizeof error);
    return answer.head.sequence != 7 ? -1001 : answer.head.type == ERROR ? error : 1;
}

static void drain(int fd)
{
    char bytes[8192];

    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
}

static void sockets(void)
{
    int fd = netlink(SOCK_RAW), other = netlink(SOCK_DGRAM), value = 0, pair[2];
    struct nl_name name = {.family = NETLINK}, said = {0};
    socklen_t room = sizeof said;
    char byte;

    CASE("a netlink socket", fd >= 0 && other >= 0);
    CASE("no other types", netlink(SOCK_STREAM) == -1 && errno == ESOCKTNOSUPPORT);
    CASE("nor protocols that there are not", socket(NETLINK, SOCK_RAW, 77) == -1 && errno == EPROTONOSUPPORT);
    CASE("no pairs", socketpair(NETLINK, SOCK_RAW, 0, pair) == -1 && errno == EOPNOTSUPP);
    CASE("its type is told", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &(socklen_t){sizeof value}) == 0 && value == SOCK_RAW);
    CASE("and its family", getsockopt(other, SOL_SOCKET, SO_DOMAIN, &value, &(socklen_t){sizeof value}) == 0 && value == NETLINK);
    CASE("no port at first", getsockname(fd, (struct sockaddr *)&said, &room) == 0 && room == sizeof said && said.family == NETLINK && said.port == 0);
    CASE("a short name is none", bind(fd, (struct sockaddr *)&name, 8) == -1 && errno == EINVAL);
    name.family = AF_INET;
    CASE("nor one of another family", bind(fd, (struct sockaddr *)&name, sizeof name) == -1 && errno == EINVAL);
    name.family = NETLINK;
    CASE("bound to any port", bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    room = sizeof said;
    CASE("a process's first has its number", getsockname(fd, (struct sockaddr *)&said, &room) == 0 && said.port == (unsigned)getpid());
    (void)!bind(other, (struct sockaddr *)&name, sizeof name);
    room = sizeof said;
    CASE("the next another one", getsockname(other, (struct sockaddr *)&said, &room) == 0 && said.port && said.port != (unsigned)getpid());
    CASE("its peer is the kernel", getpeername(fd, (struct sockaddr *)&said, &room) == 0 && said.family == NETLINK && said.port == 0);
    CASE("nothing is there yet", recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CASE("it does not listen", listen(fd, 1) == -1 && errno == EOPNOTSUPP);
    CASE("it cannot be shut down", shutdown(fd, SHUT_RDWR) == -1 && errno == EOPNOTSUPP);
    CASE("an option that is none", setsockopt(fd, 270, 200, &value, sizeof value) == -1 && errno == ENOPROTOOPT);
    value = 1;
    CASE("an option", setsockopt(fd, 270, 11, &value, sizeof value) == 0);
    value = 0;
    CASE("is remembered", getsockopt(fd, 270, 11, &value, &(socklen_t){sizeof value}) == 0 && value == 1);
    close(fd);
    close(other);
}

static void requests(void)
{
    int fd = netlink(SOCK_RAW), error;
    struct nl_head partial = {.bytes = 100, .type = GETLINK, .flags = REQUEST};
    const int unknown[4] = {0, 7777}, first[4] = {0, 1};
    struct nl_name from = {0};
    char answer[8192];
    socklen_t room = sizeof from;
    struct pollfd poll_it = {.fd = fd, .events = POLLIN | POLLOUT};

    CASE("a request for one interface", ask(fd, GETLINK, REQUEST, first, sizeof first) == 32 && answered(fd) == 1);
    CASE("of one that is not there", ask(fd, GETLINK, REQUEST, unknown, sizeof unknown) == 32 && (error = answered(fd)) == -ENODEV);
    CASE("one that names none", ask(fd, GETLINK, REQUEST, NULL, 16) == 32 && answered(fd) == -EINVAL);
    CASE("an acknowledgement that is asked for", ask(fd, GETLINK, REQUEST | ACK, first, sizeof first) == 32 && answered(fd) == 1 && answered(fd) == 0);
    CASE("a type that is none", ask(fd, 1000, REQUEST, NULL, 16) == 32 && answered(fd) == -EOPNOTSUPP);
    CASE("what is no request is not answered", ask(fd, GETLINK, 0, first, sizeof first) == 32 && answered(fd) == -1000);
    CASE("one that is cut off neither", send(fd, &partial, sizeof partial, 0) == sizeof partial && answered(fd) == -1000);
    CASE("nothing to read by poll", poll(&poll_it, 1, 0) == 1 && poll_it.revents == POLLOUT);
    (void)!ask(fd, GETADDR, REQUEST | DUMP, NULL, 8);
    CASE("but after a request", poll(&poll_it, 1, 0) == 1 && poll_it.revents == (POLLIN | POLLOUT));
    CASE("looking takes nothing", recv(fd, answer, 4, MSG_PEEK | MSG_TRUNC) > 4 && recv(fd, answer, 4, MSG_PEEK | MSG_TRUNC) > 4);
    CASE("it comes from the kernel", recvfrom(fd, answer, sizeof answer, 0, (struct sockaddr *)&from, &room) > 0 && room == sizeof from &&
                                         from.family == NETLINK && from.port == 0);
    drain(fd);
    if (geteuid() == 0 && fork() == 0) {
        (void)!setuid(1);
        _exit(ask(fd, DELLINK, REQUEST, first, sizeof first) == 32 && answered(fd) == -EPERM ? 0 : 1);
    } else if (geteuid() == 0) {
        (void)!wait(&error);
        CASE("only root may ask for changes", error == 0);
    }
    CASE("a bad address", sendto(fd, (void *)8, 100, 0, NULL, 0) == -1 && errno == EFAULT);
    close(fd);
}

static void libraries(void)
{
    struct if_nameindex *names = if_nameindex();
    struct ifaddrs *all = NULL;
    int named = 0, four = 0, six = 0, up = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
    char name[IF_NAMESIZE] = "";
    struct ifreq request = {.ifr_name = "lo"}, none = {.ifr_name = "nothing0"}, lists[16];
    struct ifconf list = {.ifc_len = sizeof lists, .ifc_req = lists};

    for (int i = 0; names && names[i].if_index; i++)
        named += names[i].if_index == 1 && strcmp(names[i].if_name, "lo") == 0;
    CASE("if_nameindex has the loopback", named == 1);
    CASE("its number", if_nametoindex("lo") == 1 && if_nametoindex("nothing0") == 0);
    CASE("its name", if_indextoname(1, name) && strcmp(name, "lo") == 0 && !if_indextoname(7777, name));
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        if (strcmp(one->ifa_name, "lo") != 0 || !one->ifa_addr)
            continue;
        up += (one->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK);
        if (one->ifa_addr->sa_family == AF_INET)
            four += ((struct sockaddr_in *)one->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
                    ((struct sockaddr_in *)one->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000);
        if (one->ifa_addr->sa_family == AF_INET6)
            six += IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr);
    }
    CASE("getifaddrs has its address, with the mask", four == 1 && up >= 1);
    CASE("IPv6's at most once", six <= 1);
    CASE("ioctl: flags", ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
                             (request.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
    CASE("address", ioctl(fd, SIOCGIFADDR, &request) == 0 && ((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CASE("mask", ioctl(fd, SIOCGIFNETMASK, &request) == 0 && ((struct sockaddr_in *)&request.ifr_netmask)->sin_addr.s_addr == htonl(0xff000000));
    CASE("mtu", ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu == 65536);
    CASE("hardware address", ioctl(fd, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == 772);
    CASE("of an interface that is not there", ioctl(fd, SIOCGIFFLAGS, &none) == -1 && errno == ENODEV);
    CASE("a list", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len >= (int)sizeof lists[0] && strcmp(lists[0].ifr_name, "lo") == 0);
    list = (struct ifconf){.ifc_len = 0, .ifc_req = NULL};
    CASE("and how long it would be", ioctl(fd, SIOCGIFCONF, &list) == 0 && list.ifc_len >= (int)sizeof lists[0]);
    CASE("a bad address of one", ioctl(fd, SIOCGIFCONF, (void *)8) == -1 && errno == EFAULT);
    close(fd);
}

/* ---- mq_notify ---- */

static atomic_int told;
static sem_t told_sem;

static void tell(union sigval value)
{
    told = value.sival_int;
    sem_post(&told_sem);
}

static const struct mq_attr small = {.mq_maxmsg = 4, .mq_msgsize = 16};

static void by_library(mqd_t queue)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell, .sigev_value.sival_int = 41};
    char text[16];
    int status;

    sem_init(&told_sem, 0, 0);
    CASE("a thread shall be told", mq_notify(queue, &event) == 0);
    CASE("nobody else can be", mq_notify(queue, &(struct sigevent){.sigev_notify = SIGEV_NONE}) == -1 && errno == EBUSY);
    if (fork() == 0)
        _exit(mq_send(queue, "one", 3, 0));
    (void)!wait(&status);
    sem_wait(&told_sem);
    CASE("it is, of what another process sent", told == 41);
    CASE("the message is there", mq_receive(queue, text, sizeof text, NULL) == 3);
    event.sigev_value.sival_int = 42;
    CASE("again", mq_notify(queue, &event) == 0 && mq_send(queue, "two", 3, 0) == 0);
    sem_wait(&told_sem);
    CASE("each time that it asks", told == 42 && mq_receive(queue, text, sizeof text, NULL) == 3);
}

static long notify(mqd_t queue, int fd, void *cookie)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = fd, .sigev_value.sival_ptr = cookie};

    return syscall(SYS_mq_notify, queue, &event);
}

static void by_hand(mqd_t queue)
{
    int fd = netlink(SOCK_RAW), file = open("/dev/null", O_RDONLY), other = socket(AF_UNIX, SOCK_DGRAM, 0);
    unsigned char cookie[33] = "a cookie of thirty-two bytes...", got[40];
    struct pollfd poll_it = {.fd = fd, .events = POLLIN};
    char text[16];

    CASE("notify: no descriptor", notify(queue, -1, cookie) == -1 && errno == EBADF);
    CASE("notify: no socket", notify(queue, file, cookie) == -1 && errno == ENOTSOCK);
    CASE("notify: none of netlink", notify(queue, other, cookie) == -1 && errno == EINVAL);
    CASE("notify: a bad cookie", notify(queue, fd, (void *)8) == -1 && errno == EFAULT);
    CASE("notify: no queue", notify(file, fd, cookie) == -1 && errno == EBADF);
    CASE("notify by the socket", notify(queue, fd, cookie) == 0);
    CASE("not before a message", poll(&poll_it, 1, 0) == 0 && recv(fd, got, sizeof got, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    (void)!mq_send(queue, "three", 5, 0);
    CASE("then", poll(&poll_it, 1, -1) == 1 && poll_it.revents == POLLIN);
    CASE("the cookie comes, whose last byte says it", recv(fd, got, sizeof got, 0) == 32 && memcmp(got, cookie, 31) == 0 && got[31] == 1);
    CASE("once", recv(fd, got, sizeof got, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CASE("not while messages are there", notify(queue, fd, cookie) == 0 && mq_send(queue, "four", 4, 0) == 0 && poll(&poll_it, 1, 0) == 0);
    CASE("taken back", syscall(SYS_mq_notify, queue, NULL) == 0);
    CASE("the cookie says that, too", recv(fd, got, sizeof got, MSG_DONTWAIT) == 32 && got[31] == 2);
    (void)!mq_receive(queue, text, sizeof text, NULL);
    (void)!mq_receive(queue, text, sizeof text, NULL);
    (void)!notify(queue, fd, cookie);
    close(fd);
    CASE("a closed socket is told nothing", mq_send(queue, "five", 4, 0) == 0);
    close(file);
    close(other);
}

int main(void)
{
    mqd_t queue;

    sockets();
    requests();
    libraries();
    queue = mq_open("/netlink", O_RDWR | O_CREAT | O_EXCL, 0600, &small);
    by_library(queue);
    by_hand(queue);
    mq_unlink("/netlink");
    return tap_finish();
}
