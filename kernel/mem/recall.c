/*
 * What was mapped through capabilities that have been taken back is unmapped. A revocation queues the blocks; a pass goes over all environments, in
 * pieces, for up to BATCH_MOST blocks at once: from each that holds no capability to such a block its pages go, and stand in its repossession vector.
 *
 * A pass is complete whatever others do between its pieces. Pages come to an environment by a capability, which is somebody's right to them, or
 * from another environment; the one way that would matter, from one that the pass has yet to come to into one that it has been to, answers AGAIN
 * until it has been to both (recall_guards). New environments are empty. It ends, for it goes to each environment once and through that upwards.
 */
#include "space.h"

#define BATCH_MOST 512u
#define LOAD_COST 4u
#define DEVICE_COST 32u

struct env *recall_scanned;

static struct list envs = {&envs, &envs};   /* all; those that the pass has been to stand last */
static struct list queue = {&queue, &queue}; /* blocks whose pass has not begun, in order of their batches */
static struct block *table[BATCH_MOST];      /* those of the present pass, by address */
static unsigned in_table;
static bool running;   /* the table is complete */
static uint64_t pass;  /* the present one, or the last */
static uint16_t batch_done, batch_last;
static unsigned batch_count; /* blocks of the last batch */
static uint32_t scan_slot;   /* in recall_scanned: where to go on, first with its capabilities, */
static uint64_t scan_va;     /* then with its pages */

void recall_env_new(struct env *env)
{
    env->recall_pass = pass;
    list_append(&envs, &env->recall_link);
}

void recall_env_gone(struct env *env)
{
    list_remove(&env->recall_link);
    if (recall_scanned == env)
        recall_scanned = NULL;
}

void recall_holds(const struct env *env, struct object *object)
{
    if (object->type == EXO_TYPE_FRAME)
        ((struct block *)object)->held_by = env->object.id;
}

/* May anybody have it mapped? Frames of RAM know how many hold them. */
static bool may_be_mapped(const struct block *block, unsigned *most)
{
    for (uint64_t page = 0; !block->device && page < block->ready; page++) {
        work_spend(most, 1);
        if (page >= WORK_PAGES || frame_of(block->physical + page * PAGE)->references > 1)
            return true;
    }
    return block->device;
}

static uint16_t number_after(uint16_t batch)
{
    return (uint16_t)(batch + 1) ? (uint16_t)(batch + 1) : 1;
}

uint16_t recall_add(struct block *block, unsigned *most)
{
    if (block->recall_queued)
        return block->recall_batch;
    if (!may_be_mapped(block, most))
        return 0;
    if (list_empty(&queue) || batch_count == BATCH_MOST) {
        batch_last = number_after(batch_last);
        batch_count = 0;
    }
    object_hold(&block->object);
    list_append(&queue, &block->link);
    block->recall_queued = true;
    block->recall_batch = batch_last;
    batch_count++;
    reap_waiting = sched_needed = true;
    return batch_last;
}

bool recall_done(uint16_t batch)
{
    return batch == 0 || recall_idle() || (int16_t)(batch_done - batch) >= 0;
}

bool recall_idle(void)
{
    return in_table == 0 && list_empty(&queue);
}

/* How many blocks of the table begin at or below the address. */
static unsigned begun(uint64_t physical)
{
    unsigned low = 0, high = in_table;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (table[middle]->physical <= physical)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Moves blocks of one batch from the queue to the table; the pass begins when all are there. */
static void load(unsigned *most)
{
    while (!list_empty(&queue)) {
        struct block *block = LIST_ENTRY(queue.next, struct block, link);
        unsigned at = begun(block->physical);

        if (in_table > 0 && block->recall_batch != table[0]->recall_loaded)
            break;
        if (*most == 0)
            return;
        list_remove(&block->link);
        for (unsigned i = in_table++; i > at; i--)
            table[i] = table[i - 1];
        table[at] = block;
        block->recall_queued = false;
        block->recall_loaded = block->recall_batch;
        block->held_by = 0;
        work_spend(most, LOAD_COST);
    }
    running = true;
    pass++;
}

static void finish(void)
{
    batch_done = table[0]->recall_loaded;
    running = false;
    while (in_table > 0)
        object_drop(&table[--in_table]->object);
}

enum verdict { KEEP, PART, WHOLE };

/* What of [physical, physical + bytes) belongs to blocks of the table to which the environment (NULL: anybody) has no capability. */
static enum verdict judge(const struct env *env, uint64_t physical, uint64_t bytes)
{
    bool ram = frame_is_ram(physical);
    enum verdict verdict = KEEP;

    for (unsigned i = begun(physical + bytes - 1); i-- > 0;) {
        const struct block *block = table[i];
        uint64_t end = block->physical + block->pages * PAGE;
        bool whole = block->physical <= physical && end >= physical + bytes;

        if (end <= physical) {
            if (ram)
                break; /* blocks of RAM do not overlap */
            continue;
        }
        if (env && block->held_by == env->object.id) {
            if (whole)
                return KEEP;
            continue;
        }
        if (verdict != WHOLE)
            verdict = whole ? WHOLE : PART;
    }
    return verdict;
}

bool recall_guards(const struct env *source, const struct env *target)
{
    return running && source->recall_pass != pass && (target->recall_pass == pass || target == recall_scanned);
}

bool recall_concerns(uint64_t physical)
{
    return judge(NULL, physical, PAGE) != KEEP;
}

/* Marks the blocks that the environment holds; true when it is through. */
static bool scan_slots(struct env *env, unsigned *most)
{
    for (; scan_slot < env->slots_end; scan_slot++) {
        const struct capability *slot = cap_slot(env, scan_slot);

        if (*most == 0)
            return false;
        work_spend(most, 1);
        if (slot && slot->object)
            recall_holds(env, slot->object);
    }
    return true;
}

static void take(struct env *env, uint64_t *entry)
{
    space_unbind(env, entry, scan_va);
    ledger_taken(env, EXO_DEMAND_MEMORY, EXO_TYPE_FRAME, scan_va);
}

/* To the end of the table that the entry is in. */
static void scan_table(struct env *env, uint64_t *entry, unsigned *most)
{
    for (; entry; scan_va += PAGE) {
        if (*entry & PTE_PRESENT) {
            work_spend(most, frame_is_ram(pte_physical(*entry)) ? 1 : DEVICE_COST);
            if (judge(env, pte_physical(*entry), PAGE) != KEEP)
                take(env, entry);
        }
        entry = entry_after(entry, scan_va);
    }
}

/* A larger page is split if a part of it is to go, unless there is no table for that: then it goes as a whole. */
static void scan_large(struct env *env, unsigned *most)
{
    uint64_t bytes, *entry = space_large(env, scan_va, &bytes);
    enum verdict verdict = entry && *entry & PTE_PRESENT ? judge(env, pte_physical(*entry), bytes) : KEEP;

    work_spend(most, 1);
    if (verdict != KEEP && (bytes > SPACE_TABLE_BYTES || verdict == PART) && space_split(env, scan_va))
        return; /* and is looked at again */
    if (verdict != KEEP) {
        take(env, entry);
        work_spend(most, LARGE_COST);
    }
    scan_va = (scan_va & ~(bytes - 1)) + bytes;
}

static bool scan_pages(struct env *env, unsigned *most)
{
    while (scan_va < EXO_USER_TOP) {
        uint64_t *entry = space_entry(env, scan_va, false), next;

        if (*most == 0)
            return false;
        if (entry) {
            scan_table(env, entry, most);
            continue;
        }
        work_spend(most, SKIP_COST);
        next = space_next_table(env, scan_va, EXO_USER_TOP);
        if (next == scan_va)
            scan_large(env, most);
        scan_va = next > scan_va ? next : scan_va;
    }
    return true;
}

static void scan(struct env *env, unsigned *most)
{
    if (recall_scanned != env) {
        recall_scanned = env;
        scan_slot = 1;
        scan_va = 0;
    }
    if (!scan_slots(env, most) || !scan_pages(env, most))
        return;
    recall_scanned = NULL;
    env->recall_pass = pass;
    list_remove(&env->recall_link);
    list_append(&envs, &env->recall_link);
}

void recall_some(unsigned *most)
{
    while (*most > 0 && !recall_idle()) {
        struct env *env = LIST_ENTRY(envs.next, struct env, recall_link);

        if (!running)
            load(most);
        else if (list_empty(&envs) || env->recall_pass == pass)
            finish();
        else
            scan(env, most);
    }
}
