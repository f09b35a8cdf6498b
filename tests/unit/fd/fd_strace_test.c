/*
 * Lines of --strace, compared with what strace prints for the same calls; wild pointers; the table of calls;
 * and the summary of missing ones.
 * unit-sources: libexo/format.c
 */
#include "fake.h"

#include "libos/posix/fd/strace.c"
#include "libos/posix/fd/strace_argument.c"
#include "libos/posix/fd/strace_flags.c"
#include "libos/posix/fd/strace_names.c"
#include "libos/posix/fd/strace_put.c"
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
    px_strace_exit(number_of(name), arguments, result);
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
    px_strace_exit(number_of("read"), ARGUMENTS(0, 0x20, 1), -PX_ERESTARTSYS);
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
    px_strace_exit(number_of("execve"), ARGUMENTS(USER(120), USER(200), USER(300)), 0);
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
          "clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, NULL, 0x1000, NULL) = 44");
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
          "mprotect(0x1000, 4096, 0x40)            = -1 EINVAL (Invalid argument)");
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
        px_strace_exit(number, arguments, fake_random(2) ? -(int64_t)fake_random(600) : (int64_t)fake_random(5000));
        CHECK(logged_bytes > 0 && logged_bytes <= 2 * LINE_MAX);
        EQUAL(logged[logged_bytes - 1], '\n');
        logged_bytes = 0;
    }
}

static void missing_calls(void)
{
    uint64_t number = number_of("mbind");

    CHECK(px_calls[number].body == NULL);
    px_missing[number] = 2;
    px_missing_wanted = true;
    px_strace_on = false;
    memcpy(PX_PROC(fake_table, 5)->comm, "prog", 5);
    px_strace_exited(0);
    expect("exo: pid 105 (prog): mbind (call 237) is missing, asked for 2 times");
}

static void table(void)
{
    EQUAL(px_calls_count, 451);
    EQUAL(number_of("read"), 0);
    EQUAL(number_of("exit_group"), 231);
    EQUAL(number_of("openat"), 257);
    EQUAL(number_of("faccessat2"), 439);
    for (unsigned i = 0; i < px_calls_count; i++)
        CHECK(px_calls[i].name && px_calls[i].format && strlen(px_calls[i].format) <= 6);
}

int main(void)
{
    fake_start();
    ((struct px_proctab *)fake_table)->count = 1;
    ((struct px_proctab *)fake_table)->first_pid = 105;
    px_strace_on = true;
    table();
    files();
    buffers();
    processes();
    memory();
    of_signals();
    several_processes();
    wild_arguments();
    missing_calls();
    free(call.line);
    printf("strace: ok\n");
    return 0;
}
