/*
 * Tails: a file that somebody writes at its end grows without a word to fs. Its writer shares a page with fs, whose first word is the file's length; pages
 * beyond the end were granted before. While it is so the inode's size has PX_SIZE_OPEN, and is what it was when fs looked last. Whatever else is asked of the
 * file closes the tail first: fs puts PX_TAIL_CLOSED there, in one step with taking the length, and the page never means anything again.
 *
 * The writer may put anything there: what is longer than the pages that lie behind the old end, or shorter than it, is not believed.
 */
#include "core.h"

#define TAILS 16u
#define PAGES_UP(bytes) (((bytes) + FS_PAGE - 1) / FS_PAGE)

static struct {
    uint32_t ino; /* 0: none */
    uint32_t page;
} tails[TAILS];
static unsigned next_tail;

void fs_tails_start(void)
{
    memset(tails, 0, sizeof tails);
}

static unsigned find(uint32_t ino)
{
    unsigned at = 0;

    while (at < TAILS && tails[at].ino != ino)
        at++;
    return at;
}

/* Up to there the file has pages behind its old end. */
static uint64_t reach(const struct px_inode *inode, uint64_t size, uint64_t length)
{
    uint64_t page = PAGES_UP(size);

    while (page * FS_PAGE < length && fs_map_get(inode, page))
        page++;
    return page * FS_PAGE < length ? page * FS_PAGE : length;
}

void fs_tail_settle(struct px_inode *inode, bool close)
{
    struct fs_release release = {0};
    uint64_t size = inode->size & ~PX_SIZE_OPEN, length;
    unsigned at;
    uint64_t *word;

    if (!(inode->size & PX_SIZE_OPEN) || (at = find(fs_number(inode))) == TAILS)
        return;
    word = (uint64_t *)fs_page(tails[at].page);
    length = close ? __atomic_exchange_n(word, PX_TAIL_CLOSED, __ATOMIC_SEQ_CST) : __atomic_load_n(word, __ATOMIC_SEQ_CST);
    if (length > size && length <= PX_TAIL_MOST)
        size = reach(inode, size, length);
    __atomic_store_n(&inode->size, size | (close ? 0 : PX_SIZE_OPEN), __ATOMIC_RELEASE);
    if (!close)
        return;
    fs_release_page(&release, tails[at].page);
    fs_release_end(&release);
    fs_label_pages(inode, -1);
    tails[at].ino = 0;
}

void fs_tail_close(struct px_inode *inode)
{
    fs_tail_settle(inode, true);
}

int64_t fs_tail_open(const struct fs_caller *caller, uint64_t node, uint64_t va, uint64_t token)
{
    struct px_inode *inode = fs_node(node); /* one that is open is closed by this */
    uint64_t got;
    uint32_t page;
    int64_t status;

    if (!inode)
        return -ESTALE;
    if (!S_ISREG(inode->mode) || inode->size > PX_TAIL_MOST)
        return -EINVAL;
    if (!fs_allowed(caller, inode, PX_FS_INO(node), 6, token))
        return -EACCES;
    if (inode->flags & PX_INODE_SEALABLE)
        return -EPERM;
    if (fs_label_page_room(inode) == 0 || !(page = fs_data_take(0, 1, &got)))
        return -ENOSPC;
    if (tails[next_tail].ino)
        fs_tail_close(fs_inode(tails[next_tail].ino));
    tails[next_tail].ino = PX_FS_INO(node);
    tails[next_tail].page = page;
    next_tail = (next_tail + 1) % TAILS;
    fs_label_pages(inode, 1);
    fs_drop_set_id(caller, inode); /* from here on nobody need say that he writes */
    *(uint64_t *)fs_page(page) = inode->size;
    inode->size |= PX_SIZE_OPEN;
    status = os_share(caller->client, va, fs_page(page), 1, EXO_SHARE_SAME | EXO_PROT_READ | EXO_PROT_WRITE);
    if (status < 0)
        fs_tail_close(inode);
    return status;
}
