/*
 * What labels say about files: who may change what, and the shares of memory and inodes.
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c
 */
#include <exo/label.h>

#include "fake.h"

static const struct fs_caller user = {.label = EXO_LABEL_USER}, guest = {.label = EXO_LABEL_GUEST}; /* both root */
static uint32_t public; /* a directory that everybody may write to */

static int64_t create_in(const struct fs_caller *caller, uint32_t directory, uint32_t mode, const char *name, uint32_t *ino)
{
    const struct fs_new new = {.mode = mode, .name = name, .name_bytes = (uint32_t)strlen(name), .target = "x", .target_bytes = S_ISLNK(mode)};

    return fs_create(caller, fs_node_of(directory), &new, ino);
}

static void start(void)
{
    start_over(400);
    CHECK(create_in(&user, fs_meta()->root, S_IFDIR | 01777, "tmp", &public) == 0);
}

static int64_t rename_in(const struct fs_caller *caller, const char *from, const char *to)
{
    const struct fs_rename rename = {.directory = {fs_node_of(public), fs_node_of(public)}, .text = {from, to},
                                     .bytes = {(uint32_t)strlen(from), (uint32_t)strlen(to)}};

    return fs_rename(caller, &rename);
}

static void test_who_may_change(void)
{
    struct px_fs_attributes mode = {.what = PX_ATTRIBUTE_MODE, .mode = 0600}, now = {.what = PX_ATTRIBUTE_MTIME_NOW | PX_ATTRIBUTE_ATIME_NOW};
    uint32_t theirs, mine, found;
    uint64_t token;

    start();
    CHECK(create_in(&guest, fs_meta()->root, S_IFREG | 0644, "new", &found) == -EACCES);
    CHECK(create_in(&user, public, S_IFREG | 0666, "theirs", &theirs) == 0);
    CHECK(create_in(&guest, public, S_IFREG | 0600, "mine", &mine) == 0);
    CHECK(PX_INODE_LABEL(fs_inode(theirs)->flags) == EXO_LABEL_USER && PX_INODE_LABEL(fs_inode(mine)->flags) == EXO_LABEL_GUEST);
    CHECK(fs_open(&guest, fs_node_of(theirs), 4, false, &token) == 0);
    CHECK(fs_open(&guest, fs_node_of(theirs), 2, false, &token) == -EACCES);
    CHECK(fs_open(&guest, fs_node_of(theirs), 4, true, &token) == -EACCES);
    CHECK(fs_open(&user, fs_node_of(mine), 6, true, &token) == 0);
    CHECK(fs_setattr(&guest, fs_node_of(theirs), &mode) == -EPERM && fs_setattr(&guest, fs_node_of(theirs), &now) == -EPERM);
    CHECK(fs_setattr(&guest, fs_node_of(public), &mode) == -EPERM);
    CHECK(fs_setattr(&guest, fs_node_of(mine), &mode) == 0 && fs_setattr(&user, fs_node_of(mine), &mode) == 0);
    CHECK(fs_unlink(&guest, fs_node_of(public), "theirs", 6, false) == -EPERM);
    CHECK(rename_in(&guest, "mine", "theirs") == -EPERM && rename_in(&guest, "theirs", "stolen") == -EPERM);
    CHECK(rename_in(&guest, "mine", "still-mine") == 0 && rename_in(&user, "still-mine", "mine") == 0);
    CHECK(fs_link(&guest, fs_node_of(theirs), fs_node_of(public), "link", 4) == -EPERM);
    CHECK(fs_unlink(&user, fs_node_of(public), "mine", 4, false) == 0);
    CHECK(fs_setattr(&user, fs_node_of(public), &mode) == 0); /* now it is everybody's no more, nor root's in a lower zone */
    CHECK(create_in(&guest, public, S_IFREG | 0600, "late", &found) == -EACCES);
    check_all();
}

/* What is written to a device file does not change the file; reading a FIFO does change it. */
static void test_devices_and_fifos(void)
{
    uint32_t device, fifo;

    start();
    CHECK(create_in(&user, public, S_IFCHR | 0666, "null", &device) == 0 && create_in(&user, public, S_IFIFO | 0666, "fifo", &fifo) == 0);
    CHECK(fs_may(&guest, fs_inode(device), 6) && !fs_owns(&guest, fs_inode(device)));
    CHECK(!fs_may(&guest, fs_inode(fifo), 4) && !fs_may(&guest, fs_inode(fifo), 2) && fs_may(&user, fs_inode(fifo), 6));
    check_all();
}

static void test_shares(void)
{
    uint64_t token, at;
    uint32_t ino, other, made = 0;
    static char data[FS_PAGE];
    int64_t wrote = 0;
    char name[16];

    start();
    CHECK(create_in(&guest, public, S_IFREG | 0600, "big", &ino) == 0);
    CHECK(fs_open(&guest, fs_node_of(ino), 6, false, &token) == 0);
    for (uint64_t offset = 0; wrote >= 0; offset += (uint64_t)wrote)
        wrote = fs_write(&guest, fs_node_of(ino), offset, data, sizeof data, token, &at);
    CHECK(wrote == -ENOSPC && fs_inode(ino)->pages == 100); /* a quarter */
    CHECK(create_in(&user, public, S_IFREG | 0600, "user", &other) == 0 && fs_open(&user, fs_node_of(other), 6, false, &token) == 0);
    CHECK(fs_write(&user, fs_node_of(other), 0, data, sizeof data, token, &at) == (int64_t)sizeof data);
    CHECK(fs_truncate(&guest, fs_node_of(ino), 0, 0) == 0);
    CHECK(fs_write(&guest, fs_node_of(ino), 0, data, sizeof data, 0, &at) == (int64_t)sizeof data); /* it has it back */
    for (uint32_t links = 1; links < 16; links++) {
        snprintf(name, sizeof name, "link%u", links);
        CHECK(fs_link(&guest, fs_node_of(ino), fs_node_of(public), name, (uint32_t)strlen(name)) == 0);
    }
    CHECK(fs_link(&guest, fs_node_of(ino), fs_node_of(public), "one-more", 8) == -EMLINK);
    for (;; made++) {
        snprintf(name, sizeof name, "f%u", made);
        if (create_in(&guest, public, S_IFREG | 0600, name, &other) < 0)
            break;
    }
    CHECK(made == 4095);
    CHECK(create_in(&user, public, S_IFREG | 0600, "mine", &other) == 0);
    CHECK(fs_unlink(&guest, fs_node_of(public), "f0", 2, false) == 0);
    fs_orphans_sweep(); /* as fs_serve does when there is no room */
    CHECK(create_in(&guest, public, S_IFREG | 0600, "f0", &other) == 0);
    check_all();
}

int main(void)
{
    test_who_may_change();
    test_devices_and_fifos();
    test_shares();
    puts("1..1\nok 1 - labels of files");
    return 0;
}
