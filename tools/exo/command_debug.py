"""./exo debug: gdb on this terminal, the guest stopped at its first instruction."""

import os
import signal
import subprocess
import tempfile
import time

from exo import command_run
from exo.errors import ExoError
from exo.options import FLAG, VALUE, Option, Parser, choice
from exo.watcher import check_gdb, gdb_script, save_image

OPTIONS = [option for option in command_run.OPTIONS if option.name not in ("gdb", "dry-run", "build-only", "preset", "backtrace")] + [
    # The release build is optimised as a whole program: many functions are not there to stop at.
    Option("preset", VALUE, "NAME", "release or debug (debug)", "debug", check=choice("release", "debug")),
    Option("attach", FLAG, "", "join a guest that ./exo run --gdb started, on localhost:1234"),
    Option("help", FLAG, "", "this text"),
]
USAGE = """usage: ./exo debug [OPTIONS] [--] [CMD [ARG...]]

Boots with the machine stopped and runs gdb on this terminal, with the symbols of the kernel, the libOS and the program CMD (default: true), which
runs in the guest without standard input. For a guest with a terminal: ./exo run --gdb on one terminal, ./exo debug --attach on another.

In gdb, `exo` shows what the kernel has (N: a number, a name such as fs, or `pid 7`; without N: who runs):
  exo envs                      every environment, its zone, contexts, memory, capabilities and gas
  exo env [N]                   one, with each of its contexts, and what each waits for
  exo caps [N] [slot SLOT]      its capabilities; of one slot, all that it derives from and what derives from it
  exo pages [N] [at ADDRESS]    its page table: ranges with rights and frames; at an address, the walk
  exo frames [at PHYSICAL]      memory by zone; at a physical address, its frame and who maps it
  exo queues                    who runs, who is ready, who sleeps on which word, who stands at which endpoint; timers
  exo gas                       accounts, whose purse is whose, whom they stopped
  exo symbols [N]               of another server (fs, proc, tty, rs), or a process's program, its loader and libraries
Breakpoints are addresses in all address spaces, and programs share theirs: break main if $_exo_in("ls"). Options are those of ./exo run.
"""


def run_gdb(built, target, folder, programs=()):
    script = os.path.join(folder, "gdb-commands")
    with open(script, "w") as file:
        file.write(gdb_script(built, target, folder, programs))
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is gdb's
    return subprocess.run(["gdb", "-q", built.kernel, "-x", script]).returncode


def start_guest(values, built, socket, words, image):
    """./exo run in the background, waiting for gdb at a socket of its own."""
    values.built, values.kernel_log = built.folder, values.kernel_log or os.path.join(os.path.dirname(socket), "kernel.log")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()  # gdb's Ctrl-C must not end it
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            status, _ = command_run.start(values, words, f"unix:{socket},server=on,wait=off", image)
        finally:
            os._exit(status)
    for _ in range(500):
        if os.path.exists(socket):
            return child
        if os.waitpid(child, os.WNOHANG)[0]:
            raise ExoError("the guest ended before gdb could join", "see the messages above")
        time.sleep(0.01)
    raise ExoError("QEMU does not open its debug socket", "./exo doctor checks QEMU")


def main(arguments):
    parser = Parser("debug", OPTIONS, words_end_options=True)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    check_gdb()
    built = command_run.the_build(values)
    built.check()
    with tempfile.TemporaryDirectory(prefix="exo-debug-") as folder:
        if values.attach:
            return run_gdb(built, "localhost:1234", folder)
        words = values.words or ["/bin/true"]
        image = command_run.image_for(built, words[0], values)
        save_image(folder, image[0])
        child = start_guest(values, built, os.path.join(folder, "gdb"), words, image)
        try:
            return run_gdb(built, os.path.join(folder, "gdb"), folder, command_run.command_paths(values, words))
        finally:
            os.kill(child, signal.SIGTERM)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
