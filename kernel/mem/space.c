/*
 * Address spaces: what one entry says, and how the kernel reaches what an environment has mapped. A page's entry says what its owner may have
 * (arch/pte.h), so copy on write, once bound, needs nobody's decision. The calls are in map.c, share.c and query.c.
 */
#include <exo/string.h>

#include "space.h"

int64_t space_check_range(const struct env *env, uint64_t va, uint64_t pages)
{
    if (env->ended)
        return -EXO_E_PEER;
    if (va % PAGE)
        return -EXO_E_ALIGN;
    if (va == 0 || va >= EXO_USER_TOP || pages > (EXO_USER_TOP - va) / PAGE)
        return -EXO_E_RANGE;
    return 0;
}

static uint64_t pages_of(uint64_t pte)
{
    return pte & PTE_LARGE ? LARGE_PAGES : 1;
}

static void drop_pages(uint64_t pte)
{
    for (uint64_t page = 0; page < pages_of(pte); page++)
        frame_drop(pte_physical(pte) + page * PAGE);
}

void space_replace(struct env *env, uint64_t *entry, uint64_t va, uint64_t pte)
{
    uint64_t old = *entry;

    *entry = pte;
    if (old & PTE_PRESENT) {
        space_flush_page(env, va); /* before the page may be another's */
        drop_pages(old);
        env->mapped -= pages_of(old);
    }
    if (pte & PTE_PRESENT)
        env->mapped++;
}

bool space_break_copy(struct env *env, uint64_t va)
{
    uint64_t *entry = space_entry(env, va, false);
    uint64_t old, physical;

    if (!entry || !(*entry & PTE_PRESENT) || !(*entry & PTE_COPY) || !(*entry & PTE_WANT))
        return false;
    old = *entry;
    if (frame_of(pte_physical(old))->references == 1) {
        pte_change(entry, old, pte_settle(old & ~PTE_COPY));
        space_flush_page(env, va);
        return true;
    }
    physical = frame_take(env->zone, 0, true);
    if (!physical)
        return false;
    memcpy(direct(physical), direct(pte_physical(old)), PAGE);
    *entry = pte_settle((old & ~(PTE_COPY | PTE_ADDRESS)) | physical);
    space_flush_page(env, va);
    frame_drop(pte_physical(old));
    COUNT_ONE(counters.cow_copies);
    return true;
}

__attribute__((noinline)) static void *reach(struct env *env, uint64_t va, unsigned access)
{
    uint64_t *entry, offset = va % PAGE;

    if (va >= EXO_USER_TOP)
        return NULL;
    entry = space_entry(env, va, false);
    if (__builtin_expect(!entry, false)) {
        uint64_t bytes;

        entry = space_large(env, va, &bytes);
        if (!entry)
            return NULL;
        offset = va & (bytes - 1);
    }
    if ((*entry & (PTE_PRESENT | PTE_UNCACHED)) != PTE_PRESENT)
        return NULL;
    if (access & ACCESS_WRITE) {
        if (!(*entry & PTE_WRITE) && !space_break_copy(env, va))
            return NULL;
        __atomic_fetch_or(entry, PTE_ACCESSED | PTE_DIRTY, __ATOMIC_RELAXED); /* as if the owner had done it */
    } else {
        __atomic_fetch_or(entry, PTE_ACCESSED, __ATOMIC_RELAXED);
    }
    return (char *)direct(pte_physical(*entry)) + offset;
}

void *space_reach(struct env *env, uint64_t va, unsigned access)
{
    const uint64_t *entry = space_entry_soon(&env->space, va);
    uint64_t marks = access & ACCESS_WRITE ? PTE_WRITE | PTE_ACCESSED | PTE_DIRTY : PTE_ACCESSED;

    /* As a rule the table is at hand, and the page has been used like that before. */
    if (__builtin_expect(entry && (*entry & (PTE_PRESENT | PTE_UNCACHED | marks)) == (PTE_PRESENT | marks), true))
        return (char *)direct(pte_physical(*entry)) + va % PAGE;
    return reach(env, va, access);
}

static bool move_bytes(struct env *env, char *kernel, uint64_t va, size_t bytes, unsigned access)
{
    if (va >= EXO_USER_TOP || bytes > EXO_USER_TOP - va)
        return false;
    while (bytes > 0) {
        size_t part = PAGE - va % PAGE;
        char *user = space_reach(env, va, access);

        if (!user)
            return false;
        if (part > bytes)
            part = bytes;
        if (access == ACCESS_WRITE)
            memcpy(user, kernel, part);
        else
            memcpy(kernel, user, part);
        kernel += part;
        va += part;
        bytes -= part;
    }
    return true;
}

bool space_read(struct env *env, void *to, uint64_t va, size_t bytes)
{
    return move_bytes(env, to, va, bytes, ACCESS_READ);
}

bool space_write(struct env *env, uint64_t va, const void *from, size_t bytes)
{
    return move_bytes(env, (char *)(uintptr_t)from, va, bytes, ACCESS_WRITE);
}

int64_t space_map(struct env *env, uint64_t va, uint64_t physical, uint64_t pte_flags)
{
    uint64_t *entry = space_entry(env, va, true);

    if (!entry)
        return -EXO_E_NOMEM;
    space_replace(env, entry, va, physical | pte_flags);
    return 0;
}

void space_unmap(struct env *env, uint64_t va)
{
    uint64_t *entry = space_entry(env, va, false);

    if (entry)
        space_replace(env, entry, va, 0);
}
