/*
 * The link: what the host command (tools/exo) and tty say to each other on the virtio console port, or on a PC's second serial
 * port (q35), which loses
 * what comes before its driver runs: there the host says nothing until it has the first frame of tty, a CREDIT of 0. Each frame
 * is an 8-byte header (type, three
 * zero bytes, payload length little-endian) and a payload of at most PX_LINK_MAX bytes. Numbers are little-endian.
 */
#ifndef PX_LINK_H
#define PX_LINK_H
#include <stdint.h>

#define PX_LINK_MAX 65536u
#define PX_LINK_VERSION 1u

enum px_link_type {
    /* host to guest */
    PX_LINK_HELLO = 'H',  /* struct px_link_hello, then the strings: cwd, argv.., envp.., each ended by NUL. First frame. May span
                             several frames: further ones of type 'h' continue the payload; `total` says how long it is. */
    PX_LINK_HELLO_MORE = 'h',
    PX_LINK_INPUT = 'I',  /* bytes for the guest's standard input (pipe) or for the console terminal (when stdin is a terminal) */
    PX_LINK_INPUT_END = 'E', /* end of file on standard input */
    PX_LINK_WINSIZE = 'W', /* u16 rows, u16 columns, u16 xpixel, u16 ypixel */
    PX_LINK_SIGNAL = 'S', /* u32 signal, for the first process (host got SIGTERM, ...) */
    /* guest to host */
    PX_LINK_OUTPUT = 'O', /* bytes of standard output (when it is no terminal) */
    PX_LINK_ERROR = 'R',  /* bytes of standard error (when it is no terminal) */
    PX_LINK_TERMINAL = 'T', /* bytes that the console terminal shows */
    PX_LINK_CREDIT = 'C', /* u32: the host may send so many more INPUT bytes. None may be sent before the first CREDIT. */
    PX_LINK_LOG = 'L',    /* text for the host's stderr: strace lines, summaries */
    PX_LINK_TRACE = 'D',  /* what was recorded (record.h); before EXIT */
    PX_LINK_EXIT = 'X',   /* u32 wait status of the first process (Linux encoding), or PX_STATUS_GAS. All output has been sent. The guest
                             powers off after it. */
};

struct px_link_hello {
    uint32_t version;
    uint32_t total; /* bytes of header and strings together */
    uint32_t flags; /* PX_HELLO_* */
    uint16_t rows, columns;
    uint32_t argc, envc;
};
#define PX_HELLO_TTY0 1u   /* standard input is a terminal */
#define PX_HELLO_TTY1 2u
#define PX_HELLO_TTY2 4u
#define PX_HELLO_STRACE 8u /* trace the calls of the first process and its descendants */
#define PX_HELLO_ZONE(flags) ((flags) >> 8 & 0xffu) /* label + 1: run the command in a zone of its own with that label */
#define PX_HELLO_MISSING 16u /* at exit print what was called and is missing */
#define PX_HELLO_NO_REWRITE 32u /* leave the programs' system calls as they are */
#define PX_HELLO_STRACE_SUMMARY 128u /* log a line `exo-call NAME FAILED NANOSECONDS` for each call that returns */
#define PX_HELLO_TRACE 0x10000u /* note calls where the kernel records (record.h) */
#define PX_HELLO_PROFILE 0x20000u /* log lines `exo-image ...` of what code lies where (mm/profile.c) */
#define PX_HELLO_BOOT_CHART 64u /* before the first program runs, log lines `exo-boot MOMENT NANOSECONDS`, from when the TSC was 0 */

/*
 * Given to the first process at PX_BOOTARGS: this header page, then three pipes of PX_PIPE_PAGES pages each (standard input, output, error;
 * unused where the stream is a terminal), then the HELLO payload, in one frame block.
 */
#define PX_BOOTARGS_PIPE(i) (1u + (unsigned)(i) * 17u)  /* page index of stream i's ring */
#define PX_BOOTARGS_HELLO 52u                  /* page index of the HELLO payload */
struct px_bootargs {
    uint32_t version;
    uint32_t flags;       /* PX_HELLO_* */
    uint32_t hello_bytes; /* length of the payload */
    uint32_t pages;       /* of the whole block */
    uint64_t begun_tsc, ready_tsc; /* tty's first instruction, and when it had the HELLO */
};

#endif
