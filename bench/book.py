#!/usr/bin/env python3
"""The benchmark book: docs/benchmarks.md and docs/benchmarks.svg, drawn from docs/benchmarks.json, which `./exo bench --book` measures.

`bench/book.py` draws both anew; a test compares. The figures hold times of several boots and exact counts of instructions; cases.tsv says
what the cases are, losses.tsv why some are below 1.0.
"""

import json
import math
import os
import statistics
import sys
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(os.path.dirname(HERE), "docs")
OURS = "ExoV6"
SHORT = 100_000  # instructions: longer paths are not counted in the table
CONTROL = "control"
COUNTED = "kernel"  # the group that exists here alone and is only counted
APPLICATIONS = "applications"
PLAIN_UNITS = {"memory": "MiB", "memory_bash": "MiB", "image": "KiB", "idle": "%"}
SECONDS = {"boot"}
COMPARED_WITH = {"direct_null": "null", "direct_getpid": "getpid"}
MACHINE_TEXT = """QEMU translates each guest instruction into host instructions (TCG): there is no hardware virtualisation. So a ratio here says
how much *work* the two systems make of an operation, and not what a processor's caches, branch predictors and pipelines would make of it. Three
things are dearer here than on hardware, for both systems: a change of the address space and each page touched after it (the translator forgets all
translations of addresses), a fault, and an instruction that is rare (`rep`, `cpuid`). One thing is cheaper: a system call's entry. Instruction
counts (`-icount`) are exact, hold on hardware too, and do not depend on the load of this machine."""


def lines_of(name):
    """{first field: the others} of a table."""
    with open(os.path.join(HERE, name)) as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return {row[0]: row[1:] for row in rows}


class Row:
    """One case: medians of the faster Linux and of ExoV6, their ratio, its spread."""

    def __init__(self, case, group, text, book):
        self.case, self.group, self.text = case, group, text
        times, counts = book["times"], book["counts"]
        theirs = {name: cases[COMPARED_WITH.get(case, case)] for name, cases in times.items()
                  if name != OURS and COMPARED_WITH.get(case, case) in cases}
        self.ours = times.get(OURS, {}).get(case)
        self.theirs = min(theirs.values(), key=statistics.median) if theirs else None
        self.count = (counts.get(OURS, {}).get(case) or [None])[0]
        self.their_count = (counts.get("Linux norandmaps", {}).get(COMPARED_WITH.get(case, case)) or [None])[0]

    def ratio(self):
        return statistics.median(self.theirs) / statistics.median(self.ours) if self.theirs and self.ours and statistics.median(self.ours) else None

    def bounds(self):
        """The least and the greatest ratio that the boots allow."""
        return min(self.theirs) / max(self.ours), max(self.theirs) / min(self.ours)

    def value(self, values):
        if not values:
            return ""
        middle = statistics.median(values)
        spread = (max(values) - min(values)) / 2 / middle * 100 if middle else 0
        return f"{self.shown(middle)} ±{spread:.0f} %"

    def shown(self, value):
        if self.case in PLAIN_UNITS:
            return f"{value:,.2f} {PLAIN_UNITS[self.case]}"
        seconds = value if self.case in SECONDS else value / 1e9
        for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
            if seconds * factor >= 1:
                return f"{seconds * factor:,.3g} {unit}"
        return f"{seconds * 1e9:,.3g} ns"

    def counted(self, count, most=SHORT):
        return f"{count:,.0f}" if count is not None and count < most and self.case not in PLAIN_UNITS else ""


def rows(book):
    return [Row(case, group, text, book) for case, (group, text) in lines_of("cases.tsv").items()]


def compared(book):
    return [row for row in rows(book) if row.ratio() is not None]


def losses(book):
    return sorted((row for row in compared(book) if row.ratio() < 1 and row.group != CONTROL), key=Row.ratio)


def means(book):
    """{what: geometric mean of ratios}; the control cases are no measure of anything but noise."""
    found = [row for row in compared(book) if row.group != CONTROL]
    groups = list(dict.fromkeys(row.group for row in found))
    of = {"all": [row.ratio() for row in found], **{group: [row.ratio() for row in found if row.group == group] for group in groups}}
    return {name: (statistics.geometric_mean(ratios), len(ratios)) for name, ratios in of.items()}


# ---- the page ----

def table(head, body):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join("---" if i < 2 else "--:" for i in range(len(head))) + "|"
    for row in body:
        yield "| " + " | ".join(row) + " |"
    yield ""


def loss_lines(book):
    reasons, found = lines_of("losses.tsv"), losses(book)
    yield "## Below 1.0"
    yield ""
    if not found:
        yield "No case."
        yield ""
        return
    yield from table(["case", "one operation", "ratio", "instructions, Linux", "ExoV6", "why, and what would mend it"],
                     [[f"`{row.case}`", row.text, f"{row.ratio():.2f}", row.counted(row.their_count, math.inf), row.counted(row.count, math.inf),
                       " ".join(reasons[row.case])] for row in found])


def group_lines(book, group, members):
    yield f"## {group[0].upper()}{group[1:]}"
    yield ""
    if group == COUNTED:
        yield "Operations of the kernel that Linux has not, in guest instructions (or a ratio, where it says so)."
        yield ""
        yield from table(["case", "one operation", "instructions"],
                         [[f"`{row.case}`", row.text, f"{row.count:,.2f}"] for row in members if row.count is not None])
        return
    yield from table(["case", "one operation", "Linux", "ExoV6", "ratio", "instructions, Linux", "ExoV6"],
                     [[f"`{row.case}`", row.text, row.value(row.theirs), row.value(row.ours), f"**{row.ratio():.2f}**" if row.ratio() else "",
                       row.counted(row.their_count), row.counted(row.count)] for row in members if row.ours or row.count is not None])


def page(book):
    about, mean = book["about"], means(book)
    found = len(compared(book)) - sum(row.group == CONTROL for row in compared(book))
    yield "# Benchmarks"
    yield ""
    yield "<!-- Drawn by bench/book.py from benchmarks.json; do not edit. -->"
    yield ""
    yield (f"{found} cases, each the same program on Linux and on ExoV6 in the same virtual machine. A ratio is how many times as fast ExoV6 is; where "
           f"no time is measured, how many times as little it needs. Their geometric mean is **{mean['all'][0]:.2f}**; {len(losses(book))} are below 1.0, "
           "and stand first.")
    yield ""
    yield "![The ratios of all cases on a logarithmic axis](benchmarks.svg)"
    yield ""
    yield from table(["group", "cases", "geometric mean"], [[name, str(count), f"{value:.2f}"] for name, (value, count) in mean.items()])
    yield from loss_lines(book)
    everything = rows(book)
    for group in dict.fromkeys(row.group for row in everything):
        yield from group_lines(book, group, [row for row in everything if row.group == group])
    yield "## How it was measured"
    yield ""
    yield "<!-- shown: it takes most of an hour, and figures are no test -->"
    yield "```console"
    yield "$ ./exo bench --book"
    yield "```"
    yield ""
    for name, text in about.items():
        yield f"- {name}: {text}"
    yield (f"- method: Linux, Linux without address randomisation, and ExoV6 run in turns of a quarter of a second, the others' clocks standing still "
           "meanwhile, and none begins a case before the others have done the last one (bench/turns.py): a host that is shared changes its pace by a "
           f"factor of two, and all are to meet the same. A figure is the median of {book['boots']} boots, each the median of several repetitions; but for "
           "programs at a pace at which an operation of the control int_loop takes 100 ns: it runs before and after each repetition "
           "(bench/exobench/main.c). ± is half of the range between boots. Linux is the faster of the two. Files lie in memory on both. "
           "Instructions are counted in one more boot under `-icount`, of Linux without randomisation.")
    yield "- `control` cases execute the same instructions on both systems: what they differ by is noise, so no mean contains them."
    yield ""
    yield "## What this can show, and what not"
    yield ""
    yield MACHINE_TEXT
    yield ""


# ---- the picture ----

LEFT, RIGHT, TOP, LINE, AXIS = 190, 60, 70, 17, 620
GAIN, LOSS, EVEN = "#2f6db3", "#c2571a", "#8a8a8a"


def axis(found):
    """Powers of ten around all ratios."""
    low = min(min(row.ratio() for row in found), 0.5)
    return math.floor(math.log10(low)), math.ceil(math.log10(max(row.ratio() for row in found)))


def picture(book):
    found = compared(book)
    groups = list(dict.fromkeys(row.group for row in found))
    low, high = axis(found)
    height = TOP + (len(found) + 2 * len(groups)) * LINE + 30
    width = LEFT + AXIS + RIGHT

    def x(ratio):
        return LEFT + AXIS * (math.log10(ratio) - low) / (high - low)

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12" role="img" '
           'aria-labelledby="t">')
    yield '<title id="t">How many times as fast as Linux ExoV6 is, case by case, on a logarithmic axis</title>'
    yield (f'<defs><pattern id="loss" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
           f'<rect width="6" height="6" fill="{LOSS}"/><line x1="0" y1="0" x2="0" y2="6" stroke="white" stroke-width="2"/></pattern></defs>')
    yield f'<rect width="{width}" height="{height}" fill="white"/>'
    yield f'<text x="10" y="22" font-size="15">How many times as fast as Linux, or as little of what is used</text>'
    yield f'<rect x="10" y="33" width="14" height="10" fill="{GAIN}"/><text x="30" y="42">ExoV6 ahead</text>'
    yield '<rect x="120" y="33" width="14" height="10" fill="url(#loss)"/><text x="140" y="42">Linux ahead</text>'
    yield f'<rect x="230" y="33" width="14" height="10" fill="{EVEN}"/><text x="250" y="42">the same on both; thin lines: what the boots allow</text>'
    for power in range(low, high + 1):
        for factor in (1, 2, 5) if power < high else (1,):
            value = factor * 10.0 ** power
            yield f'<line x1="{x(value):.1f}" y1="{TOP - 6}" x2="{x(value):.1f}" y2="{height - 24}" stroke="{"#555" if value == 1 else "#e4e4e4"}"/>'
            yield f'<text x="{x(value):.1f}" y="{height - 8}" text-anchor="middle">{value:g}</text>'
    y = TOP
    for group in groups:
        yield f'<text x="10" y="{y + 12}" font-weight="bold">{escape(group)}</text>'
        y += LINE
        for row in (row for row in found if row.group == group):
            ratio, (least, most) = row.ratio(), row.bounds()
            start, end = sorted((x(1), x(ratio)))
            fill = EVEN if group == CONTROL else GAIN if ratio >= 1 else "url(#loss)"
            yield f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{row.case}</text>'
            yield f'<rect x="{start:.1f}" y="{y + 2}" width="{max(end - start, 1):.1f}" height="{LINE - 5}" fill="{fill}"/>'
            yield (f'<line x1="{x(max(least, 10.0 ** low)):.1f}" y1="{y + LINE / 2 - .5}" x2="{x(min(most, 10.0 ** high)):.1f}" y2="{y + LINE / 2 - .5}" '
                   'stroke="#222" stroke-width="1"/>')
            yield f'<text x="{max(end, x(min(most, 10.0 ** high))) + 5:.1f}" y="{y + 12}">{ratio:.2f}</text>'
            y += LINE
        y += LINE
    yield "</svg>"


def drawn(book):
    """{file of docs/: its text}."""
    missing = [row.case for row in losses(book) if row.case not in lines_of("losses.tsv")]
    if missing:
        raise SystemExit(f"bench/losses.tsv does not say why these are below 1.0: {' '.join(missing)}")
    return {"benchmarks.md": "\n".join(page(book)).rstrip("\n") + "\n", "benchmarks.svg": "\n".join(picture(book)) + "\n"}


def stored():
    with open(os.path.join(DOCS, "benchmarks.json")) as file:
        return json.load(file)


def write(book):
    for name, text in drawn(book).items():
        with open(os.path.join(DOCS, name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 1:
        sys.exit("usage: bench/book.py   (draws docs/benchmarks.md and .svg from docs/benchmarks.json)")
    write(stored())
