/*
 * A libOS that its own program overwrites: random bytes into its text, its data, its heap, its stacks, the pages that it shares with the servers and the
 * kernel, its descriptions and rings; then the program goes on with system calls as long as it can. It hurts that process: a bystander of another user works
 * beside it, the servers answer, what all processes share cannot be written, and nothing is left of it. Recorded seeds. Arguments: rounds, and seeds.
 * Only for ExoV6.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <exo/capability.h>
#include <exo/loop.h>

#include "bystander.h"


#define FOLDER "/tmp/scribble"
#define ROUNDS 2u /* of all targets, for each seed */
static const uint64_t recorded[] = {3, 20261122};

static uint64_t state;

static uint64_t below(uint64_t end)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % end;
}

static uint64_t mapped(uint64_t va)
{
    uint64_t entry = 0;

    return exo_mem_query(PX_SLOT_SELF, va, 1, &entry) == 1 ? entry : 0;
}

/* ---- what can be overwritten ---- */

struct target {
    const char *name;
    uint64_t from, to;
    bool text; /* is not the program's to write: it puts pages of its own there first */
};
static const struct target targets[] = {
    {"data and stack of the libOS", PX_IMAGE, PX_IMAGE_HI, false},
    {"its heap", PX_HEAP, PX_HEAP_HI, false},
    {"its text", PX_IMAGE, PX_IMAGE_HI, true},
    {"the process page", PX_PPAGE, PX_PPAGE + PAGE, false},
    {"the message page", PX_MSG, PX_MSG + PAGE, false},
    {"the context page", PX_UPAGE, PX_UPAGE + PAGE, false},
    {"descriptions and rings", PX_SHARED, PX_SHARED + 512 * PAGE, false},
    {"threads' stacks and context pages", PX_THREADS + PX_THREAD_BYTES, PX_THREADS + 4 * PX_THREAD_BYTES, false},
    {"the tables of all", PX_PROCTAB, PX_PROCTAB + 8 * PAGE, true},
    {"windows", PX_WINDOW_LO, PX_WINDOW_LO + 64 * PAGE, false},
};
#define TARGETS (sizeof targets / sizeof targets[0])

static uint64_t inherited[512 / 64]; /* pages of PX_SHARED that are our parent's, too: those who inherit from each other can hurt each other */

static bool may_write(const struct target *target, uint64_t va)
{
    uint64_t entry = mapped(va), page = (va - PX_SHARED) / PAGE;

    if (!(entry & EXO_QUERY_PRESENT) || (target->from == PX_SHARED && inherited[page / 64] >> page % 64 & 1))
        return false;
    if (!target->text)
        return entry & (EXO_QUERY_WRITE | EXO_QUERY_COW);
    return !(entry & (EXO_QUERY_WRITE | EXO_QUERY_COW)) && exo_mem_unmap(PX_SLOT_SELF, va, 1) == 1 &&
           exo_mem_alloc(PX_SLOT_SELF, va, 1, EXO_PROT_READ | EXO_PROT_WRITE | EXO_PROT_EXEC) == 1;
}

/* Some bytes of a page, a word of it, or all. No call between them that could be the last. */
static void scribble_page(uint64_t va)
{
    uint8_t *bytes = (uint8_t *)va;
    uint64_t how = below(4), count = how == 0 ? PAGE : 1 + below(64);

    for (uint64_t i = 0; i < count; i++)
        bytes[how == 0 ? i : below(PAGE)] = (uint8_t)below(256);
}

static void scribble(const struct target *target)
{
    uint64_t pages = (target->to - target->from) / PAGE, begin = below(pages), most = 1 + below(pages < 8 ? pages : 8);

    for (uint64_t i = 0; i < pages && most; i++) {
        uint64_t va = target->from + (begin + i) % pages * PAGE;

        if (may_write(target, va)) {
            scribble_page(va);
            most--;
        }
    }
}

/* ---- the hostile process ---- */

static int descriptors[10];

/* Things of all kinds, so that there is something to spoil. */
static void have_things(void)
{
    struct sembuf up = {0, 1, SEM_UNDO};
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int set = semget(IPC_PRIVATE, 1, 0600), segment = shmget(IPC_PRIVATE, PAGE, 0600);
    char *memory;

    pipe(descriptors);
    socketpair(AF_UNIX, SOCK_STREAM, 0, descriptors + 2);
    descriptors[4] = posix_openpt(O_RDWR);
    descriptors[5] = open(FOLDER "/own", O_RDWR | O_CREAT, 0600);
    descriptors[6] = open("/", O_RDONLY | O_DIRECTORY);
    descriptors[7] = socket(AF_INET, SOCK_STREAM, 0);
    ftruncate(descriptors[5], 2 * PAGE);
    fcntl(descriptors[5], F_SETLK, &lock);
    memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors[5], 0);
    if (memory != MAP_FAILED)
        memory[0] = 1;
    memory = shmat(segment, NULL, 0);
    shmctl(segment, IPC_RMID, NULL);
    semop(set, &up, 1);
    semctl(set, 0, IPC_RMID);
}

/* A system call like any, on what there is. */
static void some_call(void)
{
    static char text[256];
    long fd = descriptors[below(8)], here = (long)text;

    switch (below(14)) {
    case 0: raw(SYS_write, fd, here, (long)below(256), 0, 0, 0); break;
    case 1: raw(SYS_fcntl, fd, F_SETFL, O_NONBLOCK, 0, 0, 0); raw(SYS_read, fd, here, (long)below(256), 0, 0, 0); break;
    case 2: raw(SYS_open, (long)FOLDER "/own", O_RDWR, 0, 0, 0, 0); break;
    case 3: raw(SYS_close, (long)below(40), 0, 0, 0, 0, 0); break;
    case 4: raw(SYS_mmap, 0, (long)(below(8) * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); break;
    case 5: raw(SYS_stat, (long)"/bin/sh", here, 0, 0, 0, 0); break;
    case 6: raw(SYS_kill, 0, 0, 0, 0, 0, 0); break;
    case 7: raw(SYS_dup, fd, 0, 0, 0, 0, 0); break;
    case 8: raw(SYS_lseek, fd, (long)below(100), SEEK_SET, 0, 0, 0); break;
    case 9: raw(SYS_sched_yield, 0, 0, 0, 0, 0, 0); break;
    case 10: raw(SYS_wait4, -1, 0, WNOHANG, 0, 0, 0); break;
    case 11: raw(SYS_unlink, (long)FOLDER "/own", 0, 0, 0, 0, 0); break;
    case 12: raw(SYS_ftruncate, fd, (long)below(20000), 0, 0, 0, 0); break;
    default:
        if (below(3) == 0 && raw(SYS_fork, 0, 0, 0, 0, 0, 0) == 0 && below(2))
            raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
        break;
    }
}

static void hostile(uint64_t seed, const struct target *target)
{
    uint64_t goes_on;

    setsid();
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    if (chdir("/") || setgid(HOSTILE_USER) || setuid(HOSTILE_USER))
        _exit(1);
    for (uint64_t page = 0; page < 512; page++)
        if (mapped(PX_SHARED + page * PAGE) & EXO_QUERY_PRESENT)
            inherited[page / 64] |= 1ull << page % 64;
    state = seed * 0x9e3779b97f4a7c15ull | 1;
    have_things();
    for (goes_on = 1 + below(3); goes_on; goes_on--) {
        scribble(target);
        for (unsigned i = 0; i < 30; i++) {
            common->steps++;
            some_call();
        }
    }
    raw(SYS_exit_group, 7, 0, 0, 0, 0, 0);
    for (;;)
        (void)!exo_env_destroy(PX_SLOT_SELF, 9);
}

/* One of each target. How many came to their end all the same. */
static unsigned round_of(uint64_t seed)
{
    unsigned survived = 0;

    for (unsigned i = 0; i < TARGETS; i++) {
        pid_t child = fork();

        if (child == 0)
            hostile(seed * TARGETS + i, &targets[i]);
        if (WIFEXITED(let_loose(child)))
            survived++;
        end_hostile();
    }
    return survived;
}

/* ---- what all share ---- */

/* Tables and text that all processes have: they can be written neither as they are, nor by asking for it. */
static int cannot_be_written(void *unused)
{
    static const uint64_t places[] = {PX_PROCTAB, PX_META, PX_INFO, PX_IMAGE, PX_PROCTAB + (PX_PROCTAB_PAGES - 1) * PAGE};

    (void)unused;
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!(mapped(places[i]) & EXO_QUERY_PRESENT) || mapped(places[i]) & EXO_QUERY_WRITE)
            return 1;
        if (exo_mem_protect(PX_SLOT_SELF, places[i], 1, EXO_PROT_READ | EXO_PROT_WRITE) > 0 && mapped(places[i]) & EXO_QUERY_WRITE)
            return 2;
        if (exo_mem_share(PX_SLOT_SELF, 0x30000000, places[i], 1, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE) > 0 &&
            mapped(0x30000000) & EXO_QUERY_WRITE)
            return 3;
        (void)!exo_mem_unmap(PX_SLOT_SELF, 0x30000000, 1);
    }
    return 0;
}

int main(int count, char **words)
{
    uint64_t rounds = count > 1 ? strtoull(words[1], NULL, 0) : ROUNDS;
    unsigned survived = 0, seeds = count > 2 ? (unsigned)count - 2 : sizeof recorded / sizeof recorded[0];
    struct there_is before;
    pid_t bystander;

    common = shared_page();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(0);
    mkdir(FOLDER, 0777);
    CASE("what all processes share is written by none", exited_with(in_child(cannot_be_written, NULL), 0));
    round_of(1); /* what is made once is made here */
    if (system("/bin/rm -rf " FOLDER "/*"))
        printf("# not all could be removed\n");
    many_at_once();
    before = count_all();
    bystander = bystander_start("/tmp");
    CASE("the bystander works", bystander_is_well(bystander, 3));
    for (unsigned i = 0; i < seeds; i++)
        for (uint64_t round = 0; round < rounds && !common->wrong; round++)
            survived += round_of(1000 * (count > 2 ? strtoull(words[2 + i], NULL, 0) : recorded[i]) + round);
    printf("# %u of %lu came to their end\n", survived, seeds * rounds * TARGETS);
    CASE("some went on, some did not", survived > 0 && survived < seeds * rounds * TARGETS);
    CASE("the bystander has noticed nothing", bystander_is_well(bystander, 3));
    kill(bystander, SIGKILL);
    waitpid(bystander, NULL, 0);
    if (system("/bin/rm -rf /tmp/bystander " FOLDER "/*"))
        printf("# not all could be removed\n");
    CASE("nothing is left of them", all_is_free(&before));
    return tap_finish();
}
