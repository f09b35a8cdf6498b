"""Programs of the host that run in the guest: `./prog` and `../dir/prog`.

The program lies in the guest where its name leads from the guest's working folder: `./build/prog`, started in /, is /build/prog, and
argv[0] stays as it was typed. `..` stops at the root, so `../x/prog` is /x/prog. A dynamically linked program brings its interpreter
and the libraries that the interpreter finds on this machine, at the same paths.
"""

import os
import re
import stat
import subprocess

from exo.archive import Tree
from exo.errors import ExoError

STATUS_NOT_EXECUTABLE = 126
STATUS_NOT_FOUND = 127
PT_INTERP = 3


def is_host_program(command):
    return command.startswith(("./", "../"))


def interpreter(path):
    """The ELF interpreter that a program asks for, or None."""
    with open(path, "rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:4] != b"\x7fELF" or head[4] != 2:
            return None
        offset = int.from_bytes(head[32:40], "little")
        size, count = int.from_bytes(head[54:56], "little"), int.from_bytes(head[56:58], "little")
        for index in range(min(count, 256)):
            file.seek(offset + index * size)
            entry = file.read(size)
            if len(entry) >= 56 and int.from_bytes(entry[:4], "little") == PT_INTERP:
                file.seek(int.from_bytes(entry[8:16], "little"))
                return os.fsdecode(file.read(min(int.from_bytes(entry[32:40], "little"), 4096)).rstrip(b"\0"))
    return None


def libraries(loader, path):
    """Paths of the libraries that the interpreter would load. It is asked itself: nobody knows better."""
    run = subprocess.run([loader, "--list", path], capture_output=True, text=True, errors="replace")
    if run.returncode != 0:
        missing = (run.stderr.strip() or run.stdout.strip()).splitlines()
        raise ExoError(f"{path}: its libraries cannot be found: {missing[0] if missing else loader}",
                       f"ldd {path} says which", status=STATUS_NOT_EXECUTABLE)
    found = []
    for line in run.stdout.splitlines():
        match = re.match(r"\s*(?:\S+ => )?(/\S+) \(0x", line)
        if match and match[1] != loader:
            found.append(match[1])
    return found


def add_program(tree, command, cwd):
    """Puts the host's program `command` into the tree, as seen from the guest's folder `cwd`."""
    try:
        status = os.stat(command)
    except OSError as error:
        raise ExoError(f"{command}: {error.strerror} (on this machine)",
                       "a name without a slash, or from /, is looked for in the guest", status=STATUS_NOT_FOUND) from error
    if not stat.S_ISREG(status.st_mode):
        raise ExoError(f"{command}: not a file", "give the path of a program", status=STATUS_NOT_EXECUTABLE)
    tree.host_file(os.path.join(cwd, command), command)
    loader = interpreter(command)
    if loader:
        if not os.path.exists(loader):
            raise ExoError(f"{command}: its interpreter {loader} is not on this machine", "install the package that has it",
                           status=STATUS_NOT_EXECUTABLE)
        for path in [loader, *libraries(loader, os.path.abspath(command))]:
            tree.host_file(path, path)


def extra_tree(command, cwd, overlays):
    """What is added to the image for one run, or None."""
    tree = Tree()
    for overlay in overlays:
        if not os.path.isdir(overlay):
            raise ExoError(f"--overlay {overlay}: no such folder", "give a folder whose tree is laid over the root")
        tree.host_tree(overlay)
    if is_host_program(command):
        if cwd != "/":
            tree.directory(cwd)
        add_program(tree, command, cwd)
    return tree if tree.entries else None
