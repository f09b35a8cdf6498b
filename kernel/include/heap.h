/*
 * Heaps that need no memory of their own: a node is part of what stands in the heap. Which way one goes at each level is a bit of its own
 * address, so the depth is bounded by the bits of an address, however many there are and whatever their keys; and so is what inserting or
 * removing costs. Keys are compared as distances, so they may wrap; those in one heap lie less than 2^63 apart.
 */
#ifndef HEAP_H
#define HEAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    struct heap_node *child[2]; /* NULL when it is in no heap */
    struct heap_node **place; /* what points here; NULL: is in no heap */
    uint64_t key;
};

/* `*root` has the lowest key; NULL: the heap is empty. */
void heap_insert(struct heap_node **root, struct heap_node *node);
void heap_remove(struct heap_node *node);
void heap_sink(struct heap_node **root, struct heap_node *node); /* its key has grown */

#endif
