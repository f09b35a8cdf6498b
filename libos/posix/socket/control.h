/* Ancillary data, between message.c and ancillary.c. */
#ifndef PX_CONTROL_H
#define PX_CONTROL_H
#include "address.h"

#define IPPROTO_IP 0
#define IPPROTO_IPV6 41
#define SO_TIMESTAMP 29u
#define SO_TIMESTAMPNS 35u

/* Where ancillary data goes. */
struct px_control {
    px_user at;
    uint64_t room, used;
};
/* One piece more, cut off where the room ends (MSG_CTRUNC); -EFAULT. */
int64_t px_control_put(struct px_control *control, struct px_message *message, int level, int type, const void *data, uint64_t bytes);

/* One piece of what is sent along with a datagram: -EINVAL. */
int64_t px_internet_control(struct px_message *message, int level, int type, const void *data, uint64_t bytes);
/* What the receiver of a datagram to a name has asked for. */
int64_t px_internet_control_write(struct px_ofd *ofd, struct px_message *message, struct px_control *control);

#endif
