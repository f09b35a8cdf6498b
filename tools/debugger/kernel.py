"""The kernel's objects as gdb's Python finds them: by the debug information of the kernel that runs, so nothing here knows an offset.

Environments' memory is read through their page tables, whatever address space the processor is in. Everything that is followed may be in the middle of a
change, or spoiled (a process page is its process's): each walk is bounded, and says where it gave up.
"""

import functools
import os
import re

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = 4096
LIST_MOST = 100000  # members of a list that is whole
ENTRIES = 512       # of a page table
LEVELS = 4


class NoKernel(gdb.GdbError):
    """There is nothing to look at."""


# ---- names and constants ------------------------------------------------------------------------------------------------------------

@functools.lru_cache(None)
def defines():
    """Macros without parameters that say a number, which debug information does not keep."""
    texts, pattern = {}, re.compile(r"^#define (\w+) +([^/\n]+)", re.M)
    for path in ("kernel/arch/x86_64/include/arch/arch.h", "kernel/arch/x86_64/include/arch/pte.h", "libos/posix/proto/layout.h", "libos/posix/mm/mm.h"):
        with open(os.path.join(ROOT, path)) as file:
            texts.update(pattern.findall(file.read()))
    return texts


@functools.lru_cache(None)
def define(name):
    text = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[ulUL]+", r"\1", defines()[name])
    text = re.sub(r"\b[A-Z]\w+", lambda match: str(define(match[0])), text)
    if not re.fullmatch(r"[0-9a-fA-Fx +*|()-]+", text):
        raise gdb.GdbError(f"{name} is not a number: {text}")
    return eval(text)  # digits and + * | ( ) only


@functools.lru_cache(None)
def listing(kind):
    """{number: name} of what abi/listing.txt calls so."""
    with open(os.path.join(ROOT, "abi/listing.txt")) as file:
        rows = [line.split() for line in file]
    return {int(row[1]): row[2] for row in rows if row and row[0] == kind and row[1].isdigit()}


@functools.lru_cache(None)
def constant(name):
    with open(os.path.join(ROOT, "abi/listing.txt")) as file:
        return next(int(row[2], 0) for row in map(str.split, file) if row[:2] == ["const", name])


@functools.lru_cache(None)
def labels():
    built = built_folder()
    with open(os.path.join(built, "generated", "labels.txt")) as file:
        return [line.split()[0] for line in file if line.strip()]


def built_folder():
    return gdb.convenience_variable("exo_built").string()


def enum_name(number, name, prefix=""):
    """The constant of an enumeration in C, without what all of them begin with."""
    for field in gdb.lookup_type("enum " + name).fields():
        if field.enumval == number:
            return field.name[len(prefix):].lower()
    return f"?{number}"


def rights_text(rights):
    names = [name for bit, name in sorted(listing("right").items()) if rights >> bit & 1]
    return "all" if len(names) == len(listing("right")) else " ".join(names) or "none"


# ---- the kernel's memory ------------------------------------------------------------------------------------------------------------

def read(address, count):
    try:
        return gdb.selected_inferior().read_memory(address, count).tobytes()
    except gdb.MemoryError as error:
        raise gdb.GdbError(f"the kernel has no memory at {address:#x}") from error


def struct_at(address, name):
    return gdb.Value(int(address)).cast(gdb.lookup_type("struct " + name).pointer()).dereference()


def variable(name):
    """A variable of the kernel's; of those that each processor has, the first one's."""
    found = gdb.lookup_global_symbol(name)
    symbols = [found] if found else list(gdb.lookup_static_symbols(name))
    if not symbols:
        raise gdb.GdbError(f"the kernel's symbols do not name {name}: gdb needs the kernel.elf that runs")
    # Link-time optimisation describes a static variable twice, and once without a place: which of them gdb names first depends on what it has read.
    values = [symbol.value() for symbol in symbols if not symbol.needs_frame]
    value = next((value for value in values if not value.is_optimized_out), None)
    if value is None:
        raise gdb.GdbError(f"{name} has no place in memory in this build: try --preset debug")
    return value


def of_cpu(cpu, name):
    value = variable(name)
    offset = int(variable("arch_cpu_offset")[cpu])
    return gdb.Value(int(value.address) + offset & (1 << 64) - 1).cast(value.type.unqualified().pointer()).dereference()


def container(link, name, member):
    """The structure that a `struct list` is part of: `member` may be a path, such as "member.link"."""
    kind, offset = gdb.lookup_type("struct " + name), 0
    for part in member.split("."):
        field = next(one for one in kind.strip_typedefs().fields() if one.name == part)
        offset += field.bitpos // 8
        kind = field.type
    return struct_at(int(link) - offset, name)


def each(head, name, member):
    """Members of a circular list."""
    start, at = int(head.address), head["next"]
    for _ in range(LIST_MOST):
        if int(at) in (0, start):
            return
        yield container(at, name, member)
        at = at["next"]
    raise gdb.GdbError("a list does not end: the kernel is changing it, or it is broken")


def running():
    """Raises NoKernel unless the kernel has made its first zone."""
    if not gdb.selected_inferior().threads():
        raise NoKernel("no kernel is running: ./exo debug starts one, `target remote` joins one")
    if not gdb.lookup_global_symbol("zones"):
        raise NoKernel("gdb has no symbols of a kernel: give it the kernel.elf of the build folder")
    try:
        root = int(variable("zones")[0])
    except gdb.MemoryError:
        root = 0
    if not root:
        raise NoKernel("the kernel has not begun: it has no zone yet (`hbreak kernel_main`, `continue`, and then a little more)")


# ---- zones, environments, contexts --------------------------------------------------------------------------------------------------

def zones():
    """All zones, in the order of their tree."""
    root = variable("zones")[0].dereference()
    yield root
    for member in each(root["members"]["link"], "member", "link"):
        if not int(member["env"]) and int(member.address) != int(root["members_end"].address):
            zone = container(member.address, "zone", "members")
            number = int(zone["number"])
            # The end of a zone is a mark, too: what it is part of is no zone's beginning.
            if 0 < number < 1024 and int(variable("zones")[number]) == int(zone.address):
                yield zone


def envs():
    root = variable("zones")[0].dereference()
    for member in each(root["members"]["link"], "member", "link"):
        if int(member["env"]):
            yield Env(member["env"].dereference())


def cpus():
    return range(int(variable("smp_cpus")))


def current(cpu):
    """The context that a processor runs, or None."""
    pointer = of_cpu(cpu, "sched_cpu")["current"]
    return pointer.dereference() if int(pointer) else None


def cpu_of(context):
    for cpu in cpus():
        if int(of_cpu(cpu, "sched_cpu")["current"]) == int(context.address):
            return cpu
    return None


def where(context):
    """Instruction pointer of a context."""
    cpu = cpu_of(context)
    if cpu is not None:
        for thread in gdb.selected_inferior().threads():
            if thread.num == cpu + 1:
                selected = gdb.selected_thread()
                frame = gdb.selected_frame()
                thread.switch()
                pc = gdb.newest_frame().pc()
                selected.switch()
                frame.select()
                return pc
    return int(context["arch"]["regs"]["rip"])


def place(address):
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return "" if text.startswith("No symbol") else text.split(" in section")[0].replace(" ", "").strip()


def state_name(context):
    return "running" if cpu_of(context) is not None else enum_name(int(context["state"]), "context_state", "CTX_")


class Env:
    """An environment."""

    def __init__(self, value):
        self.value = value
        self.id = int(value["object"]["id"])
        self.root = int(value["space"]["root"])

    def contexts(self):
        return each(self.value["contexts"], "context", "env_link")

    # ---- its memory

    def entry(self, va):
        """[(level, entry)] of the walk to va, from the top; it ends at an entry that is not there, or is a page."""
        found, table = [], self.root
        for level in range(LEVELS - 1, -1, -1):
            at = define("DIRECT_MAP") + table + (va >> (12 + 9 * level) & (ENTRIES - 1)) * 8
            word = int.from_bytes(read(at, 8), "little")
            found.append((level, word))
            if not word & define("PTE_PRESENT") or level == 0 or word & define("PTE_LARGE"):
                break
            table = word & define("PTE_ADDRESS")
        return found

    def physical(self, va):
        """Where va is, or None."""
        level, word = self.entry(va)[-1]
        if not word & define("PTE_PRESENT"):
            return None
        size = PAGE << 9 * level
        return (word & define("PTE_ADDRESS")) // size * size + va % size

    def read(self, va, count):
        """Bytes of its memory, or None when a part is not there."""
        out = b""
        while count:
            part, physical = min(count, PAGE - va % PAGE), self.physical(va)
            if physical is None:
                return None
            out += read(define("DIRECT_MAP") + physical, part)
            va, count = va + part, count - part
        return out

    def struct(self, va, name):
        """A structure of its memory, or None."""
        kind = gdb.lookup_type("struct " + name)
        data = self.read(va, kind.sizeof)
        return None if data is None else gdb.Value(data, kind)

    def mapped(self):
        """[(va, level, entry)] of all pages, in order; user half only."""
        def below(table, level, base, last):
            data = read(define("DIRECT_MAP") + table, PAGE)
            for index in range(last):
                word = int.from_bytes(data[index * 8:index * 8 + 8], "little")
                va = base + (index << (12 + 9 * level))
                if not word & define("PTE_PRESENT"):
                    if word & define("PTE_TAKEN"):
                        yield va, level, word
                elif level == 0 or word & define("PTE_LARGE"):
                    yield va, level, word
                else:
                    yield from below(word & define("PTE_ADDRESS"), level - 1, va, ENTRIES)
        return below(self.root, LEVELS - 1, 0, ENTRIES // 2)

    # ---- its capabilities

    def slots(self):
        """[(index, struct capability)] of all that are in use."""
        inline = self.value["slots"]
        count = inline.type.range()[1] + 1
        a_page = PAGE // inline.type.target().sizeof
        for index in range(min(int(self.value["slots_end"]), count + a_page * ENTRIES)):
            if index < count:
                slot = inline[index]
            else:
                page = self.value["directory"][(index - count) // a_page] if int(self.value["directory"]) else gdb.Value(0)
                slot = page[(index - count) % a_page] if int(page) else None
            if slot is not None and int(slot["object"]):
                yield index, slot

    # ---- what it is

    @functools.cached_property
    def name(self):
        """rs, proc, fs, tty; a process's command; or "?"."""
        process = self.process
        if process is not None:
            return process["comm"].string(errors="replace") or "?"
        return next((name for name in ("rs", "proc", "fs", "tty") if self.has_image(name)), "?")

    def has_image(self, name):
        """Once it has a program's text it keeps it: the libOS's, or a server's."""
        if images.get(self.id) in (None, name):
            head = image_head(name)
            if images.get(self.id) or (head and self.read(head[0], len(head[1])) == head[1]):
                images[self.id] = name
                return True
        return False

    @functools.cached_property
    def process(self):
        """proc's entry for it (struct px_proc), or None: it is no POSIX process."""
        if not self.has_image("posix"):
            return None
        page = self.struct(define("PX_PPAGE"), "px_ppage")
        index = 0 if page is None else int(page["index"])
        count = define("PX_PROCTAB_PAGES") * PAGE // 1024
        if not 0 < index < count:
            return None
        keeper = table_keeper()
        return keeper and keeper.struct(define("PX_PROCTAB") + index * 1024, "px_proc")

    @property
    def pid(self):
        return None if self.process is None else int(self.process["pid"])


images = {}         # of environments, by number: numbers are never used again
IMAGE_MOST = 32768  # bytes of a program that tell it from others


@functools.lru_cache(None)
def image_head(name):
    """(address, bytes) of the beginning of a program's text, or None."""
    try:
        with open(os.path.join(built_folder(), "exo", name), "rb") as file:
            data = file.read()
    except OSError:
        return None
    for program in segments(data):
        if program["flags"] & 1:
            return program["va"], data[program["offset"]:program["offset"] + min(program["bytes"], IMAGE_MOST)]
    return None


def segments(data):
    """The PT_LOADs of an ELF file."""
    table, size, count = (int.from_bytes(data[at:at + width], "little") for at, width in ((32, 8), (54, 2), (56, 2)))
    for at in range(table, table + size * count, size):
        if int.from_bytes(data[at:at + 4], "little") == 1:
            word = [int.from_bytes(data[at + 8 * i:at + 8 * i + 8], "little") for i in range(1, 6)]
            yield {"flags": data[at + 4], "offset": word[0], "va": word[1], "bytes": word[3], "memory": word[4]}


def table_keeper():
    """proc, who keeps the table of processes."""
    if not hasattr(table_keeper, "found"):
        found = next((env for env in envs() if env.has_image("proc")), None)
        if found is None:
            return None
        table_keeper.found = found
    return table_keeper.found


def find_env(text):
    """The environment of this number, or of the process (`pid 7`) or server (`fs`) so called; without a name the one that runs."""
    words = text.split()
    found = list(envs())
    if not words:
        context = current(cpu_here())
        if context is None:
            raise gdb.GdbError("nobody runs on this processor: name an environment (`exo envs` lists them)")
        return next((env for env in found if int(env.value.address) == int(context["env"])), None) or Env(context["env"].dereference())
    if words[0] == "pid" and len(words) == 2 and words[1].isdigit():
        match = [env for env in found if env.pid == int(words[1])]
    elif words[0].isdigit():
        match = [env for env in found if env.id == int(words[0])]
    else:
        match = [env for env in found if env.name == words[0]]
        if len(match) > 1:
            raise gdb.GdbError(f"{words[0]} is the name of " + ", ".join(str(env.id) for env in match) + ": say which")
    if not match:
        raise gdb.GdbError(f"there is no environment {text}: `exo envs` lists them")
    return match[0]


def cpu_here():
    """The processor that gdb's selected thread is."""
    return gdb.selected_thread().num - 1


def env_text(pointer, names=None):
    """`12 fs`, for a struct env *."""
    if not int(pointer):
        return "-"
    env = Env(pointer.dereference())
    return f"{env.id} {env.name}"


def rows(head, lines):
    """A table as text: columns as wide as what is in them, numbers to the right."""
    lines = [[str(cell) for cell in line] for line in lines]
    wide = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    right = [all(re.fullmatch(r"-?[\d,]*|-", line[i]) for line in lines) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join(cell.rjust(width) if to_right else cell.ljust(width)
                        for cell, width, to_right in zip(line, wide, right)).rstrip())
