/*
 * Time: the TSC counts, the local APIC timer fires once at each deadline, and both are measured against the i8254 at boot. The date is the MC146818's.
 */
#include "cpu.h"
#include "port.h"

#define PIT_HZ 1193182ul
#define PIT_WINDOW 5966u /* counts: 5 ms */
#define AGREE 256u       /* 65536ths by which the clocks may differ */
#define TRIES 64u
#define EARLY_NS 100000u /* by which, and by a 128th of the time, the timer may be early */

static uint64_t timer_mult; /* ticks = ns * timer_mult >> 32 */
static PER_CPU(uint64_t) not_before_ns; /* what it must be at least when the timer comes that was set last */

static uint16_t pit_count(void)
{
    uint8_t low;

    out8(0x43, 0x80);
    low = in8(0x42);
    return (uint16_t)(low | in8(0x42) << 8);
}

struct reading {
    uint64_t cycles;
    uint32_t timer;
    uint16_t pit;
};

/* All three clocks as close together as they can be read: the quickest of several tries. */
static struct reading read_clocks(void)
{
    struct reading best = {0};
    uint64_t best_cost = UINT64_MAX;

    for (unsigned i = 0; i < 8; i++) {
        struct reading now;
        uint64_t before = arch_cycles(), after;

        now.pit = pit_count();
        now.timer = apic_timer_left();
        after = arch_cycles();
        now.cycles = before + (after - before) / 2;
        if (after - before < best_cost) {
            best_cost = after - before;
            best = now;
        }
    }
    return best;
}

/*
 * A host may stall this CPU for longer than the i8254 takes to come round (55 ms), or between two reads that belong together: what comes out is wrong by
 * any factor. So a window has two halves, and any two clocks must be in the same proportion in both; else there is another try. To come round unseen takes
 * a gap between two readings that is most of its half, so such a window is none either.
 */
struct window {
    struct reading from, middle, to;
    bool stalled;
};
#define STALLED 65536u /* is as bad as to be wrong by the whole */

/* How far a / b is from c / d, in 65536ths. */
static uint64_t apart(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t left, right;

    if (!a || !b || !c || !d || (a | b | c | d) >> 31)
        return UINT64_MAX; /* stands still, or was away for about a second */
    left = a * d;
    right = b * c;
    return (left > right ? left - right : right - left) / ((left >> 16) + 1);
}

static uint64_t disagreement(const struct window *w)
{
    uint64_t cycles[2] = {w->middle.cycles - w->from.cycles, w->to.cycles - w->middle.cycles};
    uint32_t timer[2] = {w->from.timer - w->middle.timer, w->middle.timer - w->to.timer};
    uint16_t pit[2] = {(uint16_t)(w->from.pit - w->middle.pit), (uint16_t)(w->middle.pit - w->to.pit)};
    uint64_t each_other = apart(cycles[0], timer[0], cycles[1], timer[1]), reference = apart(cycles[0], pit[0], cycles[1], pit[1]);

    if (reference > each_other)
        each_other = reference;
    return w->stalled && each_other < UINT64_MAX - STALLED ? each_other + STALLED : each_other;
}

static struct reading read_after(const struct reading *from, uint16_t counts, bool *stalled)
{
    struct reading now = *from;
    uint64_t gap = 0;

    do {
        uint64_t last = now.cycles;

        now = read_clocks();
        if (now.cycles - last > gap)
            gap = now.cycles - last;
    } while ((uint16_t)(from->pit - now.pit) < counts && now.cycles - from->cycles < 1ul << 33);
    if (gap > (now.cycles - from->cycles) / 4)
        *stalled = true;
    return now;
}

static struct window best_window(void)
{
    struct window best = {0};
    uint64_t least = UINT64_MAX;

    for (unsigned tries = 0; tries < TRIES && least > AGREE; tries++) {
        struct window now;
        uint64_t difference;

        apic_timer(UINT32_MAX);
        now.stalled = false;
        now.from = read_clocks();
        now.middle = read_after(&now.from, PIT_WINDOW / 2, &now.stalled);
        now.to = read_after(&now.middle, PIT_WINDOW / 2, &now.stalled);
        difference = disagreement(&now);
        if (difference < least) {
            least = difference;
            best = now;
        }
    }
    apic_timer(0);
    if (least == UINT64_MAX)
        panic("clocks do not count");
    if (least > AGREE)
        log_text("clocks: cycle counter, timer and i8254 disagree by %lu of 65536 at best: time may be wrong by as much\n", least);
    return best;
}

static void measure(void)
{
    struct window window;
    uint64_t pit_counts, timer_hz;

    /* Channel 0 has counted since reset, for an interrupt that nobody takes; in mode 0 it ends after one. QEMU would wake for it 36 times a second. */
    out8(0x43, 0x30);
    out8(0x40, 1);
    out8(0x40, 0);
    out8(0x61, (uint8_t)((in8(0x61) & ~2u) | 1u));
    out8(0x43, 0xb4); /* channel 2, mode 2: counts down and starts again */
    out8(0x42, 0xff);
    out8(0x42, 0xff);
    window = best_window();
    pit_counts = (uint64_t)(uint16_t)(window.from.pit - window.middle.pit) + (uint16_t)(window.middle.pit - window.to.pit);
    info->tsc_hz = (window.to.cycles - window.from.cycles) * PIT_HZ / pit_counts;
    timer_hz = (uint64_t)(window.from.timer - window.to.timer) * PIT_HZ / pit_counts;
    if (info->tsc_hz == 0 || timer_hz == 0 || timer_hz > UINT32_MAX)
        panic("clocks count at %lu and %lu Hz", info->tsc_hz, timer_hz);
    info->tsc_mult = (1000000000ul << 32) / info->tsc_hz;
    timer_mult = (timer_hz << 32) / 1000000000ul;
}

static uint8_t rtc_read(uint8_t index)
{
    out8(0x70, index);
    return in8(0x71);
}

static unsigned decode(uint8_t value, bool binary)
{
    return binary ? value : (value >> 4) * 10u + (value & 15u);
}

/* Days since 1970-01-01 of a Gregorian date (Howard Hinnant's days_from_civil). */
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
    unsigned shifted = month <= 2 ? year - 1 : year, era = shifted / 400, year_of_era = shifted % 400;
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return (uint64_t)era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static uint64_t rtc_seconds(void)
{
    uint8_t raw[7], again[7];
    static const uint8_t registers[7] = {0, 2, 4, 7, 8, 9, 0x32};
    bool binary;
    unsigned tries = 0, hour;

    do {
        for (unsigned i = 0; i < 7; i++)
            raw[i] = rtc_read(registers[i]);
        for (unsigned i = 0; i < 7; i++)
            again[i] = rtc_read(registers[i]);
    } while (++tries < 100 && __builtin_memcmp(raw, again, 7) != 0);
    if (raw[0] == 0xff && raw[4] == 0xff)
        return 0; /* there is none */
    binary = rtc_read(0xb) & 4;
    hour = decode(raw[2] & 0x7f, binary);
    if (!(rtc_read(0xb) & 2)) /* twelve hours */
        hour = hour % 12 + (raw[2] & 0x80 ? 12 : 0);
    return days_since_epoch(decode(raw[6], binary) * 100 + decode(raw[5], binary), decode(raw[4], binary), decode(raw[3], binary)) *
               86400 +
           hour * 3600 + decode(raw[1], binary) * 60 + decode(raw[0], binary);
}

void arch_init_devices(void)
{
    apic_init();
    measure();
    info->tsc_base = arch_cycles();
    info->wall_offset_ns = rtc_seconds() * 1000000000ul;
}

uint64_t arch_cycles_to_ns(uint64_t cycles)
{
    return (uint64_t)((unsigned __int128)cycles * info->tsc_mult >> 32);
}

uint64_t arch_now_ns(void)
{
    return arch_cycles_to_ns(arch_cycles() - info->tsc_base);
}

void arch_timer_set(uint64_t deadline_ns)
{
    uint64_t now = arch_now_ns();
    uint64_t delta = deadline_ns > now ? deadline_ns - now : 0;
    unsigned __int128 ticks = ((unsigned __int128)delta * timer_mult >> 32) + 1;

    not_before_ns = ticks <= UINT32_MAX && deadline_ns > EARLY_NS + (delta >> 7) ? deadline_ns - EARLY_NS - (delta >> 7) : 0;
    apic_timer(ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

/* The timer came. That it still counts means that an interrupt waited which was asked for before it was set again. */
void clock_check(void)
{
    COUNT_ONE(counters.timer_interrupts);
    if (arch_now_ns() < not_before_ns && apic_timer_left() == 0)
        COUNT_ONE(counters.timers_early);
}
