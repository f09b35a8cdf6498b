/* How strace shows prctl and ptrace by their options, and capabilities. */
#include "strace_put.h"

static const char capabilities[] = "CAP_???|0 CHOWN|1 DAC_OVERRIDE|2 DAC_READ_SEARCH|3 FOWNER|4 FSETID|5 KILL|6 SETGID|"
    "7 SETUID|8 SETPCAP|9 LINUX_IMMUTABLE|a NET_BIND_SERVICE|b NET_BROADCAST|c NET_ADMIN|d NET_RAW|e IPC_LOCK|f IPC_OWNER|10 SYS_MODULE|"
    "11 SYS_RAWIO|12 SYS_CHROOT|13 SYS_PTRACE|14 SYS_PACCT|15 SYS_ADMIN|16 SYS_BOOT|17 SYS_NICE|18 SYS_RESOURCE|19 SYS_TIME|"
    "1a SYS_TTY_CONFIG|1b MKNOD|1c LEASE|1d AUDIT_WRITE|1e AUDIT_CONTROL|1f SETFCAP|20 MAC_OVERRIDE|21 MAC_ADMIN|22 SYSLOG|23 WAKE_ALARM|"
    "24 BLOCK_SUSPEND|25 AUDIT_READ|26 PERFMON|27 BPF|28 CHECKPOINT_RESTORE";
#define CAPABILITY_V3 0x20080522u

static const char versions[] = "_LINUX_CAPABILITY_VERSION_???|19980330 1|20071026 2|20080522 3";

PX_PUT(cap_header)
{
    uint32_t header[2];

    if (!px_put_read(text, header, trace->argument[index], sizeof header))
        return true;
    px_text_add(text, "{version=");
    px_put_enum(text, versions, header[0]);
    px_text_add(text, ", pid=%d}", (int)header[1]);
    return true;
}

static void put_capabilities(struct px_text *text, uint64_t set)
{
    const char *before = "";

    if (!set)
        px_text_add(text, "0");
    for (unsigned i = 0; i < 64; i++) {
        if (!(set >> i & 1))
            continue;
        px_text_add(text, "%s1<<", before);
        if (!px_put_name(text, capabilities, i))
            px_text_add(text, "%u", i);
        before = "|";
    }
}

/* Two words of each set, the second only since version 2. */
PX_PUT(cap_data)
{
    static const char *const names[3] = {"{effective=", ", permitted=", ", inheritable="};
    uint32_t data[2][3] = {0}, version = CAPABILITY_V3;

    (void)!px_copy_in(&version, trace->argument[index - 1], sizeof version);
    if (!px_put_read(text, data, trace->argument[index], version == 0x19980330 ? sizeof data[0] : sizeof data))
        return true;
    for (unsigned i = 0; i < 3; i++) {
        px_text_add(text, "%s", names[i]);
        put_capabilities(text, (uint64_t)data[1][i] << 32 | data[0][i]);
    }
    px_text_add(text, "}");
    return true;
}

/* ---- prctl ---- */

/* What an option's arguments are: how many, and what the first is. */
static const struct prctl {
    uint32_t number;
    enum { NUMBERS, TOLD_INTEGER, TOLD_ADDRESS, NAME, TOLD_NAME, SIGNAL, TOLD_SIGNAL, CAPABILITY, AREA, DUMPS, AMBIENT } what;
    uint8_t count;
    const char *name;
} options[] = {
    {1, SIGNAL, 1, "PR_SET_PDEATHSIG"}, {2, TOLD_SIGNAL, 1, "PR_GET_PDEATHSIG"}, {3, NUMBERS, 0, "PR_GET_DUMPABLE"}, {4, DUMPS, 1, "PR_SET_DUMPABLE"},
    {7, NUMBERS, 0, "PR_GET_KEEPCAPS"}, {8, NUMBERS, 1, "PR_SET_KEEPCAPS"}, {13, NUMBERS, 0, "PR_GET_TIMING"}, {15, NAME, 1, "PR_SET_NAME"},
    {16, TOLD_NAME, 1, "PR_GET_NAME"}, {21, NUMBERS, 0, "PR_GET_SECCOMP"}, {23, CAPABILITY, 1, "PR_CAPBSET_READ"}, {24, CAPABILITY, 1, "PR_CAPBSET_DROP"},
    {27, NUMBERS, 0, "PR_GET_SECUREBITS"}, {29, NUMBERS, 1, "PR_SET_TIMERSLACK"}, {30, NUMBERS, 0, "PR_GET_TIMERSLACK"},
    {36, NUMBERS, 1, "PR_SET_CHILD_SUBREAPER"}, {37, TOLD_INTEGER, 1, "PR_GET_CHILD_SUBREAPER"}, {38, NUMBERS, 4, "PR_SET_NO_NEW_PRIVS"},
    {39, NUMBERS, 4, "PR_GET_NO_NEW_PRIVS"}, {40, TOLD_ADDRESS, 1, "PR_GET_TID_ADDRESS"}, {41, NUMBERS, 4, "PR_SET_THP_DISABLE"},
    {42, NUMBERS, 4, "PR_GET_THP_DISABLE"}, {47, AMBIENT, 4, "PR_CAP_AMBIENT"}, {0x53564d41, AREA, 4, "PR_SET_VMA"},
};
#define DUMPABLE_GET 3
static const char dumps[] = "SUID_DUMP_???|0 DISABLE|1 USER|2 ROOT";

static const struct prctl *find_option(uint32_t number)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (options[i].number == number)
            return &options[i];
    }
    return NULL;
}

static void put_told(struct px_text *text, const struct prctl *option, px_user from)
{
    int32_t number;
    uint64_t address;

    if (option->what == TOLD_NAME) {
        px_put_string(text, from, 16);
    } else if (option->what == TOLD_ADDRESS && px_put_read(text, &address, from, sizeof address)) {
        px_text_add(text, "[%#lx]", (unsigned long)address);
    } else if (option->what != TOLD_ADDRESS && px_put_read(text, &number, from, sizeof number)) {
        px_text_add(text, "[");
        if (option->what == TOLD_SIGNAL)
            px_put_signal(text, number);
        else
            px_text_add(text, "%d", number);
        px_text_add(text, "]");
    }
}

static void put_hexes(struct px_text *text, const uint64_t *from, const uint64_t *to)
{
    for (; from < to; from++) {
        px_text_add(text, ", ");
        px_put_hex(text, *from);
    }
}

static void put_area(struct px_text *text, const uint64_t *argument)
{
    px_put_enum(text, "PR_SET_VMA_???|0 ANON_NAME", argument[1]);
    px_text_add(text, ", ");
    px_put_address(text, argument[2]);
    px_text_add(text, ", %lu, ", (unsigned long)argument[3]);
    px_put_string(text, argument[4], 80);
}

static void put_ambient(struct px_text *text, const uint64_t *argument)
{
    static const char does[] = "PR_CAP_AMBIENT_???|1 IS_SET|2 RAISE|3 LOWER|4 CLEAR_ALL";

    px_put_enum(text, does, argument[1]);
    px_text_add(text, ", ");
    if (argument[1] >= 1 && argument[1] <= 3)
        px_put_enum(text, capabilities, argument[2]);
    else
        px_put_hex(text, argument[2]);
    put_hexes(text, argument + 3, argument + 5);
}

/* What the option reads. */
static void put_given(struct px_text *text, const struct prctl *option, const uint64_t *argument)
{
    switch (option->what) {
    case SIGNAL:
        px_put_signal(text, (int)argument[1]);
        break;
    case NAME:
        px_put_string(text, argument[1], 15);
        break;
    case CAPABILITY:
        px_put_enum(text, capabilities, argument[1]);
        break;
    case DUMPS:
        px_put_enum(text, dumps, argument[1]);
        break;
    case AREA:
        put_area(text, argument);
        break;
    case AMBIENT:
        put_ambient(text, argument);
        break;
    case NUMBERS:
    case TOLD_INTEGER:
    case TOLD_ADDRESS:
    case TOLD_NAME:
    case TOLD_SIGNAL:
        px_text_add(text, "%lu", (unsigned long)argument[1]);
        put_hexes(text, argument + 2, argument + 1 + option->count);
        break;
    }
}

PX_PUT(prctl)
{
    const uint64_t *argument = trace->argument;
    const struct prctl *option = find_option((uint32_t)argument[0]);
    bool tells = option && (option->what == TOLD_INTEGER || option->what == TOLD_ADDRESS || option->what == TOLD_NAME || option->what == TOLD_SIGNAL);

    if (!trace->leaving) {
        if (!option) {
            px_text_add(text, "%#x /* PR_??? */", (uint32_t)argument[0]);
            put_hexes(text, argument + 1, argument + 5);
            return true;
        }
        px_text_add(text, option->count ? "%s, " : "%s", option->name);
        if (tells)
            return false;
        if (option->count)
            put_given(text, option, argument);
        return true;
    }
    if (trace->failed)
        px_put_address(text, argument[1]);
    else if (option)
        put_told(text, option, argument[1]);
    return true;
}

PX_PUT(prctl_result)
{
    px_text_add(text, "%ld", (long)trace->argument[index]);
    if ((uint32_t)trace->argument[0] == DUMPABLE_GET) {
        px_text_add(text, " (");
        px_put_enum(text, dumps, trace->argument[index]);
        px_text_add(text, ")");
    }
    return true;
}

PX_PUT(arch_prctl)
{
    uint64_t base, value = trace->argument[index];
    bool asks = trace->argument[0] == 0x1003 || trace->argument[0] == 0x1004;

    if (asks && !trace->leaving)
        return false;
    if (!asks)
        px_put_hex(text, value);
    else if (trace->failed)
        px_put_address(text, value);
    else if (px_put_read(text, &base, value, sizeof base))
        px_text_add(text, base ? "[%#lx]" : "[0]", (unsigned long)base);
    return true;
}

/* ---- ptrace ---- */

PX_PUT(ptrace)
{
    static const char asked[] = "PTRACE_???|0 TRACEME|1 PEEKTEXT|2 PEEKDATA|3 PEEKUSER|4 POKETEXT|5 POKEDATA|6 POKEUSER|"
        "7 CONT|8 KILL|9 SINGLESTEP|c GETREGS|d SETREGS|e GETFPREGS|f SETFPREGS|10 ATTACH|11 DETACH|18 SYSCALL|4200 SETOPTIONS|"
        "4201 GETEVENTMSG|4202 GETSIGINFO|4203 SETSIGINFO|4204 GETREGSET|4205 SETREGSET|4206 SEIZE|4207 INTERRUPT|4208 LISTEN|"
        "420e GET_SYSCALL_INFO";
    static const char wishes[] = "PTRACE_O_???|1 TRACESYSGOOD|2 TRACEFORK|4 TRACEVFORK|8 TRACECLONE|10 TRACEEXEC|"
        "20 TRACEVFORKDONE|40 TRACEEXIT|80 TRACESECCOMP|100000 EXITKILL";
    const uint64_t *argument = trace->argument;
    uint32_t request = (uint32_t)argument[0];

    px_put_enum(text, asked, request);
    if (request == 0)
        return true;
    px_text_add(text, ", %d", (int)argument[1]);
    if (request == 8 || request == 16 || request == 0x4207)
        return true;
    px_text_add(text, ", ");
    px_put_address(text, argument[2]);
    px_text_add(text, ", ");
    if (request == 0x4200 || request == 0x4206)
        px_put_flags(text, wishes, argument[3], "0");
    else if (request == 7 || request == 9 || request == 17 || request == 24 || request == 0x4208)
        px_put_signal(text, (int)argument[3]);
    else if (request == 5 || request == 6 || request == 4)
        px_put_hex(text, argument[3]);
    else
        px_put_address(text, argument[3]);
    return true;
}
