/*
 * An example of a scheduling policy in user space: whoever owns a slice divides it by lottery. (Waldspurger and Weihl, 1994.) The clients are contexts
 * bound to the slice and stopped; for each quantum a ticket is drawn, and whoever holds it is started and stopped again. However it divides, all of them
 * together have what the slice has. The scheduler itself sleeps meanwhile, on its zone's own share. It needs of each context START, of the slice SLICE.
 */
#include "lottery.h"

#include "bare.h"

void lottery_begin(struct lottery *lottery, uint64_t slice, uint64_t quantum_ns, uint64_t seed)
{
    *lottery = (struct lottery){.slice = slice, .quantum_ns = quantum_ns, .state = seed | 1};
}

int64_t lottery_add(struct lottery *lottery, uint64_t context, uint64_t tickets)
{
    int64_t status;

    if (lottery->clients == LOTTERY_MOST)
        return -EXO_E_LIMIT;
    if (tickets == 0 || tickets > LOTTERY_TICKETS)
        return -EXO_E_INVAL;
    status = exo_slice_bind(lottery->slice, context);
    if (status < 0)
        return status;
    lottery->client[lottery->clients++] = (struct lottery_client){context, tickets, 0};
    lottery->tickets += tickets;
    return 0;
}

int64_t lottery_remove(struct lottery *lottery, uint64_t context)
{
    for (unsigned i = 0; i < lottery->clients; i++)
        if (lottery->client[i].context == context) {
            lottery->tickets -= lottery->client[i].tickets;
            lottery->client[i] = lottery->client[--lottery->clients];
            return exo_slice_unbind(context);
        }
    return -EXO_E_INVAL;
}

/* Tickets are handed over between clients, as in the paper: who waits for another may help him. */
int64_t lottery_transfer(struct lottery *lottery, unsigned from, unsigned to, uint64_t tickets)
{
    if (from >= lottery->clients || to >= lottery->clients || lottery->client[from].tickets < tickets)
        return -EXO_E_INVAL;
    lottery->client[from].tickets -= tickets;
    lottery->client[to].tickets += tickets;
    return 0;
}

static uint64_t draw(struct lottery *lottery)
{
    lottery->state ^= lottery->state << 13;
    lottery->state ^= lottery->state >> 7;
    lottery->state ^= lottery->state << 17;
    return (lottery->state >> 11) % lottery->tickets;
}

int64_t lottery_round(struct lottery *lottery)
{
    uint64_t ticket;
    unsigned winner = 0;
    int64_t status;

    if (lottery->tickets == 0)
        return -EXO_E_AGAIN;
    ticket = draw(lottery);
    while (ticket >= lottery->client[winner].tickets)
        ticket -= lottery->client[winner++].tickets;
    status = exo_ctx_start(lottery->client[winner].context);
    if (status < 0)
        return status;
    lottery->client[winner].won++;
    status = exo_wait(NULL, 0, bare_now() + lottery->quantum_ns);
    if (status != -EXO_E_TIMEOUT)
        return status;
    return exo_ctx_stop(lottery->client[winner].context);
}
