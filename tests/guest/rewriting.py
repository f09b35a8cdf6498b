"""Programs whose hot system calls are made calls of the libOS, and programs that are left as they are: rewrite.c says what they may notice."""

import os


def run(expected, options):
    def body(t):
        now = "untouched" if os.environ.get("EXO_NO_REWRITE") else expected  # ./exo test --no-rewrite
        program = "./" + os.path.relpath(os.path.join(t.built, "tests/guest/rewrite"), t.root)
        result = t.guest(program, now, options=options, timeout=120)
        lines = result.stdout.decode().splitlines()
        t.check(result.status == 0 and lines and lines[-1] == f"1..{len(lines) - 1}", result)
    return body


def stubs(t):
    """A busy shell's own listing of its memory: it has a page of stubs, which can be run, and nothing that can be run can be written."""
    script = "i=0; while [ $i -lt 3000 ]; do umask >/dev/null; i=$((i + 1)); done; while read -r line; do echo \"$line\"; done </proc/self/maps"
    result = t.guest("sh", "-c", script, timeout=60)
    lines = result.stdout.decode().splitlines()
    t.equal(result.status, 0, result)
    t.check(not [line for line in lines if " rwx" in line], result)
    unnamed = [line for line in lines if " r-xp " in line and len(line.split()) == 5]
    t.equal(len(unnamed), 0 if os.environ.get("EXO_NO_REWRITE") else 1, result)


def cases(t):
    yield "hot", run("rewritten", []), 180
    yield "hot-2", run("rewritten", ["--smp", "2"]), 180
    yield "untouched", run("untouched", ["--no-rewrite"]), 180
    yield "stubs", stubs, 90
