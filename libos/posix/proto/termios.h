/*
 * Linux's terminal settings and the terminal requests of ioctl(2), as far as tty and the libOS's terminal file use them. Values and layouts are
 * the x86-64 ABI's (asm-generic/termbits.h, asm-generic/ioctls.h). Names carry PX_ so that a host test can include the C library's as well.
 */
#ifndef PX_PROTO_TERMIOS_H
#define PX_PROTO_TERMIOS_H
#include <stdint.h>

#define PX_TERMIOS_CONTROLS 19u

/* struct termios2 of the kernel; its first 36 bytes are the kernel's struct termios. */
struct px_termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line;
    uint8_t control[PX_TERMIOS_CONTROLS];
    uint32_t input_speed, output_speed;
};
_Static_assert(sizeof(struct px_termios) == 44, "struct termios2");
#define PX_TERMIOS_BYTES 36u  /* TCGETS, TCSETS */
#define PX_TERMIOS2_BYTES 44u /* TCGETS2, TCSETS2 */

/* struct termio: the oldest form, with 16-bit flags and 8 control characters. */
struct px_termio {
    uint16_t iflag, oflag, cflag, lflag;
    uint8_t line;
    uint8_t control[8];
    uint8_t pad;
};
_Static_assert(sizeof(struct px_termio) == 18, "struct termio");

struct px_winsize {
    uint16_t rows, columns, xpixel, ypixel;
};

enum px_control {
    PX_VINTR, PX_VQUIT, PX_VERASE, PX_VKILL, PX_VEOF, PX_VTIME, PX_VMIN, PX_VSWTC, PX_VSTART, PX_VSTOP, PX_VSUSP, PX_VEOL,
    PX_VREPRINT, PX_VDISCARD, PX_VWERASE, PX_VLNEXT, PX_VEOL2,
};

/* iflag */
#define PX_IGNBRK 0000001u
#define PX_BRKINT 0000002u
#define PX_IGNPAR 0000004u
#define PX_PARMRK 0000010u
#define PX_INPCK 0000020u
#define PX_ISTRIP 0000040u
#define PX_INLCR 0000100u
#define PX_IGNCR 0000200u
#define PX_ICRNL 0000400u
#define PX_IUCLC 0001000u
#define PX_IXON 0002000u
#define PX_IXANY 0004000u
#define PX_IXOFF 0010000u
#define PX_IMAXBEL 0020000u
#define PX_IUTF8 0040000u
/* oflag */
#define PX_OPOST 0000001u
#define PX_OLCUC 0000002u
#define PX_ONLCR 0000004u
#define PX_OCRNL 0000010u
#define PX_ONOCR 0000020u
#define PX_ONLRET 0000040u
#define PX_TABDLY 0014000u
#define PX_XTABS 0014000u
/* cflag */
#define PX_CBAUD 0010017u
#define PX_B38400 0000017u
#define PX_BOTHER 0010000u
#define PX_CSIZE 0000060u
#define PX_CS8 0000060u
#define PX_CREAD 0000200u
#define PX_PARENB 0000400u
#define PX_HUPCL 0002000u
/* lflag */
#define PX_ISIG 0000001u
#define PX_ICANON 0000002u
#define PX_ECHO 0000010u
#define PX_ECHOE 0000020u
#define PX_ECHOK 0000040u
#define PX_ECHONL 0000100u
#define PX_NOFLSH 0000200u
#define PX_TOSTOP 0000400u
#define PX_ECHOCTL 0001000u
#define PX_ECHOPRT 0002000u
#define PX_ECHOKE 0004000u
#define PX_IEXTEN 0100000u
#define PX_EXTPROC 0200000u

/* Requests. */
#define PX_TCGETS 0x5401u
#define PX_TCSETS 0x5402u
#define PX_TCSETSW 0x5403u
#define PX_TCSETSF 0x5404u
#define PX_TCGETA 0x5405u
#define PX_TCSETA 0x5406u
#define PX_TCSETAW 0x5407u
#define PX_TCSETAF 0x5408u
#define PX_TCSBRK 0x5409u
#define PX_TCXONC 0x540au
#define PX_TCFLSH 0x540bu
#define PX_TIOCEXCL 0x540cu
#define PX_TIOCNXCL 0x540du
#define PX_TIOCSCTTY 0x540eu
#define PX_TIOCGPGRP 0x540fu
#define PX_TIOCSPGRP 0x5410u
#define PX_TIOCOUTQ 0x5411u
#define PX_TIOCSTI 0x5412u
#define PX_TIOCGWINSZ 0x5413u
#define PX_TIOCSWINSZ 0x5414u
#define PX_FIONREAD 0x541bu
#define PX_TIOCPKT 0x5420u
#define PX_FIONBIO 0x5421u
#define PX_TIOCNOTTY 0x5422u
#define PX_TIOCSETD 0x5423u
#define PX_TIOCGETD 0x5424u
#define PX_TCSBRKP 0x5425u
#define PX_TIOCSBRK 0x5427u
#define PX_TIOCCBRK 0x5428u
#define PX_TIOCGSID 0x5429u
#define PX_TCGETS2 0x802c542au
#define PX_TCSETS2 0x402c542bu
#define PX_TCSETSW2 0x402c542cu
#define PX_TCSETSF2 0x402c542du
#define PX_TIOCGLCKTRMIOS 0x5456u
#define PX_TIOCSLCKTRMIOS 0x5457u
#define PX_TIOCGPTN 0x80045430u
#define PX_TIOCSPTLCK 0x40045431u
#define PX_TIOCGDEV 0x80045432u
#define PX_TIOCVHANGUP 0x5437u
#define PX_TIOCGPKT 0x80045438u
#define PX_TIOCGPTLCK 0x80045439u
#define PX_TIOCGEXCL 0x80045440u
#define PX_TIOCGPTPEER 0x5441u
#define PX_TIOCSIG 0x40045436u

/* The first byte that a master in packet mode (TIOCPKT) reads: what follows is output, or nothing follows and this has happened. */
#define PX_PACKET_DATA 0u
#define PX_PACKET_FLUSH_READ 1u
#define PX_PACKET_FLUSH_WRITE 2u
#define PX_PACKET_STOP 4u
#define PX_PACKET_START 8u
#define PX_PACKET_NO_STOP 16u /* ^S and ^Q are not, or are again, what stops and starts */
#define PX_PACKET_DO_STOP 32u
#define PX_PACKET_IOCTL 64u

#endif
