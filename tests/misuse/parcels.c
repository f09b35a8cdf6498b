/*
 * Descriptors that travel (SCM_RIGHTS) against who lies to fs about them, and who takes back what he has given (libos/posix/proto/parcel.h). Only for ExoV6.
 * guest-test: --timeout 120
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/loop.h>

#include "../../libos/posix/proto/fs.h"
#include "../../libos/posix/proto/layout.h"
#include "../../libos/posix/proto/parcel.h"
#include "../../libos/posix/proto/proctab.h"
#include "../../libos/posix/proto/ring.h"
#include "../../libos/posix/proto/socket.h"
#include "misuse.h"

#define SHARED_PAGES 4096u /* of PX_SHARED that are looked through */

static struct exo_message answer;
static uint64_t ticket;

static int64_t ask(uint64_t call, uint64_t name, uint64_t a, uint64_t b)
{
    int64_t status;

    answer = (struct exo_message){.word = {PX_FS_PARCEL, call, name, a, b}};
    status = exo_ep_call(PX_SLOT_FS, &answer);
    return status < 0 ? status : (int64_t)answer.word[0];
}

static int64_t put(struct px_parcel_item item)
{
    if (item.place[0] == 0 && item.place[1] == 0)
        memset(item.place, PX_PARCEL_NONE, sizeof item.place);
    memcpy((void *)PX_MSG, &item, sizeof item);
    return ask(PX_PARCEL_PUT, ticket, 0, 0);
}

static void parcel(void)
{
    ticket = ask(PX_PARCEL_NEW, 0, 0, 0) == 0 ? answer.word[1] : 0;
}

/* Where in PX_SHARED a ring begins: its first word, and another. */
static uint64_t find_ring(uint32_t first, unsigned place, uint32_t other)
{
    for (uint64_t va = PX_SHARED; va < PX_SHARED + SHARED_PAGES * PAGE; va += PAGE) {
        const uint32_t *words = (const uint32_t *)va;
        uint64_t entry = 0;

        if (exo_mem_query(PX_SLOT_SELF, va, 1, &entry) == 1 && entry & EXO_QUERY_PRESENT && words[0] == first &&
            words[place] == other)
            return va;
    }
    return 0;
}

/* ---- who guesses ---- */

static int put_elsewhere(void *unused)
{
    (void)unused;
    return put((struct px_parcel_item){.kind = PX_OFD_DEVICE}) == -EINVAL ? 0 : 1;
}

static void test_tickets(void)
{
    bool refused = true;

    parcel();
    for (uint64_t call = PX_PARCEL_PUT; call < 20; call++)
        for (uint64_t guess = 0; guess < 128; guess++)
            refused &= call == PX_PARCEL_LEAVE || ask(call, guess, 0, 0) < 0;
    CASE(
        "a ticket that is guessed names nothing", refused && ask(PX_PARCEL_LOOK, ticket ^ 1ull << 40, 0, 0) == -EINVAL);
    CASE("an empty parcel has no items",
        ask(PX_PARCEL_LOOK, ticket, 0, 0) == -EINVAL && ask(PX_PARCEL_TAKE, ticket, 0, 0) == -EINVAL &&
            ask(PX_PARCEL_MAP, ticket, 0, 0x10000000) == -EINVAL && ask(PX_PARCEL_GIVE, ticket, 0, 0) == -EINVAL);
    CASE("nobody else may put something in", in_child(put_elsewhere, NULL) == 0);
    CASE("a parcel ends once", ask(PX_PARCEL_DROP, ticket, 0, 0) == 0 && ask(PX_PARCEL_DROP, ticket, 0, 0) == -EINVAL);
    CASE("a conversation has two ends, and a page", ask(PX_PARCEL_NEW, 0, 0, 3) == -EINVAL && ask(PX_PARCEL_NEW, 0, PX_SHARED, PX_PARCEL_LIES) == -EINVAL &&
                                                        ask(PX_PARCEL_NEW, 0, NOWHERE, 0) < 0 &&
                                                        ask(PX_PARCEL_NEW, 0, 8, 0) < 0);
}

static int leave(void *unused)
{
    (void)unused;
    return ask(PX_PARCEL_LEAVE, 0, 0, 0) != 0;
}

static void test_lying(void)
{
    struct px_parcel_item device = {.kind = PX_OFD_DEVICE};

    ticket = ask(PX_PARCEL_NEW, 0, 0, PX_PARCEL_LIES) == 0 ? answer.word[1] : 0;
    CASE("one lies in fs", put(device) == 0 && ask(PX_PARCEL_LOOK, ticket, 0, 0) == 0 && answer.word[1] == 1);
    CASE("and is nobody else's to end", in_child(leave, NULL) == 0 && ask(PX_PARCEL_LOOK, ticket, 0, 0) == 0);
    CASE("nor to add to", in_child(put_elsewhere, NULL) == 0 && ask(PX_PARCEL_LOOK, ticket, 1, 0) == -EINVAL);
    for (unsigned i = 1; i < 3 * PX_PARCEL_LYING; i++)
        (void)!ask(PX_PARCEL_NEW, 0, 0, PX_PARCEL_LIES);
    CASE("a flood of them is one's own", ask(PX_PARCEL_LOOK, ticket, 0, 0) == -EINVAL && answer.word[0] == (uint64_t)-EINVAL &&
                                             ask(PX_PARCEL_NEW, 0, 0, 0) == 0 && ask(PX_PARCEL_DROP, answer.word[1], 0, 0) == 0);
    CASE("who leaves", leave(NULL) == 0 && leave(NULL) == 0);
}

/* ---- who lies to fs ---- */

static void test_items(void)
{
    struct px_parcel_item event = {.kind = PX_OFD_EVENT, .pages = 1};
    void *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static uint32_t word;
    pid_t child;

    parcel();
    CASE("kinds that do not travel", put((struct px_parcel_item){.kind = PX_OFD_EPOLL}) == -EOPNOTSUPP &&
                                         put((struct px_parcel_item){.kind = PX_OFD_PROC}) == -EOPNOTSUPP &&
                                         put((struct px_parcel_item){.kind = PX_OFD_KINDS + 7}) == -EOPNOTSUPP &&
                                         put((struct px_parcel_item){.kind = 0}) == -EOPNOTSUPP);
    CASE("pages that do not belong to the kind",
        put((struct px_parcel_item){.kind = PX_OFD_DEVICE, .pages = 1, .va = (uint64_t)page}) == -EINVAL &&
            put((struct px_parcel_item){.kind = PX_OFD_PIPE, .pages = 5, .va = (uint64_t)page}) == -EINVAL &&
            put((struct px_parcel_item){.kind = PX_OFD_SOCKET, .pages = ~0u, .va = (uint64_t)page}) == -EINVAL);
    CASE("pages that are not there",
        put((event.va = NOWHERE, event)) == -EINVAL && put((event.va = KERNEL_HALF, event)) == -EINVAL &&
            put((event.va = (uint64_t)page + 1, event)) == -EINVAL &&
            put((struct px_parcel_item){.kind = PX_OFD_PIPE, .pages = PX_PIPE_PAGES, .va = (uint64_t)page}) == -EINVAL);
    CASE("pages that may only be read",
        put((event.va = PX_PROCTAB, event)) == -EINVAL && put((event.va = PX_META, event)) == -EINVAL);
    memset(page, 1, PAGE);
    child = fork();
    if (child == 0)
        _exit(pause());
    CASE("pages that wait for a copy on write", put((event.va = (uint64_t)page, event)) == -EINVAL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CASE("places that are none",
        put((struct px_parcel_item){.kind = PX_OFD_DEVICE, .place = {9, PX_PARCEL_NONE}}) == -EINVAL &&
            put((struct px_parcel_item){.kind = PX_OFD_SOCKET, .side = 2}) == -EINVAL);
    CASE("a file that is none", put((struct px_parcel_item){.kind = PX_OFD_FILE, .node = 0}) == -EINVAL &&
                                    put((struct px_parcel_item){.kind = PX_OFD_FILE, .node = ~0ull}) == -ESTALE);
    CASE("a capability that belongs nowhere",
        put((struct px_parcel_item){.kind = PX_OFD_DEVICE}) == 0 &&
            (answer = (struct exo_message){.word = {PX_FS_PARCEL, PX_PARCEL_GIVE, ticket, 0,
                                               (uint64_t)exo_tally_create(&word)}},
                exo_ep_call_cap(PX_SLOT_FS, &answer) == 0 && (int64_t)answer.word[0] == -EINVAL));
    ask(PX_PARCEL_DROP, ticket, 0, 0);
    munmap(page, 2 * PAGE);
}

static int steal_file(void *node)
{
    struct px_parcel_item item = {.kind = PX_OFD_FILE, .node = *(uint64_t *)node};

    if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
        return 2;
    parcel();
    for (item.flags = 0; item.flags < 3; item.flags++)
        for (uint64_t token = 0; token < 100; token++) {
            item.word[PX_PARCEL_TOKEN] = token * 0x123456789abcdefull;
            if (put(item) != -EACCES)
                return 1;
        }
    item = (struct px_parcel_item){.kind = PX_OFD_DIRECTORY, .node = *(uint64_t *)node};
    return put(item) == -EINVAL ? 0 : 1;
}

/* A socket that says root is at its other end. */
static int forge_peer(void *unused)
{
    struct px_parcel_item item = {.kind = PX_OFD_SOCKET, .pages = PX_LINK_PAGES, .connected = 1, .peer = {1, 0, 0}};
    const struct px_parcel_item *seen = (const struct px_parcel_item *)PX_MSG;
    int end[2];

    (void)unused;
    if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) || socketpair(AF_UNIX, SOCK_STREAM, 0, end))
        return 2;
    item.va = find_ring(PX_LINK_VERSION, offsetof(struct px_link, pages) / 4, PX_LINK_PAGES);
    parcel();
    return item.va && put(item) == 0 && ask(PX_PARCEL_LOOK, ticket, 0, 0) == 0 && seen->peer[0] == (uint32_t)getpid() &&
                   seen->peer[1] == 1000 && seen->peer[2] == 1000
               ? 0
               : 1;
}

static void test_claims(void)
{
    struct stat stat;
    uint64_t node;

    close(open("/tmp/parcel-secret", O_RDWR | O_CREAT, 0600));
    lstat("/tmp/parcel-secret", &stat);
    node = 0;
    for (uint32_t generation = 0; generation < 1u << 16 && !node;
         generation++) { /* which generation the inode is of: fs tells root */
        struct px_parcel_item item = {.kind = PX_OFD_FILE, .node = PX_FS_NODE(stat.st_ino, generation)};

        parcel();
        if (put(item) == 0)
            node = item.node;
        ask(PX_PARCEL_DROP, ticket, 0, 0);
    }
    CASE("a file that its sender may not use goes nowhere", node && in_child(steal_file, &node) == 0);
    CASE("fs says who a socket's peer is", in_child(forge_peer, NULL) == 0);
    unlink("/tmp/parcel-secret");
}

/* ---- who takes too much ---- */

static int flood(void *unused)
{
    unsigned items = 0;
    int64_t status = 0;

    (void)unused;
    for (unsigned parcels = 0; parcels < 1000 && status == 0; parcels++) {
        ticket = 0;
        parcel();
        for (unsigned i = 0;
             ticket && i < PX_PARCEL_MOST && (status = put((struct px_parcel_item){.kind = PX_OFD_DEVICE})) == 0; i++)
            items++;
    }
    return status == -ETOOMANYREFS && items > PX_PARCEL_MOST && items < 512 ? 0 : 1;
}

static int flood_parcels(void *unused)
{
    unsigned parcels = 0;

    (void)unused;
    while (parcels < 1000 && ask(PX_PARCEL_NEW, 0, 0, 0) == 0)
        parcels++;
    return parcels < 1000 && (int64_t)answer.word[0] == -ETOOMANYREFS ? 0 : 1;
}

static void test_floods(void)
{
    for (unsigned i = 0; i < 3; i++) {
        CASE("items of one process end somewhere", in_child(flood, NULL) == 0);
        CASE("parcels, too", in_child(flood_parcels, NULL) == 0);
    }
    parcel();
    CASE("and are free again after it", put((struct px_parcel_item){.kind = PX_OFD_DEVICE}) == 0);
}

/* ---- who takes back ---- */

static int pass(int to, int fd)
{
    char control[CMSG_SPACE(sizeof fd)];
    struct iovec piece = {"x", 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

    *(struct cmsghdr *)control =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA((struct cmsghdr *)control), &fd, sizeof fd);
    return (int)sendmsg(to, &message, 0);
}

static int take(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec piece = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fd = -1;

    if (recvmsg(from, &message, 0) == 1 && message.msg_controllen)
        memcpy(&fd, CMSG_DATA((struct cmsghdr *)control), sizeof fd);
    return fd;
}

/* Its pipe lies in a block of its own, and it takes that back when the pipe is another's, too. */
static int take_back(void *sockets)
{
    int to = ((int *)sockets)[0], pipes[2];
    int64_t block = exo_frame_alloc(PX_SLOT_ZONE, PX_PIPE_PAGES);
    static char ring[PX_PIPE_PAGES * PAGE];
    int64_t status;
    uint64_t va;
    char byte;

    pipe(pipes);
    write(pipes[1], "12345678", 8);
    va = find_ring(PX_PIPE_VERSION, offsetof(struct px_pipe, tail) / 4, 8);
    if (!va || block < 0)
        return 2;
    memcpy(ring, (void *)va, sizeof ring);
    if (exo_unmap_all(PX_SLOT_SELF, va, PX_PIPE_PAGES) < 0 ||
        exo_map_all(PX_SLOT_SELF, va, (uint64_t)block, 0, PX_PIPE_PAGES, EXO_PROT_READ | EXO_PROT_WRITE) < 0)
        return 3;
    memcpy((void *)va, ring, sizeof ring);
    if (pass(to, pipes[0]) != 1 || read(to, &byte, 1) != 1)
        return 4;
    while ((status = exo_cap_revoke((uint64_t)block)) == -EXO_E_AGAIN)
        ;
    return write(to, "y", 1) == 1 ? (int)-status : 5;
}

static int receive(void *sockets)
{
    int from = ((int *)sockets)[1], fd = take(from);
    char text[8];

    if (fd < 0 || read(fd, text, 2) != 2 || memcmp(text, "12", 2) || write(from, "x", 1) != 1 ||
        read(from, text, 1) != 1)
        return 1;
    for (unsigned i = 0; i < 10; i++) /* what there is to read is not said: that this process goes on is */
        (void)!read(fd, text, 4);
    return 0;
}

static void test_taking_back(void)
{
    int sockets[2], status = -1, result;
    pid_t child;

    socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
    child = fork();
    if (child == 0) {
        alarm(20);
        _exit(receive(sockets));
    }
    result = in_child(take_back, sockets);
    waitpid(child, &status, 0);
    CASE("pages that were given can be taken back", result == 0);
    CASE("and who was given them lives", status == 0);
}

int main(void)
{
    test_tickets();
    test_lying();
    test_items();
    test_claims();
    test_floods();
    test_taking_back();
    return tap_finish();
}
