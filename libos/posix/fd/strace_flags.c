/* Names of flags and of numbers, as strace shows them. */
#include "strace_put.h"

#define N(x)                                                                                                 \
    {                                                                                                        \
        x, #x                                                                                                \
    }
#define END                                                                                                  \
    {                                                                                                        \
        0, NULL                                                                                              \
    }

const struct px_strace_name px_strace_open_flags[] = {
    N(O_CREAT),    N(O_EXCL),    N(O_NOCTTY),  N(O_TRUNC),     N(O_APPEND),  N(O_NONBLOCK),
    N(O_SYNC),     N(O_DSYNC),   N(O_DIRECT),  N(O_LARGEFILE), N(O_TMPFILE), N(O_DIRECTORY),
    N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),      END,
};
static const struct px_strace_name at_flags[] = {
    N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), END,
};
static const struct px_strace_name prot_flags[] = {N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), END};
static const struct px_strace_name map_flags[] = {
    N(MAP_SHARED),    N(MAP_PRIVATE),           N(MAP_FIXED),           N(MAP_ANONYMOUS),
    N(MAP_GROWSDOWN), {0x800, "MAP_DENYWRITE"}, N(MAP_NORESERVE),       N(MAP_POPULATE),
    N(MAP_STACK),     N(MAP_HUGETLB),           N(MAP_FIXED_NOREPLACE), END,
};
static const struct px_strace_name access_modes[] = {{4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}, END};
static const struct px_strace_name wait_options[] = {
    {1, "WNOHANG"},         {2, "WUNTRACED"},       {4, "WEXITED"},           {8, "WCONTINUED"},
    {0x1000000, "WNOWAIT"}, {0x40000000, "__WALL"}, {0x80000000, "__WCLONE"}, END,
};
const struct px_strace_name px_strace_clone_flags[] = {
    {0x100, "CLONE_VM"},
    {0x200, "CLONE_FS"},
    {0x400, "CLONE_FILES"},
    {0x800, "CLONE_SIGHAND"},
    {0x4000, "CLONE_VFORK"},
    {0x8000, "CLONE_PARENT"},
    {0x10000, "CLONE_THREAD"},
    {0x40000, "CLONE_SYSVSEM"},
    {0x80000, "CLONE_SETTLS"},
    {0x100000, "CLONE_PARENT_SETTID"},
    {0x200000, "CLONE_CHILD_CLEARTID"},
    {0x1000000, "CLONE_CHILD_SETTID"},
    END,
};
const struct px_strace_name px_strace_poll_events[] = {
    N(POLLIN),     N(POLLPRI),    N(POLLOUT),    N(POLLERR),    N(POLLHUP), N(POLLNVAL),
    N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND), END,
};
const struct px_strace_name px_strace_socket_flags[] = {
    {O_NONBLOCK, "SOCK_NONBLOCK"}, {O_CLOEXEC, "SOCK_CLOEXEC"}, END};
const struct px_strace_name px_strace_action_flags[] = {
    {0x04000000, "SA_RESTORER"}, {0x08000000, "SA_ONSTACK"},   {0x10000000, "SA_RESTART"},
    {0x40000000, "SA_NODEFER"},  {0x80000000, "SA_RESETHAND"}, {4, "SA_SIGINFO"},
    {2, "SA_NOCLDWAIT"},         {1, "SA_NOCLDSTOP"},          END,
};

/* Enumerations: the value is the whole number. */
static const struct px_strace_name whences[] = {
    N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), END};
static const struct px_strace_name mask_how[] = {
    {0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}, END};
static const struct px_strace_name clocks[] = {
    {0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},     {2, "CLOCK_PROCESS_CPUTIME_ID"},
    {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
    {6, "CLOCK_MONOTONIC_COARSE"},  {7, "CLOCK_BOOTTIME"},      END,
};
static const struct px_strace_name limits[] = {
    {0, "RLIMIT_CPU"},
    {1, "RLIMIT_FSIZE"},
    {2, "RLIMIT_DATA"},
    {3, "RLIMIT_STACK"},
    {4, "RLIMIT_CORE"},
    {5, "RLIMIT_RSS"},
    {6, "RLIMIT_NPROC"},
    {7, "RLIMIT_NOFILE"},
    {8, "RLIMIT_MEMLOCK"},
    {9, "RLIMIT_AS"},
    {10, "RLIMIT_LOCKS"},
    {11, "RLIMIT_SIGPENDING"},
    {12, "RLIMIT_MSGQUEUE"},
    {13, "RLIMIT_NICE"},
    {14, "RLIMIT_RTPRIO"},
    {15, "RLIMIT_RTTIME"},
    END,
};
static const struct px_strace_name advices[] = {
    {0, "MADV_NORMAL"},    {1, "MADV_RANDOM"},      {2, "MADV_SEQUENTIAL"},
    {3, "MADV_WILLNEED"},  {4, "MADV_DONTNEED"},    {8, "MADV_FREE"},
    {14, "MADV_HUGEPAGE"}, {15, "MADV_NOHUGEPAGE"}, END,
};
static const struct px_strace_name families[] = {
    {1, "AF_UNIX"}, {2, "AF_INET"}, {10, "AF_INET6"}, {16, "AF_NETLINK"}, END};
const struct px_strace_name px_strace_socket_types[] = {
    {1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {5, "SOCK_SEQPACKET"}, END};
static const struct px_strace_name arch_codes[] = {
    {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"}, {0x1004, "ARCH_GET_GS"}, END};
static const struct px_strace_name prctl_codes[] = {
    {1, "PR_SET_PDEATHSIG"},     {3, "PR_GET_DUMPABLE"},     {4, "PR_SET_DUMPABLE"},
    {15, "PR_SET_NAME"},         {16, "PR_GET_NAME"},        {23, "PR_CAPBSET_READ"},
    {38, "PR_SET_NO_NEW_PRIVS"}, {0x53564d41, "PR_SET_VMA"}, END,
};
static const struct px_strace_name requests[] = {
    {0x5401, "TCGETS"},       {0x5402, "TCSETS"},
    {0x5403, "TCSETSW"},      {0x5404, "TCSETSF"},
    {0x5409, "TCSBRK"},       {0x540a, "TCXONC"},
    {0x540b, "TCFLSH"},       {0x540e, "TIOCSCTTY"},
    {0x540f, "TIOCGPGRP"},    {0x5410, "TIOCSPGRP"},
    {0x5413, "TIOCGWINSZ"},   {0x5414, "TIOCSWINSZ"},
    {0x541b, "FIONREAD"},     {0x5421, "FIONBIO"},
    {0x5422, "TIOCNOTTY"},    {0x5429, "TIOCGSID"},
    {0x5450, "FIONCLEX"},     {0x5451, "FIOCLEX"},
    {0x80045430, "TIOCGPTN"}, {0x40045431, "TIOCSPTLCK"},
    {0x5441, "TIOCGPTPEER"},  END,
};
static const struct px_strace_name commands[] = {
    {0, "F_DUPFD"},
    {1, "F_GETFD"},
    {2, "F_SETFD"},
    {3, "F_GETFL"},
    {4, "F_SETFL"},
    {5, "F_GETLK"},
    {6, "F_SETLK"},
    {7, "F_SETLKW"},
    {8, "F_SETOWN"},
    {9, "F_GETOWN"},
    {1030, "F_DUPFD_CLOEXEC"},
    {1031, "F_SETPIPE_SZ"},
    {1032, "F_GETPIPE_SZ"},
    END,
};
const struct px_strace_name px_strace_futex_operations[] = {
    {0, "FUTEX_WAIT"},    {1, "FUTEX_WAKE"},        {3, "FUTEX_REQUEUE"},      {4, "FUTEX_CMP_REQUEUE"},
    {5, "FUTEX_WAKE_OP"}, {9, "FUTEX_WAIT_BITSET"}, {10, "FUTEX_WAKE_BITSET"}, END,
};

static bool put_name(struct px_text *text, const struct px_strace_name *names, uint64_t value)
{
    for (; names->name; names++) {
        if (names->bits == value) {
            px_text_add(text, "%s", names->name);
            return true;
        }
    }
    return false;
}

void px_put_enum(struct px_text *text, const struct px_strace_name *names, uint64_t value)
{
    if (!put_name(text, names, value))
        px_text_add(text, "%#lx", (unsigned long)value);
}

void px_put_flags(struct px_text *text, const struct px_strace_name *names, uint64_t value, const char *first,
                      const char *zero)
{
    const char *before = *first ? "|" : "";

    px_text_add(text, "%s", first);
    for (; names->name; names++) {
        if ((value & names->bits) != names->bits)
            continue;
        px_text_add(text, "%s%s", before, names->name);
        value &= ~names->bits;
        before = "|";
    }
    if (value)
        px_text_add(text, "%s%#lx", before, (unsigned long)value);
    else if (!*before)
        px_text_add(text, "%s", zero);
}

static const struct {
    char kind;
    bool set; /* flags joined by |, else one of a list */
    const struct px_strace_name *names;
    const char *zero;
} named_kinds[] = {
    {'o', true, px_strace_open_flags, "0"},
    {'z', true, at_flags, "0"},     {'Q', true, prot_flags, "PROT_NONE"},
    {'M', true, map_flags, "0"},    {'X', true, access_modes, "F_OK"}, {'Z', true, wait_options, "0"},
    {'W', false, whences, NULL},    {'H', false, mask_how, NULL},      {'e', false, clocks, NULL},
    {'i', false, limits, NULL},     {'Y', false, advices, NULL},       {'C', false, families, NULL},
    {'k', false, arch_codes, NULL}, {'j', false, prctl_codes, NULL},   {'I', false, requests, NULL},
    {'R', false, commands, NULL},
};

bool px_put_named(struct px_text *text, char kind, uint64_t value)
{
    for (size_t i = 0; i < sizeof named_kinds / sizeof *named_kinds; i++) {
        if (named_kinds[i].kind != kind)
            continue;
        if (named_kinds[i].set)
            px_put_flags(text, named_kinds[i].names, (uint32_t)value, "", named_kinds[i].zero);
        else
            px_put_enum(text, named_kinds[i].names, (uint32_t)value);
        return true;
    }
    return false;
}
