/* The reference model of address spaces: what each page of an environment shows, and what its owner may do with it. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* Index of the first page at or above va. */
static unsigned find(const struct m_object *env, uint64_t va)
{
    unsigned low = 0, high = env->page_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (env->pages[middle].va < va)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct m_page *m_page_from(struct m_object *env, uint64_t va)
{
    unsigned i = find(env, va);

    return i < env->page_count ? &env->pages[i] : NULL;
}

struct m_page *m_page(struct m_object *env, uint64_t va)
{
    unsigned i = find(env, va & ~(PAGE - 1ul));

    return i < env->page_count && env->pages[i].va == (va & ~(PAGE - 1ul)) ? &env->pages[i] : NULL;
}

void m_unmap(struct m_object *env, uint64_t va)
{
    unsigned i = find(env, va);

    m_frame_drop(env->pages[i].physical);
    memmove(&env->pages[i], &env->pages[i + 1], (--env->page_count - i) * sizeof(struct m_page));
}

bool m_lost(const struct m_object *env, uint64_t va)
{
    for (unsigned i = 0; i < env->lost_count; i++)
        if (env->lost[i] == va)
            return true;
    return false;
}

void m_lose(struct m_object *env, uint64_t va)
{
    if (m_lost(env, va))
        return;
    if (env->lost_count == env->lost_room) {
        env->lost_room = env->lost_room ? env->lost_room * 2 : 64;
        env->lost = realloc(env->lost, env->lost_room * sizeof(*env->lost));
    }
    env->lost[env->lost_count++] = va;
}

void m_unlose(struct m_object *env, uint64_t va, uint64_t pages)
{
    for (unsigned i = env->lost_count; i-- > 0;)
        if (env->lost[i] >= va && (env->lost[i] - va) / PAGE < pages)
            env->lost[i] = env->lost[--env->lost_count];
}

struct m_page *m_map(struct m_object *env, struct m_page page)
{
    unsigned i;

    m_unlose(env, page.va, 1);
    if (m_page(env, page.va))
        m_unmap(env, page.va);
    i = find(env, page.va);
    if (env->page_count == env->page_room) {
        env->page_room = env->page_room ? env->page_room * 2 : 64;
        env->pages = realloc(env->pages, env->page_room * sizeof(struct m_page));
    }
    memmove(&env->pages[i + 1], &env->pages[i], (env->page_count++ - i) * sizeof(struct m_page));
    env->pages[i] = page;
    return &env->pages[i];
}

uint64_t kernel_pte(struct m_object *env, uint64_t va)
{
    const uint64_t *entry = space_entry((struct env *)env->kernel, va & ~(PAGE - 1ul), false);

    return entry ? *entry : 0;
}

static bool range_ok(uint64_t va, uint64_t bytes)
{
    return va < EXO_USER_TOP && bytes <= EXO_USER_TOP - va;
}

bool m_readable(struct m_object *env, uint64_t va, uint64_t bytes)
{
    uint64_t end = va + bytes;

    if (!range_ok(va, bytes))
        return false;
    for (va &= ~(PAGE - 1ul); bytes > 0 && va < end; va += PAGE) {
        const struct m_page *page = m_page(env, va);

        if (!page || page->uncached)
            return false;
    }
    return true;
}

bool m_read(struct m_object *env, void *to, uint64_t va, uint64_t bytes)
{
    if (!m_readable(env, va, bytes))
        return false;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = va + done, part = PAGE - at % PAGE;

        if (part > bytes - done)
            part = bytes - done;
        memcpy((char *)to + done, (char *)direct(m_page(env, at)->physical) + at % PAGE, part);
        done += part;
    }
    return true;
}

/* A page that waits for a copy was written to: false when the kernel had no memory for it. */
static bool break_copy(struct step *s, struct m_object *env, struct m_page *page)
{
    uint64_t pte = kernel_pte(env, page->va), physical = pte_physical(pte);

    if (pte & PTE_COPY) {
        REQUIRE(m_frames[page->physical / PAGE].references > 1 && m_tight(s, env->charged, 2), "page %lx was not copied on write", page->va);
        return false;
    }
    if (physical != page->physical) {
        REQUIRE(m_frames[page->physical / PAGE].references > 1, "page %lx was copied though nobody else has it", page->va);
        m_frame_new(physical, false);
        m_frames[physical / PAGE].tag = m_frames[page->physical / PAGE].tag;
        m_frame_drop(page->physical);
        page->physical = physical;
    }
    page->copy = false;
    return true;
}

bool m_wrote(struct step *s, struct m_object *env, uint64_t va, uint64_t bytes)
{
    uint64_t end = va + bytes, at;

    if (!range_ok(va, bytes))
        return false;
    for (at = va & ~(PAGE - 1ul); bytes > 0 && at < end; at += PAGE) {
        struct m_page *page = m_page(env, at);

        if (!page || page->uncached || !page->want)
            return false;
        if (page->copy && !break_copy(s, env, page))
            return false;
        if (end > at + TAG_OFFSET)
            m_frames[page->physical / PAGE].tag = *(uint64_t *)((char *)direct(page->physical) + TAG_OFFSET);
    }
    return true;
}

bool m_wrote_each(struct step *s, struct m_object *env, uint64_t va, uint64_t bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (!m_wrote(s, env, va + i * bytes, bytes))
            return false;
    return true;
}
