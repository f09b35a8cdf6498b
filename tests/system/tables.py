"""Page tables of a running guest, read from its memory through QEMU's monitor: nothing that the kernel may execute can be written by anybody."""

import os
import re
import socket
import struct

from exo.testing import Failed

PRESENT, WRITE, USER, LARGE, NO_EXEC = 1, 2, 4, 0x80, 1 << 63
ADDRESS = 0x000ffffffffff000
PAGE, ENTRIES = 4096, 512
DIRECT_MAP, KERNEL_BASE = 0xffffff8000000000, 0xffffffff80000000
CR4_SMEP, CR4_SMAP, CR0_WP, EFER_NX = 1 << 20, 1 << 21, 1 << 16, 1 << 11
MEMORY = 48 << 20
SCRIPT = """#!/bin/sh
exec {qemu} "$@" -monitor unix:{path},server=on,wait=off
"""


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.answer()

    def answer(self):
        seen = b""
        while not seen.endswith(b"(qemu) "):
            data = self.socket.recv(65536)
            if not data:
                raise Failed(f"the monitor ended after {seen!r}")
            seen += data
        return seen.decode(errors="replace")

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.answer()


class Memory:
    """What the guest's memory held; walks page tables in it."""

    def __init__(self, data):
        self.data = data

    def table(self, physical):
        return struct.unpack_from(f"<{ENTRIES}Q", self.data, physical)

    def walk(self, table, level=3, va=0, rights=WRITE | USER, no_exec=0, tables=None):
        """(address, bytes, physical, may be written, is the user's, executes) of each page, and the tables' own pages into `tables`."""
        tables.add(table)
        for index, entry in enumerate(self.table(table)):
            if not entry & PRESENT:
                continue
            here = va | index << 12 + 9 * level
            if level == 3 and index >= ENTRIES // 2:
                here |= 0xffff << 48
            allowed, forbidden = rights & entry, no_exec | entry & NO_EXEC
            if level == 0 or entry & LARGE:
                size = PAGE << 9 * level
                yield here, size, entry & ADDRESS & ~(size - 1), bool(allowed & WRITE), bool(allowed & USER), not forbidden
            else:
                yield from self.walk(entry & ADDRESS, level - 1, here, allowed, forbidden, tables)

    def roots(self, one):
        """Root tables: all share the kernel's half."""
        half = self.data[one + PAGE // 2:one + PAGE]
        return [at for at in range(0, len(self.data), PAGE) if self.data[at + PAGE // 2:at + PAGE] == half]


def offences(memory, roots, text, constant):
    """What is wrong with the mappings. `text`, `constant`: physical ranges of the kernel's code, and of its code and constants."""
    tables, pages, found = set(), [], []
    for root in roots:
        pages += [(root, *page) for page in memory.walk(root, tables=tables)]
    for root, va, size, physical, writes, user, executes in pages:
        name = f"root {root:x}: {va:x} -> {physical:x}"
        upper = va >> 63
        if upper and user:
            found.append(f"{name} is the kernel's, and ring 3 reaches it")
        if upper and executes and (writes or not text[0] <= physical < text[1]):
            found.append(f"{name} can be executed by the kernel{', and written' if writes else ', and is none of its code'}")
        if not upper and not user and executes:
            found.append(f"{name} is a user's page that the kernel can execute, even where SMEP watches")
        if writes and physical < constant[1] and physical + size > constant[0]:
            found.append(f"{name} makes the kernel's code or constants writable")
        if not upper and any(physical <= table < physical + size for table in tables):
            found.append(f"{name} shows a user a page table")
    return found, len(pages)


def snapshot(t):
    """Memory, registers and the kernel's symbols of a guest in which a shell runs."""
    path, wrapper = os.path.join(t.folder, "monitor"), os.path.join(t.folder, "qemu.sh")
    with open(wrapper, "w") as file:
        file.write(SCRIPT.format(qemu=os.environ.get("EXO_QEMU") or "qemu-system-x86_64", path=path))
    os.chmod(wrapper, 0o755)
    terminal = t.guest_terminal("sh", "-c", "cat /proc/self/maps | tail -1; (sleep 9 &); echo ready; sleep 9", options=["--memory", f"{MEMORY >> 20}M"],
                                timeout=100, env={"EXO_QEMU": wrapper})
    terminal.expect(b"ready", 60)
    monitor = Monitor(path)
    monitor.ask("stop")
    registers = monitor.ask("info registers")
    dump = os.path.join(t.folder, "memory")
    monitor.ask(f'pmemsave 0 {MEMORY} "{dump}"')
    with open(dump, "rb") as file:
        data = bytearray(file.read())
    os.unlink(dump)
    monitor.socket.sendall(b"quit\n")
    terminal.wait(20)
    t.equal(len(data), MEMORY, "bytes of memory")
    symbols = t.command("nm", os.path.join(t.built, "kernel.elf")).stdout.decode()
    return (Memory(data), {name: int(value, 16) for name, value in re.findall(r"\b(CR0|CR3|CR4|EFER)=([0-9a-f]+)", registers)},
            {name: int(value, 16) for value, name in re.findall(r"^([0-9a-f]+) \w (kernel_\w+)$", symbols, re.M)})


def page_tables(t):
    memory, registers, symbols = snapshot(t)
    text = symbols["kernel_text"] - KERNEL_BASE, symbols["kernel_text_end"] - KERNEL_BASE
    constant = text[0], symbols["kernel_rodata_end"] - KERNEL_BASE
    current = registers["CR3"] & ADDRESS
    roots = memory.roots(current)
    t.check(registers["CR4"] & CR4_SMEP and registers["CR0"] & CR0_WP and registers["EFER"] & EFER_NX, f"the processor does not watch: {registers}")
    t.check(current in roots and len(roots) >= 5, f"{len(roots)} address spaces: a shell, a sleeper and the servers have more")
    found, pages = offences(memory, roots, text, constant)
    print(f"{pages} mappings in {len(roots)} address spaces")
    t.check(not found, "\n".join(found[:20]))
    # The walk sees what it should: the kernel's first page of code, made writable, in the direct map and where it runs.
    for va in DIRECT_MAP + text[0], KERNEL_BASE + text[0]:
        table = current
        for level in 3, 2, 1:
            table = memory.table(table)[va >> 12 + 9 * level & 511] & ADDRESS
        at = table + (va >> 12 & 511) * 8
        memory.data[at] |= WRITE
        t.check(offences(memory, roots[:1], text, constant)[0], f"writable code at {va:x} was not found")
        memory.data[at] &= ~WRITE


def cases(_):
    yield "page-tables", page_tables, 150
