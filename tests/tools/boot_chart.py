"""The boot chart: what is taken out of the guest's log, what is left, what is drawn."""

from exo.boot_chart import PHASES, BootChart

MOMENTS = ("kernel", "memory", "devices", "processors", "user", "proc", "proc-ready", "fs", "fs-ready", "tty", "tty-ready", "libos", "program", "end")


def log():
    return b"".join(b"exo-boot %s %d\n" % (name.encode(), (at + 1) * 10_000_000) for at, name in enumerate(MOMENTS))


def drawn(t):
    chart = BootChart()
    t.equal(chart.take(log(), 0.240), b"", "nothing is left")
    phases = chart.phases()
    t.equal(len(phases), len(PHASES) + 1, "phases")
    t.equal([round(moment * 1000) for moment in phases[0][1:]], [0, 100], "QEMU's own: what the guest's clock does not know")
    t.equal([round(moment * 1000) for moment in phases[-1][1:]], [220, 230], "the last")
    t.check(all(start <= end for _, start, end in phases), phases)
    lines = list(chart.lines())
    t.check(lines[0].startswith("boot: 230.0 ms"), lines[0])
    t.equal({line.count("|") for line in lines[1:]}, {2}, "bars")
    t.check(max(map(len, lines)) < 110, lines)


def others_are_left(t):
    for size in (1, 7, 1000):
        chart, left = BootChart(), b""
        text = b"open() = 3\n" + log() + b"exo-boo\n exo-boot no\nend without a line"
        for at in range(0, len(text), size):
            left += chart.take(text[at:at + size], 1.0)
        t.equal(left + chart.rest, b"open() = 3\nexo-boo\n exo-boot no\nend without a line", f"pieces of {size}")
        t.check(chart.phases(), f"pieces of {size}")


def no_boot(t):
    chart = BootChart()
    chart.take(b"exo-boot kernel 5\nexo-boot program x\n", 1.0)
    t.equal(chart.phases(), [], "phases")
    t.equal(len(list(chart.lines())), 1, "a line says so")


def cases(_):
    for case in (drawn, others_are_left, no_boot):
        yield case.__name__.replace("_", "-"), case
