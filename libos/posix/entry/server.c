/* Talking to the servers, and sleeping. Sleep ends early for a signal that the program must see; the event bits that announced it are taken here and
 * remembered in exit_work. */
#include "fd/rank.h"
#include "px_arch.h"

static int64_t finish_call(int64_t status, const struct exo_message *message)
{
    if (status < 0)
        return -EIO;
    return (int64_t)message->word[0];
}

PX_HOT PX_APART int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    return finish_call(exo_ep_call(server, message), message);
}

int64_t px_call_server_cap(enum px_slot server, struct exo_message *message)
{
    return finish_call(exo_ep_call_cap(server, message), message);
}

bool px_signal_waiting(void)
{
    if (!(px_signal_ready() & ~px_ppage()->sig_ignored))
        return false;
    px_thread()->exit_work |= PX_WORK_SIGNALS;
    return true;
}

/* The program's words must be there to be slept on: a page of zeros may just have been given away. */
__attribute__((noinline)) static void bring_back(const struct exo_predicate *predicates, unsigned count)
{
    uint32_t value;

    for (unsigned i = 0; i < count; i++)
        if (predicates[i].kind == EXO_WAIT_WORD && predicates[i].va < PX_PROG_HI && px_load_u32(predicates[i].va, &value) < 0)
            return; /* lost: exo_wait will say so */
}

PX_HOT int64_t px_wait(const struct exo_predicate *predicates, unsigned count, uint64_t deadline_ns)
{
    const struct px_thread *thread = px_thread();
    const uint32_t *pending = &px_upage()->pending;

    px_rank_sleeping();
    for (;;) {
        int64_t result;

        if (__builtin_expect(__atomic_load_n(pending, __ATOMIC_RELAXED) | thread->events, 0) && px_take_events())
            bring_back(predicates, count);
        if (px_thread_attend())
            return -PX_ERESTARTSYS;
        if (__builtin_expect((__atomic_load_n(&px_ppage()->sig_pending, __ATOMIC_SEQ_CST) | thread->pending) & ~thread->kept.blocked, 0) &&
            px_signal_waiting())
            return -PX_ERESTARTSYS;
        result = px_sleep(predicates, count, deadline_ns);
        if (result >= 0)
            return result;
        switch (-result) {
        case EXO_E_EVENT: break; /* look at it */
        case EXO_E_TIMEOUT: return -ETIMEDOUT;
        case EXO_E_FAULT: return -EFAULT;
        default: return -EINVAL;
        }
    }
}

PX_HOT int64_t px_wait_word(const uint32_t *word, uint32_t value, uint64_t deadline_ns)
{
    const struct exo_predicate predicate = {(uint64_t)word, value, EXO_WAIT_WORD};

    return px_wait(&predicate, 1, deadline_ns);
}
