/* Names of flags and of numbers, as strace shows them and in its order: those of files and memory, and those that are a letter. */
#include "strace_put.h"

const char px_strace_open_flags[] = "O_???|40 CREAT|80 EXCL|100 NOCTTY|200 TRUNC|400 APPEND|800 NONBLOCK|101000 SYNC|"
    "1000 DSYNC|4000 DIRECT|8000 LARGEFILE|20000 NOFOLLOW|40000 NOATIME|80000 CLOEXEC|200000 PATH|410000 TMPFILE|10000 DIRECTORY|2000 =FASYNC";
const char px_strace_at_flags[] = "AT_???|100 SYMLINK_NOFOLLOW|200 REMOVEDIR|400 SYMLINK_FOLLOW|800 NO_AUTOMOUNT|"
    "1000 EMPTY_PATH|8000 RECURSIVE";
static const char prot_flags[] = "PROT_???|1 READ|2 WRITE|4 EXEC|8 SEM|1000000 GROWSDOWN|2000000 GROWSUP";
static const char map_types[] = "|0 MAP_FILE|1 MAP_SHARED|2 MAP_PRIVATE|3 MAP_SHARED_VALIDATE";
static const char map_flags[] = "MAP_???|10 FIXED|20 ANONYMOUS|40 32BIT|4000 NORESERVE|8000 POPULATE|10000 NONBLOCK|"
    "100 GROWSDOWN|800 DENYWRITE|1000 EXECUTABLE|2000 LOCKED|20000 STACK|40000 HUGETLB|80000 SYNC|100000 FIXED_NOREPLACE";
#define MAP_HUGE_SHIFT 26
static const char access_modes[] = "?_OK|4 R_OK|2 W_OK|1 X_OK";
static const char wait_options[] = "W???|1 NOHANG|2 STOPPED|4 EXITED|8 CONTINUED|1000000 NOWAIT|80000000 =__WCLONE|"
    "40000000 =__WALL|20000000 =__WNOTHREAD";

/* Enumerations: the value is the whole number. */
const char px_strace_whences[] = "SEEK_???|0 SET|1 CUR|2 END|3 DATA|4 HOLE";
static const char mask_how[] = "SIG_???|0 BLOCK|1 UNBLOCK|2 SETMASK";
const char px_strace_clocks[] = "CLOCK_???|0 REALTIME|1 MONOTONIC|2 PROCESS_CPUTIME_ID|3 THREAD_CPUTIME_ID|4 MONOTONIC_RAW|"
    "5 REALTIME_COARSE|6 MONOTONIC_COARSE|7 BOOTTIME|8 REALTIME_ALARM|9 BOOTTIME_ALARM|b TAI";
static const char limits[] = "RLIMIT_???|0 CPU|1 FSIZE|2 DATA|3 STACK|4 CORE|5 RSS|6 NPROC|7 NOFILE|8 MEMLOCK|9 AS|a LOCKS|"
    "b SIGPENDING|c MSGQUEUE|d NICE|e RTPRIO|f RTTIME";
static const char advices[] = "MADV_???|0 NORMAL|1 RANDOM|2 SEQUENTIAL|3 WILLNEED|4 DONTNEED|8 FREE|9 REMOVE|a DONTFORK|"
    "b DOFORK|c MERGEABLE|d UNMERGEABLE|e HUGEPAGE|f NOHUGEPAGE|10 DONTDUMP|11 DODUMP|12 WIPEONFORK|13 KEEPONFORK|14 COLD|15 PAGEOUT|"
    "16 POPULATE_READ|17 POPULATE_WRITE";
static const char families[] = "AF_???|0 UNSPEC|1 UNIX|2 INET|a INET6|10 NETLINK|11 PACKET";
static const char socket_types[] = "SOCK_???|1 STREAM|2 DGRAM|3 RAW|4 RDM|5 SEQPACKET";
static const char socket_flags[] = "SOCK_???|80000 CLOEXEC|800 NONBLOCK";
static const char arch_codes[] = "ARCH_???|1001 SET_GS|1002 SET_FS|1003 GET_FS|1004 GET_GS";

/* ---- what shows them ---- */

struct name {
    uint64_t bits;
    const char *text;
    size_t length;
};

static uint64_t hex_of(const char **at)
{
    uint64_t value = 0;

    for (; **at != ' '; ++*at)
        value = value << 4 | (uint64_t)(**at <= '9' ? **at - '0' : **at - 'a' + 10);
    return value;
}

/* The next of a list, where `at` is its beginning or one that this has left: false at the end. */
static bool next_name(const char **at, struct name *name)
{
    while (**at && **at != '|')
        ++*at;
    if (!**at)
        return false;
    ++*at;
    name->bits = hex_of(at);
    name->text = ++*at;
    while (**at && **at != '|')
        ++*at;
    name->length = (size_t)(*at - name->text);
    return true;
}

static void put_found(struct px_text *text, const char *names, const struct name *name)
{
    size_t common = 0, bare = *name->text == '=';

    while (names[common] != '?' && names[common] != '|')
        common++;
    if (!bare && names[common] == '?')
        px_text_put(text, names, common);
    px_text_put(text, name->text + bare, name->length - bare);
}

bool px_put_name(struct px_text *text, const char *names, uint64_t value)
{
    const char *at = names;
    struct name name;

    while (next_name(&at, &name)) {
        if (name.bits == value) {
            put_found(text, names, &name);
            return true;
        }
    }
    return false;
}

static void put_unknown(struct px_text *text, const char *names, uint64_t value)
{
    size_t length = 0;

    px_put_hex(text, value);
    while (names[length] != '|')
        length++;
    if (length)
        px_text_add(text, " /* %.*s */", (int)length, names);
}

void px_put_enum(struct px_text *text, const char *names, uint64_t value)
{
    if (!px_put_name(text, names, value))
        put_unknown(text, names, value);
}

/* Shows the bits that have a name, each after `before` and then a bar, and takes them out of *value. True: there was one. */
static bool put_names(struct px_text *text, const char *names, uint64_t *value, const char *before)
{
    const char *at = names;
    bool found = false;
    struct name name;

    while (next_name(&at, &name)) {
        if (!name.bits || (*value & name.bits) != name.bits)
            continue;
        px_text_add(text, "%s", before);
        put_found(text, names, &name);
        *value &= ~name.bits;
        before = "|";
        found = true;
    }
    return found;
}

bool px_put_more(struct px_text *text, const char *names, uint64_t value)
{
    bool some = value;

    (void)!put_names(text, names, &value, "|");
    if (value)
        px_text_add(text, "|%#lx", (unsigned long)value);
    return some;
}

void px_put_flags(struct px_text *text, const char *names, uint64_t value, const char *zero)
{
    if (!value)
        px_text_add(text, "%s", zero);
    else if (!put_names(text, names, &value, ""))
        put_unknown(text, names, value);
    else if (value)
        px_text_add(text, "|%#lx", (unsigned long)value);
}

void px_put_open_flags(struct px_text *text, uint64_t flags)
{
    static const char *const access[4] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

    px_text_add(text, "%s", access[flags & O_ACCMODE]);
    (void)!px_put_more(text, px_strace_open_flags, (uint32_t)flags & ~(uint64_t)O_ACCMODE);
}

static void put_map_flags(struct px_text *text, uint32_t value)
{
    uint32_t type = value & 15, huge = value & MAP_HUGETLB ? value >> MAP_HUGE_SHIFT : 0;

    px_put_enum(text, map_types, type);
    (void)!px_put_more(text, map_flags, value & ~15u & (huge ? (1u << MAP_HUGE_SHIFT) - 1 : ~0u));
    if (huge)
        px_text_add(text, "|%u<<MAP_HUGE_SHIFT", huge);
}

static void put_socket_type(struct px_text *text, uint32_t value)
{
    px_put_enum(text, socket_types, value & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK));
    (void)!px_put_more(text, socket_flags, value & (O_CLOEXEC | O_NONBLOCK));
}

static const struct {
    char kind;
    bool set; /* flags joined by |, else one of a list */
    const char *names;
    const char *zero;
} letters[] = {
    {'o', true, px_strace_open_flags, "0"}, {'z', true, px_strace_at_flags, "0"}, {'Q', true, prot_flags, "PROT_NONE"},
    {'X', true, access_modes, "F_OK"},      {'Z', true, wait_options, "0"},       {'W', false, px_strace_whences, NULL},
    {'H', false, mask_how, NULL},           {'e', false, px_strace_clocks, NULL}, {'i', false, limits, NULL},
    {'Y', false, advices, NULL},            {'C', false, families, NULL},         {'k', false, arch_codes, NULL},
};

bool px_put_letter(struct px_text *text, char kind, uint64_t value)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (letters[i].kind != kind)
            continue;
        if (letters[i].set)
            px_put_flags(text, letters[i].names, (uint32_t)value, letters[i].zero);
        else
            px_put_enum(text, letters[i].names, (uint32_t)value);
        return true;
    }
    if (kind == 'M')
        put_map_flags(text, (uint32_t)value);
    else if (kind == 'K')
        put_socket_type(text, (uint32_t)value);
    return kind == 'M' || kind == 'K';
}

PX_PUT(socket_flags)
{
    px_put_flags(text, socket_flags, (uint32_t)trace->argument[index], "0");
    return true;
}
