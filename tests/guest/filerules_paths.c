/* Every call that takes a path, with every kind of file and every ending of the path (filerules.h). */
#define _GNU_SOURCE
#include "filerules.h"

typedef long call(const char *path);

static long opened(const char *path, int flags)
{
    int fd = open(path, flags, 0640);
    struct stat stat;

    if (fd < 0)
        return -1;
    if (!(flags & O_PATH) && flags & O_ACCMODE && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && write(fd, "by", 2) != 2)
        printf("(no write) ");
    close(fd);
    return 0;
}

#define OPENS(name, flags)                     \
    static long name(const char *path)         \
    {                                          \
        return opened(path, flags);            \
    }
OPENS(open_read, O_RDONLY | O_NONBLOCK)
OPENS(open_write, O_WRONLY | O_NONBLOCK)
OPENS(open_both, O_RDWR | O_NONBLOCK)
OPENS(open_create, O_RDWR | O_CREAT | O_NONBLOCK)
OPENS(open_create_read, O_RDONLY | O_CREAT | O_NONBLOCK)
OPENS(open_exclusive, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK)
OPENS(open_only_exclusive, O_RDONLY | O_EXCL | O_NONBLOCK)
OPENS(open_directory, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
OPENS(open_nofollow, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
OPENS(open_nofollow_directory, O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK)
OPENS(open_create_nofollow, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
OPENS(open_truncate, O_WRONLY | O_TRUNC | O_NONBLOCK)
OPENS(open_read_truncate, O_RDONLY | O_TRUNC | O_NONBLOCK)
OPENS(open_path, O_PATH)
OPENS(open_path_nofollow, O_PATH | O_NOFOLLOW)
OPENS(open_path_directory, O_PATH | O_DIRECTORY)
OPENS(open_path_link_directory, O_PATH | O_DIRECTORY | O_NOFOLLOW)
OPENS(open_path_create, O_PATH | O_CREAT | O_RDWR)
OPENS(open_nameless, O_TMPFILE | O_RDWR)
OPENS(open_nameless_read, O_TMPFILE | O_RDONLY)
OPENS(open_noatime, O_RDONLY | O_NOATIME | O_NONBLOCK)
OPENS(open_append, O_WRONLY | O_APPEND | O_NONBLOCK)

static char told[64];

static long stat_of(const char *path)
{
    struct stat stat_;
    long result = stat(path, &stat_);

    if (result == 0)
        snprintf(told, sizeof told, "%c%u", letter_of(stat_.st_mode), (unsigned)stat_.st_nlink);
    return result;
}
static long lstat_of(const char *path)
{
    struct stat stat_;
    long result = lstat(path, &stat_);

    if (result == 0)
        snprintf(told, sizeof told, "%c%u", letter_of(stat_.st_mode), (unsigned)stat_.st_nlink);
    return result;
}
static long statfs_of(const char *path)
{
    struct statfs out;

    return statfs(path, &out);
}
static long readlink_of(const char *path)
{
    char text[100] = "";
    long result = readlink(path, text, sizeof text - 1);

    if (result >= 0)
        snprintf(told, sizeof told, "%.60s", text);
    return result;
}
static long access_of(const char *path)
{
    return access(path, R_OK | W_OK);
}
static long execute_of(const char *path)
{
    return access(path, X_OK);
}
static long mkdir_of(const char *path)
{
    return mkdir(path, 0750);
}
static long mknod_of(const char *path)
{
    return mknod(path, S_IFREG | 0600, 0);
}
static long mkfifo_of(const char *path)
{
    return mkfifo(path, 0600);
}
static long symlink_of(const char *path)
{
    return symlink("target", path);
}
static long link_to(const char *path)
{
    return link("file", path);
}
static long link_from(const char *path)
{
    return link(path, "new");
}
static long link_follow(const char *path)
{
    return linkat(AT_FDCWD, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
}
static long link_directory(const char *path)
{
    return link("empty", path);
}
static long link_slash(const char *path)
{
    return link(path, "new/");
}
static long rename_from(const char *path)
{
    return rename(path, "new");
}
static long rename_from_slash(const char *path)
{
    return rename(path, "new/");
}
static long rename_file_to(const char *path)
{
    return rename("file", path);
}
static long rename_directory_to(const char *path)
{
    return rename("empty", path);
}
static long rename_full_to(const char *path)
{
    return rename("full", path);
}
static long rename_link_to(const char *path)
{
    return rename("tofile", path);
}
static long rename_below(const char *path)
{
    return rename(path, "empty/inside");
}
static long renames(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}
static long rename_noreplace(const char *path)
{
    return renames("file", path, RENAME_NOREPLACE);
}
static long rename_noreplace_from(const char *path)
{
    return renames(path, "missing", RENAME_NOREPLACE);
}
static long rename_exchange(const char *path)
{
    return renames("file", path, RENAME_EXCHANGE);
}
static long rename_exchange_directory(const char *path)
{
    return renames(path, "full", RENAME_EXCHANGE);
}
static long rename_whiteout(const char *path)
{
    return renames(path, "new", RENAME_WHITEOUT);
}
static long rename_bad_flags(const char *path)
{
    return renames(path, "new", RENAME_EXCHANGE | RENAME_NOREPLACE);
}
static long removes(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
static long unlink_of(const char *path)
{
    return unlink(path);
}
static long rmdir_of(const char *path)
{
    return rmdir(path);
}
static long chmod_of(const char *path)
{
    return chmod(path, 0751);
}
static long chown_of(const char *path)
{
    return chown(path, 7, 8);
}
static long lchown_of(const char *path)
{
    return lchown(path, 7, 8);
}
static long truncate_of(const char *path)
{
    return truncate(path, 3);
}
static long truncate_less(const char *path)
{
    return truncate(path, -1);
}
static long times_of(const char *path)
{
    return utimensat(AT_FDCWD, path, NULL, 0);
}
static long times_nofollow(const char *path)
{
    return utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}
static long times_omitted(const char *path)
{
    const struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};

    return utimensat(AT_FDCWD, path, omit, 0);
}
static long times_wrong(const char *path)
{
    const struct timespec wrong[2] = {{0, 1000000000}, {0, 0}};

    return utimensat(AT_FDCWD, path, wrong, 0);
}
static long chdir_of(const char *path)
{
    int here = open(".", O_PATH);
    long result = chdir(path);
    int error = errno;

    if (fchdir(here))
        exit(2);
    close(here);
    errno = error;
    return result;
}
static long attribute_of(const char *path)
{
    return setxattr(path, "user.a", "b", 1, 0);
}
static long attribute_trusted(const char *path)
{
    return lsetxattr(path, "trusted.a", "b", 1, 0);
}
static long bind_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    long result;
    int error;

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    result = bind(fd, (struct sockaddr *)&address, sizeof address);
    error = errno;
    close(fd);
    errno = error;
    return result;
}
static long connect_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    long result;
    int error;

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    result = connect(fd, (struct sockaddr *)&address, sizeof address);
    error = errno;
    close(fd);
    errno = error;
    return result;
}
/* What follows of RESOLVE_*: in the folder `full`, by paths that lead out of it. */
static long resolves(const char *path, uint64_t flags, int folder)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {O_RDONLY | O_NONBLOCK, 0, flags};
    long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);

    if (fd >= 0)
        close((int)fd);
    return fd;
}
static long resolve_beneath(const char *path)
{
    return resolves(path, 8, AT_FDCWD);
}
static long resolve_in_root(const char *path)
{
    return resolves(path, 16, AT_FDCWD);
}
static long resolve_no_links(const char *path)
{
    return resolves(path, 4, AT_FDCWD);
}
static long resolve_no_magic(const char *path)
{
    return resolves(path, 2, AT_FDCWD);
}
static long resolve_no_mounts(const char *path)
{
    return resolves(path, 1, AT_FDCWD);
}

/* In the folder `full`, by paths that may lead out of it. */
static long from_full(const char *path, uint64_t flags)
{
    char longer[160];
    int folder = open("full", O_PATH);
    long result;
    int error;

    snprintf(longer, sizeof longer, "../%s", path);
    result = resolves(longer, flags, folder);
    error = errno;
    close(folder);
    errno = error;
    return result;
}
static long full_beneath(const char *path)
{
    return from_full(path, 8);
}
static long full_in_root(const char *path)
{
    return from_full(path, 16);
}
static long resolve_wrong(const char *path)
{
    return resolves(path, 24, AT_FDCWD);
}

static const struct {
    const char *name;
    call *body;
} calls[] = {
#define C(name) {#name, name}
    C(open_read), C(open_write), C(open_both), C(open_create), C(open_create_read), C(open_exclusive), C(open_only_exclusive), C(open_directory),
    C(open_nofollow), C(open_nofollow_directory), C(open_create_nofollow), C(open_truncate), C(open_read_truncate), C(open_path), C(open_path_nofollow),
    C(open_path_directory), C(open_path_link_directory), C(open_path_create), C(open_nameless), C(open_nameless_read), C(open_noatime), C(open_append),
    C(stat_of), C(lstat_of), C(statfs_of), C(readlink_of), C(access_of), C(execute_of), C(mkdir_of), C(mknod_of), C(mkfifo_of), C(symlink_of), C(link_to),
    C(link_from), C(link_follow), C(link_directory), C(link_slash), C(rename_from), C(rename_from_slash), C(rename_file_to), C(rename_directory_to),
    C(rename_full_to), C(rename_link_to), C(rename_below), C(rename_noreplace), C(rename_noreplace_from), C(rename_exchange), C(rename_exchange_directory),
    C(rename_whiteout), C(rename_bad_flags), C(removes), C(unlink_of), C(rmdir_of), C(chmod_of),
    C(chown_of), C(lchown_of), C(truncate_of), C(truncate_less), C(times_of), C(times_nofollow), C(times_omitted), C(times_wrong), C(chdir_of), C(attribute_of),
    C(attribute_trusted), C(bind_of), C(connect_of), C(resolve_beneath), C(resolve_in_root), C(resolve_no_links), C(resolve_no_magic), C(resolve_no_mounts),
    C(resolve_wrong), C(full_beneath), C(full_in_root),
};

static const char *const kinds[] = {"file", "empty", "full", "tofile", "todir", "dangling", "loop", "fifo", "socket", "null", "missing", "up"};
static const char *const endings[] = {"", "/", "/.", "/..", "/x", "//", "/./", "/../file", "/missing/x"};
static const char *const others[] = {"", ".", "..", "./", "../", "./.", "./..", "../.", "full/../file", "todir/../file", "todir/../todir/x"};

static void try(const char *name, call *body, const char *path)
{
    long result;

    told[0] = '\0';
    printf("%s %s: ", name, path);
    errno = 0;
    result = body(path);
    print_result(result);
    if (told[0])
        printf(" %s", told);
    print_changes();
    printf("\n");
}

static void try_all(const char *path)
{
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char now[2048] = "";

        describe(now, sizeof now);
        if (strcmp(now, before)) {
            make_all();
            before[0] = '\0';
            describe(before, sizeof before);
        }
        try(calls[i].name, calls[i].body, path);
    }
}

int main(int count, char **words)
{
    char path[128];

    start(count, words);
    make_all();
    describe(before, sizeof before);
    for (unsigned kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (unsigned ending = 0; ending < sizeof endings / sizeof endings[0]; ending++) {
            snprintf(path, sizeof path, "%s%s", kinds[kind], endings[ending]);
            try_all(path);
        }
    }
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        try_all(others[i]);
    return 0;
}
