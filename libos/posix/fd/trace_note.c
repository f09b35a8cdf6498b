/* ./exo trace: calls, as notes among what the kernel records (proto/record.h). Names come again from time to time: what is old is overwritten. */
#include "trace_note.h"

#include <exo/calls.h>

#include "proto/record.h"

#define NAMED_EVERY 256u /* calls */

static int32_t named; /* the process whose name was noted last, */
static unsigned since; /* so many calls ago */

static void note(unsigned kind, uint64_t number, uint64_t a, uint64_t b)
{
    (void)!exo_trace_note(kind | number << 4, a, b);
}

static uint64_t speaker(void)
{
    uint32_t pid = (uint32_t)px_self()->pid;

    return (uint64_t)pid << 32 | (px_threads.many ? (uint32_t)px_thread()->tid : pid);
}

static void note_name(void)
{
    uint64_t words[2];

    memcpy(words, px_self()->comm, sizeof words);
    note(PX_NOTE_NAME, 0, words[0], words[1]);
    named = px_self()->pid;
    since = 0;
}

void px_trace_note_call(uint64_t number, const uint64_t arguments[6])
{
    note(PX_NOTE_CALL, number, arguments[0], speaker());
    if (named != px_self()->pid || ++since >= NAMED_EVERY)
        note_name();
}

void px_trace_note_return(uint64_t number, int64_t result, bool renamed)
{
    note(PX_NOTE_RETURN, number, (uint64_t)result, speaker());
    if (renamed)
        note_name();
}

void px_trace_note_signal(int signo)
{
    note(PX_NOTE_SIGNAL, 0, (uint64_t)signo, speaker());
}

void px_trace_note_exit(int status)
{
    note(PX_NOTE_EXIT, 0, (uint64_t)status, speaker());
}
