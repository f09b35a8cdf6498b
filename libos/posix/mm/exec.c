/*
 * execve. Everything that can be refused is refused first: path, permission, format, interpreters, argument
 * strings. Then the old program goes, and what fails from there on ends the process with SIGSEGV, as on Linux.
 * A program with set-ID bits that count is executed in a fresh environment (renew.c).
 */
#include <exo/format.h>

#include "entry/thread.h"
#include "exec.h"
#include "proto/proc.h"
#include "px_calls.h"

/* ---- finding the program
 * ----------------------------------------------------------------------------------------- */

static int64_t hold(struct px_exec *exec, const struct px_node *node)
{
    int64_t status = px_node_hold(node);

    if (status == 0)
        exec->held[exec->holds++] = *node;
    return status;
}

/* The file at a path, if it may be executed. */
static int64_t find_file(struct px_exec *exec, int dirfd, const char *path, unsigned flags, struct px_node *node)
{
    int64_t status = px_walk(dirfd, path, flags, node);

    if (status < 0)
        return status;
    if (S_ISLNK(node->mode))
        return -ELOOP; /* AT_SYMLINK_NOFOLLOW */
    if (!S_ISREG(node->mode))
        return -EACCES;
    status = px_node_access(node, 1);
    if (status == 0)
        status = hold(exec, node);
    return status < 0 ? status : px_node_unwritten(node);
}

static int64_t read_line(struct px_exec *exec)
{
    memset(exec->line, 0, sizeof(exec->line));
    return px_node_read(&exec->node, exec->line, 0, sizeof(exec->line));
}

/* The script becomes an argument of its interpreter. `name`: the path by which it was called. */
static int64_t push_script(struct px_exec *exec, const char *name, const char *interpreter, const char *argument)
{
    int64_t status;

    px_stage_pop(&exec->stage); /* argv[0] */
    status = px_stage_push(&exec->stage, name);
    if (status == 0 && argument) {
        status = px_stage_push(&exec->stage, argument);
        exec->argc++;
    }
    if (status == 0)
        status = px_stage_push(&exec->stage, interpreter);
    exec->argc++;
    return status;
}

static bool need_scratch(struct px_exec *exec)
{
    if (!exec->scratch)
        exec->scratch = px_alloc(PATH_MAX);
    return exec->scratch;
}

/* Follows `#!` lines until exec->node is no script; the beginning of that file is in exec->line. Returns how much
 * of it there is. */
static int64_t follow_scripts(struct px_exec *exec)
{
    const char *name = exec->path;

    for (unsigned depth = 0;; depth++) {
        char *interpreter, *argument;
        int64_t got = read_line(exec), status;

        if (got < 0 || got < 2 || exec->line[0] != '#' || exec->line[1] != '!')
            return got;
        if (exec->raised)
            return -ENOEXEC; /* what it names is not what was looked at */
        if (depth >= PX_EXEC_DEPTH)
            return -ELOOP;
        if (exec->unreachable && depth == 0)
            return -ENOENT;
        status = px_script_parse(exec->line, (size_t)got, &interpreter, &argument);
        if (status == 0)
            status = push_script(exec, name, interpreter, argument);
        if (status == 0 && !need_scratch(exec))
            status = -ENOMEM;
        if (status < 0)
            return status;
        memcpy(exec->scratch, interpreter, strlen(interpreter) + 1);
        name = exec->scratch; /* what the next level, if any, is called */
        exec->script = true;
        status = find_file(exec, AT_FDCWD, name, 0, &exec->node);
        if (status < 0)
            return status;
    }
}

/* The path of what will be run, if it needs a fresh environment. */
static int64_t note_file(struct px_exec *exec)
{
    const char *path = exec->script ? exec->scratch : exec->path;

    if (exec->raised || px_self()->euid == 0 || !px_setid_wanted(&exec->node))
        return 0;
    exec->file = px_alloc(strlen(path) + 1);
    if (!exec->file)
        return -ENOMEM;
    memcpy(exec->file, path, strlen(path) + 1);
    return 0;
}

static int64_t load_headers(struct px_exec *exec)
{
    int64_t got = follow_scripts(exec), status, length;
    struct px_node node;

    status = got < 0 ? got : note_file(exec);
    if (status < 0)
        return status;
    status = px_elf_read(&exec->main, &exec->node, exec->line, (size_t)got);
    if (status < 0)
        return status;
    if (!px_elf_has_interpreter(&exec->main))
        return 0;
    if (!need_scratch(exec))
        return -ENOMEM;
    length = px_elf_interpreter(&exec->main, exec->scratch);
    if (length < 0)
        return length;
    status = find_file(exec, AT_FDCWD, exec->scratch, 0, &node);
    if (status < 0)
        return status;
    got = px_node_read(&node, exec->line, 0, sizeof(exec->line));
    if (got < (int64_t)sizeof(struct px_elf_header))
        return got < 0 ? got : -EIO;
    exec->has_interpreter = true;
    status = px_elf_read(&exec->interpreter, &node, exec->line, (size_t)got);
    return status == -ENOEXEC ? -ELIBBAD : status;
}

/* ---- the new program
 * --------------------------------------------------------------------------------------------- */

/* Where mmap begins to search: below the room that the stack may take, at least 128 MiB. */
static uint64_t map_top(void)
{
    uint64_t room = px_limit(RLIMIT_STACK);

    if (room < 128ul << 20)
        room = 128ul << 20;
    if (room > PX_PROG_HI / 6 * 5)
        room = PX_PROG_HI / 6 * 5;
    return PX_PAGE_DOWN(PX_STACK_HI - room - PX_STACK_GAP);
}

static int64_t load(struct px_exec *exec, uint64_t *entry, uint64_t *stack)
{
    int64_t status;

    px_vma_reset();
    px_mm.map_top = map_top();
    status = px_elf_load(&exec->main, exec->has_interpreter);
    if (status == 0 && exec->has_interpreter)
        status = px_elf_load(&exec->interpreter, false);
    if (status < 0)
        return status;
    *entry = exec->has_interpreter ? exec->interpreter.entry : exec->main.entry;
    px_mm.brk_lo = exec->main.end;
    if (exec->main.header.type == ET_DYN && !exec->has_interpreter)
        px_mm.brk_lo = PX_PIE_BASE; /* a static position-independent program lies among the mappings: its heap would have no room */
    px_mm.brk = px_mm.brk_lo;
    status = px_stage_tables(exec, stack);
    return status < 0 ? status : px_stage_commit(exec);
}

struct text { /* as PX_PROC_EXEC has it */
    char comm[16];
    char exe[256];
    uint32_t length;
    char cmdline[368];
};

/* Name and path for the process table, and how much of the arguments there is room for. */
static void describe(const struct px_exec *exec, struct text *text, uint64_t argument_bytes)
{
    const char *name = strrchr(exec->path, '/');

    memset(text, 0, sizeof(*text));
    if (px_node_path(&exec->node, text->exe, sizeof(text->exe)) < 0)
        text->exe[0] = '\0';
    name = name ? name + 1 : exec->path;
    memcpy(text->comm, name, strnlen(name, sizeof(text->comm) - 1));
    text->length = (uint32_t)(argument_bytes < sizeof(text->cmdline) ? argument_bytes : sizeof(text->cmdline));
}

void px_exec_describe(const struct px_exec *exec, void *to)
{
    struct text *text = to;

    describe(exec, text, exec->environment - exec->stage.at);
    memcpy(text->cmdline, (const void *)exec->stage.at, text->length);
}

static void announce(const struct px_exec *exec)
{
    struct text *text = px_msg();
    struct exo_message message = {.word = {PX_PROC_EXEC}};

    describe(exec, text, px_mm.argument_hi - px_mm.argument_lo);
    if (px_copy_in(text->cmdline, px_mm.argument_lo, text->length) < 0)
        text->length = 0;
    px_call_server(PX_SLOT_PROC, &message);
}

static void become(struct px_exec *exec)
{
    uint64_t entry = 0, stack = 0;

    if ((!exec->raised && px_setid_wanted(&exec->node) && px_setid_here(&exec->node) < 0) || load(exec, &entry, &stack) < 0)
        px_exit(SIGSEGV);
    px_fd_exec();
    px_signal_exec();
    px_prctl_exec();
    px_arch_start(px_regs(), entry, stack);
}

static void end(struct px_exec *exec)
{
    px_elf_free(&exec->main);
    px_elf_free(&exec->interpreter);
    px_stage_end(&exec->stage);
    while (exec->holds > 0)
        px_node_drop(&exec->held[--exec->holds]);
    px_free(exec->scratch);
    px_free(exec->file);
    px_free(exec->text);
    px_free(exec);
}

/* Proc knows it already. What could still be refused is refused too late to tell anybody. */
void px_exec_go_on(struct px_exec *exec)
{
    if (px_node_run(&exec->node) < 0)
        px_exit(SIGKILL);
    become(exec);
    px_code_changed();
    end(exec);
}

/* Executes exec->node, which has been found and may be executed. Takes over `exec`. */
static int64_t run(struct px_exec *exec)
{
    int64_t status = px_strings_count(&exec->argv);

    if (status == 0)
        status = px_strings_count(&exec->envp);
    if (status == 0)
        status = px_stage_start(exec);
    if (status == 0)
        status = load_headers(exec);
    if (status == 0 && px_lent) {
        bool raised = px_setid_wanted(&exec->node);

        if (!raised)
            status = px_lend_exec(exec);
        end(exec);
        return raised ? px_lend_again() : status;
    }
    if (status == 0)
        status = px_node_run(&exec->node);
    if (status == 0)
        status = px_thread_end_others();
    if (status == 0 && exec->file)
        status = px_renew(exec);
    if (status == 0) {
        become(exec);
        announce(exec);
        px_code_changed();
    }
    end(exec);
    return status;
}

static struct px_exec *start(const char *path)
{
    struct px_exec *exec = px_alloc(sizeof(*exec));

    if (!exec)
        return NULL;
    memset(exec, 0, offsetof(struct px_exec, line));
    exec->path = path;
    exec->dirfd = -1;
    return exec;
}

int64_t px_exec(const char *path, char *const argv[], char *const envp[])
{
    struct px_exec *exec = start(path);
    int64_t status;

    if (!exec)
        return -ENOMEM;
    exec->argv.libos = argv;
    exec->envp.libos = envp;
    status = find_file(exec, AT_FDCWD, path, 0, &exec->node);
    if (status == 0)
        return run(exec);
    end(exec);
    return status;
}

/* The file is marked as run, so that nobody writes to it, before it is looked at, and both before a byte of it is read. */
int64_t px_exec_raised(const char *file, const char *name, char *const argv[], char *const envp[])
{
    struct px_exec *exec = start(name);
    int64_t status;

    if (!exec)
        return -ENOMEM;
    exec->argv.libos = argv;
    exec->envp.libos = envp;
    exec->raised = true;
    status = find_file(exec, AT_FDCWD, file, 0, &exec->node);
    if (status == 0)
        status = px_node_run(&exec->node);
    if (status == 0)
        status = px_setid_ask(&exec->node);
    if (status == 0)
        return run(exec);
    end(exec);
    return status;
}

#define DESCRIPTOR_NAME_BYTES 32u /* "/dev/fd/N/" */

/* The path from the program, with room for a descriptor's name before it, which it gets if it is relative to one. */
static int64_t take_path(int dirfd, px_user user_path, char **path, const char **name)
{
    int64_t length = px_user_length(user_path, PATH_MAX);
    size_t room = length >= 0 ? (size_t)length + 1 : 0;
    char *text;

    if (length < 0)
        return length == -E2BIG ? -ENAMETOOLONG : length;
    text = px_alloc(2 * room + DESCRIPTOR_NAME_BYTES);
    if (!text)
        return -ENOMEM;
    *path = text;
    if (px_copy_in(text, user_path, room - 1) < 0)
        return -EFAULT;
    text[room - 1] = '\0';
    *name = text;
    if (text[0] == '/' || dirfd == AT_FDCWD)
        return 0;
    *name = text + room;
    exo_format(text + room, room + DESCRIPTOR_NAME_BYTES, text[0] ? "/dev/fd/%d/%s" : "/dev/fd/%d%s", dirfd, text);
    return 0;
}

static int64_t exec_at(int dirfd, px_user user_path, px_user argv, px_user envp, unsigned flags)
{
    unsigned walk = (flags & AT_EMPTY_PATH ? PX_WALK_EMPTY : 0) | (flags & AT_SYMLINK_NOFOLLOW ? PX_WALK_NOFOLLOW : 0);
    char *path = NULL;
    const char *name = NULL;
    int64_t status = take_path(dirfd, user_path, &path, &name);
    struct px_exec *exec = status == 0 ? start(name) : NULL;

    if (!exec) {
        px_free(path);
        return status < 0 ? status : -ENOMEM;
    }
    exec->text = path;
    exec->argv.user = argv;
    exec->envp.user = envp;
    exec->dirfd = name == path ? -1 : dirfd;
    status = find_file(exec, dirfd, path, walk, &exec->node);
    if (status == 0)
        return run(exec);
    end(exec);
    return status;
}

int64_t px_sys_execve(uint64_t path, uint64_t argv, uint64_t envp, uint64_t d, uint64_t e, uint64_t f)
{
    (void)d, (void)e, (void)f;
    return exec_at(AT_FDCWD, path, argv, envp, 0);
}

int64_t px_sys_execveat(uint64_t dirfd, uint64_t path, uint64_t argv, uint64_t envp, uint64_t flags, uint64_t f)
{
    (void)f;
    if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    return exec_at((int)dirfd, path, argv, envp, (unsigned)flags);
}
