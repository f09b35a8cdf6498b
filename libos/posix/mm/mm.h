/*
 * Inside mm/: the process's mapping list and what its files owe each other. The list is the truth about the
 * program's part of the address space; pages are bound lazily, and no page of that part is ever bound outside a
 * mapping. Everything here is private to the process, lies in the libOS's heap and is copied on fork. One
 * thread, events masked: no locks. A fault may come in the middle of any guarded copy, so no function copies to
 * or from the program while it changes the list.
 */
#ifndef PX_MM_H
#define PX_MM_H
#include "px.h"

#define PX_PAGE_UP(bytes) (((uint64_t)(bytes) + PX_PAGE - 1) & ~(PX_PAGE - 1))
#define PX_PAGE_DOWN(va) ((uint64_t)(va) & ~(PX_PAGE - 1))

#define PX_MAPS_MAX 65530u               /* Linux's vm.max_map_count */
#define PX_STACK_GAP (256 * PX_PAGE)     /* kept free below a mapping that grows down */
#define PX_PIE_BASE 0x555555554000ul     /* where Linux, without randomisation, loads a position-independent program */
#define PX_EAGER_PAGES 256u              /* file mappings up to this size are bound at once */
#define PX_WINDOW_BIND_PAGES 16u         /* private ones up to this through a window: perhaps without a message */
#define PX_QUERY_PAGES 128u               /* looked at in one call */
#define PX_RLIM_INFINITY (~0ull)

enum px_vma_flags {
    PX_VMA_SHARED = 1,
    PX_VMA_STACK = 2,     /* grows down */
    PX_VMA_HEAP = 4,      /* brk's; only for maps */
    PX_VMA_NORESERVE = 8,
    PX_VMA_FULL = 16,     /* shared anonymous memory whose pages are all bound, so that fork can share them */
    PX_VMA_NOWRITE = 32,  /* may never become writable: shared mapping of a description not open for writing */
    PX_VMA_EAGER = 64,    /* bound by the description's own map operation; a fault cannot bring pages back */
    PX_VMA_FREED = 128,   /* MADV_FREE: contents that nobody has written since (not DIRTY) are not needed */
    PX_VMA_LOCKED = 256,  /* mlock: counted, for nothing is ever moved out */
    PX_VMA_WIPED = 512,   /* MADV_WIPEONFORK: a child finds zeros */
    PX_VMA_NOFORK = 1024, /* MADV_DONTFORK: a child has it not */
    PX_VMA_NODUMP = 2048, /* MADV_DONTDUMP: a core dump has it not */
};

struct px_vma {
    uint64_t lo, hi; /* page aligned, lo < hi */
    uint32_t page;   /* file: page of the file at lo; anonymous: 0 */
    uint16_t file;   /* 0: anonymous; else index + 1 in px_mm.file */
    uint16_t prot : 3, flags : 13;
};
_Static_assert(sizeof(struct px_vma) == 24, "thousands of these must be cheap");

/* An inode with mappings; `users` mappings name it. */
struct px_map_file {
    struct px_node node;
    uint32_t users;
};

struct px_mm {
    struct px_vma *vma; /* sorted by address, without overlaps */
    unsigned count, capacity;
    struct px_map_file **file;
    unsigned files;
    uint64_t pages; /* sum of all mappings */
    uint64_t pages_most; /* of this program */
    uint64_t locked; /* of those that are locked */
    uint64_t brk_lo, brk;
    uint64_t map_top; /* mmap searches downwards from here */
    uint64_t code_pages;
    uint64_t argument_lo, argument_hi, environment_hi; /* strings on the stack */
    uint64_t auxv, auxv_bytes;
    /* fault-around */
    uint64_t next_fault; /* address after the last pages brought in */
    unsigned around;     /* pages brought in last time */
    bool freed;          /* there may be mappings with PX_VMA_FREED */
    bool unforked;       /* ... and with PX_VMA_NOFORK */
    bool copied;         /* the last child had copies, so none of these */
    bool lock_all;       /* MCL_FUTURE: what is mapped from now on is locked */
    /* the last fault that could not be resolved */
    uint64_t bad_address;
    int bad_signal, bad_code;
    /* a fault on a bound page that resolution did not end */
    uint64_t stuck_address;
    unsigned stuck_count;
};
extern struct px_mm px_mm;

/* So many pages of mappings more, which others see, too. */
static inline void px_mm_count(uint64_t pages)
{
    px_mm.pages += pages;
    if (px_mm.pages > px_mm.pages_most)
        px_mm.pages_most = px_mm.pages;
    px_ppage()->mapped_pages = px_mm.pages;
}

/* Before so many pages go: takes down how many are there, for ru_maxrss. */
void px_memory_peak(uint64_t pages);

/* ---- the list (vma.c)
 * -------------------------------------------------------------------------------------------- */

/* Index of the first mapping that ends above va (it may begin above va too), or px_mm.count. */
unsigned px_vma_find(uint64_t va);
/* The mapping that contains va, or NULL. */
struct px_vma *px_vma_at(uint64_t va);
/* Makes room for `more` entries, so that as many inserts and splits cannot fail. 0 or -ENOMEM. */
int64_t px_vma_room(unsigned more);
/* Adds a mapping where none is (room made before) and merges it with its neighbours. Takes over one use of its
 * file. */
void px_vma_add(const struct px_vma *vma);
/* Cuts a mapping in two at va, if one contains it inside (room made before). */
void px_vma_split(uint64_t va);
/* Takes lo..hi out of the list and unbinds its pages (room for 2 made before). */
void px_vma_cut(uint64_t lo, uint64_t hi);
/* Merges what can be merged from the mapping before lo to the one after hi. */
void px_vma_merge(uint64_t lo, uint64_t hi);
/* Pages of lo..hi that are in mappings. */
uint64_t px_vma_pages(uint64_t lo, uint64_t hi);
/* Those that are locked. */
uint64_t px_vma_locked(uint64_t lo, uint64_t hi);
/* Would so many more be within RLIMIT_MEMLOCK? 0, -EPERM: it lets lock nothing, -ENOMEM. */
int64_t px_mm_may_lock(uint64_t pages);
bool px_vma_free(uint64_t lo, uint64_t hi);
/* Highest free range of that size below map_top, else lowest above it; 0: none. Keeps guard gaps free. */
uint64_t px_vma_gap(uint64_t bytes);
/* The inode's entry in the file table, with one use more: index + 1, or -errno. */
int64_t px_vma_file(const struct px_node *node);
void px_vma_file_drop(unsigned file);
static inline const struct px_node *px_vma_node(const struct px_vma *vma)
{
    return vma->file ? &px_mm.file[vma->file - 1]->node : NULL;
}
/* Everything away: exec. */
void px_vma_reset(void);

/* ---- mmap.c
 * ------------------------------------------------------------------------------------------------------ */

struct px_map {
    uint64_t lo, bytes; /* page aligned */
    int prot;
    uint16_t flags; /* px_vma_flags */
    const struct px_node *node; /* the file, for later faults; NULL: anonymous, or a device */
    struct px_ofd *ofd;         /* its own map operation binds pages now; NULL: px_node_map */
    uint64_t page;
    bool lazy; /* bind no file pages now */
};
/* Maps over whatever is there; checked arguments. 0 or -errno (nothing changed, except that the range may be empty
 * after a failure to bind). */
int64_t px_mm_map(const struct px_map *map);
/* Binds pages of a private file mapping through the libOS's window on the file; false: not all of them, and none
 * are bound. */
bool px_mm_bind_window(const struct px_node *node, uint64_t first, uint64_t pages, uint64_t va, int prot);
/* 0 or -ENOMEM: would `pages` more pages with this protection be within the limits and the memory of the machine? */
int64_t px_mm_may_grow(uint64_t pages, int prot, unsigned flags);
/* EXO_PROT_* of PROT_*: what can be accessed at all can be read. */
static inline uint64_t px_mm_prot(int prot)
{
    return prot & 7 ? (uint64_t)(prot & 7) | EXO_PROT_READ : 0;
}

/* ---- ranges of addresses (range.c)
 * ------------------------------------------------------------------------------- */

/* Free ranges, sorted, merged. `piece` starts as a small fixed array and moves to the heap. */
struct px_piece {
    uint64_t va, pages;
};
struct px_range {
    uint64_t lo, hi;
    struct px_piece *piece; /* NULL: not started */
    unsigned count, capacity;
    bool fixed; /* may not grow its array */
    bool owned; /* the array is in the heap */
};
void px_range_start(struct px_range *range, struct px_piece *first, unsigned capacity, uint64_t lo, uint64_t hi);
uint64_t px_range_take(struct px_range *range, uint64_t pages);
void px_range_give(struct px_range *range, uint64_t va, uint64_t pages);
/* The first stretch at or above `from` that is not free; false: none. */
bool px_range_used(const struct px_range *range, uint64_t from, uint64_t *lo, uint64_t *hi);
extern struct px_range px_big_range, px_shared_range, px_window_range;

/* Large private blocks outside the heap proper, page aligned: address space only (heap.c). */
uint64_t px_big_reserve(uint64_t pages);
void px_big_release(uint64_t va, uint64_t pages);
/* Gives free pages of the heap proper back, at most so many; how many. */
uint64_t px_heap_spare(uint64_t most);
/* Pages of the heap proper in use: [PX_HEAP, PX_HEAP + this * PX_PAGE). */
uint64_t px_heap_pages(void);

/* ---- guarded copies (arch/.../copy.S)
 * ---------------------------------------------------------------------------- */

/* Bytes not moved. */
size_t px_raw_copy(void *to, const void *from, size_t bytes);
size_t px_raw_clear(void *to, size_t bytes);
/* Length before the NUL; `most` if there is none; -1 after a fault. */
int64_t px_raw_string(char *to, const char *from, size_t most);
int64_t px_raw_length(const char *from, size_t most);
/* 0, or not 0 after a fault. */
size_t px_raw_load_u32(const void *from, uint32_t *value);
int px_raw_swap_u32(void *at, uint32_t *value, uint32_t next);
int px_raw_swap_u64(void *at, uint64_t *value, uint64_t next);

/* Length of a program's string without NUL; -EFAULT; -E2BIG if longer than most - 1. */
int64_t px_user_length(px_user from, size_t most);

/* One ChaCha20 block (random.c). */
void px_chacha_block(const uint32_t block_key[8], const uint32_t counter_nonce[4], uint32_t out[16]);

/* The page at va, which is bound and of a private mapping, replaced at once by a copy with these changes, all of them within it. False: no memory. */
struct px_change {
    uint64_t va;
    const void *bytes;
    size_t count;
};
bool px_mm_replace(uint64_t va, int prot, const struct px_change *change, unsigned changes);

/* ---- rewritten system calls (arch/.../rewrite.c)
 * ----------------------------------------------------------------- */

/* lo..hi goes, moves, or may be written from now on: its text is as it was loaded, and nothing leads there any more. */
void px_rewrite_restore(uint64_t lo, uint64_t hi);
/* Nothing is mapped any more. */
void px_rewrite_reset(void);

/* ---- what depends on the processor (arch/.../cpu.c)
 * -------------------------------------------------------------- */

#define PX_ENTROPY_WORDS 4
void px_arch_entropy(uint64_t words[PX_ENTROPY_WORDS]);
uint64_t px_arch_hwcap(void);
uint64_t px_arch_hwcap2(void);
extern const char px_arch_platform[];
extern const uint16_t px_arch_elf_machine;
/* Bytes that a signal frame may need (AT_MINSIGSTKSZ). */
uint64_t px_arch_signal_stack(void);
/* Registers of a new program. */
void px_arch_start(struct exo_regs *regs, uint64_t entry, uint64_t stack);

#endif
