/*
 * What file calls do, in the manner of pjdfstest: filerules_*.c make one call at a time in a fresh folder and print what came of it. They know nothing of what
 * is right: filerules.py compares what they print on Linux with what they print here. Argument: an empty folder of a tmpfs, which they may use as root.
 */
#ifndef FILERULES_H
#define FILERULES_H
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define USER 1000
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

/* ---- the folder that each call finds ---- */

static const char *const names[] = {"file", "empty", "full", "tofile", "todir", "dangling", "loop", "fifo", "socket",
                                    "null", "missing", "new", "up", "nowhere", "x", "../x", "../file"};
#define NAMES (sizeof names / sizeof names[0])

static inline void make_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, "12345", 5) != 5)
        perror(name);
    close(fd);
}

static inline void make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof address))
        perror(name);
    close(fd);
}

static inline void clear(const char *name)
{
    char below[320];
    struct dirent *entry;
    DIR *folder;

    if (unlink(name) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    chmod(name, 0700);
    folder = opendir(name);
    while (folder && (entry = readdir(folder))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(below, sizeof below, "%.60s/%.255s", name, entry->d_name);
        clear(below);
    }
    if (folder)
        closedir(folder);
    rmdir(name);
}

static inline void make_all(void)
{
    for (unsigned i = 0; i < NAMES; i++)
        clear(names[i]);
    make_file("file");
    if (mkdir("empty", 0755) || mkdir("full", 0755) || symlink("file", "tofile") || symlink("full", "todir") || symlink("nowhere", "dangling") ||
        symlink("loop", "loop") || mkfifo("fifo", 0644) || mknod("null", S_IFCHR | 0666, makedev(1, 3)) || symlink("full/..", "up"))
        perror("fixture");
    make_file("full/x");
    make_socket("socket");
}

static char letter_of(mode_t mode)
{
    return S_ISREG(mode) ? 'f' : S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : S_ISSOCK(mode) ? 's' : S_ISCHR(mode) ? 'c' : '?';
}

/* What is there: kind, links, size of files, mode. */
static inline void describe(char *to, size_t room)
{
    size_t used = 0;

    for (unsigned i = 0; i < NAMES; i++) {
        struct stat stat;

        if (lstat(names[i], &stat))
            continue;
        used += (size_t)snprintf(to + used, room - used, " %s:%c%u/%ld/%o", names[i], letter_of(stat.st_mode), (unsigned)stat.st_nlink,
                                 S_ISDIR(stat.st_mode) ? 0L : (long)stat.st_size, stat.st_mode & 07777);
    }
}

static char before[2048];

/* Only what is no longer as it was. */
static inline void print_changes(void)
{
    char now[2048] = "", old[2048], *save, *word;

    describe(now, sizeof now);
    if (!strcmp(now, before))
        return;
    strcpy(old, now);
    for (word = strtok_r(old, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char whole[128];

        snprintf(whole, sizeof whole, " %s ", word);
        strcat(before, " ");
        if (!strstr(before, whole))
            printf(" +%s", word);
        before[strlen(before) - 1] = '\0';
    }
    strcpy(old, before);
    strcat(now, " ");
    for (word = strtok_r(old, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char whole[128];

        snprintf(whole, sizeof whole, " %s ", word);
        if (!strstr(now, whole))
            printf(" -%s", word);
    }
}

static inline void print_result(long result)
{
    static const struct {
        int error;
        const char *name;
    } known[] = {{EPERM, "EPERM"},   {ENOENT, "ENOENT"}, {EACCES, "EACCES"}, {EEXIST, "EEXIST"},       {EXDEV, "EXDEV"},         {ENOTDIR, "ENOTDIR"},
                 {EISDIR, "EISDIR"}, {EINVAL, "EINVAL"}, {ELOOP, "ELOOP"},   {ENOTEMPTY, "ENOTEMPTY"}, {EBUSY, "EBUSY"},         {ENXIO, "ENXIO"},
                 {EROFS, "EROFS"},   {EBADF, "EBADF"},   {EFAULT, "EFAULT"}, {EOPNOTSUPP, "ENOTSUP"},  {ENAMETOOLONG, "ENAMETOOLONG"}};

    for (unsigned i = 0; result < 0 && i < sizeof known / sizeof known[0]; i++) {
        if (known[i].error == errno) {
            printf("%s", known[i].name);
            return;
        }
    }
    if (result < 0)
        printf("E%d", errno);
    else
        printf("ok");
}

static inline void start(int count, char **words)
{
    if (count != 2 || (mkdir(words[1], 0755) && errno != EEXIST) || chdir(words[1]) || mkdir("a", 0755) || chdir("a")) {
        perror("folder");
        exit(2);
    }
    umask(022);
    setvbuf(stdout, NULL, _IOFBF, 65536);
}

#endif
