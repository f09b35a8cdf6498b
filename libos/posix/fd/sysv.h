/* Calls about semaphores and message queues: asking fs, and waiting for what it does (proto/sysv.h). */
#ifndef PX_SYSV_H
#define PX_SYSV_H
#include "fd.h"
#include "proto/sysv.h"

enum { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO };
#define IPC_CREAT 01000u
#define IPC_NOWAIT PX_IPC_NOWAIT
#define IPC_64 0x100u /* what old libraries add to the command */

/* The beginning of semid64_ds and msqid64_ds. */
struct px_ipc_perm {
    int32_t key;
    uint32_t uid, gid, cuid, cgid, mode;
    uint16_t seq, pad0[3];
    uint64_t pad1[2];
};
void px_ipc_perm(const struct px_ipc *ipc, struct px_ipc_perm *perm);

/* Behind the structure in the message page. */
static inline void *px_ipc_data(void)
{
    return (uint8_t *)px_msg() + sizeof(struct px_ipc);
}
/* What is behind the structure must be there already. */
int64_t px_ipc_ask(enum px_ipc_call call, struct px_ipc *ipc);
/* After PX_IPC_WAIT: sleeps until it is done; the result, with the answer in *ipc. -ETIMEDOUT, -PX_ERESTARTSYS: it has been given up. */
int64_t px_ipc_wait(struct px_ipc *ipc, uint64_t deadline_ns);
/* Sends ipc->bytes from the program, in parts, waiting to the deadline if need be. */
int64_t px_ipc_send(enum px_ipc_call call, struct px_ipc *ipc, px_user from, uint64_t deadline_ns);
/* Receives: the text goes to the program, *ipc says what it is. Bytes or -errno. */
int64_t px_ipc_receive(enum px_ipc_call call, struct px_ipc *ipc, px_user to, uint64_t deadline_ns);
#endif
