/* proc's start and its loop: one message at a time, answered in the same kernel entry that receives the next. */
#include <exo/calls.h>
#include <exo/ipc.h>

#include "machine.h"
#include "proc.h"

_Noreturn void exo_main(const struct px_server_start *start);
_Noreturn void exo_main(const struct px_server_start *start)
{
    uint64_t begun_tsc = exo_arch_cycles();
    struct exo_message message = {0};
    bool answer = false;
    int64_t status;

    if (machine_start(start) < 0 || image_start() < 0 || gas_start(start) < 0)
        __builtin_trap(); /* rs reports the death */
    table_start();
    table->begun_tsc = begun_tsc;
    table->ready_tsc = exo_arch_cycles();
    for (;;) {
        if (life_kills_wait()) {
            const uint64_t *word = message.word;

            if (!answer || !life_is_killed(table_by_badge(message.badge))) { /* who kills itself does not come back */
                if (answer)
                    (void)!exo_ep_reply(word[0], word[1], word[2], word[3], word[4]); /* unless the caller is gone */
                (void)!exo_yield(); /* the killer goes on until it waits or has had its time */
            }
            answer = false;
            life_end_killed();
        }
        if (answer && gas_deadline_ns() != EXO_DEADLINE_NEVER) { /* the call that does both knows no deadline */
            (void)!exo_ep_reply(message.word[0], message.word[1], message.word[2], message.word[3], message.word[4]);
            answer = false;
        }
        status = answer ? exo_ep_reply_recv(machine_endpoint(), &message)
                        : exo_ep_recv(machine_endpoint(), &message, gas_deadline_ns());
        if (status == -EXO_E_TIMEOUT)
            gas_look();
        else if (status == 0 && message.badge == EXO_BADGE_KERNEL && message.word[0] == EXO_NOTE_NOTIFY)
            gas_noted(message.word[1]);
        answer = status == 0 && serve(&message);
    }
}
