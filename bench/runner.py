"""./exo bench: the same program (exobench) in guests of the same shape, medians over several boots, and ratios.

With --vs linux the systems take turns (turns.py): Linux, Linux with norandmaps (address randomisation costs Linux dearly under
QEMU's translator), ExoV6. A ratio is the faster Linux's median through ExoV6's: above 1, ExoV6 is faster.
"""

import copy
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

import applications
import book
import qemu
import turns
from exo.debian_root import DebianRoot
from exo.errors import ExoError
from exo_guest import ExoGuest
from linux_guest import LinuxGuest

MACHINE_CASES = ["boot", "memory", "image", "idle"]
PACKAGE_CASES = [*applications.PACKAGE_CASES, "memory_bash", *applications.names()]
KERNEL_CASES = ["kernel_null", "frame_address", "label_check", "rights_check", "mem_map_1", "mem_unmap_1", "mem_protect_1", "cap_derive",
                "switch_same", "switch_other", "slice_yield_to", "yield_to_crowd", "wake_turns", "wake_turns_crowd", "ipc_call",
                "ipc_grant", "channel_send", "channel_receive", "channel_turns", "sched_choice_2", "sched_choice_2000", "sched_quantum_2",
                "sched_quantum_2000", "revoke_100", "revoke_10000", "revoke_chains"]  # kernelbench: only counted, and only ExoV6
COUNT_CASES = ["gas_charge", "capability_check", "revoke_growth", "yield_to_growth", "wake_growth"]  # only counted, and only here
UNITS = {"boot": "s", "memory": "MiB", "memory_bash": "MiB", "image": "KiB", "idle": "% CPU"}
# What the project promises: how many times as fast as the faster Linux, and which of Linux's cases counts.
BARS = {"null": 5.0, "getpid": 5.0, "lseek": 5.0, "fcntl": 5.0, "sigprocmask": 5.0, "clock_gettime_call": 5.0, "direct_null": 10.0,
        "read_1": 5.0, "read_4k": 1.7, "read_64k": 1.1, "write_4k": 1.5, "stat": 2.0, "open_close": 2.0, "create_unlink": 1.5, "getdents_1000": 1.5,
        "anon_fault": 1.5, "cow_fault": 1.5, "mmap_munmap": 1.5, "protection_fault": 1.5, "signal_self": 1.5,
        "fork_wait": 2.0, "fork_exec_wait": 2.0, "exec_busybox": 2.0, "exec_dynamic": 2.0, "vfork_wait": 2.0, "vfork_exec_wait": 2.0,
        "posix_spawn_wait": 2.0, "thread_create_join": 2.0, "pipe_pingpong": 2.5, "unix_pingpong": 2.5, "token_2": 2.0, "token_8": 2.0,
        "boot": 10.0, "stream_1gib": 10.0, "futex_pingpong_threads": 2.0, "pipe_pingpong_threads": 2.0,
        **dict.fromkeys(applications.names(), 1.0)}
APPLICATIONS_BAR = 1.2  # of the geometric mean
SMP_BARS = {"pipe_pingpong": 5.0, "unix_pingpong": 5.0}  # with two processors or more, where who waits for an answer spins a moment
COMPARED_WITH = {"direct_null": "null", "direct_getpid": "getpid"}
CEILINGS = {"memory": 12.0, "memory_bash": 24.0, "image": 256.0, "idle": 1.0}  # for ExoV6 alone
COUNT_CEILINGS = {"null": 150.0, "mem_map_1": 250.0, "gas_charge": 10.0, "capability_check": 25.0, "label_check": 10.0,
                  "rights_check": 10.0, "ipc_call": 300.0, "ipc_grant": 150.0, "switch_same": 120.0, "switch_other": 180.0,
                  "revoke_growth": 1.1, "yield_to_growth": 1.05, "wake_growth": 1.05, "channel_send": 60.0, "channel_receive": 60.0,
                  "channel_turns": 120.0, "sched_choice_2": 60.0, "sched_choice_2000": 60.0, "futex_pingpong_threads": 2300.0,
                  "pipe_pingpong_threads": 4400.0}
BASELINE = "counts.tsv"
BASELINE_PERCENT = 3.0  # of change that needs a reason
BOOT_LIMIT_S = 60
RUN_LIMIT_S = 400


class Effort:
    """How much is measured: boots unless the caller says, exobench's options, how long idleness is watched, runs of an application a boot."""

    def __init__(self, boots, options, idle_s, application_runs):
        self.boots, self.options, self.idle_s, self.application_runs = boots, options, idle_s, application_runs


FULL = Effort(3, "-i 25 -t 10", 20, 3)
QUICK = Effort(1, "-i 3 -t 1", 3, 1)  # for a first look: under a minute for ExoV6 alone


class Series:
    """Figures of one case on one system, one a boot."""

    def __init__(self):
        self.values = []

    def median(self):
        return statistics.median(self.values)

    def spread(self):
        """Half of the range, in percent of the median."""
        middle = self.median()
        return (max(self.values) - min(self.values)) / 2 / middle * 100 if middle else 0.0


def known_cases(program):
    run = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    own = [name for name in run.stdout.split() if name not in PACKAGE_CASES]
    return own + MACHINE_CASES + KERNEL_CASES + COUNT_CASES + PACKAGE_CASES


def gas_charge(kernel):
    """Instructions of the charge on the way of a system call: they lie in a row between two labels of the entry code."""
    symbols = subprocess.run(["nm", kernel], capture_output=True, text=True, check=True).stdout
    first, end = (re.search(rf"^([0-9a-f]+) \w {name}$", symbols, re.M)[1] for name in ("gas_charge", "gas_charged"))
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address=0x{first}", f"--stop-address=0x{end}", kernel],
                          capture_output=True, text=True, check=True).stdout
    return len(re.findall(r"^\s*[0-9a-f]+:\t", code, re.M))


def derived(figures):
    """What follows from kernelbench's figures: a call that resolves a capability, checks its label and does next to nothing, without entry and
    label; how much dearer a descendant is to revoke where there are a hundred times as many; and a switch beside a thousand who sleep."""
    return {"capability_check": figures["frame_address"] - figures["kernel_null"] - figures["label_check"],
            "revoke_growth": figures["revoke_10000"] / figures["revoke_100"],
            "yield_to_growth": figures["yield_to_crowd"] / figures["slice_yield_to"],
            "wake_growth": figures["wake_turns_crowd"] / figures["wake_turns"]}


def choose(names, words, vs):
    """What the words match; without any all but what takes packages, unless there is another system to compare with."""
    if not words:
        return [name for name in names if vs or name not in PACKAGE_CASES]
    chosen = [name for name in names if any(re.fullmatch(word, name) for word in words)]
    for word in words:
        if not any(re.fullmatch(word, name) for name in names):
            raise ExoError(f"there is no benchmark {word}", "known are: " + " ".join(names), status=2)
    return chosen


def parse(text):
    """{case: median} of exobench's lines."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 5 and re.fullmatch(r"[\d.]+", words[1]):
            found[words[0]] = float(words[1])
    return found


class Bench:
    def __init__(self, values, built, folder):
        self.values = values
        self.effort = QUICK if values.quick else FULL
        self.boots = values.boots or self.effort.boots
        self.program = built.program("bench", "exobench")
        if not os.path.exists(self.program):
            raise ExoError(f"there is no {os.path.relpath(self.program)}", "the build makes it: see bench/CMakeLists.txt")
        self.kernel = built.kernel
        self.names = choose(known_cases(self.program), values.words, values.vs)
        self.folder = folder
        values.warn = lambda text: print(f"exo: {text}", file=sys.stderr)
        self.systems = self.guests(built, "base")
        self.with_packages = self.guests(built, "applications", applications.packages(), applications.MEMORY) if self.package_cases() else []
        self.with_bash = self.guests(built, "bash", applications.BASH) if "memory_bash" in self.names else []
        self.figures = {system.name: {} for system in self.systems}

    def guests(self, built, name, packages=(), memory=None):
        """The systems with one root file system."""
        folder, guests = os.path.join(self.folder, name), []
        os.makedirs(folder, exist_ok=True)
        if self.values.vs == "linux":
            for title, parameters in (("Linux", ""), ("Linux norandmaps", "nokaslr norandmaps")):
                debian = DebianRoot(packages) if packages else None
                guests.append(LinuxGuest(title, folder, self.program, self.values, parameters, debian, memory))
        if os.environ.get("EXO_BENCH_LINUX_ONLY") != "1":
            guests.append(ExoGuest(folder, self.program, self.values, built, packages, memory))
        return guests

    def package_cases(self):
        return [name for name in self.names if name in PACKAGE_CASES and name != "memory_bash"]

    def say(self, text):
        if not self.values.quiet:
            print(text, file=sys.stderr, flush=True)

    def add(self, system, case, value):
        self.figures[system.name].setdefault(case, Series()).values.append(value)

    def exobench(self, arguments):
        """The shell text that runs the small cases, if there are any."""
        cases = [name for name in self.names if name not in MACHINE_CASES + KERNEL_CASES + COUNT_CASES + PACKAGE_CASES]
        return f"/bench/exobench {arguments} {' '.join(cases)}" if cases else ""

    def add_all(self, system, said):
        for case, value in parse(said).items():
            self.add(system, case, value)

    def play(self, systems, text, limit_s):
        if text:
            for system, said in turns.play(systems, self.folder, text, lambda said: len(parse(said)), limit_s):
                self.add_all(system, said)

    def count(self):
        """Guest instructions per operation: exact, so one boot is enough; Linux is the one that does not randomise."""
        for system in self.systems:
            if system.name != "Linux":
                self.say(f"counting on {system.name}")
                if text := self.exobench("--tsc"):
                    self.add_all(system, system.run(text, RUN_LIMIT_S, qemu.COUNTING))
            if system.name == "ExoV6" and any(name in KERNEL_CASES + COUNT_CASES for name in self.names):
                figures = parse(system.bare("kernelbench.img", RUN_LIMIT_S, qemu.COUNTING))
                for case, value in [*figures.items(), *derived(figures).items()]:
                    self.add(system, case, value)
            if system.name == "ExoV6" and "gas_charge" in self.names:
                self.add(system, "gas_charge", gas_charge(self.kernel))

    def count_applications(self, names):
        """The instructions of one whole run each, all that the machine makes meanwhile."""
        for system in self.with_packages if names else []:
            if system.name != "Linux":
                self.say(f"counting applications on {system.name}")
                self.add_all(system, system.run(applications.text(names, 1, "--tsc"), applications.LIMIT_S, qemu.COUNTING))

    def measure(self):
        for boot in range(self.boots):
            self.say(f"boot {boot + 1} of {self.boots}")
            self.play(self.systems, self.exobench(self.effort.options), RUN_LIMIT_S)
            for system in self.systems:
                if "boot" in self.names:
                    self.add(system, "boot", system.first_output(BOOT_LIMIT_S))
                if "memory" in self.names:
                    self.add(system, "memory", self.memory(system))
            self.measure_packages(boot)
        for system in self.systems:
            if "image" in self.names:
                self.add(system, "image", (system.image_bytes()[0] or 0) / 1024)
            if "idle" in self.names:
                self.say(f"idle for {self.effort.idle_s} s: {system.name}")
                self.add(system, "idle", 100 * system.idle_share(self.effort.idle_s, BOOT_LIMIT_S))

    def measure_packages(self, boot):
        own = [name for name in self.package_cases() if name in applications.PACKAGE_CASES]
        scripts = [name for name in self.package_cases() if name not in own]
        text = f"/bench/exobench {self.effort.options} {' '.join(own)}\n" if own else ""
        text += applications.text(scripts, self.effort.application_runs) if scripts else ""
        if text:
            self.say(f"boot {boot + 1} of {self.boots}: packages")
        self.play(self.with_packages, text, applications.LIMIT_S)
        for system in self.with_bash:
            self.add(system, "memory_bash", self.memory(system, applications.PROMPT))

    def memory(self, system, text="cat /proc/meminfo"):
        """MiB that are not free while a shell runs: of all that the machine has, not of what the system admits to."""
        free = qemu.meminfo(system.run(text, BOOT_LIMIT_S))["MemFree"]
        return machine_kib(self.values.memory) / 1024 - free / 1024

    def report(self):
        rows = []
        for case in self.names:
            row = [case]
            for system in self.systems:
                series = self.figures[system.name].get(case)
                row.append("-" if series is None else f"{series.median():,.{2 if case in UNITS else 1}f}"
                           + ("" if self.values.count else f" ±{series.spread():.0f}%"))
            ratio = self.ratio(case)
            row.append("-" if ratio is None else f"{ratio:.2f}")
            row.append(self.verdict(case, ratio))
            rows.append(row)
        unit = "instructions" if self.values.count else "ns"
        head = ["case"] + [f"{system.name}" for system in self.systems] + ["ratio", "bar"]
        print(f"{unit} per operation ({', '.join(f'{name}: {unit_}' for name, unit_ in UNITS.items())}); "
              f"-cpu {self.values.cpu} -smp {self.values.smp} -m {self.values.memory}" + ("; quick, so rough" if self.values.quick else ""))
        print_table([head] + rows)
        self.report_applications()

    def report_applications(self):
        ratios = [ratio for ratio in (self.ratio(case) for case in applications.names()) if ratio]
        if len(ratios) > 1:
            mean = statistics.geometric_mean(ratios)
            print(f"applications: geometric mean of {len(ratios)} ratios {mean:.2f}, bar {APPLICATIONS_BAR:g}: {'yes' if mean >= APPLICATIONS_BAR else 'NO'}")

    def ratio(self, case):
        ours = self.figures.get("ExoV6", {}).get(case)
        theirs = [self.figures[system.name].get(COMPARED_WITH.get(case, case)) for system in self.systems
                  if system.name != "ExoV6"]
        theirs = [series.median() for series in theirs if series]
        return min(theirs) / ours.median() if ours and theirs and ours.median() else None

    def verdict(self, case, ratio):
        """The bar and whether it is cleared; nothing where there is none."""
        ours = self.figures.get("ExoV6", {}).get(case)
        ceiling = (COUNT_CEILINGS if self.values.count else CEILINGS).get(case)
        if ours and ceiling is not None:
            return f"at most {ceiling:g}: {'yes' if ours.median() <= ceiling else 'NO'}"
        bar = SMP_BARS.get(case) if int(self.values.smp) > 1 else None
        bar = bar or BARS.get(case)
        if not self.values.count and bar and ratio is not None:
            return f"{bar:g}: {'yes' if ratio >= bar else 'NO'}"
        return ""

    def all_values(self):
        return {name: {case: series.values for case, series in cases.items()} for name, cases in self.figures.items()}

    def save(self, path):
        data = {"cpu": self.values.cpu, "smp": self.values.smp, "memory": self.values.memory, "counts": self.values.count,
                "quick": bool(self.values.quick),
                "figures": self.all_values(),
                "ratios": {case: self.ratio(case) for case in self.names}}
        with open(path, "w") as file:
            json.dump(data, file, indent=1)


def against_baseline(counts, baseline):
    """Lines about the counts ({case: instructions}) that are not the baseline's ({case: [instructions, reason]}), or of which one side is not there."""
    for case in sorted({*counts, *baseline}):
        if case not in counts or case not in baseline:
            yield f"{case}: {'counted, but not in' if case in counts else 'not counted, but in'} bench/{BASELINE}"
            continue
        was, now = float(baseline[case][0].replace(",", "")), counts[case]
        if abs(now - was) > max(was * BASELINE_PERCENT / 100, 0.5):
            yield f"{case}: {now:,.1f} instructions, {(now - was) / was * 100 if was else 0:+.1f} % of the baseline's {was:,.1f}"
        elif now > COUNT_CEILINGS.get(case, now):
            yield f"{case}: {now:,.1f} instructions, over its bar, {COUNT_CEILINGS[case]:g}"


def judge_counts(bench):
    """The exit status: 1 when a count has changed or is over its bar. Only cases that the baseline has are judged."""
    baseline = {case: fields for case, fields in book.lines_of(BASELINE).items() if case in bench.names}
    counts = {case: series.median() for case, series in bench.figures["ExoV6"].items() if case in baseline}
    found = list(against_baseline(counts, baseline))
    for line in found:
        print(line)
    print(f"{len(baseline) - len(found)} counts within {BASELINE_PERCENT:g} % of bench/{BASELINE}, {len(found)} not")
    if found:
        print(f"if that is meant: change the lines of bench/{BASELINE}, and say there why")
    return 1 if found else 0


def first_line(*words):
    run = subprocess.run(words, capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__)))
    return run.stdout.splitlines()[0] if run.returncode == 0 and run.stdout else "unknown"


def processor():
    with open("/proc/cpuinfo") as file:
        names = re.findall(r"^model name\s*: (.*)$", file.read(), re.M)
    return f"{len(os.sched_getaffinity(0))} processors of {names[0] if names else os.uname().machine}"


def about(values):
    """What the figures depend on."""
    changed = " and uncommitted changes" if first_line("git", "status", "--porcelain", "--untracked-files=no") != "unknown" else ""
    return {"date": datetime.date.today().isoformat(), "ExoV6": "commit " + first_line("git", "rev-parse", "--short=12", "HEAD") + changed,
            "Linux": "Debian's " + first_line("grep", "-o", "^linux-image[^ ]*  [^ ]*", "linux.lock").replace("  ", " "),
            "QEMU": first_line(qemu.program(), "--version"), "compiler": first_line("gcc", "--version"),
            "guest": f"-M {values.machine} -accel tcg -cpu {values.cpu} -smp {values.smp} -m {values.memory} (applications: {applications.MEMORY})",
            "host": processor()}


def write_book(values, built, folder):
    """Measures all times, then counts, of both systems; writes docs/benchmarks.*."""
    times = Bench(values, built, os.path.join(folder, "times"))
    times.measure()
    times.report()
    values = copy.copy(values)
    values.count = True
    counts = Bench(values, built, os.path.join(folder, "counts"))
    counts.count()
    counts.count_applications([name for name in applications.names() if (times.ratio(name) or 1) < 1])
    counts.report()
    data = {"about": about(values), "boots": times.boots, "times": times.all_values(), "counts": counts.all_values()}
    with open(os.path.join(book.DOCS, "benchmarks.json"), "w") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
    book.write(data)


def machine_kib(text):
    return int(text.rstrip("KMG")) * {"K": 1, "M": 1024, "G": 1 << 20}.get(text[-1], 1024)


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        line = row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1]))
        print((line + "  " + row[-1]).rstrip())


def main(values, built):
    with tempfile.TemporaryDirectory(prefix="exo-bench-") as folder:
        if values.book:
            write_book(values, built, folder)
            return 0
        bench = Bench(values, built, folder)
        if values.list:
            print("\n".join(bench.names))
            return 0
        if values.count:
            bench.count()
        else:
            bench.measure()
        bench.report()
        if values.json:
            bench.save(values.json)
        return judge_counts(bench) if values.baseline else 0
