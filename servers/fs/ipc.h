/* Semaphores and message queues inside fs: permissions, who waits, messages' texts; sem.c, msg.c and mq.c are the three kinds. */
#ifndef FS_IPC_H
#define FS_IPC_H
#include "serve.h"
#include "sysv.h"

#define IPC_PRIVATE 0
#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_SEQ 32768

/* ---- what semaphores and queues of System V have in common (ipc.c) ---- */

struct ipc_object {
    bool used;
    uint16_t zone, seq;
    int32_t key;
    uint32_t uid, gid, cuid, cgid, mode;
    int64_t ctime;
};
/* Objects of one kind, in an array of larger structures that begin with one. */
struct ipc_table {
    uint8_t *first;
    uint32_t bytes, count;
    uint16_t seq;
};
struct ipc_object *ipc_at(const struct ipc_table *table, uint32_t place);
int32_t ipc_id(const struct ipc_table *table, const struct ipc_object *object);
struct ipc_object *ipc_find(const struct ipc_table *table, const struct fs_request *request, int32_t id);
/* By id or, with PX_IPC_BY_INDEX, place; readable unless PX_IPC_ANYBODY. 0 or -errno. */
int64_t ipc_look(const struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask, struct ipc_object **object);
bool ipc_may(const struct fs_caller *caller, const struct ipc_object *object, unsigned want);
bool ipc_owns(const struct fs_caller *caller, const struct ipc_object *object);
/* By key: *object, or NULL if one is to be made. 0 or -errno. */
int64_t ipc_get(const struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask, struct ipc_object **object);
/* A free place, filled in; NULL: none. */
struct ipc_object *ipc_make(struct ipc_table *table, const struct fs_request *request, const struct px_ipc *ask);
void ipc_tell(const struct ipc_table *table, const struct ipc_object *object, struct px_ipc *answer);
int64_t ipc_set(const struct fs_request *request, struct ipc_object *object, const struct px_ipc *ask);
int64_t ipc_highest(const struct ipc_table *table, const struct fs_request *request, struct px_ipc *answer); /* and `used` */
int64_t ipc_seconds(void);
const struct px_proc *ipc_process(const struct fs_request *request);

/* ---- messages (ipc_text.c): numbers, 0 is none ---- */

struct text_head {
    uint32_t next; /* in its queue */
    uint32_t bytes;
    int64_t type;
};
uint32_t text_new(uint32_t bytes); /* 0: no room */
void text_free(uint32_t text);
struct text_head *text_head(uint32_t text);
void text_write(uint32_t text, uint32_t offset, const void *from, uint32_t bytes);
void text_read(uint32_t text, uint32_t offset, void *to, uint32_t bytes);

/* ---- who waits (ipc.c) ---- */

enum wait_kind { WAIT_NONE, WAIT_SEM, WAIT_MSG_SEND, WAIT_MSG_RECEIVE, WAIT_MQ_SEND, WAIT_MQ_RECEIVE };
enum wait_state { SLOT_FREE, SLOT_FILLING, SLOT_WAITING, SLOT_DONE };
struct waiter {
    uint8_t state, kind;
    uint16_t object; /* place in the table */
    uint32_t index, gen; /* whose */
    int32_t pid;
    uint64_t turn;
    int64_t result;
    uint32_t text;     /* what is sent, or was received */
    int64_t type;      /* wanted, or sent */
    uint32_t bytes, flags, ready; /* room; MSG_*; of the text that has come */
    uint32_t blocked;  /* operation that cannot be done */
    uint32_t count;
    struct px_sembuf op[PX_SEMOPM];
};
extern struct waiter ipc_waiters[PX_IPC_SLOTS];
struct waiter *waiter_new(const struct fs_request *request, enum wait_kind kind, uint32_t object); /* state FILLING; NULL: no place */
struct waiter *waiter_of(const struct fs_request *request, uint32_t slot);
/* The next who waits for this after `turn`, or NULL. */
struct waiter *waiter_next(enum wait_kind kind, uint32_t object, uint64_t turn);
int64_t waiter_sleep(struct waiter *waiter, struct px_ipc *answer); /* PX_IPC_WAIT */
void waiter_done(struct waiter *waiter, int64_t result);
void waiter_free(struct waiter *waiter);
void waiters_end(enum wait_kind kind, uint32_t object, int64_t result);
extern struct px_ipc_words *ipc_words;

/* Takes a part of what is sent; *whole when it is all there: then waiter->text. 0 or -errno. */
int64_t ipc_take_part(struct fs_request *request, const struct px_ipc *ask, enum wait_kind kind, uint32_t object, uint32_t most,
                      struct waiter **waiter, bool *whole);
/* Gives the received text of the waiter, who is done: as much as fits, and the slot if there is more. */
int64_t ipc_give_text(struct fs_request *request, struct waiter *waiter, struct px_ipc *answer, uint32_t offset);

/* ---- the kinds ---- */

int64_t sem_call(struct fs_request *request, struct px_ipc *ask);
int64_t msg_call(struct fs_request *request, struct px_ipc *ask);
int64_t mq_call(struct fs_request *request, struct px_ipc *ask);
/* ---- what this asks of the system (system.c; tests have their own) ---- */

const struct px_proc *os_process(uint32_t index);
void os_wake(uint32_t *word);
/* Posts a signal, as the sender. */
void fs_signal(int32_t pid, uint32_t signo, int32_t code, int32_t sender, uint32_t uid, uint64_t value);
bool ipc_lives(uint32_t index, uint32_t gen);

#endif
