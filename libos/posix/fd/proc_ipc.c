/* /proc/sysvipc, and the limits of semaphores, message queues and shared memory below /proc/sys. */
#include "procfs.h"

#include "proto/fs.h"
#include "proto/fsmeta.h"
#include "proto/shm.h"
#include "sysv.h"

#define NUMBER(text, value) px_text_add(text, "%lu\n", (unsigned long)(value))
#define BY_INDEX (PX_IPC_BY_INDEX | PX_IPC_ANYBODY)

void px_text_sem_limits(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "%u\t%u\t%u\t%u\n", PX_SEMMSL, PX_SEMMNS, PX_SEMOPM, PX_SEMMNI);
}

void px_text_msgmax(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MSGMAX);
}

void px_text_msgmnb(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MSGMNB);
}

void px_text_msgmni(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MSGMNI);
}

void px_text_shmall(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, ((const struct px_meta *)PX_META)->data_pages_max);
}

void px_text_shmmax(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, ((const struct px_meta *)PX_META)->data_pages_max * PX_PAGE);
}

void px_text_shmmni(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_SHM_MAX);
}

void px_text_mq_messages(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MQ_MESSAGES);
}

void px_text_mq_bytes(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MQ_BYTES);
}

void px_text_mq_queues(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    NUMBER(text, PX_MQ_QUEUES);
}

void px_text_sysvipc_msg(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n");
    for (int32_t place = 0; place < (int32_t)PX_MSGMNI; place++) {
        struct px_ipc ipc = {.id = place, .flags = BY_INDEX};

        if (px_ipc_ask(PX_IPC_MSG_STAT, &ipc) >= 0)
            px_text_add(text, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n", ipc.key, ipc.id, ipc.mode,
                        (unsigned long)ipc.used, (unsigned long)ipc.count, (unsigned)ipc.lspid, (unsigned)ipc.lrpid, ipc.uid, ipc.gid, ipc.cuid,
                        ipc.cgid, (unsigned long)ipc.atime, (unsigned long)ipc.dtime, (unsigned long)ipc.ctime);
    }
}

void px_text_sysvipc_sem(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    for (int32_t place = 0; place < (int32_t)PX_SEMMNI; place++) {
        struct px_ipc ipc = {.id = place, .flags = BY_INDEX};

        if (px_ipc_ask(PX_IPC_SEM_STAT, &ipc) >= 0)
            px_text_add(text, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", ipc.key, ipc.id, ipc.mode, ipc.count, ipc.uid, ipc.gid, ipc.cuid,
                        ipc.cgid, (unsigned long)ipc.atime, (unsigned long)ipc.ctime);
    }
}

void px_text_sysvipc_shm(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime"
                      "                   rss                  swap\n");
    for (int32_t place = 0; place < (int32_t)PX_SHM_MAX; place++) {
        struct px_shm shm = {.id = place, .flags = PX_SHM_BY_INDEX | PX_SHM_ANYBODY};
        struct exo_message message = {.word = {PX_FS_SHM, 0, PX_SHM_STAT}};

        memcpy(px_msg(), &shm, sizeof shm);
        if (px_call_server(PX_SLOT_FS, &message) < 0)
            continue;
        memcpy(&shm, px_msg(), sizeof shm);
        px_text_add(text, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21u\n", shm.key, shm.id, shm.mode,
                    (unsigned long)shm.size, (unsigned)shm.cpid, (unsigned)shm.lpid, (unsigned long)shm.attached, shm.uid, shm.gid, shm.cuid, shm.cgid,
                    (unsigned long)shm.atime, (unsigned long)shm.dtime, (unsigned long)shm.ctime, (unsigned long)(shm.pages * PX_PAGE), 0u);
    }
}
