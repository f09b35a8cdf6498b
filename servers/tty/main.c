/* tty's start and main loop. */
#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/clock.h>
#include <exo/format.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/string.h>

#include "host.h"
#include "service.h"

#define TERMINALS_VA 0x10000000000ul

struct service service;

uint64_t now_ns(void)
{
    return exo_clock_ns((const struct exo_info *)service.start->info_va);
}

void say(const char *format, ...)
{
    char line[200];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    exo_vformat(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    length = strlen(line);
    line[length++] = '\n';
    (void)!exo_console_write(service.start->machine, line, length); /* nobody left to tell */
}

/* The page of sequence words, which proc passes on to processes. */
static void make_page(void)
{
    const struct px_server_start *start = service.start;

    if (exo_alloc_all(start->self, PX_TTYPAGE, 1, EXO_PROT_READ | EXO_PROT_WRITE, NULL) < 0 ||
        exo_share_all(start->env_proc, PX_TTYPAGE, PX_TTYPAGE, 1, EXO_SHARE_SAME | EXO_PROT_READ) < 0) {
        say("tty: the page of sequence words could not be made");
        __builtin_trap();
    }
    service.page = (struct px_ttypage *)PX_TTYPAGE;
    service.page->version = 1;
}

static void take_note(const struct exo_message *message)
{
    uint64_t bits = message->word[1];

    if (message->word[0] != EXO_NOTE_NOTIFY)
        return;
    if (bits & NOTE_INTERRUPT)
        host_interrupt();
    if (bits & (PX_NOTE_PROCESS | PX_NOTE_FIRST_DONE))
        processes_changed();
}

/* Serves a call or a notification, if one waits. */
static void serve_one(void)
{
    struct exo_message message;

    if (exo_ep_recv(service.start->endpoint, &message, EXO_DEADLINE_NOW) < 0)
        return;
    if (message.badge == EXO_BADGE_KERNEL)
        take_note(&message);
    else
        serve(&message);
}

_Noreturn void exo_main(const struct px_server_start *start);
_Noreturn void exo_main(const struct px_server_start *start)
{
    service.begun_tsc = exo_arch_cycles();
    service.start = start;
    service.table = (const void *)PX_PROCTAB;
    service.terminals_va = TERMINALS_VA;
    make_page();
    if (!terminal_new(PX_TTY_CONSOLE, false)) {
        say("tty: no memory for the console terminal");
        __builtin_trap();
    }
    service.terminal[PX_TTY_CONSOLE]->line.termios.iflag |= PX_IUTF8;
    host_start();
    for (;;) {
        bool moved = host_turn();

        proc_send_all();
        terminals_count();
        if (moved || host_sleep())
            serve_one();
    }
}
