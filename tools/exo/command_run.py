"""./exo run: boot, run one program, power off."""

import os
import sys
import re

from exo import guest_program, link
from exo.apt import package_name
from exo.archive import Tree, extend_image, image_bytes
from exo.build import Build, build
from exo.debian_root import DebianRoot
from exo.errors import ExoError
from exo.machine import DEFAULT_MEMORY, DEFAULT_SMP, Machine, memory_bytes, memory_size, printable
from exo.options import FLAG, LIST, VALUE, Option, Parser, choice, number, usage_error

DEFAULT_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
}
LEAST_BYTES = 24 << 20         # what the system itself needs
BELOW_IMAGE_BYTES = 2 << 20  # low memory and the kernel
LARGE_BYTES = 16 << 20         # an image that is so much larger than the usual one gets more memory
MEMORY_WITH_PACKAGES_MIB = 1024
GAS_RATE_MAX = 10**10  # abi/exo.abi
GAS_AMOUNT_MAX = 2**62 - 1
POLICIES = ["stride", "rr", "beatty", "rt", "dag", "hybrid"]  # kernel/sched/chooser.c
PAGE_BYTES = 4096
SHELL = ["/bin/sh", "-l"]
PACKAGES_SHELL = ["/bin/bash", "-l"]  # /bin/sh is Debian's dash then, which has no line editing


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ValueError("a number of seconds above 0 is expected")
    return value


def gas(text):
    """An amount of gas, or a rate: a number with k, M or G behind it, and perhaps /s."""
    match = re.fullmatch(r"([0-9]+)([kMG]?)(/s)?", text)
    if not match:
        raise ValueError("gas is a number such as 500000, 10M, 10k/s or 1M/s")
    amount = int(match[1]) * {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}[match[2]]
    most = GAS_RATE_MAX if match[3] else GAS_AMOUNT_MAX
    if not 0 < amount <= most:
        raise ValueError(f"from 1 to {most:,}{match[3] or ''} is possible")
    return f"{amount}{match[3] or ''}"


def guest_path(text):
    if not text.startswith("/"):
        raise ValueError("a folder of the guest starts with /")
    return text


def variable(text):
    """K=V, or K for this environment's value."""
    name, separator, value = text.partition("=")
    if not name:
        raise ValueError("a variable is NAME=VALUE or NAME")
    return (name, value) if separator else (name, os.environ.get(name))


# Which machine and which build: run, debug and bench share these.
MACHINE_OPTIONS = [
    Option("smp", VALUE, "N", "processors, 1 to 8 (1)", DEFAULT_SMP, check=lambda text: number(text, 1, 8, "--smp")),
    Option("memory", VALUE, "SIZE", "memory, such as 32M or 8G (256M, and with packages 1G and what they take)", check=memory_size),
    Option("cpu", VALUE, "MODEL", "QEMU's CPU model (max)", "max"),
    Option("machine", VALUE, "TYPE", "microvm or q35 (microvm)", "microvm", check=choice("microvm", "q35")),
    Option("arch", VALUE, "ARCH", "processor architecture (x86_64, the only one so far)", "x86_64", check=choice("x86_64")),
    Option("sched", VALUE, "NAME", "how the first zone divides the processor: " + ", ".join(POLICIES) + " (stride)", check=choice(*POLICIES)),
    Option("append", VALUE, "TEXT", "kernel command line", ""),
]
BUILD_OPTIONS = [
    Option("preset", VALUE, "NAME", "release or debug (release)", "release", check=choice("release", "debug")),
    Option("compiler", VALUE, "NAME", "gcc or clang (gcc)", "gcc", check=choice("gcc", "clang")),
    Option("built", VALUE, "DIR", "use this build folder as it is, build nothing", os.environ.get("EXO_BUILT")),
]
GUEST_OPTIONS = [
    Option("timeout", VALUE, "S", "end the guest after so many seconds, with exit status 202", check=seconds),
    Option("env", LIST, "K=V", "a variable of the program's environment; K alone takes it from here", short="e", check=variable),
    Option("workdir", VALUE, "DIR", "the program's working folder (/)", "/", short="w", check=guest_path),
    Option("package", LIST, "NAME", "lay this Debian package, and what it depends on, over the root file system", check=package_name),
    Option("overlay", LIST, "DIR", "lay this folder's tree over the root file system"),
    Option("zone", VALUE, "LABEL", "run the program in a zone of its own with this security label"),
    Option("strace", FLAG, "", "print the program's system calls, as strace does, on standard error"),
    Option("strace-summary", FLAG, "", "at the end, print on standard error how often each system call was made, as strace -c -w does"),
    Option("missing", FLAG, "", "at the end, print which system calls were asked for and are missing"),
    Option("no-rewrite", FLAG, "", "leave hot system calls of programs as they are, instead of making them calls of the libOS"),
    Option("boot-chart", FLAG, "", "at the end, print on standard error how long each part of the boot took"),
    Option("gas", VALUE, "N[/s]", "gas for the program and all that it starts: an amount, or so much a second (k, M, G: thousands)", check=gas),
    Option("gas-grace", VALUE, "S", "with --gas N/s: how long it may want more than it has (10)", check=seconds),
    Option("gas-summary", FLAG, "", "at the end, print on standard error how much gas was used"),
    Option("kernel-log", VALUE, "FILE", "keep the kernel's messages"),
    Option("quiet", FLAG, "", "no progress"),
]
LATER_OPTIONS = [
    Option("publish", VALUE, "HOST:GUEST", missing=True, short="p"),
    Option("volume", VALUE, "DIR:GUESTPATH", missing=True, short="v"),
    Option("disk", VALUE, "FILE", missing=True),
]
OPTIONS = MACHINE_OPTIONS + GUEST_OPTIONS + [
    Option("gdb", FLAG, "", "wait for a debugger on localhost:1234 (./exo debug --attach)"),
    Option("backtrace", FLAG, "", "print on standard error where a program, the libOS, a server or the kernel crashes, through all of them (needs gdb)"),
    Option("dry-run", FLAG, "", "print the QEMU line and do nothing"),
    Option("build-only", FLAG, "", "build and do nothing"),
] + BUILD_OPTIONS + LATER_OPTIONS

USAGE = """usage: ./exo run [OPTIONS] [--] [CMD [ARG...]]

Without CMD: a shell on this terminal (Ctrl-] three times ends the machine). With CMD: boot, run it in the guest, power off. Its
standard input, output and error are this command's, byte for byte. ./CMD and ../CMD are programs of this machine: they and the
shared libraries that they need are added to the guest.
"""
STATUSES = """
Exit status: the program's; 126 not executable, 127 not found, 128+n ended by signal n; 200 kernel panic, 201 QEMU failed,
202 time limit, 203 gas used up.

Gas: a system call costs 10, a message 50, a context switch 100, a fault 500, a microsecond of processor time 1, and more when the machine
is crowded (docs/decisions/0007-gas.md). With --gas N the run ends with status 203 when N is used up. With --gas N/s the program is stopped
whenever it has used more than N a second (a second's worth may be saved up), and goes on when there is more. It is taken for a runaway, and the
run ends with status 203, when it has wanted more than it had for the whole grace: never, in that time, was a second's worth saved up again."""


def environment(values):
    """The program's environment, as a list of bytes."""
    variables = dict(DEFAULT_ENVIRONMENT, TERM=os.environ.get("TERM") or "dumb")
    for name, value in values.env:
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    return [os.fsencode(f"{name}={value}") for name, value in variables.items()]


def the_build(values, targets=("kernel", "image")):
    """The build folder that is to be used, brought up to date. No targets: everything, tests and benchmarks too."""
    if values.built:
        return Build(values.built)
    return build(values.preset, values.compiler, targets, values.quiet)


def kernel_words(values):
    """What the kernel's command line tells the servers besides --append."""
    words = [values.append] if values.append else []
    if getattr(values, "sched", None):
        words.append(f"sched={values.sched}")
    if getattr(values, "gas", None):
        words.append(f"exo.gas={values.gas}")
        if values.gas_grace is not None:
            words.append(f"exo.gas-grace={round(values.gas_grace * 1000)}")
    if getattr(values, "gas_summary", False):
        words.append("exo.gas-summary")
    if getattr(values, "buffer", None):
        words.append(f"exo.trace={values.buffer // values.smp // PAGE_BYTES}")
    if getattr(values, "sample_ns", None):
        words.append(f"exo.trace-sample={values.sample_ns}")
    return " ".join(words)


def image_file_bytes(built):
    return os.path.getsize(built.image) if os.path.exists(built.image) else 0


def machine(values, built, gdb=None, added_bytes=0):
    """The machine for an image that is so much larger than the usual one. QEMU would lay one that does not fit over the kernel."""
    memory = values.memory
    large = added_bytes > LARGE_BYTES
    if memory is None:
        memory = f"{MEMORY_WITH_PACKAGES_MIB + (added_bytes >> 26 << 6)}M" if large else DEFAULT_MEMORY
    elif large and added_bytes + LEAST_BYTES > memory_bytes(memory):
        raise ExoError(f"--memory {memory}: the root file system alone takes {added_bytes >> 20} MiB",
                       f"give at least {(added_bytes + LEAST_BYTES) >> 20}M", status=2)
    least = (image_file_bytes(built) + added_bytes + BELOW_IMAGE_BYTES >> 20) + 1
    if memory_bytes(memory) < least << 20:
        raise ExoError(f"--memory {memory}: the boot image does not fit", f"give at least {least}M to load it, and more to run anything", status=2)
    return Machine(values.machine, values.cpu, values.smp, memory, kernel_words(values), gdb)


def image_for(built, command, values):
    """The boot image: a path, or pieces when something is added to it; and how many bytes that is."""
    packages = getattr(values, "package", None)
    root = DebianRoot(packages) if packages else None
    extra = guest_program.extra_tree(command, values.workdir, values.overlay)
    if root is None and extra is None:
        return built.image, 0
    tree = Tree()
    for part in (root and root.tree, extra):
        tree.entries.update(part.entries if part else {})
    pieces = extend_image(built.image, root.segments if root else [], tree)
    return pieces, image_bytes(pieces) - os.path.getsize(built.image)


def command_paths(values, words):
    """Where the guest looks for the program."""
    if "/" in words[0]:
        return [os.path.join(values.workdir, words[0])]
    path = next((text.decode() for text in environment(values) if text.startswith(b"PATH=")), "PATH=/bin")
    return [os.path.join(folder, words[0]) for folder in path[5:].split(":")]


def zone_flag(built, label):
    """The link's flag for the zone that was asked for; 0: none."""
    if label is None:
        return 0
    labels = built.zone_labels()
    if label not in labels:
        raise ExoError(f"--zone {label}: no zone of programs can have that label", "known are: " + ", ".join(labels), status=2)
    return labels[label] + 1 << link.ZONE_SHIFT


def start(values, words, gdb=None, image=None, more_flags=0):
    """Builds, boots and runs; returns the exit status, and the session. `image`: what image_for has answered already."""
    from exo.session import Session, open_standard_streams
    from exo.watcher import Watcher
    open_standard_streams()
    words = words or (PACKAGES_SHELL if values.package else SHELL)
    built = the_build(values)
    built.check()
    image, added_bytes = image or image_for(built, words[0], values)
    zone = zone_flag(built, values.zone)
    command = (os.fsencode(values.workdir), [os.fsencode(word) for word in words], environment(values))
    flags = (link.STRACE if values.strace else 0) | (link.MISSING if values.missing else 0) | zone
    flags |= link.NO_REWRITE if values.no_rewrite or os.environ.get("EXO_NO_REWRITE") else 0
    flags |= more_flags | (link.BOOT_CHART if values.boot_chart else 0) | (link.STRACE_SUMMARY if values.strace_summary else 0)
    watcher = Watcher(built, image, command_paths(values, words)) if getattr(values, "backtrace", False) else None
    guest = machine(values, built, watcher.target if watcher else gdb, added_bytes)
    session = Session(guest, built.kernel, image, command, flags, values.timeout, values.kernel_log)
    try:
        status = session.run()
    finally:
        if watcher:
            watcher.end()
    for taker in filter(lambda taker: taker.SHOWN, session.takers):
        print("\n".join(taker.lines()), file=sys.stderr)  # the program's status stays this command's
    return status, session


def dry_run(values):
    built = the_build(values)
    zone_flag(built, values.zone)
    log = values.kernel_log or "kernel.log"
    print(printable(machine(values, built, "tcp::1234" if values.gdb else None)
                    .command_line(os.path.relpath(built.kernel), os.path.relpath(built.image), log, 3)))
    return 0


def check(command, values):
    """What options mean together."""
    if values.words and not values.words[0]:
        raise usage_error(command, "the name of the program is empty")
    if values.gas_grace is not None and not (values.gas or "").endswith("/s"):
        raise usage_error(command, "--gas-grace means something with --gas N/s only" + (f", and --gas {values.gas} is a fixed amount" if values.gas else ""))
    if getattr(values, "backtrace", False) and values.gdb:
        raise usage_error(command, "--backtrace is a debugger of its own, and --gdb waits for another one")
    if values.kernel_log and not os.path.isdir(os.path.dirname(os.path.abspath(values.kernel_log))):
        raise ExoError(f"--kernel-log {values.kernel_log}: no such folder", "make it first", status=2)


def main(arguments):
    parser = Parser("run", OPTIONS + [Option("help", FLAG, "", "this text")], words_end_options=True)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help() + "\n" + STATUSES)
        return 0
    check("run", values)
    if values.build_only:
        the_build(values).check()
        return 0
    if values.dry_run:
        return dry_run(values)
    return start(values, values.words, "tcp::1234" if values.gdb else None)[0]
