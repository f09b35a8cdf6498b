"""What ./exo inspect reads from a recording: who ran when, who waited for a processor meanwhile, how long calls to servers took, gas over time."""

from collections import defaultdict

READY = 1  # exo.recording.STATES: left the processor, and would have gone on


class Run:
    """Figures of one run. Times are ns since the guest's clock began; environments are numbers that are unique since boot."""

    def __init__(self, recording, names):
        kinds = {number: name for name, number in names.kinds.items()}
        records = recording.records
        self.begin, self.end = (records[0].ns, records[-1].ns) if records else (0, 1)
        self.cpus = len(recording.lost)
        self.ran = defaultdict(list)      # environment: [(from, to, CPU)]
        self.waited = defaultdict(list)   # environment: [(from, to)] while it was ready and did not run
        self.latency = defaultdict(list)  # environment that answered: [ns from the call to the answer]
        self.gas = defaultdict(list)      # account: [(ns, used)]
        self.env_of = {}
        self._on, self._left, self._called = {}, {}, {}
        for record in records:
            getattr(self, "_" + kinds.get(record.kind, "").lower(), self._other)(record)
        for cpu in list(self._on):
            self._leave(cpu, self.end, None)

    def _other(self, record):
        """No matter here."""

    def _leave(self, cpu, ns, state):
        env, since = self._on.pop(cpu, (None, 0))
        if env is None:
            return
        self.ran[env].append((since, ns, cpu))
        if state == READY:
            self._left[env] = ns

    def _switch(self, record):
        self._leave(record.cpu, record.ns, record.detail)
        self.env_of[record.context] = record.b
        if record.b in self._left:
            self.waited[record.b].append((self._left.pop(record.b), record.ns))
        self._on[record.cpu] = (record.b, record.ns)

    def _idle(self, record):
        self._leave(record.cpu, record.ns, None)

    def _ipc_call(self, record):
        if record.detail != 2:  # 2: sends, and nobody answers
            self._called[record.context] = record.ns

    def _ipc_reply(self, record):
        began = self._called.pop(record.a & 0xffffffff, None)
        if began is not None:
            self.latency[self.env_of.get(record.context, 0)].append(record.ns - began)

    def _gas(self, record):
        self.gas[record.a].append((record.ns, record.b))

    # ---- shares -----------------------------------------------------------------------------------------------------

    def bins(self, count):
        """[{environment: (part of the processors that it used, part that it wanted)}] of `count` equal parts of the run."""
        step = max(1, (self.end - self.begin) / count)
        found = [defaultdict(lambda: [0.0, 0.0]) for _ in range(count)]
        for which, spans in ((0, self.ran), (1, self.waited)):
            for env, pieces in spans.items():
                for piece in pieces:
                    for place, part in parts(piece[0] - self.begin, piece[1] - self.begin, step, count):
                        found[place][env][which] += part
        return [{env: (used, used + waited) for env, (used, waited) in one.items()} for one in found]


def parts(begin, end, step, count):
    """(bin, part of the bin) for each bin that the span touches."""
    place = min(int(begin / step), count - 1)
    while place < count and begin < end:
        to = min(end, (place + 1) * step)
        yield place, (to - begin) / step
        begin, place = to, place + 1


def divide(whole, wishes):
    """Max-min fairness: {name: part} of `whole` among {name: (weight, wants)}. Who wants less than his part by weight leaves the rest to the others."""
    left, due = {name: wish for name, wish in wishes.items() if wish[1] > 0}, {name: 0.0 for name in wishes}
    while left:
        each = whole / sum(weight for weight, _ in left.values())
        content = [name for name, (weight, wants) in left.items() if wants <= each * weight]
        for name in content or list(left):
            weight, wants = left.pop(name)
            due[name] = wants if content else each * weight
            whole -= due[name] if content else 0
    return due


class Owed:
    """What the tree of zones owes each environment, when some want more than there is."""

    OWN = 100  # weight of a zone's own contexts (EXO_ZONE_WEIGHT)

    def __init__(self, snapshot, cpus):
        self.cpus = cpus
        self.zones = {zone["id"]: zone for zone in snapshot["zones"]}
        self.zone_of = {env["id"]: env["zone"] for env in snapshot["envs"]}
        servers = {env["id"] for env in snapshot["envs"] if env["name"] in ("rs", "proc", "fs", "tty") and env["pid"] is None}
        self.servers = servers
        self.programs = next((env["zone"] for env in snapshot["envs"] if env["pid"] is not None), 0)

    def of(self, wishes):
        """{environment: part} for {environment: (used, wanted)}. Servers work on their clients' shares: what they used is gone first."""
        whole = self.cpus - sum(used for env, (used, _) in wishes.items() if env in self.servers)
        wants = {env: wanted for env, (_, wanted) in wishes.items() if env not in self.servers}
        members = defaultdict(dict)
        for env, wanted in wants.items():
            zone = self.zone_of.get(env, self.programs)  # of one that was not there at the look, what most are in
            members[zone][env] = (1, wanted)
        due = {env: used for env, (used, _) in wishes.items() if env in self.servers}
        for zone in self._tops(members):
            self._zone(zone, min(whole, self._wanted(zone, members)), members, due)
        return due

    def _tops(self, members):
        return [zone for zone in members if not any(zone in self._below(other) for other in members)]

    def _below(self, zone):
        found = {one for one, what in self.zones.items() if what["parent"] == zone}
        return found.union(*(self._below(one) for one in found)) if found else found

    def _wanted(self, zone, members):
        return sum(wanted for one in {zone} | self._below(zone) for _, wanted in members.get(one, {}).values())

    def _zone(self, zone, whole, members, due):
        wishes = {None: (self.OWN, sum(wanted for _, wanted in members.get(zone, {}).values()))}
        for one, what in self.zones.items():
            if what["parent"] == zone:
                wishes[one] = (what["weight"] or self.OWN, self._wanted(one, members))
        shares = divide(whole, wishes)
        due.update(divide(shares.pop(None), members.get(zone, {})))
        for one, part in shares.items():
            self._zone(one, part, members, due)
