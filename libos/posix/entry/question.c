/*
 * What processes ask each other (proto/trace.h). Who asks waits until the other has answered, has ended, or has been silent for a long time; he answers others'
 * questions meanwhile. Who is asked answers where events are taken, so its program notices nothing.
 */
#include "fd/procfs.h"
#include "fd/travel.h"
#include "px_arch.h"
#include "px_calls.h"
#include "trace.h"

#define GIVE_UP_NS (20 * PX_SECOND)
#define RETRY_NS 1000000ull
#define HEAD offsetof(struct px_question, data)
#define AT_ONCE 64u /* questions answered on one event */
#define PART_BYTES 4096u /* of memory moved at a time */

/* Waits for a while, or for an event, which may be a question. */
static void sleep_on(const uint32_t *word, uint32_t value, uint64_t deadline_ns)
{
    const struct exo_predicate same = {(uint64_t)word, value, EXO_WAIT_WORD};

    if (px_sleep(&same, 1, deadline_ns) == -EXO_E_EVENT)
        px_take_events();
}

static bool take_answer(struct px_question *question)
{
    memcpy(question, px_msg(), HEAD);
    if (question->bytes > PX_ASK_BYTES)
        return false;
    memcpy(question->data, (const uint8_t *)px_msg() + HEAD, question->bytes);
    return true;
}

static int64_t put_question(int32_t tid, const struct px_question *question, uint64_t deadline_ns, uint64_t *id)
{
    for (;;) {
        struct exo_message message = {.word = {PX_PROC_ASK, (uint64_t)(int64_t)tid}};
        int64_t status;

        memcpy(px_msg(), question, HEAD + question->bytes);
        status = px_call_proc(&message);
        *id = message.word[1];
        if (status != -EAGAIN || px_now_ns() > deadline_ns)
            return status;
        sleep_on(&px_ppage()->version, px_ppage()->version, px_now_ns() + RETRY_NS);
    }
}

int64_t px_ask(int32_t tid, struct px_question *question)
{
    uint64_t deadline = px_now_ns() + GIVE_UP_NS, id;
    int64_t status = question->bytes <= PX_ASK_BYTES ? put_question(tid, question, deadline, &id) : -EINVAL;

    while (status == 0) {
        uint32_t seq = __atomic_load_n(&px_ppage()->ask_seq, __ATOMIC_SEQ_CST);
        struct exo_message message = {.word = {PX_PROC_ANSWERED, id, px_now_ns() > deadline}};

        status = px_call_proc(&message);
        if (status == 0)
            return take_answer(question) ? (int64_t)message.word[1] : -EIO;
        if (status == -EAGAIN) {
            sleep_on(&px_ppage()->ask_seq, seq, deadline);
            status = 0;
        }
    }
    return status;
}

int64_t px_ask_proc(int32_t pid, enum px_ask kind, uint64_t object, uint64_t offset, uint64_t number, void *to, size_t bytes)
{
    struct px_question *question = px_alloc(sizeof(*question));
    int64_t result;

    if (!question)
        return -ENOMEM;
    *question = (struct px_question){.kind = kind, .word = {object, offset, number}};
    result = px_ask(pid, question);
    if (result >= 0)
        memcpy(to, question->data, question->bytes < bytes ? question->bytes : bytes);
    if (result >= 0 && kind != PX_ASK_THREADS)
        result = question->bytes < bytes ? question->bytes : (int64_t)bytes;
    px_free(question);
    return result;
}

int64_t px_ask_read(int32_t tid, uint64_t address, void *to, size_t bytes, unsigned as)
{
    struct px_question *question = px_alloc(sizeof(*question));
    size_t done = 0;
    int64_t result = question ? 0 : -ENOMEM;

    while (question && done < bytes) {
        size_t part = bytes - done < PX_ASK_BYTES ? bytes - done : PX_ASK_BYTES;

        *question = (struct px_question){.kind = PX_ASK_READ, .word = {address + done, part, as}};
        result = px_ask(tid, question);
        if (result <= 0)
            break;
        part = question->bytes < part ? question->bytes : part;
        memcpy((uint8_t *)to + done, question->data, part);
        done += part;
        if ((uint64_t)result < question->word[1])
            break;
    }
    px_free(question);
    return done ? (int64_t)done : result;
}

int64_t px_ask_write(int32_t tid, uint64_t address, const void *from, size_t bytes, unsigned as)
{
    struct px_question *question = px_alloc(sizeof(*question));
    size_t done = 0;
    int64_t result = question ? 0 : -ENOMEM;

    while (question && done < bytes) {
        size_t part = bytes - done < PX_ASK_BYTES ? bytes - done : PX_ASK_BYTES;

        *question = (struct px_question){.kind = PX_ASK_WRITE, .word = {address + done, part, as}, .bytes = (uint32_t)part};
        memcpy(question->data, (const uint8_t *)from + done, part);
        result = px_ask(tid, question);
        if (result <= 0 || (uint64_t)result > part)
            break;
        done += (size_t)result;
        if ((uint64_t)result < part)
            break;
    }
    px_free(question);
    return done ? (int64_t)done : result;
}

int64_t px_ask_move(int32_t pid, bool write, px_user program, uint64_t other, uint64_t bytes, unsigned as)
{
    uint8_t *part = px_alloc(PART_BYTES);
    uint64_t done = 0;
    int64_t result = part ? 0 : -ENOMEM;

    while (part && done < bytes) {
        size_t count = bytes - done < PART_BYTES ? bytes - done : PART_BYTES;

        if (write && px_copy_in(part, program + done, count) < 0)
            result = -EFAULT;
        else if (pid == px_self()->pid)
            result = (int64_t)(write ? px_memory_poke(other + done, part, count, as & PX_ASK_AS_FORCE) : px_memory_peek(part, other + done, count));
        else
            result = write ? px_ask_write(pid, other + done, part, count, as) : px_ask_read(pid, other + done, part, count, as);
        if (result > 0 && !write && px_copy_out(program + done, part, (size_t)result) < 0)
            result = -EFAULT;
        if (result <= 0)
            break;
        done += (uint64_t)result;
    }
    px_free(part);
    return done ? (int64_t)done : result;
}

/* ---- answering ------------------------------------------------------------------------------------------------------ */

/* From `first` on: as many as there is room for. */
static int64_t tell_threads(struct px_question *question, uint64_t first)
{
    int32_t tid[PX_ASK_BYTES / sizeof(int32_t)];
    unsigned count = 0, number = first < px_threads.made ? (unsigned)first : px_threads.made;

    for (; number < px_threads.made && count < sizeof(tid) / sizeof(tid[0]); number++)
        if (number == 0 || px_thread_number(number)->live)
            tid[count++] = px_thread_number(number)->tid;
    question->bytes = count * (uint32_t)sizeof(tid[0]);
    memcpy(question->data, tid, question->bytes);
    return number < px_threads.made ? number : 0;
}

static int64_t take_signal(const struct px_question *question)
{
    struct px_thread *thread = px_thread_find(question->tid);
    struct px_siginfo info;

    if (!thread)
        return -ESRCH;
    if (question->bytes < sizeof(info))
        return -EINVAL;
    memcpy(&info, question->data, sizeof(info));
    return px_signal_from_outside(thread, &info);
}

static int64_t give_descriptor(struct px_question *question)
{
    uint64_t ticket;
    int64_t result = px_parcel_lay((int)question->word[0], &ticket);

    memcpy(question->data, &ticket, sizeof(ticket));
    return result < 0 ? result : (int64_t)sizeof(ticket);
}

static int64_t answer(struct px_question *question)
{
    uint64_t bytes = question->word[1] < PX_ASK_BYTES ? question->word[1] : PX_ASK_BYTES;
    int64_t result;

    switch (question->kind) {
    case PX_ASK_TEXT: result = px_procfs_part((unsigned)question->word[0], (unsigned)question->word[2], question->word[1], question->data, PX_ASK_BYTES); break;
    case PX_ASK_LINK: result = px_procfs_own_link((unsigned)question->word[0], (unsigned)question->word[2], (char *)question->data, PX_ASK_BYTES); break;
    case PX_ASK_DESCRIPTOR: result = give_descriptor(question); break;
    case PX_ASK_THREADS: return tell_threads(question, question->word[1]);
    case PX_ASK_READ: result = (int64_t)px_memory_peek(question->data, question->word[0], bytes); break;
    case PX_ASK_WRITE:
        result = (int64_t)px_memory_poke(question->word[0], question->data, question->bytes, question->word[2] & PX_ASK_AS_FORCE);
        question->bytes = 0;
        return result > 0 || !bytes ? result : -EIO;
    case PX_ASK_ADVISE:
        question->bytes = 0;
        return px_advice_idle((int)question->word[2]) ? px_sys_madvise(question->word[0], question->word[1], question->word[2], 0, 0, 0) : -EINVAL;
    case PX_ASK_SIGNAL:
        result = take_signal(question);
        question->bytes = 0;
        return result;
    default: return px_trace_answer(question);
    }
    question->bytes = result > 0 ? (uint32_t)result : 0;
    return result == 0 && bytes && question->kind == PX_ASK_READ ? -EIO : result;
}

void px_ask_answer(void)
{
    struct px_question *question = px_alloc(sizeof(*question));

    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct exo_message message = {.word = {PX_PROC_QUESTION}};
        struct px_question *of = question ? question : px_msg();
        int64_t result = -ENOMEM;
        uint64_t id;

        if (px_call_proc(&message) < 0)
            break;
        id = message.word[1];
        if (question && take_answer(question))
            result = answer(question);
        if (result < 0)
            of->bytes = 0;
        if (question)
            memcpy(px_msg(), question, HEAD + question->bytes);
        message = (struct exo_message){.word = {PX_PROC_ANSWER, id, (uint64_t)result}};
        if (px_call_proc(&message) < 0)
            break;
    }
    px_free(question);
}
