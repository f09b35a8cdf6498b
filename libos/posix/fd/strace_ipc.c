/* How strace shows what System V's shared memory, semaphores and messages are asked. */
#include "strace_put.h"

#define IPC_STAT 2

static const char ipc_flags[] = "|200 IPC_CREAT|400 IPC_EXCL|800 IPC_NOWAIT";
static const char shm_create[] = "|200 IPC_CREAT|400 IPC_EXCL|800 SHM_HUGETLB|1000 SHM_NORESERVE";

/* Flags, and the mode in the same word. */
static void put_with_mode(struct px_text *text, const char *names, uint32_t value)
{
    if (value & ~0777u) {
        px_put_flags(text, names, value & ~0777u, "");
        px_text_add(text, "|");
    }
    px_put_octal(text, value & 0777);
}

PX_PUT(shm_flags)
{
    put_with_mode(text, shm_create, (uint32_t)trace->argument[index]);
    return true;
}

PX_PUT(sem_flags)
{
    put_with_mode(text, ipc_flags, (uint32_t)trace->argument[index]);
    return true;
}

PX_PUT(ipc_key)
{
    if ((uint32_t)trace->argument[index])
        px_put_hex(text, (uint32_t)trace->argument[index]);
    else
        px_text_add(text, "IPC_PRIVATE");
    return true;
}

/* ---- structures of System V ---- */

static void put_operation(struct px_text *text, const void *element, void *with)
{
    static const char flags[] = "SEM_???|1000 UNDO|800 =IPC_NOWAIT";
    const int16_t *operation = element;

    (void)with;
    px_text_add(text, "{sem_num=%u, sem_op=%d, sem_flg=", (uint16_t)operation[0], operation[1]);
    px_put_flags(text, flags, (uint16_t)operation[2], "0");
    px_text_add(text, "}");
}

PX_PUT(semops)
{
    px_put_array(text, trace->argument[index], trace->argument[index + 1], 6, put_operation, NULL);
    return true;
}

static void put_message(struct px_text *text, px_user from, uint64_t bytes)
{
    int64_t type;

    if (!px_put_read(text, &type, from, sizeof type))
        return;
    px_text_add(text, "{mtype=%ld, mtext=", (long)type);
    px_put_bytes(text, from + sizeof type, bytes);
    px_text_add(text, "}");
}

PX_PUT(msgbuf)
{
    put_message(text, trace->argument[index], trace->argument[index + 1]);
    return true;
}

PX_PUT(msgbuf_got)
{
    if (!trace->leaving)
        return false;
    if (trace->failed)
        px_put_address(text, trace->argument[index]);
    else
        put_message(text, trace->argument[index], trace->argument[index + 1]);
    return true;
}

/* ---- what the control calls tell ---- */

struct permission { /* struct ipc64_perm */
    int32_t key;
    uint32_t uid, gid, creator, creator_group, mode;
    uint64_t rest[3];
};
_Static_assert(sizeof(struct permission) == 48, "struct ipc64_perm");

static void put_permission(struct px_text *text, const char *what, const struct permission *of)
{
    px_text_add(text, "{%s_perm={uid=%u, gid=%u, mode=", what, of->uid, of->gid);
    px_put_octal(text, of->mode);
    px_text_add(text, ", key=%d, cuid=%u, cgid=%u}, ", of->key, of->creator, of->creator_group);
}

static void put_memory(struct px_text *text, px_user from)
{
    struct {
        struct permission permission;
        uint64_t bytes;
        int64_t attached, detached, changed;
        int32_t creator, last;
        uint64_t users;
    } told;

    if (!px_put_read(text, &told, from, sizeof told))
        return;
    put_permission(text, "shm", &told.permission);
    px_text_add(text, "shm_segsz=%lu, shm_cpid=%d, shm_lpid=%d, shm_nattch=%lu, shm_atime=%ld, shm_dtime=%ld, shm_ctime=%ld}", (unsigned long)told.bytes,
                told.creator, told.last, (unsigned long)told.users, (long)told.attached, (long)told.detached, (long)told.changed);
}

static void put_semaphores(struct px_text *text, px_user from)
{
    struct {
        struct permission permission;
        int64_t used, pad, changed, pad_too;
        uint64_t count;
    } told;

    if (!px_put_read(text, &told, from, sizeof told))
        return;
    put_permission(text, "sem", &told.permission);
    px_text_add(text, "sem_otime=%ld, sem_ctime=%ld, sem_nsems=%lu}", (long)told.used, (long)told.changed, (unsigned long)told.count);
}

static void put_queue(struct px_text *text, px_user from)
{
    struct {
        struct permission permission;
        int64_t sent, received, changed;
        uint64_t bytes, messages, most;
        int32_t sender, receiver;
    } told;

    if (!px_put_read(text, &told, from, sizeof told))
        return;
    put_permission(text, "msg", &told.permission);
    px_text_add(text, "msg_stime=%ld, msg_rtime=%ld, msg_ctime=%ld, msg_qnum=%lu, msg_qbytes=%lu, msg_lspid=%d, msg_lrpid=%d}", (long)told.sent,
                (long)told.received, (long)told.changed, (unsigned long)told.messages, (unsigned long)told.most, told.sender, told.receiver);
}

/* A command and what it takes: only what IPC_STAT tells is looked at. */
static bool put_command(struct px_text *text, const char *names, const struct px_trace *trace, unsigned index, void (*put)(struct px_text *, px_user))
{
    bool tells = trace->argument[index] == IPC_STAT;

    if (!trace->leaving) {
        px_put_enum(text, names, (uint32_t)trace->argument[index]);
        px_text_add(text, ", ");
    }
    if (tells && !trace->leaving)
        return false;
    (tells && !trace->failed ? put : px_put_address)(text, trace->argument[index + 1]);
    return true;
}

PX_PUT(shmctl)
{
    return put_command(text, "SHM_???|0 =IPC_RMID|1 =IPC_SET|2 =IPC_STAT|3 =IPC_INFO|b LOCK|c UNLOCK|d STAT|e INFO|f STAT_ANY", trace, index, put_memory);
}

PX_PUT(semctl)
{
    static const char names[] = "SEM_???|0 =IPC_RMID|1 =IPC_SET|2 =IPC_STAT|3 =IPC_INFO|b =GETPID|c =GETVAL|d =GETALL|e =GETNCNT|f =GETZCNT|"
        "10 =SETVAL|11 =SETALL|12 STAT|13 INFO|14 STAT_ANY";

    return put_command(text, names, trace, index, put_semaphores);
}

PX_PUT(msgctl)
{
    return put_command(text, "MSG_???|0 =IPC_RMID|1 =IPC_SET|2 =IPC_STAT|3 =IPC_INFO|b STAT|c INFO|d STAT_ANY", trace, index, put_queue);
}
