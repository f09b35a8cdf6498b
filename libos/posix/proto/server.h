/*
 * How rs starts fs, proc and tty: the start page (address in RDI of exo_main) tells a server its slots and what it was given.
 */
#ifndef PX_PROTO_SERVER_H
#define PX_PROTO_SERVER_H
#include <stdint.h>

struct px_server_start {
    uint32_t version; /* 1 */
    uint32_t pad;
    /* slots; 0: not given */
    uint64_t self, ctx, zone;  /* own environment and context; the servers' zone */
    uint64_t endpoint;         /* own endpoint, RECV and MINT */
    uint64_t proc, fs, tty;    /* the other servers' endpoints: CALL and NOTIFY, badge PX_SERVER_BADGE(who) */
    uint64_t machine;          /* tty: DEVICE, IRQ, POWER, CONSOLE; proc: POWER. fs: 0 */
    uint64_t info_frame;       /* the kernel's info page */
    /* proc only: unbadged endpoints with MINT, to give to processes; the zone for processes; the libOS image */
    uint64_t mint_proc, mint_fs, mint_tty;
    uint64_t process_zone;     /* CHARGE: environments of processes */
    uint64_t env_fs, env_tty;  /* the other servers' environments (MAP): proc maps clients' pages there (layout.h: PX_CLIENT_*) */
    uint64_t env_proc;         /* fs and tty: proc's environment (MAP), to share the metadata / tty page with it for processes */
    uint64_t posix_va, posix_bytes;  /* proc only: the libOS ELF file, mapped read-only */
    uint64_t archive_va, archive_bytes; /* fs only: the cpio archive, mapped read-write; fs owns these frames */
    uint64_t command_line_va;  /* NUL-terminated */
    uint64_t free_va;          /* first address that is free for the server's own use */
    uint64_t info_va;          /* info page, mapped */
    uint64_t frames_total;
};
#define PX_SERVER_BADGE(who) (0xffff0000ul | (who))
enum px_server { PX_SERVER_RS = 1, PX_SERVER_PROC, PX_SERVER_FS, PX_SERVER_TTY };

/* Notification bits between servers (exo_ep_notify). */
#define PX_NOTE_PROCESS 1u /* proc to fs, tty: the process table changed: processes ended or sessions did */
#define PX_NOTE_FIRST_DONE 2u /* proc to tty: the first process has ended (px_proctab.first_done) */

/* Server i's metadata is in processes at PX_META (fs), PX_PROCTAB (proc), PX_TTYPAGE (tty). proc maps PX_PROCTAB itself. fs and tty
 * share their pages into proc's environment at start: fs at PX_META, tty at PX_TTYPAGE, read-only; proc passes them on to each first
 * process; fork shares them; when fs grows the metadata, a process that faults there calls PX_FS_META and fs maps it
 * (env capability: fs receives each client's environment from proc with PX_PROC_... see below). */

/* proc to fs and tty, when a process is made (word 0 = PX_SERVER_CLIENT, w1 badge, w2 uid; w4 capability to its environment with MAP);
 * its process and message pages are by then mapped at PX_CLIENT_PPAGE/MSG(index). Answer w0 0. */
#define PX_SERVER_CLIENT 0x7001u

#endif
