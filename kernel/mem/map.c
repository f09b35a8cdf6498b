/*
 * Calls that bind frames to addresses and unbind them. Authority is checked when a page is mapped; afterwards the hardware checks. Larger pages are
 * used where the caller asks for them and all fits; whatever then concerns a part of one splits it.
 */
#include "space.h"

int64_t k_mem_alloc(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t prot)
{
    struct env *target = (struct env *)env->object;
    int64_t status = space_check_range(target, va, pages);
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
        if (*entry) /* a page, or where one was taken: its owner is to notice */
            break;
        status = -EXO_E_NOMEM;
        physical = frame_take(target->zone, 0, false);
        if (!physical)
            break;
        space_replace(target, entry, va, pte_make(physical, prot, true));
        status = 0;
    }
    work_done(done);
    return done > 0 ? (int64_t)done : status;
}

/* As many pages as a large one has, if the place and the frames are fit for one. */
static bool map_large(struct env *target, uint64_t va, uint64_t left, uint64_t pte)
{
    if (left < LARGE_PAGES || va % SPACE_TABLE_BYTES || pte_physical(pte) % SPACE_TABLE_BYTES || !space_map_large(target, va, pte))
        return false;
    for (uint64_t i = 0; i < LARGE_PAGES; i++)
        frame_hold(pte_physical(pte) + i * PAGE);
    return true;
}

static inline int64_t map_page(struct env *target, uint64_t va, uint64_t pte)
{
    uint64_t *entry = space_entry(target, va, true);

    if (!entry)
        return -EXO_E_NOMEM;
    if (*entry & PTE_PRESENT)
        return -EXO_E_EXISTS;
    if (!(pte & PTE_UNCACHED)) /* a device has no frames */
        frame_of(pte_physical(pte))->references++;
    *entry = pte;
    target->mapped++;
    return 1;
}

__attribute__((noinline)) static int64_t map_pages(struct env *target, uint64_t va, uint64_t pages, uint64_t pte, bool large)
{
    uint64_t done = 0, work = 0;
    int64_t status = 0;

    while (done < pages && work < WORK_PAGES) {
        uint64_t count = 1;

        if (large && map_large(target, va, pages - done, pte))
            count = LARGE_PAGES;
        else
            status = map_page(target, va, pte);
        if (status < 0)
            break;
        done += count;
        va += count * PAGE;
        pte += count * PAGE;
        work += count > 1 ? LARGE_COST : 1;
    }
    work_done(work);
    return done > 0 ? (int64_t)done : status;
}

int64_t k_mem_map(struct context *caller, struct capability *env, uint64_t va, struct capability *frame, uint64_t first,
                  uint64_t pages, uint64_t prot)
{
    struct env *target = (struct env *)env->object;
    const struct block *block = (struct block *)frame->object;
    uint64_t rights = frame->rights, pte;
    int64_t status = space_check_range(target, va, pages);

    if (status < 0)
        return status;
    if (first > block->ready || pages > block->ready - first)
        return first > block->pages || pages > block->pages - first ? -EXO_E_RANGE : -EXO_E_AGAIN;
    if (prot & (EXO_PROT_WRITE | EXO_PROT_EXEC) & ~rights)
        return -EXO_E_RIGHTS;
    if (prot & EXO_PROT_WRITE && !label_may(caller->env, frame->object, EXO_RULE_WRITE))
        return label_refused(caller->env, frame->object, EXO_AUDIT_WRITE);
    pte = pte_make(block->physical + first * PAGE, prot, rights & EXO_RIGHT_WRITE);
    if (!(rights & EXO_RIGHT_EXEC))
        pte |= PTE_NEVER_EXEC;
    if (block->device)
        pte |= PTE_DEVICE;
    return pages == 1 ? map_page(target, va, pte) : map_pages(target, va, pages, pte, prot & EXO_PROT_LARGE);
}

_Static_assert(EXO_PROT_WRITE == EXO_RIGHT_WRITE && EXO_PROT_EXEC == EXO_RIGHT_EXEC, "protection is bounded by rights, bit by bit");

void space_unbind(struct env *env, uint64_t *entry, uint64_t va)
{
    space_replace(env, entry, va, *entry & PTE_LARGE ? 0 : PTE_TAKEN); /* where tables are named only a table or a page can stand */
}

__attribute__((always_inline)) static inline int64_t
each_page(struct env *env, uint64_t va, uint64_t pages, uint64_t argument,
          int64_t (*step)(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument), uint64_t *work)
{
    uint64_t at = 0, *entry = NULL, bytes = PAGE;
    int64_t status = space_check_range(env, va, pages);

    if (status < 0)
        return status;
    for (; at < pages && (*work < WORK_PAGES || entry); ++*work) { /* to the end of a table */
        uint64_t here = va + at * PAGE, count = 1;

        if (!entry)
            entry = space_entry(env, here, false);
        if (!entry) {
            uint64_t next = space_next_table(env, here, va + pages * PAGE);

            at = (next - va) / PAGE;
            *work += SKIP_COST;
            entry = next == here ? space_large(env, here, &bytes) : NULL;
        }
        if (!entry)
            continue;
        if (*entry & PTE_LARGE) {
            if (bytes > SPACE_TABLE_BYTES || here % SPACE_TABLE_BYTES || pages - at < LARGE_PAGES) {
                if (!space_split(env, here))
                    return at > 0 ? (int64_t)at : -EXO_E_NOMEM;
                entry = NULL;
                continue;
            }
            count = LARGE_PAGES;
            *work += LARGE_COST;
        }
        if (*entry) {
            status = step(env, entry, here, argument);
            if (status < 0)
                return at > 0 ? (int64_t)at : status;
        }
        entry = count == 1 ? entry_after(entry, here) : NULL;
        at += count;
    }
    return (int64_t)(at < pages ? at : pages);
}

int64_t space_each_page(struct env *env, uint64_t va, uint64_t pages, uint64_t argument,
                        int64_t (*step)(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument))
{
    uint64_t work = 0;
    int64_t done = each_page(env, va, pages, argument, step, &work);

    work_done(work);
    return done;
}

static int64_t protect_page(struct env *env, uint64_t *entry, uint64_t va, uint64_t prot)
{
    uint64_t was = *entry, pte = was & ~(PTE_WANT | PTE_NO_EXEC);

    if (!(pte & PTE_PRESENT))
        return 0;
    if (prot & EXO_PROT_WRITE) {
        if (pte & PTE_LOCKED)
            return -EXO_E_RIGHTS;
        pte |= PTE_WANT;
    }
    if (prot & EXO_PROT_EXEC && pte & PTE_NEVER_EXEC)
        return -EXO_E_RIGHTS;
    if (!(prot & EXO_PROT_EXEC))
        pte |= PTE_NO_EXEC;
    /* Without READ the page stays bound but ring 3 cannot reach it. */
    pte = prot & 7 ? pte | PTE_USER : pte & ~PTE_USER;
    pte_change(entry, was, pte_settle(pte));
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
    bool large = *entry & PTE_LARGE;

    (void)argument;
    space_replace(env, entry, va, 0);
    if (large)
        space_prune(env, va);
    return 0;
}

/* The tables of what was unmapped go where the range covers all of one, so that a page that comes and goes does not cost a table each time. */
static void prune(struct env *env, uint64_t va, uint64_t end)
{
    uint64_t at = (va + SPACE_TABLE_BYTES - 1) & ~(SPACE_TABLE_BYTES - 1);

    while (at + SPACE_TABLE_BYTES <= end && (at = space_next_table(env, at, end)) < end) {
        if (at + SPACE_TABLE_BYTES <= end)
            space_prune(env, at);
        at += SPACE_TABLE_BYTES;
    }
}

int64_t k_mem_unmap(struct context *caller, struct capability *capability, uint64_t va, uint64_t pages)
{
    struct env *env = (struct env *)capability->object;
    int64_t done = space_each_page(env, va, pages, 0, unmap_page);

    (void)caller;
    if (done > 0)
        prune(env, va, va + (uint64_t)done * PAGE);
    return done;
}
