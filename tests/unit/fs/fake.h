/*
 * A machine around the file server's core: pages in a memory file, so that a client's mapping is the same memory; a
 * clock that steps; hazard lists; and a count-down to a refusal. The checker (check_all) knows nothing of how
 * operations work: it looks whether the whole region makes sense.
 */
#ifndef FS_FAKE_H
#define FS_FAKE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#undef RENAME_NOREPLACE /* the C library has them too */
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT
#include "servers/fs/core.h"

void *mmap(void *at, size_t bytes, int prot, int flags, int fd, long offset);
int munmap(void *at, size_t bytes);
int memfd_create(const char *name, unsigned flags);
int ftruncate(int fd, long size);
#define HOST_MAP_SHARED 1
#define HOST_MAP_PRIVATE 2
#define HOST_MAP_FIXED 0x10

#define CHECK(condition)                                                                                          \
    do {                                                                                                          \
        if (!(condition)) {                                                                                       \
            fprintf(stderr, "%s:%d: %s (seed %llu)\n", __FILE__, __LINE__, #condition, (unsigned long long)seed); \
            abort();                                                                                              \
        }                                                                                                         \
    } while (0)

static unsigned long long seed = 1;
static unsigned long long random_state;
static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}
static inline uint64_t below(uint64_t limit)
{
    return random_number() % limit;
}
static inline void random_start(unsigned long long from)
{
    seed = from;
    random_state = from * 0x9e3779b97f4a7c15ull + 1;
    for (int i = 0; i < 8; i++)
        random_number();
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

#define REGION_PAGES 4096ul
#define AREA_PAGES 4096ul
#define ARCHIVE_PAGES 256ul
static int memory_file = -1;
static uint8_t *memory; /* archive, then area */
static uint8_t *meta_memory;
static uint64_t bitmap[AREA_PAGES / 64], used_pages[(ARCHIVE_PAGES + 64) / 64 + 1];
static uint8_t page_state[ARCHIVE_PAGES + AREA_PAGES]; /* 1: taken */
static long fail_after = -1;                           /* refuse the n-th request for pages from now on; -1: never */

static bool refuse(void)
{
    return fail_after >= 0 && fail_after-- == 0;
}

bool os_pages_take(void *va, uint64_t pages)
{
    uint64_t first = (uint64_t)((uint8_t *)va - memory) / FS_PAGE;

    if (refuse())
        return false;
    for (uint64_t i = first; i < first + pages; i++) {
        CHECK(!page_state[i]);
        page_state[i] = 1;
    }
    memset(va, 0, pages * FS_PAGE);
    return true;
}

void os_pages_give(void *va, uint64_t pages)
{
    uint64_t first = (uint64_t)((uint8_t *)va - memory) / FS_PAGE;

    for (uint64_t i = first; i < first + pages; i++) {
        CHECK(page_state[i]);
        page_state[i] = 0;
    }
    memset(va, 0xdd, pages * FS_PAGE);
}

bool os_region_grow(uint64_t first_page, uint64_t pages)
{
    if (refuse())
        return false;
    memset(meta_memory + first_page * FS_PAGE, 0, pages * FS_PAGE);
    return true;
}

void os_tell_owner(uint64_t cookie)
{
    (void)cookie;
}

static int64_t clock_now = PX_TIME(1700000000, 0);
int64_t os_now(void)
{
    return clock_now += 1000;
}

#ifndef FAKE_SHARE
int64_t os_share(void *client, uint64_t va, const void *from, uint64_t pages, uint64_t mode_prot)
{
    bool private = (mode_prot & EXO_SHARE_MODE) == EXO_SHARE_PRIVATE;
    uint64_t first = (uint64_t)((const uint8_t *)from - memory) / FS_PAGE;

    CHECK(client != NULL);
    for (uint64_t i = first; i < first + pages; i++)
        CHECK(page_state[i]);
    CHECK(mmap((void *)va, pages * FS_PAGE, (int)(mode_prot & 3),
               HOST_MAP_FIXED | (private ? HOST_MAP_PRIVATE : HOST_MAP_SHARED), memory_file,
               (long)(first * FS_PAGE)) == (void *)va);
    return 0;
}
#endif

static uint32_t hazard_list[8];
static uint32_t child_list[8]; /* looked at before its parent's */
static bool hazards_published = true, child_lives;
static uint32_t process_changes;
static void (*hazards_hook)(void); /* called when the child's list has been looked at */
bool os_next_hazards(unsigned *cursor, struct fs_hazards *hazards)
{
    if (*cursor == 0 && ++*cursor && child_lives) {
        *hazards = (struct fs_hazards){child_list, 8, true};
        return true;
    }
    if ((*cursor)++ > 1)
        return false;
    if (hazards_hook)
        hazards_hook();
    *hazards = (struct fs_hazards){hazard_list, 8, hazards_published};
    return true;
}
uint32_t os_process_changes(void)
{
    return process_changes;
}

#ifndef FAKE_MQUEUE
void fs_mq_forget(uint32_t ino)
{
    (void)ino;
}
#endif

#ifndef FAKE_FIFO
void fs_fifo_forget(uint32_t ino)
{
    (void)ino;
}
#endif

/* A fresh, empty file system. */
static void start_over(uint64_t quota)
{
    const uint64_t secret[2] = {1, 2};

    fail_after = -1;
    if (!memory) {
        memory_file = memfd_create("pages", 0);
        CHECK(memory_file >= 0 && ftruncate(memory_file, (long)((ARCHIVE_PAGES + AREA_PAGES) * FS_PAGE)) == 0);
        memory = mmap(NULL, (ARCHIVE_PAGES + AREA_PAGES) * FS_PAGE, 3, HOST_MAP_SHARED, memory_file, 0);
        meta_memory = aligned_alloc(FS_PAGE, REGION_PAGES * FS_PAGE);
    }
    memset(bitmap, 0, sizeof bitmap);
    memset(used_pages, 0, sizeof used_pages);
    memset(page_state, 0, sizeof page_state);
    memset(page_state, 1, ARCHIVE_PAGES);
    memset(hazard_list, 0, sizeof hazard_list);
    hazards_published = true;
    fs_orphans_forget();
    fs_reserved_start();
    fs_tails_start();
    CHECK(fs_region_start(meta_memory, REGION_PAGES, 1));
    fs_data_start(memory, ARCHIVE_PAGES, memory + ARCHIVE_PAGES * FS_PAGE, AREA_PAGES, bitmap, quota);
    fs_token_start(secret);
    CHECK(fs_root_start());
}

/* ---- the checker ----------------------------------------------------------------------------------------------- */

static uint8_t page_owner[ARCHIVE_PAGES + AREA_PAGES + 1];
static uint64_t pages_seen;

static void see_page(void *context, uint32_t page)
{
    CHECK(page >= 1 && page <= ARCHIVE_PAGES + AREA_PAGES);
    CHECK(page_state[page - 1] && !page_owner[page]);
    page_owner[page] = 1;
    pages_seen++;
    ++*(uint64_t *)context;
}

static uint32_t check_directory_names(uint32_t ino, uint32_t *directories)
{
    const struct px_inode *inode = fs_inode(ino);
    uint32_t count = 0, before = 0;
    uint64_t cookie = PX_COOKIE_FIRST - 1;

    for (uint32_t at = inode->directory.first; at; at = ((struct px_name *)fs_at(at))->after) {
        struct px_name *name = fs_at(at);

        CHECK(name->directory == ino && name->before == before && name->cookie > cookie);
        CHECK(name->cookie < inode->directory.next_cookie);
        CHECK(fs_name_find(ino, name->text, name->length) == name);
        CHECK(fs_is_inode(name->inode) && fs_inode(name->inode)->mode != 0);
        CHECK(name->type == (fs_inode(name->inode)->mode & S_IFMT) >> 12);
        if (S_ISDIR(fs_inode(name->inode)->mode)) {
            CHECK(fs_inode(name->inode)->parent == ino);
            ++*directories;
        }
        cookie = name->cookie;
        before = at;
        count++;
    }
    CHECK(inode->directory.last == before && inode->directory.count == count);
    return count;
}

static void check_inode(uint32_t ino, uint32_t *names)
{
    const struct px_inode *inode = fs_inode(ino);
    uint64_t pages = 0;
    uint32_t aliases = 0, directories = 0;

    if (S_ISREG(inode->mode)) {
        fs_map_each(inode, see_page, &pages);
        CHECK(pages == inode->pages);
    }
    if (inode->extended) {
        uint64_t extra = 0;

        see_page(&extra, inode->extended);
    }
    if (S_ISDIR(inode->mode)) {
        *names += check_directory_names(ino, &directories);
        CHECK(inode->nlink == 0 ? directories == 0 : inode->nlink == 2 + directories);
    }
    if (inode->flags & PX_INODE_ORPHAN) {
        CHECK(inode->nlink == 0);
        return;
    }
    CHECK(inode->nlink > 0);
    for (uint32_t at = inode->name; at; at = ((struct px_name *)fs_at(at))->alias) {
        CHECK(((struct px_name *)fs_at(at))->inode == ino);
        aliases++;
    }
    if (S_ISDIR(inode->mode))
        CHECK(aliases == (ino == fs_meta()->root ? 0u : 1u));
    else
        CHECK(aliases == inode->nlink);
}

static inline void check_all(void)
{
    uint32_t names = 0, inodes = 0, orphans = 0;

    memset(page_owner, 0, sizeof page_owner);
    pages_seen = 0;
    for (uint32_t ino = fs_inode_after(0); ino; ino = fs_inode_after(ino)) {
        if (S_ISREG(fs_inode(ino)->mode))
            fs_tail_close(fs_inode(ino)); /* its page is nobody's then */
        check_inode(ino, &names);
        orphans += (fs_inode(ino)->flags & PX_INODE_ORPHAN) != 0;
        inodes++;
    }
    CHECK(names == fs_meta()->names && inodes == fs_meta()->inodes && orphans == fs_orphan_count);
    CHECK(pages_seen == fs_meta()->data_pages && fs_meta()->data_pages <= fs_meta()->data_pages_max);
    for (uint64_t i = ARCHIVE_PAGES; i < ARCHIVE_PAGES + AREA_PAGES; i++) {
        CHECK(page_state[i] == (bitmap[(i - ARCHIVE_PAGES) / 64] >> ((i - ARCHIVE_PAGES) % 64) & 1));
        CHECK(!page_state[i] || page_owner[i + 1]);
    }
    CHECK(!(fs_meta()->seq & 1));
}


/* ---- nobody watches ---- */

void fs_watch_name(const struct px_name *name, uint32_t mask, uint32_t cookie)
{
    (void)name, (void)mask, (void)cookie;
}
void fs_watch_self(const struct px_inode *inode, uint32_t mask)
{
    (void)inode, (void)mask;
}
void fs_watch_inode(const struct px_inode *inode, uint32_t mask)
{
    (void)inode, (void)mask;
}
uint32_t fs_watch_cookie(void)
{
    return 0;
}
void fs_watch_gone(uint32_t ino)
{
    (void)ino;
}
void fs_watch_sweep(void)
{
}
#endif
