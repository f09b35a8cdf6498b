/*
 * mem_share: what the caller has mapped is mapped elsewhere too, in one of several ways. mem_fetch: the other way round. Frames stay charged where they are,
 * tables and copies are charged to the environment that they are for; large pages of the source and the destination are split.
 */
#include <exo/string.h>

#include "space.h"

#define RECALL_WORK 256u

/* Replaces the owner's own shared page by a copy of its own, as the first write would do. */
static bool make_sole(struct env *env, uint64_t *entry, uint64_t va)
{
    if (!(*entry & PTE_COPY))
        return true;
    if (*entry & PTE_WANT)
        return space_break_copy(env, va);
    pte_change(entry, 0, PTE_WANT);
    if (!space_break_copy(env, va)) {
        pte_change(entry, PTE_WANT, 0);
        return false;
    }
    pte_change(entry, PTE_WANT | PTE_WRITE, 0); /* which it has now */
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
    uint64_t was, pte, physical;
    bool is_ram;

    if (mode == EXO_SHARE_SOLE && !make_sole(source_env, source, va))
        return 0;
    was = *source;
    pte = was & ~(PTE_ACCESSED | PTE_DIRTY);
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
        if (was & PTE_WRITE)
            space_flush_page(source_env, va);
        pte_change(source, was, pte_settle(was | PTE_COPY));
        pte |= PTE_COPY;
    } else if (mode == EXO_SHARE_PRIVATE && is_ram) {
        pte = (pte & ~PTE_LOCKED) | PTE_COPY;
        if (mode_prot & EXO_PROT_WRITE)
            pte |= PTE_WANT;
        if (mode_prot & EXO_PROT_EXEC && !(pte & PTE_NEVER_EXEC))
            pte &= ~PTE_NO_EXEC;
    } else if (!(mode_prot & EXO_PROT_WRITE) && mode != EXO_SHARE_MOVE) {
        pte |= PTE_LOCKED;
    }
    return limit_prot(pte, mode_prot);
}

/* A page that is being taken back from all who have no right to it shall not slip past; who meets one does a piece of that work. */
static bool must_wait(uint64_t pte, uint64_t mode)
{
    unsigned most = RECALL_WORK;

    if ((mode == EXO_SHARE_COPY && frame_is_ram(pte_physical(pte))) || !recall_concerns(pte_physical(pte)))
        return false;
    recall_some(&most);
    work_done(RECALL_WORK - most);
    return true;
}

/* What `self` has mapped at source_va comes to `target` at va: pages done. Ranges and mode are checked. */
static int64_t share_pages(struct env *self, uint64_t source_va, struct env *target, uint64_t va, uint64_t pages, uint64_t mode_prot)
{
    uint64_t mode = mode_prot & EXO_SHARE_MODE, at = 0, work = 0;
    uint64_t *source = NULL, *entry = NULL; /* of page `at`, if known */
    bool guarded = recall_guards(self, target);
    int64_t status = 0;

    for (; at < pages && work < WORK_PAGES; work++) {
        uint64_t from = source_va + at * PAGE, to = va + at * PAGE, pte;

        if (!source)
            source = space_entry(self, from, false);
        if (!source) {
            uint64_t next = space_next_table(self, from, source_va + pages * PAGE);

            if (next == from) { /* a large page: shared in small ones, for what becomes of each is its own matter then */
                status = -EXO_E_NOMEM;
                if (!space_entry(self, from, true))
                    break;
                continue;
            }
            at = (next - source_va) / PAGE;
            entry = NULL;
            work += SKIP_COST;
            continue;
        }
        if (!*source) { /* a run of holes costs little */
            do {
                source = entry_after(source, source_va + at * PAGE);
                at++;
            } while (at < pages && source && !*source);
            entry = NULL;
            continue;
        }
        status = -EXO_E_AGAIN;
        if (__builtin_expect(guarded && *source & PTE_PRESENT, false) && must_wait(*source, mode))
            break;
        status = -EXO_E_NOMEM;
        if (!entry)
            entry = space_entry(target, to, true);
        pte = entry ? (*source & PTE_PRESENT ? share_entry(target, self, source, from, mode_prot) : *source) : 0;
        if (!pte)
            break;
        status = 0;
        space_replace(target, entry, to, pte);
        if (mode == EXO_SHARE_MOVE && source != entry)
            space_replace(self, source, from, 0);
        source = entry_after(source, from);
        entry = entry_after(entry, to);
        at++;
    }
    work_done(work);
    if (at == 0 && status < 0)
        return status;
    return (int64_t)(at < pages ? at : pages);
}

int64_t k_mem_share(struct context *caller, struct capability *env, uint64_t va, uint64_t source_va, uint64_t pages,
                    uint64_t mode_prot)
{
    struct env *target = (struct env *)env->object;
    int64_t status = space_check_range(target, va, pages);

    if (status == 0)
        status = space_check_range(caller->env, source_va, pages);
    if (status < 0)
        return status;
    if ((mode_prot & EXO_SHARE_MODE) > EXO_SHARE_PRIVATE || mode_prot & ~(EXO_SHARE_MODE | 7ul))
        return -EXO_E_INVAL;
    return share_pages(caller->env, source_va, target, va, pages, mode_prot);
}

int64_t k_mem_fetch(struct context *caller, struct capability *env, uint64_t va, uint64_t own_va, uint64_t pages, uint64_t prot)
{
    struct env *from = (struct env *)env->object;
    int64_t status = space_check_range(from, va, pages);

    if (status == 0)
        status = space_check_range(caller->env, own_va, pages);
    if (status < 0)
        return status;
    if (prot & ~7ul)
        return -EXO_E_INVAL;
    return share_pages(from, va, caller->env, own_va, pages, EXO_SHARE_SAME | prot);
}
