/* Names that sockets are bound to: what meet.c, which owns them, and letter.c (datagrams) know of each other. */
#ifndef FS_MEET_H
#define FS_MEET_H
#include "address.h"
#include "serve.h"
#include "socket.h"

#define AF_UNIX 1u
#define SOCK_DGRAM 2u

struct cred {
    uint32_t pid, uid, gid;
};

struct binding {
    uint32_t gen; /* 0: free */
    uint32_t ino, ino_gen; /* of a path's inode; 0: the name itself counts */
    uint16_t domain, type, zone, owner;
    uint16_t name_bytes, backlog; /* backlog 0: does not listen */
    uint16_t pending, pages;
    bool only6, lite;
    uint8_t shares; /* PX_MEET_SHARES */
    uint8_t name[PX_NAME_BYTES];
    struct cred cred;
    /* datagrams (letter.c) */
    uint32_t tail;            /* of what comes: nobody else's to say */
    uint32_t writer, written; /* table index + 1 of whose datagram is half there, and its bytes so far; 0: nobody's */
    uint64_t aim;             /* AF_UNIX: ticket of the only one whom it hears; 0: everybody */
    uint16_t aim_bytes;       /* internet: the address; 0: everybody */
    uint8_t aim_name[28];
};

#define BINDINGS_MAX 256u
#define LINKS_MAX 512u
#define LINKS_VA 0x620040000000ul
#define LINK_VA(i) (LINKS_VA + (uint64_t)(i) * PX_LINK_PAGES * FS_PAGE)
enum link_state { LINK_FREE, LINK_PENDING, LINK_GIVEN };
struct link {
    uint8_t state;
    uint16_t owner; /* table index of who connected */
    uint16_t binding, zone;
    uint32_t order;
    uint64_t tally; /* PENDING: of the accepting end */
    struct cred cred, to; /* of who connected, and of whom he met */
};
extern struct binding fs_bindings[BINDINGS_MAX];
extern struct link fs_links[LINKS_MAX];

/* In the caller's zone, or NULL (choose.c): a binding because of which another cannot be; the one that who connects or sends is given to. */
struct binding *binding_in_way(const struct fs_request *request, const struct px_fs_meet *ask);
struct binding *binding_met(const struct fs_request *request, const struct px_fs_meet *ask);
struct px_link *lobby_of(const struct binding *binding);
/* A number that names a binding and that nobody can make: for its holders, who may do anything with it, and for who sends to it. NULL: it is no more. */
#define TOKEN_BINDING 8u /* rights that no file's token has */
#define TOKEN_AIM 16u
struct binding *binding_named(uint64_t token, unsigned kind);
uint64_t binding_token(const struct binding *binding, unsigned kind);
static inline struct binding *binding_of(uint64_t ticket)
{
    return binding_named(ticket, TOKEN_BINDING);
}
static inline uint64_t ticket_of(const struct binding *binding)
{
    return binding_token(binding, TOKEN_BINDING);
}
/* Who is there under the address, and may the caller meet him: 0 or -errno. */
int64_t meet_whom(const struct fs_request *request, const struct px_fs_meet *ask, struct binding **to);

unsigned binding_number(const struct binding *binding);
bool binding_alive(unsigned number, uint32_t gen);
/* The credentials of who is at the other end of a connection that begins with that frame: as they were when the two met; of one that was not made here
 * those of the caller, who made it, or a relative did. */
void meet_tell_peer(const struct fs_request *request, uint64_t frame, unsigned side, uint32_t peer[3]);
/* The parcel that a letter carries goes with it, from the letter's sender. False: he has no such parcel. */
bool fs_parcel_attach(const struct fs_request *request, uint64_t ticket, const struct binding *to);

int64_t letter_send(struct fs_request *request);
int64_t letter_aim(struct fs_request *request, const struct px_fs_meet *ask);

#endif
