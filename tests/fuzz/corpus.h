/*
 * Messages that clients may send to proc and tty, each as an honest libOS would, and what a fuzzer makes of them: one field changed, several, or all. The
 * same corpus serves the fuzzers on the host (tests/unit, with the servers' code under ASan) and the one in the guest (tests/misuse/messages.c).
 *
 * A word can name what is known only when the message is sent (enum corpus_name); whoever includes this says what it stands for by corpus_value, and brings
 * Linux's names of signals and flags along: the guest's C library has them, or libos/posix/linux.h.
 */
#ifndef CORPUS_H
#define CORPUS_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../libos/posix/proto/limit.h"
#include "../../libos/posix/proto/proc.h"
#include "../../libos/posix/proto/termios.h"
#include "../../libos/posix/proto/tty.h"

#define CORPUS_PAGE 4096u
#define CORPUS_NAME(n) (0x6e616d6500000000ull + (n)) /* a word that stands for something */

enum corpus_name {
    OWN_PID = 1, OWN_CHILD, OTHER_PID, FIRST_PID, DEAD_PID, OWN_GROUP, OTHER_GROUP, /* processes: of the sender's user, and of somebody else */
    OWN_MASTER, OWN_SLAVE, OTHER_MASTER, OTHER_SLAVE, OLD_SLAVE,                     /* handles of terminals; OLD: hung up */
    OWN_NODE, OTHER_NODE, FOLDER_NODE, OWN_TOKEN, /* files: FOLDER anybody's */
    PLACE, /* an address where the sender has room for pages */
    CORPUS_NAMES,
};
#define N(name) CORPUS_NAME(name)
uint64_t corpus_value(enum corpus_name name);

struct corpus_message {
    uint64_t word[5];
    uint16_t bytes; /* of the message page */
    const void *page;
};

#define PAGE_OF(type, ...) sizeof(type), &(const type) __VA_ARGS__
#define TEXT_PAGE(text) sizeof(text), text

static const struct corpus_message corpus_proc[] = {
    {{PX_PROC_FORK}, 0, NULL}, /* from a page of zeros; what is random there is by mutation */
    {{PX_PROC_FORK, PX_FORK_VFORK}, 0, NULL},
    {{PX_PROC_FORK, PX_FORK_PARENT}, 0, NULL},
    {{PX_PROC_FORK, PX_FORK_VFORK | PX_FORK_LENT}, 0, NULL},
    {{PX_PROC_CLAIM, N(OWN_CHILD)}, 0, NULL},
    {{PX_PROC_CLAIM, N(OWN_CHILD), 1}, 0, NULL},
    {{PX_PROC_LENT_EXIT, N(OWN_CHILD), 7 << 8}, 0, NULL},
    {{PX_PROC_RENEW, 0x10000, 1}, 0, NULL},
    {{PX_PROC_CHROOT, 1}, 0, NULL},
    {{PX_PROC_SETID, 0, 0, 3}, 0, NULL},
    {{PX_PROC_FORK_DONE, N(OWN_CHILD), 1}, 0, NULL},
    {{PX_PROC_FORK_DONE, N(OTHER_PID), 1}, 0, NULL},
    {{PX_PROC_EXEC}, TEXT_PAGE("sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0/bin/sh")},
    {{PX_PROC_WAIT, ~0ull, 4}, 0, NULL},
    {{PX_PROC_WAIT, N(OWN_CHILD), 4 | 2 | 8 | 0x01000000}, 0, NULL},
    {{PX_PROC_WAIT, N(OTHER_PID), 4}, 0, NULL},
    {{PX_PROC_KILL, N(OWN_CHILD), SIGTERM}, 0, NULL},
    {{PX_PROC_KILL, N(OWN_CHILD), SIGKILL}, 0, NULL},
    {{PX_PROC_KILL, N(OTHER_PID), SIGKILL}, 0, NULL},
    {{PX_PROC_KILL, N(OTHER_PID), SIGCONT}, 0, NULL},
    {{PX_PROC_KILL, ~0ull, SIGKILL}, 0, NULL},
    {{PX_PROC_KILL, 0, SIGSTOP}, 0, NULL},
    {{PX_PROC_KILL, N(OWN_PID), 34, PX_KILL_SIGQUEUE, 77}, 0, NULL},
    {{PX_PROC_KILL, N(OWN_PID), SIGTSTP, PX_KILL_TKILL}, 0, NULL},
    {{PX_PROC_SETPGID, 0, 0}, 0, NULL},
    {{PX_PROC_SETPGID, N(OWN_CHILD), N(OWN_GROUP)}, 0, NULL},
    {{PX_PROC_SETPGID, N(OTHER_PID), N(OWN_GROUP)}, 0, NULL},
    {{PX_PROC_SETPGID, 0, N(OTHER_GROUP)}, 0, NULL},
    {{PX_PROC_SETSID}, 0, NULL},
    {{PX_PROC_SETCRED, PX_CRED_UID, 0}, 0, NULL},
    {{PX_PROC_SETCRED, PX_CRED_RESUID, 1000, 1000, 1000}, 0, NULL},
    {{PX_PROC_SETCRED, PX_CRED_REGID, 1000, 0}, 0, NULL},
    {{PX_PROC_SETGROUPS, 3}, PAGE_OF(uint32_t[4], {0, 50, 1000})},
    {{PX_PROC_STOPPED, 0x137f, SIGSTOP}, 0, NULL},
    {{PX_PROC_STOPPED, 0x147f, SIGTSTP}, 0, NULL},
    {{PX_PROC_CONTINUED}, 0, NULL},
    {{PX_PROC_SETPRIORITY, 0, N(OTHER_PID), 5}, 0, NULL},
    {{PX_PROC_SETPRIORITY, 1, 0, 7}, 0, NULL},
    {{PX_PROC_SETPRIORITY, 2, 0, 3}, 0, NULL},
    {{PX_PROC_SETHOSTNAME, 4}, TEXT_PAGE("host")},
    {{PX_PROC_SETTTY, ~0ull}, 0, NULL},
    {{PX_PROC_SETTTY, 1, N(OTHER_GROUP)}, 0, NULL},
    {{PX_PROC_TTYSIGNAL, N(OTHER_GROUP), SIGINT}, 0, NULL},
    {{PX_PROC_SPAWN, 1}, 0, NULL},
    {{PX_PROC_PRCTL, 15}, TEXT_PAGE("a name of fifteen")},
    {{PX_PROC_PRCTL, 4, 1}, 0, NULL},
    {{PX_PROC_PRCTL, 1, SIGUSR1}, 0, NULL},
    {{PX_PROC_PRCTL, 36, 1}, 0, NULL},
    {{PX_PROC_PRCTL, 37}, 0, NULL},
    {{PX_PROC_USAGE, 0}, 0, NULL},
    {{PX_PROC_USAGE, N(OTHER_PID)}, 0, NULL},
    {{PX_PROC_USAGE, N(DEAD_PID)}, 0, NULL},
    {{PX_PROC_REBOOT, 1}, 0, NULL},
    {{PX_PROC_TABLE, 0}, 0, NULL},
    {{PX_PROC_TABLE, 126}, 0, NULL},
    {{PX_PROC_ZONE, 0}, 0, NULL},
    {{PX_PROC_ZONE, 3}, PAGE_OF(uint64_t[4], {~0ull, 8, ~0ull, 100})},
    {{PX_PROC_AUDIT}, 0, NULL},
    {{PX_PROC_RECLAIM, N(OTHER_PID)}, 0, NULL},
    {{PX_PROC_INSPECT, N(OTHER_PID)}, 0, NULL},
    {{PX_PROC_INSPECT, 3, 1}, 0, NULL},
    {{PX_PROC_LIMIT, 0, PX_LIMIT_NOFILE | PX_LIMIT_SET, 100, 200}, 0, NULL},
    {{PX_PROC_LIMIT, N(OTHER_PID), PX_LIMIT_NPROC | PX_LIMIT_SET, 1, 1}, 0, NULL},
    {{PX_PROC_LIMIT, N(OWN_CHILD), PX_LIMIT_NPROC}, 0, NULL},
    {{PX_PROC_EXIT, 7 << 8}, 0, NULL},
    {{PX_PROC_EXIT, 0x137f}, 0, NULL}, /* the status of who was stopped */
};

/* A request with no structure, with a number, and one of settings. */
#define TTY_ASK(handle, request, argument) {{PX_TTY_IOCTL, N(handle), request, argument}, 0, NULL}
#define TTY_INT(handle, request, ...) {{PX_TTY_IOCTL, N(handle), request}, PAGE_OF(int32_t[1], {__VA_ARGS__})}
#define SETTINGS(i, o, l) PAGE_OF(struct px_termios, {.iflag = i, .oflag = o, .cflag = 0xbf, .lflag = l, .control = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26}})
#define TTY_SET(handle, request, i, o, l) {{PX_TTY_IOCTL, N(handle), request}, SETTINGS(i, o, l)}

static const struct corpus_message corpus_tty[] = {
    {{PX_TTY_OPEN, PX_TTY_CTTY, O_RDWR}, 0, NULL},
    {{PX_TTY_OPEN, 0, O_RDWR | O_NOCTTY}, 0, NULL},
    {{PX_TTY_OPEN, 1, O_RDWR}, 0, NULL},
    {{PX_TTY_OPEN, 2, O_RDWR | O_NOCTTY}, 0, NULL},
    {{PX_TTY_CLOSE, N(OWN_SLAVE)}, 0, NULL},
    {{PX_TTY_NEWPTY}, 0, NULL},
    {{PX_TTY_CLAIM, N(OTHER_SLAVE)}, 0, NULL},
    {{PX_TTY_READ, N(OWN_MASTER), 4096}, 0, NULL},
    {{PX_TTY_READ, N(OWN_SLAVE), 100}, 0, NULL},
    {{PX_TTY_READ, N(OTHER_MASTER), 1}, 0, NULL},
    {{PX_TTY_READ, N(OTHER_SLAVE), 1}, 0, NULL},
    {{PX_TTY_READ, N(OLD_SLAVE), 1}, 0, NULL},
    {{PX_TTY_WRITE, N(OWN_MASTER), 29}, TEXT_PAGE("keys\b\b\t\x16\x03\nof\x15 a \x12line\x1a\x04\r\n")},
    {{PX_TTY_WRITE, N(OWN_MASTER), 4096}, TEXT_PAGE("\x03\x1a\x1c\x13\x11")},
    {{PX_TTY_WRITE, N(OWN_SLAVE), 9}, TEXT_PAGE("output\t\n\r")},
    {{PX_TTY_WRITE, N(OWN_SLAVE), 4096}, TEXT_PAGE("\n\n\n\n")},
    {{PX_TTY_WRITE, N(OTHER_SLAVE), 3}, TEXT_PAGE("bad")},
    {{PX_TTY_WRITE, N(OTHER_MASTER), 3}, TEXT_PAGE("\x03\x03\x03")},
    {{PX_TTY_POLL, N(OWN_MASTER)}, 0, NULL},
    {{PX_TTY_POLL, N(OWN_SLAVE)}, 0, NULL},
    {{PX_TTY_POLL, N(OTHER_SLAVE)}, 0, NULL},
    {{PX_TTY_LOG, 0, 0}, 0, NULL},
    TTY_ASK(OWN_SLAVE, PX_TCGETS, 0),
    TTY_ASK(OWN_SLAVE, PX_TCGETS2, 0),
    TTY_ASK(OWN_SLAVE, PX_TCGETA, 0),
    TTY_ASK(OTHER_SLAVE, PX_TCGETS, 0),
    TTY_SET(OWN_SLAVE, PX_TCSETS, PX_ICRNL | PX_IXON, PX_OPOST | PX_ONLCR, PX_ISIG | PX_ICANON | PX_ECHO | PX_ECHOE | PX_ECHOK | PX_ECHOCTL | PX_IEXTEN),
    TTY_SET(OWN_SLAVE, PX_TCSETSW, PX_PARMRK | PX_ISTRIP | PX_IUCLC, PX_OPOST | PX_XTABS | PX_OLCUC | PX_ONOCR, PX_ICANON | PX_ECHO | PX_ECHOPRT),
    TTY_SET(OWN_SLAVE, PX_TCSETSF2, PX_IXANY | PX_IXON | PX_INLCR, PX_OPOST | PX_OCRNL | PX_ONLRET, PX_ISIG | PX_ECHONL | PX_TOSTOP | PX_EXTPROC),
    TTY_SET(OWN_MASTER, PX_TCSETS2, 0, 0, 0),
    TTY_SET(OWN_SLAVE, PX_TCSETAF, 0, 0, 0),
    TTY_SET(OTHER_SLAVE, PX_TCSETS, 0, 0, 0),
    TTY_INT(OWN_SLAVE, PX_TIOCSPGRP, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCGPGRP, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCGSID, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCSCTTY, 0),
    TTY_ASK(OTHER_SLAVE, PX_TIOCSCTTY, 1),
    TTY_ASK(OWN_SLAVE, PX_TIOCNOTTY, 0),
    TTY_ASK(OWN_MASTER, PX_TIOCGWINSZ, 0),
    {{PX_TTY_IOCTL, N(OWN_MASTER), PX_TIOCSWINSZ}, PAGE_OF(struct px_winsize, {25, 80, 0, 0})},
    TTY_ASK(OWN_SLAVE, PX_TCFLSH, 2),
    TTY_ASK(OWN_MASTER, PX_TCFLSH, 0),
    TTY_ASK(OWN_SLAVE, PX_TCXONC, 0),
    TTY_ASK(OWN_SLAVE, PX_TCXONC, 1),
    TTY_ASK(OWN_SLAVE, PX_TCXONC, 2),
    TTY_ASK(OWN_SLAVE, PX_TCSBRKP, 1),
    TTY_ASK(OWN_SLAVE, PX_FIONREAD, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCOUTQ, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCEXCL, 0),
    TTY_ASK(OWN_SLAVE, PX_TIOCNXCL, 0),
    TTY_ASK(OWN_MASTER, PX_TIOCGPTN, 0),
    TTY_INT(OWN_MASTER, PX_TIOCSPTLCK, 0),
    TTY_INT(OWN_MASTER, PX_TIOCSPTLCK, 1),
    TTY_INT(OWN_MASTER, PX_TIOCPKT, 1),
    TTY_ASK(OWN_SLAVE, PX_TIOCVHANGUP, 0),
    TTY_ASK(OTHER_SLAVE, PX_TIOCVHANGUP, 0),
    TTY_INT(OWN_SLAVE, PX_TIOCSTI, 'x'),
};

/* ---- random numbers: the same ones for the same seed --------------------------------------------------------------------------------------- */

static uint64_t corpus_state = 1;

static inline uint64_t corpus_random(void)
{
    corpus_state ^= corpus_state << 13;
    corpus_state ^= corpus_state >> 7;
    corpus_state ^= corpus_state << 17;
    return corpus_state;
}

static inline uint64_t corpus_below(uint64_t end)
{
    return corpus_random() % end;
}

static inline void corpus_seed(uint64_t seed)
{
    corpus_state = seed * 0x9e3779b97f4a7c15ull | 1;
    for (unsigned i = 0; i < 8; i++)
        (void)corpus_random();
}

/* A number that is likely to be on some edge. */
static inline uint64_t corpus_number(void)
{
    static const uint64_t edges[] = {0, 1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 255, 4095, 4096, 4097, 0x7fff, 0x8000, 0xffff, 0x10000,
                                     0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ull << 62, 1ull << 63, ~0ull, ~1ull, ~0xfffull};

    switch (corpus_below(6)) {
    case 0: return corpus_random();
    case 1: return corpus_below(100);
    case 2: return corpus_value((enum corpus_name)(1 + corpus_below(CORPUS_NAMES - 1)));
    case 3: return 0 - corpus_below(40);
    default: return edges[corpus_below(sizeof edges / sizeof edges[0])];
    }
}

/* One field of what the structures at the page's beginning have, or one byte. */
static inline void corpus_mutate_page(uint8_t *page)
{
    uint64_t number = corpus_number(), at = corpus_below(4) ? corpus_below(128) : corpus_below(CORPUS_PAGE - 8);

    switch (corpus_below(4)) {
    case 0: memcpy(page + (at & ~7ull), &number, 8); break;
    case 1: memcpy(page + (at & ~3ull), &number, 4); break;
    case 2: memcpy(page + (at & ~1ull), &number, 2); break;
    default: page[at] ^= (uint8_t)(1u << corpus_below(8)); break;
    }
}

static inline void corpus_noise(uint8_t *page)
{
    for (unsigned i = 0; i < CORPUS_PAGE; i += 8) {
        uint64_t number = corpus_random();

        memcpy(page + i, &number, 8);
    }
}

/* The next message: one of the corpus as it is, or changed. */
static inline void corpus_next(const struct corpus_message *corpus, unsigned count, uint64_t word[5], uint8_t *page)
{
    const struct corpus_message *from = &corpus[corpus_below(count)];
    uint64_t how = corpus_below(16);

    memset(page, how & 1 ? 0 : 'a', CORPUS_PAGE);
    if (from->bytes)
        memcpy(page, from->page, from->bytes);
    for (unsigned i = 0; i < 5; i++)
        word[i] = from->word[i] - CORPUS_NAME(0) < CORPUS_NAMES ? corpus_value((enum corpus_name)(from->word[i] - CORPUS_NAME(0))) : from->word[i];
    if (how >= 4 && how < 10)
        word[1 + corpus_below(4)] = corpus_number();
    if (how == 10)
        word[corpus_below(5)] ^= 1ull << corpus_below(64);
    if (how >= 8 && how < 14)
        corpus_mutate_page(page);
    if (how == 14)
        corpus_noise(page);
    if (how == 15)
        for (unsigned i = 0; i < 5; i++)
            word[i] = i || corpus_below(4) == 0 ? corpus_number() : word[i];
}

#endif
