/*
 * A split virtqueue (Virtual I/O Device 1.2, section 2.7) in one page, without chains: descriptor i always stands for buffer i of its owner, so
 * nothing that the device writes chooses memory. The device is not trusted: every used entry is checked, and a queue on which it
 * broke the rules is `broken` for good and gives nothing more. Owned by one console (console.h); one context, hence no lock.
 */
#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H
#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_MAX 64u         /* entries: descriptors, rings and their padding fill the page */
#define VIRTQUEUE_AVAIL 1024u     /* room for descriptors; the driver's ring follows those that there are */
#define VIRTQUEUE_USED 2048u      /* offset of the device's ring, and the alignment that a legacy device is told */
#define VIRTQUEUE_PAGE_BYTES 4096u

struct virtqueue {
    uint8_t *page;     /* zeroed when started */
    uint64_t physical;
    uint16_t size;     /* power of two, at most VIRTQUEUE_MAX */
    uint16_t avail;    /* next index to offer at */
    uint16_t used;     /* next index to take from */
    uint16_t offered;  /* buffers that the device has */
    bool broken;
    bool unannounced;  /* buffers were offered since the last virtqueue_must_notify */
    uint32_t room[VIRTQUEUE_MAX]; /* bytes offered with the descriptor; 0: the buffer is ours */
    bool writable[VIRTQUEUE_MAX]; /* the device writes into it */
};

void virtqueue_start(struct virtqueue *queue, void *page, uint64_t physical, uint16_t size);
/* Hands buffer `id` to the device. False: it has it already, or the queue is broken. */
bool virtqueue_offer(struct virtqueue *queue, uint16_t id, uint64_t physical, uint32_t bytes, bool device_writes);
/* Takes back a buffer that the device has finished with: true, its number, and how much was written to it. */
bool virtqueue_take(struct virtqueue *queue, uint16_t *id, uint32_t *bytes);
/* Is the device to be told of new buffers? Forgets them. */
bool virtqueue_must_notify(struct virtqueue *queue);
/* Asks the device to interrupt, or not to, when it finishes a buffer. A hint: it may interrupt all the same. */
void virtqueue_interrupts(struct virtqueue *queue, bool wanted);

#endif
