/*
 * Shares of the processor, in a tree. Each zone has a chooser, which says by its policy (policy.h) which part of the zone is next: the zone's own
 * contexts, one of its slices, or a zone below, which chooses further. sched/share.c keeps the tree and the queues; policies keep what stands in
 * the unions. Parts of kernel objects (kernel.h), which own them.
 */
#ifndef SHARE_H
#define SHARE_H
#include <stdbool.h>
#include <stdint.h>

#include "heap.h"
#include "list.h"

struct beatty;
struct chooser;
struct policy;

/* Of a share: contexts of its own, and servers of other zones that work for it. */
enum { QUEUE_OWN, QUEUE_SERVER };

enum { GATE_BUDGET = 1, GATE_INPUTS = 2 };

/* RT: so much of each period, in cycles. */
struct reservation {
    uint64_t budget, period;
    uint64_t deadline; /* of the present period */
    int64_t left;      /* of its budget */
};

/* What is chosen: a share, or a zone with all its shares. */
struct entity {
    struct chooser *in;    /* who chooses it; NULL: the first zone, which is not chosen */
    struct chooser *below; /* a zone's, which chooses further; NULL: this is a share */
    uint32_t weight;       /* against those beside it */
    uint32_t era;          /* of the chooser's, in which the state below means something */
    bool linked;           /* the policy has it */
    uint8_t gates;         /* why it must not run now: GATE_*; then it is not linked */
    uint16_t leaf;         /* Beatty: where in its trees */
    struct reservation *reserved; /* RT; NULL: none */
    union {
        struct heap_node node; /* stride: the key is the pass; RT: the deadline */
        struct {
            struct list link; /* round robin, RT's others */
            uint64_t spent;   /* of its quantum */
        } turn;
        struct {
            uint64_t start, spent; /* Beatty: when its next quantum may begin, in virtual time; what it has used of it */
            uint32_t part;         /* of a unit of virtual time, in 1/weight */
            uint8_t tree;
        } window;
    };
};

struct chooser {
    const struct policy *policy;
    struct entity *up; /* what stands for all this in the chooser above; NULL: it has the whole processor */
    uint32_t linked;   /* entities that the policy has */
    uint32_t children; /* entities that there are, the zone's own share among them; */
    struct entity *own; /* while that is the only one the policy is not asked, and does not have it */
    uint32_t era;      /* counts changes of the policy */
    uint64_t memory;   /* physical address of the policy's, charged to the zone; 0: none */
    uint64_t reserved; /* RT: parts of 2^28 that are promised */
    uint8_t depth;     /* choosers above */
    union {
        struct {
            struct heap_node *least;
            uint64_t now; /* pass of the one that has had least */
        } stride;
        struct list ring; /* round robin, DAG: the first is next */
        struct beatty *beatty;
        struct {
            struct heap_node *earliest; /* with a reservation */
            struct list rest;
        } rt;
    };
};

/* Contexts that are chosen in turn: a zone's own, or those bound to a slice. */
struct share {
    struct entity entity;
    uint64_t used;        /* cycles, ever; */
    uint64_t charged;     /* those that the policies above know of */
    struct list ready[2]; /* contexts: QUEUE_* */
    uint8_t turn;         /* which of the two lists is next */
    bool special;         /* it has, or had, a gate or a reservation: look before somebody runs on it */
};

#endif
