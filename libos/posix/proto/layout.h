/*
 * Where things lie in a POSIX process. Shared by the libOS (which lives there) and the servers (which map pages
 * into it). All of the libOS is kept in one 1 GiB region, and what is always used in one 2 MiB region, to need few page tables.
 */
#ifndef PX_LAYOUT_H
#define PX_LAYOUT_H

#define PX_PAGE 4096ul

#define PX_PROG_LO 0x10000ul        /* lowest program address (Linux's mmap_min_addr) */
#define PX_PROG_HI 0x7fef00000000ul /* end of the program's range */
#define PX_STACK_HI (PX_PROG_HI - 10 * PX_PAGE) /* end of the first stack: its last pages meet none that calls and signals use (decision 0041) */

#define PX_WINDOW_LO 0x7fef00000000ul /* windows on file pages */
#define PX_WINDOW_HI 0x7fff00000000ul

/* Not at multiples of 64 pages, where others lie that each call needs: QEMU finds pages by the low bits of their numbers. */
#define PX_PROCTAB 0x7fffe0020000ul /* process table, read-only */
#define PX_PROCTAB_PAGES 128ul /* the table takes 127, the last one is tty's page (tty.h) */
#define PX_META 0x7fffe00a8000ul /* file-system metadata, read-only */
#define PX_META_HI 0x7ffff0000000ul

#define PX_IMAGE 0x7ffff0000000ul    /* libOS text, data, bss */
#define PX_IMAGE_HI 0x7ffff0090000ul
#define PX_HEAP 0x7ffff0090000ul     /* libOS private heap */
#define PX_HEAP_HI 0x7ffff0100000ul

#define PX_PER 0x7ffff0100000ul             /* pages of this process alone, never cloned */
#define PX_UPAGE (PX_PER + 0 * PX_PAGE)     /* context page of the first thread */
#define PX_PPAGE (PX_PER + 1 * PX_PAGE)     /* process page, shared with proc and fs (struct px_ppage) */
#define PX_MSG (PX_PER + 2 * PX_PAGE)       /* message page, shared with proc, fs, tty: strings and structures of calls */
#define PX_INFO (PX_PER + 3 * PX_PAGE)      /* the kernel's info page, read-only (struct exo_info) */
#define PX_LEDGER (PX_PER + 4 * PX_PAGE)    /* what was asked back (struct exo_ledger): there from the first demand on */
#define PX_BELLS (PX_PER + 5 * PX_PAGE)     /* words that the kernel rings by (fd/bells.h): there from the first on */

#define PX_SHARED 0x7ffff0110000ul /* open file descriptions and pipe rings */
#define PX_COMMON_PAGES 5ul /* the first of them: proc's, one set for all processes of a zone (advisory locks, the board) */
#define PX_SHARED_HI 0x7fffff000000ul
#define PX_BIG 0x7fffff000000ul /* large blocks of the libOS's private heap, argument strings during execve; copied on fork */
#define PX_BIG_HI 0x7fffffe00000ul

#define PX_THREADS 0x7fffc0000000ul /* stacks and context pages of all threads but the first: of this process alone, never cloned */
#define PX_THREAD_BYTES (16 * PX_PAGE) /* of each: pages that are never mapped, the stack, the context page */
#define PX_THREAD_STACK_PAGES 8ul
#define PX_THREADS_MAX 512u /* the first one included: as many contexts as the kernel gives an environment */

#define PX_BOOTARGS 0x7fffd0000000ul /* the first process only: struct px_bootargs and the standard streams' rings */

/* In each server's address space: client i's process page and message page. */
#define PX_CLIENTS 0x7fffd8000000ul /* in the GiB that PX_META is in */
#define PX_CLIENT_PPAGE(i) (PX_CLIENTS + (unsigned long)(i) * 2 * PX_PAGE)
#define PX_CLIENT_MSG(i) (PX_CLIENTS + (unsigned long)(i) * 2 * PX_PAGE + PX_PAGE)

/* In proc: the process tables of zones 1.. */
#define PX_ZONE_TABLE(zone) (0x610000000000ul + (unsigned long)(zone) * PX_PROCTAB_PAGES * PX_PAGE)

/* In proc: the common pages of each zone. */
#define PX_ZONE_COMMON(zone) (0x618000000000ul + (unsigned long)(zone) * PX_COMMON_PAGES * PX_PAGE)

/* In proc: pages that it takes when it needs them. */
#define PX_PROC_PAGES 0x61c000000000ul

/* Capability slots that every process starts with (generation 0, so the handle is the index). */
enum px_slot {
    PX_SLOT_SELF = 1, /* own environment: map, create contexts */
    PX_SLOT_CTX = 2,  /* own first context */
    PX_SLOT_PROC = 3, /* endpoint of proc, badged with the process */
    PX_SLOT_FS = 4,
    PX_SLOT_TTY = 5,
    PX_SLOT_ZONE = 6, /* the zone that it is charged to: it may take frames of it, but not make environments */
    PX_SLOT_FIRST_FREE = 7, /* the kernel fills the lowest free slot: fork copies from here on */
};

/* A badge names a process: table index in the low 16 bits, generation above. */
#define PX_BADGE(index, gen) ((unsigned long)(index) | (unsigned long)(gen) << 16)
#define PX_BADGE_INDEX(badge) ((unsigned)((badge) & 0xffff))
#define PX_BADGE_GEN(badge) ((unsigned)((badge) >> 16))

#endif
