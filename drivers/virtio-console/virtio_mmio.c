#include "virtio_mmio.h"

enum register_offset {
    MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, DEVICE_FEATURES = 0x010, DEVICE_FEATURES_SELECT = 0x014,
    DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SELECT = 0x024, LEGACY_PAGE_BYTES = 0x028, QUEUE_SELECT = 0x030, QUEUE_SIZE_MAX = 0x034,
    QUEUE_SIZE = 0x038, LEGACY_QUEUE_ALIGN = 0x03c, LEGACY_QUEUE_PAGE = 0x040, QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060, INTERRUPT_ACKNOWLEDGE = 0x064, STATUS = 0x070, QUEUE_DESCRIPTORS = 0x080, QUEUE_AVAIL = 0x090,
    QUEUE_USED = 0x0a0, CONFIG = 0x100,
};
#define MAGIC_VALUE 0x74726976u
enum status { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, FAILED = 128 };
#define FEATURES_HIGH_VERSION_1 1u /* bit 32 */

static uint32_t get(const struct virtio_mmio *device, unsigned offset)
{
    return device->registers.read(device->registers.context, offset);
}

static void set(const struct virtio_mmio *device, unsigned offset, uint32_t value)
{
    device->registers.write(device->registers.context, offset, value);
}

static void set_address(const struct virtio_mmio *device, unsigned offset, uint64_t address)
{
    set(device, offset, (uint32_t)address);
    set(device, offset + 4, (uint32_t)(address >> 32));
}

static void add_status(struct virtio_mmio *device, uint32_t bits)
{
    set(device, STATUS, get(device, STATUS) | bits);
}

uint32_t virtio_probe(struct virtio_mmio *device, struct virtio_registers registers)
{
    uint32_t version;

    device->registers = registers;
    if (get(device, MAGIC) != MAGIC_VALUE)
        return 0;
    version = get(device, VERSION);
    if (version != 1 && version != 2)
        return 0;
    device->legacy = version == 1;
    return get(device, DEVICE_ID);
}

bool virtio_negotiate(struct virtio_mmio *device, uint32_t wanted, uint32_t *agreed)
{
    set(device, STATUS, 0);
    add_status(device, ACKNOWLEDGE);
    add_status(device, DRIVER);
    set(device, DEVICE_FEATURES_SELECT, 0);
    *agreed = get(device, DEVICE_FEATURES) & wanted;
    set(device, DRIVER_FEATURES_SELECT, 0);
    set(device, DRIVER_FEATURES, *agreed);
    if (device->legacy) {
        set(device, LEGACY_PAGE_BYTES, VIRTQUEUE_PAGE_BYTES);
        return true;
    }
    set(device, DEVICE_FEATURES_SELECT, 1);
    if (!(get(device, DEVICE_FEATURES) & FEATURES_HIGH_VERSION_1))
        return false;
    set(device, DRIVER_FEATURES_SELECT, 1);
    set(device, DRIVER_FEATURES, FEATURES_HIGH_VERSION_1);
    add_status(device, FEATURES_OK);
    return (get(device, STATUS) & FEATURES_OK) != 0;
}

bool virtio_queue(struct virtio_mmio *device, unsigned index, struct virtqueue *queue, void *page, uint64_t physical, uint16_t most)
{
    uint32_t offered;
    uint16_t size = most < VIRTQUEUE_MAX ? most : VIRTQUEUE_MAX;

    set(device, QUEUE_SELECT, index);
    offered = get(device, QUEUE_SIZE_MAX);
    while (size > offered)
        size /= 2;
    if (size == 0)
        return false;
    virtqueue_start(queue, page, physical, size);
    set(device, QUEUE_SIZE, size);
    if (device->legacy) {
        set(device, LEGACY_QUEUE_ALIGN, VIRTQUEUE_USED);
        set(device, LEGACY_QUEUE_PAGE, (uint32_t)(physical / VIRTQUEUE_PAGE_BYTES));
        return true;
    }
    set_address(device, QUEUE_DESCRIPTORS, physical);
    set_address(device, QUEUE_AVAIL, physical + size * 16ul);
    set_address(device, QUEUE_USED, physical + VIRTQUEUE_USED);
    set(device, QUEUE_READY, 1);
    return true;
}

void virtio_go(struct virtio_mmio *device)
{
    add_status(device, DRIVER_OK);
}

void virtio_fail(struct virtio_mmio *device)
{
    add_status(device, FAILED);
}

void virtio_notify(struct virtio_mmio *device, unsigned queue)
{
    set(device, QUEUE_NOTIFY, queue);
}

uint32_t virtio_interrupt_take(struct virtio_mmio *device)
{
    uint32_t why = get(device, INTERRUPT_STATUS);

    if (why)
        set(device, INTERRUPT_ACKNOWLEDGE, why);
    return why;
}

uint32_t virtio_config(struct virtio_mmio *device, unsigned offset)
{
    return get(device, CONFIG + offset);
}
