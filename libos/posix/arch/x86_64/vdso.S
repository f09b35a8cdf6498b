/*
 * What a C library takes for a shared object with functions for clocks (ELF-64, System V ABI; names and version as vdso(7) has them). It lies in the
 * libOS's own text, is linked at the address where it lies, and so needs neither mapping nor relocation. Functions: entry/vdso.c.
 */
#define CLOCK_GETTIME 228
#define CLOCK_GETRES 229
#define GETCPU 309
#define FUNCTION_WEAK 0x22 /* STB_WEAK, STT_FUNC */
#define EXPORTED 2 /* index of the version that the symbols have */
#define LINUX_2_6 0x3ae75f6 /* its hash */

    .section .vdso, "ax", @progbits
    .balign 4096
    .globl px_vdso
px_vdso:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .short 3, 62 /* ET_DYN, EM_X86_64 */
    .long 1
    .quad 0, segments - px_vdso, 0 /* no entry, no sections */
    .long 0
    .short 64, 56, 2, 64, 0, 0
segments:
    .long 1, 5 /* PT_LOAD, readable and executable */
    .quad 0, px_vdso, px_vdso, px_vdso_end - px_vdso, px_vdso_end - px_vdso, 4096
    .long 2, 4 /* PT_DYNAMIC */
    .quad dynamic - px_vdso, dynamic, dynamic, dynamic_end - dynamic, dynamic_end - dynamic, 8
dynamic:
    .quad 14, soname - strings    /* DT_SONAME */
    .quad 4, hashes
    .quad 5, strings, 10, strings_end - strings
    .quad 6, symbols, 11, 24
    .quad 0x6ffffff0, versions    /* DT_VERSYM */
    .quad 0x6ffffffc, definitions /* DT_VERDEF */
    .quad 0x6ffffffd, 2
    .quad 0, 0
dynamic_end:

    .macro symbol name, at
    .long \name - strings
    .byte FUNCTION_WEAK, 0
    .short 1 /* any section: it is defined */
    .quad \at, 0
    .endm
    .balign 8
symbols:
    .quad 0, 0, 0
    symbol clock_gettime, px_vdso_clock_gettime
    symbol gettimeofday, px_vdso_gettimeofday
    symbol time, px_vdso_time
    symbol clock_getres, px_vdso_clock_getres
    symbol getcpu, px_vdso_getcpu
hashes: /* one bucket, in which each symbol follows the one before */
    .long 1, 6, 1
    .long 0, 2, 3, 4, 5, 0
versions:
    .short 0, EXPORTED, EXPORTED, EXPORTED, EXPORTED, EXPORTED
    .balign 8
definitions: /* struct Elf64_Verdef, each with its Elf64_Verdaux */
    .short 1, 1, 1, 1 /* VER_FLG_BASE: the object itself */
    .long 0xdeebfa1, 20, 28
    .long soname - strings, 0
    .short 1, 0, EXPORTED, 1
    .long LINUX_2_6, 20, 0
    .long version - strings, 0
strings:
    .byte 0
soname: .asciz "linux-vdso.so.1"
version: .asciz "LINUX_2.6"
clock_gettime: .asciz "__vdso_clock_gettime"
gettimeofday: .asciz "__vdso_gettimeofday"
time: .asciz "__vdso_time"
clock_getres: .asciz "__vdso_clock_getres"
getcpu: .asciz "__vdso_getcpu"
strings_end:

    .balign 16
    .globl px_direct_clock_gettime
px_direct_clock_gettime:
    mov $CLOCK_GETTIME, %eax
    jmp px_direct_entry
px_vdso_clock_getres:
    mov $CLOCK_GETRES, %eax
    jmp px_direct_entry
px_vdso_getcpu:
    mov $GETCPU, %eax
    jmp px_direct_entry
    .section .note.GNU-stack, "", @progbits
