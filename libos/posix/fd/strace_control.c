/* How strace shows fcntl and ioctl: a command, what it takes, and what it tells. */
#include "strace_put.h"

/* ---- fcntl ---- */

enum { DUPFD, GETFD, SETFD, GETFL, SETFL, GETLK, SETLK, SETLKW, SETOWN, GETOWN, SETSIG, GETSIG, SETOWN_EX = 15, GETOWN_EX, OFD_GETLK = 36, OFD_SETLK,
       OFD_SETLKW, SETLEASE = 1024, GETLEASE, NOTIFY, DUPFD_CLOEXEC = 1030, SETPIPE_SZ, GETPIPE_SZ, ADD_SEALS, GET_SEALS };

static const char commands[] = "F_???|0 DUPFD|1 GETFD|2 SETFD|3 GETFL|4 SETFL|5 GETLK|6 SETLK|7 SETLKW|8 SETOWN|9 GETOWN|"
    "a SETSIG|b GETSIG|f SETOWN_EX|10 GETOWN_EX|24 OFD_GETLK|25 OFD_SETLK|26 OFD_SETLKW|400 SETLEASE|401 GETLEASE|402 NOTIFY|"
    "406 DUPFD_CLOEXEC|407 SETPIPE_SZ|408 GETPIPE_SZ|409 ADD_SEALS|40a GET_SEALS";
static const char lock_types[] = "F_???|0 RDLCK|1 WRLCK|2 UNLCK";
static const char descriptor_flags[] = "FD_???|1 CLOEXEC";
static const char seals[] = "F_SEAL_???|1 SEAL|2 SHRINK|4 GROW|8 WRITE|10 FUTURE_WRITE";
static const char owners[] = "F_OWNER_???|0 TID|1 PID|2 PGRP";

static void put_lock(struct px_text *text, px_user from, bool with_owner)
{
    struct {
        int16_t type, whence;
        int64_t start, length;
        int32_t pid;
    } lock;

    if (!px_put_read(text, &lock, from, sizeof lock))
        return;
    px_text_add(text, "{l_type=");
    px_put_enum(text, lock_types, (uint16_t)lock.type);
    px_text_add(text, ", l_whence=");
    px_put_enum(text, px_strace_whences, (uint16_t)lock.whence);
    px_text_add(text, ", l_start=%ld, l_len=%ld", (long)lock.start, (long)lock.length);
    px_text_add(text, with_owner ? ", l_pid=%d}" : "}", lock.pid);
}

static void put_owner(struct px_text *text, px_user from)
{
    int32_t who[2];

    if (!px_put_read(text, who, from, sizeof who))
        return;
    px_text_add(text, "{type=");
    px_put_enum(text, owners, (uint32_t)who[0]);
    px_text_add(text, ", pid=%d}", who[1]);
}

/* The commands whose argument is a number. */
static void put_number(struct px_text *text, uint32_t command, uint64_t value)
{
    switch (command) {
    case SETFD:
        px_put_flags(text, descriptor_flags, value, "0");
        break;
    case SETFL:
        px_put_open_flags(text, value);
        break;
    case SETSIG:
        px_put_signal(text, (int)value);
        break;
    case ADD_SEALS:
        px_put_flags(text, seals, value, "0");
        break;
    case SETLEASE:
        px_put_enum(text, lock_types, value);
        break;
    case DUPFD:
    case DUPFD_CLOEXEC:
    case SETOWN:
    case SETPIPE_SZ:
    case NOTIFY:
        px_text_add(text, "%d", (int)value);
        break;
    default:
        px_put_hex(text, value);
        break;
    }
}

static bool tells_only(uint32_t command)
{
    return command == GETFD || command == GETFL || command == GETOWN || command == GETSIG || command == GETLEASE || command == GETPIPE_SZ ||
           command == GET_SEALS;
}

PX_PUT(fcntl)
{
    uint32_t command = (uint32_t)trace->argument[index];
    uint64_t value = trace->argument[index + 1];
    bool asks_lock = command == GETLK || command == OFD_GETLK, tells = asks_lock || command == GETOWN_EX;

    if (!trace->leaving) {
        px_put_enum(text, commands, command);
        if (tells_only(command))
            return true;
        px_text_add(text, ", ");
    }
    if (tells && !trace->leaving)
        return false;
    if (tells && trace->failed)
        px_put_address(text, value);
    else if (asks_lock || command == SETLK || command == SETLKW || command == OFD_SETLK || command == OFD_SETLKW)
        put_lock(text, value, asks_lock);
    else if (command == SETOWN_EX || command == GETOWN_EX)
        put_owner(text, value);
    else
        put_number(text, command, value);
    return true;
}

static void put_result(struct px_text *text, uint64_t result, const char *what, const char *names)
{
    if (result) {
        px_text_add(text, "%#lx (%s ", (unsigned long)result, what);
        px_put_flags(text, names, result, "0");
        px_text_add(text, ")");
    } else {
        px_text_add(text, "0");
    }
}

PX_PUT(fcntl_result)
{
    uint64_t result = trace->argument[index];

    switch ((uint32_t)trace->argument[1]) {
    case GETFD:
        put_result(text, result, "flags", descriptor_flags);
        break;
    case GET_SEALS:
        put_result(text, result, "seals", seals);
        break;
    case GETFL:
        px_put_hex(text, result);
        px_text_add(text, " (flags ");
        px_put_open_flags(text, result);
        px_text_add(text, ")");
        break;
    case GETSIG:
        px_text_add(text, result ? "%ld (" : "%ld", (long)result);
        if (result) {
            px_put_signal(text, (int)result);
            px_text_add(text, ")");
        }
        break;
    case GETLEASE:
        px_text_add(text, "%#lx (", (unsigned long)result);
        px_put_enum(text, lock_types, result);
        px_text_add(text, ")");
        break;
    default:
        px_text_add(text, "%ld", (long)result);
        break;
    }
    return true;
}

/* ---- ioctl ---- */

enum { TCGETS = 0x5401, TCSETS, TCSETSW, TCSETSF, TCSBRK = 0x5409, TCXONC, TCFLSH, TIOCSCTTY = 0x540e, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ,
       TIOCSWINSZ, FIONREAD = 0x541b, TIOCPKT = 0x5420, FIONBIO, TIOCNOTTY, TIOCGSID = 0x5429, TIOCGPTPEER = 0x5441, FIONCLEX = 0x5450, FIOCLEX };
#define TIOCGPTN 0x80045430u
#define TIOCSPTLCK 0x40045431u

static const struct request {
    uint32_t number;
    enum { NOTHING, PLAIN, ADDRESS, INTEGER, TERMIOS, WINDOW, FLUSH, FLOW, STRING, TOLD, TERMIOS_TOLD, WINDOW_TOLD, INTERFACE, INTERFACE_NAME,
           INTERFACE_FLAGS, INTERFACE_NUMBER, INTERFACE_MTU } what; /* from TOLD on: the call fills it in */
    const char *name;
} requests[] = {
    {TCGETS, TERMIOS_TOLD, "TCGETS"}, {TCSETS, TERMIOS, "TCSETS"}, {TCSETSW, TERMIOS, "TCSETSW"}, {TCSETSF, TERMIOS, "TCSETSF"},
    {TCSBRK, PLAIN, "TCSBRK"}, {TCXONC, FLOW, "TCXONC"}, {TCFLSH, FLUSH, "TCFLSH"}, {TIOCSCTTY, PLAIN, "TIOCSCTTY"}, {TIOCGPGRP, TOLD, "TIOCGPGRP"},
    {TIOCSPGRP, INTEGER, "TIOCSPGRP"}, {TIOCOUTQ, TOLD, "TIOCOUTQ"}, {TIOCSTI, STRING, "TIOCSTI"}, {TIOCGWINSZ, WINDOW_TOLD, "TIOCGWINSZ"},
    {TIOCSWINSZ, WINDOW, "TIOCSWINSZ"}, {FIONREAD, TOLD, "FIONREAD"}, {TIOCPKT, INTEGER, "TIOCPKT"}, {FIONBIO, INTEGER, "FIONBIO"},
    {TIOCNOTTY, NOTHING, "TIOCNOTTY"}, {TIOCGSID, TOLD, "TIOCGSID"}, {TIOCGPTPEER, ADDRESS, "TIOCGPTPEER"}, {FIONCLEX, NOTHING, "FIONCLEX"},
    {FIOCLEX, NOTHING, "FIOCLEX"}, {TIOCGPTN, TOLD, "TIOCGPTN"}, {TIOCSPTLCK, INTEGER, "TIOCSPTLCK"}, {0x40049409, PLAIN, "FICLONE"},
    {0x8910, INTERFACE_NAME, "SIOCGIFNAME"}, {0x8913, INTERFACE_FLAGS, "SIOCGIFFLAGS"}, {0x8915, INTERFACE, "SIOCGIFADDR"},
    {0x8919, INTERFACE, "SIOCGIFBRDADDR"}, {0x891b, INTERFACE, "SIOCGIFNETMASK"}, {0x8921, INTERFACE_MTU, "SIOCGIFMTU"},
    {0x8933, INTERFACE_NUMBER, "SIOCGIFINDEX"},
};

static const struct request *find_request(uint32_t number)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (requests[i].number == number)
            return &requests[i];
    }
    return NULL;
}

static const char input[] = "|1 IGNBRK|2 BRKINT|4 IGNPAR|8 PARMRK|10 INPCK|20 ISTRIP|40 INLCR|80 IGNCR|100 ICRNL|200 IUCLC|"
    "400 IXON|800 IXANY|1000 IXOFF|2000 IMAXBEL|4000 IUTF8";
static const char output[] = "|1 OPOST|2 OLCUC|4 ONLCR|8 OCRNL|10 ONOCR|20 ONLRET|40 OFILL|80 OFDEL";
static const char control[] = "|40 CSTOPB|80 CREAD|100 PARENB|200 PARODD|400 HUPCL|800 CLOCAL|80000000 CRTSCTS";
static const char local[] = "|1 ISIG|2 ICANON|4 XCASE|8 ECHO|10 ECHOE|20 ECHOK|40 ECHONL|80 NOFLSH|100 TOSTOP|8000 IEXTEN|"
    "200 ECHOCTL|400 ECHOPRT|800 ECHOKE|1000 FLUSHO|4000 PENDIN|10000 EXTPROC";
static const char rates[] = "B???|0 0|7 300|9 1200|b 2400|c 4800|d 9600|e 19200|f 38400|1001 57600|1002 115200|1003 230400";
#define RATE 0x100fu
#define DELAYS 0xff00u

static void put_termios(struct px_text *text, px_user from)
{
    uint32_t mode[4]; /* input, output, control, local */

    if (!px_put_read(text, mode, from, sizeof mode))
        return;
    px_text_add(text, "{c_iflag=");
    px_put_flags(text, input, mode[0], "0");
    px_text_add(text, ", c_oflag=NL%u|CR%u|TAB%u|BS%u|VT%u|FF%u", mode[1] >> 8 & 1, mode[1] >> 9 & 3, mode[1] >> 11 & 3, mode[1] >> 13 & 1,
                mode[1] >> 14 & 1, mode[1] >> 15 & 1);
    (void)!px_put_more(text, output, mode[1] & ~DELAYS);
    px_text_add(text, ", c_cflag=");
    px_put_enum(text, rates, mode[2] & RATE);
    px_text_add(text, "|CS%u", 5 + (mode[2] >> 4 & 3));
    (void)!px_put_more(text, control, mode[2] & ~(RATE | 0x30u));
    px_text_add(text, ", c_lflag=");
    px_put_flags(text, local, mode[3], "0");
    px_text_add(text, ", ...}");
}

static void put_window(struct px_text *text, px_user from)
{
    uint16_t size[4];

    if (px_put_read(text, size, from, sizeof size))
        px_text_add(text, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", size[0], size[1], size[2], size[3]);
}

static void put_integer(struct px_text *text, px_user from)
{
    int32_t number;

    if (px_put_read(text, &number, from, sizeof number))
        px_text_add(text, "[%d]", number);
}

static void put_interface(struct px_text *text, const struct request *request, px_user from, bool failed)
{
    static const char flags[] = "IFF_???|1 UP|2 BROADCAST|4 DEBUG|8 LOOPBACK|10 POINTOPOINT|20 NOTRAILERS|40 RUNNING|80 NOARP|100 PROMISC|200 ALLMULTI|"
        "400 MASTER|800 SLAVE|1000 MULTICAST|2000 PORTSEL|4000 AUTOMEDIA|8000 DYNAMIC";
    char name[17] = "";
    uint32_t number;

    if (px_copy_in(&number, from + 16, sizeof number) != 0 || px_copy_in(name, from, 16) != 0) {
        px_put_address(text, from);
        return;
    }
    px_text_add(text, "{");
    if (request->what == INTERFACE_NAME)
        px_text_add(text, failed ? "ifr_ifindex=%d" : "ifr_ifindex=%d, ", (int)number);
    if (request->what != INTERFACE_NAME || !failed) {
        px_text_add(text, "ifr_name=");
        px_strace_quote(text, name, strlen(name), false);
    }
    if (!failed && request->what == INTERFACE) {
        px_text_add(text, request->number == 0x8915 ? ", ifr_addr=" : request->number == 0x8919 ? ", ifr_broadaddr=" : ", ifr_netmask=");
        px_put_sockaddr(text, from + 16, 16);
    } else if (!failed && request->what == INTERFACE_FLAGS) {
        px_text_add(text, ", ifr_flags=");
        px_put_flags(text, flags, (uint16_t)number, "0");
    } else if (!failed && request->what != INTERFACE_NAME) {
        px_text_add(text, request->what == INTERFACE_MTU ? ", ifr_mtu=%d" : ", ifr_ifindex=%d", (int)number);
    }
    px_text_add(text, "}");
}

static void put_requested(struct px_text *text, const struct request *request, uint64_t value, bool failed)
{
    static const char flush[] = "TC???FLUSH|0 IFLUSH|1 OFLUSH|2 IOFLUSH";
    static const char flow[] = "TC???|0 OOFF|1 OON|2 IOFF|3 ION";

    switch (request->what) {
    case NOTHING:
        break;
    case PLAIN:
        px_text_add(text, "%d", (int)value);
        break;
    case ADDRESS:
        px_put_hex(text, value);
        break;
    case INTEGER:
    case TOLD:
        put_integer(text, value);
        break;
    case TERMIOS:
    case TERMIOS_TOLD:
        put_termios(text, value);
        break;
    case WINDOW:
    case WINDOW_TOLD:
        put_window(text, value);
        break;
    case FLUSH:
        px_put_enum(text, flush, value);
        break;
    case FLOW:
        px_put_enum(text, flow, value);
        break;
    case STRING:
        px_put_bytes(text, value, 1);
        break;
    case INTERFACE:
    case INTERFACE_NAME:
    case INTERFACE_FLAGS:
    case INTERFACE_NUMBER:
    case INTERFACE_MTU:
        put_interface(text, request, value, failed);
        break;
    }
}

static void put_number_of(struct px_text *text, uint32_t number)
{
    static const char *const ways[4] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"};

    px_text_add(text, "_IOC(%s, ", ways[number >> 30]);
    px_put_hex(text, number >> 8 & 0xff);
    px_text_add(text, ", ");
    px_put_hex(text, number & 0xff);
    px_text_add(text, ", ");
    px_put_hex(text, number >> 16 & 0x3fff);
    px_text_add(text, ")");
}

PX_PUT(ioctl)
{
    uint32_t number = (uint32_t)trace->argument[index];
    const struct request *request = find_request(number);
    uint64_t value = trace->argument[index + 1];
    bool told = request && request->what >= TOLD;

    if (!trace->leaving) {
        if (request)
            px_text_add(text, "%s", request->name);
        else
            put_number_of(text, number);
        if (request && request->what == NOTHING)
            return true;
        px_text_add(text, ", ");
    }
    if (told && !trace->leaving)
        return false;
    if (told && trace->failed && request->what < INTERFACE)
        px_put_address(text, value);
    else if (request)
        put_requested(text, request, value, trace->failed);
    else
        px_put_hex(text, value);
    return true;
}
