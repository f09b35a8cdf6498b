/*
 * entry.S's words for debuggers (.debug_frame, which is not loaded; DWARF 5, section 6.4): where the program's registers are, so that a backtrace
 * goes on in the program. These are signal frames, since the stack goes on elsewhere.
 */
#ifdef __ASSEMBLER__
#include <exo/abi.h>
    .cfi_sections .debug_frame
    .macro CFI_BEGIN
    .cfi_startproc simple
    .cfi_signal_frame
    .endm
    .macro CFI_AS_CALLED /* by a jump, with where the program goes on in RCX: nothing else has changed */
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    .cfi_register %rip, %rcx
    .endm
/* The register's place is in the context page: of the first thread, where it always is, or behind the stack that RSP is on (proto/layout.h). */
#define CONST8(value) 0x0e, (value) & 255, (value) >> 8 & 255, (value) >> 16 & 255, (value) >> 24 & 255, (value) >> 32 & 255, \
    (value) >> 40 & 255, (value) >> 48 & 255, (value) >> 56 & 255
    /* RSP >= IMAGE ? UPAGE : (RSP | 0xffff) - 0xfff */
#define CONTEXT_PAGE_BYTES 37
#define CONTEXT_PAGE 0x77, 0, CONST8(IMAGE), 0x2a, 0x28, 13, 0, 0x77, 0, 0x0a, 0xff, 0xff, 0x21, 0x0a, 0xff, 0x0f, 0x1c, 0x2f, 9, 0, CONST8(UPAGE)
#define PLUS(offset) 0x23, (offset) & 127 | 128, (offset) >> 7
#define IN_CONTEXT_PAGE(register, offset) .cfi_escape 0x10, register, CONTEXT_PAGE_BYTES + 3, CONTEXT_PAGE, PLUS(offset)
    /* The CFA is the first upcall frame as long as that is in use (depth is not 0), else where RSP points: it has been copied there. */
#define CFA_UPCALL .cfi_escape 0x0f, CONTEXT_PAGE_BYTES + 18, CONTEXT_PAGE, 0x12, PLUS(EXO_UPAGE_DEPTH), 0x94, 4, 0x28, 6, 0, 0x13, 0x77, 0, 0x2f, 3, 0, \
    PLUS(EXO_UPAGE_FRAME)
#define IN_FIRST_CONTEXT_PAGE(register, offset) .cfi_escape 0x10, register, 12, CONST8(UPAGE), PLUS(offset)
#define IMAGE 0x7ffff0000000 /* PX_IMAGE */
#define UPAGE 0x7ffff0100000 /* PX_UPAGE: window.c sees to both */
#define RSP 7
#define RIP 16
    .macro CFI_KEPT /* in the struct exo_regs that the CFA is */
    .cfi_offset %rip, EXO_REGS_RIP
    .cfi_offset %rsp, EXO_REGS_RSP
    .endm
    .macro CFI_ALL
    CFI_KEPT
    .cfi_offset %rax, EXO_REGS_RAX
    .cfi_offset %rcx, EXO_REGS_RCX
    .cfi_offset %rdx, EXO_REGS_RDX
    .cfi_offset %rsi, EXO_REGS_RSI
    .cfi_offset %rdi, EXO_REGS_RDI
    .cfi_offset %r8, EXO_REGS_R8
    .cfi_offset %r9, EXO_REGS_R9
    .cfi_offset %r10, EXO_REGS_R10
    .cfi_offset %r11, EXO_REGS_R11
    .cfi_offset %rbx, EXO_REGS_RBX
    .cfi_offset %rbp, EXO_REGS_RBP
    .cfi_offset %r12, EXO_REGS_R12
    .cfi_offset %r13, EXO_REGS_R13
    .cfi_offset %r14, EXO_REGS_R14
    .cfi_offset %r15, EXO_REGS_R15
    .endm
    .macro CFI_LAST /* there is nobody above */
    CFI_BEGIN
    .cfi_def_cfa %rsp, 0
    .cfi_undefined %rip
    .endm
#endif
