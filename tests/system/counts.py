"""Instruction counts stay as they are: bench/counts.tsv changes with a reason, or not at all. Every case is described."""

import os
import sys


def baseline(t):
    if os.path.basename(t.built) != "release":
        t.skip("the baseline is the release build's, by gcc")
    result = t.exo("bench", "--count", "--baseline", "--quiet", "--smp", "1", "--built", t.built, timeout=300)
    t.check(result.status == 0, result.stdout.decode()[-3000:] + result.stderr.decode())


def descriptions(t):
    sys.path.insert(0, t.path("bench"))
    import book
    import runner
    known = {*runner.known_cases(os.path.join(t.built, "bench", "exobench")), *runner.PACKAGE_CASES}
    t.equal(sorted(book.lines_of("cases.tsv")), sorted(known), "bench/cases.tsv and what ./exo bench --list says")


def cases(_):
    yield "baseline", baseline, 320
    yield "descriptions", descriptions
