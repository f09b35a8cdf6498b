/* A file's size: who may change it, and what becomes of mappings. */
#include "files.h"

int64_t px_file_may_grow(const struct px_node *node, uint64_t size)
{
    struct px_stat stat;

    if (size <= px_limit(PX_RLIMIT_FSIZE) || (px_node_stat(node, &stat) == 0 && size <= (uint64_t)stat.st_size))
        return 0;
    px_raise(SIGXFSZ);
    return -EFBIG;
}

int64_t px_file_punch(const struct px_node *node, uint64_t offset, uint64_t bytes, uint64_t token)
{
    int64_t result = px_fs_call(PX_FS_PUNCH, PX_FS_NODE(node->ino, node->gen), offset, bytes, token, NULL);

    if (result == 0)
        px_memory_punch(node, offset, bytes);
    return result;
}

/* Of this process's mappings what lies behind the new end goes, also copies of its own; of others' fs has taken what it could. */
int64_t px_file_truncate(const struct px_node *node, uint64_t size, uint64_t token)
{
    int64_t result = px_file_may_grow(node, size);

    if (result == 0)
        result = px_fs_call(PX_FS_TRUNCATE, PX_FS_NODE(node->ino, node->gen), size, 0, token, NULL);
    if (result == 0)
        px_memory_cut(node, size);
    return result;
}
