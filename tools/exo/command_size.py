"""./exo size: what the kernel consists of, in bytes, and how deep its stack can get."""

import re
import subprocess

from exo import command_run, stack
from exo.options import FLAG, VALUE, Option, Parser, number, usage_error

OPTIONS = [
    Option("symbols", VALUE, "N", "so many of the largest functions and variables (20)", 20, check=lambda text: number(text, 0, 100000, "--symbols")),
    Option("stack", FLAG, "", "for each way into the kernel: the most that its stack can hold, found in the machine code"),
    Option("chains", FLAG, "", "with --stack: through which functions"),
    Option("quiet", FLAG, "", "no progress"),
    Option("help", FLAG, "", "this text"),
] + command_run.BUILD_OPTIONS
USAGE = """usage: ./exo size [OPTIONS]

The kernel's parts and its largest symbols.
"""
PARTS = ((".text", "instructions"), (".rodata", "constants"), (".data", "variables"), (".bss", "variables that begin as zeros"))
KINDS = {"t": "function", "r": "constant", "d": "variable", "b": "variable"}


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def parts(kernel):
    """{section: bytes}"""
    return {words[0]: int(words[1]) for line in output("size", "-A", "-d", kernel).splitlines() if len(words := line.split()) == 3 and words[1].isdigit()}


def symbols(kernel):
    """[(bytes, kind, name)], the largest first. The linker's marks on copies (.constprop and so on) are left out."""
    found = []
    for line in output("nm", "-S", "--size-sort", "-r", kernel).splitlines():
        match = re.fullmatch(r"[0-9a-f]+ ([0-9a-f]+) (\w) ([^.]+).*", line)
        if match:
            found.append((int(match[1], 16), KINDS.get(match[2].lower(), "other"), match[3]))
    return found


def stack_bytes():
    """What each processor has, from the port's own source."""
    with open(stack.STACK_SOURCE) as file:
        return int(re.search(r"^#define STACK_BYTES (\d+)u", file.read(), re.M)[1])


def show_stack(kernel, chains):
    most = stack_bytes()
    print(f"the most that the kernel's stack of {most:,} bytes can hold")
    for name, deepest, chain in stack.bounds(kernel):
        print(f"{deepest:>8,}  {name}")
        if chains:
            print("          " + " > ".join(chain))


def main(arguments):
    parser = Parser("size", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if values.words:
        raise usage_error("size", f"size takes no words, and {values.words[0]!r} was given")
    if values.chains and not values.stack:
        raise usage_error("size", "--chains means something with --stack only")
    kernel = command_run.the_build(values, targets=("kernel",)).kernel
    if values.stack:
        show_stack(kernel, values.chains)
        return 0
    sizes = parts(kernel)
    for section, text in PARTS:
        print(f"{sizes.get(section, 0):>10,}  {text}")
    print(f"{sum(sizes.get(section, 0) for section, _ in PARTS):>10,}  together")
    if values.symbols:
        print("\nthe largest")
    for size, kind, name in symbols(kernel)[:values.symbols]:
        print(f"{size:>10,}  {kind:9} {name}")
    return 0
