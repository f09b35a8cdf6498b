"""./exo run --strace-summary: the table that strace -c prints, of the calls that the guest's processes tell of (libos/posix/fd/strace.c)."""

from exo.log_lines import MarkedLines

COLUMNS = (6, 11, 11, 9, 9, 16)
TITLES = ("% time", "seconds", "usecs/call", "calls", "errors", "syscall")


def row(*texts):
    """All but the last to the right."""
    return " ".join([f"{text:>{width}}" for text, width in zip(texts[:-1], COLUMNS)] + [texts[-1]])


def figures(share, calls, errors, ns, name):
    return row(f"{share * 100:.2f}", f"{ns / 1e9:.6f}", ns // 1000 // calls, calls, errors or "", name)


class StraceSummary(MarkedLines):
    """Adds the calls up. Times are from a call's beginning to its return, as with strace -w, and have in them what others did meanwhile."""

    MARK = b"exo-call "

    def __init__(self):
        super().__init__()
        self.calls = {}  # name: [calls, errors, nanoseconds]

    def note(self, words, seconds):
        if len(words) != 3 or not (words[1].isdigit() and words[2].isdigit()):
            return False
        of_name = self.calls.setdefault(words[0].decode("ascii", "replace"), [0, 0, 0])
        of_name[0] += 1
        of_name[1] += words[1] != b"0"
        of_name[2] += int(words[2])
        return True

    def lines(self):
        if not self.calls:
            yield "exo: no system call has returned: there is nothing to sum up"
            return
        total = [sum(column) for column in zip(*self.calls.values())]
        rule = row(*("-" * width for width in COLUMNS))
        yield row(*TITLES)
        yield rule
        for name, (calls, errors, ns) in sorted(self.calls.items(), key=lambda item: (-item[1][2], item[0])):
            yield figures(ns / total[2] if total[2] else 0, calls, errors, ns, name)
        yield rule
        yield figures(1, *total, "total")
