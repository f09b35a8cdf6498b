"""The kernel's scheduling policies in a simulator (main.c): bounds that must hold, and the picture in docs/."""

import os
import sys

from exo.build import build

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plot  # noqa: E402


def program():
    return os.path.join(build("host", quiet=True).folder, "sim", "sim")


def holds(*arguments, timeout):
    def body(t):
        result = t.command(program(), *map(str, arguments), timeout=timeout)
        t.check(result.status == 0, lambda: (result.stdout + result.stderr).decode(errors="replace"))
        print(result.stdout.decode())
    return body


def no_bound_for_stride(t):
    """The judge can say no: stride's windows are wrong by more than two quanta."""
    lines = t.command(program(), "table", "20000", timeout=200).stdout.decode().splitlines()
    worst = {policy: max(int(line.split("\t")[3]) for line in lines[1:] if line.split("\t")[2] == policy) for policy in ("beatty", "stride")}
    t.check(worst["beatty"] < 2000 < worst["stride"], worst)


def picture(t):
    with open(t.path("docs/share-error.svg")) as file:
        t.check(file.read() == plot.drawn(program()), "docs/share-error.svg is not what tests/sim/plot.py draws")


def cases(t):
    decisions = 200000000 if t.long else 2000000
    program()
    yield "beatty-two-quanta", holds("bound", decisions, t.seed, timeout=100 + decisions // 20000), 150 + decisions // 20000
    yield "change", holds("change", decisions // 10, t.seed, timeout=100 + decisions // 20000), 150 + decisions // 20000
    yield "no-bound-for-stride", no_bound_for_stride, 250
    yield "picture", picture, 500
