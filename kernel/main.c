/*
 * From the boot loader to the first environment. It gets every capability there is, and the boot image, of
 * which the kernel reads only the header and the first program.
 */
#include <exo/elf.h>
#include <exo/string.h>

#include "kernel.h"
#include "port.h"

struct exo_info *info;
uint64_t info_physical;
struct exo_stats stats;

/* The first environment's own layout. */
#define START_STACK_TOP 0x500000000000ul
#define START_STACK_PAGES 8ul
#define START_PAGE START_STACK_TOP
#define START_UPAGE (START_STACK_TOP + PAGE)
#define START_INFO (START_STACK_TOP + 2 * PAGE)
#define START_IMAGE (START_STACK_TOP + 0x200000ul)

static void make_info(void)
{
    static struct exo_info early; /* until there are frames */

    info = &early;
}

static void place_info(void)
{
    struct exo_info *early = info;

    info_physical = frame_take(zones[0], 0, false);
    if (!info_physical)
        panic("no memory for the info page");
    info = direct(info_physical);
    *info = *early;
    info->version = EXO_ABI_VERSION;
    info->frames_total = frames_total;
    info->frames_free = (uint32_t)frames_free;
}

static uint64_t must_take(void)
{
    uint64_t physical = frame_take(zones[0], 0, false);

    if (!physical)
        panic("not enough memory to start");
    return physical;
}

static void must_map(struct env *env, uint64_t va, uint64_t physical, uint64_t prot)
{
    if (space_map(env, va, physical, pte_make(physical, prot, prot & EXO_PROT_WRITE)) < 0)
        panic("not enough memory to start");
}

/* Maps a loadable segment with copies of its pages. */
static void load_segment(struct env *env, const char *file, const struct exo_elf_segment *segment)
{
    uint64_t va = exo_elf_first_page(segment), end = va + exo_elf_pages(segment) * PAGE;

    for (; va < end; va += PAGE) {
        uint64_t physical = must_take();
        uint64_t from = va < segment->va ? segment->va : va;
        uint64_t file_end = segment->va + segment->file_bytes, to = va + PAGE < file_end ? va + PAGE : file_end;

        if (to > from)
            memcpy((char *)direct(physical) + from % PAGE, file + segment->file_offset + (from - segment->va),
                   to - from);
        must_map(env, va, physical, segment->prot);
    }
}

static uint64_t load_program(struct env *env, const char *file, uint64_t bytes)
{
    struct exo_elf elf;

    if (exo_elf_parse(file, bytes, PAGE, START_STACK_TOP / 2, &elf) < 0)
        panic("boot image: the first program is no valid static ELF file, or has segments out of range");
    for (unsigned i = 0; i < elf.segments; i++)
        load_segment(env, file, &elf.segment[i]);
    return elf.entry;
}

static void give(struct env *env, uint64_t index, struct object *object, uint64_t rights)
{
    if (cap_insert(env, index, object, rights, 0) < 0)
        panic("not enough memory to start");
}

/* What was made for it: only its capability keeps that. */
static void give_new(struct env *env, uint64_t index, struct object *object, uint64_t rights)
{
    give(env, index, object, rights);
    object_drop(object);
}

static void fill_start_page(struct exo_startup *start, const struct boot *boot)
{
    char *line = (char *)start + sizeof(*start);
    size_t most = PAGE - sizeof(*start);

    *start = (struct exo_startup){
        .version = EXO_ABI_VERSION,
        .slots = 7,
        .image_va = START_IMAGE,
        .image_pages = (boot->image.end - boot->image.start + PAGE - 1) / PAGE,
        .command_line_va = START_PAGE + sizeof(*start),
        .rsdp = boot->rsdp,
    };
    start->next_va = START_IMAGE + start->image_pages * PAGE;
    memcpy(line, boot->command_line, strnlen(boot->command_line, most - 1));
}

static void start_first(const struct boot *boot)
{
    const struct exo_boot_header *header = direct(boot->image.start);
    uint64_t bytes = boot->image.end - boot->image.start, pages = (bytes + PAGE - 1) / PAGE, start_page, entry;
    struct env *env;
    struct context *context;
    struct block *image, *info_block;
    struct exo_ctx_state state = {0};
    int64_t error;

    if (bytes < PAGE || header->magic != EXO_BOOT_MAGIC || header->version != 1)
        panic("no boot image: give one with -initrd");
    if (header->rs_offset > bytes || header->rs_bytes > bytes - header->rs_offset)
        panic("boot image: the first program is beyond its end");
    env = env_new(zones[0]);
    if (!env)
        panic("not enough memory to start");
    entry = load_program(env, (const char *)header + header->rs_offset, header->rs_bytes);
    for (uint64_t page = 1; page <= START_STACK_PAGES; page++)
        must_map(env, START_STACK_TOP - page * PAGE, must_take(), EXO_PROT_READ | EXO_PROT_WRITE);
    start_page = must_take();
    fill_start_page(direct(start_page), boot);
    must_map(env, START_PAGE, start_page, EXO_PROT_READ | EXO_PROT_WRITE);
    for (uint64_t page = 0; page < pages; page++) {
        frame_hold(boot->image.start + page * PAGE);
        must_map(env, START_IMAGE + page * PAGE, boot->image.start + page * PAGE, EXO_PROT_READ | EXO_PROT_WRITE);
    }
    frame_hold(info_physical); /* for the mapping; */
    frame_hold(info_physical); /* the block has the one that it was taken with, and the kernel, which writes there, this one */
    must_map(env, START_INFO, info_physical, EXO_PROT_READ);
    arch_first_state(&state, entry, START_PAGE, START_STACK_TOP - 64);
    context = context_new(env, START_UPAGE, &state, &error);
    image = block_new(zones[0], boot->image.start, pages, false);
    info_block = block_new(zones[0], info_physical, 1, false);
    if (!context || !image || !info_block)
        panic("not enough memory to start");
    info_block->object.label = EXO_LABEL_BOTTOM; /* everybody may read it */
    machine_object.id = object_next_id();
    machine_object.zone = zones[0];
    give_new(env, 1, &env->object, EXO_RIGHTS_ALL);
    give_new(env, 2, &context->object, EXO_RIGHTS_ALL);
    give(env, 3, &zones[0]->object, EXO_RIGHTS_ALL);
    give(env, 4, &machine_object, EXO_RIGHTS_ALL);
    give_new(env, 5, &image->object, EXO_RIGHTS_ALL);
    give_new(env, 6, &info_block->object, EXO_RIGHT_READ | EXO_RIGHT_COPY);
    give(env, 7, &audit_object, EXO_RIGHTS_ALL);
    sched_ready(context);
}

void kernel_main(const struct boot *boot)
{
    stats.boot_tsc = arch_cycles();
    make_info();
    zone_init();
    audit_init();
    arch_init_cpu();
    arch_init_memory(boot);
    place_info();
    stats.memory_tsc = arch_cycles();
    arch_init_devices();
    stats.devices_tsc = arch_cycles();
    arch_start_cpus(boot);
    stats.cpus_tsc = arch_cycles();
    info->cpus = arch_cpus();
    sched_start();
    chooser_boot(boot->command_line);
    info->boot_tsc = stats.boot_tsc;
    log_text("ExoV6: %lu MiB, %lu frames free, kernel %lu KiB, image %lu KiB\n", frames_total * PAGE >> 20, frames_free,
             frames_kernel * PAGE >> 10, (boot->image.end - boot->image.start) >> 10);
    start_first(boot);
    stats.user_tsc = arch_cycles();
    arch_run();
}
