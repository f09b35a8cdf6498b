/*
 * The derivation forest: who derived which capability from which. Each node stands for a capability; one whose capability is gone stays only while
 * it has two or more children, so it can be reached from above. Linking and leaving take a bounded number of steps.
 */
#include "node.h"

unsigned node_revocations;

static void unlink(struct cap_node *node)
{
    if (node->next)
        node->next->previous = node->previous;
    if (node->previous)
        node->previous->next = node->next;
    else if (node->parent)
        node->parent->children = node->next;
}

void node_free(struct cap_node *node)
{
    struct zone *zone = zones[node->zone];

    unlink(node);
    zone_small_free(zone, node, sizeof(*node));
    object_drop(&zone->object);
}

static void end_revocation(struct cap_node *node)
{
    if (node->revoking)
        node_revocations--;
    node->revoking = false;
}

/* The node's only child takes its place. */
static void splice(struct cap_node *node)
{
    struct cap_node *child = node->children, *parent = node->parent;

    unlink(node);
    node->next = node->previous = node->parent = NULL;
    node_link_under(child, parent);
    if (!child->children)
        child->depth = parent ? (uint8_t)(parent->depth + 1) : 0;
    node->children = NULL;
    node_free(node);
}

void node_leave(struct cap_node *node)
{
    struct cap_node *parent = node->parent;

    end_revocation(node);
    node->env = NULL;
    if (node->children && node->children->next)
        return;
    if (node->children) {
        splice(node);
        return;
    }
    node_free(node);
    if (parent && !parent->env && !parent->children->next)
        splice(parent);
}

bool node_is_revoked(const struct cap_node *node)
{
    for (; node; node = node->parent)
        if (node->revoking)
            return true;
    return false;
}

/* Work of one entry: capabilities taken back, by their cost, frames looked at, and pages unmapped. */
#define REVOKE_WORK 4096u
#define TAKE_COST 16u

/* What the object's pages are mapped to is to go, too, before the revocation is done. */
static void recall(struct object *object, struct cap_node *root, unsigned *most)
{
    uint16_t batch = object->type == EXO_TYPE_FRAME ? recall_add((struct block *)object, most) : 0;

    if (batch != 0 && (root->recall == 0 || (int16_t)(batch - root->recall) > 0))
        root->recall = batch;
}

static void take_back(struct env *env, struct capability *slot, struct cap_node *root, unsigned *most)
{
    work_spend(most, TAKE_COST);
    recall(slot->object, root, most);
    ledger_taken(env, EXO_DEMAND_CAPABILITY, slot->object->type, cap_handle(slot));
    cap_clear(env, slot);
}

/*
 * Takes back descendants, those without descendants first; true when none is left. Each search starts at the root, for what goes with a capability's
 * object (an environment and its own capabilities) may be any other node.
 */
static bool revoke_some(struct cap_node *root, unsigned *most)
{
    while (*most > 0 && root->children) {
        struct cap_node *node = root->children;

        while (node->children)
            node = node->children;
        take_back(node->env, cap_slot(node->env, node->index), root, most);
    }
    return !root->children;
}

/* True when what the objects' pages were mapped to is gone. */
static bool recall_all(const struct cap_node *root, unsigned *most)
{
    while (!recall_done(root->recall)) {
        if (*most == 0)
            return false;
        recall_some(most);
    }
    return true;
}

int64_t k_cap_revoke(struct context *caller, uint64_t handle)
{
    struct capability *slot;
    int64_t status = cap_resolve(caller->env, handle, CAP_ANY, 0, &slot);
    unsigned most = REVOKE_WORK;
    struct cap_node *node;
    bool done;

    if (status < 0)
        return status;
    node = slot->node;
    if (!node->revoking) {
        node->revoking = true;
        node->recall = 0;
        node_revocations++;
        recall(slot->object, node, &most);
    }
    done = revoke_some(node, &most) && recall_all(node, &most);
    work_done(REVOKE_WORK - most);
    if (!done)
        return -EXO_E_AGAIN;
    end_revocation(node);
    return 0;
}
