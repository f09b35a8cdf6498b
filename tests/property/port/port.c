/* The host port: the contract of kernel/include/port.h, without a processor. */
#include "host.h"

#include "fast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RESERVED (1ul << 28) /* address space behind the arena and the frame table that faults */

char *host_arena;
uint64_t host_cycles = 1000;
uint64_t host_timer_ns = UINT64_MAX;
void (*host_idle)(void);
void (*host_power_off)(unsigned code);
void (*host_message)(const struct context *context);
bool host_line_masked[HOST_LINES];
uint64_t host_fast;

static void (*run)(void);
static struct env *loaded; /* the current context's, like a page-table root in a register */
static uint32_t ports[HOST_PORTS];

/* ---- start and end ---- */

static char *reserve(uint64_t start, uint64_t end)
{
    char *place = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (place == MAP_FAILED || mprotect(place + start, end - start, PROT_READ | PROT_WRITE) != 0)
        abort();
    return place;
}

void arch_init_cpu(void)
{
}

void arch_init_memory(const struct boot *boot)
{
    uint64_t end = HOST_RAM_END / PAGE;

    frame_init((struct frame *)(void *)reserve(0, (end * sizeof(struct frame) + PAGE - 1) & ~(PAGE - 1ul)), end);
    frame_keep_range(HOST_RAM_START / PAGE, HOST_KERNEL_END / PAGE);
    frames_kernel = (HOST_KERNEL_END - HOST_RAM_START) / PAGE;
    frame_add_range(HOST_KERNEL_END / PAGE, boot->image.start / PAGE);
    frame_adopt_range(boot->image.start / PAGE, boot->image.end / PAGE);
}

void arch_init_devices(void)
{
    info->tsc_hz = 1000000000;
}

void arch_power_off(unsigned code)
{
    if (host_power_off)
        host_power_off(code);
    abort();
}

void arch_run(void)
{
    run();
    abort();
}

void arch_console_put(char character)
{
    if (getenv("HOST_CONSOLE"))
        putc(character, stderr);
}

void arch_backtrace(void)
{
    fflush(stdout);
    abort(); /* a debugger or the sanitiser shows more */
}

struct program_segment {
    uint32_t type, flags;
    uint64_t offset, va, physical, file_bytes, memory_bytes, align;
};

/* A program of one page that is read and executed, and two that are zeros. */
struct program {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segments, section_bytes, sections, names;
    struct program_segment segment[2];
};

void host_boot(void (*with)(void))
{
    struct boot boot = {.image = {HOST_RAM_END - 2 * PAGE, HOST_RAM_END}, .command_line = "host"};
    struct program program = {
        .ident = "\177ELF\2\1\1", .type = 2, .machine = 62, .version = 1, .entry = HOST_ENTRY, .segments_offset = 64, .header_bytes = 64,
        .segment_bytes = 56, .segments = 2,
        .segment = {{.type = 1, .flags = 5, .va = HOST_ENTRY, .file_bytes = PAGE, .memory_bytes = PAGE, .align = PAGE},
                    {.type = 1, .flags = 6, .va = HOST_ENTRY + PAGE, .memory_bytes = PAGE + 100, .align = PAGE}},
    };
    struct exo_boot_header header = {.magic = EXO_BOOT_MAGIC, .version = 1, .header_bytes = PAGE, .rs_offset = PAGE, .rs_bytes = PAGE};

    run = with;
    host_arena = reserve(HOST_RAM_START, HOST_RAM_END);
    memcpy(direct(boot.image.start), &header, sizeof(header));
    memcpy(direct(boot.image.start + PAGE), &program, sizeof(program));
    kernel_main(&boot);
    abort();
}

/* The fast paths, with registers in memory as everywhere here: first those of turns, sleep and wake. */
static bool fast_turn(struct context *context, uint64_t number, const uint64_t arguments[6])
{
    struct context *next;
    int64_t woken;

    switch (number + EXO_CALL_BASE) {
    case EXO_CALL_YIELD: next = fast_yield(context); break;
    case EXO_CALL_YIELD_TO: next = fast_yield_to(context, arguments[0]); break;
    case EXO_CALL_WAIT_WORD: next = fast_wait_word(context, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]); break;
    case EXO_CALL_WAKE:
        woken = fast_wake(context, arguments[0], arguments[1]);
        if (woken < 0)
            return false;
        arch_result(context, woken);
        host_fast++;
        return true;
    default: return false;
    }
    if (!next)
        return false;
    arch_switch_to(next);
    host_fast++;
    return true;
}

static bool fast(struct context *context, uint64_t number, uint64_t handle, uint64_t word4)
{
    bool with_capability = number + EXO_CALL_BASE == EXO_CALL_EP_CALL_CAP;
    struct context *next = NULL;
    uint64_t badge = 0;

    if (number + EXO_CALL_BASE == EXO_CALL_EP_CALL)
        next = fast_call(context, handle, NULL, &badge);
    else if (with_capability)
        next = fast_call(context, handle, &word4, &badge);
    else if (number + EXO_CALL_BASE == EXO_CALL_EP_REPLY_RECV)
        next = fast_reply_recv(context, handle);
    if (!next)
        return false;
    arch_message_copy(next, context);
    arch_message_badge(next, badge);
    arch_result(next, with_capability ? EXO_MESSAGE_CAP : 0);
    arch_message_set_word(next, 4, word4);
    arch_switch_to(next);
    host_fast++;
    return true;
}

int64_t host_call(struct context *context, uint64_t number, const uint64_t arguments[6])
{
    struct exo_regs *regs = &context->arch.regs;
    int64_t result;

    regs->rdi = arguments[0];
    regs->rsi = arguments[1];
    regs->rdx = arguments[2];
    regs->r10 = arguments[3];
    regs->r8 = arguments[4];
    regs->r9 = arguments[5];
    regs->rax = 0;
    if (fast_turn(context, number, arguments))
        return (int64_t)regs->rax;
    if (fast(context, number, arguments[0], arguments[5]))
        return 0;
    result = call_dispatch(context, number);
    if (result != 0)
        arch_result(context, result);
    return (int64_t)regs->rax; /* a message that was there already has set its own */
}

/* ---- time ---- */

uint64_t arch_now_ns(void)
{
    return host_cycles;
}

uint64_t arch_cycles_to_ns(uint64_t cycles)
{
    return cycles;
}

void arch_timer_set(uint64_t deadline_ns)
{
    host_timer_ns = deadline_ns;
}

void arch_idle(void)
{
    host_idle();
}

void arch_let_interrupts(void)
{
}

/* ---- contexts ---- */

bool arch_user_address(uint64_t address)
{
    return address < EXO_USER_TOP;
}

bool arch_state_valid(const struct exo_ctx_state *state)
{
    return arch_user_address(state->regs.rip) && arch_user_address(state->tls) && arch_user_address(state->syscall_entry) &&
           arch_user_address(state->upcall_entry);
}

void arch_first_state(struct exo_ctx_state *state, uint64_t entry, uint64_t argument, uint64_t stack)
{
    state->regs.rip = entry;
    state->regs.rdi = argument;
    state->regs.rsp = stack;
}

void arch_context_write(struct context *context, const struct exo_ctx_state *state)
{
    context->arch.regs = state->regs;
    context->arch.tls = state->tls;
    context->arch.syscall_entry = state->syscall_entry;
    context->arch.upcall_entry = state->upcall_entry;
}

void arch_context_init(struct context *context, const struct exo_ctx_state *state, uint64_t upage_va)
{
    context->arch.upage_va = upage_va;
    arch_context_write(context, state);
}

void arch_context_read(const struct context *context, struct exo_ctx_state *state)
{
    *state = (struct exo_ctx_state){context->arch.regs, context->arch.tls, context->arch.syscall_entry, context->arch.upcall_entry};
}

void arch_context_free(struct context *context)
{
    (void)context;
}

bool arch_context_inherit(struct context *from, struct context *to)
{
    (void)from, (void)to;
    return true;
}

void arch_switch_from(struct context *context)
{
    (void)context;
}

void arch_switch_to(struct context *context)
{
    loaded = context->env;
}

bool space_loaded(const struct env *env)
{
    return loaded == env;
}

void arch_set_tls(struct context *context, uint64_t base)
{
    context->arch.tls = base;
}

void arch_upcall_enter(struct context *context, uint64_t frame_va, uint64_t cause)
{
    context->arch.regs.rip = context->arch.upcall_entry;
    context->arch.regs.rdi = frame_va;
    context->arch.regs.rsi = cause;
}

uint64_t arch_program_counter(const struct context *context)
{
    return context->arch.regs.rip;
}

/* Vectors and error codes are the test's: 14 is a write to a present page. */
bool arch_fault_is_write(uint64_t vector, uint64_t error)
{
    return vector == 14 && error == 7;
}

/* ---- registers of calls and messages: the badge, then five words, where a call has its six arguments ---- */

static uint64_t *argument(struct context *context, unsigned index)
{
    struct exo_regs *regs = &context->arch.regs;
    uint64_t *const places[6] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9};

    return places[index];
}

void arch_result(struct context *context, int64_t result)
{
    context->arch.regs.rax = (uint64_t)result;
}

uint64_t arch_argument(const struct context *context, unsigned index)
{
    return *argument((struct context *)(uintptr_t)context, index);
}

void arch_message_copy(struct context *to, const struct context *from)
{
    for (unsigned i = 1; i < 6; i++)
        *argument(to, i) = arch_argument(from, i);
}

void arch_message_set(struct context *context, uint64_t badge, const uint64_t words[5])
{
    if (host_message)
        host_message(context);
    *argument(context, 0) = badge;
    for (unsigned i = 0; i < 5; i++)
        *argument(context, i + 1) = words[i];
}

void arch_message_badge(struct context *context, uint64_t badge)
{
    *argument(context, 0) = badge;
}

uint64_t arch_message_word(const struct context *context, unsigned index)
{
    return arch_argument(context, index + 1);
}

void arch_message_set_word(struct context *context, unsigned index, uint64_t value)
{
    *argument(context, index + 1) = value;
}

/* ---- devices and interrupts ---- */

void arch_trace_changed(unsigned cpu)
{
    (void)cpu;
}

bool arch_port_valid(uint64_t port, unsigned width)
{
    return port < HOST_PORTS_TAKEN && port + width <= HOST_PORTS_TAKEN;
}

uint32_t arch_port_read(uint64_t port, unsigned width)
{
    return ports[port] & (uint32_t)((1ul << 8 * width) - 1);
}

void arch_port_write(uint64_t port, unsigned width, uint32_t value)
{
    (void)width;
    ports[port] = value;
}

bool arch_device_taken(uint64_t physical)
{
    return physical == HOST_DEVICE_TAKEN;
}

bool arch_irq_valid(unsigned line)
{
    return line < HOST_LINES;
}

void arch_irq_bind(unsigned line)
{
    host_line_masked[line] = false;
}

void arch_irq_mask(unsigned line)
{
    host_line_masked[line] = true;
}

void arch_irq_unmask(unsigned line)
{
    host_line_masked[line] = false;
}

void arch_irq_release(unsigned line)
{
    host_line_masked[line] = true;
}

/* One CPU: nobody else has translations, or anything to be asked for. */
void arch_flush_stale(void)
{
}

uint64_t arch_stack_used(unsigned cpu)
{
    (void)cpu;
    return 0; /* it runs on this program's */
}

uint64_t arch_redirects(unsigned cpu)
{
    (void)cpu;
    return 0; /* they are made by the entry code */
}

void arch_kick(unsigned cpu)
{
    (void)cpu;
    abort();
}

void arch_park(unsigned cpu, struct context *context)
{
    (void)cpu;
    (void)context;
    abort();
}

void arch_start_cpus(const struct boot *boot)
{
    (void)boot;
}

void arch_unload(void)
{
}
