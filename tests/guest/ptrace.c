/*
 * ptrace: a child that asks to be traced, its calls, signals, registers and memory; fork, exec and exit as events; single steps and breakpoints; attaching,
 * seizing, interrupting and leaving; and what is refused.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define EVENT(status) ((status) >> 16)

static int stopped_by(int status, int signo)
{
    return WIFSTOPPED(status) && WSTOPSIG(status) == signo;
}

static volatile int counter, handled;
static pid_t child;

static int next(void)
{
    int status = -1;

    return waitpid(child, &status, __WALL) == child ? status : -1;
}

static int go(int request, long signo)
{
    return ptrace(request, child, 0, signo) < 0 ? -1 : next();
}

/* The child stops at once, and then runs the body. */
static void trace(int (*body)(void))
{
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        _exit(body());
    }
    next();
}

static void end(void)
{
    int status;

    kill(child, SIGKILL);
    waitpid(child, &status, __WALL);
}

static struct user_regs_struct regs(void)
{
    struct user_regs_struct all = {0};

    ptrace(PTRACE_GETREGS, child, 0, &all);
    return all;
}

/* ---- calls ---- */

static int ask_pid(void)
{
    syscall(SYS_getppid);
    return 7;
}

static void test_calls(void)
{
    struct user_regs_struct at;
    int status;

    trace(ask_pid);
    CASE("options", ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD) == 0);
    CASE("unknown options are EINVAL", ptrace(PTRACE_SETOPTIONS, child, 0, 0x10000000) < 0 && errno == EINVAL);
    do
        status = go(PTRACE_SYSCALL, 0);
    while (WIFSTOPPED(status) && regs().orig_rax != SYS_getppid);
    at = regs();
    CASE("a call begins", stopped_by(status, SIGTRAP | 0x80) && at.orig_rax == SYS_getppid && (long)at.rax == -ENOSYS);
    CASE("segments are those of 64-bit programs", at.cs == 0x33 && at.ss == 0x2b);
    status = go(PTRACE_SYSCALL, 0);
    at = regs();
    CASE("and ends", stopped_by(status, SIGTRAP | 0x80) && at.orig_rax == SYS_getppid && (pid_t)at.rax == getpid());
    do
        status = go(PTRACE_SYSCALL, 0);
    while (WIFSTOPPED(status));
    CASE("the child's end is its parent's to hear", WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CASE("and then there is no child", waitpid(child, &status, __WALL) < 0 && errno == ECHILD);
}

static int return_ppid(void)
{
    return syscall(SYS_getppid) == 4711;
}

static void test_changed(void)
{
    struct user_regs_struct at;
    int status;

    trace(return_ppid);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
    do
        status = go(PTRACE_SYSCALL, 0);
    while (WIFSTOPPED(status) && regs().orig_rax != SYS_getppid);
    at = regs();
    at.orig_rax = (unsigned long)-1;
    CASE("a call is taken back", ptrace(PTRACE_SETREGS, child, 0, &at) == 0);
    status = go(PTRACE_SYSCALL, 0);
    at = regs();
    CASE("and is not made", (long)at.rax == -ENOSYS);
    at.rax = 4711;
    ptrace(PTRACE_SETREGS, child, 0, &at);
    status = go(PTRACE_CONT, 0);
    CASE("its result is what the tracer says", WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* ---- signals ---- */

static void on_signal(int signo)
{
    handled = signo;
}

static int raise_two(void)
{
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    raise(SIGUSR1);
    return handled;
}

static void test_signals(void)
{
    siginfo_t info;
    int status;

    trace(raise_two);
    status = go(PTRACE_CONT, 0);
    CASE("a signal stops", stopped_by(status, SIGUSR1));
    CASE("and says who sent it", ptrace(PTRACE_GETSIGINFO, child, 0, &info) == 0 && info.si_signo == SIGUSR1 && info.si_pid == child);
    status = go(PTRACE_CONT, 0);
    CASE("a signal that is not passed on never was", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    trace(raise_two);
    go(PTRACE_CONT, 0);
    status = go(PTRACE_CONT, SIGUSR2);
    CASE("another one takes its place", WIFEXITED(status) && WEXITSTATUS(status) == SIGUSR2);
    trace(raise_two);
    go(PTRACE_CONT, 0);
    status = go(PTRACE_CONT, SIGTERM);
    CASE("one without a handler kills", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    trace(raise_two);
    go(PTRACE_CONT, 0);
    CASE("no signal of that number", ptrace(PTRACE_CONT, child, 0, 99) < 0 && errno == EIO);
    status = go(PTRACE_KILL, 0);
    CASE("PTRACE_KILL", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- memory and registers ---- */

static char text[10000] = "the child's own";

static int compare(void)
{
    return strcmp(text, "the tracer's ") == 0 ? 3 : 4;
}

static void test_memory(void)
{
    struct iovec own, other;
    char buffer[sizeof text] = {0}, path[64];
    long word;
    int fd, status;

    trace(compare);
    errno = 0;
    word = ptrace(PTRACE_PEEKDATA, child, text, 0);
    CASE("peek", errno == 0 && memcmp(&word, "the chil", 8) == 0);
    memcpy(&word, "the trac", 8);
    CASE("poke", ptrace(PTRACE_POKEDATA, child, text, word) == 0 && text[4] == 'c');
    errno = 0;
    CASE("no memory is EIO", ptrace(PTRACE_PEEKDATA, child, 0, 0) == -1 && errno == EIO);
    CASE("nor to write", ptrace(PTRACE_POKEDATA, child, (void *)0xffffffff80000000, 0) == -1 && errno == EIO);
    own = (struct iovec){buffer, sizeof text};
    other = (struct iovec){text, sizeof text};
    CASE("process_vm_readv", process_vm_readv(child, &own, 1, &other, 1, 0) == sizeof text && strcmp(buffer, "the tracd's own") == 0);
    other.iov_base = NULL;
    CASE("of no memory", process_vm_readv(child, &own, 1, &other, 1, 0) < 0 && errno == EFAULT);
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    fd = open(path, O_RDWR);
    CASE("/proc/PID/mem is written", fd >= 0 && pwrite(fd, "er's \0", 6, (off_t)(uintptr_t)(text + 8)) == 6);
    CASE("and read", pread(fd, buffer, 13, (off_t)(uintptr_t)text) == 13 && memcmp(buffer, "the tracer's ", 13) == 0);
    close(fd);
    status = go(PTRACE_CONT, 0);
    CASE("the child sees it", WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void try_regs(const char *name, struct user_regs_struct at, int expected)
{
    int result = ptrace(PTRACE_SETREGS, child, 0, &at) < 0 ? errno : 0;

    CASE(name, result == expected);
}

static void test_garbage(void)
{
    struct user_regs_struct good, at;
    int status;

    trace(ask_pid);
    good = regs();
    at = good;
    at.cs = 0x08;
    try_regs("a segment of the kernel's is refused", at, EIO);
    at = good;
    at.ss = 0;
    try_regs("no stack segment is refused", at, EIO);
    at = good;
    at.fs_base = 0x8000000000000000;
    try_regs("a thread pointer that is nowhere is refused", at, EIO);
    at = good;
    at.eflags = ~0ul;
    try_regs("flags are cut to what is the program's", at, 0);
    at = regs();
    CASE("neither IOPL nor IF", (at.eflags & 0x3000) == 0 && at.eflags & 0x200);
    at = good;
    at.rip = 0x8000000000000000;
    try_regs("an instruction that is nowhere", at, 0);
    status = go(PTRACE_CONT, 0);
    CASE("is a fault", stopped_by(status, SIGSEGV));
    ptrace(PTRACE_SETREGS, child, 0, &good);
    status = go(PTRACE_CONT, 0);
    CASE("and all is well again", WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- steps and breakpoints ---- */

__attribute__((noinline)) static int count_up(void)
{
    for (int i = 0; i < 5; i++)
        counter++;
    return counter;
}

static void test_steps(void)
{
    struct user_regs_struct at;
    int status, steps = 0;
    long word;

    trace(count_up);
    word = ptrace(PTRACE_PEEKTEXT, child, count_up, 0);
    CASE("a breakpoint in text that cannot be written", ptrace(PTRACE_POKETEXT, child, count_up, (word & ~0xffl) | 0xcc) == 0);
    status = go(PTRACE_CONT, 0);
    at = regs();
    CASE("is met", stopped_by(status, SIGTRAP) && at.rip == (uintptr_t)count_up + 1);
    ptrace(PTRACE_POKETEXT, child, count_up, word);
    at.rip--;
    ptrace(PTRACE_SETREGS, child, 0, &at);
    while (ptrace(PTRACE_PEEKDATA, child, &counter, 0) % 0x100000000 < 3 && steps < 1000) {
        status = go(PTRACE_SINGLESTEP, 0);
        steps++;
        if (!stopped_by(status, SIGTRAP))
            break;
    }
    CASE("single steps, one instruction each", stopped_by(status, SIGTRAP) && steps >= 8 && steps < 100);
    CASE("have a reason", ptrace(PTRACE_GETSIGINFO, child, 0, &(siginfo_t){0}) == 0);
    CASE("and no trap flag is left", (regs().eflags & 0x100) == 0);
    status = go(PTRACE_CONT, 0);
    CASE("it goes on as if nothing had been", WIFEXITED(status) && WEXITSTATUS(status) == 5);
    CASE("the tracer's own text is as it was", count_up() == 5);
}

/* ---- events ---- */

static int fork_once(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(9);
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void test_fork(void)
{
    unsigned long grandchild = 0;
    int status, other = 0;

    trace(fork_once);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
    status = go(PTRACE_CONT, 0);
    CASE("fork is an event", stopped_by(status, SIGTRAP) && EVENT(status) == PTRACE_EVENT_FORK);
    CASE("that names the child", ptrace(PTRACE_GETEVENTMSG, child, 0, &grandchild) == 0 && grandchild > 0);
    CASE("which stops before it begins", waitpid((pid_t)grandchild, &other, __WALL) == (pid_t)grandchild && stopped_by(other, SIGSTOP));
    ptrace(PTRACE_CONT, (pid_t)grandchild, 0, 0);
    waitpid((pid_t)grandchild, &other, __WALL);
    CASE("and again before it ends", EVENT(other) == PTRACE_EVENT_EXIT);
    ptrace(PTRACE_CONT, (pid_t)grandchild, 0, 0);
    CASE("its end is told, though it is another's child",
         waitpid((pid_t)grandchild, &other, __WALL) == (pid_t)grandchild && WIFEXITED(other) && WEXITSTATUS(other) == 9);
    status = go(PTRACE_CONT, 0);
    CASE("the parent hears, too", stopped_by(status, SIGCHLD));
    status = go(PTRACE_CONT, 0);
    CASE("then it ends", EVENT(status) == PTRACE_EVENT_EXIT);
    status = go(PTRACE_CONT, 0);
    CASE("with its child's status", WIFEXITED(status) && WEXITSTATUS(status) == 9);
}

static int execute(void)
{
    execl("/proc/self/exe", "ptrace", "exit", NULL);
    return 1;
}

static void test_exec(void)
{
    int status;

    trace(execute);
    status = go(PTRACE_CONT, 0);
    CASE("exec traps", stopped_by(status, SIGTRAP) && EVENT(status) == 0);
    status = go(PTRACE_CONT, 0);
    CASE("the new program runs", WIFEXITED(status) && WEXITSTATUS(status) == 21);
    trace(execute);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEEXEC);
    status = go(PTRACE_CONT, 0);
    CASE("or is an event", stopped_by(status, SIGTRAP) && EVENT(status) == PTRACE_EVENT_EXEC);
    status = go(PTRACE_DETACH, 0);
    CASE("a tracer that leaves is still the parent", WIFEXITED(status) && WEXITSTATUS(status) == 21);
}

/* ---- attaching ---- */

static void spin(void)
{
    child = fork();
    if (child == 0)
        for (;;)
            counter++;
}

static void sleep_in_a_call(void)
{
    child = fork();
    if (child == 0) {
        pause();
        _exit(5);
    }
}

static void test_attach(void)
{
    int status;

    spin();
    CASE("attach", ptrace(PTRACE_ATTACH, child, 0, 0) == 0);
    status = next();
    CASE("stops it", stopped_by(status, SIGSTOP));
    CASE("nobody else can", ptrace(PTRACE_ATTACH, child, 0, 0) < 0 && errno == EPERM);
    CASE("detach", ptrace(PTRACE_DETACH, child, 0, 0) == 0);
    CASE("then it is nobody's", ptrace(PTRACE_CONT, child, 0, 0) < 0 && errno == ESRCH);
    CASE("but runs", waitpid(child, &status, WNOHANG | WUNTRACED) == 0);
    CASE("and can be had again", ptrace(PTRACE_ATTACH, child, 0, 0) == 0 && stopped_by(next(), SIGSTOP));
    end();
    sleep_in_a_call();
    CASE("attach to one that sleeps", ptrace(PTRACE_ATTACH, child, 0, 0) == 0 && stopped_by(next(), SIGSTOP));
    CASE("its call is made again", ptrace(PTRACE_CONT, child, 0, 0) == 0 && kill(child, SIGTERM) == 0 && stopped_by(next(), SIGTERM));
    end();
    CASE("to trace oneself", ptrace(PTRACE_ATTACH, getpid(), 0, 0) < 0 && errno == EPERM);
    CASE("nobody", ptrace(PTRACE_ATTACH, 32000, 0, 0) < 0 && errno == ESRCH);
    CASE("init", ptrace(PTRACE_CONT, 1, 0, 0) < 0 && errno == ESRCH);
    CASE("no such request", ptrace(12345, getpid(), 0, 0) < 0 && errno == ESRCH);
}

static void test_seize(void)
{
    int status;

    spin();
    CASE("seize", ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD) == 0);
    CASE("does not stop it", waitpid(child, &status, WNOHANG | __WALL) == 0);
    CASE("interrupt does", ptrace(PTRACE_INTERRUPT, child, 0, 0) == 0 && (status = next(), stopped_by(status, SIGTRAP)) && EVENT(status) == 128);
    CASE("there are registers", regs().rip != 0);
    CASE("it goes on", ptrace(PTRACE_CONT, child, 0, 0) == 0);
    kill(child, SIGSTOP);
    status = next();
    CASE("a stop signal is told", stopped_by(status, SIGSTOP) && EVENT(status) == 0);
    status = go(PTRACE_CONT, SIGSTOP);
    CASE("and then the stop", stopped_by(status, SIGSTOP) && EVENT(status) == 128);
    CASE("that may be listened to", ptrace(PTRACE_LISTEN, child, 0, 0) == 0);
    kill(child, SIGCONT);
    status = next();
    CASE("until it is over", stopped_by(status, SIGTRAP) && EVENT(status) == 128);
    status = go(PTRACE_CONT, 0);
    CASE("which a signal did", stopped_by(status, SIGCONT));
    end();
    CASE("seizing has options", (spin(), ptrace(PTRACE_SEIZE, child, 0, 0x40000000)) < 0 && errno == EIO);
    CASE("interrupting needs seizing",
         ptrace(PTRACE_ATTACH, child, 0, 0) == 0 && next() > 0 && ptrace(PTRACE_INTERRUPT, child, 0, 0) < 0 && errno == EIO);
    end();
}

/* ---- who may, and who dies ---- */

static void test_strangers(void)
{
    int status;
    pid_t tracer;

    spin();
    tracer = fork();
    if (tracer == 0) {
        if (setgid(1000) < 0 || setuid(1000) < 0)
            _exit(3);
        if (ptrace(PTRACE_ATTACH, child, 0, 0) == 0 || errno != EPERM)
            _exit(1);
        if (process_vm_readv(child, &(struct iovec){(void *)&handled, 4}, 1, &(struct iovec){(void *)&counter, 4}, 1, 0) >= 0 || errno != EPERM)
            _exit(2);
        _exit(0);
    }
    waitpid(tracer, &status, 0);
    CASE("another user's process is not to be traced", getuid() != 0 || status == 0);
    end();
}

/* The tracer dies while its child is in the stop that `enter` leads to; the child goes on, or dies with it. */
static int survives(long options, int request)
{
    int status, ends[2];
    pid_t tracer;

    if (pipe(ends) < 0)
        return -1;
    tracer = fork();
    if (tracer == 0) {
        spin();
        ptrace(PTRACE_SEIZE, child, 0, options);
        if (request) {
            ptrace(PTRACE_INTERRUPT, child, 0, 0);
            next();
        }
        if (write(ends[1], &child, sizeof child) != sizeof child)
            _exit(1);
        _exit(0);
    }
    if (read(ends[0], &child, sizeof child) != sizeof child)
        return -1;
    close(ends[0]);
    close(ends[1]);
    waitpid(tracer, &status, 0);
    if (options & PTRACE_O_EXITKILL) {
        for (int i = 0; i < 10000 && kill(child, 0) == 0; i++)
            usleep(1000);
        return kill(child, 0) == 0;
    }
    status = ptrace(PTRACE_ATTACH, child, 0, 0);
    status = status == 0 && next() > 0;
    end();
    return status;
}

static void test_deaths(void)
{
    CASE("a tracer dies while its child runs", survives(0, 0) == 1);
    CASE("and while it is stopped", survives(0, 1) == 1);
    CASE("with PTRACE_O_EXITKILL it dies with him", survives(PTRACE_O_EXITKILL, 1) == 0);
    CASE("also if it runs", survives(PTRACE_O_EXITKILL, 0) == 0);
}

static void *thread_body(void *argument)
{
    for (;;)
        counter++;
    return argument;
}

static void test_threads(void)
{
    unsigned long tid = 0;
    int status, other;
    pid_t process;
    pthread_t thread;

    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        pthread_create(&thread, NULL, thread_body, NULL);
        pause();
        _exit(0);
    }
    next();
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE);
    status = go(PTRACE_CONT, 0);
    CASE("a new thread is an event", EVENT(status) == PTRACE_EVENT_CLONE && ptrace(PTRACE_GETEVENTMSG, child, 0, &tid) == 0);
    CASE("and stops before it begins", waitpid((pid_t)tid, &other, __WALL) == (pid_t)tid && stopped_by(other, SIGSTOP));
    CASE("both go on",
         ptrace(PTRACE_CONT, child, 0, 0) == 0 && ptrace(PTRACE_CONT, (pid_t)tid, 0, 0) == 0);
    CASE("a signal to one thread", syscall(SYS_tgkill, child, (pid_t)tid, SIGSTOP) == 0);
    CASE("stops that one", waitpid(-1, &other, __WALL) == (pid_t)tid && stopped_by(other, SIGSTOP));
    process = child;
    child = (pid_t)tid;
    CASE("it has registers of its own", regs().rip != 0);
    CASE("its steps are its own", stopped_by(go(PTRACE_SINGLESTEP, 0), SIGTRAP));
    CASE("no thread of that number", syscall(SYS_tgkill, process, (pid_t)tid + 7, 0) < 0 && errno == ESRCH);
    kill(process, SIGKILL);
    while (waitpid(-1, &status, __WALL) > 0)
        ;
    CASE("all of them end", errno == ECHILD);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return 21;
    test_calls();
    test_changed();
    test_signals();
    test_memory();
    test_garbage();
    test_steps();
    test_fork();
    test_exec();
    test_attach();
    test_seize();
    test_strangers();
    test_deaths();
    test_threads();
    return tap_finish();
}
