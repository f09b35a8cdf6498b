/*
 * A service that finds the smallest factor of a number, for as many callers at a time as there are: a child opens the door, three others call. A call
 * that has no time to wait says so.
 *     ./exo run ./build/release/examples/door
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exo/calls.h>
#include <exo/door.h>

#include "layout.h" /* PX_SLOT_*: what every process has */

/* Runs in several threads at once, and makes no system call. */
static int64_t factor(void *unused, struct exo_door_call *call)
{
    uint64_t number = call->word[0], divisor = 2;

    (void)unused;
    if (number < 2)
        return -EXO_E_INVAL;
    while (number % divisor && divisor * divisor <= number)
        divisor++;
    call->word[0] = number % divisor ? number : divisor;
    return 0;
}

static int serve(uint64_t endpoint)
{
    static struct exo_door door;

    door = (struct exo_door){.endpoint = endpoint, .env = PX_SLOT_SELF, .stack_pages = 4, .threads = 4, .room = 4, .serve = factor};
    door.va = (uint64_t)mmap(NULL, exo_door_bytes(&door), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (exo_door_open(&door) < 0)
        return 1;
    for (;;)
        pause();
}

/* 0 if the door finds 1009 in products of it and a larger prime, and refuses what makes no sense. */
static int call(uint64_t endpoint)
{
    struct exo_door_call question;

    for (uint64_t i = 0; i < 100; i++) {
        question = (struct exo_door_call){.word = {1009ul * 1000003}};
        if (exo_door_call(endpoint, &question, EXO_DEADLINE_NEVER) != 0 || question.word[0] != 1009)
            return 1;
    }
    question = (struct exo_door_call){.word = {1}};
    return exo_door_call(endpoint, &question, EXO_DEADLINE_NOW) != -EXO_E_INVAL;
}

int main(void)
{
    int64_t endpoint = exo_ep_create(), bad = 0;
    pid_t server, callers[3];
    int status;

    if (endpoint < 0)
        return 1;
    server = fork();
    if (server == 0)
        return serve((uint64_t)endpoint);
    for (int i = 0; i < 3; i++) {
        callers[i] = fork();
        if (callers[i] == 0)
            return call((uint64_t)endpoint);
    }
    for (int i = 0; i < 3; i++)
        bad |= waitpid(callers[i], &status, 0) < 0 || status;
    printf("three callers: %s\n", bad ? "something was wrong" : "all answers are right");
    kill(server, 9);
    return bad != 0;
}
