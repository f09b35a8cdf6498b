/*
 * exofuzz [--seed N] [--calls N] [--child N]: every exokernel call with random and boundary arguments, from ring 3.
 * The calls are made by children, which they often kill; --child N runs only child N of the seed again. A sibling process, the
 * canary, holds pages of a known pattern that nobody else may read or change. At the end as many frames must be free as at the
 * start. Prints TAP; on Linux, which has no such calls, it skips.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <exo/grammar.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/tap.h"

#define PAGE 4096ul
#define CHILD_CALLS 400      /* of one child, when it lives so long */
#define STUCK_NS 50000000l   /* a child that makes no call for so long is ended */
#define CANARY_PAGES 32
#define PATTERN_STEP 0x9e3779b97f4a7c15ul
#define LEAK_PAGES_MAX 16    /* caches of servers may settle a little after the first children */
#define SHARED_LO 0x7ffff0110000ul /* descriptions of open files, which parent and child share: a child's own to ruin, but not ours */
#define SHARED_HI 0x7fffff000000ul

struct progress {
    volatile uint64_t calls;      /* by all children */
    volatile uint64_t refused;    /* answered with an error */
    volatile uint64_t seen_canary; /* pages with the canary's pattern that a child could map */
    volatile uint64_t unlisted;   /* call number << 32 | error: one that abi/exo.abi does not list for the call */
    volatile uint64_t kinds[128]; /* per call number */
};

static struct progress *progress;
static uint64_t state;

static long call(uint64_t number, const uint64_t *a)
{
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t random64(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15ul;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t bound)
{
    return random64() % bound;
}

/* ---- arguments --------------------------------------------------------------------------------------------------------- */

static char arena[16 * PAGE] __attribute__((aligned(4096)));

static uint64_t anything(void)
{
    static const uint64_t edges[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 1ul << 20, INT32_MAX, 1ul << 31,
                                     UINT32_MAX, 1ul << 32, 1ul << 46, 1ul << 47, 1ul << 48, INT64_MAX, 1ul << 63, UINT64_MAX,
                                     UINT64_MAX - 1, UINT64_MAX - 4095};
    switch (below(4)) {
    case 0:
        return edges[below(sizeof edges / sizeof edges[0])];
    case 1:
        return below(100);
    case 2:
        return random64() >> below(64);
    default:
        return random64();
    }
}

static uint64_t handle(void)
{
    switch (below(8)) {
    case 0:
        return anything();
    case 1:
        return below(48) | below(4) << 32; /* another generation */
    case 2:
        return below(48) | below(4) << 16;
    case 3:
        return 16 + below(240);
    default:
        return below(24);
    }
}

static uint64_t not_shared(uint64_t address)
{
    return address >= SHARED_LO && address < SHARED_HI ? address - SHARED_LO + 0x10000000 : address;
}

static uint64_t address(bool aligned)
{
    static const uint64_t places[] = {0, 0x10000, 0x400000, 0x10000000, 0x7feeffffe000, 0x7fef00000000, 0x7fffd0000000, 0x7fffe0020000,
                                      0x7fffe00a8000, 0x7ffff0000000, 0x7ffff0090000, 0x7ffff00ff000, 0x7ffff0100000, 0x7ffff0101000,
                                      0x7ffff0102000, 0x7ffff0103000, 0x7fffff000000, 0x7fffffffe000, 0x7ffffffff000, 0x800000000000,
                                      0x7fffd8000000, 0xffff800000000000, 0xffffff8000000000, 0xffffff8000101000, 0xffffffff80000000, 0xfffffffffffff000};
    uint64_t found;

    switch (below(5)) {
    case 0:
        found = places[below(sizeof places / sizeof places[0])];
        break;
    case 1:
        found = 0x20000000 + below(64) * PAGE;
        break;
    case 2:
        found = anything();
        break;
    default:
        found = (uintptr_t)arena + below(16) * PAGE;
    }
    if (!aligned && below(2))
        found += below(PAGE);
    if (aligned && below(16))
        found &= ~(PAGE - 1);
    return not_shared(found);
}

/* A value for an argument, by what abi/exo.abi says that it is: mostly such that the call could succeed. */
static uint64_t argument(const struct exo_grammar_argument *shape)
{
    switch (shape->meaning) {
    case 'c':
        return shape->type == EXO_TYPE_ENV && below(8) ? 1 : handle();
    case 'h':
        return handle();
    case 'v':
        return address(false);
    case 'a':
        return address(true);
    case 'n':
        return below(8) ? below(20) : anything();
    case 'p':
    case 'm':
        return below(4) ? below(8) | below(6) << 8 : anything();
    case 'r':
        return below(2) ? UINT64_MAX : anything();
    case 'd':
        return below(4) ? 0 : anything();
    default:
        return anything();
    }
}

/* No server knows it: what they do for a privileged caller is theirs to test. */
static uint64_t server_operation(void)
{
    return 0x4000 + below(1000);
}

/* ---- a child ----------------------------------------------------------------------------------------------------------- */

/* Whether the page at `words` holds the canary's pattern: each word is the first one plus a multiple of a step. */
static bool is_canary(const volatile uint64_t *words)
{
    for (int i = 1; i < 16; i++)
        if (words[i] != words[0] + (uint64_t)i * PATTERN_STEP)
            return false;
    return true;
}

/* Looks at what a call may have mapped. Pages are asked for first: reading must not fault. */
static void look(uint64_t va, uint64_t pages)
{
    for (uint64_t i = 0; i < pages && i < 32; i++) {
        uint64_t page = (va & ~(PAGE - 1)) + i * PAGE;
        uint8_t flags[8] = {0};
        uint64_t query[6] = {1, page, 1, (uintptr_t)flags, 0, 0};

        if (page >= EXO_USER_TOP || call(EXO_CALL_MEM_QUERY, query) != 1 || !(flags[0] & EXO_QUERY_PRESENT))
            continue;
        if (is_canary((const volatile uint64_t *)page))
            progress->seen_canary++;
    }
}

static void child(uint64_t seed, uint64_t index, uint64_t calls)
{
    state = seed ^ index * 0xd1342543de82ef95ul;
    for (uint64_t i = 0; i < calls; i++) {
        uint64_t number = below(16) ? below(EXO_CALLS) : below(256), a[6];
        const struct exo_grammar_call *shape = number < EXO_CALLS && below(10) ? &exo_grammar[number] : &exo_grammar[0];
        bool server_call = number == (EXO_CALL_EP_CALL & 0xff) || number == (EXO_CALL_EP_CALL_CAP & 0xff);
        long result;

        for (unsigned k = 0; k < 6; k++)
            a[k] = k < shape->arguments ? argument(&shape->argument[k]) : anything();
        if (server_call)
            a[1] = server_operation();
        result = call(EXO_CALL_BASE + number, a);
        if (number < EXO_CALLS && exo_grammar[number].name && result < 0 && (result <= -64 || !(exo_grammar[number].errors >> -result & 1)))
            progress->unlisted = number << 32 | (uint64_t)-result;
        progress->calls++;
        progress->refused += result < 0;
        progress->kinds[number & 127]++;
        if (result > 0 && number >= 20 && number <= 22)
            look(a[1], (uint64_t)result);
    }
    _exit(0);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000l + now.tv_nsec;
}

/* Waits for a child as long as it makes calls. False when it had to be ended. */
static bool reap(pid_t pid)
{
    uint64_t seen = progress->calls;
    int64_t since = now_ns();

    for (;;) {
        struct timespec moment = {0, 500000};

        if (waitpid(pid, NULL, WNOHANG) == pid)
            return true;
        if (progress->calls != seen) {
            seen = progress->calls;
            since = now_ns();
        }
        if (now_ns() - since > STUCK_NS) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            return false;
        }
        nanosleep(&moment, NULL);
    }
}

static bool run_child(uint64_t seed, uint64_t index, uint64_t calls)
{
    pid_t pid = fork();

    if (pid < 0)
        return false;
    if (pid == 0)
        child(seed, index, calls);
    reap(pid);
    return true;
}

/* ---- the canary -------------------------------------------------------------------------------------------------------- */

static void fill(uint64_t *words, uint64_t start)
{
    for (size_t i = 0; i < PAGE / 8; i++)
        words[i] = start + i * PATTERN_STEP;
}

/* Exits with 0 when all its pages were whole until it was told to end. */
static void canary(int until)
{
    uint64_t *private = mmap(NULL, CANARY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t *shared = mmap(NULL, CANARY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t starts[CANARY_PAGES];
    char byte;

    /* The secrets are made here, after the fork: no other process ever held them. */
    if (private == MAP_FAILED || shared == MAP_FAILED || getrandom(starts, sizeof starts, 0) != sizeof starts)
        _exit(3);
    for (int i = 0; i < CANARY_PAGES; i++) {
        fill(private + (size_t)i * PAGE / 8, starts[i]);
        fill(shared + (size_t)i * PAGE / 8, starts[i]);
    }
    while (read(until, &byte, 1) > 0)
        for (int i = 0; i < CANARY_PAGES; i++)
            for (size_t k = 0; k < PAGE / 8; k++)
                if (private[(size_t)i * PAGE / 8 + k] != starts[i] + k * PATTERN_STEP ||
                    shared[(size_t)i * PAGE / 8 + k] != starts[i] + k * PATTERN_STEP)
                    _exit(1);
    _exit(0);
}

/* ---- the campaign ------------------------------------------------------------------------------------------------------ */

/* Frames that are free once what ended has been cleared away. */
static uint64_t frames_free(void)
{
    struct timespec moment = {0, 20000000};
    struct exo_stats stats = {0};
    uint64_t a[6] = {(uintptr_t)&stats}, last;

    do {
        last = stats.frames_free;
        nanosleep(&moment, NULL);
        if (call(EXO_CALL_STATS, a) < 0)
            return 0;
    } while (stats.frames_free > last);
    return stats.frames_free;
}

static void campaign(uint64_t seed, uint64_t wanted)
{
    int until[2], status = -1;
    uint64_t before, after, index = 0, lost = 0;
    pid_t bird;

    fill((uint64_t *)arena, 12345);
    look((uintptr_t)arena, 1);
    CASE("a page with the pattern would be noticed", progress->seen_canary == 1);
    progress->seen_canary = 0;
    memset(arena, 0, sizeof arena);
    for (; index < 20; index++) /* what is made once is made here */
        run_child(seed, index, CHILD_CALLS);
    if (pipe(until) < 0)
        exit(99);
    before = frames_free();
    bird = fork();
    if (bird == 0) {
        close(until[1]);
        canary(until[0]);
    }
    close(until[0]);
    while (progress->calls < wanted && index < wanted) {
        if (!run_child(seed, index++, CHILD_CALLS) && ++lost > 1000)
            break;
        if (index % 8 == 0 && write(until[1], "c", 1) != 1)
            break;
    }
    close(until[1]);
    CASE("the canary lives and its pages are whole", waitpid(bird, &status, 0) == bird && status == 0);
    CASE("no page of the canary was seen", progress->seen_canary == 0);
    CASE("all calls were made", progress->calls >= wanted);
    if (progress->unlisted)
        printf("# call %lu answered error %lu\n", progress->unlisted >> 32, progress->unlisted & UINT32_MAX);
    CASE("no call answered an error that its contract does not list", progress->unlisted == 0);
    after = frames_free();
    printf("# seed %lu: %lu calls by %lu children, %lu refused; %lu forks refused; frames free %lu, then %lu\n", seed,
           progress->calls, index, progress->refused, lost, before, after);
    CASE("no frame was lost", after + LEAK_PAGES_MAX >= before);
}

static void each_call_was_made(void)
{
    bool all = true;

    for (uint64_t number = 0; number < EXO_CALLS; number++)
        if (progress->kinds[number] == 0)
            all = false;
    CASE("each call number came up", all);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, calls = 100000, only = UINT64_MAX, none[6] = {0};

    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoul(argv[i + 1], NULL, 0);

        if (strcmp(argv[i], "--seed") == 0)
            seed = value;
        else if (strcmp(argv[i], "--calls") == 0)
            calls = value;
        else if (strcmp(argv[i], "--child") == 0)
            only = value;
        else
            return 2;
    }
    if (call(EXO_CALL_NULL, none) != 0) {
        puts("ok 1 - exokernel calls # SKIP this system has none\n1..1");
        return 0;
    }
    progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED)
        return 99;
    signal(SIGPIPE, SIG_IGN);
    if (only != UINT64_MAX) {
        CASE("the child could be started", run_child(seed, only, CHILD_CALLS));
        return tap_finish();
    }
    campaign(seed, calls);
    each_call_was_made();
    return tap_finish();
}
