/*
 * In and out of the libOS.
 *
 * Redirected system calls: the kernel has stored RIP and RFLAGS in the context page and set `masked`; all other registers are the program's (RCX and
 * R11 are lost, as on Linux). The way back needs no kernel: unmask, look at `pending`, jump. An event that arrives between unmasking
 * and the jump finds RIP inside the exit window, and the upcall completes the exit from the saved words (a restartable sequence).
 *
 * Upcalls: RDI is the frame with all registers, RSI the cause. From the program the libOS's stack is empty and is used from its top; from
 * within the libOS the stack goes on below the red zone.
 *
 * At the top of each thread's stack (px_first_regs: of the first one's) are the program's registers while the libOS runs. Their `ss` word, which no
 * fast path needs, says how the program came in: 0 by a syscall instruction or an upcall, 1 by a call of px_direct_entry.
 *
 * With several threads calls go through px_call_locked, which takes the lock and gives it back (thread.h).
 */
#include <exo/abi.h>

#include "unwind.h"

#define SLOW_THREADS 2 /* PX_SLOW_THREADS alone */
#define SLOW_HOT 4
#define SLOW_SIMPLE 25 /* PX_SLOW_STRACE | PX_SLOW_LENT | PX_SLOW_TRACE */
#define PX_THREAD_REGS EXO_UPAGE_REST
#define PX_THREAD_WORK (EXO_UPAGE_REST + 8)
#define PX_THREAD_STACK (EXO_UPAGE_REST + 16)
#define LIGHT_CALLS 229 /* PX_LIGHT_CALLS */
#define LIGHT_NOT (-4096) /* PX_LIGHT_NOT */
#ifdef __clang__ /* to whom a function that keeps registers need not keep those of its parameters */
#define PARAMETERS_BYTES 24
#define KEEP_PARAMETERS push %rdi; push %rsi; push %rdx
#define GET_PARAMETERS pop %rdx; pop %rsi; pop %rdi
#else
#define PARAMETERS_BYTES 0
#define KEEP_PARAMETERS
#define GET_PARAMETERS
#endif

#define STACK_BYTES 32768
#define FLAGS_CLEAN 0x202
/* TF, DF, NT, AC, ID: a program that uses them gets them back by the slow way out. */
#define FLAGS_SPECIAL 0x00244500
#define RESTART_LAST 516 /* results -516..-512 ask for a restart (px.h) */
#define RESTART_SPAN 4

    .section .stack, "aw", @nobits
    .balign 4096
px_stack:
    .skip STACK_BYTES - 192 - 256
    .globl px_first_regs
px_first_regs:
    .skip 192
    .globl px_traps
px_traps: /* of instructions by the last byte of where they go on; at a carry the one is rewritten. In a page that is written at each call anyway. */
    .skip 256

    .section .text.light, "ax", @progbits
    .balign 64
    .globl px_syscall_entry
px_syscall_entry:
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    IN_FIRST_CONTEXT_PAGE(RIP, EXO_UPAGE_SC_RIP) /* of other threads the next instruction but one tells */
    mov %rsp, %rcx
    mov %gs:PX_THREAD_REGS, %rsp
    .cfi_register %rsp, %rcx
    IN_CONTEXT_PAGE(RIP, EXO_UPAGE_SC_RIP)
    mov %rcx, EXO_REGS_RSP(%rsp)
    .cfi_offset %rsp, EXO_REGS_RSP
    mov %gs:EXO_UPAGE_SC_RIP, %rcx
    mov %gs:EXO_UPAGE_SC_RFLAGS, %r11
    movq $0, EXO_REGS_SS(%rsp)
    mov %rcx, EXO_REGS_RIP(%rsp)
    .cfi_offset %rip, EXO_REGS_RIP
    .cfi_remember_state
    mov %r11, EXO_REGS_RFLAGS(%rsp)
    movzbl %cl, %ecx
    lea px_traps(%rip), %r11
    addb $1, (%r11, %rcx)
    jnc .Lsave
    lock orl $SLOW_HOT, px_entry_slow(%rip)
    jmp .Lsave
.Lcall:
    .cfi_register %rip, %rcx
    mov %rcx, EXO_REGS_RIP(%rsp)
    .cfi_restore_state
    .cfi_remember_state
    mov %r11, EXO_REGS_RFLAGS(%rsp)
.Lsave:
    mov %rax, EXO_REGS_RAX(%rsp)
    mov %rdi, EXO_REGS_RDI(%rsp)
    mov %rsi, EXO_REGS_RSI(%rsp)
    mov %rdx, EXO_REGS_RDX(%rsp)
    mov %r10, EXO_REGS_R10(%rsp)
    mov %r8, EXO_REGS_R8(%rsp)
    mov %r9, EXO_REGS_R9(%rsp)
    mov %rbx, EXO_REGS_RBX(%rsp)
    mov %rbp, EXO_REGS_RBP(%rsp)
    mov %r12, EXO_REGS_R12(%rsp)
    mov %r13, EXO_REGS_R13(%rsp)
    mov %r14, EXO_REGS_R14(%rsp)
    mov %r15, EXO_REGS_R15(%rsp)
    cmp px_calls_count(%rip), %eax
    jae .Ldispatch_slow
    mov %eax, %ecx
    lea px_bodies(%rip), %r11
    mov (%r11, %rcx, 8), %r11
    test %r11, %r11
    jz .Ldispatch_slow
    cmpl $0, px_entry_slow(%rip)
    jne .Lentry_slow
    mov %r10, %rcx
    call *%r11
.Lreturn:
    lea RESTART_LAST(%rax), %rcx
    cmp $RESTART_SPAN, %rcx
    jbe .Lleave_slow
    cmpl $0, %gs:PX_THREAD_WORK
    jne .Lleave_slow
    mov EXO_REGS_RFLAGS(%rsp), %r11
    test $FLAGS_SPECIAL, %r11d
    jne .Lleave_slow
    mov EXO_REGS_RIP(%rsp), %rcx
    mov EXO_REGS_RDI(%rsp), %rdi
    mov EXO_REGS_RSI(%rsp), %rsi
    mov EXO_REGS_RDX(%rsp), %rdx
    mov EXO_REGS_R10(%rsp), %r10
    mov EXO_REGS_R8(%rsp), %r8
    mov EXO_REGS_R9(%rsp), %r9
    movl $0, %gs:EXO_UPAGE_MASKED
    .globl px_exit_window, px_exit_window_end
px_exit_window:
    cmpl $0, %gs:EXO_UPAGE_PENDING
    jne 1f
    mov EXO_REGS_RSP(%rsp), %rsp
    .cfi_restore %rsp
    .cfi_register %rip, %rcx
    jmp *%rcx
    .cfi_restore_state
1:  movl $1, %gs:EXO_UPAGE_MASKED
px_exit_window_end:
.Lleave_slow:
    mov %rsp, %rdi
    mov %rax, %rsi
    call px_leave
    jmp px_full_exit
.Lentry_slow:
    cmpl $SLOW_THREADS, px_entry_slow(%rip)
    jne .Ldispatch_slow
    mov %r10, %rcx
    mov %eax, %eax
    push %rax
    push %r11
    .cfi_adjust_cfa_offset 16
    call px_call_locked
    add $16, %rsp
    .cfi_adjust_cfa_offset -16
    jmp .Lreturn
.Ldispatch_slow:
    mov %rsp, %rdi
    call px_dispatch_slow
    jmp .Lreturn
    .cfi_endproc

/*
 * The same for a plain call from the program, which like any call loses the caller-saved registers: nothing has set `masked` yet, and the
 * return address is on the stack. What only reads (simple.c) is jumped to as it is.
 */
#define SIMPLE_CALLS 192
    .globl px_direct_entry
px_direct_entry:
    .cfi_startproc
    cmp $SIMPLE_CALLS, %rax
    jae 1f
    lea px_simple(%rip), %r11
    mov (%r11, %rax, 8), %r11
    test %r11, %r11
    jz 1f
    testl $SLOW_SIMPLE, px_entry_slow(%rip)
    jnz 1f
    jmp *%r11
1:  mov (%rsp), %rcx
    movl $1, %gs:EXO_UPAGE_MASKED
    lea 8(%rsp), %r11
    .cfi_endproc
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    .cfi_register %rip, %rcx
    .cfi_register %rsp, %r11
    mov %gs:PX_THREAD_REGS, %rsp
    mov %r11, EXO_REGS_RSP(%rsp)
    .cfi_offset %rsp, EXO_REGS_RSP
    mov $FLAGS_CLEAN, %r11d
    movq $1, EXO_REGS_SS(%rsp)
    cld
    jmp .Lcall
    .cfi_endproc

/*
 * The same from a rewritten instruction (rewrite.c), whose stub has loaded RCX with where the program goes on: nothing but RCX and R11 may change, nor may the
 * program's stack be touched. Light calls (light.c) change no register but those and RAX themselves, so nothing is stored; what they do not do, or have not
 * done, goes on as any call. They have no string instructions, so they do not ask for the direction flag, which takes long under TCG.
 */
    .balign 64 /* as light.h says */
    .globl px_site_entry, px_light_window, px_light_window_end
px_site_entry:
    CFI_AS_CALLED
    movl $1, %gs:EXO_UPAGE_MASKED
    mov %rsp, %gs:PX_THREAD_STACK
    mov %gs:PX_THREAD_REGS, %rsp
    IN_CONTEXT_PAGE(RSP, PX_THREAD_STACK)
    cmp $LIGHT_CALLS, %rax
    jae .Lsite
    lea px_light(%rip), %r11
    mov (%r11, %rax, 8), %r11
    test %r11, %r11
    jz .Lsite
    cmpl $0, px_entry_slow(%rip)
    jne .Lsite
    .cfi_remember_state
    push %rcx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rip, 0
    push %rax
    .cfi_adjust_cfa_offset 8
    mov %r10, %rcx
    KEEP_PARAMETERS
    .cfi_adjust_cfa_offset PARAMETERS_BYTES
    call *%r11
    GET_PARAMETERS
    .cfi_adjust_cfa_offset -PARAMETERS_BYTES
    cmp $LIGHT_NOT, %rax
    je .Lnot_light
    mov 8(%rsp), %rcx
    movl $0, %gs:EXO_UPAGE_MASKED
px_light_window:
    cmpl $0, %gs:EXO_UPAGE_PENDING
    jne 1f
    .cfi_remember_state
    mov %gs:PX_THREAD_STACK, %rsp
    .cfi_def_cfa %rsp, 0
    .cfi_restore %rsp
    .cfi_register %rip, %rcx
    jmp *%rcx
    .cfi_restore_state
1:  movl $1, %gs:EXO_UPAGE_MASKED
px_light_window_end:
    mov %gs:PX_THREAD_REGS, %rsp
    .cfi_def_cfa %rsp, 0
    .cfi_register %rip, %rcx
    movq $0, EXO_REGS_SS(%rsp)
    mov %gs:PX_THREAD_STACK, %r11
    mov %r11, EXO_REGS_RSP(%rsp)
    pushfq
    pop %r11
    call .Lstore
    CFI_KEPT
    push $FLAGS_CLEAN
    .cfi_adjust_cfa_offset 8
    popfq
    .cfi_adjust_cfa_offset -8
    jmp .Lleave_slow
    .cfi_restore_state
    .cfi_def_cfa_offset 16
    .cfi_offset %rip, -8
.Lnot_light:
    mov %gs:PX_THREAD_REGS, %rsp
    .cfi_def_cfa_offset 0
    mov -8(%rsp), %rcx
    .cfi_register %rip, %rcx
    mov -16(%rsp), %rax
.Lsite:
    mov %gs:PX_THREAD_STACK, %r11
    mov %r11, EXO_REGS_RSP(%rsp)
    .cfi_offset %rsp, EXO_REGS_RSP
    pushfq
    .cfi_adjust_cfa_offset 8
    pop %r11
    .cfi_adjust_cfa_offset -8
    movq $0, EXO_REGS_SS(%rsp)
    test $FLAGS_SPECIAL, %r11d
    jz .Lcall
    push $FLAGS_CLEAN
    .cfi_adjust_cfa_offset 8
    popfq
    .cfi_adjust_cfa_offset -8
    jmp .Lcall
    .cfi_endproc

/* All but RSP and SS, with RCX and R11 for RIP and RFLAGS, to the struct exo_regs above the return address. */
.Lstore:
    .cfi_startproc
    mov %rcx, 8+EXO_REGS_RIP(%rsp)
    mov %r11, 8+EXO_REGS_RFLAGS(%rsp)
    mov %rax, 8+EXO_REGS_RAX(%rsp)
    mov %rdi, 8+EXO_REGS_RDI(%rsp)
    mov %rsi, 8+EXO_REGS_RSI(%rsp)
    mov %rdx, 8+EXO_REGS_RDX(%rsp)
    mov %r10, 8+EXO_REGS_R10(%rsp)
    mov %r8, 8+EXO_REGS_R8(%rsp)
    mov %r9, 8+EXO_REGS_R9(%rsp)
    mov %rbx, 8+EXO_REGS_RBX(%rsp)
    mov %rbp, 8+EXO_REGS_RBP(%rsp)
    mov %r12, 8+EXO_REGS_R12(%rsp)
    mov %r13, 8+EXO_REGS_R13(%rsp)
    mov %r14, 8+EXO_REGS_R14(%rsp)
    mov %r15, 8+EXO_REGS_R15(%rsp)
    ret
    .cfi_endproc

/* Restores every register from where RSP points, and continues the program. `masked` is set. */
    .globl px_full_exit, px_iret_window, px_iret_window_end
px_full_exit:
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    CFI_ALL
    mov EXO_REGS_RIP(%rsp), %rax
    mov EXO_REGS_RFLAGS(%rsp), %rcx
    mov EXO_REGS_RSP(%rsp), %rdx
    mov %rax, %gs:EXO_UPAGE_IRET
    mov %cs, %eax
    mov %rax, %gs:EXO_UPAGE_IRET+8
    mov %rcx, %gs:EXO_UPAGE_IRET+16
    mov %rdx, %gs:EXO_UPAGE_IRET+24
    mov %ss, %eax
    mov %rax, %gs:EXO_UPAGE_IRET+32
    call .Lrestore
    mov %gs:EXO_UPAGE_SELF, %rsp
    .cfi_endproc
    CFI_BEGIN
    .cfi_def_cfa %rsp, EXO_UPAGE_IRET
    .cfi_offset %rip, 0
    .cfi_offset %rsp, 24
    lea EXO_UPAGE_IRET+16(%rsp), %rsp
    .cfi_def_cfa_offset -16
    movl $0, %gs:EXO_UPAGE_MASKED
px_iret_window:
    cmpl $0, %gs:EXO_UPAGE_PENDING
    jne 1f
    /* No iretq in ring 3: with SMAP on, QEMU's TCG reads its frame with the kernel's rights and faults. */
    .cfi_remember_state
    popfq
    .cfi_adjust_cfa_offset -8
    mov %gs:EXO_UPAGE_IRET+24, %rsp
    .cfi_def_cfa %rsp, 0
    .cfi_restore %rsp
    IN_FIRST_CONTEXT_PAGE(RIP, EXO_UPAGE_IRET)
    jmp *%gs:EXO_UPAGE_IRET
    .cfi_restore_state
1:  movl $1, %gs:EXO_UPAGE_MASKED
px_iret_window_end:
    mov %gs:PX_THREAD_REGS, %rsp
    .cfi_def_cfa %rsp, 0
    CFI_ALL
    mov %rsp, %rdi
    call px_leave_again
    jmp px_full_exit
    .cfi_endproc

/* All but RIP, RFLAGS and RSP from the struct exo_regs above the return address. */
.Lrestore:
    .cfi_startproc
    mov 8+EXO_REGS_R15(%rsp), %r15
    mov 8+EXO_REGS_R14(%rsp), %r14
    mov 8+EXO_REGS_R13(%rsp), %r13
    mov 8+EXO_REGS_R12(%rsp), %r12
    mov 8+EXO_REGS_RBP(%rsp), %rbp
    mov 8+EXO_REGS_RBX(%rsp), %rbx
    mov 8+EXO_REGS_R11(%rsp), %r11
    mov 8+EXO_REGS_R10(%rsp), %r10
    mov 8+EXO_REGS_R9(%rsp), %r9
    mov 8+EXO_REGS_R8(%rsp), %r8
    mov 8+EXO_REGS_RAX(%rsp), %rax
    mov 8+EXO_REGS_RCX(%rsp), %rcx
    mov 8+EXO_REGS_RDX(%rsp), %rdx
    mov 8+EXO_REGS_RSI(%rsp), %rsi
    mov 8+EXO_REGS_RDI(%rsp), %rdi
    ret
    .cfi_endproc

    .globl px_upcall_entry
px_upcall_entry:
    CFI_BEGIN
    .cfi_def_cfa %rdi, 0
    CFI_ALL
    cmpl $0, EXO_UPCALL_MASKED(%rdi)
    jne 1f
    .cfi_remember_state
    mov %gs:PX_THREAD_REGS, %rsp
    test %rsp, %rsp
    jz 2f
    CFA_UPCALL
    call px_upcall_program
    mov %gs:PX_THREAD_REGS, %rsp
    jmp px_full_exit
2:  lea px_first_regs(%rip), %rsp /* the libOS had not yet begun to run: begin again, now masked */
    call px_upcall_early
    jmp *%rax
    .cfi_restore_state
1:  lea -128(%rsp), %rsp
    and $-16, %rsp
    mov %rdi, %rbx
    .cfi_def_cfa_register %rbx
    call px_upcall_libos
    mov EXO_REGS_RIP(%rbx), %rax
    mov %rax, %gs:EXO_UPAGE_IRET
    mov EXO_REGS_CS(%rbx), %rax
    mov %rax, %gs:EXO_UPAGE_IRET+8
    mov EXO_REGS_RFLAGS(%rbx), %rax
    mov %rax, %gs:EXO_UPAGE_IRET+16
    mov EXO_REGS_RSP(%rbx), %rax
    mov %rax, %gs:EXO_UPAGE_IRET+24
    mov EXO_REGS_SS(%rbx), %rax
    mov %rax, %gs:EXO_UPAGE_IRET+32
    mov EXO_REGS_R15(%rbx), %r15
    mov EXO_REGS_R14(%rbx), %r14
    mov EXO_REGS_R13(%rbx), %r13
    mov EXO_REGS_R12(%rbx), %r12
    mov EXO_REGS_RBP(%rbx), %rbp
    mov EXO_REGS_R11(%rbx), %r11
    mov EXO_REGS_R10(%rbx), %r10
    mov EXO_REGS_R9(%rbx), %r9
    mov EXO_REGS_R8(%rbx), %r8
    mov EXO_REGS_RAX(%rbx), %rax
    mov EXO_REGS_RCX(%rbx), %rcx
    mov EXO_REGS_RDX(%rbx), %rdx
    mov EXO_REGS_RSI(%rbx), %rsi
    mov EXO_REGS_RDI(%rbx), %rdi
    .cfi_endproc
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    IN_CONTEXT_PAGE(RIP, EXO_UPAGE_IRET)
    IN_CONTEXT_PAGE(RSP, EXO_UPAGE_IRET + 24)
    mov EXO_REGS_RBX(%rbx), %rbx
    decl %gs:EXO_UPAGE_DEPTH
    mov %gs:EXO_UPAGE_SELF, %rsp
    lea EXO_UPAGE_IRET+16(%rsp), %rsp
    popfq /* still masked: no event can come in between */
    mov %gs:EXO_UPAGE_IRET+24, %rsp
    .cfi_restore %rsp
    IN_FIRST_CONTEXT_PAGE(RIP, EXO_UPAGE_IRET)
    jmp *%gs:EXO_UPAGE_IRET
    .cfi_endproc

/* A forked child's first instructions. Its memory is its parent's of the moment of the clone; its context page is new. */
    .globl px_child_entry, px_child_entry_end
px_child_entry:
    CFI_LAST
    movl $1, %gs:EXO_UPAGE_MASKED
px_child_entry_end:
    lea px_first_regs(%rip), %rsp
    call px_child_start
    jmp px_full_exit
    .cfi_endproc

/* A new thread, and one that has ended and begins again. It is masked already. */
    .globl px_thread_entry
px_thread_entry:
    CFI_LAST
    mov %gs:PX_THREAD_REGS, %rsp
    mov %rsp, %rdi
    call px_thread_begin
    jmp px_full_exit
    .cfi_endproc

/* The first process. */
    .globl px_start_entry
px_start_entry:
    CFI_LAST
    movl $1, %gs:EXO_UPAGE_MASKED
    lea px_first_regs(%rip), %rsp
    call px_start
    jmp px_full_exit
    .cfi_endproc

/* FPU state. void f(void *area), which is 16-byte aligned. */
    .globl px_arch_fxsave, px_arch_fxrstor, px_arch_read_fs
px_arch_fxsave:
    fxsave64 (%rdi)
    ret
px_arch_fxrstor:
    fxrstor64 (%rdi)
    ret
px_arch_read_fs:
    rdfsbase %rax
    ret
    .section .note.GNU-stack, "", @progbits
