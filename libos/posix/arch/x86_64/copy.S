/*
 * Copies that may fault. Between px_guarded_start and px_guarded_end, R9 always holds the address that a fault which cannot be resolved goes on
 * at; px_guarded_fixup goes there. Every loop moves its pointers only after the bytes have moved, so that a fast loop is
 * finished by a loop of single bytes, which finds out exactly how many there are.
 *
 * Plain moves, 256 or 64 bytes a round: under TCG that takes 0.6 of the time of rep movsq, and half of that of rep stosq.
 */
    .section .text.packed.held, "ax", @progbits

    /* size_t px_raw_copy(void *to, const void *from, size_t bytes): bytes not copied */
    .globl px_raw_copy
    .type px_raw_copy, @function
    .globl px_guarded_start
px_guarded_start:
px_raw_copy:
    lea (%rdi,%rdx), %r8
    lea copy_bytes(%rip), %r9
    cmp $64, %rdx
    jae copy_bulk
    cmp $8, %edx
    jb copy_tail
copy_words:
    mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %edx
    jz 3f
    cmp $8, %edx
    jae copy_words
copy_tail:
    test $4, %dl
    jz 1f
    mov (%rsi), %eax
    mov %eax, (%rdi)
    add $4, %rsi
    add $4, %rdi
1:  test $2, %dl
    jz 2f
    movzwl (%rsi), %eax
    mov %ax, (%rdi)
    add $2, %rsi
    add $2, %rdi
2:  test $1, %dl
    jz 3f
    movzbl (%rsi), %eax
    mov %al, (%rdi)
3:  xor %eax, %eax
    ret
copy_much:
    .irp high, 0, 64, 128, 192
    .irp low, 0, 8, 16, 24, 32, 40, 48, 56
    mov \high+\low(%rsi), %rax
    mov %rax, \high+\low(%rdi)
    .endr
    .endr
    add $256, %rsi
    add $256, %rdi
    sub $256, %rdx
copy_bulk:
    cmp $256, %rdx
    jae copy_much
    cmp $64, %rdx
    jb 1f
2:  .irp offset, 0, 8, 16, 24, 32, 40, 48, 56
    mov \offset(%rsi), %rax
    mov %rax, \offset(%rdi)
    .endr
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    cmp $64, %rdx
    jae 2b
1:  cmp $8, %edx
    jae copy_words
    jmp copy_tail

copy_bytes: /* from RSI to RDI .. R8 */
    lea left(%rip), %r9
1:  cmp %r8, %rdi
    jae 2f
    movzbl (%rsi), %eax
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    jmp 1b
2:  xor %eax, %eax
    ret
left:
    mov %r8, %rax
    sub %rdi, %rax
    ret
    .size px_raw_copy, . - px_raw_copy

    /* size_t px_raw_clear(void *to, size_t bytes): bytes not cleared */
    .globl px_raw_clear
    .type px_raw_clear, @function
px_raw_clear:
    lea (%rdi,%rsi), %r8
    lea clear_bytes(%rip), %r9
    xor %eax, %eax
1:  cmp $64, %rsi
    jb 2f
    .irp offset, 0, 8, 16, 24, 32, 40, 48, 56
    mov %rax, \offset(%rdi)
    .endr
    add $64, %rdi
    sub $64, %rsi
    jmp 1b
2:  cmp $8, %rsi
    jb clear_bytes
    mov %rax, (%rdi)
    add $8, %rdi
    sub $8, %rsi
    jmp 2b
clear_bytes:
    lea left(%rip), %r9
1:  cmp %r8, %rdi
    jae 2f
    movb $0, (%rdi)
    inc %rdi
    jmp 1b
2:  xor %eax, %eax
    ret
    .size px_raw_clear, . - px_raw_clear

    /* int64_t px_raw_string(char *to, const char *from, size_t most) */
    .globl px_raw_string
    .type px_raw_string, @function
px_raw_string:
    mov %rdi, %r8
    lea string_bytes(%rip), %r9
    movabs $0x0101010101010101, %r10
    movabs $0x8080808080808080, %r11
1:  cmp $8, %rdx
    jb string_bytes
    mov (%rsi), %rax
    mov %rax, (%rdi)
    mov %rax, %rcx
    not %rcx
    sub %r10, %rax
    and %rcx, %rax
    and %r11, %rax
    jnz string_found
    add $8, %rsi
    add $8, %rdi
    sub $8, %rdx
    jmp 1b
string_bytes:
    lea string_bad(%rip), %r9
1:  test %rdx, %rdx
    jz 2f
    movzbl (%rsi), %eax
    mov %al, (%rdi)
    test %al, %al
    jz 2f
    inc %rsi
    inc %rdi
    dec %rdx
    jmp 1b
2:  mov %rdi, %rax
    sub %r8, %rax
    ret
string_found: /* the lowest bit set marks the first zero byte */
    bsf %rax, %rax
    shr $3, %rax
    add %rdi, %rax
    sub %r8, %rax
    ret
string_bad:
    mov $-1, %rax
    ret
    .size px_raw_string, . - px_raw_string

    /* int64_t px_raw_length(const char *from, size_t most) */
    .globl px_raw_length
    .type px_raw_length, @function
px_raw_length:
    mov %rdi, %r8
    lea length_bytes(%rip), %r9
    movabs $0x0101010101010101, %r10
    movabs $0x8080808080808080, %r11
1:  cmp $8, %rsi
    jb length_bytes
    mov (%rdi), %rax
    mov %rax, %rcx
    not %rcx
    sub %r10, %rax
    and %rcx, %rax
    and %r11, %rax
    jnz string_found
    add $8, %rdi
    sub $8, %rsi
    jmp 1b
length_bytes:
    lea string_bad(%rip), %r9
1:  test %rsi, %rsi
    jz 2f
    cmpb $0, (%rdi)
    je 2f
    inc %rdi
    dec %rsi
    jmp 1b
2:  mov %rdi, %rax
    sub %r8, %rax
    ret
    .size px_raw_length, . - px_raw_length

    /* size_t px_raw_load_u32(const void *from, uint32_t *value): 0, or not 0 after a fault */
    .globl px_raw_load_u32
    .type px_raw_load_u32, @function
px_raw_load_u32:
    lea string_bad(%rip), %r9
    mov (%rdi), %eax
    mov %eax, (%rsi)
    xor %eax, %eax
    ret
    .size px_raw_load_u32, . - px_raw_load_u32

    /* int px_raw_swap_u32(void *at, uint32_t *value, uint32_t next): 0; 1: it was not *value, which is what it was; -1: a fault. And of 64 bits. */
    .macro raw_swap name, seen, next
    .globl \name
    .type \name, @function
\name:
    lea string_bad(%rip), %r9
    mov (%rsi), \seen
    lock cmpxchg \next, (%rdi)
    jne 1f
    xor %eax, %eax
    ret
1:  mov \seen, (%rsi)
    mov $1, %eax
    ret
    .size \name, . - \name
    .endm
    raw_swap px_raw_swap_u32, %eax, %edx
    raw_swap px_raw_swap_u64, %rax, %rdx

    .globl px_guarded_end
px_guarded_end:

    .globl px_guarded_fixup
px_guarded_fixup:
    jmp *%r9
    .section .note.GNU-stack, "", @progbits
