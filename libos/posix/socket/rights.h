/* Descriptors that travel with messages (rights.c): a message's `rights` and `ticket` name them. */
#ifndef PX_RIGHTS_H
#define PX_RIGHTS_H
#include "socket.h"

#include "proto/parcel.h"

/* Puts these descriptors into the message's parcel. On failure, as when the message is not sent, the parcel is to be dropped. */
int64_t px_rights_pack(struct px_ofd *socket, struct px_message *message, const int32_t *fds, unsigned count);
/* Nobody takes them: they are closed. */
void px_rights_drop(struct px_message *message);
/* Makes descriptors of them, as many as there is room for: how many. What is left is dropped, and MSG_CTRUNC tells it. */
unsigned px_rights_unpack(struct px_message *message, int32_t *fds, unsigned room, bool close_on_exec);
/* EXO_PR_PACK, UNPACK and DROP (exo/descriptor.h), with prctl's other words. */
int64_t px_rights_prctl(uint64_t option, uint64_t a, uint64_t b, uint64_t c, uint64_t flags);

#endif
