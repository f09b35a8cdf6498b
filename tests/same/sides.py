"""Cases that run on the host's Linux and on ExoV6 with the same binaries, and the comparison of what they print: for the suites same and
programs. How a case looks: run.py beside this file. driver.sh runs a list of them on either side; linux.sh makes the host's side.
"""

import argparse
import concurrent.futures
import copy
import io
import os
import re
import selectors
import signal
import subprocess
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SHELLS = {"sh": "busybox sh", "bash": "bash-static", "lksh": "lksh", "mksh": "mksh-static", "zsh": "zsh-static -f"}


class Case:
    def __init__(self, path, top, shells):
        self.path = path
        self.name = os.path.relpath(path, top)[:-3].replace(os.sep, "-")
        self.in_shells = ["sh"]
        self.stdin = []
        self.needs = []
        self.long = False
        with open(path) as file:
            self.text = file.read()
        for line in self.text.splitlines():
            if not line.startswith("#"):
                break
            self.long = self.long or line == "# long"
            match = re.match(r"# (shell|stdin|needs):(?: (.*))?$", line)
            if match is None:
                continue
            if match[1] == "stdin":
                self.stdin.append(match[2] or "")
            elif match[1] == "needs":
                self.needs += match[2].split()
            else:
                self.in_shells = match[2].split()
        for shell in self.in_shells:
            if shell not in shells:
                raise SystemExit(f"{path}: no shell named {shell}")
        self.command = shells[self.in_shells[0]]

    def each(self, shells):
        """The cases of the file: one for each shell that it names."""
        if len(self.in_shells) == 1:
            return [self]
        cases = []
        for shell in self.in_shells:
            cases.append(copy.copy(self))
            cases[-1].name, cases[-1].command = f"{self.name}-{shell}", shells[shell]
        return cases


def find_cases(top, patterns, shells=None):
    """All cases below the folder `top`. `shells`: the commands for the names of shells."""
    cases = []
    shells = shells or SHELLS
    for folder, _, names in os.walk(top):
        if folder != top:
            for name in names:
                if name.endswith(".sh"):
                    cases += Case(os.path.join(folder, name), top, shells).each(shells)
    cases.sort(key=lambda case: case.name)
    if patterns:
        cases = [case for case in cases if any(re.search(pattern, case.name) for pattern in patterns)]
    return cases


def known_differences(top):
    path = os.path.join(top, "differences.tsv")
    with open(path) as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file if line.strip() and not line.startswith("#")]
    return dict(rows)


def archive(cases, material=None):
    """What driver.sh reads: the list, the scripts, their inputs; and the folder `material` as `files`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        def add(name, text):
            data = text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))
        add("list", "".join(f"{case.name} {case.command}\n" for case in cases))
        for case in cases:
            add(case.name + ".sh", case.text)
            if case.stdin:
                add(case.name + ".in", "".join(line + "\n" for line in case.stdin))
        if material:
            tar.add(material, "files")
    return out.getvalue()


class Stream:
    """Takes results out of the bytes that driver.sh prints."""

    def __init__(self):
        self.buffer = bytearray()
        self.results = {}

    def feed(self, data):
        self.buffer += data
        before = len(self.results)
        while self._one():
            pass
        return len(self.results) > before

    def _one(self):
        end = self.buffer.find(b"\n")
        if end < 0:
            return False
        words = self.buffer[:end].decode(errors="replace").split()
        if len(words) != 5 or words[0] != "@case":
            return False
        out, err = int(words[3]), int(words[4])
        start = end + 1
        if len(self.buffer) < start + out + err:
            return False
        body = bytes(self.buffer[start:start + out + err])
        self.results[words[1]] = (int(words[2]), body[:out], body[out:])
        del self.buffer[:start + out + err]
        return True


def run_driver(command, cases, limit_s, material=None):
    """Runs driver.sh over cases under `command`. (results, complaint or None)"""
    stream = Stream()
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as errors:
        source.write(archive(cases, material))
        source.seek(0)
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=errors, preexec_fn=default_signals)
        complaint = watch(process, stream, limit_s)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if complaint is None and (process.returncode != 0 or said):
        complaint = f"exit status {process.returncode}: {said}"
    elif complaint and said:
        complaint += ": " + said
    if complaint is None and len(stream.results) < len(cases):
        complaint = f"ended early; unread output: {bytes(stream.buffer[:200])!r}"
    return stream.results, complaint


def default_signals():
    """Whoever started this program may ignore signals; the cases must not inherit that."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if number < 32:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def watch(process, stream, limit_s):
    """Feeds the stream until the end; ends the process when one case takes longer than the limit."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + limit_s
        while True:
            if not selector.select(max(0, deadline - time.monotonic())):
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                process.stdout.close()
                return f"no result within {limit_s} s"
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            if stream.feed(data):
                deadline = time.monotonic() + limit_s
    process.stdout.close()
    process.wait()
    return None


def driver_text():
    with open(os.path.join(HERE, "driver.sh")) as file:
        return file.read()


class Linux:
    """The host's kernel under a chroot: a folder that holds the same root file system as the guest's."""

    def __init__(self, root, material=None):
        self.root = root
        self.material = material

    def run(self, cases, limit_s):
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user"]
        command = unshare + ["/bin/sh", os.path.join(HERE, "linux.sh"), self.root, "/bin/busybox", "sh", "-c", driver_text()]
        return run_driver(command, cases, limit_s, self.material)


class Guest:
    def __init__(self, exo, words, material=None):
        self.command = [exo, "run", *words]
        self.material = material

    def run(self, cases, limit_s):
        # The host's side has the nice value of this process, which need not be 0: the guest's starts with the same.
        nice = f"renice {os.getpriority(os.PRIO_PROCESS, 0)} -p $$ >/dev/null || exit 96\n"
        return run_driver([*self.command, "--", "/bin/busybox", "sh", "-c", nice + driver_text()], cases, limit_s, self.material)


def run_batch(system, cases, limit_s):
    """All results that can be had: a batch that stops in the middle goes on behind the case that stopped it."""
    results, complaints = {}, {}
    rest = list(cases)
    while rest:
        found, complaint = system.run(rest, limit_s)
        results.update(found)
        left = [case for case in rest if case.name not in found]
        if complaint and left:
            complaints[left[0].name] = complaint
            left = left[1:]
        elif complaint and not left and rest:
            complaints[rest[-1].name] = "after the last result: " + complaint
        rest = left
    return results, complaints


def describe(name, expected, found):
    """The first difference, for a person."""
    for what, left, right in zip(("exit status", "stdout", "stderr"), expected, found):
        if left != right:
            if what == "exit status":
                return f"{name}: exit status {left} on Linux, {right} here" + (
                    f"; stderr here: {found[2][-300:]!r}" if found[2] != expected[2] else "")
            where = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
            start = max(0, where - 60)
            return (f"{name}: {what} differs at byte {where}\n    Linux: {left[start:where + 100]!r}\n"
                    f"    here:  {right[start:where + 100]!r}")
    return None


def compare(cases, expected, complaints, found, tolerated, report):
    """Counts (passed, failed, differing for a listed reason)."""
    passed = failed = listed = 0
    for case in cases:
        if case.name in complaints:
            problem = f"{case.name}: {complaints[case.name]}"
        elif case.name not in found or case.name not in expected:
            problem = f"{case.name}: no result"
        else:
            problem = describe(case.name, expected[case.name], found[case.name])
        if problem is None:
            passed += 1
            report(f"ok   {case.name}")
        elif case.name in tolerated:
            listed += 1
            report(f"diff {case.name}: {tolerated[case.name]}")
        else:
            failed += 1
            print(f"FAIL {problem}", flush=True)
    return passed, failed, listed


def guest_results(guest, options, cases, expected, limit_s):
    """Batches, then once more alone what did not come out as on Linux (a batch-mate may be to blame)."""
    batches = [cases[i:i + options.batch] for i in range(0, len(cases), options.batch)]
    results, complaints = {}, {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for found, said in pool.map(lambda batch: run_batch(guest, batch, limit_s), batches):
            results.update(found)
            complaints.update(said)
        if options.batch > 1 and not options.no_again:
            again = [case for case in cases if results.get(case.name) != expected.get(case.name) or case.name in complaints]
            for case, (found, said) in zip(again, pool.map(lambda case: run_batch(guest, [case], limit_s), again)):
                if results.get(case.name) != expected.get(case.name) and found.get(case.name) == expected.get(case.name):
                    said = {case.name: "as on Linux alone, but not in a batch"}
                complaints.pop(case.name, None)
                results.update(found)
                complaints.update(said)
    return results, complaints


def parser(text):
    """The options that both suites have."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("pattern", nargs="*", help="regular expressions over case names")
    made.add_argument("--exo", default=os.path.join(TOP, "exo"))
    made.add_argument("--run-option", action="append", default=[], help="passed on to ./exo run")
    made.add_argument("--batch", type=int, default=25)
    made.add_argument("--jobs", type=int, default=2)
    made.add_argument("--limit", type=int, default=60, metavar="S", help="for one case")
    made.add_argument("--no-again", action="store_true", help="do not run failures again alone")
    made.add_argument("--linux-only", action="store_true", help="run the cases twice on Linux and compare: are they deterministic?")
    made.add_argument("--show", action="store_true", help="print what Linux answers")
    made.add_argument("--list", action="store_true")
    made.add_argument("-v", "--verbose", action="store_true")
    return made


def judge(options, cases, linux, guest, top):
    """Runs the cases on both sides; (passed, failed, differing for a listed reason, skipped)."""
    if options.list:
        print("\n".join(f"{case.name} ({case.command})" for case in cases))
        return 0, 0, 0, 0
    chosen = [case for case in cases if "root" not in case.needs or os.geteuid() == 0]
    expected, complaints = run_batch(linux, chosen, options.limit)
    for name, complaint in complaints.items():
        print(f"on Linux: {name}: {complaint}")
    if options.show:
        for name, (status, out, err) in expected.items():
            print(f"=== {name}: {status}\n{out.decode(errors='replace')}--- stderr\n{err.decode(errors='replace')}", end="")
        return 0, 0, 0, 0
    if options.linux_only:
        found, complaints = run_batch(linux, list(reversed(chosen)), options.limit)
    else:
        found, complaints = guest_results(guest, options, chosen, expected, options.limit)
    say = print if options.verbose else lambda text: None
    return *compare(chosen, expected, complaints, found, known_differences(top), say), len(cases) - len(chosen)


def report(options, counts):
    """The last lines, and the exit status."""
    passed, failed, listed, skipped = counts
    if listed:
        print(f"{listed} differ for a listed reason (differences.tsv)")
    if not options.list and not options.show:
        print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0
