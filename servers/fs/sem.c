/*
 * System V semaphores. An operation of a set is done as a whole or not at all; who waits is looked at after each change, first come first. What SEM_UNDO
 * remembers of a process is done when it has ended: it says so itself, or it is no longer among the living.
 */
#include "ipc.h"

#define UNDOS_MOST 1024u
#define ADJUST_MOST 32767

static struct set {
    struct ipc_object object;
    int64_t otime;
    uint32_t first, count; /* semaphores */
} sets[PX_SEMMNI];
static struct ipc_table table = {(uint8_t *)sets, sizeof sets[0], PX_SEMMNI, 0};

static struct semaphore {
    uint16_t value;
    int32_t pid;
} semaphores[PX_SEMMNS];

static struct undo {
    uint32_t index, gen; /* process; index 0: free */
    int32_t pid;
    uint16_t semaphore;
    int16_t adjust;
} undos[UNDOS_MOST];
static uint32_t undo_count;

static uint32_t place_of(const struct set *set)
{
    return (uint32_t)(set - sets);
}

static struct set *find(const struct fs_request *request, int32_t id)
{
    return (struct set *)(void *)ipc_find(&table, request, id);
}

/* The first of so many free semaphores in a row, or PX_SEMMNS. */
static uint32_t find_room(uint32_t count)
{
    uint32_t first = 0;

    for (bool moved = true; moved && first + count <= PX_SEMMNS;) {
        moved = false;
        for (uint32_t i = 0; i < PX_SEMMNI; i++)
            if (sets[i].object.used && first < sets[i].first + sets[i].count && sets[i].first < first + count) {
                first = sets[i].first + sets[i].count;
                moved = true;
            }
    }
    return first + count <= PX_SEMMNS ? first : PX_SEMMNS;
}

static int64_t get(struct fs_request *request, const struct px_ipc *ask)
{
    struct ipc_object *object;
    struct set *set;
    uint32_t first;
    int64_t status;

    if (ask->count > PX_SEMMSL)
        return -EINVAL;
    status = ipc_get(&table, request, ask, &object);
    if (status < 0)
        return status;
    if (object)
        return ask->count > ((struct set *)(void *)object)->count ? -EINVAL : ipc_id(&table, object);
    if (ask->count == 0)
        return -EINVAL;
    first = find_room(ask->count);
    object = first < PX_SEMMNS ? ipc_make(&table, request, ask) : NULL;
    if (!object)
        return -ENOSPC;
    set = (struct set *)(void *)object;
    set->first = first;
    set->count = ask->count;
    memset(&semaphores[first], 0, ask->count * sizeof semaphores[0]);
    return ipc_id(&table, object);
}

/* ---- SEM_UNDO ---- */

static struct undo *undo_of(uint32_t index, uint32_t gen, uint32_t semaphore)
{
    for (uint32_t i = 0, seen = 0; i < UNDOS_MOST && seen < undo_count; i++) {
        seen += undos[i].index != 0;
        if (undos[i].index == index && undos[i].gen == gen && undos[i].semaphore == semaphore)
            return &undos[i];
    }
    return NULL;
}

static void forget_undo(struct undo *undo)
{
    undo->index = 0;
    undo_count--;
}

/* Nobody's memory of these semaphores counts any more. */
static void forget_undos(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < UNDOS_MOST; i++)
        if (undos[i].index && undos[i].semaphore - first < count)
            forget_undo(&undos[i]);
}

/* Is there a place for each operation that asks for one? */
static bool undo_room(const struct waiter *waiter, const struct set *set)
{
    uint32_t wanted = 0;

    for (uint32_t i = 0; i < waiter->count; i++)
        wanted += waiter->op[i].flags & PX_SEM_UNDO && !undo_of(waiter->index, waiter->gen, set->first + waiter->op[i].number);
    return wanted <= UNDOS_MOST - undo_count;
}

static int32_t adjust_of(const struct waiter *waiter, uint32_t semaphore)
{
    const struct undo *undo = undo_of(waiter->index, waiter->gen, semaphore);

    return undo ? undo->adjust : 0;
}

static void remember(const struct waiter *waiter, uint32_t semaphore, int32_t change)
{
    struct undo *undo = undo_of(waiter->index, waiter->gen, semaphore);

    for (uint32_t i = 0; !undo && i < UNDOS_MOST; i++)
        if (!undos[i].index) {
            undo = &undos[i];
            *undo = (struct undo){waiter->index, waiter->gen, waiter->pid, (uint16_t)semaphore, 0};
            undo_count++;
        }
    if (undo) /* undo_room has looked */
        undo->adjust = (int16_t)(undo->adjust - change);
}

/* ---- operations ---- */

/* The sum of what earlier operations of the list do to the same semaphore. */
static int32_t before(const struct waiter *waiter, uint32_t at, bool undone)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < at; i++)
        if (waiter->op[i].number == waiter->op[at].number && (!undone || waiter->op[i].flags & PX_SEM_UNDO))
            sum += waiter->op[i].change;
    return sum;
}

/* Can all be done? 0, -EAGAIN (waiter->blocked says which cannot), -ERANGE. */
static int64_t look(struct waiter *waiter, const struct set *set)
{
    for (uint32_t i = 0; i < waiter->count; i++) {
        const struct px_sembuf *op = &waiter->op[i];
        int32_t value = semaphores[set->first + op->number].value + before(waiter, i, false);

        if ((op->change == 0 && value != 0) || value + op->change < 0) {
            waiter->blocked = i;
            return -EAGAIN;
        }
        if (value + op->change > PX_SEMVMX)
            return -ERANGE;
        if (op->flags & PX_SEM_UNDO) {
            int32_t adjust = adjust_of(waiter, set->first + op->number) - before(waiter, i, true) - op->change;

            if (adjust > ADJUST_MOST || adjust < -ADJUST_MOST - 1)
                return -ERANGE;
        }
    }
    return 0;
}

static int64_t try(struct waiter *waiter, struct set *set)
{
    int64_t status = look(waiter, set);

    if (status < 0)
        return status;
    if (!undo_room(waiter, set))
        return -ENOSPC;
    for (uint32_t i = 0; i < waiter->count; i++) {
        struct semaphore *semaphore = &semaphores[set->first + waiter->op[i].number];

        semaphore->value = (uint16_t)(semaphore->value + waiter->op[i].change);
        semaphore->pid = waiter->pid;
        if (waiter->op[i].flags & PX_SEM_UNDO && waiter->op[i].change)
            remember(waiter, set->first + waiter->op[i].number, waiter->op[i].change);
    }
    set->otime = ipc_seconds();
    return 0;
}

/* Something has changed: who can go on now? Each that could may make room for others that came before. */
static void update(struct set *set)
{
    uint64_t turn = 0;
    struct waiter *waiter;

    while ((waiter = waiter_next(WAIT_SEM, place_of(set), turn))) {
        int64_t status = try(waiter, set);

        turn = waiter->turn;
        if (status == -EAGAIN)
            continue;
        waiter_done(waiter, status);
        turn = 0;
    }
}

static bool changes(const struct waiter *waiter)
{
    for (uint32_t i = 0; i < waiter->count; i++)
        if (waiter->op[i].change)
            return true;
    return false;
}

static int64_t check_ops(struct fs_request *request, const struct set *set, const struct waiter *waiter)
{
    for (uint32_t i = 0; i < waiter->count; i++)
        if (waiter->op[i].number >= set->count)
            return -EFBIG;
    return ipc_may(&request->caller, &set->object, changes(waiter) ? 2 : 4) ? 0 : -EACCES;
}

static int64_t operate(struct fs_request *request, struct px_ipc *ask)
{
    struct set *set = find(request, ask->id);
    struct waiter *waiter;
    int64_t status;

    if (ask->count == 0 || ask->count > PX_SEMOPM)
        return ask->count ? -E2BIG : -EINVAL;
    if (!set)
        return -EINVAL;
    waiter = waiter_new(request, WAIT_SEM, place_of(set));
    if (!waiter)
        return -ENOMEM;
    waiter->count = ask->count;
    memcpy(waiter->op, (const uint8_t *)request->page + sizeof *ask, ask->count * sizeof waiter->op[0]);
    status = check_ops(request, set, waiter);
    if (status == 0)
        status = try(waiter, set);
    if (status == -EAGAIN && !(waiter->op[waiter->blocked].flags & PX_IPC_NOWAIT))
        return waiter_sleep(waiter, ask);
    if (status == 0 && changes(waiter)) {
        waiter_free(waiter);
        update(set);
        return 0;
    }
    waiter_free(waiter);
    return status;
}

static void undo_all(uint32_t index, uint32_t gen)
{
    for (uint32_t i = 0; undo_count && i < UNDOS_MOST; i++) {
        struct undo *undo = &undos[i];
        struct semaphore *semaphore = &semaphores[undo->semaphore];
        int32_t value;

        if (undo->index != index || undo->gen != gen)
            continue;
        value = semaphore->value + undo->adjust;
        semaphore->value = (uint16_t)(value < 0 ? 0 : value > PX_SEMVMX ? PX_SEMVMX : value);
        semaphore->pid = undo->pid;
        forget_undo(undo);
    }
    for (uint32_t place = 0; place < PX_SEMMNI; place++)
        if (sets[place].object.used) {
            sets[place].otime = sets[place].otime ? ipc_seconds() : 0;
            update(&sets[place]);
        }
}

void sem_sweep(void)
{
    for (uint32_t i = 0; undo_count && i < UNDOS_MOST; i++)
        if (undos[i].index && !ipc_lives(undos[i].index, undos[i].gen))
            undo_all(undos[i].index, undos[i].gen);
}

/* ---- semctl ---- */

/* So many wait for the semaphore to grow, or to be zero. */
static uint32_t waiting_for(const struct set *set, uint32_t number, bool zero)
{
    struct waiter *waiter = NULL;
    uint32_t count = 0;

    while ((waiter = waiter_next(WAIT_SEM, place_of(set), waiter ? waiter->turn : 0))) {
        const struct px_sembuf *op = &waiter->op[waiter->blocked];

        count += op->number == number && (op->change == 0) == zero;
    }
    return count;
}

static int64_t read_one(struct fs_request *request, struct px_ipc *ask)
{
    const struct set *set = find(request, ask->id);
    const struct semaphore *semaphore;

    if (!set)
        return -EINVAL;
    if (!ipc_may(&request->caller, &set->object, 4))
        return -EACCES;
    if (ask->number >= set->count)
        return -EINVAL;
    semaphore = &semaphores[set->first + ask->number];
    ask->value = semaphore->value;
    ask->pid = semaphore->pid;
    ask->waiting = waiting_for(set, ask->number, false);
    ask->zeroes = waiting_for(set, ask->number, true);
    return 0;
}

static int64_t read_all(struct fs_request *request, struct px_ipc *ask)
{
    const struct set *set = find(request, ask->id);
    uint16_t *values = (uint16_t *)(void *)((uint8_t *)(uintptr_t)request->page + sizeof *ask);

    if (!set)
        return -EINVAL;
    if (!ipc_may(&request->caller, &set->object, 4))
        return -EACCES;
    for (uint32_t i = 0; i < set->count; i++)
        values[i] = semaphores[set->first + i].value;
    ask->count = set->count;
    return 0;
}

static int64_t write_all(struct fs_request *request, const struct px_ipc *ask, bool one)
{
    struct set *set = find(request, ask->id);
    static uint16_t values[PX_SEMMSL];
    uint32_t first = one ? ask->number : 0, count;

    if (!set)
        return -EINVAL;
    if (one && (ask->value < 0 || ask->value > PX_SEMVMX))
        return -ERANGE;
    if (!ipc_may(&request->caller, &set->object, 2))
        return -EACCES;
    if (first >= set->count)
        return -EINVAL;
    count = one ? 1 : set->count;
    values[0] = (uint16_t)ask->value;
    if (!one)
        memcpy(values, (const uint8_t *)request->page + sizeof *ask, count * sizeof values[0]);
    for (uint32_t i = 0; i < count; i++)
        if (values[i] > PX_SEMVMX)
            return -ERANGE;
    for (uint32_t i = 0; i < count; i++)
        semaphores[set->first + first + i] = (struct semaphore){values[i], ipc_process(request)->pid};
    forget_undos(set->first + first, count);
    set->object.ctime = ipc_seconds();
    update(set);
    return 0;
}

static int64_t stat(struct fs_request *request, struct px_ipc *ask)
{
    struct ipc_object *object;
    int64_t status = ipc_look(&table, request, ask, &object);

    if (status < 0)
        return status;
    ipc_tell(&table, object, ask);
    ask->atime = ((struct set *)(void *)object)->otime;
    ask->count = ((struct set *)(void *)object)->count;
    return ask->id;
}

static int64_t end(struct fs_request *request, const struct px_ipc *ask)
{
    struct set *set = find(request, ask->id);

    if (!set)
        return -EINVAL;
    if (!ipc_owns(&request->caller, &set->object))
        return -EPERM;
    waiters_end(WAIT_SEM, place_of(set), -EIDRM);
    forget_undos(set->first, set->count);
    set->object.used = false;
    return 0;
}

static int64_t info(struct fs_request *request, struct px_ipc *ask)
{
    ask->bytes = 0;
    for (uint32_t i = 0; i < PX_SEMMNI; i++)
        ask->bytes += sets[i].object.used && sets[i].object.zone == ipc_process(request)->zone ? sets[i].count : 0;
    return ipc_highest(&table, request, ask);
}

int64_t sem_call(struct fs_request *request, struct px_ipc *ask)
{
    switch (request->message->word[1]) {
    case PX_IPC_SEM_GET: return get(request, ask);
    case PX_IPC_SEM_OP: return operate(request, ask);
    case PX_IPC_SEM_STAT: return stat(request, ask);
    case PX_IPC_SEM_SET: {
        struct set *set = find(request, ask->id);

        return set ? ipc_set(request, &set->object, ask) : -EINVAL;
    }
    case PX_IPC_SEM_REMOVE: return end(request, ask);
    case PX_IPC_SEM_INFO: return info(request, ask);
    case PX_IPC_SEM_READ: return read_one(request, ask);
    case PX_IPC_SEM_VALUES: return read_all(request, ask);
    case PX_IPC_SEM_WRITE: return write_all(request, ask, true);
    case PX_IPC_SEM_WRITE_ALL: return write_all(request, ask, false);
    case PX_IPC_EXIT: undo_all(request->index, ipc_process(request)->gen); return 0;
    default: return -EINVAL;
    }
}
