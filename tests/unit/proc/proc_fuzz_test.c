/*
 * Hostile clients of proc: the corpus and what a fuzzer makes of it, said by a crowd of one user's processes that also write nonsense into their process
 * pages. Each message is answered; a victim of another user and session stays as it is and is served between any two of them; the table keeps its rules; and
 * when the crowd is dead nothing of it is left. EXO_SEED adds a seed to those below.
 *
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include <exo/ipc.h>

#include "fake.h"
#include "tests/fuzz/corpus.h"

#define MESSAGES 40000u
#define USER 1000u
static const uint64_t seeds[] = {1, 20261122, 77};

static uint32_t first, victim, attacker; /* indices; attacker: who sends */
static int32_t dead_pid;

static int32_t pid_of_user(bool own, bool child)
{
    uint32_t begin = (uint32_t)corpus_below(PX_PROCS_MAX);

    for (uint32_t i = 0; i < PX_PROCS_MAX; i++) {
        uint32_t index = (begin + i) % PX_PROCS_MAX;

        if (index > INIT && is_alive(index) && (processes[index].uid == USER) == own && (!child || processes[index].parent == attacker))
            return processes[index].pid;
    }
    return 0;
}

uint64_t corpus_value(enum corpus_name name)
{
    switch (name) {
    case OWN_PID: return (uint64_t)processes[attacker].pid;
    case OWN_CHILD: return (uint64_t)pid_of_user(true, true);
    case OTHER_PID: return (uint64_t)processes[victim].pid;
    case FIRST_PID: return (uint64_t)processes[first].pid;
    case DEAD_PID: return (uint64_t)dead_pid;
    case OWN_GROUP: return (uint64_t)processes[attacker].pgid;
    case OTHER_GROUP: return (uint64_t)processes[victim].pgid;
    default: return 0;
    }
}

static bool speak(uint64_t badge, struct exo_message *message)
{
    bool answered;

    message->badge = badge;
    answered = serve(message);
    CHECK(!answered || ((int64_t)message->word[0] <= 0 && (int64_t)message->word[0] > -4096));
    return answered;
}

static int64_t say(uint32_t index, uint64_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct exo_message message = {.word = {op, a, b, c, d}};

    return speak(PX_BADGE(index, processes[index].gen), &message) ? (int64_t)message.word[0] : -1000;
}

/* A process of the crowd; when there is none any more, the first makes another. */
static uint32_t somebody(void)
{
    uint32_t begin = (uint32_t)corpus_below(PX_PROCS_MAX);

    for (uint32_t i = 0; i < PX_PROCS_MAX; i++) {
        uint32_t index = (begin + i) % PX_PROCS_MAX;

        if (index > INIT && is_alive(index) && processes[index].uid == USER && fake_started[index])
            return index;
    }
    begin = fake_fork(first);
    CHECK(say(begin, PX_PROC_SETSID, 0, 0, 0, 0) == 0);
    CHECK(say(begin, PX_PROC_SETCRED, PX_CRED_UID, USER, 0, 0) == 0);
    return begin;
}

static void scribble(uint32_t index)
{
    uint8_t *page = (uint8_t *)&fake_ppages[index];

    for (unsigned i = 0; i < 20; i++)
        page[corpus_below(sizeof(fake_ppages[index]))] = (uint8_t)corpus_random();
    if (corpus_below(8))
        fake_ppages[index].sig_pending = 0; /* or a fork has to wait for its signals */
}

static void one_message(void)
{
    struct exo_message message = {0};
    uint64_t badge;

    attacker = somebody();
    badge = PX_BADGE(attacker, processes[attacker].gen);
    corpus_next(corpus_proc, sizeof(corpus_proc) / sizeof(corpus_proc[0]), message.word, fake_messages[attacker]);
    if (message.word[0] == PX_PROC_EXIT || message.word[0] == PX_PROC_KILL)
        dead_pid = processes[attacker].pid;
    if (corpus_below(50) == 0)
        badge ^= 1ull << (16 + corpus_below(48)); /* of somebody who was there before */
    if (corpus_below(4) == 0)
        scribble(attacker);
    if (corpus_below(60) == 0)
        fake_fail_in = (int)corpus_below(4);
    if (corpus_below(20) == 0)
        message.capability = 5;
    fake_dropped = 0;
    (void)speak(badge, &message);
    CHECK(!message.capability || fake_dropped == 1); /* or the server's slots fill up */
    fake_fail_in = -1;
    if (message.word[0] == 0 && fake_environment[message.word[2] % PX_PROCS_MAX] && corpus_below(3))
        fake_started[message.word[2] % PX_PROCS_MAX] = true; /* a fork whose child is let run */
}

/* Nobody is left who was never started and whose maker is gone: nobody could ever start him. A zombie's status is one that wait may tell. */
static void check_crowd(void)
{
    for (uint32_t index = INIT + 1; index < PX_PROCS_MAX; index++) {
        const struct process *process = &processes[index];
        unsigned number = (unsigned)process->status & 0x7f;

        if (is_alive(index) && !fake_started[index])
            CHECK(is_alive(process->maker));
        if (process->state == PX_ZOMBIE)
            CHECK((unsigned)process->status <= 0xffff && (number == 0 ? !(process->status & 0x80) : number <= SIGNAL_MAX && process->status <= 0xff));
    }
}

static void end_crowd(void)
{
    for (uint32_t index = INIT + 1; index < PX_PROCS_MAX; index++)
        if (processes[index].state != PX_FREE && processes[index].uid == USER)
            (void)say(first, PX_PROC_KILL, (uint64_t)processes[index].pid, SIGKILL, 0, 0);
    life_end_killed();
    for (unsigned i = 0; i < PX_PROCS_MAX && table->count > 3; i++)
        (void)say(first, PX_PROC_WAIT, ~0ull, 4, 0, 0);
    CHECK(table->count == 3); /* init, the first and the victim */
}

static void round_of(uint64_t seed)
{
    struct process before, first_before;
    struct px_ppage page_before;

    corpus_seed(seed);
    first = fake_start();
    fake_started[first] = true;
    victim = fake_fork(first);
    CHECK(say(victim, PX_PROC_SETSID, 0, 0, 0, 0) == 0 && say(victim, PX_PROC_SETCRED, PX_CRED_UID, 2000, 0, 0) == 0);
    before = processes[victim], page_before = fake_ppages[victim], first_before = processes[first];
    for (unsigned i = 0; i < MESSAGES; i++) {
        one_message();
        CHECK(memcmp(&processes[victim], &before, sizeof(before)) == 0 && memcmp(&fake_ppages[victim], &page_before, sizeof(page_before)) == 0);
        CHECK(processes[first].state == PX_RUNNING && processes[first].uid == 0 && processes[first].sid == first_before.sid);
        CHECK(fake_power == 0 && strcmp(table->hostname, "exov6") == 0);
        CHECK(say(victim, PX_PROC_USAGE, 0, 0, 0, 0) == 0 && say(victim, PX_PROC_USAGE, (uint64_t)processes[victim].pid, 0, 0, 0) == 0);
        if (i % 32 == 0) {
            fake_ppages[first].sig_pending = 0;
            fake_check();
            check_crowd();
        }
        if (i % 4096 == 4095 || table->count > PX_PROCS_MAX - 8)
            end_crowd();
    }
    end_crowd();
    fake_check();
}

int main(void)
{
    const char *asked = getenv("EXO_SEED");

    for (unsigned i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
        round_of(seeds[i]);
    if (asked)
        round_of(strtoull(asked, NULL, 0));
    return 0;
}
