"""The guest programs about threads once more, with glibc, whose threads ask for other things than musl's; and all of them on two processors."""

import os

PROGRAMS = ("threads", "thread_events", "thread_ends", "thread_kill")


def run(t, program, processors):
    result = t.guest(program, options=["--smp", str(processors)], timeout=120)
    lines = result.stdout.decode().splitlines()
    t.check(result.status == 0 and lines and lines[-1] == f"1..{len(lines) - 1}", result)


def glibc(name, processors):
    def body(t):
        program = os.path.join(t.folder, name)
        made = t.command("gcc-12", "-std=gnu17", "-O2", "-static", "-pthread", "-o", program, t.path(f"tests/guest/{name}.c"))
        t.equal(made.status, 0, made)
        run(t, "./" + os.path.relpath(program, t.root), processors)
    return body


def musl(name):
    def body(t):
        run(t, "./" + os.path.relpath(os.path.join(t.built, "tests/guest", name), t.root), 2)
    return body


def cases(t):
    for name in PROGRAMS:
        yield f"{name}-musl-2", musl(name), 180
        for processors in (1, 2):
            yield f"{name}-glibc-{processors}", glibc(name, processors), 180
