/*
 * /proc: made up by each libOS from the process table and what it knows of itself. One table (proc_tree.c)
 * names every object; a file's text is made anew for each read. A node's ino is PX_PROC_INO(object, pid,
 * number): number is the descriptor below fd/.
 */
#ifndef PX_PROCFS_H
#define PX_PROCFS_H
#include "fd.h"

#define PX_PROC_INO(object, pid, number)                                                                     \
    ((uint64_t)(pid) << 32 | (uint64_t)(number) << 12 | (uint64_t)(object) | 1ull << 11)
#define PX_PROC_OBJECT(ino) ((unsigned)((ino)&0x7ff))
#define PX_PROC_NUMBER(ino) ((unsigned)((ino) >> 12 & 0xfffff))
#define PX_PROC_PID(ino) ((int)((ino) >> 32))

/* Writes the text of a file. `process` is NULL for those of the system. */
typedef void px_proc_text(struct px_text *text, const struct px_proc *process);

struct px_proc_object {
    const char *name;
    uint8_t parent; /* index in the table */
    uint16_t mode;
    px_proc_text *text;
};

/* The living or dead process with this pid, or NULL. */
const struct px_proc *px_proc_find(int pid);
/* Sets what a file with that text shows, from what was written to it: 0, -EPERM or -EINVAL. */
int64_t px_proc_set(px_proc_text *what, const struct px_proc *process, const char *value);
char px_proc_state(const struct px_proc *process);
/* What other processes ask of this one: a part of a file's text, or a link's; bytes or -errno. */
int64_t px_procfs_part(unsigned object, unsigned number, uint64_t offset, void *to, size_t bytes);
int64_t px_procfs_own_link(unsigned object, unsigned number, char *to, size_t bytes);

px_proc_text px_text_stat, px_text_status, px_text_statm, px_text_cmdline, px_text_comm, px_text_environ,
    px_text_maps, px_text_limits;
px_proc_text px_text_mounts, px_text_mountinfo, px_text_cgroup, px_text_oom, px_text_loginuid, px_text_zero,
    px_text_wchan, px_text_io, px_text_auxv;
px_proc_text px_text_meminfo, px_text_uptime, px_text_loadavg, px_text_system_stat, px_text_interrupts, px_text_version,
    px_text_cpuinfo, px_text_filesystems;
px_proc_text px_text_kernel_cmdline, px_text_vmstat, px_text_hostname, px_text_domainname, px_text_osrelease,
    px_text_ostype, px_text_kernel_version;
px_proc_text px_text_pid_max, px_text_threads_max, px_text_uuid, px_text_boot_id, px_text_cap_last_cap,
    px_text_ngroups_max, px_text_overcommit;
px_proc_text px_text_max_map_count, px_text_file_max, px_text_nr_open, px_text_pipe_max, px_text_somaxconn,
    px_text_overflowid, px_text_core_pattern;
px_proc_text px_text_sem_limits, px_text_msgmax, px_text_msgmnb, px_text_msgmni, px_text_shmall, px_text_shmmax, px_text_shmmni,
    px_text_mq_messages, px_text_mq_bytes, px_text_mq_queues, px_text_sysvipc_msg, px_text_sysvipc_sem, px_text_sysvipc_shm; /* proc_ipc.c */
px_proc_text px_text_devices, px_text_partitions, px_text_swaps, px_text_file_nr, px_text_random_size;

#endif
