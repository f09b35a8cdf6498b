/*
 * What semaphores and message queues have in common: objects by key within a zone, permissions as Linux has them, and those who wait. fs never blocks: who
 * waits has a place here and a word that he sleeps on, and what he waits for is done for him, in the order of coming, when it can be. Who dies meanwhile is
 * passed over; his place is used again.
 */
#include "ipc.h"

struct waiter ipc_waiters[PX_IPC_SLOTS];
struct px_ipc_words *ipc_words;
static uint64_t turns;
#define OWN_MOST (PX_IPC_SLOTS / 2) /* places of one process */

/* ---- objects ---- */

const struct px_proc *ipc_process(const struct fs_request *request)
{
    return os_process(request->index);
}

int64_t ipc_seconds(void)
{
    return PX_TIME_SECONDS(os_now());
}

struct ipc_object *ipc_at(const struct ipc_table *table, uint32_t place)
{
    return (struct ipc_object *)(void *)(table->first + (uint64_t)place * table->bytes);
}

int32_t ipc_id(const struct ipc_table *table, const struct ipc_object *object)
{
    return (int32_t)(((const uint8_t *)object - table->first) / table->bytes) + object->seq * IPC_SEQ;
}

static bool is_seen(const struct fs_request *request, const struct ipc_object *object)
{
    return object->used && object->zone == ipc_process(request)->zone;
}

struct ipc_object *ipc_find(const struct ipc_table *table, const struct fs_request *request, int32_t id)
{
    struct ipc_object *object;

    if (id < 0 || (uint32_t)id % IPC_SEQ >= table->count)
        return NULL;
    object = ipc_at(table, (uint32_t)id % IPC_SEQ);
    return is_seen(request, object) && ipc_id(table, object) == id ? object : NULL;
}

bool ipc_owns(const struct fs_caller *caller, const struct ipc_object *object)
{
    return caller->uid == 0 || caller->uid == object->uid || caller->uid == object->cuid;
}

bool ipc_may(const struct fs_caller *caller, const struct ipc_object *object, unsigned want)
{
    unsigned bits = object->mode;

    if (caller->uid == 0)
        return true;
    if (ipc_owns(caller, object))
        bits >>= 6;
    else if (fs_in_group(caller, object->gid) || fs_in_group(caller, object->cgid))
        bits >>= 3;
    return (want & ~bits & 6) == 0;
}

int64_t ipc_look(const struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask, struct ipc_object **object)
{
    uint32_t place = (uint32_t)ask->id;

    if (!(ask->flags & PX_IPC_BY_INDEX))
        *object = ipc_find(table, request, ask->id);
    else
        *object = place < table->count && is_seen(request, ipc_at(table, place)) ? ipc_at(table, place) : NULL;
    if (!*object)
        return -EINVAL;
    return ask->flags & PX_IPC_ANYBODY || ipc_may(&request->caller, *object, 4) ? 0 : -EACCES;
}

int64_t ipc_get(const struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask, struct ipc_object **object)
{
    unsigned want = (ask->flags >> 6 | ask->flags >> 3 | ask->flags) & 6;

    *object = NULL;
    for (uint32_t place = 0; ask->key != IPC_PRIVATE && place < table->count; place++) {
        struct ipc_object *there = ipc_at(table, place);

        if (!is_seen(request, there) || there->key != ask->key)
            continue;
        if ((ask->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
            return -EEXIST;
        *object = there;
        return ipc_may(&request->caller, there, want) ? 0 : -EACCES;
    }
    return ask->key == IPC_PRIVATE || ask->flags & IPC_CREAT ? 0 : -ENOENT;
}

struct ipc_object *ipc_make(struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask)
{
    const struct fs_caller *caller = &request->caller;

    for (uint32_t place = 0; place < table->count; place++) {
        struct ipc_object *object = ipc_at(table, place);

        if (object->used)
            continue;
        memset(object, 0, table->bytes);
        table->seq = table->seq < 0xfffe ? table->seq + 1 : 1;
        *object = (struct ipc_object){.used = true,
            .zone = ipc_process(request)->zone,
            .seq = table->seq,
            .key = ask->key,
            .uid = caller->uid,
            .gid = caller->gid,
            .cuid = caller->uid,
            .cgid = caller->gid,
            .mode = ask->flags & 0777,
            .ctime = ipc_seconds()};
        return object;
    }
    return NULL;
}

void ipc_tell(const struct ipc_table *table, const struct ipc_object *object, struct px_ipc *answer)
{
    *answer = (struct px_ipc){.key = object->key,
        .id = ipc_id(table, object),
        .uid = object->uid,
        .gid = object->gid,
        .cuid = object->cuid,
        .cgid = object->cgid,
        .mode = object->mode,
        .ctime = object->ctime};
}

int64_t ipc_set(const struct fs_request *request, struct ipc_object *object, const struct px_ipc *ask)
{
    if (!ipc_owns(&request->caller, object))
        return -EPERM;
    object->uid = ask->uid;
    object->gid = ask->gid;
    object->mode = ask->mode & 0777;
    object->ctime = ipc_seconds();
    return 0;
}

int64_t ipc_highest(const struct ipc_table *table, const struct fs_request *request, struct px_ipc *answer)
{
    int64_t highest = 0;

    answer->used = 0;
    for (uint32_t place = 0; place < table->count; place++)
        if (is_seen(request, ipc_at(table, place))) {
            answer->used++;
            highest = place;
        }
    return highest;
}

/* ---- who waits ---- */

bool ipc_lives(uint32_t index, uint32_t gen)
{
    const struct px_proc *process = os_process(index);
    uint32_t state = __atomic_load_n(&process->state, __ATOMIC_ACQUIRE);

    return process->gen == gen && (state == PX_EMBRYO || state == PX_RUNNING || state == PX_STOPPED);
}

static uint32_t slot_of(const struct waiter *waiter)
{
    return (uint32_t)(waiter - ipc_waiters);
}

void waiter_free(struct waiter *waiter)
{
    text_free(waiter->text);
    waiter->text = 0;
    waiter->state = SLOT_FREE;
    waiter->kind = WAIT_NONE;
}

static bool words_ready(void)
{
    uint32_t offset;

    if (ipc_words)
        return true;
    offset = fs_pages_new(1);
    if (!offset)
        return false;
    ipc_words = fs_at(offset);
    memset(ipc_words, 0, sizeof *ipc_words);
    fs_meta()->ipc = offset;
    return true;
}

struct waiter *waiter_new(const struct fs_request *request, enum wait_kind kind, uint32_t object)
{
    const struct px_proc *process = ipc_process(request);

    uint32_t own = 0;

    if (!words_ready())
        return NULL;
    for (uint32_t slot = 0; slot < PX_IPC_SLOTS; slot++)
        own += ipc_waiters[slot].state != SLOT_FREE && ipc_waiters[slot].index == request->index && ipc_waiters[slot].gen == process->gen;
    for (uint32_t slot = 0; own < OWN_MOST && slot < PX_IPC_SLOTS; slot++) {
        struct waiter *waiter = &ipc_waiters[slot];

        if (waiter->state != SLOT_FREE && ipc_lives(waiter->index, waiter->gen))
            continue;
        if (waiter->state != SLOT_FREE)
            waiter_free(waiter);
        *waiter = (struct waiter){.state = SLOT_FILLING,
            .kind = (uint8_t)kind,
            .object = (uint16_t)object,
            .index = request->index,
            .gen = process->gen,
            .pid = process->pid};
        return waiter;
    }
    return NULL;
}

struct waiter *waiter_of(const struct fs_request *request, uint32_t slot)
{
    struct waiter *waiter = slot < PX_IPC_SLOTS ? &ipc_waiters[slot] : NULL;

    return waiter && waiter->state != SLOT_FREE && waiter->index == request->index && waiter->gen == ipc_process(request)->gen ? waiter : NULL;
}

struct waiter *waiter_next(enum wait_kind kind, uint32_t object, uint64_t turn)
{
    struct waiter *next = NULL;

    for (uint32_t slot = 0; slot < PX_IPC_SLOTS; slot++) {
        struct waiter *waiter = &ipc_waiters[slot];

        if (waiter->state == SLOT_WAITING && waiter->kind == kind && waiter->object == object && waiter->turn > turn &&
            (!next || waiter->turn < next->turn) && ipc_lives(waiter->index, waiter->gen))
            next = waiter;
    }
    return next;
}

int64_t waiter_sleep(struct waiter *waiter, struct px_ipc *answer)
{
    waiter->state = SLOT_WAITING;
    waiter->turn = ++turns;
    answer->slot = slot_of(waiter);
    answer->seen = ipc_words->slot[answer->slot];
    return PX_IPC_WAIT;
}

void waiter_done(struct waiter *waiter, int64_t result)
{
    uint32_t *word = &ipc_words->slot[slot_of(waiter)];

    waiter->state = SLOT_DONE;
    waiter->result = result;
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    os_wake(word);
}

void waiters_end(enum wait_kind kind, uint32_t object, int64_t result)
{
    struct waiter *waiter;

    while ((waiter = waiter_next(kind, object, 0)))
        waiter_done(waiter, result);
}

/* ---- texts in parts ---- */

int64_t ipc_take_part(struct fs_request *request, const struct px_ipc *ask, enum wait_kind kind, uint32_t object, uint32_t most,
                      struct waiter **waiter, bool *whole)
{
    static uint8_t part[PX_IPC_PART_MOST]; /* copied, since the client can change it */

    if (ask->bytes > most || ask->part > PX_IPC_PART_MOST || ask->offset > ask->bytes || ask->part > ask->bytes - ask->offset ||
        (ask->part == 0 && ask->bytes != 0))
        return -EINVAL;
    *waiter = ask->offset ? waiter_of(request, ask->slot) : waiter_new(request, kind, object);
    if (!*waiter)
        return ask->offset ? -EINVAL : -ENOMEM;
    if (ask->offset == 0) {
        (*waiter)->text = text_new(ask->bytes);
        if (!(*waiter)->text) {
            waiter_free(*waiter);
            return -ENOMEM;
        }
        (*waiter)->bytes = ask->bytes;
    }
    if ((*waiter)->state != SLOT_FILLING || (*waiter)->kind != kind || (*waiter)->object != object || (*waiter)->ready != ask->offset ||
        (*waiter)->bytes != ask->bytes)
        return -EINVAL;
    memcpy(part, (const uint8_t *)request->page + sizeof *ask, ask->part);
    text_write((*waiter)->text, ask->offset, part, ask->part);
    (*waiter)->ready += ask->part;
    *whole = (*waiter)->ready == ask->bytes;
    return 0;
}

int64_t ipc_give_text(struct fs_request *request, struct waiter *waiter, struct px_ipc *answer, uint32_t offset)
{
    uint32_t there = waiter->bytes, part;

    if (offset > there)
        return -EINVAL;
    part = there - offset < PX_IPC_PART_MOST ? there - offset : PX_IPC_PART_MOST;
    answer->bytes = there;
    answer->offset = offset;
    answer->part = part;
    answer->type = waiter->type;
    answer->slot = offset + part < there ? slot_of(waiter) : PX_IPC_NO_SLOT;
    text_read(waiter->text, offset, (uint8_t *)(uintptr_t)request->page + sizeof *answer, part);
    if (answer->slot == PX_IPC_NO_SLOT)
        waiter_free(waiter);
    return there;
}

static bool receives(const struct waiter *waiter)
{
    return waiter->kind == WAIT_MSG_RECEIVE || waiter->kind == WAIT_MQ_RECEIVE;
}

static int64_t collect(struct fs_request *request, struct px_ipc *ask)
{
    struct waiter *waiter = waiter_of(request, ask->slot);
    int64_t result;

    if (!waiter)
        return -EINVAL;
    if (waiter->state != SLOT_DONE) {
        if (!(ask->flags & PX_IPC_GIVE_UP)) {
            ask->seen = ipc_words->slot[ask->slot];
            return PX_IPC_WAIT;
        }
        waiter_free(waiter);
        return -EINTR;
    }
    result = waiter->result;
    if (result >= 0 && receives(waiter))
        return ipc_give_text(request, waiter, ask, 0);
    waiter_free(waiter);
    return result;
}

static int64_t part(struct fs_request *request, struct px_ipc *ask)
{
    struct waiter *waiter = waiter_of(request, ask->slot);

    return waiter && waiter->state == SLOT_DONE && receives(waiter) && waiter->result >= 0 ? ipc_give_text(request, waiter, ask, ask->offset)
                                                                                         : -EINVAL;
}

int64_t fs_ipc(struct fs_request *request)
{
    uint64_t call = request->message->word[1];
    struct px_ipc ask;
    int64_t status;

    memcpy(&ask, request->page, sizeof ask);
    sem_sweep();
    if (call == PX_IPC_COLLECT)
        status = collect(request, &ask);
    else if (call == PX_IPC_PART)
        status = part(request, &ask);
    else if (call <= PX_IPC_EXIT)
        status = sem_call(request, &ask);
    else
        status = call < PX_IPC_MQ_OPEN ? msg_call(request, &ask) : mq_call(request, &ask);
    if (status >= 0)
        memcpy((void *)(uintptr_t)request->page, &ask, sizeof ask);
    return status;
}
