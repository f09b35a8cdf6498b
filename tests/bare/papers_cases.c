/* The papers' names do what their calls do. */
#include <exo/papers.h>

#include "bare.h"

#define RW (EXO_PROT_READ | EXO_PROT_WRITE)

CASE(papers, "the papers' names: memory, sharing, batches, devices, types")
{
    struct exo_batch_op op __attribute__((aligned(64))) = {.call = 0, .result = 1};
    struct exo_cap_info info;
    int64_t page = MUST(exo_alloc_page(ZONE)), env = MUST(exo_env_create(ZONE, 0, 0));

    EXPECT(exo_cap_info((uint64_t)page, &info), 0);
    CHECK(info.type == CAP_TYPE_MEMORY && exo_frame_address((uint64_t)page) > 0);
    EXPECT(zone_map(SELF, AREA(0), (uint64_t)page, 0, 1, RW), 0);
    *(volatile int *)AREA(0) = 6;
    EXPECT(exo_share_pages((uint64_t)env, AREA(0), AREA(0), 1, EXO_PROT_READ), 0);
    EXPECT(exo_share_pages(CTX, AREA(0), AREA(0), 1, EXO_PROT_READ), -EXO_E_TYPE);
    EXPECT(exo_batch_syscall(&op, 1), 1);
    EXPECT(op.result, 0);
    EXPECT(exo_direct_io(MACHINE, SELF, AREA(1), 0xfeb00000, 1), 0);
    (void)*(volatile uint32_t *)AREA(1);
    EXPECT(exo_direct_io(ZONE, SELF, AREA(1), 0xfeb00000, 1), -EXO_E_TYPE);
    EXPECT(zone_transition(ZONE, (uint64_t)env), 0);
    EXPECT(zone_transition((uint64_t)env, (uint64_t)env), -EXO_E_TYPE);
    EXPECT(exo_unmap_all(SELF, AREA(0), 1), 0);
    EXPECT(exo_unmap_all(SELF, AREA(1), 1), 0);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(exo_cap_delete((uint64_t)page), 0);
}

/* ---- servers that speak what the papers' other names ask ---- */

enum { SERVER_ENDPOINT = 20 };
#define QUIT 0xdead /* an operation of these servers' own */
#define DISK_VA AREA(64)
#define DISK_BLOCKS 5u
#define AT_ONCE 2u
#define BUFFER_VA AREA(66)

/* The child answers with `serve` until it is told to quit. */
static void serve_with(int64_t (*serve)(const struct exo_message *question))
{
    struct exo_message message = {0};

    for (;;) {
        int64_t result;

        if (exo_ep_reply_recv(SERVER_ENDPOINT, &message) < 0)
            child_exit(1);
        if (message.word[0] == QUIT)
            child_exit(99);
        result = serve(&message);
        exo_message_refuse(&message);
        message.word[0] = (uint64_t)result;
    }
}

static int64_t read_blocks(const struct exo_message *question)
{
    uint64_t block = question->word[1], count = question->word[2] < AT_ONCE ? question->word[2] : AT_ONCE;
    int64_t status;

    if (question->word[0] != EXO_DISK_READ)
        return -EXO_E_BADCALL;
    if (!question->capability)
        return -EXO_E_TYPE;
    if (count == 0)
        return -EXO_E_INVAL;
    if (block >= DISK_BLOCKS || question->word[2] > DISK_BLOCKS - block)
        return -EXO_E_RANGE;
    status = exo_map_all(SELF, BUFFER_VA, question->capability, question->word[3], count, RW);
    if (status == 0)
        memcpy((void *)BUFFER_VA, (const void *)(DISK_VA + block * EXO_DISK_BLOCK_BYTES), count * EXO_DISK_BLOCK_BYTES);
    if (exo_unmap_all(SELF, BUFFER_VA, AT_ONCE) < 0)
        child_exit(2);
    return status < 0 ? status : (int64_t)count;
}

static void disk_server(uint64_t unused)
{
    (void)unused;
    serve_with(read_blocks);
}

static struct child server_start(void (*function)(uint64_t), int64_t endpoint)
{
    struct child child = child_new(function, 0);

    EXPECT(exo_cap_copy(child.env, SERVER_ENDPOINT, (uint64_t)endpoint, EXO_RIGHT_RECV, 0), SERVER_ENDPOINT);
    EXPECT(exo_alloc_all(SELF, DISK_VA, DISK_BLOCKS, RW, NULL), 0);
    EXPECT(exo_share_all(child.env, DISK_VA, DISK_VA, DISK_BLOCKS, EXO_SHARE_SAME | RW), 0);
    child_start(&child);
    return child;
}

static uint32_t slots_of(const struct child *child)
{
    struct exo_env_info info = {0};

    EXPECT(exo_env_info(child->env, &info), 0);
    return info.slots;
}

/* The server ends, and is no more to be had. */
static void server_end(const struct child *child, int64_t endpoint)
{
    struct exo_message message = {.word = {QUIT}};

    EXPECT(exo_ep_call((uint64_t)endpoint, &message), -EXO_E_PEER);
    EXPECT((int64_t)child_result(child), 99);
    EXPECT(exo_unmap_all(SELF, DISK_VA, DISK_BLOCKS), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

static void drop(int64_t handle)
{
    EXPECT(exo_cap_delete((uint64_t)handle), 0);
}

static void disk_refuses(uint64_t disk, int64_t frame)
{
    int64_t reader = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ | EXO_RIGHT_COPY, 0));
    int64_t fixed = MUST(exo_cap_copy(SELF, 0, (uint64_t)frame, EXO_RIGHT_READ | EXO_RIGHT_WRITE, 0));
    int64_t uncalled = MUST(exo_cap_copy(SELF, 0, disk, EXO_RIGHT_NOTIFY, 0));
    struct exo_message message = {.word = {EXO_DISK_READ, 0, 1}};

    EXPECT(exo_disk_read(disk, 0, 0, (uint64_t)frame, 0), -EXO_E_INVAL);
    EXPECT(exo_disk_read(disk, DISK_BLOCKS, 1, (uint64_t)frame, 0), -EXO_E_RANGE);
    EXPECT(exo_disk_read(disk, 1, DISK_BLOCKS, (uint64_t)frame, 0), -EXO_E_RANGE);
    EXPECT(exo_disk_read(disk, UINT64_MAX, 2, (uint64_t)frame, 0), -EXO_E_RANGE);
    EXPECT(exo_disk_read(disk, 0, UINT64_MAX, (uint64_t)frame, 0), -EXO_E_RANGE);
    EXPECT(exo_disk_read(disk, 0, 1, (uint64_t)frame, DISK_BLOCKS), -EXO_E_RANGE);
    EXPECT(exo_disk_read(disk, 0, 1, (uint64_t)reader, 0), -EXO_E_RIGHTS);
    EXPECT(exo_disk_read(disk, 0, 1, (uint64_t)fixed, 0), -EXO_E_RIGHTS); /* it cannot travel */
    EXPECT(exo_disk_read(disk, 0, 1, ZONE, 0), -EXO_E_TYPE);
    EXPECT(exo_disk_read(disk, 0, 1, 0, 0), -EXO_E_BADSLOT);
    EXPECT(exo_disk_read((uint64_t)uncalled, 0, 1, (uint64_t)frame, 0), -EXO_E_RIGHTS);
    EXPECT(exo_disk_read(ZONE, 0, 1, (uint64_t)frame, 0), -EXO_E_TYPE);
    EXPECT(exo_ep_call(disk, &message), 0); /* without a frame */
    EXPECT((int64_t)message.word[0], -EXO_E_TYPE);
    message = (struct exo_message){.word = {7}};
    EXPECT(exo_ep_call(disk, &message), 0);
    EXPECT((int64_t)message.word[0], -EXO_E_BADCALL);
    drop(reader);
    drop(fixed);
    drop(uncalled);
}

CASE(papers_disk, "exo_disk_read: blocks come to the frames that are named, or the error that the protocol has")
{
    int64_t endpoint = MUST(exo_ep_create()), frame = MUST(exo_frame_alloc(ZONE, DISK_BLOCKS)), done;
    struct child child = server_start(disk_server, endpoint);
    uint64_t disk = (uint64_t)MUST(exo_cap_copy(SELF, 0, (uint64_t)endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 0));

    for (uint64_t block = 0; block < DISK_BLOCKS; block++)
        *(volatile uint64_t *)(DISK_VA + block * EXO_DISK_BLOCK_BYTES + 16) = 100 + block;
    EXPECT(exo_disk_read(disk, 4, 1, (uint64_t)frame, 1), 1);
    for (uint64_t block = 0; block < 4; block += (uint64_t)done) { /* all but the second page */
        done = exo_disk_read(disk, block, 4 - block, (uint64_t)frame, block + 1);
        CHECK(done > 0);
        if (done <= 0)
            break;
    }
    EXPECT(exo_map_all(SELF, AREA(0), (uint64_t)frame, 0, DISK_BLOCKS, EXO_PROT_READ), 0);
    for (uint64_t page = 0; page < DISK_BLOCKS; page++)
        EXPECT((int64_t) * (volatile uint64_t *)(AREA(0) + page * EXO_PAGE_BYTES + 16), page == 0 ? 0 : (int64_t)(99 + page));
    EXPECT(exo_unmap_all(SELF, AREA(0), DISK_BLOCKS), 0);
    disk_refuses(disk, frame);
    EXPECT(slots_of(&child), 2); /* the server has kept nothing: itself and its endpoint */
    drop((int64_t)disk);
    server_end(&child, endpoint);
    EXPECT(exo_disk_read((uint64_t)endpoint, 0, 1, (uint64_t)frame, 0), -EXO_E_STALE);
    drop(frame);
}

/* ---- services ---- */

#define SERVICES 4u

static struct service {
    uint64_t name[2], policy, owner;
    uint32_t needs; /* bit n: service n + 1 */
    bool runs;
} services[SERVICES];
static unsigned service_count;

static int64_t register_service(const struct exo_message *question)
{
    const uint64_t *name = &question->word[1];
    struct exo_cap_info info = {0};

    if (!question->capability || exo_cap_info(question->capability, &info) < 0 || info.type != EXO_TYPE_FRAME)
        return -EXO_E_TYPE;
    if (!(name[0] & 0xff) || question->word[3] < RS_POLICY_ALWAYS || question->word[3] > RS_POLICY_ON_FAILURE)
        return -EXO_E_INVAL;
    for (unsigned i = 0; i < service_count; i++)
        if (services[i].name[0] == name[0] && services[i].name[1] == name[1])
            return -EXO_E_EXISTS;
    if (service_count == SERVICES)
        return -EXO_E_LIMIT;
    services[service_count] = (struct service){{name[0], name[1]}, question->word[3], question->badge, 0, false};
    return ++service_count;
}

/* The service and all that it depends on. */
static uint32_t all_needed(uint64_t service)
{
    uint32_t set = 1u << (service - 1);

    for (unsigned round = 0; round < SERVICES; round++)
        for (unsigned i = 0; i < SERVICES; i++)
            if (set >> i & 1)
                set |= services[i].needs;
    return set;
}

static int64_t add_dependency(uint64_t service, uint64_t on)
{
    if (all_needed(on) >> (service - 1) & 1)
        return -EXO_E_INVAL;
    if (services[service - 1].runs)
        return -EXO_E_BUSY;
    services[service - 1].needs |= 1u << (on - 1);
    return 0;
}

/* This server's services do nothing: that they were started, and in which order, is written to the page that the test sees. */
static int64_t start_service(uint64_t service)
{
    volatile uint64_t *order = (volatile uint64_t *)DISK_VA;
    uint32_t running = 0, wanted = all_needed(service);

    if (services[service - 1].runs)
        return -EXO_E_BUSY;
    for (unsigned i = 0; i < SERVICES; i++)
        running |= services[i].runs ? 1u << i : 0;
    for (unsigned round = 0; round < SERVICES; round++)
        for (unsigned i = 0; i < SERVICES; i++)
            if (wanted & ~running & 1u << i && !(services[i].needs & ~running)) {
                running |= 1u << i;
                services[i].runs = true;
                order[++order[0]] = i + 1;
            }
    return 0;
}

static int64_t serve_registry(const struct exo_message *question)
{
    uint64_t service = question->word[1], on = question->word[0] == EXO_REGISTRY_DEPEND ? question->word[2] : service;

    if (question->word[0] == EXO_REGISTRY_REGISTER)
        return register_service(question);
    if (question->word[0] != EXO_REGISTRY_DEPEND && question->word[0] != EXO_REGISTRY_START)
        return -EXO_E_BADCALL;
    if (service == 0 || service > service_count || on == 0 || on > service_count)
        return -EXO_E_RANGE;
    if (services[service - 1].owner != question->badge)
        return -EXO_E_DENIED;
    return question->word[0] == EXO_REGISTRY_DEPEND ? add_dependency(service, on) : start_service(service);
}

static void registry_server(uint64_t unused)
{
    (void)unused;
    serve_with(serve_registry);
}

static void registry_refuses(uint64_t rs, uint64_t program)
{
    struct exo_message message = {.word = {99}};

    EXPECT(rs_register_service(rs, "", program, RS_POLICY_ALWAYS), -EXO_E_INVAL);
    EXPECT(rs_register_service(rs, "seventeen letters", program, RS_POLICY_ALWAYS), -EXO_E_INVAL);
    EXPECT(rs_register_service(rs, "x", program, (enum rs_policy)0), -EXO_E_INVAL);
    EXPECT(rs_register_service(rs, "x", program, (enum rs_policy)3), -EXO_E_INVAL);
    EXPECT(rs_register_service(rs, "x", ZONE, RS_POLICY_ALWAYS), -EXO_E_TYPE);
    EXPECT(rs_register_service(rs, "x", 0, RS_POLICY_ALWAYS), -EXO_E_BADSLOT);
    EXPECT(rs_register_service(ZONE, "x", program, RS_POLICY_ALWAYS), -EXO_E_TYPE);
    EXPECT(rs_add_dependency(rs, 1, 2), -EXO_E_RANGE);
    EXPECT(rs_add_dependency(rs, 0, 1), -EXO_E_RANGE);
    EXPECT(rs_add_dependency(ZONE, 1, 2), -EXO_E_TYPE);
    EXPECT(rs_start_service(rs, 1), -EXO_E_RANGE);
    EXPECT(rs_start_service(rs, UINT64_MAX), -EXO_E_RANGE);
    EXPECT(rs_start_service(ZONE, 1), -EXO_E_TYPE);
    EXPECT(exo_ep_call(rs, &message), 0);
    EXPECT((int64_t)message.word[0], -EXO_E_BADCALL);
}

CASE(papers_services, "rs_register_service, rs_add_dependency, rs_start_service: what is needed starts first, circles are refused")
{
    int64_t endpoint = MUST(exo_ep_create()), program = MUST(exo_frame_alloc(ZONE, 1));
    struct child child = server_start(registry_server, endpoint);
    const volatile uint64_t *order = (const volatile uint64_t *)DISK_VA;
    uint64_t rs = (uint64_t)endpoint, others = (uint64_t)MUST(exo_cap_copy(SELF, 0, rs, EXO_RIGHT_CALL, 7));

    registry_refuses(rs, (uint64_t)program);
    EXPECT(rs_register_service(rs, "shell", (uint64_t)program, RS_POLICY_ON_FAILURE), 1);
    EXPECT(rs_register_service(rs, "disk", (uint64_t)program, RS_POLICY_ALWAYS), 2);
    EXPECT(rs_register_service(rs, "sixteen letters!", (uint64_t)program, RS_POLICY_ALWAYS), 3);
    EXPECT(rs_register_service(rs, "sixteen letters?", (uint64_t)program, RS_POLICY_ALWAYS), 4);
    EXPECT(rs_register_service(rs, "disk", (uint64_t)program, RS_POLICY_ALWAYS), -EXO_E_EXISTS);
    EXPECT(rs_register_service(rs, "fifth", (uint64_t)program, RS_POLICY_ALWAYS), -EXO_E_LIMIT);
    EXPECT(rs_add_dependency(rs, 1, 3), 0); /* 1 needs 3, which needs 2 */
    EXPECT(rs_add_dependency(rs, 3, 2), 0);
    EXPECT(rs_add_dependency(rs, 3, 2), 0);
    EXPECT(rs_add_dependency(rs, 2, 2), -EXO_E_INVAL);
    EXPECT(rs_add_dependency(rs, 2, 3), -EXO_E_INVAL);
    EXPECT(rs_add_dependency(rs, 2, 1), -EXO_E_INVAL);
    EXPECT(rs_add_dependency(rs, 2, 5), -EXO_E_RANGE);
    EXPECT(rs_start_service(others, 1), -EXO_E_DENIED); /* it is not theirs */
    EXPECT(rs_add_dependency(others, 1, 4), -EXO_E_DENIED);
    EXPECT(rs_start_service(rs, 1), 0);
    CHECK(order[0] == 3 && order[1] == 2 && order[2] == 3 && order[3] == 1);
    EXPECT(rs_start_service(rs, 2), -EXO_E_BUSY);
    EXPECT(rs_add_dependency(rs, 2, 4), -EXO_E_BUSY);
    EXPECT(rs_add_dependency(rs, 4, 1), 0);
    EXPECT(rs_start_service(rs, 4), 0);
    CHECK(order[0] == 4 && order[4] == 4);
    drop((int64_t)others);
    server_end(&child, endpoint);
    drop(program);
}

/* Answers more than it was asked for, with a capability that nobody wants. */
static void liar(uint64_t unused)
{
    struct exo_message message = {0};

    (void)unused;
    while (exo_ep_recv(SERVER_ENDPOINT, &message, EXO_DEADLINE_NEVER) == 0) {
        exo_message_refuse(&message);
        if (message.word[0] == QUIT)
            child_exit(99);
        if (exo_ep_reply_cap(1000, 0, 0, 0, SELF) < 0)
            break;
    }
    child_exit(1);
}

CASE(papers_liar, "answers that make no sense are told from others, and what comes with them goes")
{
    int64_t endpoint = MUST(exo_ep_create()), frame = MUST(exo_frame_alloc(ZONE, 1));
    struct child child = server_start(liar, endpoint);
    uint32_t before = bare_slots_used();

    EXPECT(exo_disk_read((uint64_t)endpoint, 0, 999, (uint64_t)frame, 0), -EXO_E_PEER);
    EXPECT(exo_disk_read((uint64_t)endpoint, 0, 1000, (uint64_t)frame, 0), 1000);
    EXPECT(rs_add_dependency((uint64_t)endpoint, 1, 2), -EXO_E_PEER);
    EXPECT(rs_start_service((uint64_t)endpoint, 1), -EXO_E_PEER);
    EXPECT(bare_slots_used(), before);
    server_end(&child, endpoint);
    drop(frame);
}
