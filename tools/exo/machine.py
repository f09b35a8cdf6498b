"""The virtual machine: from options to QEMU's command line.

Two machines. microvm is small and starts fast; the link is a virtio console on its memory-mapped bus. q35 is a PC; the link
is its second serial port. The first serial port is the kernel's console on both and goes to a file.
"""

import os
import re
import shlex

POWER_OFF_STATUS = 33  # the kernel writes 0x10 to the debug exit port: (0x10 << 1) | 1
PANIC_STATUS = 201     # and 0x64 when it panics


def memory_size(text):
    """QEMU's -m: a number of MiB, or with K, M, G behind it."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text.upper())
    if not match:
        raise ValueError("a size is a number with K, M or G behind it, such as 256M")
    if not 8 << 20 <= memory_bytes(text.upper()) <= 1 << 40:
        raise ValueError("sizes from 8M to 1024G are possible")
    return text.upper()


def memory_bytes(text):
    """What memory_size accepted, in bytes."""
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    return int(number) << {"K": 10, "M": 20, "": 20, "G": 30}[unit]


def escape(text):
    """A value inside one of QEMU's comma-separated options."""
    return text.replace(",", ",,")


DEFAULT_MEMORY = "256M"
# ./exo test --smp says how many processors its guests have; else they have one.
DEFAULT_SMP = int(os.environ.get("EXO_SMP") or 1)


# The kernel leaves XSAVE off (decision 0005), so what depends on it must not be promised by CPUID: some programs ask for AVX alone.
WITHOUT = "".join(",-" + name for name in ("avx", "avx2", "f16c", "fma", "vaes", "vpclmulqdq"))


class Machine:
    """What the guest runs on."""

    def __init__(self, machine="microvm", cpu="max", smp=None, memory=DEFAULT_MEMORY, append="", gdb=None, extra=()):
        self.machine = machine
        self.cpu = cpu
        self.smp = smp or DEFAULT_SMP
        self.memory = memory
        self.append = append
        self.gdb = gdb  # QEMU's -gdb value; the guest then waits for the debugger
        self.extra = list(extra)
        self.guest_speaks_first = machine == "q35"  # what reaches a serial port before its driver runs is lost
        self.sends_single_bytes = machine == "q35"

    def command_line(self, kernel, image, log, link_fd):
        qemu = os.environ.get("EXO_QEMU") or "qemu-system-x86_64"
        line = [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-accel", "tcg",
                "-cpu", self.cpu + WITHOUT, "-smp", str(self.smp), "-m", self.memory,
                "-chardev", f"file,id=log,path={escape(log)}", "-chardev", f"socket,id=link,fd={link_fd}"]
        if self.machine == "microvm":
            line += ["-M", "microvm,acpi=off,x-option-roms=off,rtc=on,isa-serial=on", "-serial", "chardev:log",
                     "-global", "virtio-mmio.force-legacy=false",
                     # A virtserialport holds bytes back while the host reads slowly; a virtconsole would drop them.
                     "-device", "virtio-serial-device,max_ports=2", "-device", "virtserialport,chardev=link"]
        else:
            line += ["-M", "q35", "-serial", "chardev:log", "-serial", "chardev:link"]
        line += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel, "-initrd", image]
        if self.append:
            line += ["-append", self.append]
        if self.gdb:
            line += ["-gdb", self.gdb, "-S"]
        return line + self.extra


def printable(line):
    return " ".join(shlex.quote(word) for word in line)
