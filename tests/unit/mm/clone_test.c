/*
 * fork's memory: what parent and child see of each kind of mapping after each has written, vfork, no memory;
 * and the text of /proc/self/maps.
 */
#include "fake.h"

#include "libos/posix/mm/clone.c"
#include "libos/posix/mm/copy.c"
#include "libos/posix/mm/fault.c"
#include "libos/posix/mm/heap.c"
#undef PAGES
#include "libos/posix/mm/maps.c"
#include "libos/posix/mm/mmap.c"
#include "libos/posix/mm/range.c"
#include "libos/posix/mm/vma.c"

#define RW (PROT_READ | PROT_WRITE)
#define CHILD 100ul
#define BASE 0x500000000ul

_Alignas(4096) char px_image_start[4096], px_image_data_start[4096], px_image_end[4096];
_Alignas(4096) const char px_vdso[4096] = {0}, px_vdso_end[1] = {0};

bool px_meta_fault(uint64_t address)
{
    return address == 0;
}
int exo_format(char *to, size_t bytes, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(to, bytes, format, arguments);
    va_end(arguments);
    return length;
}

static void write_byte(uint64_t va, unsigned char byte)
{
    CHECK(px_copy_out(va, &byte, 1) == 0);
}

static unsigned char read_byte(uint64_t va)
{
    unsigned char byte = 0;

    CHECK(px_copy_in(&byte, va, 1) == 0);
    return byte;
}

/* The child's side: its page map, without faults. */
static struct entry *child(uint64_t va)
{
    return entry_of(CHILD, va);
}

static void forget_child(void)
{
    for (unsigned at = 0; at < BUCKETS; at++)
        for (struct entry *entry = chain[at], *next; entry; entry = next) {
            next = entry->next;
            if (entry->env == CHILD)
                entry_clear(CHILD, entry->page * 4096);
        }
}

static uint64_t make(uint64_t va, uint64_t pages, int prot, int flags, int fd)
{
    int64_t at = px_sys_mmap(va, pages * 4096, (uint64_t)prot, (uint64_t)flags, (uint64_t)fd, 0);

    CHECK(at > 0);
    return (uint64_t)at;
}

static void test_kinds(void)
{
    uint64_t private = make(BASE, 40, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint64_t shared = make(BASE + (40 << 12), 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
    uint64_t none = make(0, 1ul << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    uint64_t file = make(0, 4, RW, MAP_PRIVATE, 0), file_shared = make(0, 4, RW, MAP_SHARED, 0);

    write_byte(private, 1);
    write_byte(shared + 4096, 2);
    write_byte(file, 3);
    CHECK(px_memory_clone(CHILD, PX_CLONE_COPIES) == 0);
    write_byte(private, 11);
    CHECK(child(private)->frame->data[0] == 1 && child(private)->copy);
    CHECK(!child(private + (20 << 12)) && !child(none));
    write_byte(shared + 4096, 22);
    CHECK(child(shared + 4096)->frame->data[0] == 22 && !child(shared + 4096)->copy);
    write_byte(shared + (15 << 12), 23); /* not touched before the fork */
    CHECK(child(shared + (15 << 12))->frame->data[0] == 23);
    CHECK(read_byte(file) == 3 && child(file)->frame->data[0] == 3 && child(file)->frame != fake_file[1].page[0]);
    CHECK(child(file + 4096)->frame == fake_file[1].page[1] && child(file + 4096)->copy);
    CHECK(child(file_shared)->frame == fake_file[1].page[0] && !child(file_shared)->copy);
    forget_child();
    CHECK(px_memory_clone(CHILD, PX_CLONE_COPIES) == 0); /* again */
    CHECK(child(private)->frame->data[0] == 11);
    forget_child();
    px_vma_reset();
}

static void test_vfork(void)
{
    uint64_t private = make(BASE, 4, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    write_byte(private, 1);
    CHECK(px_memory_clone(CHILD, PX_CLONE_COPIES) == 0); /* so that the page waits for a copy */
    forget_child();
    CHECK(px_memory_clone(CHILD, PX_CLONE_SAME) == 0);
    child(private)->frame->data[0] = 9; /* the child writes */
    CHECK(!child(private)->copy && read_byte(private) == 9);
    write_byte(private, 8);
    CHECK(child(private)->frame->data[0] == 8);
    forget_child();
    px_vma_reset();
}

/* Neighbours of one kind go in one call: a hundred small mappings do not cost a hundred calls. */
static void test_calls(void)
{
    unsigned before;

    for (unsigned at = 0; at < 100; at++)
        make(BASE + (at << 14), 1, at % 2 ? RW : PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
    before = calls_made;
    CHECK(px_memory_clone(CHILD, PX_CLONE_COPIES) == 0);
    CHECK(calls_made - before < 12);
    px_vma_reset();
    forget_child();
}

static void test_no_memory(void)
{
    unsigned failed = 0;
    uint64_t shared = make(BASE, 30, RW, MAP_SHARED | MAP_ANONYMOUS, -1);

    write_byte(shared + 4096, 5);
    for (unsigned n = 0;; n++) {
        int64_t status;

        fail_after = n;
        status = px_memory_clone(CHILD, PX_CLONE_COPIES);
        fail_after = 1u << 30;
        forget_child();
        if (status == 0)
            break;
        CHECK(status == -ENOMEM && n < 100);
        failed++;
    }
    CHECK(failed > 0 && read_byte(shared + 4096) == 5 && read_byte(shared) == 0);
    px_vma_reset();
}

static void test_maps_text(void)
{
    const char *format =
        "500000000-500002000 rw-p 00000000 00:00 0 \n"
        "500003000-500005000 r--s 00000000 00:02 1                                /some/file\n"
        "500005000-500006000 r-xp 00000000 00:02 1                                /some/file\n"
        "600000000-600003000 rw-p 00000000 00:00 0                                [heap]\n"
        "%lx-%lx r-xp 00000000 00:00 0                          [vdso]\n";
    char expected[1024], text[1024], piece[1024];
    struct px_memory_totals totals;
    size_t length;

    (void)snprintf(expected, sizeof(expected), format, (unsigned long)px_vdso, (unsigned long)px_vdso_end);
    make(BASE, 2, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    make(BASE + 0x3000, 2, PROT_READ, MAP_SHARED, 0);
    make(BASE + 0x5000, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
    px_mm.brk_lo = px_mm.brk = 0x600000000;
    CHECK(px_sys_brk(0x600002001, 0, 0, 0, 0, 0) == 0x600002001);
    length = px_memory_maps(text, sizeof(text), 0, PX_MAPS);
    CHECK(length == strlen(expected) && memcmp(text, expected, length) == 0);
    for (size_t at = 0; at <= length; at += 7) { /* read in pieces */
        size_t part = px_memory_maps(piece, 50, at, PX_MAPS);

        CHECK(part == (length - at < 50 ? length - at : 50) && memcmp(piece, expected + at, part) == 0);
    }
    px_memory_totals(&totals);
    CHECK(totals.size == 8 && totals.data == 5 && totals.code == 1 && totals.heap_lo == 0x600000000);
    px_vma_reset();
}

static void tests(void)
{
    fake_file_set(1, "/some/file", S_IFREG | 0644, fake_heap, 20000);
    fake_ofd[0] = (struct px_ofd){.kind = PX_OFD_FILE, .flags = O_RDWR, .node = fake_node(1)};
    test_kinds();
    test_vfork();
    test_calls();
    test_no_memory();
    test_maps_text();
}

int main(void)
{
    return fake_run(tests);
}
