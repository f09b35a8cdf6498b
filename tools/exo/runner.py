"""The test runner: finds cases, runs each in a process of its own with a time limit, and counts."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

from exo.build import ROOT
from exo.testing import Failed, Skipped, Test, parse_tap

CASE_LIMIT_S = 120
PASS, FAIL, SKIP = "pass", "fail", "skip"


class Case:
    def __init__(self, suite, name, body, limit_s=CASE_LIMIT_S):
        self.suite, self.name, self.body, self.limit_s = suite, name, body, limit_s

    @property
    def label(self):
        return f"{self.suite}/{self.name}"


def load_module(path):
    name = "exo_case_" + re.sub(r"\W", "_", os.path.relpath(path, ROOT))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def module_cases(suite, path, test):
    """The cases of one Python file: its cases(t) yields (name, function of t) or (name, function, time limit in seconds)."""
    with open(path, encoding="utf-8") as file:
        if not re.search(r"^def cases\(", file.read(), re.M):
            return []  # what the suite's other files use
    try:
        module = load_module(path)
        stem = os.path.basename(path)[:-3]
        return [Case(suite, f"{stem}/{name}", body, *limit) for name, body, *limit in module.cases(test)]
    except Exception:
        text = traceback.format_exc()

        def broken(_):
            raise Failed(f"cannot be loaded\n{text}")
        return [Case(suite, os.path.basename(path), broken)]


def program_case(suite, source, built):
    """The case of a guest program whose opening comment has a line `guest-test: [OPTIONS OF ./exo run]`."""
    with open(source, errors="replace") as file:
        head = file.read(4000)
    match = re.search(r"guest-test:(.*)", head)
    if not match:
        return None
    name = os.path.basename(source)[:-2]
    options = match[1].replace("*/", "").split()

    def body(test):
        program = os.path.join(built, "tests", suite, name)
        overlay = os.path.join(test.folder, "overlay")
        os.makedirs(os.path.join(overlay, "tests"))
        shutil.copy2(program, os.path.join(overlay, "tests", name))
        result = test.guest("/tests/" + name, options=["--overlay", overlay, *options], timeout=CASE_LIMIT_S - 30)
        shutil.rmtree(overlay)
        return tap_results(result)
    return Case(suite, name, body)


def host_program_case(path):
    """A unit test built for this machine: TAP when it prints a plan, else its exit status."""
    def body(test):
        result = test.command(path, cwd=test.folder, env={"UBSAN_OPTIONS": "print_stacktrace=1"})
        if re.search(rb"^1\.\.\d+", result.stdout, re.M):
            return tap_results(result)
        test.check(result.status == 0, result)
        return None
    return Case("unit", os.path.basename(path), body)


def tap_results(result):
    try:
        results = parse_tap(result.stdout.decode(errors="replace"))
    except ValueError as problem:
        raise Failed(f"{problem}\n{result}") from problem
    if result.status != 0 and all(state != FAIL for _, state, _ in results):
        raise Failed(f"every case passed, and then it ended with {result}")
    return results


class Tally:
    def __init__(self):
        self.count = {PASS: 0, FAIL: 0, SKIP: 0}

    def add(self, state, number=1):
        self.count[state] += number

    def include(self, other):
        for state, number in other.count.items():
            self.count[state] += number

    def text(self):
        skipped = f", {self.count[SKIP]} skipped" if self.count[SKIP] else ""
        return f"{self.count[PASS]} passed, {self.count[FAIL]} failed{skipped}"


class Runner:
    """Runs cases, some at once. Each is a forked child in its own session, so that its end takes everything with it."""

    def __init__(self, keep_folder, jobs, built, long_run, seed, verbose):
        self.keep_folder = keep_folder
        self.jobs = jobs
        self.built = built
        self.long_run = long_run
        self.seed = seed
        self.verbose = verbose
        self.progress = sys.stderr.isatty() and not verbose
        self.started = time.monotonic()

    def run(self, cases):
        """A Tally over the cases."""
        tally, waiting, running = Tally(), list(cases), {}
        try:
            while waiting or running:
                while waiting and len(running) < self.jobs:
                    self._start(waiting.pop(0), running)
                self._show(tally, len(waiting), running)
                self._collect(running, tally)
        finally:
            for pid in running:
                self._end(pid)
        self._clear()
        return tally

    def _start(self, case, running):
        folder = os.path.join(self.keep_folder, case.suite, re.sub(r"[^\w.-]+", "_", case.name))
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._child(case, folder)
        running[pid] = (case, folder, time.monotonic() + case.limit_s)

    def _child(self, case, folder):
        code = 1
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            log = os.open(os.path.join(folder, "output.log"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            results = self._outcome(case, folder)
            with open(os.path.join(folder, "result.json"), "w") as file:
                json.dump(results, file)
            code = 0
        finally:
            os._exit(code)

    def _outcome(self, case, folder):
        try:
            results = case.body(Test(folder, self.built, self.long_run, self.seed))
            return [list(result) for result in results] if results else [["", PASS, ""]]
        except Skipped as reason:
            return [["", SKIP, str(reason)]]
        except Failed as failure:
            return [["", FAIL, str(failure)]]
        except Exception:
            return [["", FAIL, traceback.format_exc()]]

    def _collect(self, running, tally):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            case, folder, _ = running.pop(pid)
            self._end(pid)  # what the case left running
            self._report(case, folder, self._results(folder, status), tally)
            return
        now = time.monotonic()
        for late in [pid for pid, (_, _, deadline) in running.items() if now > deadline]:
            case, folder, _ = running.pop(late)
            self._end(late)
            os.waitpid(late, 0)
            self._report(case, folder, [["", FAIL, f"no end after {case.limit_s} s"]], tally)
            return
        time.sleep(0.005)

    @staticmethod
    def _end(pid):
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    @staticmethod
    def _results(folder, status):
        try:
            with open(os.path.join(folder, "result.json")) as file:
                return json.load(file)
        except (OSError, ValueError):
            return [["", FAIL, f"the case's process ended with wait status {status:#x}"]]

    def _report(self, case, folder, results, tally):
        self._clear()
        for name, state, detail in results:
            tally.add(state)
            label = case.label + (f": {name}" if name else "")
            if state == FAIL:
                print(f"FAIL {label}", *(f"    {line}" for line in detail.rstrip().splitlines()), sep="\n")
            elif self.verbose:
                print(f"{'ok  ' if state == PASS else 'skip'} {label}" + (f" ({detail})" if state == SKIP else ""))
        if any(state == FAIL for _, state, _ in results):
            print(f"    its files: {os.path.relpath(folder)}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def _show(self, tally, waiting, running):
        if self.progress and time.monotonic() - self.started > 1:
            names = " ".join(case.label for case, _, _ in running.values())
            print(f"\r\033[K{tally.text()}, {waiting} waiting; {names}"[:110], end="", file=sys.stderr, flush=True)

    def _clear(self):
        if self.progress:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run_suite_program(path, suite, patterns, environment):
    """A suite that is one program, tests/SUITE/run.py: its last line `N passed, N failed[, N skipped]` counts."""
    tally = Tally()
    process = subprocess.Popen(["/usr/bin/python3", path, *patterns], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               text=True, errors="replace", env=environment)
    last = ""
    for line in process.stdout:
        if re.match(r"\d+ passed, \d+ failed", line):
            last = line
        else:
            print(line, end="", flush=True)
    process.wait()
    match = re.match(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", last.strip())
    if match:
        for state, number in zip((PASS, FAIL, SKIP), match.groups()):
            tally.add(state, int(number or 0))
    if not match or (process.returncode != 0 and not tally.count[FAIL]):
        print(f"FAIL {suite}: {os.path.relpath(path)} ended with status {process.returncode}, its last line was {last.strip()!r}")
        tally.add(FAIL)
    return tally
