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
    uint64_t process_zone;     /* CHARGE, ZONE: environments of processes, zones below */
    uint64_t audit;            /* AUDIT, COPY: proc passes it on to who may read it */
    uint64_t env_fs, env_tty;  /* the other servers' environments (MAP): proc maps clients' pages there (layout.h: PX_CLIENT_*) */
    uint64_t env_proc;         /* fs and tty: proc's environment (MAP), to share the metadata / tty page with it for processes */
    uint64_t posix_va, posix_bytes;  /* proc only: the libOS ELF file, mapped read-only */
    uint64_t archive_va, archive_bytes; /* fs only: the cpio archive, mapped read-write; fs owns these frames */
    uint64_t command_line_va;  /* NUL-terminated */
    uint64_t free_va;          /* first address that is free for the server's own use */
    uint64_t info_va;          /* info page, mapped */
    uint64_t frames_total;
    uint64_t id[6];            /* tty: as struct px_trace_head has them (record.h) */
    uint64_t trace_cpus;       /* tty: that are recorded (record.h) */
};
#define PX_SERVER_BADGE(who) (0xffff0000ul | (who))
enum px_server { PX_SERVER_RS = 1, PX_SERVER_PROC, PX_SERVER_FS, PX_SERVER_TTY };

/* Notification bits between servers (exo_ep_notify). */
#define PX_NOTE_PROCESS 1u /* proc to fs, tty: the process table changed: processes ended or sessions did */
#define PX_NOTE_FIRST_DONE 2u /* proc to tty: the first process has ended (px_proctab.first_done) */

/*
 * Server's public pages are in processes at PX_META (fs), PX_PROCTAB (proc), PX_TTYPAGE (tty). At start fs and tty share theirs, read-only, into
 * proc's environment at the same addresses; proc passes them on to the first process; fork shares them. When fs has grown the
 * metadata, a process that faults there asks fs (PX_FS_META, fs.h), which maps the new pages into it.
 *
 * Client i's process page and message page are frames that proc makes once for each table index and maps at PX_CLIENT_PPAGE/MSG(i) in itself, fs and
 * tty; they are cleared and used again by the next process with that index. proc puts a capability to each process's environment (MAP) into
 * fs's slot PX_CLIENT_SLOT(i, life) and its handle into px_proc.fs_env, before the process starts. Lives take turns in two slots: what is there is dead.
 */
#define PX_CLIENT_SLOT(i, life) (1024u + 2u * (unsigned)(i) + ((unsigned)(life)&1u))

#endif
