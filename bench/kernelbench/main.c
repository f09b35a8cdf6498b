/*
 * What single kernel calls cost: a program that is the first environment, with nothing above the kernel. Prints a line a case, as exobench does:
 * name, ticks of the time stamp counter per operation (T(3N) - T(N)) / 2N three times over, and N. Under QEMU's -icount shift=0 a tick is an instruction.
 */
#include <exo/calls.h>
#include <exo/format.h>
#include <exo/trap.h>

#define PAGE EXO_PAGE_BYTES
#define RW (EXO_PROT_READ | EXO_PROT_WRITE)
#define PLACE 0x140000000000ul
#define N 100u

enum { SELF = 1, CTX = 2, ZONE = 3, MACHINE = 4 };

void exo_main(const struct exo_startup *start);

static uint64_t frame;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[200];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (exo_console_write(MACHINE, line, (uint64_t)length) < 0)
        __builtin_trap();
}

static void must(int64_t result)
{
    if (result >= 0)
        return;
    say("kernelbench: a call failed with %ld\n", result);
    (void)!exo_power_off(MACHINE, 0x20);
}

/* Each returns the ticks of `count` operations; what they need is made before, and taken back after. */
#define TICKS(count, statement)                                                                                        \
    ({                                                                                                                 \
        uint64_t from = exo_arch_cycles();                                                                             \
        for (uint64_t i = 0; i < (count); i++)                                                                         \
            statement;                                                                                                 \
        exo_arch_cycles() - from;                                                                                      \
    })

static uint64_t null_call(uint64_t count)
{
    return TICKS(count, (void)!exo_null());
}

static uint64_t map_one(uint64_t count)
{
    uint64_t ticks;

    must(exo_mem_map(SELF, PLACE + 511 * PAGE, frame, 0, 1, RW)); /* the table is there */
    ticks = TICKS(count, (void)!exo_mem_map(SELF, PLACE + i * PAGE, frame, 0, 1, RW));
    must(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static uint64_t unmap_one(uint64_t count)
{
    for (uint64_t i = 0; i < 512; i++)
        must(exo_mem_map(SELF, PLACE + i * PAGE, frame, 0, 1, RW));
    uint64_t ticks = TICKS(count, (void)!exo_mem_unmap(SELF, PLACE + i * PAGE, 1));
    must(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static uint64_t protect_one(uint64_t count)
{
    uint64_t ticks;

    must(exo_mem_map(SELF, PLACE, frame, 0, 1, RW));
    ticks = TICKS(count, (void)!exo_mem_protect(SELF, PLACE, 1, i % 2 ? RW : EXO_PROT_READ));
    must(exo_mem_unmap(SELF, PLACE, 512));
    return ticks;
}

static uint64_t partner;

static void give_back(void)
{
    for (;;)
        (void)!exo_yield_to(CTX);
}

/* There and back: two turns given away. */
static uint64_t yield_to(uint64_t count)
{
    static uint64_t stack[512];
    const struct exo_ctx_state state = {.regs = {.rip = (uint64_t)give_back, .rsp = (uint64_t)&stack[511]}};
    int64_t handle = partner ? (int64_t)partner : exo_ctx_create(SELF, PLACE + 1024 * PAGE, &state);

    must(handle);
    partner = (uint64_t)handle;
    must(exo_ctx_start(partner));
    uint64_t ticks = TICKS(count, (void)!exo_yield_to(partner));
    must(exo_ctx_stop(partner));
    return ticks;
}

static const struct {
    const char *name;
    uint64_t (*run)(uint64_t count);
} cases[] = {{"kernel_null", null_call}, {"mem_map_1", map_one}, {"mem_unmap_1", unmap_one}, {"mem_protect_1", protect_one},
           {"slice_yield_to", yield_to}};

void exo_main(const struct exo_startup *start)
{
    int64_t handle = exo_frame_alloc(ZONE, 1);

    (void)start;
    must(handle);
    frame = (uint64_t)handle;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t once, thrice, tenths;

        (void)cases[i].run(N);
        once = cases[i].run(N);
        thrice = cases[i].run(3 * N);
        tenths = (thrice - once) * 10 / (2 * N);
        say("%s %lu.%lu %lu.%lu %lu.%lu %u\n", cases[i].name, tenths / 10, tenths % 10, tenths / 10, tenths % 10, tenths / 10, tenths % 10, N);
    }
    (void)!exo_power_off(MACHINE, EXO_POWER_OFF);
}
