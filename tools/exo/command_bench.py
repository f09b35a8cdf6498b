"""./exo bench: builds, then hands over to bench/runner.py."""

import os
import subprocess
import sys

from exo import command_run
from exo.build import ROOT, build
from exo.errors import ExoError
from exo.machine import DEFAULT_MEMORY, memory_size
from exo.options import FLAG, VALUE, Option, Parser, choice, number
from exo.runner import load_module

# The comparison's processor: on newer models Linux's own choices (rep movsb, PKU) cost it dearly under QEMU's translator.
CPU = Option("cpu", VALUE, "MODEL", "QEMU's CPU model (qemu64)", "qemu64")
MEMORY = Option("memory", VALUE, "SIZE", f"memory, such as 32M or 8G ({DEFAULT_MEMORY})", DEFAULT_MEMORY, check=memory_size)
OWN = {option.name: option for option in (CPU, MEMORY)}
RUN_OPTIONS = [OWN.get(option.name, option) for option in command_run.MACHINE_OPTIONS] + command_run.BUILD_OPTIONS
OPTIONS = [
    Option("vs", VALUE, "SYSTEM", "compare with this system: linux", check=choice("linux")),
    Option("json", VALUE, "FILE", "write all figures there too"),
    Option("book", FLAG, "", "measure and count everything against Linux and write docs/benchmarks.* (an hour)"),
    Option("boots", VALUE, "N", "boots of each system; medians are taken over them (3)", check=lambda text: number(text, 1, 99, "--boots")),
    Option("quick", FLAG, "", "one boot and few repetitions: rough figures in less than a minute"),
    Option("count", FLAG, "", "count guest instructions instead of time"),
    Option("baseline", FLAG, "", "with --count: fail where a count is not bench/counts.tsv's, give or take 3 %"),
    Option("native", FLAG, "", "small kernel operations on this machine's own processor, in cycles, against the bars"),
    Option("list", FLAG, "", "only name the cases"),
    Option("quiet", FLAG, "", "no progress"),
    Option("help", FLAG, "", "this text"),
] + RUN_OPTIONS
USAGE = """usage: ./exo bench [OPTIONS] [CASE...]

Cases are names or regular expressions; all by default.
"""


def native():
    """Cycles of the host port's kernel (tests/property/native/). Exit status 1: a bar is not cleared."""
    folder = build("host", targets=["kernel-native"]).folder
    run = subprocess.run([os.path.join(folder, "property", "kernel-native")], capture_output=True, text=True, check=True)
    good = True
    print("cycles per operation on this machine")
    for name, cycles, most in (line.split() for line in run.stdout.splitlines()):
        cleared = float(cycles) < float(most)
        good = good and cleared
        print(f"{name:<20} {cycles:>8}  under {most}: {'yes' if cleared else 'NO'}")
    return 0 if good else 1


def main(arguments):
    parser = Parser("bench", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if values.native:
        return native()
    if values.baseline and not values.count:
        raise ExoError("--baseline is about counts", "type ./exo bench --count --baseline", status=2)
    if values.book:
        if values.words or values.count or values.quick or values.smp != 1:
            raise ExoError("--book measures everything, on one processor", "leave cases, --count, --quick and --smp out", status=2)
        values.vs = "linux"
    path = os.path.join(ROOT, "bench", "runner.py")
    if not os.path.exists(path):
        raise ExoError("there are no benchmarks yet", "bench/ is where they will be")
    built = command_run.the_build(values, targets=())
    built.check()
    sys.path.insert(0, os.path.dirname(path))
    return load_module(path).main(values, built)
