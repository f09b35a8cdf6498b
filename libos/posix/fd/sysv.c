/* What the calls about semaphores and message queues have in common. */
#include "sysv.h"

#include "fs/files.h"

void px_ipc_perm(const struct px_ipc *ipc, struct px_ipc_perm *perm)
{
    *perm = (struct px_ipc_perm){.key = ipc->key,
        .uid = ipc->uid,
        .gid = ipc->gid,
        .cuid = ipc->cuid,
        .cgid = ipc->cgid,
        .mode = ipc->mode,
        .seq = (uint16_t)(ipc->id >> 15)};
}

int64_t px_ipc_ask(enum px_ipc_call call, struct px_ipc *ipc)
{
    struct exo_message message = {.word = {PX_FS_IPC, call}};
    int64_t result;

    memcpy(px_msg(), ipc, sizeof *ipc);
    result = px_call_server(PX_SLOT_FS, &message);
    if (result >= 0)
        memcpy(ipc, px_msg(), sizeof *ipc);
    return result;
}

int64_t px_ipc_wait(struct px_ipc *ipc, uint64_t deadline_ns)
{
    const struct px_ipc_words *words = (const struct px_ipc_words *)(px_meta_base + PX_META_LOAD(px_meta()->ipc));

    for (;;) {
        const uint32_t *word = &words->slot[ipc->slot % PX_IPC_SLOTS];
        int64_t status = 0, result;

        if (PX_META_LOAD(*word) == ipc->seen) /* looked at before it is slept on: the page may not be mapped yet */
            status = px_wait_word(word, ipc->seen, deadline_ns);
        ipc->flags = status < 0 ? PX_IPC_GIVE_UP : 0;
        result = px_ipc_ask(PX_IPC_COLLECT, ipc);
        if (result == -EINTR && status < 0)
            return status;
        if (result != PX_IPC_WAIT)
            return result;
    }
}

int64_t px_ipc_send(enum px_ipc_call call, struct px_ipc *ipc, px_user from, uint64_t deadline_ns)
{
    const struct px_ipc asked = *ipc;
    uint32_t slot = PX_IPC_NO_SLOT, offset = 0;

    for (;;) {
        uint32_t rest = asked.bytes - offset, part = rest < PX_IPC_PART_MOST ? rest : PX_IPC_PART_MOST;
        int64_t result;

        *ipc = asked;
        ipc->offset = offset;
        ipc->part = part;
        ipc->slot = slot;
        if (px_copy_in(px_ipc_data(), from + offset, part) != 0) {
            ipc->flags = PX_IPC_GIVE_UP;
            if (offset)
                (void)!px_ipc_ask(PX_IPC_COLLECT, ipc);
            return -EFAULT;
        }
        result = px_ipc_ask(call, ipc);
        if (result == PX_IPC_WAIT)
            return px_ipc_wait(ipc, deadline_ns);
        slot = ipc->slot;
        offset += part;
        if (result < 0 || offset == asked.bytes)
            return result;
    }
}

int64_t px_ipc_receive(enum px_ipc_call call, struct px_ipc *ipc, px_user to, uint64_t deadline_ns)
{
    int64_t result = px_ipc_ask(call, ipc), bad = 0;

    if (result == PX_IPC_WAIT)
        result = px_ipc_wait(ipc, deadline_ns);
    while (result >= 0) {
        if (!bad && px_copy_out(to + ipc->offset, px_ipc_data(), ipc->part) != 0)
            bad = -EFAULT;
        if (ipc->slot == PX_IPC_NO_SLOT)
            return bad ? bad : result;
        ipc->offset += ipc->part;
        result = px_ipc_ask(PX_IPC_PART, ipc);
    }
    return result;
}
