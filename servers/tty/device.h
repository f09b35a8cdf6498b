/*
 * The device of the link: a byte stream to the host and from it. The virtio console if the machine has one, else the second serial port of a PC. One
 * object, host.c's; the drivers say what each operation does.
 */
#ifndef TTY_DEVICE_H
#define TTY_DEVICE_H
#include "attach.h"
#include "com2.h"

struct device;

struct device_operations {
    size_t send_bytes; /* size of a buffer to send */
    bool host_waits;   /* bytes that come before the driver runs are lost: the host speaks only after us */
    void (*poll)(struct device *device);
    void (*interrupt)(struct device *device);
    const uint8_t *(*peek)(struct device *device, size_t *bytes);
    void (*consume)(struct device *device, size_t bytes);
    uint8_t *(*lend)(struct device *device);
    void (*send)(struct device *device, size_t bytes);
    bool (*idle)(struct device *device);
    bool (*broken)(const struct device *device);
    /* May be left out: */
    void (*want_sent)(struct device *device, bool wanted);
    void (*notify)(struct device *device);
};

struct device {
    const struct device_operations *operations;
    union {
        struct console console;
        struct uart uart;
    };
    struct com2_place com2;
    uint64_t interrupt;
};

/* Finds and starts a device. 0, or -EXO_E_*: that of the first kind of device, if it is more than its absence. */
int64_t device_start(struct device *device, const char *command_line, struct console_place *place);

static inline void device_want_sent(struct device *device, bool wanted)
{
    if (device->operations->want_sent)
        device->operations->want_sent(device, wanted);
}

static inline void device_notify(struct device *device)
{
    if (device->operations->notify)
        device->operations->notify(device);
}

#endif
