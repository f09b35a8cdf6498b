/* The fast paths of turns, of sleeping on a word and of waking (kernel/include/fast.h): that they are taken in the common case, and in no other. */
#include "cases.h"
#include "references.h"

#define WORD (MEMORY + 4 * PAGE) /* in both environments the same memory */
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

/* The first context, and one of another environment that is ready. */
static struct two {
    struct context *first, *other;
    struct case_child child;
} two;

static void start_two(uint64_t zone)
{
    two.first = case_self();
    two.child = case_child(zone);
    two.other = two.child.context;
    (void)MUST_DO(MEM_SHARE, two.child.env, WORD, WORD, 1, EXO_SHARE_SAME | RW);
    (void)DO(WAKE, WORD, 1); /* the kernel has seen where it is, in both */
    case_become(two.other);
    (void)DO(WAKE, WORD, 1);
    case_become(two.first);
}

static void set_word(uint32_t value)
{
    case_poke(WORD, &value, sizeof(value));
}

/* The call was made by who runs, went that way, and that one runs now. */
static void went(bool fast, uint64_t before, const struct context *runs)
{
    REQUIRE((host_fast != before) == fast, "it went the %s way", fast ? "general" : "fast");
    REQUIRE(case_self() == runs, "context %lu runs", case_self()->object.id);
    if (two.first)
        references_check((struct object *const[]){&two.first->object, &two.other->object}, 2);
}

#define GOES(fast, runs, ...)                                                                                          \
    do {                                                                                                               \
        uint64_t before = host_fast;                                                                                   \
        (void)DO(__VA_ARGS__);                                                                                         \
        went(fast, before, runs);                                                                                      \
    } while (0)

CASE(turn_yield, "two that yield change places the fast way; one alone does not")
{
    GOES(false, case_self(), YIELD);
    start_two(ZONE);
    for (unsigned i = 0; i < 5; i++) {
        GOES(true, two.other, YIELD);
        GOES(true, two.first, YIELD);
    }
    (void)MUST_DO(CTX_STOP, two.child.ctx);
    GOES(false, two.first, YIELD);
}

CASE(turn_given, "so do two that give each other turns, if the share and the account are the same")
{
    uint64_t back, zone;

    start_two(ZONE);
    back = case_give(&two.child, CTX);
    for (unsigned i = 0; i < 5; i++) {
        GOES(true, two.other, YIELD_TO, two.child.ctx);
        GOES(true, two.first, YIELD_TO, back);
    }
    REFUSED(YIELD_TO, TYPE, SELF);
    REFUSED(YIELD_TO, BADSLOT, two.child.ctx + SLOTS_INLINE);
    REFUSED(YIELD_TO, STALE, two.child.ctx + (1ul << 16));
    REFUSED(YIELD_TO, RIGHTS, MUST_DO(CAP_DERIVE, SELF, 0, two.child.ctx, EXO_RIGHTS_ALL & ~EXO_RIGHT_START, 0, EXO_DEADLINE_NEVER));
    GOES(false, two.first, YIELD_TO, CTX);
    zone = case_zone(300, EXO_LABEL_TOP);
    two.child = case_child(zone);
    GOES(false, two.child.context, YIELD_TO, two.child.ctx);
    REQUIRE(two.child.context->donated && two.child.context->sponsor == two.first->env->gas, "the turn is not the giver's");
}

CASE(turn_sleep, "who sleeps on a word leaves the processor the fast way, and is woken so")
{
    start_two(ZONE);
    for (uint32_t i = 0; i < 5; i++) {
        set_word(i);
        GOES(true, two.other, WAIT_WORD, WORD, i, EXO_DEADLINE_NEVER);
        REQUIRE(two.first->state == CTX_WAIT && two.first->wait_count == 1, "it does not sleep");
        two.first->arch.regs.rax = 77;
        GOES(true, two.other, WAKE, WORD, 5);
        REQUIRE(two.other->arch.regs.rax == 1 && two.first->state == CTX_READY && two.first->arch.regs.rax == 0, "nobody was woken");
        GOES(true, two.other, WAKE, WORD, 1);
        REQUIRE(two.other->arch.regs.rax == 0, "somebody was woken twice");
        GOES(true, two.first, YIELD);
    }
}

CASE(turn_value, "a word that has changed, a deadline, a word that is not there: the general way")
{
    start_two(ZONE);
    set_word(7);
    GOES(false, two.first, WAIT_WORD, WORD, 8, EXO_DEADLINE_NEVER);
    GOES(true, two.other, WAIT_WORD, WORD, 7ul | 5ul << 32, EXO_DEADLINE_NEVER); /* 32 bits are compared */
    GOES(true, two.other, WAKE, WORD, 1);
    GOES(true, two.first, YIELD);
    REFUSED(WAIT_WORD, TIMEOUT, WORD, 7, EXO_DEADLINE_NOW);
    REFUSED(WAIT_WORD, INVAL, WORD + 2, 0, EXO_DEADLINE_NEVER);
    REFUSED(WAIT_WORD, FAULT, NOWHERE, 0, EXO_DEADLINE_NEVER);
    REFUSED(WAIT_WORD, FAULT, UINT64_MAX - 3, 0, EXO_DEADLINE_NEVER);
    REFUSED(WAKE, ALIGN, WORD + 1, 1);
    REFUSED(WAKE, FAULT, NOWHERE, 1);
    GOES(false, two.other, WAIT_WORD, WORD, 7, host_cycles + 1000000);
    GOES(false, two.other, WAKE, WORD, 1); /* there is a timer to take back */
}

CASE(turn_many, "several on a word, and none to be woken: the general way")
{
    struct case_child third;

    start_two(ZONE);
    third = case_child(ZONE);
    (void)MUST_DO(MEM_SHARE, third.env, WORD, WORD, 1, EXO_SHARE_SAME | RW);
    set_word(1);
    case_become(two.other);
    (void)DO(WAIT_WORD, WORD, 1, EXO_DEADLINE_NEVER);
    case_become(third.context);
    (void)DO(WAIT_WORD, WORD, 1, EXO_DEADLINE_NEVER);
    case_become(two.first);
    GOES(false, two.first, WAKE, WORD, 0);
    GOES(false, two.first, WAKE, WORD, 1);
    REQUIRE(two.other->state == CTX_READY && third.context->state == CTX_WAIT, "the second was woken first");
    GOES(true, two.first, WAKE, WORD, 1);
    REQUIRE(third.context->state == CTX_READY, "the last was not woken");
}

CASE(turn_event, "who has an event goes nowhere without it")
{
    start_two(ZONE);
    set_word(1);
    two.first->upage->masked = 1;
    two.first->upage->pending = 1;
    REFUSED(WAIT_WORD, EVENT, WORD, 1, EXO_DEADLINE_NEVER);
    two.first->upage->pending = 0;
    two.other->upage->masked = 1;
    two.other->upage->pending = 1;
    GOES(false, two.other, YIELD);
    two.other->upage->pending = 0;
    GOES(true, two.first, YIELD);
}

CASE(turn_gas, "with too little gas in the purse they go the general way, and each pays the same on either")
{
    const int64_t cost = EXO_PRICE_SYSCALL + EXO_PRICE_SWITCH;

    start_two(ZONE);
    set_word(1);
    gas_purse = cost;
    GOES(true, two.other, YIELD);
    REQUIRE(gas_purse == 0, "%ld is left", gas_purse);
    gas_purse = cost - 1;
    GOES(false, two.first, YIELD);
    gas_purse = cost - 1;
    GOES(false, two.other, WAIT_WORD, WORD, 1, EXO_DEADLINE_NEVER);
    gas_purse = EXO_PRICE_SYSCALL - 1;
    GOES(false, two.other, WAKE, WORD, 1);
}

CASE(turn_shares, "between zones, and with slices, the policies are asked")
{
    uint64_t slice;

    start_two(ZONE);
    slice = MUST_DO(SLICE_MAKE, ZONE, 100);
    (void)MUST_DO(SLICE_BIND, slice, CTX);
    GOES(false, two.other, YIELD);
    GOES(false, two.first, YIELD);
    (void)MUST_DO(SLICE_UNBIND, CTX);
    (void)DO(YIELD);
    case_become(two.first);
    GOES(true, two.other, YIELD);
    GOES(true, two.first, YIELD);
    (void)case_child(case_zone(300, EXO_LABEL_TOP)); /* ready, on another share */
    uint64_t before = host_fast;
    (void)DO(YIELD);
    REQUIRE(host_fast == before, "nobody was asked");
}

CASE(turn_two_words, "who sleeps on two words is woken by either, and told which; the same word twice, and a second that is wrong: the general way")
{
    start_two(ZONE);
    set_word(3);
    for (unsigned which = 0; which < 2; which++) {
        GOES(true, two.other, WAIT_WORD, WORD, 3, EXO_DEADLINE_NEVER, WORD + 8, 0);
        GOES(true, two.other, WAKE, WORD + 8 * which, 1);
        REQUIRE(two.first->state == CTX_READY && two.first->arch.regs.rax == which, "word %u woke nobody", which);
        GOES(true, two.other, WAKE, WORD + 8 * (1 - which), 1);
        REQUIRE(two.other->arch.regs.rax == 0, "it still sleeps on the other word");
        GOES(true, two.first, YIELD);
    }
    GOES(false, two.first, WAIT_WORD, WORD, 3, EXO_DEADLINE_NEVER, WORD + 8, 1);
    REQUIRE(two.first->arch.regs.rax == 1, "the second word has another value");
    REFUSED(WAIT_WORD, INVAL, WORD, 3, EXO_DEADLINE_NEVER, WORD + 9, 0);
    REFUSED(WAIT_WORD, FAULT, WORD, 3, EXO_DEADLINE_NEVER, NOWHERE, 0);
    GOES(true, two.other, WAIT_WORD, WORD, 3, EXO_DEADLINE_NEVER, WORD, 3);
    GOES(false, two.other, WAKE, WORD, 1);
    REQUIRE(two.first->state == CTX_READY && two.first->wait_count == 0, "it sleeps on");
}

static void pass_time(void)
{
    host_cycles += 1000000;
    sched_tick();
}

/* Threads of a process did not find each other any more: the share of who goes on after a sleep that nobody else ran in is in no queue. */
CASE(turn_after_idle, "who slept to a deadline while nobody was ready can wake others")
{
    start_two(ZONE);
    set_word(1);
    case_become(two.other);
    (void)DO(WAIT_WORD, WORD, 1, EXO_DEADLINE_NEVER);
    case_become(two.first);
    host_idle = pass_time;
    REFUSED(WAIT_WORD, TIMEOUT, WORD + 8, 0, EXO_DEADLINE_NOW);
    (void)DO(WAIT_WORD, WORD + 8, 0, host_cycles + 500000);
    REQUIRE(case_self() == two.first && (int64_t)two.first->arch.regs.rax == -EXO_E_TIMEOUT, "it sleeps on");
    (void)DO(WAKE, WORD, 1);
    (void)DO(YIELD);
    REQUIRE(case_self() == two.other, "who was woken does not run");
}
