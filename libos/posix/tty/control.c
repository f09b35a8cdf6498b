/* ioctl on terminals: the right structure goes in and out. What a request means is tty's business. */
#include "tty.h"

/* Bytes of the structure that a request takes; 0: its argument is a number, or it only gives. */
static size_t bytes_in(uint32_t request)
{
    switch (request) {
    case PX_TIOCSLCKTRMIOS:
    case PX_TCSETS:
    case PX_TCSETSW:
    case PX_TCSETSF: return PX_TERMIOS_BYTES;
    case PX_TCSETS2:
    case PX_TCSETSW2:
    case PX_TCSETSF2: return PX_TERMIOS2_BYTES;
    case PX_TCSETA:
    case PX_TCSETAW:
    case PX_TCSETAF: return sizeof(struct px_termio);
    case PX_TIOCSWINSZ: return sizeof(struct px_winsize);
    case PX_TIOCSPGRP:
    case PX_TIOCSPTLCK:
    case PX_TIOCPKT:
    case PX_TIOCSETD: return sizeof(int32_t);
    default: return 0;
    }
}

/* The other side of this master, as a new descriptor. */
static int64_t open_peer(struct px_ofd *master, unsigned flags)
{
    struct px_ofd *ofd;
    int64_t result;

    if (!px_tty_is_master(master))
        return -EIO;
    result = px_tty_open(px_tty_index(master), flags & (O_ACCMODE | O_NOCTTY | O_NONBLOCK), &ofd);
    if (result < 0)
        return result;
    result = px_fd_install(ofd, 0, flags & O_CLOEXEC);
    if (result < 0)
        px_ofd_leave(ofd);
    return result;
}

int64_t px_tty_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument)
{
    uint32_t number = (uint32_t)request;
    size_t in = bytes_in(number);
    uint8_t structure[64];

    if (number == PX_TIOCGPTPEER)
        return open_peer(ofd, (unsigned)argument);
    if (in && px_copy_in(structure, argument, in) != 0)
        return -EFAULT;
    for (;;) {
        struct exo_message message = {.word = {PX_TTY_IOCTL, 0, number, argument, px_tty_ignores(SIGTTOU)}};
        int64_t result;

        memcpy(px_msg(), structure, in);
        result = px_tty_call(ofd, &message);
        if (result == -EAGAIN) { /* output is to be shown first */
            result = px_wait_word(px_tty_word(ofd), (uint32_t)message.word[1], PX_DEADLINE_NEVER);
            if (result < 0)
                return result;
            continue;
        }
        if (result < 0 || message.word[1] == 0)
            return result;
        if (message.word[1] > sizeof structure)
            return -EIO;
        memcpy(structure, px_msg(), message.word[1]); /* copying out may need the message page */
        return px_copy_out(argument, structure, message.word[1]) ? -EFAULT : result;
    }
}
