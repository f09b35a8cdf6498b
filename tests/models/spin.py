"""The Promela models (models/README.md), checked exhaustively by spin; and with faults built in, which it must find."""

import os
import re
import shutil

SAFETY = ("-DSAFETY", "-DNOCLAIM", "-DCOLLAPSE")
FAIR = ("-DNFAIR=4", "-DCOLLAPSE")
DEPTH = "-m1000000"


def search(t, definitions, compile_options, run_options, timeout, model="capabilities"):
    """The number of errors that an exhaustive search finds; its output."""
    if not shutil.which("spin"):
        t.skip("spin is not installed")
    made = t.command("spin", "-a", *definitions, t.path("models", model + ".pml"), cwd=t.folder)
    t.check(made.status == 0 and os.path.exists(os.path.join(t.folder, "pan.c")), made)
    built = t.command("gcc-12", "-O2", "-w", "-DVECTORSZ=2048", *compile_options, "-o", "pan", "pan.c", cwd=t.folder, timeout=100)
    t.equal(built.status, 0, built)
    text = t.command(os.path.join(t.folder, "pan"), DEPTH, *run_options, cwd=t.folder, timeout=timeout).stdout.decode()
    found = re.search(r"errors: (\d+)", text)
    t.check(found and "max search depth too small" not in text, text)
    return int(found[1]), text


def holds(definitions, compile_options=SAFETY, run_options=(), timeout=200, model="capabilities"):
    def body(t):
        errors, text = search(t, definitions, compile_options, run_options, timeout, model)
        t.equal(errors, 0, text)
    return body


def fails(fault, definitions, compile_options=SAFETY, run_options=(), model="capabilities"):
    def body(t):
        errors, text = search(t, (*definitions, "-D" + fault), compile_options, run_options, 200, model)
        t.check(errors > 0, f"{fault} was not found\n{text}")
    return body


def cases(t):
    ends = ("-a", "-f", "-N", "ends")
    yield "safe", holds(("-DNODES=5", "-DOPS=3")), 400
    yield "ends", holds(("-DNODES=5", "-DLIVE"), FAIR, ends), 400
    for fault in ("BROKEN_NO_TOMBSTONE", "BROKEN_NO_SPLICE", "BROKEN_ENDED"):
        yield "finds-" + fault[7:].lower(), fails(fault, ("-DNODES=4", "-DOPS=3"))
    yield "finds-no_refusal", fails("BROKEN_NO_REFUSAL", ("-DNODES=4", "-DLIVE"), FAIR, ends)
    yield "channel-one-sender", holds(("-DSLOTS=2", "-DMESSAGES=5"), model="channel")
    yield "channel-two-senders", holds(("-DSENDERS=2", "-DSLOTS=2", "-DMESSAGES=3"), model="channel")
    for fault in ("BROKEN_ORDER", "BROKEN_NO_LOOK", "BROKEN_POSITION", "BROKEN_TWO_STEPS"):
        yield "channel-finds-" + fault[7:].lower(), fails(fault, (), model="channel")
    yield "requests", holds(("-DROUNDS=8",), model="requests")
    for fault in ("BROKEN_NO_ANSWER", "BROKEN_ANSWERED_FIRST", "BROKEN_NO_LOOK", "BROKEN_NOT_SERVED"):
        yield "requests-finds-" + fault[7:].lower(), fails(fault, (), model="requests")
    yield "hazards", holds((), model="hazards")
    for fault in ("BROKEN_NO_FENCE", "BROKEN_LOOK_FIRST", "BROKEN_COUNT_FIRST", "BROKEN_NO_BEGIN", "BROKEN_UNPUBLISHED", "BROKEN_ONE_LOOK"):
        yield "hazards-finds-" + fault[7:].lower(), fails(fault, (), model="hazards")
    if t.long:
        yield "safe-large", holds(("-DNODES=6", "-DOPS=4"), (*SAFETY, "-DHC4"), timeout=3000), 3200
