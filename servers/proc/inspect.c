/* Who may look at which environment, and what he is told. Labels keep a program from looking at the servers by itself, so proc does it for root. */
#include <exo/string.h>

#include "proc.h"

/* As for signals: root, or the same user. */
static bool may_look(uint32_t caller, uint32_t index)
{
    const struct process *from = &processes[caller], *to = &processes[index];

    return caller == index || from->euid == 0 || (from->euid == to->uid && from->euid == to->suid);
}

int64_t inspect(uint32_t caller, int32_t pid)
{
    uint32_t index = pid == 0 ? caller : table_find_seen(caller, pid);
    struct px_inspect answer = {0};
    int64_t status;

    if (!index || index == INIT || !is_alive(index) || processes[index].lent)
        return -ESRCH;
    if (!may_look(caller, index))
        return -EPERM;
    status = machine_inspect(index, &answer);
    if (status == 0)
        memcpy(machine_message(caller), &answer, sizeof(answer));
    return status;
}

int64_t inspect_server(uint32_t caller, uint64_t who)
{
    struct px_inspect answer = {0};
    int64_t status;

    if (processes[caller].euid != 0 || processes[caller].zone != 0)
        return -EPERM;
    status = machine_inspect_server(who, &answer);
    if (status == 0)
        memcpy(machine_message(caller), &answer, sizeof(answer));
    return status;
}
