/* Messages that clients may send to fs (corpus.h). Its files, semaphores and queues have fuzzers of their own on the host (tests/unit/fs). */
#ifndef CORPUS_FS_H
#define CORPUS_FS_H
#include "../../libos/posix/proto/fs.h"
#include "../../libos/posix/proto/parcel.h"
#include "../../libos/posix/proto/shm.h"
#include "../../libos/posix/proto/socket.h"
#include "../../libos/posix/proto/sysv.h"
#include "../../libos/posix/proto/watch.h"
#include "../../libos/posix/proto/xattr.h"
#include "corpus.h"

/* A structure with what comes behind it. */
#define BEHIND(type, text, ...) PAGE_OF(struct { type head; char rest[sizeof(text)]; }, {__VA_ARGS__, text})
#define NAMES(a, b, text) BEHIND(struct px_fs_names, text, {.bytes = {a, b}})
#define MEET(domain_, type_, name_) \
    PAGE_OF(struct px_fs_meet, {.va = PLACE_VA, .backlog = 4, .domain = domain_, .type = type_, .name_bytes = sizeof(name_), .name = name_})
#define PLACE_VA 0x30000000ull
#define A_FILE 0100644u

static const struct corpus_message corpus_fs[] = {
    {{PX_FS_META, 0}, 0, NULL},
    {{PX_FS_CREATE}, BEHIND(struct px_fs_create, "file", {.mode = A_FILE, .name_bytes = 4})},
    {{PX_FS_CREATE}, BEHIND(struct px_fs_create, "", {.mode = A_FILE, .flags = PX_CREATE_MEMFD})},
    {{PX_FS_LINK}, NAMES(0, 4, "link")},
    {{PX_FS_UNLINK}, NAMES(4, 0, "file")},
    {{PX_FS_RENAME}, NAMES(4, 4, "fileback")},
    {{PX_FS_SETATTR, N(OWN_NODE)}, PAGE_OF(struct px_fs_attributes, {.what = PX_ATTRIBUTE_MODE, .mode = 0666})},
    {{PX_FS_SETATTR, N(OTHER_NODE)}, PAGE_OF(struct px_fs_attributes, {.what = PX_ATTRIBUTE_MODE | PX_ATTRIBUTE_UID, .mode = 0666, .uid = 1000})},
    {{PX_FS_OPEN, N(OWN_NODE), 6}, 0, NULL},
    {{PX_FS_OPEN, N(OTHER_NODE), 6, 1}, 0, NULL},
    {{PX_FS_TRUNCATE, N(OWN_NODE), 5000, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_TRUNCATE, N(OTHER_NODE), 0, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_GRANT | 2ull << 32, N(OWN_NODE), 0, PLACE_VA | PX_GRANT_READ | PX_GRANT_WRITE | PX_GRANT_FILL, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_GRANT | 1ull << 32, N(OTHER_NODE), 0, PLACE_VA | PX_GRANT_READ, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_EXTEND, N(OWN_NODE), 0, 9000, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_APPEND, N(OWN_NODE), 100, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_WRITE, N(OWN_NODE), PX_FS_AT_END, 100, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_WRITE, N(OTHER_NODE), 0, 100, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_TAIL, N(OWN_NODE), PLACE_VA, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_TAIL, N(OTHER_NODE), PLACE_VA, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_SETTLE, N(OWN_NODE)}, 0, NULL},
    {{PX_FS_TOUCH, N(OWN_NODE), PX_TOUCH_WRITTEN, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_PUNCH, N(OWN_NODE), 0, 4096, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_FILL, N(OWN_NODE), 0, 8192, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_REAP, N(OWN_NODE)}, 0, NULL},
    {{PX_FS_FIFO, N(OWN_NODE), PLACE_VA, 4}, 0, NULL},
    {{PX_FS_BIND}, MEET(1, 1, "\1\0\0name")},
    {{PX_FS_BIND}, MEET(2, 2, "\2\0\0\0\177\0\0\1\0\0\0\0\0\0\0\0")},
    {{PX_FS_LISTEN}, MEET(1, 1, "\1\0\0name")},
    {{PX_FS_CONNECT}, MEET(1, 1, "\1\0\0name")},
    {{PX_FS_CONNECT}, MEET(2, 1, "\2\0\0\26\177\0\0\1\0\0\0\0\0\0\0\0")},
    {{PX_FS_ACCEPT}, MEET(1, 1, "\1\0\0name")},
    {{PX_FS_UNBOUND}, 0, NULL},
    {{PX_FS_AIM}, MEET(2, 2, "\2\0\20\0\177\0\0\1\0\0\0\0\0\0\0\0")},
    {{PX_FS_SEND},
     BEHIND(struct px_fs_letter, "letter", {.to = {.domain = 2, .type = 2, .name_bytes = 16, .name = "\2\0\20\0\177\0\0\1"}, .bytes = 6, .part = 6})},
    {{PX_FS_SEAL, N(OWN_NODE), 1, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_WATCH_NEW, 0, PLACE_VA}, 0, NULL},
    {{PX_FS_WATCH_ADD, N(FOLDER_NODE), IN_ALL_EVENTS, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_WATCH_REMOVE, 0, 1, 0, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_NOTICE, N(OTHER_NODE), IN_MODIFY}, 0, NULL},
    {{PX_FS_SHM, 0, PX_SHM_GET}, PAGE_OF(struct px_shm, {.key = 5, .size = 8192, .flags = IPC_CREAT | 0666})},
    {{PX_FS_SHM, 0, PX_SHM_ATTACH}, PAGE_OF(struct px_shm, {.id = 0})},
    {{PX_FS_SHM, 0, PX_SHM_STAT}, PAGE_OF(struct px_shm, {.flags = PX_SHM_BY_INDEX | PX_SHM_ANYBODY})},
    {{PX_FS_SHM, 0, PX_SHM_REMOVE}, PAGE_OF(struct px_shm, {.id = 0})},
    {{PX_FS_XATTR, N(OWN_NODE), PX_XATTR_SET}, BEHIND(struct px_xattr, "user.avalue", {0, 6, 5})},
    {{PX_FS_XATTR, N(OTHER_NODE), PX_XATTR_SET}, BEHIND(struct px_xattr, "user.avalue", {0, 6, 5})},
    {{PX_FS_XATTR, N(OWN_NODE), PX_XATTR_LIST}, BEHIND(struct px_xattr, "", {0, 0, 100})},
    {{PX_FS_EXECUTE, N(OWN_NODE), 1}, 0, NULL},
    {{PX_FS_PARCEL, PX_PARCEL_NEW, 0, 0, 0}, 0, NULL},
    {{PX_FS_PARCEL, PX_PARCEL_PUT, N(OWN_TOKEN)}, PAGE_OF(struct px_parcel_item, {.kind = PX_OFD_DEVICE, .place = {PX_PARCEL_NONE, PX_PARCEL_NONE}})},
    {{PX_FS_PARCEL, PX_PARCEL_TAKE, N(OWN_TOKEN), 0, 0}, 0, NULL},
    {{PX_FS_PARCEL, PX_PARCEL_DROP, N(OWN_TOKEN)}, 0, NULL},
    {{PX_FS_IPC, PX_IPC_SEM_GET}, PAGE_OF(struct px_ipc, {.key = 7, .count = 3, .flags = IPC_CREAT | 0666})},
    {{PX_FS_IPC, PX_IPC_SEM_OP}, BEHIND(struct px_ipc, "\0\0\1\0\0\10", {.count = 1})},
    {{PX_FS_IPC, PX_IPC_SEM_REMOVE}, PAGE_OF(struct px_ipc, {.id = 0})},
    {{PX_FS_IPC, PX_IPC_MSG_GET}, PAGE_OF(struct px_ipc, {.key = 7, .flags = IPC_CREAT | 0666})},
    {{PX_FS_IPC, PX_IPC_MSG_SEND}, BEHIND(struct px_ipc, "text", {.type = 1, .bytes = 4, .part = 4, .flags = PX_IPC_NOWAIT})},
    {{PX_FS_IPC, PX_IPC_MSG_RECEIVE}, PAGE_OF(struct px_ipc, {.bytes = 100, .flags = PX_IPC_NOWAIT})},
    {{PX_FS_IPC, PX_IPC_MSG_REMOVE}, PAGE_OF(struct px_ipc, {.id = 0})},
    {{PX_FS_IPC, PX_IPC_MQ_OPEN}, BEHIND(struct px_ipc, "queue", {.part = 5, .number = 6, .flags = 0100, .mode = 0600, .count = 4, .bytes = 64})},
    {{PX_FS_IPC, PX_IPC_MQ_UNLINK}, BEHIND(struct px_ipc, "queue", {.part = 5})},
    {{PX_FS_IPC, PX_IPC_COLLECT}, PAGE_OF(struct px_ipc, {.flags = PX_IPC_GIVE_UP})},
    {{PX_FS_IPC, PX_IPC_EXIT}, 0, NULL},
};
#endif
