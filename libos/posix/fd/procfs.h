/*
 * /proc and /sys: made up by each libOS from the process table and what it knows of itself. One table (proc_table.c)
 * names every object; a file's text is made anew for each read. A node's ino is PX_PROC_INO(object, pid,
 * number): number is the descriptor below fd/ and fdinfo/, the thread below task/, the processor below cpu/; files find it in their text.
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
    const char *fixed; /* what a file without `text` shows, or a link's target */
};

/* The living or dead process with this pid, or NULL. */
const struct px_proc *px_proc_find(int pid);
/* Sets what a file shows, from what was written to it: 0, -EPERM or -EINVAL. `number`: as in its node. */
int64_t px_proc_set(unsigned object, unsigned number, const struct px_proc *process, const char *value);
/* What other processes ask of this one: a part of a file's text, or a link's; bytes or -errno. */
int64_t px_procfs_part(unsigned object, unsigned number, uint64_t offset, void *to, size_t bytes);
int64_t px_procfs_own_link(unsigned object, unsigned number, char *to, size_t bytes);

px_proc_text px_text_stat, px_text_status, px_text_statm, px_text_cmdline, px_text_comm, px_text_environ, px_text_maps, px_text_limits, px_text_oom,
    px_text_auxv, px_text_smaps, px_text_smaps_rollup, px_text_fdinfo, px_text_personality;
px_proc_text px_text_mounts, px_text_mountinfo, px_text_mountstats, px_text_meminfo, px_text_uptime, px_text_loadavg, px_text_system_stat, px_text_interrupts,
    px_text_softirqs, px_text_cpuinfo, px_text_vmstat, px_text_zoneinfo, px_text_locks, px_text_hostname, px_text_domainname, px_text_threads_max,
    px_text_uuid, px_text_boot_id, px_text_file_max, px_text_file_nr, px_text_nr_open, px_text_inode_nr, px_text_inode_state, px_text_pipe_max;
px_proc_text px_text_sem_limits, px_text_msgmax, px_text_msgmnb, px_text_msgmni, px_text_shmall, px_text_shmmax, px_text_shmmni,
    px_text_mq_messages, px_text_mq_bytes, px_text_mq_queues, px_text_sysvipc_msg, px_text_sysvipc_sem, px_text_sysvipc_shm; /* proc_ipc.c */
px_proc_text px_text_cpu_list, px_text_cpu_mask, px_text_core_id, px_text_core_mask, px_text_node_meminfo; /* proc_system.c: /sys */
px_proc_text px_text_net_unix, px_text_net_tcp, px_text_net_tcp6, px_text_net_udp, px_text_net_udp6, px_text_net_udplite, px_text_net_udplite6,
    px_text_net_sockstat, px_text_net_sockstat6; /* proc_net.c */
unsigned px_system_cpus(void); /* of which there are figures, at least one */

#endif
