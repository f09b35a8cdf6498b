"""Programs that are killed at each of their system calls in turn (killed.c says what may be left), and long campaigns of the hostile programs here."""

import os


def program(t, name, *words, timeout):
    result = t.guest("./" + os.path.relpath(os.path.join(t.built, "tests/misuse", name), t.root), *words, timeout=timeout)
    t.check(result.status == 0 and b"\nnot ok" not in result.stdout and b"\n1.." in result.stdout, result)


def killed(t):
    """A sample here, all calls with --long."""
    words = ["1", "1"] if t.long else [str(1 + t.seed % 23), "23", "2"]
    program(t, "killed", *words, timeout=1800 if t.long else 240)


def messages(t):
    program(t, "messages", "50000", *(str(t.seed + i) for i in range(4)), timeout=1800)


def scribble(t):
    program(t, "scribble", "60", *(str(t.seed + i) for i in range(4)), timeout=1800)


def cases(t):
    yield "every-call", killed, 1900 if t.long else 300
    if t.long:
        yield "messages", messages, 1900
        yield "scribble", scribble, 1900
