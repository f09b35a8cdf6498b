/*
 * Resource limits (getrlimit). proc knows those of all processes, since others may read and change them (prlimit); each libOS has a copy of its own ones,
 * because it enforces most of them. RLIMIT_NPROC is proc's to enforce. Both begin with the same numbers.
 */
#ifndef PX_PROTO_LIMIT_H
#define PX_PROTO_LIMIT_H
#include <stdint.h>

#include "proctab.h"

struct px_rlimit {
    uint64_t soft, hard;
};
enum px_limit_name {
    PX_LIMIT_CPU, PX_LIMIT_FSIZE, PX_LIMIT_DATA, PX_LIMIT_STACK, PX_LIMIT_CORE, PX_LIMIT_RSS, PX_LIMIT_NPROC, PX_LIMIT_NOFILE, PX_LIMIT_MEMLOCK,
    PX_LIMIT_AS, PX_LIMIT_LOCKS, PX_LIMIT_SIGPENDING, PX_LIMIT_MSGQUEUE, PX_LIMIT_NICE, PX_LIMIT_RTPRIO, PX_LIMIT_RTTIME, PX_RLIMITS,
};
#define PX_RLIM_INFINITY (~0ull)
#define PX_LIMIT_FILES 1024u          /* RLIMIT_NOFILE, soft */
#define PX_LIMIT_FILES_HARD 4096u     /* and hard */
#define PX_LIMIT_FILES_MAX (1u << 20) /* nr_open: root may raise it so far */
#define PX_LIMIT_NONE {PX_RLIM_INFINITY, PX_RLIM_INFINITY}
#define PX_LIMITS_FIRST                                                                                                                         \
    {                                                                                                                                           \
        [PX_LIMIT_CPU] = PX_LIMIT_NONE, [PX_LIMIT_FSIZE] = PX_LIMIT_NONE, [PX_LIMIT_DATA] = PX_LIMIT_NONE,                                      \
        [PX_LIMIT_STACK] = {8u << 20, PX_RLIM_INFINITY}, [PX_LIMIT_CORE] = {0, PX_RLIM_INFINITY}, [PX_LIMIT_RSS] = PX_LIMIT_NONE,               \
        [PX_LIMIT_NPROC] = {PX_PROCS_MAX - 1, PX_PROCS_MAX - 1}, [PX_LIMIT_NOFILE] = {PX_LIMIT_FILES, PX_LIMIT_FILES_HARD},                     \
        [PX_LIMIT_MEMLOCK] = {8u << 20, 8u << 20}, [PX_LIMIT_AS] = PX_LIMIT_NONE, [PX_LIMIT_LOCKS] = PX_LIMIT_NONE,                             \
        [PX_LIMIT_SIGPENDING] = {PX_PROCS_MAX - 1, PX_PROCS_MAX - 1}, [PX_LIMIT_MSGQUEUE] = {819200, 819200}, [PX_LIMIT_RTTIME] = PX_LIMIT_NONE, \
    }

#endif
