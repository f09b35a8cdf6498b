"""exo pages, exo frames."""

import gdb

import kernel
from kernel import PAGE, define, enum_name, find_env, rows


def rights(word):
    """r, w or x; - where the owner may not: what the program asked for, not what the processor may do just now."""
    if word & define("PTE_TAKEN") and not word & define("PTE_PRESENT"):
        return "taken"
    return "r" + ("w" if word & define("PTE_WANT") else "-") + ("-" if word & define("PTE_NO_EXEC") else "x")


def notes(word, level):
    said = []
    if word & define("PTE_COPY"):
        said.append("copy on write")
    if word & define("PTE_LOCKED"):
        said.append("never writable")
    if word & define("PTE_UNCACHED"):
        said.append("device")
    if level:
        said.append("large pages" if level == 1 else "huge pages")
    return ", ".join(said)


# What may differ between pages of one range: whether they were used.
def kind(word):
    return word & ~(define("PTE_ADDRESS") | define("PTE_ACCESSED") | define("PTE_DIRTY"))


def ranges(one):
    """[(va, end, level, entry of the first page, physical or None when its pages do not follow each other)]"""
    found = None
    for va, level, word in one.mapped():
        size, physical = PAGE << 9 * level, word & define("PTE_ADDRESS")
        if found and found[1] == va and found[2] == level and kind(found[3]) == kind(word):
            if found[4] is not None and found[4] + (va - found[0]) != physical:
                found[4] = None
            found[1] = va + size
            continue
        if found:
            yield found
        found = [va, va + size, level, word, physical]
    if found:
        yield found


def pages(text):
    """pages [N | NAME | pid N] [at ADDRESS]: ranges of its pages, with their rights and frames; at an address, the walk of its page table,
    and $_exo_physical is where that is."""
    who, _, address = text.partition("at ") if text.startswith("at ") or " at " in text else (text, "", "")
    one = find_env(who.strip())
    if address:
        return walk(one, address)
    table = []
    for va, end, level, word, physical in ranges(one):
        frame = f"{physical:#x}" if physical is not None and word & define("PTE_PRESENT") else ""
        table.append([f"{va:#x}", f"{end:#x}", (end - va) // PAGE, rights(word), frame, notes(word, level)])
    rows(["from", "to", "pages", "may", "frames from", ""], table)


def walk(one, text):
    try:
        va = int(gdb.parse_and_eval(text)) & (1 << 64) - 1
    except gdb.error as error:
        raise gdb.GdbError(f"{text}: {error}") from error
    if va >> 47 and va >> 47 != 0x1ffff:
        raise gdb.GdbError(f"{va:#x} is no address: bits 47 to 63 must be the same")
    found = one.entry(va)
    for level, word in found:
        print(f"level {level}  entry {va >> (12 + 9 * level) & 511:3}  {word:#018x}")
    level, word = found[-1]
    if not word & define("PTE_PRESENT"):
        print(f"{va:#x}: " + ("a page was taken from here" if word & define("PTE_TAKEN") else "no page"))
        return
    physical = one.physical(va)
    gdb.set_convenience_variable("_exo_physical", physical)
    print(f"{va:#x}: {rights(word)} at {physical:#x}{', ' + notes(word, level) if notes(word, level) else ''}")
    describe(physical)


def describe(physical):
    number = physical // PAGE
    if number >= int(kernel.variable("frames_end")):
        print(f"frame {number:#x}: no RAM")
        return
    frame = kernel.variable("frames")[number]
    print(f"frame {number:#x}: {enum_name(int(frame['state']), 'frame_state', 'FRAME_')}, {int(frame['references'])} references, zone {int(frame['zone'])}")


def frames(text):
    """frames [at PHYSICAL]: how much RAM there is, and by zone who has it; at a physical address, its frame and who maps it."""
    if text.startswith("at "):
        return one_frame(text[3:])
    if text:
        raise gdb.GdbError("exo frames takes nothing, or: at PHYSICAL")
    total, free, own = (int(kernel.variable(name)) for name in ("frames_total", "frames_free", "frames_kernel"))
    print(f"{total} frames ({total * PAGE >> 20} MiB): {free} free, {own} the kernel's, {total - free} in use")
    table = []
    end, size = int(kernel.variable("frames_end")), gdb.lookup_type("struct frame").sizeof
    data = kernel.read(int(kernel.variable("frames")), end * size)
    counted = count_by_zone(data, size)
    for zone in kernel.zones():
        number = int(zone["number"])
        quota = int(zone["quota"])
        table.append([number, int(zone["parent"]["number"]) if int(zone["parent"]) else "-", counted.get(number, 0), int(zone["used"]),
                      quota if quota < 1 << 62 else "none"])
    rows(["zone", "in", "own frames", "with those below", "quota"], table)


def count_by_zone(data, size):
    """{zone: frames that are in use}: those within a free block keep what they said before, but nobody refers to them."""
    kind_of = gdb.lookup_type("struct frame")
    offset = {field.name: field.bitpos // 8 for field in kind_of.fields()}
    used = next(field.enumval for field in gdb.lookup_type("enum frame_state").fields() if field.name == "FRAME_USED")
    counted = {}
    for at in range(0, len(data), size):
        if data[at + offset["state"]] == used and any(data[at + offset["references"]:at + offset["references"] + 4]):
            zone = data[at + offset["zone"]] | data[at + offset["zone"] + 1] << 8
            counted[zone] = counted.get(zone, 0) + 1
    return counted


def one_frame(text):
    try:
        physical = int(gdb.parse_and_eval(text))
    except gdb.error as error:
        raise gdb.GdbError(f"{text}: {error}") from error
    describe(physical)
    for one in kernel.envs():
        for va, level, word in one.mapped():
            size = PAGE << 9 * level
            first = (word & define("PTE_ADDRESS")) // size * size
            if word & define("PTE_PRESENT") and first <= physical < first + size:
                print(f"mapped by {one.id} {one.name} at {va + physical // PAGE * PAGE - first:#x} ({rights(word)})")
