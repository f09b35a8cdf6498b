#!/usr/bin/env python3
"""Draws docs/share-error.svg from the simulator's table: `tests/sim/plot.py SIMULATOR > docs/share-error.svg` (build/host/sim/sim after ./exo test sim)."""

import math
import subprocess
import sys

DECISIONS = 200000
POLICIES = (("rr", "#8a8a8a", "round robin"), ("lottery", "#c2571a", "lottery"), ("stride", "#2f6db3", "stride"), ("beatty", "#1d7a46", "Beatty"))
KINDS = (("uniform", "weights 1 to 10,000, uniform"), ("logarithmic", "weights 1 to 10,000, logarithmic"), ("one heavy", "one of 10,000, others 1 to 10"))
LEFT, TOP, WIDTH, HEIGHT, GAP = 60, 60, 300, 300, 40
LOWEST, HIGHEST = -1, 6  # powers of ten


def table(simulator):
    text = subprocess.run([simulator, "table", str(DECISIONS)], stdout=subprocess.PIPE, check=True).stdout.decode()
    found = {}
    for line in text.splitlines()[1:]:
        kind, count, policy, worst = line.split("\t")
        found.setdefault((kind, policy), []).append((int(count), int(worst)))
    return found


def place(left, count, worst):
    x = left + WIDTH * math.log10(count / 2) / math.log10(500)
    y = TOP + HEIGHT * (HIGHEST - math.log10(max(worst, 100) / 1000)) / (HIGHEST - LOWEST)
    return f"{x:.1f},{y:.1f}"


def panel(found, number, kind, title):
    left = LEFT + number * (WIDTH + GAP)
    yield f'<text x="{left + WIDTH / 2:.0f}" y="{TOP - 12}" text-anchor="middle">{title}</text>'
    yield f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#bbb"/>'
    for power in range(LOWEST, HIGHEST + 1):
        _, y = place(left, 2, 1000 * 10.0 ** power).split(",")
        yield f'<line x1="{left}" y1="{y}" x2="{left + WIDTH}" y2="{y}" stroke="#eee"/>'
        if number == 0:
            label = f"{10 ** power:,}" if power >= 0 else "0.1"
            yield f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{label}</text>'
    for count in (2, 10, 100, 1000):
        x, _ = place(left, count, 1000).split(",")
        yield f'<text x="{x}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{count:,}</text>'
    _, bound = place(left, 2, 2000).split(",")
    yield f'<line x1="{left}" y1="{bound}" x2="{left + WIDTH}" y2="{bound}" stroke="#1d7a46" stroke-dasharray="4 3"/>'
    for policy, colour, _ in POLICIES:
        points = " ".join(place(left, count, worst) for count, worst in found[kind, policy])
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def picture(found):
    width = LEFT + len(KINDS) * (WIDTH + GAP)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{TOP + HEIGHT + 80}" font-family="sans-serif" font-size="12">')
    yield f'<rect width="{width}" height="{TOP + HEIGHT + 80}" fill="white"/>'
    yield (f'<text x="{LEFT}" y="20" font-size="14">Largest share error over any window, in quanta, against the number of entities; {DECISIONS:,} decisions. '
           'Dashed: two quanta.</text>')
    for number, (kind, title) in enumerate(KINDS):
        yield from panel(found, number, kind, title)
    for number, (_, colour, name) in enumerate(POLICIES):
        x = LEFT + number * 130
        yield f'<line x1="{x}" y1="{TOP + HEIGHT + 50}" x2="{x + 30}" y2="{TOP + HEIGHT + 50}" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{x + 36}" y="{TOP + HEIGHT + 54}">{name}</text>'
    yield "</svg>"


def drawn(simulator):
    return "\n".join(picture(table(simulator))) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/sim/plot.py SIMULATOR > docs/share-error.svg")
    sys.stdout.write(drawn(sys.argv[1]))
