/* Heaps by address (kernel/sched/heap.c) against a plain array: order, removal from the middle, keys that grow and that wrap, depth. */
/* unit-sources: kernel/sched/heap.c */
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>

#define NODES 700u

static struct heap_node *node[NODES];
static struct heap_node *root;
static unsigned failures;
static uint64_t seed = 1;

static void check(int good, const char *what)
{
    if (!good && failures++ < 10)
        printf("# %s\n", what);
}

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* How deep the heap is below; every node's place must point to it, and none may be before the one above. */
static unsigned depth(const struct heap_node *at)
{
    unsigned deepest = 0;

    for (unsigned side = 0; at && side < 2; side++) {
        const struct heap_node *child = at->child[side];
        unsigned below = depth(child);

        check(!child || (child->place == &at->child[side] && (int64_t)(child->key - at->key) >= 0), "a node below one that is later");
        deepest = below > deepest ? below : deepest;
    }
    return at ? deepest + 1 : 0;
}

/* The lowest key of those in the heap must be the root's. */
static void compare(uint64_t base)
{
    const struct heap_node *least = NULL;

    for (unsigned i = 0; i < NODES; i++)
        if (node[i]->place && (!least || node[i]->key - base < least->key - base))
            least = node[i];
    check((root == NULL) == (least == NULL), "empty, or not");
    check(!root || root->key == least->key, "the root is not the first");
}

static void play(uint64_t base, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        struct heap_node *one = node[draw() % NODES];

        if (!one->place) {
            one->key = base + draw() % 5000;
            heap_insert(&root, one);
        } else if (draw() % 2) {
            heap_remove(one);
        } else {
            one->key += draw() % 3000;
            heap_sink(&root, one);
        }
        compare(base);
        if (i % 64 == 0)
            check(depth(root) <= 65, "deeper than an address has bits");
    }
    while (root)
        heap_remove(root);
    compare(base);
}

int main(void)
{
    static const uint64_t bases[] = {0, UINT64_MAX - 3000, INT64_MAX - 2000};
    char *memory = aligned_alloc(4096, NODES * 4096);

    if (!memory)
        return 1;
    for (unsigned i = 0; i < NODES; i++) { /* some in pages of their own, some side by side */
        node[i] = (struct heap_node *)(void *)(memory + (i % 3 ? i * 4096 : i / 3 * 64));
        node[i]->place = NULL;
    }
    printf("1..3\n");
    for (unsigned i = 0; i < 3; i++) {
        unsigned before = failures;

        play(bases[i], 20000);
        printf("%s %u - a heap with keys from %lu on\n", failures == before ? "ok" : "not ok", i + 1, bases[i]);
    }
    free(memory);
    return failures != 0;
}
