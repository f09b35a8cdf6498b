/* Devices from ring 3: I/O ports, device memory, interrupt lines, and what of them is the kernel's. */
#include "bare.h"

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define READ(width) (EXO_PORT_READ | (width))
#define WRITE(width) (EXO_PORT_WRITE | (width))
#define NOBODY 0x5f0  /* no device answers there */

/* Through a capability to just the ports that are meant, which the kernel's own never are. */
static int64_t port_io(uint64_t port, uint64_t operation, uint64_t value)
{
    int64_t ports = exo_ports_create(MACHINE, port, operation & EXO_PORT_WIDTH ? operation & EXO_PORT_WIDTH : 1), result;

    if (ports < 0)
        return ports;
    result = exo_port_io((uint64_t)ports, port, operation, value);
    EXPECT(exo_cap_delete((uint64_t)ports), 0);
    return result;
}

static int64_t port_string(uint64_t port, uint64_t operation, void *bytes, uint64_t count)
{
    int64_t ports = exo_ports_create(MACHINE, port, operation & EXO_PORT_WIDTH), result;

    if (ports < 0)
        return ports;
    result = exo_port_string((uint64_t)ports, port, operation, bytes, count);
    EXPECT(exo_cap_delete((uint64_t)ports), 0);
    return result;
}

CASE(ports, "I/O ports: written, read back, each width")
{
    if (port_io(0x2ff, WRITE(1), 0x5a) == 0 && port_io(0x2ff, READ(1), 0) == 0x5a) {
        EXPECT(port_io(0x2ff, WRITE(1), 0xa5), 0); /* the second serial port's scratch register */
        EXPECT(port_io(0x2ff, READ(1), 0), 0xa5);
    }
    EXPECT(port_io(NOBODY, WRITE(4), 0xffffffff), 0);
    EXPECT(port_io(NOBODY, READ(1), 0), 0xff);
    EXPECT(port_io(NOBODY, READ(2), 0), 0xffff);
    EXPECT(port_io(NOBODY, READ(4), 0), 0xffffffff);
    EXPECT(port_io(0xffff, READ(1), 0), 0xff);
}

CASE(ports_misuse, "I/O ports: the kernel's own, widths and numbers that are none")
{
    static const uint16_t taken[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x43, 0x61, 0x70, 0x71, 0xf4, 0xf7, 0x3f8, 0x3fb, 0x3ff};
    int64_t weak = MUST(exo_cap_copy(SELF, 0, MACHINE, EXO_RIGHT_IRQ | EXO_RIGHT_POWER | EXO_RIGHT_CONSOLE, 0));
    int64_t range;

    for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        EXPECT(port_io(taken[i], WRITE(1), 0), -EXO_E_RANGE);
        EXPECT(port_io(taken[i], READ(1), 0), -EXO_E_RANGE);
    }
    EXPECT(port_io(0x1f, WRITE(2), 0), -EXO_E_RANGE); /* reaches into one */
    EXPECT(port_io(0xf1, WRITE(4), 0), -EXO_E_RANGE);
    EXPECT(port_io(0x3f5, READ(4), 0), -EXO_E_RANGE);
    EXPECT(port_io(0xffff, READ(2), 0), -EXO_E_RANGE);
    EXPECT(port_io(0x10000, READ(1), 0), -EXO_E_RANGE);
    EXPECT(port_io(0x10000 + NOBODY, READ(1), 0), -EXO_E_RANGE);
    EXPECT(port_io(UINT64_MAX, READ(1), 0), -EXO_E_RANGE);
    EXPECT(port_io(UINT64_MAX, WRITE(4), 0), -EXO_E_RANGE);
    EXPECT(port_io(NOBODY, READ(0), 0), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, READ(3), 0), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, READ(8), 0), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, READ(1) | 0x20, 0), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, READ(1) | 1ul << 63, 0), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, WRITE(1), 0x100), -EXO_E_INVAL);
    EXPECT(port_io(NOBODY, WRITE(4), 1ul << 32), -EXO_E_INVAL);
    EXPECT(exo_port_io(SELF, NOBODY, READ(1), 0), -EXO_E_TYPE);
    EXPECT(exo_port_io(60000, NOBODY, READ(1), 0), -EXO_E_BADSLOT);
    EXPECT(exo_port_io(MACHINE, NOBODY, READ(1), 0), -EXO_E_TYPE);
    EXPECT(exo_ports_create((uint64_t)weak, NOBODY, 1), -EXO_E_RIGHTS);
    EXPECT(exo_ports_create(MACHINE, NOBODY, 0), -EXO_E_INVAL);
    EXPECT(exo_ports_create(MACHINE, 0, 0x10000), -EXO_E_RANGE);
    EXPECT(exo_ports_create(MACHINE, NOBODY, UINT64_MAX), -EXO_E_RANGE);
    EXPECT(exo_ports_create(MACHINE, UINT64_MAX, 2), -EXO_E_RANGE);
    range = MUST(exo_ports_create(MACHINE, NOBODY, 4));
    EXPECT(exo_port_io((uint64_t)range, NOBODY + 3, READ(1), 0), 0xff);
    EXPECT(exo_port_io((uint64_t)range, NOBODY + 2, READ(2), 0), 0xffff);
    EXPECT(exo_port_io((uint64_t)range, NOBODY + 3, READ(2), 0), -EXO_E_RANGE);
    EXPECT(exo_port_io((uint64_t)range, NOBODY + 4, READ(1), 0), -EXO_E_RANGE);
    EXPECT(exo_port_io((uint64_t)range, NOBODY - 1, READ(2), 0), -EXO_E_RANGE);
    EXPECT(exo_port_io((uint64_t)range, NOBODY - 1, READ(1), 0), -EXO_E_RANGE);
    EXPECT(exo_cap_delete((uint64_t)range), 0);
    EXPECT(exo_cap_delete((uint64_t)weak), 0);
}

CASE(port_strings, "I/O ports: many reads or writes in one call")
{
    uint8_t bytes[EXO_PORT_STRING + 1];

    memset(bytes, 7, sizeof(bytes));
    EXPECT(port_string(NOBODY, WRITE(1), bytes, 3), 3);
    CHECK(bytes[0] == 7);
    EXPECT(port_string(NOBODY, READ(1), bytes, 3), 3);
    CHECK(bytes[0] == 0xff && bytes[2] == 0xff && bytes[3] == 7);
    EXPECT(port_string(NOBODY, READ(2), bytes, 2), 2);
    CHECK(bytes[3] == 0xff && bytes[4] == 7);
    EXPECT(port_string(NOBODY, READ(4), bytes, 2), 2);
    CHECK(bytes[7] == 0xff && bytes[8] == 7);
    EXPECT(port_string(NOBODY, READ(4), bytes, UINT64_MAX), EXO_PORT_STRING / 4);
    CHECK(bytes[EXO_PORT_STRING - 1] == 0xff && bytes[EXO_PORT_STRING] == 7);
    EXPECT(port_string(NOBODY, READ(1), bytes, 0), 0);
    EXPECT(port_string(NOBODY, READ(3), bytes, 1), -EXO_E_INVAL);
    EXPECT(port_string(0x3f8, READ(1), bytes, 1), -EXO_E_RANGE);
    EXPECT(port_string(0xf1, WRITE(4), bytes, 0), -EXO_E_RANGE);
    EXPECT(port_string(NOBODY, READ(1), (void *)0x10, 1), -EXO_E_FAULT);
    EXPECT(port_string(NOBODY, WRITE(1), (void *)0xffffffff80100000ul, 1), -EXO_E_FAULT);
    EXPECT(port_string(NOBODY, WRITE(1), (void *)(EXO_USER_TOP - 1), 8), -EXO_E_FAULT);
    EXPECT(port_string(NOBODY, READ(1), (void *)bare_info(), 1), -EXO_E_FAULT); /* read-only */
    EXPECT(exo_port_string(CTX, NOBODY, READ(1), bytes, 1), -EXO_E_TYPE);
    EXPECT(exo_alloc_all(SELF, AREA(0), 1, RW, NULL), 0);
    EXPECT(port_string(NOBODY, READ(1), (void *)(AREA(0) + PAGE - 4), 8), -EXO_E_FAULT);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
}

static int64_t device_status(uint64_t physical, uint64_t pages)
{
    int64_t frame = exo_frame_device(MACHINE, physical, pages);

    if (frame < 0)
        return frame;
    return exo_cap_delete((uint64_t)frame);
}

CASE(device_memory, "device memory: holes in the address space, also below the end of RAM")
{
    int64_t frame = MUST(exo_frame_device(MACHINE, 0xfeb00000, 1));

    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, 1, RW | EXO_PROT_UNCACHED), 0);
    (void)*(volatile uint32_t *)AREA(0);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(device_status(0xb8000, 1), 0);          /* video memory */
    EXPECT(device_status(0x8000000000ul, 4), 0);   /* far above RAM */
}

CASE(device_memory_misuse, "device memory: never RAM, the kernel's pages or the kernel's devices")
{
    uint64_t words[1];
    int64_t frame = MUST(exo_frame_alloc(ZONE, 1));

    EXPECT(device_status(0, 1), -EXO_E_RANGE);
    EXPECT(device_status(0x9f000, 1), -EXO_E_RANGE);
    EXPECT(device_status(0x9f000, 2), -EXO_E_RANGE);
    for (uint64_t page = 0; page < 64; page++)
        EXPECT(device_status(0x100000 + page * PAGE, 1), -EXO_E_RANGE); /* the kernel's image and its tables behind it */
    EXPECT(device_status((uint64_t)exo_frame_address((uint64_t)frame), 1), -EXO_E_RANGE);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_mem_query(SELF, bare_start->image_va, 1, words), 1);
    EXPECT(device_status(words[0] & 0xffffffffff000ul, 1), -EXO_E_RANGE);
    EXPECT(exo_mem_query(SELF, (uint64_t)bare_info(), 1, words), 1);
    EXPECT(device_status(words[0] & 0xffffffffff000ul, 1), -EXO_E_RANGE);
    EXPECT(device_status(0xfee00000, 1), -EXO_E_RANGE); /* local APIC */
    EXPECT(device_status(0xfec00000, 1), -EXO_E_RANGE); /* I/O APIC */
    EXPECT(device_status(0xfebff000, 2), -EXO_E_RANGE);
    EXPECT(device_status(0xfeb00008, 1), -EXO_E_ALIGN);
    EXPECT(device_status(0xfeb00000, 0), -EXO_E_INVAL);
    EXPECT(device_status(0xfeb00000, 1025), -EXO_E_INVAL);
    EXPECT(device_status(UINT64_MAX - PAGE + 1, 1), -EXO_E_RANGE);
    EXPECT(device_status(1ul << 52, 1), -EXO_E_RANGE);
    EXPECT(exo_frame_device(SELF, 0xfeb00000, 1), -EXO_E_TYPE);
}
