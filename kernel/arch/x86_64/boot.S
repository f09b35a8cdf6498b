/*
 * From the boot loader's 32-bit protected mode to C. PVH (Xen "HVM direct boot") and Multiboot 1 both enter here with paging off; EBX names
 * the information structure.
 */
#include "cpu.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003 /* page-aligned modules, memory map, addresses below are valid */
#define LOW(symbol) (symbol - 0xffffffff80000000)

#ifdef EXO_MULTIBOOT
    .section .boot.header, "ax"
    .balign 4
multiboot_header:
    .long MULTIBOOT_MAGIC
    .long MULTIBOOT_FLAGS
    .long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
    .long multiboot_header
    .long 0x100000
    .long LOW(kernel_load_end)
    .long LOW(kernel_end)
    .long boot_multiboot
#endif

    .section .note.pvh, "a", @note
    .balign 4
    .long 4                 /* name */
    .long 8                 /* description */
    .long 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad boot_pvh

    .section .boot.text, "ax"
    .code32
    .globl boot_pvh
boot_pvh:
    mov $1, %ebp
    jmp 1f
    .globl boot_multiboot
boot_multiboot:
    mov $2, %ebp
1:  cld
    cli
    mov $LOW(boot_stack_end), %esp
    /* Four gigabytes in large pages, at 0, at the direct map and (the first of them) at the kernel's own address. */
    mov $LOW(boot_directories), %edi
    mov $0x83, %eax
    mov $2048, %ecx
2:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 2b
    mov $LOW(boot_directories) + 3, %eax
    mov $LOW(boot_pointers), %edi
    mov $4, %ecx
3:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 3b
    movl $LOW(boot_directories) + 3, LOW(boot_pointers) + 510 * 8
    movl $LOW(boot_pointers) + 3, LOW(boot_root)
    movl $LOW(boot_pointers) + 3, LOW(boot_root) + 511 * 8
    movl $LOW(boot_high), LOW(boot_next)
to_long_mode:
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $LOW(boot_root), %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_SCE | EFER_NXE), %eax
    wrmsr
    mov $(CR0_PG | CR0_WP | CR0_NE | CR0_MP | 1), %eax
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x10, $4f
    .code64
4:  mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov %ebp, %edi
    mov %ebx, %esi
    movabs $0xffffffff80000000, %rax
    add LOW(boot_next), %rax
    jmp *%rax

/* Another CPU, out of real mode: boot_trampoline. */
    .code32
boot_other:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    movl $LOW(boot_other_high), LOW(boot_next)
    jmp to_long_mode

/* Where the other CPUs begin, in real mode; copied to a page below 1 MiB, which CS then names. */
    .code16
    .globl boot_trampoline, boot_trampoline_end
boot_trampoline:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    lgdtl trampoline_gdt_pointer - boot_trampoline
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $0x20, $boot_other
    .balign 4
trampoline_gdt_pointer:
    .word 39
    .long boot_gdt
boot_trampoline_end:

    .section .boot.data, "a"
    .balign 8
boot_gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff /* 0x10: code, 64-bit */
    .quad 0x00cf93000000ffff /* 0x18: data */
    .quad 0x00cf9b000000ffff /* 0x20: code, 32-bit */
boot_gdt_pointer:
    .word 39
    .long boot_gdt

    .text
    .code64
    .cfi_sections .debug_frame
boot_high:
    .cfi_startproc
    .cfi_undefined %rip /* nobody has called it */
    mov $boot_stack_end, %rsp
    xor %ebp, %ebp
    call boot_main
    ud2
    .cfi_endproc
boot_other_high:
    mov kernel_root(%rip), %rax
    mov %rax, %cr3
    mov boot_ap_stack(%rip), %rsp
    xor %ebp, %ebp
    call smp_other_main
    ud2

    .bss
    .balign 4096
    .globl boot_root
boot_root:
    .skip 4096
boot_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096
boot_next:
    .skip 8
    .globl boot_ap_stack
boot_ap_stack:
    .skip 8
    .balign 16
    .globl boot_stack, boot_stack_end
boot_stack:
    .skip 4 * 4096
boot_stack_end:
    .section .note.GNU-stack, "", @progbits
