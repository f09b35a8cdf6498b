"""./exo run --boot-chart: the phases from QEMU's start to the program's first instruction, as the guest's parts noted them (libos/posix/entry/boot_chart.c)."""

from exo.log_lines import MarkedLines

WIDTH = 44
# What happens, from which moment to which; of several, the first. QEMU's own start is what the guest's clock does not know.
PHASES = (
    ("firmware and boot code", ("start",), "kernel"),
    ("kernel: processor and memory", ("kernel",), "memory"),
    ("kernel: clocks and interrupts", ("memory",), "devices"),
    ("kernel: other processors", ("devices",), "processors"),
    ("kernel: the first environment", ("processors",), "user"),
    ("rs: loads the servers", ("user",), ("proc", "fs", "tty")),
    ("proc: its tables", ("proc",), "proc-ready"),
    ("fs: the root file system", ("fs",), "fs-ready"),
    ("tty: the link, what to run", ("tty",), "tty-ready"),
    ("proc: makes the process", ("tty-ready",), "libos"),
    ("libOS: starts, loads the program", ("libos",), "program"),
)


class BootChart(MarkedLines):
    """Takes the guest's lines out of what it logs; draws them when the guest has ended."""

    MARK = b"exo-boot "

    def __init__(self):
        super().__init__()
        self.moments = {"start": 0}  # nanoseconds since the guest's clock began
        self.heard = None            # seconds on this machine since QEMU was started, at the last line

    def note(self, words, seconds):
        if len(words) != 2 or not words[1].isdigit():
            return False
        self.moments[words[0].decode("ascii", "replace")] = int(words[1])
        self.heard = seconds
        return True

    def phases(self):
        """[(text, from, to)] in seconds since QEMU's start; empty if the guest did not come as far as its first program."""
        missing = {name for _, starts, end in PHASES for name in (*starts, *((end,) if isinstance(end, str) else end))} - self.moments.keys()
        if missing or self.heard is None:
            return []
        before = max(0.0, self.heard - self.moments.get("end", self.moments["program"]) / 1e9)
        found = [("QEMU starts", 0.0, before)]
        for text, starts, end in PHASES:
            ends = (end,) if isinstance(end, str) else end
            found.append((text, before + min(self.moments[name] for name in starts) / 1e9, before + min(self.moments[name] for name in ends) / 1e9))
        return sorted(found, key=lambda phase: phase[1])

    def lines(self):
        phases = self.phases()
        if not phases:
            yield "exo: there is no boot to draw: the guest did not come as far as its first program"
            return
        total = phases[-1][2]
        yield f"boot: {total * 1000:.1f} ms from QEMU's start to the program's first instruction"
        for text, start, end in phases:
            first, last = (round(WIDTH * moment / total) if total else 0 for moment in (start, end))
            bar = (" " * first + "#" * max(last - first, 1))[:WIDTH + 1]
            yield f"{start * 1000:8.1f} {(end - start) * 1000:8.1f} ms  {text:33} |{bar:<{WIDTH}}|"
