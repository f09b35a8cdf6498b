/*
 * /proc as programs read it: the formats field by field, paths and links, listings with every buffer size,
 * reads in pieces, other processes, and that nothing asked for with nonsense is given.
 * unit-sources: libexo/format.c
 */
#define FAKE_PERSONALITY 0x40000
#include "fake.h"

#include "libos/posix/fd/board.c"
#include "libos/posix/fd/fd_name.c"
#include "libos/posix/fd/limits.c"
#include "libos/posix/fd/lock.c"
#include "libos/posix/fd/ofd.c"
#include "libos/posix/fd/proc_file.c"
#include "libos/posix/fd/proc_process.c"
#undef TICK_NS
#include "libos/posix/fd/proc_system.c"
#include "libos/posix/fd/proc_table.c"
#include "libos/posix/fd/proc_tree.c"
#include "libos/posix/fd/table.c"
#include "libos/posix/fd/text.c"

unsigned px_ring_pages(uint64_t va)
{
    (void)va;
    return 0;
}
void px_ring_let_go(uint64_t va)
{
    (void)va;
}

const struct px_ops px_file_ops, px_directory_ops, px_path_ops, px_device_ops, px_tty_ops, px_socket_ops,
    px_event_ops, px_epoll_ops, px_timerfd_ops, px_signalfd_ops, px_pidfd_ops, px_inotify_ops, px_mqueue_ops;
char px_domain_name[65] = "(none)";
struct px_action px_actions[SIGRTMAX + 1];

static int64_t pipe_stat(struct px_ofd *ofd, struct px_stat *stat)
{
    stat->st_ino = ofd->word[0];
    stat->st_mode = S_IFIFO | 0600;
    return 0;
}
const struct px_ops px_pipe_ops = {.name = "pipe", .stat = pipe_stat};
void px_memory_figures(struct px_figures *figures)
{
    *figures = (struct px_figures){.total = 64u << 20, .free = 40u << 20, .cached = 8u << 20};
}
void px_arch_cpuinfo(struct px_text *text, unsigned cpu)
{
    px_text_add(text, "processor\t: %u\n", cpu);
}
void px_memory_totals(struct px_memory_totals *totals)
{
    *totals = (struct px_memory_totals){.size = 300,
                                        .resident = 200,
                                        .data = 50,
                                        .stack = 3,
                                        .code = 100,
                                        .argument_lo = USER(0),
                                        .argument_hi = USER(8),
                                        .environment_hi = USER(20)};
}
/* Another process answers: a letter a byte of its environment, and nothing else. */
int64_t px_ask_proc(int32_t pid, enum px_ask kind, uint64_t object, uint64_t offset, uint64_t number, void *to, size_t bytes)
{
    (void)pid, (void)object, (void)number, (void)to;
    if (kind == PX_ASK_TEXT && offset == 0 && bytes >= 3) {
        memcpy(to, "A=b", 3);
        return 3;
    }
    return kind == PX_ASK_TEXT ? 0 : -EPERM;
}
int64_t px_ask_move(int32_t pid, bool write, px_user program, uint64_t other, uint64_t bytes, unsigned as)
{
    (void)pid, (void)write, (void)program, (void)other, (void)bytes, (void)as;
    return -EPERM;
}
size_t px_memory_maps(char *to, size_t bytes, uint64_t offset, enum px_maps how)
{
    (void)how;
    static const char maps[] =
        "00400000-00500000 r-xp 00000000 00:01 12                                 /bin/x\n";
    size_t n = sizeof maps - 1 - offset < bytes ? sizeof maps - 1 - offset : bytes;

    memcpy(to, maps + offset, n);
    return n;
}
/* Another process has one descriptor, 3, of an inode 55. */
int64_t px_parcel_ask(int pid, unsigned fd, struct px_ofd **ofd)
{
    if (fd != 3)
        return fd == 4 ? -EOPNOTSUPP : -EBADF;
    (void)pid;
    *ofd = px_ofd_new(PX_OFD_PATH, O_RDWR);
    (*ofd)->node = (struct px_node){.kind = PX_NODE_FS, .ino = 55, .mode = S_IFREG | 0600};
    return 0;
}
int64_t px_process_name(const char name[16])
{
    EQUAL(strcmp(name, "a name of many "), 0);
    return 0;
}
void px_text_locks(struct px_text *text, const struct px_proc *process)
{
    (void)text, (void)process;
}
void px_random_bytes(void *to, size_t bytes)
{
    memset(to, 0x5c, bytes);
}
int64_t px_walk(int dirfd, const char *path, unsigned flags, struct px_node *node)
{
    (void)dirfd, (void)flags;
    *node = (struct px_node){.kind = PX_NODE_FS, .ino = strlen(path), .mode = S_IFREG | 0644};
    return 0;
}
int64_t px_node_path(const struct px_node *node, char *to, size_t bytes)
{
    return exo_format(to, bytes, "/node/%lu", (unsigned long)node->ino);
}
/* proc_ipc.c asks fs */
#define EMPTY_TEXT(name)                                                \
    void px_text_##name(struct px_text *text, const struct px_proc *process) \
    {                                                                   \
        (void)process;                                                  \
        px_text_add(text, "0\n");                                       \
    }
EMPTY_TEXT(net_unix)
EMPTY_TEXT(net_tcp)
EMPTY_TEXT(net_tcp6)
EMPTY_TEXT(net_udp)
EMPTY_TEXT(net_udp6)
EMPTY_TEXT(net_udplite)
EMPTY_TEXT(net_udplite6)
EMPTY_TEXT(net_sockstat)
EMPTY_TEXT(net_sockstat6)
EMPTY_TEXT(sem_limits)
EMPTY_TEXT(msgmax)
EMPTY_TEXT(msgmnb)
EMPTY_TEXT(msgmni)
EMPTY_TEXT(shmall)
EMPTY_TEXT(shmmax)
EMPTY_TEXT(shmmni)
EMPTY_TEXT(mq_messages)
EMPTY_TEXT(mq_bytes)
EMPTY_TEXT(mq_queues)
EMPTY_TEXT(sysvipc_msg)
EMPTY_TEXT(sysvipc_sem)
EMPTY_TEXT(sysvipc_shm)
int64_t px_call_server(enum px_slot server, struct exo_message *message)
{
    EQUAL(server, PX_SLOT_PROC);
    if (message->word[0] == PX_PROC_SETHOSTNAME)
        return 0;
    EQUAL(message->word[0], PX_PROC_USAGE);
    message->word[2] = 77; /* frames */
    *(struct px_usage *)px_msg() = (struct px_usage){.own = {.cpu_ns = 1230000000, .faults = 11, .resident_most = 300},
                                                     .children = {.cpu_ns = 50000000, .faults = 4}};
    return 0;
}
int64_t px_pipe_open_fifo(const struct px_node *node, unsigned flags, struct px_ofd **ofd)
{
    (void)node, (void)flags, (void)ofd;
    return -EIO;
}
static unsigned reopened;
int64_t px_pipe_reopen(const struct px_ofd *old, unsigned flags, struct px_ofd **ofd)
{
    (void)old, (void)flags;
    reopened++;
    *ofd = px_ofd_new(PX_OFD_PIPE, flags);
    return 0;
}
int64_t px_open_node(const struct px_node *node, const char *path, unsigned flags, unsigned *made_kind,
                     struct px_ofd **ofd)
{
    (void)node, (void)path, (void)flags, (void)made_kind, (void)ofd;
    return -ENXIO;
}
void px_pipe_inherited(void)
{
}
void px_record_release(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_forget(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_pass_on(struct px_ofd *ofd)
{
    (void)ofd;
}
void px_record_forked(void)
{
}
void px_record_exit(void)
{
}

/* ---- reading ---- */

static char content[65536];

static int64_t open_path(const char *path, struct px_ofd **ofd)
{
    struct px_node node;
    int64_t result = px_procfs_walk(path, 0, &node);

    return result < 0 ? result : px_proc_open(&node, O_RDONLY, ofd);
}

/* The whole file, in pieces of `piece` bytes. */
static const char *read_path(const char *path, size_t piece)
{
    struct px_ofd *ofd;
    size_t used = 0;

    EQUAL(open_path(path, &ofd), 0);
    for (;;) {
        int64_t got = px_proc_ops.read(ofd, USER(65536), piece, &ofd->offset);

        CHECK(got >= 0 && used + (size_t)got < sizeof content);
        if (got == 0)
            break;
        memcpy(content + used, fake_user + 65536, (size_t)got);
        used += (size_t)got;
    }
    content[used] = '\0';
    px_ofd_abandon(ofd);
    return content;
}

static void expect(const char *path, const char *text)
{
    for (size_t piece = 1; piece < 10000; piece = piece * 7 + 1) {
        if (strcmp(read_path(path, piece), text) != 0) {
            fprintf(stderr, "%s: got %s expected %s", path, content, text);
            abort();
        }
    }
}

static unsigned fields(const char *text)
{
    unsigned count = 1;

    for (; *text; text++)
        count += *text == ' ';
    return count;
}

static unsigned object_named(const char *path)
{
    struct px_node node;

    EQUAL(px_procfs_walk(path, 0, &node), 0);
    return PX_PROC_OBJECT(node.ino);
}

static void process_files(void)
{
    struct px_proc *self = PX_PROC(fake_table, 5);

    memcpy(self->comm, "busybox", 8);
    memcpy(fake_user, "sh\0-c\0x\0HOME=/\0A=b\0", 20);
    self->start_ns = 12340000000;
    self->tty = 3;
    self->nice = 5;
    px_actions[SIGQUIT].handler = PX_SIG_IGN;
    read_path("self/stat", 4096);
    EQUAL(fields(content), 52);
    CHECK(strstr(content, "105 (busybox) R 1 105 105 34818 0 ") == content);
    CHECK(strstr(content, " 123 0 5 0 25 5 1 0 1234 1228800 200 ") != NULL);
    expect("self/statm", "300 200 0 100 0 53 0\n");
    expect("105/comm", "busybox\n");
    EQUAL(strlen(read_path("self/cmdline", 3)), 2);
    CHECK(memcmp(content, "sh\0-c\0x", 8) == 0);
    read_path("self/environ", 5);
    CHECK(memcmp(content, "HOME=/\0A=b", 11) == 0);
    read_path("self/status", 100);
    CHECK(strstr(content,
                 "Name:\tbusybox\nUmask:\t0000\nState:\tR "
                 "(running)\nTgid:\t105\nNgid:\t0\nPid:\t105\nPPid:\t1\nTracerPid:\t0\nUid:\t0\t0\t0\t0\n") ==
          content);
    CHECK(strstr(content, "\nVmRSS:\t     800 kB\n") != NULL);
    CHECK(strstr(content, "\nSigIgn:\t0000000000000004\n") != NULL);
    CHECK(strstr(content, "\nCapEff:\t000001ffffffffff\n") != NULL);
    read_path("self/limits", 4096);
    CHECK(strstr(content,
                 "Max open files            1024                 4096                 files     \n") != NULL);
    CHECK(strstr(content,
                 "Max cpu time              unlimited            unlimited            seconds   \n") != NULL);
    expect("self/oom_score_adj", "0\n");
    EQUAL(px_proc_set(PROC_OOM_SCORE_ADJ, 0, self, "-17\n"), 0);
    EQUAL(px_ppage()->oom_score_adj, -17);
    EQUAL(px_proc_set(PROC_OOM_SCORE_ADJ, 0, self, "1001"), -EINVAL);
    EQUAL(px_proc_set(PROC_OOM_SCORE_ADJ, 0, self, "x"), -EINVAL);
    self->euid = 1000;
    EQUAL(px_proc_set(PROC_OOM_SCORE_ADJ, 0, self, "-18"), -EACCES); /* only upwards */
    EQUAL(px_proc_set(object_named("self/comm"), 0, self, "a name of many letters"), 0);
    EQUAL(px_proc_set(object_named("self/comm"), 0, PX_PROC(fake_table, 1), "x"), -EINVAL);
    EQUAL(px_proc_set(object_named("self/comm"), 7, self, "x"), -ESRCH); /* no such thread */
    self->euid = 0;
    EQUAL(px_proc_set(object_named("sys/kernel/pid_max"), 0, NULL, "5"), -EPERM);
    EQUAL(px_proc_set(object_named("sys/kernel/pid_max"), 0, NULL, "32768\n"), 0); /* what it is */
    EQUAL(px_proc_set(object_named("sys/kernel/pid_max"), 0, NULL, "3276"), -EPERM);
}

static void other_processes(void)
{
    struct px_proc *other = PX_PROC(fake_table, 9);

    fake_process(9, 4, PX_ZOMBIE);
    memcpy(other->comm, "gone (x) y", 11);
    other->status = 256;
    other->uid = other->euid = 1000;
    read_path("109/stat", 4096);
    CHECK(strstr(content, "109 (gone (x) y) Z 1 109 109 0 -1 ") == content);
    read_path("109/status", 4096);
    CHECK(strstr(content, "State:\tZ (zombie)\n") != NULL && strstr(content, "VmSize") == NULL);
    CHECK(strstr(content, "CapEff:\t0000000000000000\n") != NULL);
    EQUAL(strlen(read_path("109/environ", 4096)), 0);
    other->state = PX_STOPPED;
    memcpy(other->cmdline, "top\0-b", 7);
    other->cmdline_len = 9999; /* more than there is room for */
    read_path("109/cmdline", 4096);
    CHECK(memcmp(content, "top\0-b", 7) == 0);
    CHECK(strstr(read_path("109/stat", 4096), ") T 1 ") != NULL);
}

static void system_files(void)
{
    struct px_proctab *table = (struct px_proctab *)fake_table;

    memcpy(table->hostname, "exov6", 6);
    table->count = 2;
    table->last_pid = 109;
    fake_now = 12340000000;
    fake_info.cpus = 2;
    fake_stats = (struct exo_stats){.idle_ns = 10010000000, .cpu_idle_ns = {9000000000, 1010000000}, .running = 3, .switches = 77, .interrupts = 5,
                                    .timer_interrupts = 6, .cpu_interrupts = {5, 0}, .cpu_timer_interrupts = {2, 4}, .cpu_kicks = {8, 9}};
    expect("uptime", "12.34 10.01\n");
    expect("loadavg", "3.00 3.00 3.00 3/2 109\n");
    expect("sys/kernel/hostname", "exov6\n");
    expect("sys/kernel/osrelease", "6.1.0-exov6\n");
    expect("sys/kernel/ostype", "Linux\n");
    expect("sys/kernel/random/uuid", "5c5c5c5c-5c5c-4c5c-9c5c-5c5c5c5c5c5c\n");
    expect("sys/fs/pipe-max-size", "65536\n");
    expect("sys/vm/overcommit_memory", "0\n");
    read_path("meminfo", 77);
    CHECK(strstr(content,
                 "MemTotal:          65536 kB\nMemFree:           40960 kB\n"
                 "MemAvailable:      40960 kB\nBuffers:               0 kB\nCached:             8192 kB\n") ==
          content);
    read_path("stat", 4096);
    CHECK(strstr(content, "cpu  1467 0 0 1001 0 0 0 0 0 0\ncpu0 334 0 0 900 0 0 0 0 0 0\ncpu1 1133 0 0 101 0 0 0 0 0 0\nintr 28\nctxt 77\n") == content);
    expect("interrupts", "           CPU0       CPU1\nDEV:          5          0   Device interrupts\n"
                         "LOC:          2          4   Local timer interrupts\nRES:          8          9   Rescheduling interrupts\n");
    fake_info.cpus = 1000; /* more than there are figures of */
    CHECK(strstr(read_path("stat", 4096), "cpu7 1234 0 0 0 ") && !strstr(content, "cpu8"));
    fake_info.cpus = 1;
    CHECK(strstr(read_path("version", 4096), "Linux version 6.1.0-exov6 ") == content);
    expect("mounts", "tmpfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
                     "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n");
    CHECK(strstr(read_path("vmstat", 4096), "nr_free_pages 10240\n") == content);
    expect("diskstats", "");
}

/* ---- paths ---- */

static unsigned mode_of(const char *path, unsigned flags)
{
    struct px_node node;
    int64_t result = px_procfs_walk(path, flags, &node);

    return result < 0 ? (unsigned)result : node.mode;
}

static void expect_link(const char *path, const char *target)
{
    struct px_node node;
    char text[64];
    int64_t length;

    EQUAL(px_procfs_walk(path, PX_WALK_NOFOLLOW, &node), 0);
    length = px_procfs_readlink(&node, text, sizeof text);
    EQUAL(length, strlen(target));
    CHECK(memcmp(text, target, (size_t)length) == 0);
}

static void paths(void)
{
    struct px_node node;
    char text[64];
    struct px_ofd *pipe = px_ofd_new(PX_OFD_PIPE, O_WRONLY), *file = px_ofd_new(PX_OFD_FILE, O_RDWR), *opened;

    EQUAL(mode_of("", 0), S_IFDIR | 0555);
    EQUAL(mode_of("self", 0), S_IFDIR | 0555);
    EQUAL(mode_of("self", PX_WALK_NOFOLLOW), S_IFLNK | 0777);
    EQUAL(mode_of("self/", PX_WALK_NOFOLLOW), S_IFDIR | 0555);
    EQUAL(mode_of("./self/../105/./stat", 0), S_IFREG | 0444);
    EQUAL(mode_of("self/task/105/stat", 0), S_IFREG | 0444);
    EQUAL(mode_of("self/task/105/task", 0), (unsigned)-ENOENT);
    EQUAL(mode_of("self/task/109", 0), (unsigned)-ENOENT);
    EQUAL(mode_of("mounts", 0), S_IFREG | 0444);
    EQUAL(mode_of("self/stat/x", 0), (unsigned)-ENOTDIR);
    EQUAL(mode_of("stat", PX_WALK_DIRECTORY), (unsigned)-ENOTDIR);
    EQUAL(mode_of("104", 0), (unsigned)-ENOENT);
    EQUAL(mode_of("0105", 0), (unsigned)-ENOENT);
    EQUAL(mode_of("99999999999999999999", 0), (unsigned)-ENOENT);
    EQUAL(mode_of("fd", 0), (unsigned)-ENOENT); /* only below a process */
    EQUAL(mode_of("self/fd/7", 0), (unsigned)-ENOENT);
    expect_link("self", "105");
    expect_link("mounts", "self/mounts");
    expect_link("self/cwd", "/node/1");
    expect_link("self/root", "/");
    pipe->word[0] = 4711;
    file->node = (struct px_node){.kind = PX_NODE_FS, .ino = 12, .mode = S_IFREG | 0600};
    EQUAL(px_fd_install(pipe, 7, false), 7);
    EQUAL(px_fd_install(file, 8, false), 8);
    expect_link("self/fd/7", "pipe:[4711]");
    expect_link("self/fd/8", "/node/12");
    EQUAL(mode_of("self/fd/7", PX_WALK_NOFOLLOW), S_IFLNK | 0300);
    EQUAL(mode_of("self/fd/8", PX_WALK_NOFOLLOW), S_IFLNK | 0700);
    EQUAL(mode_of("self/fd/7", 0), S_IFIFO | 0600);
    EQUAL(mode_of("self/fd/8", 0), S_IFREG | 0600);
    EQUAL(px_procfs_walk("self/fd/8", 0, &node), 0);
    CHECK(node.kind == PX_NODE_FS && node.ino == 12); /* opened anew by fs */
    EQUAL(px_procfs_walk("self/fd/7", 0, &node), 0);
    EQUAL(px_proc_open(&node, O_WRONLY, &opened), 0);
    EQUAL(reopened, 1);
    px_ofd_abandon(opened);
    EQUAL(px_procfs_walk("self/task/105/../../fd", 0, &node), 0);
    text[px_procfs_path(&node, text, sizeof text)] = '\0';
    EQUAL(strcmp(text, "/proc/105/fd"), 0);
    EQUAL(px_procfs_walk("sys/kernel/random/uuid", 0, &node), 0);
    text[px_procfs_path(&node, text, sizeof text)] = '\0';
    EQUAL(strcmp(text, "/proc/sys/kernel/random/uuid"), 0);
    EQUAL(px_procfs_path(&node, text, 5), -ERANGE);
    fake_info.cpus = 2;
    EQUAL(px_procfs_walk("devices/system/cpu/cpu1/topology/core_id", PX_WALK_SYSFS, &node), 0);
    text[px_procfs_path(&node, text, sizeof text)] = '\0';
    EQUAL(strcmp(text, "/sys/devices/system/cpu/cpu1/topology/core_id"), 0);
    EQUAL(px_procfs_walk("devices/system/cpu/cpu1/topology/..", PX_WALK_SYSFS, &node), 0);
    EQUAL(PX_PROC_NUMBER(node.ino), 1);
    EQUAL(px_procfs_walk("devices/system/cpu/cpu2", PX_WALK_SYSFS, &node), -ENOENT);
    EQUAL(px_procfs_walk("devices/system/cpu/cpu", PX_WALK_SYSFS, &node), -ENOENT);
    EQUAL(px_procfs_walk("devices/system/cpu/cpu01", PX_WALK_SYSFS, &node), -ENOENT);
    EQUAL(px_procfs_walk("self", PX_WALK_SYSFS, &node), -ENOENT);
    EQUAL(open_path("self/fd", &opened), 0);
    EQUAL(px_proc_ops.read(opened, USER(0), 10, &opened->offset), -EISDIR);
    px_ofd_abandon(opened);
    EQUAL(px_procfs_walk("version", 0, &node), 0);
    EQUAL(px_proc_open(&node, O_RDWR, &opened), -EACCES);
}

/* ---- listings ---- */

/* All names of a directory, each followed by a blank, with buffers of `bytes`. */
static const char *list_path(const char *path, size_t bytes)
{
    struct px_ofd *ofd;
    size_t used = 0;

    EQUAL(open_path(path, &ofd), 0);
    for (unsigned turn = 0; turn < 1000; turn++) {
        int64_t got = px_proc_ops.getdents(ofd, USER(65536), bytes, false);

        CHECK(got >= 0 && got <= (int64_t)bytes);
        if (got == 0)
            break;
        for (int64_t at = 0; at < got;) {
            const uint8_t *entry = fake_user + 65536 + at;
            uint16_t size;

            memcpy(&size, entry + 16, 2);
            CHECK(size >= 24 && size % 8 == 0 && at + size <= got);
            used +=
                (size_t)exo_format(content + used, sizeof content - used, "%s ", (const char *)entry + 19);
            at += size;
        }
    }
    px_ofd_abandon(ofd);
    return content;
}

static void listings(void)
{
    struct px_ofd *ofd;
    char all[8192];

    exo_format(all, sizeof all, "%s", list_path("", 4096));
    CHECK(strstr(all, ". .. sys sysvipc self thread-self tty meminfo ") == all);
    CHECK(strstr(all, " 105 109 ") != NULL);
    for (size_t bytes = 40; bytes < 300; bytes += 13)
        EQUAL(strcmp(list_path("", bytes), all), 0);
    EQUAL(strcmp(list_path("self/fd", 4096), ". .. 7 8 "), 0);
    EQUAL(strcmp(list_path("self/task", 4096), ". .. 105 "), 0);
    EQUAL(strcmp(list_path("sys/net/core", 4096), ". .. somaxconn rmem_default rmem_max wmem_default wmem_max "), 0);
    EQUAL(strcmp(list_path("109/fd", 4096), ". .. "), 0);
    EQUAL(open_path("", &ofd), 0);
    EQUAL(px_proc_ops.getdents(ofd, USER(0), 20, false), -EINVAL);
    EQUAL(px_proc_ops.getdents(ofd, 16, 4096, false), -EFAULT);
    ofd->offset = ~0ull; /* a relative's nonsense */
    EQUAL(px_proc_ops.getdents(ofd, USER(0), 4096, false), 0);
    ofd->node.ino = ~0ull;
    CHECK(px_proc_ops.read(ofd, USER(0), 10, &ofd->offset) < 0);
    px_ofd_abandon(ofd);
}

/* A memory that an execve has ended has nothing to show. */
static void ended_memory(void)
{
    struct px_ofd *ofd;

    EQUAL(open_path("self/environ", &ofd), 0);
    px_exec_count++;
    EQUAL(px_proc_ops.read(ofd, USER(65536), 100, &ofd->offset), 0);
    px_ofd_abandon(ofd);
}

int main(void)
{
    fake_start();
    px_fd_fork_child();
    process_files();
    other_processes();
    system_files();
    paths();
    listings();
    ended_memory();
    printf("proc: ok\n");
    return 0;
}
