/*
 * tty, the terminal server: its state and what its files owe each other. One context, so no locks. Calls from clients are answered at once;
 * who must wait is told to (proto/tty.h). tty calls only proc, and only between answers, so that it is never in the middle of a call.
 *
 *   main.c      start and main loop          host*.c     the link: HELLO, standard streams, exit
 *   serve.c     clients' calls               control.c   ioctl
 *   terminal.c  terminals, opening, closing  job.c       process groups, signals, hang-up
 *   line*.c     the line discipline          frames.c    the link's frames         stream.c   the standard streams' rings
 */
#ifndef TTY_SERVICE_H
#define TTY_SERVICE_H
#include <exo/ipc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libos/posix/linux.h"
#include "layout.h"
#include "line.h"
#include "proctab.h"
#include "server.h"
#include "tty.h"

#define PENDING_BYTES 4096u /* input that the line discipline has no room for yet; power of two */
#define ERESTARTSYS 512
#define EXO_FAILED_NO_LINK 0x66u /* power-off codes */
#define EXO_FAILED_LINK 0x67u

enum side_of { SIDE_SLAVE = 0, SIDE_MASTER = 1 };

/* One side of a terminal: the terminal itself, or a pseudo-terminal's master. */
struct side {
    uint32_t opens;  /* tally word: 1 + open file descriptions of all processes */
    bool open;       /* somebody has it open */
    bool was_open;   /* somebody had */
    bool awaited;    /* a client was told to sleep on this side's sequence word since it last moved */
    uint64_t tally;
    uint64_t owner;  /* the cookie of who wants SIGIO, or 0 */
    uint32_t holders[(PX_PROCS_MAX + 31) / 32]; /* processes that have shown that they hold it */
};

struct terminal {
    unsigned index;
    bool pty;
    bool locked;      /* TIOCSPTLCK: the slave cannot be opened */
    bool exclusive;   /* TIOCEXCL */
    bool packet;      /* TIOCPKT: the master reads packets */
    bool input_ended; /* console: the host's keyboard is gone */
    uint32_t epoch;   /* opens of another epoch were hung up */
    uint32_t owner;   /* user id */
    int32_t sid, pgid; /* 0: none */
    struct px_winsize size;
    struct px_termios held; /* TIOCSLCKTRMIOS: bits and characters that are not to change */
    struct side side[2];
    uint32_t pending_taken, pending_put;
    uint8_t pending[PENDING_BYTES];
    struct line line;
};

/* Who calls, as proc's table says at this moment. */
struct caller {
    unsigned index;
    uint32_t gen;
    int32_t pid, pgid, sid;
    uint32_t euid;
    bool leader;
};

/* Everything of tty that is not a terminal's. */
struct service {
    const struct px_server_start *start;
    const void *table;            /* process table */
    struct px_ttypage *page;
    struct terminal *terminal[PX_TTYS_MAX]; /* NULL: free */
    uint32_t epoch[PX_TTYS_MAX];  /* outlives the terminal */
    uint32_t gen[PX_PROCS_MAX];   /* of the processes that `holders` bits are about */
    uint64_t begun_tsc;           /* its first instruction */
    uint64_t terminals_va;        /* terminals are allocated from here on, one slot an index */
};
extern struct service service;
#define TTY_PTYS_MAX 16u /* nodes that the image has in /dev/pts */

uint64_t now_ns(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2))); /* a line on the kernel's console */

/* ---- terminal.c ---- */

struct terminal *terminal_new(unsigned index, bool pty); /* NULL: no memory */
void terminal_free(struct terminal *terminal);
struct terminal *pty_new(uint32_t owner); /* NULL: none is free */
/* Something changed that a reader, writer or poller of this side may wait for. */
void terminal_wake(struct terminal *terminal, enum side_of side);
/* Typed bytes: from the host or a master. Returns how many were taken. */
size_t terminal_input(struct terminal *terminal, const uint8_t *bytes, size_t count);
uint32_t terminal_pending(const struct terminal *terminal);
/* Has a master in packet mode more to be told than output? */
static inline bool terminal_has_news(const struct terminal *terminal)
{
    return terminal->packet && terminal->line.packet;
}
/* Gives the line discipline what waits; then signals that keys asked for. */
void terminal_pump(struct terminal *terminal);
void terminal_publish(const struct terminal *terminal);
/* Looks which sides were closed by their last holder. */
void terminals_count(void);
unsigned side_events(struct terminal *terminal, enum side_of side); /* POLL* */

/* ---- job.c ---- */

/* 0 or -errno (nobody: the badge names no living process). */
int64_t caller_find(uint64_t badge, struct caller *caller);
struct terminal *caller_terminal(const struct caller *caller); /* controlling terminal, or NULL */
/* May the caller read (SIGTTIN) or change (SIGTTOU) the terminal now? `ignored`: it blocks or ignores the signal. 0, -EIO, -ERESTARTSYS. */
int64_t job_check(const struct terminal *terminal, const struct caller *caller, int signal, bool ignored);
void job_acquire(struct terminal *terminal, const struct caller *caller);
void job_release(struct terminal *terminal); /* no session any more */
void job_signal(int32_t pgid, int signal);
/* To the terminal's foreground group, if there still is one: another session may have a group of that number by now. */
void job_signal_foreground(const struct terminal *terminal, int signal);
int64_t job_session_of_group(int32_t pgid);  /* session id, or -ESRCH */
void job_hang_up(struct terminal *terminal);
void processes_changed(void); /* some have ended: leaders' sessions, holders' bits */
/* Calls to proc, in their order: made before the client that caused them gets its answer. */
void proc_post(uint64_t operation, uint64_t a, uint64_t b, uint64_t c);
void proc_send_all(void);

/* ---- control.c ---- */

struct request {
    struct caller caller;
    struct terminal *terminal;
    enum side_of side;
    bool hung_up;       /* the handle is from before a hang-up */
    uint64_t word[5];
    uint64_t shown;     /* capability that came with the call, or 0 */
    uint8_t *data;      /* copy of the message page */
    uint64_t answer[3]; /* words 1..3 */
    uint64_t give;      /* capability that goes with the answer, or 0 */
};
int64_t control(struct request *request);

/* ---- serve.c ---- */

/* Answers one call. */
void serve(struct exo_message *message);

/* ---- host.c ---- */

void host_start(void);      /* finds the link, or ends the machine */
void host_interrupt(void);
/* One turn: moves what can be moved. True: something was, look again. */
bool host_turn(void);
/* Sleeps until there may be something to do. True: a message waits. */
bool host_sleep(void);
/* A line of text for the host's stderr; false: no room now. */
bool host_log(const uint8_t *text, size_t bytes);
/* Shows what the console terminal's programs wrote, as far as there is room. */
void host_show(void);

#endif
