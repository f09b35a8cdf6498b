/*
 * A kernel and a libOS around mm/, made of host memory: page maps of two environments, a file, limits. A test
 * includes this first and then the .c files that it tests. Program addresses exist only in the page map; the
 * libOS's heap ranges are host arrays, so that its own pointers work.
 */
#ifndef MM_FAKE_H
#define MM_FAKE_H
#define PX_CALLS_H
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#include "tests/unit/trap_fake.h"
static inline uint64_t exo_arch_cycles(void)
{
    static uint64_t cycles;

    return cycles += 1001;
}

#include "proto/layout.h"
#define HEAP_BYTES (112 * 4096ul)
#define BIG_BYTES (14ul << 20)
#define STACK_BYTES (8ul << 20)
static _Alignas(4096) unsigned char fake_heap[HEAP_BYTES], fake_big[BIG_BYTES];
static _Alignas(4096) __attribute__((unused)) unsigned char fake_info[4096], fake_ppage[4096], fake_msg[4096], fake_proctab[8192], fake_meta[4096];
static _Alignas(4096) __attribute__((unused)) unsigned char fake_stack[STACK_BYTES]; /* the test's own */
#undef PX_HEAP
#undef PX_HEAP_HI
#undef PX_BIG
#undef PX_BIG_HI
#undef PX_INFO
#undef PX_PPAGE
#undef PX_MSG
#undef PX_PROCTAB
#undef PX_META
#undef PX_META_HI
#define PX_HEAP ((uint64_t)fake_heap)
#define PX_HEAP_HI (PX_HEAP + HEAP_BYTES)
#define PX_BIG ((uint64_t)fake_big)
#define PX_BIG_HI (PX_BIG + BIG_BYTES)
#define PX_INFO ((uint64_t)fake_info)
#define PX_PPAGE ((uint64_t)fake_ppage)
#define PX_MSG ((uint64_t)fake_msg)
#define PX_PROCTAB ((uint64_t)fake_proctab)
#define PX_META ((uint64_t)fake_meta)
#define PX_META_HI (PX_META + 4096)
#undef RENAME_NOREPLACE /* stdio.h has them, too */
#undef RENAME_EXCHANGE
#undef RENAME_WHITEOUT
#include "fs/files.h"
#include "mm/mm.h"
#include "libexo/loop.c"

void px_rewrite_restore(uint64_t lo, uint64_t hi)
{
    (void)lo, (void)hi;
}
void px_rewrite_reset(void)
{
}

px_call px_sys_mmap, px_sys_munmap, px_sys_mprotect, px_sys_brk, px_sys_mremap, px_sys_remap_file_pages, px_sys_madvise, px_sys_msync, px_sys_mincore,
    px_sys_mlock, px_sys_mlock2, px_sys_munlock, px_sys_mlockall, px_sys_munlockall, px_sys_execve, px_sys_execveat;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- frames and page maps
 * ---------------------------------------------------------------------------------------- */

struct frame {
    unsigned references;
    unsigned char data[4096];
};
struct entry {
    uint64_t env, page;
    struct frame *frame;
    uint8_t prot;
    bool copy, locked;
    struct entry *next;
};
#define BUCKETS 4096u
static struct entry *chain[BUCKETS];
static unsigned frames_live, entries_live, frames_limit = 1u << 30, fail_after = 1u << 30, calls_made;

static struct entry **slot_of(uint64_t env, uint64_t page)
{
    struct entry **at = &chain[(page * 0x9e3779b97f4a7c15ull + env) >> 40 & (BUCKETS - 1)];

    while (*at && ((*at)->env != env || (*at)->page != page))
        at = &(*at)->next;
    return at;
}

static struct entry *entry_of(uint64_t env, uint64_t va)
{
    return *slot_of(env, va / 4096);
}

static struct frame *frame_new(void)
{
    struct frame *frame;

    if (frames_live >= frames_limit || fail_after == 0)
        return NULL;
    fail_after--;
    frame = calloc(1, sizeof(*frame));
    frame->references = 1;
    frames_live++;
    return frame;
}

static void frame_drop(struct frame *frame)
{
    if (--frame->references == 0) {
        frames_live--;
        free(frame);
    }
}

static void entry_clear(uint64_t env, uint64_t va)
{
    struct entry **at = slot_of(env, va / 4096), *entry = *at;

    if (!entry)
        return;
    *at = entry->next;
    frame_drop(entry->frame);
    free(entry);
    entries_live--;
}

static struct entry *entry_set(uint64_t env, uint64_t va, struct frame *frame, unsigned prot)
{
    struct entry **at, *entry;

    entry_clear(env, va);
    at = slot_of(env, va / 4096);
    entry = calloc(1, sizeof(*entry));
    *entry = (struct entry){.env = env, .page = va / 4096, .frame = frame, .prot = (uint8_t)prot};
    *at = entry;
    entries_live++;
    return entry;
}

static bool host_range(uint64_t va) /* not the program's, at any rate */
{
    return va >= PX_PROG_HI || (va >= PX_HEAP && va < PX_HEAP_HI) || (va >= PX_BIG && va < PX_BIG_HI);
}

/* Host pages in the page map keep no data of their own; what is moved from there is copied. */
static void pull(uint64_t va, struct frame *frame)
{
    if (va < PX_PROG_HI && host_range(va))
        memcpy(frame->data, (void *)va, 4096);
}

static int64_t fake_alloc(uint64_t env, uint64_t va, uint64_t pages, uint64_t prot)
{
    uint64_t done;

    for (done = 0; done < pages && done < 1024; done++, va += 4096) {
        struct frame *frame;

        if (entry_of(env, va))
            return done ? (int64_t)done : -EXO_E_EXISTS;
        frame = frame_new();
        if (!frame)
            return done ? (int64_t)done : -EXO_E_NOMEM;
        entry_set(env, va, frame, (unsigned)prot);
        if (host_range(va))
            memset((void *)va, 0, 4096);
    }
    return (int64_t)done;
}

static bool share_page(uint64_t env, uint64_t va, uint64_t source_va, uint64_t mode_prot)
{
    struct entry *source = entry_of(PX_SLOT_SELF, source_va), *made;
    uint64_t mode = mode_prot & EXO_SHARE_MODE;
    struct frame *frame = source->frame;
    unsigned prot = source->prot & (mode_prot & 7);
    bool copy = source->copy, locked = source->locked;

    pull(source_va, frame);
    if (mode == EXO_SHARE_COPY || (mode == EXO_SHARE_SOLE && source->copy)) {
        struct frame *fresh = frame_new();

        if (!fresh)
            return false;
        memcpy(fresh->data, frame->data, 4096);
        if (mode == EXO_SHARE_SOLE) {
            frame_drop(frame);
            source->frame = fresh;
            source->copy = copy = false;
            fresh->references++;
        }
        frame = fresh;
    } else {
        frame->references++;
    }
    if (mode == EXO_SHARE_COW && !locked)
        source->copy = copy = true;
    if (mode == EXO_SHARE_PRIVATE) {
        copy = true;
        locked = false;
        prot = mode_prot & 7;
    }
    made = entry_set(env, va, frame, prot);
    made->copy = copy;
    made->locked = locked;
    if (mode == EXO_SHARE_MOVE)
        entry_clear(PX_SLOT_SELF, source_va);
    return true;
}

static int64_t fake_share(uint64_t env, uint64_t va, uint64_t source_va, uint64_t pages, uint64_t mode_prot)
{
    if (pages > 1u << 16) { /* a range with few pages in it: look at what there is */
        uint64_t found[1024];
        unsigned count = 0;

        for (unsigned at = 0; at < BUCKETS; at++)
            for (const struct entry *entry = chain[at]; entry; entry = entry->next)
                if (entry->env == PX_SLOT_SELF && entry->page - source_va / 4096 < pages && count < 1024)
                    found[count++] = entry->page * 4096;
        CHECK(count < 1024);
        while (count-- > 0)
            if (!share_page(env, va + found[count] - source_va, found[count], mode_prot))
                return -EXO_E_NOMEM;
        return (int64_t)pages;
    }
    for (uint64_t at = 0; at < pages; at++)
        if (entry_of(PX_SLOT_SELF, source_va + at * 4096) && !share_page(env, va + at * 4096, source_va + at * 4096, mode_prot))
            return at ? (int64_t)at : -EXO_E_NOMEM;
    return (int64_t)pages;
}

static int64_t fake_each(uint64_t env, uint64_t va, uint64_t pages, int prot)
{
    if (pages > 1u << 16) { /* a reservation: look at what there is */
        for (unsigned at = 0; at < BUCKETS; at++)
            for (struct entry *entry = chain[at], *next; entry; entry = next) {
                next = entry->next;
                if (entry->env == env && entry->page - va / 4096 < pages && fake_each(env, entry->page * 4096, 1, prot) < 0)
                    return -EXO_E_RIGHTS;
            }
        return (int64_t)pages;
    }
    for (uint64_t at = 0; at < pages; at++) {
        struct entry *entry = entry_of(env, va + at * 4096);

        if (!entry)
            continue;
        if (prot < 0) {
            entry_clear(env, va + at * 4096);
        } else {
            if (entry->locked && prot & 2)
                return at ? (int64_t)at : -EXO_E_RIGHTS;
            entry->prot = (uint8_t)prot;
        }
    }
    return (int64_t)pages;
}

static int64_t fake_query(uint64_t env, uint64_t va, uint64_t pages, uint64_t *out)
{
    if (pages > 512)
        pages = 512;
    for (uint64_t at = 0; at < pages; at++) {
        struct entry *entry = entry_of(env, va + at * 4096);

        out[at] = !entry ? 0 : 0x1000 | EXO_QUERY_PRESENT | (entry->prot & 2) | (entry->prot & 4) | (entry->copy ? EXO_QUERY_COW : 0);
    }
    return (int64_t)pages;
}

static int64_t exo_trap6(uint64_t call, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)f;
    calls_made++;
    CHECK(call < EXO_CALL_MEM_ALLOC || call > EXO_CALL_MEM_QUERY || b % 4096 == 0);
    switch (call) {
    case EXO_CALL_MEM_ALLOC: return fake_alloc(a, b, c, d);
    case EXO_CALL_MEM_SHARE: return fake_share(a, b, c, d, e);
    case EXO_CALL_MEM_PROTECT: return fake_each(a, b, c, (int)d);
    case EXO_CALL_MEM_UNMAP: return fake_each(a, b, c, -1);
    case EXO_CALL_MEM_QUERY: return fake_query(a, b, c, (uint64_t *)d);
    default: return -EXO_E_BADCALL;
    }
}

/* ---- the program's accesses
 * -------------------------------------------------------------------------------------- */

/* What the processor and the kernel do: the byte's place, or NULL and the fault is real. Of the host's memory only the stack and the arrays above can
 * be told from program addresses: other buffers may not be given to the copy functions. */
static unsigned char *reach(uint64_t va, unsigned access)
{
    const bool own = va >= (uint64_t)fake_stack && va < (uint64_t)fake_stack + STACK_BYTES;

    if (own || host_range(va) || (va >= PX_MSG && va < PX_MSG + 4096) || va < 0x10000 || va >= PX_PROG_HI)
        return (unsigned char *)va;
    for (int tries = 0; tries < 32; tries++) {
        struct entry *entry = entry_of(PX_SLOT_SELF, va);

        if (entry && access & 2 && entry->prot & 2 && entry->copy) { /* the kernel's part */
            struct frame *fresh = frame_new();

            if (fresh) {
                memcpy(fresh->data, entry->frame->data, 4096);
                frame_drop(entry->frame);
                entry->frame = fresh;
                entry->copy = false;
            }
        }
        if (entry && (entry->prot & access) == access && !(access & 2 && entry->copy))
            return entry->frame->data + va % 4096;
        if (!px_memory_fault(va, access & 2, access & 4))
            return NULL;
    }
    CHECK(!"a fault that is resolved again and again");
    return NULL;
}

size_t px_raw_copy(void *to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at++) {
        unsigned char *source = reach((uint64_t)from + at, 1), *target = reach((uint64_t)to + at, 3);

        if (!source || !target)
            return bytes - at;
        *target = *source;
    }
    return 0;
}

size_t px_raw_clear(void *to, size_t bytes)
{
    const unsigned char zero = 0;

    for (size_t at = 0; at < bytes; at++)
        if (px_raw_copy((char *)to + at, &zero, 1))
            return bytes - at;
    return 0;
}

int64_t px_raw_length(const char *from, size_t most)
{
    for (size_t at = 0; at < most; at++) {
        unsigned char *byte = reach((uint64_t)from + at, 1);

        if (!byte)
            return -1;
        if (!*byte)
            return (int64_t)at;
    }
    return (int64_t)most;
}

int64_t px_raw_string(char *to, const char *from, size_t most)
{
    int64_t length = px_raw_length(from, most);

    if (length >= 0)
        CHECK(px_raw_copy(to, from, (size_t)length + ((size_t)length < most)) == 0);
    return length;
}

int px_raw_swap_u32(void *at, uint32_t *value, uint32_t next)
{
    (void)at, (void)value, (void)next;
    return -1; /* mm/ changes no word of the program */
}
size_t px_raw_load_u32(const void *from, uint32_t *value)
{
    return px_raw_copy(value, from, 4);
}

/* ---- files
 * ------------------------------------------------------------------------------------------------------- */

/* Files by inode number; pages are handed out as in the page cache. */
#define FILES 8u
static struct fake_file {
    const char *path;
    uint64_t size;
    uint32_t mode;
    unsigned holds;
    struct frame *page[256];
} fake_file[FILES];

static inline struct px_node fake_node(unsigned ino)
{
    return (struct px_node){.kind = PX_NODE_FS, .mode = fake_file[ino].mode, .ino = ino, .gen = 1, .nlink = 1, .size = fake_file[ino].size};
}

static inline void fake_file_set(unsigned ino, const char *path, uint32_t mode, const void *bytes, size_t size)
{
    struct fake_file *file = &fake_file[ino];

    for (unsigned at = 0; at < 256; at++) {
        if (file->page[at])
            frame_drop(file->page[at]);
        file->page[at] = NULL;
        if (at * 4096ul < size) {
            size_t part = size - at * 4096ul < 4096 ? size - at * 4096ul : 4096;

            file->page[at] = calloc(1, sizeof(struct frame));
            file->page[at]->references = 1;
            frames_live++;
            memcpy(file->page[at]->data, (const char *)bytes + at * 4096ul, part);
        }
    }
    file->path = path;
    file->mode = mode;
    file->size = size;
}

int64_t px_node_hold(const struct px_node *node)
{
    fake_file[node->ino].holds++;
    return 0;
}

void px_node_drop(const struct px_node *node)
{
    CHECK(fake_file[node->ino].holds > 0);
    fake_file[node->ino].holds--;
}

int64_t px_node_unwritten(const struct px_node *node)
{
    (void)node;
    return 0;
}

int64_t px_node_run(const struct px_node *node)
{
    (void)node;
    return 0;
}

bool px_memfd_sealed(const struct px_node *node)
{
    (void)node;
    return false;
}

int64_t px_node_stat(const struct px_node *node, struct px_stat *stat)
{
    memset(stat, 0, sizeof(*stat));
    stat->st_size = (int64_t)fake_file[node->ino].size;
    return 0;
}

int64_t px_node_path(const struct px_node *node, char *to, size_t bytes)
{
    return snprintf(to, bytes, "%s", fake_file[node->ino].path);
}

int64_t px_node_read(const struct px_node *node, void *to, uint64_t offset, size_t bytes)
{
    const struct fake_file *file = &fake_file[node->ino];
    size_t done = 0;

    for (; done < bytes && offset + done < file->size; done++) {
        uint64_t at = offset + done;
        unsigned char *byte = reach((uint64_t)to + done, 3);

        if (!byte)
            return -EFAULT;
        *byte = file->page[at / 4096]->data[at % 4096];
    }
    return (int64_t)done;
}

int64_t px_node_map(const struct px_node *node, uint64_t first, uint64_t pages, uint64_t va, int prot, int flags)
{
    const struct fake_file *file = &fake_file[node->ino];

    for (uint64_t at = 0; at < pages; at++) {
        struct entry *entry;

        CHECK(!entry_of(PX_SLOT_SELF, va + at * 4096) || entry_of(PX_SLOT_SELF, va + at * 4096)->frame == file->page[first + at]);
        if (first + at >= 256 || !file->page[first + at])
            continue;
        file->page[first + at]->references++;
        entry = entry_set(PX_SLOT_SELF, va + at * 4096, file->page[first + at], (unsigned)px_mm_prot(prot));
        entry->copy = flags == MAP_PRIVATE;
    }
    return 0;
}

/* A window of 32 pages for each file, at an address that fits no other range of pages. Sometimes there is none. */
#define FAKE_WINDOW(ino) (PX_WINDOW_LO + ((ino) << 20))
static unsigned windows_given;

int64_t px_window_at(const struct px_file *file, uint64_t page_, uint64_t want, enum px_window_use use, uint8_t **at)
{
    struct fake_file *there = &fake_file[file->ino];
    uint64_t count = 0;

    CHECK(use == PX_USE_READ);
    if (page_ >= 32 || ++windows_given % 3 == 0)
        return -EACCES;
    for (; count < want && page_ + count < 32 && there->page[page_ + count]; count++) {
        uint64_t va = FAKE_WINDOW(file->ino) + (page_ + count) * 4096;

        there->page[page_ + count]->references++;
        entry_set(PX_SLOT_SELF, va, there->page[page_ + count], 1)->locked = true;
    }
    *at = (uint8_t *)FAKE_WINDOW(file->ino) + page_ * 4096;
    return (int64_t)count;
}

/* ---- the rest of the libOS
 * --------------------------------------------------------------------------------------- */

static uint64_t fake_limit[16];
int64_t px_file_punch(const struct px_node *node, uint64_t offset, uint64_t bytes, uint64_t token)
{
    (void)node, (void)offset, (void)bytes, (void)token;
    return 0;
}
uint64_t px_limit(unsigned which)
{
    return fake_limit[which];
}

static struct px_ofd fake_ofd[4];
struct px_ofd *px_fd_get(int fd)
{
    return fd >= 0 && fd < 4 && fake_ofd[fd].kind ? &fake_ofd[fd] : NULL;
}
static const struct px_ops fake_file_ops = {.name = "file"};
const struct px_ops *const px_ops[PX_OFD_KINDS] = {[PX_OFD_FILE] = &fake_file_ops, [PX_OFD_PIPE] = &fake_file_ops};

/* profile.c */
bool px_profiled;
void px_profile_tell(void)
{
}

static void fake_start(void)
{
    for (unsigned at = 0; at < 16; at++)
        fake_limit[at] = PX_RLIM_INFINITY;
    fake_limit[RLIMIT_STACK] = 8ul << 20;
    ((struct exo_info *)PX_INFO)->frames_total = 1 << 16;
    ((struct exo_info *)PX_INFO)->frames_free = 1 << 15;
    ((struct px_ppage *)PX_PPAGE)->index = 1;
    PX_PROC(PX_PROCTAB, 1)->pid = 42;
    px_mm.map_top = 0x7feee0000000ul;
}

static void *fake_run_tests(void *tests)
{
    fake_start();
    ((void (*)(void))tests)();
    return NULL;
}

/* Runs tests on fake_stack: on ExoV6 a process's first stack is where a program's is, and could not be told from it. */
static inline int fake_run(void (*tests)(void))
{
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, fake_stack, STACK_BYTES) == 0);
    CHECK(pthread_create(&thread, &attributes, fake_run_tests, (void *)tests) == 0 && pthread_join(thread, NULL) == 0);
    return 0;
}

static uint64_t fake_random_state = 88172645463325252ull;
static inline uint64_t fake_random(uint64_t below)
{
    fake_random_state ^= fake_random_state << 13;
    fake_random_state ^= fake_random_state >> 7;
    fake_random_state ^= fake_random_state << 17;
    return fake_random_state % below;
}

#endif
