/*
 * Which CPUs there are: the local APICs that ACPI's multiple-APIC table lists (ACPI 6.5, 5.2.5 to 5.2.12), or where there is no ACPI, the older table
 * of Intel's MultiProcessor Specification 1.4. Read before the kernel has its own page tables.
 */
#include <exo/string.h>

#include "cpu.h"
#include "port.h"

#define READABLE_END 0x100000000ul /* of physical memory, at boot */
#define ROM_START 0xe0000ul        /* where a PC's firmware leaves its pointer */
#define ROM_END 0x100000ul
#define LOW_START 0x9e000ul        /* or, of the older table, at the end of low memory */
#define LOW_END 0xa0000ul
#define ENTRY_LOCAL_APIC 0u
#define APIC_ENABLED 1u

struct root_pointer {
    char signature[8];
    uint8_t checksum, maker[6], revision;
    uint32_t table, bytes;
    uint64_t wide_table;
} __attribute__((packed));

struct header {
    char signature[4];
    uint32_t bytes;
    uint8_t rest[28];
} __attribute__((packed));

struct local_apic {
    uint8_t type, bytes, processor, id;
    uint32_t flags;
} __attribute__((packed));

#define MADT_ENTRIES (sizeof(struct header) + 8)

static const struct header *table_at(uint64_t physical)
{
    const struct header *table = direct(physical);

    if (physical == 0 || physical > READABLE_END - PAGE || table->bytes < sizeof(*table) || table->bytes > READABLE_END - physical)
        return NULL;
    return table;
}

/* A structure of so many bytes that begins with the text and whose bytes sum up to 0. */
static bool is_there(const uint8_t *at, const char *text, size_t bytes)
{
    uint8_t sum = 0;

    for (size_t i = 0; text[i]; i++)
        if (at[i] != (uint8_t)text[i])
            return false;
    for (size_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static const void *find_structure(const char *text, size_t bytes)
{
    for (uint64_t at = LOW_START; at < ROM_END; at += 16)
        if ((at < LOW_END || at >= ROM_START) && is_there(direct(at), text, bytes))
            return direct(at);
    return NULL;
}

static const struct root_pointer *find_pointer(uint64_t rsdp)
{
    if (rsdp && rsdp < READABLE_END - PAGE)
        return direct(rsdp);
    return find_structure("RSD PTR ", 20);
}

static const struct header *find_table(const struct root_pointer *pointer, const char signature[4])
{
    size_t width = pointer->revision >= 2 && pointer->wide_table ? 8 : 4;
    const struct header *list = table_at(width == 8 ? pointer->wide_table : pointer->table);

    for (size_t at = sizeof(*list); list && at + width <= list->bytes; at += width) {
        uint64_t physical = 0;
        const struct header *table;

        memcpy(&physical, (const char *)list + at, width);
        table = table_at(physical);
        if (table && memcmp(table->signature, signature, 4) == 0)
            return table;
    }
    return NULL;
}

struct mp_pointer {
    char signature[4];
    uint32_t table;
};

struct mp_table {
    char signature[4];
    uint16_t bytes;
    uint8_t rest[38]; /* the number of entries among it, which QEMU's qboot does not set */
} __attribute__((packed));

struct mp_processor {
    uint8_t type, id, version, flags;
    uint8_t rest[16];
};

#define MP_PROCESSOR 0u /* such entries are first; all others have 8 bytes */
#define MP_ENABLED 1u

static unsigned mp_cpus(uint8_t *ids, unsigned most)
{
    const struct mp_pointer *pointer = find_structure("_MP_", 16);
    const struct mp_table *table = pointer && pointer->table && pointer->table < READABLE_END - PAGE ? direct(pointer->table) : NULL;
    const struct mp_processor *entry = (const struct mp_processor *)(table + 1);
    unsigned count = 0;

    if (!table || memcmp(table->signature, "PCMP", 4) != 0)
        return 0;
    for (; (const char *)(entry + 1) <= (const char *)table + table->bytes; entry++) {
        if (entry->type != MP_PROCESSOR)
            break;
        if (entry->flags & MP_ENABLED && count < most)
            ids[count++] = entry->id;
    }
    return count;
}

/* Fills in the numbers of those that can be used; how many. */
unsigned acpi_cpus(uint64_t rsdp, uint8_t *ids, unsigned most)
{
    const struct root_pointer *pointer = find_pointer(rsdp);
    const struct header *table = pointer ? find_table(pointer, "APIC") : NULL;
    unsigned count = 0;

    if (!table)
        return mp_cpus(ids, most);

    for (size_t at = MADT_ENTRIES; table && at + 2 <= table->bytes;) {
        const struct local_apic *entry = (const struct local_apic *)(const void *)((const char *)table + at);

        if (entry->bytes < 2)
            break;
        if (entry->type == ENTRY_LOCAL_APIC && entry->bytes >= sizeof(*entry) && entry->flags & APIC_ENABLED && count < most)
            ids[count++] = entry->id;
        at += entry->bytes;
    }
    return count;
}
