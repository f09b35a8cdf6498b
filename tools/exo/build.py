"""Building with CMake and Ninja, and knowing where the results are."""

import errno
import fcntl
import os
import re
import subprocess
import sys
import time

from exo.errors import ExoError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRESS_AFTER_S = 1.0


def base_folder():
    return os.environ.get("EXO_BUILD") or os.path.join(ROOT, "build")


class Build:
    """One build folder and the files in it that others use."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.kernel = os.path.join(self.folder, "kernel.elf")
        self.image = os.path.join(self.folder, "boot.img")

    def program(self, group, name):
        """A program of tests/ or bench/: program("tests/guest", "fork")."""
        return os.path.join(self.folder, group, name)

    def zone_labels(self):
        """Labels that a zone of programs can have, each with its number: what abi/labels.py made of this build's labels."""
        path = os.path.join(self.folder, "generated", "labels.txt")
        try:
            with open(path) as file:
                lines = [line.split() for line in file]
        except OSError as problem:
            raise ExoError(f"there is no {os.path.relpath(path)}", "this build has no security labels: build again", status=2) from problem
        return {words[0]: number for number, words in enumerate(lines) if "zone" in words[1:]}

    def check(self):
        for path in (self.kernel, self.image):
            if not os.path.exists(path):
                raise ExoError(f"there is no {os.path.relpath(path)}",
                               f"cmake said why: see {os.path.relpath(self.folder)}/exo-build.log")


def preset_name(preset, compiler):
    return preset + ("-clang" if compiler == "clang" else "")


class _Steps:
    """Runs tools with their output in a log, one changing line on a terminal when it takes long, all of it when it fails."""

    def __init__(self, folder, quiet):
        self.log_path = os.path.join(folder, "exo-build.log")
        self.log = open(self.log_path, "w")
        self.started = time.monotonic()
        self.progress = not quiet and sys.stderr.isatty()
        self.shown = False

    def run(self, command):
        begin = self.log.tell()
        environment = dict(os.environ, NINJA_STATUS="[%f/%t] ", CLICOLOR_FORCE="0", LC_ALL="C.UTF-8")
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=environment) as process:
            for line in process.stdout:
                self.log.write(line)
                self._show(line.strip())
        self._clear()
        if process.returncode != 0:
            self.log.flush()
            self._fail(command, begin)

    def _show(self, line):
        if self.progress and line.startswith("[") and time.monotonic() - self.started > PROGRESS_AFTER_S:
            self.shown = True
            print(f"\r\033[Kbuilding {line.split(']')[0]}]", end="", file=sys.stderr, flush=True)

    def _clear(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self.shown = False

    def _fail(self, command, begin):
        with open(self.log_path) as file:
            file.seek(begin)
            text = file.read()
        step = f"its whole output is in {self.log_path}"
        if os.strerror(errno.ENOSPC) in text:
            raise ExoError(f"no space is left: {os.path.dirname(self.log_path)}, the cache of packages, or /tmp is full",
                           f"make room and try again; {step}")
        ours = re.search(r"^exo: (.+)\n  (.+)$", text, re.M)  # a tool of this tree has said why
        if ours:
            raise ExoError(ours[1], ours[2])
        # Ninja's finished steps say nothing about the failure.
        shown = [line for line in text.splitlines() if not re.match(r"\[\d+/\d+\] (Building|Linking|Re-)", line)]
        print("\n".join(shown[-60:]), file=sys.stderr)
        raise ExoError(f"the build failed: {os.path.basename(command[0])} in {os.path.dirname(self.log_path)}", step)


def build(preset="release", compiler="gcc", targets=(), quiet=False, definitions=()):
    """Brings the build folder of a preset up to date; returns a Build."""
    name = preset_name(preset, compiler)
    folder = os.path.join(base_folder(), name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".exo-lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once: the second waits and finds it all done
        steps = _Steps(folder, quiet)
        if definitions or not os.path.exists(os.path.join(folder, "build.ninja")):
            steps.run(["cmake", "--preset", name, "-B", folder, *definitions])
        steps.run(["ninja", "-C", folder, *targets])
    return Build(folder)
