"""bench/runner.py with guests that only note what they are asked for, and bench/turns.py with ones that note when they run."""

import contextlib
import io
import json
import os
import subprocess
import sys

from exo import command_bench
from exo.build import Build
from exo.errors import ExoError
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


def without_turns(bench):
    """The fake guests run one after the other."""
    bench.play = lambda systems, text, limit_s: [bench.add_all(system, system.run(text, limit_s)) for system in systems if text]


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
    without_turns(bench)
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
    without_turns(bench)
    bench.measure()
    t.check(len(ours.ran) == 1 and "exec_dynamic" in ours.ran[0] and f"name={names[0]};" in ours.ran[0] and "sort.sh" not in ours.ran[0], ours.ran)
    bench.systems = [theirs, ours]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        bench.report()
    t.check("geometric mean of 2 ratios 1.50, bar 1.2: yes" in printed.getvalue() and "1: yes" in printed.getvalue(), printed.getvalue())


class Turner:
    """A guest that is let run `turns` times for each of its figures."""

    def __init__(self, t, log, name, turns, figures):
        self.name, self.program, self.arguments = name, t.path("tests/tools/fake_turns.py"), [log, str(turns), str(figures)]

    def start(self, _text, extra):
        path = extra[-1].removeprefix("unix:").split(",")[0]
        return subprocess.Popen([sys.executable, self.program, self.name, path, *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def said(self, status, out, err):
        if status:
            raise ExoError(f"{self.name} ended with status {status}", err.decode())
        return out.decode()


def turns(t):
    """Guests run one at a time, none begins a case before all have done the last one, and what goes wrong ends all of them."""
    sys.path.insert(0, t.path("bench"))
    import turns as game
    game.TURN_S = 0.02
    folder, log = os.path.join(t.folder, "a folder"), os.path.join(t.folder, "log")
    os.mkdir(folder)
    os.mkdir(os.path.join(t.folder, "bad"))
    os.mkdir(os.path.join(t.folder, "silent"))

    def count(said):
        return said.count("\n")

    systems = [Turner(t, log, "slow one", 3, 2), Turner(t, log, "quick", 1, 2)]
    said = game.play(systems, folder, "", count, 60)
    t.equal([(system.name, text.splitlines()) for system, text in said],
            [("slow one", ["case1 3.0 1.0 1.0 1", "case2 6.0 1.0 1.0 1"]), ("quick", ["case1 1.0 1.0 1.0 1", "case2 2.0 1.0 1.0 1"])])
    running, order = None, []
    with open(log) as file:
        for line in file:
            word, name = line.rstrip().split(" ", 1)
            if word == "run":
                t.check(running is None, f"{name} runs beside {running}")
                running = name
            elif word == "stop":
                running = None
            else:
                order.append((word, name))
    t.equal(order, [("figure1", "quick"), ("figure1", "slow one"), ("figure2", "quick"), ("figure2", "slow one")])
    for other, words in ((Turner(t, log, "bad", 1, -1), "bad ended with status 3"),
                         (Turner(t, log, "silent", 10 ** 9, 1), "no end after 0.5 s each: good, silent")):
        try:
            game.play([Turner(t, log, "good", 1, 1), other], os.path.join(t.folder, other.name), "", count, 0.5)
        except ExoError as error:
            t.check(words in str(error), str(error))
        else:
            t.check(False, f"no error: {words}")


def cases(_):
    yield "turns", turns
    yield "packages", packages
    yield "quick", quick
    yield "counting", counting
