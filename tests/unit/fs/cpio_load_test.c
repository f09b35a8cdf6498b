/*
 * The boot archive: a good one entry by entry (aligned data adopted, unaligned copied, links, devices, replaced
 * entries, missing parents), then the same archive damaged in thousands of ways: whatever it says, nothing outside it
 * is read and the file system makes sense.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/cpio.c
 */
#include "fake.h"

static const struct fs_caller super = {.client = &seed};
static uint8_t archive[ARCHIVE_PAGES * FS_PAGE];
static size_t archive_bytes;
static uint32_t number;

static void put(const void *bytes, size_t count)
{
    CHECK(archive_bytes + count <= sizeof archive);
    if (count)
        memcpy(archive + archive_bytes, bytes, count);
    archive_bytes += count;
}

static void pad_to(size_t boundary)
{
    while (archive_bytes % boundary)
        put("", 1);
}

struct file {
    const char *path;
    uint32_t mode, links, ino, mtime, major, minor;
    const void *data;
    size_t bytes;
    bool aligned;
};

static void add(struct file file)
{
    char header[128];
    size_t name = strlen(file.path) + 1, padded = name;

    if (file.aligned)
        padded += (size_t)(-(long)(archive_bytes + 110 + name) & 4095);
    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X",
             file.ino ? file.ino : ++number + 1000, file.mode, 3, 4, file.links ? file.links : 1, file.mtime,
             file.bytes, 0, 0, file.major, file.minor, padded, 0);
    put(header, 110);
    put(file.path, name);
    for (size_t i = name; i < padded; i++)
        put("", 1);
    pad_to(4);
    put(file.data, file.bytes);
    pad_to(4);
}

static uint8_t big[20000];

static void make_archive(void)
{
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    archive_bytes = 0;
    memset(archive, 0, sizeof archive);
    add((struct file){.path = "exo/fs", .mode = S_IFREG | 0755, .data = big, .bytes = 5000, .aligned = true});
    add((struct file){.path = ".", .mode = S_IFDIR | 0711});
    add((struct file){.path = "bin", .mode = S_IFDIR | 0755, .mtime = 12345});
    add((struct file){
        .path = "bin/big", .mode = S_IFREG | 04755, .data = big, .bytes = sizeof big, .aligned = true, .mtime = 99});
    add((struct file){.path = "etc/deep/er/unaligned", .mode = S_IFREG | 0600, .data = big + 1, .bytes = 9999});
    add((struct file){.path = "/./bin/link", .mode = S_IFLNK | 0777, .data = "big", .bytes = 3});
    add((struct file){.path = "longlink", .mode = S_IFLNK | 0777, .data = big, .bytes = 300});
    add((struct file){.path = "dev/null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3});
    add((struct file){.path = "one", .mode = S_IFREG | 0644, .ino = 5, .links = 2});
    add((struct file){.path = "two", .mode = S_IFREG | 0644, .ino = 5, .links = 2, .data = "shared", .bytes = 6});
    add((struct file){.path = "bin/old", .mode = S_IFREG | 0644, .data = big, .bytes = 4500, .aligned = true});
    add((struct file){.path = "bin/old", .mode = S_IFREG | 0640, .data = "new", .bytes = 3});
    add((struct file){.path = "empty", .mode = S_IFREG | 0644});
    add((struct file){.path = "bin/big/below", .mode = S_IFREG | 0644, .data = "x", .bytes = 1});
    add((struct file){.path = "../escape", .mode = S_IFREG | 0644, .data = "x", .bytes = 1});
    add((struct file){.path = "fifo", .mode = S_IFIFO | 0644});
    add((struct file){.path = "TRAILER!!!"});
}

static struct px_inode *find(const char *path)
{
    uint32_t at = fs_meta()->root;

    while (*path) {
        size_t length = (size_t)((strchr(path, 0x2f) ? strchr(path, 0x2f) : path + strlen(path)) - path);
        struct px_name *name = fs_name_find(at, path, (uint32_t)length);

        if (!name)
            return NULL;
        at = name->inode;
        path += length + (path[length] == '/');
    }
    return fs_inode(at);
}

static bool has(const struct px_inode *inode, const uint8_t *data, size_t bytes)
{
    static uint8_t page[FS_PAGE];

    if (!inode || inode->size != bytes || inode->pages != (bytes + FS_PAGE - 1) / FS_PAGE)
        return false;
    for (size_t at = 0; at < bytes; at += FS_PAGE) {
        size_t part = bytes - at < FS_PAGE ? bytes - at : FS_PAGE;

        memset(page, 0, sizeof page); /* what follows the end must be zero */
        memcpy(page, data + at, part);
        if (memcmp(fs_page(fs_map_get(inode, at / FS_PAGE)), page, FS_PAGE) != 0)
            return false;
    }
    return true;
}

static int64_t load(size_t bytes)
{
    start_over(AREA_PAGES);
    memcpy(memory, archive, sizeof archive);
    return fs_load_archive(memory, bytes, used_pages);
}

static void good(void)
{
    struct px_inode *inode;

    make_archive();
    CHECK(load(archive_bytes) >= 11);
    check_all();
    CHECK(!find("exo") && !find("exo/fs") && !find("escape"));
    CHECK((fs_inode(fs_meta()->root)->mode & 07777) == 0711);
    inode = find("bin/big");
    CHECK(has(inode, big, sizeof big) && (inode->mode & 07777) == 04755 && inode->uid == 3 && inode->gid == 4);
    CHECK(inode->mtime == PX_TIME(99, 0) && inode->atime > inode->mtime);
    CHECK(fs_map_get(inode, 0) <= ARCHIVE_PAGES); /* adopted */
    CHECK(has(find("etc/deep/er/unaligned"), big + 1, 9999));
    CHECK(find("etc/deep/er/unaligned") && fs_map_get(find("etc/deep/er/unaligned"), 0) > ARCHIVE_PAGES);
    inode = find("bin/link");
    CHECK(inode && S_ISLNK(inode->mode) && inode->size == 3 && memcmp(fs_link_text(inode), "big", 3) == 0);
    inode = find("longlink");
    CHECK(inode && inode->size == 300 && memcmp(fs_link_text(inode), big, 300) == 0);
    inode = find("dev/null");
    CHECK(inode && S_ISCHR(inode->mode) && inode->rdev == PX_MAKEDEV(1, 3));
    CHECK(find("one") && find("one") == find("two") && find("one")->nlink == 2 &&
          has(find("one"), (const uint8_t *)"shared", 6));
    CHECK(has(find("bin/old"), (const uint8_t *)"new", 3) && (find("bin/old")->mode & 07777) == 0640);
    CHECK(find("empty") && find("empty")->size == 0 && find("fifo") && S_ISFIFO(find("fifo")->mode));
    for (uint64_t i = 0; i < ARCHIVE_PAGES; i++) /* what no file uses was given back */
        CHECK(page_state[i] == page_owner[i + 1]);
    fs_mount_proc();
    CHECK(find("proc") && find("proc")->flags & PX_INODE_PROCFS);
    CHECK(fs_unlink(&super, fs_node_of(fs_meta()->root), "proc", 4, true) == -EBUSY);
    CHECK(fs_unlink(&super, fs_node_of(fs_meta()->root), "one", 3, false) == 0 &&
          has(find("two"), (const uint8_t *)"shared", 6));
    check_all();
}

static void truncated(void)
{
    make_archive();
    for (size_t bytes = 0; bytes < archive_bytes; bytes += 1 + bytes / 50) {
        int64_t status = load(bytes);

        CHECK(status == -EINVAL); /* no trailer */
        check_all();
    }
}

/* Bytes changed, fields set to extreme values, the tail of the archive moved right to the end of its pages. */
static void damaged(void)
{
    static const char *const extreme[] = {"FFFFFFFF", "7FFFFFFF", "80000000", "00000000", "00001000",
                                          "000000FF", "0000000Z", "0000A000", "00004000"};

    for (unsigned round = 0; round < 4000; round++) {
        size_t bytes;

        make_archive();
        random_start(round + 1);
        for (unsigned changes = 1 + (unsigned)below(4); changes > 0; changes--) {
            size_t at = below(archive_bytes - 120);

            while (memcmp(archive + at, "070701", 6) != 0 && at + 120 < archive_bytes)
                at++;
            if (below(3) == 0)
                archive[below(archive_bytes)] = (uint8_t)below(256);
            else if (at + 120 < archive_bytes)
                memcpy(archive + at + 6 + 8 * below(13), extreme[below(sizeof extreme / sizeof extreme[0])], 8);
        }
        bytes = below(8) ? archive_bytes : sizeof archive;
        (void)load(bytes);
        check_all();
    }
}

static void no_memory(void)
{
    for (long refusal = 0;; refusal++) {
        int64_t status;

        make_archive();
        start_over(AREA_PAGES);
        memcpy(memory, archive, sizeof archive);
        fail_after = refusal;
        status = fs_load_archive(memory, archive_bytes, used_pages);
        if (fail_after >= 0) { /* it never came to that */
            fail_after = -1;
            CHECK(status > 0 && refusal > 0);
            break;
        }
        fail_after = -1;
        CHECK(status == -ENOSPC || status >= 0);
        check_all();
    }
}

int main(void)
{
    good();
    truncated();
    damaged();
    no_memory();
    return 0;
}
