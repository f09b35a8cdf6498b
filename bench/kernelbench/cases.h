/* kernelbench's cases that have files of their own. Each returns the ticks of `count` operations. */
#ifndef KERNELBENCH_CASES_H
#define KERNELBENCH_CASES_H
#include <exo/state.h>

#include "../../tests/bare/bare.h"

/* Each case returns the ticks of `count` operations; what they need is made before, and taken back after. */
#define TICKS(count, statement)                                                                                        \
    ({                                                                                                                 \
        uint64_t since = exo_arch_cycles();                                                                            \
        for (uint64_t i = 0; i < (count); i++)                                                                         \
            statement;                                                                                                 \
        exo_arch_cycles() - since;                                                                                     \
    })

/* channel.c: a message filled in and sent, one received and read, both in turn. */
uint64_t channel_send(uint64_t count);
uint64_t channel_receive(uint64_t count);
uint64_t channel_turns(uint64_t count);

/* main.c */
uint64_t yield_to(uint64_t count);

/* crowd.c */
uint64_t wake_turns(uint64_t count);
uint64_t wake_turns_crowd(uint64_t count);
uint64_t yield_to_crowd(uint64_t count);

/* switch.c: half of there and back */
uint64_t switch_same(uint64_t count);
uint64_t switch_other(uint64_t count);

/* policies.c: who is next of so many, and a whole decision. */
uint64_t choice_2(uint64_t count);
uint64_t choice_2000(uint64_t count);
uint64_t quantum_2(uint64_t count);
uint64_t quantum_2000(uint64_t count);

#endif
