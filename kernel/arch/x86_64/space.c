/*
 * Environments' page tables, whose upper half is the kernel's. Pages are of 4 KiB, of 2 MiB (large) and, where the CPU has them, of 1 GiB (huge). A
 * huge page is made of a directory full of large ones, which is kept aside, so that taking a huge page apart needs no memory; taking a large one
 * apart needs a table, charged to the environment's zone.
 */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

#define LARGE_PAGES (SPACE_TABLE_BYTES / PAGE)
#define HUGE (1ul << 30)
#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define PTE_SEEN (PTE_ACCESSED | PTE_DIRTY)

/* Wherever a table of 4 KiB pages may go. */
static void forget_leaves(struct env *env)
{
    for (unsigned i = 0; i < SPACE_LEAVES; i++)
        env->space.leaf[i].tag = SPACE_NO_LEAF;
}

bool space_init(struct env *env)
{
    uint64_t root = frame_take(env->zone, 0, false);

    if (!root)
        return false;
    memcpy((uint64_t *)direct(root) + ENTRIES / 2, (uint64_t *)direct(kernel_root) + ENTRIES / 2, PAGE / 2);
    env->space.root = root;
    forget_leaves(env);
    env->tables = 1;
    return true;
}

/* First entry from `i` on that is in use, or ENTRIES: four at a look. */
static inline unsigned next_used(const uint64_t *table, unsigned i, unsigned end)
{
    while (i < end && i % 4 != 0 && !table[i])
        i++;
    if (i % 4 == 0)
        while (i < end && !(table[i] | table[i + 1] | table[i + 2] | table[i + 3]))
            i += 4;
    while (i < end && !table[i])
        i++;
    return i < end ? i : ENTRIES;
}

/* The entry of va at the level, in tables that are made if `create`; NULL: there is none, or a larger page, whose entry is *larger. */
static inline uint64_t *walk(struct env *env, uint64_t va, unsigned level, bool create, uint64_t **larger)
{
    uint64_t *table = direct(env->space.root);

    for (unsigned at = 3; at > level; at--) {
        uint64_t *entry = &table[index_at(va, at)];

        if (!*entry) {
            uint64_t page = create ? frame_take(env->zone, 0, false) : 0;

            if (!page)
                return NULL;
            env->tables++;
            *entry = page | TABLE_FLAGS;
        } else if (__builtin_expect((*entry & PTE_LARGE) != 0, false)) {
            *larger = entry;
            return NULL;
        }
        table = direct(pte_physical(*entry));
    }
    return &table[index_at(va, level)];
}

/* Where the directory behind a huge page is kept. */
static struct space_huge *kept(struct env *env, uint64_t gib)
{
    for (unsigned i = 0; i < SPACE_HUGE_MAX; i++)
        if (env->space.huge[i].gib == gib)
            return &env->space.huge[i];
    return NULL;
}

/* A larger page becomes a table of smaller ones, which have its marks; also those that another CPU made up to now. */
static void name_table(uint64_t *entry, uint64_t *table, uint64_t seen)
{
    uint64_t late = __atomic_exchange_n(entry, direct_physical(table) | TABLE_FLAGS, __ATOMIC_RELAXED) & PTE_SEEN & ~seen;

    for (unsigned i = 0; late && i < ENTRIES; i++)
        __atomic_fetch_or(&table[i], late, __ATOMIC_RELAXED);
}

static void split_huge(struct env *env, uint64_t *entry, uint64_t va)
{
    struct space_huge *huge = kept(env, va / HUGE);
    uint64_t *directory, seen = *entry & PTE_SEEN;

    ASSERT(huge);
    directory = direct((uint64_t)huge->directory * PAGE);
    for (unsigned i = 0; i < ENTRIES; i++)
        directory[i] |= seen;
    name_table(entry, directory, seen);
    huge->gib = 0;
    space_flush_page(env, va);
}

static bool split_large(struct env *env, uint64_t *entry, uint64_t va)
{
    uint64_t page = frame_take(env->zone, 0, true), pte = *entry & ~PTE_LARGE;
    uint64_t *table = direct(page);

    if (!page)
        return false;
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = pte + i * PAGE;
    name_table(entry, table, pte & PTE_SEEN);
    env->tables++;
    space_flush_page(env, va);
    return true;
}

uint64_t *space_large(struct env *env, uint64_t va, uint64_t *bytes)
{
    uint64_t *larger = NULL;

    *bytes = HUGE;
    if (walk(env, va, 1, false, &larger) || !larger) {
        *bytes = SPACE_TABLE_BYTES;
        (void)walk(env, va, 0, false, &larger);
    }
    return larger;
}

bool space_split(struct env *env, uint64_t va)
{
    uint64_t bytes, *entry = space_large(env, va, &bytes);

    if (entry && bytes == HUGE) {
        split_huge(env, entry, va);
        return true;
    }
    return !entry || split_large(env, entry, va);
}

/* Where a table is missing, or a larger page lies. */
__attribute__((noinline)) static uint64_t *entry_else(struct env *env, uint64_t va, bool create)
{
    uint64_t *larger = NULL, *entry = walk(env, va, 0, create, &larger);

    while (!entry && create && larger && space_split(env, va)) {
        larger = NULL;
        entry = walk(env, va, 0, create, &larger);
    }
    return entry;
}

__attribute__((noinline)) static uint64_t *find_entry(struct env *env, uint64_t va, bool create)
{
    uint64_t *table = direct(env->space.root);

    for (unsigned level = 3; level > 0; level--) {
        uint64_t entry = table[index_at(va, level)];

        if (__builtin_expect((entry & (PTE_PRESENT | PTE_LARGE)) != PTE_PRESENT, false))
            return create || entry ? entry_else(env, va, create) : NULL;
        table = direct(pte_physical(entry));
    }
    env->space.leaf[space_leaf_of(va)].tag = va / SPACE_TABLE_BYTES;
    env->space.leaf[space_leaf_of(va)].table = table;
    return &table[index_at(va, 0)];
}

uint64_t *space_entry(struct env *env, uint64_t va, bool create)
{
    uint64_t *entry = space_entry_soon(&env->space, va);

    return __builtin_expect(entry != NULL, true) ? entry : find_entry(env, va, create);
}

static bool is_empty(const uint64_t *table)
{
    return next_used(table, 0, ENTRIES) == ENTRIES;
}

/* A full directory of large pages that follow one another becomes a huge page. */
static void join(struct env *env, uint64_t *entry, uint64_t va)
{
    const uint64_t *directory = direct(pte_physical(*entry));
    struct space_huge *huge = kept(env, 0);
    uint64_t seen = 0;

    if (!features.huge_pages || !huge || pte_physical(directory[0]) % HUGE)
        return;
    for (unsigned i = 0; i < ENTRIES; i++) {
        if ((directory[i] & ~PTE_SEEN) != (directory[0] & ~PTE_SEEN) + i * SPACE_TABLE_BYTES)
            return;
        seen |= directory[i] & PTE_SEEN;
    }
    huge->gib = (uint32_t)(va / HUGE);
    huge->directory = (uint32_t)(pte_physical(*entry) / PAGE);
    *entry = directory[0] | seen | (smp_cpus > 1 ? PTE_SEEN : 0); /* others may mark a page yet, until they are told */
    space_flush(env);
}

bool space_map_large(struct env *env, uint64_t va, uint64_t pte)
{
    uint64_t *larger = NULL, *entry = walk(env, va, 1, true, &larger);

    if (!entry || *entry & PTE_LARGE)
        return false;
    if (*entry) { /* a table, perhaps an empty one */
        uint64_t table = pte_physical(*entry);

        if (!is_empty(direct(table)))
            return false;
        forget_leaves(env);
        *entry = 0;
        space_flush_page(env, va);
        frame_drop(table);
        env->tables--;
    }
    *entry = pte | PTE_LARGE;
    env->mapped += LARGE_PAGES;
    if (index_at(va, 1) == ENTRIES - 1 && va / HUGE != 0)
        join(env, walk(env, va, 2, false, &larger), va);
    return true;
}

void space_prune(struct env *env, uint64_t va)
{
    for (unsigned level = 1; level < 4; level++) {
        uint64_t *larger = NULL, *entry = walk(env, va, level, false, &larger);
        uint64_t table = entry ? pte_physical(*entry) : 0;

        if (!table)
            continue;
        if (*entry & PTE_LARGE || !is_empty(direct(table)))
            return;
        *entry = 0;
        forget_leaves(env);
        space_flush_page(env, va);
        frame_drop(table);
        env->tables--;
    }
}

uint64_t space_next_table(struct env *env, uint64_t va, uint64_t end)
{
    const uint64_t *root = direct(env->space.root);

    while (va < end) {
        uint64_t entry = root[index_at(va, 3)];

        if (entry)
            entry = ((const uint64_t *)direct(pte_physical(entry)))[index_at(va, 2)];
        else
            va |= (1ul << 39) - 1;
        if (entry & PTE_LARGE)
            return va;
        if (entry) {
            const uint64_t *directory = direct(pte_physical(entry));

            for (unsigned i = index_at(va, 1); i < ENTRIES && va < end; i++) {
                if (directory[i])
                    return va;
                va = (va | (SPACE_TABLE_BYTES - 1)) + 1;
            }
        } else {
            va = (va | (HUGE - 1)) + 1;
        }
    }
    return end;
}

/* What a large page costs of the pages that may be done at one entry. */
#define LARGE_COST 64u

static void drop_large(struct env *env, uint64_t pte, unsigned *most)
{
    for (unsigned i = 0; i < LARGE_PAGES; i++)
        frame_drop(pte_physical(pte) + i * PAGE);
    env->mapped -= LARGE_PAGES;
    work_spend(most, LARGE_COST);
}

/* Empties the table of the level, and those below it, until `*most` pages and tables are done; true when it is empty. */
static bool clear_level(struct env *env, uint64_t *table, unsigned level, uint64_t va, unsigned *most)
{
    unsigned end = level == 3 ? ENTRIES / 2 : ENTRIES;

    for (unsigned i = next_used(table, 0, end); i < end; i = next_used(table, i + 1, end)) {
        if (level == 0) {
            if (__builtin_expect((table[i] & PTE_PRESENT) != 0, true)) {
                frame_drop(pte_physical(table[i]));
                env->mapped--;
            }
        } else if (level == 1 && table[i] & PTE_LARGE) {
            drop_large(env, table[i], most);
        } else {
            uint64_t here = va | (uint64_t)i << (12 + 9 * level);

            if (table[i] & PTE_LARGE)
                split_huge(env, &table[i], here);
            if (!clear_level(env, direct(pte_physical(table[i])), level - 1, here, most))
                return false;
            env->tables--;
            frame_drop(pte_physical(table[i]));
        }
        table[i] = 0;
        if (*most == 0)
            return false;
        --*most;
    }
    return true;
}

bool space_clear_some(struct env *env, unsigned *most)
{
    forget_leaves(env);
    space_flush(env); /* before the pages may be another's */
    return clear_level(env, direct(env->space.root), 3, 0, most);
}

void space_free_root(struct env *env)
{
    frame_drop(env->space.root);
    env->tables--;
}

bool space_loaded(const struct env *env)
{
    return sched_cpu.current && sched_cpu.current->env == env;
}

/* More pages than this at one kernel entry: the whole TLB goes, once, on the way out (space_flush_finish). */
#define FLUSH_PAGES_MOST 32u

void space_flush_page(struct env *env, uint64_t va)
{
    if (__builtin_expect(smp_cpus > 1, false))
        smp_flush_page(env, va);
    if (!space_loaded(env))
        return;
    if (++percpu.flushes <= FLUSH_PAGES_MOST)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

void space_flush(struct env *env)
{
    if (__builtin_expect(smp_cpus > 1, false))
        smp_flush_page(env, SMP_ALL_PAGES);
    if (space_loaded(env))
        percpu.flushes = FLUSH_PAGES_MOST + 1;
}

void space_flush_finish(void)
{
    if (percpu.flushes > FLUSH_PAGES_MOST)
        write_cr3(read_cr3());
    percpu.flushes = 0;
}
