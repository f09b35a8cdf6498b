/*
 * Doors. A context that receives a call sees to it that another one stands at the door, then serves, waits in the room, or refuses. The counts are shared by
 * all contexts of the door and changed atomically; sleepers in the room sleep on `serving`.
 */
#include <exo/calls.h>
#include <exo/clock.h>
#include <exo/door.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/state.h>

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

/* Who finishes a call, its thread or whoever breaks it off, is decided by one exchange of the state. */
enum exo_door_state { DOOR_IDLE, DOOR_SERVES, DOOR_BROKEN };

static void thread_main(struct exo_door_thread *self);

static bool enter(struct exo_door *door)
{
    uint32_t serving = __atomic_load_n(&door->serving, __ATOMIC_SEQ_CST);

    while (serving < door->threads)
        if (__atomic_compare_exchange_n(&door->serving, &serving, serving + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return true;
    return false;
}

static void leave(struct exo_door *door)
{
    __atomic_fetch_sub(&door->serving, 1, __ATOMIC_SEQ_CST);
    (void)!exo_wake(&door->serving, 1); /* one place, one of those who wait */
}

static uint64_t thread_va(const struct exo_door_thread *thread)
{
    const struct exo_door *door = thread->door;

    return door->va + (uint64_t)(thread - door->thread) * (door->stack_pages + 2) * EXO_PAGE_BYTES;
}

static void begin_state(struct exo_door_thread *thread, struct exo_ctx_state *state)
{
    uint64_t stack_end = thread_va(thread) + (thread->door->stack_pages + 1) * EXO_PAGE_BYTES;

    exo_state_begin(state, (uint64_t)thread_main, stack_end - sizeof(uint64_t), (uint64_t)thread); /* as if it had been called */
}

/* Another context, which will stand at the door: it is counted already, as made and as receiving. */
static int64_t spawn(struct exo_door *door, uint32_t index)
{
    struct exo_door_thread *thread = &door->thread[index];
    struct exo_ctx_state state;
    int64_t status, context;

    thread->door = door;
    if (door->start)
        return door->start(thread);
    begin_state(thread, &state);
    status = exo_alloc_all(door->env, thread_va(thread) + EXO_PAGE_BYTES, door->stack_pages, RW, NULL);
    context = status < 0 ? status : exo_ctx_create(door->env, thread_va(thread) + (door->stack_pages + 1) * EXO_PAGE_BYTES, &state);
    if (context < 0) {
        (void)!exo_unmap_all(door->env, thread_va(thread), door->stack_pages + 2);
        return context;
    }
    thread->context = (uint64_t)context;
    return exo_ctx_start(thread->context);
}

/* False: nobody but the caller is there to look after the door, and nobody can be made: all are busy. */
static bool send_another(struct exo_door *door)
{
    uint32_t made = __atomic_load_n(&door->made, __ATOMIC_SEQ_CST);

    if (__atomic_sub_fetch(&door->receiving, 1, __ATOMIC_SEQ_CST) > 0)
        return true;
    while (made < door->threads + door->room + 1) {
        if (!__atomic_compare_exchange_n(&door->made, &made, made + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        __atomic_fetch_add(&door->receiving, 1, __ATOMIC_SEQ_CST);
        if (spawn(door, made) == 0)
            return true;
        __atomic_fetch_sub(&door->receiving, 1, __ATOMIC_SEQ_CST); /* its place is lost: memory is short, and will be */
        return false;
    }
    return false;
}

/* 0: this call may be served. */
static int64_t admit(struct exo_door *door, bool another, uint64_t deadline_ns)
{
    while (!enter(door)) {
        const struct exo_predicate full = {(uint64_t)&door->serving, door->threads, EXO_WAIT_WORD};
        int64_t status;

        if (!another || deadline_ns == EXO_DEADLINE_NOW)
            return -EXO_E_BUSY;
        status = exo_wait(&full, 1, deadline_ns);
        if (status < 0)
            return status == -EXO_E_TIMEOUT ? status : -EXO_E_BUSY;
    }
    if (another)
        return 0;
    leave(door); /* a place, but nobody else at the door */
    return -EXO_E_BUSY;
}

/* Serves; false if the call was broken off meanwhile. */
static bool serve(struct exo_door_thread *self, struct exo_message *message)
{
    struct exo_door *door = self->door;
    struct exo_door_call call = {{message->word[1], message->word[2], message->word[3]}, message->capability, message->badge};
    uint32_t expected = DOOR_SERVES;
    int64_t status;

    __atomic_store_n(&self->since_ns, door->limit_ns ? exo_clock_ns(door->info) : 0, __ATOMIC_RELAXED);
    __atomic_store_n(&self->state, DOOR_SERVES, __ATOMIC_SEQ_CST);
    status = door->serve(door->argument, &call);
    if (!__atomic_compare_exchange_n(&self->state, &expected, DOOR_IDLE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return false;
    *message = (struct exo_message){.word = {(uint64_t)status, call.word[0], call.word[1], call.word[2], call.capability},
                                    .capability = call.capability};
    __atomic_fetch_add(&door->served, 1, __ATOMIC_RELAXED);
    leave(door);
    return true;
}

static void refuse(struct exo_door *door, struct exo_message *message, int64_t status)
{
    exo_message_refuse(message);
    *message = (struct exo_message){.word = {(uint64_t)status}};
    __atomic_fetch_add(&door->refused, 1, __ATOMIC_RELAXED);
}

/* Calls that take too long: their threads are stopped, so that their callers get PEER, and begin anew at the door. */
static void break_off(struct exo_door *door)
{
    uint32_t made = __atomic_load_n(&door->made, __ATOMIC_SEQ_CST);
    uint64_t now_ns = exo_clock_ns(door->info);

    for (uint32_t i = 0; i < made; i++) {
        struct exo_door_thread *thread = &door->thread[i];
        uint32_t expected = DOOR_SERVES;
        struct exo_ctx_state state;

        if (__atomic_load_n(&thread->state, __ATOMIC_SEQ_CST) != DOOR_SERVES ||
            now_ns - __atomic_load_n(&thread->since_ns, __ATOMIC_RELAXED) < door->limit_ns ||
            !__atomic_compare_exchange_n(&thread->state, &expected, DOOR_BROKEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        begin_state(thread, &state);
        if (exo_ctx_stop(thread->context) < 0 || exo_ctx_write(thread->context, &state) < 0)
            continue; /* not possible with the handle that ctx_create gave */
        __atomic_store_n(&thread->state, DOOR_IDLE, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&door->broken_off, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&door->receiving, 1, __ATOMIC_SEQ_CST);
        leave(door);
        (void)!exo_ctx_start(thread->context);
    }
}

/* The next message; answers the last one first, if `answer`. */
static int64_t next_call(struct exo_door *door, struct exo_message *message, bool answer)
{
    const uint64_t *word = message->word;
    bool sent = false;

    if (answer && message->capability) {
        sent = exo_ep_reply_cap(word[0], word[1], word[2], word[3], word[4]) == 0;
        if (!sent) /* one that may not be copied, or does not fit: the caller hears of that */
            message->word[0] = (uint64_t)-EXO_E_RIGHTS, message->word[4] = 0;
    }
    if (answer && !sent && !door->limit_ns)
        return exo_ep_reply_recv(door->endpoint, message);
    if (answer && !sent)
        (void)!exo_ep_reply(word[0], word[1], word[2], word[3], 0);
    return exo_ep_recv(door->endpoint, message, door->limit_ns ? exo_clock_ns(door->info) + door->limit_ns : EXO_DEADLINE_NEVER);
}

void exo_door_stand(struct exo_door_thread *self)
{
    struct exo_door *door = self->door;
    struct exo_message message = {0};
    bool answer = false;

    for (;;) {
        int64_t status = next_call(door, &message, answer);
        bool another;

        answer = false;
        if (status < 0 && status != -EXO_E_TIMEOUT && status != -EXO_E_EVENT)
            break; /* the endpoint is gone */
        if (door->limit_ns)
            break_off(door);
        if (status < 0 || message.badge == EXO_BADGE_KERNEL) /* a notification, or somebody's end: nobody waits for an answer */
            continue;
        another = send_another(door);
        status = admit(door, another, message.word[0]);
        answer = true;
        if (status < 0)
            refuse(door, &message, status);
        else if (!serve(self, &message))
            (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER); /* until whoever broke it off has stopped this context */
        __atomic_fetch_add(&door->receiving, 1, __ATOMIC_SEQ_CST);
    }
}

static void thread_main(struct exo_door_thread *self)
{
    exo_door_stand(self);
    for (;;)
        (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
}

int64_t exo_door_open(struct exo_door *door)
{
    if (door->start ? door->limit_ns != 0 : door->stack_pages == 0)
        return -EXO_E_INVAL;
    if (door->threads == 0 || door->threads > EXO_DOOR_CONTEXTS || door->room > EXO_DOOR_CONTEXTS ||
        door->threads + door->room + 1 > EXO_DOOR_CONTEXTS || (door->limit_ns && !door->info))
        return -EXO_E_INVAL;
    door->made = 1;
    door->receiving = 1;
    return spawn(door, 0);
}

int64_t exo_door_call(uint64_t endpoint, struct exo_door_call *call, uint64_t deadline_ns)
{
    struct exo_message message = {.word = {deadline_ns, call->word[0], call->word[1], call->word[2], call->capability}};
    int64_t status = call->capability ? exo_ep_call_cap(endpoint, &message) : exo_ep_call(endpoint, &message);

    if (status < 0)
        return status;
    *call = (struct exo_door_call){{message.word[1], message.word[2], message.word[3]}, message.capability, 0};
    return (int64_t)message.word[0];
}
