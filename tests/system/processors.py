"""What several processors do at the same time, in every run: the guest's programs about processes, and shells that start many.

`./exo test --smp N` gives all suites N.
"""

import os

from exo.testing import parse_tap

PROGRAMS = ("process", "races", "signals", "memory")
# Of twenty sorts at a time each has all of its numbers; then crowds that end by themselves, by a signal, or with their pipe.
CROWD = """
for i in $(seq 20); do (seq 2000 | sort -rn | head -1) & done; wait
for i in $(seq 10); do (sleep 1000 & p=$!; kill $p; wait $p; echo $?) & done; wait
for i in $(seq 10); do (yes | head -n 1000 | wc -l) & done; wait
"""


def program(name, processors):
    def body(t):
        result = t.guest("./" + os.path.relpath(os.path.join(t.built, "tests/guest", name), t.root), options=["--smp", str(processors)], timeout=120)
        failed = [case for case, state, _ in parse_tap(result.stdout.decode()) if state == "fail"]
        t.check(result.status == 0 and not failed, result)
    return body


def crowd(processors):
    def body(t):
        result = t.guest("sh", "-c", CROWD, options=["--smp", str(processors)], timeout=120)
        t.equal(sorted(result.stdout.split(), key=int), sorted([b"2000"] * 20 + [b"143"] * 10 + [b"1000"] * 10, key=int), result)
    return body


def cases(_):
    for processors in (2, 4):
        yield f"crowd-{processors}", crowd(processors), 180
        for name in PROGRAMS:
            yield f"{name}-{processors}", program(name, processors), 180
