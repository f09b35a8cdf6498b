/* The two entries that the kernel calls, and the switch between tasks. GS points to the context page (struct exo_upage). */
#include <exo/abi.h>

    .text
    .globl small_syscall_entry, small_upcall_entry, small_switch

/* The program's `syscall` came back up: the number in RAX, arguments in RDI and RSI. All registers but RAX, RCX and R11 stay. */
small_syscall_entry:
    lea -128(%rsp), %rsp /* below the stack pointer a function may keep something */
    push %gs:EXO_UPAGE_SC_RIP
    push %rdi; push %rsi; push %rdx; push %r8; push %r9; push %r10; push %rbp
    mov %rsp, %rbp
    and $-16, %rsp
    mov %rax, %rdx
    call small_serve
    mov %rbp, %rsp
    pop %rbp; pop %r10; pop %r9; pop %r8; pop %rdx; pop %rsi; pop %rdi
    pop %rcx
    lea 128(%rsp), %rsp
    jmp *%rcx

/* A fault: RDI is the upcall frame, which begins with the registers; RSI the cause. */
small_upcall_entry:
    lea -128(%rsp), %rsp
    and $-16, %rsp
    mov %rdi, %rbx
    call small_upcall
    mov 8 * 15(%rbx), %rax /* RIP, */
    mov %rax, %gs:EXO_UPAGE_LIBOS
    mov 8 * 18(%rbx), %rax /* RSP */
    mov %rax, %gs:EXO_UPAGE_LIBOS + 8
    mov %rbx, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; pop %r11; pop %r10; pop %r9; pop %r8
    pop %rax; pop %rcx; pop %rdx; pop %rsi; pop %rdi
    add $16, %rsp
    popfq
    mov %gs:EXO_UPAGE_LIBOS + 8, %rsp
    jmp *%gs:EXO_UPAGE_LIBOS

/* A task is its stack: what a C function keeps is pushed there, and the stack pointer says who it is. */
small_switch:
    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
    ret

    .section .note.GNU-stack, "", @progbits
