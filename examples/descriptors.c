/*
 * A broker: a door that opens files for others, who could not. Its caller, who has given up all but user 65534, gets a descriptor of a file that only the
 * broker may read.
 *     ./exo run ./build/release/examples/descriptors
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exo/calls.h>
#include <exo/descriptor.h>
#include <exo/door.h>

#define NAME "/tmp/for-root"

/* Runs in threads of POSIX. The answer's word is a ticket. */
static int64_t broker(void *unused, struct exo_door_call *call)
{
    int fd = open(NAME, O_RDONLY | O_CLOEXEC), status;

    (void)unused;
    status = fd < 0 ? -1 : exo_descriptors_pack(&fd, 1, &call->word[0]);
    close(fd);
    return status;
}

static void *stand(void *thread)
{
    exo_door_stand(thread);
    return NULL;
}

static int64_t start(struct exo_door_thread *thread)
{
    pthread_t id;

    return pthread_create(&id, NULL, stand, thread) ? -EXO_E_NOMEM : pthread_detach(id);
}

static int serve(uint64_t endpoint)
{
    static struct exo_door door;

    door = (struct exo_door){.endpoint = endpoint, .threads = 4, .room = 4, .serve = broker, .start = start};
    if (exo_door_open(&door) < 0)
        return 1;
    for (;;)
        pause();
}

static int call(uint64_t endpoint)
{
    struct exo_door_call question = {.word = {0}};
    char text[64];
    int fd;

    if (setgid(65534) || setuid(65534) || open(NAME, O_RDONLY) >= 0 || errno != EACCES)
        return 1;
    if (exo_door_call(endpoint, &question, EXO_DEADLINE_NEVER) || exo_descriptors_unpack(question.word[0], &fd, 1, O_CLOEXEC) != 1)
        return 1;
    printf("%.*s", (int)read(fd, text, sizeof text), text);
    fflush(stdout);
    return 0;
}

int main(void)
{
    int64_t endpoint = exo_ep_create();
    int file = open(NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600), status;
    pid_t server, caller;

    if (endpoint < 0 || write(file, "for root alone\n", 15) != 15)
        return 1;
    server = fork();
    if (server == 0)
        return serve((uint64_t)endpoint);
    caller = fork();
    if (caller == 0)
        return call((uint64_t)endpoint);
    waitpid(caller, &status, 0);
    kill(server, 9);
    return status != 0;
}
