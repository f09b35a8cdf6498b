/* Calls about files, memory, System V's objects and terminals, for tests/system/strace.py. */
#include "strace.h"

#include <mqueue.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <utime.h>

static char buffer[512];

static void opening(void)
{
    const uint64_t how[3] = {O_RDONLY | O_CLOEXEC, 0, 8};

    CALL(open, "a", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_LARGEFILE | O_SYNC, 0640);
    CALL(openat, AT_FDCWD, "/tmp", O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME | O_PATH);
    CALL(openat, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, 0600);
    CALL(open, "/nowhere", O_WRONLY | O_DIRECT | O_ASYNC | O_DSYNC | O_TRUNC | O_NOCTTY | O_APPEND | 0x30000000);
    CALL(openat2, AT_FDCWD, "/tmp/a", how, sizeof how);
    CALL(openat2, AT_FDCWD, "/tmp/a", WILD, sizeof how);
    CALL(openat2, AT_FDCWD, "/tmp/a", how, 1);
    CALL(creat, "b", 0644);
    CALL(open, WILD, 0);
    CALL(memfd_create, "name", 3);
    CALL(memfd_create, WILD, 0x700);
    CALL(pipe2, (int[2]){0}, O_CLOEXEC | O_NONBLOCK);
    CALL(pipe2, WILD, 0);
    CALL(dup3, 1, 40, O_CLOEXEC);
    CALL(dup3, 1, 1, 7);
    CALL(close_range, 41, 50, 4);
    CALL(close_range, 41, ~0u, 0);
}

static void reading(int file)
{
    struct iovec vector[3] = {{buffer, 3}, {buffer + 10, 50}, {WILD, 6}};
    int64_t position = 0;
    int ends[2];

    CALL(pwrite64, file, "hello\t\"world\"\0\0017", 16, 5);
    CALL(pread64, file, buffer, 100, 3);
    CALL(pread64, file, WILD, 100, 3);
    CALL(lseek, file, -5l, SEEK_END);
    CALL(lseek, file, 0, 9);
    CALL(lseek, file, 1, SEEK_HOLE);
    CALL(preadv, file, vector, 2, 3, 0);
    CALL(preadv2, file, vector, 2, 3, 0, 8);
    CALL(pwritev2, file, vector, 3, 100, 0, 2);
    CALL(readv, file, WILD, 2);
    CALL(writev, file, vector, 0);
    CALL(writev, file, vector, 3);
    CALL(write, file, WILD, 5);
    CALL(read, file, buffer, 0);
    CALL(pipe, ends);
    CALL(sendfile, ends[1], file, &position, 10);
    CALL(sendfile, ends[1], file, NULL, 10);
    CALL(sendfile, ends[1], file, WILD, 10);
    CALL(splice, ends[0], NULL, file, &position, 5, 3);
    CALL(tee, ends[0], ends[1], 5, 0);
    CALL(vmsplice, ends[1], vector, 1, 8);
    CALL(copy_file_range, file, &position, file, WILD, 100, 0);
    CALL(ioctl, ends[0], FIONREAD, buffer);
    CALL(ioctl, ends[0], FIONREAD, WILD);
    CALL(fcntl, ends[0], F_SETPIPE_SZ, 8192);
    CALL(fcntl, ends[0], F_GETPIPE_SZ);
}

static void places(int file)
{
    CALL(ftruncate, file, 4096);
    CALL(truncate, WILD, 4096);
    CALL(fallocate, file, 1, 0, 8192);
    CALL(fallocate, file, 3, 0, 4096);
    CALL(fadvise64, file, 0, 0, POSIX_FADV_SEQUENTIAL);
    CALL(fadvise64, file, 0, 0, 99);
    CALL(readahead, file, 0, 4096);
    CALL(sync_file_range, file, 0, 0, 7);
    CALL(flock, file, 6);
    CALL(flock, file, 8);
    CALL(flock, file, 0x77);
    CALL(setxattr, "a", "user.a", "val\1", 4, 0);
    CALL(setxattr, "a", "user.a", "val", 3, 1);
    CALL(getxattr, "a", "user.a", buffer, sizeof buffer);
    CALL(getxattr, "a", "user.a", buffer, 0);
    CALL(listxattr, "a", buffer, sizeof buffer);
    CALL(fgetxattr, file, WILD, WILD, 10);
    CALL(removexattr, "a", "user.a");
}

static void commands(int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    int32_t owner[2] = {1, 1};

    CALL(fcntl, file, F_SETLK, &lock);
    CALL(fcntl, file, F_GETLK, &lock);
    CALL(fcntl, file, F_OFD_SETLK, &lock);
    CALL(fcntl, file, F_SETLK, &(struct flock){.l_type = 7, .l_whence = 9, .l_start = -1, .l_len = -2});
    CALL(fcntl, file, F_SETLKW, WILD);
    CALL(fcntl, file, F_GETLK, WILD);
    CALL(fcntl, file, F_GETFD);
    CALL(fcntl, file, F_SETFD, 0);
    CALL(fcntl, file, F_GETFD);
    CALL(fcntl, file, F_GETFL);
    CALL(fcntl, file, F_SETFL, O_APPEND | O_NONBLOCK);
    CALL(fcntl, 99, F_GETFL);
    CALL(fcntl, file, F_DUPFD_CLOEXEC, 20);
    CALL(fcntl, file, F_SETSIG, 5);
    CALL(fcntl, file, F_GETSIG);
    CALL(fcntl, file, F_SETOWN_EX, owner);
    CALL(fcntl, file, F_GETOWN_EX, owner);
    CALL(fcntl, file, F_ADD_SEALS, 2);
    CALL(fcntl, file, F_GET_SEALS);
    CALL(fcntl, file, 999, 5);
    CALL(ioctl, file, FIOCLEX);
    CALL(ioctl, file, FIONBIO, &(int){1});
    CALL(ioctl, file, 0x12345678, 5);
    CALL(ioctl, file, TIOCGWINSZ, buffer);
}

static void status(int file)
{
    CALL(stat, "/tmp", buffer);
    CALL(lstat, "/dev/null", buffer);
    CALL(fstat, file, buffer);
    CALL(stat, "/nowhere", buffer);
    CALL(stat, "/", WILD);
    CALL(newfstatat, file, "", buffer, AT_EMPTY_PATH);
    CALL(newfstatat, file, "", buffer, 0x55);
    CALL(statx, AT_FDCWD, "/dev/null", 0, 0xfff, buffer);
    CALL(statx, AT_FDCWD, "/etc/passwd", 0x1100, 0x7ff, buffer);
    CALL(statx, AT_FDCWD, "/etc/passwd", 0x6000, 0x200, WILD);
    CALL(statfs, "/tmp", buffer);
    CALL(fstatfs, file, WILD);
    CALL(access, "/tmp", R_OK | W_OK | X_OK);
    CALL(faccessat2, AT_FDCWD, "/tmp", 0, AT_EACCESS);
    CALL(access, "/tmp", 77);
    CALL(getcwd, buffer, sizeof buffer);
    CALL(getcwd, buffer, 2);
    CALL(umask, 2);
    CALL(umask, 0777);
}

static void names(int file)
{
    struct timespec now[2] = {{1, 2}, {0, UTIME_NOW}}, omit[2] = {{0, UTIME_OMIT}, {1709210096, 0}};
    long folder = CALL(open, "/proc/self/task", O_RDONLY | O_DIRECTORY);

    CALL(mkdir, "d", 01755);
    CALL(mknod, "fifo", S_IFIFO | 0600, 0);
    CALL(mknodat, AT_FDCWD, "device", S_IFCHR | 0600, 0x103);
    CALL(unlinkat, AT_FDCWD, "d", AT_REMOVEDIR);
    CALL(chmod, "a", 04755);
    CALL(fchmod, file, 0);
    CALL(fchownat, AT_FDCWD, "a", 0, -1, AT_SYMLINK_NOFOLLOW);
    CALL(symlink, "target", "link");
    CALL(readlink, "link", buffer, 100);
    CALL(readlinkat, AT_FDCWD, "link", WILD, 3);
    CALL(linkat, AT_FDCWD, "a", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW);
    CALL(renameat2, AT_FDCWD, "hard", AT_FDCWD, "link", 1);
    CALL(renameat2, AT_FDCWD, "hard", AT_FDCWD, "link", 2);
    CALL(utimensat, AT_FDCWD, "a", now, 0);
    CALL(utimensat, AT_FDCWD, "a", omit, AT_SYMLINK_NOFOLLOW);
    CALL(utimensat, file, NULL, WILD, 0);
    CALL(utimes, "a", (struct timeval[]){{1, 2}, {1, 0}});
    CALL(utime, "a", &(struct utimbuf){1, 1000000000});
    CALL(getdents64, folder, buffer, sizeof buffer);
    CALL(getdents64, folder, buffer, sizeof buffer);
    CALL(getdents64, file, buffer, sizeof buffer);
    CALL(lseek, folder, 0, 0);
    CALL(getdents64, folder, WILD, 100);
    folder = CALL(inotify_init1, O_CLOEXEC | O_NONBLOCK);
    CALL(inotify_add_watch, folder, "/tmp", 0x20000102);
}

static void memory(void)
{
    char *pages = (char *)CALL(mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CALL(mmap, 0, 4096, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
    CALL(mmap, 0, 4096, PROT_EXEC | PROT_READ, MAP_PRIVATE | 0x800 | MAP_STACK | MAP_LOCKED, 99, 4096);
    CALL(mmap, WILD, 4096, 0x100, 0, 99, 4096);
    CALL(mmap, pages, 4096, 3, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS, -1, 0);
    CALL(mprotect, pages, 4096, PROT_NONE);
    CALL(mprotect, pages, 1, 0x77);
    CALL(mremap, pages + 4096, 4096, 16384, MREMAP_MAYMOVE);
    CALL(mremap, pages, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, WILD);
    CALL(madvise, pages, 4096, MADV_DONTNEED);
    CALL(madvise, pages, 4096, 99);
    CALL(mincore, pages, 4096, buffer);
    CALL(mincore, pages, 4096, WILD);
    CALL(msync, pages, 4096, MS_SYNC);
    CALL(mlock2, pages, 4096, 1);
    CALL(mlockall, 3);
    CALL(munlockall);
    CALL(munmap, pages, 4096);
    CALL(brk, 0);
    CALL(brk, WILD);
}

static void system_v(void)
{
    struct sembuf operations[2] = {{0, 1, SEM_UNDO}, {1, 2, IPC_NOWAIT}};
    const struct {
        long type;
        char text[8];
    } message = {3, "hello"};
    long id = CALL(shmget, 0x1234, 4096, IPC_CREAT | IPC_EXCL | 0600);
    char *at = (char *)CALL(shmat, id, 0, 010000);

    CALL(shmdt, at);
    CALL(shmctl, id, IPC_STAT, buffer);
    CALL(shmctl, id, IPC_RMID, 0);
    CALL(shmctl, id, IPC_STAT, WILD);
    id = CALL(semget, IPC_PRIVATE, 2, IPC_CREAT | 0600);
    CALL(semop, id, operations, 2);
    CALL(semop, id, WILD, 2);
    CALL(semtimedop, id, operations, 1, &(struct timespec){1, 2});
    CALL(semctl, id, 1, SETVAL, 5);
    CALL(semctl, id, 0, IPC_STAT, buffer);
    CALL(semctl, id, 0, IPC_RMID, 0);
    id = CALL(msgget, IPC_PRIVATE, IPC_CREAT | 0600);
    CALL(msgsnd, id, &message, 5, IPC_NOWAIT);
    CALL(msgrcv, id, buffer, 8, -3l, IPC_NOWAIT | 010000);
    CALL(msgrcv, id, buffer, 8, 0, IPC_NOWAIT);
    CALL(msgctl, id, IPC_STAT, buffer);
    CALL(msgctl, id, IPC_RMID, 0);
    CALL(msgsnd, id, WILD, 5, 0);
    id = CALL(mq_open, "queue", O_RDWR | O_CREAT, 0600, &(struct mq_attr){.mq_maxmsg = 4, .mq_msgsize = 16});
    CALL(mq_timedsend, id, "hello", 5, 2, NULL);
    CALL(mq_timedreceive, id, buffer, 16, &(unsigned){0}, &(struct timespec){1, 2});
    CALL(mq_getsetattr, id, NULL, buffer);
    CALL(mq_unlink, "queue");
}

static void terminal(void)
{
    long master = CALL(open, "/dev/ptmx", O_RDWR | O_NOCTTY);
    char settings[64];

    CALL(ioctl, master, TIOCGPTN, buffer);
    CALL(ioctl, master, TIOCSPTLCK, &(int){0});
    CALL(ioctl, master, TCGETS, settings);
    CALL(ioctl, master, TCSETS, settings);
    CALL(ioctl, master, TCSETSW, WILD);
    CALL(ioctl, master, TIOCSWINSZ, &(struct winsize){24, 80, 0, 0});
    CALL(ioctl, master, TIOCGWINSZ, buffer);
    CALL(ioctl, master, TCFLSH, 0);
    CALL(ioctl, master, TIOCGPGRP, buffer);
    CALL(ioctl, master, TIOCNOTTY);
}

/* Each call's every argument, no address of which leads anywhere. */
static void wild(void)
{
    for (unsigned number = 0; number < 450; number++) {
        if (number == SYS_rt_sigreturn || number == SYS_exit || number == SYS_exit_group || number == SYS_fork || number == SYS_vfork ||
            number == SYS_pause || number == SYS_reboot || number == SYS_sync)
            continue;
        for (unsigned i = 0; i < sizeof wilder / sizeof *wilder; i++)
            syscall(number, wilder[i], wilder[i], wilder[i], wilder[i], wilder[i], wilder[i]);
    }
}

int main(int count, char **words)
{
    if (count > 1 && strcmp(words[1], "wild") == 0) {
        wild();
        return 0;
    }
    chdir("/tmp");
    opening();
    reading(3);
    places(3);
    commands(3);
    status(3);
    names(3);
    memory();
    system_v();
    terminal();
    CALL(execve, "/nowhere", ((char *[]){"a", "b", NULL}), ((char *[]){"x=y", NULL}));
    CALL(execveat, AT_FDCWD, "/nowhere", WILD, WILD, AT_EMPTY_PATH);
    CALL(execve, WILD, 0, 0);
    syscall(800, 1, 2, 3, 4, 5, 6);
    return 0;
}
