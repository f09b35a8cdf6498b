/* How strace shows signals, sets of them, and what comes with them. */
#include "strace_put.h"

#define RESTORER 0x04000000u
#define SIGEV_SIGNAL 0
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

static const char action_flags[] = "SA_???|4000000 RESTORER|8000000 ONSTACK|10000000 RESTART|40000000 NODEFER|"
    "80000000 RESETHAND|4 SIGINFO|2 NOCLDWAIT|1 NOCLDSTOP";

void px_put_signal(struct px_text *text, int signo)
{
    if (px_signal_name(signo))
        px_text_add(text, "%s", px_signal_name(signo));
    else if (signo >= SIGRTMIN && signo <= SIGRTMAX)
        px_text_add(text, signo == SIGRTMIN ? "SIGRTMIN" : "SIGRT_%d", signo - SIGRTMIN);
    else
        px_text_add(text, "%d", signo);
}

void px_put_set_value(struct px_text *text, uint64_t set)
{
    const char *before = "";
    unsigned members = 0;
    bool inverted;

    for (int signo = 1; signo <= SIGRTMAX; signo++)
        members += (set & PX_SIGBIT(signo)) != 0;
    inverted = members >= 64 * 2 / 3; /* short: what is not in it */
    px_text_add(text, inverted ? "~[" : "[");
    for (int signo = 1; signo <= SIGRTMAX; signo++) {
        bool member = set & PX_SIGBIT(signo);

        if (member == inverted)
            continue;
        px_text_add(text, "%s", before);
        if (px_signal_name(signo))
            px_text_add(text, "%s", px_signal_name(signo) + 3);
        else
            px_text_add(text, signo == SIGRTMIN ? "RTMIN" : "RT_%d", signo - SIGRTMIN);
        before = " ";
    }
    px_text_add(text, "]");
}

void px_put_set(struct px_text *text, px_user from, uint64_t bytes)
{
    uint64_t set;

    if (bytes != sizeof set)
        px_put_address(text, from);
    else if (px_put_read(text, &set, from, sizeof set))
        px_put_set_value(text, set);
}

/* A set whose size is the call's fourth argument. */
PX_PUT(mask)
{
    px_put_set(text, trace->argument[index], trace->argument[3]);
    return true;
}

void px_put_action(struct px_text *text, px_user from)
{
    uint64_t action[4]; /* handler, flags, restorer, mask */

    if (!px_put_read(text, action, from, sizeof action))
        return;
    px_text_add(text, "{sa_handler=");
    if (action[0] <= 1)
        px_text_add(text, action[0] ? "SIG_IGN" : "SIG_DFL");
    else
        px_put_address(text, action[0]);
    px_text_add(text, ", sa_mask=");
    px_put_set_value(text, action[3]);
    px_text_add(text, ", sa_flags=");
    px_put_flags(text, action_flags, action[1], "0");
    if (action[1] & RESTORER) {
        px_text_add(text, ", sa_restorer=");
        px_put_address(text, action[2]);
    }
    px_text_add(text, "}");
}

PX_PUT(sigreturn)
{
    uint64_t mask;

    px_text_add(text, "{mask=");
    if (px_arch_frame_mask(&mask) == 0)
        px_put_set_value(text, mask);
    px_text_add(text, "}");
    return true;
}

PX_PUT(signal_result)
{
    px_text_add(text, "%ld (", (long)trace->argument[index]);
    px_put_signal(text, (int)trace->argument[index]);
    px_text_add(text, ")");
    return true;
}

PX_PUT(altstack)
{
    static const char flags[] = "SS_???|1 ONSTACK|2 DISABLE|80000000 AUTODISARM";
    uint64_t stack[3]; /* pointer, flags, size */

    if (!px_put_read(text, stack, trace->argument[index], sizeof stack))
        return true;
    px_text_add(text, "{ss_sp=");
    px_put_address(text, stack[0]);
    px_text_add(text, ", ss_flags=");
    px_put_flags(text, flags, (uint32_t)stack[1], "0");
    px_text_add(text, ", ss_size=%lu}", (unsigned long)stack[2]);
    return true;
}

PX_PUT(sigevent)
{
    static const char ways[] = "SIGEV_???|0 SIGNAL|1 NONE|2 THREAD|4 THREAD_ID";
    struct {
        uint64_t value;
        int32_t signo, notify;
        uint64_t function, attributes;
        uint64_t rest[4];
    } event;

    if (!px_put_read(text, &event, trace->argument[index], sizeof event))
        return true;
    px_text_add(text, "{");
    if (event.value)
        px_text_add(text, "sigev_value={sival_int=%d, sival_ptr=%#lx}, ", (int)event.value, (unsigned long)event.value);
    px_text_add(text, "sigev_signo=");
    if (event.notify == SIGEV_SIGNAL || event.notify == SIGEV_THREAD_ID)
        px_put_signal(text, event.signo);
    else
        px_text_add(text, "%d", event.signo);
    px_text_add(text, ", sigev_notify=");
    px_put_enum(text, ways, (uint32_t)event.notify);
    if (event.notify == SIGEV_THREAD_ID)
        px_text_add(text, ", sigev_notify_thread_id=%d", (int)event.function);
    if (event.notify == SIGEV_THREAD) {
        px_text_add(text, ", sigev_notify_function=");
        px_put_address(text, event.function);
        px_text_add(text, ", sigev_notify_attributes=");
        px_put_address(text, event.attributes);
    }
    px_text_add(text, "}");
    return true;
}

/* ---- siginfo ---- */

struct info { /* as a program sees it, with the names of the widest of each field's uses */
    int32_t signo, error, code, pad;
    union {
        struct {
            int32_t pid, uid; /* timers: number, overrun */
            union {
                int32_t status;
                uint64_t value;
            };
            int64_t user, system;
        };
        uint64_t address; /* polls: band */
    };
    uint8_t rest[128 - 48];
};
_Static_assert(sizeof(struct info) == 128, "siginfo_t");

static const char codes[] = "|0 SI_USER|80 SI_KERNEL|ffffffff SI_QUEUE|fffffffe SI_TIMER|fffffffd SI_MESGQ|"
    "fffffffc SI_ASYNCIO|fffffffb SI_SIGIO|fffffffa SI_TKILL";
static const char child[] = "|1 CLD_EXITED|2 CLD_KILLED|3 CLD_DUMPED|4 CLD_TRAPPED|5 CLD_STOPPED|6 CLD_CONTINUED";
static const char segment[] = "|1 SEGV_MAPERR|2 SEGV_ACCERR|3 SEGV_BNDERR|4 SEGV_PKUERR";
static const char bus[] = "|1 BUS_ADRALN|2 BUS_ADRERR|3 BUS_OBJERR|4 BUS_MCEERR_AR|5 BUS_MCEERR_AO";
static const char floating[] = "|1 FPE_INTDIV|2 FPE_INTOVF|3 FPE_FLTDIV|4 FPE_FLTOVF|5 FPE_FLTUND|6 FPE_FLTRES|7 FPE_FLTINV|"
    "8 FPE_FLTSUB";
static const char illegal[] = "|1 ILL_ILLOPC|2 ILL_ILLOPN|3 ILL_ILLADR|4 ILL_ILLTRP|5 ILL_PRVOPC|6 ILL_PRVREG|7 ILL_COPROC|"
    "8 ILL_BADSTK";
static const char trap[] = "|1 TRAP_BRKPT|2 TRAP_TRACE|3 TRAP_BRANCH|4 TRAP_HWBKPT";

static void put_code(struct px_text *text, const struct info *info)
{
    static const char *const of_signal[SIGCHLD + 1] = {
        [SIGILL] = illegal, [SIGTRAP] = trap, [SIGBUS] = bus, [SIGFPE] = floating, [SIGSEGV] = segment, [SIGCHLD] = child,
    };
    const char *own = info->signo > 0 && info->signo <= SIGCHLD ? of_signal[info->signo] : NULL;
    uint32_t code = (uint32_t)info->code;

    if (!px_put_name(text, codes, code) && !(own && px_put_name(text, own, code)))
        px_put_hex(text, code);
}

static void put_source(struct px_text *text, const struct info *info)
{
    px_text_add(text, ", si_pid=%d, si_uid=%d", info->pid, info->uid);
}

static void put_value(struct px_text *text, const struct info *info)
{
    px_text_add(text, ", si_int=%d, si_ptr=", info->status);
    px_put_address(text, info->value);
}

static void put_from_program(struct px_text *text, const struct info *info)
{
    if (info->code == -2) { /* SI_TIMER */
        px_text_add(text, ", si_timerid=");
        px_put_hex(text, (uint32_t)info->pid);
        px_text_add(text, ", si_overrun=%d", info->uid);
        put_value(text, info);
        return;
    }
    put_source(text, info);
    if (info->code != 0 && info->code != -6 && info->value) /* neither SI_USER nor SI_TKILL */
        put_value(text, info);
}

static void put_child(struct px_text *text, const struct info *info)
{
    put_source(text, info);
    px_text_add(text, ", si_status=");
    if (info->code == 1) /* CLD_EXITED */
        px_text_add(text, "%d", info->status);
    else
        px_put_signal(text, info->status);
    px_text_add(text, ", si_utime=");
    px_put_ticks(text, info->user);
    px_text_add(text, ", si_stime=");
    px_put_ticks(text, info->system);
}

void px_put_siginfo_bytes(struct px_text *text, const uint8_t from[128])
{
    struct info info;

    memcpy(&info, from, sizeof info);
    px_text_add(text, "{");
    if (info.signo) {
        px_text_add(text, "si_signo=");
        px_put_signal(text, info.signo);
        px_text_add(text, ", si_code=");
        put_code(text, &info);
        if (info.error)
            px_text_add(text, ", si_errno=%d", info.error);
        if (info.code <= 0) {
            put_from_program(text, &info);
        } else if (info.signo == SIGCHLD) {
            put_child(text, &info);
        } else if (info.signo == SIGILL || info.signo == SIGFPE || info.signo == SIGBUS || info.signo == SIGSEGV || info.signo == SIGTRAP) {
            px_text_add(text, ", si_addr=");
            px_put_address(text, info.address);
        } else {
            if (info.pid || info.uid)
                put_source(text, &info);
            if (info.value)
                put_value(text, &info);
        }
    }
    px_text_add(text, "}");
}

PX_PUT(siginfo)
{
    uint8_t info[128];

    if (px_put_read(text, info, trace->argument[index], sizeof info))
        px_put_siginfo_bytes(text, info);
    return true;
}
