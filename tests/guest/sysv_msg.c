/*
 * System V message queues: types, lengths, waiting on both sides, limits, removal, permissions; what is refused. The same on Linux.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))
#define KEY 0x65786f38
#define USER 4711
#define MOST 8192
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static struct text {
    long type;
    char bytes[MOST + 8];
} text;

static int status_of(pid_t child)
{
    int status;

    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : -1;
}

static int send(int id, long type, const char *bytes, size_t count, int flags)
{
    static struct text out;

    out.type = type;
    memcpy(out.bytes, bytes, count);
    return msgsnd(id, &out, count, flags);
}

static int send_word(int id, long type, const char *word)
{
    return send(id, type, word, strlen(word), IPC_NOWAIT);
}

/* Is this the next one of that type? */
static bool next(int id, long type, int flags, long of, const char *word)
{
    memset(&text, 0, sizeof text);
    return msgrcv(id, &text, MOST, type, flags | IPC_NOWAIT) == (ssize_t)strlen(word) && text.type == of && !strcmp(text.bytes, word);
}

static unsigned long messages(int id)
{
    struct msqid_ds stat;

    return msgctl(id, IPC_STAT, &stat) == 0 ? stat.msg_qnum : ~0ul;
}

static void test_basics(void)
{
    int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
    struct msqid_ds stat;

    CASE("made and found", id >= 0 && msgget(KEY, 0) == id && FAILS(msgget(KEY, IPC_CREAT | IPC_EXCL), EEXIST) && FAILS(msgget(KEY + 1, 0), ENOENT));
    CASE("nothing there", FAILS(msgrcv(id, &text, MOST, 0, IPC_NOWAIT), ENOMSG));
    CASE("sent", send_word(id, 3, "three") == 0 && send_word(id, 1, "one") == 0 && send_word(id, 2, "two") == 0 && send_word(id, 1, "uno") == 0);
    CASE("what it is", msgctl(id, IPC_STAT, &stat) == 0 && stat.msg_qnum == 4 && stat.__msg_cbytes == 14 && stat.msg_lspid == getpid() && stat.msg_lrpid == 0 &&
                           stat.msg_stime > 0 && stat.msg_rtime == 0 && stat.msg_qbytes >= 16384 && stat.msg_perm.mode == 0600 && stat.msg_perm.__key == KEY);
    CASE("by type", next(id, 2, 0, 2, "two"));
    CASE("the lowest up to two", next(id, -2, 0, 1, "one"));
    CASE("any but one", next(id, 1, MSG_EXCEPT, 3, "three"));
    CASE("too long", FAILS(msgrcv(id, &text, 2, 0, IPC_NOWAIT), E2BIG) && messages(id) == 1);
    CASE("none of this type", FAILS(msgrcv(id, &text, MOST, 9, IPC_NOWAIT), ENOMSG));
    CASE("cut off", msgrcv(id, &text, 2, 0, MSG_NOERROR) == 2 && !memcmp(text.bytes, "un", 2) && messages(id) == 0);
    CASE("no bytes at all", send(id, 5, "", 0, 0) == 0 && msgrcv(id, &text, 0, 0, 0) == 0 && text.type == 5);
    CASE("types that are none", FAILS(send_word(id, 0, "x"), EINVAL) && FAILS(send_word(id, -1, "x"), EINVAL));
    CASE("longer than may be", FAILS(send(id, 1, text.bytes, MOST + 1, 0), EINVAL) && FAILS(msgrcv(id, &text, (size_t)-1, 0, 0), EINVAL));
    CASE("nowhere", FAILS(msgsnd(id, (void *)8, 4, 0), EFAULT) && FAILS(msgsnd(-1, &text, 4, 0), EINVAL) && FAILS(msgrcv(id + 1, &text, 4, 0, 0), EINVAL));
    CASE("a copy stays there", send_word(id, 4, "copy") == 0 && (!next(id, 0, MSG_COPY, 4, "copy") ? errno == ENOSYS : messages(id) == 1) &&
                                   next(id, 0, 0, 4, "copy"));
    CASE("removed", msgctl(id, IPC_RMID, NULL) == 0 && FAILS(msgctl(id, IPC_STAT, &stat), EINVAL) && FAILS(msgget(KEY, 0), ENOENT));
}

static void test_long(void)
{
    int id = msgget(IPC_PRIVATE, 0600), sizes[] = {1, 200, 255, 256, 257, 3900, 4000, 4096, 5000, 8191, 8192};
    static char pattern[MOST];
    bool good = true;

    for (int i = 0; i < MOST; i++)
        pattern[i] = (char)(i * 7 + i / 256);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t bytes = (size_t)sizes[i];

        good = good && send(id, 1 + (long)i, pattern, bytes, IPC_NOWAIT) == 0;
        memset(&text, 1, sizeof text);
        good = good && msgrcv(id, &text, MOST, 0, IPC_NOWAIT) == (ssize_t)bytes && !memcmp(text.bytes, pattern, bytes) && text.bytes[bytes] == 1;
    }
    CASE("long ones arrive whole", good);
    CASE("the second half is nowhere", FAILS(msgrcv(id, (char *)8, MOST, 0, IPC_NOWAIT), ENOMSG) && messages(id) == 0);
    msgctl(id, IPC_RMID, NULL);
}

static void until_messages(int id, unsigned long count)
{
    while (messages(id) != count)
        usleep(1000);
}

static void handler(int signo)
{
    (void)signo;
}

static void test_waiting(void)
{
    int id = msgget(IPC_PRIVATE, 0600), started[2];
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    char byte;
    pid_t child;

    pipe(started);
    child = fork();
    if (child == 0) {
        write(started[1], "", 1);
        _exit(msgrcv(id, &text, MOST, 2, 0) == 3 && !memcmp(text.bytes, "two", 3) ? 3 : 4);
    }
    read(started[0], &byte, 1);
    usleep(20000);
    send_word(id, 1, "one");
    CASE("who waits for two gets two", send_word(id, 2, "two") == 0 && status_of(child) == 3 && messages(id) == 1);
    next(id, 0, 0, 1, "one");
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++)
            if (send(id, i + 1, text.bytes, 4000, 0))
                _exit(9);
        _exit(5);
    }
    until_messages(id, 4);
    usleep(20000);
    CASE("full", messages(id) == 4 && FAILS(send(id, 1, text.bytes, 4000, IPC_NOWAIT), EAGAIN));
    for (int i = 0; i < 10; i++)
        if (msgrcv(id, &text, MOST, 0, 0) != 4000 || text.type != i + 1)
            CASE("in their order", 0);
    CASE("all come", status_of(child) == 5 && messages(id) == 0);
    child = fork();
    if (child == 0) {
        sigaction(SIGUSR1, &action, NULL);
        write(started[1], "", 1);
        _exit(FAILS(msgrcv(id, &text, MOST, 0, 0), EINTR) ? 6 : 7);
    }
    read(started[0], &byte, 1);
    usleep(20000);
    kill(child, SIGUSR1);
    CASE("a signal, in spite of SA_RESTART", status_of(child) == 6);
    child = fork();
    if (child == 0) {
        write(started[1], "", 1);
        _exit(FAILS(msgrcv(id, &text, 2, 0, 0), E2BIG) ? 6 : 7);
    }
    read(started[0], &byte, 1);
    usleep(20000);
    CASE("one comes that is too long", send_word(id, 1, "long") == 0 && status_of(child) == 6 && messages(id) == 1);
    child = fork();
    if (child == 0) {
        write(started[1], "", 1);
        msgrcv(id, &text, MOST, 99, 0);
        _exit(1);
    }
    read(started[0], &byte, 1);
    usleep(20000);
    kill(child, SIGKILL);
    CASE("who was killed gets nothing", status_of(child) == 128 + SIGKILL && send_word(id, 99, "late") == 0 && next(id, 99, 0, 99, "late"));
    child = fork();
    if (child == 0) {
        write(started[1], "", 1);
        _exit(FAILS(msgrcv(id, &text, MOST, 99, 0), EIDRM) ? 6 : 7);
    }
    read(started[0], &byte, 1);
    usleep(20000);
    CASE("removed meanwhile", msgctl(id, IPC_RMID, NULL) == 0 && status_of(child) == 6);
}

static int stranger(int id, int writable)
{
    struct msqid_ds stat;

    if (setgid(USER) || setuid(USER))
        return 1;
    if (!FAILS(send_word(id, 1, "x"), EACCES) || !FAILS(msgrcv(id, &text, MOST, 0, IPC_NOWAIT), EACCES) || !FAILS(msgctl(id, IPC_RMID, NULL), EPERM) ||
        !FAILS(msgctl(id, IPC_STAT, &stat), EACCES))
        return 2;
    if (send_word(writable, 1, "x") || !FAILS(msgrcv(writable, &text, MOST, 0, IPC_NOWAIT), EACCES))
        return 3;
    id = msgget(IPC_PRIVATE, 0600);
    if (msgctl(id, IPC_STAT, &stat))
        return 4;
    stat.msg_qbytes *= 2;
    return !FAILS(msgctl(id, IPC_SET, &stat), EPERM) || (stat.msg_qbytes = 10, msgctl(id, IPC_SET, &stat)) ||
           !FAILS(send(id, 1, "0123456789a", 11, IPC_NOWAIT), EAGAIN) || msgctl(id, IPC_RMID, NULL);
}

static void test_permissions(void)
{
    int id = msgget(IPC_PRIVATE, 0600), writable = msgget(IPC_PRIVATE, 0622);
    pid_t child = fork();

    if (child == 0)
        _exit(stranger(id, writable));
    CASE("another user", status_of(child) == 0 && messages(writable) == 1);
    msgctl(id, IPC_RMID, NULL);
    msgctl(writable, IPC_RMID, NULL);
}

int main(void)
{
    test_basics();
    test_long();
    test_waiting();
    test_permissions();
    return tap_finish();
}
