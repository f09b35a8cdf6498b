/*
 * The standard streams of a command in a zone. It shares no descriptions with its starter: only the rings in its boot arguments, of which these
 * processes hold the far ends, as tty holds those of the first process. What the other side writes there is looked at once and checked
 * (servers/tty/stream.c). A tally at each end tells either side of the other's death.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <exo/calls.h>

#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/link.h"
#include "../../servers/tty/stream.h"
#include "exo.h"

#define RECHECK_NS 20000000ull

static volatile sig_atomic_t finishing;
static uint8_t bytes[65536];

static void finish(int signal)
{
    (void)signal;
    finishing = 1;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Sleeps until the other side has moved bytes, or gone; a little while at most, for it may say nothing. */
static void wait_for_other(struct stream *stream, uint32_t seen)
{
    uint32_t *ends = stream->writing ? &stream->pipe->readers : &stream->pipe->writers;
    const struct exo_predicate predicates[2] = {{.va = (uint64_t)stream_word(stream), .value = seen},
                                                {.va = (uint64_t)ends, .value = __atomic_load_n(ends, __ATOMIC_SEQ_CST)}};

    stream_watch(stream, 1);
    if (!stream_deserted(stream) && exo_wait(predicates, 2, now_ns() + RECHECK_NS) == -EXO_E_FAULT)
        exit(EXO_FAILED);
    stream_watch(stream, -1);
}

static int write_all(int to, size_t count)
{
    for (size_t done = 0; done < count;) {
        ssize_t wrote = write(to, bytes + done, count - done);

        if (wrote < 0)
            return -1;
        done += (size_t)wrote;
    }
    return 0;
}

static void carry_output(struct stream *stream, int to)
{
    for (;;) {
        uint32_t seen = stream_look(stream);
        bool over = finishing || stream_deserted(stream);
        size_t count = stream_read(stream, bytes, sizeof bytes, (const void *)PX_PROCTAB, now_ns());

        if (count > 0) {
            if (write_all(to, count) < 0)
                return; /* the zone's processes find their stream broken */
        } else if (over && !stream->blocked) {
            return;
        } else {
            wait_for_other(stream, seen);
        }
    }
}

static void carry_input(struct stream *stream)
{
    ssize_t count;

    while ((count = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
        for (size_t done = 0; done < (size_t)count;) {
            uint32_t seen = stream_look(stream);
            size_t wrote = stream_write(stream, bytes + done, (size_t)count - done, (const void *)PX_PROCTAB, now_ns());

            if (stream_deserted(stream))
                return;
            if (wrote == 0)
                wait_for_other(stream, seen);
            done += wrote;
        }
    }
}

static _Noreturn void relay(struct stream *stream, unsigned which)
{
    if (exo_tally_create(which == 0 ? &stream->pipe->writers : &stream->pipe->readers) < 0)
        _exit(EXO_FAILED);
    if (which == 0)
        carry_input(stream);
    else
        carry_output(stream, (int)which);
    stream_close(stream);
    _exit(0);
}

pid_t relay_start(void *block, unsigned which)
{
    static struct stream streams[EXO_STREAMS];
    struct sigaction action = {.sa_handler = finish};
    pid_t pid;

    stream_start(&streams[which], (char *)block + PX_BOOTARGS_PIPE(which) * PX_PAGE, which == 0, which + 1, (int64_t)now_ns());
    pid = fork();
    if (pid != 0)
        return pid;
    signal(SIGINT, SIG_IGN);
    if (which != 0)
        sigaction(SIGTERM, &action, NULL);
    relay(&streams[which], which);
}

void relay_finish(const pid_t relays[EXO_STREAMS])
{
    for (unsigned which = 0; which < EXO_STREAMS; which++)
        if (relays[which] > 0)
            kill(relays[which], SIGTERM);
    for (unsigned which = 0; which < EXO_STREAMS; which++)
        if (relays[which] > 0)
            waitpid(relays[which], NULL, 0);
}
