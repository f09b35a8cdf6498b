"""./exo trace: run a command, and write down what the CPUs did meanwhile."""

import json
import os
import re
import sys

from exo import command_run, link
from exo.build import ROOT
from exo.errors import ExoError
from exo.machine import memory_bytes
from exo.options import FLAG, VALUE, Option, Parser, usage_error
from exo.recording import Names, Recording
from exo.trace_events import Events

BUFFER = "8M"
BUFFER_LEAST, BUFFER_MOST = 64 << 10, 1 << 30


def buffer(text):
    if not re.fullmatch(r"[0-9]+[KMG]?", text.upper()):
        raise ValueError("a size is a number with K, M or G behind it, such as 8M")
    size = memory_bytes(text.upper())
    if not BUFFER_LEAST <= size <= BUFFER_MOST:
        raise ValueError("from 64K to 1G is possible")
    return size


RECORD_OPTIONS = [
    Option("buffer", VALUE, "SIZE", f"memory of the guest to record in: what is older is overwritten ({BUFFER})", buffer(BUFFER), check=buffer),
]
KEPT = command_run.MACHINE_OPTIONS + command_run.GUEST_OPTIONS + command_run.BUILD_OPTIONS
OPTIONS = [
    Option("output", VALUE, "FILE", "where to write (trace.json)", "trace.json", short="o"),
] + RECORD_OPTIONS + KEPT + [Option("help", FLAG, "", "this text")]
USAGE = """usage: ./exo trace [-o FILE] [OPTIONS] [--] CMD [ARG...]

Boots, runs CMD in the guest as ./exo run does, and writes what happened as Chrome's trace events: open the file in ui.perfetto.dev,
chrome://tracing or speedscope. There are slices of who ran on each CPU; for each process and server its system calls, kernel calls, what it served,
and faults; arrows from IPC calls to their answers; what was asked back or taken; gas. The exit status is CMD's.
"""


def record(command, values, flags, to="output", gdb=None):
    """Runs the command, before something is written where the option `to` says; its status, what was recorded, or None where the guest did not come to
    its end, and the session."""
    if not values.words:
        raise usage_error(command, "which command?")
    command_run.check(command, values)
    path = getattr(values, to)
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise ExoError(f"--{to} {path}: no such folder", "make it first", status=2)
    if values.buffer // values.smp < BUFFER_LEAST:
        raise usage_error(command, f"--buffer: each of {values.smp} processors needs 64K")
    status, session = command_run.start(values, values.words, gdb, more_flags=flags)
    if not session.recorded:
        print("exo: nothing was recorded: the guest did not come to its end\n  a recording is sent when the command has ended", file=sys.stderr)
        return status, None, session
    return status, Recording(session.recorded), session


def say_lost(recording):
    for cpu, lost in enumerate(recording.lost):
        if lost:
            print(f"exo: CPU {cpu}: the first {lost:,} records are lost\n  --buffer gives more room", file=sys.stderr)


def main(arguments):
    parser = Parser("trace", OPTIONS, words_end_options=True)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    status, recording, _ = record("trace", values, link.NOTE_CALLS)
    if recording is None:
        return status
    say_lost(recording)
    events = Events(recording, Names(ROOT)).events
    with open(values.output, "w") as file:
        file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
        file.write(",\n".join(json.dumps(event, separators=(",", ":")) for event in events))
        file.write("\n]}\n")
    return status
