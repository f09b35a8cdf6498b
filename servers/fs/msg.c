/* System V message queues: texts in a row, taken by type; who waits to receive gets a text when it comes, who waits to send is let in when there is room. */
#include "ipc.h"

#define MSG_EXCEPT 020000u
#define MSG_NOERROR 010000u
#define MSG_COPY 040000u

static struct queue {
    struct ipc_object object;
    uint32_t first, last; /* texts */
    uint32_t count;
    uint64_t bytes, limit;
    int64_t stime, rtime;
    int32_t lspid, lrpid;
} queues[PX_MSGMNI];
static struct ipc_table table = {(uint8_t *)queues, sizeof queues[0], PX_MSGMNI, 0};

static struct queue *find(const struct fs_request *request, int32_t id)
{
    return (struct queue *)(void *)ipc_find(&table, request, id);
}

static uint32_t place_of(const struct queue *queue)
{
    return (uint32_t)(queue - queues);
}

static int64_t get(struct fs_request *request, const struct px_ipc *ask)
{
    struct ipc_object *object;
    int64_t status = ipc_get(&table, request, ask, &object);

    if (status < 0)
        return status;
    if (!object) {
        object = ipc_make(&table, request, ask);
        if (!object)
            return -ENOSPC;
        ((struct queue *)(void *)object)->limit = PX_MSGMNB;
    }
    return ipc_id(&table, object);
}

/* ---- receiving ---- */

static bool wanted(int64_t type, uint32_t flags, int64_t of)
{
    if (type == 0)
        return true;
    if (type < 0)
        return type == INT64_MIN || of <= -type;
    return flags & MSG_EXCEPT ? of != type : of == type;
}

/* What a receiver of this type gets: of negative types the lowest. *before: the one before it in the row. */
static uint32_t choose(const struct queue *queue, int64_t type, uint32_t flags, uint32_t *before)
{
    uint32_t found = 0, last = 0;
    int64_t index = 0;

    *before = 0;
    for (uint32_t text = queue->first; text; last = text, text = text_head(text)->next, index++) {
        bool good = flags & MSG_COPY ? index == type : wanted(type, flags, text_head(text)->type);

        if (!good || (found && text_head(text)->type >= text_head(found)->type))
            continue;
        found = text;
        *before = last;
        if (type >= 0 || flags & MSG_COPY)
            break;
    }
    return found;
}

static void unlink_text(struct queue *queue, uint32_t text, uint32_t before)
{
    uint32_t next = text_head(text)->next;

    if (before)
        text_head(before)->next = next;
    else
        queue->first = next;
    if (queue->last == text)
        queue->last = before;
    queue->count--;
    queue->bytes -= text_head(text)->bytes;
    text_head(text)->next = 0;
}

/* The waiter has the text. */
static void receive(struct queue *queue, struct waiter *waiter, uint32_t text)
{
    waiter->text = text;
    waiter->type = text_head(text)->type;
    waiter->bytes = text_head(text)->bytes < waiter->bytes ? text_head(text)->bytes : waiter->bytes;
    queue->rtime = ipc_seconds();
    queue->lrpid = waiter->pid;
}

/* A text has come: to the first who waits for one like it. False: it stays in the row. */
static bool hand_over(struct queue *queue, uint32_t text, int32_t pid)
{
    struct waiter *waiter = NULL;

    while ((waiter = waiter_next(WAIT_MSG_RECEIVE, place_of(queue), waiter ? waiter->turn : 0))) {
        if (!wanted(waiter->type, waiter->flags, text_head(text)->type))
            continue;
        if (text_head(text)->bytes > waiter->bytes && !(waiter->flags & MSG_NOERROR)) {
            waiter_done(waiter, -E2BIG);
            continue;
        }
        receive(queue, waiter, text);
        queue->stime = ipc_seconds();
        queue->lspid = pid;
        waiter_done(waiter, 0);
        return true;
    }
    return false;
}

static bool has_room(const struct queue *queue, uint32_t bytes)
{
    return queue->bytes + bytes <= queue->limit && queue->count + 1 <= queue->limit;
}

static void put(struct queue *queue, uint32_t text, int32_t pid)
{
    if (hand_over(queue, text, pid))
        return;
    text_head(text)->next = 0;
    if (queue->last)
        text_head(queue->last)->next = text;
    else
        queue->first = text;
    queue->last = text;
    queue->count++;
    queue->bytes += text_head(text)->bytes;
    queue->stime = ipc_seconds();
    queue->lspid = pid;
}

/* There may be room for those who wait to send. */
static void let_in(struct queue *queue)
{
    struct waiter *waiter;

    while ((waiter = waiter_next(WAIT_MSG_SEND, place_of(queue), 0)) && has_room(queue, text_head(waiter->text)->bytes)) {
        uint32_t text = waiter->text;

        waiter->text = 0;
        put(queue, text, waiter->pid);
        waiter_done(waiter, 0);
    }
}

static int64_t send(struct fs_request *request, struct px_ipc *ask)
{
    struct queue *queue = find(request, ask->id);
    struct waiter *waiter;
    bool whole = false;
    uint32_t text;
    int64_t status;

    if (!queue)
        return -EINVAL;
    if (ask->type < 1)
        return -EINVAL;
    if (!ipc_may(&request->caller, &queue->object, 2))
        return -EACCES;
    status = ipc_take_part(request, ask, WAIT_MSG_SEND, place_of(queue), PX_MSGMAX, &waiter, &whole);
    if (status < 0)
        return status;
    ask->slot = (uint32_t)(waiter - ipc_waiters);
    if (!whole)
        return 0;
    text = waiter->text;
    text_head(text)->type = ask->type;
    if (!has_room(queue, ask->bytes)) {
        if (!(ask->flags & PX_IPC_NOWAIT))
            return waiter_sleep(waiter, ask);
        waiter_free(waiter);
        return -EAGAIN;
    }
    waiter->text = 0;
    waiter_free(waiter);
    put(queue, text, ipc_process(request)->pid);
    return 0;
}

/* MSG_COPY leaves the text where it is. */
static uint32_t copy_of(uint32_t text)
{
    uint8_t part[256];
    uint32_t bytes = text_head(text)->bytes, copy = text_new(bytes);

    for (uint32_t at = 0; copy && at < bytes; at += sizeof part) {
        uint32_t count = bytes - at < sizeof part ? bytes - at : (uint32_t)sizeof part;

        text_read(text, at, part, count);
        text_write(copy, at, part, count);
    }
    if (copy)
        text_head(copy)->type = text_head(text)->type;
    return copy;
}

static int64_t take(struct queue *queue, struct waiter *waiter, uint32_t text, uint32_t before)
{
    if (text_head(text)->bytes > waiter->bytes && !(waiter->flags & MSG_NOERROR))
        return -E2BIG;
    if (waiter->flags & MSG_COPY) {
        text = copy_of(text);
        if (!text)
            return -ENOMEM;
        waiter->text = text;
        waiter->type = text_head(text)->type;
        waiter->bytes = text_head(text)->bytes < waiter->bytes ? text_head(text)->bytes : waiter->bytes;
        return 0;
    }
    unlink_text(queue, text, before);
    receive(queue, waiter, text);
    return 0;
}

static int64_t receive_call(struct fs_request *request, struct px_ipc *ask)
{
    struct queue *queue = find(request, ask->id);
    uint32_t before, text;
    struct waiter *waiter;
    int64_t status;

    if (!queue)
        return -EINVAL;
    if (ask->flags & MSG_COPY && (ask->flags & MSG_EXCEPT || !(ask->flags & PX_IPC_NOWAIT)))
        return -EINVAL;
    if (!ipc_may(&request->caller, &queue->object, 4))
        return -EACCES;
    text = choose(queue, ask->type, ask->flags, &before);
    if (!text && ask->flags & PX_IPC_NOWAIT)
        return -ENOMSG;
    waiter = waiter_new(request, WAIT_MSG_RECEIVE, place_of(queue));
    if (!waiter)
        return -ENOMEM;
    waiter->type = ask->type;
    waiter->flags = ask->flags;
    waiter->bytes = ask->bytes;
    if (!text)
        return waiter_sleep(waiter, ask);
    status = take(queue, waiter, text, before);
    if (status < 0) {
        waiter_free(waiter);
        return status;
    }
    waiter->state = SLOT_DONE;
    waiter->result = 0;
    let_in(queue);
    return ipc_give_text(request, waiter, ask, 0);
}

/* ---- msgctl ---- */

static int64_t stat(struct fs_request *request, struct px_ipc *ask)
{
    struct ipc_object *object;
    int64_t status = ipc_look(&table, request, ask, &object);
    const struct queue *queue = (struct queue *)(void *)object;

    if (status < 0)
        return status;
    ipc_tell(&table, object, ask);
    ask->atime = queue->stime;
    ask->dtime = queue->rtime;
    ask->count = queue->count;
    ask->used = queue->bytes;
    ask->limit = queue->limit;
    ask->lspid = queue->lspid;
    ask->lrpid = queue->lrpid;
    return ask->id;
}

static int64_t set(struct fs_request *request, const struct px_ipc *ask)
{
    struct queue *queue = find(request, ask->id);
    int64_t status;

    if (!queue)
        return -EINVAL;
    if (ipc_owns(&request->caller, &queue->object) && ask->limit > PX_MSGMNB && request->caller.uid != 0)
        return -EPERM;
    status = ipc_set(request, &queue->object, ask);
    if (status < 0)
        return status;
    queue->limit = ask->limit;
    let_in(queue);
    return 0;
}

static int64_t end(struct fs_request *request, const struct px_ipc *ask)
{
    struct queue *queue = find(request, ask->id);

    if (!queue)
        return -EINVAL;
    if (!ipc_owns(&request->caller, &queue->object))
        return -EPERM;
    waiters_end(WAIT_MSG_RECEIVE, place_of(queue), -EIDRM);
    waiters_end(WAIT_MSG_SEND, place_of(queue), -EIDRM);
    while (queue->first) {
        uint32_t text = queue->first;

        unlink_text(queue, text, 0);
        text_free(text);
    }
    queue->object.used = false;
    return 0;
}

static int64_t info(struct fs_request *request, struct px_ipc *ask)
{
    ask->count = 0;
    ask->limit = 0;
    for (uint32_t i = 0; i < PX_MSGMNI; i++)
        if (queues[i].object.used && queues[i].object.zone == ipc_process(request)->zone) {
            ask->count += queues[i].count;
            ask->limit += queues[i].bytes;
        }
    return ipc_highest(&table, request, ask);
}

int64_t msg_call(struct fs_request *request, struct px_ipc *ask)
{
    switch (request->message->word[1]) {
    case PX_IPC_MSG_GET: return get(request, ask);
    case PX_IPC_MSG_SEND: return send(request, ask);
    case PX_IPC_MSG_RECEIVE: return receive_call(request, ask);
    case PX_IPC_MSG_STAT: return stat(request, ask);
    case PX_IPC_MSG_SET: return set(request, ask);
    case PX_IPC_MSG_REMOVE: return end(request, ask);
    case PX_IPC_MSG_INFO: return info(request, ask);
    default: return -EINVAL;
    }
}
