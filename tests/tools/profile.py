"""Samples become stacks: whose they are, what of a chain of frame pointers is believed, which wait for the kernel; and a picture."""

import os
import subprocess
import xml.etree.ElementTree

from exo import flame
from exo.build import ROOT
from exo.profile import Images, Stacks, Symbols
from exo.recording import HEAD, HEADER, MAGIC, RECORD, Names, Recording

NAMES = Names(ROOT)
KIND = NAMES.kinds
SOURCE = """
    .globl outer, inner
    .text
    .type outer, @function
outer: .fill 16, 1, 0x90
    .type inner, @function
inner: .fill 16, 1, 0x90
"""


def built_folder(t):
    """ELF files with the functions outer and inner, at known places."""
    folder = os.path.join(t.folder, "built", "exo")
    os.makedirs(folder)
    for name, base in (("posix", 0x7fff0000), ("rs", 0x400000), ("proc", 0x400000), ("fs", 0x400000), ("tty", 0x400000), ("program", 0x10000)):
        path = os.path.join(folder, name)
        subprocess.run(["gcc-12", "-x", "assembler", "-", "-nostdlib", "-static", "-no-pie", "-o", path,
                        f"-Wl,-Ttext={base:#x},-e,{name}_outer,--build-id=none"],
                       input=SOURCE.replace("outer", name + "_outer").replace("inner", name + "_inner").encode(),
                       check=True)
    return os.path.dirname(folder)


def stacks(t, records, images=None):
    """What becomes of one CPU's records: {names: samples}."""
    data = HEAD.pack(MAGIC, 1, 1, 1 << 32, 0, 11, 12, 13, 14, 15, 16, 0, 0) + HEADER.pack(len(records), 1000, 0, 0)
    recording = Recording(data + b"".join(RECORD.pack(*record) for record in records))
    built = built_folder(t) if not os.path.exists(os.path.join(t.folder, "built")) else os.path.join(t.folder, "built")
    told = images or Images()

    def fetch(path):
        if path != "/bin/program":
            return None
        with open(os.path.join(built, "exo", "program"), "rb") as file:
            return file.read()
    found = Stacks(recording, NAMES, told, built, (0x7fff0000, 0x80000000), fetch).stacks
    return {tuple(name for name, _ in frames): count for frames, count in found.items()}


def sample(ns, context, address, late=0, chain=0):
    return (ns, context, KIND["SAMPLE"], chain, address, late)


def switch(ns, context, env):
    return (ns, context, KIND["SWITCH"], 255, 0, env)


def images():
    told = Images()
    text = (b"exo-image 40 5 task 7 a name\nexo-image 40 5 map 00010000-00012000 r-xp 00000000 00:01 3    /bin/program\n"
            b"exo-image 40 5 map 00020000-00021000 r-xp 00001000 00:01 4    /lib/none.so\n")
    return told, told.take(text, 0.0)


def servers_and_programs(t):
    told, left = images()
    t.equal(left, b"")
    built = built_folder(t)
    offset = Symbols(os.path.join(built, "exo", "program")).loads
    t.check(any(address <= 0x10000 < address + size for _, size, address in offset), offset)
    start = next(0x10000 - address + file for file, size, address in offset if address <= 0x10000 < address + size)
    base = 0x10000 + start  # where the text is when the file's beginning is at 0x10000
    got = stacks(t, [switch(10, 5, 40), sample(11, 5, base + 3), sample(12, 5, 0x20010), sample(13, 5, 0x666), switch(14, 6, 13), sample(15, 6, 0x400010),
                     switch(16, 8, 99), sample(17, 8, 0x1234)], told)
    t.equal(got, {("a name[7]", "program_outer"): 1, ("a name[7]", "[none.so]"): 1, ("a name[7]", "[unknown]"): 1, ("fs", "fs_inner"): 1,
                  ("environment 99", "[unknown]"): 1})


def chains(t):
    """The chain of frame pointers ends at what is no code; whom the libOS works for is told apart from it."""
    got = stacks(t, [switch(10, 6, 13), sample(11, 6, 0x400010, chain=3), (11, 6, KIND["STACK"], 0, 0x400005, 0x999), (11, 6, KIND["STACK"], 0, 0x400005, 0),
                     sample(12, 6, 0x400010)])
    t.equal(got, {("fs", "fs_outer", "fs_inner"): 1, ("fs", "fs_inner"): 1})
    got = stacks(t, [switch(10, 5, 40), sample(11, 5, 0x7fff0010, chain=1), (11, 5, KIND["STACK"], 0, 0x1, 0),
                     (11, 5, KIND["STACK"], 1, 0x20011, 0)], images()[0])
    t.equal(got, {("a name[7]", "[none.so]", "posix_inner"): 1})


def kernel(t):
    """An interrupt that was due in the middle of a kernel call is the call's; one that was due before or after is not."""
    call = next(number for number, name in NAMES.kernel_calls.items() if name == "mem_map")
    records = [switch(10, 6, 13), (100, 6, KIND["CALL"], call, 0, 0), (200, 6, KIND["RETURN"], call, 0, 1),
               sample(201, 6, 0x400010, late=50), sample(250, 6, 0x400010, late=10), sample(260, 6, 0x400010, late=190),
               switch(270, 7, 14), sample(280, 7, 0x400010, late=130)]
    t.equal(stacks(t, records), {("fs", "fs_inner", "mem_map"): 1, ("fs", "fs_inner"): 2, ("fs", "mem_map"): 1})


def lines_of_others(t):
    told = Images()
    others = b"exo-image x 1 task 1 a\nexo-image 1 1 map 1-2 r-xp 0 0 0 /x\nexo-image 1\nexo-image 1 2 task\nexo-image 1 1 other\n"
    t.equal(told.take(others, 0.0), others)


def picture(t):
    found = {(("p & <q>", "process"), ("f", "program"), ("g", "libos")): 3, (("p & <q>", "process"), ("h;x", "kernel")): 1}
    root = xml.etree.ElementTree.fromstring(flame.svg(found, "a <title>"))
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    t.check("f (program): 3 samples, 75.00 %" in titles and "p & <q> (process): 4 samples, 100.00 %" in titles, titles)
    widths = [float(element.get("width")) for element in root.iter("{http://www.w3.org/2000/svg}rect")]
    t.check(max(widths) == flame.WIDTH, widths)
    t.equal(flame.folded(found), "p & <q>;f;g 3\np & <q>;h:x 1\n")
    xml.etree.ElementTree.fromstring(flame.svg({}, "nothing"))


def misuse(t):
    for words, said in ((["profile"], b"which command?"), (["profile", "--period", "0", "true"], b"from 0.1 to 1000"),
                        (["profile", "--period", "x", "true"], b"milliseconds"), (["profile", "-o", "/nowhere/x", "true"], b"no such folder")):
        result = t.exo(*words)
        t.check(result.status == 2 and said in result.stderr and len(result.stderr.splitlines()) == 2, result)
    result = t.exo("profile", "--help")
    t.check(result.status == 0 and b"--period" in result.stdout, result)


def cases(_):
    for case in (servers_and_programs, chains, kernel, lines_of_others, picture, misuse):
        yield case.__name__.replace("_", "-"), case
