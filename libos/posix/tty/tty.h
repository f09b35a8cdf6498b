/*
 * Terminals from the client's side. A description of kind PX_OFD_TTY has in word[0] tty's handle and in word[1] the slot of the capability that stands
 * for the open (proto/tty.h); fork copies the capability to the same slot, so tty's count is right whatever happens to a process. Relatives
 * share the description and may write nonsense into it: tty checks the handle, and the index taken from it here is masked.
 */
#ifndef PX_TTY_CLIENT_H
#define PX_TTY_CLIENT_H
#include "fd/fd.h"

#include "proto/termios.h"
#include "proto/tty.h"

static inline unsigned px_tty_index(const struct px_ofd *ofd)
{
    return PX_TTY_HANDLE_INDEX(ofd->word[0]) % PX_TTYS_MAX;
}
static inline bool px_tty_is_master(const struct px_ofd *ofd)
{
    return ofd->word[0] & PX_TTY_MASTER;
}
/* The word that changes when something can go on. */
static inline const uint32_t *px_tty_word(const struct px_ofd *ofd)
{
    const struct px_ttypage *page = (const struct px_ttypage *)PX_TTYPAGE;

    return &page->tty[px_tty_index(ofd) + (px_tty_is_master(ofd) ? PX_TTYS_MAX : 0)].seq;
}
/* 1 if this process blocks or ignores the signal, which job control must know. */
static inline uint64_t px_tty_ignores(int signal)
{
    return ((px_ppage()->sig_blocked | px_ppage()->sig_ignored) & PX_SIGBIT(signal)) != 0;
}

/* A call about this description: word 1 is filled in. Shows the capability when tty asks for it. Word 0 of the answer. */
int64_t px_tty_call(struct px_ofd *ofd, struct exo_message *message);

/* A description that came from another process: shows its capability. -EIO: that is not the terminal's. */
int64_t px_tty_adopt(struct px_ofd *ofd);

int64_t px_tty_ioctl(struct px_ofd *ofd, uint64_t request, uint64_t argument);

#endif
