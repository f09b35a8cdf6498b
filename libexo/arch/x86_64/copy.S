/*
 * memcpy and memset. Eight bytes a step: under TCG each step of a rep instruction costs the same whatever its width, and
 * rep movsb would be eight times slower.
 */
    .text
    .globl memcpy
    .type memcpy, @function
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    cmp $32, %rdx
    jb 1f
    shr $3, %rcx
    rep movsq
    mov %edx, %ecx
    and $7, %ecx
1:  jrcxz 3f
2:  movzbl (%rsi), %edx
    mov %dl, (%rdi)
    inc %rsi
    inc %rdi
    dec %rcx
    jnz 2b
3:  ret
    .size memcpy, . - memcpy

    .globl memset
    .type memset, @function
memset:
    mov %rdi, %r8
    movzbl %sil, %eax
    movabs $0x0101010101010101, %rcx
    imul %rcx, %rax
    mov %rdx, %rcx
    shr $3, %rcx
    rep stosq
    mov %edx, %ecx
    and $7, %ecx
    rep stosb
    mov %r8, %rax
    ret
    .size memset, . - memset
    .section .note.GNU-stack, "", @progbits
