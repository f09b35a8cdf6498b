/* The table of what is below /proc and /sys, which the tree (proc_tree.c) and its files (proc_file.c) share. */
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
    PROC_FDINFO,
    PROC_FDINFO_ENTRY,
    PROC_SYS_PTY,
    PROC_SYS_INOTIFY,
    PROC_SYS_IPV4,
    PROC_TTY_FOLDER,
    PROC_NET,
    SYSFS_ROOT,
    SYSFS_DEVICES,
    SYSFS_SYSTEM,
    SYSFS_CPUS,
    SYSFS_CPU,
    SYSFS_TOPOLOGY,
    SYSFS_NODES,
    SYSFS_NODE,
    SYSFS_CLOCKSOURCES,
    SYSFS_CLOCKSOURCE,
    SYSFS_KERNEL,
    SYSFS_MM,
    SYSFS_FS,
    SYSFS_CGROUP,
    SYSFS_BLOCK,
    SYSFS_BUS,
    SYSFS_CLASS,
    SYSFS_CLASS_BLOCK,
    SYSFS_DEV,
    SYSFS_DEV_BLOCK,
    SYSFS_DEV_CHAR,
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
/* Its number is its own, and not that of the thread or processor that it is below. */
static inline bool px_proc_is_numbered(unsigned object)
{
    return object == PROC_TID || object == SYSFS_CPU || object == PROC_FD_ENTRY || object == PROC_FDINFO_ENTRY;
}
/* Only the process itself can say what is in it, to who may look into it. */
static inline bool px_proc_is_asked(unsigned object)
{
    px_proc_text *text = px_proc_objects[object].text;

    return text == px_text_environ || text == px_text_auxv || text == px_text_maps || text == px_text_smaps || text == px_text_smaps_rollup ||
           text == px_text_fdinfo || text == px_text_personality;
}
/* May this process look into that one? As ptrace's access check for reading. */
bool px_proc_may_look(const struct px_proc *process);
/* From the thread of number `first` on: how many tids; *next: where to go on, 0: nowhere. */
unsigned px_proc_threads(const struct px_proc *process, unsigned first, int32_t *tid, unsigned most, unsigned *next);
/* A link's text, cut to the buffer: how much of it there is. */
int64_t px_proc_link(const char *text, char *to, size_t bytes);

#endif
