/*
 * Internet addresses on the program's side: there is only the loopback. An address that is no part of it cannot be bound to, and the network behind it
 * cannot be reached. 127.x.x.x as an IPv6 address (::ffff:127.x.x.x) is the IPv4 one.
 */
#include "address.h"

#define V4_BYTES 16u
#define V6_BYTES 28u
#define V6_LEAST 24u /* without a scope, as they once were */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

unsigned px_internet_bytes(unsigned domain)
{
    return domain == AF_INET ? V4_BYTES : V6_BYTES;
}

bool px_internet(unsigned domain)
{
    return domain == AF_INET || domain == AF_INET6;
}

int64_t px_internet_read(unsigned domain, uint64_t given, struct px_address *address)
{
    uint16_t family;

    memcpy(&family, address->name, sizeof family);
    if (given < (domain == AF_INET ? V4_BYTES : V6_LEAST))
        return -EINVAL;
    if (family != domain && !(domain == AF_INET6 && family == AF_INET && given >= V4_BYTES))
        return -EAFNOSUPPORT;
    address->bytes = px_internet_bytes(domain);
    if (domain == AF_INET)
        memset(address->name + 8, 0, V4_BYTES - 8);
    else
        memset(address->name + 4, 0, 4), memset(address->name + 24, 0, 4);
    return 0;
}

/* An IPv6 address that is an IPv4 one becomes that: true. */
static bool unmap(struct px_address *address)
{
    uint8_t number[4];
    const uint16_t family = AF_INET;

    if (address->bytes != V6_BYTES || memcmp(address->name + 8, mapped_prefix, sizeof mapped_prefix) != 0)
        return false;
    memcpy(number, address->name + 20, sizeof number);
    memset(address->name + 8, 0, sizeof address->name - 8);
    memcpy(address->name, &family, sizeof family);
    memcpy(address->name + 4, number, sizeof number);
    address->bytes = V4_BYTES;
    return true;
}

static bool is_any(const struct px_address *address)
{
    static const uint8_t zeroes[16];

    return address->bytes == V4_BYTES ? !memcmp(address->name + 4, zeroes, 4) : !memcmp(address->name + 8, zeroes, 16);
}

static bool is_loopback(const struct px_address *address)
{
    static const uint8_t one[16] = {[15] = 1};

    return address->bytes == V4_BYTES ? address->name[4] == 127 : !memcmp(address->name + 8, one, 16);
}

int64_t px_internet_bindable(struct px_address *address, unsigned *domain)
{
    if (unmap(address))
        *domain = AF_INET;
    return is_any(address) || is_loopback(address) ? 0 : -EADDRNOTAVAIL;
}

int64_t px_internet_reachable(struct px_address *address, unsigned *domain)
{
    if (unmap(address))
        *domain = AF_INET;
    if (is_any(address)) {
        if (address->bytes == V4_BYTES)
            address->name[4] = 127, address->name[7] = 1;
        else
            address->name[23] = 1;
    }
    return is_loopback(address) ? 0 : -ENETUNREACH;
}

/*
 * TCP tells who goes on sending only afterwards that nobody is there: what is sent first after the other has closed is lost without a word, and
 * answered by a reset. One that left bytes unread has sent it already. Whether the other still reads, of what he holds, is no matter of the network's.
 */
int64_t px_stream_refused(struct px_ofd *ofd, uint32_t closed, uint32_t holders)
{
    struct px_end *end = px_socket_end(ofd);
    int32_t error;

    if (holders && !(closed & PX_FLOW_NO_WRITE))
        return 0;
    error = px_flow_error(ofd);
    if (error)
        return -error;
    if (closed & PX_FLOW_NO_WRITE || end->reset != PX_RESET_NOT)
        return -EPIPE;
    end->reset = PX_RESET_SENT;
    end->error = EPIPE;
    return PX_STREAM_LOST;
}

bool px_stream_is_reset(struct px_ofd *ofd)
{
    return px_socket_end(ofd)->reset != PX_RESET_NOT || px_flow_reset(ofd);
}

void px_internet_name(unsigned domain, struct px_end *end)
{
    uint16_t family = (uint16_t)domain;
    uint8_t number[4];

    if (end->name_bytes == px_internet_bytes(domain))
        return;
    if (domain == AF_INET6 && end->name_bytes == V4_BYTES) {
        memcpy(number, end->name + 4, sizeof number);
        memset(end->name + 4, 0, V6_BYTES - 4);
        memcpy(end->name + 8, mapped_prefix, sizeof mapped_prefix);
        memcpy(end->name + 20, number, sizeof number);
    } else {
        memset(end->name, 0, V6_BYTES);
    }
    memcpy(end->name, &family, sizeof family);
    end->name_bytes = (uint16_t)px_internet_bytes(domain);
}
