"""ExoV6 as a guest, through ./exo run."""

import os
import shutil
import socket
import subprocess
import time

import applications
import qemu
from exo.build import ROOT
from exo.errors import ExoError
from exo.machine import POWER_OFF_STATUS, Machine


class ExoGuest:
    """Boots ExoV6 with a shell text to run; with Debian packages when they are named."""

    name = "ExoV6"

    def __init__(self, folder, program, options, built, packages=(), memory=None):
        self.folder = folder
        self.options = options
        self.built = built
        self.packages = packages
        self.memory = memory or options.memory
        self.overlay = os.path.join(folder, "overlay")
        os.makedirs(os.path.join(self.overlay, "bench"), exist_ok=True)
        shutil.copy2(program, os.path.join(self.overlay, "bench", "exobench"))
        if packages:
            applications.copy_to(self.overlay)

    def _command(self, words, overlay=True):
        command = [os.path.join(ROOT, "exo"), "run", "--built", self.built.folder, "--machine", self.options.machine,
                   "--cpu", self.options.cpu, "--smp", str(self.options.smp), "--memory", self.memory]
        command += [word for name in self.packages for word in ("--package", name)]
        if self.options.append:
            command += ["--append", self.options.append]
        return command + (["--overlay", self.overlay] if overlay else []) + ["--", *words]

    def _environment(self, extra):
        """./exo starts the program that EXO_QEMU names: a script that notes its process and adds options to QEMU's."""
        wrapper = os.path.join(self.folder, "qemu-wrapper")
        self.note = os.path.join(self.folder, "qemu-note")
        with open(wrapper, "w") as file:
            file.write('#!/bin/sh\n'
                       f'echo $$ $(date +%s.%N) >"{self.note}"\nexec {qemu.program()} "$@" {" ".join(extra)}\n')
        os.chmod(wrapper, 0o755)
        return dict(os.environ, EXO_QEMU=wrapper)

    def _noted(self):
        """(process, wall-clock second of its start) of the QEMU that the wrapper became."""
        with open(self.note) as file:
            pid, moment = file.read().split()
        return int(pid), float(moment)

    def _popen(self, words, extra=(), overlay=True):
        return subprocess.Popen(self._command(words, overlay), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self._environment(extra))

    def start(self, text, extra):
        return self._popen(["/bin/sh", "-c", text], extra)

    @staticmethod
    def said(status, out, err):
        """What the shell text printed, of a run that has ended."""
        if status != 0:
            raise ExoError(f"ExoV6 ended with status {status}", f"it said: {err.decode(errors='replace')[-500:]}")
        return out.decode(errors="replace")

    def run(self, text, limit_s, extra=()):
        process = self.start(text, extra)
        try:
            out, err = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, err = process.communicate()
            raise ExoError(f"ExoV6: no end after {limit_s} s", f"it printed: {(out + err)[-300:]!r}") from None
        return self.said(process.returncode, out, err)

    def bare(self, image, limit_s, extra=()):
        """What a first environment of its own, from bench/, says on the kernel's console."""
        log = os.path.join(self.folder, "bare.log")
        machine = Machine(machine=self.options.machine, cpu=self.options.cpu, smp=self.options.smp, memory=self.options.memory, extra=extra)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            line = machine.command_line(self.built.kernel, self.built.program("bench", image), log, theirs.fileno())
            status = subprocess.run(line, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], timeout=limit_s, check=False).returncode
        with open(log, errors="replace") as file:
            said = file.read()
        if status != POWER_OFF_STATUS:
            raise ExoError(f"{image} ended QEMU with status {status}", f"it said: {said[-500:]}")
        return said

    def first_output(self, limit_s):
        process = self._popen(["/bin/echo", "@first"], overlay=False)
        try:
            seen = qemu.wait_for(process, b"@first", limit_s)
            return seen - time.monotonic() + time.time() - self._noted()[1]
        finally:
            process.terminate()
            process.communicate()

    def idle_share(self, seconds, limit_s):
        process = self._popen(["/bin/sh", "-c", "echo @ready; sleep 1000"], overlay=False)
        try:
            qemu.wait_for(process, b"@ready", limit_s)
            return qemu.cpu_share(self._noted()[0], seconds)
        finally:
            process.terminate()
            process.communicate()

    def image_bytes(self):
        """Text and initialised data of the kernel, from its ELF file; and the file's size when stripped."""
        said = subprocess.run(["size", self.built.kernel], capture_output=True, text=True, check=True).stdout.splitlines()[1]
        text, data = said.split()[:2]
        stripped = os.path.join(self.folder, "kernel.stripped")
        subprocess.run(["strip", "-s", "-o", stripped, self.built.kernel], check=True)
        return int(text) + int(data), os.path.getsize(stripped)
