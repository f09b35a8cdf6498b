"""Instruction counts stay as they are: bench/counts.tsv changes with a reason, or not at all. Every case is described. The kernel's stack has a bound."""

import os
import re
import sys


def baseline(t):
    if os.path.basename(t.built) != "release":
        t.skip("the baseline is the release build's, by gcc")
    result = t.exo("bench", "--count", "--baseline", "--quiet", "--smp", "1", "--built", t.built, timeout=300, env={"EXO_NO_REWRITE": ""})
    t.check(result.status == 0, result.stdout.decode()[-3000:] + result.stderr.decode())


def descriptions(t):
    sys.path.insert(0, t.path("bench"))
    import book
    import runner
    known = {*runner.known_cases(os.path.join(t.built, "bench", "exobench")), *runner.PACKAGE_CASES}
    t.equal(sorted(book.lines_of("cases.tsv")), sorted(known), "bench/cases.tsv and what ./exo bench --list says")


def stack_bound(t):
    """Half of the stack at most: interrupts come in ring 3 and in the idle loop only, so nothing is added to this."""
    result = t.exo("size", "--stack", "--built", t.built)
    t.equal(result.status, 0, result.stderr.decode())
    head, *rows = result.stdout.decode().splitlines()
    most = int(re.search(r"of ([0-9,]+) bytes", head)[1].replace(",", ""))
    bounds = {name: int(size.replace(",", "")) for size, name in (row.split() for row in rows)}
    t.check("trap_call" in bounds and "trap_user" in bounds and len(bounds) > 8, bounds)
    t.check(500 < max(bounds.values()) <= most // 2, bounds)


def sizes(t):
    result = t.exo("size", "--symbols", "5", "--built", t.built)
    t.equal(result.status, 0, result.stderr.decode())
    shown = result.stdout.decode().splitlines()
    numbers = [int(line.split()[0].replace(",", "")) for line in shown[:5]]
    t.equal(sum(numbers[:4]), numbers[4], "the parts and their sum")
    t.equal(len(shown), 5 + 2 + 5, result.stdout.decode())


def jump_number(address):
    """Where QEMU 7.2 looks for what an indirect jump leads to (accel/tcg/tb-hash.h, tb_jmp_cache_hash_func)."""
    mixed = address ^ address >> 6
    return mixed >> 6 & 0xfc0 | mixed & 0x3f


def light_calls(t):
    """Where a light call begins is neither where the entry is looked for nor where it returns to, and all is in one page (light.h)."""
    libos = os.path.join(t.built, "exo", "posix")
    symbols = dict(reversed(line.split()[::2]) for line in t.command("nm", libos).stdout.decode().splitlines() if len(line.split()) == 3)
    code = t.command("objdump", "-d", "--no-show-raw-insn", "--disassemble=px_site_entry", libos).stdout.decode()
    back = int(re.search(r"call +\*%r11\n *([0-9a-f]+):", code)[1], 16)
    entry = int(symbols["px_site_entry"], 16)
    calls = {name: int(address, 16) for name, address in symbols.items() if re.fullmatch(r"light_\w+", name)}
    t.check(len(calls) >= 12, calls)
    for name, address in calls.items():
        t.equal(address // 4096, entry // 4096, f"the page of {name}")
        t.check(len({jump_number(address), jump_number(entry), jump_number(back)}) == 3, f"{name} and the entry meet in QEMU's table")


def packed(t):
    """No function of the pages that open, close and the walk are packed in lies in two of them (posix.ld)."""
    if os.path.basename(t.built) != "release":
        t.skip("packed in release builds")
    symbols = [line.split() for line in t.command("nm", "-n", "-S", os.path.join(t.built, "exo", "posix")).stdout.decode().splitlines()]
    start, end = (int(next(words[0] for words in symbols if words[-1] == name), 16) for name in ("px_packed", "px_packed_end"))
    functions = [(int(words[0], 16), int(words[1], 16), words[-1]) for words in symbols if len(words) == 4 and start <= int(words[0], 16) < end]
    t.check({"px_find", "px_sys_open", "px_fd_close"} <= {name for _, _, name in functions}, functions)
    for address, size, name in functions:
        t.equal((address + size - 1) // 4096, address // 4096, f"the page of {name}, {size} bytes")


def memory(t):
    """What is in use while a shell runs is the same in each boot."""
    if os.path.basename(t.built) != "release":
        t.skip("the bar is the release build's")
    result = t.exo("bench", "--quick", "--quiet", "--smp", "1", "--built", t.built, "memory", timeout=120)
    t.check(result.status == 0 and b": yes" in result.stdout and b"NO" not in result.stdout, result.stdout.decode() + result.stderr.decode())


def cases(_):
    yield "baseline", baseline, 320
    yield "descriptions", descriptions
    yield "stack-bound", stack_bound
    yield "light-calls", light_calls
    yield "packed", packed
    yield "sizes", sizes
    yield "memory", memory
