/* What waitid asks of a pidfd. */
#ifndef PX_PIDFD_H
#define PX_PIDFD_H
#include "px.h"

/* The pid that the descriptor names; -EBADF: it is no pidfd; -ECHILD: that process has been waited for. */
int64_t px_pidfd_pid(int fd, bool *nonblocking);

/* Makes one of the process that is at this index of the process table and puts its number there; the caller knows that both can be done. */
void px_pidfd_tell(int32_t pid, uint32_t index, px_user to);

#endif
