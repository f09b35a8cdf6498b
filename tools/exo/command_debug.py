"""./exo debug: gdb on this terminal, the guest stopped at its first instruction."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from exo import command_run
from exo.build import ROOT
from exo.errors import ExoError
from exo.options import FLAG, VALUE, Option, Parser, choice

OPTIONS = [option for option in command_run.OPTIONS if option.name not in ("gdb", "dry-run", "build-only", "preset")] + [
    # The release build is optimised as a whole program: many functions are not there to stop at.
    Option("preset", VALUE, "NAME", "release or debug (debug)", "debug", check=choice("release", "debug")),
    Option("attach", FLAG, "", "join a guest that ./exo run --gdb started, on localhost:1234"),
    Option("help", FLAG, "", "this text"),
]
USAGE = """usage: ./exo debug [OPTIONS] [--] [CMD [ARG...]]

Boots with the machine stopped and runs gdb on this terminal, with the symbols of the kernel and the libOS; `symbols fs` (or rs, proc,
tty) in gdb adds a server's. CMD (default: true) runs in the guest without standard input. For a guest with a terminal: ./exo run --gdb
on one terminal, ./exo debug --attach on another. Options are those of ./exo run.
"""


def gdb_script(built, target):
    """What gdb does first. Sources are recorded relative to the tree."""
    folder = os.path.join(built.folder, "exo")
    posix = os.path.join(folder, "posix")
    lines = ["set confirm off", "set pagination off", "set architecture i386:x86-64", f"directory {ROOT}",
             f"set substitute-path build {built.folder}"]  # as cmake/flags.cmake maps them
    if os.path.exists(posix):
        lines.append(f"add-symbol-file {posix}")
    lines += ["define symbols", f"add-symbol-file {folder}/$arg0", "end", "document symbols",
              "symbols NAME: adds the symbols of a server: rs, proc, fs or tty (they share their addresses).", "end",
              f"target remote {target}"]
    return "\n".join(lines) + "\n"


def run_gdb(built, target, folder):
    script = os.path.join(folder, "gdb-commands")
    with open(script, "w") as file:
        file.write(gdb_script(built, target))
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is gdb's
    return subprocess.run(["gdb", "-q", built.kernel, "-x", script]).returncode


def start_guest(values, built, socket, words):
    """./exo run in the background, waiting for gdb at a socket of its own."""
    values.built, values.kernel_log = built.folder, values.kernel_log or os.path.join(os.path.dirname(socket), "kernel.log")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setsid()  # gdb's Ctrl-C must not end it
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            status = command_run.start(values, words, f"unix:{socket},server=on,wait=off")
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
    if not shutil.which("gdb"):
        raise ExoError("gdb is not installed", "as root, type: apt-get install --no-install-recommends gdb")
    built = command_run.the_build(values)
    built.check()
    with tempfile.TemporaryDirectory(prefix="exo-debug-") as folder:
        if values.attach:
            return run_gdb(built, "localhost:1234", folder)
        child = start_guest(values, built, os.path.join(folder, "gdb"), values.words or ["/bin/true"])
        try:
            return run_gdb(built, os.path.join(folder, "gdb"), folder)
        finally:
            os.kill(child, signal.SIGTERM)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
