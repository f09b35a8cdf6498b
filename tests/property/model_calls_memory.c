/* What the calls on address spaces and frames may answer, and what they change. */
#include "model_calls.h"

static void check_range(struct step *s, const struct m_object *env, uint64_t va, uint64_t pages)
{
    MUST(s, env->ended, PEER);
    MUST(s, va % PAGE, ALIGN);
    MUST(s, va == 0 || va >= EXO_USER_TOP || pages > (EXO_USER_TOP - va) / PAGE, RANGE);
}

void mem_alloc(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t va = s->a[1], pages = s->a[2], prot = s->a[3], limit = 0;

    check_range(s, env, va, pages);
    MUST(s, prot > 7, INVAL);
    if (!s->must) {
        while (limit < pages && limit < 1024 && !m_page(env, va + limit * PAGE) && !m_lost(env, va + limit * PAGE))
            limit++;
        MUST(s, limit == 0 && pages > 0, EXISTS);
        MAY(s, m_tight(s, env->charged, limit + 8 + limit / 256), NOMEM);
    }
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result <= limit, "mem_alloc did %ld pages; page %lu was taken", s->result, limit);
    REQUIRE((uint64_t)s->result == limit || (s->result > 0 && s->may), "mem_alloc stopped at %ld of %lu", s->result, limit);
    for (uint64_t i = 0; i < (uint64_t)s->result; i++) {
        uint64_t physical = pte_physical(kernel_pte(env, va + i * PAGE));

        m_frame_new(physical, i < 2);
        m_map(env, (struct m_page){va + i * PAGE, physical, prot & EXO_PROT_WRITE, false, false, prot & EXO_PROT_EXEC, true, false, false});
    }
}

void mem_map(struct step *s)
{
    struct m_object *env = s->caps[0]->object, *block = s->caps[2]->object;
    uint64_t va = s->a[1], first = s->a[3], pages = s->a[4], prot = s->a[5], rights = s->caps[2]->rights, limit = 0;

    check_range(s, env, va, pages);
    MUST(s, first > block->page_total || pages > block->page_total - first, RANGE);
    MUST(s, !(rights & EXO_RIGHT_READ) || (prot & EXO_PROT_WRITE && !(rights & EXO_RIGHT_WRITE)) ||
         (prot & EXO_PROT_EXEC && !(rights & EXO_RIGHT_EXEC)), RIGHTS);
    MUST(s, prot & EXO_PROT_WRITE && !m_label_may(s, block, EXO_RULE_WRITE), DENIED);
    if (!s->must) {
        while (limit < pages && limit < 1024 && !m_page(env, va + limit * PAGE))
            limit++;
        MUST(s, limit == 0 && pages > 0, EXISTS);
        MAY(s, m_tight(s, env->charged, 8 + limit / 256), NOMEM);
    }
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == limit || ((uint64_t)s->result < limit && s->result > 0 && s->may), "mem_map did %ld of %lu", s->result, limit);
    for (uint64_t i = 0; i < (uint64_t)s->result; i++) {
        uint64_t physical = block->physical + (first + i) * PAGE;

        m_frame_hold(physical);
        m_map(env, (struct m_page){va + i * PAGE, physical, prot & EXO_PROT_WRITE, false, !(rights & EXO_RIGHT_WRITE), prot & EXO_PROT_EXEC, true,
                                   block->device, !(rights & EXO_RIGHT_EXEC)});
    }
}

/* A page of the source that is to be its owner's alone: copied if others hold it. */
static void make_sole(struct m_object *env, struct m_page *page)
{
    uint64_t physical = pte_physical(kernel_pte(env, page->va));

    if (!page->copy)
        return;
    page->copy = false;
    if (m_frames[page->physical / PAGE].references == 1)
        return;
    m_frame_new(physical, false);
    m_frames[physical / PAGE].tag = m_frames[page->physical / PAGE].tag;
    m_frame_drop(page->physical);
    page->physical = physical;
}

static void share_page(struct m_object *env, struct m_object *self, uint64_t to, uint64_t from, uint64_t mode, uint64_t prot)
{
    struct m_page *source = m_page(self, from), page;
    bool may_write = prot & EXO_PROT_WRITE, may_exec = prot & EXO_PROT_EXEC;

    if (mode == EXO_SHARE_SOLE)
        make_sole(self, source);
    page = *source;
    page.va = to;
    if (mode == EXO_SHARE_COPY && frame_is_ram(page.physical)) {
        page.physical = pte_physical(kernel_pte(env, to));
        m_frame_new(page.physical, false);
        m_frames[page.physical / PAGE].tag = m_frames[source->physical / PAGE].tag;
        page.copy = page.locked = false;
        page.want = may_write;
    } else {
        m_frame_hold(page.physical);
        if (mode == EXO_SHARE_COW && !page.locked && !page.uncached) {
            source->copy = page.copy = true;
        } else if (mode == EXO_SHARE_PRIVATE && !page.uncached) {
            page.locked = false;
            page.copy = true;
            page.want |= may_write;
            page.exec |= may_exec && !page.never_exec;
        } else if (!may_write && mode != EXO_SHARE_MOVE) {
            page.locked = true;
        }
    }
    page.want = page.want && may_write;
    page.exec = page.exec && may_exec;
    m_map(env, page);
    if (mode == EXO_SHARE_MOVE && (env != self || to != from))
        m_unmap(self, from);
}

/* That a page was taken is passed on as the page would be. */
static void share_loss(struct m_object *env, struct m_object *self, uint64_t to, uint64_t from, uint64_t mode)
{
    if (m_page(env, to))
        m_unmap(env, to);
    m_lose(env, to);
    if (mode == EXO_SHARE_MOVE && (env != self || to != from))
        m_unlose(self, from, 1);
}

/* The first page, or loss, at or above va; UINT64_MAX: none. */
static uint64_t next_source(struct m_object *env, uint64_t va)
{
    const struct m_page *page = m_page_from(env, va);
    uint64_t next = page ? page->va : UINT64_MAX;

    for (unsigned i = 0; i < env->lost_count; i++)
        if (env->lost[i] >= va && env->lost[i] < next)
            next = env->lost[i];
    return next;
}

/* What `self` has at source_va comes to `env` at va. */
static void share_pages(struct step *s, struct m_object *self, uint64_t source_va, struct m_object *env, uint64_t va, uint64_t pages, uint64_t mode_prot)
{
    uint64_t mode = mode_prot & EXO_SHARE_MODE, shared = 0;
    bool may_stop;

    if (!s->must) {
        for (unsigned i = 0; i < self->page_count; i++)
            shared += self->pages[i].va >= source_va && self->pages[i].va - source_va < pages * PAGE;
        for (unsigned i = 0; i < self->lost_count; i++)
            shared += self->lost[i] >= source_va && self->lost[i] - source_va < pages * PAGE;
        MAY(s, m_recalling() && mode != EXO_SHARE_COPY, AGAIN);
        MAY(s, shared > 0 && (m_tight(s, env->charged, 2 * shared + 8) || m_tight(s, self->charged, shared)), NOMEM);
    }
    if (m_refused(s))
        return;
    may_stop = s->may || (s->result > 0 && s->result * 32 >= 1024);
    REQUIRE((uint64_t)s->result == pages || ((uint64_t)s->result < pages && may_stop), "%ld of %lu pages were shared", s->result, pages);
    for (uint64_t i = 0; i < (uint64_t)s->result; i++) { /* what is shared may itself come to lie in the source */
        uint64_t next = next_source(self, source_va + i * PAGE);

        if (next - source_va >= (uint64_t)s->result * PAGE)
            break;
        i = (next - source_va) / PAGE;
        if (!m_page(self, next))
            share_loss(env, self, va + i * PAGE, next, mode);
        else
            share_page(env, self, va + i * PAGE, source_va + i * PAGE, mode, mode_prot & 7);
    }
}

void mem_share(struct step *s)
{
    check_range(s, s->caps[0]->object, s->a[1], s->a[3]);
    check_range(s, s->env, s->a[2], s->a[3]);
    MUST(s, (s->a[4] & EXO_SHARE_MODE) > EXO_SHARE_PRIVATE || s->a[4] & ~(EXO_SHARE_MODE | 7ul), INVAL);
    share_pages(s, s->env, s->a[2], s->caps[0]->object, s->a[1], s->a[3], s->a[4]);
}

void mem_fetch(struct step *s)
{
    check_range(s, s->caps[0]->object, s->a[1], s->a[3]);
    check_range(s, s->env, s->a[2], s->a[3]);
    MUST(s, s->a[4] & ~7ul, INVAL);
    share_pages(s, s->caps[0]->object, s->a[1], s->env, s->a[2], s->a[3], EXO_SHARE_SAME | s->a[4]);
}

void mem_protect(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t va = s->a[1], pages = s->a[2], prot = s->a[3], locked = UINT64_MAX, done;

    check_range(s, env, va, pages);
    MUST(s, prot > 7, INVAL);
    for (unsigned i = 0; i < env->page_count && !s->must; i++) {
        const struct m_page *page = &env->pages[i];
        bool refused = (page->locked && prot & EXO_PROT_WRITE) || (page->never_exec && prot & EXO_PROT_EXEC);

        if (refused && page->va >= va && page->va - va < pages * PAGE && locked == UINT64_MAX)
            locked = (page->va - va) / PAGE;
    }
    MUST(s, locked == 0, RIGHTS);
    if (m_refused(s))
        return;
    done = (uint64_t)s->result;
    REQUIRE(done == (pages < locked ? pages : locked) || (done < pages && done < locked && done * 32 >= 1024), "mem_protect did %lu of %lu", done, pages);
    for (unsigned i = 0; i < env->page_count; i++) {
        struct m_page *page = &env->pages[i];

        if (page->va < va || page->va - va >= done * PAGE)
            continue;
        page->want = prot & EXO_PROT_WRITE;
        page->exec = prot & EXO_PROT_EXEC;
        page->user = prot != 0;
    }
}

void mem_unmap(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t va = s->a[1], pages = s->a[2], done;

    check_range(s, env, va, pages);
    if (m_refused(s))
        return;
    done = (uint64_t)s->result;
    REQUIRE(done == pages || (done < pages && done * 32 >= 1024), "mem_unmap did %lu of %lu", done, pages);
    for (unsigned i = env->page_count; i-- > 0;)
        if (env->pages[i].va >= va && env->pages[i].va - va < done * PAGE)
            m_unmap(env, env->pages[i].va);
    m_unlose(env, va, done);
}

/* Marks of use are not modelled. */
#define USED ((uint64_t)(EXO_QUERY_ACCESSED | EXO_QUERY_DIRTY))

static uint64_t query_word(struct m_object *env, uint64_t va)
{
    const struct m_page *page = m_page(env, va);

    if (!page)
        return m_lost(env, va) ? EXO_QUERY_TAKEN : 0;
    return page->physical | EXO_QUERY_PRESENT | (page->want ? EXO_QUERY_WRITE : 0) | (page->exec ? EXO_QUERY_EXEC : 0) |
           (page->copy ? EXO_QUERY_COW : 0) |
           (frame_is_ram(page->physical) && m_frames[page->physical / PAGE].references > 1 ? EXO_QUERY_SHARED : 0);
}

void mem_query(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t va = s->a[1], pages = s->a[2] < 512 ? s->a[2] : 512, out = s->a[3], words[512];
    bool quiet = true; /* writing the answer changes no mapping */

    check_range(s, env, va, s->a[2]);
    if (s->must) {
        m_refused(s);
        return;
    }
    for (uint64_t i = 0; i < pages; i++) {
        const struct m_page *page = m_page(s->env, out + i * 8);

        quiet = quiet && (!page || !page->copy);
        words[i] = query_word(env, va + i * PAGE);
    }
    MUST(s, pages > 0 && !m_wrote_each(s, s->env, out, 8, pages), FAULT);
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == pages, "mem_query answered %ld", s->result);
    for (uint64_t i = 0; i < pages && quiet; i++) {
        uint64_t said = 0;

        if (m_read(s->env, &said, out + i * 8, 8))
            REQUIRE((said & ~USED) == words[i], "mem_query says %lx of page %lx, expected %lx", said, va + i * PAGE, words[i]);
    }
}

/* Whether 2^order free frames lie together, aligned. */
static bool run_exists(unsigned order)
{
    uint64_t size = 1ul << order, run = 0;

    for (uint64_t number = 0; number < frames_end; number++) {
        run = number % size == 0 ? 0 : run;
        run = frame_is_ram(number * PAGE) && frames[number].references == 0 ? run + 1 : 0;
        if (run == size && (number + 1) % size == 0)
            return true;
    }
    return false;
}

static unsigned order_of(uint64_t pages)
{
    unsigned order = 0;

    while (1ul << order < pages)
        order++;
    return order;
}

void frame_alloc(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *block;
    uint64_t pages = s->a[1];
    unsigned order = 0;

    MUST(s, pages == 0 || pages > 1024, INVAL);
    while (pages <= 1024 && 1ul << order < pages)
        order++;
    m_check_below(s, s->caps[0]);
    MAY(s, pages <= 1024 && (m_tight(s, zone, (1ul << order) + 4) || m_tight(s, s->env->charged, 3) || !run_exists(order)), NOMEM);
    if (m_refused(s))
        return;
    block = m_new(EXO_TYPE_FRAME, m_kernel_object(s->env, (uint64_t)s->result), zone);
    block->physical = ((struct block *)block->kernel)->physical;
    block->page_total = pages;
    for (uint64_t i = 0; i < pages; i++)
        m_frame_new(block->physical + i * PAGE, i < 2);
    m_created_below(s, s->caps[0], block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_EXEC | EXO_RIGHT_COPY);
}

void frame_device(struct step *s)
{
    uint64_t physical = s->a[1], pages = s->a[2];
    struct m_object *block;

    MUST(s, physical % PAGE, ALIGN);
    MUST(s, pages == 0 || pages > 1024, INVAL);
    MUST(s, physical > 0x000ffffffffff000ul || (pages <= 1024 && physical + pages * PAGE > 0x000ffffffffff000ul), RANGE);
    for (uint64_t i = 0; i < pages && !s->must; i++) {
        uint64_t page = physical + i * PAGE;

        MUST(s, (page >= HOST_RAM_START && page < HOST_RAM_END) || page == HOST_DEVICE_TAKEN, RANGE);
    }
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (m_refused(s))
        return;
    block = m_new(EXO_TYPE_FRAME, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    block->physical = physical;
    block->page_total = pages;
    block->device = true;
    m_created_below(s, s->caps[0], block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_COPY);
}

void frame_address(struct step *s)
{
    if (!m_refused(s))
        REQUIRE((uint64_t)s->result == s->caps[0]->object->physical, "frame_address answered %lx", s->result);
}

/* ---- blocks that are chosen, split and merged ---- */

static bool in_use(uint64_t physical, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++)
        if (frame_is_ram(physical + i * PAGE) && frame_of(physical + i * PAGE)->references > 0)
            return true;
    return false;
}

void frame_claim(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *block;
    uint64_t pages = s->a[1], how = s->a[2], value = s->a[3], colour = value & UINT32_MAX, colours = value >> 32;

    MUST(s, pages == 0 || pages > 1ul << 18 || how > EXO_FRAME_COLOUR, INVAL);
    MUST(s, how == EXO_FRAME_AT && value % PAGE, ALIGN);
    MUST(s, how == EXO_FRAME_COLOUR && (colours == 0 || colours > 65536 || colour >= colours), INVAL);
    MUST(s, how == EXO_FRAME_AT && (value < HOST_KERNEL_END || value >= HOST_RAM_END || pages > (HOST_RAM_END - value) / PAGE), RANGE);
    m_check_below(s, s->caps[0]);
    MAY(s, how == EXO_FRAME_AT && s->result == -EXO_E_EXISTS && pages <= 1ul << 18 && in_use(value, pages), EXISTS);
    if (!(s->must & ~ERROR_BIT(LIMIT))) {
        MAY(s, how == EXO_FRAME_COLOUR || pages > 600 || m_tight(s, zone, 2 * pages + 4) || m_tight(s, s->env->charged, 3) ||
               (how == EXO_FRAME_ANYWHERE && !run_exists(order_of(pages))), NOMEM);
    }
    if (m_refused(s))
        return;
    block = m_new(EXO_TYPE_FRAME, m_kernel_object(s->env, (uint64_t)s->result), zone);
    block->physical = ((struct block *)block->kernel)->physical;
    block->page_total = pages;
    REQUIRE(how != EXO_FRAME_AT || block->physical == value, "frame_claim gave %lx", block->physical);
    REQUIRE(how != EXO_FRAME_COLOUR || block->physical / PAGE % colours == colour, "frame_claim gave %lx", block->physical);
    for (uint64_t i = 0; i < pages; i++)
        m_frame_new(block->physical + i * PAGE, i < 2);
    m_created_below(s, s->caps[0], block, EXO_RIGHT_READ | EXO_RIGHT_WRITE | EXO_RIGHT_EXEC | EXO_RIGHT_COPY);
}

/* No block of this machine is so large that it is not ready at once. */
void frame_prepare_call(struct step *s)
{
    if (!m_refused(s))
        REQUIRE(s->result == 0, "frame_prepare answered %ld", s->result);
}

void frame_info(struct step *s)
{
    const struct m_object *block = s->caps[0]->object;
    struct exo_frame_info said;

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(said.physical == block->physical && said.pages == block->page_total, "frame_info says %lx, %lu pages", said.physical, said.pages);
}

void frame_split(struct step *s)
{
    struct m_cap *cap = s->caps[0];
    struct m_object *block = cap->object, *rest;
    struct m_node *parent = cap->node->parent;
    uint64_t pages = s->a[1];

    MUST(s, pages == 0 || pages >= block->page_total, INVAL);
    MUST(s, block->references != 1 || (parent && !m_may_derive(parent)), BUSY);
    MAY(s, m_tight(s, block->zone, 2) || m_tight(s, s->env->charged, 3), NOMEM);
    if (m_refused(s))
        return;
    rest = m_new(EXO_TYPE_FRAME, m_kernel_object(s->env, (uint64_t)s->result), block->zone);
    rest->physical = block->physical + pages * PAGE;
    rest->page_total = block->page_total - pages;
    rest->device = block->device;
    block->page_total = pages;
    m_inserted(s->env, (uint64_t)s->result, &(struct m_make){rest, parent, cap->rights, 0, cap->node->expires_ns});
    m_drop(rest);
}

void frame_merge(struct step *s)
{
    struct m_cap *first = s->caps[0], *second = s->caps[1];
    struct m_object *block = first->object, *rest = second->object;

    MUST(s, block == rest || block->physical + block->page_total * PAGE != rest->physical || block->device != rest->device || block->zone != rest->zone,
         INVAL);
    MUST(s, first->rights != second->rights || first->node->parent != second->node->parent || first->node->expires_ns != second->node->expires_ns,
         RIGHTS);
    MUST(s, block->references != 1 || rest->references != 1, BUSY);
    if (m_refused(s))
        return;
    block->page_total += rest->page_total;
    rest->page_total = 0;
    m_clear(s->env, s->a[1] & 0xffff);
}

/* ---- windows ---- */

void dma_bind(struct step *s)
{
    struct m_object *block = s->caps[1]->object, *dma;

    MUST(s, block->device, INVAL);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (m_refused(s))
        return;
    dma = m_new(EXO_TYPE_DMA, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    dma->block = block;
    m_hold(block);
    m_created_below(s, s->caps[0], dma, EXO_RIGHTS_ALL);
}

bool m_traced;

/* What the kernel writes to the block is not modelled: nobody reads it here. */
void trace_bind(struct step *s)
{
    struct m_object *block = s->caps[1]->object, *trace;

    MUST(s, s->a[2] >= 1, RANGE);
    MUST(s, block->device || (s->a[3] && s->a[3] < 10000), INVAL);
    MUST(s, m_traced, BUSY);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (m_refused(s))
        return;
    trace = m_new(EXO_TYPE_TRACE, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    trace->block = block;
    m_traced = true;
    m_hold(block);
    m_created_below(s, s->caps[0], trace, EXO_RIGHTS_ALL);
}

void dma_info(struct step *s)
{
    const struct m_object *block = s->caps[0]->object->block;
    struct exo_dma_info said;

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(said.physical == block->physical && said.pages == block->page_total, "dma_info says %lx, %lu pages", said.physical, said.pages);
}
