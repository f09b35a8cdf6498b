/*
 * Who runs: the mechanism. It keeps the current context, ends slices, switches, idles, and charges time and gas; which ready context is next says
 * share.c, by the zones' policies. The processor's time goes to the account that pays at the moment, so a server's work for a client is the client's.
 */
#include "fast.h"
#include "policy.h"
#include "port.h"
#include "ready.h"
#include "run.h"
#include "slice.h"
#include "trace.h"

#define SLICE_NS 5000000ul

PER_CPU(enum reason) reason;
PER_CPU(bool) sched_slice_armed;
PER_CPU(bool) idling = true;
static PER_CPU(uint64_t) timer_programmed = UINT64_MAX;
PER_CPU(struct share *) sched_share; /* as gas_loaded for gas */
PER_CPU(uint64_t) run_since;
uint64_t cycle_price;
PER_CPU(struct sched_cpu) sched_cpu;
PER_CPU(bool) sched_needed = true;
HOT_DATA uint32_t sched_runnable;
uint64_t sched_slice_cycles;

struct context *arch_current(void)
{
    return sched_cpu.current;
}

/* `direct` is READY and in no queue. */
void sched_switch(struct context *direct)
{
    if (__builtin_expect(sched_cpu.direct && sched_cpu.direct != direct, false))
        sched_ready_first(sched_cpu.direct);
    sched_cpu.direct = direct;
    sched_needed = true;
}

/* What has passed since the last settling is nobody's. */
static void start_clocks(uint64_t now)
{
    if (sched_cpu.current)
        sched_cpu.current->cpu_cycles -= now - run_since;
    run_since = now;
}

/*
 * What is to be added for the turns that have not ended. Until now, not until they were settled last: who runs alone on another
 * processor may not be settled for long, and who was switched to fast has begun since. Who stopped, and was not followed by another, has been settled.
 */
static uint64_t open_turns(const struct env *env, const struct context *only)
{
    uint64_t now = arch_cycles(), cycles = 0;

    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        const struct context *runs = OF_CPU(cpu, struct sched_cpu, sched_cpu).current;

        if (!runs || runs->env != env || (only && runs != only))
            continue;
        cycles += OF_CPU(cpu, bool, idling) ? OF_CPU(cpu, uint64_t, run_since) : now;
        if (runs->state == CTX_DEAD) /* in no list any more */
            cycles += runs->cpu_cycles;
    }
    return cycles;
}

uint64_t sched_context_cycles(const struct context *context)
{
    return context->cpu_cycles + open_turns(context->env, context);
}

uint64_t sched_env_cycles(const struct env *env)
{
    uint64_t cycles = env->cpu_cycles;

    for (const struct list *link = env->contexts.next; link != &env->contexts; link = link->next)
        cycles += LIST_ENTRY(link, const struct context, env_link)->cpu_cycles;
    return cycles + open_turns(env, NULL);
}

void sched_settle(void)
{
    uint64_t now = arch_cycles(), used = now - run_since;

    if (idling)
        return;
    run_since = now;
    gas_charge((uint64_t)((unsigned __int128)used * cycle_price >> 32)); /* what is rounded away is less than a switch costs */
    sched_share->used += used; /* the policies learn of it when they are asked */
}

/* What is special about the share that this CPU runs on is looked at before it is used again. */
static void look_at_share(unsigned cpu)
{
    OF_CPU(cpu, struct sched_cpu, sched_cpu).share_seen = NULL;
    OF_CPU(cpu, struct sched_cpu, sched_cpu).share_alone = NULL;
}

void sched_share_gone(const struct share *share, struct share *heir)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        look_at_share(cpu);
        if (OF_CPU(cpu, struct share *, sched_share) == share)
            OF_CPU(cpu, struct share *, sched_share) = heir;
    }
}

bool sched_before(const struct context *first, const struct context *second)
{
    return share_before(first, second);
}

void sched_woke(const struct context *context)
{
    uint64_t now = arch_cycles();

    share_of(context)->used += now - run_since;
    share_pay(share_of(context));
    start_clocks(now);
}

/* What somebody gave the context of a turn is over. */
static void end_donation(struct context *context)
{
    if (context->donated)
        gas_sponsor(context, NULL);
}

static PER_CPU(uint64_t) switches_published;

/* The public page's count has those of all CPUs, up to each one's last tick or sleep. */
static void publish_switches(void)
{
    uint64_t now = counters.switches + sched_cpu.calls + sched_cpu.replies + sched_cpu.turns;

    info->context_switches += now - switches_published;
    switches_published = now;
}

void sched_tick(void)
{
    bool idle = idling;

    timer_programmed = UINT64_MAX;
    sched_slice_armed = false;
    sched_needed = true;
    publish_switches();
    sched_settle();
    share_pay(sched_share);
    reserve_let_go();
    if (sched_cpu.current)
        end_donation(sched_cpu.current);
    gas_time_passed();
    idling = true; /* what follows is not the work of who was interrupted */
    start_clocks(arch_cycles());
    timer_expire(arch_now_ns());
    (void)reap_some();
    idling = idle;
    if (sched_runnable > 0)
        sched_preempt();
}

void sched_preempt(void)
{
    if (reason != STOPPED)
        reason = SLICE_OVER;
    sched_needed = true;
}

void sched_look(void)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        look_at_share(cpu);
        OF_CPU(cpu, bool, sched_needed) = true;
    }
}

void sched_stop(const struct share *share)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        if (OF_CPU(cpu, struct share *, sched_share) != share)
            continue;
        OF_CPU(cpu, enum reason, reason) = STOPPED;
        look_at_share(cpu);
        sched_look_at(cpu);
    }
}

uint64_t sched_clock(void)
{
    return arch_cycles();
}

int64_t k_yield(struct context *caller)
{
    (void)caller;
    reason = YIELDED;
    sched_needed = true;
    return 0;
}

__attribute__((noinline)) static void set_timer(uint64_t wanted)
{
    if (((sched_runnable > 0 && !idling) || reap_waiting) && !sched_slice_armed) {
        uint64_t slice_end = arch_now_ns() + SLICE_NS;

        sched_slice_armed = true;
        if (slice_end < wanted)
            wanted = slice_end;
    }
    if (wanted < timer_programmed) {
        timer_programmed = wanted;
        arch_timer_set(wanted);
    }
}

static inline void program_timer(void)
{
    uint64_t wanted = timer_next();

    if (gas_end_ns < wanted)
        wanted = gas_end_ns;
    if (wanted < timer_programmed || (!sched_slice_armed && (sched_runnable > 0 || reap_waiting)))
        set_timer(wanted);
}

/* The policy's choice: the current context takes part when its slice is over, and comes last when it yielded. */
static struct context *choose_other(bool current_ready)
{
    struct context *next;

    if (current_ready && reason >= SLICE_OVER) {
        ready_give(sched_cpu.current, false);
        current_ready = false;
    }
    next = share_pick();
    if (next)
        sched_runnable--;
    if (!current_ready)
        return next;
    if (!next)
        return sched_cpu.current;
    ready_give(sched_cpu.current, false);
    return next;
}

/* The context that should run, NULL if none can. */
static struct context *choose(void)
{
    struct context *next = sched_cpu.direct;
    /* In a list although it is current: its slice was over, and who was picked had no gas. */
    bool current_ready = sched_cpu.current && sched_cpu.current->state == CTX_READY && list_empty(&sched_cpu.current->link);

    if (!next && current_ready && (reason == GO_ON || (sched_runnable == 0 && reason != STOPPED))) {
        reason = GO_ON;
        return sched_cpu.current;
    }
    sched_cpu.direct = NULL;
    sched_settle();
    if (!next)
        next = choose_other(current_ready);
    else if (current_ready && sched_cpu.current != next) /* a reply: the server goes on, the client waits its turn */
        ready_give(sched_cpu.current, false);
    reason = GO_ON;
    return next;
}

static void retire(struct context *before)
{
    arch_switch_from(before);
    before->cpu_cycles += run_since;
    if (before->state == CTX_DEAD)
        before->env->cpu_cycles += before->cpu_cycles;
    before->cpu = 0;
}

static void make_current(struct context *next)
{
    struct context *before = sched_cpu.current;

    if (before)
        retire(before);
    else if (arch_cpus() > 1)
        run_since = arch_cycles();
    idling = false;
    next->cpu_cycles -= run_since;
    sched_cpu.current = next;
    if (__builtin_expect(arch_cpus() > 1, false))
        next->cpu = next->last_cpu = (uint8_t)(arch_cpu() + 1);
    if (before)
        end_donation(before);
    gas_charge(EXO_PRICE_SWITCH);
    COUNT_ONE(counters.switches);
    TRACE(EXO_TRACE_SWITCH, before ? before->state : 255u, next, before ? before->object.id : 0, next->env->object.id);
    arch_switch_to(next);
    if (before && before->state == CTX_DEAD)
        object_drop(&before->object); /* context_kill left it that long: it ran, and its page tables were loaded */
    if (next->gas_woken)
        gas_continue(next);
}

/* Another CPU may run who was last here, or end it. */
static void let_go(void)
{
    struct context *before = sched_cpu.current;

    sched_settle();
    if (!before)
        return;
    end_donation(before);
    retire(before);
    sched_cpu.current = NULL;
    idling = true;
    arch_unload();
    if (before->state == CTX_DEAD)
        object_drop(&before->object);
}

static PER_CPU(uint64_t) idle_since; /* cycles; 0: it does something */

uint64_t sched_idle_ns(unsigned cpu)
{
    uint64_t since = OF_CPU(cpu, uint64_t, idle_since), counted = OF_CPU(cpu, struct counters, counters).idle_ns;

    return since ? counted + arch_cycles_to_ns(arch_cycles() - since) : counted;
}

__attribute__((noinline)) static void idle(void)
{
    uint64_t from = arch_cycles();

    if (arch_cpus() > 1)
        let_go();
    if (reap_some()) {
        arch_let_interrupts();
        return;
    }
    if (reserve_stopped) {
        reserve_let_go();
        return;
    }
    sched_settle();
    if (sched_cpu.current)
        end_donation(sched_cpu.current);
    gas_end_ns = UINT64_MAX; /* nobody uses any */
    idling = true; /* whoever is ready now is stopped: no slice of time begins */
    program_timer();
    cpus_asleep |= 1u << arch_cpu();
    idle_since = from;
    publish_switches();
    sched_needed = false; /* until there is something again */
    TRACE(EXO_TRACE_IDLE, 0, NULL, 0, 0);
    arch_idle();
    TRACE(EXO_TRACE_AWAKE, 0, NULL, 0, 0);
    cpus_asleep &= ~(1u << arch_cpu());
    idling = !sched_cpu.current;
    idle_since = 0;
    start_clocks(arch_cycles());
    gas_time_passed();
    from = arch_cycles_to_ns(run_since - from);
    counters.idle_ns += from;
    info->idle_ns += from;
}

/* Who pays for what comes now. False: there is no gas for it. */
static bool pay(struct context *next)
{
    struct gas_account *account = gas_payer(next);
    struct share *share = share_of(next);

    if (account != gas_loaded || share != sched_cpu.share_seen) {
        sched_settle();
        share_pay(sched_share); /* and that may have been all it had */
        if (share->entity.gates) {
            ready_give(next, true);
            return false;
        }
        gas_load(account);
        sched_share = share;
        sched_cpu.share_seen = share->special ? NULL : share;
        sched_cpu.share_alone = NULL;
        if (share->entity.reserved)
            reserve_begins(share->entity.reserved);
    }
    /* One CPU enters the kernel soon, and sees that a purse is empty; on one of several it may run undisturbed. */
    return gas_purse >= (arch_cpus() > 1) || gas_admit(next);
}

struct context *sched_pick(void)
{
    if (reap_fresh)
        (void)reap_some();
    for (;;) {
        struct context *next = choose();

        if (!next) {
            idle();
            continue;
        }
        if (!pay(next)) {
            end_donation(next);
            continue;
        }
        if (next != sched_cpu.current)
            make_current(next);
        if (next->upage->pending)
            context_deliver(next);
        if (next->state == CTX_READY) {
            program_timer();
            sched_needed = reap_fresh || reason != GO_ON; /* whom this one woke may be before it */
            if (__builtin_expect(arch_cpus() > 1, false) && sched_runnable > 0)
                cpus_spread();
            return next;
        }
    }
}

#ifdef EXO_DEBUG
/* Who is ready is taken by another CPU: it has been told to look, its slice of time ends, or it is just looking for somebody. */
static bool another_looks(void)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++) {
        bool searching = !OF_CPU(cpu, struct sched_cpu, sched_cpu).current && !(cpus_asleep >> cpu & 1);

        if (cpu != arch_cpu() && (searching || OF_CPU(cpu, bool, sched_needed) || OF_CPU(cpu, bool, sched_slice_armed)))
            return true;
    }
    return false;
}

void sched_check_settled(const struct context *context)
{
    ASSERT(context == sched_cpu.current && !sched_cpu.direct && reason == GO_ON && list_empty(&context->link));
    ASSERT(gas_payer(context) == gas_loaded && share_of(context) == sched_share && !reap_fresh);
    ASSERT(timer_programmed <= timer_next() && timer_programmed <= gas_end_ns);
    ASSERT(sched_slice_armed || (sched_runnable == 0 && !reap_waiting) || another_looks());
}

/* What the general way would have made of it. */
void fast_check(const struct context *from, const struct context *to)
{
    ASSERT((from->state != CTX_READY || !list_empty(&from->link)) && from->state != CTX_DEAD && to->object.references > 0 && !to->gas_woken);
    ASSERT(!to->endpoint && list_empty(&to->peers) && !timer_armed(&to->wait_timer) && slice_of(to) == NULL);
    ASSERT((to->sponsor != NULL) == (to->client != NULL));
    sched_check_settled(to);
}
#endif

void sched_start(void)
{
    for (unsigned cpu = 0; cpu < arch_cpus(); cpu++)
        OF_CPU(cpu, struct share *, sched_share) = &zones[0]->share;
    start_clocks(arch_cycles());
    sched_slice_cycles = info->tsc_hz / (1000000000ul / SLICE_NS);
    cycle_price = (EXO_PRICE_CPU_US * 1000000ul << 32) / info->tsc_hz;
}
