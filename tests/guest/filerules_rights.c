/* Whom calls are allowed to, which times they change, and what ranges, long names and chains of links do (filerules.h). */
#define _GNU_SOURCE
#include "filerules.h"

#include <grp.h>

#define OLD 1000000000

/* ---- rights: as a user in a folder of some mode and owner ---- */

typedef long call(void);

static long r_open_read(void) { return open("d/f", O_RDONLY); }
static long r_open_write(void) { return open("d/f", O_WRONLY); }
static long r_open_truncate(void) { return open("d/f", O_RDONLY | O_TRUNC); }
static long r_open_noatime(void) { return open("d/f", O_RDONLY | O_NOATIME); }
static long r_create(void) { return open("d/new", O_WRONLY | O_CREAT | O_EXCL, 0666); }
static long r_open_folder(void) { return open("d", O_RDONLY | O_DIRECTORY); }
static long r_nameless(void) { return open("d", O_TMPFILE | O_RDWR, 0600); }
static long r_stat(void) { struct stat stat_; return stat("d/f", &stat_); }
static long r_stat_missing(void) { struct stat stat_; return stat("d/none", &stat_); }
static long r_access(void) { return access("d/f", W_OK); }
static long r_execute(void) { return access("d/f", X_OK); }
static long r_chdir(void) { return chdir("d"); }
static long r_mkdir(void) { return mkdir("d/new", 0777); }
static long r_mknod(void) { return mknod("d/new", S_IFCHR | 0600, makedev(1, 3)); }
static long r_mkfifo(void) { return mkfifo("d/new", 0666); }
static long r_symlink(void) { return symlink("x", "d/new"); }
static long r_link(void) { return link("d/f", "d/new"); }
static long r_unlink(void) { return unlink("d/f"); }
static long r_rmdir(void) { return rmdir("d/sub"); }
static long r_rename(void) { return rename("d/f", "d/new"); }
static long r_rename_over(void) { return rename("mine/m", "d/f"); }
static long r_rename_out(void) { return rename("d/f", "mine/new"); }
static long r_rename_folder(void) { return rename("d/sub", "mine/new"); }
static long r_exchange(void) { return syscall(SYS_renameat2, AT_FDCWD, "d/f", AT_FDCWD, "mine/m", RENAME_EXCHANGE); }
static long r_chmod(void) { return chmod("d/f", 0604); }
static long r_chmod_setgid(void) { return chmod("d/f", 02775); }
static long r_chmod_folder(void) { return chmod("d", 03777); }
static long r_chown_self(void) { return chown("d/f", -1, -1); }
static long r_chown_group(void) { return chown("d/f", -1, USER); }
static long r_chown_other(void) { return chown("d/f", 5, -1); }
static long r_truncate(void) { return truncate("d/f", 1); }
static long r_times_now(void) { return utimensat(AT_FDCWD, "d/f", NULL, 0); }
static long r_times_set(void)
{
    const struct timespec times[2] = {{5, 6}, {7, 8}};
    return utimensat(AT_FDCWD, "d/f", times, 0);
}
static long r_times_half(void)
{
    const struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    return utimensat(AT_FDCWD, "d/f", times, 0);
}
static long r_attribute(void) { return setxattr("d/f", "user.a", "b", 1, 0); }
static long r_attribute_trusted(void) { return setxattr("d/f", "trusted.a", "b", 1, 0); }
static long r_attribute_folder(void) { return setxattr("d", "user.a", "b", 1, 0); }
static long r_write_setid(void)
{
    int fd = open("d/s", O_WRONLY);
    return fd < 0 ? fd : write(fd, "x", 1);
}

static const struct {
    const char *name;
    call *body;
} asked[] = {
#define R(name) {#name, name}
    R(r_open_read), R(r_open_write), R(r_open_truncate), R(r_open_noatime), R(r_create), R(r_open_folder), R(r_nameless), R(r_stat), R(r_stat_missing),
    R(r_access), R(r_execute), R(r_chdir), R(r_mkdir), R(r_mknod), R(r_mkfifo), R(r_symlink), R(r_link), R(r_unlink), R(r_rmdir), R(r_rename),
    R(r_rename_over), R(r_rename_out), R(r_rename_folder), R(r_exchange), R(r_chmod), R(r_chmod_setgid), R(r_chmod_folder), R(r_chown_self),
    R(r_chown_group), R(r_chown_other), R(r_truncate), R(r_times_now), R(r_times_set), R(r_times_half), R(r_attribute), R(r_attribute_trusted),
    R(r_attribute_folder), R(r_write_setid),
};

static void show(const char *path)
{
    struct stat stat_;

    if (lstat(path, &stat_) == 0)
        printf(" %s:%c%o/%u/%u/%u", path, letter_of(stat_.st_mode), stat_.st_mode & 07777, stat_.st_uid, stat_.st_gid, (unsigned)stat_.st_nlink);
}

static void own(const char *path, unsigned uid, unsigned gid, mode_t mode)
{
    if (chown(path, uid, gid) || chmod(path, mode))
        perror(path);
}

static void set_up(mode_t mode, unsigned owner, unsigned file_owner, unsigned group)
{
    clear("d");
    clear("mine");
    if (mkdir("d", 0700) || mkdir("mine", 0700) || mkdir("d/sub", 0700))
        perror("set up");
    make_file("d/f");
    make_file("d/s");
    make_file("mine/m");
    own("d/f", file_owner, file_owner, 0644);
    own("d/s", 0, group, 06757);
    own("d/sub", file_owner, file_owner, 0755);
    own("mine", USER, USER, 0755);
    own("mine/m", USER, USER, 0644);
    own("d", owner, group, mode);
}

static int here;

static void as_user(call *body)
{
    long result;
    int error;

    if (setresgid(USER, USER, 0) || setresuid(USER, USER, 0))
        perror("user");
    result = body();
    error = errno;
    if (setresuid(0, 0, 0) || setresgid(0, 0, 0) || fchdir(here))
        perror("root");
    if (result > 2)
        close((int)result);
    errno = error;
    print_result(result);
}

static void rights(void)
{
    static const mode_t modes[] = {0711, 0722, 0733, 0744, 0755, 0777, 01777, 02777, 0570};

    here = open(".", O_PATH);
    if (setgroups(0, NULL))
        perror("groups");
    for (unsigned mode = 0; mode < sizeof modes / sizeof modes[0]; mode++) {
        for (unsigned who = 0; who < 6; who++) {
            unsigned owner = who & 1 ? USER : 0, file_owner = who & 2 ? USER : 0, group = who & 4 ? USER : 0;

            for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
                set_up(modes[mode], owner, file_owner, group);
                printf("%s d %o of %u/%u, f of %u: ", asked[i].name, modes[mode], owner, group, file_owner);
                as_user(asked[i].body);
                show("d");
                show("d/f");
                show("d/s");
                show("d/sub");
                show("d/new");
                show("mine/new");
                show("mine/m");
                printf("\n");
            }
        }
    }
    clear("d");
    clear("mine");
}

/* ---- times ---- */

static int held; /* a descriptor of t/f */
static long t_write(void) { return pwrite(held, "x", 1, 0); }
static long t_write_nothing(void) { return pwrite(held, "x", 0, 0); }
static long t_read(void) { char byte; return pread(held, &byte, 1, 0); }
static long t_truncate(void) { return ftruncate(held, 2); }
static long t_truncate_same(void) { return ftruncate(held, 5); }
static long t_truncate_path_same(void) { return truncate("t/f", 5); }
static long t_open_truncate(void) { return close(open("t/f", O_WRONLY | O_TRUNC)); }
static long t_chmod(void) { return chmod("t/f", 0644); }
static long t_chown(void) { return chown("t/f", 0, 0); }
static long t_chown_nothing(void) { return chown("t/f", -1, -1); }
static long t_link(void) { return link("t/f", "t/new"); }
static long t_unlink(void) { return unlink("t/f"); }
static long t_rename(void) { return rename("t/f", "t/new"); }
static long t_rename_over(void) { return rename("t/f", "t/g"); }
static long t_rename_same(void) { return rename("t/f", "t/f"); }
static long t_rename_links(void) { return rename("t/g", "t/h"); }
static long t_rename_out(void) { return rename("t/f", "new"); }
static long t_rename_folder(void) { return rename("t/sub", "new"); }
static long t_exchange(void) { return syscall(SYS_renameat2, AT_FDCWD, "t/f", AT_FDCWD, "t/sub", RENAME_EXCHANGE); }
static long t_mkdir(void) { return mkdir("t/new", 0700); }
static long t_rmdir(void) { return rmdir("t/sub"); }
static long t_create(void) { return close(open("t/new", O_WRONLY | O_CREAT, 0600)); }
static long t_create_there(void) { return close(open("t/f", O_WRONLY | O_CREAT, 0600)); }
static long t_symlink(void) { return symlink("a", "t/new"); }
static long t_list(void)
{
    DIR *folder = opendir("t");
    while (readdir(folder))
        ;
    return closedir(folder);
}
static long t_attribute(void) { return setxattr("t/f", "trusted.a", "b", 1, 0); }
static long t_allocate(void) { return fallocate(held, 0, 0, 10); }
static long t_punch(void) { return fallocate(held, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096); }
static long t_readlink(void) { char text[8]; return readlink("t/l", text, 8); }
static long t_failed(void) { return link("t/f", "t/g"); }

static const struct {
    const char *name;
    call *body;
} timed[] = {
    R(t_write), R(t_write_nothing), R(t_read), R(t_truncate), R(t_truncate_same), R(t_truncate_path_same), R(t_open_truncate), R(t_chmod), R(t_chown),
    R(t_chown_nothing), R(t_link), R(t_unlink), R(t_rename), R(t_rename_over), R(t_rename_same), R(t_rename_links), R(t_rename_out), R(t_rename_folder),
    R(t_exchange), R(t_mkdir), R(t_rmdir), R(t_create), R(t_create_there), R(t_symlink), R(t_list), R(t_attribute), R(t_allocate), R(t_punch),
    R(t_readlink), R(t_failed),
};

static struct timespec changed_before[8];

static void stamp(const char *path)
{
    const struct timespec old[2] = {{OLD, 0}, {OLD, 0}};

    utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
}

/* Which of its times are no longer what they were. */
static void show_times(const char *path, const struct timespec *changed)
{
    struct stat stat_;

    if (lstat(path, &stat_))
        return;
    printf(" %s:%s%s%s%u", path, stat_.st_atim.tv_sec != OLD ? "a" : "", stat_.st_mtim.tv_sec != OLD ? "m" : "",
           stat_.st_ctim.tv_sec != changed->tv_sec || stat_.st_ctim.tv_nsec != changed->tv_nsec ? "c" : "", (unsigned)stat_.st_nlink);
}

static void times_of(void)
{
    static const char *const paths[] = {"t/f", "t/g", "t/sub", "t/l", "t", ".", "t/new", "new"};

    for (unsigned i = 0; i < sizeof timed / sizeof timed[0]; i++) {
        clear("t");
        clear("new");
        mkdir("t", 0755);
        make_file("t/f");
        make_file("t/g");
        if (mkdir("t/sub", 0755) || symlink("f", "t/l") || link("t/g", "t/h"))
            perror("times");
        held = open("t/f", O_RDWR);
        for (unsigned j = 0; j < 6; j++) {
            struct stat stat_;

            stamp(paths[j]);
            if (lstat(paths[j], &stat_) == 0)
                changed_before[j] = stat_.st_ctim;
        }
        usleep(20000); /* Linux's clock of files goes by steps */
        printf("%s: ", timed[i].name);
        print_result(timed[i].body());
        for (unsigned j = 0; j < 8; j++)
            show_times(paths[j], &changed_before[j < 6 ? j : 0]);
        printf("\n");
        close(held);
    }
    clear("t");
    clear("new");
}

/* ---- ranges ---- */

static void show_extents(int fd)
{
    struct stat stat_;
    off_t at = 0;

    fstat(fd, &stat_);
    printf(" %ld/%ld", (long)stat_.st_size, (long)stat_.st_blocks);
    for (unsigned i = 0; i < 8 && (at = lseek(fd, at, SEEK_DATA)) >= 0; i++) {
        printf(" data %ld", (long)at);
        at = lseek(fd, at, SEEK_HOLE);
        printf(" to %ld", (long)at);
    }
}

static void ranges(void)
{
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0x10, 0x8, 0x20,
                                0x1000} /* zero, collapse, insert; unknown */;
    static const off_t spans[][2] = {{0, 4096}, {0, 0}, {-1, 10}, {0, -1}, {4096, 8192}, {100, 200}, {5000, 5000}, {40960, 4096}, {16384, 100000},
                                     {0x7ffffffffffff000, 4096}, {3, 0x7fffffffffffffff}};

    for (unsigned mode = 0; mode < sizeof modes / sizeof modes[0]; mode++) {
        for (unsigned span = 0; span < sizeof spans / sizeof spans[0]; span++) {
            int fd = open("ranges", O_RDWR | O_CREAT | O_TRUNC, 0600);

            if (ftruncate(fd, 50000) || pwrite(fd, "x", 1, 0) != 1 || pwrite(fd, "x", 1, 20000) != 1)
                perror("ranges");
            printf("fallocate %#x %ld %ld: ", modes[mode], (long)spans[span][0], (long)spans[span][1]);
            print_result(fallocate(fd, modes[mode], spans[span][0], spans[span][1]));
            if (modes[mode] & FALLOC_FL_PUNCH_HOLE) /* elsewhere what is reserved is data here */
                show_extents(fd);
            printf(" %ld\n", (long)lseek(fd, 0, SEEK_END));
            close(fd);
        }
    }
    for (off_t at = -1; at < 60000; at += 3777) {
        int fd = open("ranges", O_RDWR | O_CREAT | O_TRUNC, 0600);
        off_t far = at < 0 ? -1 : at + (3l << 30);

        if (ftruncate(fd, 5l << 30) || pwrite(fd, "x", 1, 3l << 30) != 1 || pwrite(fd, "x", 1, (4l << 30) + 5000) != 1)
            perror("large");
        printf("seek %ld: data %ld hole %ld beyond %ld", (long)far, (long)lseek(fd, far, SEEK_DATA), (long)lseek(fd, far, SEEK_HOLE),
               (long)lseek(fd, (5l << 30) + at, SEEK_DATA));
        printf(" end %ld\n", (long)lseek(fd, 0, SEEK_END));
        close(fd);
    }
    unlink("ranges");
}

/* ---- lengths and chains ---- */

static void lengths(void)
{
    char name[5000], link_to[32], link_name[32];

    for (unsigned length = 250; length < 260; length++) {
        memset(name, 'n', length);
        name[length] = '\0';
        printf("name of %u: ", length);
        print_result(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600));
        printf(" symlink ");
        print_result(unlink(name) ? -1 : symlink("x", name));
        printf(" ");
        print_result(unlink(name));
        printf("\n");
    }
    for (unsigned length = 4090; length < 4100; length++) {
        memset(name, '/', length);
        memcpy(name, "./", 2);
        name[length - 1] = '.';
        name[length] = '\0';
        printf("path of %u: ", length);
        print_result(chdir(name));
        printf("\n");
    }
    make_file("l0");
    for (unsigned i = 1; i < 45; i++) {
        snprintf(link_to, sizeof link_to, "l%u", i - 1);
        snprintf(link_name, sizeof link_name, "l%u", i);
        if (symlink(link_to, link_name))
            perror(link_name);
        printf("chain of %u: ", i);
        print_result(open(link_name, O_RDONLY));
        printf(" ");
        print_result(access(link_name, R_OK));
        printf("\n");
    }
    for (unsigned i = 0; i < 45; i++) {
        snprintf(link_name, sizeof link_name, "l%u", i);
        unlink(link_name);
    }
    mkdir("deep", 0755);
    for (unsigned i = 2; i < 6; i++) {
        struct stat stat_;

        snprintf(name, sizeof name, "deep/%u", i);
        mkdir(name, 0755);
        if (stat("deep", &stat_) == 0)
            printf("links of a folder of %u: %u\n", i - 1, (unsigned)stat_.st_nlink);
    }
    clear("deep");
}

/* ---- statx ---- */

static void statxes(void)
{
    static const unsigned masks[] = {0, 1, 0x7ff, 0xfff, 0x800, 0x1000, 0x2000, 0x80000000};
    static const int flags[] = {0, AT_SYMLINK_NOFOLLOW, 0x2000, 0x4000, 0x6000, AT_EMPTY_PATH, 0x800, 0x10, 0x8000};
    uint32_t out[64];

    make_file("f");
    for (unsigned mask = 0; mask < sizeof masks / sizeof masks[0]; mask++) {
        for (unsigned flag = 0; flag < sizeof flags / sizeof flags[0]; flag++) {
            memset(out, 0, sizeof out);
            printf("statx %#x %#x: ", masks[mask], flags[flag]);
            print_result(syscall(SYS_statx, AT_FDCWD, "f", flags[flag], masks[mask], out));
            printf(" %#x %u mode %o\n", out[0] & 0xf3f, out[4], (unsigned)(out[7] & 0xffff)); /* later Linux tells times only when asked */
        }
    }
    unlink("f");
}

int main(int count, char **words)
{
    start(count, words);
    rights();
    times_of();
    ranges();
    lengths();
    statxes();
    make_all();
    print_changes();
    for (unsigned i = 0; i < NAMES; i++)
        clear(names[i]);
    return 0;
}
