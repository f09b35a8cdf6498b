/* semget, semop, semtimedop, semctl. fs has the semaphores (servers/fs/sem.c). */
#include "sysv.h"

enum { GETPID = 11, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL, SEM_STAT, SEM_INFO, SEM_STAT_ANY };

struct semid_ds {
    struct px_ipc_perm perm;
    int64_t otime;
    uint64_t pad0;
    int64_t ctime;
    uint64_t pad1, nsems, pad2[2];
};
_Static_assert(sizeof(struct semid_ds) == 104, "struct semid64_ds");
struct seminfo {
    int32_t map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem;
};

static int32_t undo_of; /* the process that has used SEM_UNDO: a child begins without */

void px_sem_exit(void)
{
    struct px_ipc ipc = {0};

    if (undo_of == px_self()->pid)
        (void)!px_ipc_ask(PX_IPC_EXIT, &ipc);
}

PX_SYS(semget)
{
    struct px_ipc ipc = {.key = (int32_t)a, .count = (uint32_t)b, .flags = (uint32_t)c};

    return px_ipc_ask(PX_IPC_SEM_GET, &ipc);
}

static int64_t operate(int32_t id, px_user user_ops, uint64_t count, px_user timeout)
{
    struct px_sembuf *ops = px_ipc_data();
    struct px_ipc ipc = {.id = id, .count = (uint32_t)count};
    uint64_t deadline_ns = PX_DEADLINE_NEVER, ns;
    int64_t result;

    if (count == 0 || id < 0)
        return -EINVAL;
    if (count > PX_SEMOPM)
        return -E2BIG;
    if (timeout) {
        result = px_read_timespec(timeout, &ns);
        if (result < 0)
            return result;
        deadline_ns = px_deadline_after(ns);
    }
    if (px_copy_in(ops, user_ops, count * sizeof *ops) != 0)
        return -EFAULT;
    for (uint64_t i = 0; i < count; i++)
        if (ops[i].flags & PX_SEM_UNDO)
            undo_of = px_self()->pid;
    result = px_ipc_ask(PX_IPC_SEM_OP, &ipc);
    if (result == PX_IPC_WAIT)
        result = px_ipc_wait(&ipc, deadline_ns);
    return result == -ETIMEDOUT ? -EAGAIN : result == -PX_ERESTARTSYS ? -EINTR : result;
}

PX_SYS(semop)
{
    return operate((int32_t)a, b, (uint32_t)c, 0);
}

PX_SYS(semtimedop)
{
    return operate((int32_t)a, b, (uint32_t)c, d);
}

static int64_t control_stat(int32_t id, uint64_t command, px_user to)
{
    struct px_ipc ipc = {.id = id, .flags = (command == IPC_STAT ? 0 : PX_IPC_BY_INDEX) | (command == SEM_STAT_ANY ? PX_IPC_ANYBODY : 0)};
    int64_t result = px_ipc_ask(PX_IPC_SEM_STAT, &ipc);
    struct semid_ds text = {.otime = ipc.atime, .ctime = ipc.ctime, .nsems = ipc.count};

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
    int64_t result = px_ipc_ask(PX_IPC_SEM_INFO, &ipc);
    struct seminfo info = {.map = PX_SEMMNS,
        .mni = PX_SEMMNI,
        .mns = PX_SEMMNS,
        .mnu = PX_SEMMNS,
        .msl = PX_SEMMSL,
        .opm = PX_SEMOPM,
        .ume = PX_SEMOPM,
        .usz = 20,
        .vmx = PX_SEMVMX,
        .aem = PX_SEMVMX};

    if (result < 0)
        return result;
    if (command == SEM_INFO) {
        info.usz = (int32_t)ipc.used;
        info.aem = (int32_t)ipc.bytes;
    }
    return px_copy_out(to, &info, sizeof info) != 0 ? -EFAULT : result;
}

static int64_t control_read(int32_t id, uint32_t number, uint64_t command)
{
    struct px_ipc ipc = {.id = id, .number = number};
    int64_t result = px_ipc_ask(PX_IPC_SEM_READ, &ipc);

    if (result < 0)
        return result;
    return command == GETVAL ? ipc.value : command == GETPID ? ipc.pid : (int32_t)(command == GETNCNT ? ipc.waiting : ipc.zeroes);
}

static int64_t control_all(int32_t id, bool set, px_user values)
{
    struct px_ipc ipc = {.id = id};
    int64_t result;

    if (!set) {
        result = px_ipc_ask(PX_IPC_SEM_VALUES, &ipc);
        if (result < 0)
            return result;
        return px_copy_out(values, px_ipc_data(), ipc.count * sizeof(uint16_t)) != 0 ? -EFAULT : 0;
    }
    ipc.flags = PX_IPC_ANYBODY;
    result = px_ipc_ask(PX_IPC_SEM_STAT, &ipc); /* how many there are */
    if (result < 0)
        return result;
    if (ipc.count > PX_SEMMSL || px_copy_in(px_ipc_data(), values, ipc.count * sizeof(uint16_t)) != 0)
        return -EFAULT;
    return px_ipc_ask(PX_IPC_SEM_WRITE_ALL, &ipc);
}

PX_SYS(semctl)
{
    struct px_ipc ipc = {.id = (int32_t)a, .number = (uint32_t)b, .value = (int32_t)d};
    uint32_t command = (uint32_t)c & ~IPC_64;
    struct semid_ds text;

    if ((int32_t)a < 0)
        return -EINVAL;
    switch (command) {
    case IPC_RMID: return px_ipc_ask(PX_IPC_SEM_REMOVE, &ipc);
    case IPC_SET:
        if (px_copy_in(&text, d, sizeof text) != 0)
            return -EFAULT;
        ipc.uid = text.perm.uid;
        ipc.gid = text.perm.gid;
        ipc.mode = text.perm.mode;
        return px_ipc_ask(PX_IPC_SEM_SET, &ipc);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY: return control_stat((int32_t)a, command, d);
    case IPC_INFO:
    case SEM_INFO: return control_info(command, d);
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT: return control_read((int32_t)a, (uint32_t)b, command);
    case GETALL:
    case SETALL: return control_all((int32_t)a, command == SETALL, d);
    case SETVAL: return px_ipc_ask(PX_IPC_SEM_WRITE, &ipc);
    default: return -EINVAL;
    }
}
