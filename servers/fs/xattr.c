/*
 * Extended attributes: user.*, trusted.* and security.*, with Linux's rules. All of an inode's lie in one page of this server's, behind one another, so an
 * inode has at most a page of them; it counts as one of the file's pages.
 */
#include "serve.h"
#include "xattr.h"

#define ENTRY_BYTES sizeof(struct entry)

struct entry { /* the name follows, then the value; a name of no bytes ends the list */
    uint16_t name_bytes, value_bytes;
};

/* What is asked, copied from the message page. */
struct ask {
    struct px_xattr head;
    char text[FS_PAGE]; /* name, value */
};

static const char *const prefixes[] = {"user.", "trusted.", "security."};
enum space { USER, TRUSTED, SECURITY, SPACES };

static enum space space_of(const char *name, unsigned bytes)
{
    for (unsigned i = 0; i < SPACES; i++) {
        size_t length = strlen(prefixes[i]);

        if (bytes > length && !memcmp(name, prefixes[i], length))
            return i;
    }
    return SPACES;
}

static int64_t may_set(const struct fs_caller *caller, const struct px_inode *inode, enum space space)
{
    if (!fs_label_dominates(caller, inode))
        return -EPERM;
    if (space != USER)
        return caller->uid == 0 ? 0 : -EPERM;
    if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
        return -EPERM;
    if (S_ISDIR(inode->mode) && inode->mode & S_ISVTX && !fs_owns(caller, inode))
        return -EPERM;
    return fs_may(caller, inode, 2) ? 0 : -EACCES;
}

static int64_t may_get(const struct fs_caller *caller, const struct px_inode *inode, enum space space)
{
    if (space == TRUSTED)
        return caller->uid == 0 ? 0 : -ENODATA;
    if (space == USER && !S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
        return -ENODATA;
    return space != USER || fs_may(caller, inode, 4) ? 0 : -EACCES;
}

static uint8_t *page_of(const struct px_inode *inode)
{
    return inode->extended ? fs_page(inode->extended) : NULL;
}

static const struct entry *entry_at(const uint8_t *page, uint32_t at)
{
    return (const struct entry *)(page + at);
}

static uint32_t size_of(const struct entry *entry)
{
    return ((uint32_t)ENTRY_BYTES + entry->name_bytes + entry->value_bytes + 3u) & ~3u;
}

/* Where the attribute is, or where the list ends; *found. */
static uint32_t find(const uint8_t *page, const char *name, unsigned bytes, bool *found)
{
    uint32_t at = 0;

    *found = false;
    while (entry_at(page, at)->name_bytes) {
        const struct entry *entry = entry_at(page, at);

        if (entry->name_bytes == bytes && !memcmp(entry + 1, name, bytes)) {
            *found = true;
            return at;
        }
        at += size_of(entry);
    }
    return at;
}

static uint32_t end_of(const uint8_t *page)
{
    uint32_t at = 0;

    while (entry_at(page, at)->name_bytes)
        at += size_of(entry_at(page, at));
    return at;
}

static void cut(uint8_t *page, uint32_t at)
{
    uint32_t size = size_of(entry_at(page, at)), end = end_of(page);

    memmove(page + at, page + at + size, end + ENTRY_BYTES - at - size);
}

static void changed(struct px_inode *inode)
{
    if (inode->extended && !entry_at(page_of(inode), 0)->name_bytes)
        fs_xattr_forget(inode);
    inode->ctime = os_now();
    if (fs_watched())
        fs_watch_inode(inode, IN_ATTRIB);
}

static int64_t set(const struct fs_caller *caller, struct px_inode *inode, const struct ask *ask, enum space space)
{
    struct entry new = {ask->head.name_bytes, (uint16_t)ask->head.value_bytes};
    uint8_t *page = page_of(inode);
    uint32_t at = 0, end = 0, old = 0;
    int64_t status = may_set(caller, inode, space);
    bool found = false;
    uint64_t got;

    if (status < 0)
        return status;
    if (page) {
        at = find(page, ask->text, new.name_bytes, &found);
        end = end_of(page);
        old = found ? size_of(entry_at(page, at)) : 0;
    }
    if (ask->head.flags & XATTR_CREATE && found)
        return -EEXIST;
    if (ask->head.flags & XATTR_REPLACE && !found)
        return -ENODATA;
    if (end - old + size_of(&new) + ENTRY_BYTES > FS_PAGE)
        return -ENOSPC;
    if (!page) {
        if (!fs_label_page_room(inode) || !(inode->extended = fs_data_take(0, 1, &got)))
            return -ENOSPC;
        fs_label_pages(inode, 1);
        page = page_of(inode);
        memset(page, 0, ENTRY_BYTES);
    }
    if (found)
        cut(page, at);
    at = end - old;
    memcpy(page + at, &new, ENTRY_BYTES);
    memcpy(page + at + ENTRY_BYTES, ask->text, (size_t) new.name_bytes + new.value_bytes);
    memset(page + at + size_of(&new), 0, ENTRY_BYTES);
    changed(inode);
    return 0;
}

static int64_t get(const struct fs_caller *caller, const struct px_inode *inode, const struct ask *ask, enum space space, char *answer)
{
    const uint8_t *page = page_of(inode);
    int64_t status = may_get(caller, inode, space);
    bool found = false;
    uint32_t at;

    if (status < 0)
        return status;
    at = page ? find(page, ask->text, ask->head.name_bytes, &found) : 0;
    if (!found)
        return -ENODATA;
    memcpy(answer, (const char *)(entry_at(page, at) + 1) + ask->head.name_bytes, entry_at(page, at)->value_bytes);
    return entry_at(page, at)->value_bytes;
}

/* The names, each ended by a NUL; those of trusted.* are root's to see. */
static int64_t list(const struct fs_caller *caller, const struct px_inode *inode, char *answer)
{
    const uint8_t *page = page_of(inode);
    int64_t used = 0;

    for (uint32_t at = 0; page && entry_at(page, at)->name_bytes; at += size_of(entry_at(page, at))) {
        const struct entry *entry = entry_at(page, at);
        const char *name = (const char *)(entry + 1);

        if (caller->uid != 0 && space_of(name, entry->name_bytes) == TRUSTED)
            continue;
        memcpy(answer + used, name, entry->name_bytes);
        answer[used + entry->name_bytes] = '\0';
        used += entry->name_bytes + 1;
    }
    return used;
}

static int64_t remove(const struct fs_caller *caller, struct px_inode *inode, const struct ask *ask, enum space space)
{
    int64_t status = may_set(caller, inode, space);
    bool found = false;
    uint32_t at;

    if (status < 0)
        return status;
    at = inode->extended ? find(page_of(inode), ask->text, ask->head.name_bytes, &found) : 0;
    if (!found)
        return -ENODATA;
    cut(page_of(inode), at);
    changed(inode);
    return 0;
}

static int64_t copy_ask(const struct fs_request *request, struct ask *ask)
{
    memcpy(&ask->head, request->page, sizeof ask->head);
    if (ask->head.name_bytes > PX_XATTR_NAME_MAX || ask->head.value_bytes > FS_PAGE - sizeof ask->head - ask->head.name_bytes ||
        ask->head.flags & ~(XATTR_CREATE | XATTR_REPLACE))
        return -EINVAL;
    memcpy(ask->text, (const uint8_t *)request->page + sizeof ask->head, ask->head.name_bytes + ask->head.value_bytes);
    return 0;
}

int64_t fs_xattr(struct fs_request *request)
{
    static struct ask ask;
    struct px_inode *inode = fs_node(request->message->word[1]);
    char *answer = (char *)(uintptr_t)request->page;
    int64_t status = copy_ask(request, &ask);
    enum space space;

    if (!inode || status < 0)
        return inode ? status : -ESTALE;
    if (request->message->word[2] == PX_XATTR_LIST)
        return list(&request->caller, inode, answer);
    space = space_of(ask.text, ask.head.name_bytes);
    if (space == SPACES)
        return -EOPNOTSUPP;
    switch (request->message->word[2]) {
    case PX_XATTR_SET:
        return set(&request->caller, inode, &ask, space);
    case PX_XATTR_GET:
        return get(&request->caller, inode, &ask, space, answer);
    case PX_XATTR_REMOVE:
        return remove(&request->caller, inode, &ask, space);
    default:
        return -EINVAL;
    }
}
