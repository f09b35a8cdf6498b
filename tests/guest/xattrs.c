/*
 * Extended attributes: set, got, listed, removed, by path, link and descriptor; permissions; what is refused. The same on Linux, on a file system that has
 * them (user.* needs a tmpfs of Linux 6.6 or later).
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

static void *volatile wild = (void *)16;
static char value[70000], names[70000];

static int has(const char *name, const char *wanted)
{
    ssize_t got = getxattr("f", name, value, sizeof value);

    return got == (ssize_t)strlen(wanted) && !memcmp(value, wanted, (size_t)got);
}

static int listed(const char *name)
{
    ssize_t got = listxattr("f", names, sizeof names);

    for (char *at = names; got > 0 && at < names + got; at += strlen(at) + 1)
        if (!strcmp(at, name))
            return 1;
    return 0;
}

static void test_basics(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    struct stat before, after;

    CASE("none at first", listxattr("f", names, sizeof names) == 0 && FAILS(getxattr("f", "user.one", value, 10), ENODATA) &&
                              FAILS(removexattr("f", "user.one"), ENODATA));
    stat("f", &before);
    usleep(20000);
    CASE("set and got", setxattr("f", "user.one", "first", 5, 0) == 0 && has("user.one", "first"));
    stat("f", &after);
    CASE("the file has changed, its contents have not",
        (after.st_ctim.tv_nsec != before.st_ctim.tv_nsec || after.st_ctim.tv_sec != before.st_ctim.tv_sec) &&
            after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    CASE("its size alone", getxattr("f", "user.one", NULL, 0) == 5 && FAILS(getxattr("f", "user.one", value, 4), ERANGE));
    CASE("a second and a third", fsetxattr(fd, "user.two", "", 0, 0) == 0 && setxattr("f", "user.three", "3", 1, XATTR_CREATE) == 0 &&
                                     has("user.two", "") && has("user.three", "3") && has("user.one", "first"));
    CASE("listed", listed("user.one") && listed("user.two") && listed("user.three") && !listed("user.four") &&
                       flistxattr(fd, NULL, 0) == 9 + 9 + 11 && FAILS(listxattr("f", names, 28), ERANGE));
    CASE("replaced", setxattr("f", "user.one", "longer than before", 18, XATTR_REPLACE) == 0 && has("user.one", "longer than before") &&
                         has("user.three", "3"));
    CASE("made once, replaced if there", FAILS(setxattr("f", "user.one", "x", 1, XATTR_CREATE), EEXIST) &&
                                             FAILS(setxattr("f", "user.four", "x", 1, XATTR_REPLACE), ENODATA));
    CASE("through a descriptor", fgetxattr(fd, "user.three", value, 10) == 1 && fremovexattr(fd, "user.three") == 0 &&
                                     FAILS(fgetxattr(fd, "user.three", value, 10), ENODATA));
    CASE("the others stay", has("user.one", "longer than before") && has("user.two", "") && !listed("user.three"));
    close(fd);
}

static void test_spaces(void)
{
    (void)!symlink("f", "link");
    CASE("of a link's target", getxattr("link", "user.one", value, 100) == 18);
    CASE("a link itself has no user.*",
        FAILS(lsetxattr("link", "user.one", "x", 1, 0), EPERM) && FAILS(lgetxattr("link", "user.one", value, 10), ENODATA));
    CASE("but others", lsetxattr("link", "trusted.x", "y", 1, 0) == 0 && lgetxattr("link", "trusted.x", value, 10) == 1 &&
                           llistxattr("link", names, 100) == 10 && lremovexattr("link", "trusted.x") == 0 &&
                           llistxattr("link", names, 100) == 0);
    CASE("trusted and security are root's", setxattr("f", "trusted.t", "1", 1, 0) == 0 && setxattr("f", "security.s", "2", 1, 0) == 0 &&
                                                has("trusted.t", "1") && has("security.s", "2"));
    CASE("other spaces", FAILS(setxattr("f", "other.x", "1", 1, 0), EOPNOTSUPP) &&
                             FAILS(setxattr("f", "noprefix", "1", 1, 0), EOPNOTSUPP) &&
                             FAILS(getxattr("f", "other.x", value, 1), EOPNOTSUPP));
    mkdir("d", 0755);
    CASE("directories", setxattr("d", "user.d", "dir", 3, 0) == 0 && getxattr("d", "user.d", value, 3) == 3);
    rmdir("d");
    unlink("link");
}

static void test_rights(void)
{
    int status;
    pid_t child;

    chmod("f", 0600);
    child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        if (!FAILS(getxattr("f", "user.one", value, 100), EACCES) || !FAILS(setxattr("f", "user.one", "x", 1, 0), EACCES))
            _exit(1);
        if (!FAILS(getxattr("f", "trusted.t", value, 10), ENODATA) || !FAILS(setxattr("f", "trusted.t", "x", 1, 0), EPERM) ||
            listed("trusted.t"))
            _exit(2);
        if (getxattr("f", "security.s", value, 10) != 1 || !FAILS(setxattr("f", "security.s", "x", 1, 0), EPERM) ||
            !FAILS(removexattr("f", "security.s"), EPERM))
            _exit(3);
        _exit(listed("user.one") && listed("security.s") ? 7 : 4);
    }
    waitpid(child, &status, 0);
    CASE("others", WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CASE("root sees all", listed("trusted.t"));
    chmod("f", 0644);
}

static void test_misuse(void)
{
    int fd = open("f", O_PATH), pipes[2];
    char long_name[300];

    memset(long_name, 'n', sizeof long_name);
    memcpy(long_name, "user.", 5);
    long_name[256] = 0;
    CASE("names", FAILS(setxattr("f", long_name, "x", 1, 0), ERANGE) && FAILS(setxattr("f", "", "x", 1, 0), ERANGE) &&
                      FAILS(getxattr("f", "", value, 1), ERANGE));
    long_name[255] = 0;
    CASE("the longest",
        setxattr("f", long_name, "x", 1, 0) == 0 && getxattr("f", long_name, value, 10) == 1 && removexattr("f", long_name) == 0);
    CASE("flags, memory, sizes", FAILS(setxattr("f", "user.x", "x", 1, 4), EINVAL) && FAILS(setxattr("f", "user.x", wild, 1, 0), EFAULT) &&
                                     FAILS(setxattr("f", wild, "x", 1, 0), EFAULT) &&
                                     FAILS(setxattr("f", "user.x", value, 65537, 0), E2BIG) &&
                                     FAILS(getxattr("f", "user.one", wild, 100), EFAULT));
    CASE("no file", FAILS(setxattr("missing", "user.x", "x", 1, 0), ENOENT) && FAILS(fsetxattr(-1, "user.x", "x", 1, 0), EBADF) &&
                        FAILS(fgetxattr(fd, "user.one", value, 10), EBADF));
    CASE("no place for them", pipe(pipes) == 0 && FAILS(fsetxattr(pipes[0], "user.x", "x", 1, 0), EPERM) &&
                                  FAILS(setxattr("/proc/self/stat", "user.x", "x", 1, 0), EOPNOTSUPP));
    CASE("more than there is room for", FAILS(setxattr("f", "user.big", value, 65536, 0), ENOSPC) && has("user.one", "longer than before"));
    close(fd);
}

static void test_many(void)
{
    int made = 0, good = 1;
    char name[32], text[32];

    while (made < 100000 &&
           (sprintf(name, "user.n%d", made), sprintf(text, "value %d", made), setxattr("f", name, text, strlen(text), 0)) == 0)
        made++;
    CASE("as many as fit", made > 50 && made < 100000 && errno == ENOSPC);
    for (int i = 0; i < made; i += 2)
        good &= (sprintf(name, "user.n%d", i), removexattr("f", name)) == 0;
    for (int i = 1; i < made; i += 2)
        good &= (sprintf(name, "user.n%d", i), sprintf(text, "value %d", i), has(name, text));
    CASE("every other one taken away, the rest as they were", good && has("user.one", "longer than before"));
    unlink("f");
    for (int i = 0; i < 20000; i++) {
        int fd = open("f", O_RDWR | O_CREAT, 0644);

        good &= fsetxattr(fd, "user.x", "y", 1, 0) == 0;
        close(fd);
        unlink("f");
    }
    CASE("their memory comes back", good);
}

int main(void)
{
    if (mkdir("/tmp/attributes", 0777) != 0 || chdir("/tmp/attributes") != 0)
        return 99;
    test_basics();
    test_spaces();
    test_rights();
    test_misuse();
    test_many();
    return tap_finish();
}
