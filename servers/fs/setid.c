/*
 * Set-user-ID and set-group-ID programs (decision 0032): a fresh libOS names the inode that it has found and will load. What is decided here holds until it
 * has: nobody can write to a file that runs, and who changes its owner or its contents takes the bits away. proc knows whether the caller is what it says.
 */
#include "proc.h"
#include "serve.h"

int64_t fs_setid(struct fs_request *request)
{
    uint64_t *word = request->message->word, node = word[1];
    struct px_inode *inode = fs_node(node);
    uint64_t which;
    int64_t status;

    word[1] = 0;
    if (!inode)
        return -ESTALE;
    if (!S_ISREG(inode->mode) || !fs_may(&request->caller, inode, 1))
        return -EACCES;
    status = fs_busy_execute(node, true, false);
    if (status < 0)
        return status;
    which = inode->mode & S_ISUID ? PX_SETID_UID : 0;
    which |= (inode->mode & (S_ISGID | 0010)) == (S_ISGID | 0010) ? PX_SETID_GID : 0;
    status = which ? os_setid(request, inode->uid, inode->gid, which) : 0;
    word[1] = status > 0;
    return status < 0 ? status : 0;
}
