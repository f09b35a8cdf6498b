/*
 * Files as a program sees them: random reads, writes, appends, truncations, holes and mappings through the libOS and
 * the server against an array of bytes, with another client changing the file in between, and with memory that runs
 * out.
 *
 * unit-sources: servers/fs/region.c servers/fs/inode.c servers/fs/name.c servers/fs/orphan.c servers/fs/access.c servers/fs/label.c
 * unit-sources: servers/fs/data.c servers/fs/map.c servers/fs/busy.c servers/fs/file.c servers/fs/tail.c servers/fs/seal.c servers/fs/create.c
 * unit-sources: servers/fs/remove.c servers/fs/rename.c servers/fs/attribute.c servers/fs/serve.c
 */
#include "files_fake.h"

#define find window_find
#define take window_take
#include "fs/window.c"
#include "fs/tail.c"
#undef find
#undef take
#define clear file_clear
#include "fs/file.c"
#include "fs/size.c"

#define MODEL_BYTES (3ul << 20)
static uint8_t model[MODEL_BYTES];
static uint64_t model_size;
static struct px_ofd *ofd = &fake_ofd[0];

static void open_file(unsigned flags)
{
    struct fs_new new = {.mode = S_IFREG | 0644, .name = "f", .name_bytes = 1};
    uint32_t ino;

    CHECK(fs_create(&super, fs_node_of(fs_meta()->root), &new, &ino) == 0);
    *ofd = (struct px_ofd){.kind = PX_OFD_FILE, .holders = 1, .flags = O_RDWR | flags};
    px_node_fill(&ofd->node, ino, fs_inode(ino));
    CHECK(px_node_hold(&ofd->node) == 0);
    px_window_forget(ino);
    px_tail_fork_child();
    memset(model, 0, sizeof model);
    model_size = 0;
}

static uint64_t node(void)
{
    return PX_FS_NODE(ofd->node.ino, ofd->node.gen);
}

static void check_read(uint64_t offset, uint64_t bytes)
{
    uint64_t at = offset, want = offset >= model_size ? 0 : bytes < model_size - offset ? bytes : model_size - offset;
    int64_t got;

    memset(program, 0xee, bytes + 1);
    got = px_file_ops.read(ofd, (px_user)program, bytes, &at);
    CHECK(got == (int64_t)want && at == offset + want);
    CHECK(memcmp(program, model + offset, want) == 0 && program[bytes] == 0xee);
}

static uint64_t some_offset(void)
{
    switch (below(4)) {
    case 0: return model_size;
    case 1: return below(MODEL_BYTES / 2);
    case 2: return below(model_size + 1) & ~4095ull;
    default: return below(model_size + 1);
    }
}

static uint64_t some_length(void)
{
    switch (below(5)) {
    case 0: return 1 + below(200);
    case 1: return 4096 * (1 + below(4));
    case 2: return 1 + below(200000);
    default: return 1 + below(6000);
    }
}

static void fill_program(uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t word = random_number();

        memcpy(program + i, &word, 8);
    }
}

/* What a write did: `done` bytes from `source` on. */
static void model_write(uint64_t offset, const uint8_t *source, int64_t done)
{
    if (done <= 0)
        return;
    memcpy(model + offset, source, (uint64_t)done);
    if (model_size < offset + (uint64_t)done)
        model_size = offset + (uint64_t)done;
}

static void do_write(bool short_of_memory)
{
    uint64_t offset = some_offset(), bytes = some_length(), at;
    int64_t done;

    if (offset + bytes > MODEL_BYTES)
        return;
    fill_program(bytes);
    at = offset;
    done = px_file_ops.write(ofd, (px_user)program, bytes, &at);
    CHECK(done == (int64_t)bytes || (short_of_memory && (done == -ENOSPC || (done > 0 && done < (int64_t)bytes))));
    CHECK(at == offset + (done > 0 ? (uint64_t)done : 0));
    model_write(offset, program, done);
}

static void do_append(bool short_of_memory)
{
    uint64_t bytes = some_length(), at = below(100000), size = model_size;
    int64_t done;

    if (size + bytes > MODEL_BYTES)
        return;
    fill_program(bytes);
    ofd->flags |= O_APPEND;
    done = px_file_ops.write(ofd, (px_user)program, bytes, &at);
    ofd->flags &= ~(unsigned)O_APPEND;
    CHECK(done == (int64_t)bytes || (short_of_memory && (done == -ENOSPC || (done > 0 && done < (int64_t)bytes))));
    model_write(size, program, done);
    if (done > 0)
        CHECK(at == size + (uint64_t)done);
}

static void model_truncate(uint64_t size)
{
    if (size < model_size)
        memset(model + size, 0, model_size - size);
    model_size = size;
}

/* Again and again at the end: a tail begins (tail.c). */
static void do_lines(bool short_of_memory)
{
    uint64_t most = 1 + below(5000), at = model_size;
    bool append = below(2);

    ofd->flags |= append ? O_APPEND : 0;
    for (uint64_t left = below(60); left > 0 && model_size + most <= MODEL_BYTES; left--) {
        uint64_t bytes = 1 + below(most), place = append ? 0 : at;
        int64_t done;

        fill_program(bytes);
        done = px_file_ops.write(ofd, (px_user)program, bytes, &place);
        CHECK(done == (int64_t)bytes || (short_of_memory && (done == -ENOSPC || (done > 0 && done < (int64_t)bytes))));
        model_write(model_size, program, done);
        if (done > 0)
            CHECK(place == model_size);
        at = model_size;
        if (below(20) == 0)
            check_read(below(model_size + 1), 1 + below(5000));
    }
    ofd->flags &= ~(unsigned)O_APPEND;
}

/* As this process sees it, or as anybody does, for whom fs looks. */
static uint64_t size_now(void)
{
    return below(4) ? px_inode_size(px_held_inode(&ofd->node)) : fs_node(node())->size;
}

static void do_truncate(void)
{
    uint64_t size = below(2) ? below(MODEL_BYTES) : below(model_size + 1);

    CHECK(px_file_ops.truncate(ofd, size) == 0);
    model_truncate(size);
}

/* Somebody else, of whom this process knows nothing. */
static void do_stranger(void)
{
    uint64_t offset = below(model_size + 1), size = below(model_size + 1), at;
    uint8_t data[4096];
    int64_t done;

    fs_change_begin();
    if (below(3)) {
        memset(data, (int)below(256), sizeof data);
        done = fs_write(&super, node(), offset, data, 1 + below(4096), 0, &at);
        fs_change_end();
        if (done > 0 && offset + (uint64_t)done <= MODEL_BYTES)
            model_write(offset, data, done);
        else if (done > 0)
            abort();
    } else {
        CHECK(fs_truncate(&super, node(), size, 0) == 0);
        fs_change_end();
        model_truncate(size);
    }
}

static void do_punch(void)
{
    uint64_t offset = below(model_size + 1), bytes = 1 + below(50000);

    CHECK(px_fs_call(PX_FS_PUNCH, node(), offset, bytes, 0, NULL) == 0);
    if (offset < model_size)
        memset(model + offset, 0, bytes < model_size - offset ? bytes : model_size - offset);
}

static bool all_zero(uint64_t from, uint64_t to)
{
    while (from < to && !model[from])
        from++;
    return from >= to;
}

static void do_seek(void)
{
    int64_t at = (int64_t)below(model_size + 2), data = px_file_ops.seek(ofd, at, SEEK_DATA),
            hole = px_file_ops.seek(ofd, at, SEEK_HOLE);

    if ((uint64_t)at >= model_size) {
        CHECK(data == -ENXIO && hole == -ENXIO);
        return;
    }
    CHECK(hole >= at && hole <= (int64_t)model_size);
    CHECK(data == -ENXIO ? all_zero((uint64_t)at, model_size) : data >= at && all_zero((uint64_t)at, (uint64_t)data));
}

/* A private mapping sees the file and keeps its own writes. */
static void do_map(void)
{
    static uint8_t *va;
    uint64_t pages = PX_PAGES_UP(model_size), first = pages ? below(pages) : 0, count = 1 + below(300), shown;

    if (!va)
        va = mmap(NULL, 512 * FS_PAGE, 0, HOST_MAP_PRIVATE | 0x20, -1, 0);
    CHECK(exo_mem_unmap(1, (uint64_t)va, 512) > 0);
    CHECK(px_file_ops.map(ofd, first, count, (uint64_t)va, 3, MAP_PRIVATE) == 0);
    if (first >= pages)
        return;
    shown = (count < pages - first ? count : pages - first) * FS_PAGE;
    if (first * FS_PAGE + shown > model_size)
        shown = model_size - first * FS_PAGE;
    CHECK(memcmp(va, model + first * FS_PAGE, shown) == 0);
    memset(va, 0xab, shown);
    check_read(first * FS_PAGE, shown < PROGRAM_BYTES / 2 ? shown : PROGRAM_BYTES / 2);
}

static void random_operations(unsigned count, bool short_of_memory)
{
    for (unsigned i = 0; i < count; i++) {
        switch (below(short_of_memory ? 9 : 12)) {
        case 0:
        case 1:
        case 2: do_write(short_of_memory); break;
        case 3: do_append(short_of_memory); break;
        case 4: do_truncate(); break;
        case 5: do_punch(); break;
        case 6:
        case 7: check_read(some_offset(), some_length()); break;
        case 8: do_lines(short_of_memory); break;
        case 9: do_stranger(); break;
        case 10: do_map(); break;
        default: do_seek();
        }
        if (size_now() != model_size) {
            fprintf(stderr, "size %llu, expected %llu (seed %llu, step %u)\n",
                    (unsigned long long)fs_inode((uint32_t)ofd->node.ino)->size, (unsigned long long)model_size, seed, i);
            abort();
        }
        if (i % 50 == 0) {
            CHECK(fs_node(node())->size == model_size);
            check_all();
            check_read(0, PROGRAM_BYTES - 8);
        }
    }
    CHECK(fs_node(node())->size == model_size);
    check_all();
    check_read(0, PROGRAM_BYTES - 8);
}

/* ---- cases ----------------------------------------------------------------------------------------------------- */

/* How many messages things cost: the design's promises. */
static void messages(void)
{
    uint64_t at = 0, before;

    open_file(0);
    fill_program(65536);
    CHECK(px_file_ops.write(ofd, (px_user)program, 65536, &at) == 65536);
    before = calls_made;
    for (unsigned i = 0; i < 100; i++) {
        at = i;
        CHECK(px_file_ops.read(ofd, (px_user)program, 1, &at) == 1);
    }
    CHECK(calls_made - before <= 1); /* the access time, at most */
    before = calls_made;
    at = 65536;
    for (unsigned i = 0; i < 100; i++)
        CHECK(px_file_ops.write(ofd, (px_user)program, 100, &at) == 100);
    CHECK(calls_made - before <= BEGIN_AFTER + 6); /* until there is a tail, and for pages */
    before = calls_made;
    for (unsigned i = 0; i < 64; i++)
        CHECK(px_file_ops.write(ofd, (px_user)program, 16384, &at) == 16384);
    CHECK(calls_made - before <= 24); /* room in steps that grow */
}

static void bad_memory(void)
{
    uint64_t at = 0;
    px_user end = (px_user)program + PROGRAM_BYTES;

    open_file(0);
    CHECK(px_file_ops.write(ofd, end, 5000, &at) == -EFAULT && at == 0);
    CHECK(px_file_ops.write(ofd, 8, 100, &at) == -EFAULT);
    ofd->flags |= O_APPEND;
    CHECK(px_file_ops.write(ofd, end, 5000, &at) == -EFAULT && fs_inode((uint32_t)ofd->node.ino)->size == 0);
    CHECK(px_file_ops.write(ofd, end, 50, &at) == -EFAULT && fs_inode((uint32_t)ofd->node.ino)->size == 0);
    CHECK(px_file_ops.write(ofd, end - 3000, 9000, &at) == 3000 && fs_node(node())->size == 3000);
    ofd->flags &= ~(unsigned)O_APPEND;
    at = 0;
    CHECK(px_file_ops.read(ofd, end, 100, &at) == -EFAULT && at == 0);
    CHECK(px_file_ops.read(ofd, end - 10, 100, &at) == 10 && at == 10);
    at = 0x7fffffffffffffff;
    CHECK(px_file_ops.write(ofd, (px_user)program, 1, &at) == -EINVAL && px_file_ops.read(ofd, (px_user)program, 1, &at) == -EINVAL);
    at = 0x7ffffffffffffff0;
    CHECK(px_file_ops.write(ofd, (px_user)program, 100, &at) == -EINVAL && px_file_ops.write(ofd, (px_user)program, 15, &at) == 15);
    CHECK(px_file_ops.truncate(ofd, 0) == 0);
    file_size_limit = 1000;
    at = 990;
    CHECK(px_file_ops.write(ofd, (px_user)program, 100, &at) == 10 && signals_raised == 0);
    CHECK(px_file_ops.write(ofd, (px_user)program, 100, &at) == -EFBIG && signals_raised == 1);
    CHECK(px_file_ops.truncate(ofd, 2000) == -EFBIG && signals_raised == 2);
    file_size_limit = ~0ull;
    CHECK(px_file_ops.seek(ofd, -1, SEEK_SET) == -EINVAL && px_file_ops.seek(ofd, 5, SEEK_END) == 1005);
    ofd->node.gen++; /* a description that somebody scribbled in */
    CHECK(px_file_ops.read(ofd, (px_user)program, 1, &at) == -EIO &&
          px_file_ops.write(ofd, (px_user)program, 1, &at) == -EIO);
    ofd->node.ino = 0xffffffffffff;
    CHECK(px_file_ops.read(ofd, (px_user)program, 1, &at) == -EIO);
    check_all();
}

/* Somebody who may write but not read, and somebody who may neither: descriptions keep what open gave them. */
static void rights(void)
{
    static const struct fs_caller alice = {.uid = 1000, .gid = 1000, .client = &seed};
    uint64_t at = 0, token, name;

    open_file(0);
    fs_inode((uint32_t)ofd->node.ino)->mode = S_IFREG | 0202;
    client_ids = &alice;
    ofd->flags = O_WRONLY;
    CHECK(px_fs_call(PX_FS_OPEN, node(), 4, 0, 0, &token) == -EACCES);
    CHECK(px_fs_call(PX_FS_OPEN, node(), 2, 0, 0, &token) == 0);
    ofd->word[PX_WORD_TOKEN] = token;
    memset(program, 'w', 100000);
    CHECK(px_file_ops.write(ofd, (px_user)program, 100000, &at) == 100000 && at == 100000);
    fs_inode((uint32_t)ofd->node.ino)->mode = S_IFREG;
    at = 50;
    CHECK(px_file_ops.write(ofd, (px_user)program, 3000, &at) == 3000);
    CHECK(px_fs_call(PX_FS_GRANT | 1ull << 32, node(), 0, (uint64_t)window_range | PX_GRANT_READ, token, &name) ==
          -EACCES);
    ofd->word[PX_WORD_TOKEN] = 0;
    CHECK(px_file_ops.write(ofd, (px_user)program, 3000, &at) == -EACCES);
    client_ids = &super;
    at = 0;
    CHECK(px_file_ops.read(ofd, (px_user)program, 100000, &at) == 100000 && program[99999] == 'w');
    check_all();
}

/* An open file that is unlinked stays until it is closed, and then its pages are free. */
static void unlinked(void)
{
    uint64_t at = 0;

    open_file(0);
    hazard_list[0] = (uint32_t)ofd->node.ino;
    fill_program(8192);
    CHECK(px_file_ops.write(ofd, (px_user)program, 8192, &at) == 8192);
    CHECK(fs_unlink(&super, fs_node_of(fs_meta()->root), "f", 1, false) == 0);
    at = 0;
    memcpy(model, program, 8192);
    CHECK(px_file_ops.read(ofd, (px_user)program, 8192, &at) == 8192 && memcmp(program, model, 8192) == 0);
    hazard_list[0] = 0;
    px_file_ops.drop(ofd);
    CHECK(fs_orphan_count == 0 && fs_meta()->data_pages == 0 && fs_meta()->inodes == 1);
    check_all();
}

/* A child of fork has windows without pages: it reads and writes as its parent, wherever that was. */
static void in_a_child(void)
{
    open_file(0);
    hazard_list[0] = (uint32_t)ofd->node.ino;
    model_size = 40 * 4096 + 17;
    for (uint64_t i = 0; i < model_size; i++)
        program[i] = model[i] = (uint8_t)(i * 7 + i / 4096);
    ofd->offset = 0;
    CHECK(px_file_ops.write(ofd, (px_user)program, model_size, &ofd->offset) == (int64_t)model_size);
    check_read(39 * 4096 + 5, 100);
    CHECK(mmap(window_range, WINDOW_PAGES * FS_PAGE, 0, HOST_MAP_FIXED | HOST_MAP_PRIVATE | 0x20, -1, 0) == window_range);
    px_files_fork_child();
    check_read(39 * 4096 + 5, 100);
    check_read(39 * 4096 + 6, 1);
    check_read(3, 3 * 4096);
    check_read(model_size - 20, 40);
    px_window_forget((uint32_t)ofd->node.ino);
}

/* A file of 100 bytes that grew so far without a word; its tail's word. */
static uint64_t *growing_file(void)
{
    uint64_t at = 0;
    struct tail *tail;

    open_file(0);
    for (unsigned i = 0; i < 10; i++)
        CHECK(px_file_ops.write(ofd, (px_user)program, 10, &at) == 10);
    CHECK(fs_inode((uint32_t)ofd->node.ino)->size & PX_SIZE_OPEN && length_of((uint32_t)ofd->node.ino, ofd->node.gen, &tail) == 100);
    return (uint64_t *)tail->va;
}

/* A tail ends when anybody asks, and what its writer says then means nothing. */
static void tail_ends(void)
{
    uint64_t *word = growing_file(), at = 100, token;
    uint32_t ino = (uint32_t)ofd->node.ino;
    const struct fs_caller alice = {.uid = 1000, .gid = 1000, .client = &seed};

    CHECK(fs_node(node())->size == 100 && fs_inode(ino)->size == 100);
    if (*word == PX_TAIL_CLOSED) /* or the page is there no longer */
        *word = 4000;
    CHECK(fs_node(node())->size == 100 && px_inode_size(fs_inode(ino)) == 100);
    tails[0].ino = 0;
    CHECK(px_file_ops.write(ofd, (px_user)program, 10, &at) == 10 && fs_inode(ino)->size == 110);
    /* It is for who may write. */
    client_ids = &alice;
    CHECK(px_fs_call(PX_FS_OPEN, node(), 4, 0, 0, &token) == 0);
    CHECK(px_fs_call(PX_FS_TAIL, node(), (uint64_t)window_range, 0, token, NULL) == -EACCES);
    CHECK(px_fs_call(PX_FS_TAIL, node(), (uint64_t)window_range, 0, 0, NULL) == -EACCES);
    client_ids = &super;
    CHECK(px_fs_call(PX_FS_TAIL, fs_node_of(fs_meta()->root), (uint64_t)window_range, 0, 0, NULL) == -EINVAL);
    CHECK(px_fs_call(PX_FS_TAIL, node() + (1ull << 32), (uint64_t)window_range, 0, 0, NULL) == -ESTALE);
    CHECK(px_fs_call(PX_FS_SETTLE, node() + (1ull << 32), 0, 0, 0, NULL) == -ESTALE);
    check_all();
}

/* Whatever the writer puts into its page: no more than the pages behind the old end, and no less than what was there. */
static void tail_lies(void)
{
    static const uint64_t lies[] = {0, 1, 99, 101, 4096, 4097, 1 << 20, PX_TAIL_MOST, PX_TAIL_MOST + 1, PX_SIZE_OPEN, PX_SIZE_OPEN + 5, ~1ull, ~0ull};

    for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        uint64_t *word = growing_file(), before, there, expected;
        struct px_inode *inode = fs_inode((uint32_t)ofd->node.ino);

        before = inode->size & ~PX_SIZE_OPEN;
        there = inode->pages * FS_PAGE;
        expected = lies[i] <= before || lies[i] > PX_TAIL_MOST ? before : lies[i] < there ? lies[i] : there;
        *word = lies[i];
        fs_tail_settle(inode, false);
        CHECK(inode->size == (expected | PX_SIZE_OPEN));
        CHECK(fs_node(node())->size == expected);
        check_all();
        CHECK(fs_unlink(&super, fs_node_of(fs_meta()->root), "f", 1, false) == 0);
        fs_orphans_sweep();
    }
    CHECK(fs_meta()->data_pages == 0);
}

/* What is appended is in one piece, also where a window ends: then fs makes room for it. */
static void tail_is_whole(void)
{
    const struct px_file file = {(uint32_t)(growing_file(), ofd->node.ino), ofd->node.gen, 0};
    const struct px_inode *inode = fs_inode(file.ino);
    uint64_t at = 100, last;

    ofd->flags |= O_APPEND;
    while (px_inode_size(inode) < PX_WINDOW_SMALL * FS_PAGE - 1000)
        CHECK(px_file_ops.write(ofd, (px_user)program, 1000, &at) == 1000);
    last = px_inode_size(inode);
    CHECK(inode->size & PX_SIZE_OPEN);
    CHECK(px_tail_write(&file, inode, (px_user)program, 1500, &at, true) == 0 && px_inode_size(inode) == last);
    CHECK(px_file_ops.write(ofd, (px_user)program, 1500, &at) == 1500 && px_inode_size(inode) == last + 1500 && at == last + 1500);
    ofd->flags &= ~(unsigned)O_APPEND;
    check_all();
}

/* More files than tails, and one that goes with its tail. */
static void many_tails(void)
{
    uint32_t ino[40];

    for (unsigned i = 0; i < 40; i++) {
        const char name = (char)('A' + i);
        struct fs_new new = {.mode = S_IFREG | 0644, .name = &name, .name_bytes = 1};

        CHECK(fs_create(&super, fs_node_of(fs_meta()->root), &new, &ino[i]) == 0);
        CHECK(fs_tail_open(&super, fs_node_of(ino[i]), (uint64_t)window_range, 0) == 0 && fs_inode(ino[i])->size == PX_SIZE_OPEN);
        CHECK(i < 16 || fs_inode(ino[i - 16])->size == 0);
    }
    CHECK(fs_meta()->data_pages == 16);
    CHECK(fs_unlink(&super, fs_node_of(fs_meta()->root), "h", 1, false) == 0);
    fs_orphans_sweep();
    CHECK(fs_meta()->data_pages == 15);
    for (unsigned i = 0; i < 39; i++)
        CHECK(fs_node(fs_node_of(ino[i]))->size == 0);
    CHECK(fs_meta()->data_pages == 0);
    check_all();
}

int main(void)
{
    void (*const cases[])(void) = {messages, bad_memory, rights, unlinked, in_a_child, tail_ends, tail_lies, tail_is_whole, many_tails};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start_process(AREA_PAGES);
        cases[i]();
    }
    for (unsigned round = 1; round <= 20; round++) {
        random_start(round);
        start_process(round % 4 == 0 ? 100 : AREA_PAGES);
        open_file(0);
        hazard_list[0] = (uint32_t)ofd->node.ino;
        random_operations(600, round % 4 == 0);
        px_window_forget((uint32_t)ofd->node.ino);
    }
    return 0;
}
