/*
 * The kernel's objects. One kernel stack a CPU and no preemption in the kernel: each entry runs to its end with interrupts off, does bounded work, and with
 * several CPUs holds one lock all the while (decision 0016).
 *
 * Objects begin with `struct object`. A capability slot holds a counted reference; so do some objects (a context holds its environment).
 * All memory comes from frames charged to a zone.
 */
#ifndef KERNEL_H
#define KERNEL_H
#include <arch/arch.h>
#include <exo/abi.h>
#include <exo/label.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kernel_calls.h>

#include "account.h"
#include "list.h"
#include "lock.h"
#include "machine.h"
#include "member.h"

#define PAGE EXO_PAGE_BYTES
#define CAP_ANY 0xffu

struct context;
struct env;
struct zone;

/* ---- diagnostics ---- */

void log_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                                      \
    } while (0)

/*
 * Work, in about what a page costs to allocate: all loops that a call's arguments or others' doings make long add to it when they are through. A batch
 * sets it to 0 and ends when it is used up (call.c); nobody else reads it.
 */
extern PER_CPU(uint64_t) kernel_work;
static inline void work_done(uint64_t pages)
{
    kernel_work += pages;
}
/* What a piece of long work may still do is counted down, to 0 at least. */
static inline void work_spend(unsigned *most, unsigned work)
{
    *most -= work < *most ? work : *most;
}

/* ---- frames: mem/frame.c ---- */

/* One for each page of RAM. */
struct frame {
    uint32_t references; /* mappings, frame objects, kernel use */
    uint16_t zone;       /* charged to */
    uint8_t order;       /* of a free block, at its first page */
    uint8_t state;       /* enum frame_state */
};
enum frame_state {
    FRAME_RESERVED, /* no RAM that is known of: a hole, a device, the firmware's tables */
    FRAME_KERNEL,   /* the kernel's image and tables, and RAM that nobody uses; never given out */
    FRAME_FREE,
    FRAME_USED,
};
_Static_assert(sizeof(struct frame) == 8, "one load");

extern struct frame *frames;
extern uint64_t frames_end, frames_total, frames_free, frames_kernel; /* end: page number after the last */

void frame_init(struct frame *table, uint64_t end);
void frame_add_range(uint64_t first, uint64_t end); /* RAM that is free from now on */
void frame_adopt_range(uint64_t first, uint64_t end); /* RAM with something in it: one reference, charged to the root zone */
void frame_keep_range(uint64_t first, uint64_t end); /* RAM of the kernel's own */
bool frame_is_ram(uint64_t physical); /* RAM that is counted: free, or given out */
bool frame_may_be_device(uint64_t physical);
/* 2^order pages charged to the zone, references 1 each, zeroed unless `raw`; 0: none. */
uint64_t frame_take(struct zone *zone, unsigned order, bool raw);
static inline struct frame *frame_of(uint64_t physical)
{
    return &frames[physical / PAGE];
}
void frame_hold(uint64_t physical);
void frame_drop(uint64_t physical); /* device pages are ignored */
void frame_return_late(void); /* those that wait until no CPU can have a translation to them (space_stale): now, before anybody is given any */
/*
 * Ranges of frames, by number, taken in three steps because of their size: one is found free, carved out of the free blocks, and its frames are
 * prepared (zeroed, one reference, a zone) one after another. What is not prepared goes back by frame_return. Charging is the caller's.
 */
int64_t frame_range_free(uint64_t first, uint64_t end); /* 0, or why not */
bool frame_find(uint64_t pages, uint64_t *first);       /* aligned to the next power of two of `pages` */
bool frame_find_colour(uint64_t pages, uint64_t colour, uint64_t colours, uint64_t *first);
void frame_carve(uint64_t first, uint64_t end);
void frame_prepare(uint64_t number, const struct zone *zone);
void frame_return(uint64_t first, uint64_t end);

/* ---- objects and capabilities: cap/ ---- */

struct object {
    uint32_t references; /* capabilities and kernel references */
    union {
        struct {
            uint8_t type; /* EXO_TYPE_* */
            uint8_t dead; /* destroyed: capabilities to it do not resolve */
        };
        uint16_t living_type; /* both: equals a type for a living object of it */
    };
    uint8_t label;       /* EXO_LABEL_*: its zone's; a zone's and an environment's are their own */
    uint64_t id;
    struct zone *zone;   /* its memory is charged here */
};

/*
 * A slot: what the holder may do to which object. `key` is what a valid handle must differ from in SLOT_LIVE and in nothing else: index in bits 0-15,
 * generation in bits 16-47, flags above. So one comparison finds stale, empty and special slots.
 */
struct capability {
    struct object *object; /* NULL: empty */
    uint64_t rights;
    struct cap_node *node;
    uint64_t key;
};
_Static_assert(sizeof(struct capability) == 32, "128 to a page");

#define SLOT_LIVE (1ul << 48)
#define SLOT_EXPIRES (1ul << 49) /* the node says when */
#define SLOT_HANDLE (SLOT_LIVE - 1)

/*
 * A node of the derivation forest: one for each capability. A capability that goes while two or more have been derived from it leaves its node
 * behind, so that whoever stands above can still take those back; with fewer the node goes too, so there are never more such nodes than
 * capabilities. Charged to the zone of the environment that holds, or held, the capability.
 */
struct cap_node {
    struct cap_node *parent, *children, *next, *previous;
    struct env *env; /* whose slot; NULL: the capability is gone */
    uint64_t badge;
    uint64_t expires_ns;
    uint16_t zone;  /* its number; the zone is held */
    uint16_t index; /* of the slot */
    uint8_t depth;  /* more than the parent's */
    bool revoking;  /* what was derived from it is being taken back, so nothing new is derived below */
    uint16_t recall; /* while revoking: batch (mem/recall.c) of what is to be unmapped when that is done; 0: nothing */
};
_Static_assert(sizeof(struct cap_node) == 64, "the smallest slab");

#define SLOTS_INLINE 64u
#define SLOTS_PAGE (PAGE / sizeof(struct capability))

/* What a new capability shall be. `parent`: the node that it derives from, or NULL. */
struct cap_make {
    struct object *object;
    struct cap_node *parent;
    uint64_t rights, badge, expires_ns;
};

/* Puts the first capability to an object into an empty slot (index 0: any); returns the handle or an error. */
int64_t cap_insert(struct env *env, uint64_t index, struct object *object, uint64_t rights, uint64_t badge);
/* As cap_insert, for an object that was made by virtue of a capability to another: taken back with what derives from that. */
int64_t cap_insert_below(struct env *env, const struct capability *above, struct object *object, uint64_t rights);
/* As cap_insert, for one that derives from another: within its rights and its time. */
int64_t cap_derive(struct env *env, uint64_t index, const struct capability *source, uint64_t rights, uint64_t badge, uint64_t expires_ns);
/* Gives one like it to another environment, if the label rules allow that: what travels with a message. The new handle, or an error. */
int64_t cap_grant(struct env *from, uint64_t handle, struct env *to);
void cap_clear(struct env *env, struct capability *slot);
struct capability *cap_slot_make(struct env *env, uint32_t index); /* as cap_slot, but makes the page that is missing; NULL: no memory */
/* An empty slot at the index, or anywhere (0, changed); NULL and the error in *status. */
struct capability *cap_empty_slot(struct env *env, uint64_t *index, int64_t *status);
/* Fills an empty slot; its handle is of the generation. False: no memory. */
bool cap_fill(struct env *env, struct capability *slot, uint32_t index, uint32_t generation, const struct cap_make *make);
int64_t cap_move_slot(struct env *from, struct capability *source, struct env *to, struct capability *slot, uint32_t index);
/* Empties up to `most` slots; true when none is left. */
bool cap_clear_some(struct env *env, unsigned most);
void cap_free_table(struct env *env);
static inline uint64_t cap_handle(const struct capability *slot)
{
    return slot->key & SLOT_HANDLE;
}

/* cap/node.c */
void node_free(struct cap_node *node); /* one that node_new made just now */
void node_leave(struct cap_node *node); /* its capability is gone */
#define NODE_DEPTH_LAST UINT8_MAX
extern unsigned node_revocations; /* nodes marked `revoking` */
bool node_is_revoked(const struct cap_node *node); /* it or one above is marked */

/* False at the last depth, and below a node whose descendants are being taken back. */
static inline bool node_may_derive(const struct cap_node *node)
{
    return node->depth != NODE_DEPTH_LAST && (__builtin_expect(node_revocations == 0, true) || !node_is_revoked(node));
}

void *object_new(struct zone *zone, unsigned type, size_t bytes);
void object_last_dropped(struct object *object); /* frees it */
static inline void object_hold(struct object *object)
{
    lock_needed();
    ASSERT(object->references > 0);
    object->references++;
}
static inline void object_drop(struct object *object)
{
    lock_needed();
    ASSERT(object->references > 0);
    if (--object->references == 0)
        object_last_dropped(object);
}
void object_free(struct object *object, size_t bytes);
bool object_has_badge(unsigned type); /* capabilities of the type can be told apart by a badge */
uint64_t object_next_id(void);

/* Objects whose end takes several pieces begin with this: cap/reap.c. */
struct dying {
    struct object object;
    struct list link;
};
void reap_add(struct object *object); /* without references, or with one that reap_some drops; its link is in no list */
void reap_more(void);                 /* there is something else to do */
bool reap_some(void);                 /* one piece; false: there was nothing to do */
extern bool reap_waiting, reap_fresh; /* there is something; and something has come since the last piece */
extern unsigned reap_at_once;         /* contexts that may still be woken before the next piece */

#include "zone.h"

/* zone/audit.c */
extern struct object audit_object;
void audit_init(void);
void audit(unsigned kind, const struct env *who, uint64_t object, const struct zone *to, unsigned verdict);
void audit_crossing(const struct env *from, const struct env *to, const struct object *object, uint64_t rights);

/* ---- environments and contexts: env/ ---- */

/* What an environment is asked for and what was taken from it: env/ledger.c. */
struct ledger {
    struct exo_ledger *page; /* held; or NULL */
    struct context *context; /* held: who is told; NULL without a page */
    uint32_t event_bits;
    uint64_t demands, takings;
    /* The open demand for memory; wanted 0: none. */
    uint64_t wanted, mapped_then, taken, deadline_ns;
    uint64_t offer_va, offer_end, cursor_va; /* where taking goes on */
};

struct env {
    struct object object;
    struct list death_link; /* in the death endpoint's queue; at the end among the dying (cap/reap.c) */
    struct member member; /* of its zone */
    struct list recall_link; /* among all: mem/recall.c */
    uint64_t recall_pass;
    struct space space; /* address space (arch.h) */
    struct zone *zone; /* counted; what it takes is charged there */
    struct gas_account *gas; /* whose gas it uses: own_gas, its zone's, or its creator's (counted) */
    struct gas_account own_gas;
    struct list contexts;
    struct endpoint *death; /* told when this ends */
    uint64_t death_cookie;
    uint64_t death_reason, death_address, death_pc;
    uint8_t ended;    /* contexts are gone, the note is sent */
    uint8_t note_queued;
    uint32_t context_count;
    uint32_t slots_used;
    uint32_t slots_end;  /* no slot at or above has ever been used */
    uint32_t slots_hint; /* 1 or more; no free slot below */
    uint64_t mapped, tables, calls, faults, cpu_cycles; /* cycles: that contexts ran which are gone (sched_env_cycles) */
    struct ledger ledger;
    struct capability **directory; /* pages of slots from SLOTS_INLINE on */
    struct capability slots[SLOTS_INLINE];
};
_Static_assert(sizeof(struct env) <= PAGE, "an environment is a page");

static inline struct capability *cap_slot(struct env *env, uint32_t index) /* NULL: there is none yet */
{
    struct capability *page;

    if (__builtin_expect(index < SLOTS_INLINE, true))
        return &env->slots[index & (SLOTS_INLINE - 1)]; /* the mask is for speculation */
    if (index >= EXO_SLOTS_MAX || !env->directory)
        return NULL;
    index -= SLOTS_INLINE;
    page = env->directory[index / SLOTS_PAGE];
    return page ? &page[index % SLOTS_PAGE] : NULL;
}

int64_t cap_explain(const struct capability *slot, uint64_t handle, unsigned type, uint64_t rights);

/* On the path of each call: one comparison of the key finds empty, stale and special slots, one tells a living object of the type. */
static inline bool cap_fits(const struct capability *slot, uint64_t handle, unsigned type, uint64_t rights)
{
    return (slot->key ^ handle) == SLOT_LIVE && (type == CAP_ANY ? !slot->object->dead : slot->object->living_type == type) &&
           !(rights & ~slot->rights);
}

/* Resolves a handle of env: type and rights checked. */
static inline int64_t cap_resolve(struct env *env, uint64_t handle, unsigned type, uint64_t rights, struct capability **found)
{
    struct capability *slot = cap_slot(env, (uint32_t)(handle & 0xffff));

    *found = slot;
    if (__builtin_expect(slot && cap_fits(slot, handle, type, rights), true))
        return 0;
    return cap_explain(slot, handle, type, rights);
}

/* May the environment do to the object what needs one of these relations (EXO_RULE_*)? One look-up: it stands on the path of each call. */
static inline bool label_may(const struct env *actor, const struct object *object, unsigned allowed)
{
    return exo_label_allows(actor->object.label, object->label, allowed);
}
/* Records what a rule forbade, by its EXO_AUDIT_*; -EXO_E_DENIED. */
int64_t label_refused(struct env *actor, struct object *object, unsigned kind);
/* A capability to the object has gone from one environment to another: recorded where that crosses zones. */
static inline void audit_grant(const struct env *from, const struct env *to, const struct object *object, uint64_t rights)
{
    if (from->zone != to->zone)
        audit_crossing(from, to, object, rights);
}

enum context_state {
    CTX_STOPPED,
    CTX_READY,
    CTX_WAIT,
    CTX_CALL,
    CTX_REPLY,
    CTX_RECEIVE,
    CTX_DRY, /* would run, but has no gas */
    CTX_DEAD,
};

/* A sleeper on a word, found by physical address: sched/wait.c. It lies in its context, which is a page. */
struct wait_node {
    struct wait_node *child[2];
    struct wait_node **place; /* what points here; NULL: another node, which came earlier, stands for the word */
    struct list same;         /* sleepers on the same word, in order */
    uint64_t physical;
};

struct context {
    struct object object;
    struct arch_context arch; /* registers, entries, FPU */
    struct env *env;          /* counted */
    struct list env_link;
    struct list link;         /* ready queue, endpoint queue, those who wait for gas */
    uint64_t upage_physical;
    struct exo_upage *upage;  /* kernel's view of the context page */
    union {
        struct {
            uint8_t state;  /* enum context_state */
            bool donated;   /* its sponsor gave it the rest of a turn, and is no client */
            uint8_t slices; /* of `slice` and `serves_on`, those that there are */
            bool timed : 1, tests : 1; /* CALL, REPLY, RECEIVE: wait_timer is armed; WAIT: not every wake ends it */
        };
        uint32_t standing; /* all of them: the fast paths look once */
    };
    uint8_t cpu, last_cpu; /* with several: number of the CPU that runs it, and that ran it last, + 1; 0: none does */
    uint8_t wait_count, sends;     /* sends: CALL, and wants no answer */
    struct gas_account *sponsor;   /* counted: the client's account pays while this serves; NULL: env->gas does */
    struct slice *slice;           /* whose share it has when it works for itself; NULL: its zone's. Not counted: the slice knows */
    struct slice *serves_on;       /* whose share it has while it has a sponsor; NULL: the sponsor's zone's */
    struct list slice_link, serves_link;
    struct gas_account *gas_woken; /* was the first that waited for this: when it runs, the next one comes */
    struct timer wait_timer, event_timer;
    uint32_t event_timer_bits;
    uint64_t cpu_cycles; /* that it ran; while it runs, less the time when it began: sched_context_cycles */
    /* IPC */
    struct endpoint *endpoint; /* counted; while CALL, RECEIVE or in a wait on it */
    struct list peers;         /* CALL: others of the same zone that call the same endpoint; only the first has its link there */
    struct context *server, *client; /* REPLY: who serves me; whose call I serve, also while I call others myself */
    uint64_t badge, transfer;  /* CALL: what the receiver sees; handle that travels, or 0 */
    struct list wait_endpoints; /* link in endpoint->pollers */
    struct wait_node nodes[EXO_WAIT_MAX];
    uint32_t test_value[EXO_WAIT_MAX]; /* with `tests`: of each node, */
    uint16_t test[EXO_WAIT_MAX];       /* and what it is compared by (waiting.h); 0: any wake ends the wait */
};
_Static_assert(sizeof(struct context) <= PAGE, "a context is a page");

struct env *env_new(struct zone *zone);
void env_end(struct env *env, uint64_t reason, uint64_t address, uint64_t pc);
/* The last reference is gone: takes apart at most `*most` pages and slots, and counts them down; true when nothing is left. */
bool env_free_some(struct env *env, unsigned *most);
#define CONTEXTS_MAX 512u /* of one environment: its end stops them all at one entry */
struct context *context_new(struct env *env, uint64_t upage_va, const struct exo_ctx_state *state, int64_t *error);
void context_kill(struct context *context);
void context_free(struct object *object);
void context_post(struct context *context, uint32_t bits);
/* Enters the upcall entry of the context, or ends its environment if that is impossible. */
void context_upcall(struct context *context, uint64_t cause, uint64_t error, uint64_t address);
/* Before going back to user code: pending events. */
void context_deliver(struct context *context);

/* Adds to the repossession vector. */
void ledger_taken(struct env *env, unsigned kind, unsigned type, uint64_t what);
void ledger_release(struct env *env);

/* ---- address spaces: mem/space.c ---- */

enum { ACCESS_READ = 1, ACCESS_WRITE = 2 };
/* Kernel address of the byte at user address va, valid to the end of its page; NULL if it is not mapped with that access. */
void *space_reach(struct env *env, uint64_t va, unsigned access);
bool space_read(struct env *env, void *to, uint64_t va, size_t bytes);
bool space_write(struct env *env, uint64_t va, const void *from, size_t bytes);
/* Copies the page if it waits for a copy on write; true if the write can be tried again. */
bool space_break_copy(struct env *env, uint64_t va);
/* Does `step` for each mapped page of the range, with bounded work: the pages passed, or what `step` or the range refused. */
int64_t space_each_page(struct env *env, uint64_t va, uint64_t pages, uint64_t argument,
                        int64_t (*step)(struct env *env, uint64_t *entry, uint64_t va, uint64_t argument));
void space_unbind(struct env *env, uint64_t *entry, uint64_t va);
int64_t space_map(struct env *env, uint64_t va, uint64_t physical, uint64_t pte_flags);
void space_unmap(struct env *env, uint64_t va); /* one page, if it is there */

/* ---- frames as objects: mem/block.c ---- */

struct block {
    struct object object; /* its zone is charged for the pages, too */
    struct list link;     /* among the dying, or as below */
    uint64_t physical;
    uint64_t pages;
    uint64_t ready; /* pages that are prepared and can be mapped; those behind are nobody's yet */
    bool device;
    /* mem/recall.c: `link` is among those that wait for a pass; the numbers of their batches */
    bool recall_queued;
    uint16_t recall_batch, recall_loaded;
    uint64_t held_by; /* id of an environment that the pass found to have a capability */
};
bool block_free_some(struct block *block, unsigned *most);
struct block *block_new(struct zone *zone, uint64_t physical, uint64_t pages, bool device);

#include "recall.h"

/* ---- IPC: ipc/ ---- */

struct endpoint {
    struct object object;
    struct list link;      /* among the dying, while many are told that nobody receives any more */
    struct list callers;   /* contexts in CTX_CALL, the first of each zone */
    struct list receivers, pollers; /* contexts in CTX_RECEIVE; those that wait on it among other things */
    struct list deaths;    /* environments whose end is to be told */
    uint32_t receive_caps; /* capabilities with RECV: 0 means that nobody can ever answer */
    bool calls_next;       /* bits were received last: whoever calls comes before others */
    uint64_t notified;     /* bits */
};
void endpoint_caps_changed(struct endpoint *endpoint, int change);
/* Refuses callers, and forgets who is to be told of: `*most`, counted down; true when none is left. */
bool endpoint_close_some(struct endpoint *endpoint, unsigned *most);
void endpoint_death(struct env *env);
void endpoint_notify(struct endpoint *endpoint, uint64_t bits);
void endpoint_free(struct object *object);
bool endpoint_has_message(const struct endpoint *endpoint);
void ipc_break(struct context *context);  /* leaves the call or the receiving that it waits in */
void ipc_forget(struct context *context); /* leaves all queues and partnerships; callers get PEER */

#include "schedule.h"

/* ---- tallies: ipc/tally.c; interrupts: dev/irq.c ---- */

struct tally {
    struct object object;
    uint64_t physical; /* of the word; its frame is held */
    uint32_t count;
};
void tally_changed(struct tally *tally, int change);
void tally_free(struct object *object);

struct irq {
    struct object object;
    struct endpoint *endpoint;
    uint64_t bits;
    unsigned line;
};
/* dev/ports.c */
struct ports {
    struct object object;
    uint64_t first, count;
};
void ports_free(struct object *object);
/* dev/dma.c */
struct dma {
    struct object object;
    struct block *block; /* held */
};
void dma_free(struct object *object);

void irq_fired(unsigned line);
void irq_free(struct object *object);

/* ---- the machine ---- */

extern struct object machine_object;
void kernel_main(const struct boot *boot);
int64_t call_dispatch(struct context *caller, uint64_t number);
/* An exception from ring 3. */
void kernel_fault(struct context *context, uint64_t vector, uint64_t error, uint64_t address);

#endif
