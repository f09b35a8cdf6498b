"""./exo test --coverage: statements of kernel/ that tests reach.

On the host gcov counts (the property test's program, built with counters). In guests QEMU names each block of kernel code that it translates, which it
does when it is first executed; the kernel's line table says which lines these are. A statement is a line that has code: of portable files as gcov knows them,
of kernel/arch/ as the kernel's line table does.
"""

import glob
import gzip
import json
import os
import re
import subprocess
import tempfile

from exo.build import ROOT, build
from exo.errors import ExoError

SUITES = ("bare", "fuzz")
BAR_PERCENT = 85
RANDOM_CALLS = 40000
KERNEL_ADDRESSES = "0xffffffff80000000..0xffffffffffffffff"
WRAPPER = """#!/bin/sh
exec {qemu} "$@" -d in_asm -dfilter {addresses} -D {folder}/trace-%d.log
"""


def command(*words, **more):
    result = subprocess.run(words, capture_output=True, **more)
    if result.returncode:
        raise ExoError(f"{words[0]} failed", result.stderr.decode(errors="replace")[-2000:])
    return result.stdout


def host_lines():
    """{file: {line: reached}} and [(function, file, first line, last line)], of the portable kernel."""
    folder = build("host", quiet=True, targets=["property-coverage"]).folder
    program = os.path.join(folder, "property", "property-coverage")
    objects = os.path.join(folder, "tests", "CMakeFiles", "property-coverage.dir")
    for path in glob.glob(os.path.join(objects, "**", "*.gcda"), recursive=True):
        os.remove(path)
    command(program, "--cases", "")
    command(program, "--seed", "1", "--calls", str(RANDOM_CALLS))
    lines, functions = {}, []
    with tempfile.TemporaryDirectory(prefix="exo-coverage-") as scratch:
        data = [path for path in glob.glob(os.path.join(objects, "**", "*.gcda"), recursive=True) if "/kernel/" in path]
        command("gcov-12", "--json-format", *data, cwd=scratch)
        for path in glob.glob(os.path.join(scratch, "*.gcov.json.gz")):
            with gzip.open(path) as file:
                for entry in json.load(file)["files"]:
                    add_host_file(entry, lines, functions)
    return lines, functions


def add_host_file(entry, lines, functions):
    name = os.path.relpath(os.path.join(ROOT, entry["file"].lstrip("/") if not entry["file"].startswith(ROOT) else entry["file"]), ROOT)
    if not name.startswith("kernel/"):
        return
    found = lines.setdefault(name, {})
    for line in entry["lines"]:
        found[line["line_number"]] = found.get(line["line_number"], False) or line["count"] > 0
    functions += [(f["name"], name, f["start_line"], f["end_line"]) for f in entry["functions"]]


def executed_addresses(folder):
    addresses = set()
    for path in glob.glob(os.path.join(folder, "trace-*.log")):
        with open(path, errors="replace") as file:
            addresses.update(int(match[1], 16) for match in (re.match(r"0x(ffffffff8[0-9a-f]{7}): ", line) for line in file) if match)
    return addresses


def guest_lines(kernel, addresses):
    """{file: {line: reached}} of a kernel's line table."""
    lines, name = {}, None
    for row in command("objdump", "--dwarf=decodedline", kernel).decode(errors="replace").splitlines():
        header = re.match(r"(?:\./)?(\S+):(?:\[\+\+\])?$", row)
        if header:
            name = header[1].lstrip("/")
            continue
        match = re.match(r"\S+\s+(\d+)\s+0x([0-9a-f]+)", row)
        if match and name and name.startswith("kernel/"):
            found = lines.setdefault(name, {})
            number = int(match[1])
            found[number] = found.get(number, False) or int(match[2], 16) in addresses
    return lines


def unreached_symbols(kernel, addresses):
    """Functions of kernel/arch/ of which nothing was executed."""
    missing = []
    for row in command("nm", "-S", "-l", kernel).decode(errors="replace").splitlines():
        match = re.match(r"([0-9a-f]{16}) ([0-9a-f]{16}) [tT] (\S+)\s+(\S*kernel/arch/\S+):\d+", row)
        if match and not any(int(match[1], 16) <= at < int(match[1], 16) + int(match[2], 16) for at in addresses):
            missing.append(f"{match[3]} ({match[4][match[4].index('kernel/'):]})")
    return missing


def merge(host, guest):
    """Lines of both; a portable file's lines are those that gcov knows."""
    lines = {name: dict(found) for name, found in host.items()}
    for name, found in guest.items():
        if name.startswith("kernel/arch/"):
            lines[name] = dict(found)
        for number, reached in found.items():
            if reached and number in lines.get(name, {}):
                lines[name][number] = True
    return lines


def report(lines, functions, symbols):
    total = sum(len(found) for found in lines.values())
    reached = sum(sum(found.values()) for found in lines.values())
    for name in sorted(lines):
        found = lines[name]
        print(f"{100 * sum(found.values()) // max(1, len(found)):4} %  {sum(found.values()):4} of {len(found):4}  {name}")
    missing = sorted({f"{function} ({name})" for function, name, first, last in functions
                      if not any(lines[name].get(number) for number in range(first, last + 1))} | set(symbols))
    print("functions that nothing reaches: " + (", ".join(missing) or "none"))
    percent = 100 * reached / max(1, total)
    print(f"statements of kernel/: {reached} of {total} reached, {percent:.1f} % (bar: {BAR_PERCENT})")
    return percent >= BAR_PERCENT


def measure(options, run_suites):
    """Runs suites with tracing, then says what they and the host's reached; the exit status."""
    with tempfile.TemporaryDirectory(prefix="exo-coverage-") as folder:
        wrapper = os.path.join(folder, "qemu")
        with open(wrapper, "w") as file:
            file.write(WRAPPER.format(qemu=os.environ.get("EXO_QEMU") or "qemu-system-x86_64", addresses=KERNEL_ADDRESSES, folder=folder))
        os.chmod(wrapper, 0o755)
        os.environ["EXO_QEMU"] = wrapper
        status = run_suites()
        kernel = os.path.join(options.built or build("release", quiet=True).folder, "kernel.elf")
        addresses = executed_addresses(folder)
        host, functions = host_lines()
        good = report(merge(host, guest_lines(kernel, addresses)), functions, unreached_symbols(kernel, addresses))
    return 0 if status == 0 and good else 1
