/*
 * The first process: from the boot arguments that tty left at PX_BOOTARGS to the command. Nothing is in the program's part of the address space yet; one
 * scratch page there lends texts to system calls, which take only program addresses.
 */
#include "px_arch.h"
#include "px_calls.h"
#include "proto/link.h"
#include <exo/format.h>

#define NOT_EXECUTABLE (126 << 8)
#define NOT_FOUND (127 << 8)
#define STRINGS_MAX 65536u /* argv and envp together */
#define SCRATCH PX_PROG_LO
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct boot {
    uint32_t flags;
    char *directory;
    char **argv, **envp;
};

static void scratch_open(const char *text)
{
    if (exo_mem_alloc(PX_SLOT_SELF, SCRATCH, 1, EXO_PROT_READ | EXO_PROT_WRITE) == 1)
        memcpy((void *)SCRATCH, text, strnlen(text, PX_PAGE - 1));
}

static void scratch_close(void)
{
    (void)!exo_mem_unmap(PX_SLOT_SELF, SCRATCH, 1);
}

/* A line on the standard error, and the end. */
static _Noreturn void refuse(const char *name, const char *why, int status)
{
    char line[512];
    int length = exo_format(line, sizeof(line), "exo: %s: %s\n", name, why);

    if (length >= (int)sizeof(line))
        length = sizeof(line) - 1;
    scratch_open(line);
    (void)!px_sys_write(2, SCRATCH, (uint64_t)length, 0, 0, 0);
    scratch_close();
    px_exit(status);
}

/* The payload: header, then cwd, argv and envp, each ended by NUL. Copied into the heap, because the page stays shared with tty. */
static bool read_boot(struct boot *boot)
{
    const struct px_bootargs *args = (const struct px_bootargs *)PX_BOOTARGS;
    const char *payload = (const char *)(PX_BOOTARGS + PX_BOOTARGS_HELLO * PX_PAGE);
    uint32_t bytes = args->hello_bytes, pages = args->pages, strings;
    struct px_link_hello hello;
    char *text, *end;

    if (pages <= PX_BOOTARGS_HELLO || bytes < sizeof(hello) || bytes > (pages - PX_BOOTARGS_HELLO) * PX_PAGE)
        return false;
    memcpy(&hello, payload, sizeof(hello));
    if (hello.argc == 0 || hello.argc > STRINGS_MAX || hello.envc > STRINGS_MAX - hello.argc)
        return false;
    strings = hello.argc + hello.envc;
    text = px_alloc(bytes - sizeof(hello) + 1);
    boot->argv = px_alloc((strings + 2) * sizeof(char *));
    if (!text || !boot->argv)
        return false;
    memcpy(text, payload + sizeof(hello), bytes - sizeof(hello));
    end = text + bytes - sizeof(hello);
    *end = '\0';
    boot->flags = args->flags;
    boot->directory = text;
    boot->envp = boot->argv + hello.argc + 1;
    for (uint32_t i = 0; i < strings; i++) {
        text += strlen(text) + 1;
        if (text >= end)
            return false;
        boot->argv[i < hello.argc ? i : i + 1] = text;
    }
    boot->argv[hello.argc] = NULL;
    boot->argv[strings + 1] = NULL;
    return true;
}

static const char *find_variable(char *const envp[], const char *name)
{
    size_t length = strlen(name);

    for (; *envp; envp++)
        if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

/* 0: a file that may be executed; otherwise why not. */
static int64_t look_at(const char *path)
{
    struct px_node node;
    int64_t status = px_walk(AT_FDCWD, path, 0, &node);

    if (status < 0)
        return status;
    if (!S_ISREG(node.mode))
        return -EACCES;
    return px_node_access(&node, 1);
}

/* The command as a shell finds it: by PATH unless it has a slash. 0, -ENOENT or -EACCES. */
static int64_t search(const struct boot *boot, char path[PATH_MAX])
{
    const char *name = boot->argv[0], *folder = find_variable(boot->envp, "PATH");
    int64_t result = -ENOENT;

    if (!folder || !*folder)
        folder = DEFAULT_PATH;
    if (strchr(name, '/')) {
        if (exo_format(path, PATH_MAX, "%s", name) >= PATH_MAX)
            return -ENAMETOOLONG;
        return look_at(path);
    }
    while (*name) {
        const char *end = strchr(folder, ':');
        int length = end ? (int)(end - folder) : (int)strlen(folder);

        if (exo_format(path, PATH_MAX, "%.*s%s%s", length, folder, length ? "/" : "", name) < PATH_MAX) {
            int64_t status = look_at(path);

            if (status == 0)
                return 0;
            if (status == -EACCES)
                result = status;
        }
        if (!end)
            break;
        folder = end + 1;
    }
    return result;
}

static void run(const struct boot *boot)
{
    char path[PATH_MAX];
    int64_t status;

    if (*boot->directory) {
        scratch_open(boot->directory);
        status = px_sys_chdir(SCRATCH, 0, 0, 0, 0, 0);
        scratch_close();
        if (status < 0)
            refuse(boot->directory, "no such directory", NOT_FOUND);
    }
    status = search(boot, path);
    if (status == 0)
        status = px_exec(path, boot->argv, boot->envp);
    switch (-status) {
    case 0: return;
    case ENOENT:
    case ENOTDIR: refuse(boot->argv[0], "not found", NOT_FOUND);
    case EACCES: refuse(boot->argv[0], "permission denied", NOT_EXECUTABLE);
    case ENOEXEC: refuse(boot->argv[0], "not an executable file", NOT_EXECUTABLE);
    case ENOMEM: refuse(boot->argv[0], "out of memory", NOT_EXECUTABLE);
    default: refuse(boot->argv[0], "cannot be executed", NOT_EXECUTABLE);
    }
}

void px_start(void)
{
    uint64_t begun_tsc = exo_arch_cycles();
    struct boot boot;

    if (exo_set_entries((uint64_t)px_syscall_entry, (uint64_t)px_upcall_entry) < 0)
        px_exit(SIGSEGV);
    px_thread_start(NULL);
    if (px_is_renewed()) {
        px_renewed_start();
        return;
    }
    px_signal_publish();
    px_files_start();
    px_fd_start();
    if (!read_boot(&boot))
        refuse("boot arguments", "incomplete", NOT_EXECUTABLE);
    px_strace_on = boot.flags & PX_STRACE_WAYS;
    px_profiled = boot.flags & PX_HELLO_PROFILE;
    px_rewrite_off = boot.flags & PX_HELLO_NO_REWRITE;
    if (px_strace_on)
        px_entry_slow |= PX_SLOW_STRACE;
    run(&boot);
    if (boot.flags & PX_HELLO_BOOT_CHART)
        px_boot_chart(begun_tsc);
    px_leave_again(px_regs());
}
