/*
 * Set-ID programs against who wants their ids without running them, and who keeps a hand on the process that does (decision 0032). Only for ExoV6.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/loop.h>

#include "../../libos/posix/proto/fs.h"
#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/parcel.h"
#include "../../libos/posix/proto/proc.h"
#include "../../libos/posix/proto/proctab.h"
#include "../../libos/posix/proto/renew.h"
#include "misuse.h"

#define USER 1000u
#define PROGRAM "/tmp/setid-program"
#define SCRIPT "/tmp/setid-script"
#define MADE "/tmp/setid-a-name-that-only-root-gives"
#define BLOCK_PAGES 4u

static struct exo_message answer;

static int64_t ask(uint64_t server, uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t status;

    answer = (struct exo_message){.word = {op, a, b, c}};
    status = exo_ep_call(server, &answer);
    return status < 0 ? status : (int64_t)answer.word[0];
}

static const struct px_proc *self(void)
{
    return PX_PROC(PX_PROCTAB, ((const struct px_ppage *)PX_PPAGE)->index);
}

static bool become_user(void)
{
    return setgroups(0, NULL) == 0 && setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0;
}

static bool is_user(void)
{
    return self()->uid == USER && self()->euid == USER && self()->suid == USER && self()->egid == USER && self()->sgid == USER;
}

/* The inode that stat names, of all generations that it may have. */
static int64_t ask_setid(const char *path)
{
    struct stat stat_;
    int64_t status = -ESTALE;

    if (stat(path, &stat_) < 0)
        return -ENOENT;
    for (uint32_t gen = 0; gen < 4096 && status == -ESTALE; gen++)
        status = ask(PX_SLOT_FS, PX_FS_SETID, PX_FS_NODE(stat_.st_ino, gen), 0, 0);
    return status;
}

/* ---- asking for ids ---- */

static int claim_without_running(void *unused)
{
    (void)unused;
    return become_user() && ask_setid(PROGRAM) == -EPERM && is_user() ? 0 : 1;
}

static int claim_of_proc(void *unused)
{
    uint64_t badge = PX_BADGE((uint64_t)((const struct px_ppage *)PX_PPAGE)->index, (uint64_t)self()->gen);

    (void)unused;
    return become_user() && ask(PX_SLOT_PROC, PX_PROC_SETID, badge, 0, PX_SETID_UID | PX_SETID_GID) == -EINVAL && is_user() ? 0 : 1;
}

static int claim_a_root(void *unused)
{
    (void)unused;
    return become_user() && ask(PX_SLOT_PROC, PX_PROC_CHROOT, PX_FS_NODE(5, 1), 0, 0) == -EPERM ? 0 : 1;
}

static int shed_no_new_privs(void *unused)
{
    (void)unused;
    if (!become_user() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return 1;
    execl(PROGRAM, PROGRAM, "ids", (char *)NULL);
    return 2;
}

static int forbidden_nodes(void *unused)
{
    (void)unused;
    if (!become_user() || ask(PX_SLOT_FS, PX_FS_SETID, ~0ull, 0, 0) != -ESTALE || ask(PX_SLOT_FS, PX_FS_SETID, 0, 0, 0) != -ESTALE)
        return 1;
    return ask_setid("/tmp") == -EACCES && ask_setid("/etc/passwd") == -EACCES ? 0 : 2;
}

/* ---- renewals ---- */

static int64_t renew(uint64_t va, uint64_t pages)
{
    return ask(PX_SLOT_PROC, PX_PROC_RENEW, va, pages, 0);
}

static int wrong_blocks(void *unused)
{
    (void)unused;
    return become_user() && renew(0, 0) == -EINVAL && renew(0x100000, PX_RENEWAL_PAGES + 1) == -EINVAL && renew(0x100001, 1) == -EINVAL &&
                   renew(~0xffful, 2) == -EINVAL && renew(1ul << 63, 1) == -EINVAL && renew(EXO_USER_TOP - PAGE, 2) == -EINVAL && is_user()
               ? 0
               : 1;
}

static int nothing_there(void *unused)
{
    (void)unused;
    become_user();
    (void)renew(0x7e0000000000, 16);
    return 0;
}

static uint8_t *new_block(void)
{
    return mmap(NULL, BLOCK_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

static int random_block(void *seed)
{
    uint8_t *block = new_block();
    uint64_t state = 88172645463325252ull + (uint64_t)(uintptr_t)seed;

    become_user();
    for (unsigned i = 0; i < BLOCK_PAGES * PAGE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block[i] = (uint8_t)state;
    }
    (void)renew((uint64_t)block, BLOCK_PAGES);
    return 0;
}

/* Something that could be one, but for what a case changes. */
static struct px_renewal_block *good_block(const char *file, const char *argument)
{
    struct px_renewal_block *block = (struct px_renewal_block *)new_block();
    struct px_renewal_fd *list = (struct px_renewal_fd *)(block + 1);
    char *text = (char *)(list + 3);
    int bytes;

    answer = (struct exo_message){.word = {PX_FS_PARCEL, PX_PARCEL_NEW, 0, 0, PX_PARCEL_LIES}};
    if (exo_ep_call(PX_SLOT_FS, &answer) < 0)
        return NULL;
    bytes = sprintf(text, "program%c%s%cNAME=value%cprogram%c%s", 0, argument, 0, 0, 0, file) + 1;
    *block = (struct px_renewal_block){.ticket = answer.word[1], .descriptors = 3, .argc = 2, .envc = 1, .bytes = (uint32_t)bytes, .umask = 022};
    list[0] = (struct px_renewal_fd){0xffffffff, 7, 0};
    list[1] = (struct px_renewal_fd){1, 0xffff, 1};
    list[2] = (struct px_renewal_fd){1u << 20, 7, 0xffff};
    return block;
}

static int renew_with(struct px_renewal_block *block)
{
    become_user();
    (void)renew((uint64_t)block, BLOCK_PAGES);
    return 0;
}

static int honest(void *argument)
{
    return renew_with(good_block(PROGRAM, argument));
}

static int of_a_script(void *unused)
{
    (void)unused;
    return renew_with(good_block(SCRIPT, "ids"));
}

static int of_nothing(void *unused)
{
    (void)unused;
    return renew_with(good_block("/tmp/setid-not-there", "ids"));
}

static int without_end(void *unused)
{
    struct px_renewal_block *block = good_block(PROGRAM, "ids");

    (void)unused;
    memset((uint8_t *)block + PAGE, 'x', (BLOCK_PAGES - 1) * PAGE);
    block->bytes = BLOCK_PAGES * PAGE - (uint32_t)sizeof(*block) - 3 * (uint32_t)sizeof(struct px_renewal_fd);
    return renew_with(block);
}

static int too_many_strings(void *unused)
{
    struct px_renewal_block *block = good_block(PROGRAM, "ids");

    (void)unused;
    block->argc = 0xffffffff;
    block->envc = 3;
    return renew_with(block);
}

static int wild_timers(void *unused)
{
    struct px_renewal_block *block = good_block(PROGRAM, "ids");

    (void)unused;
    memset(block->timer_ns, 0xff, sizeof block->timer_ns);
    block->blocked = block->ignored = ~0ull;
    return renew_with(block);
}

/* A program is not fresh once it runs, however it was started. */
static int fresh_no_more(void *unused)
{
    (void)unused;
    return renew_with(good_block("/tmp/setid-plain", "again"));
}

/* ---- pages that relatives keep ---- */

struct watched {
    uint32_t made, seen, ready;
};

/* The caller's message page, where a child will have it, too. */
static char *lend_message_page(void)
{
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return exo_share_all(PX_SLOT_SELF, (uint64_t)page, PX_MSG, 1, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE) == 0 ? page : NULL;
}

/* In the child: is the name ever seen there? */
static void watch(struct watched *watched, const char *page)
{
    __atomic_store_n(&watched->ready, 1, __ATOMIC_SEQ_CST);
    for (int left = 2; left > 0;) {
        left -= __atomic_load_n(&watched->made, __ATOMIC_SEQ_CST) != 0 || access(MADE, F_OK) == 0;
        if (memmem(page, PAGE, "that-only-root", 14))
            __atomic_store_n(&watched->seen, 1, __ATOMIC_SEQ_CST);
        usleep(1000);
    }
    __atomic_store_n(&watched->ready, 2, __ATOMIC_SEQ_CST);
    _exit(0);
}

static void wait_ready(const struct watched *watched, uint32_t value)
{
    while (__atomic_load_n(&watched->ready, __ATOMIC_SEQ_CST) != value)
        usleep(1000);
}

/* A user's process whose child has its message page, and what it does then. */
static pid_t lender(struct watched *watched, bool executes)
{
    pid_t child = fork();

    if (child == 0) {
        char *page;

        alarm(60);
        page = become_user() ? lend_message_page() : NULL;
        if (!page)
            _exit(1);
        if (fork() == 0)
            watch(watched, page);
        wait_ready(watched, 1);
        if (executes)
            execl(PROGRAM, PROGRAM, "make", (char *)NULL);
        _exit(executes);
    }
    return child;
}

static struct watched *new_watched(void)
{
    unlink(MADE);
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool set_id_program_is_alone(void)
{
    struct watched *watched = new_watched();
    pid_t child = lender(watched, true);

    wait_ready(watched, 2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return access(MADE, F_OK) == 0 && !watched->seen;
}

static void make_file(void)
{
    close(open(MADE, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

/* The next process gets the index, and root's is not written to by whom a user's left behind. */
static bool next_process_is_alone(void)
{
    struct watched *watched = new_watched();
    pid_t child = lender(watched, false);

    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) {
        make_file();
        __atomic_store_n(&watched->made, 1, __ATOMIC_SEQ_CST);
        wait_ready(watched, 2);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return access(MADE, F_OK) == 0 && !watched->seen;
}

/* ---- the programs ---- */

static bool copy(const char *to, uid_t owner, mode_t mode)
{
    static char buffer[65536];
    int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    ssize_t got;

    while ((got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)got) != got)
            return false;
    close(in);
    return close(out) == 0 && chown(to, owner, owner) == 0 && chmod(to, mode) == 0;
}

static int as_program(const char *what)
{
    if (strcmp(what, "ids") == 0)
        return 10 + (geteuid() == 0);
    if (strcmp(what, "make") == 0) {
        make_file();
        pause();
    }
    return ask_setid(PROGRAM) == -EPERM && is_user() ? 12 : 13;
}

/* A writer's mapping from before does not outlive the bits. */
static bool old_mapping_is_cut(void)
{
    struct stat stat_;
    int status = in_child(claim_without_running, NULL), fd = open(PROGRAM "-own", O_RDWR | O_CREAT | O_TRUNC, 0755);
    char *page, now = 0;

    (void)!write(fd, "old", 3);
    page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    page[0] = 'o';
    if (fchmod(fd, 04755) < 0)
        return false;
    page[0] = 'X';
    (void)!pread(fd, &now, 1, 0);
    return exited_with(status, 0) && now == 'o' && fstat(fd, &stat_) == 0 && stat_.st_mode & S_ISUID;
}

int main(int argc, char **argv)
{
    FILE *script;

    if (argc > 1)
        return as_program(argv[1]);
    umask(022);
    script = fopen(SCRIPT, "w");
    fprintf(script, "#!%s\n", PROGRAM);
    fclose(script);
    chmod(SCRIPT, 04755);
    CASE("programs", copy(PROGRAM, 0, 04755) && copy("/tmp/setid-plain", 0, 0755));
    CASE("fs gives no ids to who has not begun anew", exited_with(in_child(claim_without_running, NULL), 0));
    CASE("proc takes them from fs alone", exited_with(in_child(claim_of_proc, NULL), 0));
    CASE("a user's root directory is his own affair", exited_with(in_child(claim_a_root, NULL), 0));
    CASE("no_new_privs is kept by proc", exited_with(in_child(shed_no_new_privs, NULL), 10));
    CASE("what is no program, or not to be executed", exited_with(in_child(forbidden_nodes, NULL), 0));
    CASE("blocks that cannot be", exited_with(in_child(wrong_blocks, NULL), 0));
    CASE("a block of nothing ends the process", WIFSIGNALED(in_child(nothing_there, NULL)));
    for (uintptr_t seed = 1; seed <= 8; seed++)
        CASE("a block of random bytes ends the process", WIFSIGNALED(in_child(random_block, (void *)seed)));
    CASE("an honest block runs the program", exited_with(in_child(honest, (void *)(uintptr_t)"ids"), 11));
    CASE("a script is not followed", WIFSIGNALED(in_child(of_a_script, NULL)));
    CASE("a program that is not there", WIFSIGNALED(in_child(of_nothing, NULL)));
    CASE("strings without end", WIFSIGNALED(in_child(without_end, NULL)));
    CASE("more strings than there are", WIFSIGNALED(in_child(too_many_strings, NULL)));
    CASE("wild timers and masks", exited_with(in_child(wild_timers, NULL), 11));
    CASE("who has run a program asks in vain", exited_with(in_child(fresh_no_more, NULL), 12));
    CASE("a set-ID program's messages are not its relatives' to see", set_id_program_is_alone());
    CASE("nor those of the next process of the index", next_process_is_alone());
    CASE("set-ID bits cut who has the file mapped", old_mapping_is_cut());
    return tap_finish();
}
