/* Heaps by address: see heap.h. */
#include "heap.h"
#include "port.h"

/* The bits that differ most come first: those of the page. */
static uint64_t path_of(const struct heap_node *node)
{
    uint64_t address = (uint64_t)node;

    return address >> 12 | address << 52;
}

static bool before(const struct heap_node *first, const struct heap_node *second)
{
    return (int64_t)(first->key - second->key) < 0;
}

static void put(struct heap_node **place, struct heap_node *node)
{
    *place = node;
    if (node)
        node->place = place;
}

void heap_insert(struct heap_node **root, struct heap_node *node)
{
    struct heap_node **place = root;

    node->child[0] = node->child[1] = NULL;
    for (unsigned bit = 0; *place; bit++) {
        struct heap_node *there = *place;

        if (before(node, there)) { /* takes its place, and that one goes on down */
            put(place, node);
            put(&node->child[0], there->child[0]);
            put(&node->child[1], there->child[1]);
            node = there;
            node->child[0] = node->child[1] = NULL;
        }
        place = &(*place)->child[path_of(node) >> bit & 1];
    }
    put(place, node);
}

/* The earlier of two below a place moves up, and so on. */
void heap_remove(struct heap_node *node)
{
    struct heap_node **place = node->place, *left = node->child[0], *right = node->child[1];

    node->place = NULL;
    node->child[0] = node->child[1] = NULL;
    while (left || right) {
        struct heap_node *up = !right || (left && !before(right, left)) ? left : right;
        struct heap_node *up_left = up->child[0], *up_right = up->child[1];

        put(place, up);
        put(&up->child[0], up == left ? NULL : left);
        put(&up->child[1], up == right ? NULL : right);
        place = &up->child[up == right];
        left = up_left;
        right = up_right;
    }
    *place = NULL;
}

void heap_sink(struct heap_node **root, struct heap_node *node)
{
    if ((node->child[0] && before(node->child[0], node)) || (node->child[1] && before(node->child[1], node))) {
        heap_remove(node);
        heap_insert(root, node);
    }
}
