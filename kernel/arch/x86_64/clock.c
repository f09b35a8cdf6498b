/*
 * Time: the TSC counts, the local APIC timer fires once at each deadline, and both are measured against the i8254 at boot. The date is the MC146818's.
 */
#include "cpu.h"
#include "port.h"

#define PIT_HZ 1193182ul
#define PIT_WINDOW 5966u /* counts: 5 ms */

static uint64_t timer_mult; /* ticks = ns * timer_mult >> 32 */

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

static void measure(void)
{
    struct reading from, to;
    uint64_t pit_counts, timer_hz;

    /* Channel 0 has counted since reset, for an interrupt that nobody takes; in mode 0 it ends after one. QEMU would wake for it 36 times a second. */
    out8(0x43, 0x30);
    out8(0x40, 1);
    out8(0x40, 0);
    out8(0x61, (uint8_t)((in8(0x61) & ~2u) | 1u));
    out8(0x43, 0xb4); /* channel 2, mode 2: counts down and starts again */
    out8(0x42, 0xff);
    out8(0x42, 0xff);
    apic_timer(UINT32_MAX);
    from = read_clocks();
    do
        to = read_clocks();
    while ((uint16_t)(from.pit - to.pit) < PIT_WINDOW && to.cycles - from.cycles < 1ul << 34);
    apic_timer(0);
    pit_counts = (uint16_t)(from.pit - to.pit);
    if (pit_counts == 0)
        panic("the i8254 does not count");
    info->tsc_hz = (to.cycles - from.cycles) * PIT_HZ / pit_counts;
    timer_hz = (uint64_t)(from.timer - to.timer) * PIT_HZ / pit_counts;
    if (info->tsc_hz == 0 || timer_hz == 0 || timer_hz > UINT32_MAX)
        panic("clocks do not count");
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

    apic_timer(ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}
