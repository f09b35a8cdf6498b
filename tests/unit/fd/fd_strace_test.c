/*
 * Lines of --strace, compared with what strace prints for the same calls; wild pointers; the table of calls;
 * and the summary of missing ones.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/strace.c"
#include "libos/posix/fd/strace_argument.c"
#include "libos/posix/fd/strace_control.c"
#include "libos/posix/fd/strace_file.c"
#include "libos/posix/fd/strace_flags.c"
#include "libos/posix/fd/strace_ipc.c"
#include "libos/posix/fd/strace_list.c"
#include "libos/posix/fd/strace_names.c"
#include "libos/posix/fd/strace_poll.c"
#include "libos/posix/fd/strace_process.c"
#include "libos/posix/fd/strace_put.c"
#include "libos/posix/fd/strace_right.c"
#include "libos/posix/fd/strace_signal.c"
#include "libos/posix/fd/strace_socket.c"
#include "libos/posix/fd/strace_time.c"
#include "libos/posix/fd/text.c"

#include "px_calls.c"

static char logged[8192];
static size_t logged_bytes;

int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    EQUAL(server, PX_SLOT_TTY);
    CHECK(message->word[2] <= sizeof fake_message && logged_bytes + message->word[2] < sizeof logged);
    memcpy(logged + logged_bytes, fake_message, message->word[2]);
    logged_bytes += message->word[2];
    return 0;
}

/* What trace_note.c would note. */
static void noted(const char *what, uint64_t value)
{
    logged_bytes += (size_t)snprintf(logged + logged_bytes, sizeof logged - logged_bytes, "note %s %lu\n", what, (unsigned long)value);
}

void px_trace_note_call(uint64_t number, const uint64_t arguments[6])
{
    noted(px_calls[number].name, arguments[0]);
}

void px_trace_note_return(uint64_t number, int64_t result, bool renamed)
{
    (void)number;
    noted(renamed ? "renamed" : "return", (uint64_t)result);
}

void px_trace_note_signal(int signo)
{
    noted("signal", (uint64_t)signo);
}

void px_trace_note_exit(int status)
{
    noted("exit", (uint64_t)status);
}

/* The fields that the lines below look at. */
void px_arch_siginfo_out(const struct px_siginfo *info, uint8_t to[128])
{
    memset(to, 0, 128);
    memcpy(to, &info->signo, 4);
    memcpy(to + 8, &info->code, 4);
    memcpy(to + 16, &info->pid, 8);
    memcpy(to + 24, info->signo == SIGCHLD ? (const void *)&info->status : &info->value, 4);
}

int64_t px_arch_frame_mask(uint64_t *mask)
{
    *mask = PX_SIGBIT(SIGUSR1);
    return 0;
}

static uint64_t number_of(const char *name)
{
    for (unsigned i = 0; i < px_calls_count; i++) {
        if (strcmp(px_calls[i].name, name) == 0)
            return i;
    }
    fprintf(stderr, "no call %s\n", name);
    abort();
}

static void expect(const char *line)
{
    char text[8192];

    logged[logged_bytes] = '\0';
    snprintf(text, sizeof text, "%s\n", line);
    if (strcmp(logged, text) != 0) {
        fprintf(stderr, "expected %sgot      %s", text, logged);
        abort();
    }
    logged_bytes = 0;
}

static void trace(const char *name, const uint64_t arguments[6], int64_t result, const char *line)
{
    px_strace_enter(number_of(name), arguments);
    px_strace_exit(number_of(name), result);
    expect(line);
}
#define ARGUMENTS(...) ((const uint64_t[6]){__VA_ARGS__})

static px_user text_at(size_t at, const char *text)
{
    strcpy((char *)fake_user + at, text);
    return USER(at);
}

static void files(void)
{
    px_user passwd = text_at(0, "/etc/passwd");
    struct px_stat *stat = (struct px_stat *)(fake_user + 512);

    trace("openat", ARGUMENTS((uint64_t)AT_FDCWD, passwd, O_RDONLY | O_CLOEXEC), 3,
          "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3");
    trace(
        "openat", ARGUMENTS(5, passwd, O_WRONLY | O_CREAT | O_TRUNC, 0666), -ENOENT,
        "openat(5, \"/etc/passwd\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = -1 ENOENT (No such file or directory)");
    trace("access", ARGUMENTS(passwd, 4), 0, "access(\"/etc/passwd\", R_OK)             = 0");
    trace("access", ARGUMENTS(passwd, 0), -EACCES,
          "access(\"/etc/passwd\", F_OK)             = -1 EACCES (Permission denied)");
    trace("close", ARGUMENTS(3), 0, "close(3)                                = 0");
    trace("lseek", ARGUMENTS(3, 10, SEEK_CUR), -ESPIPE,
          "lseek(3, 10, SEEK_CUR)                  = -1 ESPIPE (Illegal seek)");
    *stat = (struct px_stat){.st_mode = S_IFREG | 0644, .st_size = 1234};
    trace("fstat", ARGUMENTS(3, USER(512)), 0, "fstat(3, {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0");
}

static void buffers(void)
{
    memcpy(fake_user, "a\tb\n\0011\"\\\377", 9);
    trace("write", ARGUMENTS(1, USER(0), 9), 9, "write(1, \"a\\tb\\n\\0011\\\"\\\\\\377\", 9)      = 9");
    memset(fake_user, 'x', 100);
    trace("read", ARGUMENTS(0, USER(0), 4096), 100,
          "read(0, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., 4096) = 100");
    trace("read", ARGUMENTS(0, USER(0), 4096), 0, "read(0, \"\", 4096)                       = 0");
    trace("read", ARGUMENTS(0, 16, 4096), -EFAULT,
          "read(0, 0x10, 4096)                     = -1 EFAULT (Bad address)");
    px_strace_enter(number_of("read"), ARGUMENTS(0, 0x20, 1));
    px_strace_exit(number_of("read"), -PX_ERESTARTSYS);
    expect("read(0, 0x20, 1)                        = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
}

static void processes(void)
{
    const uint64_t vector[3] = {USER(100), USER(110), 0};
    uint32_t status = 7 << 8;

    text_at(100, "ls");
    text_at(110, "-l");
    text_at(120, "/bin/ls");
    memcpy(fake_user + 200, vector, sizeof vector);
    memset(fake_user + 300, 0, 8);
    px_strace_enter(number_of("execve"), ARGUMENTS(USER(120), USER(200), USER(300)));
    memset(fake_user, 0, 400); /* the program is gone when the call returns */
    px_strace_exit(number_of("execve"), 0);
    logged[logged_bytes] = '\0';
    CHECK(strncmp(logged, "execve(\"/bin/ls\", [\"ls\", \"-l\"], 0x", 34) == 0);
    CHECK(strstr(logged, " /* 0 vars */) = 0\n") != NULL);
    logged_bytes = 0;
    memcpy(fake_user, &status, 4);
    trace("wait4", ARGUMENTS((uint64_t)-1, USER(0), 1, 0), 321,
          "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 7}], WNOHANG, NULL) = 321");
    status = SIGKILL;
    memcpy(fake_user, &status, 4);
    trace("wait4", ARGUMENTS(5, USER(0), 0, 0), 5,
          "wait4(5, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 5");
    trace("kill", ARGUMENTS(12, SIGTERM), 0, "kill(12, SIGTERM)                       = 0");
    trace("clone", ARGUMENTS(0x01200011, 0, 0, 0x1000, 0), 44,
          "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1000) = 44");
    px_strace_enter(number_of("exit_group"), ARGUMENTS(3));
    expect("exit_group(3)                           = ?");
    trace("getpid", ARGUMENTS(0), 2, "getpid()                                = 2");
}

static void memory(void)
{
    trace("mmap", ARGUMENTS(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0),
          0x7000, "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7000");
    trace("mmap", ARGUMENTS(0x1000, 4096, 0, MAP_PRIVATE | MAP_FIXED, 3, 0x2000), -ENOMEM,
          "mmap(0x1000, 4096, PROT_NONE, MAP_PRIVATE|MAP_FIXED, 3, 0x2000) = -1 ENOMEM (Cannot allocate "
          "memory)");
    trace("brk", ARGUMENTS(0), 0x5000, "brk(NULL)                               = 0x5000");
    trace("mprotect", ARGUMENTS(0x1000, 4096, 0x40), -EINVAL,
          "mprotect(0x1000, 4096, 0x40 /* PROT_??? */) = -1 EINVAL (Invalid argument)");
}

static void of_signals(void)
{
    const uint64_t action[4] = {0x1234, 0x14000000, 0x5678, PX_SIGBIT(SIGINT) | PX_SIGBIT(SIGCHLD)};
    struct px_siginfo info = {.signo = SIGCHLD, .code = 1, .pid = 12, .status = 3};
    uint64_t set = ~0ull;

    memcpy(fake_user, action, sizeof action);
    trace("rt_sigaction", ARGUMENTS(SIGINT, USER(0), 0, 8), 0,
          "rt_sigaction(SIGINT, {sa_handler=0x1234, sa_mask=[INT CHLD], sa_flags=SA_RESTORER|SA_RESTART, "
          "sa_restorer=0x5678}, NULL, 8) = 0");
    memcpy(fake_user, &set, 8);
    trace("rt_sigprocmask", ARGUMENTS(0, USER(0), 0, 8), 0, "rt_sigprocmask(SIG_BLOCK, ~[], NULL, 8) = 0");
    set = 0;
    memcpy(fake_user, &set, 8);
    trace("rt_sigprocmask", ARGUMENTS(2, USER(0), 0, 8), 0, "rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0");
    px_strace_signal(SIGCHLD, &info);
    expect("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=12, si_uid=0, si_status=3, si_utime=0, "
           "si_stime=0} ---");
    info = (struct px_siginfo){.signo = SIGTERM, .pid = 9, .uid = 1000};
    px_strace_signal(SIGTERM, &info);
    expect("--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=1000} ---");
    px_strace_exited(5 << 8);
    expect("+++ exited with 5 +++");
    px_strace_exited(SIGSEGV);
    expect("+++ killed by SIGSEGV +++");
}

/* What it takes to know after the call what was there before it, or the reverse. */
static void told(void)
{
    const struct {
        int32_t fd;
        int16_t events, revents;
    } items[2] = {{3, POLLIN, POLLIN}, {4, POLLOUT, 0}};
    const uint8_t name[16] = {2, 0, 0x10, 0xe1, 127, 0, 0, 1};
    uint32_t length = 16;
    uint64_t set = 0x28;

    memcpy(fake_user, items, sizeof items);
    trace("poll", ARGUMENTS(USER(0), 2, 5), 1,
          "poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, 5) = 1 ([{fd=3, revents=POLLIN}])");
    trace("poll", ARGUMENTS(USER(0), 2, 5), 0, "poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, 5) = 0 (Timeout)");
    trace("poll", ARGUMENTS(0x1234, 2, 5), -EFAULT, "poll(0x1234, 2, 5)                      = -1 EFAULT (Bad address)");
    memcpy(fake_user + 100, name, sizeof name);
    memcpy(fake_user + 200, &length, sizeof length);
    trace("bind", ARGUMENTS(3, USER(100), 16), 0, "bind(3, {sa_family=AF_INET, sin_port=htons(4321), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0");
    trace("accept", ARGUMENTS(3, USER(100), USER(200)), 4,
          "accept(3, {sa_family=AF_INET, sin_port=htons(4321), sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 4");
    px_strace_enter(number_of("accept"), ARGUMENTS(3, USER(100), USER(200)));
    fake_user[200] = 2;
    px_strace_exit(number_of("accept"), 4);
    expect("accept(3, {sa_family=AF_INET}, [16 => 2]) = 4");
    memcpy(fake_user, &set, sizeof set);
    px_strace_enter(number_of("select"), ARGUMENTS(8, USER(0), 0, 0, 0));
    fake_user[0] = 8;
    px_strace_exit(number_of("select"), 1);
    expect("select(8, [3 5], NULL, NULL, NULL)      = 1 (in [3])");
    trace("fcntl", ARGUMENTS(3, 3), O_RDWR | O_APPEND, "fcntl(3, F_GETFL)                       = 0x402 (flags O_RDWR|O_APPEND)");
    trace("umask", ARGUMENTS(022), 0, "umask(022)                              = 000");
    trace("rt_sigreturn", ARGUMENTS(0), 7, "rt_sigreturn({mask=[USR1]})             = 7");
    trace("futex", ARGUMENTS(0x1000, 129, 1), 0, "futex(0x1000, FUTEX_WAKE_PRIVATE, 1)    = 0");
    trace("futex", ARGUMENTS(0x1000, 137, 1, 0, 0, 0xffffffff), -EAGAIN,
          "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, FUTEX_BITSET_MATCH_ANY) = -1 EAGAIN (Resource temporarily unavailable)");
}

/* A date is the calendar's, before 1970 and in leap years too. */
static void dates(void)
{
    static const struct {
        int64_t seconds;
        const char *line;
    } tried[] = {
        {0, "time(NULL)                              = 0 (1970-01-01T00:00:00+0000)"},
        {951782400, "time(NULL)                              = 951782400 (2000-02-29T00:00:00+0000)"},
        {1709251199, "time(NULL)                              = 1709251199 (2024-02-29T23:59:59+0000)"},
        {4107542400, "time(NULL)                              = 4107542400 (2100-03-01T00:00:00+0000)"},
        {-86401, "time(NULL)                              = -86401 (1969-12-30T23:59:59+0000)"},
    };

    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        trace("time", ARGUMENTS(0), tried[i].seconds, tried[i].line);
}

/* Lengths that lie: of control messages, directory entries, vectors and sets of descriptors. */
static void lies(void)
{
    const uint64_t header[7] = {0, 0, 0x1234, ~0ull, USER(1000), 40, 0}, head[5] = {3, 1, ~0ull, 1ull << 32 | 1, 0x500000006};

    memcpy(fake_user, header, sizeof header);
    memcpy(fake_user + 1000, head, sizeof head);
    trace("sendmsg", ARGUMENTS(3, USER(0), 0), -EINVAL,
          "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=0x1234, msg_iovlen=18446744073709551615, msg_control=[{cmsg_len=3, cmsg_level=SOL_SOCKET, "
          "cmsg_type=0 /* SCM_??? */}, {cmsg_len=18446744073709551615, cmsg_level=SOL_SOCKET, "
          "cmsg_type=SCM_RIGHTS, cmsg_data=[6, 5]}], msg_controllen=40, msg_flags=0}, 0) = -1 EINVAL (Invalid argument)");
    memset(fake_user, 0, 64);
    px_strace_enter(number_of("getdents64"), ARGUMENTS(3, USER(0), 64));
    px_strace_exit(number_of("getdents64"), 64);
    logged[logged_bytes] = '\0';
    CHECK(strstr(logged, " /* 0 entries */, 64) = 64\n") != NULL);
    logged_bytes = 0;
    trace("select", ARGUMENTS(0x7fffffff, 0x1234, 0, 0, 0), -EBADF, "select(2147483647, 0x1234, NULL, NULL, NULL) = -1 EBADF (Bad file descriptor)");
}

static void several_processes(void)
{
    ((struct px_proctab *)fake_table)->count = 2;
    trace("close", ARGUMENTS(3), 0, "[pid   105] close(3)                    = 0");
    ((struct px_proctab *)fake_table)->count = 1;
}

/* Whatever the arguments of whatever call: a line comes out, and nothing is touched that is not the
 * program's. */
static void wild_arguments(void)
{
    for (unsigned turn = 0; turn < 200000; turn++) {
        uint64_t number = fake_random(460), arguments[6];

        for (unsigned i = 0; i < 6; i++) {
            const uint64_t choice[6] = {0,
                                        ~0ull,
                                        USER(fake_random(4096)),
                                        USER(sizeof fake_user - fake_random(16)),
                                        fake_random(300),
                                        (uint64_t)fake_random(~0u) << fake_random(33)};

            arguments[i] = choice[fake_random(6)];
        }
        if (turn % 512 == 0) {
            for (unsigned i = 0; i < 8192; i++)
                fake_user[i] = (uint8_t)fake_random(fake_random(2) ? 256 : 4);
        }
        px_strace_enter(number, arguments);
        px_strace_exit(number, fake_random(2) ? -(int64_t)fake_random(600) : (int64_t)fake_random(5000));
        CHECK(logged_bytes > 0 && logged_bytes <= 2 * LINE_MAX);
        EQUAL(logged[logged_bytes - 1], '\n');
        logged_bytes = 0;
    }
}

static void free_lines(void)
{
    while (lines) {
        struct line *next = lines->next;

        free(lines);
        lines = next;
    }
}

static void missing_calls(void)
{
    uint64_t number = number_of("mbind");

    CHECK(px_bodies[number] == NULL);
    px_missing[number] = 2;
    px_missing_wanted = true;
    px_strace_on = 0;
    memcpy(PX_PROC(fake_table, 5)->comm, "prog", 5);
    px_strace_exited(0);
    expect("exo: pid 105 (prog): mbind (call 237) is missing, asked for 2 times");
}

static void for_summary(void)
{
    px_missing_wanted = false;
    px_strace_on = PX_HELLO_STRACE_SUMMARY;
    trace("getpid", ARGUMENTS(0), 7, "exo-call getpid 0 0");
    trace("close", ARGUMENTS(77), -EBADF, "exo-call close 1 0");
    px_strace_enter(9999, ARGUMENTS(0));
    px_strace_exit(9999, -ENOSYS);
    expect("exo-call syscall_0x270f 1 0");
    px_strace_enter(number_of("exit"), ARGUMENTS(3)); /* does not return */
    CHECK(!own_line(false));
    px_strace_signal(SIGINT, &(struct px_siginfo){.signo = SIGINT});
    px_strace_stopped(SIGSTOP);
    px_strace_exited(5 << 8);
    EQUAL(logged_bytes, 0);
    px_strace_on = PX_HELLO_STRACE | PX_HELLO_STRACE_SUMMARY;
    trace("getpid", ARGUMENTS(0), 7, "exo-call getpid 0 0\ngetpid()                                = 7");
}

static void for_trace(void)
{
    px_strace_on = PX_HELLO_TRACE;
    trace("close", ARGUMENTS(77), 3, "note close 77\nnote return 3");
    trace("execve", ARGUMENTS(5), 0, "note execve 5\nnote renamed 0");
    trace("execve", ARGUMENTS(5), -1, "note execve 5\nnote return 18446744073709551615");
    px_strace_signal(SIGINT, &(struct px_siginfo){.signo = SIGINT});
    px_strace_stopped(SIGSTOP);
    px_strace_exited(5 << 8);
    expect("note signal 2\nnote exit 1280");
    px_strace_on = PX_HELLO_TRACE | PX_HELLO_STRACE_SUMMARY;
    trace("getpid", ARGUMENTS(0), 7, "note getpid 0\nnote return 7\nexo-call getpid 0 0");
}

static unsigned arguments_of(const char *format)
{
    unsigned count = 0;

    for (; *format && *format != ':'; format++)
        count += *format != '^';
    return count;
}

static void table(void)
{
    EQUAL(px_calls_count, 451);
    EQUAL(number_of("read"), 0);
    EQUAL(number_of("exit_group"), 231);
    EQUAL(number_of("openat"), 257);
    EQUAL(number_of("faccessat2"), 439);
    for (unsigned i = 0; i < px_calls_count; i++)
        CHECK(px_calls[i].name && px_calls[i].format && arguments_of(px_calls[i].format) <= 6);
}

int main(void)
{
    fake_start();
    ((struct px_proctab *)fake_table)->count = 1;
    ((struct px_proctab *)fake_table)->first_pid = 105;
    px_strace_on = PX_HELLO_STRACE;
    table();
    files();
    buffers();
    processes();
    memory();
    of_signals();
    told();
    dates();
    lies();
    several_processes();
    wild_arguments();
    missing_calls();
    for_summary();
    for_trace();
    free_lines();
    printf("strace: ok\n");
    return 0;
}
