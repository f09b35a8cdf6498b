/*
 * A process around the libOS's files: the real server core answers its calls, windows are real mappings of the
 * server's pages, program memory is an array with nothing behind it. Includes the libOS's sources as they are.
 */
#ifndef FILES_FAKE_H
#define FILES_FAKE_H
#include <sched.h>
#include <stdint.h>
int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#include "tests/unit/trap_fake.h"

#define FAKE_FIFO
#include "fake.h"
#undef unix

#include "servers/fs/serve.h"

static _Alignas(4096) unsigned char fake_ppage[4096], fake_msg[4096], fake_proctab[8192];
#undef PX_PPAGE
#undef PX_MSG
#undef PX_PROCTAB
#define PX_PPAGE ((uint64_t)fake_ppage)
#define PX_MSG ((uint64_t)fake_msg)
#define PX_PROCTAB ((uint64_t)fake_proctab)
#include "fs/files.h"

#include "px_calls.h"

const uint8_t *px_meta_base;
bool px_fd_exiting;
static uint64_t calls_made, file_size_limit = ~0ull;
static int signals_raised;
static struct px_ofd fake_ofd[4];

/* ---- the program's memory -------------------------------------------------------------------------------------- */

#define PROGRAM_BYTES (4ul << 20)
static uint8_t *program; /* a guard page follows */
static bool inside(px_user va, size_t bytes)
{
    return va >= (px_user)program && va <= (px_user)program + PROGRAM_BYTES &&
           bytes <= (px_user)program + PROGRAM_BYTES - va;
}
static size_t clip(px_user va, size_t bytes)
{
    if (va < (px_user)program || va >= (px_user)program + PROGRAM_BYTES)
        return 0;
    return inside(va, bytes) ? bytes : (px_user)program + PROGRAM_BYTES - va;
}
int px_raw_swap_u64(void *at, uint64_t *value, uint64_t next);
int px_raw_swap_u64(void *at, uint64_t *value, uint64_t next)
{
    return __atomic_compare_exchange_n((uint64_t *)at, value, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? 0 : 1;
}
int64_t px_copy_in(void *to, px_user from, size_t bytes)
{
    if (!inside(from, bytes))
        return -EFAULT;
    memcpy(to, (void *)from, bytes);
    return 0;
}
int64_t px_copy_out(px_user to, const void *from, size_t bytes)
{
    if (!inside(to, bytes))
        return -EFAULT;
    memcpy((void *)to, from, bytes);
    return 0;
}
size_t px_copy_in_part(void *to, px_user from, size_t bytes)
{
    bytes = clip(from, bytes);
    memcpy(to, (void *)from, bytes);
    return bytes;
}
size_t px_copy_out_part(px_user to, const void *from, size_t bytes)
{
    bytes = clip(to, bytes);
    memcpy((void *)to, from, bytes);
    return bytes;
}
int64_t px_clear_out(px_user to, size_t bytes)
{
    if (!inside(to, bytes))
        return -EFAULT;
    memset((void *)to, 0, bytes);
    return 0;
}
int64_t px_copy_string(char *to, px_user from, size_t most)
{
    size_t length = inside(from, 1) ? strnlen((const char *)from, clip(from, most)) : most;

    if (length == most)
        return inside(from, 1) ? -ENAMETOOLONG : -EFAULT;
    memcpy(to, (const char *)from, length + 1);
    return (int64_t)length;
}
size_t px_guarded_copy(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
    return bytes;
}

/* ---- the rest of the libOS ------------------------------------------------------------------------------------- */

void *px_alloc(size_t bytes)
{
    return malloc(bytes);
}
void px_free(void *block)
{
    free(block);
}
#define WINDOW_PAGES 4096ul
static uint8_t *window_range;
static uint64_t window_used;
uint64_t px_window_reserve(uint64_t pages)
{
    uint64_t va = (uint64_t)window_range + window_used * FS_PAGE;

    window_used += pages;
    return window_used <= WINDOW_PAGES ? va : 0;
}
uint64_t px_now_ns(void)
{
    static uint64_t now;

    return now += 100000;
}
uint64_t px_limit(unsigned which)
{
    CHECK(which == PX_RLIMIT_FSIZE);
    return file_size_limit;
}
void px_memory_punch(const struct px_node *node, uint64_t offset, uint64_t bytes)
{
    (void)node, (void)offset, (void)bytes;
}
void px_memory_cut(const struct px_node *node, uint64_t size)
{
    (void)node, (void)size;
}
void px_raise(int signo)
{
    signals_raised += signo == SIGXFSZ;
}
struct px_ofd *px_fd_get(int fd)
{
    return fd >= 0 && fd < 4 && fake_ofd[fd].kind ? &fake_ofd[fd] : NULL;
}
static const struct fs_caller *client_ids;
static const struct fs_caller super = {.client = &seed};
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    struct fs_request request = {.caller = *client_ids, .page = fake_msg, .message = message};

    CHECK(server == PX_SLOT_FS);
    calls_made++;
    fs_serve(&request);
    return (int64_t)message->word[0];
}
int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)d, (void)e, (void)f;
    switch (call) {
    case EXO_CALL_MEM_UNMAP:
        CHECK(mmap((void *)b, c * FS_PAGE, 0, HOST_MAP_FIXED | HOST_MAP_PRIVATE | 0x20, -1, 0) == (void *)b);
        return (int64_t)c;
    case EXO_CALL_MEM_ALLOC:
        CHECK(mmap((void *)b, c * FS_PAGE, (int)d & 3, HOST_MAP_FIXED | HOST_MAP_PRIVATE | 0x20, -1, 0) == (void *)b);
        return (int64_t)c;
    case EXO_CALL_YIELD: return sched_yield();
    default: CHECK(!"a kernel call that files do not make"); return -1;
    }
}
int64_t exo_unmap_all(uint64_t env, uint64_t va, uint64_t pages)
{
    return exo_mem_unmap(env, va, pages) < 0;
}

int64_t px_procfs_walk(const char *rest, unsigned flags, struct px_node *node)
{
    *node = (struct px_node){.kind = PX_NODE_PROC,
                             .mode = (*rest ? S_IFREG : S_IFDIR) | 0555,
                             .ino = 77 + strlen(rest),
                             .nlink = flags};
    return strcmp(rest, "nothing") == 0 ? -ENOENT : 0;
}
int64_t px_procfs_stat(const struct px_node *node, struct px_stat *stat)
{
    *stat = (struct px_stat){.st_ino = node->ino, .st_mode = node->mode};
    return 0;
}
int64_t px_procfs_path(const struct px_node *node, char *to, size_t bytes)
{
    (void)node;
    CHECK(bytes >= 6);
    memcpy(to, "/proc", 5);
    return 5;
}

#include "fs/cwd.c"
#include "fs/hold.c"
#include "fs/ids.c"
#include "fs/meta.c"
#include "fs/place.c"
#include "fs/request.c"
#include "fs/walk.c"
#include "fs/walk_short.c"

/* A process in a fresh file system. */
static void start_process(uint64_t quota)
{
    start_over(quota);
    px_meta_base = meta_memory;
    if (!program) {
        program = mmap(NULL, PROGRAM_BYTES + FS_PAGE, 0, HOST_MAP_PRIVATE | 0x20, -1, 0);
        CHECK(mmap(program, PROGRAM_BYTES, 3, HOST_MAP_FIXED | HOST_MAP_PRIVATE | 0x20, -1, 0) == program);
        window_range = mmap(NULL, WINDOW_PAGES * FS_PAGE, 0, HOST_MAP_PRIVATE | 0x20, -1, 0);
    }
    memset(fake_ppage, 0, sizeof fake_ppage);
    memset(fake_ofd, 0, sizeof fake_ofd);
    ((struct px_ppage *)fake_ppage)->index = 1;
    client_ids = &super;
    memset(held, 0, sizeof held);
    runs = 0;
    high = 0;
    px_walk_fork_child();
    px_files_start();
}

/* ---- nobody watches ---- */

#include "unserved.h"

bool px_watched_now(const struct px_inode *inode)
{
    (void)inode;
    return false;
}
void px_watch_tell(const struct px_ofd *ofd, uint32_t mask)
{
    (void)ofd, (void)mask;
}
void px_watch_closed(struct px_ofd *ofd)
{
    (void)ofd;
}
#endif
