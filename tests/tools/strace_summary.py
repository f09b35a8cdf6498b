"""The table of --strace-summary is that of Debian 12's strace -c."""

from exo.strace_summary import StraceSummary

TOLD = b"""exo-call read 0 600000000
exo-call openat 1 150000
exo-call openat 0 250000
exo-call read 0 150000000
exo-call close 0 0
"""
TABLE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.95    0.750000      375000         2           read
  0.05    0.000400         200         2         1 openat
  0.00    0.000000           0         1           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.750400      150080         5         1 total"""


def table(t):
    summary = StraceSummary()
    t.equal(summary.take(TOLD, 1.0), b"")
    t.equal("\n".join(summary.lines()), TABLE)


def others_are_left(t):
    summary = StraceSummary()
    others = b"exo-call\nexo-call read x 1\nexo-call read 0\nopen() = 3\n"
    t.equal(summary.take(others[:5], 1.0) + summary.take(others[5:], 1.0), others)
    t.equal(list(summary.lines()), ["exo: no system call has returned: there is nothing to sum up"])
    t.equal(summary.take(b"exo-call pause 0 0\n", 1.0), b"")
    t.equal(len(list(summary.lines())), 5, "no time at all")


def cases(_):
    for case in (table, others_are_left):
        yield case.__name__.replace("_", "-"), case
