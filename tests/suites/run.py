#!/usr/bin/python3
"""Test suites that others wrote, run on the host's Linux and on ExoV6 with the same Debian binaries; each test's outcome is compared.

table.py says what there is. The tests come from Debian's source packages (sources.lock); only what is C is compiled. One boot runs a suite; on
Linux it runs in a chroot unpacked from the same packages. A test with another outcome here than on Linux is a failure, unless it passes
here, or differences.tsv lists it: suite/test, or for tests that are skipped here `skipped: TEXT`, what they say then; and the reason.
Without --long only a part of some suites runs. Names: SUITE-STEP.
"""

import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "same"), os.path.join(TOP, "tools")]
sys.dont_write_bytecode = True
import sides  # noqa: E402
import table  # noqa: E402
from exo.debian_root import DebianRoot  # noqa: E402
from exo.errors import ExoError  # noqa: E402
from exo.sources import Sources  # noqa: E402

# The step runs with a time limit inside, so that one that hangs does not take the rest with it.
STEP = "files=/tmp/same/files\nexport files\n{text}\n"


class Step:
    """One test script or program of a suite, as the driver of `same` takes it."""

    def __init__(self, suite, name, text):
        self.suite, self.step = suite, name
        self.name = f"{suite.name}-{name}".replace("/", "_")
        self.text = STEP.format(text=text)
        self.stdin = []
        self.command = f"/bin/busybox setsid /bin/timeout -k 5 {suite.limit_s} /bin/sh"


class Judgement:
    """Counts, and what is said of each test."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.passed = self.failed = self.listed = self.skipped = 0
        self.known = sides.known_differences(HERE)

    def one(self, name, linux, here, said):
        if here == linux or (here == "pass" and linux != "pass"):
            if linux == "pass":
                self.passed += 1
            else:
                self.skipped += 1
            if self.verbose or here != linux:
                print(f"same {name}: {here}" if here == linux else f"note {name}: {linux} on Linux, {here} here")
        elif self.reason(name, here, said):
            self.listed += 1
            print(f"diff {name}: {linux} on Linux, {here} here: {self.reason(name, here, said)}")
        else:
            self.failed += 1
            lines = "".join(f"\n    {line[:200]}" for line in said.rstrip().splitlines()[-12:])
            print(f"FAIL {name}: {linux} on Linux, {here} here{lines}", flush=True)

    def reason(self, name, here, said):
        """Why the difference is accepted, if it is."""
        skips = [why for what, why in self.known.items() if here == "skip" and what.startswith("skipped: ") and what[9:] in said]
        return self.known.get(name) or (skips[0] if skips else None)


def outcomes(step, results, complaints):
    """{test: word} of a step."""
    if step.name not in results:
        return {"": "no result"}, complaints.get(step.name, "")
    status, out, err = results[step.name]
    found = step.suite.read(status, out.decode(errors="replace"), err.decode(errors="replace"))
    return found, complaints.get(step.name, "")


def said(step, results):
    """All that a step printed, when it is one test."""
    _, out, err = results.get(step.name, (0, b"", b""))
    return (out + err).decode(errors="replace")


def keep(options, side, steps, results):
    """What each step said, for a person, when --keep names a folder."""
    if options.keep:
        for step in steps:
            status, out, err = results.get(step.name, (-1, b"", b""))
            os.makedirs(options.keep, exist_ok=True)
            with open(os.path.join(options.keep, f"{step.name}.{side}"), "wb") as file:
                file.write(out + b"\n--- stderr\n" + err + f"\n--- status {status}\n".encode())


def judge(options, suite, steps, folder, judgement):
    root = DebianRoot(suite.packages)
    words = [word for package in suite.packages for word in ("--package", package)]
    words += ["--memory", suite.memory] if suite.memory else []
    limit = suite.limit_s + 60
    linux, linux_said = sides.run_batch(sides.Linux(root.on_host(), folder), steps, limit)
    keep(options, "linux", steps, linux)
    if options.linux_only:
        here, here_said = sides.run_batch(sides.Linux(root.on_host(), folder), steps[::-1], limit)
    else:
        here, here_said = sides.run_batch(sides.Guest(options.exo, [*words, *options.run_option], folder), steps, limit)
    keep(options, "exo", steps, here)
    for step in steps:
        expected, problem = outcomes(step, linux, linux_said)
        found, complaint = outcomes(step, here, here_said)
        if problem or complaint:
            print(f"{step.name}: {problem and 'on Linux: ' + problem} {complaint and 'here: ' + complaint}")
        for test in sorted({*expected, *found}):
            name = "/".join(part for part in (suite.name, step.step, test) if part)
            text = said(step, here) if len(expected) == 1 else ""
            judgement.one(name, expected.get(test, "absent"), found.get(test, "absent"), text)


def run_suite(options, suite, sources, judgement):
    if not options.long and not suite.quick:
        return
    source = sources.folder(suite.source) if suite.source else None
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        steps = [Step(suite, name, text) for name, text in suite.gather(source, folder) if options.long or suite.quick.search(name)]
        if options.pattern:
            steps = [step for step in steps if any(re.search(pattern, step.name) for pattern in options.pattern)]
        if options.list:
            print("".join(step.name + "\n" for step in steps), end="")
        elif steps:
            judge(options, suite, steps, folder, judgement)


def main():
    parser = sides.parser(__doc__)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("EXO_LONG")))
    parser.add_argument("--keep", metavar="FOLDER", help="write there what each step said on either side")
    options = parser.parse_args()
    judgement, sources = Judgement(options.verbose), Sources(os.path.join(HERE, "sources.lock"))
    for suite in table.SUITES:
        try:
            run_suite(options, suite, sources, judgement)
        except ExoError as error:
            print(f"FAIL {suite.name}: {error.text()}")
            judgement.failed += 1
    return sides.report(options, (judgement.passed, judgement.failed, judgement.listed, judgement.skipped))


if __name__ == "__main__":
    sys.exit(main())
