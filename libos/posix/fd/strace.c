/* --strace: a line for each call, signal and exit, in strace's format, to the host's standard error; and the
 * summary of missing calls. */
#include "entry/thread.h"
#include "strace.h"

#include "proto/tty.h"

#define LINE_MAX 2048u
#define RESULT_COLUMN 39
#define MAP_FAILED_BASE 4096

bool px_strace_on;
bool px_missing_wanted;

#define LOG_RETRY_NS 1000000ull

/* The call under way, of the thread that spoke last. A line is made when it returns; of calls that do not return, or destroy what their
 * arguments point to, when they begin. */
static struct {
    uint64_t number;
    uint64_t argument[6];
    char *line;   /* of LINE_MAX bytes, made when first needed */
    size_t begun; /* bytes of `line` that are filled already, by */
    int32_t by;
} call;

static int32_t speaker(void)
{
    return px_threads.many ? px_thread()->tid : px_self()->pid;
}

/* When the host reads slowly there is no room for a while: wait as long, as a write to a pipe would. */
static void send(const char *line, size_t length)
{
    struct exo_message message = {.word = {PX_TTY_LOG, 0, length, 0, 0}};

    memcpy(px_msg(), line, length);
    while (px_call_server(PX_SLOT_TTY, &message) == -EAGAIN) {
        message = (struct exo_message){.word = {PX_TTY_LOG, 0, length, 0, 0}};
        (void)!exo_wait(NULL, 0, px_now_ns() + LOG_RETRY_NS);
    }
}

void px_log(const char *format, ...)
{
    char line[512];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    send(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static bool line_start(struct px_text *text)
{
    if (!call.line)
        call.line = px_alloc(LINE_MAX);
    call.begun = 0;
    *text = (struct px_text){.at = call.line, .room = LINE_MAX - 1};
    if (!call.line)
        return false;
    if (px_threads.many || px_proctab()->count > 1 || px_self()->pid != px_proctab()->first_pid)
        px_text_add(text, "[pid %5d] ", speaker());
    return true;
}

static void line_end(struct px_text *text)
{
    if (text->full)
        text->used = text->room - 1;
    text->at[text->used++] = '\n';
    send(text->at, text->used);
}

static void add_arguments(struct px_text *text, bool leaving, int64_t result)
{
    const struct px_trace trace = {.argument = call.argument, .result = result, .leaving = leaving};
    bool known = call.number < px_calls_count;
    const char *kinds = known ? px_calls[call.number].format : "xxxxxx";

    if (known)
        px_text_add(text, "%s(", px_calls[call.number].name);
    else
        px_text_add(text, "syscall_%#lx(", (unsigned long)call.number);
    for (unsigned i = 0; kinds[i] && i < 6; i++) {
        if (i && kinds[i] != 'r')
            px_text_add(text, ", ");
        px_strace_argument(text, kinds[i], i, &trace);
    }
    px_text_add(text, ")");
}

static void pad(struct px_text *text, size_t start)
{
    while (text->used - start < RESULT_COLUMN && text->used < text->room)
        px_text_put(text, " ", 1);
}

static bool is_number(uint64_t number, uint32_t a, uint32_t b)
{
    return number == a || number == b;
}

void px_strace_enter(uint64_t number, const uint64_t arguments[6])
{
    struct px_text text;

    call.number = number;
    memcpy(call.argument, arguments, sizeof call.argument);
    call.begun = 0;
    if (!is_number(number, PX_NR_exit, PX_NR_exit_group) && !is_number(number, PX_NR_execve, PX_NR_execveat))
        return;
    if (!line_start(&text))
        return;
    add_arguments(&text, false, 0);
    if (is_number(number, PX_NR_exit, PX_NR_exit_group)) {
        pad(&text, 0);
        px_text_add(&text, " = ?");
        line_end(&text);
    } else {
        call.begun = text.used;
        call.by = speaker();
    }
}

static const char *restart_name(int64_t result)
{
    switch (-result) {
    case PX_ERESTARTSYS:
        return "ERESTARTSYS (To be restarted if SA_RESTART is set)";
    case PX_ERESTARTNOINTR:
        return "ERESTARTNOINTR (To be restarted)";
    case PX_ERESTARTNOHAND:
        return "ERESTARTNOHAND (To be restarted if no handler)";
    case PX_ERESTART_BLOCK:
        return "ERESTART_RESTARTBLOCK (Interrupted by signal)";
    default:
        return NULL;
    }
}

static bool returns_address(uint64_t number)
{
    return is_number(number, PX_NR_mmap, PX_NR_brk) || number == PX_NR_mremap;
}

static void add_result(struct px_text *text, uint64_t number, int64_t result)
{
    if (restart_name(result))
        px_text_add(text, " = ? %s", restart_name(result));
    else if (result < 0 && result >= -MAP_FAILED_BASE && px_error_name((int)-result))
        px_text_add(text, " = -1 %s (%s)", px_error_name((int)-result), px_error_text((int)-result));
    else if (returns_address(number))
        px_text_add(text, " = %#lx", (unsigned long)result);
    else if (number == PX_NR_umask)
        px_text_add(text, " = 0%03o", (unsigned)result);
    else
        px_text_add(text, " = %ld", (long)result);
}

void px_strace_exit(uint64_t number, const uint64_t arguments[6], int64_t result)
{
    struct px_text text;

    call.number = number; /* another thread may have spoken meanwhile */
    memcpy(call.argument, arguments, sizeof call.argument);
    if (call.begun && call.line && call.by == speaker()) {
        text = (struct px_text){.at = call.line, .used = call.begun, .room = LINE_MAX - 1};
    } else {
        if (!line_start(&text))
            return;
        add_arguments(&text, true, result);
    }
    call.begun = 0;
    pad(&text, 0);
    add_result(&text, number, result);
    line_end(&text);
}

static const char *code_name(int signo, int code)
{
    static const char *const child[] = {NULL,          "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
                                        "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};

    if (signo == SIGCHLD && code > 0 && code < (int)(sizeof child / sizeof *child))
        return child[code];
    if (signo == SIGSEGV && (code == 1 || code == 2))
        return code == 1 ? "SEGV_MAPERR" : "SEGV_ACCERR";
    switch (code) {
    case 0:
        return "SI_USER";
    case 128:
        return "SI_KERNEL";
    case -1:
        return "SI_QUEUE";
    case -6:
        return "SI_TKILL";
    default:
        return NULL;
    }
}

void px_strace_signal(int signo, const struct px_siginfo *info)
{
    struct px_text text;
    const char *name = px_signal_name(signo), *code = code_name(signo, info->code);
    char number[16];

    if (!px_strace_on || !line_start(&text))
        return;
    exo_format(number, sizeof number, signo == SIGRTMIN ? "SIGRTMIN" : "SIGRT_%d", signo - SIGRTMIN);
    px_text_add(&text, "--- %s {si_signo=%s, ", name ? name : number, name ? name : number);
    if (code)
        px_text_add(&text, "si_code=%s", code);
    else
        px_text_add(&text, "si_code=%d", info->code);
    if (signo == SIGCHLD && info->code > 0) {
        const char *killer = info->code == 1 ? NULL : px_signal_name(info->status);

        px_text_add(&text, ", si_pid=%d, si_uid=%d", info->pid, info->uid);
        if (killer)
            px_text_add(&text, ", si_status=%s, si_utime=0, si_stime=0", killer);
        else
            px_text_add(&text, ", si_status=%d, si_utime=0, si_stime=0", info->status);
    } else if (info->code > 0 && info->code != 128) {
        px_text_add(&text, ", si_addr=%#lx", (unsigned long)info->value);
    } else if (info->code <= 0) {
        px_text_add(&text, ", si_pid=%d, si_uid=%d", info->pid, info->uid);
    }
    px_text_add(&text, "} ---");
    line_end(&text);
}

/* The summary: each call that was asked for and is not there, and how often. */
static void report_missing(void)
{
    for (unsigned number = 0; number < px_calls_count; number++) {
        if (px_missing[number])
            px_log("exo: pid %d (%.15s): %s (call %u) is missing, asked for %u time%s\n", px_self()->pid,
                   px_self()->comm, px_calls[number].name, number, px_missing[number],
                   px_missing[number] == 1 ? "" : "s");
    }
}

void px_strace_exited(int status)
{
    struct px_text text;
    int signo = status & 0x7f;

    if (px_missing_wanted)
        report_missing();
    if (!px_strace_on || !line_start(&text))
        return;
    if (signo == 0)
        px_text_add(&text, "+++ exited with %d +++", status >> 8 & 255);
    else
        px_text_add(&text, "+++ killed by %s%s +++",
                    px_signal_name(signo) ? px_signal_name(signo) : "a signal",
                    status & 0x80 ? " (core dumped)" : "");
    line_end(&text);
}
