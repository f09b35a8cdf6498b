/* proc's start and its loop: one message at a time, answered in the same kernel entry that receives the next. */
#include <exo/calls.h>
#include <exo/ipc.h>

#include "machine.h"
#include "proc.h"

#define KILL_DELAY_NS 500000ull /* the killer may go on for so long before the end is felt */

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
        uint64_t deadline = EXO_DEADLINE_NEVER;

        if (life_kills_wait()) {
            const uint64_t *word = message.word;

            if (answer)
                (void)!exo_ep_reply(word[0], word[1], word[2], word[3], word[4]); /* unless the caller is gone */
            answer = false;
            deadline = machine_now_ns() + KILL_DELAY_NS;
        }
        status = answer ? exo_ep_reply_recv(machine_endpoint(), &message) : exo_ep_recv(machine_endpoint(), &message, deadline);
        if (status == -EXO_E_TIMEOUT)
            life_end_killed();
        answer = status == 0 && serve(&message);
    }
}
