/*
 * Core dumps: when a process leaves one, what kind of file it is, and what is in it. Runs on Linux as well, where core_pattern is "core".
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include "tap.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define PLACE 0x20000000ul
#define WILD 0x1234ul
#define MOST (64u << 20)

#ifndef MADV_DONTDUMP
#define MADV_DONTDUMP 16
#endif
#ifndef NT_FILE
#define NT_FILE 0x46494c45
#endif

static void limit(rlim_t bytes)
{
    struct rlimit value = {bytes, RLIM_INFINITY};

    setrlimit(RLIMIT_CORE, &value);
}

static void *sleeps(void *tid)
{
    *(volatile pid_t *)tid = gettid();
    while (pause() < 0)
        continue;
    return tid;
}

/* What a child does before the signal ends it. */
enum way { PLAIN, NOT_DUMPABLE, CAUGHT, HANDLER_RESET, MEMORY, THREAD, UMASK, FAULT, NO_STACK, ANOTHER_USER };

static void on_signal(int signo)
{
    (void)signo;
}

static void prepare(enum way way)
{
    static pid_t tid;
    pthread_t thread;
    char *place;

    switch (way) {
    case NOT_DUMPABLE: prctl(PR_SET_DUMPABLE, 0); break;
    case CAUGHT: signal(SIGUSR1, on_signal); break;
    case HANDLER_RESET: signal(SIGQUIT, on_signal), signal(SIGQUIT, SIG_DFL); break;
    case UMASK: umask(0277); break;
    case ANOTHER_USER: if (setgid(1000) < 0 || setuid(1000) < 0) _exit(9); break;
    case MEMORY:
        place = mmap((void *)PLACE, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        memset(place, 'a', PAGE);
        memset(place + 2 * PAGE, 'c', PAGE); /* the second page is never touched */
        memset(place + 3 * PAGE, 'd', PAGE);
        madvise(place + 4 * PAGE, PAGE, MADV_DONTDUMP);
        memset(place + 4 * PAGE, 'e', PAGE);
        mprotect(place + 3 * PAGE, PAGE, PROT_READ);
        mmap((void *)(PLACE + 16 * PAGE), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        break;
    case THREAD:
        pthread_create(&thread, NULL, sleeps, &tid);
        while (!*(volatile pid_t *)&tid)
            usleep(1000);
        usleep(20000); /* it gets to its pause */
        break;
    default: break;
    }
}

/* A child that the signal ends; its status. SIGSEGV comes by a wild read. */
static int end_by(int signo, rlim_t most, enum way way)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        limit(most);
        prepare(way);
        if (signo == SIGSEGV)
            *(volatile int *)WILD = 1;
        raise(signo);
        _exit(7);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}

static int has_core(void)
{
    struct stat status;

    return lstat("core", &status) == 0;
}

/* Ended by the signal, with a core or without one; removes it. */
static int dumps(int signo, rlim_t most, enum way way)
{
    int status, there;

    unlink("core");
    status = end_by(signo, most, way);
    there = has_core();
    unlink("core");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signo)
        return -1;
    return there == !!WCOREDUMP(status) ? there : -2;
}

/* ---- the signals, the limits ---- */

static void signals(void)
{
    static const int leave[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
    static const int leave_none[] = {SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM, SIGIO, SIGPROF};
    int good = 1;

    for (unsigned i = 0; i < sizeof leave / sizeof *leave; i++)
        good &= dumps(leave[i], RLIM_INFINITY, PLAIN) == 1;
    CASE("signals whose default is a core leave one", good);
    good = 1;
    for (unsigned i = 0; i < sizeof leave_none / sizeof *leave_none; i++)
        good &= dumps(leave_none[i], RLIM_INFINITY, PLAIN) == 0;
    CASE("other signals leave none", good);
    CASE("without a limit above 0 there is none", dumps(SIGSEGV, 0, PLAIN) == 0);
    CASE("nor below a page", dumps(SIGSEGV, PAGE - 1, PLAIN) == 0);
    CASE("a process that is not dumpable leaves none", dumps(SIGSEGV, RLIM_INFINITY, NOT_DUMPABLE) == 0);
    CASE("a handler that was taken back does not matter", dumps(SIGQUIT, RLIM_INFINITY, HANDLER_RESET) == 1);
    CASE("who has become another user is not dumpable", dumps(SIGSEGV, RLIM_INFINITY, ANOTHER_USER) == 0);
    unlink("core");
    CASE("a signal that is caught ends nobody", WEXITSTATUS(end_by(SIGUSR1, RLIM_INFINITY, CAUGHT)) == 7 && !has_core());
}

static void limits(void)
{
    struct stat status;

    unlink("core");
    end_by(SIGSEGV, 3 * PAGE + 100, PLAIN);
    CASE("no more is written than the limit lets", stat("core", &status) == 0 && status.st_blocks * 512 <= (long)(4 * PAGE) && status.st_size > 0);
    unlink("core");
}

/* ---- the file ---- */

static void files(void)
{
    struct stat status, other;
    char text[8] = "";
    int file;

    unlink("core");
    end_by(SIGABRT, RLIM_INFINITY, PLAIN);
    CASE("it is for its owner alone", stat("core", &status) == 0 && (status.st_mode & 07777) == 0600 && status.st_uid == getuid());
    end_by(SIGABRT, RLIM_INFINITY, PLAIN);
    CASE("it takes the place of another one", stat("core", &other) == 0 && other.st_nlink == 1 && S_ISREG(other.st_mode));
    unlink("core");
    end_by(SIGABRT, RLIM_INFINITY, UMASK);
    CASE("the umask counts", stat("core", &status) != 0 || (status.st_mode & 07777) == 0400);
    unlink("core");
    file = open("precious", O_CREAT | O_WRONLY | O_TRUNC, 0644);
    if (write(file, "gold", 4) != 4)
        perror("write");
    close(file);
    symlink("precious", "core");
    end_by(SIGABRT, RLIM_INFINITY, PLAIN);
    file = open("precious", O_RDONLY);
    CASE("nothing is written through a link", read(file, text, sizeof text) == 4 && memcmp(text, "gold", 4) == 0);
    close(file);
    CASE("which it replaces", lstat("core", &status) == 0 && S_ISREG(status.st_mode));
    unlink("core");
    link("precious", "core");
    end_by(SIGABRT, RLIM_INFINITY, PLAIN);
    CASE("nor through another name of a file", stat("precious", &status) == 0 && status.st_size == 4 && status.st_nlink == 1);
    unlink("core");
    mkfifo("core", 0600);
    end_by(SIGABRT, RLIM_INFINITY, PLAIN);
    CASE("a FIFO is replaced, too", lstat("core", &status) == 0 && S_ISREG(status.st_mode));
    unlink("core");
    unlink("precious");
    mkdir("core", 0755);
    CASE("a folder of that name is in the way", !WCOREDUMP(end_by(SIGABRT, RLIM_INFINITY, PLAIN)) && stat("core", &status) == 0 && S_ISDIR(status.st_mode));
    rmdir("core");
}

static int in_folder(const char *name, mode_t mode, int gone)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        mkdir(name, 0777);
        if (chdir(name) < 0 || chmod(".", mode) < 0)
            _exit(8);
        if (gone && rmdir(gone == 2 ? "." : "../gone") < 0 && gone == 1)
            _exit(8);
        if (geteuid() == 0 && !gone && (setgid(1000) < 0 || setuid(1000) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0))
            _exit(8);
        limit(RLIM_INFINITY);
        raise(SIGABRT);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? !!WCOREDUMP(status) : -1;
}

static void folders(void)
{
    CASE("a folder that may not be written takes none", in_folder("closed", 0555, 0) == 0);
    CASE("one that may takes it", in_folder("open", 0777, 0) == 1);
    CASE("a folder that is gone takes none", in_folder("gone", 0755, 1) == 0);
    unlink("open/core");
    rmdir("open");
    rmdir("closed");
}

/* ---- what is in it ---- */

static unsigned char *core;
static size_t core_bytes;

static int load(void)
{
    int file = open("core", O_RDONLY);
    struct stat status;

    if (file < 0 || fstat(file, &status) < 0 || (size_t)status.st_size > MOST)
        return 0;
    core_bytes = (size_t)status.st_size;
    core = mmap(NULL, core_bytes, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    return core != MAP_FAILED && memcmp(core, ELFMAG, SELFMAG) == 0;
}

static const Elf64_Ehdr *header(void)
{
    return (const void *)core;
}

static const Elf64_Phdr *program(unsigned number)
{
    return number < header()->e_phnum ? (const Elf64_Phdr *)(const void *)(core + header()->e_phoff) + number : NULL;
}

/* The `number`th note of the type: its text, or NULL. */
static const void *note(unsigned type, unsigned number, size_t *bytes)
{
    for (size_t at = program(0)->p_offset, end = at + program(0)->p_filesz; at < end;) {
        const Elf64_Nhdr *head = (const void *)(core + at);
        size_t text = at + sizeof *head + (head->n_namesz + 3) / 4 * 4;

        if (head->n_type == type && number-- == 0) {
            *bytes = head->n_descsz;
            return core + text;
        }
        at = text + (head->n_descsz + 3) / 4 * 4;
    }
    return NULL;
}

static const Elf64_Phdr *segment_of(uint64_t va)
{
    for (unsigned i = 0; program(i); i++)
        if (program(i)->p_type == PT_LOAD && va >= program(i)->p_vaddr && va < program(i)->p_vaddr + program(i)->p_memsz)
            return program(i);
    return NULL;
}

/* The byte at the address: -1: it is in no segment, -2: of no contents. */
static int byte_at(uint64_t va)
{
    const Elf64_Phdr *segment = segment_of(va);

    if (!segment)
        return -1;
    return va - segment->p_vaddr < segment->p_filesz ? core[segment->p_offset + va - segment->p_vaddr] : -2;
}

static void unload(void)
{
    munmap(core, core_bytes);
    unlink("core");
}

static pid_t dumped(int signo, enum way way)
{
    pid_t child;
    int status = 0;

    unlink("core");
    child = fork();
    if (child == 0) {
        limit(RLIM_INFINITY);
        prepare(way);
        if (signo == SIGSEGV)
            *(volatile int *)WILD = 1;
        kill(getpid(), signo);
        _exit(7);
    }
    waitpid(child, &status, 0);
    return WCOREDUMP(status) ? child : -1;
}

static void registers(void)
{
    size_t bytes = 0;
    pid_t child = dumped(SIGSEGV, FAULT);
    const struct elf_prstatus *state;
    const struct elf_prpsinfo *process;
    const siginfo_t *info;

    CASE("a core is an ELF file", child > 0 && load() && header()->e_type == ET_CORE && header()->e_machine == EM_X86_64);
    CASE("its first part are the notes", program(0)->p_type == PT_NOTE);
    state = note(NT_PRSTATUS, 0, &bytes);
    CASE("the registers say who it was, and of which signal", state && bytes == sizeof *state && state->pr_pid == child && state->pr_cursig == SIGSEGV &&
         state->pr_info.si_signo == SIGSEGV && state->pr_ppid == getpid() && state->pr_fpvalid == 1);
    info = note(0x53494749, 0, &bytes);
    CASE("the signal's own note has the address", info && bytes == 128 && info->si_signo == SIGSEGV && info->si_code == SEGV_MAPERR &&
         info->si_addr == (void *)WILD);
    process = note(NT_PRPSINFO, 0, &bytes);
    CASE("the process has its name and arguments", process && bytes == sizeof *process && strcmp(process->pr_fname, "cores") == 0 &&
         strstr(process->pr_psargs, "cores") && process->pr_pid == child && process->pr_uid == getuid());
    CASE("there are an auxiliary vector and FPU registers", note(NT_AUXV, 0, &bytes) && note(NT_FPREGSET, 0, &bytes) && bytes == 512);
    CASE("and the files that were mapped", note(NT_FILE, 0, &bytes) && memmem(note(NT_FILE, 0, &bytes), bytes, "/cores", 6));
    unload();
}

static void memory(void)
{
    static int changed = 1;
    pid_t child;

    changed = 0x55;
    child = dumped(SIGABRT, MEMORY);
    CASE("memory is there", child > 0 && load() && byte_at(PLACE) == 'a' && byte_at(PLACE + 2 * PAGE + 5) == 'c');
    CASE("pages that were never touched are zero", byte_at(PLACE + PAGE) == 0);
    CASE("what may be read only is there", byte_at(PLACE + 3 * PAGE) == 'd' && segment_of(PLACE + 3 * PAGE)->p_flags == PF_R);
    CASE("MADV_DONTDUMP has no contents", byte_at(PLACE + 4 * PAGE) == -2);
    CASE("nor has memory that was never there", byte_at(PLACE + 16 * PAGE) == -2);
    CASE("changed data of the program is there", byte_at((uint64_t)&changed) == 0x55);
    CASE("text is not, but for the first page", byte_at((uint64_t)memory) == -2);
    CASE("the stack is there", byte_at((uint64_t)&child) >= 0);
    unload();
}

static void threads(void)
{
    size_t bytes = 0;
    const struct elf_prstatus *first, *second;
    pid_t child = dumped(SIGSEGV, THREAD);

    CASE("each thread has registers", child > 0 && load() && note(NT_PRSTATUS, 1, &bytes) && !note(NT_PRSTATUS, 2, &bytes));
    first = note(NT_PRSTATUS, 0, &bytes);
    second = note(NT_PRSTATUS, 1, &bytes);
    CASE("the first is the one that the signal came to", first->pr_pid == child && second->pr_pid != child && second->pr_pid > 0);
    CASE("the other's are its own", second->pr_reg[19] != first->pr_reg[19] && second->pr_reg[16] != first->pr_reg[16] && segment_of(second->pr_reg[19]));
    unload();
}

int main(void)
{
    char folder[] = "/tmp/cores-XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) < 0 || chmod(".", 0777) < 0)
        return 1;
    signals();
    limits();
    files();
    folders();
    registers();
    memory();
    threads();
    if (chdir("/") == 0)
        rmdir(folder);
    return tap_finish();
}
