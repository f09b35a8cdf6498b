"""The views of ./exo inspect: each a picture (SVG) and the same as a table, from a snapshot (tools/debugger/snapshot.py) and a Run."""

from collections import Counter, defaultdict, namedtuple
from html import escape

from exo.inspect_run import Owed

View = namedtuple("View", "key title says page picture table")  # says: one sentence; page: of the tour, below docs/
WIDTH = 960
OWNERS = ("no RAM", "free", "the kernel's image", "kernel objects, page tables and blocks that nobody maps", "shared")
FIRST_ENV = 5
LOOKS = 8  # colours, each with a pattern of its own
PAGE_KIB = 4


def svg(height, label, parts):
    return (f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label, True)}">' + "".join(parts) + "</svg>")


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(str(words))}</text>'


def table(head, rows):
    cells = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"


def env_name(env):
    return f"{env['name']}[{env['pid']}]" if env["pid"] is not None else env["name"]


def names_of(snapshot, run):
    """{environment: name}: those of the snapshot, and others by number."""
    names = {env["id"]: env_name(env) for env in snapshot["envs"]}
    for env in run.ran:
        names.setdefault(env, f"environment {env}")
    return names


# ---- who may do what --------------------------------------------------------------------------------------------------------------------

def object_name(kind, number, snapshot, names):
    receivers = {int(key): value for key, value in snapshot["receivers"].items()}
    if kind == "env":
        return names.get(number, f"env {number}")
    if kind == "endpoint" and number in receivers:
        return f"endpoint of {names.get(receivers[number], '?')}"
    if kind == "zone":
        zone = next((zone for zone in snapshot["zones"] if zone["id"] == number), None)
        return f"zone {zone['number']} {zone['label']}" if zone else f"zone {number}"
    return f"{kind} {number}"


def graph(snapshot, run):
    """Holders to the left, to the right what more than one holds: contexts count as the environments that they are of."""
    names = names_of(snapshot, run)
    held = defaultdict(lambda: defaultdict(set))  # object: {holder: rights}
    for cap in snapshot["capabilities"]:
        key = ("env", cap["to"]) if cap["kind"] in ("env", "ctx") else (cap["kind"], cap["object"])
        held[key][cap["env"]].update(cap["rights"].split())
    shared = [key for key, holders in held.items() if len(set(holders) - {key[1] if key[0] == "env" else 0}) > (0 if key[0] == "env" else 1)]
    order = ("machine", "audit", "trace", "frame", "irq", "zone", "endpoint", "env")
    shared.sort(key=lambda key: (order.index(key[0]) if key[0] in order else len(order), key[1]))
    envs, step = snapshot["envs"], 22
    height = max(len(envs), len(shared)) * step + 40
    left = {env["id"]: 36 + (place + .5) * (height - 40) / len(envs) for place, env in enumerate(envs)}
    right = {key: 36 + (place + .5) * (height - 40) / max(1, len(shared)) for place, key in enumerate(shared)}
    parts = [text(210, 18, "environment", "head", "end"), text(WIDTH - 250, 18, "object", "head")]
    for key in shared:
        for env in sorted(held[key]):
            rights = " ".join(sorted(held[key][env]))
            kind = "call" if key[0] == "endpoint" else "own"
            title = f"{names.get(env, env)} to {object_name(*key, snapshot, names)}: {rights}"
            way = f"M220 {left[env]:.1f}C{WIDTH * .45:.0f} {left[env]:.1f} {WIDTH * .5:.0f} {right[key]:.1f} {WIDTH - 260} {right[key]:.1f}"
            parts.append(f'<path class="edge {kind}" data-a="e{env}" data-b="{key[0]}{key[1]}" d="{way}"><title>{escape(title)}</title></path>')
    for env in envs:
        parts.append(f'<g class="node" tabindex="0" data-n="e{env["id"]}"><circle cx="220" cy="{left[env["id"]]:.1f}" r="4"/>'
                     + text(210, left[env["id"]] + 4, f"{env_name(env)}, {env['label']}", "", "end") + "</g>")
    for key in shared:
        shape = (f'<rect x="{WIDTH - 264}" y="{right[key] - 4:.1f}" width="8" height="8"/>' if key[0] != "env"
                 else f'<circle cx="{WIDTH - 260}" cy="{right[key]:.1f}" r="4"/>')
        parts.append(f'<g class="node" tabindex="0" data-n="{key[0]}{key[1]}">{shape}'
                     + text(WIDTH - 250, right[key] + 4, object_name(*key, snapshot, names)) + "</g>")
    lines = []
    for env in envs:
        kinds = Counter(cap["kind"] for cap in snapshot["capabilities"] if cap["env"] == env["id"])
        lines.append([env_name(env), env["label"], sum(kinds.values()), ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())])
    says = ("A line leads from an environment to each object that it holds a capability to, of the objects that several know; point at either end, or step "
            "there with the Tab key, to see only its lines and their rights.")
    return View("capabilities", "Who may do what", says, "architecture.md",
                svg(height, "capabilities: holders to the left, objects to the right", parts),
                table(["environment", "label", "capabilities", "to"], lines))


# ---- labels -----------------------------------------------------------------------------------------------------------------------------

def levels(labels):
    """{label: how many stand above it, on the longest way}."""
    depth = {}

    def deep(name):
        if name not in depth:
            depth[name] = max((deep(above) + 1 for above in labels[name]), default=0)
        return depth[name]
    for name in labels:
        deep(name)
    return depth


def places(labels):
    """{label: (x, y)}: each near those above it, side by side."""
    depth, place, least = levels(labels), {}, 140
    for level in range(max(depth.values()) + 1):
        row = [name for name in labels if depth[name] == level]
        near = {name: sum(place[above][0] for above in labels[name]) / len(labels[name]) if labels[name] else WIDTH / 2 for name in row}
        row.sort(key=lambda name: near[name])
        groups = []  # [names, where their middle should be]: what would overlap moves apart together
        for name in row:
            groups.append([[name], near[name]])
            while len(groups) > 1 and groups[-1][1] - groups[-2][1] < least * (len(groups[-1][0]) + len(groups[-2][0])) / 2:
                (right, at), (left, before) = groups.pop(), groups.pop()
                groups.append([left + right, (before * len(left) + at * len(right)) / (len(left) + len(right))])
        for names, middle in groups:
            for at, name in enumerate(names):
                place[name] = (middle + (at - (len(names) - 1) / 2) * least * 1.2, 30 + level * 62)
    return place


def lattice(snapshot, labels):
    """`labels`: {label: those directly above}."""
    place = places(labels)
    there = defaultdict(list)
    for env in snapshot["envs"]:
        there[env["label"]].append(env_name(env))
    parts = []
    for name, above in labels.items():
        for other in above:
            (x, y), (to_x, to_y) = place[name], place[other]
            parts.append(f'<line class="cover" x1="{x:.1f}" y1="{y - 14:.1f}" x2="{to_x:.1f}" y2="{to_y + 18:.1f}"/>')
    for name, (x, y) in place.items():
        some = there.get(name)
        parts.append(f'<g class="label{" there" if some else ""}"><title>{escape(name + ": " + (", ".join(some) if some else "nobody"))}</title>'
                     f'<rect x="{x - 62:.1f}" y="{y - 14:.1f}" width="124" height="32" rx="4"/>' + text(x, y, name, "name", "middle")
                     + text(x, y + 13, f"{len(some)} environment{'s' if len(some) > 1 else ''}" if some else "nobody", "small", "middle") + "</g>")
    says = ("Each label dominates those that lines lead down to: who stands higher may look at, write to and end what stands lower, who stands lower may call "
            "what stands higher, and who stands beside meets only through somebody above both.")
    return View("labels", "The lattice of labels", says, "decisions/0006-labels.md",
                svg(30 + max(y for _, y in place.values()), "Hasse diagram of the labels", parts),
                table(["label", "directly below", "environments"], [[name, ", ".join(above) or "none", ", ".join(there.get(name, [])) or "none"]
                                                                    for name, above in labels.items()]))


# ---- the processors ---------------------------------------------------------------------------------------------------------------------

BINS, ROWS_MOST = 160, 12


def timeline(snapshot, run):
    names, bins, owed = names_of(snapshot, run), run.bins(BINS), Owed(snapshot, run.cpus)
    due = [owed.of(one) for one in bins]
    step_ms = (run.end - run.begin) / BINS / 1e6
    total = {env: sum(one.get(env, (0, 0))[0] for one in bins) for env in names}
    chosen = [env for env in sorted(total, key=lambda env: -total[env]) if total[env] > 0][:ROWS_MOST]
    left, row, wide = 170, 40, (WIDTH - 180) / BINS
    parts, lines = [], []
    for place, env in enumerate(chosen):
        base = 30 + (place + 1) * row
        parts.append(text(left - 8, base - 8, names[env], "", "end") + f'<line class="axis" x1="{left}" x2="{WIDTH - 10}" y1="{base}" y2="{base}"/>')
        bars, ideal, behind, worst = [], [], 0.0, 0.0
        for at, one in enumerate(bins):
            used, should = one.get(env, (0, 0))[0], due[at].get(env, 0)
            if used:
                bars.append(f"M{left + at * wide:.1f} {base}v-{(row - 8) * min(1, used):.1f}h{wide:.1f}V{base}")
            ideal.append(f"{'M' if not ideal else 'L'}{left + at * wide:.1f} {base - (row - 8) * min(1, should):.1f}h{wide:.1f}")
            behind += should - used
            worst = max(worst, abs(behind))
        parts.append(f'<path class="used" d="{"".join(bars)}"/><path class="owed" d="{"".join(ideal)}"/>')
        wanted = sum(one.get(env, (0, 0))[1] for one in bins)
        lines.append([names[env]] + [f"{part * step_ms:.2f}" for part in (total[env], sum(one.get(env, 0) for one in due), wanted, worst)])
    height = 50 + (len(chosen) + 1) * row - 20
    parts.append(text(left, 20, f"{run.begin / 1e9:.3f} s", "small") + text(WIDTH - 10, 20, f"{run.end / 1e9:.3f} s", "small", "end"))
    says = "Filled: how much of the processors an environment used in each part of the run; the line: what its zone's policy owed it, given what all wanted."
    return View("timeline", "Who ran, and who was to", says, "beatty.md", svg(height, "processor time of each environment over the run", parts),
                table(["environment", "used ms", "owed ms", "wanted ms", "furthest from it ms"], lines))


def histogram(snapshot, run):
    """Latency of calls, by who answered, in powers of two of a microsecond."""
    names = names_of(snapshot, run)
    found = {env: Counter(max(0, int(ns / 1000).bit_length()) for ns in some) for env, some in run.latency.items()}
    parts, lines, base = [], [], 0
    last = max((max(one) for one in found.values()), default=0)
    wide = min(60, (WIDTH - 190) / (last + 1))
    for env, one in sorted(found.items(), key=lambda pair: -sum(pair[1].values())):
        base += 96
        most = max(one.values())
        parts.append(text(162, base - 20, names.get(env, f"environment {env}"), "", "end") + text(162, base - 6, f"{sum(one.values())} calls", "small", "end")
                     + f'<line class="axis" x1="170" x2="{WIDTH - 10}" y1="{base}" y2="{base}"/>')
        for power, count in sorted(one.items()):
            x, high = 176 + power * wide, 60 * count / most
            parts.append(f'<rect class="used" x="{x:.1f}" y="{base - high:.1f}" width="{wide - 4:.1f}" height="{high:.1f}"/>'
                         + text(x + wide / 2 - 2, base - high - 3, count, "small", "middle"))
            below = f"<{1 << power}" if power else "<1"
            parts.append(text(x + wide / 2 - 2, base + 12, below, "small", "middle"))
        middle = sorted(run.latency[env])[len(run.latency[env]) // 2]
        lines.append([names.get(env, f"environment {env}"), sum(one.values()), f"{min(run.latency[env]) / 1000:.1f}", f"{middle / 1000:.1f}",
                      f"{max(run.latency[env]) / 1000:.1f}"])
    if not found:
        parts, base = [text(170, 30, "no call was answered")], 40
    says = ("From the caller's call to the answer, in microseconds below the number under each bar; while a run is recorded no call goes the fast path, and "
            "under an emulator only comparisons mean something.")
    return View("ipc", "How long calls took", says, "ipc.md", svg(base + 24, "histograms of IPC latency by server", parts),
                table(["who answered", "calls", "least us", "median us", "most us"], lines))


# ---- memory and gas ---------------------------------------------------------------------------------------------------------------------

CELLS_WIDE, CELL = 96, 10


def look_of(owner):
    """Colour and pattern of an owner: the first ones have their own, environments take turns."""
    return f"o{owner}" if owner < FIRST_ENV else f"c{(owner - FIRST_ENV) % LOOKS}"


def memory(snapshot, run):
    names = list(OWNERS) + [env_name(env) for env in snapshot["envs"]]
    runs = snapshot["frames"]
    total = sum(count for _, count in runs)
    per = max(1, -(-total // (CELLS_WIDE * 40)))
    cells, amounts, left = [], Counter(), Counter()
    filled = 0
    for owner, count in runs:
        amounts[owner] += count
        while count:
            part = min(count, per - filled)
            left[owner] += part
            filled, count = (filled + part) % per, count - part
            if filled == 0:
                cells.append(most_telling(left))
                left = Counter()
    if left:
        cells.append(most_telling(left))
    parts, at = [], 0
    while at < len(cells):
        end = at
        while end < len(cells) and cells[end] == cells[at] and end // CELLS_WIDE == at // CELLS_WIDE:
            end += 1
        where = f'x="{at % CELLS_WIDE * CELL}" y="{at // CELLS_WIDE * CELL}" width="{(end - at) * CELL}" height="{CELL - 1}"'
        parts.append(f'<rect class="{look_of(cells[at])}" data-o="{cells[at]}" {where}><title>{escape(names[cells[at]])}</title></rect>')
        at = end
    rows = "".join(f'<tr tabindex="0" data-o="{owner}"><td><svg class="key" viewBox="0 0 20 12"><rect class="{look_of(owner)}" width="20" height="12"/></svg>'
                   f"</td><td>{escape(names[owner])}</td><td>{count * PAGE_KIB}</td></tr>" for owner, count in amounts.most_common())
    legend = f"<table><thead><tr><th>look</th><th scope=col>owner</th><th scope=col>KiB</th></tr></thead><tbody>{rows}</tbody></table>"
    says = (f"Physical memory from address 0 on, {per * PAGE_KIB} KiB a cell, by who maps it alone; step through the lines below to see one owner's "
            "cells.")
    return View("frames", "Whose the memory is", says, "decisions/0008-frames-and-large-pages.md",
                svg((len(cells) + CELLS_WIDE - 1) // CELLS_WIDE * CELL, "map of physical memory", parts), legend)


def most_telling(counts):
    """Of the frames of a cell: whoever has most, but what is free or no RAM last."""
    return max(counts, key=lambda owner: (owner > 1, counts[owner]))


def gas(snapshot, run):
    zones = {zone["id"]: f"zone {zone['number']} {zone['label']}" for zone in snapshot["zones"]}
    zones.update({env["id"]: env_name(env) for env in snapshot["envs"]})
    span, left = max(1, run.end - run.begin), 150
    parts, lines, base = [], [], 0
    for account, points in sorted(run.gas.items(), key=lambda pair: -pair[1][-1][1]):
        most = points[-1][1]
        if not most:
            continue
        base += 64
        keep = max(1, len(points) // 200)
        way = " ".join(f"{left + 20 + (ns - run.begin) / span * (WIDTH - left - 40):.1f},{base - 44 * used / most:.1f}"
                       for ns, used in points[::keep] + points[-1:])
        parts.append(text(left, base - 14, zones.get(account, f"account {account}"), "", "end") + text(left, base, f"{most:,}", "small", "end")
                     + f'<line class="axis" x1="{left + 20}" x2="{WIDTH - 20}" y1="{base}" y2="{base}"/><polyline class="owed" points="{way}"/>')
        lines.append([zones.get(account, f"account {account}"), f"{most:,}", len(points)])
    if not lines:
        parts, base = [text(left, 30, "no account was looked at in this run")], 40
    says = "Gas that each account has paid, from the beginning of the run to its end; each picture has its own height, which the number tells."
    return View("gas", "What was paid", says, "decisions/0007-gas.md",
                svg(base + 16, "gas used by account over time", parts), table(["account", "paid", "times seen"], lines))


def all_views(snapshot, run, labels):
    return [graph(snapshot, run), lattice(snapshot, labels), timeline(snapshot, run), memory(snapshot, run), gas(snapshot, run), histogram(snapshot, run)]
