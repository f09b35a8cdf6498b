/* Notes among what the kernel records: of the present thread. */
#ifndef PX_TRACE_NOTE_H
#define PX_TRACE_NOTE_H
#include "entry/thread.h"

void px_trace_note_call(uint64_t number, const uint64_t arguments[6]);
/* `renamed`: the process has another name now. */
void px_trace_note_return(uint64_t number, int64_t result, bool renamed);
void px_trace_note_signal(int signo);
void px_trace_note_exit(int status);

#endif
