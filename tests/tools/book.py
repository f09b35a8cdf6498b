"""The benchmark book: what bench/book.py draws and demands, and that docs/ holds what it draws; what a changed count is told."""

import importlib
import os
import re
import sys

LINUX, BARE_LINUX, OURS = "Linux", "Linux norandmaps", "ExoV6"


def modules(t):
    sys.path.insert(0, t.path("bench"))
    return importlib.import_module("book"), importlib.import_module("runner")


def figures(**ratios):
    """A book in which Linux takes 100 ns and ExoV6 100 / ratio."""
    times = {LINUX: {case: [110.0, 100.0, 90.0] for case in ratios}, BARE_LINUX: {case: [100.0, 200.0, 300.0] for case in ratios},
             OURS: {case: [100.0 / ratio] * 3 for case, ratio in ratios.items()}}
    return {"about": {"date": "today"}, "boots": 3, "times": times, "counts": {OURS: {"null": [40.0]}, BARE_LINUX: {"null": [90.0]}}}


def ratios_and_means(t):
    book, _ = modules(t)
    made = figures(int_loop=0.5, null=4.0, stat=1.0)
    row = {row.case: row for row in book.compared(made)}
    t.equal(round(row["null"].ratio(), 6), 4.0, "the faster Linux's median counts")
    t.equal(tuple(round(bound, 3) for bound in row["null"].bounds()), (3.6, 4.4), "bounds")
    t.equal([round(part, 6) if part else part for part in book.means(made)["all"]], [2.0, 2], "the geometric mean, without the control cases")
    t.equal(book.losses(made), [], "a control case is no loss")


def losses_come_first_with_reasons(t):
    book, _ = modules(t)
    made = figures(null=0.9, stat=2.0, rename=0.4)
    book.lines_of = lambda name, before=book.lines_of: {"null": ["because."], "rename": ["so."]} if name == "losses.tsv" else before(name)
    text = "\n".join(book.page(made))
    t.check(text.index("## Below 1.0") < text.index("| `rename`") < text.index("| `null`") < text.index("## System calls"), text)
    t.check("because." in text and "2 are below 1.0" in text, text)
    book.lines_of = lambda name, before=book.lines_of: {} if name == "losses.tsv" else before(name)
    try:
        book.drawn(made)
    except SystemExit as problem:
        t.check("null" in str(problem) and "rename" in str(problem), str(problem))
    else:
        t.check(False, "a loss without a reason was drawn")


def picture_shows_all(t):
    book, _ = modules(t)
    made = figures(int_loop=1.0, null=12.0, stat=0.03, rename=2000.0)
    text = "\n".join(book.picture(made))
    for name in ("int_loop", "null", "stat", "rename"):
        t.check(f">{name}<" in text, name)
    t.equal(len(re.findall(r'fill="url\(#loss\)"', text)), 2, "one bar and its legend")
    t.check("<title" in text and text.startswith("<svg"), text[:200])
    at = [float(x) for x in re.findall(r'<line x1="([\d.-]+)"', text)]
    t.check(min(at) >= 0 and max(at) <= 190 + 620 + 60, f"{min(at)} to {max(at)}")


def docs_are_drawn(t):
    book, _ = modules(t)
    if not os.path.exists(os.path.join(book.DOCS, "benchmarks.json")):
        t.skip("no book has been measured yet")
    for name, text in book.drawn(book.stored()).items():
        with open(os.path.join(book.DOCS, name)) as file:
            t.check(file.read() == text, f"docs/{name} is not what bench/book.py draws")
    for row in book.losses(book.stored()):
        t.check(row.count and row.their_count, f"{row.case} is slower than on Linux, and its instructions are not counted on both")


def counts_that_change_are_told(t):
    _, runner = modules(t)
    baseline = {"null": ["40.0", "why"], "stat": ["1,000.0", "why"], "gone": ["5", "why"], "gas_charge": ["10.2", "why"]}
    told = list(runner.against_baseline({"null": 40.4, "stat": 1031.0, "new": 1.0, "gas_charge": 10.4}, baseline))
    t.equal(told, ["gas_charge: 10.4 instructions, over its bar, 10", "gone: not counted, but in bench/counts.tsv", "new: counted, but not in bench/counts.tsv",
                   "stat: 1,031.0 instructions, +3.1 % of the baseline's 1,000.0"], "what is told")
    t.equal(list(runner.against_baseline({"stat": 971.0}, {"stat": ["1,000.0", "why"]})), [], "within 3 %")


def misuse(t):
    for words in (["--book", "null"], ["--book", "--quick"], ["--book", "--count"], ["--book", "--smp", "2"], ["--baseline"]):
        result = t.exo("bench", *words, timeout=60)
        t.equal(result.status, 2, " ".join(words))


def cases(_):
    for case in (ratios_and_means, losses_come_first_with_reasons, picture_shows_all, docs_are_drawn, counts_that_change_are_told, misuse):
        yield case.__name__.replace("_", "-"), case
