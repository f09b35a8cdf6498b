/*
 * Hostile clients: hundreds of thousands of requests with random words and message pages, from several users, some
 * with memory refused. The server must answer each in bounded time with a result or an errno, and the file system
 * must make sense after them; what one user closed off stays closed to another.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/serve.c servers/fs/xattr.c
 */
#define FAKE_FIFO
#define FAKE_SHARE
#include "fake.h"

#include "servers/fs/serve.h"
#define FS_XATTR_SERVED
#include "unserved.h"
#include "xattr.h"

#define REQUESTS 60000u
static _Alignas(4096) uint8_t page[4096];
static uint64_t known[64]; /* nodes, tokens and such that were answers */
static uint32_t secret_ino;
static const char secret[] = "what user 1000 keeps to itself: nobody else may see or change it";

/* Any address will do: only what is given is checked. */
static bool secret_expected;
int64_t os_share(void *client, uint64_t va, const void *from, uint64_t pages, uint64_t mode_prot)
{
    uint64_t first = (uint64_t)((const uint8_t *)from - memory) / FS_PAGE;

    (void)va, (void)mode_prot;
    CHECK(client != NULL);
    if ((const uint8_t *)from >= meta_memory && (const uint8_t *)from < meta_memory + REGION_PAGES * FS_PAGE) {
        CHECK(!(mode_prot & EXO_PROT_WRITE));
        return 0;
    }
    for (uint64_t i = first; i < first + pages; i++) {
        CHECK(page_state[i]);
        CHECK(secret_expected || fs_map_get(fs_inode(secret_ino), 0) != i + 1);
    }
    return 0;
}

static uint64_t some_word(void)
{
    static const uint64_t extreme[] = {0,     1,          2,       6,          7,          255,
                                       4095,  4096,       4097,    0x7fffffff, 0xffffffff, 0x7fffffffffffffff,
                                       ~0ull, 1ull << 63, ~4095ull};

    switch (below(6)) {
    case 0: return extreme[below(sizeof extreme / sizeof extreme[0])];
    case 1: return below(100000);
    case 2: return random_number();
    case 3: return fs_node_of(fs_meta()->root);
    default: return known[below(64)];
    }
}

static void some_page(uint64_t op)
{
    struct px_fs_names *names = (struct px_fs_names *)page;
    struct px_fs_create *create = (struct px_fs_create *)page;
    char *text = (char *)(names + 1);

    for (unsigned i = 0; i < sizeof page / 8; i += below(20) ? 1 : 50)
        ((uint64_t *)page)[i] = below(3) ? 0x6100610061006161ull : some_word();
    if (below(8) == 0)
        return;
    if (op == PX_FS_CREATE) {
        static const uint32_t modes[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR, S_IFSOCK, 0, 0170000};

        *create = (struct px_fs_create){.directory = some_word(),
                                        .mode = modes[below(8)] | (uint32_t)below(010000),
                                        .flags = below(6) ? 0 : (uint32_t)below(8),
                                        .name_bytes = (uint16_t)(below(9) ? 1 : below(5000)),
                                        .target_bytes = (uint16_t)(below(5) ? 3 : below(5000))};
        text = (char *)(create + 1);
    } else if (op == PX_FS_LINK || op == PX_FS_UNLINK || op == PX_FS_RENAME) {
        *names = (struct px_fs_names){.from = some_word(),
                                      .directory = {some_word(), some_word()},
                                      .flags = (uint32_t)below(4),
                                      .bytes = {(uint16_t)(below(9) ? 1 : below(300)),
                                                (uint16_t)(below(9) ? 1 : below(300))}};
    } else if (op == PX_FS_XATTR) {
        static const char *const attributes[] = {"user.a", "user.bc", "trusted.d", "security.e", "system.f", "user."};
        const char *name = attributes[below(6)];
        struct px_xattr *ask = (struct px_xattr *)page;

        *ask = (struct px_xattr){.flags = (uint32_t)below(4), .name_bytes = (uint32_t)(below(9) ? strlen(name) : below(5000)),
                                 .value_bytes = (uint32_t)(below(9) ? below(1000) : some_word())};
        memcpy(ask + 1, name, strlen(name));
        return;
    } else if (op == PX_FS_SETATTR) {
        *(struct px_fs_attributes *)page = (struct px_fs_attributes){.what = (uint32_t)below(256),
                                                                     .mode = (uint32_t)random_number(),
                                                                     .uid = (uint32_t)below(1003),
                                                                     .gid = (uint32_t)below(1003),
                                                                     .atime = (int64_t)random_number(),
                                                                     .mtime = (int64_t)random_number()};
        return;
    }
    text[0] = 'a' + (char)below(20);
    text[1] = 'a' + (char)below(20);
}

static void one_request(const struct fs_caller *caller)
{
    struct exo_message message = {.word = {below(PX_FS_OPS + 2)}};
    struct fs_request request = {.caller = *caller, .page = page, .message = &message};
    uint32_t ino = 0;

    for (unsigned i = 1; i < 5; i++)
        message.word[i] = some_word();
    if (message.word[0] == PX_FS_XATTR)
        message.word[2] = below(6);
    if (below(2)) {
        ino = fs_inode_after((uint32_t)below(fs_region.bytes / PX_INODE_BYTES));
        if (ino)
            message.word[1] = known[below(64)] = fs_node_of(ino);
    }
    if (ino && message.word[0] == PX_FS_EXTEND && below(2)) {
        message.word[0] |= (uint64_t)fs_inode(ino)->version << 32;
        message.word[2] = below(100000);
        message.word[3] = message.word[2] + below(10000);
    } else if (message.word[0] == PX_FS_GRANT || message.word[0] == PX_FS_EXTEND) {
        message.word[0] |= (below(3) ? below(400) : random_number()) << 32;
        message.word[2] = below(2) ? below(500) : message.word[2];
    }
    if (message.word[0] == PX_FS_TRUNCATE || message.word[0] == PX_FS_WRITE)
        message.word[2] = below(4) ? below(300000) : message.word[2];
    if (message.word[0] == PX_FS_WRITE)
        message.word[3] = below(4) ? below(4097) : message.word[3];
    some_page(message.word[0]);
    secret_expected = caller->uid == 1000 || caller->uid == 0;
    fs_serve(&request);
    CHECK((int64_t)message.word[0] > -200 && (int64_t)message.word[0] < (1 << 30));
    CHECK(!(fs_meta()->seq & 1));
    if ((int64_t)message.word[0] >= 0 && below(2))
        known[below(64)] = message.word[1 + below(2)];
}

static void check_secret(void)
{
    const struct px_inode *inode = fs_inode(secret_ino);

    CHECK(inode->uid == 1000 && inode->mode == (S_IFREG | 0600) && inode->size == sizeof secret && inode->nlink == 1);
    CHECK(memcmp(fs_page(fs_map_get(inode, 0)), secret, sizeof secret) == 0);
}

static void make_secret(void)
{
    static const struct fs_caller owner = {.uid = 1000, .gid = 1000, .client = &seed};
    struct fs_new folder = {.mode = S_IFDIR | 0700, .name = "home", .name_bytes = 4},
                  file = {.mode = S_IFREG | 0600, .name = "s", .name_bytes = 1};
    const struct fs_caller super = {.client = &seed};
    uint32_t ino;
    uint64_t at;

    CHECK(fs_create(&super, fs_node_of(fs_meta()->root), &folder, &ino) == 0);
    fs_inode(ino)->uid = 1000;
    CHECK(fs_create(&owner, fs_node_of(ino), &file, &secret_ino) == 0);
    CHECK(fs_write(&owner, fs_node_of(secret_ino), 0, secret, sizeof secret, 0, &at) == sizeof secret);
    fs_inode(fs_meta()->root)->mode = S_IFDIR | 01777;
    known[0] = fs_node_of(secret_ino);
    known[1] = fs_node_of(ino);
}

static void round_of(unsigned number, bool with_root)
{
    static const uint32_t groups[] = {1000, 50};
    static const struct fs_caller callers[] = {
        {.uid = 1001, .gid = 1001, .client = &seed},
        {.uid = 1002, .gid = 1002, .group_count = 2, .groups = groups, .client = &seed},
        {.uid = 0, .client = &seed},
    };

    random_start(number);
    start_over(number % 3 == 0 ? 200 : AREA_PAGES);
    memset(known, 0, sizeof known);
    secret_ino = 0;
    make_secret();
    for (unsigned i = 0; i < REQUESTS; i++) {
        fail_after = below(16) == 0 ? (long)below(3) : -1;
        hazard_list[below(8)] = below(3) ? 0 : (uint32_t)known[below(64)];
        one_request(&callers[below(with_root ? 3 : 2)]);
        fail_after = -1;
        if (i % 512 == 0) {
            check_all();
            if (!with_root)
                check_secret();
        }
    }
    check_all();
    if (!with_root)
        check_secret();
}

int main(void)
{
    for (unsigned number = 1; number <= 3; number++) {
        round_of(number, false);
        round_of(number + 100, true);
    }
    return 0;
}
