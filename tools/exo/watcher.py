"""What ./exo debug, ./exo run --backtrace and ./exo inspect have in common: what gdb is told first. And the gdb that goes along with a guest."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from exo.archive import ImageFiles
from exo.build import ROOT
from exo.errors import ExoError

MARK, END = "==backtrace", "==end"
END_SECONDS = 20  # after the guest's end


def check_gdb():
    if not shutil.which("gdb"):
        raise ExoError("gdb is not installed", "as root, type: apt-get install --no-install-recommends gdb")


def save_image(folder, image):
    """Notes a boot image, a path or pieces, for gdb's side."""
    pieces = [(image, 0, os.path.getsize(image))] if isinstance(image, str) else image
    ImageFiles.save(os.path.join(folder, "image"), pieces)


def gdb_script(built, target, folder_here, programs):
    """What gdb does first. Sources are recorded relative to the tree."""
    folder = os.path.join(built.folder, "exo")
    posix = os.path.join(folder, "posix")
    lines = ["set confirm off", "set pagination off", "set architecture i386:x86-64", f"directory {ROOT}",
             f"set substitute-path build {built.folder}"]  # as cmake/flags.cmake maps them
    if os.path.exists(posix):
        lines.append(f"add-symbol-file {posix}")
    lines += [f'set $exo_built = "{built.folder}"', f'set $exo_folder = "{folder_here}"']
    if programs:
        lines += [f'set $exo_image = "{os.path.join(folder_here, "image")}"', f'set $exo_program = "{":".join(programs)}"']
    lines += [f"source {os.path.join(ROOT, 'tools', 'debugger', 'commands.py')}", f"target remote {target}"]
    return "\n".join(lines) + "\n"


class Companion:
    """gdb beside a guest: it does `then` when it has joined it, and goes when it goes. `target`: QEMU's -gdb; `folder`: to leave things in."""

    def __init__(self, built, then, programs=(), image=None):
        check_gdb()
        self._kept = tempfile.TemporaryDirectory(prefix="exo-gdb-")
        self.folder = self._kept.name
        socket = os.path.join(self.folder, "gdb")
        self.target = f"unix:{socket},server=on,wait=off"
        if programs:
            save_image(self.folder, image)
        script = os.path.join(self.folder, "gdb-commands")
        with open(script, "w") as file:
            file.write(gdb_script(built, socket, self.folder, programs) + f'set $exo_left = "{self.folder}"\n{then}\n')
        self._said = open(os.path.join(self.folder, "said"), "w+", errors="replace")
        # It is started before QEMU is, and waits for QEMU's socket.
        wait = 'while [ ! -S "$0" ]; do sleep 0.05; [ -d "$1" ] || exit; done; exec gdb -q -batch "$2" -x "$3"'
        self._gdb = subprocess.Popen(["/bin/sh", "-c", wait, socket, self.folder, built.kernel, script], stdin=subprocess.DEVNULL,
                                     stdout=self._said, stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        """The guest is gone: all that gdb has printed."""
        deadline = time.monotonic() + END_SECONDS
        while self._gdb.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._gdb.poll() is None:
            self._gdb.kill()
            self._gdb.wait()
        self._said.seek(0)
        return self._said.read()

    def close(self):
        self._said.close()
        self._kept.cleanup()


class Watcher(Companion):
    """Prints the way to each crash (tools/debugger/crashes.py)."""

    def __init__(self, built, image, programs):
        super().__init__(built, "python import crashes; crashes.watch()", programs, image)

    def end(self):
        for part in self.said().split(MARK + "\n")[1:]:
            print(part.partition(END)[0].rstrip(), file=sys.stderr)
        self.close()
