"""Random kernel calls on the host port, each compared with the reference model (property.c)."""

import os
import shutil

from exo.build import build

PARTS = 4  # runs with seeds of their own, side by side


def program(compiler="gcc"):
    return os.path.join(build("host", compiler, quiet=True).folder, "property", "property")


def agrees(seed, calls, compiler="gcc"):
    def body(t):
        if compiler == "clang" and not shutil.which("clang-14"):
            t.skip("clang-14 is not installed")
        result = t.command(program(compiler), "--seed", str(seed), "--calls", str(calls), timeout=100 + calls // 500)
        t.check(result.status == 0, lambda: result.stdout.decode(errors="replace") + result.stderr.decode(errors="replace")[-3000:])
        print(result.stdout.decode())
    return body


def cases(t):
    calls = 10000000 if t.long else 200000
    program()  # built before a case's time begins
    for part in range(PARTS):
        yield f"{calls // PARTS}-calls-part-{part}", agrees(t.seed * PARTS + part, calls // PARTS), 200 + calls // PARTS // 400
    if t.long:
        yield "clang", agrees(t.seed, 100000, "clang"), 900
