"""exo symbols: a process's program, its dynamic loader and libraries, from the boot image, at their addresses."""

import os
import sys

import gdb

import kernel
from kernel import define, find_env

sys.path.append(os.path.join(kernel.ROOT, "tools"))
from exo.archive import ImageFiles, canonical  # noqa: E402

AT_PHDR, AT_BASE, AT_ENTRY = 3, 7, 9
DT_DEBUG = 21
PT_DYNAMIC, PT_INTERP = 2, 3
ET_DYN = 3
LIBRARIES_MOST = 500
loaded = {}  # guest path: (file here, offset) of what gdb has now


def image():
    """The files of the guest, as it was started; None when gdb does not know them (./exo debug --attach)."""
    if not hasattr(image, "files"):
        path = gdb.convenience_variable("exo_image")
        image.files = ImageFiles.load(path.string()) if path is not None else None
    return image.files


def fetch(path):
    """A file of the guest as one of this machine, or None: the image has none."""
    files = image()
    if files is None:
        raise gdb.GdbError("this gdb has joined a guest and does not know its files: add-symbol-file FILE -o OFFSET")
    data = files.read(path)
    if data is None or data[:4] != b"\x7fELF":
        return None
    target = os.path.join(gdb.convenience_variable("exo_folder").string(), "root", canonical(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        with open(target, "wb") as file:
            file.write(data)
    return target


class Elf:
    """What is needed of an ELF file's header: `type`, `entry`, `programs`: [(type, address, bytes, offset)]."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.type, self.entry = self.number(16, 2), self.number(24, 8)
        table, size, count = self.number(32, 8), self.number(54, 2), self.number(56, 2)
        self.programs = [(self.number(at, 4), self.number(at + 16, 8), self.number(at + 32, 8), self.number(at + 8, 8))
                         for at in range(table, table + size * count, size)]

    def number(self, at, count):
        return int.from_bytes(self.data[at:at + count], "little")

    def interpreter(self):
        return next((os.fsdecode(self.data[offset:offset + count].rstrip(b"\0")) for kind, _, count, offset in self.programs if kind == PT_INTERP), None)


def add(path, offset):
    """Adds a file's symbols; True when the image has it."""
    target = fetch(path)
    if target is None:
        return False
    if loaded.get(path) != (target, offset):
        gdb.execute(f"add-symbol-file {target} -o {offset:#x}", to_string=True)
        loaded[path] = (target, offset)
    print(f"{path} at {offset:#x}")
    return True


def forget():
    for path, (target, _) in list(loaded.items()):
        for objfile in gdb.objfiles():
            if objfile.filename == os.path.realpath(target) or objfile.filename == target:
                gdb.execute("remove-symbol-file " + target, to_string=True)
                break
        del loaded[path]


def begin():
    """The first program's, before it runs: all are loaded at the same address."""
    for path in gdb.convenience_variable("exo_program").string().split(":"):
        target = fetch(path)
        if target:
            return add(path, define("PX_PIE_BASE") if Elf(target).type == ET_DYN else 0)
    return False


def symbols(text):
    """symbols [N | NAME | pid N]: the symbols of a server, or of a process's program with its loader and libraries, in place of another's."""
    one = find_env(text)
    process = one.process
    if process is None:
        if one.name in ("rs", "proc", "fs", "tty"):
            target = os.path.join(kernel.built_folder(), "exo", one.name)
            if loaded.get(one.name) != (target, 0):
                forget()  # they share their addresses
                gdb.execute("add-symbol-file " + target, to_string=True)
                loaded[one.name] = (target, 0)
            print(one.name)
            return
        raise gdb.GdbError(f"environment {one.id} is no process and no server: its program is not known")
    path = process["exe"].string(errors="replace")
    vector = auxiliary(one)
    target = fetch(path)
    if target is None:
        raise gdb.GdbError(f"{path}: the boot image has no such program")
    elf = Elf(target)
    if AT_ENTRY not in vector:
        raise gdb.GdbError(f"process {one.pid} has not begun its program yet")
    wanted = [(path, vector[AT_ENTRY] - elf.entry)]
    if elf.interpreter() and vector.get(AT_BASE):
        wanted.append((elf.interpreter(), vector[AT_BASE]))
        wanted += libraries(one, elf, vector[AT_ENTRY] - elf.entry)
    keep = {name: offset for name, offset in wanted}
    if any(keep.get(name) != offset for name, (_, offset) in loaded.items()):
        forget()
    for name, offset in keep.items():
        if not add(name, offset):
            print(f"{name} at {offset:#x}: not in the boot image")


def word(one, va, count=8):
    data = one.read(va, count)
    if data is None:
        raise gdb.GdbError(f"environment {one.id} has no memory at {va:#x}")
    return int.from_bytes(data, "little")


def auxiliary(one):
    """The auxiliary vector that its program was started with: {AT_*: value}."""
    state = one.struct(int(kernel.variable("px_mm").address), "px_mm")
    if state is None:
        raise gdb.GdbError(f"the libOS of environment {one.id} is not there any more")
    found, at = {}, int(state["auxv"])
    for pair in range(min(int(state["auxv_bytes"]), kernel.PAGE) // 16):
        found[word(one, at + 16 * pair)] = word(one, at + 16 * pair + 8)
    return found


def libraries(one, elf, offset):
    """[(path, offset)] of what the dynamic loader has mapped, by its own list. Before it has one: none."""
    dynamic = next(((address + offset, count) for kind, address, count, _ in elf.programs if kind == PT_DYNAMIC), None)
    if dynamic is None or one.read(dynamic[0], 16) is None:
        return []
    debug = next((word(one, at + 8) for at in range(dynamic[0], dynamic[0] + dynamic[1], 16) if word(one, at) == DT_DEBUG), 0)
    found, at = [], word(one, debug + 8) if debug else 0
    for _ in range(LIBRARIES_MOST):
        if not at:
            break
        name = text_at(one, word(one, at + 8))
        if name.startswith("/"):
            found.append((name, word(one, at)))
        at = word(one, at + 24)
    return found


def text_at(one, va):
    out = b""
    while len(out) < 4096:
        byte = one.read(va + len(out), 1)
        if not byte or byte == b"\0":
            break
        out += byte
    return os.fsdecode(out)
