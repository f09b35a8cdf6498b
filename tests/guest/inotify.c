/*
 * inotify: what is told of files and directories, in which order, to whom; bounded queues and watches; what it refuses. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

static void *volatile wild = (void *)16;
static int fd; /* an instance that does not block */

static void text_of(const struct inotify_event *event, char *to)
{
    static const char *const names[] = {"ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN", "MOVED_FROM", "MOVED_TO",
        "CREATE", "DELETE", "DELETE_SELF", "MOVE_SELF", "", "UNMOUNT", "OVERFLOW", "IGNORED"};

    sprintf(to + strlen(to), "%d:", event->wd);
    for (int i = 0; i < 16; i++)
        if (event->mask >> i & 1)
            strcat(to, names[i]);
    if (event->mask & IN_ISDIR)
        strcat(to, "|DIR");
    if (event->len)
        sprintf(to + strlen(to), "=%s", event->name);
    strcat(to, " ");
}

/* All events that are there, as text. */
static const char *events(int from)
{
    static char text[4096];
    _Alignas(8) char buffer[2048];
    ssize_t got;

    text[0] = 0;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        for (char *at = buffer; at < buffer + got; at += sizeof(struct inotify_event) + ((struct inotify_event *)(void *)at)->len)
            text_of((struct inotify_event *)(void *)at, text);
    return text;
}

static int are(const char *wanted)
{
    const char *there = events(fd);

    if (strcmp(there, wanted))
        printf("# there: %s\n# not:   %s\n", there, wanted);
    return !strcmp(there, wanted);
}

static void put(const char *name, const char *text, int flags)
{
    int file = open(name, O_WRONLY | O_CREAT | flags, 0644);

    (void)!write(file, text, strlen(text));
    close(file);
}

static void test_directory(void)
{
    DIR *directory;
    int wd = inotify_add_watch(fd, "d", IN_ALL_EVENTS), file;
    char byte;
    const char *there;

    CASE("the first watch is 1", wd == 1);
    CASE("nothing yet", FAILS(read(fd, &byte, 1), EAGAIN));
    put("d/a", "text", 0);
    CASE("a file made, written, closed", are("1:CREATE=a 1:OPEN=a 1:MODIFY=a 1:CLOSE_WRITE=a "));
    file = open("d/a", O_RDONLY);
    (void)!read(file, &byte, 1);
    close(file);
    CASE("read", are("1:OPEN=a 1:ACCESS=a 1:CLOSE_NOWRITE=a "));
    chmod("d/a", 0600);
    CASE("chmod", are("1:ATTRIB=a "));
    (void)!truncate("d/a", 2);
    CASE("truncate", are("1:MODIFY=a "));
    put("d/a", "x", O_TRUNC);
    there = events(fd); /* Linux 6.1 tells of the truncation before the opening, later ones after it */
    CASE("made empty by opening",
        !strcmp(there, "1:MODIFY=a 1:OPEN=a 1:MODIFY=a 1:CLOSE_WRITE=a ") || !strcmp(there, "1:OPEN=a 1:MODIFY=a 1:CLOSE_WRITE=a "));
    rename("d/a", "d/b");
    CASE("renamed", are("1:MOVED_FROM=a 1:MOVED_TO=b "));
    rename("d/b", "e/b");
    CASE("moved out", are("1:MOVED_FROM=b "));
    rename("e/b", "d/c");
    CASE("moved in", are("1:MOVED_TO=c "));
    (void)!link("d/c", "d/l");
    CASE("a link", are("1:CREATE=l "));
    unlink("d/l");
    (void)!symlink("nowhere", "d/s");
    CASE("links", are("1:DELETE=l 1:CREATE=s "));
    unlink("d/c");
    mkdir("d/sub", 0755);
    rmdir("d/sub");
    CASE("files and directories go", are("1:DELETE=c 1:CREATE|DIR=sub 1:DELETE|DIR=sub "));
    directory = opendir("d");
    closedir(directory);
    CASE("the directory itself", are("1:OPEN|DIR 1:CLOSE_NOWRITE|DIR "));
    unlink("d/s");
    CASE("removed", are("1:DELETE=s ") && inotify_rm_watch(fd, wd) == 0 && are("1:IGNORED "));
    put("d/a", "text", 0);
    CASE("nobody is told any more", are(""));
    unlink("d/a");
}

static void test_file(void)
{
    int wd, file;

    put("f", "text", 0);
    wd = inotify_add_watch(fd, "f", IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    CASE("numbers go on", wd == 2);
    file = open("f", O_WRONLY);
    (void)!pwrite(file, "x", 1, 0);
    (void)!pwrite(file, "y", 1, 1);
    CASE("two writes, one event: the same is not said twice", are("2:MODIFY "));
    (void)!pwrite(file, "x", 1, 0);
    CASE("but again once it has been read", are("2:MODIFY "));
    close(file);
    rename("f", "g");
    CASE("it is moved", are("2:MOVE_SELF "));
    unlink("g");
    CASE("it goes", are("2:ATTRIB 2:DELETE_SELF 2:IGNORED "));
    CASE("its watch has gone with it", FAILS(inotify_rm_watch(fd, wd), EINVAL));
    put("f", "text", 0);
    file = open("f", O_RDONLY);
    wd = inotify_add_watch(fd, "f", IN_DELETE_SELF | IN_CLOSE);
    unlink("f");
    CASE("it stays while it is open", are(""));
    close(file);
    CASE("and goes then", are("3:CLOSE_NOWRITE 3:DELETE_SELF 3:IGNORED "));
    put("f", "1", 0);
    put("g", "2", 0);
    wd = inotify_add_watch(fd, "g", IN_ALL_EVENTS);
    rename("f", "g");
    CASE("replaced by a rename", are("4:ATTRIB 4:DELETE_SELF 4:IGNORED "));
    unlink("g");
}

static void test_masks(void)
{
    int wd = inotify_add_watch(fd, "d", IN_CREATE), other = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    CASE("the same again is the same watch", inotify_add_watch(fd, "d", IN_DELETE) == wd);
    put("d/a", "1", 0);
    unlink("d/a");
    CASE("with another mask", are("5:DELETE=a "));
    CASE("or a wider one",
        inotify_add_watch(fd, "d", IN_CREATE | IN_MASK_ADD) == wd && FAILS(inotify_add_watch(fd, "d", IN_CREATE | IN_MASK_CREATE), EEXIST));
    CASE("another instance has its own", inotify_add_watch(other, "d", IN_CREATE) == 1);
    put("d/a", "1", 0);
    unlink("d/a");
    CASE("each is told", are("5:CREATE=a 5:DELETE=a ") && !strcmp(events(other), "1:CREATE=a "));
    close(other);
    inotify_rm_watch(fd, wd);
    wd = inotify_add_watch(fd, "d", IN_CREATE | IN_ONESHOT);
    put("d/a", "1", 0);
    put("d/b", "1", 0);
    CASE("once", are("5:IGNORED 6:CREATE=a 6:IGNORED "));
    unlink("d/a");
    unlink("d/b");
}

static void test_queue(void)
{
    int bytes = 0, status, wd = inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    struct stat stat;
    char buffer[64], name[300];
    pid_t child;

    CASE("poll of an empty queue", poll(&item, 1, 0) == 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        put("d/child", "1", 0);
        _exit(0);
    }
    CASE("poll wakes", poll(&item, 1, 10000) == 1);
    waitpid(child, &status, 0);
    CASE("how much there is", ioctl(fd, FIONREAD, &bytes) == 0 && bytes == 32);
    CASE("a buffer that is too small", FAILS(read(fd, buffer, 31), EINVAL));
    CASE("one that is not", read(fd, buffer, 32) == 32);
    memset(name, 'n', sizeof name);
    memcpy(name, "d/", 2);
    name[2 + 255] = 0;
    put(name, "", 0);
    CASE("the longest name", ioctl(fd, FIONREAD, &bytes) == 0 && bytes == 16 + 256);
    events(fd);
    unlink(name);
    events(fd);
    unlink("d/child");
    events(fd);
    CASE("what it is", fstat(fd, &stat) == 0 && (stat.st_mode & S_IFMT) == 0 && FAILS(write(fd, "x", 1), EBADF));
    child = fork();
    if (child == 0)
        _exit(read(fd, buffer, 64) == -1 && errno == EAGAIN && (put("d/x", "", 0), read(fd, buffer, 32) == 32) ? 6 : 1);
    waitpid(child, &status, 0);
    CASE("a child has it, too", WIFEXITED(status) && WEXITSTATUS(status) == 6 && are(""));
    unlink("d/x");
    events(fd);
    inotify_rm_watch(fd, wd);
    events(fd);
}

static void test_overflow(void)
{
    char *buffer = malloc(2000000), name[32];
    int overflow = 0, creates = 0, after;
    ssize_t got;

    inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE);
    for (int i = 0; i < 20000; i++) {
        sprintf(name, "d/%d", i & 1);
        put(name, "", 0);
        unlink(name);
    }
    got = read(fd, buffer, 2000000);
    for (char *at = buffer; got > 0 && at < buffer + got; at += sizeof(struct inotify_event) + ((struct inotify_event *)(void *)at)->len) {
        struct inotify_event *event = (struct inotify_event *)(void *)at;

        creates += event->mask == IN_CREATE;
        if (event->mask == IN_Q_OVERFLOW && event->wd == -1)
            overflow++;
    }
    CASE("too many: the queue says so, once, and keeps the first", overflow == 1 && creates > 100);
    put("d/later", "", 0);
    after = strstr(events(fd), "CREATE=later") != NULL;
    CASE("then it goes on", after);
    unlink("d/later");
    events(fd);
    free(buffer);
}

static void test_misuse(void)
{
    int null = open("/dev/null", O_RDONLY), many[40], made = 0, status;
    pid_t child;

    CASE("flags", FAILS(inotify_init1(1), EINVAL) && FAILS(inotify_add_watch(fd, "d", 0), EINVAL) &&
                      FAILS(inotify_add_watch(fd, "d", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN), EINVAL));
    CASE("not an instance", FAILS(inotify_add_watch(null, "d", IN_OPEN), EINVAL) && FAILS(inotify_add_watch(-1, "d", IN_OPEN), EBADF) &&
                                FAILS(inotify_rm_watch(null, 1), EINVAL) && FAILS(inotify_rm_watch(999, 1), EBADF));
    CASE("nothing there, no directory, no memory", FAILS(inotify_add_watch(fd, "missing", IN_OPEN), ENOENT) &&
                                                       FAILS(inotify_add_watch(fd, "/dev/null", IN_OPEN | IN_ONLYDIR), ENOTDIR) &&
                                                       FAILS(inotify_add_watch(fd, wild, IN_OPEN), EFAULT));
    CASE("no such watch", FAILS(inotify_rm_watch(fd, 77777), EINVAL) && FAILS(inotify_rm_watch(fd, -1), EINVAL));
    child = fork();
    if (child == 0) {
        (void)!setgid(65534);
        _exit(setuid(65534) == 0 && FAILS(inotify_add_watch(fd, "secret", IN_OPEN), EACCES) ? 8 : 1);
    }
    waitpid(child, &status, 0);
    CASE("what one may not read", WIFEXITED(status) && WEXITSTATUS(status) == 8);
    for (int round = 0; round < 20; round++) { /* instances come back */
        for (made = 0; made < 10; made++) {
            many[made] = inotify_init1(IN_NONBLOCK);
            if (many[made] < 0 || inotify_add_watch(many[made], "d", IN_ALL_EVENTS) != 1)
                break;
        }
        for (int i = 0; i < made; i++)
            close(many[i]);
        if (made != 10)
            break;
    }
    CASE("instances come back", made == 10);
    for (int round = 0; round < 40; round++) {
        child = fork();
        if (child == 0) {
            for (int i = 0; i < 5; i++)
                inotify_add_watch(inotify_init(), "d", IN_ALL_EVENTS);
            kill(getpid(), 9);
        }
        waitpid(child, &status, 0);
    }
    many[0] = inotify_init();
    CASE("those of the killed, too", many[0] >= 0 && inotify_add_watch(many[0], "d", IN_OPEN) == 1);
    close(many[0]);
    close(null);
}

int main(void)
{
    if (mkdir("/tmp/watched", 0755) != 0 || chdir("/tmp/watched") != 0 || mkdir("d", 0755) != 0 || mkdir("e", 0755) != 0)
        return 99;
    put("secret", "1", 0);
    chmod("secret", 0600);
    fd = inotify_init1(IN_NONBLOCK);
    test_directory();
    test_file();
    test_masks();
    test_queue();
    test_overflow();
    test_misuse();
    return tap_finish();
}
