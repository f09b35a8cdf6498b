"""Real threads on this machine, under ThreadSanitizer: each .c file here is a program that ends with 0 when all is well."""

import os

from exo.build import build

MESSAGES = {"short": "60000", "long": "2000000"}


def stress(name):
    def body(t):
        program = os.path.join(build("host", quiet=True).folder, "threads", name)
        result = t.command(program, MESSAGES["long" if t.long else "short"], cwd=t.folder, timeout=1500 if t.long else 250,
                           env={"TSAN_OPTIONS": "halt_on_error=1"})
        t.check(result.status == 0, result)
    return body


def cases(t):
    for name in sorted(os.listdir(t.path("tests", "threads"))):
        if name.endswith(".c"):
            yield name[:-2], stress(name[:-2]), 1600 if t.long else 300
