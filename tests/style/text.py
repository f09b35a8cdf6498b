"""Text: no architecture names in portable code, nothing unfinished, sizes of files and functions."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sources  # noqa: E402

# Architectures, their instructions and registers. Words in comments are free: a comment may say what something is like.
ARCHITECTURE = re.compile(
    r"\b(__asm__|asm|__asm|_*x86(_64)?_*|amd64|i[3-6]86|__i386__|aarch64|__aarch64__|arm64|riscv(32|64)?|__riscv\w*"
    r"|cpuid|rdtscp?|rdmsr|wrmsr|invlpg|swapgs|sysret|iretq?|cr[02348]|[er]flags|[er]ip|r[abcd]x|r[sd]i|r[sb]p|e[abcd]x|xmm\d+|ymm\d+"
    r"|fxsave|fxrstor|xrstor|lapic|ioapic|apic|idt|gdt|tss|pml4)\b", re.I)

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
TEST_LINES_MAX = 700  # tests are lists of cases, read one at a time
COLUMNS_MAX = 160
OURS = (".c", ".h", ".S", ".py", ".sh", ".cmake", ".txt", ".md", ".ld", ".abi", ".tab")
FREE_TEXT = ("tests/same/", "abi/listing.txt")  # shell cases mean their spaces; the listing is generated
TOPS = ("kernel", "libexo", "libos", "servers", "drivers", "user", "tests", "bench", "tools", "abi", "cmake", "docs", "examples")


def architecture_names(t):
    problems = []
    for path in sources.files(sources.SYSTEM, (".c", ".h")):
        if sources.is_architecture(path) or path.endswith("_test.c"):
            continue
        for number, line in enumerate(sources.code_lines(path), 1):
            match = ARCHITECTURE.search(line)
            if match:
                problems.append(f"{path}:{number}: {match[0]}")
    t.check(not problems, f"{len(problems)} places:\n" + "\n".join(problems))


def assembly_stays_in_arch(t):
    problems = [path for path in sources.files(sources.SYSTEM, (".S", ".s")) if not sources.is_architecture(path)]
    t.check(not problems, "\n".join(problems))


def functions(path):
    """[(name, line, length in lines)]: a definition starts at column 0 and ends with a brace at column 0."""
    found, start, name = [], None, None
    lines = sources.code_lines(path)
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"[A-Za-z_].*\w\(", line) and not line.rstrip().endswith(";") and not line.startswith(("#", "typedef")):
            start, name = number, re.search(r"(\w+)\(", line)[1]
        elif start is not None and line.startswith("}"):
            found.append((name, start, number - start + 1))
            start = None
        elif start is not None and line and not line[0].isspace() and line.rstrip().endswith(";"):
            start = None  # a prototype over several lines
    return found


def function_lengths(t):
    """At most 70 lines, unless a comment on the first line says `long:` and why."""
    problems, lengths = [], []
    for path in sources.files(sources.SYSTEM + ("user", "examples"), (".c",)):
        if path.endswith("_test.c"):
            continue
        lines = sources.text(path).split("\n")
        for name, start, length in functions(path):
            lengths.append(length)
            if length > FUNCTION_LINES_MAX and "long:" not in " ".join(lines[max(0, start - 2):start]):
                problems.append(f"{path}:{start}: {name} has {length} lines")
    lengths.sort()
    if lengths:
        print(f"{len(lengths)} functions, 95th percentile {lengths[len(lengths) * 95 // 100]} lines, longest {lengths[-1]}")
    t.check(not problems, "\n".join(problems))


def file_lengths(t):
    """At most 500 lines (700 in tests), unless the first ten say `long:` and why."""
    problems = []
    for path in sources.files(sources.SYSTEM + ("user", "tools", "tests", "bench", "examples"), (".c", ".h", ".S", ".py")):
        lines = sources.text(path).split("\n")
        most = TEST_LINES_MAX if sources.is_test(path) else FILE_LINES_MAX
        if len(lines) > most and not any("long:" in line for line in lines[:10]):
            problems.append(f"{path}: {len(lines)} lines")
    t.check(not problems, "\n".join(problems))


def unfinished(t):
    """Nothing says that it is unfinished, and no line is overlong, has tabs in C, or spaces at its end."""
    mark = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    problems = []
    for path in sources.files(TOPS, OURS):
        for number, line in enumerate(sources.text(path).split("\n"), 1):
            for found, what in ((mark.search(line), "unfinished"), (line != line.rstrip() and not path.startswith(FREE_TEXT), "space at the end"),
                                ("\t" in line and path.endswith((".c", ".h", ".py")), "tab"),
                                (len(line) > COLUMNS_MAX and path.endswith((".c", ".h", ".py")), f"{len(line)} columns")):
                if found:
                    problems.append(f"{path}:{number}: {what}")
    t.check(not problems, "\n".join(problems))


def paths_of_a_machine(t):
    """No path of somebody's machine."""
    pattern = re.compile(r"(?<![\w.])/(work|home/(?!user\b)\w+|Users)/(main|shared|\w+/src)\b")
    problems = [f"{path}:{number}: {line.strip()[:80]}" for path in sources.files(TOPS, OURS)
                for number, line in enumerate(sources.text(path).split("\n"), 1) if pattern.search(line)]
    t.check(not problems, "\n".join(problems))


def cases(_):
    for case in (architecture_names, assembly_stays_in_arch, function_lengths, file_lengths, unfinished, paths_of_a_machine):
        yield case.__name__.replace("_", "-"), case
