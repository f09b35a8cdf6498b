/*
 * What the kernel shows against what the model says, and the invariants of the kernel's books: each reference has a holder, each frame that is charged
 * can be reached from somebody, and what is free is free.
 */
#include "model.h"
#include "references.h"
#include "waiting.h"

#include <string.h>

struct walk {
    struct m_object *env;
    unsigned next;
};

static void compare_page(void *self, uint64_t va, uint64_t pte)
{
    struct walk *walk = self;
    const struct m_page *page = &walk->env->pages[walk->next];
    uint64_t physical = pte_physical(pte);

    REQUIRE(walk->next < walk->env->page_count && page->va == va, "page %lx is mapped to %lx, expected nothing there", va, physical);
    walk->next++;
    REQUIRE(physical == page->physical, "page %lx shows frame %lx, expected %lx", va, physical, page->physical);
    REQUIRE(!!(pte & PTE_WANT) == page->want && !!(pte & PTE_COPY) == page->copy && !!(pte & PTE_LOCKED) == page->locked &&
            !(pte & PTE_NO_EXEC) == page->exec && !!(pte & PTE_USER) == page->user && !!(pte & PTE_UNCACHED) == page->uncached &&
            !!(pte & PTE_NEVER_EXEC) == page->never_exec,
            "page %lx has entry %lx, expected want %d copy %d locked %d exec %d user %d uncached %d", va, pte, page->want, page->copy, page->locked,
            page->exec, page->user, page->uncached);
    REQUIRE(!!(pte & PTE_WRITE) == (page->want && !page->copy), "page %lx can be written: %d", va, !!(pte & PTE_WRITE));
    if (frame_is_ram(physical))
        REQUIRE(*(uint64_t *)((char *)direct(physical) + TAG_OFFSET) == m_frames[physical / PAGE].tag, "page %lx has another's content", va);
}

static void no_table(void *self, uint64_t physical)
{
    (void)self, (void)physical;
}

static void compare_context(const struct m_object *context)
{
    const struct context *kernel = (const struct context *)context->kernel;
    const uint64_t *expected = context->words;
    const struct exo_regs *regs = &kernel->arch.regs;

    REQUIRE(kernel->state == context->state, "context %lu is in state %u, expected %u", kernel->object.id, kernel->state, context->state);
    if (!context->woken || context->state == CTX_DEAD)
        return;
    REQUIRE(regs->rax == context->result, "context %lu will find the result %ld, expected %ld", kernel->object.id, regs->rax, context->result);
    if (context->words_expected)
        REQUIRE(regs->rdi == expected[0] && regs->rsi == expected[1] && regs->rdx == expected[2] && regs->r10 == expected[3] &&
                regs->r8 == expected[4] && regs->r9 == expected[5], "context %lu will find another message: %lx %lx %lx %lx %lx %lx", kernel->object.id,
                regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9);
}

void compare_env(struct m_object *env)
{
    struct env *kernel = (struct env *)env->kernel;
    struct walk walk = {env, 0};

    host_walk(kernel, &(struct host_walk){compare_page, no_table, &walk});
    REQUIRE(walk.next == env->page_count, "page %lx is not mapped any more", env->pages[walk.next].va);
    for (unsigned i = 0; i < env->touched_count; i++) {
        const struct m_cap *cap = &env->slots[env->touched[i]];
        struct capability *slot;
        int64_t status = cap_resolve(kernel, m_handle(env, cap), CAP_ANY, 0, &slot);

        if (!cap->object || cap->object->dead) {
            REQUIRE(status == -EXO_E_BADSLOT, "empty slot %u resolves with %ld", env->touched[i], status);
            continue;
        }
        REQUIRE(status == (cap->node->expires_ns <= host_cycles ? -EXO_E_EXPIRED : 0) && slot->object == cap->object->kernel &&
                slot->rights == cap->rights && slot->node->badge == cap->node->badge && slot->node->expires_ns == cap->node->expires_ns,
                "slot %u holds something else than it should (%ld)", env->touched[i], status);
        if (cap->generation > 0)
            REQUIRE(cap_resolve(kernel, m_handle(env, cap) - (1ul << 16), CAP_ANY, 0, &slot) == -EXO_E_STALE, "an old handle of slot %u lives",
                    env->touched[i]);
    }
    REQUIRE(kernel->ended == env->ended, "environment %lu has ended: %d", kernel->object.id, kernel->ended);
    REQUIRE(kernel->slots_used == env->slots_used || env->ended, "environment %lu uses %u slots, expected %u", kernel->object.id, kernel->slots_used,
            env->slots_used);
    REQUIRE(kernel->mapped == env->page_count, "environment %lu maps %lu pages, expected %u", kernel->object.id, kernel->mapped, env->page_count);
}

bool m_is_kept(const struct m_object *object)
{
    return object->recalled || (object->type == EXO_TYPE_ZONE && reap_waiting);
}

static void compare_object(struct m_object *object)
{
    if (object->dying && object->type == EXO_TYPE_FRAME)
        return;
    REQUIRE(object->kernel->type == object->type && object->kernel->dead == object->dead, "an object of type %u is another now", object->type);
    REQUIRE(object->kernel->label == object->label, "object %lu has label %u, expected %u", object->kernel->id, object->kernel->label, object->label);
    if (m_is_kept(object) && object->kernel->references > object->references)
        return;
    REQUIRE(object->kernel->references == object->references, "object %lu (type %u) has %u references, expected %u", object->kernel->id, object->type,
            object->kernel->references, object->references);
    m_slice_compare(object);
    if (object->type == EXO_TYPE_CTX)
        compare_context(object);
    if (object->type == EXO_TYPE_ENDPOINT)
        REQUIRE(((struct endpoint *)object->kernel)->receive_caps == object->receive_caps &&
                ((struct endpoint *)object->kernel)->notified == object->notified, "an endpoint's books are wrong");
    if (object->type == EXO_TYPE_WATCH)
        REQUIRE(((struct watch *)object->kernel)->count == object->count, "a watch has told %u times, expected %u", ((struct watch *)object->kernel)->count,
                object->count);
    if (object->type == EXO_TYPE_TALLY)
        REQUIRE(((struct tally *)object->kernel)->count == object->count, "a tally counts %u, expected %u", ((struct tally *)object->kernel)->count,
                object->count);
}

void compare_all(void)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < m_objects.count; i++) {
        compare_object(m_objects.at[i]);
        if (list_object(&m_objects, i)->type == EXO_TYPE_ENV)
            compare_env(m_objects.at[i]);
        ready += list_object(&m_objects, i)->type == EXO_TYPE_CTX && list_object(&m_objects, i)->state == CTX_READY && m_objects.at[i] != m_current;
    }
    m_gas_compare();
    REQUIRE(sched_runnable == ready, "%u contexts are queued, %u are ready", sched_runnable, ready);
}

/* ---- invariants ---- */

/* Who sleeps, or waits to be taken apart, is named by nothing that the walk could begin with. */
static void check_references(void)
{
    static struct object *known[4096];
    unsigned count = 0;

    for (; count < m_objects.count && count < 4096; count++)
        known[count] = list_object(&m_objects, count)->kernel;
    references_check(known, count);
}

static void check_frames(void)
{
    uint64_t used[ZONES_MAX] = {0}, free = 0;

    for (uint64_t number = HOST_RAM_START / PAGE; number < HOST_RAM_END / PAGE; number++) {
        const struct frame *frame = &frames[number];

        if (frame->state == FRAME_KERNEL)
            continue;
        REQUIRE(frame->references - references_own[number] == m_frames[number].references, "frame %lx has %u users, expected %u", number * PAGE,
                frame->references - references_own[number], m_frames[number].references);
        free += frame->references == 0;
        if (frame->references > 0)
            for (const struct zone *zone = zones[frame->zone]; zone; zone = zone->parent)
                used[zone->number]++;
    }
    REQUIRE(free == frames_free && info->frames_free == free, "%lu frames are free; the kernel says %lu", free, frames_free);
    for (unsigned i = 0; i < ZONES_MAX; i++)
        if (zones[i])
            REQUIRE(zones[i]->used == used[i] && used[i] <= zones[i]->quota, "zone %u: %lu frames are charged, %lu used, quota %lu", i, zones[i]->used,
                    used[i], zones[i]->quota);
}

/* The kernel still takes something apart, and the model nothing. */
static bool has_late_blocks(void)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->dying)
            return false;
    return reap_waiting;
}

void check_invariants(void)
{
    compare_all();
    if (!recall_idle() || has_late_blocks()) /* who holds what is being unmapped, or is to be taken apart after it, cannot be found */
        return;
    check_references();
    check_frames();
}
