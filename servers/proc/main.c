/* proc's start and its loop: one message at a time, answered in the same kernel entry that receives the next. */
#include <exo/calls.h>
#include <exo/ipc.h>

#include "machine.h"
#include "proc.h"

_Noreturn void exo_main(const struct px_server_start *start);
_Noreturn void exo_main(const struct px_server_start *start)
{
    struct exo_message message = {0};
    bool answer = false;
    int64_t status;

    if (machine_start(start) < 0 || image_start() < 0)
        __builtin_trap(); /* rs reports the death */
    table_start();
    for (;;) {
        if (life_kills_wait()) {
            const uint64_t *word = message.word;

            if (answer)
                (void)!exo_ep_reply(word[0], word[1], word[2], word[3], word[4]); /* unless the caller is gone */
            answer = false;
            (void)!exo_yield(); /* the killer goes on until it waits or has had its time */
            life_end_killed();
        }
        status = answer ? exo_ep_reply_recv(machine_endpoint(), &message)
                        : exo_ep_recv(machine_endpoint(), &message, EXO_DEADLINE_NEVER);
        answer = status == 0 && serve(&message);
    }
}
