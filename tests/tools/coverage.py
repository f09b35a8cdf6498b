"""./exo test --coverage: what it makes of QEMU's trace, the line table and gcov's counts."""

import os
import re

from exo import coverage


def trace(t):
    with open(os.path.join(t.folder, "trace-1.log"), "w") as file:
        file.write("IN: boot_main\n0xffffffff80100000:  55                       pushq    %rbp\n0x0000000000400000:  90    nop\n")
    t.equal(coverage.executed_addresses(t.folder), {0xffffffff80100000}, "addresses of the kernel")


def merged(t):
    host = {"kernel/a.c": {1: True, 2: False, 3: False}}
    guest = {"kernel/a.c": {2: True, 3: False, 9: True}, "kernel/arch/b.c": {5: True, 6: False}}
    t.equal(coverage.merge(host, guest), {"kernel/a.c": {1: True, 2: True, 3: False}, "kernel/arch/b.c": {5: True, 6: False}})
    t.check(not coverage.report({"kernel/a.c": {1: True, 2: False}}, [], []), "half is under the bar")
    t.check(coverage.report({"kernel/a.c": {1: True}}, [("f", "kernel/a.c", 1, 1)], []), "all is not")


def option(t):
    result = t.exo("test", "--help")
    t.check(result.status == 0 and re.search(rb"--coverage", result.stdout), result)


def cases(_):
    yield "trace", trace
    yield "merged", merged
    yield "option", option
