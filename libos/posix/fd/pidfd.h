/* What waitid asks of a pidfd. */
#ifndef PX_PIDFD_H
#define PX_PIDFD_H
#include "px.h"

/* The pid that the descriptor names; -EBADF: it is no pidfd; -ECHILD: that process has been waited for. */
int64_t px_pidfd_pid(int fd, bool *nonblocking);

#endif
