/* Internet addresses of sockets (address.c): as meet.c compares and chooses them. */
#ifndef FS_ADDRESS_H
#define FS_ADDRESS_H
#include <exo/string.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs.h"

/* Is it of a path's socket inode, and not the name that is the address? */
static inline bool is_path(const struct px_fs_meet *ask)
{
    return ask->node != 0;
}
/* 0, or -EINVAL. */
int64_t address_check(const struct px_fs_meet *ask);
/* Is a name asked for? */
bool address_wanted(const struct px_fs_meet *ask);
struct address_bound {
    const uint8_t *name;
    bool only6; /* IPV6_V6ONLY */
};

bool address_internet(unsigned domain);
/* Is the name one of its family, and complete? */
bool address_whole(const uint8_t *name, unsigned bytes, unsigned domain);
uint16_t address_port(const uint8_t *name);
void address_set_port(uint8_t *name, uint16_t port);
/* Does who connects `to` this meet who is bound? */
bool address_reaches(const struct address_bound *bound, const uint8_t *to);
/* Can the two not be bound at once? */
bool address_collides(const struct address_bound *one, const struct address_bound *other);
/* The loopback's address with this port: its bytes. */
unsigned address_loopback(uint8_t *name, unsigned domain, uint16_t port);

#endif
