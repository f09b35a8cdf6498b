/*
 * System V shared memory: keys, attaching, other processes, removal, ids, permissions; what is refused. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define NONE ((void *)-1)
#define REFUSES(call, error) ((call) == NONE && errno == (error))
#define PAGE 4096
#define KEY 0x65786f36

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_basics(void)
{
    int id = shmget(KEY, 3 * PAGE + 5, IPC_CREAT | IPC_EXCL | 0600);
    struct shmid_ds stat;
    char *one, *two;
    pid_t child;

    CASE("made", id >= 0);
    CASE("found by its key", shmget(KEY, 0, 0) == id && shmget(KEY, 100, 0600) == id);
    CASE("there already, larger than it is",
        FAILS(shmget(KEY, 10, IPC_CREAT | IPC_EXCL | 0600), EEXIST) && FAILS(shmget(KEY, 4 * PAGE, 0), EINVAL));
    CASE("what it is", shmctl(id, IPC_STAT, &stat) == 0 && stat.shm_segsz == 3 * PAGE + 5 && stat.shm_nattch == 0 &&
                           stat.shm_perm.mode == 0600 && stat.shm_cpid == getpid() && stat.shm_perm.uid == getuid() &&
                           stat.shm_perm.__key == KEY && stat.shm_atime == 0 && stat.shm_ctime > 0);
    one = shmat(id, NULL, 0);
    CASE("attached, all zeros", one != NONE && !one[0] && !one[4 * PAGE - 1]);
    strcpy(one, "hello");
    child = fork();
    if (child == 0) {
        two = shmat(id, NULL, 0);
        if (two == NONE || strcmp(one, "hello") || strcmp(two, "hello"))
            _exit(1);
        strcpy(two + 3 * PAGE, "from a child");
        _exit(shmdt(two) == 0 && shmdt(one) == 0 && FAILS(shmdt(one), EINVAL) ? 3 : 2);
    }
    CASE("shared with a child, which has it and attaches it again", status_of(child) == 3 && !strcmp(one + 3 * PAGE, "from a child"));
    CASE("the counts",
        shmctl(id, IPC_STAT, &stat) == 0 && stat.shm_nattch == 1 && stat.shm_lpid == child && stat.shm_atime > 0 && stat.shm_dtime > 0);
    two = shmat(id, NULL, SHM_RDONLY);
    CASE("attached twice, once for reading",
        two != NONE && two != one && !strcmp(two, "hello") && FAILS(mprotect(two, PAGE, PROT_READ | PROT_WRITE), EACCES));
    CASE("detached", shmdt(two) == 0 && shmdt(one) == 0);
    one = shmat(id, NULL, 0);
    CASE("its contents stay", one != NONE && !strcmp(one, "hello"));
    munmap(one + PAGE, PAGE);
    CASE("with a hole in it", shmdt(one) == 0 && FAILS(shmdt(one), EINVAL));
    CASE("removed", shmctl(id, IPC_RMID, NULL) == 0 && FAILS(shmctl(id, IPC_STAT, &stat), EINVAL) && REFUSES(shmat(id, NULL, 0), EINVAL) &&
                        FAILS(shmget(KEY, 0, 0), ENOENT));
}

static void test_removal(void)
{
    int id = shmget(IPC_PRIVATE, PAGE, 0600), other = shmget(IPC_PRIVATE, PAGE, 0600);
    struct shmid_ds stat;
    char *map = shmat(id, NULL, 0);
    pid_t child;

    CASE("private ones differ", id >= 0 && other >= 0 && id != other);
    strcpy(map, "still");
    CASE("removed while attached", shmctl(id, IPC_RMID, NULL) == 0 && !strcmp(map, "still") && shmctl(id, IPC_STAT, &stat) == 0 &&
                                       stat.shm_perm.mode & SHM_DEST && stat.shm_nattch == 1);
    child = fork();
    if (child == 0) {
        char *again = shmat(id, NULL, 0);

        _exit(again != NONE && !strcmp(again, "still") ? 4 : 1);
    }
    CASE("who has its id can attach it still", status_of(child) == 4);
    CASE("the last detaching ends it", shmdt(map) == 0 && FAILS(shmctl(id, IPC_STAT, &stat), EINVAL));
    child = fork();
    if (child == 0) {
        map = shmat(other, NULL, 0);
        shmctl(other, IPC_RMID, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < 100 && shmctl(other, IPC_STAT, &stat) == 0; i++)
        usleep(10000);
    CASE("so does the end of who had it", FAILS(shmctl(other, IPC_STAT, &stat), EINVAL));
    for (int i = 0; i < 1000; i++) {
        id = shmget(IPC_PRIVATE, 64 * PAGE, 0600);
        map = shmat(id, NULL, 0);
        if (id < 0 || map == NONE || (memset(map, 1, 64 * PAGE), shmctl(id, IPC_RMID, NULL)) != 0 || shmdt(map) != 0) {
            CASE("memory comes back", 0);
            break;
        }
    }
    CASE("an id is not used again at once", FAILS(shmctl(id, IPC_STAT, &stat), EINVAL));
}

static void test_places(void)
{
    int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
    char *free = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *map;

    munmap(free + 2 * PAGE, 4 * PAGE);
    map = shmat(id, free + 2 * PAGE, 0);
    CASE("at an address", map == free + 2 * PAGE);
    CASE("where something is", REFUSES(shmat(id, free + 3 * PAGE, 0), EINVAL) && REFUSES(shmat(id, free, 0), EINVAL));
    CASE("over it, if asked for", shmat(id, free, SHM_REMAP) == free);
    CASE("odd addresses", REFUSES(shmat(id, free + 4 * PAGE + 5, 0), EINVAL) && shmat(id, free + 4 * PAGE + 5, SHM_RND) == free + 4 * PAGE);
    strcpy(map, "everywhere");
    CASE("all are one", !strcmp(free, "everywhere") && !strcmp(free + 4 * PAGE, "everywhere"));
    CASE("neighbours go one by one", shmdt(map) == 0 && !strcmp(free, "everywhere") && !strcmp(free + 4 * PAGE, "everywhere") &&
                                         shmdt(free) == 0 && shmdt(free + 4 * PAGE) == 0);
    shmctl(id, IPC_RMID, NULL);
    munmap(free, 8 * PAGE);
}

static void test_rights(void)
{
    int id = shmget(KEY, PAGE, IPC_CREAT | 0640), open = shmget(KEY + 1, PAGE, IPC_CREAT | 0604);
    struct shmid_ds stat;
    pid_t child = fork();

    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        if (!FAILS(shmget(KEY, PAGE, 0400), EACCES) || !REFUSES(shmat(id, NULL, 0), EACCES) ||
            !FAILS(shmctl(id, IPC_STAT, &stat), EACCES) || !FAILS(shmctl(id, IPC_RMID, NULL), EPERM))
            _exit(1);
        if (shmget(KEY + 1, PAGE, 0004) != open || !REFUSES(shmat(open, NULL, 0), EACCES) || shmat(open, NULL, SHM_RDONLY) == NONE ||
            shmctl(open, IPC_STAT, &stat) != 0)
            _exit(2);
        _exit(FAILS(shmctl(open, IPC_SET, &stat), EPERM) ? 5 : 3);
    }
    CASE("others", status_of(child) == 5);
    shmctl(id, IPC_STAT, &stat);
    stat.shm_perm.uid = 65534;
    stat.shm_perm.mode = 0600;
    CASE("given away", shmctl(id, IPC_SET, &stat) == 0);
    child = fork();
    if (child == 0)
        _exit(setuid(65534) == 0 && shmat(id, NULL, 0) != NONE && shmctl(id, IPC_RMID, NULL) == 0 ? 6 : 1);
    CASE("its new owner may do all", status_of(child) == 6);
    shmctl(open, IPC_RMID, NULL);
}

static void test_misuse(void)
{
    struct shmid_ds stat;
    int id = shmget(IPC_PRIVATE, PAGE, 0600), made = 0, ids[5000], status;
    pid_t child;

    CASE("sizes", FAILS(shmget(IPC_PRIVATE, 0, 0600), EINVAL) && FAILS(shmget(IPC_PRIVATE, SIZE_MAX, 0600), EINVAL));
    CASE("no key", FAILS(shmget(KEY + 7, PAGE, 0600), ENOENT));
    CASE("ids that are none", FAILS(shmctl(-1, IPC_STAT, &stat), EINVAL) && FAILS(shmctl(id + 32768, IPC_STAT, &stat), EINVAL) &&
                                  REFUSES(shmat(-1, NULL, 0), EINVAL));
    CASE("commands that are none", FAILS(shmctl(id, 99, &stat), EINVAL) && FAILS(shmctl(id, IPC_STAT, (void *)16), EFAULT) &&
                                       FAILS(shmctl(id, IPC_SET, (void *)16), EFAULT));
    CASE("detaching what is not attached",
        FAILS(shmdt(&stat), EINVAL) && FAILS(shmdt(NULL), EINVAL) && FAILS(shmdt((void *)(uintptr_t)PAGE), EINVAL));
    child = fork();
    if (child == 0) {
        volatile char *map = shmat(id, NULL, SHM_RDONLY);

        *map = 1;
        _exit(0);
    }
    waitpid(child, &status, 0);
    CASE("writing to what is attached for reading", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    while (made < 5000 && (ids[made] = shmget(IPC_PRIVATE, PAGE, 0600)) >= 0)
        made++;
    CASE("too many", made >= 100 && made < 5000 && errno == ENOSPC);
    while (made)
        shmctl(ids[--made], IPC_RMID, NULL);
    CASE("they come back",
        shmctl(id, IPC_RMID, NULL) == 0 && (id = shmget(IPC_PRIVATE, PAGE, 0600)) >= 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

int main(void)
{
    test_basics();
    test_removal();
    test_places();
    test_rights();
    test_misuse();
    return tap_finish();
}
