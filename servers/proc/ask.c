/*
 * What processes ask each other (libos/posix/proto/trace.h). proc keeps a copy of each question until it is answered, and of the answer until it is taken, so
 * neither side has to trust the other's memory. Who is asked and does not answer keeps nobody but his asker waiting, and that one as long as he likes; after
 * that nobody asks him before he has taken what waits for him.
 */
#include "proc.h"

#include <exo/string.h>

#define QUESTIONS 32u
#define QUESTIONS_EACH 3u /* of one asker at a time */
#define HEAD offsetof(struct px_question, data)

enum { NONE, WAITS, TAKEN, ANSWERED };
static struct {
    uint32_t state, asker, target; /* indices */
    uint32_t id;
    int64_t result;
    struct px_question *question; /* a page, made when the place is first used */
} questions[QUESTIONS];
_Static_assert(sizeof(struct px_question) <= PX_PAGE, "a page for it");
static uint32_t last_id, used; /* used: so many are not NONE */

static void bump(uint32_t *word)
{
    __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    machine_wake(word);
}

uint32_t ask_target(uint32_t caller, int32_t tid)
{
    uint32_t index = tid < PX_TID_FIRST ? table_find(tid) : PX_TID_INDEX(tid);

    if (tid <= 0 || index <= INIT || index >= table_end() || !is_alive(index) || processes[index].killed)
        return 0;
    return zone_sees(processes[caller].zone, index) ? index : 0;
}

static int64_t make_siginfo(uint32_t caller, uint32_t target, struct px_question *question)
{
    int32_t code = (int32_t)question->word[1];
    const struct px_siginfo info = {.signo = (int32_t)question->word[0],
                                    .code = code == SI_TKILL ? SI_TKILL : kill_code(code),
                                    .errno_ = (int32_t)(question->word[1] >> 32),
                                    .pid = processes[caller].pid,
                                    .uid = (int32_t)processes[caller].uid,
                                    .value = question->word[2]};

    if (question->word[0] > SIGNAL_MAX || code >= 0)
        return -EINVAL;
    if (!kill_allowed(caller, target, question->word[0]))
        return -EPERM;
    memcpy(question->data, &info, sizeof(info));
    question->bytes = sizeof(info);
    return 0;
}

static int64_t permit(uint32_t caller, uint32_t target, struct px_question *question)
{
    switch (question->kind) {
    case PX_ASK_TEXT:
    case PX_ASK_LINK:
    case PX_ASK_DESCRIPTOR:
    case PX_ASK_ADVISE:
    case PX_ASK_THREADS: return trace_may(caller, target, false) ? 0 : -EPERM;
    case PX_ASK_READ:
    case PX_ASK_WRITE:
        if (question->word[2] & PX_ASK_AS_TRACER)
            return trace_by(caller, question->tid, true) ? 0 : -ESRCH;
        return trace_may(caller, target, false) ? 0 : -EPERM;
    case PX_ASK_SIGNAL: return make_siginfo(caller, target, question);
    case PX_ASK_ATTACH:
    case PX_ASK_INTERRUPT: return trace_by(caller, question->tid, false) ? 0 : -ESRCH;
    case PX_ASK_GET:
    case PX_ASK_SET: return trace_by(caller, question->tid, true) ? 0 : -ESRCH;
    default: return -EINVAL;
    }
}

/* A place, or QUESTIONS. */
static uint32_t place_for(uint32_t caller)
{
    uint32_t free = QUESTIONS, own = 0;

    for (uint32_t at = 0; at < QUESTIONS; at++) {
        if (questions[at].state == NONE)
            free = at;
        else
            own += questions[at].asker == caller;
    }
    return own < QUESTIONS_EACH ? free : QUESTIONS;
}

static uint32_t find(uint32_t id, uint32_t state)
{
    for (uint32_t at = 0; at < QUESTIONS; at++)
        if (questions[at].state == state && questions[at].id == id)
            return at;
    return QUESTIONS;
}

static void put_away(uint32_t at)
{
    questions[at].state = NONE;
    used--;
}

/* Copies the head first: the page is the client's. */
static bool take_in(struct px_question *to, uint32_t client)
{
    const struct px_question *from = machine_message(client);

    memcpy(to, from, HEAD);
    if (to->bytes > PX_ASK_BYTES)
        return false;
    memcpy(to->data, from->data, to->bytes);
    return true;
}

static void give_out(const struct px_question *from, uint32_t client)
{
    memcpy(machine_message(client), from, HEAD + from->bytes);
}

int64_t ask_put(uint32_t caller, int32_t tid, uint64_t *id)
{
    uint32_t target = ask_target(caller, tid), at = place_for(caller);
    struct px_question *question;
    int64_t status;

    if (!target)
        return -ESRCH;
    if (target == caller)
        return -EINVAL;
    if (processes[target].mute)
        return -EIO;
    if (at == QUESTIONS)
        return -EAGAIN;
    if (!questions[at].question)
        questions[at].question = machine_page();
    question = questions[at].question;
    if (!question)
        return -ENOMEM;
    if (!take_in(question, caller))
        return -EINVAL;
    question->tid = tid;
    status = permit(caller, target, question);
    if (status < 0)
        return status;
    questions[at].state = WAITS;
    questions[at].asker = caller;
    questions[at].target = target;
    questions[at].id = ++last_id;
    used++;
    *id = last_id;
    machine_post_ask(processes[target].lent ? processes[target].maker : target); /* who will have it claimed */
    return 0;
}

void ask_claimed(uint32_t index)
{
    for (uint32_t at = 0; used > 0 && at < QUESTIONS; at++)
        if (questions[at].state == WAITS && questions[at].target == index)
            machine_post_ask(index);
}

int64_t ask_answered(uint32_t caller, uint64_t id, bool give_up, uint64_t *result)
{
    for (uint32_t at = 0; at < QUESTIONS; at++) {
        if (questions[at].state == NONE || questions[at].id != id || questions[at].asker != caller)
            continue;
        if (questions[at].state == ANSWERED) {
            *result = (uint64_t)questions[at].result;
            give_out(questions[at].question, caller);
        } else if (give_up) {
            processes[questions[at].target].mute = true;
            *result = (uint64_t)-EIO;
        } else {
            return -EAGAIN;
        }
        put_away(at);
        return 0;
    }
    return -ESRCH;
}

int64_t ask_next(uint32_t caller, uint64_t *id)
{
    uint32_t first = QUESTIONS;

    processes[caller].mute = false;
    for (uint32_t at = 0; at < QUESTIONS; at++)
        if (questions[at].state == WAITS && questions[at].target == caller && (first == QUESTIONS || questions[at].id - questions[first].id > UINT32_MAX / 2))
            first = at;
    if (first == QUESTIONS)
        return -EAGAIN;
    questions[first].state = TAKEN;
    give_out(questions[first].question, caller);
    *id = questions[first].id;
    return 0;
}

int64_t ask_answer(uint32_t caller, uint64_t id, int64_t result)
{
    uint32_t at = find((uint32_t)id, TAKEN);
    uint32_t kind;
    int32_t tid;

    if (at == QUESTIONS || questions[at].target != caller)
        return -ESRCH;
    kind = questions[at].question->kind;
    tid = questions[at].question->tid;
    if (!take_in(questions[at].question, caller)) {
        questions[at].question->bytes = 0;
        result = -EIO;
    }
    if (kind == PX_ASK_ATTACH && result < 0)
        trace_refused(questions[at].asker, tid);
    questions[at].result = result;
    questions[at].state = ANSWERED;
    bump(&machine_ppage(questions[at].asker)->ask_seq);
    return 0;
}

void ask_ended(uint32_t index)
{
    for (uint32_t at = 0; used > 0 && at < QUESTIONS; at++) {
        if (questions[at].state == NONE)
            continue;
        if (questions[at].asker == index) {
            put_away(at);
        } else if (questions[at].target == index && questions[at].state != ANSWERED) {
            questions[at].result = -ESRCH;
            questions[at].question->bytes = 0;
            questions[at].state = ANSWERED;
            bump(&machine_ppage(questions[at].asker)->ask_seq);
        }
    }
}
