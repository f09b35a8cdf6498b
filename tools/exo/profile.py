"""Samples of a recording as stacks with names: kernel calls, functions of the libOS, the servers and the programs."""

import bisect
import os
import re
import struct
import subprocess
import tempfile
from collections import Counter, defaultdict, namedtuple

from exo.log_lines import MarkedLines

PT_LOAD, PF_X = 1, 1
SERVERS = ("rs", "proc", "fs", "tty")
CLONE = re.compile(r"(\.(lto_priv|constprop|isra|part|cold)(\.\d+)?)+$")  # what compilers append to a function's name

Mapping = namedtuple("Mapping", "low high offset path")


class Images(MarkedLines):
    """What the processes' libOSes tell of their programs (libos/posix/mm/profile.c)."""

    MARK = b"exo-image "
    SHOWN = False

    def __init__(self):
        super().__init__()
        self.names = {}                   # environment: name[pid]
        self.history = defaultdict(list)  # environment: [(ns, [Mapping])], each time all that can be executed

    def note(self, words, seconds):
        try:
            env, ns, what, *rest = [word.decode(errors="replace") for word in words]
            env, ns = int(env), int(ns)
            if what == "task":
                self.names[env] = f"{' '.join(rest[1:]) or 'process'}[{int(rest[0])}]"
                self.history[env].append((ns, []))
            elif what == "map" and self.history[env]:  # as in /proc/PID/maps: range, rights, offset, device, inode, path
                low, _, high = rest[0].partition("-")
                self.history[env][-1][1].append(Mapping(int(low, 16), int(high, 16), int(rest[2], 16), " ".join(rest[5:])))
            else:
                return False
        except (ValueError, IndexError):
            return False
        return True

    def lines(self):
        return ()

    def find(self, env, ns, address):
        """The mapping that was there then; what had not been told of yet, as soon as it was."""
        rows = self.history.get(env, ())
        at = bisect.bisect_right([row[0] for row in rows], ns)
        for _, mappings in [*reversed(rows[:at]), *rows[at:]]:
            for mapping in mappings:
                if mapping.low <= address < mapping.high:
                    return mapping
        return None


class Symbols:
    """Function names of one ELF file."""

    def __init__(self, path):
        self.addresses, self.names, self.loads = [], [], []
        found = {}
        for options in ([], ["-D"]):
            run = subprocess.run(["nm", "-C", "--defined-only", *options, path], capture_output=True, text=True, errors="replace")
            for line in run.stdout.splitlines():
                words = line.split(" ", 2)
                if len(words) == 3 and words[1] in "tTwWiV":
                    found.setdefault(int(words[0], 16), CLONE.sub("", words[2].partition("@")[0]))
        self.addresses = sorted(found)
        self.names = [found[address] for address in self.addresses]
        with open(path, "rb") as file:
            self._read_loads(file.read(1 << 16))

    def _read_loads(self, data):
        try:
            table, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
            for at in range(table, table + size * count, size):
                kind, rights, offset, address, _, in_file = struct.unpack_from("<IIQQQQ", data, at)
                if kind == PT_LOAD and rights & PF_X:
                    self.loads.append((offset, in_file, address))
        except struct.error:
            pass  # no ELF file: no names

    def at_offset(self, offset):
        """The function at a place in the file, or None."""
        address = next((address + offset - start for start, size, address in self.loads if start <= offset < start + size), None)
        return None if address is None else self.at(address)

    def at(self, address):
        if not any(start <= address < start + size for _, size, start in self.loads):
            return None
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.names[index] if index >= 0 else None


class Stacks:
    """{((name, kind), ...): samples}. `fetch(path)`: a guest's file as bytes, or None."""

    def __init__(self, recording, names, images, folder, layout, fetch):
        self.recording, self.names, self.images, self.fetch = recording, names, images, fetch
        self.kind_name = {number: name for name, number in names.kinds.items()}
        self.libos_low, self.libos_high = layout
        self.own = {name: Symbols(os.path.join(folder, "exo", name)) for name in (*SERVERS, "posix")}
        self.files = {}
        self.env_of = {record.context: record.b for record in recording.records if record.kind == names.kinds["SWITCH"]}
        self.stacks = Counter()
        self._collect()

    def _collect(self):
        kernel, calls, open_call = {}, {}, {}  # of each CPU: what its kernel did last, as (from, to, context, name)
        waiting = {}                           # of each CPU: the sample whose stack comes in the next records
        for record in self.recording.records:
            kind = self.kind_name.get(record.kind)
            if kind == "STACK":
                if record.cpu in waiting:
                    waiting[record.cpu][1].append(record)
                continue
            if record.cpu in waiting:
                self._add(*waiting.pop(record.cpu), kernel.get(record.cpu))
            if kind == "CALL":
                open_call[record.cpu] = record
            elif kind == "RETURN" and record.cpu in open_call:
                begun = open_call.pop(record.cpu)
                kernel[record.cpu] = (begun.ns, record.ns, record.context, self.names.kernel_calls.get(record.detail, "call"))
            elif kind == "SAMPLE":
                waiting[record.cpu] = (record, [])
        for cpu, sample in waiting.items():
            self._add(*sample, kernel.get(cpu))

    def _add(self, sample, more, kernel):
        due = sample.ns - sample.b
        context, frames = sample.context, []
        if kernel and kernel[0] <= due <= kernel[1]:
            frames.append((kernel[3], "kernel"))  # the interrupt waited until the call was over
            if kernel[2] != context:
                self._count(kernel[2], frames)
                return
        env = self.env_of.get(context)
        frames += self._user(env, sample, more)
        self._count(context, frames)

    def _count(self, context, frames):
        env = self.env_of.get(context)
        server = self.recording.names.get(env)
        name = server or self.images.names.get(env) or f"environment {env}"
        self.stacks[((name, "process"), *reversed(frames))] += 1

    def _user(self, env, sample, more):
        """Innermost first. Frame pointers are what they are: the chain ends at the first address that is no code."""
        found = [self._function(env, sample.ns, sample.a)]
        chain = [address for record in more if record.detail == 0 for address in (record.a, record.b)]
        for address in chain[:sample.detail]:
            function = self._function(env, sample.ns, address - 1)
            if function[0].startswith("["):
                break
            found.append(function)
        program = next((record.a for record in more if record.detail == 1), 0)
        if program and all(kind == "libos" for _, kind in found):
            below = self._function(env, sample.ns, program - 1)
            found += [below] if below[1] == "program" else []
        return found

    def _function(self, env, ns, address):
        server = self.recording.names.get(env)
        if server:
            return (self.own[server].at(address) or "[?]", "server")
        if self.libos_low <= address < self.libos_high:
            return (self.own["posix"].at(address) or "[libOS]", "libos")
        mapping = self.images.find(env, ns, address)
        if mapping is None:
            return ("[unknown]", "program")
        symbols = self._file(mapping.path)
        name = symbols.at_offset(address - mapping.low + mapping.offset) if symbols else None
        return (name or f"[{os.path.basename(mapping.path)}]", "program")

    def _file(self, path):
        if path not in self.files:
            data = self.fetch(path)
            self.files[path] = None
            if data and data[:4] == b"\x7fELF":
                with tempfile.NamedTemporaryFile(prefix="exo-profile-") as file:
                    file.write(data)
                    file.flush()
                    self.files[path] = Symbols(file.name)
        return self.files[path]
