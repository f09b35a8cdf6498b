/* The one interface that there is, lo, as ioctl tells of it: netdevice(7). */
#include "netlink.h"
#include "socket.h"

#define SIOCGIFNAME 0x8910u
#define SIOCGIFCONF 0x8912u
#define SIOCGIFFLAGS 0x8913u
#define SIOCSIFFLAGS 0x8914u
#define SIOCGIFADDR 0x8915u
#define SIOCGIFDSTADDR 0x8917u
#define SIOCGIFBRDADDR 0x8919u
#define SIOCGIFNETMASK 0x891bu
#define SIOCGIFMETRIC 0x891du
#define SIOCGIFMTU 0x8921u
#define SIOCGIFHWADDR 0x8927u
#define SIOCGIFINDEX 0x8933u
#define SIOCGIFTXQLEN 0x8942u
#define SIOCETHTOOL 0x8946u
#define SIOCGIFMAP 0x8970u

/* struct ifreq: the value is what the request makes of it. */
struct request {
    char name[16];
    union {
        int32_t number;
        int16_t flags;
        uint16_t family;
        uint8_t byte[24];
    } value;
};
_Static_assert(sizeof(struct request) == 40, "struct ifreq");

/* struct ifconf. */
struct list {
    int32_t bytes, pad;
    px_user to;
};

static void put_address(struct request *request, const uint8_t number[4])
{
    request->value.family = AF_INET;
    memcpy(request->value.byte + 4, number, 4);
}

static const uint8_t loopback[4] = {127, 0, 0, 1}, mask[4] = {255}, none[4];

static int64_t tell_all(px_user argument)
{
    struct request one = {.name = PX_LO_NAME};
    struct list list;

    if (px_copy_in(&list, argument, sizeof list) != 0)
        return -EFAULT;
    put_address(&one, loopback);
    if (!list.to || list.bytes >= (int32_t)sizeof one) {
        if (list.to && px_copy_out(list.to, &one, sizeof one) != 0)
            return -EFAULT;
        list.bytes = sizeof one;
    } else {
        list.bytes = 0;
    }
    return px_copy_out(argument, &list, sizeof list);
}

/* What is asked of lo: 0, or -errno. */
static int64_t tell(unsigned domain, uint64_t asked, struct request *request)
{
    switch (asked) {
    case SIOCGIFFLAGS: request->value.flags = (int16_t)PX_LO_FLAGS; return 0;
    case SIOCGIFMTU: request->value.number = (int32_t)PX_LO_MTU; return 0;
    case SIOCGIFINDEX: request->value.number = (int32_t)PX_LO_INDEX; return 0;
    case SIOCGIFTXQLEN: request->value.number = (int32_t)PX_LO_QUEUE; return 0;
    case SIOCGIFHWADDR: request->value.family = PX_LO_KIND; return 0;
    case SIOCGIFMETRIC:
    case SIOCGIFMAP: return 0;
    case SIOCETHTOOL: return -EOPNOTSUPP;
    case SIOCSIFFLAGS: return px_self()->euid == 0 ? -EOPNOTSUPP : -EPERM;
    default: break;
    }
    if (domain != AF_INET)
        return -ENOTTY;
    put_address(request, asked == SIOCGIFNETMASK ? mask : asked == SIOCGIFBRDADDR ? none : loopback);
    return 0;
}

int64_t px_interface_ioctl(unsigned domain, uint64_t asked, px_user argument)
{
    struct request request;
    int64_t result;

    switch (asked) {
    case SIOCGIFCONF: return tell_all(argument);
    case SIOCGIFNAME: case SIOCGIFFLAGS: case SIOCSIFFLAGS: case SIOCGIFADDR: case SIOCGIFDSTADDR: case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK: case SIOCGIFMETRIC: case SIOCGIFMTU: case SIOCGIFHWADDR: case SIOCGIFINDEX: case SIOCGIFTXQLEN:
    case SIOCETHTOOL: case SIOCGIFMAP: break;
    default: return -ENOTTY;
    }
    if (px_copy_in(&request, argument, sizeof request) != 0)
        return -EFAULT;
    if (asked == SIOCGIFNAME) {
        if (request.value.number != (int32_t)PX_LO_INDEX)
            return -ENODEV;
        memset(request.name, 0, sizeof request.name);
        memcpy(request.name, PX_LO_NAME, sizeof PX_LO_NAME);
        return px_copy_out(argument, &request, sizeof request);
    }
    request.name[sizeof request.name - 1] = 0;
    if (strcmp(request.name, PX_LO_NAME) != 0)
        return -ENODEV;
    if (asked != SIOCETHTOOL)
        memset(&request.value, 0, sizeof request.value);
    result = tell(domain, asked, &request);
    return result < 0 ? result : px_copy_out(argument, &request, sizeof request);
}
