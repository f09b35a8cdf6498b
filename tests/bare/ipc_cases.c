/* Contexts, endpoints, waiting, tallies, ends of environments. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define SHARED_VA AREA(64)

enum { CHILD_ENDPOINT = 20, CHILD_OTHER = 21 };

static volatile uint32_t *shared(unsigned index)
{
    return (volatile uint32_t *)SHARED_VA + index;
}

static void share_page(const struct child *child)
{
    EXPECT(exo_share_all(child->env, SHARED_VA, SHARED_VA, 1, EXO_SHARE_SAME | RW), 0);
}

static void adder(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        if (message.word[0] == 0xdead)
            child_exit(99);
        message.word[0] += message.word[1] + message.badge;
        message.word[4] = message.word[3];
    }
}

CASE(calls, "calls between environments: words, badges, many in a row")
{
    int64_t endpoint = MUST(exo_ep_create()), caller;
    struct child child = child_new(adder, 0);
    struct exo_message message;

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHTS_ALL, 0), CHILD_ENDPOINT);
    caller = MUST(exo_cap_copy(SELF, 0, (uint64_t)endpoint, EXO_RIGHT_CALL, 1000));
    child_start(&child);
    for (uint64_t i = 0; i < 200; i++) {
        message = (struct exo_message){.word = {i, 7, 3, 44, 0}};
        EXPECT(exo_ep_call((uint64_t)caller, &message), 0);
        EXPECT((int64_t)message.word[0], (int64_t)i + 1007);
        EXPECT((int64_t)message.word[4], 44);
    }
    message.word[0] = 0xdead;
    EXPECT(exo_ep_call((uint64_t)caller, &message), -EXO_E_PEER); /* it dies while it serves us */
    EXPECT((int64_t)child_result(&child), 99);
    EXPECT(exo_cap_delete((uint64_t)caller), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void relay(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        if (message.word[0] == 0xdead)
            child_exit(2);
        if (exo_ep_call(CHILD_OTHER, &message) < 0)
            child_exit(3);
        message.word[2] = 77;
    }
}

CASE(nested_calls, "a server that calls another one while it serves still answers its own client")
{
    int64_t front = MUST(exo_ep_create()), back = MUST(exo_ep_create());
    struct child first = child_new(relay, 0), second = child_new(adder, 0);
    struct exo_message message;

    EXPECT(exo_cap_copy(first.env, CHILD_ENDPOINT, (uint64_t)front, EXO_RIGHTS_ALL, 0), CHILD_ENDPOINT);
    EXPECT(exo_cap_copy(first.env, CHILD_OTHER, (uint64_t)back, EXO_RIGHT_CALL, 0), CHILD_OTHER);
    EXPECT(exo_cap_copy(second.env, CHILD_ENDPOINT, (uint64_t)back, EXO_RIGHTS_ALL, 0), CHILD_ENDPOINT);
    child_start(&first);
    child_start(&second);
    for (uint64_t i = 0; i < 50; i++) {
        message = (struct exo_message){.word = {i, 7, 0, 5, 0}};
        EXPECT(exo_ep_call((uint64_t)front, &message), 0);
        EXPECT((int64_t)message.word[0], (int64_t)i + 7);
        EXPECT((int64_t)message.word[2], 77);
    }
    message.word[0] = 0xdead;
    EXPECT(exo_ep_call((uint64_t)back, &message), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&second), 99);
    message.word[0] = 0xdead;
    EXPECT(exo_ep_call((uint64_t)front, &message), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&first), 2);
    EXPECT(exo_cap_delete((uint64_t)front), 0);
    EXPECT(exo_cap_delete((uint64_t)back), 0);
}

/* Where ring 3 can set the base of its thread's memory by itself, the kernel hears of it when another context runs. */
static bool bases_free(void)
{
    return bare_info()->features & 1;
}

static void set_base(uint64_t base)
{
    __asm__ volatile("wrfsbase %0" : : "r"(base));
}

static uint64_t get_base(void)
{
    uint64_t base;

    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static void based(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (uint64_t i = 0; i < 10; i++) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0 || (i > 0 && get_base() != 0x2000 + i - 1))
            child_exit(1);
        set_base(0x2000 + i);
        message.word[0] = i;
    }
    child_exit(7);
}

CASE(thread_bases, "a base that a context set by itself is its own when it has called and been answered")
{
    int64_t endpoint;
    struct child child;
    struct exo_message message = {0};

    if (!bases_free())
        return;
    endpoint = MUST(exo_ep_create());
    child = child_new(based, 0);
    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHTS_ALL, 0), CHILD_ENDPOINT);
    child_start(&child);
    for (uint64_t i = 0; i < 9; i++) {
        set_base(0x1000 + i);
        EXPECT(exo_ep_call((uint64_t)endpoint, &message), 0);
        EXPECT((int64_t)message.word[0], (int64_t)i);
        EXPECT((int64_t)get_base(), (int64_t)(0x1000 + i));
    }
    EXPECT(exo_ep_call((uint64_t)endpoint, &message), -EXO_E_PEER);
    EXPECT((int64_t)child_result(&child), 7);
    set_base(0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

CASE(dead_server, "calls to an endpoint that nobody can receive from")
{
    int64_t endpoint = MUST(exo_ep_create()), caller = MUST(exo_cap_copy(SELF, 0, (uint64_t)endpoint, EXO_RIGHT_CALL, 1));
    struct exo_message message = {0};

    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
    EXPECT(exo_ep_call((uint64_t)caller, &message), -EXO_E_PEER);
    EXPECT(exo_ep_recv((uint64_t)caller, &message, EXO_DEADLINE_NOW), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)caller), 0);
}

CASE(receive_deadlines, "receive: looking, time-out, notification bits gathered")
{
    int64_t endpoint = MUST(exo_ep_create());
    struct exo_message message = {0};
    uint64_t now = bare_now();

    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, now + 3000000), -EXO_E_TIMEOUT);
    CHECK(bare_now() >= now + 3000000);
    EXPECT(exo_ep_notify((uint64_t)endpoint, 5), 0);
    EXPECT(exo_ep_notify((uint64_t)endpoint, 10), 0);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(message.badge == EXO_BADGE_KERNEL && message.word[0] == EXO_NOTE_NOTIFY && message.word[1] == 15 && !message.capability);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), -EXO_E_PEER);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void sender(uint64_t unused)
{
    struct exo_message message = {.word = {1, 2, 3, 4, CHILD_OTHER}};
    int64_t status = exo_ep_call_cap(CHILD_ENDPOINT, &message);

    (void)unused;
    child_exit(status == 0 ? 10 : (uint64_t)-status);
}

CASE(capability_travels, "a capability travels with a call, if it may be copied")
{
    int64_t endpoint = MUST(exo_ep_create()), gift = MUST(exo_ep_create());
    struct exo_cap_info info, mine;
    struct exo_message message = {0};
    struct child child = child_new(sender, 0), refused = child_new(sender, 0);

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHT_CALL, 3), CHILD_ENDPOINT);
    EXPECT(exo_cap_copy(child.env, CHILD_OTHER, (uint64_t)gift, EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY, 0), CHILD_OTHER);
    child_start(&child);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(message.capability && message.capability == message.word[4]);
    EXPECT(exo_cap_info(message.capability, &info), 0);
    EXPECT(exo_cap_info((uint64_t)gift, &mine), 0);
    CHECK(info.object == mine.object && info.rights == (EXO_RIGHT_NOTIFY | EXO_RIGHT_COPY) && message.badge == 3);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), 0);
    EXPECT(exo_cap_delete(message.word[4]), 0);
    EXPECT((int64_t)child_result(&child), 10);
    EXPECT(exo_cap_copy(refused.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHT_CALL, 3), CHILD_ENDPOINT);
    EXPECT(exo_cap_copy(refused.env, CHILD_OTHER, (uint64_t)gift, EXO_RIGHT_NOTIFY, 0), CHILD_OTHER);
    child_start(&refused);
    EXPECT((int64_t)child_result(&refused), EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)gift), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void waker(uint64_t index)
{
    for (unsigned i = 0; i < 5; i++)
        (void)!exo_yield();
    *shared((unsigned)index) = 1;
    (void)!exo_wake((const void *)(uintptr_t)shared((unsigned)index), 1);
    child_exit(0);
}

CASE(waiting, "waits on several words, time-outs, errors")
{
    struct exo_predicate predicates[EXO_WAIT_MAX + 1];
    struct child child;
    uint64_t now = bare_now();

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
    for (unsigned i = 0; i < EXO_WAIT_MAX + 1; i++)
        predicates[i] = (struct exo_predicate){(uint64_t)shared(i), 0, EXO_WAIT_WORD};
    EXPECT(exo_wait(predicates, EXO_WAIT_MAX + 1, EXO_DEADLINE_NOW), -EXO_E_INVAL);
    EXPECT(exo_wait(predicates, 3, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    EXPECT(exo_wait(predicates, 3, now + 2000000), -EXO_E_TIMEOUT);
    CHECK(bare_now() >= now + 2000000);
    *shared(2) = 9;
    EXPECT(exo_wait(predicates, 5, EXO_DEADLINE_NEVER), 2);
    *shared(2) = 0;
    child = child_new(waker, EXO_WAIT_MAX - 1);
    share_page(&child);
    child_start(&child);
    EXPECT(exo_wait(predicates, EXO_WAIT_MAX, EXO_DEADLINE_NEVER), EXO_WAIT_MAX - 1);
    EXPECT((int64_t)child_result(&child), 0);
    predicates[1].va = 0x10;
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NOW), -EXO_E_FAULT);
    predicates[1].va = SHARED_VA + 2;
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NOW), -EXO_E_INVAL);
    predicates[0] = (struct exo_predicate){60000, 0, EXO_WAIT_ENDPOINT};
    EXPECT(exo_wait(predicates, 1, EXO_DEADLINE_NOW), -EXO_E_BADSLOT);
    EXPECT(exo_wait((void *)0x10, 1, EXO_DEADLINE_NOW), -EXO_E_FAULT);
    EXPECT(exo_wake((void *)0x10, 1), -EXO_E_FAULT);
    EXPECT(exo_wake((void *)(SHARED_VA + 1), 1), -EXO_E_ALIGN);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
}

static void notifier(uint64_t unused)
{
    (void)unused;
    for (unsigned i = 0; i < 3; i++)
        (void)!exo_yield();
    (void)!exo_ep_notify(CHILD_ENDPOINT, 4);
    child_exit(0);
}

CASE(waiting_endpoint, "a wait that includes an endpoint")
{
    int64_t endpoint = MUST(exo_ep_create());
    struct child child = child_new(notifier, 0);
    struct exo_predicate predicates[2] = {{SHARED_VA, 0, EXO_WAIT_WORD}, {(uint64_t)endpoint, 0, EXO_WAIT_ENDPOINT}};
    struct exo_message message = {0};

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, (uint64_t)endpoint, EXO_RIGHTS_ALL, 0), CHILD_ENDPOINT);
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    child_start(&child);
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NEVER), 1);
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NEVER), 1);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, EXO_DEADLINE_NOW), 0);
    EXPECT((int64_t)message.word[1], 4);
    EXPECT(exo_wait(predicates, 2, EXO_DEADLINE_NOW), -EXO_E_TIMEOUT);
    EXPECT((int64_t)child_result(&child), 0);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void just_exit(uint64_t result)
{
    child_exit(result);
}

CASE(tallies, "a tally counts copies, also when an environment ends")
{
    int64_t tally;
    struct child child = child_new(just_exit, 3);

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
    EXPECT(exo_tally_create((void *)(SHARED_VA + 2)), -EXO_E_ALIGN);
    EXPECT(exo_tally_create((void *)0x10), -EXO_E_FAULT);
    tally = MUST(exo_tally_create((void *)SHARED_VA));
    EXPECT(*shared(0), 1);
    EXPECT(exo_env_clone_slots(child.env, (uint64_t)tally & 0xffff, 1), 1);
    EXPECT(*shared(0), 2);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), 3);
    EXPECT(*shared(0), 1);
    EXPECT(exo_cap_delete((uint64_t)tally), 0);
    EXPECT(*shared(0), 0);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
}

static void spin(uint64_t unused)
{
    (void)unused;
    for (;;)
        *shared(0) += 1;
}

CASE(preemption, "a spinning environment does not stop others, and can be destroyed")
{
    struct child child = child_new(spin, 0);
    uint64_t until;

    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
    share_page(&child);
    child_start(&child);
    do {
        until = bare_now() + 20000000;
        EXPECT(exo_wait(NULL, 0, until), -EXO_E_TIMEOUT);
    } while (*shared(0) == 0);
    (void)!exo_env_destroy(child.env, 5);
    EXPECT((int64_t)child_end(&child), EXO_REASON_DESTROYED | 5 << 8);
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
}

CASE(contexts_misuse, "contexts: bad states and pages are refused")
{
    int64_t env = MUST(exo_env_create(ZONE, 0, 0)), context;
    struct exo_ctx_state state = {0};

    EXPECT(exo_ctx_create((uint64_t)env, 0x1001, &state), -EXO_E_ALIGN);
    EXPECT(exo_ctx_create((uint64_t)env, EXO_USER_TOP, &state), -EXO_E_RANGE);
    EXPECT(exo_ctx_create((uint64_t)env, 0, &state), -EXO_E_RANGE);
    EXPECT(exo_ctx_create((uint64_t)env, 0x1000, (void *)0x10), -EXO_E_FAULT);
    state.regs.rip = 0xffffffff80100000;
    EXPECT(exo_ctx_create((uint64_t)env, 0x1000, &state), -EXO_E_RANGE);
    state.regs.rip = 0x800000000000;
    EXPECT(exo_ctx_create((uint64_t)env, 0x1000, &state), -EXO_E_RANGE);
    state.regs.rip = 0x1000;
    state.tls = 0x8000000000000000;
    EXPECT(exo_ctx_create((uint64_t)env, 0x1000, &state), -EXO_E_RANGE);
    state.tls = 0;
    state.regs.rflags = UINT64_MAX;
    state.regs.cs = 0x10;
    state.regs.ss = 0x18;
    context = MUST(exo_ctx_create((uint64_t)env, 0x1000, &state));
    EXPECT(exo_ctx_create((uint64_t)env, 0x1000, &state), -EXO_E_EXISTS);
    EXPECT(exo_ctx_read((uint64_t)context, &state), 0);
    CHECK(state.regs.cs == 0x33 && state.regs.ss == 0x2b && !(state.regs.rflags & 0x3000) && state.regs.rflags & 0x200);
    EXPECT(exo_ctx_read(CTX, &state), -EXO_E_BUSY);
    EXPECT(exo_ctx_write(CTX, &state), -EXO_E_BUSY);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_ctx_start((uint64_t)context), -EXO_E_BADSLOT);
    EXPECT(exo_mem_alloc((uint64_t)env, AREA(0), 1, RW), -EXO_E_BADSLOT);
    EXPECT(exo_cap_delete((uint64_t)context), 0);
    EXPECT(exo_cap_delete((uint64_t)env), 0);
}

static void kernel_reader(uint64_t address)
{
    child_exit(*(volatile uint8_t *)address);
}

static void kernel_jumper(uint64_t address)
{
    ((void (*)(void))address)();
}

#define PRIVILEGED 5

static void privileged(uint64_t which)
{
    if (which == 0)
        __asm__ volatile("cli");
    if (which == 1)
        __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
    if (which == 2)
        __asm__ volatile("outb %%al, $0x80" : : "a"(0));
    if (which == 3)
        __asm__ volatile("rdmsr" : : "c"(0xc0000080) : "rax", "rdx");
    if (which == 4)
        __asm__ volatile("int $0x40");
    child_exit(which);
}

CASE(protection, "ring 3 reaches nothing of the kernel and no privileged instruction")
{
    const uint64_t addresses[] = {0xffff800000000000, 0xffffff8000000000, 0xffffff8000101000, 0xffffff8000200000,
                                  0xffffffff80101000, 0xffffffff80110000, 0xffffffffc0001000};
    struct child child;

    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        child = child_new(kernel_reader, addresses[i]);
        child_start(&child);
        EXPECT((int64_t)child_end(&child), EXO_REASON_FAULT | 14 << 8);
        child = child_new(kernel_jumper, addresses[i]);
        child_start(&child);
        EXPECT((int64_t)child_end(&child), EXO_REASON_FAULT | 14 << 8);
    }
    for (unsigned i = 0; i < PRIVILEGED; i++) {
        child = child_new(privileged, i);
        child_start(&child);
        EXPECT((int64_t)child_end(&child), EXO_REASON_FAULT | 13 << 8);
    }
    child = child_new(kernel_jumper, 0x8000000000000000); /* not canonical */
    child_start(&child);
    EXPECT((int64_t)child_end(&child), EXO_REASON_FAULT | 13 << 8);
}

static void one_call(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    child_exit(exo_ep_call(CHILD_ENDPOINT, &message) == 0 ? 9 : 1);
}

CASE(bits_flood, "a flood of notification bits keeps no caller from being served")
{
    uint64_t endpoint = (uint64_t)MUST(exo_ep_create()), give_up = bare_now() + 10000000000ul;
    struct child child = child_new(one_call, 0);
    struct exo_message message = {0};
    bool called = false;

    EXPECT(exo_cap_copy(child.env, CHILD_ENDPOINT, endpoint, EXO_RIGHT_CALL, 3), CHILD_ENDPOINT);
    child_start(&child);
    while (!called && bare_now() < give_up) {
        EXPECT(exo_ep_notify(endpoint, 1), 0);
        EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NOW), 0);
        called = message.badge == 3;
    }
    CHECK(called);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), called ? 0 : -EXO_E_PEER);
    EXPECT(exo_ep_recv(endpoint, &message, EXO_DEADLINE_NOW), called ? 0 : -EXO_E_TIMEOUT); /* the bits are not lost */
    (void)!exo_env_destroy(child.env, 0);
    (void)child_end(&child);
    EXPECT(exo_cap_delete(endpoint), 0);
}
