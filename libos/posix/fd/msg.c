/* msgget, msgsnd, msgrcv, msgctl. fs has the queues (servers/fs/msg.c). */
#include "sysv.h"

enum { MSG_STAT = 11, MSG_INFO, MSG_STAT_ANY };

struct msqid_ds {
    struct px_ipc_perm perm;
    int64_t stime, rtime, ctime;
    uint64_t cbytes, qnum, qbytes;
    int32_t lspid, lrpid;
    uint64_t pad[2];
};
_Static_assert(sizeof(struct msqid_ds) == 120, "struct msqid64_ds");
struct msginfo {
    int32_t pool, map, max, mnb, mni, ssz, tql;
    uint16_t seg;
};

PX_SYS(msgget)
{
    struct px_ipc ipc = {.key = (int32_t)a, .flags = (uint32_t)b};

    return px_ipc_ask(PX_IPC_MSG_GET, &ipc);
}

/* The calls are made again after a signal only if no handler has run. */
static int64_t finish(int64_t result)
{
    return result == -PX_ERESTARTSYS ? -PX_ERESTARTNOHAND : result;
}

PX_SYS(msgsnd)
{
    struct px_ipc ipc = {.id = (int32_t)a, .bytes = (uint32_t)c, .flags = (uint32_t)d & IPC_NOWAIT};

    if (px_copy_in(&ipc.type, b, sizeof ipc.type) != 0)
        return -EFAULT;
    if ((int32_t)a < 0 || c > PX_MSGMAX || ipc.type < 1)
        return -EINVAL;
    return finish(px_ipc_send(PX_IPC_MSG_SEND, &ipc, b + sizeof ipc.type, PX_DEADLINE_NEVER));
}

PX_SYS(msgrcv)
{
    struct px_ipc ipc = {.id = (int32_t)a, .bytes = c > INT32_MAX ? INT32_MAX : (uint32_t)c, .type = (int64_t)d, .flags = (uint32_t)e};
    int64_t result;

    if ((int32_t)a < 0 || (int64_t)c < 0)
        return -EINVAL;
    result = px_ipc_receive(PX_IPC_MSG_RECEIVE, &ipc, b + sizeof ipc.type, PX_DEADLINE_NEVER);
    if (result >= 0 && px_copy_out(b, &ipc.type, sizeof ipc.type) != 0)
        return -EFAULT;
    return finish(result);
}

static int64_t control_stat(int32_t id, uint64_t command, px_user to)
{
    struct px_ipc ipc = {.id = id, .flags = (command == IPC_STAT ? 0 : PX_IPC_BY_INDEX) | (command == MSG_STAT_ANY ? PX_IPC_ANYBODY : 0)};
    int64_t result = px_ipc_ask(PX_IPC_MSG_STAT, &ipc);
    struct msqid_ds text = {.stime = ipc.atime,
        .rtime = ipc.dtime,
        .ctime = ipc.ctime,
        .cbytes = ipc.used,
        .qnum = ipc.count,
        .qbytes = ipc.limit,
        .lspid = ipc.lspid,
        .lrpid = ipc.lrpid};

    if (result < 0)
        return result;
    px_ipc_perm(&ipc, &text.perm);
    if (px_copy_out(to, &text, sizeof text) != 0)
        return -EFAULT;
    return command == IPC_STAT ? 0 : result;
}

static int64_t control_info(uint64_t command, px_user to)
{
    struct px_ipc ipc = {0};
    int64_t result = px_ipc_ask(PX_IPC_MSG_INFO, &ipc);
    struct msginfo info = {.pool = PX_MSGMNI * PX_MSGMNB / 1024,
        .map = PX_MSGMNB,
        .max = PX_MSGMAX,
        .mnb = PX_MSGMNB,
        .mni = PX_MSGMNI,
        .ssz = 16,
        .tql = PX_MSGMNB,
        .seg = 0xffff};

    if (result < 0)
        return result;
    if (command == MSG_INFO) {
        info.pool = (int32_t)ipc.used;
        info.map = (int32_t)ipc.count;
        info.tql = (int32_t)ipc.limit;
    }
    return px_copy_out(to, &info, sizeof info) != 0 ? -EFAULT : result;
}

PX_SYS(msgctl)
{
    struct px_ipc ipc = {.id = (int32_t)a};
    uint32_t command = (uint32_t)b & ~IPC_64;
    struct msqid_ds text;

    if ((int32_t)a < 0 || (int32_t)b < 0)
        return -EINVAL;
    switch (command) {
    case IPC_RMID: return px_ipc_ask(PX_IPC_MSG_REMOVE, &ipc);
    case IPC_SET:
        if (px_copy_in(&text, c, sizeof text) != 0)
            return -EFAULT;
        ipc.uid = text.perm.uid;
        ipc.gid = text.perm.gid;
        ipc.mode = text.perm.mode;
        ipc.limit = text.qbytes;
        return px_ipc_ask(PX_IPC_MSG_SET, &ipc);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: return control_stat((int32_t)a, command, c);
    case IPC_INFO:
    case MSG_INFO: return control_info(command, c);
    default: return -EINVAL;
    }
}
