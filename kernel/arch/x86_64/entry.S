/*
 * The ways into the kernel. Registers go straight into the current context (struct exo_regs, filled from its end downwards, as the CPU itself
 * pushes), so nothing is copied. The kernel stack is empty at every entry.
 */
#include <exo/abi.h>

#include "cpu.h"

    .section .text.entry, "ax"

/*
 * For debuggers (.debug_frame, which is not loaded): where the registers of ring 3 are, so that a backtrace goes on in the libOS and the program. They are
 * signal frames, since the stack goes on elsewhere. While the kernel's stack is empty, the word at its top leads to the current context (cpu.c): so
 * what is shown is the context that runs next once the scheduler has chosen it.
 */
    .cfi_sections .debug_frame
    .macro CFI_KEPT base
    .cfi_offset %rip, \base + EXO_REGS_RIP
    .cfi_offset %rsp, \base + EXO_REGS_RSP
    .cfi_offset %rbx, \base + EXO_REGS_RBX
    .cfi_offset %rbp, \base + EXO_REGS_RBP
    .cfi_offset %r12, \base + EXO_REGS_R12
    .cfi_offset %r13, \base + EXO_REGS_R13
    .cfi_offset %r14, \base + EXO_REGS_R14
    .cfi_offset %r15, \base + EXO_REGS_R15
    .endm
    .macro CFI_BEGIN
    .cfi_startproc simple
    .cfi_signal_frame
    .endm
    .macro CFI_CALLER /* all as the `syscall` instruction left it */
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    .cfi_register %rip, %rcx
    .endm
    .macro CFI_EMPTY_STACK /* the CFA is what the word that the top of the stack points to points to */
    .cfi_escape 0x0f, 4, 0x77, 0, 0x06, 0x06
    CFI_KEPT CONTEXT_REGS
    .irp register, %rax, %rcx, %rdx, %rsi, %rdi, %r8, %r9, %r10, %r11
    .cfi_undefined \register
    .endr
    .endm
    .macro CFI_EMPTY_STACK_ALL
    CFI_EMPTY_STACK
    .cfi_offset %rax, CONTEXT_REGS + EXO_REGS_RAX
    .cfi_offset %rcx, CONTEXT_REGS + EXO_REGS_RCX
    .cfi_offset %rdx, CONTEXT_REGS + EXO_REGS_RDX
    .cfi_offset %rsi, CONTEXT_REGS + EXO_REGS_RSI
    .cfi_offset %rdi, CONTEXT_REGS + EXO_REGS_RDI
    .cfi_offset %r8, CONTEXT_REGS + EXO_REGS_R8
    .cfi_offset %r9, CONTEXT_REGS + EXO_REGS_R9
    .cfi_offset %r10, CONTEXT_REGS + EXO_REGS_R10
    .cfi_offset %r11, CONTEXT_REGS + EXO_REGS_R11
    .endm
    .macro KEEP register
    push \register
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \register, 0
    .endm
    .macro KEEP_WORD register:vararg /* of no register's own value */
    pushq \register
    .cfi_adjust_cfa_offset 8
    .endm

/* From a `syscall` in ring 3: its registers, into the context. */
    .macro SAVE_CALLER
    mov %rsp, %gs:percpu+PERCPU_USER_RSP
    mov %gs:percpu+PERCPU_REGS_END, %rsp
    .cfi_def_cfa %rsp, 0
    .cfi_undefined %rsp
    KEEP_WORD $SEGMENT_USER_DATA
    KEEP_WORD %gs:percpu+PERCPU_USER_RSP
    .cfi_rel_offset %rsp, 0
    KEEP_WORD %r11
    KEEP_WORD $SEGMENT_USER_CODE
    KEEP_WORD %rcx
    KEEP %rdi
    KEEP %rsi
    KEEP %rdx
    KEEP %rcx
    KEEP %rax
    KEEP %r8
    KEEP %r9
    KEEP %r10
    KEEP %r11
    KEEP %rbx
    KEEP %rbp
    KEEP %r12
    KEEP %r13
    KEEP %r14
    KEEP %r15
    .endm

    .macro LONG_WAY function
    SAVE_CALLER
    lea -CONTEXT_REGS(%rsp), %rdi
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_EMPTY_STACK_ALL
    lea -EXO_CALL_BASE(%rax), %rsi
    xor %ebp, %ebp
    call \function          /* returns the context to go on with */
    mov %rax, %rdi
    jmp resume_context
    .endm
    .globl syscall_entry
    .balign 64
syscall_entry:
    CFI_CALLER
    swapgs
    cmp $EXO_CALL_BASE, %rax
    jb redirect
    cmp $EXO_CALL_BASE + EXO_FAST_FIRST, %rax
    jae fast_or_redirect
any_call:
    LONG_WAY trap_call
    .cfi_endproc

/*
 * Calls with a path of their own (fast.c), which have the highest numbers. Of the registers those are stored that outlive a message: what a
 * context has in the others is lost with its call, and set by the answer.
 */
    .if EXO_CALL_YIELD - EXO_CALL_BASE != EXO_FAST_FIRST || EXO_CALL_YIELD_TO != EXO_CALL_YIELD + 1 || EXO_CALL_WAKE != EXO_CALL_YIELD + 2
    .error "fast_or_redirect compares with these"
    .endif
    .if EXO_CALL_WAIT_WORD != EXO_CALL_WAKE + 1 || EXO_CALL_EP_CALL_CAP != EXO_CALL_WAKE + 2 || EXO_CALL_EP_REPLY_RECV != EXO_CALL_WAKE + 3
    .error "fast_or_redirect compares with these"
    .endif
    .macro FAST_PATH function, caller, arguments=6
    mov %gs:sched_cpu, %rax       /* who calls */
    mov %rbx, CONTEXT_REGS + EXO_REGS_RBX(%rax)
    mov %rbp, CONTEXT_REGS + EXO_REGS_RBP(%rax)
    mov %r12, CONTEXT_REGS + EXO_REGS_R12(%rax)
    mov %r13, CONTEXT_REGS + EXO_REGS_R13(%rax)
    mov %r14, CONTEXT_REGS + EXO_REGS_R14(%rax)
    mov %r15, CONTEXT_REGS + EXO_REGS_R15(%rax)
    mov %rsp, CONTEXT_REGS + EXO_REGS_RSP(%rax)
    mov %rcx, CONTEXT_REGS + EXO_REGS_RIP(%rax)
    mov %r11, CONTEXT_REGS + EXO_REGS_RFLAGS(%rax)
    .cfi_remember_state
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_EMPTY_STACK
    .if \arguments > 3
    mov %r10, %rcx
    .endif
    .ifnb \caller
    mov %rax, \caller
    .endif
#ifdef EXO_DEBUG
    xor %ebp, %ebp
#endif
    call \function
    ud2                     /* it does not return; but its return address shall belong to the above */
    .cfi_restore_state
    .endm

    .macro FAST_WAYS suffix
    cmp $EXO_CALL_EP_CALL, %rax
    jne 1f
    FAST_PATH fast_ep_call\suffix
1:  cmp $EXO_CALL_EP_REPLY_RECV, %rax
    jb 1f
    ja redirect
    FAST_PATH fast_ep_reply_recv\suffix
1:  FAST_PATH fast_ep_call_cap\suffix
    .endm

fast_or_redirect:
    CFI_CALLER
    je 3f                   /* EXO_CALL_YIELD: the first */
    cmp $EXO_CALL_EP_CALL_CAP, %rax
    jb 4f
    FAST_WAYS
3:  FAST_PATH fast_yield_call, %rdi, 1
4:  cmp $EXO_CALL_WAKE, %rax
    jb 4f
    jne 3f
    FAST_PATH fast_wake_call, %rdx, 3
3:  FAST_PATH fast_wait_word_call, %r9
4:  FAST_PATH fast_yield_to_call, %rsi, 2
    .cfi_endproc

/* The case is not a common one: the arguments of the function are stored where those of any other call are. */
    .macro GENERAL_WAY name, number, way
    .globl general_\name
general_\name:
    mov $\number - EXO_CALL_BASE, %eax
    jmp \way
    .endm
    .macro GENERAL_WAYS suffix, call
    GENERAL_WAY ep_call_cap\suffix, EXO_CALL_EP_CALL_CAP, general\suffix
    GENERAL_WAY ep_reply_recv\suffix, EXO_CALL_EP_REPLY_RECV, general\suffix
    GENERAL_WAY ep_call\suffix, EXO_CALL_EP_CALL, general\suffix
general\suffix:
    mov %gs:sched_cpu, %r10
    CFI_BEGIN
    .cfi_def_cfa %r10, 0
    CFI_KEPT CONTEXT_REGS
    mov %rdi, CONTEXT_REGS + EXO_REGS_RDI(%r10)
    mov %rsi, CONTEXT_REGS + EXO_REGS_RSI(%r10)
    mov %rdx, CONTEXT_REGS + EXO_REGS_RDX(%r10)
    mov %rcx, CONTEXT_REGS + EXO_REGS_R10(%r10)
    mov %r8, CONTEXT_REGS + EXO_REGS_R8(%r10)
    mov %r9, CONTEXT_REGS + EXO_REGS_R9(%r10)
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_EMPTY_STACK
    mov %r10, %rdi
    mov %eax, %esi
    xor %ebp, %ebp
    call \call
    mov %rax, %rdi
    jmp resume_context
    .cfi_endproc
    .endm
    GENERAL_WAY yield, EXO_CALL_YIELD, general
    GENERAL_WAY yield_to, EXO_CALL_YIELD_TO, general
    GENERAL_WAY wake, EXO_CALL_WAKE, general
    GENERAL_WAY wait_word, EXO_CALL_WAIT_WORD, general
    GENERAL_WAYS , trap_call
    GENERAL_WAYS _held, trap_call_held

/* RDI: the current context. */
    .globl leave_fast
leave_fast:
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_BEGIN
    CFI_EMPTY_STACK
    xor %ebp, %ebp
    call trap_leave
    mov %rax, %rdi
    jmp resume_context
    .cfi_endproc

/* A system call of the environment's own: back up to its entry, with RIP and RFLAGS in the context page. */
redirect:
    CFI_CALLER
gas_charge: /* ./exo bench counts these instructions */
    subq $EXO_PRICE_SYSCALL, %gs:gas_purse
    js redirect_dry
gas_charged:
    mov %r11, %gs:percpu+PERCPU_SCRATCH
    mov %gs:percpu+PERCPU_UPAGE, %r11
    mov %rcx, EXO_UPAGE_SC_RIP(%r11)
    .cfi_escape 0x10, 16, 2, 0x7b, EXO_UPAGE_SC_RIP /* RIP is there, from R11 */
    mov %gs:percpu+PERCPU_SCRATCH, %rcx
    mov %rcx, EXO_UPAGE_SC_RFLAGS(%r11)
    movl $1, EXO_UPAGE_MASKED(%r11)
    mov %gs:percpu+PERCPU_SYSCALL_ENTRY, %rcx
    incq %gs:percpu+PERCPU_REDIRECTS
    mov $RFLAGS_FIXED, %r11d
    .cfi_register %rip, %rcx
    swapgs
    sysretq
    .cfi_endproc

/* The purse is empty: as an entry of the kernel's own, and when there is gas again, the redirect in C. */
redirect_dry:
    CFI_CALLER
    SAVE_CALLER
    lea -CONTEXT_REGS(%rsp), %rdi
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_EMPTY_STACK_ALL
    xor %ebp, %ebp
    call trap_redirect
    mov %rax, %rdi
    jmp resume_context
    .cfi_endproc

/* RDI: context. To ring 3 with its registers: all of them, or as after syscall. */
    .globl resume_context
resume_context:
    CFI_BEGIN
    .cfi_def_cfa %rdi, 0
    CFI_KEPT CONTEXT_REGS
    lea CONTEXT_REGS(%rdi), %rsp
    cmpb $0, (CONTEXT_FULL_RETURN)(%rdi)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    jne 1f
    add $8, %rsp            /* R11: flags */
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    add $8, %rsp            /* RCX: instruction pointer */
    pop %rdx
    pop %rsi
    .cfi_remember_state
    pop %rdi
    .cfi_def_cfa %rsp, -CONTEXT_REGS - EXO_REGS_RIP
    mov (%rsp), %rcx
    mov 16(%rsp), %r11
    mov 24(%rsp), %rsp
    .cfi_def_cfa %rsp, 0
    .cfi_register %rip, %rcx
    .cfi_restore %rsp
    .cfi_same_value %rbx
    .cfi_same_value %rbp
    .cfi_same_value %r12
    .cfi_same_value %r13
    .cfi_same_value %r14
    .cfi_same_value %r15
    swapgs
    sysretq
    .cfi_restore_state
1:  movb $0, (CONTEXT_FULL_RETURN)(%rdi) /* it comes back by `syscall`, or is marked again */
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    .cfi_def_cfa %rsp, -CONTEXT_REGS - EXO_REGS_RIP
    swapgs
    iretq
    .cfi_endproc

/* What follows lies behind the fast paths (kernel.ld), so that these and the entries above are one page. */
    .section .text.entry_more, "ax"

/* With several CPUs. Who finds the lock free goes the fast way with it; else it is a call like any other. */
    .globl syscall_entry_locked
    .balign 16
syscall_entry_locked:
    CFI_CALLER
    swapgs
    cmp $EXO_CALL_BASE, %rax
    jb redirect
    cmp $EXO_CALL_EP_CALL_CAP, %rax
    jb any_call
    cmp $(EXO_CALL_BASE + EXO_CALLS), %rax
    jae redirect
    lock btsl $0, smp_lock_word(%rip)
    jc any_call
    FAST_WAYS _held
    .cfi_endproc

/* A CPU that is traced: every call goes the long way, and is recorded. */
    .globl syscall_entry_traced
    .balign 16
syscall_entry_traced:
    CFI_CALLER
    swapgs
    cmp $EXO_CALL_BASE, %rax
    jb redirect
    cmp $(EXO_CALL_BASE + EXO_CALLS), %rax
    jae redirect
    LONG_WAY trap_call_traced
    .cfi_endproc

/* All registers behind what a stub has pushed: RDI is the error code then, RSI the vector. */
.macro KEEP_ALL
    CFI_BEGIN
    .cfi_def_cfa %rsp, 16
    .cfi_offset %rip, 0
    .cfi_offset %rsp, 24
    xchg %rdi, 8(%rsp)
    .cfi_rel_offset %rdi, 8
    xchg %rsi, (%rsp)
    .cfi_rel_offset %rsi, 0
    .irp register, %rdx, %rcx, %rax, %r8, %r9, %r10, %r11, %rbx, %rbp, %r12, %r13, %r14, %r15
    KEEP \register
    .endr
.endm

/*
 * Exceptions and interrupts. The stubs leave vector and error code where RSI and RDI belong; from ring 3 the stack is the current
 * context's registers (TSS.RSP0), in ring 0 it is the kernel stack.
 */
    .globl trap_common
trap_common:
    KEEP_ALL
    cld
    mov %rdi, %rdx
    testb $3, EXO_REGS_CS(%rsp)
    jz 2f
    .cfi_remember_state
    swapgs
    lea -CONTEXT_REGS(%rsp), %rdi
    movb $1, (CONTEXT_FULL_RETURN)(%rdi)
    mov %gs:percpu+PERCPU_STACK, %rsp
    CFI_EMPTY_STACK_ALL
    xor %ebp, %ebp
    call trap_user          /* (context, vector, error): returns the context to go on with */
    mov %rax, %rdi
    jmp resume_context
    .cfi_restore_state
2:  mov %rsp, %rdi
    mov %rsp, %rbx
    .cfi_def_cfa_register %rbx
    and $-16, %rsp
    call trap_kernel        /* (registers, vector, error) */
    mov %rbx, %rsp
    .cfi_def_cfa_register %rsp
    .irp register, %r15, %r14, %r13, %r12, %rbp, %rbx, %r11, %r10, %r9, %r8, %rax, %rcx, %rdx, %rsi, %rdi
    pop \register
    .cfi_adjust_cfa_offset -8
    .cfi_same_value \register
    .endr
    iretq
    .cfi_endproc

/* Double fault, NMI and machine check come on stacks of their own and do not return. */
trap_fatal:
    KEEP_ALL
    mov %rdi, %rdx
    mov %rsp, %rdi
    mov $MSR_GS_BASE, %ecx  /* GS may be either side's */
    mov %rdx, %r12
    mov EXO_REGS_BYTES(%rsp), %rax /* at the top of the stack: struct cpu_area */
    mov %rax, %rdx
    shr $32, %rdx
    wrmsr
    mov %r12, %rdx
    mov %rsp, %rbx
    .cfi_def_cfa_register %rbx
    and $-16, %rsp
    call trap_stop
    ud2
    .cfi_endproc

    .macro STUB vector
    .balign 16
stub_\vector:
    CFI_BEGIN
    .cfi_offset %rip, 0
    .cfi_offset %rsp, 24
    .if \vector != 8 && \vector != 10 && \vector != 11 && \vector != 12 && \vector != 13 && \vector != 14 && \vector != 17 && \vector != 21
    .cfi_def_cfa %rsp, 0
    KEEP_WORD $0
    .else
    .cfi_def_cfa %rsp, 8
    .endif
    KEEP_WORD $\vector
    .if \vector == VECTOR_DOUBLE_FAULT || \vector == VECTOR_NMI || \vector == VECTOR_MACHINE_CHECK
    jmp trap_fatal
    .else
    jmp trap_common
    .endif
    .cfi_endproc
    .endm

    .altmacro
    .macro ALL_STUBS first
    .set number, \first
    .rept 64
    STUB %number
    .set number, number + 1
    .endr
    .endm
    ALL_STUBS 0
    ALL_STUBS 64
    STUB 255

    .macro ADDRESS vector
    .quad stub_\vector
    .endm
    .section .rodata
    .balign 8
    .globl vector_stubs
vector_stubs:
    .set number, 0
    .rept 128
    ADDRESS %number
    .set number, number + 1
    .endr
    .rept 127
    .quad stub_255
    .endr
    .quad stub_255
    .section .note.GNU-stack, "", @progbits
