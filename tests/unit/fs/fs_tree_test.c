/*
 * Names and inodes: random operations against a model that keeps a plain tree, each operation also with its n-th
 * request for memory refused (then nothing may have changed); rename's rules; permissions; files without names that
 * somebody holds.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c
 */
#include "fake.h"

static const struct fs_caller super = {.client = &seed};

/* ---- the model ------------------------------------------------------------------------------------------------- */

#define NODES 400
#define ENTRIES 2000
struct node {
    bool used, directory;
    int parent, links;
    uint32_t ino; /* what the server gave */
};
struct model_entry {
    int directory, node; /* directory -1: unused */
    char name[8];
};
static struct node node[NODES];
static struct model_entry entry[ENTRIES];

static void model_start(void)
{
    memset(node, 0, sizeof node);
    for (int i = 0; i < ENTRIES; i++)
        entry[i].directory = -1;
    node[0] = (struct node){.used = true, .directory = true, .ino = fs_meta()->root};
}

static struct model_entry *model_find(int directory, const char *name)
{
    for (int i = 0; i < ENTRIES; i++) {
        if (entry[i].directory == directory && strcmp(entry[i].name, name) == 0)
            return &entry[i];
    }
    return NULL;
}

static struct model_entry *model_add(int directory, const char *name, int to)
{
    for (int i = 0; i < ENTRIES; i++) {
        if (entry[i].directory < 0) {
            entry[i] = (struct model_entry){.directory = directory, .node = to};
            snprintf(entry[i].name, sizeof entry[i].name, "%s", name);
            node[to].links++;
            if (node[to].directory)
                node[to].parent = directory;
            return &entry[i];
        }
    }
    abort();
}

static int model_node(bool directory, uint32_t ino)
{
    for (int i = 1; i < NODES; i++) {
        if (!node[i].used) {
            node[i] = (struct node){.used = true, .directory = directory, .ino = ino};
            return i;
        }
    }
    return -1;
}

static void model_remove(struct model_entry *gone)
{
    int from = gone->node;

    gone->directory = -1;
    if (--node[from].links == 0)
        node[from].used = false;
}

static bool model_empty(int directory)
{
    for (int i = 0; i < ENTRIES; i++) {
        if (entry[i].directory == directory)
            return false;
    }
    return true;
}

static bool model_above(int above, int directory)
{
    for (;;) {
        if (directory == above)
            return true;
        if (directory == 0)
            return false;
        directory = node[directory].parent;
    }
}

static void compare(void)
{
    uint32_t names = 0;

    for (int i = 0; i < ENTRIES; i++) {
        struct px_name *name;

        if (entry[i].directory < 0)
            continue;
        name = fs_name_find(node[entry[i].directory].ino, entry[i].name, (uint32_t)strlen(entry[i].name));
        CHECK(name && name->inode == node[entry[i].node].ino);
        CHECK(node[entry[i].node].directory || fs_inode(name->inode)->nlink == (uint32_t)node[entry[i].node].links);
        names++;
    }
    CHECK(names == fs_meta()->names);
}

/* ---- random operations, as user 0 ------------------------------------------------------------------------------ */

static int pick_directory(void)
{
    for (;;) {
        int i = (int)below(NODES);

        if (node[i].used && node[i].directory)
            return i;
        if (below(8) == 0)
            return 0;
    }
}

static void pick_name(char name[8])
{
    snprintf(name, 8, "n%llu", (unsigned long long)below(12));
}

static int64_t expect_create(int directory, const char *name)
{
    return model_find(directory, name) ? -EEXIST : 0;
}

static int64_t do_create(void)
{
    static const uint32_t modes[] = {S_IFREG | 0644, S_IFDIR | 0755, S_IFLNK | 0777, S_IFIFO | 0600, S_IFCHR | 0600};
    char name[8], target[3000];
    int directory = pick_directory(), made;
    struct fs_new new = {.mode = modes[below(5)], .rdev = 0x103, .name = name, .target = target};
    int64_t expected, status;
    uint32_t ino;

    pick_name(name);
    memset(target, 't', sizeof target);
    new.name_bytes = (uint32_t)strlen(name);
    new.target_bytes = (uint32_t)(1 + below(below(2) ? 60 : sizeof target));
    expected = expect_create(directory, name);
    status = fs_create(&super, fs_node_of(node[directory].ino), &new, &ino);
    if (status == -ENOSPC)
        return status;
    CHECK(status == expected);
    if (status == 0) {
        if (S_ISLNK(new.mode))
            CHECK(fs_inode(ino)->size ==
                  new.target_bytes &&memcmp(fs_link_text(fs_inode(ino)), target, new.target_bytes) == 0);
        made = model_node(S_ISDIR(new.mode), ino);
        if (made < 0)
            CHECK(fs_unlink(&super, fs_node_of(node[directory].ino), name, new.name_bytes, S_ISDIR(new.mode)) == 0);
        else
            model_add(directory, name, made);
    }
    return status;
}

static int64_t do_link(void)
{
    struct model_entry *from = &entry[below(ENTRIES)];
    char name[8];
    int directory = pick_directory();
    int64_t status, expected;

    if (from->directory < 0)
        return 0;
    pick_name(name);
    expected = model_find(directory, name) ? -EEXIST : node[from->node].directory ? -EPERM : 0;
    status = fs_link(&super, fs_node_of(node[from->node].ino), fs_node_of(node[directory].ino), name,
                     (uint32_t)strlen(name));
    if (status == -ENOSPC)
        return status;
    CHECK(status == expected);
    if (status == 0)
        model_add(directory, name, from->node);
    return status;
}

static int64_t do_unlink(void)
{
    char name[8];
    int directory = pick_directory();
    bool rmdir = below(2);
    struct model_entry *gone;
    int64_t status, expected;

    pick_name(name);
    gone = model_find(directory, name);
    if (!gone)
        expected = -ENOENT;
    else if (rmdir)
        expected = !node[gone->node].directory ? -ENOTDIR : model_empty(gone->node) ? 0 : -ENOTEMPTY;
    else
        expected = node[gone->node].directory ? -EISDIR : 0;
    status = fs_unlink(&super, fs_node_of(node[directory].ino), name, (uint32_t)strlen(name), rmdir);
    CHECK(status == expected);
    if (status == 0)
        model_remove(gone);
    return status;
}

static int64_t expect_rename(struct model_entry *old, struct model_entry *new, int from, int to, uint32_t flags)
{
    bool exchange = flags & RENAME_EXCHANGE;

    if (!old)
        return -ENOENT;
    if (flags & RENAME_NOREPLACE && new)
        return -EEXIST;
    if (exchange && !new)
        return -ENOENT;
    if (node[old->node].directory && model_above(old->node, to))
        return -EINVAL;
    if (new &&node[new->node].directory && model_above(new->node, from))
        return exchange ? -EINVAL : -ENOTEMPTY;
    if (new && old->node == new->node)
        return 0;
    if (new && !exchange && node[old->node].directory != node[new->node].directory)
        return node[old->node].directory ? -ENOTDIR : -EISDIR;
    if (new && !exchange && node[new->node].directory && !model_empty(new->node))
        return -ENOTEMPTY;
    return 0;
}

static void model_rename(struct model_entry *old, struct model_entry *new, int from, int to, const char *name,
                         uint32_t flags)
{
    int moved = old->node;

    if (new &&new->node == old->node)
        return;
    if (flags & RENAME_EXCHANGE) {
        old->node = new->node;
        new->node = moved;
        node[old->node].parent = from;
        node[new->node].parent = to;
        return;
    }
    if (new)
        model_remove(new);
    old->directory = -1;
    node[moved].links--;
    model_add(to, name, moved);
}

static int64_t do_rename(void)
{
    static const uint32_t flags_of[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
    char name[2][8];
    int from = pick_directory(), to = below(3) ? pick_directory() : from;
    struct fs_rename rename = {.text = {name[0], name[1]}, .flags = flags_of[below(5)]};
    struct model_entry *old, *new;
    int64_t status, expected;

    pick_name(name[0]);
    pick_name(name[1]);
    old = model_find(from, name[0]);
    new = model_find(to, name[1]);
    expected = expect_rename(old, new, from, to, rename.flags);
    rename.directory[0] = fs_node_of(node[from].ino);
    rename.directory[1] = fs_node_of(node[to].ino);
    rename.bytes[0] = (uint32_t)strlen(name[0]);
    rename.bytes[1] = (uint32_t)strlen(name[1]);
    status = fs_rename(&super, &rename);
    if (status == -ENOSPC)
        return status;
    CHECK(status == expected);
    if (status == 0)
        model_rename(old, new, from, to, name[1], rename.flags);
    return status;
}

static int64_t do_write(void)
{
    struct model_entry *file = &entry[below(ENTRIES)];
    uint8_t data[4096];
    uint64_t at;

    if (file->directory < 0 || !S_ISREG(fs_inode(node[file->node].ino)->mode))
        return 0;
    memset(data, 'd', sizeof data);
    return fs_write(&super, fs_node_of(node[file->node].ino), below(100000), data, 1 + below(4096), 0, &at);
}

static void random_operations(unsigned count, bool refusals)
{
    int64_t (*const operations[])(void) = {do_create, do_create, do_create, do_link, do_unlink,
                                           do_unlink, do_rename, do_rename, do_write};

    for (unsigned i = 0; i < count; i++) {
        fail_after = refusals && below(4) == 0 ? (long)below(3) : -1;
        fs_change_begin();
        (void)operations[below(sizeof operations / sizeof operations[0])]();
        fs_change_end();
        fail_after = -1;
        if (i % 64 == 0) {
            check_all();
            compare();
        }
    }
    check_all();
    compare();
}

/* Takes everything away again: nothing is left. */
static void remove_everything(void)
{
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < ENTRIES; i++) {
            int directory = entry[i].directory;

            if (directory < 0 || (node[entry[i].node].directory && !model_empty(entry[i].node)))
                continue;
            CHECK(fs_unlink(&super, fs_node_of(node[directory].ino), entry[i].name, (uint32_t)strlen(entry[i].name),
                            node[entry[i].node].directory) == 0);
            model_remove(&entry[i]);
            any = true;
        }
    }
    CHECK(fs_meta()->names == 0 && fs_meta()->inodes == 1 && fs_meta()->data_pages == 0);
    check_all();
}

/* ---- cases ----------------------------------------------------------------------------------------------------- */

static uint32_t make(const struct fs_caller *caller, uint32_t directory, const char *name, uint32_t mode,
                     int64_t expected)
{
    struct fs_new new = {
        .mode = mode, .name = name, .name_bytes = (uint32_t)strlen(name), .target = "t", .target_bytes = 1};
    uint32_t ino;

    CHECK(fs_create(caller, fs_node_of(directory), &new, &ino) == expected);
    return ino;
}

static int64_t move(const struct fs_caller *caller, uint32_t from, const char *old, uint32_t to, const char *new)
{
    struct fs_rename rename = {.directory = {fs_node_of(from), fs_node_of(to)},
                               .text = {old, new},
                               .bytes = {(uint32_t)strlen(old), (uint32_t)strlen(new)}};

    return fs_rename(caller, &rename);
}

static void permissions(void)
{
    const struct fs_caller alice = {.uid = 1000, .gid = 1000}, bob = {.uid = 1001, .gid = 1001};
    const uint32_t group = 50;
    const struct fs_caller carol = {.uid = 1002, .gid = 1002, .group_count = 1, .groups = &group};
    struct px_fs_attributes attributes = {.what = PX_ATTRIBUTE_MODE, .mode = 06755};
    uint32_t root = fs_meta()->root, tmp, mine, shared;
    uint64_t token, at;

    tmp = make(&super, root, "tmp", S_IFDIR | 01777, 0);
    make(&alice, root, "x", S_IFREG | 0644, -EACCES);
    make(&alice, tmp, "dev", S_IFBLK | 0666, -EPERM);
    mine = make(&alice, tmp, "mine", S_IFREG | 0640, 0);
    CHECK(fs_inode(mine)->uid == 1000);
    CHECK(fs_unlink(&bob, fs_node_of(tmp), "mine", 4, false) == -EPERM); /* sticky */
    CHECK(move(&bob, tmp, "mine", tmp, "his") == -EPERM);
    CHECK(fs_open(&bob, fs_node_of(mine), 4, false, &token) == -EACCES);
    CHECK(fs_open(&alice, fs_node_of(mine), 2, false, &token) == 0);
    CHECK(fs_truncate(&bob, fs_node_of(mine), 10, 0) == -EACCES);
    CHECK(fs_truncate(&bob, fs_node_of(mine), 10, token ^ 1) == -EACCES);
    CHECK(fs_truncate(&bob, fs_node_of(mine), 10, token) == 0); /* an inherited description */
    CHECK(fs_truncate(&bob, fs_node_of(root), 10, token) == -EISDIR);
    CHECK(fs_setattr(&bob, fs_node_of(mine), &attributes) == -EPERM);
    CHECK(fs_setattr(&alice, fs_node_of(mine), &attributes) == 0);
    CHECK((fs_inode(mine)->mode & 07777) == 06755);
    CHECK(fs_truncate(&bob, fs_node_of(mine), 11, token) == 0); /* set-ID bits go when somebody else writes */
    CHECK((fs_inode(mine)->mode & 07777) == 0755);
    CHECK(fs_link(&bob, fs_node_of(mine), fs_node_of(tmp), "l", 1) == -EPERM);
    /* Pages far from each other in a file as long as can be: its mode is changed at once all the same. */
    CHECK(fs_write(&alice, fs_node_of(mine), 1ull << 40, "x", 1, token, &at) == 1 && fs_write(&alice, fs_node_of(mine), 1ull << 60, "y", 1, token, &at) == 1);
    CHECK(fs_truncate(&alice, fs_node_of(mine), FS_SIZE_MAX, token) == 0 && fs_setattr(&alice, fs_node_of(mine), &attributes) == 0);
    CHECK((fs_inode(mine)->mode & 07777) == 06755 && fs_inode(mine)->pages == 2 && fs_page(fs_map_get(fs_inode(mine), 1ull << 48))[0] == 'y');
    CHECK(fs_truncate(&alice, fs_node_of(mine), 0, token) == 0);
    attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_GID | PX_ATTRIBUTE_CHOWN, .gid = 50};
    CHECK(fs_setattr(&alice, fs_node_of(mine), &attributes) == -EPERM);
    shared = make(&carol, tmp, "shared", S_IFREG | 02755, 0);
    CHECK(fs_setattr(&carol, fs_node_of(shared), &attributes) == 0);
    attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_UID | PX_ATTRIBUTE_CHOWN, .uid = 1000};
    CHECK(fs_setattr(&carol, fs_node_of(shared), &attributes) == -EPERM);
    attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_ATIME_NOW | PX_ATTRIBUTE_MTIME_NOW};
    CHECK(fs_setattr(&bob, fs_node_of(mine), &attributes) == -EACCES);
    attributes = (struct px_fs_attributes){.what = PX_ATTRIBUTE_MTIME, .mtime = 5};
    CHECK(fs_setattr(&bob, fs_node_of(mine), &attributes) == -EPERM);
    CHECK(fs_setattr(&alice, fs_node_of(mine), &attributes) == 0 && fs_inode(mine)->mtime == 5);
    check_all();
}

static void group_of_directory(void)
{
    const struct fs_caller alice = {.uid = 1000, .gid = 1000};
    uint32_t root = fs_meta()->root, team = make(&super, root, "team", S_IFDIR | 02777, 0), below_team;

    fs_inode(team)->gid = 77;
    CHECK(fs_inode(make(&alice, team, "f", S_IFREG | 0644, 0))->gid == 77);
    below_team = make(&alice, team, "d", S_IFDIR | 0755, 0);
    CHECK(fs_inode(below_team)->gid == 77 && fs_inode(below_team)->mode & S_ISGID);
    CHECK(!(fs_inode(make(&alice, team, "s", S_IFREG | 02755, 0))->mode & S_ISGID));
}

static void forked_meanwhile(void)
{
    hazards_hook = NULL;
    child_lives = true;
    child_list[0] = hazard_list[0];
    process_changes++;
    hazard_list[0] = 0;
}
static void forking_always(void)
{
    process_changes++;
}

/* A child whose list is passed over because it is not there yet, and a parent who lets go before its own is looked at. */
static void held_by_newborn(void)
{
    uint32_t root = fs_meta()->root, ino = make(&super, root, "passed", S_IFREG | 0644, 0);
    uint64_t was = fs_node_of(ino);

    hazard_list[0] = ino;
    hazards_hook = forked_meanwhile;
    CHECK(fs_unlink(&super, fs_node_of(root), "passed", 6, false) == 0);
    fs_orphans_sweep();
    CHECK(fs_node(was) && fs_orphan_count == 1);
    child_lives = false;
    hazards_hook = forking_always; /* then it stays for the next sweep */
    fs_orphans_sweep();
    CHECK(fs_node(was) && fs_orphan_count == 1);
    hazards_hook = NULL;
    fs_orphans_sweep();
    CHECK(!fs_node(was) && fs_orphan_count == 0);
    child_list[0] = 0;
    check_all();
}

/* Empty files are swept several at a time, all others, and those with them, at once. */
static void waiting_files(void)
{
    uint32_t root = fs_meta()->root, ino = 0;
    uint64_t at;

    fs_orphans_sweep();
    for (unsigned i = 1; i <= 8; i++) {
        make(&super, root, "empty", S_IFREG | 0644, 0);
        CHECK(fs_unlink(&super, fs_node_of(root), "empty", 5, false) == 0 && fs_orphan_count == i % 8);
    }
    make(&super, root, "empty", S_IFREG | 0644, 0);
    CHECK(fs_unlink(&super, fs_node_of(root), "empty", 5, false) == 0 && fs_orphan_count == 1);
    ino = make(&super, root, "full", S_IFREG | 0644, 0);
    CHECK(fs_write(&super, fs_node_of(ino), 0, "data", 4, 0, &at) == 4);
    CHECK(fs_unlink(&super, fs_node_of(root), "full", 4, false) == 0 && fs_orphan_count == 0 && fs_meta()->data_pages == 0);
    check_all();
}

static void held_files(void)
{
    uint32_t root = fs_meta()->root, ino = make(&super, root, "held", S_IFREG | 0644, 0), inodes = fs_meta()->inodes;
    uint64_t was = fs_node_of(ino), at;

    CHECK(fs_write(&super, was, 0, "data", 4, 0, &at) == 4);
    hazard_list[3] = ino;
    CHECK(fs_unlink(&super, fs_node_of(root), "held", 4, false) == 0);
    CHECK(fs_node(was) && fs_orphan_count == 1 && fs_write(&super, was, 4, "more", 4, 0, &at) == 4);
    check_all();
    CHECK(fs_link(&super, was, fs_node_of(root), "again", 5) == -ENOENT);
    hazard_list[3] = 0;
    hazards_published = false; /* a child that has not said what it holds */
    fs_orphans_sweep();
    CHECK(fs_node(was));
    hazards_published = true;
    fs_orphans_sweep();
    CHECK(!fs_node(was) && fs_orphan_count == 0 && fs_meta()->inodes == inodes - 1 && fs_meta()->data_pages == 0);
    ino = make(&super, root, "next", S_IFREG | 0644, 0);
    CHECK(fs_node_of(ino) != was); /* the same slot, another generation */
    check_all();
}

static void nameless_files(void)
{
    struct fs_new new = {.mode = S_IFREG | 0600, .flags = PX_CREATE_TMPFILE};
    uint32_t root = fs_meta()->root, ino;

    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == 0);
    hazard_list[0] = ino;
    check_all();
    CHECK(fs_link(&super, fs_node_of(ino), fs_node_of(root), "named", 5) == 0 && fs_inode(ino)->nlink == 1 &&
          fs_orphan_count == 0);
    check_all();
    new.flags |= PX_CREATE_NOLINK;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == 0);
    CHECK(fs_link(&super, fs_node_of(ino), fs_node_of(root), "never", 5) == -ENOENT);
    hazard_list[0] = 0;
    fs_orphans_sweep();
    CHECK(fs_orphan_count == 0);
    check_all();
}

static void bad_names(void)
{
    char text[300];
    uint32_t root = fs_meta()->root, ino;
    struct fs_new new = {.mode = S_IFREG | 0644, .name = text};

    memset(text, 'a', sizeof text);
    new.name_bytes = 256;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == -ENAMETOOLONG);
    new.name_bytes = 255;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == 0);
    new.name_bytes = 0;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == -EINVAL);
    memcpy(text, "a/b", 3);
    new.name_bytes = 3;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == -EINVAL);
    memcpy(text, "..", 2);
    new.name_bytes = 2;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == -EINVAL);
    CHECK(fs_unlink(&super, fs_node_of(root), "..", 2, true) == -EINVAL);
    new.name = "f";
    new.name_bytes = 1;
    CHECK(fs_create(&super, PX_FS_NODE(0, 0), &new, &ino) == -ENOENT);
    CHECK(fs_create(&super, ~0ull, &new, &ino) == -ENOENT);
    CHECK(fs_create(&super, fs_node_of(root) + (1ull << 32), &new, &ino) == -ENOENT);
    CHECK(fs_create(&super, 1, &new, &ino) == -ENOENT);
    new.mode = 0170000;
    CHECK(fs_create(&super, fs_node_of(root), &new, &ino) == -EINVAL);
    check_all();
}

/* The region refuses to grow: creating goes on until ENOSPC, and everything still makes sense; what is removed can be
 * made again. */
static void exhaustion(void)
{
    char name[16];
    uint32_t root = fs_meta()->root, ino;
    unsigned made = 0;

    for (;; made++) {
        struct fs_new new = {.mode = S_IFREG | 0644, .name = name};
        int64_t status;

        new.name_bytes = (uint32_t)snprintf(name, sizeof name, "file%u", made);
        fail_after = 0; /* no more pages for the region */
        status = fs_create(&super, fs_node_of(root), &new, &ino);
        fail_after = -1;
        if (status == -ENOSPC)
            break;
        CHECK(status == 0 && made < 100000);
    }
    CHECK(made > 100);
    check_all();
    for (unsigned i = 0; i < made; i++)
        CHECK(fs_unlink(&super, fs_node_of(root), name, (uint32_t)snprintf(name, sizeof name, "file%u", i), false) ==
              0);
    fs_orphans_sweep();
    check_all();
    CHECK(fs_meta()->inodes == 1);
}

static void many_files(void)
{
    char name[16];
    uint32_t root = fs_meta()->root;

    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "f%u", i);
        make(&super, root, name, S_IFREG | 0644, 0);
    }
    check_all();
    CHECK(fs_meta()->hash_mask + 1 >= 4096);
    for (unsigned i = 0; i < 5000; i++)
        CHECK(fs_unlink(&super, fs_node_of(root), name, (uint32_t)snprintf(name, sizeof name, "f%u", i), false) == 0);
    check_all();
}

int main(void)
{
    void (*const cases[])(void) = {permissions,    group_of_directory, waiting_files, held_files, held_by_newborn,
                                   nameless_files, bad_names,          exhaustion,    many_files};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_over(AREA_PAGES);
        cases[i]();
    }
    for (unsigned round = 1; round <= 12; round++) {
        random_start(round);
        start_over(AREA_PAGES);
        model_start();
        random_operations(2500, round % 2);
        remove_everything();
    }
    return 0;
}
