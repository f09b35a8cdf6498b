/*
 * Inodes that processes hold (libos/posix/fs/hold.c) while fs takes their names away and frees what nobody holds (servers/fs/orphan.c), between real
 * threads under ThreadSanitizer: two are processes, one is fs. The code is the real one, metadata's sequence counter included; what stands here for the rest
 * of fs makes and frees inodes. An inode's bytes are ordinary memory: if fs frees one that is held, its reader reads what is another's, and ThreadSanitizer
 * sees that nothing orders the two.
 */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wtsan" /* fences: they order values, as on the processor; what ThreadSanitizer judges goes by the lists' loads and stores */
#endif
#include <sched.h>
#include <stdint.h>
static inline int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)call, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return sched_yield();
}
#include "tests/unit/trap_fake.h"

#include "servers/fs/core.h"

#include "libos/posix/proto/layout.h"
#include "libos/posix/proto/proctab.h"
#undef PX_PPAGE
#define READERS 2u
static struct px_ppage process_page[READERS];
static __thread struct px_ppage *my_page;
#define PX_PPAGE ((uint64_t)my_page)
#include "fs/files.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const uint8_t *px_meta_base;
bool px_fd_exiting;
static unsigned reap; /* somebody has let go of a file without a name */
int64_t px_fs_call(uint64_t op, uint64_t node, uint64_t a, uint64_t b, uint64_t token, uint64_t *answer)
{
    (void)op, (void)node, (void)a, (void)b, (void)token, (void)answer;
    __atomic_store_n(&reap, 1, __ATOMIC_RELEASE);
    return 0;
}
void px_window_forget(uint32_t ino)
{
    (void)ino;
}
void px_walk_fork_child(void)
{
}

void px_window_fork_child(void)
{
}
void px_tail_fork_child(void)
{
}
uint64_t px_size_ask(const struct px_inode *inode)
{
    (void)inode;
    return 0;
}
void *px_alloc(size_t bytes)
{
    return malloc(bytes);
}
void px_free(void *block)
{
    free(block);
}
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    (void)server, (void)message;
    return -EIO;
}
#include "libos/posix/fs/meta.c"

#include "servers/fs/orphan.c"

/* Each process has its own list. */
#include "libos/posix/fs/hold.c"
#define OTHER(name) name##_of_other
#define held OTHER(held)
#define high OTHER(high)
#define find OTHER(find)
#define publish OTHER(publish)
#define withdraw OTHER(withdraw)
#define is_there OTHER(is_there)
#define px_node_hold OTHER(px_node_hold)
#define px_node_drop OTHER(px_node_drop)
#define px_files_fork_child OTHER(px_files_fork_child)
#define runs OTHER(runs)
#define mark OTHER(mark)
#define ask_busy OTHER(ask_busy)
#define more OTHER(more)
#define more_count OTHER(more_count)
#define more_room OTHER(more_room)
#define find_more OTHER(find_more)
#define add_more OTHER(add_more)
#define leave_more OTHER(leave_more)
#define hold_more OTHER(hold_more)
#define is_nameless OTHER(is_nameless)
#define drop_more OTHER(drop_more)
#define px_node_hold_as OTHER(px_node_hold_as)
#define px_node_drop_write OTHER(px_node_drop_write)
#define px_node_unwritten OTHER(px_node_unwritten)
#define px_node_run OTHER(px_node_run)
int64_t px_node_hold_as(const struct px_node *node, bool writing);
void px_node_drop_write(const struct px_node *node);
int64_t px_node_unwritten(const struct px_node *node);
int64_t px_node_run(const struct px_node *node);
int64_t px_node_hold(const struct px_node *node);
void px_node_drop(const struct px_node *node);
void px_files_fork_child(void);
#include "libos/posix/fs/hold.c"
#undef px_node_hold
#undef px_node_drop

/* ---- the rest of fs ---- */

#define INODES 6u
#define FIRST_INODE 64u /* behind two pages */
#define AT_ONCE 3u

static _Alignas(4096) uint8_t region[16384];
struct px_region fs_region = {region, sizeof region};
static uint32_t bytes[INODES]; /* what each file holds: its generation */
static unsigned long rounds = 60000, freed;
static unsigned running = READERS;

bool os_next_hazards(unsigned *cursor, struct fs_hazards *hazards)
{
    const struct px_ppage *page = &process_page[*cursor];

    if (*cursor == READERS)
        return false;
    *hazards = (struct fs_hazards){page->hazard, __atomic_load_n(&page->hazard_count, __ATOMIC_ACQUIRE), true};
    ++*cursor;
    return true;
}

uint32_t os_process_changes(void)
{
    return 0;
}

bool fs_is_inode(uint32_t ino)
{
    return ino >= FIRST_INODE && ino < FIRST_INODE + INODES;
}

void fs_name_free(struct px_name *name)
{
    (void)name;
}

static void set(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

void fs_inode_free(uint32_t ino)
{
    bytes[ino - FIRST_INODE] = 0;
    set(&fs_inode(ino)->mode, 0);
    fs_inode(ino)->flags = 0;
    freed++;
}

/* As region.c has them. */
static void begin(void)
{
    __atomic_store_n(&fs_meta()->seq, fs_meta()->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end(void)
{
    __atomic_store_n(&fs_meta()->seq, fs_meta()->seq + 1, __ATOMIC_SEQ_CST);
}

static void make(uint32_t ino)
{
    struct px_inode *inode = fs_inode(ino);

    set(&inode->gen, inode->gen + 1);
    bytes[ino - FIRST_INODE] = inode->gen;
    set(&inode->nlink, 1);
    set(&inode->mode, S_IFREG | 0600);
}

static void *serve(void *unused)
{
    unsigned next = 0;

    (void)unused;
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
        uint32_t ino = FIRST_INODE + next++ % INODES;
        struct px_inode *inode = fs_inode(ino);

        begin();
        if (inode->mode == 0) {
            make(ino);
        } else if (!(inode->flags & PX_INODE_ORPHAN)) {
            set(&inode->nlink, 0);
            fs_orphan(ino, NULL, 0);
        }
        if (next % 2 || __atomic_exchange_n(&reap, 0, __ATOMIC_ACQUIRE))
            fs_orphans_sweep();
        end();
    }
    return NULL;
}

/* ---- processes ---- */

static void need(bool good, const char *text)
{
    if (!good) {
        fprintf(stderr, "not so: %s\n", text);
        abort();
    }
}

static void *process(void *number)
{
    bool other = number != NULL;
    struct px_node mine[AT_ONCE] = {{0}};
    unsigned long got = 0, at = other;

    my_page = &process_page[other];
    for (unsigned long i = 0; i < rounds || got < rounds / 100; i++) {
        struct px_node *node = &mine[i % AT_ONCE];
        uint32_t ino = FIRST_INODE + (uint32_t)(at = at * 6364136223846793005ul + 1442695040888963407ul, at >> 33) % INODES;

        if (node->ino) {
            need(bytes[node->ino - FIRST_INODE] == node->gen, "it is still there when it is let go");
            (other ? OTHER(px_node_drop) : px_node_drop)(node);
        }
        *node = (struct px_node){.kind = PX_NODE_FS, .ino = ino, .gen = PX_META_LOAD(fs_inode(ino)->gen)};
        if ((other ? OTHER(px_node_hold) : px_node_hold)(node) < 0) {
            node->ino = 0;
            continue;
        }
        got++;
        need(bytes[ino - FIRST_INODE] == node->gen, "what is held is what was found");
    }
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (mine[i].ino)
            (other ? OTHER(px_node_drop) : px_node_drop)(&mine[i]);
    __atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
    return NULL;
}

int main(int count, char **word)
{
    pthread_t thread[READERS + 1];

    if (count > 1)
        rounds = strtoul(word[1], NULL, 10);
    px_meta_base = region;
    fs_meta()->pages = sizeof region / FS_PAGE;
    for (unsigned i = 0; i < READERS; i++)
        process_page[i].hazard_count = 1;
    if (pthread_create(&thread[READERS], NULL, serve, NULL) != 0)
        return 2;
    for (unsigned i = 0; i < READERS; i++)
        if (pthread_create(&thread[i], NULL, process, i ? &thread : NULL) != 0)
            return 2;
    for (unsigned i = 0; i <= READERS; i++)
        (void)pthread_join(thread[i], NULL);
    fs_orphans_sweep();
    for (uint32_t ino = FIRST_INODE; ino < FIRST_INODE + INODES; ino++)
        need(!(fs_inode(ino)->flags & PX_INODE_ORPHAN), "nothing that nobody holds is left");
    need(freed > rounds / 100, "files came and went");
    return 0;
}
