/*
 * Hostile clients of semaphores and message queues: random requests with random structures, in parts that do not fit, from processes that die at any time,
 * and memory that runs out. Each is answered with a result or an errno; values stay in their range; nobody sees another's texts, nor bytes that were never
 * sent; and when all is removed every block and page is given back.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/serve.c servers/fs/ipc.c servers/fs/ipc_text.c
 * unit-sources: servers/fs/sem.c servers/fs/msg.c
 * unit-sources: servers/fs/mq.c
 */
#define FAKE_FIFO
#define FAKE_MQUEUE
#include "fake.h"

#include <exo/label.h>

#include "servers/fs/ipc.h"
#define FS_IPC_SERVED
#include "unserved.h"

#define REQUESTS 150000u
#define PROCESSES 6u
static struct px_proc processes[PROCESSES + 1];
static _Alignas(4096) uint8_t pages[PROCESSES + 1][4096];
static uint32_t slots[64];
static int32_t ids[2][4]; /* of sets, of queues */
static uint64_t nodes[8], tokens[8];
static unsigned wakes, signals, waits, received;

const struct px_proc *os_process(uint32_t index)
{
    CHECK(index <= PROCESSES);
    return &processes[index];
}
void os_wake(uint32_t *word)
{
    CHECK((uint8_t *)word >= (uint8_t *)ipc_words && (uint8_t *)word < (uint8_t *)(ipc_words + 1));
    wakes++;
}
void fs_signal(int32_t pid, uint32_t signo, int32_t code, int32_t sender, uint32_t uid, uint64_t value)
{
    (void)sender, (void)uid, (void)value;
    CHECK(pid > 0 && signo >= 1 && signo <= 64 && code == -3);
    signals++;
}

static uint32_t some(uint32_t most)
{
    static const uint32_t extreme[] = {0, 1, 0x7fffffff, 0x80000000u, ~0u, 4096, 32767, 32768, 65535};

    return below(12) ? (uint32_t)below(most) : extreme[below(sizeof extreme / sizeof extreme[0])];
}

static void fill(struct px_ipc *ask, uint8_t *data, uint32_t index, uint64_t call)
{
    *ask = (struct px_ipc){.key = below(40) ? 1 + (int32_t)below(3) : 0,
        .id = below(12) ? ids[call >= PX_IPC_MSG_GET][below(4)] : (int32_t)some(200),
        .flags = (below(2) ? IPC_CREAT | 0666 : 0) | (below(2) ? PX_IPC_NOWAIT : 0) | (below(6) ? 0 : some(~0u)),
        .count = some(6),
        .mode = some(01000),
        .number = some(3),
        .value = (int32_t)some(6),
        .type = below(5) ? (int64_t)below(4) + 1 : (int64_t)some(4) - 2,
        .limit = below(4) ? 100000 : some(~0u),
        .bytes = below(3) ? some(300) : 4000 + some(4192),
        .slot = below(8) ? slots[below(64)] : some(300),
        .value64 = random_number()};
    uint32_t which = (uint32_t)below(8);

    ask->node = nodes[which];
    ask->token = below(9) ? tokens[which] : random_number();
    ask->part = ask->bytes < PX_IPC_PART_MOST ? ask->bytes : below(2) ? PX_IPC_PART_MOST : some(4000);
    ask->offset = below(3) ? 0 : some(8192);
    memset(data, 'A' + (int)index, PX_IPC_PART_MOST); /* each process sends its own letter only */
    if (below(3))
        for (unsigned i = 0; i < 8; i++)
            ((struct px_sembuf *)(void *)data)[i] =
                (struct px_sembuf){(uint16_t)below(below(9) ? 2 : 7),
                                    (int16_t)((int)below(7) - 3),
                                    (int16_t)((below(3) == 0 ? PX_IPC_NOWAIT : 0) | (below(2) ? PX_SEM_UNDO : 0))};
}

static void look_at_answer(uint64_t call, const struct px_ipc *answer, int64_t status, const uint8_t *data)
{
    bool text = call == PX_IPC_MSG_RECEIVE || call == PX_IPC_MQ_RECEIVE || call == PX_IPC_PART || call == PX_IPC_COLLECT;

    CHECK(status >= -4095 && status <= PX_IPC_WAIT);
    if (status < 0)
        return;
    if (status == PX_IPC_WAIT) {
        waits++;
        slots[below(64)] = answer->slot;
        CHECK(answer->slot < PX_IPC_SLOTS);
    } else if (call == PX_IPC_SEM_GET || call == PX_IPC_MSG_GET) {
        ids[call == PX_IPC_MSG_GET][below(4)] = (int32_t)status;
    } else if (call == PX_IPC_MQ_OPEN) {
        unsigned at = (unsigned)below(8);

        nodes[at] = answer->node;
        tokens[at] = answer->token;
    } else if (call == PX_IPC_SEM_READ) {
        CHECK(answer->value >= 0 && answer->value <= PX_SEMVMX);
    } else if (call == PX_IPC_MSG_SEND || call == PX_IPC_MQ_SEND) {
        slots[below(64)] = answer->slot;
    }
    if (text && status > 0 && status != PX_IPC_WAIT) {
        CHECK(answer->part <= PX_IPC_PART_MOST && answer->offset + answer->part <= answer->bytes);
        for (uint32_t i = 64; i < answer->part; i++) /* before that operations of semaphores may lie */
            CHECK(data[i] >= 'A' && data[i] <= 'A' + (int)PROCESSES);
        received++;
    }
}

static void one_request(void)
{
    uint32_t index = 1 + (uint32_t)below(PROCESSES);
    struct exo_message message = {.word = {PX_FS_IPC, below(PX_IPC_CALLS + 2)}};
    struct fs_caller caller = {.uid = index < 3 ? 0 : 1000 + index, .gid = index, .client = &caller, .label = EXO_PLACE_PROGRAMS};
    struct fs_request request = {.caller = caller, .index = index, .page = pages[index], .message = &message};
    struct px_ipc *ask = (struct px_ipc *)(void *)pages[index];
    uint64_t call = message.word[1];

    if (below(60) && (call == PX_IPC_SEM_REMOVE || call == PX_IPC_MSG_REMOVE))
        return;
    if (below(4) == 0)
        message.word[1] = call = PX_IPC_COLLECT;
    fill(ask, pages[index] + sizeof *ask, index, call);
    if (call == PX_IPC_COLLECT && below(8)) { /* as a client does */
        for (uint32_t tries = 0; tries < PX_IPC_SLOTS && ipc_waiters[ask->slot % PX_IPC_SLOTS].index != index; tries++)
            ask->slot = (ask->slot + 1) % PX_IPC_SLOTS;
        ask->flags = (uint32_t)below(2);
    }
    if (call == PX_IPC_MQ_OPEN || call == PX_IPC_MQ_UNLINK) {
        ask->part = below(20) ? 1 : some(300);
        pages[index][sizeof *ask] = (uint8_t)('a' + below(4));
        ask->number = (uint32_t)below(8);
        ask->flags = below(3) ? O_CREAT : 0;
        ask->mode = 0666;
        ask->count = 1 + (uint32_t)below(9);
        ask->bytes = 1 + some(5000);
    }
    if (below(2000) == 0)
        fail_after = (int)below(20);
    fs_serve(&request);
    fail_after = -1;
    look_at_answer(call, ask, (int64_t)message.word[0], pages[index] + sizeof *ask);
}

static void die_and_begin(uint32_t index)
{
    processes[index].gen++;
    processes[index].pid++;
    fs_change_begin();
    sem_sweep();
    fs_change_end();
}

/* All processes end, all objects are removed: nothing is left. */
static void end_all(void)
{
    struct fs_caller root = {.client = &root, .label = EXO_PLACE_PROGRAMS};

    for (uint32_t index = 1; index <= PROCESSES; index++)
        die_and_begin(index);
    for (uint32_t slot = 0; slot < PX_IPC_SLOTS; slot++)
        if (ipc_waiters[slot].state != SLOT_FREE)
            waiter_free(&ipc_waiters[slot]);
    for (uint64_t call = PX_IPC_SEM_REMOVE; call <= PX_IPC_MSG_REMOVE; call += PX_IPC_MSG_REMOVE - PX_IPC_SEM_REMOVE)
        for (int32_t at = 0; at < 2 * 128; at++) { /* in both zones */
            struct exo_message message = {.word = {PX_FS_IPC, call == PX_IPC_SEM_REMOVE ? PX_IPC_SEM_STAT : PX_IPC_MSG_STAT}};
            struct fs_request request = {.caller = root, .index = at < 128 ? 1 : PROCESSES, .page = pages[1], .message = &message};
            struct px_ipc *ask = (struct px_ipc *)(void *)pages[1];

            *ask = (struct px_ipc){.id = at % 128, .flags = PX_IPC_BY_INDEX};
            fs_serve(&request);
            if ((int64_t)message.word[0] < 0)
                continue;
            message.word[0] = PX_FS_IPC;
            message.word[1] = call;
            fs_serve(&request);
            CHECK(message.word[0] == 0);
        }
    for (uint32_t ino = fs_inode_after(0), next; ino; ino = next) {
        const struct px_name *name = fs_inode(ino)->name ? fs_at(fs_inode(ino)->name) : NULL;

        next = fs_inode_after(ino);
        if (fs_inode(ino)->flags & PX_INODE_MQUEUE && name)
            CHECK(fs_unlink(&root, fs_node_of(name->directory), name->text, name->length, false) == 0);
    }
    fs_orphans_sweep();
}

int main(void)
{
    const struct fs_caller super = {.client = &wakes, .label = EXO_PLACE_PROGRAMS};
    const struct fs_new dev = {.mode = S_IFDIR | 0755, .name = "dev", .name_bytes = 3};
    const char *asked = getenv("EXO_SEED");
    uint64_t pages_before;
    uint32_t ino;

    start_over(~0ull >> 20);
    random_state = seed = asked ? strtoull(asked, NULL, 0) | 1 : 20261121;
    CHECK(fs_create(&super, fs_node_of(fs_meta()->root), &dev, &ino) == 0);
    fs_mount_mqueue();
    for (uint32_t index = 1; index <= PROCESSES; index++)
        processes[index] = (struct px_proc){.state = PX_RUNNING, .gen = 1, .pid = (int32_t)index * 100, .zone = index == PROCESSES};
    pages_before = fs_meta()->data_pages;
    for (unsigned i = 0; i < REQUESTS; i++) {
        one_request();
        if (below(300) == 0)
            die_and_begin(1 + (uint32_t)below(PROCESSES));
    }
    CHECK(wakes > 1000 && waits > 1000 && received > 500 && signals > 10);
    end_all();
    CHECK(fs_meta()->data_pages == pages_before);
    return 0;
}
