/*
 * Doors: a service behind an endpoint, with as many threads as its callers keep busy, up to a bound. In a minute:
 *
 *     int64_t serve(void *argument, struct exo_door_call *call);       answers one call: words and a capability come and go in *call
 *
 *     struct exo_door door = {.endpoint = endpoint, .env = env, .va = va, .stack_pages = 4, .threads = 8, .room = 16, .serve = serve};
 *     exo_door_open(&door);                                            the server: one context now, more when they are needed
 *
 *     struct exo_door_call call = {.word = {1, 2, 3}};
 *     exo_door_call(endpoint, &call, deadline_ns);                     a client: what `serve` returned, or BUSY, TIMEOUT, PEER
 *
 * One context always stands at the door. Calls beyond `threads` wait in a room of `room` places, each until the deadline that its caller gave, or get
 * -EXO_E_BUSY at once: with EXO_DEADLINE_NOW, and when the room is full, too. So a thread that hangs takes one of `threads`, and nobody hangs who did not
 * ask to. With `limit_ns` a call that takes longer is broken off: its thread begins anew, and its caller gets -EXO_E_PEER. That is what a caller gets, too,
 * when the server dies, whether it was being served, in the room, or before the door.
 *
 * Threads share the server's address space; `serve` runs in several at once. They are contexts of the kernel and nothing more: in a POSIX process they have
 * no thread pointer, no signals, and may touch only memory that is there; no system calls but the exokernel's. Unless its owner makes the threads itself:
 * with `start`, which has a thread of POSIX call exo_door_stand, `serve` may do what any thread may, and take and give descriptors (exo/descriptor.h). Such
 * threads cannot be broken off.
 */
#ifndef EXO_DOOR_H
#define EXO_DOOR_H
#include <exo/abi.h>
#include <stdbool.h>
#include <stdint.h>

#define EXO_DOOR_CONTEXTS 64u /* threads + room + 1 */

struct exo_door_call {
    uint64_t word[3];
    uint64_t capability; /* a handle of which the other side gets a copy; 0: none. What comes is the receiver's to keep or delete */
    uint64_t badge;      /* for `serve`: of the caller's capability */
};

typedef int64_t exo_door_function(void *argument, struct exo_door_call *call);

struct exo_door_thread {
    struct exo_door *door;
    uint64_t context;  /* handle; 0: there is none yet */
    uint64_t since_ns; /* serving */
    uint32_t state;    /* enum exo_door_state */
};

struct exo_door {
    /* What the owner says, before exo_door_open. */
    uint64_t endpoint;    /* RECV */
    uint64_t env;         /* own: MAP, CONTEXT */
    uint64_t va;          /* exo_door_bytes of address space for stacks and context pages */
    uint32_t stack_pages; /* of each thread; a page that is not there lies below */
    uint32_t threads;     /* that serve at a time */
    uint32_t room;        /* callers that wait inside */
    exo_door_function *serve;
    void *argument;
    int64_t (*start)(struct exo_door_thread *thread); /* NULL: contexts; else `env`, `va` and `stack_pages` are not used. 0, or why there is none */
    uint64_t limit_ns;                                /* 0: none; else `info` is needed, and no `start` */
    const struct exo_info *info; /* the kernel's public page */
    /* The door's own; shared by its threads. */
    uint32_t made;      /* contexts */
    uint32_t receiving; /* of them stand at the door */
    uint32_t serving;   /* those in the room sleep on it */
    uint32_t served, refused, broken_off; /* how often */
    struct exo_door_thread thread[EXO_DOOR_CONTEXTS];
};

static inline uint64_t exo_door_bytes(const struct exo_door *door)
{
    return (uint64_t)(door->threads + door->room + 1) * (door->stack_pages + 2) * EXO_PAGE_BYTES;
}

/* Opens the door with one context. Doors stay open as long as their environment lives. -EXO_E_INVAL: too many or no threads; NOMEM, NOSLOT, LIMIT, EXISTS. */
int64_t exo_door_open(struct exo_door *door);

/* What a thread that `start` made does: it returns when the endpoint is gone. */
void exo_door_stand(struct exo_door_thread *thread);

/*
 * Calls: what the server's function returned, or -EXO_E_BUSY, TIMEOUT (until `deadline_ns` no thread was free), PEER. An answer's capability is the
 * caller's. Once a thread serves the call there is no deadline any more, but the door's own.
 */
int64_t exo_door_call(uint64_t endpoint, struct exo_door_call *call, uint64_t deadline_ns);

#endif
