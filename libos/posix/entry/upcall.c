/* Faults and events, from the program and from within the libOS. */
#include "px_arch.h"

/* The thread has no registers yet: a child that has not begun to run. Where it begins. */
uint64_t px_upcall_early(const struct exo_upcall *frame)
{
    uint64_t again = px_arch_starting(frame);

    px_upage()->depth--;
    if (!again)
        px_fatal(frame);
    return again;
}

void px_upcall_program(struct exo_upcall *frame, uint64_t cause)
{
    px_arch_finish_exit(frame);
    px_arch_take(frame);
    px_lock();
    px_rewrite_unwind(px_thread()->regs);
    if (cause == EXO_CAUSE_EVENT) {
        px_thread()->exit_work |= PX_WORK_SIGNALS;
    } else if (!px_arch_is_page_fault(frame) ||
               !px_memory_fault(frame->address, px_arch_fault_writes(frame), px_arch_fault_executes(frame))) {
        struct px_fault fault;

        px_arch_fault(frame, &fault);
        px_raise_fault(frame, fault.signo, fault.code, fault.address, fault.trapno);
    }
    px_upage()->depth--;
    if (px_thread()->trace) /* it may be stepping */
        px_thread()->exit_work |= PX_WORK_SIGNALS;
    if (px_thread()->exit_work)
        px_leave_again(px_thread()->regs);
    else
        px_unlock();
}

void px_raise_fault(struct exo_upcall *upcall, int signo, int code, uint64_t address, int trapno)
{
    const struct px_siginfo info = {.signo = signo, .code = code, .value = address};

    (void)trapno;
    px_arch_note_fault(upcall, upcall->address);
    px_signal_force(&info);
}

void px_upcall_libos(struct exo_upcall *frame, uint64_t cause)
{
    uint64_t address = frame->address;

    (void)cause;
    if (px_arch_guarded(frame)) {
        if (!px_arch_is_page_fault(frame) || !px_memory_fault(address, px_arch_fault_writes(frame), false))
            px_arch_guarded_fail(frame);
        return;
    }
    if (px_arch_is_page_fault(frame)) {
        if (address >= PX_PROCTAB && address < PX_META && px_table_fault(address))
            return;
        if (((address >= PX_META && address < PX_META_HI) || (address >= PX_WINDOW_LO && address < PX_WINDOW_HI)) &&
            px_memory_fault(address, px_arch_fault_writes(frame), false))
            return;
        if (address >= PX_SHARED && address < PX_SHARED_HI && px_ring_lost(address))
            return;
    }
    px_fatal(frame);
}

bool px_table_fault(uint64_t address)
{
    struct exo_message message = {.word = {PX_PROC_TABLE, (address - PX_PROCTAB) / PX_PAGE}};

    return px_call_proc(&message) == 0;
}

_Noreturn void px_fatal(const struct exo_upcall *frame)
{
    static bool again;

    if (!again) {
        again = true;
        px_log("exo: fault inside the libOS: cause %lu error 0x%lx address 0x%lx at 0x%lx\n", frame->cause, frame->error,
               frame->address, px_arch_place(frame));
        px_exit(SIGSEGV);
    }
    for (;;)
        if (exo_env_destroy(PX_SLOT_SELF, SIGSEGV) < 0)
            (void)!exo_yield();
}
