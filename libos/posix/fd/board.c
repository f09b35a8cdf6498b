/*
 * The board: one page that proc gives all processes of a zone (layout.h), on which each process says
 * which of its first 64 descriptors are open. Only /proc/PID/fd of another process is made from it: nothing
 * may be decided by what stands there.
 */
#include "fd.h"

#define SHOWN 64u

PX_HOT_DATA static uint64_t *board; /* by index in the process table; NULL: there is none */
_Static_assert(PX_PROCS_MAX * sizeof(uint64_t) <= PX_PAGE, "one page");

void px_board_start(void)
{
    board = (uint64_t *)(PX_SHARED + (PX_COMMON_PAGES - 1) * PX_PAGE);
}

static uint64_t *own(void)
{
    uint32_t index = (uint32_t)px_ppage()->index;

    return board && index < PX_PROCS_MAX ? &board[index] : NULL;
}

void px_board_all(void)
{
    uint64_t *mask = own(), open = 0;

    for (unsigned fd = 0; fd < SHOWN && fd < px_fds.high; fd++)
        open |= (uint64_t)(px_fds.entry[fd] != 0) << fd;
    if (mask)
        *mask = open;
}

PX_HOT void px_board_set(unsigned fd, bool open)
{
    uint64_t *mask = own();

    if (mask && fd < SHOWN)
        *mask = (*mask & ~(1ull << fd)) | (uint64_t)open << fd;
}

bool px_board_has(const struct px_proc *process, unsigned fd)
{
    uint64_t index = (uint64_t)(process - PX_PROC(PX_PROCTAB, 0));

    return board && index < PX_PROCS_MAX && fd < SHOWN && board[index] >> fd & 1;
}
