"""The guest's own command, exo: what it shows of the exokernel."""

import re


def capabilities(t):
    """Each process has itself, its context, its zone, three servers, and the counts of what it has open: of a pipe's end in place of the terminal's."""
    result = t.guest("sh", "-c", "exo caps; echo; exo caps | cat; exo caps more; echo $?", timeout=60)
    alone, piped = result.stdout.decode().split("\n\n")
    for line in (r"1\.0 env \d+: MAP CONTEXT SLOTS DESTROY INSPECT", r"2\.0 ctx ", r"3\.0 endpoint \d+ badge [0-9a-f]+: CALL",
                 r"6\.0 zone \d+: FRAMES INSPECT"):
        t.check(re.search("^" + line, alone, re.MULTILINE), line + " is not in\n" + alone)
    t.check(set(re.findall(r" tally (\d+)", piped)) - set(re.findall(r" tally (\d+)", alone)), piped)
    t.check(piped.endswith("\n2\n"), piped)
    t.check(b"takes no words" in result.stderr, str(result))


def cases(_):
    yield "caps", capabilities
