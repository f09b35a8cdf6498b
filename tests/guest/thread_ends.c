/*
 * How threads and their process end, and clone used wrongly. Runs on Linux as well.
 * guest-test: --timeout 120
 */
#include "thread_help.h"

static atomic_uint word;
static atomic_int leave;

static void *wait_for_word(void *argument)
{
    while (word == 0)
        futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    return argument;
}

static void *sleeper(void *argument)
{
    while (!leave)
        short_sleep();
    return argument;
}

/* ---- ends ---- */

static void *leave_late(void *argument)
{
    short_sleep();
    if (argument)
        exit((int)(long)argument);
    return NULL;
}

static void *execute(void *argument)
{
    char *const arguments[] = {argument, (char *)"--seven", NULL}, *const none[] = {NULL};

    execve("/nowhere", arguments, none);
    execve("/proc/self/exe", arguments, none);
    return NULL;
}

static void *crash(void *argument)
{
    short_sleep();
    *(volatile int *)argument = 1;
    return NULL;
}

static void *busy(void *argument)
{
    for (;;)
        ;
    return argument;
}

enum end { LEADER_LEAVES, THREAD_EXITS, THREAD_EXECUTES, LEADER_EXECUTES, THREAD_CRASHES, KILLED, STOPPED, ENDS };

static void end_as(enum end how)
{
    start(sleeper, NULL);
    start(how == KILLED ? busy : wait_for_word, NULL);
    switch (how) {
    case LEADER_LEAVES:
        start(leave_late, NULL);
        leave = 1;
        word = 1;
        futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        pthread_exit(NULL);
    case THREAD_EXITS: start(leave_late, (void *)9l); pthread_exit(NULL);
    case THREAD_EXECUTES: start(execute, (void *)"thread"); break;
    case LEADER_EXECUTES: execute((void *)"thread"); break;
    case THREAD_CRASHES: start(crash, NULL); break;
    default: break;
    }
    for (;;)
        pause();
}

static int status_of(enum end how)
{
    int status = -1;
    pid_t child;

    child = fork();
    if (child == 0) { /* anew: in musl's forked child the first thread may not leave */
        char number[] = {(char)('0' + how), '\0'};

        execl("/proc/self/exe", "threads", "--end", number, (char *)NULL);
        _exit(99);
    }
    if (how == KILLED || how == STOPPED) {
        for (int i = 0; i < 20; i++)
            short_sleep();
        kill(child, how == STOPPED ? SIGSTOP : SIGKILL);
    }
    if (how == STOPPED) {
        waitpid(child, &status, WUNTRACED);
        if (!WIFSTOPPED(status))
            return -2;
        kill(child, SIGCONT);
        if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
            return -3;
        kill(child, SIGTERM);
    }
    waitpid(child, &status, 0);
    return status;
}

static void ends(void)
{
    CASE("the others go on when the first thread has left", status_of(LEADER_LEAVES) == 0);
    CASE("exit in a thread ends all", status_of(THREAD_EXITS) == 9 << 8);
    CASE("a program executed by a thread", status_of(THREAD_EXECUTES) == 7 << 8);
    CASE("a program executed by the first thread of several", status_of(LEADER_EXECUTES) == 7 << 8);
    CASE("a fault in a thread ends all", (status_of(THREAD_CRASHES) & 127) == SIGSEGV);
    CASE("SIGKILL ends all", (status_of(KILLED) & 127) == SIGKILL);
    CASE("all stop, go on, and end by a signal", (status_of(STOPPED) & 127) == SIGTERM);
}

/* ---- misuse of clone ---- */

static void misuse(void)
{
    const unsigned long thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    static uint64_t arguments[12];

    CASE("a thread must share signal handlers", answer(syscall(SYS_clone, CLONE_VM | CLONE_THREAD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("and memory", answer(syscall(SYS_clone, CLONE_SIGHAND | CLONE_THREAD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("signal handlers need memory", answer(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, NULL)) == -EINVAL);
    CASE("a thread pointer in the kernel's part",
         answer(syscall(SYS_clone, thread | CLONE_SETTLS, &arguments[8], NULL, NULL, 0xffff800000000000)) == -EPERM);
    CASE("clone3: too few arguments", answer(syscall(SYS_clone3, arguments, 8)) == -EINVAL);
    CASE("clone3: too many", answer(syscall(SYS_clone3, arguments, 5000)) == -E2BIG);
    CASE("clone3: nowhere", answer(syscall(SYS_clone3, 8, 64)) == -EFAULT);
    arguments[0] = thread;
    arguments[4] = SIGCHLD;
    CASE("clone3: a thread has no signal for its end", answer(syscall(SYS_clone3, arguments, 64)) == -EINVAL);
    arguments[4] = 0;
    arguments[5] = 4096;
    CASE("clone3: a stack without a size", answer(syscall(SYS_clone3, arguments, 64)) == -EINVAL);
    CASE("a robust list of another size", answer(syscall(SYS_set_robust_list, arguments, 8)) == -EINVAL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--seven") == 0)
        return getpid() == (pid_t)syscall(SYS_gettid) ? 7 : 8;
    alarm(110);
    if (argc > 2 && strcmp(argv[1], "--end") == 0)
        end_as((enum end)(argv[2][0] - '0'));
    ends();
    misuse();
    return tap_finish();
}
