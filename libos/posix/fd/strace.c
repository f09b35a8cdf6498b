/* --strace: a line for each call, signal and exit, in strace's format, to the host's standard error; --strace-summary: what the host adds up (tools/exo/
 * strace_summary.py); and the summary of missing calls. */
#include "entry/thread.h"
#include "strace_put.h"
#include "trace_note.h"

#include "proto/link.h"
#include "proto/tty.h"

#define LINE_MAX 3072u
#define SIGNAL_LINE_MAX 256u
#define RESULT_COLUMN 39
#define ERROR_MOST 4095

uint32_t px_strace_on;
bool px_missing_wanted;

#define LOG_RETRY_NS 1000000ull

/* A thread's call under way. Its line is begun when the call is and finished when it returns; kept in a list, whose entries are used again. A
 * forked child has a copy of it, with the calls of threads that it has not. */
struct line {
    struct line *next;
    int32_t tid; /* 0: nobody's */
    uint64_t number, argument[PX_STRACE_RESULT + 1], kept;
    uint64_t begun_ns;
    struct px_text text;
    const char *format; /* where to go on when the call returns */
    unsigned index;
    char bytes[LINE_MAX];
};
static struct line *lines;
static int32_t owner; /* whose threads' they are */

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

static void line_start(struct px_text *text, char *bytes, size_t count)
{
    *text = (struct px_text){.at = bytes, .room = count - 1};
    if (px_threads.many || px_proctab()->count > 1 || px_self()->pid != px_proctab()->first_pid)
        px_text_add(text, "[pid %5d] ", speaker());
}

static void line_end(struct px_text *text)
{
    if (text->full)
        text->used = text->room - 1;
    text->at[text->used++] = '\n';
    send(text->at, text->used);
}

/* Of other threads, which are gone. */
static void forget_lines(void)
{
    for (struct line *line = lines; line; line = line->next)
        line->tid = 0;
    owner = px_self()->pid;
}

/* The speaker's line, or with `make` one that becomes it; NULL. */
static struct line *own_line(bool make)
{
    int32_t tid = speaker();
    struct line *line;

    if (owner != px_self()->pid)
        forget_lines();
    for (line = lines; line; line = line->next) {
        if (line->tid == tid)
            return line;
    }
    for (line = make ? lines : NULL; line; line = line->next) {
        if (line->tid == 0)
            break;
    }
    if (make && !line) {
        line = px_alloc(sizeof *line);
        if (line) {
            line->next = lines;
            lines = line;
        }
    }
    if (line)
        line->tid = tid;
    return line;
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

/* The program is gone when execve returns: all is shown before it. */
static bool runs_program(uint64_t number)
{
    return is_number(number, PX_NR_execve, PX_NR_execveat);
}

static void begin(struct line *line, uint64_t number, const uint64_t arguments[6])
{
    struct px_trace trace = {.argument = line->argument, .kept = &line->kept, .leaving = runs_program(number)};

    line->kept = 0;
    memcpy(line->argument, arguments, 6 * sizeof *arguments);
    line->argument[PX_STRACE_RESULT] = 0;
    line_start(&line->text, line->bytes, sizeof line->bytes);
    line->index = 0;
    line->format = number < px_calls_count ? px_calls[number].format : "xxxxxx";
    if (number < px_calls_count)
        px_text_add(&line->text, "%s(", px_calls[number].name);
    else
        px_text_add(&line->text, "syscall_%#lx(", (unsigned long)number);
    px_strace_arguments(&line->text, &line->format, &line->index, &trace);
}

/* Of a process or a thread, with what wait would tell. */
static void put_end(int status)
{
    char bytes[SIGNAL_LINE_MAX];
    struct px_text text;
    int signo = status & 0x7f;

    line_start(&text, bytes, sizeof bytes);
    if (signo == 0) {
        px_text_add(&text, "+++ exited with %d +++", status >> 8 & 255);
    } else {
        px_text_add(&text, "+++ killed by ");
        px_put_signal(&text, signo);
        px_text_add(&text, status & 0x80 ? " (core dumped) +++" : " +++");
    }
    line_end(&text);
}

static void show_exit(struct line *line, uint64_t number, int status)
{
    px_text_add(&line->text, ")");
    pad(&line->text, 0);
    px_text_add(&line->text, " = ?");
    line_end(&line->text);
    if (number == PX_NR_exit && px_threads.live > 1)
        put_end(status);
}

void px_strace_enter(uint64_t number, const uint64_t arguments[6])
{
    struct line *line;

    if (px_strace_on & PX_HELLO_TRACE)
        px_trace_note_call(number, arguments);
    if (!(px_strace_on & ~PX_HELLO_TRACE))
        return;
    line = own_line(true);
    if (!line)
        return;
    line->begun_ns = px_now_ns();
    line->number = number;
    if (px_strace_on & PX_HELLO_STRACE)
        begin(line, number, arguments);
    if (!is_number(number, PX_NR_exit, PX_NR_exit_group))
        return;
    if (px_strace_on & PX_HELLO_STRACE)
        show_exit(line, number, (int)(arguments[0] & 0xff) << 8);
    line->tid = 0; /* does not return */
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

static bool is_error(int64_t result)
{
    return result < 0 && result >= -ERROR_MOST;
}

static void add_result(struct line *line, const struct px_trace *trace)
{
    int64_t result = (int64_t)line->argument[PX_STRACE_RESULT];

    if (restart_name(result))
        px_text_add(&line->text, "? %s", restart_name(result));
    else if (trace->failed && !px_error_name((int)-result))
        px_text_add(&line->text, "-1 (errno %d)", (int)-result);
    else if (trace->failed)
        px_text_add(&line->text, "-1 %s (%s)", px_error_name((int)-result), px_error_text((int)-result));
    else
        px_strace_result(&line->text, line->format, trace);
}

/* The line of the call that returns. A thread that has executed a program is the first one now, which may have been in another call. */
static struct line *line_of(uint64_t number)
{
    struct line *line = own_line(false);

    if (line && line->number == number)
        return line;
    for (line = lines; line; line = line->next) {
        if (line->tid && line->number == number && runs_program(number))
            return line;
    }
    return NULL;
}

/* One call's part of the summary. Sent at once: who is killed afterwards has made the call. */
static void tell_of(uint64_t number, bool failed, uint64_t ns)
{
    if (number < px_calls_count)
        px_log("exo-call %s %d %lu\n", px_calls[number].name, failed, (unsigned long)ns);
    else
        px_log("exo-call syscall_%#lx %d %lu\n", (unsigned long)number, failed, (unsigned long)ns);
}

static void finish(struct line *line, int64_t result)
{
    struct px_trace trace = {.leaving = true, .failed = is_error(result)};

    trace.argument = line->argument;
    trace.kept = &line->kept;
    line->argument[PX_STRACE_RESULT] = (uint64_t)result;
    px_strace_arguments(&line->text, &line->format, &line->index, &trace);
    px_text_add(&line->text, ")");
    pad(&line->text, 0);
    px_text_add(&line->text, " = ");
    add_result(line, &trace);
    line_end(&line->text);
}

void px_strace_exit(uint64_t number, int64_t result)
{
    struct line *line = line_of(number);

    if (px_strace_on & PX_HELLO_TRACE)
        px_trace_note_return(number, result, runs_program(number) && result == 0);
    if (!line)
        return;
    if (px_strace_on & PX_HELLO_STRACE_SUMMARY)
        tell_of(number, is_error(result), px_now_ns() - line->begun_ns);
    if (px_strace_on & PX_HELLO_STRACE)
        finish(line, result);
    line->tid = 0;
    if (runs_program(number) && result == 0)
        forget_lines();
}

void px_strace_signal(int signo, const struct px_siginfo *info)
{
    char bytes[SIGNAL_LINE_MAX];
    uint8_t told[128];
    struct px_text text;

    if (px_strace_on & PX_HELLO_TRACE)
        px_trace_note_signal(signo);
    if (!(px_strace_on & PX_HELLO_STRACE))
        return;
    line_start(&text, bytes, sizeof bytes);
    px_arch_siginfo_out(info, told);
    px_text_add(&text, "--- ");
    px_put_signal(&text, signo);
    px_text_add(&text, " ");
    px_put_siginfo_bytes(&text, told);
    px_text_add(&text, " ---");
    line_end(&text);
}

void px_strace_stopped(int signo)
{
    char bytes[SIGNAL_LINE_MAX];
    struct px_text text;

    if (!(px_strace_on & PX_HELLO_STRACE))
        return;
    line_start(&text, bytes, sizeof bytes);
    px_text_add(&text, "--- stopped by ");
    px_put_signal(&text, signo);
    px_text_add(&text, " ---");
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
    if (px_missing_wanted)
        report_missing();
    if (px_strace_on & PX_HELLO_TRACE)
        px_trace_note_exit(status);
    if (px_strace_on & PX_HELLO_STRACE)
        put_end(status);
}
