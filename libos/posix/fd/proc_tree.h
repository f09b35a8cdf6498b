/* The table of what is below /proc, which the tree (proc_tree.c) and its files (proc_file.c) share. */
#ifndef PX_PROC_TREE_H
#define PX_PROC_TREE_H
#include "procfs.h"

/* Those that the code knows by name; all others are files with a text. */
enum proc_object {
    PROC_ROOT,
    PROC_PID,
    PROC_FD,
    PROC_FD_ENTRY,
    PROC_TASK,
    PROC_SYS,
    PROC_SYS_KERNEL,
    PROC_SYS_RANDOM,
    PROC_SYS_VM,
    PROC_SYS_FS,
    PROC_SYS_MQUEUE,
    PROC_SYS_NET,
    PROC_SYS_NET_CORE,
    PROC_SYSVIPC,
    PROC_TID,
    PROC_SELF,
    PROC_THREAD_SELF,
    PROC_MOUNTS_LINK,
    PROC_CWD,
    PROC_EXE,
    PROC_ROOT_LINK,
    PROC_MEM,
    PROC_OOM_SCORE_ADJ,
    PROC_FIRST_TEXT,
};
#define PROC_SECRET (S_IFREG | 0400)
#define PROC_SETTING (S_IFREG | 0644)

extern const struct px_proc_object px_proc_objects[];
extern const unsigned px_proc_objects_count;

void px_proc_node(struct px_node *node, unsigned object, const struct px_proc *process, unsigned number);
/* Whether an object is in a directory. A thread's has what its process's has, but no threads of its own. */
bool px_proc_lies_below(unsigned object, unsigned parent);
bool px_proc_has_descriptor(const struct px_proc *process, unsigned fd);
/* Only the process itself can say what is in it. */
static inline bool px_proc_is_asked(unsigned object)
{
    px_proc_text *text = px_proc_objects[object].text;

    return text == px_text_environ || text == px_text_auxv || text == px_text_maps;
}
/* May this process look into that one? As ptrace's access check for reading. */
bool px_proc_may_look(const struct px_proc *process);
/* From the thread of number `first` on: how many tids; *next: where to go on, 0: nowhere. */
unsigned px_proc_threads(const struct px_proc *process, unsigned first, int32_t *tid, unsigned most, unsigned *next);
/* A link's text, cut to the buffer: how much of it there is. */
int64_t px_proc_link(const char *text, char *to, size_t bytes);

#endif
