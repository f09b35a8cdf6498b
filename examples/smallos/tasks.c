/* Tasks that take turns, what the program can ask, and what the kernel tells. */
#include "smallos.h"

#define TASKS 8u
#define STACK_BYTES (4 * PAGE)

static struct task {
    uint64_t stack; /* pointer into it, while the task does not run */
    void (*function)(void);
} tasks[TASKS];
static unsigned running, alive;
static uint64_t console_endpoint;
static char *console_page;

static void begin(void)
{
    tasks[running].function();
    small_end();
}

int64_t small_spawn(void (*function)(void))
{
    for (unsigned i = 0; i < TASKS; i++) {
        char *stack;

        if (tasks[i].function)
            continue;
        stack = small_alloc(STACK_BYTES);
        if (!stack)
            return -EXO_E_NOMEM;
        tasks[i].function = function;
        tasks[i].stack = (uint64_t)(stack + STACK_BYTES - 8 * 8); /* six registers and `begin`, as small_switch leaves them */
        ((uint64_t *)tasks[i].stack)[6] = (uint64_t)begin;
        alive++;
        return i;
    }
    return -EXO_E_LIMIT;
}

void small_yield(void)
{
    unsigned from = running;

    do
        running = (running + 1) % TASKS;
    while (!tasks[running].function);
    if (running != from)
        small_switch(&tasks[from].stack, tasks[running].stack);
}

/* The console is a page and an endpoint of the POSIX side's. */
static void write_text(const char *text, uint64_t bytes, bool last)
{
    struct exo_message message = {.word = {bytes < PAGE ? bytes : PAGE, last}};

    __builtin_memcpy(console_page, text, message.word[0]);
    (void)!exo_ep_call(console_endpoint, &message);
}

/* The environment's end is the process's: proc hears of it as of any. */
static void leave(const char *text, uint64_t bytes)
{
    write_text(text, bytes, true);
    (void)!exo_env_destroy(PX_SLOT_SELF, 0);
}

void small_end(void)
{
    tasks[running].function = NULL;
    if (--alive == 0)
        leave("", 0);
    small_yield();
    __builtin_unreachable();
}

int64_t small_serve(uint64_t a, uint64_t b, uint64_t number)
{
    switch (number) {
    case SMALL_WRITE:
        write_text((const char *)a, b, false);
        return 0;
    case SMALL_MORE:
        return (int64_t)small_more(a, b);
    case SMALL_RULE:
        small_set_rule((small_rule)a);
        return 0;
    case SMALL_FAULTS:
        return (int64_t)small_faults();
    case SMALL_SPAWN:
        return small_spawn((void (*)(void))a);
    case SMALL_YIELD:
        small_yield();
        return 0;
    case SMALL_END:
        small_end();
    }
    return -EXO_E_BADCALL;
}

/* `masked` is never cleared here, so only faults come: signals of POSIX wait in `pending`, where nobody looks. */
void small_upcall(struct exo_upcall *frame, uint64_t cause)
{
    struct exo_upage *page = (struct exo_upage *)PX_UPAGE;

    if (cause != 14 || !small_fault(frame->address))
        leave("smallos: a fault that nobody can resolve\n", 41);
    page->depth--;
}

/* From here on POSIX's library OS is not asked any more: these are the entries. */
void small_start(void (*function)(void), uint64_t endpoint, char *console)
{
    struct exo_upage *page = (struct exo_upage *)PX_UPAGE;
    uint64_t nobody;

    console_endpoint = endpoint;
    console_page = console;
    page->masked = 1;
    if (exo_set_entries((uint64_t)small_syscall_entry, (uint64_t)small_upcall_entry) < 0 || small_spawn(function) < 0)
        __builtin_trap();
    small_switch(&nobody, tasks[0].stack);
    __builtin_unreachable();
}
