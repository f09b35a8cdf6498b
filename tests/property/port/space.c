/* Page tables of the host port: four levels of 512 words in the arena. An entry of an upper level is the next table's physical address. */
#include <exo/string.h>

#include "host.h"

#define LEVELS 4u
#define ENTRIES 512u

static uint64_t span(unsigned level)
{
    return (uint64_t)PAGE << 9 * level; /* bytes that one entry stands for */
}

static uint64_t *entry_in(uint64_t table, unsigned level, uint64_t va)
{
    return (uint64_t *)direct(table) + va / span(level) % ENTRIES;
}

bool space_init(struct env *env)
{
    env->space.root = frame_take(env->zone, 0, false);
    env->tables = env->space.root ? 1 : 0;
    return env->space.root != 0;
}

void space_free_root(struct env *env)
{
    frame_drop(env->space.root);
    env->tables--;
}

uint64_t *host_entry(const struct space *space, uint64_t va)
{
    uint64_t table = space->root;

    for (unsigned level = LEVELS - 1; level > 0 && table; level--)
        table = *entry_in(table, level, va);
    return table ? entry_in(table, 0, va) : NULL;
}

uint64_t *space_entry(struct env *env, uint64_t va, bool create)
{
    uint64_t table = env->space.root;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = entry_in(table, level, va);

        if (!*entry && create) {
            *entry = frame_take(env->zone, 0, false);
            env->tables += *entry != 0;
        }
        if (!*entry)
            return NULL;
        table = *entry;
    }
    return entry_in(table, 0, va);
}

uint64_t *space_large(struct env *env, uint64_t va, uint64_t *bytes)
{
    (void)env, (void)va, (void)bytes;
    return NULL;
}

bool space_split(struct env *env, uint64_t va)
{
    (void)env, (void)va;
    return true;
}

bool space_map_large(struct env *env, uint64_t va, uint64_t pte)
{
    (void)env, (void)va, (void)pte;
    return false;
}

/* This port keeps its tables until the end. */
void space_prune(struct env *env, uint64_t va)
{
    (void)env, (void)va;
}

uint64_t space_next_table(struct env *env, uint64_t va, uint64_t end)
{
    while (va < end) {
        uint64_t table = env->space.root;
        unsigned level = LEVELS;

        while (level > 1 && table) {
            level--;
            table = *entry_in(table, level, va);
        }
        if (table)
            return va;
        va = (va | (span(level) - 1)) + 1;
    }
    return end;
}

static bool clear(struct env *env, uint64_t table, unsigned level, unsigned *most)
{
    uint64_t *entries = direct(table);

    for (unsigned i = 0; i < ENTRIES; i++) {
        if (!entries[i])
            continue;
        if (level > 0 && !clear(env, entries[i], level - 1, most))
            return false;
        if (*most == 0)
            return false;
        --*most;
        if (level > 0 || entries[i] & PTE_PRESENT) {
            frame_drop(level > 0 ? entries[i] : pte_physical(entries[i]));
            *(level > 0 ? &env->tables : &env->mapped) -= 1;
        }
        entries[i] = 0;
    }
    return true;
}

bool space_clear_some(struct env *env, unsigned *most)
{
    return clear(env, env->space.root, LEVELS - 1, most);
}

static void walk_level(const struct host_walk *walk, uint64_t table, unsigned level, uint64_t va)
{
    const uint64_t *entries = direct(table);

    walk->table(walk->self, table);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint64_t here = va + i * span(level);

        if (entries[i] && level > 0)
            walk_level(walk, entries[i], level - 1, here);
        else if (entries[i] & PTE_PRESENT)
            walk->page(walk->self, here, entries[i]);
    }
}

void host_walk(const struct env *env, const struct host_walk *walk)
{
    walk_level(walk, env->space.root, LEVELS - 1, 0);
}

void space_flush_page(struct env *env, uint64_t va)
{
    (void)env, (void)va;
}

void space_flush(struct env *env)
{
    (void)env;
}
