/* Nodes of the derivation forest, as cap/ sees them: what is on the way of each grant, in line. */
#ifndef NODE_H
#define NODE_H
#include "kernel.h"

static inline void node_link_under(struct cap_node *node, struct cap_node *parent)
{
    node->parent = parent;
    node->previous = NULL;
    node->next = parent ? parent->children : NULL;
    if (node->next)
        node->next->previous = node;
    if (parent)
        parent->children = node;
}

static inline void node_start(struct cap_node *node, struct zone *zone, struct cap_node *parent)
{
    zone->object.references++; /* its environment holds it */
    node->zone = zone->number;
    node->depth = parent ? (uint8_t)(parent->depth + 1) : 0;
    node->revoking = false;
    node->children = NULL;
    node_link_under(node, parent);
}

/* NULL: no memory. The caller has seen that the parent is not at the last depth. */
static inline struct cap_node *node_new(struct zone *zone, struct cap_node *parent)
{
    struct cap_node *node = zone_small_raw(zone, sizeof(*node));

    if (node)
        node_start(node, zone, parent);
    return node;
}

#endif
