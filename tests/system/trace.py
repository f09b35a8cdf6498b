"""./exo trace in a guest: the file that viewers open has what a known program did, in order, and stays within its bounds."""

import json
import os
import re


def trace(t, *command, options=(), timeout=60):
    """(what the command gave, its events, of processes by name)."""
    path = os.path.join(t.folder, "trace.json")
    if os.path.exists(path):
        os.unlink(path)
    result = t.exo("trace", "-o", path, "--built", t.built, f"--timeout={timeout}", *options, "--", *command, timeout=timeout + 20)
    if not os.path.exists(path):
        return result, None, None
    with open(path) as file:
        events = json.load(file)["traceEvents"]
    return result, events, check(t, events)


def check(t, events):
    """As tests/tools/trace.py says; {name of a process: [(phase, name)]}."""
    last, open_slices, arrows, names, found = {}, {}, {}, {}, {}
    for event in events:
        if event["ph"] == "M":
            if event["name"] == "process_name":
                names[event["pid"]] = event["args"]["name"]
            continue
        track = event["pid"], event["tid"]
        t.check(last.get(track, 0) <= event["ts"], f"time goes back: {event}")
        last[track] = event["ts"]
        if event["ph"] == "B":
            open_slices.setdefault(track, []).append(event["name"])
        elif event["ph"] == "E":
            t.check(open_slices.get(track), f"ends what never began: {event}")
            open_slices[track].pop()
        elif event["ph"] in "stf":
            arrows[event["id"]] = arrows.get(event["id"], "") + event["ph"]
        found.setdefault(names[event["pid"]], []).append((event["ph"], event.get("name"), event.get("args")))
    t.check(not any(open_slices.values()), "slices are open at the end")
    t.check(arrows and all(re.fullmatch("st+f", arrow) for arrow in arrows.values()), arrows)
    return found


def begins(found, name):
    return [slice_name for phase, slice_name, _ in found.get(name, []) if phase == "B"]


def in_order(t, have, want):
    rest = iter(have)
    t.check(all(name in rest for name in want), f"{want} is not in {have}")


def known_program(t):
    result, _, found = trace(t, "sh", "-c", "read line </etc/hostname; echo $line; exit 3")
    t.equal((result.status, result.stdout, result.stderr), (3, b"exov6\n", b""))
    in_order(t, begins(found, "sh"), ["openat", "read", "write", "exit_group"])
    t.check("ep_call" in begins(found, "sh") and any(name.startswith("serves sh[") for name in begins(found, "fs")), found.keys())
    t.check({"sh[2]", "rs", "proc", "fs", "tty"} <= set(begins(found, "CPUs")), set(begins(found, "CPUs")))
    t.check(any(name == "page fault" for _, name, _ in found["sh"]), "no faults")
    t.check(any(phase == "C" and name == "gas of programs" and values["used"] > 0 for phase, name, values in found["CPUs"]), "no gas")


def several_processors_and_a_kill(t):
    script = "sleep 100 & kill -9 $!; wait; for i in 1 2 3; do (echo $i | cat >/dev/null) & done; wait; kill -9 $$"
    result, events, found = trace(t, "sh", "-c", script, options=["--smp", "2"])
    t.equal(result.status, 137)
    named = {event["args"]["name"] for event in events if event["ph"] == "M" and event["pid"] == 0}
    t.equal(named, {"CPUs", "CPU 0", "CPU 1"})
    both = {event["tid"] for event in events if event["pid"] == 0 and event["ph"] == "B"}
    t.check(both == {0, 1} and "kill" in begins(found, "sh"), both)


def full_ring(t):
    """However much happens, the file is bounded, the newest is there, and what is lost is told."""
    script = "for i in $(seq 15); do cat /etc/hostname; done >/dev/null; exec true"
    result, events, found = trace(t, "sh", "-c", script, options=["--buffer", "64K", "--smp", "1"])
    t.check(result.status == 0 and re.search(rb"CPU 0: the first [\d,]+ records are lost\n  --buffer", result.stderr), result)
    t.check(len(events) < 6000 and "exit_group" in sum((begins(found, name) for name in found), []), len(events))


def asked_back(t):
    result, _, found = trace(t, "sh", "-c", "sleep 100 & exo reclaim -t 0.1 -p $! 40K; kill $!")
    t.check(any(phase == "i" and name.startswith("asked back: ") for phase, name, _ in found["CPUs"]), result)


def no_recording(t):
    """No end, no recording: nothing is written, and that is said."""
    result, events, _ = trace(t, "sleep", "1000", timeout=3)
    t.check(result.status == 202 and events is None and b"nothing was recorded" in result.stderr, result)
    result, events, _ = trace(t, "true", options=["--buffer=1G", "--memory=64M"])
    t.check(events is None and result.status == 201 and b"too much memory?" in result.stderr, result)


def cases(_):
    for case in (known_program, several_processors_and_a_kill, full_ring, asked_back, no_recording):
        yield case.__name__.replace("_", "-"), case, 100
