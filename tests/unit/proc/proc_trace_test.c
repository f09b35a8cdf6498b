/*
 * Questions between processes, and who traces whom.
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include "fake.h"

#define OF_ALL 4u /* WEXITED */
#define STOP_STATUS PX_STOP_STATUS(SIGSTOP, 0)

static void set_user(uint32_t index, uint32_t uid)
{
    processes[index].uid = processes[index].euid = processes[index].suid = uid;
}

static struct px_question *page(uint32_t index)
{
    return (struct px_question *)fake_messages[index];
}

static int64_t put(uint32_t caller, uint32_t target, struct px_question question, uint64_t *id)
{
    *page(caller) = question;
    return ask_put(caller, processes[target].pid, id);
}

static const struct px_question look = {.kind = PX_ASK_READ, .word = {4096, 8}};

static void test_question(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first);
    uint64_t id, taken, result;

    CHECK(put(one, other, look, &id) == 0 && fake_ask_posts > 0);
    CHECK(ask_answered(one, id, false, &result) == -EAGAIN);
    CHECK(ask_answer(other, id, 8) == -ESRCH); /* it has not taken it */
    CHECK(ask_next(first, &taken) == -EAGAIN); /* it is not for everybody */
    CHECK(ask_next(other, &taken) == 0 && taken == id && page(other)->word[0] == 4096);
    *page(other) = (struct px_question){.bytes = 3, .data = "abc"};
    CHECK(ask_answer(first, id, 3) == -ESRCH);
    CHECK(ask_answer(other, id, 3) == 0 && fake_ppages[one].ask_seq == 1);
    CHECK(ask_answered(first, id, false, &result) == -ESRCH); /* nor is the answer */
    CHECK(ask_answered(one, id, false, &result) == 0 && result == 3 && memcmp(page(one)->data, "abc", 3) == 0);
    CHECK(ask_answered(one, id, false, &result) == -ESRCH);
    fake_check();
}

static void test_refusals(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first);
    uint64_t id;

    CHECK(put(one, one, look, &id) == -EINVAL);
    CHECK(put(one, other, (struct px_question){.kind = 77}, &id) == -EINVAL);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_READ, .bytes = PX_ASK_BYTES + 1}, &id) == -EINVAL);
    CHECK(put(one, INIT, look, &id) == -ESRCH);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_GET, .word = {PX_PART_REGS}}, &id) == -ESRCH);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_READ, .word = {0, 8, PX_ASK_AS_TRACER}}, &id) == -ESRCH);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_SIGNAL, .word = {65, (uint64_t)SI_TKILL}}, &id) == -EINVAL);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_SIGNAL, .word = {SIGTERM, SI_KERNEL}}, &id) == -EINVAL); /* no lies about who sends */
    set_user(one, 1000);
    CHECK(put(one, other, look, &id) == -EPERM);
    CHECK(put(one, other, (struct px_question){.kind = PX_ASK_SIGNAL, .word = {SIGTERM, (uint64_t)SI_TKILL}}, &id) == -EPERM);
    set_user(other, 1000);
    CHECK(put(one, other, look, &id) == 0);
    processes[other].dumpable = 0;
    CHECK(put(one, other, look, &id) == -EPERM);
    CHECK(ask_put(one, PX_TID_FIRST + (int32_t)(other << 9) + 1, &id) == -EPERM && ask_put(one, INT32_MAX, &id) == -ESRCH && ask_put(one, -1, &id) == -ESRCH);
    life_end(one, 0, true); /* and its question with it */
    fake_check();
}

static void test_silence(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first), third = fake_fork(first);
    uint64_t id[4], taken, result;

    for (unsigned i = 0; i < 3; i++)
        CHECK(put(one, other, look, &id[i]) == 0);
    CHECK(put(one, other, look, &id[3]) == -EAGAIN); /* three are enough of one asker */
    CHECK(put(third, other, look, &id[3]) == 0);
    CHECK(ask_answered(one, id[0], true, &result) == 0 && (int64_t)result == -EIO);
    CHECK(put(first, other, look, &id[0]) == -EIO); /* it is known to be silent */
    CHECK(ask_next(other, &taken) == 0 && taken == id[1]); /* in their order */
    CHECK(put(first, other, look, &id[0]) == 0);
    life_end(other, 0, true);
    CHECK(ask_answered(one, id[1], false, &result) == 0 && (int64_t)result == -ESRCH);
    CHECK(ask_answered(first, id[0], false, &result) == 0 && (int64_t)result == -ESRCH);
    life_end(third, 0, true); /* with an answer that nobody took */
    life_end(one, 0, true);
    fake_check();
}

static int64_t stop(uint32_t index, uint64_t status)
{
    uint64_t word[5] = {PX_PROC_TRACE, PX_TRACE_STOP, (uint64_t)processes[index].pid, status, 0};

    return trace_told(index, word);
}

static int64_t may_go(uint32_t index, uint64_t word[5])
{
    memcpy(word, (const uint64_t[5]){PX_PROC_TRACE, PX_TRACE_GO, (uint64_t)processes[index].pid}, 5 * sizeof(word[0]));
    return trace_told(index, word);
}

static int64_t trace(uint32_t tracer, uint64_t request, uint32_t index, uint64_t data)
{
    uint64_t answer;

    return trace_call(tracer, request, processes[index].pid, 0, data, &answer);
}

static void test_tracing(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first);
    struct wait_answer answer;
    uint64_t word[5];

    CHECK(trace(one, PTRACE_ATTACH, one, 0) == -EPERM && trace(one, PTRACE_CONT, other, 0) == -ESRCH);
    CHECK(trace(one, PTRACE_ATTACH, other, 0) == 0 && trace(first, PTRACE_ATTACH, other, 0) == -EPERM);
    CHECK(table_entry(other)->tracer == processes[one].pid);
    CHECK(wait_child(one, -1, OF_ALL, &answer) == 0 && answer.pid == 0); /* it counts as a child */
    CHECK(stop(other, 0x17f) == 0 && stop(one, STOP_STATUS) == -ESRCH && stop(other, 0x1234) == -EINVAL);
    CHECK(may_go(other, word) == -EAGAIN);
    CHECK(trace(first, PTRACE_CONT, other, 0) == -ESRCH && trace(one, PTRACE_CONT, other, 65) == -EIO);
    CHECK(wait_child(first, processes[other].pid, OF_ALL, &answer) == 0 && answer.pid == 0); /* its parent hears nothing */
    CHECK(wait_child(one, -1, OF_ALL, &answer) == 0 && answer.pid == processes[other].pid && answer.status == 0x17f && answer.trapped);
    CHECK(wait_child(one, -1, OF_ALL, &answer) == 0 && answer.pid == 0); /* once */
    CHECK(trace(one, PTRACE_SETOPTIONS, other, ~0ul) == -EINVAL && trace(one, PTRACE_LISTEN, other, 0) == -EIO);
    CHECK(trace(one, PTRACE_SYSCALL, other, SIGUSR1) == 0 && trace(one, PTRACE_SYSCALL, other, 0) == -ESRCH);
    CHECK(may_go(other, word) == 0 && word[1] == PX_GO_CALL && word[2] == SIGUSR1);
    life_end(other, 5 << 8, true);
    CHECK(wait_child(one, -1, OF_ALL, &answer) == 0 && answer.pid > 0 && answer.status == 5 << 8);
    CHECK(wait_child(one, -1, OF_ALL, &answer) == -ECHILD);
    fake_check();
}

static void test_ends(void)
{
    uint32_t first = fake_start(), tracer = fake_fork(first), one = fake_fork(first), other = fake_fork(first), second;
    uint64_t word[5];

    CHECK(trace(tracer, PTRACE_SEIZE, one, PTRACE_O_EXITKILL) == 0 && trace(tracer, PTRACE_ATTACH, other, 0) == 0);
    CHECK(stop(other, PX_STOP_STATUS(SIGUSR1, 0)) == 0);
    CHECK(trace(tracer, PTRACE_INTERRUPT, other, 0) == -EIO && trace(tracer, PTRACE_INTERRUPT, one, 0) == 0);
    life_end(tracer, 0, true);
    life_end_killed();
    CHECK(!is_alive(one) && is_alive(other));
    CHECK(fake_pending(other) & PX_SIGBIT(SIGUSR1)); /* the signal that the tracer was to decide about */
    CHECK(may_go(other, word) == -ESRCH && table_entry(other)->tracer == 0);
    second = fake_fork(first);
    CHECK(trace(second, PTRACE_ATTACH, other, 0) == 0);
    CHECK(may_go(other, word) == -ESRCH); /* it stopped for another one */
    CHECK(stop(other, STOP_STATUS) == 0 && trace(second, PTRACE_DETACH, other, SIGUSR2) == 0);
    CHECK(fake_pending(other) & PX_SIGBIT(SIGUSR2) && may_go(other, word) == -ESRCH);
    fake_check();
}

/* A traced process may say what it likes of its threads. */
static void test_threads(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first);
    uint64_t word[5] = {PX_PROC_TRACE, PX_TRACE_THREAD, 0, 0};
    int32_t tid = PX_TID_FIRST + (int32_t)(other << 9);
    unsigned made = 0;

    CHECK(trace_told(other, word) == -ESRCH);
    CHECK(trace(one, PTRACE_ATTACH, other, 0) == 0);
    word[2] = (uint64_t)processes[other].pid;
    word[3] = (uint64_t)processes[first].pid;
    CHECK(trace_told(other, word) == -EINVAL); /* not its own */
    word[3] = PX_TID_FIRST + (one << 9);
    CHECK(trace_told(other, word) == -EINVAL);
    for (word[3] = (uint64_t)tid + 1; trace_told(other, word) == 0; word[3]++)
        made++;
    CHECK(made == 255 && processes[other].tracees == 256);
    CHECK(trace_told(one, (uint64_t[5]){PX_PROC_TRACE, PX_TRACE_END, (uint64_t)tid + 1}) == -ESRCH);
    life_end(other, 0, true);
    life_end(one, 0, true);
    CHECK(trace(first, PTRACE_ATTACH, fake_fork(first), 0) == 0); /* all places are free again */
    fake_check();
}

int main(void)
{
    test_question();
    test_refusals();
    test_silence();
    test_tracing();
    test_ends();
    test_threads();
    printf("proc_trace_test: ok\n");
    return 0;
}
