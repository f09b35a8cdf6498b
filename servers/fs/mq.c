/*
 * POSIX message queues. A queue is a file in /dev/mqueue, which has its name, its owner and mode, and lives as files do: unlinked, it goes when nobody has it
 * open. Its messages are here. Who waits for a message gets it at once; a message that comes to an empty queue for which nobody waits sends the signal that
 * mq_notify asked for, once.
 */
#include "ipc.h"

#include <exo/label.h>

#define SI_MESGQ (-3)
#define NAME_OF_QUEUES "mqueue"

static struct mq {
    uint32_t ino, gen; /* ino 0: free */
    uint32_t uid;
    uint32_t first, count, most, bytes;
    struct {
        uint32_t index, gen; /* index 0: nobody wants to know */
        int32_t pid;
        uint32_t signo;
        uint64_t value;
    } notify;
} queues[PX_MQ_QUEUES];

static uint32_t place_of(const struct mq *queue)
{
    return (uint32_t)(queue - queues);
}

/* Says how many messages there are, and that this has changed. */
static void publish(const struct mq *queue)
{
    uint32_t place = place_of(queue), *seq = &ipc_words->queue[place].seq;

    ipc_words->queue[place].messages = queue->count;
    ipc_words->queue[place].most = queue->most;
    ipc_words->queue[place].ino = queue->ino;
    __atomic_fetch_add(seq, 1, __ATOMIC_SEQ_CST);
    os_wake(seq);
}

void fs_mq_forget(uint32_t ino)
{
    for (uint32_t place = 0; place < PX_MQ_QUEUES; place++) {
        struct mq *queue = &queues[place];

        if (queue->ino != ino)
            continue;
        while (queue->first) {
            uint32_t text = queue->first;

            queue->first = text_head(text)->next;
            text_free(text);
        }
        queue->ino = queue->count = 0;
        publish(queue);
    }
}

/* ---- opening ---- */

static uint32_t folder(void)
{
    const struct px_name *dev = fs_name_find(fs_meta()->root, "dev", 3);
    const struct px_name *name = dev ? fs_name_find(dev->inode, NAME_OF_QUEUES, sizeof NAME_OF_QUEUES - 1) : NULL;

    return name && S_ISDIR(fs_inode(name->inode)->mode) ? name->inode : 0;
}

void fs_mount_mqueue(void)
{
    const struct fs_caller super = {.label = EXO_PLACE_PROGRAMS};
    const struct fs_new new = {.mode = S_IFDIR | S_ISVTX | 0777, .name = NAME_OF_QUEUES, .name_bytes = sizeof NAME_OF_QUEUES - 1};
    const struct px_name *dev = fs_name_find(fs_meta()->root, "dev", 3);
    uint32_t ino;

    if (dev)
        (void)fs_create(&super, fs_node_of(dev->inode), &new, &ino);
}

static struct mq *queue_of(uint64_t node)
{
    for (uint32_t place = 0; place < PX_MQ_QUEUES; place++)
        if (queues[place].ino && PX_FS_NODE(queues[place].ino, queues[place].gen) == node && fs_node(node))
            return &queues[place];
    return NULL;
}

/* What a user's queues could hold together, as RLIMIT_MSGQUEUE counts. */
static uint64_t held_by(uint32_t uid)
{
    uint64_t bytes = 0;

    for (uint32_t place = 0; place < PX_MQ_QUEUES; place++)
        if (queues[place].ino && queues[place].uid == uid)
            bytes += (uint64_t)queues[place].most * (queues[place].bytes + 64);
    return bytes;
}

static int64_t make(struct fs_request *request, const struct px_ipc *ask, const char *name, uint32_t bytes, uint32_t *ino)
{
    const struct fs_new new = {.mode = S_IFREG | (ask->mode & 07777), .name = name, .name_bytes = (uint16_t)bytes};
    uint32_t uid = request->caller.uid, place = 0;
    bool root = uid == 0;
    struct waiter *probe;
    int64_t status;

    if (ask->count == 0 || ask->bytes == 0 || ask->count > (root ? PX_MQ_HARD_MESSAGES : PX_MQ_MESSAGES) ||
        ask->bytes > (root ? PX_MQ_HARD_BYTES : PX_MQ_BYTES))
        return -EINVAL;
    if (held_by(uid) + (uint64_t)ask->count * (ask->bytes + 64) > ask->limit)
        return -EMFILE;
    while (place < PX_MQ_QUEUES && queues[place].ino)
        place++;
    probe = waiter_new(request, WAIT_MQ_SEND, place); /* makes the page of words */
    if (!probe)
        return -ENOMEM;
    waiter_free(probe);
    if (place == PX_MQ_QUEUES)
        return -ENOSPC;
    status = fs_create(&request->caller, fs_node_of(folder()), &new, ino);
    if (status < 0)
        return status;
    fs_inode(*ino)->flags |= PX_INODE_MQUEUE;
    fs_inode(*ino)->size = 80;
    queues[place] = (struct mq){.ino = *ino, .gen = fs_inode(*ino)->gen, .uid = uid, .most = ask->count, .bytes = ask->bytes};
    publish(&queues[place]);
    return 0;
}

static int64_t open_queue(struct fs_request *request, struct px_ipc *ask)
{
    char name[NAME_MAX];
    uint32_t bytes = ask->part, ino = 0, rights = ask->number & 6;
    const struct px_name *there;
    struct mq *queue;

    if (bytes > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, (const uint8_t *)request->page + sizeof *ask, bytes);
    if (!folder() || !rights)
        return folder() ? -EINVAL : -ENOENT;
    there = fs_name_find(folder(), name, bytes);
    if (!there) {
        int64_t status = ask->flags & O_CREAT ? make(request, ask, name, bytes, &ino) : -ENOENT;

        if (status < 0)
            return status;
    } else {
        ino = there->inode;
        if ((ask->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
            return -EEXIST;
        if (!fs_may(&request->caller, fs_inode(ino), rights))
            return -EACCES;
    }
    queue = queue_of(fs_node_of(ino));
    if (!queue)
        return -EACCES; /* some other file */
    ask->node = fs_node_of(ino);
    ask->token = fs_token(ino, queue->gen, rights);
    ask->number = place_of(queue);
    ask->uid = fs_inode(ino)->uid;
    ask->gid = fs_inode(ino)->gid;
    ask->mode = fs_inode(ino)->mode;
    return 0;
}

static int64_t remove(struct fs_request *request, const struct px_ipc *ask)
{
    char name[NAME_MAX];
    int64_t status;

    if (ask->part > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, (const uint8_t *)request->page + sizeof *ask, ask->part);
    if (!folder())
        return -ENOENT;
    status = fs_unlink(&request->caller, fs_node_of(folder()), name, ask->part, false);
    if (status == 0)
        fs_orphans_sweep();
    return status;
}

/* ---- messages ---- */

/* By priority, and of one priority in the order of coming. */
static void put(struct mq *queue, uint32_t text)
{
    uint32_t before = 0, at = queue->first;

    while (at && text_head(at)->type >= text_head(text)->type) {
        before = at;
        at = text_head(at)->next;
    }
    text_head(text)->next = at;
    if (before)
        text_head(before)->next = text;
    else
        queue->first = text;
    queue->count++;
    fs_inode(queue->ino)->mtime = fs_inode(queue->ino)->ctime = os_now();
}

/* Nobody waits for the next message any more. */
static void tell(const struct mq *queue, bool came)
{
    uint32_t *told = &ipc_words->told[place_of(queue)];

    __atomic_store_n(told, ((*told + 2) & ~1u) | came, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&ipc_words->told_seq, 1, __ATOMIC_SEQ_CST);
    os_wake(&ipc_words->told_seq);
}

static void notify(struct mq *queue, const struct fs_request *request)
{
    const struct px_proc *sender = ipc_process(request);

    if (!queue->notify.index)
        return;
    if (ipc_lives(queue->notify.index, queue->notify.gen) && queue->notify.signo && queue->notify.signo != PX_MQ_THREAD)
        fs_signal(queue->notify.pid, queue->notify.signo, SI_MESGQ, sender->pid, sender->uid, queue->notify.value);
    queue->notify.index = 0;
    tell(queue, true);
}

static void take(struct waiter *waiter, uint32_t text)
{
    waiter->text = text;
    waiter->type = text_head(text)->type;
    waiter->bytes = text_head(text)->bytes;
}

/* To who waits for one, or into the queue. */
static void deliver(struct mq *queue, uint32_t text, const struct fs_request *request)
{
    struct waiter *waiter = waiter_next(WAIT_MQ_RECEIVE, place_of(queue), 0);

    if (waiter) {
        take(waiter, text);
        waiter_done(waiter, 0);
        return;
    }
    put(queue, text);
    if (queue->count == 1)
        notify(queue, request);
    publish(queue);
}

static int64_t find(struct fs_request *request, const struct px_ipc *ask, unsigned want, struct mq **queue)
{
    *queue = queue_of(ask->node);
    if (!*queue)
        return -EBADF;
    return fs_allowed(&request->caller, fs_inode((*queue)->ino), (*queue)->ino, want, ask->token) ? 0 : -EBADF;
}

static int64_t send(struct fs_request *request, struct px_ipc *ask)
{
    struct waiter *waiter;
    struct mq *queue;
    bool whole = false;
    uint32_t text;
    int64_t status = find(request, ask, 2, &queue);

    if (status < 0)
        return status;
    if (ask->type < 0 || ask->type >= PX_MQ_PRIORITIES)
        return -EINVAL;
    if (ask->bytes > queue->bytes)
        return -EMSGSIZE;
    status = ipc_take_part(request, ask, WAIT_MQ_SEND, place_of(queue), queue->bytes, &waiter, &whole);
    if (status < 0)
        return status;
    ask->slot = (uint32_t)(waiter - ipc_waiters);
    if (!whole)
        return 0;
    text = waiter->text;
    text_head(text)->type = ask->type;
    if (queue->count >= queue->most) {
        if (!(ask->flags & PX_IPC_NOWAIT))
            return waiter_sleep(waiter, ask);
        waiter_free(waiter);
        return -EAGAIN;
    }
    waiter->text = 0;
    waiter_free(waiter);
    deliver(queue, text, request);
    return 0;
}

static int64_t receive(struct fs_request *request, struct px_ipc *ask)
{
    struct waiter *waiter, *sender;
    struct mq *queue;
    int64_t status = find(request, ask, 4, &queue);

    if (status < 0)
        return status;
    if (ask->bytes < queue->bytes)
        return -EMSGSIZE;
    if (!queue->first && ask->flags & PX_IPC_NOWAIT)
        return -EAGAIN;
    waiter = waiter_new(request, WAIT_MQ_RECEIVE, place_of(queue));
    if (!waiter)
        return -ENOMEM;
    if (!queue->first)
        return waiter_sleep(waiter, ask);
    take(waiter, queue->first);
    queue->first = text_head(queue->first)->next;
    queue->count--;
    waiter->state = SLOT_DONE;
    waiter->result = 0;
    fs_inode(queue->ino)->atime = os_now();
    sender = waiter_next(WAIT_MQ_SEND, place_of(queue), 0);
    if (sender) {
        put(queue, sender->text);
        sender->text = 0;
        waiter_done(sender, 0);
    }
    publish(queue);
    return ipc_give_text(request, waiter, ask, 0);
}

static int64_t set_notify(struct fs_request *request, struct px_ipc *ask)
{
    const struct px_proc *process = ipc_process(request);
    struct mq *queue = queue_of(ask->node);

    if (!queue)
        return -EBADF;
    if (ask->value < 0) {
        if (queue->notify.index == request->index && queue->notify.gen == process->gen) {
            queue->notify.index = 0;
            tell(queue, false);
        }
        return 0;
    }
    if (ask->value > PX_MQ_THREAD)
        return -EINVAL;
    if (queue->notify.index && ipc_lives(queue->notify.index, queue->notify.gen))
        return -EBUSY;
    queue->notify.index = request->index;
    queue->notify.gen = process->gen;
    queue->notify.pid = process->pid;
    queue->notify.signo = (uint32_t)ask->value;
    queue->notify.value = ask->value64;
    ask->seen = ipc_words->told[place_of(queue)];
    return 0;
}

static int64_t stat(struct px_ipc *ask)
{
    const struct mq *queue = queue_of(ask->node);

    if (!queue)
        return -EBADF;
    ask->count = queue->most;
    ask->bytes = queue->bytes;
    ask->used = queue->count;
    ask->pid = queue->notify.index && ipc_lives(queue->notify.index, queue->notify.gen) ? queue->notify.pid : 0;
    ask->value = (int32_t)queue->notify.signo;
    return 0;
}

int64_t mq_call(struct fs_request *request, struct px_ipc *ask)
{
    switch (request->message->word[1]) {
    case PX_IPC_MQ_OPEN: return open_queue(request, ask);
    case PX_IPC_MQ_UNLINK: return remove(request, ask);
    case PX_IPC_MQ_SEND: return send(request, ask);
    case PX_IPC_MQ_RECEIVE: return receive(request, ask);
    case PX_IPC_MQ_NOTIFY: return set_notify(request, ask);
    case PX_IPC_MQ_STAT: return stat(ask);
    default: return -EINVAL;
    }
}
