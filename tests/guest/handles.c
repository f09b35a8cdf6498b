/*
 * File handles: name_to_handle_at, open_by_handle_at. The same on Linux, as root, with /tmp on tmpfs.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define ROOM 128

struct handle {
    struct file_handle head;
    unsigned char room[ROOM];
};

static struct handle with_room(unsigned bytes)
{
    return (struct handle){.head = {.handle_bytes = bytes}};
}

static void named(const char *path)
{
    struct handle a = with_room(ROOM), b = with_room(ROOM), none = with_room(0);
    int mount = -1, other = -2, fd;

    CASE("a path has a handle", name_to_handle_at(AT_FDCWD, path, &a.head, &mount, 0) == 0 && a.head.handle_bytes > 0 && a.head.handle_bytes <= ROOM);
    CASE("too little room: the size is told", FAILS(name_to_handle_at(AT_FDCWD, path, &none.head, &other, 0), EOVERFLOW) &&
                                                  none.head.handle_bytes == a.head.handle_bytes && other == mount);
    fd = open(path, O_RDONLY);
    CASE("so has a descriptor, the same", name_to_handle_at(fd, "", &b.head, &other, AT_EMPTY_PATH) == 0 && memcmp(&a, &b, sizeof a) == 0 && mount == other);
    CASE("which is asked for", FAILS(name_to_handle_at(fd, "", &b.head, &other, 0), ENOENT));
    close(fd);
    a = with_room(ROOM + 1);
    CASE("unknown flags", FAILS(name_to_handle_at(AT_FDCWD, path, &b.head, &mount, AT_SYMLINK_NOFOLLOW), EINVAL));
    CASE("room for more than there is", FAILS(name_to_handle_at(AT_FDCWD, path, &a.head, &mount, 0), EINVAL));
    CASE("no file", FAILS(name_to_handle_at(AT_FDCWD, "/tmp/handles-none", &b.head, &mount, 0), ENOENT));
    CASE("addresses that are none", FAILS(name_to_handle_at(AT_FDCWD, path, (struct file_handle *)8, &mount, 0), EFAULT) &&
                                        FAILS(name_to_handle_at(AT_FDCWD, path, &b.head, (int *)8, 0), EFAULT) &&
                                        FAILS(name_to_handle_at(AT_FDCWD, (char *)8, &b.head, &mount, 0), EFAULT));
    b = with_room(ROOM);
    CASE("/proc has none", FAILS(name_to_handle_at(AT_FDCWD, "/proc/version", &b.head, &mount, 0), EOPNOTSUPP));
}

static void opened(const char *path, int folder)
{
    struct handle file = with_room(ROOM), link = with_room(ROOM), bad;
    int mount, fd, status;
    struct stat by_name, by_handle;
    char text[8] = "";
    pid_t child;

    (void)!symlink(path, "/tmp/handles-link");
    CASE("a link of its own, or what it leads to", name_to_handle_at(AT_FDCWD, "/tmp/handles-link", &link.head, &mount, 0) == 0 &&
                                                      name_to_handle_at(AT_FDCWD, "/tmp/handles-link", &file.head, &mount, AT_SYMLINK_FOLLOW) == 0 &&
                                                      memcmp(&file, &link, sizeof file) != 0);
    fd = open_by_handle_at(folder, &file.head, O_RDWR);
    CASE("opens what has the handle", fd >= 0 && write(fd, "text", 4) == 4 && stat(path, &by_name) == 0 && fstat(fd, &by_handle) == 0 &&
                                          by_name.st_ino == by_handle.st_ino && by_handle.st_size == 4);
    close(fd);
    CASE("under another name, too", rename(path, "/tmp/handles-b") == 0 && (fd = open_by_handle_at(folder, &file.head, O_RDONLY)) >= 0 &&
                                        read(fd, text, sizeof text) == 4 && memcmp(text, "text", 4) == 0);
    CASE("with the rights that it was opened with", FAILS(write(fd, "x", 1), EBADF));
    close(fd);
    CASE("a link is not opened", FAILS(open_by_handle_at(folder, &link.head, O_RDONLY), ELOOP));
    CASE("but as a path", (fd = open_by_handle_at(folder, &link.head, O_PATH)) >= 0 && readlinkat(fd, "", text, sizeof text) == sizeof text);
    close(fd);
    bad = with_room(0);
    CASE("no bytes", FAILS(open_by_handle_at(folder, &bad.head, O_RDONLY), EINVAL));
    bad = with_room(ROOM + 1);
    CASE("too many", FAILS(open_by_handle_at(folder, &bad.head, O_RDONLY), EINVAL));
    bad = file;
    memset(bad.head.f_handle, 0xff, bad.head.handle_bytes);
    CASE("one that nobody gave", FAILS(open_by_handle_at(folder, &bad.head, O_RDONLY), ESTALE));
    bad = file;
    bad.head.f_handle[0] ^= 1;
    CASE("of another generation", FAILS(open_by_handle_at(folder, &bad.head, O_RDONLY), ESTALE));
    CASE("no folder", FAILS(open_by_handle_at(-1, &file.head, O_RDONLY), EBADF));
    CASE("an address that is none", FAILS(open_by_handle_at(folder, (struct file_handle *)8, O_RDONLY), EFAULT));
    child = fork();
    if (child == 0)
        _exit(setuid(1000) != 0 || !FAILS(open_by_handle_at(folder, &file.head, O_RDONLY), EPERM));
    CASE("users may not", waitpid(child, &status, 0) == child && status == 0);
    CASE("a file that is gone", unlink("/tmp/handles-b") == 0 && FAILS(open_by_handle_at(folder, &file.head, O_RDONLY), ESTALE));
    (void)!unlink("/tmp/handles-link");
}

int main(void)
{
    const char *path = "/tmp/handles-a";
    int folder = open("/tmp", O_RDONLY | O_DIRECTORY), fd = open(path, O_CREAT | O_WRONLY, 0600);

    close(fd);
    named(path);
    opened(path, folder);
    return tap_finish();
}
