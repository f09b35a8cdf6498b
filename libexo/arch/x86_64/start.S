/* First instruction of a bare exokernel program: RDI is the address of its start page. */
    .text
    .globl _start
_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call exo_main
    ud2
    .section .note.GNU-stack, "", @progbits
