/* Upcalls: redirected system calls, faults resolved in ring 3, events, nesting, timers. */
#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define UPAGE ((struct exo_upage *)CHILD_UPAGE)

void upcall_stub(void);
void syscall_stub(void);
void upcall_handler(struct exo_upcall *frame, uint64_t cause) __attribute__((used)); /* by the assembly below */

/*
 * The smallest library OS: a system call answers its number plus one; upcalls run below the interrupted stack and return in ring 3.
 * (iretq is no way back here: under SMAP, TCG reads its frame with the kernel's eyes.)
 */
__asm__(".text\n"
        ".globl syscall_stub, upcall_stub\n"
        "syscall_stub:\n"
        "    inc %rax\n"
        "    movl $0, %gs:32\n"
        "    jmp *%gs:8\n"
        "upcall_stub:\n"
        "    sub $256, %rsp\n"
        "    and $-16, %rsp\n"
        "    mov %rdi, %rbx\n"
        "    call upcall_handler\n"
        "    mov 120(%rbx), %rax\n" /* RIP, RSP */
        "    mov %rax, %gs:48\n"
        "    mov 144(%rbx), %rax\n"
        "    mov %rax, %gs:56\n"
        "    mov %rbx, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; pop %r11; pop %r10; pop %r9; pop %r8\n"
        "    pop %rax; pop %rcx; pop %rdx; pop %rsi; pop %rdi\n"
        "    add $16, %rsp\n"
        "    popfq\n"
        "    mov %gs:56, %rsp\n"
        "    jmp *%gs:48\n");

static volatile uint64_t causes[4], seen;
static volatile uint32_t event_bits;

void upcall_handler(struct exo_upcall *frame, uint64_t cause)
{
    if (seen < 4)
        causes[seen] = cause;
    seen++;
    if (cause == 14 && frame->address >= AREA(0) && frame->address < AREA(1)) {
        int64_t status = exo_mem_alloc(SELF, frame->address & ~0xffful, 1, RW);

        if (status < 0 && status != -EXO_E_EXISTS) /* somebody else may have put one there meanwhile */
            child_exit(500);
    } else if (cause == EXO_CAUSE_EVENT) {
        event_bits |= __atomic_exchange_n(&UPAGE->pending, 0, __ATOMIC_SEQ_CST);
    } else if (cause == 6) {
        frame->regs.rip += 2;
    } else {
        child_exit(600 + cause);
    }
    UPAGE->depth--;
    UPAGE->masked = frame->masked;
}

uint32_t upcall_events(void)
{
    return event_bits;
}

struct child upcall_child(void (*function)(uint64_t), uint64_t argument)
{
    return child_new_with(function, argument, (uint64_t)syscall_stub, (uint64_t)upcall_stub);
}

static void redirected(uint64_t unused)
{
    (void)unused;
    for (uint64_t number = 0; number < 1000; number++)
        if (exo_trap0(number) != (int64_t)number + 1)
            child_exit(1);
    if (exo_trap0(EXO_CALL_BASE - 1) != EXO_CALL_BASE || exo_trap0(EXO_CALL_BASE + EXO_CALLS) != EXO_CALL_BASE + EXO_CALLS + 1)
        child_exit(2);
    if (exo_trap0(UINT64_MAX - 5) != -5)
        child_exit(3);
    child_exit(7);
}

CASE(redirect, "system calls that are not the kernel's come back up")
{
    struct child child = upcall_child(redirected, 0);

    child_start(&child);
    EXPECT((int64_t)child_result(&child), 7);
}

static void faulting(uint64_t unused)
{
    volatile char *area = (volatile char *)AREA(0);

    (void)unused;
    for (unsigned page = 0; page < 50; page++)
        area[page * EXO_PAGE_BYTES + 5] = (char)page;
    for (unsigned page = 0; page < 50; page++)
        if (area[page * EXO_PAGE_BYTES + 5] != (char)page)
            child_exit(1);
    __asm__ volatile("ud2");
    if (seen != 51 || causes[0] != 14 || UPAGE->depth != 0 || UPAGE->masked != 0)
        child_exit(2);
    child_exit(8);
}

CASE(faults, "page faults and bad instructions are resolved in ring 3")
{
    struct child child = upcall_child(faulting, 0);

    child_start(&child);
    EXPECT((int64_t)child_result(&child), 8 + 0ul);
}

#define EVENTS_SEEN ((volatile uint32_t *)AREA(2)) /* shared: said between upcalls */

static void eventful(uint64_t unused)
{
    (void)unused;
    while (event_bits != 6)
        *EVENTS_SEEN = event_bits;
    child_exit(9);
}

CASE(events, "events interrupt a running context and end a wait")
{
    struct child child = upcall_child(eventful, 0);

    EXPECT(exo_alloc_all(SELF, AREA(2), 1, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, AREA(2), AREA(2), 1, EXO_SHARE_SAME | RW), 0);
    child_start(&child);
    (void)!exo_yield();
    EXPECT(exo_ctx_post(child.context, 2), 0);
    /* This smallest library OS lets events in before it has left its upcall, and does not look for those that came meanwhile. */
    for (uint64_t until = bare_now() + 10000000000ul; *EVENTS_SEEN != 2 && bare_now() < until;)
        (void)!exo_yield();
    EXPECT(exo_ctx_post(child.context, 4), 0);
    EXPECT((int64_t)child_result(&child), 9);
    EXPECT(exo_unmap_all(SELF, AREA(2), 1), 0);
}

CASE(far_deadlines, "a timer that is centuries away holds up no other")
{
    const uint64_t far[] = {1ul << 62, INT64_MAX, 1ul << 63, 0xe2bb168727314c66, EXO_DEADLINE_NEVER - 1};

    for (unsigned i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        EXPECT(exo_timer_set(far[i], 1), 0);
        EXPECT(exo_wait(NULL, 0, bare_now() + 1000000), -EXO_E_TIMEOUT);
    }
    EXPECT(exo_timer_set(EXO_DEADLINE_NEVER, 0), 0);
}

static void timed(uint64_t unused)
{
    (void)unused;
    UPAGE->masked = 1;
    if (exo_timer_set(1, 32) < 0 || exo_wait(NULL, 0, EXO_DEADLINE_NEVER) != -EXO_E_EVENT)
        child_exit(1);
    if (exo_wait(NULL, 0, EXO_DEADLINE_NEVER) != -EXO_E_EVENT) /* still pending */
        child_exit(2);
    if (UPAGE->pending != 32 || seen)
        child_exit(3);
    UPAGE->pending = 0;
    UPAGE->masked = 0;
    if (exo_timer_set(1, 64) < 0)
        child_exit(4);
    while (event_bits != 64)
        ;
    child_exit(11);
}

CASE(timers, "a context's timer posts its event")
{
    struct child child = upcall_child(timed, 0);

    child_start(&child);
    EXPECT((int64_t)child_result(&child), 11);
}

static uint64_t ran_ns(int64_t context)
{
    int64_t ns = exo_ctx_time((uint64_t)context);

    CHECK(ns >= 0);
    return (uint64_t)ns;
}

static void busy(uint64_t unused)
{
    (void)unused;
    while (event_bits != 1)
        ;
    child_exit(0);
}

CASE(time_of_contexts, "a context's time is its own, is part of its environment's, and is told as long as it lives")
{
    struct child child = upcall_child(busy, 0);
    struct exo_env_info info = {0};
    uint64_t limit;
    int64_t blind = exo_cap_copy(SELF, 0, child.context, EXO_RIGHT_START, 0);

    EXPECT((int64_t)ran_ns((int64_t)child.context), 0);
    child_start(&child);
    limit = bare_now() + 20000000000ul;
    while (ran_ns((int64_t)child.context) < 1000000 && bare_now() < limit) /* also while it is alone on its processor, and no slice ends */
        (void)!exo_yield();
    EXPECT(exo_env_info(child.env, &info), 0);
    CHECK(info.cpu_ns >= 1000000 && info.cpu_ns <= ran_ns((int64_t)child.context));
    EXPECT(exo_ctx_time((uint64_t)blind), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete((uint64_t)blind), 0);
    EXPECT(exo_ctx_time(child.env), -EXO_E_TYPE);
    EXPECT(exo_ctx_post(child.context, 1), 0);
    EXPECT((int64_t)child_result(&child), 0);
    CHECK(exo_ctx_time(child.context) < 0);
}

static void sleeps(uint64_t unused)
{
    (void)unused;
    (void)!exo_wait(NULL, 0, EXO_DEADLINE_NEVER);
    child_exit(1);
}

CASE(time_of_sleepers, "a context's time stands still while it sleeps, also on a processor where nobody else runs")
{
    struct child child = upcall_child(sleeps, 0);
    uint64_t before;

    child_start(&child);
    EXPECT(exo_wait(NULL, 0, bare_now() + 30000000), -EXO_E_TIMEOUT);
    before = ran_ns((int64_t)child.context);
    EXPECT(exo_wait(NULL, 0, bare_now() + 200000000), -EXO_E_TIMEOUT);
    CHECK(ran_ns((int64_t)child.context) - before < 100000000);
    (void)!exo_env_destroy(child.env, 0);
    EXPECT((int64_t)(child_end(&child) & 0xff), EXO_REASON_DESTROYED);
}

static void deep(uint64_t unused)
{
    (void)unused;
    UPAGE->depth = 0xffffffff;
    *(volatile char *)AREA(0) = 1;
    child_exit(0);
}

static void scribble(uint64_t unused)
{
    (void)unused;
    memset((void *)CHILD_UPAGE, 0xff, EXO_PAGE_BYTES);
    (void)exo_trap0(5);
    child_exit(0);
}

CASE(upcall_misuse, "a context that ruins its own page ends alone")
{
    struct child child = upcall_child(deep, 0);

    child_start(&child);
    EXPECT((int64_t)child_end(&child), EXO_REASON_FAULT | 14 << 8);
    child = upcall_child(scribble, 0);
    child_start(&child);
    CHECK(child_end(&child) != 0);
}

/* Keeps a value in a vector register and in the x87 stack over many switches. */
static void floating(uint64_t start)
{
    uint64_t vector = 0, stack = 0;

    __asm__ volatile("movq %0, %%xmm7; fildll %1" : : "r"(start), "m"(start));
    for (unsigned i = 0; i < 20; i++)
        (void)!exo_yield();
    __asm__ volatile("movq %%xmm7, %0; fistpll %1" : "=r"(vector), "=m"(stack));
    child_exit(vector == stack ? vector : 1000);
}

CASE(fpu, "floating-point registers are each context's own")
{
    struct child one = child_new(floating, 3), two = child_new(floating, 5);

    child_start(&one);
    child_start(&two);
    EXPECT((int64_t)child_result(&one), 3);
    EXPECT((int64_t)child_result(&two), 5);
}
