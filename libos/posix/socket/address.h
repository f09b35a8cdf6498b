/* Addresses of sockets, as the calls that take one see them (name.c). */
#ifndef PX_ADDRESS_H
#define PX_ADDRESS_H
#include "socket.h"

#include "proto/fs.h"

struct px_address {
    unsigned bytes;
    uint8_t name[PX_NAME_BYTES]; /* as the program gave it, a path's without what follows its NUL */
    char path[PX_NAME_BYTES];    /* of AF_UNIX; empty: none */
};

/* What the program gave: -EFAULT, -EINVAL. */
int64_t px_address_read(struct px_ofd *ofd, px_user from, uint64_t bytes, struct px_address *address);
/* The node of the socket at the address's path; and one that is made there. */
int64_t px_address_find(const struct px_address *address, uint64_t *node);
int64_t px_address_make(const struct px_address *address, uint64_t *node);
/* Internet addresses (internet.c): completed, 0, -EINVAL or -EAFNOSUPPORT; whether one can be bound to or reached, in which family (*domain). */
int64_t px_internet_read(unsigned domain, uint64_t given, struct px_address *address);
int64_t px_internet_bindable(struct px_address *address, unsigned *domain);
int64_t px_internet_reachable(struct px_address *address, unsigned *domain);
/* The name as a socket of the domain tells it. */
void px_internet_name(unsigned domain, struct px_end *end);
unsigned px_internet_bytes(unsigned domain);
/* Gives a socket of the internet a port of its own (meet.c). */
int64_t px_socket_bind_anywhere(struct px_ofd *ofd);
/* What fs is told of the address, and of whose it is. */
void px_socket_put_address(struct px_ofd *ofd, const struct px_address *address, struct px_fs_meet *what);
/* A datagram to a name, or to whom the socket is aimed at (NULL); aims it, or makes it hear everybody again (NULL) (letter.c). */
int64_t px_letter_send(struct px_ofd *ofd, const struct px_message *message, struct px_address *to);
int64_t px_letter_aim(struct px_ofd *ofd, struct px_address *to);
/* An end's address for the program, with its length. */
int64_t px_socket_tell_name(struct px_ofd *ofd, unsigned side, px_user to, px_user length);

#endif
