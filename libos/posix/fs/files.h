/*
 * Files, inside fs/: reading fs's metadata (meta.c), path walk (walk.c), inodes held (hold.c), windows on file pages
 * (window.c), and what the system calls on paths share. State is private to the process and copied on fork.
 */
#ifndef PX_FILES_H
#define PX_FILES_H
#include "px.h"

#include "proto/fs.h"
#include "proto/fsmeta.h"

#define PX_LINKS_MAX 40u
#define PX_RLIMIT_FSIZE 1u
#define PX_FILE_MAX 0x7fffffffffffffffull
#define PX_PAGES_UP(bytes) (((bytes) + PX_PAGE - 1) / PX_PAGE)

/* ---- metadata (meta.c) ----------------------------------------------------------------------------------------- */

#ifdef EXO_HOST_TEST
extern const uint8_t *px_meta_base;
#else
#define px_meta_base ((const uint8_t *)PX_META)
#endif

static inline const struct px_meta *px_meta(void)
{
    return (const struct px_meta *)px_meta_base;
}

/* One consistent look: px_look_start(&look); do { ... } while (px_look_again(&look)); then look.failed says that fs
 * never came to rest. */
struct px_look {
    struct px_region region;
    uint32_t seq;
    uint32_t tries;
    bool failed;
};
void px_look_wait(struct px_look *look); /* until nothing is being changed */
static inline void px_look_begin(struct px_look *look)
{
    look->seq = __atomic_load_n(&px_meta()->seq, __ATOMIC_ACQUIRE);
    if (look->seq & 1)
        px_look_wait(look);
    look->region.bytes = PX_META_LOAD(px_meta()->pages) * PX_PAGE;
}
static inline void px_look_start(struct px_look *look)
{
    look->region.base = px_meta_base;
    look->tries = 0;
    look->failed = false;
    px_look_begin(look);
}
bool px_look_retry(struct px_look *look);
static inline bool px_look_again(struct px_look *look)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* partner: fs_change_begin, fs_change_end */
    return PX_META_LOAD(px_meta()->seq) != look->seq && px_look_retry(look);
}
/* An inode that this process holds: single words of it may be read without a look. NULL: the description lies. */
static inline const struct px_inode *px_held_inode_inline(uint32_t ino, uint32_t gen)
{
    struct px_region region = {px_meta_base, PX_META_LOAD(px_meta()->pages) * PX_PAGE};
    const struct px_inode *inode = px_region_inode(&region, ino);

    return inode && PX_META_LOAD(inode->gen) == gen && PX_META_LOAD(inode->mode) ? inode : NULL;
}
const struct px_inode *px_held_inode(const struct px_node *node);
/* relatime: does the time of reading say already that it was read since its last change? */
static inline bool px_read_noted(const struct px_inode *inode)
{
    int64_t atime = PX_META_LOAD(inode->atime);

    return atime > PX_META_LOAD(inode->mtime) && atime > PX_META_LOAD(inode->ctime);
}
void px_node_fill(struct px_node *node, uint32_t ino, const struct px_inode *inode);

/* ---- who asks -------------------------------------------------------------------------------------------------- */

struct px_ids {
    uint32_t uid, gid;
    uint32_t group_count;
    const uint32_t *groups;
};
void px_ids_effective(struct px_ids *ids);
void px_ids_real(struct px_ids *ids);
bool px_may(const struct px_ids *ids, uint32_t mode, uint32_t uid, uint32_t gid, unsigned want);

/* ---- walking (walk.c) ------------------------------------------------------------------------------------------ */

#define PX_WALK_PARENT 0x100u /* the last component need not exist: place.node.kind is then 0 */
#define PX_WALK_NAME \
    0x200u /* directory, name and so on of the place are wanted too; without these two only its node is filled in */

enum px_last { PX_LAST_NAME, PX_LAST_DOT, PX_LAST_DOTDOT, PX_LAST_ROOT };
struct px_place {
    struct px_node node; /* what is there; kind 0: nothing */
    uint64_t directory;  /* node of the directory that the last component is in; 0: it is in no directory of fs */
    uint8_t last;        /* enum px_last */
    bool slash;          /* slashes follow the last component */
    uint8_t length;
    char name[NAME_MAX + 1]; /* the last component */
};

#define PX_WALK_STAY 0x400u /* a symbolic link at the end is what is meant, even with slashes behind it */

/* A walk: start and root are inode numbers of directories. */
struct px_walk_from {
    uint32_t start, root;
    const struct px_ids *ids;
};
int64_t px_walk_from(const struct px_walk_from *from, const char *path, unsigned flags, struct px_place *place);
void px_walk_fork_child(void);

/* stat of a plain path in one look. False: it is not that plain. */
bool px_walk_stat(const struct px_walk_from *from, const char *path, struct px_stat *stat);

/* place.c: from a descriptor or the current directory. */
int64_t px_find(int dirfd, const char *path, unsigned flags, const struct px_ids *ids, struct px_place *place);
/* The same for a path of the program. */
int64_t px_find_user(int dirfd, px_user path, unsigned flags, struct px_place *place);

/* ---- current directory and root (directory.c, cwd.c)
 * ------------------------------------------------------------------ */

#define PX_BASE_MAX 160u
struct px_base {
    uint32_t ino, gen;      /* ino 0: in /proc */
    char proc[PX_BASE_MAX]; /* its path */
};
extern struct px_base px_cwd;
extern struct px_node px_root;
extern uint32_t px_umask;
/* The absolute path of a directory or file of fs as seen from px_root, or from the root of all where it is not below that; length, or -ENOENT.
 * `deleted`: what has no name any more has its last one, and " (deleted)" behind. */
int64_t px_inode_path(uint32_t ino, uint32_t gen, bool deleted, char *to, size_t bytes);

/* ---- holding inodes (hold.c)
 * ------------------------------------------------------------------------------------------ */

/* px_node_hold, px_node_drop and px_files_fork_child are in px.h. */
extern bool px_fd_exiting;

/* ---- windows (window.c)
 * ------------------------------------------------------------------------------------------------ */

struct px_file {
    uint32_t ino, gen;
    uint64_t token;
};
enum px_window_use { PX_USE_READ, PX_USE_EXEC, PX_USE_WRITE };
/* Makes pages of the file reachable from `page` on, up to `want` of them: how many are, *at where. 0: `page` is a
 * hole (reading). -errno. For writing, holes and pages beyond the end are filled. */
int64_t px_window_at(const struct px_file *file, uint64_t page, uint64_t want, enum px_window_use use, uint8_t **at);
void px_window_forget(uint32_t ino);
/* In a child of fork, which has its parent's windows without the pages in them. */
void px_window_fork_child(void);
/* The version that the windows on the file are of. */
uint32_t px_window_version(const struct px_file *file, uint64_t page);

/* ---- files that grow without a word to fs (tail.c) --------------------------------------------------------------------- */

/* How long a file is whose inode's size has PX_SIZE_OPEN: this process's own tail says it, or fs, which ends the tail. Or fs in any case. */
uint64_t px_size_ask(const struct px_inode *inode);
uint64_t px_size_settle(const struct px_inode *inode);
/* How long a file is. */
static inline uint64_t px_inode_size(const struct px_inode *inode)
{
    uint64_t size = PX_META_LOAD(inode->size);

    return __builtin_expect((int64_t)size < 0, 0) ? px_size_ask(inode) : size;
}
/* Writes at the file's end, where `*offset` must be, or wherever that is (`append`; *offset then says where). Bytes; 0: another way must be taken; -EFAULT. */
int64_t px_tail_write(const struct px_file *file, const struct px_inode *inode, px_user from, uint64_t bytes, uint64_t *offset, bool append);
void px_tail_fork_child(void); /* it has none of its parent's */
/* The leading part of the program's memory that can be read: an append must not fail once the file has grown. */
uint64_t px_readable(px_user from, uint64_t bytes);

/* ---- calls to fs (request.c)
 * ---------------------------------------------------------------------------------------------- */

int64_t px_fs_call(uint64_t op, uint64_t node, uint64_t a, uint64_t b, uint64_t token, uint64_t *answer);
struct px_fs_made {
    uint64_t node, token;
};
int64_t px_fs_create(const struct px_place *place, uint32_t mode, uint64_t rdev, const char *target, uint32_t flags,
                     struct px_fs_made *made);
int64_t px_fs_names(uint64_t op, uint64_t from, const struct px_place *first, const struct px_place *second,
                    uint32_t flags);

/* ---- inotify (inotify.c) ----------------------------------------------------------------------------------------------- */

bool px_watched_now(const struct px_inode *inode);
/* Does somebody want to know what happens to it, or in its directory? */
static inline bool px_watched(const struct px_inode *inode)
{
    return PX_META_LOAD(px_meta()->watches) && px_watched_now(inode);
}
void px_watch_tell(const struct px_ofd *ofd, uint32_t mask); /* IN_* */
void px_watch_closed(struct px_ofd *ofd);                    /* before its last descriptor goes */

/* ---- open files (file.c, open.c)
 * ------------------------------------------------------------------------------------------- */

#define PX_WORD_TOKEN 0 /* ofd->word: what fs gave at open */
#define PX_WORD_TICK 1  /* when fs was last told of a write */
#define PX_WORD_NAME 2  /* directories: where the listing is (a hint) */
void px_stat_fill(struct px_stat *stat, uint32_t ino, const struct px_inode *inode);
int64_t px_file_seek(struct px_ofd *ofd, int64_t offset, int whence, uint64_t size);
/* A descriptor of a file that the caller holds, or -errno. */
int64_t px_open_held(const struct px_node *node, unsigned flags);
/* A description of a file that fs has just made. */
int64_t px_file_made(const struct px_fs_made *made, unsigned flags, struct px_ofd **ofd);
/* The description's hold on its inode. */
static inline void px_file_let_go(const struct px_ofd *ofd)
{
    if (ofd->kind == PX_OFD_FILE && (ofd->flags & O_ACCMODE) != O_RDONLY)
        px_node_drop_write(&ofd->node);
    else
        px_node_drop(&ofd->node);
}
/* A hole there; the size stays. */
int64_t px_file_punch(const struct px_node *node, uint64_t offset, uint64_t bytes, uint64_t token);
int64_t px_file_truncate(const struct px_node *node, uint64_t size, uint64_t token);
int64_t px_file_may_grow(const struct px_node *node, uint64_t size); /* RLIMIT_FSIZE: 0, or SIGXFSZ is raised and -EFBIG */

#endif
