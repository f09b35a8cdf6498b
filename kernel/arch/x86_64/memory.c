/*
 * Page tables: the kernel's own (direct map, kernel image in pages of one kind each, device pages), and environments', whose upper half is the
 * kernel's.
 */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

#define LARGE 0x200000ul
#define ENTRIES 512u
#define DEVICE_WINDOW 0xffffffffc0000000ul
#define DEVICES_MAX 4u
#define LOW_RAM_END 0xa0000ul /* the rest of the first MiB is video memory and ROM */

extern char kernel_text[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

uint64_t kernel_root;
static uint64_t early_next, early_end; /* pages for the kernel's tables, until frames exist */
static uint64_t devices[DEVICES_MAX]; /* physical pages behind DEVICE_WINDOW, in order */
static unsigned device_count;

static unsigned index_at(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level) & (ENTRIES - 1));
}

static uint64_t early_page(void)
{
    uint64_t page = early_next;

    if (page + PAGE > early_end)
        panic("not enough memory for the kernel's tables");
    early_next += PAGE;
    memset(direct(page), 0, PAGE);
    return page;
}

/* The entry for va at the level (0: 4 KiB, 1: 2 MiB) in the kernel's tables, which grow as needed. */
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

    if (va >= (uint64_t)kernel_text && va < (uint64_t)kernel_rodata_end)
        return PTE_PRESENT | PTE_NO_EXEC; /* read-only also in the direct map */
    return PTE_PRESENT | PTE_WRITE | PTE_NO_EXEC;
}

static void map_direct(uint64_t start, uint64_t end)
{
    uint64_t image_end = (uint64_t)kernel_end - KERNEL_BASE;

    for (uint64_t at = start & ~(LARGE - 1); at < end; at += LARGE) {
        if (at >= image_end) {
            *kernel_entry(DIRECT_MAP + at, 1) = at | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_NO_EXEC;
            continue;
        }
        for (uint64_t page = at; page < at + LARGE; page += PAGE)
            *kernel_entry(DIRECT_MAP + page, 0) = page | kernel_page_flags(page);
    }
}

static void map_image(void)
{
    for (uint64_t va = (uint64_t)kernel_text; va < (uint64_t)kernel_end; va += PAGE) {
        uint64_t flags = PTE_PRESENT | PTE_NO_EXEC;

        if (va < (uint64_t)kernel_text_end)
            flags = PTE_PRESENT;
        else if (va >= (uint64_t)kernel_rodata_end)
            flags |= PTE_WRITE;
        *kernel_entry(va, 0) = (va - KERNEL_BASE) | flags;
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
    map_image();
    (void)kernel_entry(DEVICE_WINDOW, 0);
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

/* ---- environments ---- */

bool space_init(struct env *env)
{
    uint64_t root = frame_take(env->zone, 0, false);

    if (!root)
        return false;
    memcpy((uint64_t *)direct(root) + ENTRIES / 2, (uint64_t *)direct(kernel_root) + ENTRIES / 2, PAGE / 2);
    env->space.root = root;
    env->tables = 1;
    return true;
}

uint64_t *space_entry(struct env *env, uint64_t va, bool create)
{
    uint64_t *table = direct(env->space.root);

    for (unsigned level = 3; level > 0; level--) {
        uint64_t *entry = &table[index_at(va, level)];

        if (!*entry) {
            uint64_t page = create ? frame_take(env->zone, 0, false) : 0;

            if (!page)
                return NULL;
            env->tables++;
            *entry = page | PTE_PRESENT | PTE_WRITE | PTE_USER;
        }
        table = direct(pte_physical(*entry));
    }
    return &table[index_at(va, 0)];
}

uint64_t space_next_table(struct env *env, uint64_t va, uint64_t end)
{
    const uint64_t *root = direct(env->space.root);

    while (va < end) {
        uint64_t entry = root[index_at(va, 3)];

        if (entry)
            entry = ((const uint64_t *)direct(pte_physical(entry)))[index_at(va, 2)];
        else
            va |= (1ul << 39) - 1;
        if (entry) {
            const uint64_t *directory = direct(pte_physical(entry));

            for (unsigned i = index_at(va, 1); i < ENTRIES && va < end; i++) {
                if (directory[i])
                    return va;
                va = (va | (LARGE - 1)) + 1;
            }
        } else {
            va = (va | ((1ul << 30) - 1)) + 1;
        }
    }
    return end;
}

/* First entry from `i` on that is in use, or ENTRIES: four at a look. */
static inline unsigned next_used(const uint64_t *table, unsigned i, unsigned end)
{
    while (i < end && i % 4 != 0 && !table[i])
        i++;
    if (i % 4 == 0)
        while (i < end && !(table[i] | table[i + 1] | table[i + 2] | table[i + 3]))
            i += 4;
    while (i < end && !table[i])
        i++;
    return i < end ? i : ENTRIES;
}

/* Empties the table of the level, and those below it, until `*most` pages and tables are done; true when it is empty. */
static bool clear_level(struct env *env, uint64_t *table, unsigned level, unsigned *most)
{
    unsigned end = level == 3 ? ENTRIES / 2 : ENTRIES;

    for (unsigned i = next_used(table, 0, end); i < end; i = next_used(table, i + 1, end)) {
        uint64_t physical = pte_physical(table[i]);

        if (level > 0) {
            if (!clear_level(env, direct(physical), level - 1, most))
                return false;
            env->tables--;
        } else {
            env->mapped--;
        }
        table[i] = 0;
        frame_drop(physical);
        if (*most == 0)
            return false;
        --*most;
    }
    return true;
}

bool space_clear_some(struct env *env, unsigned *most)
{
    bool done = clear_level(env, direct(env->space.root), 3, most);

    if (done)
        space_flush(env);
    return done;
}

void space_free_root(struct env *env)
{
    frame_drop(env->space.root);
    env->tables--;
}

bool space_loaded(const struct env *env)
{
    return percpu.loaded == env;
}

/* More pages than this at one kernel entry: the whole TLB goes, once, on the way out (space_flush_finish). */
#define FLUSH_PAGES_MOST 32u

void space_flush_page(struct env *env, uint64_t va)
{
    if (!space_loaded(env))
        return;
    if (++percpu.flushes <= FLUSH_PAGES_MOST)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

void space_flush(struct env *env)
{
    if (space_loaded(env))
        percpu.flushes = FLUSH_PAGES_MOST + 1;
}

void space_flush_finish(void)
{
    if (percpu.flushes > FLUSH_PAGES_MOST)
        write_cr3(read_cr3());
    percpu.flushes = 0;
}
