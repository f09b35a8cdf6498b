/*
 * What processes have used, as getrusage, wait4 and /proc tell it: the most memory that was there at once, and faults; also of children that are gone, and
 * how they went. Runs on Linux as well.
 *
 * guest-test:
 */
#include "thread_help.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB (1l << 20)
#define SLACK (8 * MIB) /* what a program has besides, and what it does not look at */

static char *touch(long bytes)
{
    char *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        exit(97);
    for (long at = 0; at < bytes; at += 4096)
        memory[at] = 1;
    return memory;
}

static bool is_about(long kib, long bytes)
{
    return kib * 1024 >= bytes && kib * 1024 < bytes + SLACK;
}

static struct rusage of(int who)
{
    struct rusage usage = {0};

    if (getrusage(who, &usage) != 0)
        exit(98);
    return usage;
}

/* In KiB. */
static long line_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[200];
    long value = -1;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = atol(line + strlen(name));
    if (file)
        fclose(file);
    return value;
}

enum { FREES, KEEPS, DISCARDS, HAS_CHILD, EXECUTES };

static void child(int what)
{
    char *memory;

    if (what == HAS_CHILD && fork() != 0)
        _exit(wait(NULL) > 0 ? 0 : 1);
    memory = touch(24 * MIB);
    if (what == FREES || what == HAS_CHILD)
        munmap(memory, 24 * MIB);
    if (what == DISCARDS)
        madvise(memory, 24 * MIB, MADV_DONTNEED);
    if (what == EXECUTES)
        execl("/proc/self/exe", "spent", "little", (char *)NULL);
    while (what == KEEPS)
        pause();
    _exit(0);
}

static struct rusage used_by(int what)
{
    struct rusage usage = {0};
    pid_t pid = fork();
    int status;

    if (pid == 0)
        child(what);
    if (what == KEEPS) { /* asleep, when it has all */
        char path[40], state = '?';

        (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
        while (state != 'S') {
            FILE *file = fopen(path, "r");

            if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
                exit(96);
            fclose(file);
            sched_yield();
        }
        kill(pid, SIGKILL);
    }
    if (wait4(pid, &status, 0, &usage) != pid)
        exit(95);
    return usage;
}

int main(int argc, char **argv)
{
    long before = of(RUSAGE_SELF).ru_maxrss;
    struct rusage usage;
    siginfo_t info;
    char *memory;
    pid_t pid;

    (void)argv;
    if (argc > 1)
        return 0;
    CASE("nothing of children yet", of(RUSAGE_CHILDREN).ru_maxrss == 0 && of(RUSAGE_CHILDREN).ru_minflt == 0);
    usage = used_by(FREES);
    CASE("a child's peak, though it gave it back", is_about(usage.ru_maxrss, 24 * MIB));
    CASE("its faults", usage.ru_minflt > 20 && usage.ru_majflt == 0);
    CASE("all children's", of(RUSAGE_CHILDREN).ru_maxrss == usage.ru_maxrss && of(RUSAGE_CHILDREN).ru_minflt == usage.ru_minflt);
    CASE("of who discarded it", is_about(used_by(DISCARDS).ru_maxrss, 24 * MIB));
    CASE("of who is killed with it", is_about(used_by(KEEPS).ru_maxrss, 24 * MIB));
    CASE("of who executes something little then", is_about(used_by(EXECUTES).ru_maxrss, 24 * MIB));
    CASE("a grandchild's counts with its parent", is_about(used_by(HAS_CHILD).ru_maxrss, 24 * MIB));
    CASE("faults add up, peaks do not", of(RUSAGE_CHILDREN).ru_minflt > 2 * usage.ru_minflt && is_about(of(RUSAGE_CHILDREN).ru_maxrss, 24 * MIB));
    CASE("children's are not one's own", of(RUSAGE_SELF).ru_maxrss * 1024 < before * 1024 + SLACK);

    pid = fork();
    if (pid == 0)
        child(FREES);
    CASE("waitid tells, too", syscall(SYS_waitid, P_PID, pid, &info, WEXITED, &usage) == 0 && is_about(usage.ru_maxrss, 24 * MIB));
    pid = fork();
    if (pid == 0)
        _exit(0);
    CASE("a bad place for it", syscall(SYS_wait4, pid, NULL, 0, 16) == -1 && errno == EFAULT);

    memory = touch(16 * MIB);
    CASE("one's own while it is there", of(RUSAGE_SELF).ru_maxrss * 1024 >= 16 * MIB && line_of("VmRSS:") * 1024 >= 16 * MIB);
    munmap(memory, 16 * MIB);
    CASE("and afterwards", of(RUSAGE_SELF).ru_maxrss * 1024 >= 16 * MIB && of(RUSAGE_THREAD).ru_maxrss == of(RUSAGE_SELF).ru_maxrss);
    CASE("in /proc", line_of("VmRSS:") * 1024 < SLACK && line_of("VmHWM:") * 1024 >= 16 * MIB && line_of("VmSize:") < line_of("VmPeak:"));
    return tap_finish();
}
