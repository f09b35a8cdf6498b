/*
 * Calls that only read what this process knows about itself: entered directly they run like any function of the program, on its stack, with
 * nothing saved and nothing masked. A signal may interrupt them anywhere, and a handler may come back into them.
 */
#include "entry.h"
#include "px_calls.h"

px_call *const px_simple[PX_SIMPLE_CALLS] = {
    [39] = px_sys_getpid,   [102] = px_sys_getuid,   [104] = px_sys_getgid,   [107] = px_sys_geteuid,
    [108] = px_sys_getegid, [110] = px_sys_getppid,  [111] = px_sys_getpgrp,  [186] = px_sys_gettid,
};
