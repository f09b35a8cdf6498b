/*
 * Descriptions that calls of threads are using while another thread closes the last descriptor that names them: they stay until no call does. A call has
 * at most two by its first arguments, and those that it polls.
 */
#include "entry/thread.h"
#include "fd.h"
#include "hold.h"
#include "poll.h"

#define LEFT_MOST 1024u /* more than there are threads, but for poll */

static struct px_ofd **left; /* closed, but still used: LEFT_MOST, on the heap, because fork copies data at once */
static unsigned left_count;

static bool uses(const struct px_thread *thread, const struct px_ofd *ofd)
{
    if (thread->hold.ofd == ofd || thread->hold.second == ofd)
        return true;
    for (unsigned i = 0; i < thread->hold.count; i++)
        if (thread->hold.items[i].ofd == ofd)
            return true;
    return false;
}

PX_APART static bool in_use(const struct px_ofd *ofd)
{
    for (unsigned number = 0; number < px_threads.made; number++) {
        const struct px_thread *thread = px_thread_number(number);

        if (thread != px_thread() && thread->live && uses(thread, ofd))
            return true;
    }
    return false;
}

void px_hold(struct px_thread *thread, const char *format, uint64_t fd, uint64_t second)
{
    thread->hold.ofd = px_fd_entry((unsigned)fd);
    thread->hold.second = format[1] == 'f' ? px_fd_entry((unsigned)second) : NULL;
}

static void leave_unused(void)
{
    for (unsigned i = 0; i < left_count;) {
        struct px_ofd *ofd = left[i];

        if (in_use(ofd)) {
            i++;
            continue;
        }
        left[i] = left[--left_count];
        px_ofd_leave(ofd);
    }
}

void px_hold_end(struct px_thread *thread)
{
    thread->hold.ofd = thread->hold.second = NULL;
    if (left_count)
        leave_unused();
}

void px_hold_items(const struct px_poll_item *items, unsigned count)
{
    if (!px_threads.many)
        return;
    px_thread()->hold.items = items;
    px_thread()->hold.count = count;
    if (!count && left_count)
        leave_unused();
}

bool px_hold_left(struct px_ofd *ofd)
{
    if (px_fd_exiting)
        return false;
    px_epoll_closed(ofd); /* who sleeps there must not find it, nor another in its place */
    if (!px_threads.many || left_count == LEFT_MOST || !in_use(ofd))
        return false;
    if (!left && !(left = px_alloc(LEFT_MOST * sizeof *left)))
        return false;
    left[left_count++] = ofd;
    return true;
}

struct px_ofd *px_hold_next(unsigned at)
{
    return at < left_count ? left[at] : NULL;
}

void px_hold_forked(void)
{
    while (left_count)
        px_ofd_leave(left[--left_count]);
}
