"""./exo doctor: what is there, what is missing, and which package has it."""

import os
import platform
import shutil
import subprocess
import sys

from exo.build import ROOT
from exo.options import FLAG, Option, Parser, usage_error
from exo.packages import cache_folder
from exo.rootfs import FOLDER
from exo.packages import read_lock

OPTIONS = [Option("help", FLAG, "", "this text")]
USAGE = """usage: ./exo doctor

Says what is missing on this machine, and which Debian package has it. Exit status 1 when something that is needed is missing.
"""
DISK_BYTES = 300 << 20


def wanted_packages():
    """[(package, who needs it, what for)]"""
    rows = []
    with open(os.path.join(ROOT, "packages.txt")) as file:
        for line in file:
            words = line.split("#", 1)[0].split(None, 2)
            if len(words) == 3:
                rows.append((words[0], words[1], words[2].strip()))
    return rows


def installed():
    """{package: version} of those that are installed, or provided by one that is."""
    run = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}\t${Version}\t${Package}, ${Provides}\n"], capture_output=True, text=True)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    return {name.split(" ")[0]: version for status, version, names in rows if status == "installed" for name in reversed(names.split(", "))}


class Report:
    def __init__(self):
        self.missing = []
        self.good = True

    def line(self, good, what, text, needed=True):
        mark = "ok     " if good else "MISSING" if needed else "absent "
        print(f"{mark}  {what:18} {text}")
        self.good = self.good and (good or not needed)


def check_machine(report):
    right = platform.machine() == "x86_64"
    report.line(right, "processor", platform.machine() + ("" if right else ": only x86_64 is tried"), needed=False)
    if hasattr(platform, "freedesktop_os_release"):
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
        report.line("bookworm" in name, "system", name + ("" if "bookworm" in name else ": made for Debian 12"), needed=False)
    free = shutil.disk_usage(ROOT).free
    report.line(free > DISK_BYTES, "disk", f"{free >> 20} MiB free" + ("" if free > DISK_BYTES else f", {DISK_BYTES >> 20} MiB needed"))


def check_packages(report):
    if not shutil.which("dpkg-query"):
        report.line(False, "dpkg-query", "this is no Debian: install what packages.txt names", needed=False)
        return
    rows = wanted_packages()
    have = installed()
    for name, who, what in rows:
        needed = who == "all"
        if name not in have and needed:
            report.missing.append(name)
        report.line(name in have, name, f"{have.get(name, 'not installed')}: {what}", needed)


def check_tools(report):
    qemu = shutil.which(os.environ.get("EXO_QEMU") or "qemu-system-x86_64")
    if qemu:
        run = subprocess.run([qemu, "-M", "help"], capture_output=True, text=True)
        machines = [line.split()[0] for line in run.stdout.splitlines() if line.split()]
        for machine in ("microvm", "q35"):
            report.line(machine in machines, f"qemu -M {machine}", "known to this QEMU" if machine in machines else "not in this QEMU")


def check_root_packages(report):
    """The root file system's packages: in the cache, or to be fetched by the first build."""
    for name, (version, sha256) in read_lock(os.path.join(FOLDER, "packages.lock")).items():
        cached = os.path.exists(os.path.join(cache_folder(), "debs", sha256 + ".deb"))
        report.line(cached, name, f"{version}: " + ("in the cache" if cached else "the first build fetches it"), needed=False)


def main(arguments):
    parser = Parser("doctor", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if values.words:
        raise usage_error("doctor", f"doctor takes no words, and {values.words[0]!r} was given")
    report = Report()
    for check in (check_machine, check_packages, check_tools, check_root_packages):
        check(report)
    sys.stdout.flush()
    if report.missing:
        print("\nas root, type: apt-get update && apt-get install --no-install-recommends " + " ".join(report.missing))
    return 0 if report.good else 1
