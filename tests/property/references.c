/* Counts every reference in the kernel by walking all that can be reached (references.h). */
#include "references.h"

#include <string.h>

#include "model.h"
#include "slice.h"
#include "trace.h"
#include "waiting.h"

#define TABLE 8192u /* more than the small objects that fit into RAM */

static struct found {
    const void *what;
    bool is_object; /* else a derivation node, which nothing counts */
    uint32_t references;
} table[TABLE];
static struct object *waiting[TABLE]; /* found, not yet looked into */
static unsigned waiting_count;
unsigned references_found;

uint32_t references_users[HOST_RAM_END / PAGE], references_own[HOST_RAM_END / PAGE];
static uint32_t base[HOST_RAM_END / PAGE]; /* the machine's own references, from before the first call */
static uint32_t blocks[HOST_RAM_END / PAGE]; /* small objects found in the page */
static struct zone_sum {
    uint64_t envs, slots;
} sums[ZONES_MAX];

static struct found *place_of(const void *what)
{
    unsigned at = (unsigned)((uintptr_t)what / 64 % TABLE);

    while (table[at].what && table[at].what != what)
        at = (at + 1) % TABLE;
    return &table[at];
}

static bool is_static(const void *what)
{
    return (const char *)what < host_arena || (const char *)what >= host_arena + HOST_RAM_END;
}

static bool add(const void *what, size_t bytes, bool is_object)
{
    struct found *place = place_of(what);

    if (place->what)
        return false;
    REQUIRE(++references_found < TABLE / 2, "there are more objects than memory holds");
    *place = (struct found){what, is_object, is_static(what)};
    if (!is_static(what))
        bytes > 256 ? references_own[direct_physical(what) / PAGE]++ : blocks[direct_physical(what) / PAGE]++;
    return true;
}

static size_t size_of(const struct object *object)
{
    switch (object->type) {
    case EXO_TYPE_ENV: return sizeof(struct env);
    case EXO_TYPE_CTX: return sizeof(struct context);
    case EXO_TYPE_FRAME: return sizeof(struct block);
    case EXO_TYPE_ENDPOINT: return sizeof(struct endpoint);
    case EXO_TYPE_TALLY: return sizeof(struct tally);
    case EXO_TYPE_WATCH: return sizeof(struct watch);
    case EXO_TYPE_IRQ: return sizeof(struct irq);
    case EXO_TYPE_PORTS: return sizeof(struct ports);
    case EXO_TYPE_DMA: return sizeof(struct dma);
    case EXO_TYPE_TRACE: return sizeof(struct trace);
    case EXO_TYPE_ZONE: return sizeof(struct zone);
    case EXO_TYPE_SLICE: return sizeof(struct slice);
    default: return sizeof(struct object);
    }
}

static void visit(struct object *object)
{
    if (object && add(object, size_of(object), true))
        waiting[waiting_count++] = object;
}

static void hold(struct object *object)
{
    visit(object);
    place_of(object)->references++;
}

#define HOLD(pointer)                                                                                                  \
    do {                                                                                                               \
        if (pointer)                                                                                                   \
            hold(&(pointer)->object);                                                                                  \
    } while (0)

static void use_frame(uint64_t physical)
{
    if (frame_is_ram(physical))
        references_users[physical / PAGE]++;
}

/* ---- what is in each kind of object ---- */

struct space_found {
    uint64_t pages, tables;
};

static void see_page(void *self, uint64_t va, uint64_t pte)
{
    uint64_t pages = pte & PTE_LARGE ? SPACE_TABLE_BYTES / PAGE : 1;

    (void)va;
    for (uint64_t i = 0; i < pages; i++)
        use_frame(pte_physical(pte) + i * PAGE);
    ((struct space_found *)self)->pages += pages;
}

static void see_table(void *self, uint64_t physical)
{
    references_own[physical / PAGE]++;
    ((struct space_found *)self)->tables++;
}

static void see_account(struct gas_account *account)
{
    HOLD(account->told);
    for (struct list *at = account->waiting.next; at && at != &account->waiting; at = at->next)
        visit(&LIST_ENTRY(at, struct context, link)->object);
}

static void see_slots(struct env *env)
{
    for (uint32_t index = 1; index < env->slots_end; index++) {
        struct capability *slot = cap_slot(env, index);

        if (!slot)
            index += SLOTS_PAGE - 1 - (index - SLOTS_INLINE) % SLOTS_PAGE; /* nor are those beside it there */
        if (!slot || !slot->object)
            continue;
        hold(slot->object);
        sums[env->zone->number].slots++;
        REQUIRE(slot->node->env == env && slot->node->index == index, "slot %u of environment %lu has another's node", index, env->object.id);
        for (struct cap_node *node = slot->node; node && add(node, sizeof(*node), false); node = node->parent)
            HOLD(zones[node->zone]);
    }
    for (unsigned i = 0; env->directory && i < PAGE / sizeof(void *); i++)
        if (env->directory[i])
            references_own[direct_physical(env->directory[i]) / PAGE]++;
    if (env->directory)
        references_own[direct_physical(env->directory) / PAGE]++;
}

static void see_env(struct env *env)
{
    struct gas_account *account = env->gas == &env->own_gas ? env->own_gas.parent : env->gas;
    struct space_found space = {0};
    unsigned contexts = 0;

    HOLD(env->zone);
    sums[env->zone->number].envs++;
    HOLD(env->death);
    if (env->note_queued)
        hold(&env->object);
    if (env->ledger.page)
        use_frame(direct_physical(env->ledger.page));
    HOLD(env->ledger.context);
    if (account != &env->zone->gas)
        hold(account->owner);
    if (env->own_gas.owner)
        see_account(&env->own_gas);
    for (struct list *at = env->contexts.next; at != &env->contexts; at = at->next, contexts++)
        HOLD(LIST_ENTRY(at, struct context, env_link));
    see_slots(env);
    host_walk(env, &(struct host_walk){see_page, see_table, &space});
    REQUIRE(env->context_count == contexts && env->mapped == space.pages && env->tables == space.tables,
            "environment %lu counts %u contexts, %lu pages, %lu tables; there are %u, %lu, %lu", env->object.id, env->context_count, env->mapped,
            env->tables, contexts, space.pages, space.tables);
}

static void see_context(struct context *context)
{
    HOLD(context->env);
    HOLD(context->endpoint);
    if (context->client)
        visit(&context->client->object);
    if (context->server)
        visit(&context->server->object);
    if (context->sponsor)
        hold(context->sponsor->owner);
    if (context->state != CTX_DEAD)
        use_frame(context->upage_physical);
    for (unsigned i = 0; i < context->wait_count; i++)
        if (context->nodes[i].physical)
            use_frame(context->nodes[i].physical & ~(PAGE - 1ul));
}

static void see_watch(const struct watch *watch)
{
    use_frame(watch->bits & ~(PAGE - 1ul));
    use_frame(watch->told & ~(PAGE - 1ul));
    for (unsigned place = 0; place < EXO_WATCH_PLACES; place++)
        for (unsigned i = 0; i < watch->used[place]; i++)
            use_frame(watch->nodes[place * EXO_WATCH_WORDS + i].physical & ~(PAGE - 1ul));
}

static void see_block(const struct block *block)
{
    for (uint64_t i = 0; i < block->ready && !block->device; i++)
        use_frame(block->physical + i * PAGE);
}

static void see_share(struct share *share)
{
    for (unsigned side = 0; side < 2; side++)
        for (struct list *at = share->ready[side].next; at != &share->ready[side]; at = at->next)
            visit(&LIST_ENTRY(at, struct context, link)->object);
}

/* Contexts and their slice know each other, and neither counts the other. */
static void see_slice(struct slice *slice)
{
    unsigned bound = 0, serving = 0;

    see_share(&slice->share);
    for (struct list *at = slice->inputs.next; at != &slice->inputs; at = at->next) /* edges begin with this link */
        (void)add(at, 64, false);
    if (slice->share.entity.reserved)
        (void)add(slice->share.entity.reserved, sizeof(struct slice_reservation), false);
    for (struct list *at = slice->bound.next; at != &slice->bound; at = at->next, bound++) {
        visit(&LIST_ENTRY(at, struct context, slice_link)->object);
        REQUIRE(LIST_ENTRY(at, struct context, slice_link)->slice == slice, "slice %lu knows a context that is not bound to it", slice->object.id);
    }
    for (struct list *at = slice->serving.next; at != &slice->serving; at = at->next, serving++) {
        visit(&LIST_ENTRY(at, struct context, serves_link)->object);
        REQUIRE(LIST_ENTRY(at, struct context, serves_link)->serves_on == slice, "slice %lu knows a server of others", slice->object.id);
    }
    REQUIRE(slice->bound_count == bound && slice->serving_count == serving, "slice %lu counts %u contexts and %u servers; there are %u and %u",
            slice->object.id, slice->bound_count, slice->serving_count, bound, serving);
}

static void see_zone(struct zone *zone)
{
    see_account(&zone->gas);
    see_share(&zone->share);
    for (uint64_t page = 0; zone->below.memory && page < 16; page++)
        references_own[zone->below.memory / PAGE + page]++;
    if (zone->parent)
        sums[zone->parent->number].envs++;
}

static void look_into(struct object *object)
{
    if (object->zone && !is_static(object))
        HOLD(object->zone);
    switch (object->type) {
    case EXO_TYPE_ENV: see_env((struct env *)object); break;
    case EXO_TYPE_CTX: see_context((struct context *)object); break;
    case EXO_TYPE_FRAME: see_block((struct block *)object); break;
    case EXO_TYPE_TALLY: use_frame(((struct tally *)object)->physical & ~(PAGE - 1ul)); break;
    case EXO_TYPE_WATCH: see_watch((struct watch *)object); break;
    case EXO_TYPE_IRQ: HOLD(((struct irq *)object)->endpoint); break;
    case EXO_TYPE_TRACE: HOLD(((struct trace *)object)->block); break;
    case EXO_TYPE_DMA: HOLD(((struct dma *)object)->block); break;
    case EXO_TYPE_ZONE: see_zone((struct zone *)object); break;
    case EXO_TYPE_SLICE: see_slice((struct slice *)object); break;
    case EXO_TYPE_ENDPOINT:
        for (struct list *at = ((struct endpoint *)object)->deaths.next; at != &((struct endpoint *)object)->deaths; at = at->next)
            visit(&LIST_ENTRY(at, struct env, death_link)->object);
        break;
    default: break;
    }
}

/* ---- the whole ---- */

/* Empty pages of small objects that a zone keeps. */
static void see_kept_pages(void)
{
    for (unsigned i = 0; i < ZONES_MAX; i++)
        for (unsigned class = 0; zones[i] && class < SLAB_CLASSES; class++) {
            const struct slab_page *page = zones[i]->slab[class].empty;

            if (page && page->used == 0)
                references_own[direct_physical(page) / PAGE]++;
        }
}

static void walk(struct object *const also[], unsigned count)
{
    memset(table, 0, sizeof(table));
    memset(references_users, 0, sizeof(references_users));
    memset(references_own, 0, sizeof(references_own));
    memset(blocks, 0, sizeof(blocks));
    memset(sums, 0, sizeof(sums));
    references_found = waiting_count = 0;
    if (arch_current()->state == CTX_DEAD)
        HOLD(arch_current());
    else
        visit(&arch_current()->object); /* its environment holds it */
    visit(&machine_object);
    visit(&audit_object);
    for (unsigned i = 0; i < ZONES_MAX; i++)
        if (zones[i])
            visit(&zones[i]->object);
    for (unsigned i = 0; i < count; i++)
        visit(also[i]);
    while (waiting_count > 0)
        look_into(waiting[--waiting_count]);
    see_kept_pages();
    for (unsigned i = 0; i < HOST_RAM_END / PAGE; i++)
        if (blocks[i] > 0) {
            const struct slab_page *page = direct(i * (uint64_t)PAGE);

            references_own[i]++;
            REQUIRE(page->used == blocks[i], "page %lx has %u small objects, of which %u can be found", i * (uint64_t)PAGE, page->used, blocks[i]);
        }
}

void references_begin(void)
{
    walk(NULL, 0);
    for (unsigned i = HOST_RAM_START / PAGE; i < HOST_RAM_END / PAGE; i++)
        base[i] = frames[i].references - references_users[i] - references_own[i];
}

static void check_zones(void)
{
    struct zone_sum all[ZONES_MAX] = {0};

    for (unsigned i = 0; i < ZONES_MAX; i++)
        for (const struct zone *at = zones[i]; at; at = at->parent) {
            all[at->number].envs += sums[i].envs;
            all[at->number].slots += sums[i].slots;
        }
    for (unsigned i = 0; i < ZONES_MAX; i++)
        REQUIRE(!zones[i] || (zones[i]->envs.used == all[i].envs && zones[i]->slots.used == all[i].slots),
                "zone %u counts %lu environments and zones, %lu slots; there are %lu and %lu", i, zones[i]->envs.used, zones[i]->slots.used, all[i].envs,
                all[i].slots);
}

void references_check(struct object *const also[], unsigned count)
{
    walk(also, count);
    for (unsigned i = 0; i < TABLE; i++) {
        const struct object *object = table[i].is_object ? table[i].what : NULL;

        REQUIRE(!object || table[i].references == object->references, "object %lu (type %u) says that it has %u references; %u can be found",
                object->id, object->type, object->references, table[i].references);
    }
    for (unsigned i = HOST_RAM_START / PAGE; i < HOST_RAM_END / PAGE; i++)
        REQUIRE(frames[i].state == FRAME_KERNEL || frames[i].references == base[i] + references_users[i] + references_own[i],
                "frame %lx says that it has %u references; %u of users and %u of the kernel can be found", i * (uint64_t)PAGE, frames[i].references,
                references_users[i], base[i] + references_own[i]);
    check_zones();
}
