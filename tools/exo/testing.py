"""What a test case is given: `t`, with ways to run ./exo, programs in the guest, and a terminal. tests/README.md says how suites
are laid out.
"""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from exo.build import ROOT
from exo.machine import Machine

# A shell's program for a job. It says when its group becomes the terminal's foreground group ("front2"), from when on a key is its own and
# not the shell's, and when that ends ("behind2"). A shell says which job it resumes before it gives the terminal away.
FOREGROUND_JOB = ('while :; do set -- $(cat /proc/self/stat); [ $5 = $8 ] && at=front || at=behind;'
                  ' [ $at = "$was" ] || echo $at$((1 + 1)); was=$at; sleep 0.05; done')


class Failed(Exception):
    """The case found what should not be."""


class Skipped(Exception):
    """The case cannot be run here, and says why."""


class Result:
    """How a command ended: `status` as a shell would say it, `stdout` and `stderr` as bytes."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    def __repr__(self):
        return f"status {self.status}\n  stdout {shorten(self.stdout)}\n  stderr {shorten(self.stderr)}"


def shorten(data, limit=1500):
    text = repr(data)
    return text if len(text) <= limit else f"{text[:limit // 2]} ... {text[-limit // 2:]} ({len(data)} bytes)"


class Terminal:
    """A command on a pseudo-terminal of its own."""

    def __init__(self, command, env, cwd, rows=24, columns=80):
        self.seen = b""   # everything that was shown
        self.at = 0       # up to where expect() has looked
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                time.sleep(0.02)  # until the size is set
                os.execve(command[0], command, env)
            finally:
                os._exit(127)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, data):
        os.write(self.master, data if isinstance(data, bytes) else data.encode())

    def expect(self, pattern, timeout=20.0):
        """Waits until the pattern (a regular expression, bytes) is shown behind the last match; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.seen[self.at:], re.S)
            if match:
                self.at += match.end()
                return match
            if not self._read(deadline - time.monotonic()):
                raise Failed(f"waited for {pattern!r}; the terminal showed {shorten(self.seen[self.at:])}")

    def _read(self, wait_s):
        """Reads what is there; False when there is nothing in time or nothing more to come."""
        if wait_s <= 0 or not select.select([self.master], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def settings(self):
        return termios.tcgetattr(self.master)

    def wait(self, timeout=20.0):
        """Reads to the end; returns the exit status as a shell would say it."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            pass
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise Failed(f"did not end; the terminal showed {shorten(self.seen)}")


class Test:
    """One case's view of the world."""

    def __init__(self, folder, built, long_run=False, seed=1):
        self.root = ROOT          # the source tree
        self.folder = folder      # scratch, kept when the case fails
        self.built = built        # build folder of the system; None in suites that do not need it
        self.long = long_run      # --long was given
        self.seed = seed          # for anything random

    # ---- claims -----------------------------------------------------------------------------------------------------

    def check(self, condition, text):
        if not condition:
            raise Failed(text() if callable(text) else str(text))

    def equal(self, found, expected, what="value"):
        if found != expected:
            raise Failed(f"{what}: expected {shorten(expected)}, found {shorten(found)}")

    def skip(self, reason):
        raise Skipped(reason)

    # ---- doing things -----------------------------------------------------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def environment(self, env=None):
        return dict(os.environ, **(env or {}))

    def command(self, *words, stdin=b"", timeout=60, env=None, cwd=None):
        """Runs a command of this machine; a Result. Over the time it is ended, and the case fails."""
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(env), cwd=cwd or self.root)
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Failed(f"{' '.join(words)}: no end after {timeout} s\n  stdout {shorten(out)}\n  stderr {shorten(err)}") from None
        status = 128 - process.returncode if process.returncode < 0 else process.returncode
        return Result(status, out, err)

    def exo(self, *words, stdin=b"", timeout=60, env=None, cwd=None):
        """./exo WORDS..."""
        return self.command(self.path("exo"), *words, stdin=stdin, timeout=timeout, env=env, cwd=cwd)

    def _run_words(self, command, options, timeout):
        log = os.path.join(self.folder, "kernel.log")
        return ["run", "--built", self.built, "--kernel-log", log, f"--timeout={timeout}", *options, "--", *command]

    def guest(self, *command, options=(), stdin=b"", timeout=30):
        """Runs a command in a fresh guest; a Result. `options` are those of ./exo run."""
        return self.exo(*self._run_words(command, options, timeout), stdin=stdin, timeout=timeout + 20)

    def boot(self, kernel, image, timeout=60, **machine):
        """Boots any image without a link; (QEMU's status, what the kernel's console showed). `machine`: see Machine."""
        log = os.path.join(self.folder, "kernel.log")
        ours, theirs = socket.socketpair()
        line = Machine(**machine).command_line(kernel, image, log, theirs.fileno())
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   pass_fds=[theirs.fileno()])
        theirs.close()
        try:
            said, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        ours.close()
        with open(log, errors="replace") as file:
            shown = file.read().replace("\r", "")
        return process.returncode, shown + said.decode(errors="replace")

    def guest_terminal(self, *command, options=(), timeout=60, rows=24, columns=80, env=None):
        """A command in a fresh guest on a terminal; a Terminal."""
        words = [self.path("exo"), *self._run_words(command, options, timeout)]
        return Terminal(words, self.environment(env), self.root, rows, columns)

    def host_terminal(self, *command, rows=24, columns=80, env=None):
        """A command of this machine on a terminal."""
        return Terminal(list(command), self.environment(env), self.root, rows, columns)


def parse_tap(text):
    """[(name, "pass" | "fail" | "skip", detail)] of TAP; ValueError when the plan does not fit what came."""
    results, plan, notes = [], None, []
    for line in text.splitlines():
        match = re.match(r"(not )?ok\b\s*(\d*)\s*(?:- )?(.*)", line)
        if match:
            name, _, directive = match[3].partition(" # ")
            state = "skip" if re.match(r"skip\b", directive, re.I) else "fail" if match[1] else "pass"
            results.append([name.strip() or f"case {len(results) + 1}", state, directive])
        elif re.match(r"1\.\.\d+", line):
            plan = int(line[3:].split()[0])
        elif line.startswith("Bail out!"):
            raise ValueError(line)
        elif line.startswith("#") and results and results[-1][1] == "fail":
            results[-1][2] += line + "\n"
        else:
            notes.append(line)
    if plan is None:
        raise ValueError("no plan (1..N)" + ("; it said: " + " | ".join(notes[-5:]) if notes else ""))
    if plan != len(results):
        raise ValueError(f"{plan} cases planned, {len(results)} came")
    return [tuple(result) for result in results]
