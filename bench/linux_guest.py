"""Linux as a guest: Debian's cloud kernel from its package, and an initial file system made from ExoV6's own tree."""

import glob
import os
import re
import shutil
import subprocess
import time

import applications
import qemu
from exo import archive, rootfs
from exo.errors import ExoError
from exo.packages import Packages, read_lock

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK = os.path.join(HERE, "linux.lock")
META_PACKAGE = "linux-image-cloud-amd64"

# $DO is what the kernel command line sets: what this boot is for. Results stand between the two marks.
INIT = b"""#!/bin/busybox sh
mount -t proc proc /proc
mount -t devtmpfs dev /dev
ifconfig lo up
echo @begin
(eval "$(echo "$DO" | base64 -d)")  # which may be an exec: the first process lives on
echo @end
reboot -f
"""


def kernel_package(warn):
    """The folder of the unpacked kernel package: the locked one, or Debian's present one when that is gone."""
    packages = Packages(LOCK, warn)
    (name, _), = packages.lock.items()
    try:
        return name, packages.folder(name)
    except ExoError:
        run = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True)
        match = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", run.stdout)
        if run.returncode != 0 or not match:
            raise
    warn(f"{name} is no longer in Debian's archive: {match[1]} takes its place")
    packages.lock = {match[1]: ("none", "0" * 64)}
    return match[1], packages.folder(match[1])


class LinuxGuest:
    """Boots Linux with a shell text to run. `parameters` are added to the kernel command line; `debian` is a DebianRoot, or None."""

    def __init__(self, name, folder, program, options, parameters="", debian=None, memory=None):
        self.name = name
        self.options = options
        self.memory = memory or options.memory
        self.parameters = parameters
        self.package, unpacked = kernel_package(options.warn)
        self.kernel, = glob.glob(os.path.join(unpacked, "boot", "vmlinuz-*"))
        self.initrd = os.path.join(folder, "initrd")
        if not os.path.exists(self.initrd):
            self._make_initrd(program, debian)

    def _make_initrd(self, program, debian):
        """Archives one after the other, as Linux takes them: the project's own root, the packages, and what is the benchmark's."""
        tree, _ = rootfs.build(self.options.warn)
        last = debian.tree if debian else archive.Tree()
        last.host_file("bench/exobench", program, 0o755)
        last.text("bench/init", INIT, 0o755)
        if debian:
            last.host_tree(applications.FOLDER, "bench/applications")
        with open(self.initrd, "wb") as file:
            file.write(archive.write_archive([tree]))
            for segment in debian.segments if debian else []:
                with open(segment, "rb") as source:
                    shutil.copyfileobj(source, file)
            file.write(archive.write_archive([last]))

    def _line(self, init, extra):
        # Linux boots faster on pc than on microvm (and says less); the processor and the memory are the same.
        append = f"console=ttyS0 quiet panic=-1 {self.parameters} {init}"
        return [qemu.program(), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", "tcg", "-M", "pc",
                "-cpu", self.options.cpu, "-smp", str(self.options.smp), "-m", self.memory, "-serial", "stdio",
                *extra, "-kernel", self.kernel, "-initrd", self.initrd, "-append", append]

    def start(self, text, extra):
        encoded = subprocess.run(["base64", "-w0"], input=text.encode(), capture_output=True, check=True).stdout.decode()
        return subprocess.Popen(self._line(f"rdinit=/bench/init DO={encoded}", list(extra)), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, text, limit_s, extra=()):
        process = self.start(text, extra)
        try:
            out, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            raise ExoError(f"{self.name}: no end after {limit_s} s", f"it printed: {out[-300:]!r}") from None
        return self.said(process.returncode, out)

    def said(self, _status, out, _err=None):
        """What the shell text printed, of a run that has ended."""
        said = out.decode(errors="replace").replace("\r", "")
        match = re.search(r"^@begin\n(.*)^@end\n", said, re.S | re.M)
        if not match:
            raise ExoError(f"{self.name} did not come to its end", f"it printed: {said[-500:]!r}")
        return match[1]

    def first_output(self, limit_s):
        """Seconds from the start of QEMU to the first byte that a user program printed."""
        start = time.monotonic()
        process = subprocess.Popen(self._line("rdinit=/bin/echo -- @first", []), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            return qemu.wait_for(process, b"@first", limit_s) - start
        finally:
            process.kill()
            process.wait()

    def idle_share(self, seconds, limit_s):
        """Host CPU seconds per second while the guest's only program sleeps."""
        process = self.start("echo @ready; sleep 1000", [])
        try:
            qemu.wait_for(process, b"@ready", limit_s)
            return qemu.cpu_share(process.pid, seconds)
        finally:
            process.kill()
            process.wait()

    def image_bytes(self):
        """Kernel text and initialised data in memory, as the kernel itself says it when it boots; and the file's size."""
        said = subprocess.run(self._line("rdinit=/bin/true", []) [:-1] + ["console=ttyS0 panic=-1 rdinit=/bin/true"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60).stdout
        match = re.search(r"\((\d+)K kernel code, (\d+)K rwdata, (\d+)K rodata", said)
        resident = sum(int(number) for number in match.groups()) * 1024 if match else None
        return resident, os.path.getsize(self.kernel)

    def locked(self):
        return self.package in read_lock(LOCK)
