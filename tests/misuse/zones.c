/*
 * A tree in a zone against one in another: this program, a USER, starts itself with `exo zone GUEST` as one attacker after the other, and looks after
 * each whether it found or hurt anything: names, files, memory, processes, terminals, capabilities, messages, shared frames.
 * guest-test: --timeout 200 --memory 96M
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/label.h>

#include "../../libos/posix/proto/fs.h"
#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/link.h"
#include "../../libos/posix/proto/proc.h"
#include "../../libos/posix/proto/proctab.h"
#include "misuse.h"

#define VICTIM_FILE "/tmp/zones-victim"
#define VICTIM_FIFO "/tmp/zones-fifo"
#define NOTE "/tmp/zones-note" /* what an attacker has to tell: it may write below /tmp */

static char *self;
static pid_t victim; /* sleeps; must be there after each attack */

/* What an attacker found wrong with its prison: said on standard error, and its exit status. */
#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                        \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* ---- attackers --------------------------------------------------------------------------------------------------------- */

/* No number but its own and init's names anybody. */
static int attack_numbers(pid_t target)
{
    int own = 0;

    NEED(kill(target, 0) < 0 && errno == ESRCH);
    NEED(kill(target, SIGKILL) < 0 && errno == ESRCH);
    NEED(kill(-target, SIGKILL) < 0 && errno == ESRCH);
    NEED(getpgid(target) < 0 && errno == ESRCH);
    NEED(getsid(target) < 0 && errno == ESRCH);
    for (pid_t pid = 2; pid < 40000; pid++) {
        if (pid == getpid())
            continue;
        if (kill(pid, 0) == 0 || errno != ESRCH)
            own++;
    }
    NEED(own == 0);
    NEED(getppid() == 0);
    return 0;
}

static int attack_proc(pid_t target)
{
    char path[64];
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    int seen = 0;

    NEED(proc);
    while ((entry = readdir(proc)))
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && atoi(entry->d_name) != 1 && atoi(entry->d_name) != getpid())
            seen++;
    closedir(proc);
    NEED(seen == 0);
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)target);
    NEED(access(path, F_OK) < 0 && errno == ENOENT);
    for (unsigned index = 2; index < PX_PROCS_MAX; index++) { /* the table itself, as the libOS reads it */
        const struct px_proc *process = PX_PROC(PX_PROCTAB, index);

        NEED(process->pid == 0 || process->pid == getpid());
        NEED(process->fs_env == 0 && (process->pid || process->cmdline[0] == 0));
    }
    return 0;
}

/* Its own numbers follow each other, whatever others do meanwhile: the starter forks all the time. */
static int attack_timing(pid_t unused)
{
    pid_t last = getpid();

    (void)unused;
    for (unsigned i = 0; i < 30; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        NEED(pid == last + 1);
        NEED(waitpid(pid, NULL, 0) == pid);
        NEED(((const struct px_proctab *)PX_PROCTAB)->last_pid == pid);
        last = pid;
        usleep(2000);
    }
    return 0;
}

static int attack_files(pid_t unused)
{
    int fd;

    (void)unused;
    NEED(open("/etc/passwd", O_RDONLY) >= 0); /* reads by permission */
    NEED(open("/etc/passwd", O_WRONLY) < 0 && errno == EACCES);
    NEED(open("/etc/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    NEED(chmod("/etc/passwd", 0666) < 0 && errno == EPERM);
    NEED(chown("/etc/passwd", 1, 1) < 0 && errno == EPERM);
    NEED(truncate("/etc/passwd", 0) < 0 && errno == EACCES);
    NEED(unlink("/bin/busybox") < 0);
    NEED(rename("/bin/busybox", "/tmp/busybox") < 0);
    NEED(link(VICTIM_FILE, "/tmp/zones-link") < 0);
    NEED(open(VICTIM_FILE, O_WRONLY) < 0 && errno == EACCES);
    NEED(open(VICTIM_FILE, O_RDWR) < 0 && errno == EACCES);
    NEED(unlink(VICTIM_FILE) < 0 && errno == EPERM);
    fd = open("/tmp/zones-mine", O_RDWR | O_CREAT | O_EXCL, 0600);
    NEED(fd >= 0 && write(fd, "mine", 4) == 4);
    NEED(rename("/tmp/zones-mine", VICTIM_FILE) < 0 && errno == EPERM);
    NEED(rename(VICTIM_FILE, "/tmp/zones-stolen") < 0 && errno == EPERM);
    NEED(utimensat(AT_FDCWD, VICTIM_FILE, NULL, 0) < 0);
    NEED(open(VICTIM_FIFO, O_RDONLY | O_NONBLOCK) < 0 && errno == EACCES);
    NEED(open(VICTIM_FIFO, O_RDWR | O_NONBLOCK) < 0 && errno == EACCES);
    NEED(mkdir("/tmp/zones-folder", 0700) == 0 && rmdir("/tmp/zones-folder") == 0);
    NEED(chmod("/tmp", 0700) < 0 && errno == EPERM);
    fd = open("/dev/null", O_WRONLY);
    NEED(fd >= 0 && write(fd, "x", 1) == 1);
    NEED(chmod("/dev/null", 0600) < 0 && errno == EPERM);
    return 0;
}

static int attack_terminals(pid_t unused)
{
    (void)unused;
    NEED(open("/dev/tty", O_RDWR) < 0);
    NEED(open("/dev/console", O_RDWR) < 0);
    NEED(open("/dev/ptmx", O_RDWR) < 0);
    NEED(open("/dev/pts/0", O_RDWR) < 0);
    return 0;
}

static int attack_machine(pid_t unused)
{
    (void)unused;
    NEED(sethostname("owned", 5) < 0 && errno == EPERM);
    NEED(raw(SYS_reboot, (long)0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0) == -EPERM);
    return 0;
}

/* It may take frames: its zone pays for them, and for no more than it has. */
static bool takes_frames(uint64_t zone)
{
    struct exo_zone_status before = {0}, after = {0};
    int64_t frame;

    if (exo_zone_status(zone, &before) < 0 || (frame = exo_frame_alloc(zone, 64)) < 0 || exo_zone_status(zone, &after) < 0 ||
        exo_cap_delete((uint64_t)frame) < 0)
        return false;
    return after.frames >= before.frames + 64 && exo_frame_claim(zone, EXO_QUOTA_NONE, EXO_FRAME_ANYWHERE, 0) == -EXO_E_INVAL &&
           exo_frame_claim(zone, before.limits.frames == EXO_QUOTA_NONE ? 262144 : before.limits.frames, EXO_FRAME_ANYWHERE, 0) == -EXO_E_NOMEM;
}

/* What lies in its slots: itself, and ways to call. Nothing of another environment, no frame, no zone but its own. */
static int attack_capabilities(pid_t unused)
{
    struct exo_zone_status status = {0};
    unsigned envs = 0;

    (void)unused;
    NEED(exo_zone_status(PX_SLOT_ZONE, &status) == 0 && status.label == EXO_LABEL_GUEST);
    for (uint64_t handle = 1; handle < 4096; handle++) {
        struct exo_cap_info info = {0};

        if (exo_cap_info(handle, &info) < 0)
            continue;
        envs += info.type == EXO_TYPE_ENV;
        NEED(info.type != EXO_TYPE_FRAME && info.type != EXO_TYPE_MACHINE && info.type != EXO_TYPE_AUDIT && info.type != EXO_TYPE_IRQ);
        if (info.type == EXO_TYPE_ENDPOINT)
            NEED(info.rights == EXO_RIGHT_CALL);
        if (info.type == EXO_TYPE_ZONE)
            NEED(info.object == status.id && exo_env_create(handle, 0, 0) == -EXO_E_RIGHTS && takes_frames(handle));
    }
    NEED(envs == 1);
    return 0;
}

static int64_t ask(uint64_t server, uint64_t operation, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct exo_message message = {.word = {operation, a, b, c, d}};
    int64_t status = exo_ep_call(server, &message);

    return status < 0 ? status : (int64_t)message.word[0];
}

/* What only tty, root or a zone above may ask of proc; and a flood of it. */
static int attack_messages(pid_t target)
{
    struct exo_zone_limits limits = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

    NEED(ask(PX_SLOT_PROC, PX_PROC_SPAWN, 0, 0, 0, PX_SLOT_SELF) < 0);
    NEED(ask(PX_SLOT_PROC, PX_PROC_TTYSIGNAL, (uint64_t)target, SIGKILL, 0, 0) < 0);
    NEED(ask(PX_SLOT_PROC, PX_PROC_AUDIT, 0, 0, 0, 0) == -EPERM);
    NEED(ask(PX_SLOT_PROC, PX_PROC_USAGE, (uint64_t)target, 0, 0, 0) == -ESRCH);
    NEED(ask(PX_SLOT_PROC, PX_PROC_WAIT, (uint64_t)-1, 4, 0, 0) == -ECHILD);
    memcpy((void *)PX_MSG, &limits, sizeof limits);
    NEED(ask(PX_SLOT_PROC, PX_PROC_ZONE, EXO_LABEL_USER, 0, 0, 0) == -EPERM);
    NEED(ask(PX_SLOT_PROC, PX_PROC_ZONE, EXO_LABEL_ROOT, 0, 0, 0) == -EPERM);
    NEED(ask(PX_SLOT_PROC, PX_PROC_ZONE, 1000, 0, 0, 0) == -EINVAL);
    for (unsigned i = 0; i < 20000; i++)
        (void)ask(PX_SLOT_PROC + i % 3, 64 + i, i * 7, i * 13, 0, 0); /* proc, fs and tty */
    return 0;
}

static int attack_memory(pid_t unused)
{
    (void)unused;
    for (;;) { /* until the zone is full: then the process ends, or mmap fails */
        char *part = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (part == MAP_FAILED)
            return 0;
        memset(part, 1, 64 * PAGE);
    }
}

static int attack_processes(pid_t unused)
{
    unsigned made = 0;

    (void)unused;
    for (;; made++) {
        pid_t pid = fork();

        if (pid == 0) {
            pause();
            _exit(0);
        }
        if (pid < 0)
            break;
    }
    NEED(made > 3 && made < 30);
    kill(-1, SIGKILL);
    return 0;
}

static int attack_disk(pid_t unused)
{
    static char block[65536];
    int fd = open("/tmp/zones-big", O_WRONLY | O_CREAT, 0600);
    unsigned files = 0;
    char name[64];

    (void)unused;
    NEED(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        ;
    NEED(errno == ENOSPC);
    close(fd);
    unlink("/tmp/zones-big");
    NEED(mkdir("/tmp/zones-many", 0700) == 0);
    for (; files < 6000; files++) {
        snprintf(name, sizeof name, "/tmp/zones-many/%u", files);
        fd = open(name, O_WRONLY | O_CREAT, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    NEED(errno == ENOSPC && files > 1000 && files < 5000);
    while (files-- > 0) {
        snprintf(name, sizeof name, "/tmp/zones-many/%u", files);
        unlink(name);
    }
    return rmdir("/tmp/zones-many");
}

/* Its streams are shared frames: nonsense in them must not hurt who carries them. */
static int attack_frames(pid_t unused)
{
    (void)unused;
    for (unsigned stream = 0; stream < 3; stream++)
        memset((void *)(PX_BOOTARGS + PX_BOOTARGS_PIPE(stream) * PX_PAGE), 0xff, PX_PAGE);
    _exit(5);
}

static const struct attack {
    const char *name, *options;
    int (*run)(pid_t target);
} attacks[] = {
    {"numbers", "", attack_numbers},
    {"proc", "", attack_proc},
    {"timing", "", attack_timing},
    {"files", "", attack_files},
    {"terminals", "", attack_terminals},
    {"machine", "", attack_machine},
    {"capabilities", "", attack_capabilities},
    {"messages", "", attack_messages},
    {"memory", "--frames 3000", attack_memory},
    {"processes", "--processes 20", attack_processes},
    {"disk", "", attack_disk},
    {"frames", "", attack_frames},
};
#define ATTACKS (sizeof attacks / sizeof attacks[0])

/* ---- the victim's side ------------------------------------------------------------------------------------------------- */

/* Wait status of `exo zone GUEST OPTIONS zones NAME PID`, as a shell runs it. */
static int start_attack(const char *options, const char *name)
{
    char line[256];

    snprintf(line, sizeof line, "exec exo zone GUEST %s -- %s %s %d </dev/null", options, self, name, (int)victim);
    return system(line);
}

static bool file_is_whole(void)
{
    char text[16] = {0};
    int fd = open(VICTIM_FILE, O_RDONLY);
    bool whole = fd >= 0 && read(fd, text, sizeof text) == 7 && memcmp(text, "victim\n", 7) == 0;

    close(fd);
    return whole;
}

static int use_memory(void *unused)
{
    char *memory = mmap(NULL, 512 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)unused;
    if (memory == MAP_FAILED)
        return 1;
    memset(memory, 1, 512 * PAGE);
    return 0;
}

static bool unharmed(void)
{
    return kill(victim, 0) == 0 && waitpid(victim, NULL, WNOHANG) == 0 && file_is_whole() && exited_with(in_child(use_memory, NULL), 0);
}

/* Works all the time that the attacker does: forks, writes, allocates; none of it may fail. */
static int go_on_working(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = open("/tmp/zones-work", O_WRONLY | O_CREAT | O_TRUNC, 0600), status;
        pid_t pid = fork();

        if (pid == 0)
            _exit(use_memory(NULL));
        if (fd < 0 || write(fd, "work", 4) != 4 || pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            return 1;
        close(fd);
        usleep(5000);
    }
}

static void test_attack(const struct attack *attack)
{
    pid_t worker = fork();
    int status, worked;
    char name[64];

    if (worker == 0)
        _exit(go_on_working(NULL));
    status = start_attack(attack->options, attack->name);
    kill(worker, SIGTERM);
    waitpid(worker, &worked, 0);
    snprintf(name, sizeof name, "%s: the attacker found nothing", attack->name);
    if (strcmp(attack->name, "memory") == 0)
        CASE(name, exited_with(status, 0) || exited_with(status, 128 + SIGSEGV) || exited_with(status, 128 + SIGKILL) || exited_with(status, 128 + SIGBUS));
    else
        CASE(name, exited_with(status, strcmp(attack->name, "frames") == 0 ? 5 : 0));
    snprintf(name, sizeof name, "%s: the victim went on working", attack->name);
    CASE(name, killed_by(worked, SIGTERM) && unharmed());
}

/* The numbers of zones and of what is in them come back. */
static void test_many_zones(void)
{
    unsigned good = 0;

    for (unsigned i = 0; i < 40; i++)
        good += exited_with(system("exec exo zone SANDBOX true </dev/null"), 0);
    CASE("forty zones, one after the other", good == 40);
}

static void test_exo(void)
{
    CASE("exo zone: output, errors and status come back",
         exited_with(system("test \"$(echo in | exo zone GUEST sh -c 'cat; echo err >&2; exit 7' 2>/tmp/zones-err; echo $?)\" = \"in\n7\" && "
                            "grep -q err /tmp/zones-err"),
                     0));
    CASE("exo zone: a label that is above", exited_with(system("exo zone SYSTEM true 2>/dev/null"), 125));
    CASE("exo zone: no such label", exited_with(system("exo zone NOBODY true 2>/dev/null"), 2));
    CASE("exo zone: misuse", exited_with(system("exo zone GUEST --frames none true 2>/dev/null"), 2) &&
                                 exited_with(system("exo zone GUEST --bogus 2>/dev/null"), 2) && exited_with(system("exo zone GUEST 2>/dev/null"), 2));
    CASE("exo zone: zones below zones", exited_with(system("exo zone GUEST exo zone SANDBOX exo zone | grep -q SANDBOX"), 0));
    CASE("exo zone: never up again", exited_with(system("exo zone SANDBOX exo zone GUEST true 2>/dev/null"), 125));
    CASE("exo zone: killed from outside", exited_with(system("exo zone GUEST sleep 100 & sleep 0.3; kill $!; wait $!"), 128 + SIGTERM));
    CASE("exo audit: root may read it", exited_with(system("exo audit | grep -q 'create .* SYSTEM .* GUEST'"), 0));
    CASE("exo audit: nobody else may", exited_with(system("setuidgid user exo audit 2>/dev/null || su user -c 'exo audit' 2>/dev/null"), 125) ||
                                           !exited_with(system("exo zone GUEST exo audit 2>/dev/null"), 0));
    CASE("exo: unknown subcommand", exited_with(system("exo nothing 2>/dev/null"), 2));
}

static int attack_as(const char *name, pid_t target)
{
    for (size_t i = 0; i < ATTACKS; i++)
        if (strcmp(attacks[i].name, name) == 0)
            return attacks[i].run(target);
    return 99;
}

int main(int argc, char **argv)
{
    int fd;

    if (argc == 3)
        return attack_as(argv[1], (pid_t)atoi(argv[2]));
    self = argv[0];
    fd = open(VICTIM_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, "victim\n", 7) != 7 || mkfifo(VICTIM_FIFO, 0666) < 0)
        return 1;
    close(fd);
    victim = fork();
    if (victim == 0) {
        pause();
        _exit(1);
    }
    for (size_t i = 0; i < ATTACKS; i++)
        test_attack(&attacks[i]);
    test_many_zones();
    test_exo();
    kill(victim, SIGKILL);
    return tap_finish();
}
