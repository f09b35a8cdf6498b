/*
 * The POSIX side: a process that lends its child a console. The child leaves POSIX for a library OS of its own.
 *     ./exo run ./build/release/examples/smallos
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "smallos.h"

#include <exo/fast.h>

extern char __executable_start[], end[];

/* Pages that POSIX's library OS would have brought in when they are touched must be there before it is left. */
static void touch(const volatile char *from, const volatile char *to)
{
    for (; from < to; from += PAGE)
        (void)*from;
}

int main(int words, char **word)
{
    char *console = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int64_t endpoint = exo_ep_create(), status;
    struct exo_message message = {0};
    pid_t child;

    if (console == MAP_FAILED || endpoint < 0)
        return 1;
    child = fork();
    if (child == 0) {
        *(volatile char *)console = 0;
        touch(__executable_start, end);
        small_start(words > 1 && !strcmp(word[1], "stray") ? stray : program, (uint64_t)endpoint, console);
    }
    status = exo_fast_wait((uint64_t)endpoint, &message, EXO_DEADLINE_NEVER);
    while (status == 0 && write(STDOUT_FILENO, console, message.word[0] <= PAGE ? message.word[0] : 0) >= 0 && !message.word[1])
        status = exo_fast_reply_wait((uint64_t)endpoint, &message);
    (void)!exo_ep_reply(0, 0, 0, 0, 0);
    return waitpid(child, NULL, 0) != child;
}
