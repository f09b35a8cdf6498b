"""bench/runner.py with guests that only note what they are asked for."""

import contextlib
import io
import json
import os
import sys

from exo import command_bench
from exo.build import Build
from exo.options import Parser


class FakeGuest:
    """Takes as long as it is told for nothing, and remembers what it ran."""

    name = "ExoV6"

    def __init__(self):
        self.ran = []
        self.idle = []

    def run(self, text, limit_s, extra=()):
        self.ran.append((text, tuple(extra)))
        return "MemFree: 250000 kB\n" if "meminfo" in text else "null 100.0 90.0 1.0 7\n"

    def first_output(self, limit_s):
        return 0.5

    def idle_share(self, seconds, limit_s):
        self.idle.append(seconds)
        return 0.001

    def image_bytes(self):
        return 100 << 10, 200 << 10


def measured(t, *words):
    """(the fake guest after ./exo bench WORDS, what was printed, the figures saved)"""
    sys.path.insert(0, t.path("bench"))
    import runner  # the file of that name in bench/
    values = Parser("bench", command_bench.OPTIONS).parse([*words, "--quiet"])
    folder = os.path.join(t.folder, "_".join(["built", *words]))
    os.makedirs(os.path.join(folder, "bench"))
    program = os.path.join(folder, "bench", "exobench")
    with open(program, "w") as file:
        file.write("#!/bin/sh\necho null\n")
    os.chmod(program, 0o755)
    bench = runner.Bench(values, Build(folder), t.folder)
    guest = FakeGuest()
    bench.systems, bench.figures = [guest], {guest.name: {}}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        bench.count() if values.count else bench.measure()
        bench.report()
    bench.save(os.path.join(folder, "figures.json"))
    with open(os.path.join(folder, "figures.json")) as file:
        return guest, printed.getvalue(), json.load(file)


def quick(t):
    """--quick boots once and repeats less; without it three boots; --boots wins over both."""
    full, shown, figures = measured(t)
    t.equal((len(figures["figures"]["ExoV6"]["null"]), figures["quick"]), (3, False), "boots of a full run")
    t.check("rough" not in shown, shown)
    fast, shown, figures = measured(t, "--quick")
    t.equal((len(figures["figures"]["ExoV6"]["null"]), figures["quick"]), (1, True), "boots of a quick run")
    t.check("quick, so rough" in shown, shown)
    t.check(fast.idle[0] < full.idle[0], f"idle for {fast.idle} and {full.idle} s")
    t.check(fast.ran[0][0] != full.ran[0][0], f"the same repetitions: {fast.ran[0]}")
    _, _, figures = measured(t, "--quick", "--boots", "2")
    t.equal(len(figures["figures"]["ExoV6"]["null"]), 2, "boots as said")


def counting(t):
    """--count runs exobench once, with exact counting and nothing else."""
    guest, shown, _ = measured(t, "--count", "null")
    t.equal(len(guest.ran), 1, "runs")
    t.check("--tsc" in guest.ran[0][0] and "-icount" in guest.ran[0][1], guest.ran)
    t.check("at most 150: yes" in shown, shown)


def packages(t):
    """What takes packages runs in a root of its own, once a boot; the applications' ratios have a geometric mean, and bars of their own."""
    sys.path.insert(0, t.path("bench"))
    import applications
    import runner
    names = applications.names()
    t.check(len(names) > 5, names)
    t.equal(runner.choose(["null", *runner.PACKAGE_CASES], [], None), ["null"], "cases without words and without another system")
    t.check(names[0] in runner.choose(["null", *runner.PACKAGE_CASES], [], "linux"), "cases of a comparison")
    values = Parser("bench", command_bench.OPTIONS).parse(["--quiet", "--quick", "exec_dynamic", *names[:2]])
    bench = runner.Bench.__new__(runner.Bench)
    bench.values, bench.effort, bench.boots, bench.names = values, runner.QUICK, 1, values.words
    ours, theirs = FakeGuest(), FakeGuest()
    theirs.name = "Linux"
    for guest, taken in ((ours, 100), (theirs, 150)):
        guest.run = lambda text, limit_s, guest=guest, taken=taken: guest.ran.append(text) or "".join(
            f"{name} {taken}.0 1.0 1.0 1\n" for name in names[:2])
    bench.systems, bench.with_packages, bench.with_bash = [], [theirs, ours], []
    bench.figures = {"ExoV6": {}, "Linux": {}}
    bench.measure()
    t.check(len(ours.ran) == 1 and "exec_dynamic" in ours.ran[0] and f"name={names[0]};" in ours.ran[0] and "sort.sh" not in ours.ran[0], ours.ran)
    bench.systems = [theirs, ours]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        bench.report()
    t.check("geometric mean of 2 ratios 1.50, bar 1.2: yes" in printed.getvalue() and "1: yes" in printed.getvalue(), printed.getvalue())


def cases(_):
    yield "packages", packages
    yield "quick", quick
    yield "counting", counting
