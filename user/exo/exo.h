/* The subcommands of exo, and what they share. Each returns the exit status; argv[0] is its own name. */
#ifndef EXO_COMMAND_H
#define EXO_COMMAND_H
#include <stdint.h>
#include <sys/types.h>

#define EXO_USAGE 2
#define EXO_FAILED 125
#define EXO_STREAMS 3

int exo_audit(int argc, char **argv);
int exo_caps(int argc, char **argv);
int exo_reclaim(int argc, char **argv);
int exo_top(int argc, char **argv);
int exo_zone(int argc, char **argv);

struct exo_process {
    int pid, ppid, group;
    char state, name[17];
};
/* Those that this process sees: how many were put into the list. */
unsigned exo_processes(struct exo_process *list, unsigned most);

/* proc's answer to a call: 0 or a negative errno. words[0] is the operation; the answer's other words replace them. */
int64_t ask_proc(uint64_t words[5]);

/*
 * Processes that carry the standard streams to and from the rings in the block of boot arguments at `block`. relay_start forks the one of a stream
 * and returns its pid; relay_finish lets those of the output carry what is there and end.
 */
pid_t relay_start(void *block, unsigned stream);
void relay_finish(const pid_t relays[EXO_STREAMS]);

#endif
