/*
 * The directory that the last walk came through, where the next one begins: rules one by one, and random walks while directories move.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/serve.c
 */
#include "files_walk.h"

static void move(uint32_t from, const char *old, uint32_t to, const char *new, uint32_t flags)
{
    const struct fs_rename rename = {.directory = {fs_node_of(from), fs_node_of(to)},
                                     .text = {old, new},
                                     .bytes = {(uint32_t)strlen(old), (uint32_t)strlen(new)},
                                     .flags = flags};

    CHECK(fs_rename(&super, &rename) == 0);
}

static void set_mode(uint32_t ino, uint32_t mode)
{
    const struct px_fs_attributes attributes = {.what = PX_ATTRIBUTE_MODE, .mode = mode};

    CHECK(fs_setattr(&super, fs_node_of(ino), &attributes) == 0);
}

static int64_t find_as(const struct px_ids *ids, const char *path)
{
    struct px_place place;
    int64_t status = px_find(AT_FDCWD, path, 0, ids, &place);

    return status < 0 ? status : (int64_t)place.node.ino;
}

/* The directory that the last walk came through is where the next one begins, as long as it would come there again. */
static void passed_before(void)
{
    static const char wide[] = "/a/a-name-that-alone-is-longer-than-what-is-kept-of-paths";
    const struct px_ids alice = {.uid = 1000, .gid = 1000};
    uint32_t root = fs_meta()->root, a = make(root, "a", S_IFDIR | 0755, NULL), b = make(a, "b", S_IFDIR | 0755, NULL);
    uint32_t f = make(b, "f", S_IFREG | 0644, NULL), long_one = make(a, wide + 3, S_IFDIR | 0755, NULL);
    uint32_t first = b, g, other, closed;
    char path[128];

    CHECK(find_at("/a/b/f", 0) == f && find_at("/a/b/f", 0) == f && find_at("/a/b/g", 0) == -ENOENT && find_at("/a/bb/f", 0) == -ENOENT);
    g = make(b, "g", S_IFREG | 0644, NULL);
    CHECK(find_at("/a/b/g", 0) == g && find_at("a/b/g", 0) == g && find_at("/a//b/g", 0) == g && find_at("/a/b", 0) == b && find_at("/a/b/", 0) == b);
    move(a, "b", a, "c", 0);
    CHECK(find_at("/a/b/f", 0) == -ENOENT && find_at("/a/c/f", 0) == f);
    b = make(a, "b", S_IFDIR | 0755, NULL);
    other = make(b, "f", S_IFREG | 0644, NULL);
    CHECK(find_at("/a/c/f", 0) == f && find_at("/a/b/f", 0) == other);
    move(a, "b", a, "c", RENAME_EXCHANGE);
    CHECK(find_at("/a/b/f", 0) == f && find_at("/a/c/f", 0) == other);
    CHECK(fs_unlink(&super, fs_node_of(b), "f", 1, false) == 0 && find_at("/a/c/f", 0) == -ENOENT);
    CHECK(fs_unlink(&super, fs_node_of(a), "c", 1, true) == 0 && find_at("/a/c/f", 0) == -ENOENT);
    make(a, "c", S_IFLNK | 0777, "b"); /* of the same name */
    CHECK(find_at("/a/c/f", 0) == f);
    /* Who may search what was passed: asked again, and not what another was asked. */
    CHECK(find_as(&alice, "/a/b/f") == f && find_as(&alice, "/a/b/g") == g);
    set_mode(a, 0700);
    CHECK(find_as(&alice, "/a/b/f") == -EACCES && find_at("/a/b/f", 0) == f && find_as(&alice, "/a/b/f") == -EACCES);
    set_mode(a, 0711);
    CHECK(find_as(&alice, "/a/b/f") == f);
    set_mode(first, 0700);
    CHECK(find_as(&alice, "/a/b/f") == -EACCES && find_at("/a/b/f", 0) == f);
    closed = make(root, "closed", S_IFDIR | 0700, NULL);
    other = make(make(closed, "in", S_IFDIR | 0755, NULL), "f", S_IFREG | 0644, NULL);
    CHECK(find_at("/closed/in/f", 0) == other && find_at("/closed/in/f", 0) == other && find_as(&alice, "/closed/in/f") == -EACCES);
    set_mode(closed, 0755);
    set_mode(first, 0755);
    set_mode(a, 0755);
    /* Another root, another current directory. */
    CHECK(find_at("/a/b/f", 0) == f && find_at("a/b/f", 0) == f);
    px_root.ino = closed;
    CHECK(find_at("/a/b/f", 0) == -ENOENT && find_at("a/b/f", 0) == f && find_at("/in/f", 0) == other);
    px_root.ino = root;
    px_cwd.ino = closed;
    CHECK(find_at("a/b/f", 0) == -ENOENT && find_at("in/f", 0) == other && find_at("/a/b/f", 0) == f);
    px_cwd.ino = root;
    /* What a look read that did not hold is not kept: here a name leads elsewhere for a moment. */
    {
        const struct px_ids ids = {0};
        const struct px_walk_from from = {root, root, &ids};
        struct px_name *name = fs_name_find(root, "closed", 6);
        struct quick_end end;

        name->inode = a;
        CHECK(walk_quick(&from, &fs_region, "/closed/b/f", false, &end) == 0 && end.ino == f);
        name->inode = closed;
        CHECK(find_at("/closed/b/f", 0) == -ENOENT && find_at("/closed/in/f", 0) == other);
    }
    /* What is too long to be kept. */
    f = make(long_one, "f", S_IFREG | 0644, NULL);
    snprintf(path, sizeof path, "%s/f", wide);
    CHECK(find_at(path, 0) == f && find_at(path, 0) == f);
    move(a, wide + 3, root, "short", 0);
    CHECK(find_at(path, 0) == -ENOENT && find_at("/short/f", 0) == f);
}

/* Directories move between walks of random paths. */
static void while_directories_move(void)
{
    for (unsigned i = 0; i < 3000; i++) {
        char path[400];
        unsigned links = 0;
        struct px_place place;
        uint32_t start = directory[below(directories)], from = directory[below(directories)], to = directory[below(directories)];
        const char old[] = {(char)('a' + below(6)), 0}, new[] = {(char)('a' + below(6)), 0};
        const struct fs_rename rename = {.directory = {fs_node_of(from), fs_node_of(to)}, .text = {old, new}, .bytes = {1, 1},
                                         .flags = below(2) ? RENAME_EXCHANGE : RENAME_NOREPLACE};
        int64_t expected, status;

        if (below(4) == 0)
            (void)fs_rename(&super, &rename);
        random_path(path, sizeof path, 5);
        expected = resolve(start, path, true, &links);
        for (unsigned again = 0; again < 2; again++) {
            status = walk(start, path, 0, &place);
            CHECK(expected < 0 ? status == expected : status == 0 && place.node.ino == (uint64_t)expected);
        }
    }
}

int main(void)
{
    start_process(AREA_PAGES);
    passed_before();
    for (unsigned round = 1; round <= 15; round++) {
        random_start(round);
        start_process(AREA_PAGES);
        random_tree();
        while_directories_move();
    }
    return 0;
}
