/* What the system is called and how busy it is, random bytes, and other small calls. */
#include "entry/thread.h"
#include "system.h"

#include "proto/fsmeta.h"
#include "proto/proc.h"

#define GRND_VALID 7u
#define LOADS_SHIFT 16

struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

char px_domain_name[65] = "(none)";

PX_SYS(uname)
{
    struct utsname name = {.sysname = "Linux", .release = PX_RELEASE, .version = PX_VERSION};

    if (px_personality & PX_UNAME26)
        memcpy(name.release, PX_RELEASE_26, sizeof PX_RELEASE_26);
    memcpy(name.nodename, px_proctab()->hostname, sizeof name.nodename - 1);
    memcpy(name.domainname, px_domain_name, sizeof px_domain_name);
    memcpy(name.machine, px_arch_platform, strnlen(px_arch_platform, sizeof name.machine - 1));
    return px_copy_out(a, &name, sizeof name);
}

static int64_t read_name(char name[65], px_user from, uint64_t bytes)
{
    if (px_self()->euid != 0)
        return -EPERM;
    if ((int64_t)bytes < 0 || bytes > 64)
        return -EINVAL;
    memset(name, 0, 65);
    return px_copy_in(name, from, bytes);
}

PX_SYS(sethostname)
{
    struct exo_message message = {.word = {PX_PROC_SETHOSTNAME, b, 0, 0, 0}};
    char name[65];
    int64_t result = read_name(name, a, b);

    if (result < 0)
        return result;
    memcpy(px_msg(), name, sizeof name);
    result = px_call_server(PX_SLOT_PROC, &message);
    return result < 0 ? result : 0;
}

PX_SYS(setdomainname)
{
    char name[65];
    int64_t result = read_name(name, a, b);

    if (result == 0)
        memcpy(px_domain_name, name, sizeof name);
    return result;
}

/* ---- how busy ---- */

void px_memory_figures(struct px_figures *figures)
{
    const struct px_meta *meta = (const struct px_meta *)PX_META;
    const struct exo_info *info = px_info();

    figures->total = info->frames_total * PX_PAGE;
    figures->free = (uint64_t)info->frames_free * PX_PAGE;
    figures->cached = meta->version == PX_META_VERSION ? meta->data_pages * PX_PAGE : 0;
    if (figures->free > figures->total)
        figures->free = figures->total;
    if (figures->cached > figures->total - figures->free)
        figures->cached = figures->total - figures->free;
}

struct sysinfo {
    int64_t uptime;
    uint64_t loads[3];
    uint64_t total, free, shared, buffers, total_swap, free_swap;
    uint16_t processes, pad;
    uint32_t pad2;
    uint64_t total_high, free_high;
    uint32_t unit, pad3;
};

PX_SYS(sysinfo)
{
    struct sysinfo info = {.uptime = (int64_t)(px_now_ns() / PX_SECOND), .unit = 1};
    struct px_figures figures;

    px_memory_figures(&figures);
    info.total = figures.total;
    info.free = figures.free;
    info.processes = (uint16_t)px_proctab()->count;
    for (unsigned i = 0; i < 3; i++)
        info.loads[i] = (uint64_t)px_info()->load << LOADS_SHIFT;
    return px_copy_out(a, &info, sizeof info);
}

/* The kernel's log is on the serial line, not here: what could be read is empty. */
PX_SYS(syslog)
{
    enum { CLOSE, OPEN, READ, READ_ALL, READ_CLEAR, CLEAR, CONSOLE_OFF, CONSOLE_ON, CONSOLE_LEVEL, SIZE_UNREAD, SIZE_BUFFER };

    if (px_self()->euid)
        return -EPERM;
    switch ((int)a) {
    case CLOSE:
    case OPEN:
    case CLEAR:
    case CONSOLE_OFF:
    case CONSOLE_ON:
    case SIZE_UNREAD: return 0;
    case READ:
    case READ_ALL:
    case READ_CLEAR: return !b || (int)c < 0 ? -EINVAL : px_access(b, (unsigned)c);
    case CONSOLE_LEVEL: return (int)c < 1 || (int)c > 8 ? -EINVAL : 0;
    case SIZE_BUFFER: return PX_PAGE;
    default: return -EINVAL;
    }
}

PX_SYS(getcpu)
{
    const uint32_t zero = 0;

    if (a && px_copy_out(a, &zero, sizeof zero) != 0)
        return -EFAULT;
    return b && px_copy_out(b, &zero, sizeof zero) != 0 ? -EFAULT : 0;
}

enum { BARRIER_GLOBAL = 1, BARRIER_GLOBAL_EXPEDITED = 2, BARRIER_REGISTER_GLOBAL = 4, BARRIER_PRIVATE = 8, BARRIER_REGISTER_PRIVATE = 16, BARRIER_CORE = 32,
       BARRIER_REGISTER_CORE = 64, BARRIER_ALL = 127 };
#define OUTSIDE_HEAP 65536u /* bytes of a block that px_free unmaps */

/*
 * Entering the kernel orders everything, and leaving it serialises. Those who run this process's other threads enter it when memory of the process is unmapped.
 * What a program was registered for the next one is not.
 */
PX_SYS(membarrier)
{
    static uint32_t registered, program;
    uint32_t command = (uint32_t)a;

    if ((uint32_t)b)
        return -EINVAL;
    if (command == 0)
        return BARRIER_ALL;
    if (command & (command - 1) || command & ~(uint32_t)BARRIER_ALL)
        return -EINVAL;
    if (program != px_exec_count)
        registered = 0;
    program = px_exec_count;
    if (command & (BARRIER_PRIVATE | BARRIER_CORE) && !(registered & command << 1))
        return -EPERM;
    registered |= command;
    if (px_threads.many && px_info()->cpus > 1)
        px_free(px_alloc(OUTSIDE_HEAP));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}

#define RANDOM_PART 256u

PX_SYS(getrandom)
{
    uint8_t part[RANDOM_PART];
    uint64_t done = 0, bytes = b < 0x1ffffffull ? b : 0x1ffffffull;

    if (c & ~(uint64_t)GRND_VALID || (c & 6) == 6)
        return -EINVAL;
    while (done < bytes) {
        uint64_t n = bytes - done < sizeof part ? bytes - done : sizeof part;

        px_random_bytes(part, n);
        if (px_copy_out(a + done, part, n) != 0)
            return done ? (int64_t)done : -EFAULT;
        done += n;
    }
    return (int64_t)done;
}
