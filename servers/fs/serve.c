/*
 * One request: read the words and what the message page holds (copied before it is looked at: the client can change
 * it), do it between two steps of the sequence counter, answer.
 */
#include "serve.h"

#define VALUE(word) ((word) >> 32)

typedef int64_t operation(struct fs_request *request);

static int64_t do_meta(struct fs_request *request)
{
    uint64_t have = request->message->word[1], pages = fs_meta()->pages;
    int64_t status;

    if (have > pages)
        return -EINVAL;
    status = os_share(request->caller.client, PX_META + have * FS_PAGE, fs_region.base + have * FS_PAGE, pages - have,
                      EXO_SHARE_SAME | EXO_PROT_READ);
    request->message->word[1] = pages;
    return status;
}

/* The text after a structure of the message page, copied. */
FS_HOT static bool copy_text(const struct fs_request *request, uint64_t offset, uint64_t bytes, char *to)
{
    if (offset + bytes > FS_PAGE)
        return false;
    memcpy(to, (const char *)request->page + offset, bytes);
    return true;
}

FS_WHOLE static int64_t do_create(struct fs_request *request)
{
    static char long_text[FS_PAGE];
    char short_text[NAME_MAX + 1], *text; /* an ordinary name lies on the stack, whose page is in use */
    struct px_fs_create ask;
    struct fs_new new;
    uint64_t text_bytes;
    uint32_t ino = 0;
    int64_t status;

    memcpy(&ask, request->page, sizeof ask);
    text_bytes = (uint64_t)ask.name_bytes + ask.target_bytes;
    text = text_bytes <= sizeof short_text ? short_text : long_text;
    if (!copy_text(request, sizeof ask, text_bytes, text))
        return -ENAMETOOLONG;
    new = (struct fs_new){.mode = ask.mode,
                          .flags = ask.flags,
                          .rdev = ask.rdev,
                          .name = text,
                          .name_bytes = ask.name_bytes,
                          .target = text + ask.name_bytes,
                          .target_bytes = ask.target_bytes};
    status = fs_create(&request->caller, ask.directory, &new, &ino);
    if (ino) {
        request->message->word[1] = fs_node_of(ino);
        if (status == 0) {
            request->message->word[2] = fs_token(ino, fs_inode(ino)->gen, 6);
            fs_inode(ino)->flags |= S_ISREG(ask.mode) && !(ask.flags & PX_CREATE_MEMFD) ? PX_INODE_WRITTEN : 0;
        }
    }
    return status;
}

/* The names of LINK, UNLINK and RENAME. */
struct names {
    struct px_fs_names ask;
    char text[2 * (NAME_MAX + 1)];
};

FS_HOT static int64_t copy_names(const struct fs_request *request, struct names *names)
{
    memcpy(&names->ask, request->page, sizeof names->ask);
    if (names->ask.bytes[0] > NAME_MAX || names->ask.bytes[1] > NAME_MAX)
        return -ENAMETOOLONG;
    (void)copy_text(request, sizeof names->ask, (uint64_t)names->ask.bytes[0] + names->ask.bytes[1], names->text);
    return 0;
}

static int64_t do_link(struct fs_request *request)
{
    struct names names;
    int64_t status = copy_names(request, &names);

    if (status < 0)
        return status;
    return fs_link(&request->caller, names.ask.from, names.ask.directory[1], names.text + names.ask.bytes[0],
                   names.ask.bytes[1]);
}

FS_WHOLE static int64_t do_unlink(struct fs_request *request)
{
    struct names names;
    int64_t status = copy_names(request, &names);

    if (status < 0)
        return status;
    return fs_unlink(&request->caller, names.ask.directory[0], names.text, names.ask.bytes[0],
                     names.ask.flags & PX_FS_RMDIR);
}

FS_WHOLE static int64_t do_rename(struct fs_request *request)
{
    struct names names;
    struct fs_rename rename;
    int64_t status = copy_names(request, &names);

    if (status < 0)
        return status;
    rename = (struct fs_rename){.directory = {names.ask.directory[0], names.ask.directory[1]},
                                .text = {names.text, names.text + names.ask.bytes[0]},
                                .bytes = {names.ask.bytes[0], names.ask.bytes[1]},
                                .flags = names.ask.flags};
    return fs_rename(&request->caller, &rename);
}

static int64_t do_setattr(struct fs_request *request)
{
    struct px_fs_attributes attributes;

    memcpy(&attributes, request->page, sizeof attributes);
    return fs_setattr(&request->caller, request->message->word[1], &attributes);
}

static int64_t do_open(struct fs_request *request)
{
    uint64_t *word = request->message->word, token = 0;
    int64_t status = fs_open(&request->caller, word[1], word[2] & 6, word[3] == 1, &token);

    word[1] = token;
    return status;
}

static int64_t do_execute(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_busy_execute(word[1], word[2] & PX_EXECUTE_RUN, word[2] & PX_EXECUTE_PATIENT);
}

static int64_t do_truncate(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_truncate(&request->caller, word[1], word[2], word[4]);
}

static int64_t do_grant(struct fs_request *request)
{
    uint64_t *word = request->message->word;
    uint32_t version = 0;
    int64_t status = fs_grant(&request->caller, word[1], word[2], VALUE(word[0]), word[3], word[4], &version);

    word[1] = version;
    return status;
}

static int64_t do_extend(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_extend(&request->caller, word[1], word[2], word[3], (uint32_t)VALUE(word[0]), word[4]);
}

FS_WHOLE static int64_t do_append(struct fs_request *request)
{
    uint64_t *word = request->message->word, offset = 0;
    int64_t status = fs_append(&request->caller, word[1], word[2], word[4], &offset);

    word[1] = offset;
    return status;
}

static int64_t do_tail(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_tail_open(&request->caller, word[1], word[2], word[4]);
}

static int64_t do_settle(struct fs_request *request)
{
    return fs_node(request->message->word[1]) ? 0 : -ESTALE;
}

static int64_t do_write(struct fs_request *request)
{
    uint64_t *word = request->message->word, at = 0;
    int64_t status = fs_write(&request->caller, word[1], word[2], request->page, word[3], word[4], &at);

    word[1] = at;
    return status;
}

static int64_t do_touch(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_touched(&request->caller, word[1], (unsigned)word[2], word[4]);
}

static int64_t do_punch(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_punch(&request->caller, word[1], word[2], word[3], word[4]);
}

static int64_t do_fill(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_allocate(&request->caller, word[1], word[2], word[3], VALUE(word[0]) & 1, word[4]);
}

static int64_t do_watch(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    switch (word[0] & 0xff) {
    case PX_FS_WATCH_NEW: return fs_watch_new(request, word[2]);
    case PX_FS_WATCH_ADD: return fs_watch_add(request, word[4], word[1], (uint32_t)word[2]);
    case PX_FS_WATCH_REMOVE: return fs_watch_remove(word[4], word[2]);
    default: return fs_watch_notice(request, word[1], (uint32_t)word[2], word[4]);
    }
}

static int64_t do_seal(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_seal(&request->caller, word[1], word[2] <= F_SEALS ? (unsigned)word[2] : ~0u, word[4]);
}

static int64_t do_reap(struct fs_request *request)
{
    (void)request;
    fs_watch_sweep();
    fs_orphans_sweep();
    return 0;
}

static int64_t do_fifo(struct fs_request *request)
{
    const uint64_t *word = request->message->word;

    return fs_fifo_open(request, word[1], word[2], (unsigned)word[3]);
}

FS_HOT_DATA static operation *operations[PX_FS_OPS] = {
    [PX_FS_META] = do_meta,     [PX_FS_CREATE] = do_create,     [PX_FS_LINK] = do_link,
    [PX_FS_UNLINK] = do_unlink, [PX_FS_RENAME] = do_rename,     [PX_FS_SETATTR] = do_setattr,
    [PX_FS_OPEN] = do_open,     [PX_FS_TRUNCATE] = do_truncate, [PX_FS_GRANT] = do_grant,
    [PX_FS_EXTEND] = do_extend, [PX_FS_APPEND] = do_append,     [PX_FS_WRITE] = do_write,
    [PX_FS_TOUCH] = do_touch,   [PX_FS_PUNCH] = do_punch,       [PX_FS_FILL] = do_fill,
    [PX_FS_REAP] = do_reap,     [PX_FS_FIFO] = do_fifo,         [PX_FS_BIND] = fs_meet,
    [PX_FS_LISTEN] = fs_meet,   [PX_FS_CONNECT] = fs_meet,      [PX_FS_ACCEPT] = fs_meet,
    [PX_FS_UNBOUND] = fs_meet,  [PX_FS_SEAL] = do_seal,         [PX_FS_AIM] = fs_meet,
    [PX_FS_SEND] = fs_meet,
    [PX_FS_SHM] = fs_shm,       [PX_FS_XATTR] = fs_xattr,       [PX_FS_PARCEL] = fs_parcel,
    [PX_FS_EXECUTE] = do_execute, [PX_FS_IPC] = fs_ipc,         [PX_FS_SETID] = fs_setid, [PX_FS_SOCKETS] = fs_sockets,
    [PX_FS_WATCH_NEW] = do_watch, [PX_FS_WATCH_ADD] = do_watch, [PX_FS_WATCH_REMOVE] = do_watch, [PX_FS_NOTICE] = do_watch,
    [PX_FS_TAIL] = do_tail,     [PX_FS_SETTLE] = do_settle,
};

FS_HOT void fs_serve(struct fs_request *request)
{
    uint64_t op = request->message->word[0] & 0xff, asked[5];
    int64_t status;

    if (op >= PX_FS_OPS || !operations[op]) {
        request->message->word[0] = (uint64_t)-ENOSYS;
        return;
    }
    fs_change_begin();
    memcpy(asked, request->message->word, sizeof asked);
    status = operations[op](request);
    if (status == -ENOSPC && fs_orphan_count > 0) { /* files that nobody has open any more may still lie about */
        fs_orphans_sweep();
        memcpy(request->message->word, asked, sizeof asked);
        status = operations[op](request);
    }
    fs_change_end();
    request->message->word[0] = (uint64_t)status;
}
