/*
 * The file system's core: inodes, names, page maps and what the operations do to them, without a word about messages
 * or the kernel, so that it is tested on the host as it is. All state is fs's own; only fs_region is seen (read-only)
 * by processes, so changes to it are made between fs_change_begin() and fs_change_end(). Operations check everything
 * first and then change state; they return 0 or more, or a negative Linux errno with nothing changed.
 */
#ifndef FS_CORE_H
#define FS_CORE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <exo/abi.h>
#include <exo/string.h>

#include "../linux.h"
#include "fs.h"
#include "fsmeta.h"
#include "watch.h"

/* What names that come and go run through lies together: after a change of address space each page costs a walk of the page tables. */
#define FS_HOT __attribute__((hot))
/* With all that it calls in one piece: a return looks its place up, a jump within a page does not (TCG). What is seldom done says FS_APART. */
#define FS_WHOLE __attribute__((hot, flatten))
#define FS_APART __attribute__((noinline))
#define FS_HOT_DATA __attribute__((section(".data.hot"))) /* and so do the few words that it changes, among large arrays otherwise */

#define FS_PAGE 4096ul
#define FS_SIZE_MAX 0x7fffffffffffffffull

/* ---- what the core asks of the system (system.c; tests have their own)
 * -------------------------------------------------------- */

/* Fresh zeroed pages at va in this server; false: none left, nothing mapped. */
bool os_pages_take(void *va, uint64_t pages);
void os_pages_give(void *va, uint64_t pages);
/* Maps page after page of the metadata region for writing. */
bool os_region_grow(uint64_t first_page, uint64_t pages);
int64_t os_now(void); /* PX_TIME */
void os_tell_owner(uint64_t cookie); /* of a socket something has come to (proto/proc.h) */
/* Maps `pages` of this server's pages at `from` into the client at `va`: EXO_SHARE_* | EXO_PROT_*. 0 or -errno. */
int64_t os_share(void *client, uint64_t va, const void *from, uint64_t pages, uint64_t mode_prot);
/* The next hazard list of a living process: *cursor starts at 0. Entries are read once each by the caller. False: no
 * more. `published` false: the process has not made its list yet. */
struct fs_hazards {
    const uint32_t *ino;
    uint32_t count;
    bool published;
};
bool os_next_hazards(unsigned *cursor, struct fs_hazards *hazards);
/* Another number after each process that has begun, before its parent goes on: what the parent held, the child holds. */
uint32_t os_process_changes(void);

/* ---- the region (region.c)
 * ---------------------------------------------------------------------------------------------------- */

extern struct px_region fs_region; /* bytes: what is mapped here */
static inline struct px_meta *fs_meta(void)
{
    return (struct px_meta *)(uintptr_t)fs_region.base;
}
static inline void *fs_at(uint32_t offset)
{
    return (uint8_t *)(uintptr_t)fs_region.base + offset;
}
bool fs_region_start(uint8_t *base, uint64_t pages_max, uint32_t id);
void fs_change_begin(void);
void fs_change_end(void);
/* Blocks of the region, not cleared: offset or 0. The same size frees it. At most 4096 bytes; a power of two is used.
 */
uint32_t fs_block_new(uint32_t bytes);
void fs_block_free(uint32_t offset, uint32_t bytes);
uint32_t fs_pages_new(uint32_t pages); /* adjacent pages */
void fs_pages_free(uint32_t offset, uint32_t pages);
uint32_t fs_inode_slot_new(void); /* an inode number or 0 */
void fs_inode_slot_free(uint32_t ino);
bool fs_is_inode(uint32_t ino);        /* the number names a slot for inodes */
uint32_t fs_inode_after(uint32_t ino); /* next inode in use, from 0; 0: none */

/* ---- credentials (access.c)
 * ---------------------------------------------------------------------------------------------------- */

struct fs_caller {
    uint32_t uid, gid; /* effective */
    uint32_t group_count;
    const uint32_t *groups;
    void *client; /* for os_share */
    unsigned label; /* of its zone */
};
bool fs_in_group(const struct fs_caller *caller, uint32_t gid);
/* want: 4 read, 2 write, 1 execute or search. */
bool fs_may(const struct fs_caller *caller, const struct px_inode *inode, unsigned want);
bool fs_owns(const struct fs_caller *caller, const struct px_inode *inode);
/* As fs_may, or by a token. */
bool fs_allowed(const struct fs_caller *caller, const struct px_inode *inode, uint32_t ino, unsigned want,
                uint64_t token);
/* rights: 4, 2 */
uint64_t fs_token(uint32_t ino, uint32_t gen, unsigned rights);
void fs_token_start(const uint64_t secret[2]);
void fs_drop_set_id(const struct fs_caller *caller, struct px_inode *inode); /* somebody wrote */

/* ---- programs that run and files that are written (busy.c)
 * ------------------------------------------------------------------ */

int64_t fs_busy_write(struct px_inode *inode); /* 0 or -ETXTBSY: a program that runs */
/* 0 or -ETXTBSY: open for writing. `run`: it is a program that begins. */
int64_t fs_busy_execute(uint64_t node, bool run, bool patient);

/* ---- security labels (label.c)
 * ------------------------------------------------------------------------------------------------ */

void fs_label_start(void);
/* The caller may change what the inode stands for. */
bool fs_label_dominates(const struct fs_caller *caller, const struct px_inode *inode);
bool fs_label_may(const struct fs_caller *caller, const struct px_inode *inode, unsigned want);
void fs_label_set(struct px_inode *inode, unsigned label); /* a new inode's */
void fs_label_forget(const struct px_inode *inode);
/* Room in the label's share: for an inode, a link to one, pages of one. */
bool fs_label_inode_room(unsigned label);
bool fs_label_link_room(const struct px_inode *inode);
uint64_t fs_label_page_room(const struct px_inode *inode);
void fs_label_pages(const struct px_inode *inode, int64_t change);

/* ---- inodes and names (inode.c, name.c, orphan.c)
 * ------------------------------------------------------------------------------ */

static inline struct px_inode *fs_inode(uint32_t ino)
{
    return fs_at(ino * PX_INODE_BYTES);
}
static inline uint32_t fs_number(const struct px_inode *inode)
{
    return (uint32_t)(((const uint8_t *)inode - fs_region.base) / PX_INODE_BYTES);
}
/* The inode that a client's node means, or NULL. Its size is what it says: a tail is closed. */
struct px_inode *fs_node(uint64_t node);
struct px_inode *fs_node_growing(uint64_t node); /* the same, and a tail stays open */
static inline uint64_t fs_node_of(uint32_t ino)
{
    return PX_FS_NODE(ino, fs_inode(ino)->gen);
}
/* A new inode without a name; 0: no room. */
uint32_t fs_inode_new(uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev);
void fs_inode_free(uint32_t ino);
void fs_xattr_forget(struct px_inode *inode); /* its extended attributes go */
void fs_fifo_forget(uint32_t ino); /* fifo.c: the FIFO goes */
void fs_mq_forget(uint32_t ino);   /* mq.c: the message queue goes */
int64_t fs_link_set(struct px_inode *inode, const char *target, uint32_t bytes);
const char *fs_link_text(const struct px_inode *inode);
void fs_touch(struct px_inode *inode); /* modification and change time */

int64_t fs_name_check(const char *text, uint32_t bytes); /* 0, -EINVAL, -ENAMETOOLONG */
struct px_name *fs_name_find(uint32_t directory, const char *text, uint32_t bytes);
struct px_name *fs_name_new(const char *text, uint32_t bytes); /* not in any directory yet; NULL: no room */
void fs_name_free(struct px_name *name);
void fs_name_enter(struct px_name *name, uint32_t directory, uint32_t ino);
void fs_name_leave(struct px_name *name);
void fs_name_retarget(struct px_name *name, uint32_t ino);

/* The inode has no name: it goes with the next sweep that finds it in nobody's list. Until then it keeps its last
 * name (in no directory any more) for those who ask what they have open; NULL: there is none. */
void fs_orphan(uint32_t ino, struct px_name *name, uint32_t directory);
void fs_orphan_adopt(uint32_t ino); /* it gets a name after all */
void fs_orphans_sweep(void);
/* At once, unless the latest orphan is all but nothing: an empty file that nobody watches. A few of those wait for each other. */
void fs_orphans_sweep_soon(const struct px_inode *latest);
void fs_orphans_forget(void); /* a new region */
extern uint32_t fs_orphan_count;

/* ---- pages (data.c, map.c, file.c)
 * --------------------------------------------------------------------------------------------- */

/* Data pages have numbers: 1.. are the pages of the archive, then those of the data area. */
void fs_data_start(uint8_t *archive, uint64_t archive_pages, uint8_t *area, uint64_t area_pages, uint64_t *bitmap,
                   uint64_t quota);
#define FS_DATA_BITMAP_BYTES(area_pages) (((area_pages) + 63) / 64 * 8)
uint8_t *fs_page(uint32_t page);
bool fs_page_archived(uint32_t page);
/* Up to `want` adjacent zeroed pages, if it can be after page `near`; 0: no memory. */
uint32_t fs_data_take(uint32_t near, uint64_t want, uint64_t *got);
/* Gives pages back, adjacent ones together: fs_release_page for each, then fs_release_end. */
struct fs_release {
    uint32_t first;
    uint64_t count;
};
void fs_release_page(struct fs_release *release, uint32_t page);
void fs_release_end(struct fs_release *release);
/* While the archive is read its pages stay; then `used` (a bit a page number) says which ones are files' pages. */
void fs_data_keep_archive(bool keep);
void fs_data_sort_archive(const uint64_t *used);
uint64_t fs_data_free(void);

uint32_t fs_map_get(const struct px_inode *inode, uint64_t index);
uint64_t fs_map_next(const struct px_inode *inode, uint64_t index); /* the first page from there on; ~0: there is none */
/* Room for page `index` in the map. 0 or -ENOSPC. */
int64_t fs_map_room(struct px_inode *inode, uint64_t index);
/* There must be room. page != 0. */
void fs_map_put(struct px_inode *inode, uint64_t index, uint32_t page);
/* Takes the pages first .. end-1 out of the map and gives them back; with end ~0 blocks go as well. */
void fs_map_cut(struct px_inode *inode, uint64_t first, uint64_t end);
/* Calls visit for each page number in the map. */
void fs_map_each(const struct px_inode *inode, void (*visit)(void *context, uint32_t page), void *context);

/* Puts pages into holes from first on; as many as can be. Pages done (filled or there already), or -ENOSPC if none.
 */
int64_t fs_fill(struct px_inode *inode, uint64_t first, uint64_t count);
void fs_trim_reserved(void);  /* pages that writers reserved and did not use */
void fs_reserved_start(void); /* none */
void fs_reserved_forget(uint32_t ino);

/* Files that grow without a word to fs (tail.c). */
int64_t fs_tail_open(const struct fs_caller *caller, uint64_t node, uint64_t va, uint64_t token);
void fs_tail_settle(struct px_inode *inode, bool close); /* takes the writer's length over */
void fs_tail_close(struct px_inode *inode);              /* if there is one */
void fs_tails_start(void);                               /* none */

int64_t fs_open(const struct fs_caller *caller, uint64_t node, unsigned rights, bool truncate, uint64_t *token);
int64_t fs_truncate(const struct fs_caller *caller, uint64_t node, uint64_t size, uint64_t token);
int64_t fs_extend(const struct fs_caller *caller, uint64_t node, uint64_t start, uint64_t end, uint32_t version,
                  uint64_t token);
int64_t fs_append(const struct fs_caller *caller, uint64_t node, uint64_t bytes, uint64_t token, uint64_t *offset);
int64_t fs_write(const struct fs_caller *caller, uint64_t node, uint64_t offset, const void *data, uint64_t bytes,
                 uint64_t token, uint64_t *at);
int64_t fs_touched(const struct fs_caller *caller, uint64_t node, unsigned what, uint64_t token);
int64_t fs_punch(const struct fs_caller *caller, uint64_t node, uint64_t offset, uint64_t bytes, uint64_t token);
int64_t fs_allocate(const struct fs_caller *caller, uint64_t node, uint64_t offset, uint64_t bytes, bool keep_size,
                    uint64_t token);
int64_t fs_grant(const struct fs_caller *caller, uint64_t node, uint64_t first, uint64_t count, uint64_t va_flags,
                 uint64_t token, uint32_t *version);

/* inotify (watch.c): to be called if somebody watches something at all. */
static inline bool fs_watched(void)
{
    return fs_meta()->watches != 0;
}
void fs_watch_name(const struct px_name *name, uint32_t mask, uint32_t cookie); /* tells who watches its directory */
void fs_watch_self(const struct px_inode *inode, uint32_t mask);                /* who watches the inode */
void fs_watch_inode(const struct px_inode *inode, uint32_t mask);               /* all of these */
uint32_t fs_watch_cookie(void);
void fs_watch_gone(uint32_t ino);
void fs_watch_sweep(void); /* instances that nobody has any more */

/* Fresh frames for all pages: what somebody has mapped for writing is the file's no longer. 0 or -ENOMEM. */
int64_t fs_renew_pages(struct px_inode *inode);
/* Seals (seal.c). -EPERM: the file's seals forbid to write, or to make it that large. */
unsigned fs_seals(const struct px_inode *inode);
int64_t fs_seal_check(const struct px_inode *inode, bool writes, uint64_t size);
int64_t fs_seal(const struct fs_caller *caller, uint64_t node, unsigned seals, uint64_t token);

/* ---- operations on names (create.c, remove.c, rename.c, attribute.c)
 * ------------------------------------------------------------- */

struct fs_new {
    uint32_t mode;
    uint32_t flags;
    uint64_t rdev;
    const char *name, *target;
    uint32_t name_bytes, target_bytes;
};
/* *ino: the new inode; with -EEXIST the one that is there. */
int64_t fs_create(const struct fs_caller *caller, uint64_t directory, const struct fs_new *what, uint32_t *ino);
int64_t fs_link(const struct fs_caller *caller, uint64_t from, uint64_t directory, const char *text, uint32_t bytes);
int64_t fs_unlink(const struct fs_caller *caller, uint64_t directory, const char *text, uint32_t bytes, bool rmdir);
struct fs_rename {
    uint64_t directory[2];
    const char *text[2];
    uint32_t bytes[2];
    uint32_t flags;
};
int64_t fs_rename(const struct fs_caller *caller, const struct fs_rename *rename);
int64_t fs_setattr(const struct fs_caller *caller, uint64_t node, const struct px_fs_attributes *attributes);
/* Permission to take the name out of its directory. */
int64_t fs_may_remove(const struct fs_caller *caller, const struct px_inode *directory, const struct px_name *name);
/* A directory that a client named, for changes in it: NULL and *error. */
struct px_inode *fs_directory(const struct fs_caller *caller, uint64_t node, int64_t *error);

/* ---- the archive (cpio.c)
 * ------------------------------------------------------------------------------------------------------- */

/* Fills the file system. The archive's pages are data pages 1.. (fs_data_start). `used`: a cleared bit for each of
 * them and two more. Returns entries made, -EINVAL where it is damaged, or -ENOSPC; what came before stays. */
int64_t fs_load_archive(const uint8_t *archive, uint64_t bytes, uint64_t *used);
/* Makes the root directory: before anything else. */
bool fs_root_start(void);
/* Marks /proc, making it if it is not there: names below it are not this server's. */
void fs_mount_proc(void);

#endif
