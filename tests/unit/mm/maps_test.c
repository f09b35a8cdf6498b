/*
 * The mapping list, its calls and faults: random calls against a model that keeps, for each page of a small
 * window, what a program would find there; then the rules and errors one by one.
 */
#include "fake.h"

#include "libos/posix/mm/advice.c"
#include "libos/posix/mm/copy.c"
#include "libos/posix/mm/fault.c"
#include "libos/posix/mm/heap.c"
#undef PAGES
#include "libos/posix/mm/mmap.c"
#include "libos/posix/mm/range.c"
#include "libos/posix/mm/remap.c"
#include "libos/posix/mm/vma.c"

bool px_meta_fault(uint64_t address)
{
    return address == PX_META;
}

#define RW (PROT_READ | PROT_WRITE)
#define WINDOW 64u
#define BASE 0x500000000ul
#define PAGE_VA(page) (BASE + (uint64_t)(page) * 4096)

/* ---- the model
 * --------------------------------------------------------------------------------------------------- */

struct cell {
    bool mapped, shared, file, own; /* own: written, so a private page does not follow the file any more */
    int prot;
    unsigned file_page;
    int value; /* of the page's first byte, if it is no file's */
};
static struct cell model[WINDOW];

static unsigned char file_bytes[20 * 4096 + 100];
#define FILE_PAGES 21u

static int file_value(unsigned page_)
{
    return page_ < FILE_PAGES ? file_bytes[page_ * 4096] : -1; /* -1: SIGBUS */
}

static int value_of(const struct cell *cell)
{
    return cell->file && (cell->shared || !cell->own) ? file_value(cell->file_page) : cell->value;
}

static int64_t call_mmap(uint64_t va, uint64_t pages, int prot, int flags, int fd, uint64_t file_page)
{
    return px_sys_mmap(va, pages * 4096, (uint64_t)prot, (uint64_t)flags, (uint64_t)fd, file_page * 4096);
}

static void check_list(void)
{
    uint64_t pages = 0;
    unsigned users[FILES] = {0};

    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];

        CHECK(vma->lo < vma->hi && vma->lo % 4096 == 0 && vma->hi % 4096 == 0 && vma->hi <= PX_PROG_HI);
        CHECK(at == 0 || vma[-1].hi <= vma->lo);
        CHECK(at == 0 || !mergeable(vma - 1, vma));
        pages += (vma->hi - vma->lo) / 4096;
        if (vma->file)
            users[px_mm.file[vma->file - 1]->node.ino]++;
    }
    CHECK(pages == px_mm.pages);
    for (unsigned ino = 0; ino < FILES; ino++)
        CHECK(fake_file[ino].holds == (users[ino] > 0));
    for (unsigned at = 0; at < px_mm.files; at++)
        if (px_mm.file[at])
            CHECK(px_mm.file[at]->users == users[px_mm.file[at]->node.ino]);
}

/* No page is bound outside a mapping, none with more access than its mapping has. */
static void check_pages(void)
{
    for (unsigned at = 0; at < BUCKETS; at++)
        for (const struct entry *entry = chain[at]; entry; entry = entry->next) {
            const struct px_vma *vma = px_vma_at(entry->page * 4096);

            if (entry->env != PX_SLOT_SELF || host_range(entry->page * 4096))
                continue;
            CHECK(vma);
            CHECK((entry->prot & ~px_mm_prot(vma->prot)) == 0);
        }
}

static void check_cell(unsigned at)
{
    struct cell *cell = &model[at];
    unsigned char byte = 0;
    int64_t status = px_copy_in(&byte, PAGE_VA(at), 1);
    bool readable = cell->mapped && cell->prot && value_of(cell) >= 0;

    CHECK((status == 0) == readable);
    CHECK(!readable || byte == value_of(cell));
    CHECK(px_memory_mapped(PAGE_VA(at)) == cell->mapped);
    if (!readable && cell->mapped && cell->prot) {
        int code;

        CHECK(px_memory_fault_signal(PAGE_VA(at), &code) == SIGBUS && code == BUS_ADRERR);
    }
    byte = (unsigned char)fake_random(256);
    status = px_copy_out(PAGE_VA(at), &byte, 1);
    CHECK((status == 0) == (readable && cell->prot & PROT_WRITE));
    if (status < 0)
        return;
    if (cell->file && cell->shared)
        file_bytes[cell->file_page * 4096] = byte;
    cell->own = true;
    cell->value = byte;
}

static void set_cells(unsigned at, unsigned pages, struct cell cell)
{
    for (unsigned i = 0; i < pages; i++, cell.file_page += cell.file)
        model[at + i] = cell;
}

static void random_mmap(unsigned at, unsigned pages)
{
    static const int prots[] = {PROT_NONE, PROT_READ, RW, RW, RW, PROT_READ | PROT_EXEC};
    struct cell cell = {.mapped = true, .prot = prots[fake_random(6)], .shared = fake_random(3) == 0};
    int flags = MAP_FIXED | (cell.shared ? MAP_SHARED : MAP_PRIVATE), fd = -1;

    if (fake_random(2)) {
        cell.file = true;
        cell.file_page = (unsigned)fake_random(24);
        fd = 0;
    } else {
        flags |= MAP_ANONYMOUS;
    }
    CHECK(call_mmap(PAGE_VA(at), pages, cell.prot, flags, fd, cell.file_page) == (int64_t)PAGE_VA(at));
    set_cells(at, pages, cell);
}

static void random_protect(unsigned at, unsigned pages)
{
    int prot = (int)fake_random(4);
    int64_t expected = 0;

    for (unsigned i = 0; i < pages && expected == 0; i++) {
        if (!model[at + i].mapped)
            expected = -ENOMEM;
        else
            model[at + i].prot = prot;
    }
    CHECK(px_sys_mprotect(PAGE_VA(at), pages * 4096, (uint64_t)prot, 0, 0, 0) == expected);
}

static void random_advice(unsigned at, unsigned pages)
{
    int64_t expected = 0;

    for (unsigned i = 0; i < pages; i++) {
        if (!model[at + i].mapped)
            expected = -ENOMEM;
        else if (!model[at + i].shared)
            model[at + i].own = false, model[at + i].value = 0;
    }
    CHECK(px_sys_madvise(PAGE_VA(at), pages * 4096 - fake_random(4096), MADV_DONTNEED, 0, 0, 0) == expected);
}

static void random_remap(unsigned at, unsigned pages)
{
    unsigned to = (unsigned)fake_random(WINDOW - 16), wanted = 1 + (unsigned)fake_random(16), moved;
    struct cell old[WINDOW];
    const struct px_vma *vma = px_vma_at(PAGE_VA(at));
    bool whole = vma && vma->hi >= PAGE_VA(at + pages), overlap = to < at + pages && at < to + wanted;
    int64_t status = px_sys_mremap(PAGE_VA(at), pages * 4096, wanted * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, PAGE_VA(to), 0);

    CHECK(status == (overlap ? -EINVAL : whole ? (int64_t)PAGE_VA(to) : -EFAULT));
    if (status < 0)
        return;
    memcpy(old, model, sizeof(old));
    moved = wanted < pages ? wanted : pages;
    memset(&model[at], 0, pages * sizeof(model[0]));
    for (unsigned i = 0; i < wanted; i++) {
        model[to + i] = old[at + (i < moved ? i : 0)];
        if (i < moved)
            continue;
        model[to + i].file_page = old[at].file_page + i * old[at].file;
        model[to + i].own = false;
        model[to + i].value = 0;
    }
}

static void test_random(void)
{
    for (unsigned at = 0; at < sizeof(file_bytes); at++)
        file_bytes[at] = (unsigned char)(at / 4096 + 100);
    fake_file_set(1, "/some/file", S_IFREG | 0644, file_bytes, sizeof(file_bytes));
    fake_ofd[0] = (struct px_ofd){.kind = PX_OFD_FILE, .flags = O_RDWR, .node = fake_node(1)};
    for (unsigned round = 0; round < 60000; round++) {
        unsigned pages = 1 + (unsigned)fake_random(12), at = (unsigned)fake_random(WINDOW - pages + 1);

        switch (fake_random(8)) {
        case 0:
        case 1: random_mmap(at, pages); break;
        case 2:
            CHECK(px_sys_munmap(PAGE_VA(at), pages * 4096, 0, 0, 0, 0) == 0);
            memset(&model[at], 0, pages * sizeof(model[0]));
            break;
        case 3: random_protect(at, pages); break;
        case 4: random_advice(at, pages); break;
        case 5: random_remap(at, pages); break;
        default: check_cell(at);
        }
        if (round % 64 == 0) {
            check_list();
            check_pages();
        }
    }
    for (unsigned at = 0; at < WINDOW; at++)
        check_cell(at);
    CHECK(px_sys_munmap(BASE, WINDOW * 4096, 0, 0, 0, 0) == 0);
    check_list();
    check_pages();
    CHECK(px_mm.count == 0 && px_mm.pages == 0);
}

/* ---- rules
 * ------------------------------------------------------------------------------------------------------- */

static void test_mmap_errors(void)
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

    CHECK(px_sys_mmap(0, 4096, RW, (uint64_t)anonymous, ~0ul, 1) == -EINVAL);
    CHECK(px_sys_mmap(0, 0, RW, (uint64_t)anonymous, ~0ul, 0) == -EINVAL);
    CHECK(px_sys_mmap(0, ~0ul, RW, (uint64_t)anonymous, ~0ul, 0) == -ENOMEM);
    CHECK(px_sys_mmap(0, 1ul << 47, 0, (uint64_t)anonymous, ~0ul, 0) == -ENOMEM);
    CHECK(call_mmap(0, 1, RW, MAP_PRIVATE, 3, 0) == -EBADF);
    CHECK(call_mmap(0, 1, RW, MAP_PRIVATE, -1, 0) == -EBADF);
    CHECK(call_mmap(0, 1, RW, MAP_ANONYMOUS, -1, 0) == -EINVAL);
    CHECK(call_mmap(0, 1, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, -1, 0) == -EINVAL);
    CHECK(call_mmap(BASE + 1, 1, RW, anonymous | MAP_FIXED, -1, 0) == -EINVAL);
    CHECK(call_mmap(0, 1, RW, anonymous | MAP_FIXED, -1, 0) == -EPERM);
    CHECK(call_mmap(0xf000, 2, RW, anonymous | MAP_FIXED, -1, 0) == -EPERM);
    CHECK(call_mmap(PX_PROG_HI, 1, RW, anonymous | MAP_FIXED, -1, 0) == -ENOMEM);
    CHECK(call_mmap(PX_PROG_HI - 4096, 2, RW, anonymous | MAP_FIXED, -1, 0) == -ENOMEM);
    CHECK(call_mmap(PX_IMAGE, 1, RW, anonymous | MAP_FIXED, -1, 0) == -ENOMEM);
    CHECK(call_mmap(0xffff800000000000, 1, RW, anonymous | MAP_FIXED, -1, 0) == -ENOMEM);
    CHECK(call_mmap(0, 1, RW, anonymous | MAP_HUGETLB, -1, 0) == -ENOMEM);
    CHECK(px_sys_mmap(0, 4096, RW, MAP_PRIVATE, 0, ~0ul << 12) == -EOVERFLOW);
    fake_ofd[1] = (struct px_ofd){.kind = PX_OFD_FILE, .flags = O_RDONLY, .node = fake_node(1)};
    CHECK(call_mmap(0, 1, RW, MAP_SHARED, 1, 0) == -EACCES);
    fake_ofd[1].flags = O_WRONLY;
    CHECK(call_mmap(0, 1, PROT_READ, MAP_PRIVATE, 1, 0) == -EACCES);
    fake_ofd[1].flags = O_PATH;
    CHECK(call_mmap(0, 1, PROT_READ, MAP_PRIVATE, 1, 0) == -EBADF);
    fake_ofd[1] = (struct px_ofd){.kind = PX_OFD_PIPE, .flags = O_RDWR};
    CHECK(call_mmap(0, 1, PROT_READ, MAP_PRIVATE, 1, 0) == -ENODEV);
    fake_ofd[1].kind = 77; /* whoever shares the description may write nonsense */
    CHECK(call_mmap(0, 1, PROT_READ, MAP_PRIVATE, 1, 0) == -ENODEV);
    CHECK(px_mm.count == 0);
}

static void test_mmap_places(void)
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    int64_t first = call_mmap(0, 3, RW, anonymous, 77, 0), second, high;

    CHECK(first == (int64_t)px_mm.map_top - 3 * 4096);
    second = call_mmap(0, 1, RW, anonymous, -1, 0);
    CHECK(second == first - 4096 && px_mm.count == 1); /* merged */
    CHECK(call_mmap((uint64_t)first, 1, RW, anonymous | MAP_FIXED_NOREPLACE, -1, 0) == -EEXIST);
    CHECK(call_mmap((uint64_t)first, 1, RW, anonymous, -1, 0) == second - 4096); /* a hint that is taken */
    CHECK(call_mmap(BASE + 123, 1, RW, anonymous, -1, 0) == BASE);
    CHECK(call_mmap(4096, 1, RW, anonymous, -1, 0) == (int64_t)PX_PROG_LO);
    CHECK(px_sys_munmap((uint64_t)first, 4096, 0, 0, 0, 0) == 0);
    CHECK(call_mmap(0, 1, RW, anonymous, -1, 0) == first); /* the highest hole */
    /* reservations cost nothing, and what is beyond the machine cannot be had writable */
    high = px_sys_mmap(0, 1ul << 46, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ul, 0);
    CHECK(high > 0);
    CHECK(px_sys_mmap(0, 1ul << 40, RW, MAP_PRIVATE | MAP_ANONYMOUS, ~0ul, 0) == -ENOMEM);
    CHECK(px_sys_mmap(0, 1ul << 40, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, ~0ul, 0) > 0);
    CHECK(px_sys_mprotect((uint64_t)high, 1ul << 40, RW, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_mprotect((uint64_t)high, 1ul << 20, RW, 0, 0, 0) == 0);
    fake_limit[RLIMIT_AS] = px_mm.pages * 4096 + 8192;
    CHECK(call_mmap(0, 3, RW, anonymous, -1, 0) == -ENOMEM);
    CHECK(call_mmap(0, 2, RW, anonymous, -1, 0) > 0);
    fake_limit[RLIMIT_AS] = PX_RLIM_INFINITY;
    fake_limit[RLIMIT_DATA] = 1 << 20;
    CHECK(call_mmap(0, 256, RW, anonymous, -1, 0) == -ENOMEM);
    CHECK(call_mmap(0, 256, PROT_READ, anonymous, -1, 0) > 0);
    fake_limit[RLIMIT_DATA] = PX_RLIM_INFINITY;
    px_vma_reset();
    check_list();
    check_pages();
}

static void test_protect_errors(void)
{
    int64_t at;

    CHECK(px_sys_mprotect(1, 4096, RW, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_mprotect(BASE, 0, 99, 0, 0, 0) == 0);
    CHECK(px_sys_mprotect(BASE, 4096, 99 << 8, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_mprotect(BASE, 4096, RW, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_mprotect(BASE, ~0ul, RW, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_mprotect(PX_IMAGE, 4096, RW, 0, 0, 0) == -ENOMEM);
    fake_ofd[1] = (struct px_ofd){.kind = PX_OFD_FILE, .flags = O_RDONLY, .node = fake_node(1)};
    at = call_mmap(0, 4, PROT_READ, MAP_SHARED, 1, 0);
    CHECK(at > 0);
    CHECK(px_sys_mprotect((uint64_t)at, 4096, RW, 0, 0, 0) == -EACCES);
    CHECK(px_sys_munmap((uint64_t)at, 4 * 4096, 0, 0, 0, 0) == 0);
    CHECK(px_sys_munmap(BASE + 1, 4096, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_munmap(BASE, 0, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_munmap(PX_PROG_HI - 4096, 8192, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_munmap(PX_IMAGE, 4096, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_munmap(BASE, ~0ul, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_munmap(BASE, 4096, 0, 0, 0, 0) == 0);
    CHECK(px_sys_madvise(BASE, 4096, 999, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_madvise(BASE, 4096, MADV_DONTNEED, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_madvise(BASE, ~0ul, MADV_DONTNEED, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_madvise(BASE, 0, MADV_DONTNEED, 0, 0, 0) == 0);
    CHECK(px_sys_msync(BASE, 4096, MS_SYNC | MS_ASYNC, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_msync(BASE, 4096, MS_SYNC, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_mlock(BASE, 4096, 0, 0, 0, 0) == -ENOMEM);
    CHECK(px_sys_mlockall(0, 0, 0, 0, 0, 0) == -EINVAL);
}

static void test_remap_errors(void)
{
    uint64_t at = (uint64_t)call_mmap(0, 4, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), above;
    unsigned char byte = 7;

    CHECK(px_sys_mremap(at + 1, 4096, 4096, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_mremap(at, 4096, 0, 0, 0, 0) == -EINVAL);
    CHECK(px_sys_mremap(at, 0, 4096, MREMAP_MAYMOVE, 0, 0) == -EINVAL);
    CHECK(px_sys_mremap(at, 4096, 4096, MREMAP_FIXED, BASE, 0) == -EINVAL);
    CHECK(px_sys_mremap(at, 4096, 8192, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0, 0) == -EINVAL);
    CHECK(px_sys_mremap(BASE, 4096, 8192, MREMAP_MAYMOVE, 0, 0) == -EFAULT);
    CHECK(px_sys_mremap(at, 5 * 4096, 6 * 4096, MREMAP_MAYMOVE, 0, 0) == -EFAULT);
    CHECK(px_sys_mremap(PX_IMAGE, 4096, 8192, MREMAP_MAYMOVE, 0, 0) == -EFAULT);
    CHECK(px_sys_mremap(at, 4096, ~0ul, MREMAP_MAYMOVE, 0, 0) < 0);
    CHECK(px_sys_mremap(at, 4 * 4096, 1ul << 46, MREMAP_MAYMOVE, 0, 0) == -ENOMEM);
    CHECK(px_sys_mremap(at, 4 * 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, PX_PROG_HI - 4096, 0) == (int64_t)PX_PROG_HI - 4096);
    CHECK(px_sys_munmap(PX_PROG_HI - 4096, 4096, 0, 0, 0, 0) == 0);
    at = (uint64_t)call_mmap(BASE, 4, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(px_copy_out(at + 3 * 4096, &byte, 1) == 0);
    CHECK(px_sys_mremap(at, 4 * 4096, 8 * 4096, 0, 0, 0) == (int64_t)at); /* in place */
    above = (uint64_t)call_mmap(at + 8 * 4096, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(above == at + 8 * 4096);
    CHECK(px_sys_mremap(at, 8 * 4096, 9 * 4096, 0, 0, 0) == -ENOMEM);
    at = (uint64_t)px_sys_mremap(at, 8 * 4096, 9 * 4096, MREMAP_MAYMOVE, 0, 0);
    byte = 0;
    CHECK((int64_t)at > 0 && px_copy_in(&byte, at + 3 * 4096, 1) == 0 && byte == 7);
    CHECK(px_sys_mremap(at, 9 * 4096, 4096, 0, 0, 0) == (int64_t)at && px_mm.pages == 2);
    px_vma_reset();
}

static void test_brk(void)
{
    uint64_t start = 0x600000;
    unsigned char byte = 9;

    px_mm.brk_lo = px_mm.brk = start;
    CHECK(px_sys_brk(0, 0, 0, 0, 0, 0) == (int64_t)start);
    CHECK(px_sys_brk(start + 5000, 0, 0, 0, 0, 0) == (int64_t)start + 5000);
    CHECK(px_copy_out(start + 8191, &byte, 1) == 0 && px_copy_out(start + 8192, &byte, 1) == -EFAULT);
    CHECK(px_sys_brk(start + 9000, 0, 0, 0, 0, 0) == (int64_t)start + 9000);
    CHECK(px_mm.count == 1);
    CHECK(px_sys_brk(start - 1, 0, 0, 0, 0, 0) == (int64_t)start + 9000);
    CHECK(px_sys_brk(PX_PROG_HI + 4096, 0, 0, 0, 0, 0) == (int64_t)start + 9000);
    CHECK(px_sys_brk(~0ul, 0, 0, 0, 0, 0) == (int64_t)start + 9000);
    CHECK(call_mmap(start + 16 * 4096, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) > 0);
    CHECK(px_sys_brk(start + 16 * 4096, 0, 0, 0, 0, 0) == (int64_t)start + 9000);
    CHECK(px_sys_brk(start + 15 * 4096, 0, 0, 0, 0, 0) == (int64_t)start + 15 * 4096);
    CHECK(px_sys_brk(start, 0, 0, 0, 0, 0) == (int64_t)start);
    CHECK(px_copy_out(start, &byte, 1) == -EFAULT);
    fake_limit[RLIMIT_DATA] = 8192;
    CHECK(px_sys_brk(start + 8193, 0, 0, 0, 0, 0) == (int64_t)start);
    fake_limit[RLIMIT_DATA] = PX_RLIM_INFINITY;
    CHECK(px_sys_brk(start + 4096, 0, 0, 0, 0, 0) == (int64_t)start + 4096);
    CHECK(px_copy_in(&byte, start + 8, 1) == 0 && byte == 0); /* what was given back comes back as zeros */
    px_vma_reset();
}

static void test_stack(void)
{
    struct px_vma stack = {.lo = PX_PROG_HI - 4096, .hi = PX_PROG_HI, .prot = RW, .flags = PX_VMA_STACK};
    unsigned char byte = 3;
    int code;

    CHECK(px_vma_room(3) == 0);
    px_vma_add(&stack);
    CHECK(px_copy_out(PX_PROG_HI - 100000, &byte, 1) == 0);
    CHECK(px_copy_out(PX_PROG_HI - (8ul << 20), &byte, 1) == 0);
    CHECK(px_copy_out(PX_PROG_HI - (8ul << 20) - 1, &byte, 1) == -EFAULT);
    CHECK(px_memory_fault_signal(PX_PROG_HI - (8ul << 20) - 1, &code) == SIGSEGV && code == SEGV_MAPERR);
    CHECK(px_vma_at(PX_PROG_HI - 1)->lo == PX_PROG_HI - (8ul << 20) && px_mm.pages == 2048);
    px_vma_reset();
    px_vma_add(&stack); /* the gap above another mapping stays free, unless that has no access */
    CHECK(call_mmap(PX_PROG_HI - (4ul << 20), 1, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) > 0);
    CHECK(px_copy_out(PX_PROG_HI - (3ul << 20) + 4096, &byte, 1) == 0);
    CHECK(px_copy_out(PX_PROG_HI - (3ul << 20), &byte, 1) == -EFAULT);
    CHECK(px_sys_mprotect(PX_PROG_HI - (4ul << 20), 4096, PROT_NONE, 0, 0, 0) == 0);
    CHECK(px_copy_out(PX_PROG_HI - (3ul << 20), &byte, 1) == 0);
    /* mmap keeps away from a stack's gap, too */
    CHECK(call_mmap(px_vma_at(PX_PROG_HI - 1)->lo - 8192, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < (int64_t)px_mm.map_top);
    px_vma_reset();
}

static void test_signals(void)
{
    int code;
    unsigned char byte = 1;
    uint64_t at = (uint64_t)call_mmap(0, 4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(px_copy_out(at, &byte, 1) == -EFAULT);
    CHECK(px_memory_fault_signal(at, &code) == SIGSEGV && code == SEGV_ACCERR);
    CHECK(px_memory_fault(BASE, false, false) == false);
    CHECK(px_memory_fault_signal(BASE, &code) == SIGSEGV && code == SEGV_MAPERR);
    CHECK(!px_memory_fault(at, false, true) && !px_memory_fault(0, true, false) && !px_memory_fault(~0ul, true, false));
    CHECK(!px_memory_fault(PX_IMAGE, false, false) && px_memory_fault(PX_META, false, false) && !px_memory_fault(PX_META, true, false));
    /* no memory: refused with SIGKILL, and nothing is changed */
    CHECK(px_sys_mprotect(at, 4096, RW, 0, 0, 0) == 0);
    frames_limit = frames_live;
    CHECK(px_copy_out(at, &byte, 1) == -EFAULT);
    CHECK(px_memory_fault_signal(at, &code) == SIGKILL);
    frames_limit = 1u << 30;
    CHECK(px_copy_out(at, &byte, 1) == 0);
    /* a private page bound without write authority is copied when the mapping becomes writable */
    CHECK(px_copy_in(&byte, at + 8192, 1) == 0);
    entry_of(PX_SLOT_SELF, at + 8192)->locked = true;
    entry_of(PX_SLOT_SELF, at + 8192)->frame->data[5] = 55;
    CHECK(px_sys_mprotect(at + 8192, 4096, RW, 0, 0, 0) == 0);
    CHECK(px_copy_out(at + 8192, &byte, 1) == 0 && px_copy_in(&byte, at + 8192 + 5, 1) == 0 && byte == 55);
    px_vma_reset();
    check_pages();
}

static void test_copies(void)
{
    char text[64], digits[] = "0123456789abcdef";
    uint64_t at = (uint64_t)call_mmap(BASE, 2, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), end = at + 8192;
    uint32_t word = 1;

    CHECK(px_copy_out_part(end - 10, digits, 16) == 10);
    CHECK(px_copy_in_part(text, end - 5, 16) == 5 && memcmp(text, "56789", 5) == 0);
    CHECK(px_copy_in(text, end - 5, 6) == -EFAULT && px_copy_in(text, end - 5, 0) == 0 && px_copy_in(text, 0, 0) == 0);
    CHECK(px_copy_string(text, end - 5, sizeof(text)) == -EFAULT);
    CHECK(px_copy_string(text, end - 5, 5) == -ENAMETOOLONG);
    CHECK(px_copy_string(text, end - 11, 5) == 0); /* the byte before the digits is zero */
    CHECK(px_clear_out(end - 1, 1) == 0 && px_copy_string(text, end - 5, sizeof(text)) == 4 && strcmp(text, "5678") == 0);
    CHECK(px_user_length(end - 5, 5) == 4 && px_user_length(end - 5, 4) == -E2BIG && px_user_length(end, 4) == -EFAULT);
    CHECK(px_clear_out(end - 1, 2) == -EFAULT && px_clear_out(PX_IMAGE, 1) == -EFAULT);
    CHECK(px_load_u32(end - 4, &word) == 0 && word == 0x00383736 && px_load_u32(end - 3, &word) == -EFAULT);
    CHECK(px_check_range(PX_PROG_HI - 1, 1) == 0 && px_check_range(PX_PROG_HI - 1, 2) == -EFAULT);
    CHECK(px_check_range(~0ul, 2) == -EFAULT && px_check_range(PX_PROG_LO, ~0ul) == -EFAULT && px_check_range(0, 1) == -EFAULT);
    CHECK(px_copy_in(text, PX_UPAGE, 8) == -EFAULT && px_copy_out(0xffffffff80000000, text, 8) == -EFAULT);
    CHECK(px_copy_string(text, PX_IMAGE, 8) == -EFAULT && px_copy_string(text, 0, 8) == -EFAULT);
    CHECK(px_sys_mincore(at, 8192, at, 0, 0, 0) == 0 && px_copy_in(text, at, 2) == 0 && text[0] == 0 && text[1] == 1);
    CHECK(px_sys_mincore(at, 8193, at, 0, 0, 0) == -ENOMEM && px_sys_mincore(at, 8192, PX_IMAGE, 0, 0, 0) == -EFAULT);
    px_vma_reset();
}

/* Thousands of mappings, then every call again with the nth page of libOS memory refused. */
static void test_many(void)
{
    for (unsigned at = 0; at < 20000; at++)
        CHECK(call_mmap(BASE + at * 8192ul, 1, at % 3 ? RW : PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) > 0);
    CHECK(px_mm.count == 20000);
    for (unsigned at = 0; at < 20000; at += 2)
        CHECK(px_sys_munmap(BASE + at * 8192ul, 4096, 0, 0, 0, 0) == 0);
    CHECK(px_mm.count == 10000);
    check_list();
    CHECK(px_sys_munmap(BASE, 20000 * 8192ul, 0, 0, 0, 0) == 0 && px_mm.count == 0);
    for (unsigned n = 0; n < 40; n++) {
        fail_after = n;
        for (unsigned at = 0; at < 400; at++) {
            int64_t status = call_mmap(BASE + at * 8192ul, 1, RW, MAP_PRIVATE | (at % 2 ? MAP_ANONYMOUS : 0) | MAP_FIXED, 0, at % 20);

            CHECK(status > 0 || status == -ENOMEM);
        }
        fail_after = 1u << 30;
        check_list();
        check_pages();
        px_vma_reset();
        px_free(px_mm.vma);
        px_mm.vma = NULL;
        px_mm.capacity = 0;
    }
}

static void tests(void)
{
    test_random();
    test_mmap_errors();
    test_mmap_places();
    test_protect_errors();
    test_remap_errors();
    test_brk();
    test_stack();
    test_signals();
    test_copies();
    test_many();
}

int main(void)
{
    return fake_run(tests);
}
