"""A flame graph: folded stacks as one SVG file that needs nothing else. Each bar is a function, as wide as the part of the samples in which it was on the
stack; what it called stands on it. Hovering, or the <title> of each bar, tells the numbers."""

from html import escape

WIDTH, BAR, MARGIN, TOP = 1200, 17, 10, 48
LEAST = 0.3         # narrower bars, in pixels, are left out
LETTER = 7.1        # width of a letter at 12 pixels
COLOURS = {"kernel": ("#c0392b", "#ffffff"), "libos": ("#2c7fb8", "#ffffff"), "server": ("#6a51a3", "#ffffff"), "program": ("#f0c75e", "#222222"),
           "process": ("#d9d9d9", "#222222")}


class Node:
    def __init__(self, name, kind):
        self.name, self.kind, self.count, self.children = name, kind, 0, {}


def tree(stacks):
    """{((name, kind), ...), the outermost first: samples} as nested nodes."""
    root = Node("all", "process")
    for frames, count in stacks.items():
        root.count += count
        node = root
        for frame in frames:
            node = node.children.setdefault(frame, Node(*frame))
            node.count += count
    return root


def depth(node):
    return 1 + max(map(depth, node.children.values()), default=0)


def _bars(node, left, level, scale, bottom, total):
    width = node.count * scale
    if width < LEAST:
        return
    fill, ink = COLOURS[node.kind]
    top = bottom - (level + 1) * BAR
    share = f"{node.name} ({node.kind}): {node.count} samples, {100 * node.count / total:.2f} %"
    yield f'<g><title>{escape(share)}</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.5, LEAST):.1f}" height="{BAR - 1}" rx="2" fill="{fill}"/>'
    letters = int((width - 6) / LETTER)
    if letters >= 3:
        text = node.name if len(node.name) <= letters else node.name[:letters - 2] + ".."
        yield f'<text x="{left + 3:.1f}" y="{top + 12}" fill="{ink}">{escape(text)}</text>'
    yield "</g>"
    for child in sorted(node.children.values(), key=lambda child: child.name):
        yield from _bars(child, left, level + 1, scale, bottom, total)
        left += child.count * scale


def svg(stacks, title):
    """The whole file's text."""
    root = tree(stacks)
    levels = depth(root)
    height = TOP + levels * BAR + 2 * MARGIN + BAR
    bottom = TOP + levels * BAR
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
             'font-family="DejaVu Sans Mono, monospace" font-size="12">',
             f"<title>{escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             f'<text x="{WIDTH / 2}" y="24" text-anchor="middle" font-size="16" fill="#222222">{escape(title)}</text>']
    if root.count:
        lines += _bars(root, MARGIN, 0, (WIDTH - 2 * MARGIN) / root.count, bottom, root.count)
    at = MARGIN
    for kind, (fill, _) in COLOURS.items():
        lines.append(f'<rect x="{at}" y="{bottom + MARGIN}" width="12" height="12" fill="{fill}"/>'
                     f'<text x="{at + 17}" y="{bottom + MARGIN + 11}" fill="#222222">{kind}</text>')
        at += 100
    return "\n".join(lines + ["</svg>"]) + "\n"


def folded(stacks):
    """One line for each stack, as flamegraph.pl and speedscope read them."""
    return "".join(";".join(name.replace(";", ":") for name, _ in frames) + f" {count}\n" for frames, count in sorted(stacks.items()))
