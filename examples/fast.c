/*
 * A counter that several processes add to: a server answers calls, and tells of a notification that came in between. Then it is killed while it serves.
 *     ./exo run ./build/release/examples/fast
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exo/fast.h>

#include "layout.h" /* PX_SLOT_*: what every process has */

enum { ADD = 1, STALL }; /* word 0 */

/* word 1: how much; the answer: word 0 the sum, word 1 the bits that were sent. */
static int serve(uint64_t endpoint)
{
    struct exo_message message = {0};
    uint64_t sum = 0, bits = 0;
    int64_t status = exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER);

    while (status == 0) {
        if (!exo_fast_is_call(&message) && !message.sent) {
            bits |= message.word[1];
            status = exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER);
            continue;
        }
        if (message.sent) { /* nobody waits */
            sum += message.word[1];
            status = exo_fast_wait(endpoint, &message, EXO_DEADLINE_NEVER);
            continue;
        }
        exo_message_refuse(&message); /* a capability that nobody asked for */
        if (message.word[0] == STALL)
            pause();
        sum += message.word[1];
        message = (struct exo_message){.word = {sum, bits}};
        status = exo_fast_reply_wait(endpoint, &message);
    }
    return 1;
}

int main(void)
{
    struct exo_message message = {0};
    int64_t endpoint = exo_ep_create(), caller, status = 0;
    pid_t server;

    if (endpoint < 0)
        return 1;
    server = fork();
    if (server == 0)
        return serve((uint64_t)endpoint);
    /* Of the parent's own only the rights to call and to send are kept: so the server is the only one who can receive, and a call notices its end. */
    caller = exo_cap_derive(PX_SLOT_SELF, 0, (uint64_t)endpoint, EXO_RIGHT_CALL | EXO_RIGHT_SEND | EXO_RIGHT_NOTIFY, 0, EXO_DEADLINE_NEVER);
    if (caller < 0 || exo_cap_delete((uint64_t)endpoint) < 0 || exo_fast_send((uint64_t)caller, 4) < 0)
        return 1;
    for (uint64_t i = 1; i <= 1000 && status == 0; i++) {
        message = (struct exo_message){.word = {ADD, i}};
        status = exo_fast_call((uint64_t)caller, &message);
    }
    printf("1 to 1000: %lu, bits %lu\n", (unsigned long)message.word[0], (unsigned long)message.word[1]);
    message = (struct exo_message){.word = {ADD, 500}};
    if (status < 0 || exo_fast_send_until((uint64_t)caller, &message, EXO_DEADLINE_NEVER) < 0) /* goes on when the server has it */
        return 1;
    message = (struct exo_message){.word = {ADD, 0}};
    status = exo_fast_call((uint64_t)caller, &message);
    printf("with 500 that were sent: %lu\n", (unsigned long)message.word[0]);
    if (status < 0 || fflush(stdout) != 0)
        return 1;
    if (fork() == 0) {
        usleep(10000);
        return kill(server, SIGKILL);
    }
    message = (struct exo_message){.word = {STALL}};
    status = exo_fast_call((uint64_t)caller, &message);
    printf("the server was killed: %s\n", status == -EXO_E_PEER ? "its caller knows" : "?");
    return status != -EXO_E_PEER;
}
