"""The programs in examples/ (a file or a folder each): each runs in a guest and says what its comment promises."""

import os
import re

SAYS = {
    "descriptors": b"for root alone\n",
    "door": b"three callers: all answers are right\n",
    "fast": b"1 to 1000: 500500, bits 4\nwith 500 that were sent: 501000\nthe server was killed: its caller knows\n",
    "stream": b"8388608 numbers, the sum is right; then the stream ended\n",
    "smallos": b"".join(b"%-8s sweep %d: %d pages were not in memory\n" % (b"latest" if n > 4 else b"clock", n, 17 if n > 4 else 64) for n in range(1, 9))
    + b"every word was as it was left\n",
    "channel": b"1000 readings from the harbour, 19 degrees on average; then the channel ended\n",
}


def example(name):
    def body(t):
        result = t.guest("./" + os.path.relpath(os.path.join(t.built, "examples", name), t.root), timeout=60)
        t.equal((result.status, result.stdout), (0, SAYS[name]), result)
    return body


def small_lines(t):
    """docs/library-os.md promises 300 lines: those of the library itself that are neither empty nor comment."""
    lines = 0
    for name in ("smallos.h", "memory.c", "tasks.c", "entry.S"):
        with open(t.path("examples", "smallos", name)) as file:
            lines += sum(not re.match(r"\s*($|/\*|\*)", line) for line in file)
    t.check(200 < lines <= 300, f"{lines} lines")


def cases(t):
    for name in sorted(os.listdir(t.path("examples"))):
        if name.endswith(".c") or os.path.isdir(t.path("examples", name)):
            yield "example-" + name.removesuffix(".c"), example(name.removesuffix(".c"))
    yield "smallos-lines", small_lines
