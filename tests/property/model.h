/*
 * The reference model: what the kernel's objects should be, said as simply as possible. After each kernel call the model is asked whether the answer was
 * allowed in its state, and changes its state accordingly. Where the kernel may choose (a free slot, a frame, when memory is short) the model
 * looks at what it chose and judges that.
 */
#ifndef MODEL_H
#define MODEL_H
#include "host.h"

#include <exo/grammar.h>

#define ANY_SLOT_END 65536u

struct m_object;

/* Who derived what from which: a capability that is gone stays as a node while two or more derive from it. */
struct m_node {
    struct m_node *parent;
    struct m_object *env; /* of the slot; NULL: the capability is gone */
    struct m_object *zone; /* counted: pays for it */
    uint32_t index;
    uint64_t badge, expires_ns;
    bool revoking;
};

struct m_cap {
    struct m_object *object; /* NULL: empty */
    struct m_node *node;
    uint64_t rights;
    uint32_t generation;
    bool touched; /* was used once: is in the environment's list */
};

struct m_page {
    uint64_t va, physical;
    bool want, copy, locked, exec, user, uncached, never_exec;
};

struct m_list {
    void **at;
    unsigned count, room;
};

/* An account of gas: an environment's own, or a zone's. */
struct m_gas {
    struct m_object *above; /* of an environment's: whose is above */
    bool limited, full;     /* full: it once held as much as there can be */
    uint8_t class;
    uint64_t rate;                            /* 0: only grants */
    uint64_t work, paid_below;                /* done on it; paid by those below it */
    uint64_t given, brought, set_ns;          /* by gas_set and grants; by time, since then */
    uint64_t paid_seen, stops, short_ns;      /* in the kernel's account, at the last look */
    struct m_object *told;                    /* counted: endpoint that hears when it runs dry */
    uint64_t told_bits;
};

struct m_word {
    uint64_t physical; /* 0: the endpoint */
    uint32_t kind, value;
};

struct m_object {
    struct object *kernel;
    struct m_object *zone; /* counted */
    uint8_t type, label;
    bool dead, freed, dying; /* dying: an environment, or recalled frame block, without holders that is not gone yet */
    uint32_t references;
    /* environment */
    struct m_cap *slots;
    uint32_t *touched;
    unsigned touched_count, slots_used, slots_end;
    struct m_page *pages; /* by address */
    unsigned page_count, page_room;
    uint64_t *lost; /* addresses where a page was taken, in no order */
    unsigned lost_count, lost_room;
    bool ended, note_queued;
    struct m_object *charged; /* counted: the zone that it is in */
    struct m_object *death;
    struct m_object *payer; /* whose account it uses: its own, its zone's, or another environment's, which is counted then */
    struct m_gas gas;
    uint64_t cookie, reason, reason_address, reason_pc;
    struct m_list contexts;
    uint64_t ledger_physical; /* page of the ledger, held; 0: none */
    struct m_object *ledger_context; /* held */
    uint64_t demands, takings, wanted, mapped_then, taken, reclaim_ns;
    /* context */
    struct m_object *env, *endpoint, *server, *client;
    struct m_object *sponsor; /* counted: the environment or zone whose account pays while this serves */
    struct m_object *slice, *serves_on; /* that it draws on: by itself, while it has a sponsor; they do not count it */
    bool donated; /* its sponsor gave it a turn */
    uint64_t upage_physical, upage_va, transfer;
    uint8_t state, sleeps_in; /* the call that it is in, or made last */
    bool sends;               /* CTX_CALL: and wants no answer */
    bool waits_endpoint, woken, timer_armed, event_armed, words_expected;
    uint64_t timer_ns, event_ns, timer_order, event_order, event_bits;
    uint64_t badge, result, words[6]; /* what its registers must hold when it runs again */
    struct m_word nodes[EXO_WAIT_MAX];
    unsigned node_count;
    uint64_t sleep_order;
    struct m_place *places; /* of a watch */
    uint64_t told;          /* its word; `physical`: its bits; `count`: ends */
    /* frame block; tally: the word */
    uint64_t physical, page_total, first_port, port_count;
    bool device, recalled; /* a capability to it was taken back: it is unmapped where nobody has another */
    uint32_t count;
    /* endpoint */
    struct m_list callers, receivers, pollers, deaths;
    uint32_t receive_caps;
    bool calls_next; /* bits were received last */
    uint64_t notified;
    struct m_object *block; /* of a window: counted */
    /* slice */
    uint32_t weight;
    uint64_t used_ns;
    struct m_object *inputs[EXO_TASK_EDGES]; /* that it waits for */
    unsigned input_count;
    bool done;
    uint64_t policy; /* zone */
    /* interrupt */
    unsigned line;
    uint64_t bits;
    /* zone: nobody holds it, but frames may be charged to it */
    bool closing;
    unsigned number;
};

/* A frame as users see it: who holds it, whose it is, and a word of its content. */
struct m_frame {
    uint32_t references, base; /* base: holders from before the model began */
    uint64_t tag;
};

#define TAG_OFFSET (PAGE - 8u)

extern struct m_frame m_frames[HOST_RAM_END / PAGE];
extern struct m_list m_objects; /* all that live */
extern bool m_traced; /* the CPU */
extern struct m_object *m_current, *m_zone_root, *m_lines[256];

/* One call as the model sees it. */
struct step {
    struct m_object *caller, *env;
    unsigned number;
    uint64_t a[6];
    int64_t result;
    struct m_cap *caps[6]; /* of arguments that are capabilities; NULL: refused */
    uint64_t must, may;    /* errors: one of `must`, if any, has to be answered */
    uint64_t free;         /* before the call: free frames, */
    struct room {
        uint64_t frames, envs, slots;
    } room[ZONES_MAX];     /* and what each zone could still take */
    bool blocked;          /* the caller sleeps now */
    bool pending;          /* events were posted to the caller before the call */
    /* inputs, read before the call */
    struct exo_predicate predicates[EXO_WAIT_MAX];
    uint32_t predicate_word[EXO_WAIT_MAX];
    struct exo_ctx_state state;
    struct exo_zone_limits limits;
    struct exo_gas_policy policy;
    bool input_valid;
};

/* Ends this process, which was forked: without what exit() would do for the parent, but with the counters of a coverage build written. */
_Noreturn void leave_process(int status);
_Noreturn void m_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define REQUIRE(condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            m_fail(__VA_ARGS__);                                                                                       \
    } while (0)
#define ERROR_BIT(name) (1ul << EXO_E_##name)
#define MUST(s, condition, name) ((s)->must |= (condition) ? ERROR_BIT(name) : 0)
#define MAY(s, condition, name) ((s)->may |= (condition) ? ERROR_BIT(name) : 0)

/* ---- model.c: objects, capabilities, frames ---- */
void m_begin(struct env *first_env, struct context *first);
void list_push(struct m_list *list, void *member);
bool list_take(struct m_list *list, const void *member);
static inline struct m_object *list_object(const struct m_list *list, unsigned i)
{
    return list->at[i];
}
struct m_object *m_new(unsigned type, struct object *kernel, struct m_object *zone);
struct m_object *m_find(const struct object *kernel);
void m_hold(struct m_object *object);
void m_drop(struct m_object *object);
/* Errors that the handle earns, 0 if it names a capability of that type and rights. */
uint64_t m_resolve(struct m_object *env, uint64_t handle, unsigned type, uint64_t rights, struct m_cap **found);
/* What a new capability is. */
struct m_make {
    struct m_object *object;
    struct m_node *parent;
    uint64_t rights, badge, expires_ns;
};
void m_fill(struct m_object *env, uint32_t index, const struct m_make *make);
/* What derives from the capability, with at most these rights and that time. */
struct m_make m_derive(const struct m_cap *source, uint64_t rights, uint64_t badge, uint64_t expires_ns);
bool m_may_derive(const struct m_node *node);
unsigned m_depth(const struct m_node *node);
extern struct m_list m_nodes;
bool m_descends(const struct m_node *node, const struct m_node *from);
void m_move(struct m_object *from, struct m_cap *source, struct m_object *to, uint64_t handle);
void m_clear(struct m_object *env, uint32_t index);
uint64_t m_handle(const struct m_object *env, const struct m_cap *cap);
/* The kernel put a capability into a slot of env and answered this handle: it must have been free. */
void m_inserted(struct m_object *env, uint64_t handle, const struct m_make *make);
/* As m_inserted, with a reference of the creator's, which goes. */
void m_created(struct step *s, struct m_object *object, uint64_t rights);
/* As m_created, for an object made by virtue of a capability: its own derives from that. */
void m_created_below(struct step *s, const struct m_cap *above, struct m_object *object, uint64_t rights);
void m_check_below(struct step *s, const struct m_cap *above); /* can anything derive from that? */
struct object *m_kernel_object(struct m_object *env, uint64_t handle);
bool m_tight(const struct step *s, const struct m_object *zone, uint64_t needed);
/* May the caller do to the object what needs one of the relations (EXO_RULE_*)? */
bool m_label_may(const struct step *s, const struct m_object *object, unsigned relations);
bool m_recalling(void); /* a block is */
bool m_holds(const struct m_object *env, const struct m_object *object);
void m_recalled_check(void); /* after a revocation at one entry: who has no capability has nothing mapped */
void m_reap(void); /* environments that the kernel has taken apart, or begun to */
void m_zones_end(void); /* those that the kernel has ended, rightly */
bool m_refused(struct step *s);
void m_frame_hold(uint64_t physical);
void m_frame_drop(uint64_t physical);
void m_frame_new(uint64_t physical, bool zeroed);
void m_tally_changed(struct m_object *tally, int change);
void m_env_end(struct m_object *env, uint64_t reason, uint64_t address, uint64_t pc);
void m_env_clear(struct m_object *env);
void m_env_taken_apart(struct m_object *env);

/* ---- model_memory.c ---- */
struct m_page *m_page(struct m_object *env, uint64_t va);
struct m_page *m_page_from(struct m_object *env, uint64_t va); /* the first at or above va */
void m_unmap(struct m_object *env, uint64_t va);
/* Where a page was taken, until something is mapped or unmapped there. */
bool m_lost(const struct m_object *env, uint64_t va);
void m_lose(struct m_object *env, uint64_t va);
void m_unlose(struct m_object *env, uint64_t va, uint64_t pages);
struct m_page *m_map(struct m_object *env, struct m_page page); /* takes over a reference to the frame */
bool m_readable(struct m_object *env, uint64_t va, uint64_t bytes);
/* What the kernel, or ring 3, did to the pages when it wrote there; false: it must have been refused. */
bool m_wrote(struct step *s, struct m_object *env, uint64_t va, uint64_t bytes);
bool m_wrote_each(struct step *s, struct m_object *env, uint64_t va, uint64_t bytes, uint64_t count); /* one thing after another */
bool m_read(struct m_object *env, void *to, uint64_t va, uint64_t bytes);
uint64_t kernel_pte(struct m_object *env, uint64_t va);

/* ---- model_ipc.c ---- */
void m_context_kill(struct m_object *context);
void m_ready(struct m_object *context, int64_t result);
void m_finish(struct m_object *context, int64_t result);
/* Who serves works on his client's gas and share; NULL: on his own again. */
void m_sponsor(struct m_object *server, struct m_object *owner, struct m_object *slice);
void m_forget(struct m_object *context);
void m_post(struct m_object *context, uint64_t bits);
void m_wake(uint64_t physical, uint64_t most, uint64_t *woken);
void m_wake_at(uint64_t physical, uint32_t word, uint64_t most, uint64_t *woken); /* when the word was that */
bool m_test_holds(uint32_t kind, uint32_t word, uint32_t value);
bool m_predicate_known(const struct exo_predicate *predicate);
void m_notify(struct m_object *endpoint, uint64_t bits);
void m_serve(struct m_object *endpoint);
void m_receive_caps_changed(struct m_object *endpoint, int change);
void m_expire(uint64_t now_ns);
void m_ran(struct m_object *context); /* it runs now */
void call_ep_call(struct step *s);
void call_ep_recv(struct step *s);
void call_ep_reply_recv(struct step *s);
void call_ep_reply(struct step *s);
void call_wait(struct step *s);
void call_timer_set(struct step *s);
void ipc_present(struct step *s);

/* ---- model_ledger.c ---- */
void m_taken(struct m_object *env); /* something was taken from it, by which its context is told */
void m_ledger_release(struct m_object *env);

/* ---- model_gas.c ---- */
void m_gas_begin(struct m_object *context);
struct m_object *m_gas_payer(const struct m_object *context);
void m_gas_work(uint64_t units); /* was done by who runs */
void m_gas_time(uint64_t passed_ns);
void m_gas_runs(const struct m_object *context, bool switched);
void m_gas_join(struct m_object *env, const struct m_object *maker);
void m_gas_change_zone(struct m_object *env, struct m_object *from, struct m_object *to);
void m_gas_end(struct m_object *owner);
void m_gas_unseen(void);
void m_gas_settle(void);
void m_gas_all_asleep(void);
void m_gas_compare(void);

/* ---- model_watch.c ---- */
void m_watch_clear(struct m_object *watch);
/* Those that wait at the word, when it was that, are told. */
void m_watches_tell(uint64_t physical, uint32_t word);
void watch_create(struct step *s);
void watch_place(struct step *s);

/* ---- model_slice.c ---- */
struct m_object *m_slice_of(const struct m_object *context);
bool m_is_gated(const struct m_object *context);
void m_slice_serve(struct m_object *context, struct m_object *slice);
void m_slice_end(const struct m_object *slice);
void m_slice_time(uint64_t passed_ns);
void m_turn_over(void);
void m_turn_taken(struct m_object *context);
void m_turn_begins(const struct m_object *running);
void m_turn_chosen(void);
void m_turn_check(void); /* at the end of a kernel entry */
void m_slice_compare(const struct m_object *object);

/* ---- model_calls.c ---- */
void step_before(struct step *s);
void step_after(struct step *s);
bool model_knows(unsigned number);
void step_room(struct step *s); /* sees how much is left */

/* ---- compare.c ---- */
void compare_env(struct m_object *env);
void compare_all(void);
/* The kernel itself may hold the object a while longer: its pages are to be unmapped, or blocks that it is charged for taken apart. */
bool m_is_kept(const struct m_object *object);
void check_invariants(void);

#endif
