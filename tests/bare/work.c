#include "work.h"

#define INFO_VA ((uint64_t)bare_info())

void work_begin(void)
{
    EXPECT(exo_alloc_all(SELF, SHARED_VA, 1, RW, NULL), 0);
}

void work_end(void)
{
    EXPECT(exo_unmap_all(SELF, SHARED_VA, 1), 0);
}

void sleep_ns(uint64_t ns)
{
    EXPECT(exo_wait(NULL, 0, bare_now() + ns), -EXO_E_TIMEOUT);
}

struct child work_child(uint64_t zone, void (*function)(uint64_t), uint64_t argument)
{
    struct child child = child_make(zone, function, argument, (uint64_t)syscall_stub, (uint64_t)upcall_stub);

    EXPECT(exo_share_all(child.env, SHARED_VA, SHARED_VA, 1, EXO_SHARE_SAME | RW), 0);
    EXPECT(exo_share_all(child.env, INFO_VA, INFO_VA, 1, EXO_SHARE_SAME | EXO_PROT_READ), 0);
    return child;
}

void work_give(const struct child *child, uint64_t index, uint64_t handle, uint64_t rights)
{
    EXPECT(exo_cap_copy(child->env, index, handle, rights, 0), (int64_t)index);
}

void work_kill(struct child *child)
{
    (void)!exo_env_destroy(child->env, 0);
    EXPECT((int64_t)(child_end(child) & 0xff), EXO_REASON_DESTROYED);
}

uint64_t work_zone(uint64_t frames, uint64_t weight)
{
    const struct exo_zone_limits limits = {frames, EXO_QUOTA_NONE, EXO_QUOTA_NONE, weight};
    struct exo_zone_status above = {0};

    EXPECT(exo_zone_status(ZONE, &above), 0);
    return (uint64_t)MUST(exo_zone_make(ZONE, above.label, &limits));
}

void work_spin(uint64_t index)
{
    for (;;)
        ++*counter((unsigned)index);
}

void work_call(uint64_t index)
{
    struct exo_message message;

    for (;;) {
        message = (struct exo_message){.word = {20000}};
        if (exo_ep_call(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        ++*counter((unsigned)index);
    }
}

void work_serve(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    for (;;) {
        if (exo_ep_reply_recv(CHILD_ENDPOINT, &message) < 0)
            child_exit(1);
        for (volatile unsigned i = 0; i < message.word[0]; i++)
            ;
    }
}

struct child work_spinner(uint64_t zone, unsigned index, uint64_t slice)
{
    struct child child = work_child(zone, work_spin, index);

    if (slice)
        EXPECT(exo_slice_bind(slice, child.context), 0);
    child_start(&child);
    return child;
}

uint64_t work_used(const struct child *child)
{
    struct exo_env_info info = {0};

    EXPECT(exo_env_info(child->env, &info), 0);
    return info.cpu_ns;
}

bool work_moves(unsigned index)
{
    uint64_t before = *counter(index), give_up = bare_now() + 10000000000ul;

    while (*counter(index) == before && bare_now() < give_up)
        sleep_ns(1000000);
    return *counter(index) != before;
}
