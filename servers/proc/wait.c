/* What a parent is told about its children. */
#include "proc.h"

#define WUNTRACED 2u
#define WEXITED 4u
#define WCONTINUED 8u
#define WNOWAIT 0x01000000u
#define WALL 0x40000000u
#define WCLONE 0x80000000u /* those whose end is told by another signal than SIGCHLD */

static bool is_of_kind(uint32_t child, uint64_t options)
{
    return options & WALL || (processes[child].exit_signal != SIGCHLD) == ((options & WCLONE) != 0);
}

static bool matches(uint32_t parent, uint32_t child, int32_t pid)
{
    const struct process *process = &processes[child];

    if (process->state == PX_FREE || process->parent != parent)
        return false;
    if (pid > 0)
        return process->pid == pid;
    if (pid == 0)
        return process->pgid == processes[parent].pgid;
    return pid == -1 || process->pgid == -(int64_t)pid;
}

/* Something to tell, of the kinds asked for. */
static bool has_news(uint32_t child, uint64_t options)
{
    const struct process *process = &processes[child];

    return (process->state == PX_ZOMBIE && options & WEXITED) || (process->stop_news && options & WUNTRACED) ||
           (process->continue_news && options & WCONTINUED);
}

static void take_news(uint32_t child, uint64_t options, struct wait_answer *answer)
{
    struct process *process = &processes[child];

    answer->pid = process->pid;
    answer->uid = process->uid;
    if (process->state == PX_ZOMBIE) {
        answer->status = process->status;
        answer->spent = proc_spent_both(child);
        if (!(options & WNOWAIT)) {
            life_reap(child);
            answer->children--;
        }
    } else if (process->stop_news && options & WUNTRACED) {
        answer->status = process->status;
        process->stop_news = process->stop_news && options & WNOWAIT;
    } else {
        answer->status = STATUS_CONTINUED;
        process->continue_news = process->continue_news && options & WNOWAIT;
    }
}

int64_t wait_child(uint32_t parent, int32_t pid, uint64_t options, struct wait_answer *answer)
{
    uint32_t found = 0;
    bool any = false;

    *answer = (struct wait_answer){0};
    any = trace_wait(parent, pid, options, answer);
    for (uint32_t child = INIT + 1; child < table_end(); child++) {
        if (processes[child].state == PX_FREE || processes[child].parent != parent || !is_of_kind(child, options))
            continue;
        answer->children++;
        if (has_news(child, ~0ul)) {
            if (found || answer->pid || !matches(parent, child, pid) || !has_news(child, options))
                answer->more = true;
        }
        if (!matches(parent, child, pid))
            continue;
        any = true;
        if (!found && !answer->pid && has_news(child, options))
            found = child;
    }
    if (!any)
        return -ECHILD;
    if (found)
        take_news(found, options, answer);
    return 0;
}
