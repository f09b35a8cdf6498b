/* The first process's descriptors: its standard streams are rings whose far end tty holds, or the console
 * terminal (link.h). */
#include "fd.h"

#include "proto/link.h"
#include "proto/tty.h"
#include "strace.h"

/* The ring moves from the boot arguments to where all rings lie, so that fork and close treat it like any
 * other. */
static int64_t open_ring(const struct px_bootargs *boot, unsigned stream, struct px_ofd **ofd)
{
    uint64_t from = (uint64_t)boot + PX_BOOTARGS_PIPE(stream) * PX_PAGE;
    uint64_t va = px_shared_reserve(PX_PIPE_PAGES);

    if (!va)
        return -ENOMEM;
    if (exo_share_all(PX_SLOT_SELF, va, from, PX_PIPE_PAGES,
                      EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE) != 0) {
        px_shared_release(va, PX_PIPE_PAGES);
        return -ENOMEM;
    }
    return px_pipe_adopt(va, stream != 0, 0, ofd);
}

static void start_stream(const struct px_bootargs *boot, unsigned stream, int *terminal)
{
    struct px_ofd *ofd;
    int64_t result;

    if (boot->flags & (PX_HELLO_TTY0 << stream)) {
        if (*terminal >= 0) {
            (void)px_fd_dup(*terminal, 0, false);
            return;
        }
        result = px_tty_open(PX_TTY_CONSOLE, O_RDWR, &ofd);
    } else {
        result = open_ring(boot, stream, &ofd);
    }
    if (result < 0)
        return; /* a stream less: the program sees EBADF, as if it had been started without */
    result = px_fd_place(ofd, stream, false);
    if (result >= 0 && boot->flags & (PX_HELLO_TTY0 << stream))
        *terminal = (int)stream;
}

void px_fd_start_none(void)
{
    px_lock_start();
    px_record_start();
    px_board_start();
}

void px_fd_start(void)
{
    const struct px_bootargs *boot = (const struct px_bootargs *)PX_BOOTARGS;
    int terminal = -1;

    px_fd_start_none();
    for (unsigned stream = 0; stream < 3; stream++)
        start_stream(boot, stream, &terminal);
    px_strace_on = boot->flags & PX_STRACE_WAYS;
    px_missing_wanted = boot->flags & (PX_HELLO_STRACE | PX_HELLO_MISSING);
}
