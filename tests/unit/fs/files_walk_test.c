/*
 * The path walk: random paths over a random tree against a slow, plain resolver; rules one by one (links, slashes,
 * dots, permission, length, /proc); listings while names come and go; paths of inodes; held inodes; and readers that
 * run beside a writer.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/serve.c
 */
#include "files_walk.h"

static void compare_walks(void)
{
    for (unsigned i = 0; i < 3000; i++) {
        char path[400];
        uint32_t start = directory[below(directories)];
        unsigned flags = below(2) ? PX_WALK_NOFOLLOW : 0, links = 0;
        struct px_place place;
        int64_t expected, status;

        random_path(path, sizeof path, 8);
        expected = resolve(start, path, !(flags & PX_WALK_NOFOLLOW), &links);
        status = walk(start, path, flags, &place);
        if (expected < 0 ? status != expected : status != 0 || place.node.ino != (uint64_t)expected) {
            fprintf(stderr, "%s: %lld, ino %llu, expected %lld (seed %llu)\n", path, (long long)status,
                    (unsigned long long)place.node.ino, (long long)expected, seed);
            abort();
        }
        if (status == 0) { /* the way with the name must come to the same */
            CHECK(walk(start, path, flags | PX_WALK_NAME, &place) == 0 && place.node.ino == (uint64_t)expected);
            if (place.directory && place.node.kind)
                CHECK(fs_name_find(PX_FS_INO(place.directory), place.name, place.length)->inode == place.node.ino);
        }
        if (expected == -ENOENT && walk(start, path, flags | PX_WALK_PARENT, &place) == 0) {
            CHECK(!place.node.kind && place.last == PX_LAST_NAME);
            CHECK(!fs_name_find(PX_FS_INO(place.directory), place.name, place.length));
        }
    }
}

/* ---- rules ----------------------------------------------------------------------------------------------------- */

static void chains_of_links(void)
{
    char name[16], target[16], path[600];
    uint32_t root = fs_meta()->root, file = make(root, "l0", S_IFREG | 0644, NULL);

    for (unsigned i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "l%u", i);
        snprintf(target, sizeof target, "l%u", i - 1);
        make(root, name, S_IFLNK | 0777, target);
    }
    CHECK(find_at("/l40", 0) == file && find_at("/l41", 0) == -ELOOP);
    make(root, "self", S_IFLNK | 0777, "self");
    CHECK(find_at("self", 0) == -ELOOP && find_at("self", PX_WALK_NOFOLLOW) > 0 &&
          find_at("self/", PX_WALK_NOFOLLOW) == -ELOOP);
    make(root, "dangling", S_IFLNK | 0777, "nowhere");
    CHECK(find_at("dangling", 0) == -ENOENT);
    memset(path, '.', sizeof path); /* a target that needs the large buffer, twice */
    for (unsigned i = 1; i < sizeof path; i += 2)
        path[i] = '/';
    path[sizeof path - 1] = '\0';
    make(root, "wide", S_IFLNK | 0777, path);
    make(root, "wider", S_IFLNK | 0777, "wide/wide");
    CHECK(find_at("wider/l0", 0) == file && find_at("wider/wider/wide/l3", 0) == file);
}

static void slashes_and_lengths(void)
{
    char path[PATH_MAX];
    uint32_t root = fs_meta()->root, file, folder = make(root, "d", S_IFDIR | 0755, NULL);
    struct px_place place;

    file = make(folder, "f", S_IFREG | 0644, NULL);
    make(root, "to", S_IFLNK | 0777, "d/");
    CHECK(find_at("/", 0) == root && find_at("//", 0) == root && find_at("/..", 0) == root &&
          find_at("/../../d/../d", 0) == folder);
    CHECK(find_at("d/f", 0) == file && find_at("d/f/", 0) == -ENOTDIR && find_at("d/f/.", 0) == -ENOTDIR &&
          find_at("d/f/x", 0) == -ENOTDIR);
    CHECK(find_at("d/f/..", 0) == -ENOTDIR && find_at("d//f", 0) == file && find_at("d/./f", 0) == file);
    CHECK(find_at("", 0) == -ENOENT && find_at("", PX_WALK_EMPTY) == root && find_at("to", 0) == folder);
    CHECK(find_at("to", PX_WALK_NOFOLLOW) != folder && find_at("to/", PX_WALK_NOFOLLOW) == folder &&
          find_at("to/f", PX_WALK_NOFOLLOW) == file);
    CHECK(find_at("d", PX_WALK_DIRECTORY) == folder && find_at("d/f", PX_WALK_DIRECTORY) == -ENOTDIR);
    memset(path, 'n', 256);
    path[256] = '\0';
    CHECK(find_at(path, 0) == -ENAMETOOLONG);
    path[255] = '\0';
    CHECK(find_at(path, 0) == -ENOENT);
    CHECK(px_find(AT_FDCWD, "d/new", PX_WALK_PARENT, NULL, &place) == 0 && !place.node.kind &&
          place.directory == fs_node_of(folder));
    CHECK(strcmp(place.name, "new") == 0 && !place.slash);
    CHECK(px_find(AT_FDCWD, "d/new//", PX_WALK_PARENT, NULL, &place) == 0 && place.slash);
    CHECK(px_find(AT_FDCWD, "no/new", PX_WALK_PARENT, NULL, &place) == -ENOENT);
    CHECK(px_find(AT_FDCWD, "d/..", PX_WALK_NAME, NULL, &place) == 0 && place.last == PX_LAST_DOTDOT);
    CHECK(px_find(AT_FDCWD, "/", PX_WALK_NAME, NULL, &place) == 0 && place.last == PX_LAST_ROOT);
    CHECK(px_find(2, "x", 0, NULL, &place) == -EBADF && px_find(2, "/d", 0, NULL, &place) == 0);
}

static void searching(void)
{
    const uint32_t group = 9;
    struct px_ids alice = {.uid = 1000, .gid = 1000},
                  bob = {.uid = 1001, .gid = 1001, .group_count = 1, .groups = &group};
    uint32_t root = fs_meta()->root, closed = make(root, "closed", S_IFDIR | 0750, NULL);
    struct px_place place;

    make(closed, "f", S_IFREG | 0644, NULL);
    fs_inode(closed)->uid = 1000;
    fs_inode(closed)->gid = 9;
    CHECK(px_find(AT_FDCWD, "closed/f", 0, &alice, &place) == 0 &&
          px_find(AT_FDCWD, "closed/f", 0, &bob, &place) == 0);
    bob.group_count = 0;
    CHECK(px_find(AT_FDCWD, "closed/f", 0, &bob, &place) == -EACCES &&
          px_find(AT_FDCWD, "closed", 0, &bob, &place) == 0);
    CHECK(px_find(AT_FDCWD, "closed/none", 0, &bob, &place) == -EACCES &&
          px_find(AT_FDCWD, "closed/..", 0, &bob, &place) == -EACCES);
    fs_inode(closed)->mode = S_IFDIR;
    CHECK(px_find(AT_FDCWD, "closed/f", 0, &alice, &place) == -EACCES &&
          px_find(AT_FDCWD, "closed/f", 0, NULL, &place) == 0);
}

static void into_proc(void)
{
    struct px_place place;
    uint32_t root = fs_meta()->root, etc = make(root, "etc", S_IFDIR | 0755, NULL);

    fs_mount_proc();
    make(etc, "mtab", S_IFLNK | 0777, "../proc/self/mounts");
    CHECK(px_find(AT_FDCWD, "/proc", 0, NULL, &place) == 0 && place.node.kind == PX_NODE_PROC &&
          place.node.ino == 77);
    CHECK(px_find(AT_FDCWD, "/proc/self/fd", 0, NULL, &place) == 0 && place.node.ino == 77 + 7);
    CHECK(px_find(AT_FDCWD, "etc/mtab", 0, NULL, &place) == 0 && place.node.ino == 77 + 11);
    CHECK(px_find(AT_FDCWD, "/proc/nothing", 0, NULL, &place) == -ENOENT);
    CHECK(find_at("/proc/..", 0) == root && find_at("/proc/../etc", 0) == etc &&
          find_at("/proc/self/../../etc/../proc/../etc", 0) == etc);
    CHECK(px_find(AT_FDCWD, "/proc/self/..", 0, NULL, &place) == 0 && place.node.kind == PX_NODE_PROC);
    memcpy(px_cwd.proc, "/proc", 6);
    px_cwd.ino = 0;
    CHECK(px_find(AT_FDCWD, "self", 0, NULL, &place) == 0 && place.node.kind == PX_NODE_PROC &&
          find_at("../etc", 0) == etc);
    CHECK(find_at("/etc", 0) == etc);
}

static void paths_of_inodes(void)
{
    char text[64];
    uint32_t root = fs_meta()->root, a = make(root, "a", S_IFDIR | 0755, NULL),
             b = make(a, "bb", S_IFDIR | 0755, NULL);
    uint32_t f = make(b, "file", S_IFREG | 0644, NULL), g = make(b, "gone", S_IFREG | 0644, NULL),
             k = make(root, "k", S_IFREG | 0644, NULL);
    struct fs_rename over = {.directory = {fs_node_of(root), fs_node_of(root)},
                             .text = {"over", "k"},
                             .bytes = {4, 1}};

    make(root, "over", S_IFREG | 0644, NULL);
    hazard_list[2] = k;

    CHECK(px_inode_path(f, fs_inode(f)->gen, true, text, sizeof text) == 10 && memcmp(text, "/a/bb/file", 10) == 0);
    CHECK(px_inode_path(fs_meta()->root, fs_inode(fs_meta()->root)->gen, true, text, sizeof text) == 1 &&
          text[0] == '/');
    CHECK(px_inode_path(f, fs_inode(f)->gen, true, text, 5) == -ERANGE &&
          px_inode_path(f, fs_inode(f)->gen + 1, true, text, sizeof text) == -ENOENT);
    hazard_list[0] = g;
    hazard_list[1] = b;
    CHECK(fs_unlink(&super, fs_node_of(b), "gone", 4, false) == 0);
    CHECK(px_inode_path(g, fs_inode(g)->gen, true, text, sizeof text) == 20 &&
          memcmp(text, "/a/bb/gone (deleted)", 20) == 0);
    CHECK(px_inode_path(g, fs_inode(g)->gen, false, text, sizeof text) == -ENOENT);
    CHECK(fs_rename(&super, &over) == 0);
    CHECK(fs_inode(k)->nlink == 0 && px_inode_path(k, fs_inode(k)->gen, true, text, sizeof text) == 12);
    CHECK(memcmp(text, "/k (deleted)", 12) == 0);
    px_root.ino = b;
    CHECK(px_inode_path(f, fs_inode(f)->gen, true, text, sizeof text) == 5 && memcmp(text, "/file", 5) == 0);
    CHECK(px_inode_path(a, fs_inode(a)->gen, true, text, sizeof text) == 2 && memcmp(text, "/a", 2) == 0); /* outside: from the root of all */
}

#define OVERFULL (PX_HAZARDS + 10)

static void holding(void)
{
    static struct px_node many[OVERFULL];
    uint32_t root = fs_meta()->root, ino = make(root, "f", S_IFREG | 0644, NULL);
    struct px_node node, one_more;
    const struct px_ppage *list = (const struct px_ppage *)fake_ppage;

    px_node_fill(&node, ino, fs_inode(ino));
    CHECK(list->hazard_count == 1 && list->hazard[0] == root);
    CHECK(px_node_hold(&node) == 0 && px_node_hold(&node) == 0 && list->hazard_count == 2 && list->hazard[1] == ino);
    px_node_drop(&node);
    CHECK(list->hazard[1] == ino);
    memset(fake_ppage, 0, sizeof fake_ppage);
    px_files_fork_child();
    CHECK(list->hazard_count == 2 && list->hazard[0] == root && list->hazard[1] == ino);
    px_node_drop(&node);
    CHECK(list->hazard[1] == 0 && list->hazard_count == 1);
    node.gen++;
    CHECK(px_node_hold(&node) == -ENOENT && list->hazard[1] == 0);
    /* More than the list has room for: it says then that it may be any, until those are dropped. */
    for (unsigned i = 0; i < OVERFULL; i++) {
        char name[16];

        snprintf(name, sizeof name, "h%u", i);
        ino = make(root, name, S_IFREG | 0644, NULL);
        px_node_fill(&many[i], ino, fs_inode(ino));
        CHECK(px_node_hold(&many[i]) == 0 && list->hazard_count == (i < PX_HAZARDS - 1 ? i + 2 : PX_HAZARDS_ANY));
    }
    memset(fake_ppage, 0, sizeof fake_ppage);
    px_files_fork_child();
    CHECK(list->hazard_count == PX_HAZARDS_ANY && list->hazard[PX_HAZARDS - 1] == many[PX_HAZARDS - 2].ino);
    one_more = many[OVERFULL - 1];
    CHECK(px_node_hold(&one_more) == 0);
    px_node_drop(&one_more);
    one_more.ino = many[0].ino + OVERFULL + 10;
    CHECK(px_node_hold(&one_more) == -ENOENT);
    for (unsigned i = 0; i < OVERFULL; i++) {
        CHECK(list->hazard_count == PX_HAZARDS_ANY);
        px_node_drop(&many[i]);
    }
    CHECK(list->hazard_count == 1);
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

struct dirent64 {
    uint64_t ino, next;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* Lists with buffers of random size; names come and go meanwhile. Those that stay are seen exactly once. */
static void list_while_changing(void)
{
    static unsigned seen[400];
    uint32_t folder = make(fs_meta()->root, "many", S_IFDIR | 0755, NULL);
    struct px_ofd *ofd = &fake_ofd[0];
    char name[64];
    unsigned dots = 0, fresh = 0;

    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "entry-%u%s", i, i % 7 ? "" : "-with-a-much-longer-name");
        make(folder, name, i % 5 ? S_IFREG | 0644 : S_IFDIR | 0755, NULL);
    }
    *ofd = (struct px_ofd){.kind = PX_OFD_DIRECTORY};
    px_node_fill(&ofd->node, folder, fs_inode(folder));
    CHECK(px_directory_ops.getdents(ofd, (px_user)program, 20, false) == -EINVAL);
    for (;;) {
        int64_t got = px_directory_ops.getdents(ofd, (px_user)program, 64 + below(3000), false);

        CHECK(got >= 0);
        if (got == 0)
            break;
        for (int64_t at = 0; at < got;) {
            struct dirent64 *entry = (struct dirent64 *)(program + at);
            unsigned number = 0;

            CHECK(entry->length >= 24 && entry->length % 8 == 0 && at + entry->length <= got);
            if (entry->name[0] == '.')
                dots++;
            else if (sscanf(entry->name, "entry-%u", &number) == 1 && number < 400)
                seen[number]++;
            at += entry->length;
        }
        for (unsigned i = 0; i < 3; i++) { /* odd entries go, new ones come */
            unsigned number = (unsigned)below(200) * 2 + 1;

            snprintf(name, sizeof name, "entry-%u%s", number, number % 7 ? "" : "-with-a-much-longer-name");
            if (fs_unlink(&super, fs_node_of(folder), name, (uint32_t)strlen(name), number % 5 == 0) == 0 &&
                seen[number] == 0)
                seen[number] = 1000;
            snprintf(name, sizeof name, "fresh-%u", fresh++);
            if (fresh < 500)
                make(folder, name, S_IFREG | 0644, NULL);
        }
    }
    CHECK(dots == 2);
    for (unsigned i = 0; i < 400; i++)
        CHECK(i % 2 ? seen[i] <= 1 || seen[i] == 1000 : seen[i] == 1);
}

/* ---- readers beside a writer ----------------------------------------------------------------------------------- */

static bool stop;

static void *write_names(void *unused)
{
    struct fs_rename rename = {.directory = {fs_node_of(directory[0]), fs_node_of(directory[1])},
                               .text = {"moves", "moves"},
                               .bytes = {5, 5}};
    char name[16];

    uint32_t made = 0;

    (void)unused;
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        uint64_t swap = rename.directory[0];

        fs_change_begin();
        CHECK(fs_rename(&super, &rename) == 0);
        fs_change_end();
        rename.directory[0] = rename.directory[1];
        rename.directory[1] = swap;
        snprintf(name, sizeof name, "n%u", i % 3000);
        if (i / 3000 % 2 == 0) {
            make(directory[1], name, S_IFREG | 0644, NULL);
        } else {
            fs_change_begin();
            (void)fs_unlink(&super, fs_node_of(directory[1]), name, (uint32_t)strlen(name), false);
            fs_change_end();
        }
        if (!made) {
            made = make(directory[1], "made", S_IFDIR | 0755, NULL);
            make(made, "in", S_IFREG | 0644, NULL);
        } else {
            fs_change_begin();
            CHECK(fs_unlink(&super, fs_node_of(made), "in", 2, false) == 0 && fs_unlink(&super, fs_node_of(directory[1]), "made", 4, true) == 0);
            fs_orphans_sweep();
            fs_change_end();
            made = 0;
        }
    }
    return NULL;
}

/* What a walk finds is what is there, when nothing changed meanwhile. */
static void find_made(void)
{
    uint32_t before, after;
    int64_t expected, status;

    do {
        unsigned links = 0;

        before = __atomic_load_n(&fs_meta()->seq, __ATOMIC_ACQUIRE);
        status = find_at("/right/made/in", 0);
        expected = resolve(fs_meta()->root, "/right/made/in", true, &links);
        after = __atomic_load_n(&fs_meta()->seq, __ATOMIC_ACQUIRE);
    } while (before % 2 || before != after);
    CHECK(status == expected);
}

static void beside_a_writer(void)
{
    pthread_t writer;
    uint32_t stays, moves;
    struct px_place place;
    unsigned found[2] = {0, 0};

    directory[0] = make(fs_meta()->root, "left", S_IFDIR | 0755, NULL);
    directory[1] = make(fs_meta()->root, "right", S_IFDIR | 0755, NULL);
    stays = make(directory[1], "stays", S_IFREG | 0644, NULL);
    moves = make(directory[0], "moves", S_IFDIR | 0755, NULL);
    make(moves, "inner", S_IFREG | 0644, NULL);
    make(directory[0], "link", S_IFLNK | 0777, "../right/./stays");
    stop = false;
    CHECK(pthread_create(&writer, NULL, write_names, NULL) == 0);
    /* At least so long that both places were seen, however the threads are scheduled. */
    for (unsigned i = 0; i < 20000 || ((!found[0] || !found[1]) && i < 10000000); i++) {
        char text[64];
        int64_t status, length;

        CHECK(px_find(AT_FDCWD, i % 2 ? "/right/stays" : "left/link", 0, NULL, &place) == 0 &&
              place.node.ino == stays);
        status = px_find(AT_FDCWD, i % 2 ? "/left/moves/inner" : "/right/../right/moves/inner", 0, NULL, &place);
        if (status != 0 && status != -ENOENT)
            fprintf(stderr, "status %lld\n", (long long)status);
        CHECK(status == 0 || status == -ENOENT);
        if (i % 8 == 0)
            find_made();
        found[i % 2] += status == 0;
        length = px_inode_path(moves, fs_inode(moves)->gen, true, text, sizeof text);
        CHECK((length == 11 && memcmp(text, "/left/moves", 11) == 0) ||
              (length == 12 && memcmp(text, "/right/moves", 12) == 0));
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    CHECK(pthread_join(writer, NULL) == 0);
    CHECK(found[0] > 0 && found[1] > 0);
    check_all();
}

int main(void)
{
    void (*const cases[])(void) = {chains_of_links, slashes_and_lengths, searching,      into_proc, paths_of_inodes,
                                   holding,         list_while_changing, beside_a_writer};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_process(AREA_PAGES);
        cases[i]();
    }
    for (unsigned round = 1; round <= 15; round++) {
        random_start(round);
        start_process(AREA_PAGES);
        random_tree();
        compare_walks();
    }
    return 0;
}
