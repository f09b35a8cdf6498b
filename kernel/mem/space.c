/*
 * Address spaces: binding frames to addresses. Authority is checked when a page is mapped; afterwards the hardware checks. A page's entry says
 * what its owner may have (arch/pte.h), so copy on write, once bound, needs nobody's decision.
 *
 * Every call does at most WORK_PAGES pages and says how many; callers go on from there.
 */
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

#define WORK_PAGES 1024u

/* The environment has not ended; the range is page aligned, below EXO_USER_TOP and does not wrap. */
static int64_t check_range(const struct env *env, uint64_t va, uint64_t pages)
{
    if (env->ended)
        return -EXO_E_PEER;
    if (va % PAGE)
        return -EXO_E_ALIGN;
    if (va == 0 || va >= EXO_USER_TOP || pages > (EXO_USER_TOP - va) / PAGE)
        return -EXO_E_RANGE;
    return 0;
}

static void replace(struct env *env, uint64_t *entry, uint64_t va, uint64_t pte)
{
    uint64_t old = *entry;

    *entry = pte;
    if (old & PTE_PRESENT) {
        frame_drop(pte_physical(old));
        env->mapped--;
        space_flush_page(env, va);
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
        *entry = pte_settle(old & ~PTE_COPY);
        space_flush_page(env, va);
        return true;
    }
    physical = frame_take(env->zone, 0, true);
    if (!physical)
        return false;
    memcpy(direct(physical), direct(pte_physical(old)), PAGE);
    *entry = pte_settle((old & ~(PTE_COPY | PTE_ADDRESS)) | physical);
    frame_drop(pte_physical(old));
    space_flush_page(env, va);
    stats.cow_copies++;
    return true;
}

void *space_reach(struct env *env, uint64_t va, unsigned access)
{
    uint64_t *entry;

    if (va >= EXO_USER_TOP)
        return NULL;
    entry = space_entry(env, va, false);
    if (!entry || !(*entry & PTE_PRESENT) || *entry & PTE_UNCACHED)
        return NULL;
    if (access & ACCESS_WRITE && !(*entry & PTE_WRITE) && !space_break_copy(env, va))
        return NULL;
    return (char *)direct(pte_physical(*entry)) + va % PAGE;
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
    replace(env, entry, va, physical | pte_flags);
    return 0;
}

void space_unmap(struct env *env, uint64_t va)
{
    uint64_t *entry = space_entry(env, va, false);

    if (entry)
        replace(env, entry, va, 0);
}

int64_t k_mem_alloc(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t prot)
{
    struct env *target = (struct env *)env->object;
    int64_t status = check_range(target, va, pages);
    uint64_t done;

    (void)caller;
    if (status < 0)
        return status;
    if (prot & ~7ul)
        return -EXO_E_INVAL;
    for (done = 0; done < pages && done < WORK_PAGES; done++, va += PAGE) {
        uint64_t *entry = space_entry(target, va, true);
        uint64_t physical;

        status = -EXO_E_NOMEM;
        if (!entry)
            break;
        status = -EXO_E_EXISTS;
        if (*entry & PTE_PRESENT)
            break;
        status = -EXO_E_NOMEM;
        physical = frame_take(target->zone, 0, false);
        if (!physical)
            break;
        replace(target, entry, va, pte_make(physical, prot, true));
        status = 0;
    }
    return done > 0 ? (int64_t)done : status;
}

int64_t k_mem_map(struct context *caller, struct capability *env, uint64_t va, struct capability *frame, uint64_t first,
                  uint64_t pages, uint64_t prot)
{
    struct env *target = (struct env *)env->object;
    struct block *block = (struct block *)frame->object;
    int64_t status = check_range(target, va, pages);
    uint64_t done;

    if (status < 0)
        return status;
    if (first > block->pages || pages > block->pages - first)
        return -EXO_E_RANGE;
    if ((prot & EXO_PROT_WRITE && !(frame->rights & EXO_RIGHT_WRITE)) || (prot & EXO_PROT_EXEC && !(frame->rights & EXO_RIGHT_EXEC)))
        return -EXO_E_RIGHTS;
    if (prot & EXO_PROT_WRITE && !label_may(caller->env, frame->object, EXO_RULE_WRITE))
        return label_refused(caller->env, frame->object, EXO_AUDIT_WRITE);
    prot &= 7;
    if (block->device)
        prot |= EXO_PROT_UNCACHED;
    for (done = 0; done < pages && done < WORK_PAGES; done++, va += PAGE) {
        uint64_t *entry = space_entry(target, va, true);
        uint64_t physical = block->physical + (first + done) * PAGE;

        status = -EXO_E_NOMEM;
        if (!entry)
            break;
        status = -EXO_E_EXISTS;
        if (*entry & PTE_PRESENT)
            break;
        frame_hold(physical);
        replace(target, entry, va, pte_make(physical, prot, frame->rights & EXO_RIGHT_WRITE));
    }
    return done > 0 ? (int64_t)done : pages == 0 ? 0 : status;
}

/* Replaces the owner's own shared page by a copy of its own, as the first write would do. */
static bool make_sole(struct env *env, uint64_t *entry, uint64_t va)
{
    if (!(*entry & PTE_COPY))
        return true;
    if (*entry & PTE_WANT)
        return space_break_copy(env, va);
    *entry |= PTE_WANT;
    if (!space_break_copy(env, va)) {
        *entry &= ~PTE_WANT;
        return false;
    }
    *entry = pte_settle(*entry & ~PTE_WANT);
    return true;
}

static uint64_t limit_prot(uint64_t pte, uint64_t prot)
{
    if (!(prot & EXO_PROT_WRITE))
        pte &= ~PTE_WANT;
    if (!(prot & EXO_PROT_EXEC))
        pte |= PTE_NO_EXEC;
    return pte_settle(pte);
}

/* The destination's entry for a page of the source, by mode; 0: no memory. The frame is held for it. */
static uint64_t share_entry(struct env *target, struct env *source_env, uint64_t *source, uint64_t va, uint64_t mode_prot)
{
    uint64_t mode = mode_prot & EXO_SHARE_MODE;
    uint64_t pte, physical;
    bool is_ram;

    if (mode == EXO_SHARE_SOLE && !make_sole(source_env, source, va))
        return 0;
    pte = *source & ~(PTE_ACCESSED | PTE_DIRTY);
    is_ram = frame_is_ram(pte_physical(pte)); /* a device's page cannot be copied, so it is shared in any mode */
    if (mode == EXO_SHARE_COPY && is_ram) {
        physical = frame_take(target->zone, 0, true);
        if (!physical)
            return 0;
        memcpy(direct(physical), direct(pte_physical(pte)), PAGE);
        pte = (pte & ~(PTE_ADDRESS | PTE_COPY | PTE_LOCKED)) | physical;
        if (mode_prot & EXO_PROT_WRITE)
            pte |= PTE_WANT;
        return limit_prot(pte, mode_prot);
    }
    frame_hold(pte_physical(pte));
    if (mode == EXO_SHARE_COW && is_ram && !(pte & PTE_LOCKED)) {
        if (*source & PTE_WRITE)
            space_flush_page(source_env, va);
        *source = pte_settle(*source | PTE_COPY);
        pte |= PTE_COPY;
    } else if (mode == EXO_SHARE_PRIVATE && is_ram) {
        pte = (pte & ~PTE_LOCKED) | PTE_COPY;
        if (mode_prot & EXO_PROT_WRITE)
            pte |= PTE_WANT;
        if (mode_prot & EXO_PROT_EXEC)
            pte &= ~PTE_NO_EXEC;
    } else if (!(mode_prot & EXO_PROT_WRITE) && mode != EXO_SHARE_MOVE) {
        pte |= PTE_LOCKED;
    }
    return limit_prot(pte, mode_prot);
}

/* Pages of work that skipping a missing table costs. */
#define SKIP_COST 16u

/* The entry after `entry`, which is va's: NULL at the end of its table. */
static inline uint64_t *entry_after(uint64_t *entry, uint64_t va)
{
    return entry && (va + PAGE) % SPACE_TABLE_BYTES ? entry + 1 : NULL;
}

int64_t k_mem_share(struct context *caller, struct capability *env, uint64_t va, uint64_t source_va, uint64_t pages,
                    uint64_t mode_prot)
{
    struct env *target = (struct env *)env->object, *self = caller->env;
    uint64_t mode = mode_prot & EXO_SHARE_MODE, at = 0, work = 0;
    uint64_t *source = NULL, *entry = NULL; /* of page `at`, if known */
    int64_t status = check_range(target, va, pages);

    if (status == 0)
        status = check_range(self, source_va, pages);
    if (status < 0)
        return status;
    if (mode > EXO_SHARE_PRIVATE || mode_prot & ~(EXO_SHARE_MODE | 7ul))
        return -EXO_E_INVAL;
    for (; at < pages && work < WORK_PAGES; work++) {
        uint64_t from = source_va + at * PAGE, to = va + at * PAGE, pte;

        if (!source)
            source = space_entry(self, from, false);
        if (!source) { /* skip to the next table that exists */
            at = (space_next_table(self, from, source_va + pages * PAGE) - source_va) / PAGE;
            entry = NULL;
            work += SKIP_COST;
            continue;
        }
        if (!(*source & PTE_PRESENT)) { /* a run of holes costs little */
            do {
                source = entry_after(source, source_va + at * PAGE);
                at++;
            } while (at < pages && source && !(*source & PTE_PRESENT));
            entry = NULL;
            continue;
        }
        status = -EXO_E_NOMEM;
        if (!entry)
            entry = space_entry(target, to, true);
        pte = entry ? share_entry(target, self, source, from, mode_prot) : 0;
        if (!pte)
            break;
        status = 0;
        replace(target, entry, to, pte);
        if (mode == EXO_SHARE_MOVE && source != entry)
            replace(self, source, from, 0);
        source = entry_after(source, from);
        entry = entry_after(entry, to);
        at++;
    }
    if (at == 0 && status < 0)
        return status;
    return (int64_t)(at < pages ? at : pages);
}

void space_unbind(struct env *env, uint64_t *entry, uint64_t va)
{
    replace(env, entry, va, 0);
}

int64_t space_each_page(struct env *env, uint64_t va, uint64_t pages, uint64_t argument,
                        int64_t (*step)(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument))
{
    uint64_t at = 0, *entry = NULL;
    int64_t status = check_range(env, va, pages);

    if (status < 0)
        return status;
    for (uint64_t work = 0; at < pages && work < WORK_PAGES; work++) {
        uint64_t here = va + at * PAGE;

        if (!entry)
            entry = space_entry(env, here, false);
        if (!entry) {
            at = (space_next_table(env, here, va + pages * PAGE) - va) / PAGE;
            work += SKIP_COST;
            continue;
        }
        if (*entry & PTE_PRESENT) {
            status = step(env, entry, here, argument);
            if (status < 0)
                return at > 0 ? (int64_t)at : status;
        }
        entry = entry_after(entry, here);
        at++;
    }
    return (int64_t)(at < pages ? at : pages);
}

static int64_t protect_page(struct env *env, uint64_t *entry, uint64_t va, uint64_t prot)
{
    uint64_t pte = *entry & ~(PTE_WANT | PTE_NO_EXEC);

    if (prot & EXO_PROT_WRITE) {
        if (pte & PTE_LOCKED)
            return -EXO_E_RIGHTS;
        pte |= PTE_WANT;
    }
    if (!(prot & EXO_PROT_EXEC))
        pte |= PTE_NO_EXEC;
    /* Without READ the page stays bound but ring 3 cannot reach it. */
    pte = prot & 7 ? pte | PTE_USER : pte & ~PTE_USER;
    *entry = pte_settle(pte);
    space_flush_page(env, va);
    return 0;
}

int64_t k_mem_protect(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t prot)
{
    (void)caller;
    if (prot & ~7ul)
        return -EXO_E_INVAL;
    return space_each_page((struct env *)env->object, va, pages, prot, protect_page);
}

static int64_t unmap_page(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument)
{
    (void)argument;
    replace(env, entry, va, 0);
    return 0;
}

int64_t k_mem_unmap(struct context *caller, struct capability *env, uint64_t va, uint64_t pages)
{
    (void)caller;
    return space_each_page((struct env *)env->object, va, pages, 0, unmap_page);
}

static uint64_t query_word(uint64_t pte)
{
    uint64_t word = pte_physical(pte) | EXO_QUERY_PRESENT;

    if (pte & PTE_WANT)
        word |= EXO_QUERY_WRITE;
    if (!(pte & PTE_NO_EXEC))
        word |= EXO_QUERY_EXEC;
    if (pte & PTE_COPY)
        word |= EXO_QUERY_COW;
    if (pte & PTE_ACCESSED)
        word |= EXO_QUERY_ACCESSED;
    if (pte & PTE_DIRTY)
        word |= EXO_QUERY_DIRTY;
    if (frame_is_ram(pte_physical(pte)) && frame_of(pte_physical(pte))->references > 1)
        word |= EXO_QUERY_SHARED;
    return word;
}

int64_t k_mem_query(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t out)
{
    struct env *target = (struct env *)env->object;
    int64_t status = check_range(target, va, pages);

    if (status < 0)
        return status;
    if (pages > PAGE / 8)
        pages = PAGE / 8;
    for (uint64_t at = 0; at < pages; at++) {
        uint64_t *entry = space_entry(target, va + at * PAGE, false);
        uint64_t word = entry && *entry & PTE_PRESENT ? query_word(*entry) : 0;

        if (!space_write(caller->env, out + at * 8, &word, 8))
            return -EXO_E_FAULT;
    }
    return (int64_t)pages;
}
