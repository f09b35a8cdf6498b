/* Boot information: PVH (Xen's hvm_start_info, version 1) or Multiboot 1, turned into struct boot. */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

struct pvh_information {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};

struct pvh_module {
    uint64_t address, bytes, command_line, reserved;
};

struct pvh_memory {
    uint64_t address, bytes;
    uint32_t type, reserved;
};

struct multiboot_information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line, modules, module_list;
    uint32_t symbols[4];
    uint32_t map_bytes, map;
};

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

struct multiboot_memory {
    uint32_t entry_bytes;
    uint64_t address, bytes;
    uint32_t type;
} __attribute__((packed));

#define PVH_MAGIC 0x336ec578u
#define RAM_TYPE 1u
#define EARLY_TOP 0x100000000ul /* what the boot page tables map */

static struct boot boot;

static void add_ram(uint64_t start, uint64_t bytes)
{
    uint64_t end = (start + bytes) & ~(PAGE - 1ul);

    start = (start + PAGE - 1) & ~(PAGE - 1ul);
    if (start < LOAD_ADDRESS)
        start = LOAD_ADDRESS; /* the first MiB is the firmware's */
    if (end > DIRECT_BYTES)
        end = DIRECT_BYTES;
    if (start < end && boot.ram_count < BOOT_RANGES)
        boot.ram[boot.ram_count++] = (struct boot_range){start, end};
}

static void copy_command_line(uint64_t physical)
{
    if (physical && physical < EARLY_TOP)
        memcpy(boot.command_line, direct(physical), strnlen(direct(physical), sizeof(boot.command_line) - 1));
}

static void from_pvh(const struct pvh_information *given)
{
    const struct pvh_memory *memory = direct(given->memory_map);
    const struct pvh_module *module = direct(given->module_list);

    if (given->magic != PVH_MAGIC || given->version < 1)
        panic("boot: bad PVH start information");
    for (uint32_t i = 0; i < given->memory_entries; i++)
        if (memory[i].type == RAM_TYPE)
            add_ram(memory[i].address, memory[i].bytes);
    if (given->modules > 0)
        boot.image = (struct boot_range){module[0].address, module[0].address + module[0].bytes};
    copy_command_line(given->command_line);
    boot.rsdp = given->rsdp;
}

static void from_multiboot(const struct multiboot_information *given)
{
    const struct multiboot_module *module = direct(given->module_list);

    if (!(given->flags & 1u << 6))
        panic("boot: Multiboot without a memory map");
    for (uint64_t at = given->map; at < given->map + given->map_bytes;) {
        const struct multiboot_memory *memory = direct(at);

        if (memory->type == RAM_TYPE)
            add_ram(memory->address, memory->bytes);
        at += memory->entry_bytes + sizeof(memory->entry_bytes);
    }
    if (given->flags & 1u << 3 && given->modules > 0)
        boot.image = (struct boot_range){module[0].start, module[0].end};
    if (given->flags & 1u << 2)
        copy_command_line(given->command_line);
}

/* kind: 1 PVH, 2 Multiboot (boot.S). */
void boot_main(uint32_t kind, uint64_t information)
{
    if (kind == 1)
        from_pvh(direct(information));
    else
        from_multiboot(direct(information));
    boot.cpu_count = acpi_cpus(boot.rsdp, boot.cpu, CPUS_MAX);
    kernel_main(&boot);
}
