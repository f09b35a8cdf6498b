/*
 * Descriptions on their way to somebody else, or to this process when it is renewed: by parcels of fs (proto/parcel.h, socket/rights.c). A parcel is kept until
 * it is dropped, or its maker ends.
 */
#ifndef PX_TRAVEL_H
#define PX_TRAVEL_H
#include "px.h"

int64_t px_parcel_new(uint64_t *ticket);
/* -EOPNOTSUPP: its kind does not travel. */
int64_t px_parcel_put(uint64_t ticket, struct px_ofd *ofd);
/* This process goes on elsewhere: the file's description is held for it. */
void px_parcel_passed(struct px_ofd *ofd);
int64_t px_parcel_put_directory(uint64_t ticket, uint64_t node); /* PX_FS_NODE */
/* One of them as a description of this process; `with_twin`: which the process itself has put there. */
int64_t px_parcel_take(uint64_t ticket, unsigned number, bool with_twin, struct px_ofd **ofd);
void px_parcel_drop(uint64_t ticket);
/* A parcel with a descriptor, for whoever is told the ticket: 0, or -errno as above, -EBADF. */
int64_t px_parcel_lay(int fd, uint64_t *ticket);
/* What another process has as that descriptor, as a description of this one. -EPERM: it may not be traced. -EBADF, -ESRCH, -EOPNOTSUPP. */
int64_t px_parcel_ask(int pid, unsigned fd, struct px_ofd **ofd);

#endif
