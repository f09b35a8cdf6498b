/*
 * /proc/PID/maps and smaps of thousands of mappings: all of them are told, once, whatever the size of the reads. The same on Linux.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define MANY 3000u
#define PAGE 4096ul

static char *base;

/* How many of the mappings are told, in order and without a gap; -1: a line has been cut. */
static int told(const char *path, size_t step)
{
    static char text[8 << 20];
    size_t used = 0;
    unsigned next = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);

    while (used + step < sizeof text && (got = read(fd, text + used, step)) > 0)
        used += (size_t)got;
    close(fd);
    text[used] = '\0';
    if (used == 0 || text[used - 1] != '\n')
        return -1;
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *end, *hi;
        uintptr_t lo = strtoul(line, &end, 16), wanted = (uintptr_t)base + next * PAGE;

        if (*end == '-' && lo == wanted && strtoul(end + 1, &hi, 16) == wanted + PAGE && memcmp(hi, next % 2 ? " r--" : " rw-", 4) == 0)
            next++;
    }
    return (int)next;
}

int main(void)
{
    char path[64];
    int status, fd;
    pid_t child;

    base = mmap(NULL, (MANY + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    base += PAGE;
    for (unsigned at = 0; at < MANY; at++)
        if (mprotect(base + at * PAGE, PAGE, at % 2 ? PROT_READ : PROT_READ | PROT_WRITE) != 0)
            return 1;
    CASE("maps", told("/proc/self/maps", 65536) == MANY);
    CASE("in small pieces", told("/proc/self/maps", 1000) == MANY);
    CASE("smaps, more than a MiB", told("/proc/self/smaps", 65536) == MANY);
    CASE("in pieces of a page", told("/proc/self/smaps", 4096) == MANY);
    child = fork();
    if (child == 0) {
        (void)snprintf(path, sizeof path, "/proc/%d/maps", getppid());
        _exit(told(path, 65536) != MANY);
    }
    CASE("another's", waitpid(child, &status, 0) == child && status == 0);
    fd = open("/proc/self/maps", O_RDONLY);
    status = (int)read(fd, path, sizeof path);
    for (unsigned at = 0; at < MANY; at++)
        munmap(base + at * PAGE, PAGE);
    CASE("read on while they go", status > 0 && read(fd, path, sizeof path) > 0);
    close(fd);
    CASE("none is told any more", told("/proc/self/maps", 65536) == 0);
    return tap_finish();
}
