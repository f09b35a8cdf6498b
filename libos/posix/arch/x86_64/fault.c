/* Exceptions as signals: Intel's vectors, Linux's signal numbers and codes. */
#include "px_arch.h"

enum vector { DIVIDE = 0, DEBUG = 1, BREAKPOINT = 3, OVERFLOW = 4, BOUND = 5, OPCODE = 6, DEVICE = 7, SEGMENT = 11, STACK = 12,
              PROTECTION = 13, PAGE_FAULT = 14, FPU = 16, ALIGNMENT = 17, SIMD = 19 };
#define ERROR_WRITE 2u
#define ERROR_EXECUTE 16u

enum { FPE_INTDIV = 1, FPE_INTOVF, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV };
#define ILL_ILLOPN 2
#define TRAP_BRKPT 1
#define BUS_ADRALN 1

bool px_arch_is_page_fault(const struct exo_upcall *frame)
{
    return frame->cause == PAGE_FAULT;
}

bool px_arch_fault_writes(const struct exo_upcall *frame)
{
    return frame->error & ERROR_WRITE;
}

bool px_arch_fault_executes(const struct exo_upcall *frame)
{
    return frame->error & ERROR_EXECUTE;
}

/* Which of the unmasked conditions it was: status and control words of x87, or MXCSR. */
static int fpu_code(uint64_t vector)
{
    uint32_t conditions;

    if (vector == FPU) {
        uint16_t status, control;

        __asm__ volatile("fnstsw %0" : "=m"(status));
        __asm__ volatile("fnstcw %0" : "=m"(control));
        conditions = status & ~(uint32_t)control;
    } else {
        uint32_t mxcsr;

        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        conditions = mxcsr & ~(mxcsr >> 7);
    }
    if (conditions & 1)
        return FPE_FLTINV;
    if (conditions & 4)
        return FPE_FLTDIV;
    if (conditions & 8)
        return FPE_FLTOVF;
    if (conditions & 0x12)
        return FPE_FLTUND;
    return conditions & 0x20 ? FPE_FLTRES : FPE_FLTINV;
}

void px_arch_fault(const struct exo_upcall *frame, struct px_fault *fault)
{
    *fault = (struct px_fault){SIGSEGV, SI_KERNEL, (int)frame->cause, 0};
    switch (frame->cause) {
    case DIVIDE: *fault = (struct px_fault){SIGFPE, FPE_INTDIV, DIVIDE, frame->regs.rip}; break;
    case DEBUG: *fault = (struct px_fault){SIGTRAP, TRAP_TRACE, DEBUG, frame->regs.rip}; break;
    case BREAKPOINT: *fault = (struct px_fault){SIGTRAP, SI_KERNEL, BREAKPOINT, 0}; break;
    case OPCODE: *fault = (struct px_fault){SIGILL, ILL_ILLOPN, OPCODE, frame->regs.rip}; break;
    case SEGMENT:
    case STACK: fault->signo = SIGBUS; break;
    case PAGE_FAULT:
        fault->signo = px_memory_fault_signal(frame->address, &fault->code);
        fault->address = frame->address;
        break;
    case FPU:
    case SIMD: *fault = (struct px_fault){SIGFPE, fpu_code(frame->cause), (int)frame->cause, frame->regs.rip}; break;
    case ALIGNMENT: *fault = (struct px_fault){SIGBUS, BUS_ADRALN, ALIGNMENT, 0}; break;
    default: break; /* OVERFLOW, BOUND, PROTECTION and what else there is: SIGSEGV from the kernel */
    }
}
