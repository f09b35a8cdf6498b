"""./exo bench: builds, then hands over to bench/runner.py."""

import os
import sys

from exo import command_run
from exo.build import ROOT
from exo.errors import ExoError
from exo.options import FLAG, VALUE, Option, Parser, choice, number
from exo.runner import load_module

# The comparison's processor: on newer models Linux's own choices (rep movsb, PKU) cost it dearly under QEMU's translator.
CPU = Option("cpu", VALUE, "MODEL", "QEMU's CPU model (qemu64)", "qemu64")
RUN_OPTIONS = [CPU if option.name == "cpu" else option for option in command_run.MACHINE_OPTIONS] + command_run.BUILD_OPTIONS
OPTIONS = [
    Option("vs", VALUE, "SYSTEM", "compare with this system: linux", check=choice("linux")),
    Option("json", VALUE, "FILE", "write all figures there too"),
    Option("boots", VALUE, "N", "boots of each system; medians are taken over them (3)", check=lambda text: number(text, 1, 99, "--boots")),
    Option("quick", FLAG, "", "one boot and few repetitions: rough figures in less than a minute"),
    Option("count", FLAG, "", "count guest instructions instead of time"),
    Option("list", FLAG, "", "only name the cases"),
    Option("quiet", FLAG, "", "no progress"),
    Option("help", FLAG, "", "this text"),
] + RUN_OPTIONS
USAGE = """usage: ./exo bench [OPTIONS] [CASE...]

Cases are names or regular expressions; all by default.
"""


def main(arguments):
    parser = Parser("bench", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    path = os.path.join(ROOT, "bench", "runner.py")
    if not os.path.exists(path):
        raise ExoError("there are no benchmarks yet", "bench/ is where they will be")
    built = command_run.the_build(values, targets=())
    built.check()
    sys.path.insert(0, os.path.dirname(path))
    return load_module(path).main(values, built)
