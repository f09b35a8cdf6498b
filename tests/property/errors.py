"""Every error that abi/exo.abi lists for a call is provoked: by a case (error_cases.c) or by random calls. Writes which to errors.md beside the program."""

import json
import os

from exo.build import build
from exo.testing import parse_tap

RANDOM_CALLS = 100000
# The host port has no large pages, and less memory than a block whose end is not ready at once: programs in ring 3 show these.
ELSEWHERE = {
    ("mem_share", "AGAIN"): "bare: revoke_cases.c share_meets_pass",
    ("mem_fetch", "AGAIN"): "the same loop as mem_share's",
    ("mem_map", "AGAIN"): "bare: frame_cases.c claim_large",
    ("mem_protect", "NOMEM"): "bare: large_cases.c large_no_table",
    ("mem_unmap", "NOMEM"): "bare: large_cases.c large_no_table",
    ("dma_bind", "AGAIN"): "bare: dma_cases.c dma_misuse",
    ("trace_bind", "AGAIN"): "as dma_bind's",
    ("frame_merge", "AGAIN"): "bare: frame_cases.c split_alone",
}


def folder():
    return os.path.join(build("host", quiet=True).folder, "property")


def record(t, name, *words):
    path = os.path.join(t.folder, name)
    result = t.command(os.path.join(folder(), "property"), "--record", path, *words, timeout=400)
    with open(path) as file:
        rows = [line.split(None, 2) for line in file.read().splitlines()]
    return result, {(call, error): text for call, error, text in rows if error != "ok"}


def error_cases(t):
    result, _ = record(t, "cases", "--cases", "")
    return parse_tap(result.stdout.decode())


def all_covered(t):
    _, by_case = record(t, "cases", "--cases", "")
    result, by_chance = record(t, "random", "--seed", "1", "--calls", str(RANDOM_CALLS))
    t.equal(result.status, 0, result)
    with open(os.path.join(os.path.dirname(folder()), "generated", "grammar.json")) as file:
        calls = json.load(file)["calls"]
    missing = []
    with open(os.path.join(folder(), "errors.md"), "w") as out:
        out.write("# Which test provokes which error of which call\n\n"
                  "Made by tests/property/errors.py. *random*: the random calls of seed 1 met it so often.\n\n"
                  "| call | error | case |\n|---|---|---|\n")
        for call in calls:
            for error in call["errors"]:
                key = (call["name"], error)
                if key not in by_case and key not in by_chance and key not in ELSEWHERE:
                    missing.append(" ".join(key))
                out.write(f"| {call['name']} | {error} | {by_case.get(key) or ELSEWHERE.get(key) or 'random: ' + by_chance.get(key, 'NONE')} |\n")
    t.check(not missing, "listed in abi/exo.abi, but no test provokes it:\n" + "\n".join(missing))


def cases(_):
    folder()  # built before a case's time begins
    yield "cases", error_cases
    yield "all-covered", all_covered, 500
