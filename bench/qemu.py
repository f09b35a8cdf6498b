"""What the two kinds of guest have in common on the host: the QEMU program, exact counting, waiting for output, CPU use."""

import os
import re
import select
import time

from exo.errors import ExoError

# Every instruction takes a nanosecond of guest time; nothing depends on the host's clock. Only one processor is deterministic.
COUNTING = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2026-01-01,clock=vm"]


def program():
    return os.environ.get("EXO_QEMU") or "qemu-system-x86_64"


def wait_for(process, mark, limit_s):
    """The moment (time.monotonic) at which the process's standard output first held the mark."""
    seen = b""
    deadline = time.monotonic() + limit_s
    while mark not in seen:
        ready = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
        data = os.read(process.stdout.fileno(), 4096) if ready else b""
        now = time.monotonic()
        if not data:
            raise ExoError(f"the guest did not print {mark.decode()}", f"it printed: {seen[-300:]!r}")
        seen += data
    return now


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid, seconds):
    """CPU seconds per second of a process, after a pause for what comes after booting."""
    time.sleep(2)
    before, start = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - start)


def meminfo(text):
    """{name: KiB}"""
    return {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)}
