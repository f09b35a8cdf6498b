/* How strace shows strings, signals and structures in the program's memory. */
#include "strace_put.h"

#define STRING_SHOWN 32u
#define PATH_SHOWN 255u
#define LIST_SHOWN 16u

void px_put_address(struct px_text *text, uint64_t va)
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

void px_put_buffer(struct px_text *text, px_user from, uint64_t bytes)
{
    uint8_t copy[STRING_SHOWN];
    size_t shown = bytes < sizeof copy ? bytes : sizeof copy;

    if (!from || px_copy_in(copy, from, shown) != 0)
        px_put_address(text, from);
    else
        px_strace_quote(text, copy, shown, bytes > shown);
}

void px_put_string(struct px_text *text, px_user from)
{
    char copy[PATH_SHOWN + 1];
    int64_t length = from ? px_copy_string(copy, from, sizeof copy) : -EFAULT;

    if (length >= 0)
        px_strace_quote(text, copy, (size_t)length, false);
    else if (length == -ENAMETOOLONG)
        px_strace_quote(text, copy, PATH_SHOWN, true);
    else
        px_put_address(text, from);
}

void px_put_strings(struct px_text *text, px_user list)
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
        px_put_string(text, at);
    }
    px_text_add(text, "]");
}

void px_put_environment(struct px_text *text, px_user list)
{
    unsigned count = 0;
    uint64_t at;

    while (count < 65536 && px_copy_in(&at, list + count * sizeof at, sizeof at) == 0 && at)
        count++;
    px_put_address(text, list);
    if (list)
        px_text_add(text, " /* %u var%s */", count, count == 1 ? "" : "s");
}

/* ---- structures ---- */

void px_put_signal(struct px_text *text, int signo)
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

void px_put_set(struct px_text *text, px_user from)
{
    uint64_t set;

    if (!from || px_copy_in(&set, from, sizeof set) != 0)
        px_put_address(text, from);
    else
        put_set_value(text, set);
}

void px_put_action(struct px_text *text, px_user from)
{
    uint64_t action[4]; /* handler, flags, restorer, mask */

    if (!from || px_copy_in(action, from, sizeof action) != 0) {
        px_put_address(text, from);
        return;
    }
    px_text_add(text, "{sa_handler=");
    if (action[0] <= 1)
        px_text_add(text, action[0] ? "SIG_IGN" : "SIG_DFL");
    else
        px_put_address(text, action[0]);
    px_text_add(text, ", sa_mask=");
    put_set_value(text, action[3]);
    px_text_add(text, ", sa_flags=");
    px_put_flags(text, px_strace_action_flags, action[1], "", "0");
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

void px_put_stat(struct px_text *text, px_user from)
{
    struct px_stat stat;

    if (px_copy_in(&stat, from, sizeof stat) != 0) {
        px_put_address(text, from);
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

void px_put_timespec(struct px_text *text, px_user from)
{
    struct px_timespec time;

    if (!from || px_copy_in(&time, from, sizeof time) != 0)
        px_put_address(text, from);
    else
        px_text_add(text, "{tv_sec=%ld, tv_nsec=%ld}", (long)time.tv_sec, (long)time.tv_nsec);
}

void px_put_pair(struct px_text *text, px_user from)
{
    int32_t pair[2];

    if (!from || px_copy_in(pair, from, sizeof pair) != 0)
        px_put_address(text, from);
    else
        px_text_add(text, "[%d, %d]", pair[0], pair[1]);
}

static void put_status_value(struct px_text *text, uint32_t status)
{
    if ((status & 0x7f) == 0) {
        px_text_add(text, "{WIFEXITED(s) && WEXITSTATUS(s) == %u}", status >> 8 & 255);
    } else if ((status & 0xff) == 0x7f) {
        px_text_add(text, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        px_put_signal(text, (int)(status >> 8 & 255));
        px_text_add(text, "}");
    } else if (status == 0xffff) {
        px_text_add(text, "{WIFCONTINUED(s)}");
    } else {
        px_text_add(text, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
        px_put_signal(text, (int)(status & 0x7f));
        px_text_add(text, status & 0x80 ? " && WCOREDUMP(s)}" : "}");
    }
}

void px_put_wait_status(struct px_text *text, px_user from, const struct px_trace *trace)
{
    uint32_t status;

    if (!from || !trace->leaving || trace->result <= 0 || px_copy_in(&status, from, sizeof status) != 0) {
        px_put_address(text, from);
        return;
    }
    px_text_add(text, "[");
    put_status_value(text, status);
    px_text_add(text, "]");
}

void px_put_uname(struct px_text *text, px_user from)
{
    char name[2][65];

    if (px_copy_in(name, from, sizeof name) != 0) {
        px_put_address(text, from);
        return;
    }
    name[0][64] = name[1][64] = '\0';
    px_text_add(text, "{sysname=\"%s\", nodename=\"%s\", ...}", name[0], name[1]);
}

void px_put_poll(struct px_text *text, px_user from, uint64_t count)
{
    struct {
        int32_t fd;
        uint16_t events, revents;
    } item;

    px_text_add(text, "[");
    for (uint64_t i = 0;
         i < count && i < LIST_SHOWN && px_copy_in(&item, from + i * sizeof item, sizeof item) == 0; i++) {
        px_text_add(text, "%s{fd=%d, events=", i ? ", " : "", item.fd);
        px_put_flags(text, px_strace_poll_events, item.events, "", "0");
        px_text_add(text, "}");
    }
    px_text_add(text, count > LIST_SHOWN ? ", ...]" : "]");
}

void px_put_vector(struct px_text *text, px_user from, uint64_t count)
{
    uint64_t element[2];

    px_text_add(text, "[");
    for (uint64_t i = 0;
         i < count && i < LIST_SHOWN && px_copy_in(element, from + i * sizeof element, sizeof element) == 0;
         i++) {
        px_text_add(text, "%s{iov_base=", i ? ", " : "");
        px_put_buffer(text, element[0], element[1]);
        px_text_add(text, ", iov_len=%lu}", (unsigned long)element[1]);
    }
    px_text_add(text, count > LIST_SHOWN ? ", ...]" : "]");
}

void px_put_open_flags(struct px_text *text, const uint64_t *argument)
{
    static const char *const access[4] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    px_put_flags(text, px_strace_open_flags, (uint32_t)argument[0] & ~(uint64_t)O_ACCMODE,
                 access[argument[0] & O_ACCMODE], "");
    if (argument[0] & O_CREAT || (argument[0] & O_TMPFILE) == O_TMPFILE)
        px_text_add(text, ", %#o", (unsigned)argument[1]);
}

void px_put_ioctl_argument(struct px_text *text, uint64_t request, px_user argument)
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
        px_put_address(text, argument);
}

void px_put_fcntl_argument(struct px_text *text, uint64_t command, uint64_t argument)
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
        px_put_open_flags(text, (const uint64_t[2]){argument & ~(uint64_t)O_CREAT, 0});
        return;
    case 5:
    case 6:
    case 7:
        px_text_add(text, ", ");
        px_put_address(text, argument);
        return;
    default:
        px_text_add(text, ", %d", (int)argument);
        return;
    }
}
