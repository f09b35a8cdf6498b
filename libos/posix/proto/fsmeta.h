/*
 * File-system metadata: one region at PX_META, written by fs alone and mapped read-only in every process. A libOS
 * resolves paths and answers stat, readlink and getdents from it without a message.
 *
 * Everything in it is named by a byte offset from its start (0: nothing), an inode by its number, which is its offset
 * / 128. Readers take `seq` before and after: odd, or not the same at the end, means that what was read may be torn,
 * so every offset is checked against the pages that are mapped, every loop is bounded, and words are loaded once
 * (PX_META_LOAD). fs itself uses the same functions.
 */
#ifndef PX_FSMETA_H
#define PX_FSMETA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PX_META_VERSION 1u
#define PX_META_PAGES_MAX 65408u /* PX_META .. PX_META_HI */
#define PX_META_LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

#define PX_INODE_BYTES 128u
#define PX_LINK_INLINE 40u  /* shorter symbolic link targets lie in the inode */
#define PX_MAP_FANOUT 1024u /* page numbers in a full block of a page map */
#define PX_MAP_HEIGHT_MAX 6u
#define PX_CHAIN_MAX 65536u /* longest hash chain that a reader follows */

/* Times: seconds since 1970 and nanoseconds in one word, which compares as time does and comes apart without a
 * division. */
#define PX_TIME(seconds, ns) ((int64_t)((uint64_t)(seconds) << 30 | (uint64_t)(ns)))
#define PX_TIME_SECONDS(time) ((time) >> 30)
#define PX_TIME_NS(time) ((time) & 0x3fffffff)
#define PX_TIME_SECONDS_MAX ((1ll << 33) - 1) /* the year 2242; as far back before 1970 */

struct px_meta { /* the first page */
    uint32_t version;
    uint32_t seq;        /* odd: being changed */
    uint32_t pages;      /* of the region that are in use; a process may have fewer of them mapped: PX_FS_META */
    uint32_t root;       /* inode of / */
    uint32_t hash;       /* offset of the name table: u32 offsets of struct px_name, chained by `next` */
    uint32_t hash_mask;  /* buckets - 1 */
    uint32_t names;      /* names there are */
    uint32_t inodes;     /* inodes in use */
    uint64_t data_pages; /* pages of file data in use */
    uint64_t data_pages_max;
    uint32_t inodes_max;
    uint32_t id; /* changes with each start of fs */
    uint32_t watches; /* of inotify: 0: nobody wants to know */
    uint32_t ipc;     /* offset of struct px_ipc_words (sysv.h); 0: nobody has waited yet */
    uint64_t paths; /* another number whenever a directory lost or changed its name or its mode: what was found through directories may lie elsewhere now */
    uint64_t begun_tsc, ready_tsc; /* fs's first instruction, and when the boot archive was loaded */
};

enum px_inode_flags {
    PX_INODE_ORPHAN = 1,   /* no name left, but somebody may have it open */
    PX_INODE_TMPFILE = 2,  /* made without a name: may get one */
    PX_INODE_PROCFS = 4,   /* mount point of /proc, or of /sys */
    PX_INODE_RESERVED = 8, /* has pages beyond its end, for writers to fill */
    PX_INODE_HELD = 16,    /* fs: mark of one sweep over the orphans */
    PX_INODE_SEALABLE = 32, /* a memfd that may be sealed */
    PX_INODE_WATCHED = 64,  /* inotify: of a directory, its entries, too */
    PX_INODE_SYSFS = 128,   /* with PROCFS: of /sys */
    PX_INODE_MQUEUE = 0x2000,  /* a POSIX message queue (sysv.h) */
    PX_INODE_WRITTEN = 0x4000, /* has been opened for writing, and may be still: ask (PX_FS_EXECUTE) before it is run */
    PX_INODE_RUN = 0x8000,     /* has been a program that runs, and may be still */
};
/* In an inode's size: its writer makes it longer without a word to fs (PX_FS_TAIL). Who wants to know how long it is asks fs to look: PX_FS_SETTLE. */
#define PX_SIZE_OPEN (1ull << 63)
#define PX_TAIL_CLOSED (~0ull) /* in the writer's page, for ever: fs is to be told again */
#define PX_TAIL_MOST (1ull << 62)
#define PX_INODE_SEALS_SHIFT 8u /* F_SEAL_* */
#define PX_INODE_SEALS(flags) ((flags)&PX_INODE_SEALABLE ? (flags) >> PX_INODE_SEALS_SHIFT & F_SEALS : F_SEAL_SEAL)
#define PX_INODE_LABEL(flags) ((flags) >> 24) /* security label: who may change it */
#define PX_INODE_LABELLED(label) ((uint32_t)(label) << 24)

struct px_inode {
    uint32_t gen;  /* another one for each file that has this number */
    uint32_t mode; /* st_mode; 0: free */
    uint32_t uid, gid;
    uint32_t nlink;
    uint32_t version; /* bumped when pages are taken away: windows on them are void */
    uint32_t flags;   /* enum px_inode_flags */
    uint32_t pages;   /* of data */
    uint64_t size; /* or with PX_SIZE_OPEN what it was when fs looked last */
    uint32_t rdev;
    uint32_t extended; /* number of the page with its extended attributes, which only fs sees; 0: it has none */
    int64_t atime, mtime, ctime, btime; /* PX_TIME */
    uint32_t name;   /* first of its names (struct px_name, chained by `alias`); an orphan's last name, or 0 */
    uint32_t parent; /* directories: inode of the parent; other orphans: fs's list */
    union {
        struct {
            uint32_t map; /* height 0: the page number of page 0; else offset of a block of page numbers or blocks */
            uint32_t height;
            uint32_t slots; /* height 1: entries of the block */
        } file;
        struct {
            uint32_t first, last; /* names, in the order of their cookies */
            uint32_t count;
            uint32_t orphan; /* orphans: fs's list */
            uint64_t next_cookie;
        } directory;
        struct {
            uint32_t at; /* offset of a target of PX_LINK_INLINE bytes or more */
        } link;
        char target[PX_LINK_INLINE]; /* shorter target; no NUL */
    };
};
_Static_assert(sizeof(struct px_inode) == PX_INODE_BYTES, "an inode's number is its offset / 128");

/* A directory entry. Cookies increase in a directory and are never used again; 0 and 1 are `.` and `..`. */
struct px_name {
    uint32_t hash;
    uint32_t directory, inode;
    uint32_t next;          /* in the hash chain */
    uint32_t before, after; /* in the directory */
    uint32_t alias;         /* next name of the same inode */
    uint8_t length, type;   /* type: DT_* */
    uint16_t pad;
    uint64_t cookie;
    char text[]; /* no NUL */
};
#define PX_COOKIE_FIRST 2u

/* What a reader may look at: the region and how many bytes of it are mapped. */
struct px_region {
    const uint8_t *base;
    uint64_t bytes;
};

static inline const void *px_region_at(const struct px_region *region, uint64_t offset, uint64_t bytes)
{
    return offset != 0 && offset < region->bytes && bytes <= region->bytes - offset ? region->base + offset : NULL;
}

static inline const struct px_inode *px_region_inode(const struct px_region *region, uint32_t ino)
{
    return px_region_at(region, (uint64_t)ino * PX_INODE_BYTES, PX_INODE_BYTES);
}

/* Hash of a name in a directory: start, a step for each eight bytes of the name (the last ones filled up with zeros),
 * end. */
static inline uint64_t px_hash_start(uint32_t directory)
{
    return directory * 0xbf58476d1ce4e5b9ull;
}
static inline uint64_t px_hash_step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    return hash ^ hash >> 29;
}
static inline uint32_t px_hash_end(uint64_t hash)
{
    return (uint32_t)(hash >> 16);
}
static inline uint32_t px_hash_text(uint32_t directory, const char *text, unsigned length)
{
    uint64_t hash = px_hash_start(directory), word;

    for (; length >= 8; text += 8, length -= 8) {
        __builtin_memcpy(&word, text, 8);
        hash = px_hash_step(hash, word);
    }
    word = 0;
    for (unsigned i = 0; i < length; i++)
        word |= (uint64_t)(uint8_t)text[i] << (8 * i);
    return px_hash_end(length ? px_hash_step(hash, word) : hash);
}

static inline uint64_t px_name_word(const char *text)
{
    uint64_t word;

    __builtin_memcpy(&word, text, 8);
    return word;
}
static inline uint32_t px_name_half(const char *text)
{
    uint32_t word;

    __builtin_memcpy(&word, text, 4);
    return word;
}
/* Eight bytes a step; the last step may overlap the one before. */
static inline bool px_name_equal(const char *left, const char *right, unsigned length)
{
    unsigned at = 0;

    if (length >= 8) {
        for (; at + 8 < length; at += 8) {
            if (px_name_word(left + at) != px_name_word(right + at))
                return false;
        }
        return px_name_word(left + length - 8) == px_name_word(right + length - 8);
    }
    if (length >= 4)
        return px_name_half(left) == px_name_half(right) &&
               px_name_half(left + length - 4) == px_name_half(right + length - 4);
    for (; at < length; at++) {
        if (left[at] != right[at])
            return false;
    }
    return true;
}

/* The entry of a directory with this name (px_hash_end'ed hash), or NULL. */
static inline const struct px_name *px_region_name(const struct px_region *region, uint32_t directory, uint32_t hash,
                                                   const char *text, unsigned length)
{
    const struct px_meta *meta = (const struct px_meta *)region->base;
    uint64_t bucket = (uint64_t)(hash & PX_META_LOAD(meta->hash_mask)) * 4 + PX_META_LOAD(meta->hash);
    const uint32_t *slot = px_region_at(region, bucket, 4);
    uint32_t at = slot ? PX_META_LOAD(*slot) : 0;

    for (unsigned steps = 0; at && steps < PX_CHAIN_MAX; steps++) {
        const struct px_name *name = px_region_at(region, at, sizeof *name);

        if (!name || at % sizeof(uint64_t) != 0)
            return NULL;
        if (PX_META_LOAD(name->hash) == hash && PX_META_LOAD(name->directory) == directory &&
            PX_META_LOAD(name->length) == length && px_region_at(region, at, sizeof *name + length) &&
            px_name_equal(name->text, text, length))
            return name;
        at = PX_META_LOAD(name->next);
    }
    return NULL;
}

/* Pages that a map of this height can name. */
static inline uint64_t px_map_reach(uint32_t height, uint32_t slots)
{
    if (height == 0)
        return 1;
    return height == 1 ? slots : 1ull << (10 * (height < PX_MAP_HEIGHT_MAX ? height : PX_MAP_HEIGHT_MAX));
}

/* The data page number of page `index` of a file; 0: a hole. */
static inline uint32_t px_region_page(const struct px_region *region, const struct px_inode *inode, uint64_t index)
{
    uint32_t height = PX_META_LOAD(inode->file.height), at = PX_META_LOAD(inode->file.map);

    if (height > PX_MAP_HEIGHT_MAX || index >= px_map_reach(height, PX_META_LOAD(inode->file.slots)))
        return 0;
    while (height > 0 && at != 0) {
        const uint32_t *slot;

        height--;
        slot = px_region_at(region, at + ((index >> (10 * height)) & (PX_MAP_FANOUT - 1)) * 4, 4);
        at = slot ? PX_META_LOAD(*slot) : 0;
    }
    return at;
}

#endif
