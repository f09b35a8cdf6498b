/*
 * Several CPUs: how the others are started, and how they are interrupted.
 *
 * One lock is held by whoever is in the kernel (docs/decisions/0016-one-kernel-lock.md). Who waits for it, or is in ring 3 or asleep, answers requests of the
 * holder, which need no lock: to forget translations, and to let go of the context that it runs. So the holder can wait for answers.
 */
#include <exo/string.h>

#include "switch.h"

unsigned smp_cpus = 1;

uint32_t smp_lock_word; /* 1: somebody is in the kernel. entry.S takes it, too */

/* What the lock's holder asks of a CPU. */
enum { REQUEST_LOOK = 1, REQUEST_FLUSH = 2, REQUEST_PARK = 4, REQUEST_ENTRY = 8 };
_Static_assert(CPUS_MAX * sizeof(uint64_t) == sizeof(((struct exo_stats *)0)->cpu_kicks), "the statistics have room for all");
static PER_CPU(uint32_t) requests;
static PER_CPU(uint32_t) polling; /* it has nothing to do, and looks at its requests by itself */
static PER_CPU(bool) served;      /* an interrupt, since it began to */
static uint32_t unanswered;

#define POLLS_A_SECOND 20000u /* at the least */

/* Translations that are to go: of these pages, or all. By the lock's holder. */
#define STALE_MOST 32u
static struct {
    uint32_t cpus; /* that may have them */
    unsigned count; /* over STALE_MOST: all */
    uint64_t pages[STALE_MOST];
} stale;

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static uint32_t *requests_of(unsigned cpu)
{
    return &OF_CPU(cpu, uint32_t, requests);
}

static void flush_mine(void)
{
    if (stale.count > STALE_MOST) {
        write_cr3(read_cr3());
        return;
    }
    for (unsigned i = 0; i < stale.count; i++)
        __asm__ volatile("invlpg (%0)" : : "r"(stale.pages[i]) : "memory");
}

/* Answers what is asked for, without the lock; true: this CPU has to look what it shall do. */
static bool answer(void)
{
    uint32_t asked = __atomic_exchange_n(requests_of(percpu.number), 0, __ATOMIC_ACQUIRE);

    lock_unwanted();
    if (asked & REQUEST_FLUSH)
        flush_mine();
    if (asked & REQUEST_PARK) {
        arch_switch_from(arch_current());
        write_cr3(kernel_root);
    }
    if (asked & REQUEST_ENTRY)
        cpu_choose_entry();
    if (asked & (REQUEST_FLUSH | REQUEST_PARK))
        __atomic_fetch_sub(&unanswered, 1, __ATOMIC_RELEASE);
    return asked & (REQUEST_LOOK | REQUEST_PARK);
}

/* Whoever polls stops first, and looks at the requests then: one of the two sees what the other did (models/requests.pml). */
static void ask(unsigned cpu, uint32_t request)
{
    __atomic_fetch_or(requests_of(cpu), request, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&OF_CPU(cpu, uint32_t, polling), __ATOMIC_SEQ_CST))
        return;
    apic_send(OF_CPU(cpu, struct percpu, percpu).apic_id, VECTOR_KICK);
}

static void await_answers(void)
{
    lock_needed();
    while (__atomic_load_n(&unanswered, __ATOMIC_ACQUIRE) > 0)
        __asm__ volatile("pause");
}

bool smp_kicked(void)
{
    apic_eoi();
    COUNT_ONE(counters.kicks);
    return answer();
}

void smp_served(void)
{
    served = true;
}

/*
 * What comes within the time that two wakes by interrupt take needs none. Without the lock; interrupts are off before and after. False: nothing has come yet,
 * and from now on an interrupt will.
 */
bool smp_poll(void)
{
    uint32_t *mine = &OF_CPU(percpu.number, uint32_t, polling);
    const volatile bool *stop = &OF_CPU(percpu.number, bool, served);
    uint64_t until = arch_cycles() + info->tsc_hz / POLLS_A_SECOND;

    served = false;
    __atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
    __asm__ volatile("sti" : : : "memory");
    while (!*stop && !__atomic_load_n(requests_of(percpu.number), __ATOMIC_RELAXED) && arch_cycles() < until)
        __asm__ volatile("pause");
    __asm__ volatile("cli" : : : "memory");
    __atomic_store_n(mine, 0, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(requests_of(percpu.number), __ATOMIC_SEQ_CST))
        return *stop;
    (void)answer(); /* who has nothing to do looks anyway */
    return true;
}

uint64_t arch_redirects(unsigned cpu)
{
    return __atomic_load_n(&OF_CPU(cpu, struct percpu, percpu).redirects, __ATOMIC_RELAXED);
}

void arch_kick(unsigned cpu)
{
    ask(cpu, REQUEST_LOOK);
}

void arch_trace_changed(unsigned cpu)
{
    if (cpu == percpu.number)
        cpu_choose_entry();
    else
        ask(cpu, REQUEST_ENTRY);
}

/*
 * The other CPU's context has its registers in memory afterwards, as if it had not begun the call that it may have been entering the kernel for: that CPU
 * goes on with another one when it gets the lock.
 */
void arch_park(unsigned cpu, struct context *context)
{
    __atomic_fetch_add(&unanswered, 1, __ATOMIC_RELAXED);
    ask(cpu, REQUEST_PARK);
    await_answers();
    context->env->space.cpus &= ~(1u << cpu);
    OF_CPU(cpu, struct percpu, percpu).loaded = NULL;
    if (OF_CPU(cpu, struct percpu, percpu).by_call) {
        context->arch.regs.rip -= 2; /* the syscall instruction */
        context->arch.full_return = 1;
    }
}

/* ---- translations ------------------------------------------------------------------------------------------------- */

void smp_flush_page(struct env *env, uint64_t va)
{
    uint32_t others = env->space.cpus & ~(1u << percpu.number);

    if (!others)
        return;
    if (stale.cpus && stale.cpus != others)
        stale.count = STALE_MOST + 1; /* perhaps of several address spaces */
    stale.cpus |= others;
    if (va == SMP_ALL_PAGES)
        stale.count = STALE_MOST + 1;
    else if (stale.count < STALE_MOST)
        stale.pages[stale.count++] = va;
    else
        stale.count = STALE_MOST + 1;
    space_stale = true;
}

void arch_flush_stale(void)
{
    for (unsigned cpu = 0; cpu < smp_cpus; cpu++)
        if (stale.cpus >> cpu & 1) {
            __atomic_fetch_add(&unanswered, 1, __ATOMIC_RELAXED);
            ask(cpu, REQUEST_FLUSH);
        }
    await_answers();
    stale.cpus = 0;
    stale.count = 0;
}

void arch_unload(void)
{
    write_cr3(kernel_root);
    smp_loaded(NULL);
}

/* ---- the lock ----------------------------------------------------------------------------------------------------- */

void smp_lock(void)
{
    lock_taking();
    while (__atomic_exchange_n(&smp_lock_word, 1, __ATOMIC_ACQUIRE)) {
        do {
            if (__atomic_load_n(requests_of(percpu.number), __ATOMIC_RELAXED))
                (void)answer();
            __asm__ volatile("pause");
        } while (__atomic_load_n(&smp_lock_word, __ATOMIC_RELAXED));
    }
    lock_taken();
}

void smp_unlock(void)
{
    frame_return_late();
    smp_unlock_clean();
}

/* ---- starting ----------------------------------------------------------------------------------------------------- */

#define TRAMPOLINE 0x8000ul /* in the first MiB, which nobody else uses */
#define SECOND 1000000000ul

extern char boot_trampoline[], boot_trampoline_end[]; /* at their physical addresses */
extern uint64_t boot_ap_stack;
static unsigned starting; /* number of the CPU that is being started; 0: it has come */

void smp_other_main(void);
void smp_other_main(void)
{
    unsigned cpu = __atomic_load_n(&starting, __ATOMIC_ACQUIRE);

    while (cpu == 0) /* it was given up */
        __asm__ volatile("cli; hlt");
    cpu_start(cpu);
    apic_start_this();
    __atomic_store_n(&starting, 0, __ATOMIC_RELEASE);
    smp_lock();
    arch_run();
}

static void wait_ns(uint64_t ns)
{
    uint64_t until = arch_now_ns() + ns;

    while (arch_now_ns() < until)
        __asm__ volatile("pause");
}

static bool start_one(unsigned cpu, unsigned id)
{
    uint64_t area = frame_take(zones[0], CPU_AREA_ORDER, false), until;

    if (!area)
        return false;
    boot_ap_stack = cpu_area_begin(cpu, id, direct(area));
    __atomic_store_n(&starting, cpu, __ATOMIC_RELEASE);
    apic_send_init(id);
    wait_ns(10000000);
    for (unsigned i = 0; i < 2 && __atomic_load_n(&starting, __ATOMIC_ACQUIRE); i++) {
        apic_send_start(id, TRAMPOLINE / PAGE);
        wait_ns(200000);
    }
    until = arch_now_ns() + 10 * SECOND;
    while (__atomic_load_n(&starting, __ATOMIC_ACQUIRE) && arch_now_ns() < until)
        __asm__ volatile("pause");
    if (__atomic_exchange_n(&starting, 0, __ATOMIC_ACQ_REL) == 0)
        return true;
    log_text("CPU %u (APIC %u) did not start\n", cpu, id);
    return false;
}

void arch_start_cpus(const struct boot *boot)
{
    bool good = true;

    if (boot->cpu_count <= 1)
        return;
    memcpy(direct(TRAMPOLINE), direct((uint64_t)boot_trampoline), (size_t)(boot_trampoline_end - boot_trampoline));
    smp_lock();
    for (unsigned i = 0; i < boot->cpu_count && smp_cpus < CPUS_MAX && good; i++) {
        if (boot->cpu[i] == percpu.apic_id)
            continue;
        good = start_one(smp_cpus, boot->cpu[i]);
        smp_cpus += good;
    }
    if (smp_cpus == 1)
        smp_unlock();
    else
        cpu_choose_entry();
}
