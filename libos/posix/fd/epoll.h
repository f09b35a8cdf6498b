/*
 * epoll's lists, between those who change them (epoll.c), those who wait (epoll_wait.c), and what is not looked at because the kernel would tell
 * (epoll_cold.c). A list is private to the process: after a fork each side has its own copy. A description of kind PX_OFD_EPOLL is only its handle.
 */
#ifndef PX_EPOLL_H
#define PX_EPOLL_H
#include "bells.h"

#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)
#define EVENT_BITS 0x7fffu /* what poll knows, and RDHUP; WAKEUP and EXCLUSIVE are above */
#define QUIET_WORDS 3u

/*
 * Of a pipe or a connection that was not ready: what a sleep would be for. While all of it is as it was, neither is the description, so that those of many
 * where nothing happens cost a look at two or three words each.
 */
struct px_quiet {
    uint64_t ring; /* that the words lie in; 0: nothing is known */
    unsigned used;
    const uint32_t *word[QUIET_WORDS]; /* all of them: the first one again where there are fewer */
    uint32_t value[QUIET_WORDS];
};

struct px_interest {
    int fd;
    struct px_ofd *ofd;
    uint32_t events;
    bool told; /* edge-triggered: reported since the words below had these values */
    uint32_t since;    /* `changes` when it came into its list */
    uint32_t watchers; /* threads that sleep and have told its pipe or socket so */
    uint32_t place;    /* of a cold one: its bell's */
    uint32_t lively;   /* `looks` when it was last more than quiet */
    uint64_t words;
    uint64_t data;
    struct px_quiet quiet;
};

struct px_epoll {
    struct px_epoll *next;
    struct px_ofd *handle;
    struct px_interest *interest; /* the hot ones, which each wait looks at, then the cold ones */
    unsigned count, hot, room;
    uint32_t looks; /* waits that looked at the list */
    struct px_bells bells; /* of the cold ones; a place's tag is where the interest stands in the list */
    unsigned next_told; /* whose turn it is when a call asks for few */
    unsigned front;     /* whose place is given next to one that has something to tell */
};

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

/* NULL: the description is none, or not this process's. */
struct px_epoll *px_epoll_of(const struct px_ofd *ofd);
/* Another thread may change the list while one sleeps: this word changes then. */
static inline uint32_t *px_epoll_change(const struct px_epoll *instance)
{
    return (uint32_t *)&instance->handle->word[0];
}
/* Moves one that is quiet or disabled among the cold (px_quiet's words are what its bell waits for), and back. False: it stays hot. Both change the order. */
bool px_epoll_cool(struct px_epoll *instance, unsigned at);
struct px_interest *px_epoll_warm(struct px_epoll *instance, struct px_interest *interest); /* where it stands then; a hot one stays where it is */
/* Makes hot what has been rung for. */
void px_epoll_hear(struct px_epoll *instance);
/* Before one is put behind the hot ones, and after the last of those has gone. */
void px_epoll_open_gap(struct px_epoll *instance);
void px_epoll_close_gap(struct px_epoll *instance);
void px_epoll_sleep_no_more(const struct px_epoll *instance); /* the cold ones' pipes and sockets count one sleeper less */
uint32_t px_epoll_changed(void); /* there is one more of px_epoll_changes() */
/* As px_ops.poll. */
unsigned px_epoll_poll(struct px_ofd *ofd, unsigned events, struct exo_predicate *predicates, unsigned *count);

#endif
