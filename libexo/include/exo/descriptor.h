/*
 * POSIX descriptors that go where capabilities go: through doors, in the words of a fast call, through a channel. For Linux programs on the POSIX library OS.
 * In a minute:
 *
 *     exo_descriptors_pack(fds, 2, &ticket);                 one side: a number for both, to be sent as a word of any message
 *     exo_descriptors_unpack(ticket, fds, 2, O_CLOEXEC);     the other: descriptors of its own, as from recvmsg with SCM_RIGHTS
 *
 * The ticket is a secret: whoever of the same zone has it may unpack, once. Until then fs keeps the parcel (decision 0030), whatever its maker closes
 * meanwhile; it is gone when it was unpacked or dropped, when its maker has ended, or has packed EXO_DESCRIPTORS_LYING more. So a server whose clients never
 * come for what it gave them loses nothing, and a client that comes too late gets EINVAL.
 *
 * All answer -1 and errno when they fail, as system calls do. Not in threads that are none of POSIX (exo_door without `start`).
 */
#ifndef EXO_DESCRIPTOR_H
#define EXO_DESCRIPTOR_H
#include <stdint.h>

enum { EXO_PR_PACK = 0x65786f50, EXO_PR_UNPACK, EXO_PR_DROP }; /* of prctl: with Linux EINVAL */
#define EXO_DESCRIPTORS_LYING 32u
#define EXO_DESCRIPTORS_MOST 253u /* in a parcel */

#if __STDC_HOSTED__
int prctl(int option, ...); /* the C library's */

/* EBADF; EINVAL: none, or too many; EOPNOTSUPP: epoll, inotify and those of /proc stay where they are; EACCES: a file that the caller may not use itself;
   ETOOMANYREFS: fs has no more room. */
static inline int exo_descriptors_pack(const int *fds, unsigned count, uint64_t *ticket)
{
    return prctl(EXO_PR_PACK, fds, (unsigned long)count, ticket, 0ul);
}

/* How many they are, with flags 0 or O_CLOEXEC. EINVAL: no such parcel (any more); EMSGSIZE: there are more than `room`; EMFILE; EPERM: another zone's, or a
   label is in the way. The parcel still lies there then. */
static inline int exo_descriptors_unpack(uint64_t ticket, int *fds, unsigned room, int flags)
{
    return prctl(EXO_PR_UNPACK, (unsigned long)ticket, fds, (unsigned long)room, (unsigned long)flags);
}

/* Nobody takes them. EINVAL: no such parcel. */
static inline int exo_descriptors_drop(uint64_t ticket)
{
    return prctl(EXO_PR_DROP, (unsigned long)ticket, 0ul, 0ul, 0ul);
}
#endif

#endif
