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
    yield "sizes", sizes
    yield "memory", memory
