/*
 * Owners of descriptions, who get SIGIO and SIGURG of them (owner.c). A kind that can tell of something has the operation `own`: it puts the cookie where
 * those find it who make it happen, and sees to it that they look there (as if somebody slept) if O_ASYNC is on.
 */
#ifndef PX_OWNER_H
#define PX_OWNER_H
#include "fd.h"

#include "proto/proc.h"

extern unsigned px_owners; /* of descriptions of this process */

int64_t px_owner_fcntl(struct px_ofd *ofd, unsigned command, uint64_t argument);
int64_t px_owner_set(struct px_ofd *ofd, int32_t who); /* a pid, a group's negated, or 0 */
int32_t px_owner_get(const struct px_ofd *ofd);
/* O_ASYNC has been set or cleared through descriptor fd. */
void px_owner_async(struct px_ofd *ofd, int fd);
void px_owner_forget(struct px_ofd *ofd);
/* Signals the owner whose cookie lies there. False: it was good no more, and was taken away. */
bool px_owner_tell(uint64_t *cookie, enum px_tell why);

#endif
