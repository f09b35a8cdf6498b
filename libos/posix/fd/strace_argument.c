/* long: tables of flag names, and one small function a kind of argument. */
/* How strace shows an argument of each kind (the letters of calls.tab). */
#include "strace.h"

#define STRING_SHOWN 32u
#define PATH_SHOWN 255u
#define LIST_SHOWN 16u

struct name {
    uint64_t bits;
    const char *name;
};
#define N(x)                                                                                                 \
    {                                                                                                        \
        x, #x                                                                                                \
    }
#define END                                                                                                  \
    {                                                                                                        \
        0, NULL                                                                                              \
    }

static const struct name open_flags[] = {
    N(O_CREAT),    N(O_EXCL),    N(O_NOCTTY),  N(O_TRUNC),     N(O_APPEND),  N(O_NONBLOCK),
    N(O_SYNC),     N(O_DSYNC),   N(O_DIRECT),  N(O_LARGEFILE), N(O_TMPFILE), N(O_DIRECTORY),
    N(O_NOFOLLOW), N(O_NOATIME), N(O_CLOEXEC), N(O_PATH),      END,
};
static const struct name at_flags[] = {
    N(AT_SYMLINK_NOFOLLOW), N(AT_REMOVEDIR), N(AT_SYMLINK_FOLLOW), N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), END,
};
static const struct name prot_flags[] = {N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), END};
static const struct name map_flags[] = {
    N(MAP_SHARED),    N(MAP_PRIVATE),           N(MAP_FIXED),           N(MAP_ANONYMOUS),
    N(MAP_GROWSDOWN), {0x800, "MAP_DENYWRITE"}, N(MAP_NORESERVE),       N(MAP_POPULATE),
    N(MAP_STACK),     N(MAP_HUGETLB),           N(MAP_FIXED_NOREPLACE), END,
};
static const struct name access_modes[] = {{4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}, END};
static const struct name wait_options[] = {
    {1, "WNOHANG"},         {2, "WUNTRACED"},       {4, "WEXITED"},           {8, "WCONTINUED"},
    {0x1000000, "WNOWAIT"}, {0x40000000, "__WALL"}, {0x80000000, "__WCLONE"}, END,
};
static const struct name clone_flags[] = {
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
static const struct name poll_events[] = {
    N(POLLIN),     N(POLLPRI),    N(POLLOUT),    N(POLLERR),    N(POLLHUP), N(POLLNVAL),
    N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND), END,
};
static const struct name socket_flags[] = {{O_NONBLOCK, "SOCK_NONBLOCK"}, {O_CLOEXEC, "SOCK_CLOEXEC"}, END};
static const struct name action_flags[] = {
    {0x04000000, "SA_RESTORER"}, {0x08000000, "SA_ONSTACK"},   {0x10000000, "SA_RESTART"},
    {0x40000000, "SA_NODEFER"},  {0x80000000, "SA_RESETHAND"}, {4, "SA_SIGINFO"},
    {2, "SA_NOCLDWAIT"},         {1, "SA_NOCLDSTOP"},          END,
};

/* Enumerations: the value is the whole number. */
static const struct name whences[] = {N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE), END};
static const struct name mask_how[] = {{0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}, END};
static const struct name clocks[] = {
    {0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},     {2, "CLOCK_PROCESS_CPUTIME_ID"},
    {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
    {6, "CLOCK_MONOTONIC_COARSE"},  {7, "CLOCK_BOOTTIME"},      END,
};
static const struct name limits[] = {
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
static const struct name advices[] = {
    {0, "MADV_NORMAL"},    {1, "MADV_RANDOM"},      {2, "MADV_SEQUENTIAL"},
    {3, "MADV_WILLNEED"},  {4, "MADV_DONTNEED"},    {8, "MADV_FREE"},
    {14, "MADV_HUGEPAGE"}, {15, "MADV_NOHUGEPAGE"}, END,
};
static const struct name families[] = {
    {1, "AF_UNIX"}, {2, "AF_INET"}, {10, "AF_INET6"}, {16, "AF_NETLINK"}, END};
static const struct name socket_types[] = {
    {1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {5, "SOCK_SEQPACKET"}, END};
static const struct name arch_codes[] = {
    {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"}, {0x1004, "ARCH_GET_GS"}, END};
static const struct name prctl_codes[] = {
    {1, "PR_SET_PDEATHSIG"},     {3, "PR_GET_DUMPABLE"},     {4, "PR_SET_DUMPABLE"},
    {15, "PR_SET_NAME"},         {16, "PR_GET_NAME"},        {23, "PR_CAPBSET_READ"},
    {38, "PR_SET_NO_NEW_PRIVS"}, {0x53564d41, "PR_SET_VMA"}, END,
};
static const struct name requests[] = {
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
static const struct name commands[] = {
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
static const struct name futex_operations[] = {
    {0, "FUTEX_WAIT"},    {1, "FUTEX_WAKE"},        {3, "FUTEX_REQUEUE"},      {4, "FUTEX_CMP_REQUEUE"},
    {5, "FUTEX_WAKE_OP"}, {9, "FUTEX_WAIT_BITSET"}, {10, "FUTEX_WAKE_BITSET"}, END,
};

static bool put_name(struct px_text *text, const struct name *names, uint64_t value)
{
    for (; names->name; names++) {
        if (names->bits == value) {
            px_text_add(text, "%s", names->name);
            return true;
        }
    }
    return false;
}

static void put_enum(struct px_text *text, const struct name *names, uint64_t value)
{
    if (!put_name(text, names, value))
        px_text_add(text, "%#lx", (unsigned long)value);
}

/* Names joined by |. `first` is what stands before them ("" and then `zero` if nothing is set). */
static void put_flags(struct px_text *text, const struct name *names, uint64_t value, const char *first,
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

static void put_address(struct px_text *text, uint64_t va)
{
    if (va)
        px_text_add(text, "%#lx", (unsigned long)va);
    else
        px_text_add(text, "NULL");
}

/* ---- strings ---- */

static void put_byte(struct px_text *text, uint8_t byte, bool digit_follows)
{
    static const char plain[] = "\a\b\t\n\v\f\r", letter[] = "abtnvfr";

    if (byte == '"' || byte == '\\')
        px_text_add(text, "\\%c", byte);
    else if (byte >= ' ' && byte < 127)
        px_text_add(text, "%c", byte);
    else if (byte >= '\t' && byte <= '\r')
        px_text_add(text, "\\%c", letter[byte - plain[0]]);
    else
        px_text_add(text, digit_follows ? "\\%03o" : "\\%o", byte);
}

void px_strace_quote(struct px_text *text, const void *bytes, size_t count, bool more)
{
    const uint8_t *from = bytes;

    px_text_add(text, "\"");
    for (size_t i = 0; i < count; i++)
        put_byte(text, from[i], i + 1 < count && from[i + 1] >= '0' && from[i + 1] <= '7');
    px_text_add(text, more ? "\"..." : "\"");
}

static void put_buffer(struct px_text *text, px_user from, uint64_t bytes)
{
    uint8_t copy[STRING_SHOWN];
    size_t shown = bytes < sizeof copy ? bytes : sizeof copy;

    if (!from || px_copy_in(copy, from, shown) != 0)
        put_address(text, from);
    else
        px_strace_quote(text, copy, shown, bytes > shown);
}

static void put_string(struct px_text *text, px_user from)
{
    char copy[PATH_SHOWN + 1];
    int64_t length = from ? px_copy_string(copy, from, sizeof copy) : -EFAULT;

    if (length >= 0)
        px_strace_quote(text, copy, (size_t)length, false);
    else if (length == -ENAMETOOLONG)
        px_strace_quote(text, copy, PATH_SHOWN, true);
    else
        put_address(text, from);
}

static void put_strings(struct px_text *text, px_user list)
{
    uint64_t at;

    px_text_add(text, "[");
    for (unsigned i = 0; px_copy_in(&at, list + i * sizeof at, sizeof at) == 0 && at; i++) {
        if (i)
            px_text_add(text, ", ");
        if (i == LIST_SHOWN) {
            px_text_add(text, "...");
            break;
        }
        put_string(text, at);
    }
    px_text_add(text, "]");
}

static void put_environment(struct px_text *text, px_user list)
{
    unsigned count = 0;
    uint64_t at;

    while (count < 65536 && px_copy_in(&at, list + count * sizeof at, sizeof at) == 0 && at)
        count++;
    put_address(text, list);
    if (list)
        px_text_add(text, " /* %u var%s */", count, count == 1 ? "" : "s");
}

/* ---- structures ---- */

static void put_signal(struct px_text *text, int signo)
{
    if (px_signal_name(signo))
        px_text_add(text, "%s", px_signal_name(signo));
    else if (signo >= SIGRTMIN && signo <= SIGRTMAX)
        px_text_add(text, signo == SIGRTMIN ? "SIGRTMIN" : "SIGRT_%d", signo - SIGRTMIN);
    else
        px_text_add(text, "%d", signo);
}

static void put_set_value(struct px_text *text, uint64_t set)
{
    const char *before = "";
    unsigned members = 0;
    bool inverted;

    for (int signo = 1; signo <= SIGRTMAX; signo++)
        members += (set & PX_SIGBIT(signo)) != 0;
    inverted = members > 32; /* short: what is not in it */
    px_text_add(text, inverted ? "~[" : "[");
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        bool member = set & PX_SIGBIT(signo);

        if (member == inverted)
            continue;
        px_text_add(text, "%s", before);
        if (px_signal_name(signo))
            px_text_add(text, "%s", px_signal_name(signo) + 3);
        else
            px_text_add(text, "RT_%d", signo - SIGRTMIN);
        before = " ";
    }
    px_text_add(text, "]");
}

static void put_set(struct px_text *text, px_user from)
{
    uint64_t set;

    if (!from || px_copy_in(&set, from, sizeof set) != 0)
        put_address(text, from);
    else
        put_set_value(text, set);
}

static void put_action(struct px_text *text, px_user from)
{
    uint64_t action[4]; /* handler, flags, restorer, mask */

    if (!from || px_copy_in(action, from, sizeof action) != 0) {
        put_address(text, from);
        return;
    }
    px_text_add(text, "{sa_handler=");
    if (action[0] <= 1)
        px_text_add(text, action[0] ? "SIG_IGN" : "SIG_DFL");
    else
        put_address(text, action[0]);
    px_text_add(text, ", sa_mask=");
    put_set_value(text, action[3]);
    px_text_add(text, ", sa_flags=");
    put_flags(text, action_flags, action[1], "", "0");
    if (action[1] & 0x04000000)
        px_text_add(text, ", sa_restorer=%#lx", (unsigned long)action[2]);
    px_text_add(text, "}");
}

static void put_mode(struct px_text *text, uint32_t mode)
{
    static const char *const types[16] = {NULL,      "S_IFIFO", "S_IFCHR", NULL,      "S_IFDIR",
                                          NULL,      "S_IFBLK", NULL,      "S_IFREG", NULL,
                                          "S_IFLNK", NULL,      "S_IFSOCK"};
    const char *type = types[mode >> 12 & 15];

    if (type)
        px_text_add(text, "%s|0%03o", type, mode & 07777);
    else
        px_text_add(text, "%#o", mode);
}

static void put_stat(struct px_text *text, px_user from)
{
    struct px_stat stat;

    if (px_copy_in(&stat, from, sizeof stat) != 0) {
        put_address(text, from);
        return;
    }
    px_text_add(text, "{st_mode=");
    put_mode(text, stat.st_mode);
    if (S_ISCHR(stat.st_mode))
        px_text_add(text, ", st_rdev=makedev(%#x, %#x), ...}", PX_MAJOR(stat.st_rdev),
                    PX_MINOR(stat.st_rdev));
    else
        px_text_add(text, ", st_size=%ld, ...}", (long)stat.st_size);
}

static void put_timespec(struct px_text *text, px_user from)
{
    struct px_timespec time;

    if (!from || px_copy_in(&time, from, sizeof time) != 0)
        put_address(text, from);
    else
        px_text_add(text, "{tv_sec=%ld, tv_nsec=%ld}", (long)time.tv_sec, (long)time.tv_nsec);
}

static void put_pair(struct px_text *text, px_user from)
{
    int32_t pair[2];

    if (!from || px_copy_in(pair, from, sizeof pair) != 0)
        put_address(text, from);
    else
        px_text_add(text, "[%d, %d]", pair[0], pair[1]);
}

static void put_status_value(struct px_text *text, uint32_t status)
{
    if ((status & 0x7f) == 0) {
        px_text_add(text, "{WIFEXITED(s) && WEXITSTATUS(s) == %u}", status >> 8 & 255);
    } else if ((status & 0xff) == 0x7f) {
        px_text_add(text, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        put_signal(text, (int)(status >> 8 & 255));
        px_text_add(text, "}");
    } else if (status == 0xffff) {
        px_text_add(text, "{WIFCONTINUED(s)}");
    } else {
        px_text_add(text, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
        put_signal(text, (int)(status & 0x7f));
        px_text_add(text, status & 0x80 ? " && WCOREDUMP(s)}" : "}");
    }
}

static void put_wait_status(struct px_text *text, px_user from, const struct px_trace *trace)
{
    uint32_t status;

    if (!from || !trace->leaving || trace->result <= 0 || px_copy_in(&status, from, sizeof status) != 0) {
        put_address(text, from);
        return;
    }
    px_text_add(text, "[");
    put_status_value(text, status);
    px_text_add(text, "]");
}

static void put_uname(struct px_text *text, px_user from)
{
    char name[2][65];

    if (px_copy_in(name, from, sizeof name) != 0) {
        put_address(text, from);
        return;
    }
    name[0][64] = name[1][64] = '\0';
    px_text_add(text, "{sysname=\"%s\", nodename=\"%s\", ...}", name[0], name[1]);
}

static void put_poll(struct px_text *text, px_user from, uint64_t count)
{
    struct {
        int32_t fd;
        uint16_t events, revents;
    } item;

    px_text_add(text, "[");
    for (uint64_t i = 0;
         i < count && i < LIST_SHOWN && px_copy_in(&item, from + i * sizeof item, sizeof item) == 0; i++) {
        px_text_add(text, "%s{fd=%d, events=", i ? ", " : "", item.fd);
        put_flags(text, poll_events, item.events, "", "0");
        px_text_add(text, "}");
    }
    px_text_add(text, count > LIST_SHOWN ? ", ...]" : "]");
}

static void put_vector(struct px_text *text, px_user from, uint64_t count)
{
    uint64_t element[2];

    px_text_add(text, "[");
    for (uint64_t i = 0;
         i < count && i < LIST_SHOWN && px_copy_in(element, from + i * sizeof element, sizeof element) == 0;
         i++) {
        px_text_add(text, "%s{iov_base=", i ? ", " : "");
        put_buffer(text, element[0], element[1]);
        px_text_add(text, ", iov_len=%lu}", (unsigned long)element[1]);
    }
    px_text_add(text, count > LIST_SHOWN ? ", ...]" : "]");
}

static void put_open_flags(struct px_text *text, const uint64_t *argument)
{
    static const char *const access[4] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    put_flags(text, open_flags, (uint32_t)argument[0] & ~(uint64_t)O_ACCMODE, access[argument[0] & O_ACCMODE],
              "");
    if (argument[0] & O_CREAT || (argument[0] & O_TMPFILE) == O_TMPFILE)
        px_text_add(text, ", %#o", (unsigned)argument[1]);
}

static void put_ioctl_argument(struct px_text *text, uint64_t request, px_user argument)
{
    uint16_t size[4];
    int32_t number;

    if (request == 0x5413 && px_copy_in(size, argument, sizeof size) == 0)
        px_text_add(text, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", size[0], size[1], size[2],
                    size[3]);
    else if ((request == 0x540f || request == 0x5410 || request == 0x541b || request == 0x5421) &&
             px_copy_in(&number, argument, sizeof number) == 0)
        px_text_add(text, "[%d]", number);
    else
        put_address(text, argument);
}

/* The third argument of fcntl, with what stands before it: some commands have none. */
static void put_fcntl_argument(struct px_text *text, uint64_t command, uint64_t argument)
{
    switch (command) {
    case 1:
    case 3:
    case 9:
    case 1032:
        return;
    case 2:
        px_text_add(text, argument & 1 ? ", FD_CLOEXEC" : ", 0");
        return;
    case 4:
        px_text_add(text, ", ");
        put_open_flags(text, (const uint64_t[2]){argument & ~(uint64_t)O_CREAT, 0});
        return;
    case 5:
    case 6:
    case 7:
        px_text_add(text, ", ");
        put_address(text, argument);
        return;
    default:
        px_text_add(text, ", %d", (int)argument);
        return;
    }
}

/* ---- the kinds ---- */

/* Kinds that are a number or a set of names. */
static bool put_plain(struct px_text *text, char kind, uint64_t value)
{
    switch (kind) {
    case 'd':
    case 'f':
    case 't':
        px_text_add(text, "%d", (int)value);
        return true;
    case 'u':
        px_text_add(text, "%u", (unsigned)value);
        return true;
    case 'l':
        px_text_add(text, "%ld", (long)value);
        return true;
    case 'n':
        px_text_add(text, "%lu", (unsigned long)value);
        return true;
    case 'x':
    case 'h':
        px_text_add(text, value ? "%#lx" : "0", (unsigned long)value);
        return true;
    case 'p':
        put_address(text, value);
        return true;
    case 'm':
        px_text_add(text, value ? "0%03o" : "000", (unsigned)value);
        return true;
    case 'a':
        px_text_add(text, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value);
        return true;
    case 'G':
        put_signal(text, (int)value);
        return true;
    default:
        return false;
    }
}

static const struct {
    char kind;
    bool set; /* flags joined by |, else one of a list */
    const struct name *names;
    const char *zero;
} named_kinds[] = {
    {'o', true, open_flags, "0"},   {'z', true, at_flags, "0"},        {'Q', true, prot_flags, "PROT_NONE"},
    {'M', true, map_flags, "0"},    {'X', true, access_modes, "F_OK"}, {'Z', true, wait_options, "0"},
    {'W', false, whences, NULL},    {'H', false, mask_how, NULL},      {'e', false, clocks, NULL},
    {'i', false, limits, NULL},     {'Y', false, advices, NULL},       {'C', false, families, NULL},
    {'k', false, arch_codes, NULL}, {'j', false, prctl_codes, NULL},   {'I', false, requests, NULL},
    {'R', false, commands, NULL},
};

static bool put_named(struct px_text *text, char kind, uint64_t value)
{
    for (size_t i = 0; i < sizeof named_kinds / sizeof *named_kinds; i++) {
        if (named_kinds[i].kind != kind)
            continue;
        if (named_kinds[i].set)
            put_flags(text, named_kinds[i].names, (uint32_t)value, "", named_kinds[i].zero);
        else
            put_enum(text, named_kinds[i].names, (uint32_t)value);
        return true;
    }
    return false;
}

static void put_clone(struct px_text *text, uint64_t value)
{
    put_flags(text, clone_flags, value & ~0xffull, "", value & 0xff ? "" : "0");
    if (value & 0xff) {
        px_text_add(text, value & ~0xffull ? "|" : "");
        put_signal(text, (int)(value & 0xff));
    }
}

/* What the call fills in is shown only after it succeeded. */
static void put_filled(struct px_text *text, char kind, uint64_t value, const struct px_trace *trace)
{
    if (!trace->leaving || trace->result < 0 || !value) {
        put_address(text, value);
        return;
    }
    switch (kind) {
    case '<':
    case 'g':
        put_buffer(text, value,
                   (uint64_t)trace->result -
                       (kind == 'g' && trace->result > 0 && trace->argument[0] == value));
        break;
    case 'E':
        put_stat(text, value);
        break;
    case 'D':
        put_uname(text, value);
        break;
    case 'F':
        put_pair(text, value);
        break;
    default:
        put_timespec(text, value);
        break;
    }
}

void px_strace_argument(struct px_text *text, char kind, unsigned index, const struct px_trace *trace)
{
    uint64_t value = trace->argument[index], next = index < 5 ? trace->argument[index + 1] : 0,
             before = index ? trace->argument[index - 1] : 0;

    if (put_plain(text, kind, value) || put_named(text, kind, value))
        return;
    switch (kind) {
    case 's':
    case 'P':
        put_string(text, value);
        break;
    case '>':
        put_buffer(text, value, next);
        break;
    case 'O':
        put_open_flags(text, &trace->argument[index]);
        break;
    case 'V':
        put_vector(text, value, next);
        break;
    case 'v':
        put_poll(text, value, next);
        break;
    case 'T':
        put_timespec(text, value);
        break;
    case 'w':
        put_wait_status(text, value, trace);
        break;
    case 'A':
        put_action(text, value);
        break;
    case 'B':
        put_set(text, value);
        break;
    case 'L':
        put_strings(text, value);
        break;
    case 'N':
        put_environment(text, value);
        break;
    case 'J':
        put_ioctl_argument(text, (uint32_t)before, value);
        break;
    case 'r':
        put_fcntl_argument(text, (uint32_t)before, value);
        break;
    case 'K':
        put_enum(text, socket_types, value & 15);
        if (value & ~15ull) {
            px_text_add(text, "|");
            put_flags(text, socket_flags, (uint32_t)value & ~15ull, "", "");
        }
        break;
    case 'c':
        put_clone(text, value);
        break;
    case 'y':
        put_enum(text, futex_operations, value & 127);
        px_text_add(text, "%s%s", value & 128 ? "_PRIVATE" : "", value & 256 ? "|FUTEX_CLOCK_REALTIME" : "");
        break;
    default:
        put_filled(text, kind, value, trace);
        break;
    }
}
