/* What sockets say of network interfaces (ioctls SIOCGIF*, netdevice(7)): the loopback is all that there is. Nothing of it can be set. */
#include "socket.h"

#define SIOCGIFNAME 0x8910
#define SIOCGIFCONF 0x8912
#define SIOCGIFFLAGS 0x8913
#define SIOCGIFADDR 0x8915
#define SIOCGIFDSTADDR 0x8917
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMETRIC 0x891d
#define SIOCGIFMTU 0x8921
#define SIOCGIFHWADDR 0x8927
#define SIOCGIFINDEX 0x8933
#define SIOCGIFTXQLEN 0x8942
#define SIOCGIFMAP 0x8970

#define LO_INDEX 1
#define LO_FLAGS 0x49 /* IFF_UP, LOOPBACK, RUNNING */
#define LO_MTU 65536
#define ARPHRD_LOOPBACK 772

struct ifreq {
    char name[16];
    union {
        struct {
            uint16_t family, port;
            uint8_t address[4];
            uint8_t zero[8];
        } socket;
        int32_t number;
        uint16_t flags;
        uint8_t map[24];
    };
};
_Static_assert(sizeof(struct ifreq) == 40, "struct ifreq");

struct ifconf {
    int32_t bytes, pad;
    px_user list;
};

static void set_address(struct ifreq *request, uint32_t address)
{
    memset(&request->map, 0, sizeof request->map);
    request->socket.family = AF_INET;
    for (unsigned i = 0; i < 4; i++)
        request->socket.address[i] = (uint8_t)(address >> (24 - 8 * i));
}

static int64_t list(px_user argument)
{
    struct ifreq lo = {.name = "lo"};
    struct ifconf all;

    if (px_copy_in(&all, argument, sizeof all) != 0)
        return -EFAULT;
    set_address(&lo, 0x7f000001);
    if (all.list && all.bytes >= (int32_t)sizeof lo && px_copy_out(all.list, &lo, sizeof lo) != 0)
        return -EFAULT;
    all.bytes = all.list && all.bytes < (int32_t)sizeof lo ? 0 : (int32_t)sizeof lo;
    return px_copy_out(argument, &all, sizeof all);
}

static int64_t answer(uint64_t which, struct ifreq *request)
{
    switch (which) {
    case SIOCGIFFLAGS: request->flags = LO_FLAGS; return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR: set_address(request, 0x7f000001); return 0;
    case SIOCGIFBRDADDR: set_address(request, 0); return 0;
    case SIOCGIFNETMASK: set_address(request, 0xff000000); return 0;
    case SIOCGIFMETRIC: request->number = 0; return 0;
    case SIOCGIFMTU: request->number = LO_MTU; return 0;
    case SIOCGIFINDEX: request->number = LO_INDEX; return 0;
    case SIOCGIFTXQLEN: request->number = 1000; return 0;
    case SIOCGIFHWADDR:
        memset(&request->map, 0, sizeof request->map);
        request->socket.family = ARPHRD_LOOPBACK;
        return 0;
    case SIOCGIFMAP: memset(&request->map, 0, sizeof request->map); return 0;
    default: return -ENOTTY;
    }
}

static bool is_known(uint64_t which)
{
    struct ifreq probe;

    return which == SIOCGIFNAME || which == SIOCGIFCONF || answer(which, &probe) == 0;
}

int64_t px_socket_interface(uint64_t which, px_user argument)
{
    struct ifreq request;
    int64_t result = 0;

    if (!is_known(which))
        return -ENOTTY;
    if (which == SIOCGIFCONF)
        return list(argument);
    if (px_copy_in(&request, argument, sizeof request) != 0)
        return -EFAULT;
    request.name[sizeof request.name - 1] = '\0';
    if (which == SIOCGIFNAME) {
        if (request.number != LO_INDEX)
            return -ENODEV;
        memset(request.name, 0, sizeof request.name);
        memcpy(request.name, "lo", 2);
    } else {
        if (strcmp(request.name, "lo") != 0)
            return -ENODEV;
        result = answer(which, &request);
    }
    return result < 0 ? result : px_copy_out(argument, &request, sizeof request);
}
