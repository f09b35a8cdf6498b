/* A lottery over the contexts of a slice: see lottery.c, which is an example. The owner keeps the struct, and the capabilities in it. */
#ifndef LOTTERY_H
#define LOTTERY_H
#include <stdint.h>

#define LOTTERY_MOST 32u
#define LOTTERY_TICKETS 1000000u

struct lottery_client {
    uint64_t context, tickets, won;
};

struct lottery {
    uint64_t slice, quantum_ns, state, tickets;
    unsigned clients;
    struct lottery_client client[LOTTERY_MOST];
};

void lottery_begin(struct lottery *lottery, uint64_t slice, uint64_t quantum_ns, uint64_t seed);
/* The context is stopped. */
int64_t lottery_add(struct lottery *lottery, uint64_t context, uint64_t tickets);
int64_t lottery_remove(struct lottery *lottery, uint64_t context);
int64_t lottery_transfer(struct lottery *lottery, unsigned from, unsigned to, uint64_t tickets);
/* One quantum: 0, or why it failed. AGAIN: there is nobody. */
int64_t lottery_round(struct lottery *lottery);

#endif
