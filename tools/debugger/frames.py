"""Backtraces from the kernel through the libOS to the program. The entry code says in its CFI where the registers of ring 3 are (entry.S of both); here is
what is left: a program's rewritten system calls, and the names of those frames, which gdb takes for signal handlers."""

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

STUB_BYTES = 16  # libos/posix/arch/x86_64/rewrite.c: lea after(%rip), %rcx; jmp *entry(%rip)
LEA, JUMP_THROUGH, JUMP = b"\x48\x8d\x0d", b"\xff\x25", 0xe9
KEPT = ("rbx", "rbp", "r12", "r13", "r14", "r15")


def read(address, count):
    try:
        return gdb.selected_inferior().read_memory(address, count).tobytes()
    except gdb.MemoryError:
        return b""


def goes_on(pc):
    """Where the program goes on whose rewritten system call is at pc, which is in a stub or jumps to one; None: it is no such place."""
    code = read(pc, 5)
    if len(code) == 5 and code[0] == JUMP:
        pc = pc + 5 + int.from_bytes(code[1:], "little", signed=True)
    stub = pc & -STUB_BYTES
    code = read(stub, STUB_BYTES)
    if pc - stub in (0, 7) and code[:3] == LEA and code[7:9] == JUMP_THROUGH:
        return stub + 7 + int.from_bytes(code[3:7], "little", signed=True)
    return None


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Rewritten(Unwinder):
    """In a stub all registers are the program's."""

    def __init__(self):
        super().__init__("exo-rewritten")

    def __call__(self, frame):
        pc = int(frame.read_register("rip")) & (1 << 64) - 1
        after = goes_on(pc) if pc >> 47 == 0 else None
        if after is None:
            return None
        sp = frame.read_register("rsp")
        info = frame.create_unwind_info(FrameId(sp, gdb.Value(pc)))
        info.add_saved_register("rip", gdb.Value(after).cast(frame.read_register("rip").type))
        info.add_saved_register("rsp", sp)
        for name in KEPT:
            info.add_saved_register(name, frame.read_register(name))
        return info


class Entry(FrameDecorator):
    """The entry code of the kernel or the libOS."""

    def function(self):
        frame = self.inferior_frame()
        if frame.type() == gdb.SIGTRAMP_FRAME:
            text = gdb.execute(f"info symbol {frame.pc():#x}", to_string=True)
            if not text.startswith("No symbol"):
                return text.split()[0]
        return super().function()


class Names:
    """The frame filter that puts the names in."""

    def __init__(self):
        self.name, self.priority, self.enabled = "exo-entries", 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        return map(Entry, frames)


register_unwinder(None, Rewritten(), replace=True)
Names()
