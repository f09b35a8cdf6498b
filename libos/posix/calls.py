#!/usr/bin/env python3
"""Makes the libOS's system-call table from calls.tab.

usage: calls.py --out DIR
       calls.py --document FILE

DIR/px_calls.h   declarations of all handlers: every file that defines one includes it
DIR/px_calls.c   px_calls[]: body (NULL where none is linked), name and argument kinds of each number
FILE             docs/linux-abi.md: every call, and from calls.notes what it takes and what it does with the rest
"""
import argparse
import pathlib
import re
import sys

KIND = r"\^?(?:[adefghiklmnopstuwxzABCDEFGHKLMNOPQTVWXYZ<>.]|\{[a-z_0-9]+\})"
KINDS = re.compile(rf"-|(?:{KIND}){{0,6}}(?::{KIND})?")
NAMED_MOST = 127 # a byte each, from 0x80
MADE = "/* Made by libos/posix/calls.py from calls.tab: change that. */\n"

OPENING = """/* Opens a handler's definition: PX_SYS(close) { return px_fd_close((int)a); } */
#define PX_UNUSED __attribute__((unused))
#define PX_SYS(name) \\
    int64_t px_sys_##name(PX_UNUSED uint64_t a, PX_UNUSED uint64_t b, PX_UNUSED uint64_t c, \\
                          PX_UNUSED uint64_t d, PX_UNUSED uint64_t e, PX_UNUSED uint64_t f)

"""


def parse(path):
    """The table's rows as (number, name, is there, kinds); numbers must run from 0 without a gap."""
    rows = []
    for place, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 4 or not fields[0].isdigit() or not re.fullmatch(r"[a-z_][a-z0-9_]*", fields[1]):
            sys.exit(f"{path.name}:{place}: not 'number name handler kinds'")
        number, name, handler, kinds = int(fields[0]), fields[1], fields[2], fields[3]
        if number != len(rows):
            sys.exit(f"{path.name}:{place}: number {number}, expected {len(rows)}")
        if handler not in "+-" or not KINDS.fullmatch(kinds):
            sys.exit(f"{path.name}:{place}: unknown handler or kind")
        rows.append((number, name, handler == "+", kinds.replace("-", "")))
    if len({name for _, name, _, _ in rows}) != len(rows):
        sys.exit(f"{path.name}: a name stands there twice")
    return rows


def named(rows):
    """The kinds in braces, in order."""
    found = sorted({name for row in rows for name in re.findall(r"\{(\w+)\}", row[3])})
    if len(found) > NAMED_MOST:
        sys.exit("calls.tab: too many named kinds")
    return found


def header(rows):
    lines = [MADE, "#ifndef PX_CALLS_H\n#define PX_CALLS_H\n#include \"px.h\"\n\n"]
    lines.append(OPENING)
    lines += [f"px_call px_sys_{name};\n" for _, name, there, _ in rows if there]
    lines.append("\n/* Kinds of arguments that have a name; in a format PX_KIND_NAMED and the place in this list. */\n#define PX_KIND_NAMED 0x80u\n")
    lines.append("#define PX_KINDS(K) " + " ".join(f"K({name})" for name in named(rows)) + "\n")
    lines += ["\n", f"#define PX_CALLS_COUNT {len(rows)}u\n", "\n"]
    lines += [f"#define PX_NR_{name} {number}\n" for number, name, there, _ in rows if there]
    return "".join(lines + ["\n#endif\n"])


def source(rows):
    codes = {name: f"\\{0x80 + at:o}" for at, name in enumerate(named(rows))}
    lines = [MADE, "#include \"px_calls.h\"\n\n"]
    lines += [f"#pragma weak px_sys_{name}\n" for _, name, there, _ in rows if there]
    lines.append("\nPX_HOT_TABLE const unsigned px_calls_count = PX_CALLS_COUNT;\n")
    lines.append("/* Behind the other tables, so that the first of them are in one page with those. */\n")
    lines.append("__attribute__((section(\".tables.bodies\"))) px_call *const px_bodies[PX_CALLS_COUNT] = {\n")
    lines += [f"    [{number}] = px_sys_{name},\n" for number, name, there, _ in rows if there]
    lines.append("};\n\nconst struct px_call_entry px_calls[PX_CALLS_COUNT] = {\n")
    for number, name, _, kinds in rows:
        kinds = re.sub(r"\{(\w+)\}", lambda kind: codes[kind.group(1)], kinds)
        lines.append(f"    [{number}] = {{\"{name}\", \"{kinds}\"}},\n")
    lines.append("};\nuint32_t px_missing[PX_CALLS_COUNT];\n")
    return "".join(lines)


def notes(path, rows):
    """{name: text} of calls.notes; a name that calls.tab has not is a mistake."""
    known = {name for _, name, _, _ in rows}
    found = {}
    for place, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, text = line.partition(": ")
        if not colon or name not in known or name in found:
            sys.exit(f"{path.name}:{place}: not 'name: text' with a name of calls.tab, once")
        found[name] = text.strip()
    return found


DOCUMENT = """# Linux's system calls

Made by `libos/posix/calls.py --document` from `libos/posix/calls.tab` and `libos/posix/calls.notes`: change those. A call that is there takes and
answers what Linux 6.1's does, but for what stands beside it and in `CAVEATS.md`. {there} are there, {missing} are not: those answer ENOSYS, and
`./exo run --missing` tells which a program asked for.

## There

| number | call | what it takes, what it does with the rest |
|---|---|---|
"""


def document(rows, texts):
    real = [row for row in rows if not row[1].startswith("reserved_")]
    there = [row for row in real if row[2]]
    missing = [row for row in real if not row[2]]
    lines = [DOCUMENT.format(there=len(there), missing=len(missing))]
    lines += [f"| {number} | {name} | {texts.get(name, '')} |\n" for number, name, _, _ in there]
    lines.append("\n## Not there\n\n")
    for at in range(0, len(missing), 8):
        lines.append(", ".join(f"{name} ({number})" for number, name, _, _ in missing[at:at + 8]) + (",\n" if at + 8 < len(missing) else ".\n"))
    return "".join(lines)


def write(path, text):
    """Leaves an unchanged file alone, so that nothing is compiled again for nothing."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, help="folder to write the table to")
    parser.add_argument("--document", type=pathlib.Path, help="file to write the list for people to")
    arguments = parser.parse_args()
    if not arguments.out and not arguments.document:
        parser.error("nothing to write")
    rows = parse(pathlib.Path(__file__).with_name("calls.tab"))
    if arguments.document:
        write(arguments.document, document(rows, notes(pathlib.Path(__file__).with_name("calls.notes"), rows)))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write(arguments.out / "px_calls.h", header(rows))
        write(arguments.out / "px_calls.c", source(rows))


if __name__ == "__main__":
    main()
