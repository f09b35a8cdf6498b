#include "bare.h"

#define IMAGE 0x400000ul
#define IMAGE_PAGES 256ul
#define CHILD_STACK 0x200000000000ul
#define CHILD_STACK_PAGES 4ul

struct child child_make(uint64_t zone, void (*function)(uint64_t), uint64_t argument, uint64_t syscall_entry, uint64_t upcall_entry)
{
    struct child child = {0};
    struct exo_ctx_state state = {0};

    child.death = (uint64_t)MUST(exo_ep_create());
    child.env = (uint64_t)MUST(exo_env_create(zone, child.death, 77));
    EXPECT(exo_share_all(child.env, IMAGE, IMAGE, IMAGE_PAGES, EXO_SHARE_COW | 7), 0);
    EXPECT(exo_alloc_all(child.env, CHILD_STACK, CHILD_STACK_PAGES, EXO_PROT_READ | EXO_PROT_WRITE, NULL), 0);
    state.regs.rip = (uint64_t)function;
    state.regs.rdi = argument;
    state.regs.rsp = CHILD_STACK + CHILD_STACK_PAGES * EXO_PAGE_BYTES - 8;
    state.syscall_entry = syscall_entry;
    state.upcall_entry = upcall_entry;
    child.context = (uint64_t)MUST(exo_ctx_create(child.env, CHILD_UPAGE, &state));
    EXPECT(exo_cap_copy(child.env, SELF, child.env, EXO_RIGHTS_ALL, 0), SELF);
    return child;
}

struct child child_new_with(void (*function)(uint64_t), uint64_t argument, uint64_t syscall_entry, uint64_t upcall_entry)
{
    return child_make(ZONE, function, argument, syscall_entry, upcall_entry);
}

struct child child_new_in(uint64_t zone, void (*function)(uint64_t), uint64_t argument)
{
    return child_make(zone, function, argument, 0, 0);
}

struct child child_new(void (*function)(uint64_t), uint64_t argument)
{
    return child_new_with(function, argument, 0, 0);
}

void child_start(const struct child *child)
{
    EXPECT(exo_ctx_start(child->context), 0);
}

struct child child_asleep(void (*function)(uint64_t), uint64_t argument, uint64_t page, volatile uint32_t *said)
{
    struct child child = child_new(function, argument);
    uint32_t before = *said;

    EXPECT(exo_share_all(child.env, page, page, 1, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE), 0);
    child_start(&child);
    while (*said == before)
        bare_settle();
    bare_settle();
    return child;
}

static uint64_t wait_for_end(const struct child *child, uint64_t *address)
{
    struct exo_message message = {0};
    int64_t status;

    EXPECT(exo_ep_recv(child->death, &message, bare_now() + 10000000000ul), 0);
    CHECK(message.badge == EXO_BADGE_KERNEL && message.word[0] == EXO_NOTE_DEATH && message.word[1] == 77);
    do
        status = exo_env_destroy(child->env, 0);
    while (status == -EXO_E_AGAIN);
    CHECK(status == 0 || status == -EXO_E_BADSLOT); /* the case may have destroyed it itself */
    (void)!exo_cap_delete(child->context);
    EXPECT(exo_cap_delete(child->env), 0);
    EXPECT(exo_cap_delete(child->death), 0);
    *address = message.word[3];
    return message.word[2];
}

uint64_t child_end(const struct child *child)
{
    uint64_t address;

    return wait_for_end(child, &address);
}

#define RESULT_BASE 0x10000000ul

void child_exit(uint64_t result)
{
    (void)!exo_set_entries(0, 0); /* nobody shall resolve this fault */
    *(volatile char *)(RESULT_BASE + result) = 0;
    __builtin_unreachable();
}

uint64_t child_result(const struct child *child)
{
    uint64_t address;

    EXPECT((int64_t)wait_for_end(child, &address), EXO_REASON_FAULT | 14 << 8);
    return address - RESULT_BASE;
}
