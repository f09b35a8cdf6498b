"""A recording becomes Chrome's events: tracks, slices that fit into each other, arrows with both ends, whatever is missing at its beginning or end."""

import random

from exo.build import ROOT
from exo.errors import ExoError
from exo.recording import HEAD, HEADER, MAGIC, NOTE_CALL, NOTE_NAME, NOTE_RETURN, RECORD, Names, Recording
from exo.trace_events import Events

NAMES = Names(ROOT)
KIND = NAMES.kinds
READY, WAIT, REPLY, RECEIVE = 1, 2, 4, 5
CALL_NUMBER = {name: number for number, name in NAMES.kernel_calls.items()}
READ, OPENAT, EXIT_GROUP = 0, 257, 231
PID = 7 << 32 | 7


def stream(*cpus, lost=0):
    """What the guest would send: of each CPU its (tsc, context, kind, detail, a, b)."""
    data = HEAD.pack(MAGIC, 1, len(cpus), 1 << 32, 0, 11, 12, 13, 14, 15, 16, 0, 0)
    for cpu, records in enumerate(cpus):
        data += HEADER.pack(len(records) + lost, len(records) if lost else 1000, 0, cpu)
        data += b"".join(RECORD.pack(*record) for record in records)
    return data


def check(t, events):
    """Time never goes back on a track, slices are closed, arrows have both ends."""
    last, open_slices, arrows = {}, {}, {}
    for event in events:
        if event["ph"] == "M":
            continue
        track = event["pid"], event["tid"]
        t.check(last.get(track, 0) <= event["ts"], event)
        last[track] = event["ts"]
        if event["ph"] in "BE":
            open_slices[track] = open_slices.get(track, 0) + (1 if event["ph"] == "B" else -1)
            t.check(open_slices[track] >= 0, event)
        if event["ph"] in "stf":
            arrows[event["id"]] = arrows.get(event["id"], "") + event["ph"]
    t.check(not any(open_slices.values()), f"open: {open_slices}")
    t.check(all(arrow[0] == "s" and arrow[-1] == "f" and set(arrow[1:-1]) <= {"t"} for arrow in arrows.values()), arrows)
    return arrows


def of(events, pid):
    return [(event["ph"], event.get("name")) for event in events if event["pid"] == pid and event["ph"] != "M"]


CONVERSATION = [
    (10, 5, KIND["SWITCH"], 255, 0, 40),
    (11, 5, KIND["NOTE"], NOTE_CALL | OPENAT << 4, 3, PID),
    (12, 5, KIND["NOTE"], NOTE_NAME, int.from_bytes(b"cat", "little"), 0),
    (13, 5, KIND["CALL"], CALL_NUMBER["ep_call"], 4, 9),
    (14, 5, KIND["IPC_CALL"], 0, 6, 77),
    (15, 6, KIND["IPC_RECEIVE"], 0, 5, 0),
    (16, 5, KIND["RETURN"], CALL_NUMBER["ep_call"], 0, REPLY),
    (17, 6, KIND["SWITCH"], REPLY, 5, 13),
    (18, 6, KIND["FAULT"], 14, 0x1000, 0x400),
    (19, 6, KIND["CALL"], CALL_NUMBER["ep_reply_recv"], 4, 0),
    (20, 6, KIND["IPC_REPLY"], 0, 5, 0),
    (21, 6, KIND["RETURN"], CALL_NUMBER["ep_reply_recv"], 0, RECEIVE),
    (22, 5, KIND["SWITCH"], RECEIVE, 6, 40),
    (23, 5, KIND["NOTE"], NOTE_RETURN | OPENAT << 4, 3, PID),
    (24, 5, KIND["NOTE"], NOTE_CALL | EXIT_GROUP << 4, 0, PID),
    (25, 0, KIND["DEMAND"], 0, 40, 8),
    (26, 0, KIND["GAS"], 0, 16, 1234),
]


def conversation(t):
    events = Events(Recording(stream(CONVERSATION)), NAMES).events
    t.equal(list(check(t, events).values()), ["sttf"])
    t.equal(of(events, 7), [("B", "openat"), ("B", "ep_call"), ("s", "ipc"), ("f", "ipc"), ("E", None), ("E", None), ("B", "exit_group"), ("E", None)])
    server = next(event["pid"] for event in events if event["ph"] == "M" and event["args"]["name"] == "fs")
    t.equal(of(events, server), [("B", "serves cat[7]"), ("t", "ipc"), ("i", "page fault"), ("E", None), ("B", "ep_reply_recv"), ("t", "ipc"), ("E", None)])
    t.equal([name for phase, name in of(events, 0) if phase == "B"], ["cat[7]", "fs", "cat[7]"])
    t.check(("i", "asked back: cat[7]") in of(events, 0) and ("C", "gas of programs") in of(events, 0), of(events, 0))


def any_part(t):
    """Rings overwrite: a recording begins and ends anywhere."""
    for first in range(len(CONVERSATION)):
        for end in range(first, len(CONVERSATION) + 1):
            check(t, Events(Recording(stream(CONVERSATION[first:end], lost=first)), NAMES).events)


def anything(t):
    """Whatever the records say, the file is one that viewers open."""
    chance = random.Random(t.seed)
    for _ in range(60):
        cpus = [[(at * 10 + chance.randrange(30), chance.randrange(5), chance.randrange(20), chance.choice([0, 1, 2, 4, 5, 14, NOTE_CALL, NOTE_RETURN,
                 CALL_NUMBER["ep_call"], CALL_NUMBER["ep_reply_recv"], 0xffff]), chance.randrange(5), chance.choice([0, 1, 4, PID])) for at in range(120)]
                for _ in range(2)]
        check(t, Events(Recording(stream(*cpus)), NAMES).events)


def sleep_and_wake(t):
    """Nobody switches to who goes on after the CPU slept: its slice begins when the CPU woke."""
    records = [(10, 5, KIND["SWITCH"], 255, 0, 40), (11, 5, KIND["CALL"], CALL_NUMBER["wait"], 0, 0), (12, 5, KIND["RETURN"], CALL_NUMBER["wait"], 0, WAIT),
               (13, 0, KIND["IDLE"], 0, 0, 0), (20, 0, KIND["AWAKE"], 0, 0, 0), (21, 5, KIND["INTERRUPT"], 32, 0, 0),
               (25, 5, KIND["CALL"], CALL_NUMBER["null"], 0, 0)]
    events = Events(Recording(stream(records)), NAMES).events
    check(t, events)
    ran = [(event["ph"], event["ts"]) for event in events if event["pid"] == 0 and event["ph"] in "BE"]
    t.equal(ran, [("B", 0.01), ("E", 0.013), ("B", 0.02), ("E", 0.025)])


def broken(t):
    whole = stream(CONVERSATION)
    for part in (whole[:-1], whole[:40], whole[:HEAD.size + 8], b"x" * 200, whole.replace(MAGIC, b"exotracf")):
        try:
            Recording(part)
            t.check(False, f"{len(part)} bytes were taken for a recording")
        except ExoError:
            pass
    t.equal(Events(Recording(stream([])), NAMES).events[0]["ph"], "M", "nothing was recorded")


def misuse(t):
    for words, said in ((["trace"], b"which command?"), (["trace", "--buffer", "1K", "true"], b"from 64K to 1G"),
                        (["trace", "--buffer", "x", "true"], b"a size is"),
                        (["trace", "-o", "/nowhere/x", "true"], b"no such folder"), (["trace", "--smp=2", "--buffer=64K", "true"], b"each of 2 processors"),
                        (["trace", "--gdb", "true"], b"has no option"), (["trace", ""], b"is empty")):
        result = t.exo(*words)
        t.check(result.status == 2 and said in result.stderr and len(result.stderr.splitlines()) == 2, result)
    result = t.exo("trace", "--help")
    t.check(result.status == 0 and b"--buffer" in result.stdout and b"Perfetto" not in result.stderr, result)


def cases(_):
    for case in (conversation, any_part, anything, sleep_and_wake, broken, misuse):
        yield case.__name__.replace("_", "-"), case
