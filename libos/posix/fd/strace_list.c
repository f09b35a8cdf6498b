/* Kinds of arguments that are nothing but names of flags (FLAGS) or of a number (ENUM), as strace shows them. */
#include "strace_put.h"

#define FLAGS(name, names) \
    PX_PUT(name) \
    { \
        px_put_flags(text, names, (uint32_t)trace->argument[index], "0"); \
        return true; \
    } \
    _Static_assert(true, "")
#define ENUM(name, names) \
    PX_PUT(name) \
    { \
        px_put_enum(text, names, (uint32_t)trace->argument[index]); \
        return true; \
    } \
    _Static_assert(true, "")

/* Files. */
FLAGS(xattr_flags, "XATTR_???|1 CREATE|2 REPLACE");
FLAGS(rename_flags, "RENAME_???|1 NOREPLACE|2 EXCHANGE|4 WHITEOUT");
FLAGS(fallocate, "FALLOC_FL_???|1 KEEP_SIZE|2 PUNCH_HOLE|4 NO_HIDE_STALE|8 COLLAPSE_RANGE|10 ZERO_RANGE|20 INSERT_RANGE|40 UNSHARE_RANGE");
FLAGS(sync_range, "SYNC_FILE_RANGE_???|1 WAIT_BEFORE|2 WRITE|4 WAIT_AFTER");
FLAGS(rwf_flags, "RWF_???|1 HIPRI|2 DSYNC|4 SYNC|8 NOWAIT|10 APPEND");
FLAGS(splice_flags, "SPLICE_F_???|1 MOVE|2 NONBLOCK|4 MORE|8 GIFT");
FLAGS(faccessat_flags, "AT_???|100 SYMLINK_NOFOLLOW|200 EACCESS|400 SYMLINK_FOLLOW|800 NO_AUTOMOUNT|1000 EMPTY_PATH");
FLAGS(flock, "LOCK_???|1 SH|2 EX|4 NB|8 UN|20 MAND|40 READ|80 WRITE");
FLAGS(close_range, "CLOSE_RANGE_???|2 UNSHARE|4 CLOEXEC");
FLAGS(memfd_flags, "MFD_???|1 CLOEXEC|2 ALLOW_SEALING|4 HUGETLB");
FLAGS(inotify_flags, "IN_???|800 NONBLOCK|80000 CLOEXEC");
FLAGS(inotify_mask, "IN_???|1 ACCESS|2 MODIFY|4 ATTRIB|8 CLOSE_WRITE|10 CLOSE_NOWRITE|20 OPEN|40 MOVED_FROM|80 MOVED_TO|100 CREATE|"
      "200 DELETE|400 DELETE_SELF|800 MOVE_SELF|2000 UNMOUNT|4000 Q_OVERFLOW|8000 IGNORED|1000000 ONLYDIR|2000000 DONT_FOLLOW|"
      "4000000 EXCL_UNLINK|20000000 MASK_ADD|40000000 ISDIR|80000000 ONESHOT");
ENUM(fadvise, "POSIX_FADV_???|0 NORMAL|1 RANDOM|2 SEQUENTIAL|3 WILLNEED|4 DONTNEED|5 NOREUSE");

/* Memory. */
FLAGS(msync, "MS_???|4 SYNC|1 ASYNC|2 INVALIDATE");
FLAGS(mlockall, "MCL_???|1 CURRENT|2 FUTURE|4 ONFAULT");
FLAGS(mlock_flags, "MLOCK_???|1 ONFAULT");
FLAGS(shmat, "SHM_???|1000 RDONLY|2000 RND|4000 REMAP|8000 EXEC");

/* What can be waited for, and times. */
FLAGS(epoll_flags, "EPOLL_???|80000 CLOEXEC");
FLAGS(eventfd_flags, "EFD_???|1 SEMAPHORE|80000 CLOEXEC|800 NONBLOCK");
FLAGS(signalfd_flags, "SFD_???|80000 CLOEXEC|800 NONBLOCK");
FLAGS(timerfd_flags, "TFD_???|80000 CLOEXEC|800 NONBLOCK");
FLAGS(timerfd_set, "TFD_???|1 TIMER_ABSTIME|2 TIMER_CANCEL_ON_SET");
FLAGS(timer_flags, "TIMER_???|1 ABSTIME");
ENUM(epoll_operation, "EPOLL_CTL_???|1 ADD|2 DEL|3 MOD");
ENUM(itimer, "ITIMER_???|0 REAL|1 VIRTUAL|2 PROF");

/* Sockets. */
FLAGS(message_flags, "MSG_???|1 OOB|2 PEEK|4 DONTROUTE|8 CTRUNC|10 PROBE|20 TRUNC|40 DONTWAIT|80 EOR|100 WAITALL|200 FIN|400 SYN|800 CONFIRM|"
      "1000 RST|2000 ERRQUEUE|4000 NOSIGNAL|8000 MORE|10000 WAITFORONE|20000000 FASTOPEN|40000000 CMSG_CLOEXEC");
ENUM(shutdown, "SHUT_???|0 RD|1 WR|2 RDWR");

/* Processes. */
FLAGS(random_flags, "GRND_???|1 NONBLOCK|2 RANDOM|4 INSECURE");
ENUM(rusage_who, "RUSAGE_???|0 SELF|ffffffff CHILDREN|fffffffe BOTH|1 THREAD");
ENUM(priority_which, "PRIO_???|0 PROCESS|1 PGRP|2 USER");
ENUM(id_type, "P_???|0 ALL|1 PID|2 PGID|3 PIDFD");
FLAGS(clone_flags, px_strace_clone_flags);
ENUM(policy, px_strace_policies);

/* System V. */
FLAGS(msg_flags, "MSG_???|1000 NOERROR|2000 EXCEPT|4000 COPY|800 =IPC_NOWAIT");
