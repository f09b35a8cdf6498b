/* The walk that counts references (references.c) finds each kind of reference that is one too many, one too few, or to nobody. */
#include "cases.h"
#include "node.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct object *object_named(uint64_t handle)
{
    struct capability *slot;

    REQUIRE(cap_resolve(case_self()->env, handle, CAP_ANY, 0, &slot) == 0, "no object");
    return slot->object;
}

/* After `spoil`, which breaks the kernel's books in a process of its own, the walk must end that process. */
static void must_be_found(void (*spoil)(void), const char *what)
{
    int status;
    pid_t pid;

    case_check();
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(0);
        spoil();
        case_check();
        _exit(0);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s was not found", what);
}

static uint64_t endpoint, window;
static struct case_child child;

static void keep_object(void)
{
    object_hold(object_named(endpoint));
}
static void lose_object(void)
{
    object_hold(object_named(endpoint));
    object_named(endpoint)->references -= 2;
}
static void leak_object(void) /* nobody can name it any more */
{
    object_hold(object_named(endpoint));
    (void)MUST_DO(CAP_DELETE, endpoint);
}
static void leak_context(void)
{
    object_hold(&child.context->object);
}
static void leak_client(void)
{
    object_hold(&case_self()->env->object);
}
static void leak_node(void)
{
    (void)node_new(zones[0], NULL);
}
static void keep_frame(void)
{
    frame_hold(pte_physical(*space_entry(case_self()->env, MEMORY, false)));
}
static void leak_frame(void)
{
    (void)frame_take(zones[0], 0, false);
}
static void lose_page(void)
{
    case_self()->env->mapped--;
}
static void lose_table(void)
{
    case_self()->env->tables++;
}
static void keep_zone(void)
{
    object_hold(&child.context->env->zone->object);
}
static void lose_slot(void)
{
    (void)zone_take_slots(child.context->env->zone, 1);
}
static void keep_block(void) /* of a window that is gone */
{
    object_hold(&((struct dma *)object_named(window))->block->object);
    (void)MUST_DO(CAP_DELETE, window);
}
static void move_node(void)
{
    struct capability *slot;

    (void)cap_resolve(case_self()->env, endpoint, CAP_ANY, 0, &slot);
    slot->node->index++;
}

CASE(leaks, "the walk over all references finds what is wrong with one")
{
    endpoint = MUST_DO(EP_CREATE);
    window = MUST_DO(DMA_BIND, MACHINE, MUST_DO(FRAME_ALLOC, ZONE, 2));
    child = case_child(case_zone(300, EXO_LABEL_TOP));
    must_be_found(keep_object, "a reference to an object that nobody has");
    must_be_found(lose_object, "a reference that was dropped twice");
    must_be_found(leak_object, "an object that nobody names");
    must_be_found(leak_context, "a context that is held");
    must_be_found(leak_client, "an environment that is held");
    must_be_found(leak_node, "a derivation node without a slot");
    must_be_found(keep_frame, "a frame that is held");
    must_be_found(leak_frame, "a frame that nobody has");
    must_be_found(lose_page, "a page that is not counted");
    must_be_found(lose_table, "a table too many");
    must_be_found(keep_zone, "a zone that is held");
    must_be_found(lose_slot, "a slot too many in the zone's sum");
    must_be_found(keep_block, "a block that no window has any more");
    must_be_found(move_node, "a node that names another slot");
}
