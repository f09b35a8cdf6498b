/* The kernel's own page tables: direct map, in which the kernel's image has pages of one kind each, and device pages. */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

#define DEVICE_WINDOW 0xffffffffc0000000ul
#define DEVICES_MAX 4u
#define LOW_RAM_END 0xa0000ul /* the rest of the first MiB is video memory and ROM */

extern char kernel_text[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

uint64_t kernel_root;
static uint64_t early_next, early_end; /* pages for the kernel's tables, until frames exist */
static uint64_t devices[DEVICES_MAX]; /* physical pages behind DEVICE_WINDOW, in order */
static unsigned device_count;

static uint64_t early_page(void)
{
    uint64_t page = early_next;

    if (page + PAGE > early_end)
        panic("not enough memory for the kernel's tables");
    early_next += PAGE;
    memset(direct(page), 0, PAGE);
    return page;
}

/* The entry for va at the level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB) in the kernel's tables, which grow as needed. */
static uint64_t *kernel_entry(uint64_t va, unsigned level)
{
    uint64_t *table = direct(kernel_root);

    for (unsigned at = 3; at > level; at--) {
        uint64_t *entry = &table[index_at(va, at)];

        if (!*entry)
            *entry = early_page() | PTE_PRESENT | PTE_WRITE;
        table = direct(pte_physical(*entry));
    }
    return &table[index_at(va, level)];
}

static uint64_t kernel_page_flags(uint64_t physical)
{
    uint64_t va = physical + KERNEL_BASE;

    if (va >= (uint64_t)kernel_text && va < (uint64_t)kernel_text_end)
        return PTE_PRESENT;
    if (va >= (uint64_t)kernel_text_end && va < (uint64_t)kernel_rodata_end)
        return PTE_PRESENT | PTE_NO_EXEC;
    return PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC;
}

static void map_direct(uint64_t start, uint64_t end)
{
    uint64_t image_end = (uint64_t)kernel_end - KERNEL_BASE;

    for (uint64_t at = start & ~(SPACE_TABLE_BYTES - 1); at < end; at += SPACE_TABLE_BYTES) {
        if (at >= image_end) {
            *kernel_entry(DIRECT_MAP + at, 1) = at | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_NO_EXEC;
            continue;
        }
        for (uint64_t page = at; page < at + SPACE_TABLE_BYTES; page += PAGE)
            *kernel_entry(DIRECT_MAP + page, 0) = page | kernel_page_flags(page);
    }
}

static bool overlaps(struct boot_range a, struct boot_range b)
{
    return a.start < b.end && b.start < a.end;
}

/* Finds room for the frame table and page tables behind the kernel, clear of the boot image. */
static void find_early(const struct boot *boot, uint64_t bytes)
{
    for (unsigned i = 0; i < boot->ram_count; i++) {
        uint64_t start = boot->ram[i].start, image_end = ((uint64_t)kernel_end - KERNEL_BASE + PAGE - 1) & ~(PAGE - 1ul);

        if (start < image_end)
            start = image_end;
        for (unsigned again = 0; again < 2; again++) {
            struct boot_range room = {start, start + bytes};

            if (room.end <= boot->ram[i].end && room.end <= 0x100000000ul && !overlaps(room, boot->image)) {
                early_next = room.start;
                early_end = room.end;
                return;
            }
            start = (boot->image.end + PAGE - 1) & ~(PAGE - 1ul);
        }
    }
    panic("not enough memory for the kernel's tables");
}

/* Free RAM is what remains without the kernel, its tables and the boot image. */
static void add_free(const struct boot *boot, uint64_t tables_start)
{
    const struct boot_range taken[3] = {
        {0, (uint64_t)kernel_end - KERNEL_BASE},
        {tables_start, early_next},
        {boot->image.start & ~(PAGE - 1ul), (boot->image.end + PAGE - 1) & ~(PAGE - 1ul)},
    };

    for (unsigned i = 0; i < boot->ram_count; i++) {
        uint64_t at = boot->ram[i].start;

        while (at < boot->ram[i].end) {
            uint64_t end = boot->ram[i].end;
            bool inside = false;

            for (unsigned t = 0; t < 3; t++) {
                if (at >= taken[t].start && at < taken[t].end) {
                    at = (taken[t].end + PAGE - 1) & ~(PAGE - 1ul);
                    inside = true;
                } else if (taken[t].start > at && taken[t].start < end) {
                    end = taken[t].start;
                }
            }
            if (inside)
                continue;
            frame_add_range(at / PAGE, end / PAGE);
            at = end;
        }
    }
    frames_kernel = (taken[0].end - LOAD_ADDRESS + taken[1].end - taken[1].start) / PAGE;
    frame_keep_range(0, LOW_RAM_END / PAGE);
    frame_keep_range(LOAD_ADDRESS / PAGE, (taken[0].end + PAGE - 1) / PAGE);
    frame_keep_range(taken[1].start / PAGE, taken[1].end / PAGE);
    frame_adopt_range(taken[2].start / PAGE, taken[2].end / PAGE);
}

/* No page of the kernel's may be both written and executed, nor reached from ring 3. */
static void check_pages(const uint64_t *table, unsigned level)
{
    for (unsigned i = level == 3 ? ENTRIES / 2 : 0; i < ENTRIES; i++) {
        if (table[i] & PTE_USER)
            panic("ring 3 reaches a page of the kernel: entry %lx", table[i]);
        if (level > 0 && table[i] & PTE_PRESENT && !(table[i] & PTE_LARGE))
            check_pages(direct(pte_physical(table[i])), level - 1);
        else if ((table[i] & (PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC)) == (PTE_PRESENT | PTE_WRITE))
            panic("a page of the kernel is writable and executable: entry %lx", table[i]);
    }
}

void arch_init_memory(const struct boot *boot)
{
    uint64_t top = 0, table_bytes, tables_start;
    struct frame *table;

    for (unsigned i = 0; i < boot->ram_count; i++)
        if (boot->ram[i].end > top)
            top = boot->ram[i].end;
    if (boot->image.start % PAGE)
        panic("boot image is not page aligned");
    table_bytes = (top / PAGE * sizeof(struct frame) + PAGE - 1) & ~(PAGE - 1ul);
    find_early(boot, table_bytes + (top / 0x40000000ul + 16) * PAGE);
    tables_start = early_next;
    table = direct(early_next);
    early_next += table_bytes;
    memset(table, 0, table_bytes);
    kernel_root = early_page();
    for (unsigned i = 0; i < boot->ram_count; i++)
        map_direct(boot->ram[i].start, boot->ram[i].end);
    *kernel_entry(KERNEL_BASE, 2) = *kernel_entry(DIRECT_MAP, 2); /* the first GiB, where the kernel is linked */
    (void)kernel_entry(DEVICE_WINDOW, 0);
    check_pages(direct(kernel_root), 3);
    write_cr3(kernel_root);
    frame_init(table, top / PAGE);
    add_free(boot, tables_start);
}

void *map_device(uint64_t physical)
{
    uint64_t va = DEVICE_WINDOW + device_count * PAGE;

    ASSERT(device_count < DEVICES_MAX);
    devices[device_count++] = physical;
    *kernel_entry(va, 0) = physical | PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC | PTE_UNCACHED | PTE_WRITE_THROUGH;
    return (void *)va;
}

bool arch_device_taken(uint64_t physical)
{
    for (unsigned i = 0; i < device_count; i++)
        if (devices[i] == physical)
            return true;
    return false;
}
