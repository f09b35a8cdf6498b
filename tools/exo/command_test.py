"""./exo test: all suites, or some, and one line at the end."""

import glob
import os
import re
import sys
import time

from exo import coverage, machine
from exo.build import ROOT, base_folder, build
from exo.errors import ExoError
from exo.options import FLAG, LIST, VALUE, Option, Parser, choice, number, usage_error
from exo.runner import Runner, Tally, host_program_case, module_cases, program_case, run_suite_program
from exo.testing import Test

FIRST = ("style", "abi", "tools", "unit", "threads", "property", "models")    # need no guest; cheap ones first
ORDER = FIRST + ("bare", "guest", "system", "interactive", "misuse", "same", "programs", "suites", "selfhost", "fuzz")
FOLDER = os.path.join(ROOT, "tests")

OPTIONS = [
    Option("long", FLAG, "", "campaigns too: more seeds, more operations"),
    Option("k", LIST, "PATTERN", "only cases whose name matches this regular expression", short="k"),
    Option("jobs", VALUE, "N", "cases at the same time (processors of this machine)", os.cpu_count() or 1, short="j",
           check=lambda text: number(text, 1, 256, "--jobs")),
    Option("smp", VALUE, "N", "processors of each guest (1)", None, check=lambda text: number(text, 1, 8, "--smp")),
    Option("no-rewrite", FLAG, "", "leave the system calls of guests' programs as they are"),
    Option("seed", VALUE, "N", "for everything that is random (1)", 1, check=lambda text: number(text, 0, 2**63, "--seed")),
    Option("coverage", FLAG, "", "also say which statements of kernel/ the suites reach (default: bare and fuzz, with the property test)"),
    Option("list", FLAG, "", "only name the cases"),
    Option("verbose", FLAG, "", "say what passes, too", short="v"),
    Option("quiet", FLAG, "", "no progress while building"),
    Option("preset", VALUE, "NAME", "the system's build: release or debug (release)", "release", check=choice("release", "debug")),
    Option("compiler", VALUE, "NAME", "gcc or clang (gcc)", "gcc", check=choice("gcc", "clang")),
    Option("built", VALUE, "DIR", "take the system from this build folder as it is"),
    Option("help", FLAG, "", "this text"),
]
USAGE = """usage: ./exo test [OPTIONS] [SUITE...]

Suites: {suites}
"""


def suites():
    found = [name for name in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, name)) and not name.startswith((".", "_"))]
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


class Suite:
    """One folder of tests/."""

    def __init__(self, name, options, system):
        self.name = name
        self.options = options
        self.system = system  # build folder, for those that need it
        self.program = os.path.join(FOLDER, name, "run.py")

    def cases(self):
        test = Test(None, self.system, self.options.long, self.options.seed)
        found = []
        for path in sorted(glob.glob(os.path.join(FOLDER, self.name, "*.py"))):
            if path != self.program:
                found += module_cases(self.name, path, test)
        if self.name == "unit":
            found += self._unit_cases()
        elif self.system:
            programs = sorted(glob.glob(os.path.join(FOLDER, self.name, "*.c")))
            found += filter(None, (program_case(self.name, source, self.system) for source in programs))
        return [case for case in found if not self.options.k or any(re.search(k, case.label) for k in self.options.k)]

    def _unit_cases(self):
        folder = build("host", self.options.compiler, quiet=self.options.quiet).folder
        targets = os.path.join(folder, "unit")
        names = sorted(os.listdir(targets)) if os.path.isdir(targets) else []
        return [host_program_case(os.path.join(targets, name)) for name in names if os.access(os.path.join(targets, name), os.X_OK)]

    def run(self, runner):
        tally = runner.run(self.cases())
        if os.path.exists(self.program):
            environment = dict(os.environ, EXO_JOBS=str(self.options.jobs), EXO_SEED=str(self.options.seed))
            if self.system:
                environment["EXO_BUILT"] = self.system
            if self.options.long:
                environment["EXO_LONG"] = "1"
            tally.include(run_suite_program(self.program, self.name, self.options.k, environment))
        return tally


def the_system(options, names):
    """The build folder that guest suites use; None when no suite needs one."""
    if all(name in FIRST for name in names):
        return None
    if options.built:
        return os.path.abspath(options.built)
    built = build(options.preset, options.compiler, quiet=options.quiet)
    built.check()
    return built.folder


def run(options, names):
    if options.smp:
        os.environ["EXO_SMP"] = str(options.smp)
        machine.DEFAULT_SMP = options.smp
    if options.no_rewrite:
        os.environ["EXO_NO_REWRITE"] = "1"
    total = Tally()
    runner = Runner(os.path.join(base_folder(), "test-logs"), options.jobs, None, options.long, options.seed, options.verbose)
    broken = None
    for name in names:
        started = time.monotonic()
        try:
            if name not in FIRST and broken:
                raise broken
            if name not in FIRST and runner.built is None:
                runner.built = the_system(options, names)
            tally = Suite(name, options, runner.built).run(runner)
        except ExoError as error:
            broken = broken or (error if name not in FIRST else None)
            tally = Tally()
            tally.add("fail")
            print(f"FAIL {name}: {error.text()}")
        total.include(tally)
        print(f"{name}: {tally.text()} ({time.monotonic() - started:.1f} s)", flush=True)
    print(total.text())
    return 1 if total.count["fail"] or not total.count["pass"] else 0


def show(options, names):
    system = the_system(options, names)
    for name in names:
        suite = Suite(name, options, system)
        for case in suite.cases():
            print(case.label)
        if os.path.exists(suite.program):
            print(f"{name}/ (see tests/{name}/run.py)")
    return 0


def main(arguments):
    parser = Parser("test", OPTIONS)
    options = parser.parse(arguments)
    if options.help:
        print(USAGE.format(suites=" ".join(suites())) + "\n" + parser.help())
        return 0
    unknown = [name for name in options.words if name not in suites()]
    if unknown:
        raise usage_error("test", f"there is no suite {unknown[0]}")
    names = [name for name in suites() if not options.words or name in options.words]
    sys.stdout.reconfigure(line_buffering=True)
    if options.coverage:
        return coverage.measure(options, lambda: run(options, options.words or list(coverage.SUITES)))
    return show(options, names) if options.list else run(options, names)
