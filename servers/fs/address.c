/*
 * Internet addresses as sockets are bound to them (struct sockaddr_in and sockaddr_in6): there is only the loopback, so an address is 127.0.0.0/8, ::1,
 * or any (all zeroes). The libOS of a client has checked its address; whatever one says here, it only names a binding.
 */
#include "address.h"
#include "core.h"
#include "socket.h"

#define AF_INET 2u
#define AF_INET6 10u
#define V4_BYTES 16u
#define V6_BYTES 28u

static unsigned family_of(const uint8_t *name)
{
    return name[0] | (unsigned)name[1] << 8;
}

bool address_internet(unsigned domain)
{
    return domain == AF_INET || domain == AF_INET6;
}

bool address_whole(const uint8_t *name, unsigned bytes, unsigned domain)
{
    return family_of(name) == domain && bytes == (domain == AF_INET ? V4_BYTES : V6_BYTES);
}

uint16_t address_port(const uint8_t *name)
{
    return (uint16_t)(name[2] << 8 | name[3]);
}

void address_set_port(uint8_t *name, uint16_t port)
{
    name[2] = (uint8_t)(port >> 8);
    name[3] = (uint8_t)port;
}

static bool is_any(const uint8_t *name)
{
    static const uint8_t zeroes[16];

    return family_of(name) == AF_INET ? !memcmp(name + 4, zeroes, 4) : !memcmp(name + 8, zeroes, 16);
}

static bool equal(const uint8_t *one, const uint8_t *other)
{
    return family_of(one) == AF_INET ? !memcmp(one + 4, other + 4, 4) : !memcmp(one + 8, other + 8, 16);
}

bool address_reaches(const struct address_bound *bound, const uint8_t *to)
{
    if (address_port(bound->name) != address_port(to))
        return false;
    if (family_of(bound->name) != family_of(to))
        return family_of(bound->name) == AF_INET6 && is_any(bound->name) && !bound->only6;
    return is_any(bound->name) || equal(bound->name, to);
}

bool address_collides(const struct address_bound *one, const struct address_bound *other)
{
    if (address_port(one->name) != address_port(other->name))
        return false;
    if (family_of(one->name) == family_of(other->name))
        return is_any(one->name) || is_any(other->name) || equal(one->name, other->name);
    one = family_of(one->name) == AF_INET6 ? one : other;
    return is_any(one->name) && !one->only6;
}

unsigned address_loopback(uint8_t *name, unsigned domain, uint16_t port)
{
    unsigned bytes = domain == AF_INET ? V4_BYTES : V6_BYTES;

    memset(name, 0, bytes);
    name[0] = (uint8_t)domain;
    address_set_port(name, port);
    if (domain == AF_INET)
        name[4] = 127, name[7] = 1;
    else
        name[23] = 1;
    return bytes;
}

bool address_wanted(const struct px_fs_meet *ask)
{
    return address_internet(ask->domain) ? !address_port(ask->name) : ask->name_bytes == 2;
}

int64_t address_check(const struct px_fs_meet *ask)
{
    if (ask->name_bytes < 2 || ask->name_bytes > PX_NAME_BYTES)
        return -EINVAL;
    if (address_internet(ask->domain) && (is_path(ask) || !address_whole(ask->name, ask->name_bytes, ask->domain)))
        return -EINVAL;
    return 0;
}
