/* The processes that this one sees, from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exo.h"

static bool read_stat(int pid, struct exo_process *process)
{
    char path[32], line[512], *name, *end;
    FILE *file;
    bool good;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return false;
    good = fgets(line, sizeof line, file) && (name = strchr(line, '(')) && (end = strrchr(line, ')'));
    fclose(file);
    if (!good)
        return false;
    *end = '\0';
    *process = (struct exo_process){.pid = pid};
    snprintf(process->name, sizeof process->name, "%.16s", name + 1);
    return sscanf(end + 2, "%c %d %d", &process->state, &process->ppid, &process->group) == 3;
}

unsigned exo_processes(struct exo_process *list, unsigned most)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;

    while (folder && count < most && (entry = readdir(folder)))
        if (isdigit((unsigned char)entry->d_name[0]) && read_stat(atoi(entry->d_name), &list[count]))
            count++;
    if (folder)
        closedir(folder);
    return count;
}
