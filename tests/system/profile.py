"""./exo profile in a guest: functions of program, libOS, servers and kernel have their samples, and the picture is one."""

import os
import xml.etree.ElementTree


def profile(t, *command, options=()):
    """(the result, {stack of names: samples})."""
    path = os.path.join(t.folder, "profile.svg")
    result = t.exo("profile", "-o", path, "--built", t.built, "--timeout=60", *options, "--", *command, timeout=80)
    xml.etree.ElementTree.parse(path)
    with open(path + ".folded") as file:
        rows = [line.rsplit(" ", 1) for line in file.read().splitlines()]
    return result, {tuple(stack.split(";")): int(count) for stack, count in rows}


def of(stacks, *names):
    return sum(count for stack, count in stacks.items() if all(any(name in frame for frame in stack) for name in names))


def known_program(t):
    program = "./" + os.path.relpath(os.path.join(t.built, "tests", "system", "profiled"), t.root)
    for smp in ("1", "2"):
        result, stacks = profile(t, program, "1000", options=["--smp", smp])
        t.equal((result.status, result.stdout), (7, b""), result)
        long, short = of(stacks, "profiled[", "spin_long"), of(stacks, "profiled[", "spin_short")
        t.check(long > short > 0, f"{long} and {short} samples: {stacks}")
        libos = {stack[-1]: count for stack, count in stacks.items()
                 if len(stack) == 3 and stack[0].startswith("profiled[") and stack[1] in ("stat", "fstatat")}
        t.check(sum(libos.values()) > 0, f"no function of the libOS below stat: {stacks}")
        t.check(of(stacks, "rs") > 0 and of(stacks, "proc") > 0, "servers")


def cases(_):
    yield "known-program", known_program, 170
