"""What ./exo inspect makes of records: who ran, who waited, what was owed."""

import importlib
from collections import namedtuple

Record = namedtuple("Record", "ns cpu context kind detail a b")
KINDS = {"SWITCH": 1, "IDLE": 2, "IPC_CALL": 3, "IPC_REPLY": 4, "GAS": 5}


def figures():
    return importlib.import_module("exo.inspect_run")


def made_up(records, cpus=1):
    class Of:
        kinds, lost = KINDS, [0] * cpus
    Of.records = records
    return figures().Run(Of, Of)


def spans(t):
    """Two take turns on one processor: who waited while the other ran is known, and how long a call took."""
    run = made_up([Record(0, 0, 11, 1, 0, 0, 1), Record(40, 0, 11, 3, 0, 0, 0), Record(100, 0, 22, 1, 1, 0, 2), Record(250, 0, 22, 4, 0, 11, 0),
                          Record(300, 0, 11, 1, 2, 0, 1), Record(400, 0, 11, 2, 0, 0, 0), Record(400, 0, 11, 5, 0, 9, 1000)])
    t.equal(dict(run.ran), {1: [(0, 100, 0), (300, 400, 0)], 2: [(100, 300, 0)]}, "who ran")
    t.equal(dict(run.waited), {1: [(100, 300)]}, "who would have")
    t.equal(dict(run.latency), {2: [210]}, "from the call to the answer")
    t.equal(dict(run.gas), {9: [(400, 1000)]}, "gas")
    bins = run.bins(4)
    alone, both = [(1, (1.0, 1.0))], [(1, (0.0, 1.0)), (2, (1.0, 1.0))]
    t.equal([sorted(one.items()) for one in bins], [alone, both, both, alone], "parts of the run")


def fairness(t):
    divide, owed = figures().divide, figures().Owed
    t.equal(divide(1, {"a": (100, 2), "b": (100, 0.1), "c": (200, 1)}), {"a": 0.3, "b": 0.1, "c": 0.6}, "by weight, and what is left over")
    t.equal(divide(1, {"a": (1, 0.25), "b": (1, 0.25)}), {"a": 0.25, "b": 0.25}, "there is enough")
    snapshot = {"zones": [{"id": 1, "parent": 0, "weight": 100}, {"id": 9, "parent": 1, "weight": 100}, {"id": 38, "parent": 9, "weight": 300}],
                "envs": [{"id": 3, "zone": 1, "name": "rs", "pid": None}, {"id": 5, "zone": 9, "name": "sh", "pid": 2},
                         {"id": 6, "zone": 38, "name": "sh", "pid": 3}]}
    due = owed(snapshot, 1).of({3: (0.2, 0.2), 5: (0.1, 1.0), 6: (0.7, 1.0), 77: (0.0, 1.0)})
    t.equal({env: round(part, 6) for env, part in due.items()}, {3: 0.2, 5: 0.1, 77: 0.1, 6: 0.6}, "servers' time is gone first; a quarter to the zone's own")


def cases(_):
    yield "spans", spans, 30
    yield "fairness", fairness, 30
