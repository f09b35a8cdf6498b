/* The reference model's objects, capabilities and frames. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct m_frame m_frames[HOST_RAM_END / PAGE];
struct m_list m_objects, m_nodes;
struct m_object *m_current, *m_zone_root, *m_lines[256];

void __gcov_dump(void) __attribute__((weak));

void leave_process(int status)
{
    fflush(stdout);
    if (__gcov_dump)
        __gcov_dump();
    _exit(status);
}

void m_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("DIFFERENCE: ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    leave_process(1);
}

void list_push(struct m_list *list, void *member)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 8;
        list->at = realloc(list->at, list->room * sizeof(void *));
    }
    list->at[list->count++] = member;
}

bool list_take(struct m_list *list, const void *member)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->at[i] != member)
            continue;
        memmove(&list->at[i], &list->at[i + 1], (--list->count - i) * sizeof(void *));
        return true;
    }
    return false;
}

/* ---- frames ---- */

void m_frame_hold(uint64_t physical)
{
    if (frame_is_ram(physical))
        m_frames[physical / PAGE].references++;
}

void m_frame_drop(uint64_t physical)
{
    if (!frame_is_ram(physical))
        return;
    REQUIRE(m_frames[physical / PAGE].references > 0, "model: frame %lx has no holders", physical);
    m_frames[physical / PAGE].references--;
}

/* The kernel chose a frame: it must have been nobody's, and hold nothing of a former owner's. */
void m_frame_new(uint64_t physical, bool zeroed)
{
    static const char zeros[PAGE];

    REQUIRE(frame_is_ram(physical), "page %lx is no RAM", physical);
    REQUIRE(m_frames[physical / PAGE].references == 0, "frame %lx was given out while it had %u holders", physical,
            m_frames[physical / PAGE].references);
    m_frames[physical / PAGE].references = 1;
    m_frames[physical / PAGE].tag = 0;
    if (zeroed)
        REQUIRE(memcmp(direct(physical), zeros, PAGE) == 0, "new frame %lx is not zeroed", physical);
}

/* Could a call that takes up to so many frames and slots, and an environment, have met a quota's end? */
bool m_tight(const struct step *s, const struct m_object *zone, uint64_t needed)
{
    const struct room *room = &s->room[zone->number];

    return s->free < needed || room->frames < needed || room->slots < needed || room->envs < 1;
}

bool m_label_may(const struct step *s, const struct m_object *object, unsigned relations)
{
    return exo_label_allows(s->env->label, object->label, relations);
}

/* ---- objects ---- */

struct m_object *m_new(unsigned type, struct object *kernel, struct m_object *zone)
{
    struct m_object *object = calloc(1, sizeof(*object));

    REQUIRE(kernel->type == type, "a new object has type %u, not %u", kernel->type, type);
    for (unsigned i = 0; i < m_objects.count; i++)
        REQUIRE(list_object(&m_objects, i)->kernel != kernel, "a new object lies where object %lu still lives", list_object(&m_objects, i)->kernel->id);
    object->type = (uint8_t)type;
    object->kernel = kernel;
    object->references = 1;
    object->zone = zone;
    object->label = kernel->label;
    if (zone) {
        object->label = zone->label;
        m_hold(zone);
    }
    if (type == EXO_TYPE_ZONE)
        object->number = ((struct zone *)kernel)->number;
    if (type == EXO_TYPE_ENV)
        object->slots = calloc(ANY_SLOT_END, sizeof(struct m_cap));
    list_push(&m_objects, object);
    return object;
}

struct m_object *m_find(const struct object *kernel)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->kernel == kernel)
            return m_objects.at[i];
    m_fail("the kernel knows an object that the model does not: type %u", kernel->type);
}

void m_hold(struct m_object *object)
{
    object->references++;
}

static void let_go(struct m_object *object)
{
    switch (object->type) {
    case EXO_TYPE_ENV:
        object->ended = true;
        m_env_clear(object);
        m_gas_end(object);
        if (object->death)
            m_drop(object->death);
        m_drop(object->charged);
        break;
    case EXO_TYPE_CTX: m_drop(object->env); break;
    case EXO_TYPE_FRAME:
        for (uint64_t i = 0; i < object->page_total; i++)
            m_frame_drop(object->physical + i * PAGE);
        break;
    case EXO_TYPE_TALLY: m_frame_drop(object->physical & ~(PAGE - 1ul)); break;
    case EXO_TYPE_WATCH: m_watch_clear(object); break;
    case EXO_TYPE_SLICE: m_slice_end(object); break;
    case EXO_TYPE_IRQ:
        m_lines[object->line] = NULL;
        m_drop(object->endpoint);
        break;
    case EXO_TYPE_TRACE:
        m_traced = false;
        m_drop(object->block);
        break;
    case EXO_TYPE_DMA: m_drop(object->block); break;
    default: break;
    }
}

static void end(struct m_object *object)
{
    let_go(object);
    object->freed = true;
    list_take(&m_objects, object);
    if (object->zone)
        m_drop(object->zone);
    free(object->slots);
    object->slots = NULL;
}

void m_drop(struct m_object *object)
{
    REQUIRE(object->references > 0, "model: object of type %u has no holders", object->type);
    if (--object->references > 0)
        return;
    if (object->type == EXO_TYPE_ZONE) { /* it ends when no frame is charged to it */
        object->closing = true;
        return;
    }
    if (object->type == EXO_TYPE_ENV || object->recalled) {
        object->dying = true;
        return;
    }
    end(object);
}

static void no_table(void *self, uint64_t physical)
{
    (void)self, (void)physical;
}

static void lowest(void *self, uint64_t va, uint64_t pte)
{
    uint64_t *first = self;

    (void)pte;
    if (va < *first)
        *first = va;
}

/* What the kernel has taken from an environment so far: slots from above, pages from below. */
void m_env_taken_apart(struct m_object *env)
{
    struct env *kernel = (struct env *)env->kernel;
    uint64_t first = UINT64_MAX;

    while (env->slots_end > kernel->slots_end)
        if (env->slots[--env->slots_end].object)
            m_clear(env, env->slots_end);
    host_walk(kernel, &(struct host_walk){lowest, no_table, &first});
    while (env->page_count > 0 && env->pages[0].va < first)
        m_unmap(env, env->pages[0].va);
}

bool m_recalling(void)
{
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->recalled)
            return true;
    return false;
}

bool m_holds(const struct m_object *env, const struct m_object *object)
{
    for (unsigned i = 0; i < env->touched_count; i++)
        if (env->slots[env->touched[i]].object == object)
            return true;
    return false;
}

/* The block that is being unmapped and that the page belongs to, if the environment has no capability to one. */
static const struct m_object *forfeit(const struct m_object *env, const struct m_page *page)
{
    const struct m_object *found = NULL;

    for (unsigned i = 0; i < m_objects.count; i++) {
        const struct m_object *block = m_objects.at[i];

        if (!block->recalled || page->physical - block->physical >= block->page_total * PAGE)
            continue;
        if (m_holds(env, block))
            return NULL;
        found = block;
    }
    return found;
}

/* An environment that the kernel has taken apart to the end. */
static bool is_gone(const struct m_object *env)
{
    return env->dying && frame_of(direct_physical(env->kernel))->references == 0;
}

/* Pages that the kernel took since the last step. */
static void take_recalled(void)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *env = m_objects.at[i];

        if (env->type != EXO_TYPE_ENV || is_gone(env))
            continue;
        for (unsigned p = env->page_count; p-- > 0;) {
            uint64_t va = env->pages[p].va;

            if (!forfeit(env, &env->pages[p]) || kernel_pte(env, va) & PTE_PRESENT)
                continue;
            m_unmap(env, va);
            m_lose(env, va);
            m_taken(env);
        }
    }
}

void m_recalled_check(void)
{
    take_recalled();
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *env = m_objects.at[i];

        for (unsigned p = 0; env->type == EXO_TYPE_ENV && p < env->page_count; p++)
            REQUIRE(!forfeit(env, &env->pages[p]), "page %lx is still mapped, though it was taken back", env->pages[p].va);
    }
}

/* Blocks whose pages the kernel has unmapped. */
static void end_recalls(void)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *block = m_objects.at[i];

        if (block->type != EXO_TYPE_FRAME || !block->recalled)
            continue;
        block->recalled = false;
        if (!block->dying)
            continue;
        block->dying = false;
        end(block);
        i = UINT32_MAX;
    }
}

void m_reap(void)
{
    if (m_recalling())
        take_recalled();
    if (recall_idle())
        end_recalls();
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *env = m_objects.at[i];

        if (!env->dying || env->type != EXO_TYPE_ENV)
            continue;
        if (!is_gone(env)) {
            env->ended = ((struct env *)env->kernel)->ended;
            m_env_taken_apart(env);
            continue;
        }
        env->dying = false;
        end(env);
        i = UINT32_MAX; /* others may have gone with it */
    }
}

void m_zones_end(void)
{
    for (unsigned i = 0; i < m_objects.count; i++) {
        struct m_object *zone = m_objects.at[i];

        if (!zone->closing || zones[zone->number] == (struct zone *)zone->kernel)
            continue;
        zone->freed = true;
        list_take(&m_objects, zone);
        m_gas_end(zone);
        m_drop(zone->zone);
        i = UINT32_MAX; /* the zone above may have ended with it */
    }
}

/* ---- capabilities ---- */

uint64_t m_handle(const struct m_object *env, const struct m_cap *cap)
{
    return (uint64_t)cap->generation << 16 | (uint64_t)(cap - env->slots);
}

uint64_t m_resolve(struct m_object *env, uint64_t handle, unsigned type, uint64_t rights, struct m_cap **found)
{
    struct m_cap *cap = &env->slots[handle & 0xffff];
    uint64_t errors = 0;

    *found = NULL;
    if ((handle & 0xffff) == 0 || handle >> 48)
        return ERROR_BIT(BADSLOT);
    if (!cap->touched)
        return ERROR_BIT(BADSLOT) | (handle >> 16 ? ERROR_BIT(STALE) : 0);
    if (cap->generation != handle >> 16)
        return ERROR_BIT(STALE);
    if (!cap->object || cap->object->dead)
        return ERROR_BIT(BADSLOT);
    if (cap->node->expires_ns <= host_cycles)
        errors |= ERROR_BIT(EXPIRED);
    if (type != CAP_ANY && cap->object->type != type)
        errors |= ERROR_BIT(TYPE);
    if (rights & ~cap->rights)
        errors |= ERROR_BIT(RIGHTS);
    if (errors == 0)
        *found = cap;
    return errors;
}

static void count_capability(const struct m_cap *cap, int change)
{
    if (cap->object->type == EXO_TYPE_TALLY)
        m_tally_changed(cap->object, change);
    if (cap->object->type == EXO_TYPE_ENDPOINT && cap->rights & EXO_RIGHT_RECV)
        m_receive_caps_changed(cap->object, change);
}

/* ---- derivation ---- */

static struct m_node *only_child(const struct m_node *node, unsigned *count)
{
    struct m_node *child = NULL;

    *count = 0;
    for (unsigned i = 0; i < m_nodes.count; i++) {
        struct m_node *other = m_nodes.at[i];

        if (other->parent != node)
            continue;
        child = other;
        ++*count;
    }
    return child;
}

static void leave_tree(struct m_node *node)
{
    struct m_node *parent = node->parent;
    unsigned children;
    struct m_node *child = only_child(node, &children);

    node->env = NULL;
    node->revoking = false;
    if (children > 1)
        return;
    if (children == 1)
        child->parent = parent;
    list_take(&m_nodes, node);
    m_drop(node->zone);
    free(node);
    if (children == 0 && parent && !parent->env)
        leave_tree(parent); /* which goes, if one child is left to it */
}

bool m_descends(const struct m_node *node, const struct m_node *from)
{
    while (node && node != from)
        node = node->parent;
    return node;
}

bool m_may_derive(const struct m_node *node)
{
    for (; node; node = node->parent)
        if (node->revoking)
            return false;
    return true;
}

unsigned m_depth(const struct m_node *node)
{
    unsigned depth = 0;

    for (; node; node = node->parent)
        depth++;
    return depth;
}

struct m_make m_derive(const struct m_cap *source, uint64_t rights, uint64_t badge, uint64_t expires_ns)
{
    return (struct m_make){source->object, source->node, source->rights & rights, badge,
                           expires_ns < source->node->expires_ns ? expires_ns : source->node->expires_ns};
}

/* ---- slots ---- */

static struct m_cap *touch(struct m_object *env, uint32_t index)
{
    struct m_cap *cap = &env->slots[index];

    if (!cap->touched) {
        cap->touched = true;
        if (env->touched_count % 64 == 0)
            env->touched = realloc(env->touched, (env->touched_count + 64) * sizeof(uint32_t));
        env->touched[env->touched_count++] = index;
    }
    if (index >= env->slots_end)
        env->slots_end = index + 1;
    env->slots_used++;
    return cap;
}

void m_fill(struct m_object *env, uint32_t index, const struct m_make *make)
{
    struct m_cap *cap = touch(env, index);

    cap->object = make->object;
    cap->rights = make->rights;
    cap->node = calloc(1, sizeof(*cap->node));
    *cap->node = (struct m_node){make->parent, env, env->charged, index, make->badge, make->expires_ns, false};
    list_push(&m_nodes, cap->node);
    m_hold(env->charged);
    m_hold(make->object);
    count_capability(cap, 1);
}

static void vacate(struct m_object *env, struct m_cap *cap)
{
    cap->object = NULL;
    cap->node = NULL;
    cap->generation++;
    env->slots_used--;
}

void m_clear(struct m_object *env, uint32_t index)
{
    struct m_cap *cap = &env->slots[index], was = *cap;

    leave_tree(cap->node);
    vacate(env, cap);
    count_capability(&was, -1);
    m_drop(was.object);
}

static void check_new(const struct m_object *env, uint64_t handle)
{
    const struct m_cap *cap = &env->slots[handle & 0xffff];

    REQUIRE(handle >> 48 == 0 && (handle & 0xffff) != 0, "a new handle is %lx", handle);
    REQUIRE(!cap->object, "a new handle %lx names a slot in use", handle);
    REQUIRE(cap->generation == handle >> 16, "slot %lu got generation %lu, expected %u", handle & 0xffff, handle >> 16, cap->generation);
    REQUIRE(cap->generation != UINT32_MAX, "slot %lu is used after its last generation", handle & 0xffff);
}

void m_inserted(struct m_object *env, uint64_t handle, const struct m_make *make)
{
    check_new(env, handle);
    m_fill(env, handle & 0xffff, make);
}

void m_move(struct m_object *from, struct m_cap *source, struct m_object *to, uint64_t handle)
{
    struct m_cap *cap;

    check_new(to, handle);
    cap = touch(to, handle & 0xffff);
    cap->object = source->object;
    cap->rights = source->rights;
    cap->node = source->node;
    cap->node->env = to;
    cap->node->index = handle & 0xffff;
    vacate(from, source);
}

struct object *m_kernel_object(struct m_object *env, uint64_t handle)
{
    struct capability *slot;

    REQUIRE(cap_resolve((struct env *)env->kernel, handle, CAP_ANY, 0, &slot) == 0, "the new handle %lx does not resolve", handle);
    return slot->object;
}

void m_created(struct step *s, struct m_object *object, uint64_t rights)
{
    m_inserted(s->env, (uint64_t)s->result, &(struct m_make){object, NULL, rights, 0, EXO_DEADLINE_NEVER});
    m_drop(object);
}

void m_created_below(struct step *s, const struct m_cap *above, struct m_object *object, uint64_t rights)
{
    m_inserted(s->env, (uint64_t)s->result, &(struct m_make){object, above->node, rights, 0, above->node->expires_ns});
    m_drop(object);
}

void m_check_below(struct step *s, const struct m_cap *above)
{
    MUST(s, !m_may_derive(above->node), LIMIT);
    MAY(s, m_depth(above->node) >= 255, LIMIT);
}

/* Whether the call was refused, and rightly so. */
bool m_refused(struct step *s)
{
    const char *name = exo_grammar[s->number].name;

    if (s->result >= 0) {
        REQUIRE(s->must == 0, "%s succeeded with %ld; errors %lx were due", name, s->result, s->must);
        return false;
    }
    REQUIRE(s->result > -64 && (s->must | s->may) >> -s->result & 1, "%s answered %ld; allowed are errors %lx", name, s->result,
            s->must | s->may);
    return true;
}

/* ---- environments ---- */

void m_env_clear(struct m_object *env)
{
    while (env->slots_end > 0)
        if (env->slots[--env->slots_end].object)
            m_clear(env, env->slots_end);
    while (env->page_count > 0)
        m_unmap(env, env->pages[env->page_count - 1].va);
}

void m_env_end(struct m_object *env, uint64_t reason, uint64_t address, uint64_t pc)
{
    if (env->ended)
        return;
    env->ended = true;
    env->reason = reason;
    env->reason_address = address;
    env->reason_pc = pc;
    m_hold(env);
    m_ledger_release(env);
    while (env->contexts.count > 0)
        m_context_kill(env->contexts.at[0]);
    if (env->death && !env->note_queued && env->death->receive_caps > 0) {
        env->note_queued = true;
        m_hold(env);
        list_push(&env->death->deaths, env);
        m_serve(env->death);
    }
    m_drop(env);
}

void m_tally_changed(struct m_object *tally, int change)
{
    uint64_t woken;

    tally->count += (uint32_t)change;
    m_frames[tally->physical / PAGE].tag = *(uint64_t *)((char *)direct(tally->physical & ~(PAGE - 1ul)) + TAG_OFFSET);
    m_wake_at(tally->physical, tally->count, UINT64_MAX, &woken);
}

/* ---- the beginning ---- */

static void adopt_page(void *self, uint64_t va, uint64_t pte)
{
    uint64_t physical = pte_physical(pte);

    m_frames[physical / PAGE].base = frame_of(physical)->references;
    m_frames[physical / PAGE].references = frame_of(physical)->references;
    m_frames[physical / PAGE].tag = *(uint64_t *)((char *)direct(physical) + TAG_OFFSET);
    m_map(self, (struct m_page){va, physical, pte & PTE_WANT, pte & PTE_COPY, pte & PTE_LOCKED, !(pte & PTE_NO_EXEC), pte & PTE_USER,
                                pte & PTE_UNCACHED, pte & PTE_NEVER_EXEC});
}

static void adopt_table(void *self, uint64_t physical)
{
    (void)self, (void)physical;
}

static void adopt_caps(struct m_object *env)
{
    struct env *kernel = (struct env *)env->kernel;

    for (uint32_t index = 1; index <= 7; index++) {
        struct capability *slot;
        struct m_object *object = NULL;

        REQUIRE(cap_resolve(kernel, index, CAP_ANY, 0, &slot) == 0, "the first environment has no capability %u", index);
        for (unsigned i = 0; i < m_objects.count; i++)
            if (list_object(&m_objects, i)->kernel == slot->object)
                object = m_objects.at[i];
        if (!object) {
            object = m_new(slot->object->type, slot->object, m_zone_root);
            object->label = slot->object->label;
            if (object->type == EXO_TYPE_FRAME) {
                object->physical = ((struct block *)slot->object)->physical;
                object->page_total = ((struct block *)slot->object)->pages;
            }
        }
        m_fill(env, index, &(struct m_make){object, NULL, slot->rights, slot->node->badge, EXO_DEADLINE_NEVER});
    }
}

/* Takes over what the kernel made for the first environment; what holds things from before stays a number. */
void m_begin(struct env *first_env, struct context *first)
{
    struct m_object *env, *context;

    m_zone_root = m_new(EXO_TYPE_ZONE, &zones[0]->object, NULL);
    env = m_new(EXO_TYPE_ENV, &first_env->object, m_zone_root);
    env->charged = env->payer = m_zone_root;
    m_hold(m_zone_root);
    context = m_new(EXO_TYPE_CTX, &first->object, m_zone_root);
    context->env = env;
    context->state = CTX_READY;
    context->upage_va = first->arch.upage_va;
    context->upage_physical = first->upage_physical;
    list_push(&env->contexts, context);
    host_walk(first_env, &(struct host_walk){adopt_page, adopt_table, env});
    adopt_caps(env);
    for (unsigned i = 0; i < m_objects.count; i++)
        list_object(&m_objects, i)->references = list_object(&m_objects, i)->kernel->references;
    m_current = context;
    m_gas_begin(context);
}
