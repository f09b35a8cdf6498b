/* What runs on the small library OS: two tasks, of which one goes through a table again and again that is larger than its memory. */
#include "smallos.h"

#include <exo/format.h>
#include <exo/string.h>

#define TABLE_PAGES 64u
#define MEMORY_PAGES 48u
#define SWEEPS 4u

static volatile unsigned sweeps;
static const char *rule_name = "clock";
static bool right = true;

static void say(const char *name, unsigned sweep, uint64_t faults)
{
    char line[80];
    int length = exo_format(line, sizeof(line), "%-8s sweep %u: %lu pages were not in memory\n", name, sweep, faults);

    (void)!exo_trap2(SMALL_WRITE, (uint64_t)line, (uint64_t)length);
}

/* Who goes through everything in order needs least soon what came last. No mark of a processor says that; the program knows. */
static unsigned latest(const uint64_t *pages, unsigned count)
{
    (void)pages;
    return count - 1;
}

static void sweep_all(volatile uint64_t *table)
{
    for (unsigned sweep = 1; sweep <= SWEEPS; sweep++) {
        for (uint64_t page = 0; page < TABLE_PAGES; page++) {
            volatile uint64_t *word = &table[page * (PAGE / 8) + page];

            right = right && *word == sweeps * (page + 1);
            *word += page + 1;
        }
        sweeps++;
        (void)!exo_trap0(SMALL_YIELD);
    }
}

/* The second task tells what the first one's sweeps cost. */
static void report(void)
{
    uint64_t before = 0;

    for (unsigned told = 0; told < 2 * SWEEPS;) {
        uint64_t now = (uint64_t)exo_trap0(SMALL_FAULTS);

        if (told == sweeps) {
            (void)!exo_trap0(SMALL_YIELD);
            continue;
        }
        say(rule_name, ++told, now - before);
        before = now;
    }
}

/* What nobody has said to be memory. */
void stray(void)
{
    *(volatile uint64_t *)0x300000000000ul = 1;
}

void program(void)
{
    uint64_t *table = (uint64_t *)exo_trap2(SMALL_MORE, TABLE_PAGES, MEMORY_PAGES);

    (void)!exo_trap1(SMALL_SPAWN, (uint64_t)report);
    sweep_all(table);
    (void)!exo_trap1(SMALL_RULE, (uint64_t)latest);
    rule_name = "latest";
    sweep_all(table);
    if (right)
        (void)!exo_trap2(SMALL_WRITE, (uint64_t)"every word was as it was left\n", 30);
}
