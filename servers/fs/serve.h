/* The fs server around its core: clients, messages, the kernel. */
#ifndef FS_SERVE_H
#define FS_SERVE_H
#include <exo/calls.h>
#include <exo/ipc.h>
#include <exo/loop.h>

#include "core.h"
#include "layout.h"
#include "proctab.h"
#include "server.h"

extern const struct px_server_start *fs_start;

void fs_system_start(const struct px_server_start *start);
int64_t fs_errno(int64_t exo_error); /* a kernel error as a Linux errno, negative */

struct fs_request {
    struct fs_caller caller;
    unsigned index;              /* in the process table */
    const void *page;            /* the caller's message page: may change at any time */
    struct exo_message *message; /* the question; the answer replaces it */
    uint64_t came;               /* a handle that came with the question, or 0: deleted afterwards unless it is 0 by then */
    uint64_t capability;         /* a handle to go with the answer in word 4, or 0 */
    bool passed_on;              /* ... that is not kept here */
};
/* Answers request->message. */
void fs_serve(struct fs_request *request);
/* The caller that a badge names. False: no living process. */
bool fs_find_caller(uint64_t badge, struct fs_request *request);
int64_t fs_meet(struct fs_request *request); /* meet.c: PX_FS_BIND to PX_FS_UNBOUND */
void fs_meet_sweep(unsigned most_links); /* somebody has ended: his bindings are free, and of so many connections those that nobody has */
int64_t fs_watch_new(struct fs_request *request, uint64_t va); /* watch.c */
int64_t fs_watch_add(struct fs_request *request, uint64_t ticket, uint64_t node, uint32_t mask);
int64_t fs_watch_remove(uint64_t ticket, uint64_t wd);
int64_t fs_watch_notice(const struct fs_request *request, uint64_t node, uint32_t mask, uint64_t token);
int64_t fs_shm(struct fs_request *request); /* shm.c */
int64_t fs_xattr(struct fs_request *request); /* xattr.c */
int64_t fs_parcel(struct fs_request *request); /* parcel.c */
void fs_parcels_sweep(void);                   /* somebody has ended, or closed: what nobody can take any more goes */
uint32_t fs_parcels_hold(const uint32_t **inodes); /* what is in parcels, as processes say what they hold (proctab.h): how many */
int64_t fs_setid(struct fs_request *request); /* setid.c */
int64_t fs_sockets(struct fs_request *request); /* meet_list.c */
/* The caller's ids are those of a file now, if it is fresh (PX_PROC_SETID): 1; 0: they stay; -errno. */
int64_t os_setid(const struct fs_request *request, uint32_t uid, uint32_t gid, uint64_t which);
int64_t fs_ipc(struct fs_request *request);   /* ipc.c: semaphores and message queues */
void sem_sweep(void);                         /* somebody has ended: what SEM_UNDO remembers of him is done */
void fs_mount_mqueue(void);
int64_t fs_fifo_open(struct fs_request *request, uint64_t node, uint64_t va, unsigned end);

#endif
