"""How deep the kernel's stack can get: a bound from its machine code, for each way into the kernel.

The code is followed from the first instruction of each function, and what instructions do to the stack pointer is added up; a function's bound is that
of its deepest call. Indirect calls go through tables of constants: each function at the same place of such a table may be meant, and where the
table is not known, each function whose address is taken. A cycle of calls would have no bound, and is an error.
"""

import os
import re
import struct
import subprocess

from exo.build import ROOT
from exo.errors import ExoError

STACK_SOURCE = os.path.join(ROOT, "kernel", "arch", "x86_64", "cpu.c")
WORD = 8
OPERATIONS_BYTES = 256  # at most, of a table of operations; larger ones are arrays, indexed by numbers
# Calls in circles, and how often at most a function is under way. The second panic halts. pay settles each of eight processors' shares once
# (kernel/sched/share.c). A zone that ends within the end of another only waits (kernel/zone/zone.c). What objects keep alive: a tally, its endpoint,
# its zone, what that tells. Page tables have four levels. A batch holds none (abi/exo.abi).
BOUNDED = {"panic": 2, "pay": 9, "zone_end_some": 1, "object_last_dropped": 6, "clear_level": 4, "decode_batch": 1}
REGISTERS = ("*%rax", "*%rbx", "*%rcx", "*%rdx", "*%rsi", "*%rdi", "*%rbp", *(f"*%r{number}" for number in range(8, 16)))
FILLING = ("nop", "nopw", "nopl", "xchg", "data16", "cs", "int3")
JUMPS_ON = ("jmp", "ret", "iretq", "sysretq", "ud2", "hlt")  # what comes next is not executed after these


def table_of(operands):
    """The address of the table that a jump or call takes its target from by a number, or 0."""
    match = re.fullmatch(r"\*(-?0x[0-9a-f]+)\(,%\w+,8\)", operands)
    return int(match[1], 16) & (1 << 64) - 1 if match else 0


class Image:
    """A kernel's symbols, code and constants, as binutils tell them."""

    def __init__(self, path):
        self.path = path
        self.functions, self.objects, more = {}, {}, []  # address -> name; address -> size
        for line in self._tool("readelf", "-sW"):
            words = line.split()
            if len(words) >= 8 and words[7] in ("kernel_entry_more", "kernel_entry_more_end"):
                more.append(int(words[1], 16))
            if len(words) >= 8 and words[3] in ("FUNC", "OBJECT") and words[6] not in ("UND", "ABS"):
                address, size = int(words[1], 16), int(words[2], 0)
                if words[3] == "FUNC" and ".cold" in words[7]:
                    continue  # a part of its function that lies elsewhere
                if words[3] == "FUNC":
                    self.functions[address] = words[7].split(".")[0] if address not in self.functions else self.functions[address]
                elif size:
                    self.objects[address] = size
        self.first, self.more = min(self.functions), range(*(sorted(more) or [0]))  # the entry code lies before the first, and there (kernel.ld)
        self.sections = []
        for line in self._tool("readelf", "-SW"):
            match = re.match(r"\s*\[ *\d+\] (\.rodata|\.data)\s+PROGBITS\s+(\w+) (\w+) (\w+)", line)
            if match:
                self.sections.append(tuple(int(text, 16) for text in match.groups()[1:]))
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.code, self.order = {}, []  # address -> (mnemonic, operands); addresses
        for line in self._tool("objdump", "-d", "--no-show-raw-insn"):
            match = re.match(r"^\s*([0-9a-f]+):\t(?:(?:lock|rep[nz]*|notrack|bnd) )*(\S+)\s*([^#<]*)", line)
            if match:
                address = int(match[1], 16)
                self.code[address] = (match[2], match[3].strip())
                self.order.append(address)
        self.tables = {at for _, operands in self.code.values() if (at := table_of(operands))}
        self.next = dict(zip(self.order, self.order[1:]))
        self.before = dict(zip(self.order[1:], self.order))

    def is_entry(self, address):
        return address < self.first or address in self.more

    def _tool(self, *words):
        run = subprocess.run([*words, self.path], capture_output=True, text=True)
        if run.returncode != 0:
            raise ExoError(f"{words[0]} cannot read {self.path}", run.stderr.strip().splitlines()[-1] if run.stderr else "")
        return run.stdout.splitlines()

    def word(self, address):
        """A constant of eight bytes, or None."""
        for start, offset, size in self.sections:
            if start <= address <= start + size - WORD:
                return struct.unpack_from("<Q", self.bytes, offset + address - start)[0]
        return None

    def table(self, address):
        """The functions in a row from an address on."""
        while self.word(address) in self.functions:
            yield self.word(address)
            address += WORD

    def places(self, operands):
        """Where the table of a switch leads: to instructions, which are no functions."""
        table, found = table_of(operands), set()
        address = table
        while table and (address == table or address not in self.tables) and (place := self.word(address)) in self.code and place not in self.functions:
            found.add(place)
            address += WORD
        return found

    def at_offset(self, offset):
        """The functions at this offset of a constant object."""
        return {self.word(address + offset) for address, size in self.objects.items()
                if offset + WORD <= size <= OPERATIONS_BYTES and self.word(address + offset) in self.functions}

    def taken(self):
        """The functions whose addresses are operands of instructions that are no jumps: what is handed to others to be called."""
        found = set()
        for mnemonic, operands in self.code.values():
            if mnemonic.startswith(("mov", "lea", "push")):
                found |= {value for text in re.findall(r"\$?(-?0x[0-9a-f]+)", operands) if (value := int(text, 16) & (1 << 64) - 1) in self.functions}
        return found


class Walk:
    """What one function does itself: how deep it gets, and whom it calls how deep."""

    def __init__(self, image, start):
        self.image = image
        self.deepest, self.calls = 0, {}  # calls: callee -> depth of the call
        self.start, self.seen = start, {}
        todo = [(start, 0, None)]
        while todo:
            address, depth, frame = todo.pop()
            if address in self.seen or address not in image.code:
                continue
            self.seen[address] = depth
            todo += self.step(address, depth, frame)

    def step(self, address, depth, frame):
        """The states after an instruction; takes notes."""
        mnemonic, operands = self.image.code[address]
        self.deepest = max(self.deepest, depth)
        if mnemonic.startswith("call"):
            self.note(address, operands, depth + WORD)
        elif mnemonic.startswith("j"):
            return self.jump(address, mnemonic, operands, depth, frame)
        else:
            depth, frame = moved(mnemonic, operands, depth, frame)
            self.deepest = max(self.deepest, depth)
        return [] if mnemonic in JUMPS_ON or self.never_returns(address) else [(self.image.next.get(address), depth, frame)]

    def never_returns(self, address):
        """A call at a function's end, such as panic's: behind it another function begins."""
        after = self.image.next.get(address)
        while after in self.image.code and after not in self.image.functions and self.image.code[after][0] in FILLING:
            after = self.image.next.get(after)
        return after in self.image.functions and after != self.start

    def jump(self, address, mnemonic, operands, depth, frame):
        after = [] if mnemonic == "jmp" else [(self.image.next.get(address), depth, frame)]
        if operands.startswith("*"):
            places = self.image.places(operands) if mnemonic == "jmp" else []
            if not places:
                self.note(address, operands, depth)
            return after + [(place, depth, frame) for place in places]
        target = int(operands.split()[0], 16)
        if target in self.image.functions and target != self.start:
            self.note(address, operands, depth)  # a call at the function's end
            return after
        return after + [(target, depth, frame)]

    def note(self, address, operands, depth):
        for callee in self.callees(address, operands):
            if self.image.is_entry(callee):
                continue  # back into the entry code, which takes an empty stack
            self.calls[callee] = max(self.calls.get(callee, 0), depth)

    def loaded(self, address, register):
        """What the instruction before read the register from, if that is a place of a structure."""
        mnemonic, operands = self.image.code[self.image.before[address]]
        match = re.fullmatch(r"((?:-?0x[0-9a-f]+)?\(%(?!rsp|rbp)\w+\)),(%\w+)", operands)
        return "*" + match[1] if mnemonic == "mov" and match and match[2] == register else None

    def callees(self, address, operands):
        image = self.image
        if not operands.startswith("*"):
            return [int(operands.split()[0], 16)]
        if operands in REGISTERS:
            operands = self.loaded(address, operands[1:]) or operands
        table = table_of(operands)
        field = re.fullmatch(r"\*(-?0x[0-9a-f]+)?\(%\w+\)", operands)
        if table:
            found = set(image.table(table))
        else:
            found = image.at_offset(int(field[1] or "0", 16)) if field else image.taken()
        if not found:
            raise ExoError(f"the call {operands} in {image.functions.get(self.start)} leads nowhere", "see tools/exo/stack.py")
        return found


def moved(mnemonic, operands, depth, frame):
    """Depth and the depth that the frame pointer has, after an instruction that is no jump."""
    number = re.match(r"\$(-?0x[0-9a-f]+)", operands)
    number = int(number[1], 16) if number else 0
    to_stack = operands.endswith(",%rsp")
    if mnemonic.startswith("push"):
        return depth + WORD, frame
    if mnemonic.startswith("pop"):
        return depth - WORD, frame
    if mnemonic.startswith("sub") and to_stack:
        return depth + (number if number < 1 << 63 else number - (1 << 64)), frame
    if mnemonic.startswith("add") and to_stack:
        return depth - (number if number < 1 << 63 else number - (1 << 64)), frame
    if mnemonic.startswith("and") and to_stack:
        return depth + (-number & 0xfff) - WORD, frame
    if mnemonic == "mov" and operands == "%rsp,%rbp":
        return depth, depth
    if mnemonic == "leave":
        return frame - WORD, frame
    if mnemonic == "mov" and operands == "%rbp,%rsp":
        return frame, frame
    if mnemonic == "lea" and to_stack:
        match = re.match(r"(-?0x[0-9a-f]+)\(%(rbp|rsp)\)", operands)
        if match and (match[2] == "rsp" or frame is not None):
            return (depth if match[2] == "rsp" else frame) - int(match[1], 16), frame
    return depth, frame


class Bounds:
    """How many bytes of stack a function and all that it calls may take, and the deepest chain of functions."""

    def __init__(self, image):
        self.image = image
        self.known = {}
        self.path, self.cycles = [], {}  # functions under way, with the depth at their entry; the bytes of a bounded cycle's one turn

    def name(self, function):
        return self.image.functions.get(function, hex(function))

    def of(self, function, depth=0):
        """(bytes, chain, what of it was left out: functions under way)"""
        if function in self.known:
            return *self.known[function], frozenset()
        at = max((at for at, (before, _) in enumerate(self.path) if before == function), default=None)
        if at is not None and self.name(function) in BOUNDED:
            self.cycles[function] = max(self.cycles.get(function, 0), depth - self.path[at][1])
            return 0, (), frozenset([function])
        if at is not None and not any(self.name(one) in BOUNDED for one, _ in self.path[at:]):
            raise ExoError("the kernel's stack has no bound: " + " calls ".join(self.name(one) for one, _ in self.path[at:] + [(function, 0)]))
        self.path.append((function, depth))
        walk = Walk(self.image, function)
        deepest, chain, left_out = walk.deepest, (), frozenset()
        for callee, below in walk.calls.items():
            more, names, cut = self.of(callee, depth + below)
            left_out |= cut
            if below + more > deepest:
                deepest, chain = below + more, names
        self.path.pop()
        if function in left_out:
            deepest += (BOUNDED[self.name(function)] - 1) * self.cycles[function]
            left_out -= {function}
        result = deepest, (self.name(function), *chain)
        if not left_out:
            self.known[function] = result
        return *result, left_out


def entries(image):
    """What the entry code calls: {name: address}."""
    found = {}
    for address in image.order:
        mnemonic, operands = image.code[address]
        if image.is_entry(address) and mnemonic in ("call", "jmp") and not operands.startswith("*"):
            target = int(operands.split()[0], 16)
            if target in image.functions:
                found[image.functions[target]] = target
    return found


def bounds(path):
    """[(entry, bytes, chain)], the deepest first. The entry code's own call is counted."""
    image = Image(path)
    known = Bounds(image)
    found = [(name, known.of(address)[0] + WORD, known.of(address)[1]) for name, address in entries(image).items()]
    return sorted(found, key=lambda row: -row[1])
