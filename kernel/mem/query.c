/* What is mapped where, and whether it was used: the owner's view of its page tables. */
#include "space.h"

static uint64_t query_word(uint64_t pte)
{
    uint64_t word = pte_physical(pte) | EXO_QUERY_PRESENT;

    if (!(pte & PTE_PRESENT))
        return EXO_QUERY_TAKEN;
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
    if (pte & PTE_LARGE)
        word |= EXO_QUERY_LARGE;
    if (frame_is_ram(pte_physical(pte)) && frame_of(pte_physical(pte))->references > 1)
        word |= EXO_QUERY_SHARED;
    return word;
}

/* The entry that says something of va, of whatever size, or NULL. */
static uint64_t *entry_of(struct env *env, uint64_t va, uint64_t *bytes)
{
    uint64_t *entry = space_entry(env, va, false);

    *bytes = PAGE;
    if (!entry)
        entry = space_large(env, va, bytes);
    return entry && *entry ? entry : NULL;
}

/* Which pages were said to be accessed and dirty: only those marks go, not what another CPU sets meanwhile. */
struct said {
    uint64_t accessed[PAGE / 8 / 64], dirty[PAGE / 8 / 64];
};

static void say(struct said *said, uint64_t page, uint64_t pte)
{
    said->accessed[page / 64] |= (uint64_t)!!(pte & PTE_ACCESSED) << page % 64;
    said->dirty[page / 64] |= (uint64_t)!!(pte & PTE_DIRTY) << page % 64;
}

static uint64_t marks_said(const struct said *said, uint64_t page)
{
    return (said->accessed[page / 64] >> page % 64 & 1 ? PTE_ACCESSED : 0) | (said->dirty[page / 64] >> page % 64 & 1 ? PTE_DIRTY : 0);
}

/* A word for each page; then, if `clear`, the marks of use go. */
static int64_t query(struct context *caller, struct env *target, uint64_t va, uint64_t pages, uint64_t out, bool clear)
{
    int64_t status = space_check_range(target, va, pages);
    uint64_t *entry, *before = NULL, bytes, marks;
    struct said said = {0};

    if (status < 0)
        return status;
    if (pages > PAGE / 8)
        pages = PAGE / 8;
    work_done(pages);
    for (uint64_t at = 0; at < pages; at++) {
        uint64_t here = va + at * PAGE, word = 0;

        entry = entry_of(target, here, &bytes);
        if (entry) {
            uint64_t pte = *(const volatile uint64_t *)entry;

            say(&said, at, pte);
            word = query_word(pte & PTE_LARGE ? pte + here % bytes : pte);
        }
        if (!space_write(caller->env, out + at * 8, &word, 8))
            return -EXO_E_FAULT;
    }
    for (uint64_t at = 0; clear && at < pages; at++) {
        entry = entry_of(target, va + at * PAGE, &bytes);
        marks = marks_said(&said, at);
        if (!entry || !marks || entry == before) /* a large page is named by each of its pages */
            continue;
        before = entry;
        pte_unmark(entry, marks);
        space_flush_page(target, va + at * PAGE);
    }
    return (int64_t)pages;
}

int64_t k_mem_query(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t out)
{
    return query(caller, (struct env *)env->object, va, pages, out, false);
}

int64_t k_mem_query_clear(struct context *caller, struct capability *env, uint64_t va, uint64_t pages, uint64_t out)
{
    return query(caller, (struct env *)env->object, va, pages, out, true);
}
