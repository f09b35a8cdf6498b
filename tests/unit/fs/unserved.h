/* What serve.c hands over to, and these tests do without. */
#ifndef FS_UNSERVED_H
#define FS_UNSERVED_H
struct fs_request;
int64_t fs_watch_new(struct fs_request *request, uint64_t va);
int64_t fs_watch_add(struct fs_request *request, uint64_t ticket, uint64_t node, uint32_t mask);
int64_t fs_watch_remove(uint64_t ticket, uint64_t wd);
int64_t fs_watch_notice(const struct fs_request *request, uint64_t node, uint32_t mask, uint64_t token);
int64_t fs_shm(struct fs_request *request);
int64_t fs_xattr(struct fs_request *request);
int64_t fs_parcel(struct fs_request *request);
void fs_fifo_forget(uint32_t ino);
int64_t fs_meet(struct fs_request *request);
int64_t fs_fifo_open(struct fs_request *request, uint64_t node, uint64_t va, unsigned end);

void fs_fifo_forget(uint32_t ino)
{
    (void)ino;
}
int64_t fs_meet(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}
int64_t fs_fifo_open(struct fs_request *request, uint64_t node, uint64_t va, unsigned end)
{
    (void)request, (void)node, (void)va, (void)end;
    return -ENXIO;
}
int64_t fs_watch_new(struct fs_request *request, uint64_t va)
{
    (void)request, (void)va;
    return -ENOSYS;
}
int64_t fs_watch_add(struct fs_request *request, uint64_t ticket, uint64_t node, uint32_t mask)
{
    (void)request, (void)ticket, (void)node, (void)mask;
    return -ENOSYS;
}
int64_t fs_watch_remove(uint64_t ticket, uint64_t wd)
{
    (void)ticket, (void)wd;
    return -ENOSYS;
}
int64_t fs_watch_notice(const struct fs_request *request, uint64_t node, uint32_t mask, uint64_t token)
{
    (void)request, (void)node, (void)mask, (void)token;
    return -ENOSYS;
}
int64_t fs_shm(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}

#ifndef FS_IPC_SERVED
int64_t fs_ipc(struct fs_request *request);
int64_t fs_ipc(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}
#endif

#ifndef FS_XATTR_SERVED
int64_t fs_xattr(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}

#endif

int64_t fs_setid(struct fs_request *request);
int64_t fs_sockets(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}

int64_t fs_setid(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}

int64_t fs_parcel(struct fs_request *request)
{
    (void)request;
    return -ENOSYS;
}

#endif
