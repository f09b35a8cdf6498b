"""What the guest's kernel and libOSes recorded (libos/posix/proto/record.h): read from the link's frames, and named."""

import os
import re
import struct
from collections import namedtuple

from exo.errors import ExoError

HEAD, HEADER, RECORD = struct.Struct("<8sIIQQ8Q"), struct.Struct("<QQQQ"), struct.Struct("<QIHHQQ")
MAGIC = b"exotrace"
VERSION = 1
NAMED = ("rs", "proc", "fs", "tty", "the servers", "programs")  # environments, and zones
NOTE_CALL, NOTE_RETURN, NOTE_NAME, NOTE_SIGNAL, NOTE_EXIT = range(1, 6)
STATES = ("stopped", "ready", "wait", "call", "reply", "receive", "no gas", "dead")

Record = namedtuple("Record", "ns cpu context kind detail a b")  # ns: since the guest's clock began


class Names:
    """Numbers of the tree's tables: kinds of records, kernel calls, Linux's calls."""

    def __init__(self, root):
        with open(os.path.join(root, "abi", "exo.abi")) as file:
            abi = file.read()
        self.kinds = {name: int(number) for name, number in re.findall(r"^const TRACE_(\w+) +(\d+)", abi, re.M)}
        self.kernel_calls = {int(number): name for number, name in re.findall(r"^call (\d+) (\w+)\(", abi, re.M)}
        with open(os.path.join(root, "libos", "posix", "calls.tab")) as file:
            self.calls = {int(number): name for number, name in re.findall(r"^(\d+) (\w+) ", file.read(), re.M)}


class Recording:
    """All CPUs' records, in order of time; how many of each CPU are lost; what the objects are called that every guest has."""

    def __init__(self, data):
        self.records, self.lost, self.names = [], [], {}
        try:
            self._read(bytes(data))
        except struct.error as problem:
            raise ExoError("the recording ends in the middle", "the guest ended before it had sent all of it") from problem

    def _read(self, data):
        magic, version, cpus, mult, base, *ids = HEAD.unpack_from(data)
        if magic != MAGIC or version != VERSION:
            raise ExoError("the guest sent a recording of another version", "build it again")
        self.names = dict(zip(ids, NAMED))
        at = HEAD.size
        for cpu in range(cpus):
            written, capacity, _, _ = HEADER.unpack_from(data, at)
            at += HEADER.size
            count = min(written, capacity)
            self.lost.append(written - count)
            if at + count * RECORD.size > len(data):
                raise struct.error("records are missing")
            before = 0
            for tsc, context, kind, detail, a, b in RECORD.iter_unpack(data[at:at + count * RECORD.size]):
                before = max(before, (tsc - base) * mult >> 32)
                self.records.append(Record(before, cpu, context, kind, detail, a, b))
            at += count * RECORD.size
        self.records.sort(key=lambda record: record.ns)  # stable: each CPU's stay in order


def note_kind(record):
    return record.detail & 15


def note_number(record):
    return record.detail >> 4


def signed(value):
    return value - (1 << 64) if value >> 63 else value
