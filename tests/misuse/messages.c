/*
 * Random messages to proc, fs and tty from a user's process that goes round its libOS: the corpus (tests/fuzz/corpus.h), changed, with recorded seeds. Each is
 * answered; the bystander beside it notices nothing; what is root's stays root's; and when the hostile processes have ended nothing of them is left.
 * Arguments: messages of each seed, and seeds. Only for ExoV6.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <sys/prctl.h>

#include <exo/ipc.h>

#include "bystander.h"

#include "../fuzz/corpus_fs.h"

#define FOLDER "/tmp/messages"
#define MESSAGES 500u
static const uint64_t recorded[] = {1, 20261122};

static uint64_t own_node, other_node, folder_node, own_token, terminal;
static int32_t own_child;

uint64_t corpus_value(enum corpus_name name)
{
    uint64_t guess = (1 + corpus_below(4)) | corpus_below(4) << 16; /* of another terminal's handle */

    switch (name) {
    case OWN_PID: return (uint64_t)getpid();
    case OWN_CHILD: return (uint64_t)own_child;
    case OTHER_PID:
    case OTHER_GROUP: return 2 + corpus_below(6);
    case FIRST_PID: return 2;
    case DEAD_PID: return (uint64_t)getpid() - 1;
    case OWN_GROUP: return (uint64_t)getpgrp();
    case OWN_MASTER: return terminal | PX_TTY_MASTER;
    case OWN_SLAVE: return terminal & ~(uint64_t)PX_TTY_MASTER;
    case OLD_SLAVE: return terminal - 0x10000;
    case OTHER_MASTER: return guess | PX_TTY_MASTER;
    case OTHER_SLAVE: return guess;
    case OWN_NODE: return own_node;
    case OTHER_NODE: return other_node;
    case FOLDER_NODE: return folder_node;
    case OWN_TOKEN: return own_token;
    case PLACE: return PLACE_VA;
    default: return 0;
    }
}

static uint64_t node_of(const char *path)
{
    struct stat found;

    if (lstat(path, &found))
        return 0;
    return PX_FS_NODE(found.st_ino, ((const struct px_inode *)(PX_META + found.st_ino * PX_INODE_BYTES))->gen);
}

static int64_t ask(uint64_t slot, struct exo_message *message)
{
    int64_t status = exo_ep_call(slot, message);

    return status < 0 ? status - 10000 : (int64_t)message->word[0];
}

/* What it needs for messages that make sense: a file and its token, a terminal, a child. */
static void own_things(void)
{
    struct exo_message message = {.word = {PX_TTY_NEWPTY}};

    if (ask(PX_SLOT_TTY, &message) >= 0)
        terminal = message.word[1];
    message = (struct exo_message){.word = {PX_TTY_IOCTL, terminal, PX_TIOCSPTLCK}};
    memset((void *)PX_MSG, 0, 64);
    ask(PX_SLOT_TTY, &message);
    message = (struct exo_message){.word = {PX_TTY_OPEN, PX_TTY_HANDLE_INDEX(terminal), O_RDWR}};
    ask(PX_SLOT_TTY, &message);
    close(open(FOLDER "/own", O_RDWR | O_CREAT, 0666));
    own_node = node_of(FOLDER "/own");
    message = (struct exo_message){.word = {PX_FS_OPEN, own_node, 6}};
    if (ask(PX_SLOT_FS, &message) >= 0)
        own_token = message.word[1];
    own_child = fork();
    if (own_child == 0)
        for (;;)
            pause();
}

/* fs's structures name files inside, where the corpus cannot. */
static void name_files(const uint64_t *word, uint8_t *page)
{
    uint64_t node = corpus_below(8) ? folder_node : other_node;

    if (word[0] == PX_FS_CREATE && corpus_below(8))
        memcpy(page, &node, 8);
    if (word[0] == PX_FS_LINK && corpus_below(8))
        memcpy(page, &own_node, 8);
    if ((word[0] == PX_FS_UNLINK || word[0] == PX_FS_RENAME || word[0] == PX_FS_LINK) && corpus_below(8)) {
        memcpy(page + 8, &node, 8);
        memcpy(page + 16, &folder_node, 8);
    }
}

static void hostile(uint64_t messages)
{
    static uint8_t page[CORPUS_PAGE];
    struct exo_message message;
    uint64_t which;

    setsid();
    if (setgid(HOSTILE_USER) || setuid(HOSTILE_USER))
        _exit(1);
    own_things();
    corpus_state = common->random;
    while (common->steps < messages) {
        int64_t status;

        which = corpus_below(3);
        message = (struct exo_message){0};
        if (which == 0)
            corpus_next(corpus_proc, sizeof corpus_proc / sizeof corpus_proc[0], message.word, page);
        else if (which == 1)
            corpus_next(corpus_tty, sizeof corpus_tty / sizeof corpus_tty[0], message.word, page);
        else
            corpus_next(corpus_fs, sizeof corpus_fs / sizeof corpus_fs[0], message.word, page);
        if (which == 2)
            name_files(message.word, page);
        memcpy((void *)PX_MSG, page, sizeof page);
        common->steps++;
        common->random = corpus_state;
        status = ask(which == 0 ? PX_SLOT_PROC : which == 1 ? PX_SLOT_TTY : PX_SLOT_FS, &message);
        if (status < -4095)
            common->strange++;
        else
            common->answered++;
        if (status >= 0 && which == 2 && corpus_below(2))
            own_token = message.word[1] ? message.word[1] : own_token;
    }
    _exit(0);
}

static void campaign(uint64_t seed, uint64_t messages)
{
    corpus_seed(seed);
    common->random = corpus_state;
    for (common->steps = 0; common->steps < messages;) {
        uint64_t begun = common->steps;
        pid_t child = fork();

        if (child == 0)
            hostile(messages);
        let_loose(child);
        end_hostile();
        if (common->steps == begun) /* it came to nothing: what was to be next goes */
            common->steps++;
    }
    printf("# seed %lu: %lu messages answered, %lu not\n", seed, common->answered, common->strange);
}

/* What the hostile one made where everybody may: files, semaphores, queues, segments. */
static void clear(void)
{
    struct exo_message message;

    if (system("/bin/rm -rf " FOLDER "/* " FOLDER "/.[!.]* /dev/mqueue/*"))
        printf("# not all could be removed\n");
    for (uint64_t call = 0; call < 3; call++)
        for (int32_t at = 0; at < 128; at++) {
            int64_t id;

            memset((void *)PX_MSG, 0, 256);
            if (call < 2) {
                *(struct px_ipc *)PX_MSG = (struct px_ipc){.id = at, .flags = PX_IPC_BY_INDEX};
                message = (struct exo_message){.word = {PX_FS_IPC, call ? PX_IPC_MSG_STAT : PX_IPC_SEM_STAT}};
            } else {
                *(struct px_shm *)PX_MSG = (struct px_shm){.id = at, .flags = PX_SHM_BY_INDEX};
                message = (struct exo_message){.word = {PX_FS_SHM, 0, PX_SHM_STAT}};
            }
            id = ask(PX_SLOT_FS, &message);
            if (id < 0)
                continue;
            memset((void *)PX_MSG, 0, 256);
            if (call < 2)
                *(struct px_ipc *)PX_MSG = (struct px_ipc){.id = (int32_t)id};
            else
                *(struct px_shm *)PX_MSG = (struct px_shm){.id = (int32_t)id};
            message = (struct exo_message){.word = {call < 2 ? PX_FS_IPC : PX_FS_SHM, call ? PX_IPC_MSG_REMOVE : PX_IPC_SEM_REMOVE}};
            if (call == 2)
                message.word[1] = 0, message.word[2] = PX_SHM_REMOVE;
            ask(PX_SLOT_FS, &message);
        }
}

/* What root has: a file, its entry in the table, the host's name. */
static bool root_is_whole(void)
{
    char text[65] = "", name[65] = "";
    struct stat found;
    int fd = open("/tmp/messages-secret", O_RDONLY);
    bool whole = fd >= 0 && read(fd, text, sizeof text) == 7 && strcmp(text, "secret") == 0 && fstat(fd, &found) == 0 && found.st_mode == 0100600 &&
                 found.st_uid == 0 && found.st_nlink == 1;

    close(fd);
    return whole && gethostname(name, sizeof name) == 0 && strcmp(name, "exov6") == 0 && geteuid() == 0 && getpgrp() == getpgid(0) && getppid() >= 0;
}

int main(int count, char **words)
{
    uint64_t messages = count > 1 ? strtoull(words[1], NULL, 0) : MESSAGES;
    struct there_is before;
    pid_t bystander;
    int fd;

    common = shared_page();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(0);
    mkdir(FOLDER, 0777);
    fd = open("/tmp/messages-secret", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CASE("root has a secret", write(fd, "secret", 7) == 7 && close(fd) == 0);
    folder_node = node_of(FOLDER);
    other_node = node_of("/tmp/messages-secret");
    campaign(5, messages); /* what is made once is made here */
    clear();
    many_at_once();
    before = count_all();
    bystander = bystander_start("/tmp");
    CASE("the bystander works", bystander_is_well(bystander, 3));
    for (int i = 0; i < (count > 2 ? count - 2 : (int)(sizeof recorded / sizeof recorded[0])); i++)
        campaign(count > 2 ? strtoull(words[2 + i], NULL, 0) : recorded[i], messages);
    CASE("each message is answered", common->answered > messages / 2 && common->strange == 0);
    CASE("the bystander has noticed nothing", bystander_is_well(bystander, 3));
    CASE("what is root's is as it was", root_is_whole());
    kill(bystander, SIGKILL);
    waitpid(bystander, NULL, 0);
    unlink("/tmp/bystander");
    clear();
    CASE("nothing is left of them", all_is_free(&before));
    return tap_finish();
}
