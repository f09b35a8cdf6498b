/* Doors: threads when they are needed, the bound, the room; threads that hang, servers that die, capabilities that come and go. */
#include <exo/door.h>

#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(94) /* the door, for the case to look at, and a page of words */
#define STACKS_VA AREA(95)
#define SECOND_NS 1000000000ul

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21, CHILD_NARROW = 22 };
enum { ADD = 1, HOLD, HANG, CRASH, PASS, BADGE }; /* what clients ask, in word 0 */
enum { GO, INSIDE, WORDS };                       /* words of the second page */

static struct exo_door *shared_door(void)
{
    return (struct exo_door *)SHARED_VA;
}
_Static_assert(sizeof(struct exo_door) <= PAGE, "a page for it");

static uint32_t *word(unsigned index)
{
    return (uint32_t *)(SHARED_VA + PAGE) + index;
}

static int64_t serve(void *argument, struct exo_door_call *call)
{
    const struct exo_predicate wait = {(uint64_t)word(GO), 0, EXO_WAIT_WORD};

    if (argument != word(WORDS))
        return -EXO_E_INVAL;
    switch (call->word[0]) {
    case ADD: call->word[0] = call->word[1] + call->word[2]; return 5;
    case BADGE: call->word[0] = call->badge; return 0;
    case HOLD:
        __atomic_fetch_add(word(INSIDE), 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(word(GO), __ATOMIC_SEQ_CST) == 0)
            (void)!exo_wait(&wait, 1, EXO_DEADLINE_NEVER);
        return 6;
    case HANG:
        __atomic_fetch_add(word(INSIDE), 1, __ATOMIC_SEQ_CST);
        for (;;)
            ;
    case CRASH: *(volatile char *)call->word[1] = 0; return 0; /* 20: nothing is there */
    case PASS: /* notifies through what came, keeps nothing, and gives something of its own */
        if (!call->capability || exo_ep_notify(call->capability, 8) < 0 || exo_cap_delete(call->capability) < 0)
            return -EXO_E_TYPE;
        call->capability = call->word[1];
        return 0;
    default: return -EXO_E_BADCALL;
    }
}

static void server(uint64_t unused)
{
    struct exo_door *door = shared_door();

    (void)unused;
    door->serve = serve; /* as it is called here */
    if (exo_door_open(door) < 0)
        child_exit(70);
    *word(WORDS) = 1;
    (void)!exo_wake(word(WORDS), 1);
    (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
    child_exit(71);
}

static void share(const struct child *child)
{
    EXPECT(exo_share_all(child->env, SHARED_VA, SHARED_VA, 2, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_share_all(child->env, (uint64_t)bare_info(), (uint64_t)bare_info(), 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
}

struct service {
    struct child child;
    uint64_t endpoint; /* RECV is the server's alone: it can die */
};

static struct service begin(uint32_t threads, uint32_t room, uint64_t limit_ns)
{
    struct service service = {.child = child_new(server, 0)};
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create());
    const struct exo_predicate closed = {(uint64_t)word(WORDS), 0, EXO_WAIT_WORD};

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 2, RW, NULL), 0);
    *shared_door() = (struct exo_door){.endpoint = CHILD_ENDPOINT, .env = SELF, .va = STACKS_VA, .stack_pages = 2, .threads = threads, .room = room,
                                       .argument = word(WORDS), .limit_ns = limit_ns, .info = bare_info()};
    share(&service.child);
    EXPECT(exo_cap_copy(service.child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_RECV, 0), CHILD_ENDPOINT);
    service.endpoint = (uint64_t)MUST(exo_cap_copy(SELF, 0, endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 44));
    EXPECT(exo_cap_delete(endpoint), 0);
    child_start(&service.child);
    EXPECT(exo_wait(&closed, 1, bare_now() + 10 * SECOND_NS), 0);
    return service;
}

static void end(const struct service *service)
{
    (void)!exo_env_destroy(service->child.env, 0);
    EXPECT((int64_t)(child_end(&service->child) & 0xff), EXO_REASON_DESTROYED);
    EXPECT(exo_cap_delete(service->endpoint), 0);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 2), 0);
}

static int64_t ask(uint64_t endpoint, uint64_t what, uint64_t deadline_ns)
{
    struct exo_door_call call = {.word = {what, 20, 22}};

    return exo_door_call(endpoint, &call, deadline_ns);
}

/* Clients: environments of their own that end with what the door answered, as a positive number. */
static void hold(uint64_t deadline_ns)
{
    int64_t status = ask(CHILD_ENDPOINT, HOLD, deadline_ns);

    child_exit((uint64_t)(status < 0 ? 100 - status : status));
}

static void hang(uint64_t unused)
{
    (void)unused;
    child_exit((uint64_t)(100 - ask(CHILD_ENDPOINT, HANG, EXO_DEADLINE_NEVER)));
}

static struct child client(const struct service *service, void (*function)(uint64_t), uint64_t argument)
{
    struct child child = child_new(function, argument);

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, service->endpoint, EXO_RIGHT_CALL, 0), CHILD_ENDPOINT);
    child_start(&child);
    return child;
}

static void inside(uint32_t count)
{
    for (unsigned i = 0; __atomic_load_n(word(INSIDE), __ATOMIC_SEQ_CST) != count && i < 100000; i++)
        (void)!exo_yield();
    EXPECT(*word(INSIDE), count);
}

/* The others run until they wait; those on other processors have a moment for it. */
static void yields(void)
{
    for (unsigned i = 0; i < 50; i++)
        (void)!exo_yield();
    if (bare_info()->cpus > 1)
        EXPECT(exo_wait(NULL, 0, bare_now() + SECOND_NS / 50), -EXO_E_TIMEOUT);
}

CASE(door_calls, "doors: words and badges, one context for one caller after the other, and one at the door")
{
    struct service service = begin(8, 8, 0);
    struct exo_door_call call;

    for (unsigned i = 0; i < 30; i++) {
        call = (struct exo_door_call){.word = {ADD, 20, 22}};
        EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NEVER), 5);
        EXPECT((int64_t)call.word[0], 42);
    }
    call = (struct exo_door_call){.word = {BADGE}};
    EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NOW), 0);
    EXPECT((int64_t)call.word[0], 44);
    EXPECT(ask(service.endpoint, 99, EXO_DEADLINE_NEVER), -EXO_E_BADCALL);
    CHECK(shared_door()->made <= 2 && shared_door()->served == 32 && shared_door()->refused == 0 && shared_door()->serving == 0);
    end(&service);
}

CASE(door_bound, "doors: calls beyond the bound wait in the room, or are refused at once, as asked; when the room is full all are")
{
    struct service service = begin(2, 1, 0);
    struct child first = client(&service, hold, EXO_DEADLINE_NEVER), second = client(&service, hold, EXO_DEADLINE_NOW), third;

    inside(2);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NOW), -EXO_E_BUSY);
    EXPECT(ask(service.endpoint, ADD, bare_now() + 2000000), -EXO_E_TIMEOUT);
    third = client(&service, hold, EXO_DEADLINE_NEVER);
    yields();
    EXPECT(*word(INSIDE), 2);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NOW), -EXO_E_BUSY);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), -EXO_E_BUSY); /* the room is full */
    EXPECT(shared_door()->made, 4);
    *word(GO) = 1;
    exo_wake_all(word(GO));
    EXPECT((int64_t)child_result(&first), 6);
    EXPECT((int64_t)child_result(&second), 6);
    EXPECT((int64_t)child_result(&third), 6);
    EXPECT(*word(INSIDE), 3);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NOW), 5);
    CHECK(shared_door()->made == 4 && shared_door()->served == 4 && shared_door()->refused == 4);
    end(&service);
}

CASE(door_hang, "doors: a thread that hangs takes one place, and no more")
{
    struct service service = begin(2, 1, 0);
    struct child hangs = client(&service, hang, 0);

    inside(1);
    for (unsigned i = 0; i < 20; i++)
        EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), 5);
    EXPECT(shared_door()->serving, 1);
    end(&service); /* which its caller hears of */
    EXPECT((int64_t)child_result(&hangs), 100 + EXO_E_PEER);
}

CASE(door_limit, "doors: a call that takes too long is broken off, its caller hears of it, its thread serves again")
{
    struct service service = begin(1, 0, 3000000);
    struct child hangs;

    for (unsigned i = 0; i < 3; i++) {
        hangs = client(&service, hang, 0);
        EXPECT((int64_t)child_result(&hangs), 100 + EXO_E_PEER);
        EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), 5);
    }
    CHECK(shared_door()->broken_off == 3 && shared_door()->served == 3 && shared_door()->serving == 0 && shared_door()->made <= 2);
    end(&service);
}

CASE(door_crash, "doors: when the server dies all its callers hear of it: served, in the room, and later ones")
{
    struct service service = begin(1, 1, 0);
    struct child served = client(&service, hold, EXO_DEADLINE_NEVER), waits;

    inside(1);
    waits = client(&service, hold, EXO_DEADLINE_NEVER);
    yields();
    (void)!exo_env_destroy(service.child.env, 0);
    EXPECT((int64_t)child_result(&served), 100 + EXO_E_PEER);
    EXPECT((int64_t)child_result(&waits), 100 + EXO_E_PEER);
    end(&service);
    service = begin(2, 0, 0);
    EXPECT(ask(service.endpoint, CRASH, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT((int64_t)child_end(&service.child), EXO_REASON_FAULT | 14 << 8);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), -EXO_E_PEER);
    EXPECT(exo_cap_delete(service.endpoint), 0);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 2), 0);
}

CASE(door_client_dies, "doors: a caller that dies while it is served, or in the room, leaves its place to others")
{
    struct service service = begin(1, 1, 0);
    struct child served = client(&service, hold, EXO_DEADLINE_NEVER), waits;
    uint64_t give_up = bare_now() + 10 * SECOND_NS;

    inside(1);
    waits = client(&service, hold, EXO_DEADLINE_NEVER);
    yields();
    (void)!exo_env_destroy(served.env, 0);
    (void)!exo_env_destroy(waits.env, 0);
    EXPECT((int64_t)(child_end(&served) & 0xff), EXO_REASON_DESTROYED);
    EXPECT((int64_t)(child_end(&waits) & 0xff), EXO_REASON_DESTROYED);
    *word(GO) = 1;
    exo_wake_all(word(GO)); /* the threads find that nobody waits for their answers, and stand at the door again: until then it is full */
    while ((shared_door()->serving > 0 || shared_door()->receiving < shared_door()->made) && bare_now() < give_up)
        yields();
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), 5);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), 5);
    end(&service);
}

CASE(door_capabilities, "doors: capabilities go in and come out; bad ones are refused where they are given")
{
    struct service service = begin(2, 2, 0);
    uint64_t mine = (uint64_t)MUST(exo_ep_create()), theirs = (uint64_t)MUST(exo_ep_create());
    uint64_t fixed = (uint64_t)MUST(exo_cap_copy(SELF, 0, mine, EXO_RIGHT_NOTIFY, 0));
    struct exo_door_call call = {.word = {PASS, CHILD_OTHER}, .capability = mine};
    struct exo_cap_info info, wanted;
    struct exo_message note = {0};

    EXPECT(exo_cap_copy(service.child.env, CHILD_OTHER, theirs, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 0), CHILD_OTHER);
    EXPECT(exo_cap_copy(service.child.env, CHILD_NARROW, theirs, EXO_RIGHT_CALL, 0), CHILD_NARROW);
    EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NEVER), 0);
    EXPECT(exo_cap_info(call.capability, &info), 0);
    EXPECT(exo_cap_info(theirs, &wanted), 0);
    CHECK(info.object == wanted.object && info.rights == (EXO_RIGHT_CALL | EXO_RIGHT_COPY));
    EXPECT(exo_cap_delete(call.capability), 0);
    EXPECT(exo_ep_recv(mine, &note, EXO_DEADLINE_NOW), 0);
    EXPECT((int64_t)note.word[1], 8);
    call = (struct exo_door_call){.word = {PASS, CHILD_NARROW}, .capability = mine}; /* the answer's may not be copied */
    EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NEVER), -EXO_E_RIGHTS);
    CHECK(!call.capability);
    call = (struct exo_door_call){.word = {PASS}, .capability = fixed};
    EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NEVER), -EXO_E_RIGHTS);
    call = (struct exo_door_call){.word = {PASS}, .capability = 60000};
    EXPECT(exo_door_call(service.endpoint, &call, EXO_DEADLINE_NEVER), -EXO_E_BADSLOT);
    EXPECT(ask(service.endpoint, PASS, EXO_DEADLINE_NEVER), -EXO_E_TYPE);
    EXPECT(ask(service.endpoint, ADD, EXO_DEADLINE_NEVER), 5);
    EXPECT(exo_cap_delete(fixed), 0);
    EXPECT(exo_cap_delete(mine), 0);
    end(&service);
    EXPECT(exo_cap_delete(theirs), 0);
}

CASE(door_misuse, "doors: bounds that make no sense")
{
    struct exo_door door = {.endpoint = 20, .env = SELF, .va = STACKS_VA, .stack_pages = 1, .threads = 0};

    EXPECT(exo_door_open(&door), -EXO_E_INVAL);
    door.threads = EXO_DOOR_CONTEXTS;
    EXPECT(exo_door_open(&door), -EXO_E_INVAL);
    door.threads = 1, door.room = UINT32_MAX;
    EXPECT(exo_door_open(&door), -EXO_E_INVAL);
    door.room = 0, door.limit_ns = 1;
    EXPECT(exo_door_open(&door), -EXO_E_INVAL);
    door.limit_ns = 0, door.stack_pages = 0;
    EXPECT(exo_door_open(&door), -EXO_E_INVAL);
    door.stack_pages = 1, door.va = EXO_USER_TOP;
    EXPECT(exo_door_open(&door), -EXO_E_RANGE);
    door.va = STACKS_VA, door.env = MACHINE;
    EXPECT(exo_door_open(&door), -EXO_E_TYPE);
}
