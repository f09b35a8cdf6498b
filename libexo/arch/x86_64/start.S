/* First instruction of a bare exokernel program: RDI is the address of its start page. */
    .text
    .globl _start
    .cfi_sections .debug_frame
_start:
    .cfi_startproc
    .cfi_undefined %rip /* nobody has called it */
    xor %ebp, %ebp
    and $-16, %rsp
    call exo_main
    ud2
    .cfi_endproc
    .section .note.GNU-stack, "", @progbits
