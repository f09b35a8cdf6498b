/* How strace shows what makes processes and threads, waits for them, limits them and lets them wait for each other. */
#include "strace_put.h"

const char px_strace_clone_flags[] = "CLONE_???|100 VM|200 FS|400 FILES|800 SIGHAND|1000 PIDFD|2000 PTRACE|4000 VFORK|"
    "8000 PARENT|10000 THREAD|20000 NEWNS|40000 SYSVSEM|80000 SETTLS|100000 PARENT_SETTID|200000 CHILD_CLEARTID|800000 UNTRACED|"
    "1000000 CHILD_SETTID|2000000 NEWCGROUP|4000000 NEWUTS|8000000 NEWIPC|10000000 NEWUSER|20000000 NEWPID|40000000 NEWNET|80000000 IO|"
    "100000000 CLEAR_SIGHAND|200000000 INTO_CGROUP";
enum { PIDFD = 0x1000, SETTLS = 0x80000, PARENT_SETTID = 0x100000, CHILD_CLEARTID = 0x200000, CHILD_SETTID = 0x1000000 };

/* ---- beginnings ---- */

static void put_told_id(struct px_text *text, px_user at, bool failed)
{
    int32_t id;

    if (failed)
        px_put_address(text, at);
    else if (px_put_read(text, &id, at, sizeof id))
        px_text_add(text, "[%d]", id);
}

PX_PUT(clone)
{
    const uint64_t *argument = trace->argument;
    uint64_t flags = argument[0] & ~0xffull & 0xffffffff;

    if (!trace->leaving) {
        px_text_add(text, "child_stack=");
        px_put_address(text, argument[1]);
        px_text_add(text, ", flags=");
        px_put_flags(text, px_strace_clone_flags, flags, argument[0] & 0xff ? "" : "0");
        if (argument[0] & 0xff) {
            px_text_add(text, flags ? "|" : "");
            px_put_signal(text, (int)(argument[0] & 0xff));
        }
        return !(flags & (PARENT_SETTID | PIDFD | SETTLS | CHILD_SETTID | CHILD_CLEARTID));
    }
    if (flags & (PARENT_SETTID | PIDFD)) {
        px_text_add(text, ", parent_tid=");
        put_told_id(text, argument[2], trace->failed);
    }
    if (flags & SETTLS) {
        px_text_add(text, ", tls=");
        px_put_hex(text, argument[4]);
    }
    if (flags & (CHILD_SETTID | CHILD_CLEARTID)) {
        px_text_add(text, ", child_tidptr=");
        px_put_address(text, argument[3]);
    }
    return true;
}

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static void put_clone_arguments(struct px_text *text, const struct clone_arguments *given)
{
    px_text_add(text, "{flags=");
    px_put_flags(text, px_strace_clone_flags, given->flags, "0");
    if (given->flags & PIDFD) {
        px_text_add(text, ", pidfd=");
        px_put_address(text, given->pidfd);
    }
    if (given->flags & (CHILD_SETTID | CHILD_CLEARTID)) {
        px_text_add(text, ", child_tid=");
        px_put_address(text, given->child_tid);
    }
    if (given->flags & PARENT_SETTID) {
        px_text_add(text, ", parent_tid=");
        px_put_address(text, given->parent_tid);
    }
    px_text_add(text, ", exit_signal=");
    px_put_signal(text, (int)given->exit_signal);
    px_text_add(text, ", stack=");
    px_put_address(text, given->stack);
    px_text_add(text, ", stack_size=");
    px_put_hex(text, given->stack_size);
    if (given->flags & SETTLS) {
        px_text_add(text, ", tls=");
        px_put_hex(text, given->tls);
    }
    px_text_add(text, "}");
}

/* The structure, and what it made the call tell. */
PX_PUT(clone3)
{
    px_user from = trace->argument[index];
    struct clone_arguments given;

    if (!trace->leaving) {
        if (trace->argument[index + 1] < sizeof given) {
            px_put_address(text, from);
            return true;
        }
        if (!px_put_read(text, &given, from, sizeof given))
            return true;
        put_clone_arguments(text, &given);
        return !(given.flags & (PIDFD | PARENT_SETTID));
    }
    if (trace->failed || px_copy_in(&given, from, sizeof given) != 0)
        return true;
    px_text_add(text, " => {");
    if (given.flags & PIDFD) {
        px_text_add(text, "pidfd=");
        put_told_id(text, given.pidfd, false);
        px_text_add(text, given.flags & PARENT_SETTID ? ", " : "");
    }
    if (given.flags & PARENT_SETTID) {
        px_text_add(text, "parent_tid=");
        put_told_id(text, given.parent_tid, false);
    }
    px_text_add(text, "}");
    return true;
}

/* ---- ends ---- */

static void put_status(struct px_text *text, uint32_t status)
{
    static const char events[] = "PTRACE_EVENT_???|1 FORK|2 VFORK|3 CLONE|4 EXEC|5 VFORK_DONE|6 EXIT|7 SECCOMP|80 STOP";
    uint32_t low = status & 0xffff;

    if ((low & 0xff) == 0x7f) {
        px_text_add(text, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        px_put_signal(text, (int)(low >> 8 & 0x7f));
        px_text_add(text, low & 0x8000 ? " | 0x80}" : "}");
    } else if ((low & 0x7f) == 0) {
        px_text_add(text, "{WIFEXITED(s) && WEXITSTATUS(s) == %u}", low >> 8);
    } else if (low == 0xffff) {
        px_text_add(text, "{WIFCONTINUED(s)}");
    } else {
        px_text_add(text, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
        px_put_signal(text, (int)(low & 0x7f));
        px_text_add(text, low & 0x80 ? " && WCOREDUMP(s)}" : "}");
    }
    if (status >> 16) {
        px_text_add(text, " | ");
        px_put_enum(text, events, status >> 16);
        px_text_add(text, " << 16");
    }
}

void px_put_wait_status(struct px_text *text, px_user from, const struct px_trace *trace)
{
    uint32_t status;

    if (trace->failed || trace->argument[PX_STRACE_RESULT] == 0) {
        px_put_address(text, from);
    } else if (px_put_read(text, &status, from, sizeof status)) {
        px_text_add(text, "[");
        put_status(text, status);
        px_text_add(text, "]");
    }
}

PX_PUT(rusage)
{
    int64_t used[4]; /* of the user's time and of the system's: seconds, microseconds */

    if (px_put_read(text, used, trace->argument[index], sizeof used))
        px_text_add(text, "{ru_utime={tv_sec=%ld, tv_usec=%ld}, ru_stime={tv_sec=%ld, tv_usec=%ld}, ...}", (long)used[0], (long)used[1], (long)used[2],
                    (long)used[3]);
    return true;
}

/* ---- limits, times, the machine ---- */

static void put_limit(struct px_text *text, uint64_t limit)
{
    if (limit == ~0ull)
        px_text_add(text, "RLIM64_INFINITY");
    else if (limit > 1024 && limit % 1024 == 0)
        px_text_add(text, "%lu*1024", (unsigned long)(limit / 1024));
    else
        px_text_add(text, "%lu", (unsigned long)limit);
}

PX_PUT(rlimit)
{
    uint64_t limit[2];

    if (!px_put_read(text, limit, trace->argument[index], sizeof limit))
        return true;
    px_text_add(text, "{rlim_cur=");
    put_limit(text, limit[0]);
    px_text_add(text, ", rlim_max=");
    put_limit(text, limit[1]);
    px_text_add(text, "}");
    return true;
}

PX_PUT(tms)
{
    static const char *const names[4] = {"{tms_utime=", ", tms_stime=", ", tms_cutime=", ", tms_cstime="};
    int64_t times[4];

    if (!px_put_read(text, times, trace->argument[index], sizeof times))
        return true;
    for (unsigned i = 0; i < 4; i++) {
        px_text_add(text, "%s", names[i]);
        px_put_ticks(text, times[i]);
    }
    px_text_add(text, "}");
    return true;
}

PX_PUT(sysinfo)
{
    struct {
        int64_t uptime;
        uint64_t loads[3], ram, ram_free, shared, buffers, swap, swap_free;
        uint16_t processes, pad;
        uint64_t high, high_free;
        uint32_t unit;
    } info;

    if (!px_put_read(text, &info, trace->argument[index], sizeof info))
        return true;
    px_text_add(text, "{uptime=%ld, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu, sharedram=%lu, bufferram=%lu, ", (long)info.uptime,
                (unsigned long)info.loads[0], (unsigned long)info.loads[1], (unsigned long)info.loads[2], (unsigned long)info.ram,
                (unsigned long)info.ram_free, (unsigned long)info.shared, (unsigned long)info.buffers);
    px_text_add(text, "totalswap=%lu, freeswap=%lu, procs=%u, totalhigh=%lu, freehigh=%lu, mem_unit=%u}", (unsigned long)info.swap,
                (unsigned long)info.swap_free, info.processes, (unsigned long)info.high, (unsigned long)info.high_free, info.unit);
    return true;
}

/* ---- scheduling ---- */

const char px_strace_policies[] = "SCHED_???|0 OTHER|1 FIFO|2 RR|3 BATCH|5 IDLE|6 DEADLINE";

PX_PUT(policy_result)
{
    px_text_add(text, "%ld (", (long)trace->argument[index]);
    px_put_enum(text, px_strace_policies, trace->argument[index] & ~0x40000000ull);
    (void)!px_put_more(text, "|40000000 SCHED_RESET_ON_FORK",
                       trace->argument[index] & 0x40000000);
    px_text_add(text, ")");
    return true;
}

static void put_personality(struct px_text *text, uint32_t value)
{
    static const char flags[] = "|20000 UNAME26|40000 ADDR_NO_RANDOMIZE|80000 FDPIC_FUNCPTRS|100000 MMAP_PAGE_ZERO|"
        "200000 ADDR_COMPAT_LAYOUT|400000 READ_IMPLIES_EXEC|800000 ADDR_LIMIT_32BIT|1000000 SHORT_INODE|2000000 WHOLE_SECONDS|"
        "4000000 STICKY_TIMEOUTS|8000000 ADDR_LIMIT_3GB";

    px_put_enum(text, "PER_???|0 LINUX|8 LINUX32", value & 0xff);
    (void)!px_put_more(text, flags, value & ~0xffu);
}

PX_PUT(personality)
{
    if ((uint32_t)trace->argument[index] == ~0u)
        px_text_add(text, "0xffffffff");
    else
        put_personality(text, (uint32_t)trace->argument[index]);
    return true;
}

PX_PUT(personality_result)
{
    px_put_hex(text, trace->argument[index]);
    px_text_add(text, " (");
    put_personality(text, (uint32_t)trace->argument[index]);
    px_text_add(text, ")");
    return true;
}

static const char barriers[] = "MEMBARRIER_CMD_???|1 GLOBAL|2 GLOBAL_EXPEDITED|4 REGISTER_GLOBAL_EXPEDITED|"
    "8 PRIVATE_EXPEDITED|10 REGISTER_PRIVATE_EXPEDITED|20 PRIVATE_EXPEDITED_SYNC_CORE|40 REGISTER_PRIVATE_EXPEDITED_SYNC_CORE|"
    "80 PRIVATE_EXPEDITED_RSEQ|100 REGISTER_PRIVATE_EXPEDITED_RSEQ|0 QUERY";

PX_PUT(membarrier)
{
    px_put_enum(text, barriers, (uint32_t)trace->argument[index]);
    px_text_add(text, ", ");
    px_put_flags(text, "MEMBARRIER_CMD_FLAG_???|1 CPU",
                 (uint32_t)trace->argument[index + 1], "0");
    if (trace->argument[index + 1] & 1)
        px_text_add(text, ", %d", (int)trace->argument[index + 2]);
    return true;
}

PX_PUT(membarrier_result)
{
    px_put_hex(text, trace->argument[index]);
    if (!trace->argument[index])
        return true;
    px_text_add(text, " (");
    px_put_flags(text, barriers, trace->argument[index], "");
    px_text_add(text, ")");
    return true;
}

/* ---- futexes ---- */

enum { WAIT, WAKE, FUTEX_FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET, WAIT_REQUEUE_PI,
       CMP_REQUEUE_PI, LOCK_PI2 };

static void put_futex_name(struct px_text *text, uint32_t operation)
{
    static const char *const names[] = {"WAIT", "WAKE", "FD", "REQUEUE", "CMP_REQUEUE", "WAKE_OP", "LOCK_PI", "UNLOCK_PI", "TRYLOCK_PI", "WAIT_BITSET",
                                        "WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI", "LOCK_PI2"};
    uint32_t which = operation & ~0x180u;

    if (which < sizeof names / sizeof *names)
        px_text_add(text, "FUTEX_%s%s%s", names[which], operation & 128 ? "_PRIVATE" : "", operation & 256 ? "|FUTEX_CLOCK_REALTIME" : "");
    else
        px_text_add(text, "%#x /* FUTEX_??? */", operation);
}

static void put_bitset(struct px_text *text, uint32_t bits)
{
    px_text_add(text, bits == ~0u ? ", FUTEX_BITSET_MATCH_ANY" : bits ? ", %#x" : ", 0", bits);
}

static void put_wake_operation(struct px_text *text, uint32_t coded)
{
    static const char *const does[] = {"SET", "ADD", "OR", "ANDN", "XOR"}, *const compares[] = {"EQ", "NE", "LT", "LE", "GT", "GE"};
    uint32_t what = coded >> 28 & 7, how = coded >> 24 & 15;

    px_text_add(text, coded >> 31 ? ", FUTEX_OP_OPARG_SHIFT<<28|" : ", ");
    if (what < 5)
        px_text_add(text, "FUTEX_OP_%s<<28|", does[what]);
    else
        px_text_add(text, "%#x<<28|", what);
    px_put_hex(text, coded >> 12 & 0xfff);
    if (how < 6)
        px_text_add(text, "<<12|FUTEX_OP_CMP_%s<<24|", compares[how]);
    else
        px_text_add(text, "<<12|%#x<<24|", how);
    px_put_hex(text, coded & 0xfff);
}

static void put_futex_time(struct px_text *text, px_user from)
{
    px_text_add(text, ", ");
    px_put_timespec(text, from);
}

/* From the operation on. */
PX_PUT(futex)
{
    const uint64_t *argument = trace->argument;
    uint32_t operation = (uint32_t)argument[1], which = operation & ~0x180u, value = (uint32_t)argument[2], second = (uint32_t)argument[3],
             third = (uint32_t)argument[5];

    put_futex_name(text, operation);
    if (which == UNLOCK_PI || which == TRYLOCK_PI)
        return true;
    if (which != LOCK_PI && which != LOCK_PI2)
        px_text_add(text, ", %u", value);
    switch (which) {
    case WAIT:
    case LOCK_PI:
    case LOCK_PI2:
        put_futex_time(text, argument[3]);
        break;
    case WAIT_BITSET:
        put_futex_time(text, argument[3]);
        put_bitset(text, third);
        break;
    case WAIT_REQUEUE_PI:
        put_futex_time(text, argument[3]);
        px_text_add(text, ", ");
        px_put_address(text, argument[4]);
        break;
    case WAKE:
    case FUTEX_FD:
        break;
    case WAKE_BITSET:
        put_bitset(text, third);
        break;
    case REQUEUE:
    case CMP_REQUEUE:
    case CMP_REQUEUE_PI:
    case WAKE_OP:
        px_text_add(text, ", %u, ", second);
        px_put_address(text, argument[4]);
        if (which == WAKE_OP)
            put_wake_operation(text, third);
        else if (which != REQUEUE)
            px_text_add(text, ", %u", third);
        break;
    default:
        for (unsigned i = 3; i < 6; i++) {
            px_text_add(text, ", ");
            px_put_hex(text, argument[i]);
        }
        break;
    }
    return true;
}
