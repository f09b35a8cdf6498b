/*
 * memcpy and memset, with plain moves: under TCG a round of eight takes 0.6 of the time of eight steps of rep movsq, and half of that of
 * rep stosq. Short ones are done in steps of eight bytes and then by the bits of what is left.
 */
    .section .text.hot.memory, "ax", @progbits
    .globl memcpy
    .type memcpy, @function
memcpy:
    mov %rdi, %rax
    cmp $64, %rdx
    jb 2f
1:  .irp offset, 0, 8, 16, 24, 32, 40, 48, 56
    mov \offset(%rsi), %rcx
    mov %rcx, \offset(%rdi)
    .endr
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    cmp $64, %rdx
    jae 1b
2:  cmp $8, %edx
    jb 4f
3:  mov (%rsi), %rcx
    mov %rcx, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %edx
    cmp $8, %edx
    jae 3b
4:  test $4, %dl
    jz 5f
    mov (%rsi), %ecx
    mov %ecx, (%rdi)
    add $4, %rsi
    add $4, %rdi
5:  test $2, %dl
    jz 6f
    movzwl (%rsi), %ecx
    mov %cx, (%rdi)
    add $2, %rsi
    add $2, %rdi
6:  test $1, %dl
    jz 7f
    movzbl (%rsi), %ecx
    mov %cl, (%rdi)
7:  ret
    .size memcpy, . - memcpy

    .globl memset
    .type memset, @function
memset:
    mov %rdi, %rax
    movzbl %sil, %esi
    movabs $0x0101010101010101, %rcx
    imul %rsi, %rcx
    cmp $64, %rdx
    jb 2f
1:  .irp offset, 0, 8, 16, 24, 32, 40, 48, 56
    mov %rcx, \offset(%rdi)
    .endr
    add $64, %rdi
    sub $64, %rdx
    cmp $64, %rdx
    jae 1b
2:  cmp $8, %edx
    jb 4f
3:  mov %rcx, (%rdi)
    add $8, %rdi
    sub $8, %edx
    cmp $8, %edx
    jae 3b
4:  test $4, %dl
    jz 5f
    mov %ecx, (%rdi)
    add $4, %rdi
5:  test $2, %dl
    jz 6f
    mov %cx, (%rdi)
    add $2, %rdi
6:  test $1, %dl
    jz 7f
    mov %cl, (%rdi)
7:  ret
    .size memset, . - memset
    .section .note.GNU-stack, "", @progbits
