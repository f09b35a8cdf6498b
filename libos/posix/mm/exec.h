/*
 * One execve under way. Argument and environment strings are copied into staging pages (PX_BIG), laid out as
 * they will lie on the new program's stack; after the point of no return the staging pages themselves become
 * the top of that stack.
 */
#ifndef PX_EXEC_H
#define PX_EXEC_H
#include "elf.h"

#define PX_EXEC_STRING_MAX (32 * PX_PAGE)       /* one string (Linux: MAX_ARG_STRLEN) */
#define PX_EXEC_LIMIT_MAX (6ul * 1024 * 1024)   /* all of them: 3/4 of 8 MiB */
#define PX_EXEC_LIMIT_MIN (32 * PX_PAGE)
#define PX_EXEC_COUNT_MAX 0x7fffffffu
#define PX_EXEC_LINE 256u                       /* what decides about a file's format */
#define PX_EXEC_DEPTH 5u                        /* interpreters of interpreters */

/* Strings from the program, or from the libOS itself. */
struct px_strings {
    px_user user;         /* array of pointers; 0: none */
    char *const *libos;   /* used instead, if not NULL */
    uint64_t count;
};

/* The new stack, growing down in the staging pages. Addresses of the new program = staging address + shift. */
struct px_stage {
    uint64_t lo, hi;    /* reserved */
    uint64_t bound;     /* lowest bound page */
    uint64_t at;        /* lowest byte in use */
    uint64_t least;     /* strings may not go below */
    uint64_t shift;
};

struct px_exec {
    const char *path; /* as called, or /dev/fd/N: AT_EXECFN and what a script's interpreter gets */
    int dirfd;        /* the descriptor that it begins at, or negative */
    char *file;       /* path of a program that is to run in a fresh environment (renew.c), or NULL */
    bool script;      /* its path is in `scratch`: it is the interpreter of a script */
    bool raised;      /* its set-ID bits have had their effect */
    bool unreachable; /* the path goes through a close-on-exec descriptor: no script can be opened by it */
    struct px_strings argv, envp;
    uint64_t argc;
    struct px_stage stage;
    uint64_t execfn, environment; /* staging addresses: path string; end of the arguments = begin of the environment strings */
    struct px_elf main, interpreter;
    bool has_interpreter;
    struct px_node node; /* what will be run: the program, or the last interpreter of scripts */
    struct px_node held[PX_EXEC_DEPTH + 2]; /* every file looked into, kept alive until the end */
    unsigned holds;
    char *scratch; /* PATH_MAX bytes, once they are needed */
    char *text;    /* where the path lies, if it came from the program */
    char line[PX_EXEC_LINE];
};

/* ---- stage.c ---- */
/* Reserves the pages and copies path, environment and arguments. 0, -E2BIG, -EFAULT, -ENOMEM. */
int64_t px_stage_start(struct px_exec *exec);
/* One more string below the others. */
int64_t px_stage_push(struct px_stage *stage, const char *text);
/* Takes away the lowest string. */
void px_stage_pop(struct px_stage *stage);
void px_stage_end(struct px_stage *stage);
/* Counts an array of pointers; -EFAULT, -E2BIG. */
int64_t px_strings_count(struct px_strings *strings);
/* Auxiliary vector, pointers and counts below the strings; binds pages for it first: 0 or -ENOMEM. Returns in
 * *stack the new program's stack pointer. */
int64_t px_stage_tables(struct px_exec *exec, uint64_t *stack);
/* The staging pages become the stack, and the mapping list says so. */
int64_t px_stage_commit(struct px_exec *exec);

/* ---- renew.c ---- */
/* Set-ID bits of the file would change this process's ids. */
bool px_setid_wanted(const struct px_node *node);
/* Root takes the file's ids where it is. */
int64_t px_setid_here(const struct px_node *node);
/* fs and proc decide about a fresh process's ids, which are then as the file has it, or as they were. */
int64_t px_setid_ask(const struct px_node *node);
/* The process goes on in a fresh environment and executes exec->file there. Comes back only with an error and nothing lost. */
int64_t px_renew(const struct px_exec *exec);

/* ---- script.c ---- */
/* `#!`: interpreter and argument (NULL: none) in the line, which is changed. 0 or -ENOEXEC. */
int64_t px_script_parse(char line[PX_EXEC_LINE], size_t got, char **interpreter, char **argument);

#endif
