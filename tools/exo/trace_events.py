"""A recording as Chrome's trace events, which Perfetto, chrome://tracing and speedscope open.

Process 0 has a track for each CPU: slices of who runs. Every other process has a track for each of its contexts: system calls, kernel calls, faults,
and what a server serves, one within the other. An arrow leads from an IPC call over its receipt and its answer back to the caller.
"""

from exo.recording import NOTE_CALL, NOTE_EXIT, NOTE_NAME, NOTE_RETURN, NOTE_SIGNAL, STATES, note_kind, note_number, signed

CPUS_PID = 0
SERVER_PID = 1 << 22        # above all pids of the guest: servers, and environments that are no process of ours
READY = 1
ERRORS_FROM = -4095
VECTORS = {0: "divide error", 1: "debug", 3: "breakpoint", 6: "invalid instruction", 7: "FPU", 13: "protection fault", 14: "page fault",
           16: "FPU error", 32: "timer"}
RECEIVING = ("ep_recv", "ep_reply_recv", "wait")


class Track:
    """The slices of one context that are open, the outermost first."""

    def __init__(self, context):
        self.context = context
        self.pid = self.tid = 0
        self.open = []       # (kind, key)
        self.sleeps = False  # in a kernel call that is not over
        self.serves = None   # the flow of the message that it got last


class Events:
    """Turns records into events; `events` is in order of time."""

    def __init__(self, recording, names):
        self.names, self.recording = names, recording
        self.kind_name = {number: name.lower() for name, number in names.kinds.items()}
        self.events = []
        self.tracks, self.env_of = {}, {}
        self.running = {}       # CPU: context whose slice is open
        self.last = {}          # CPU: who ran last; when it woke up
        self.woke = {}
        self.flows, self.flow_number = {}, 0  # caller's context: number of its call's arrow
        self.process_names = {}
        self._identify()
        for record in recording.records:
            getattr(self, "_" + self.kind_name.get(record.kind, "unknown"))(record)
        self._end()

    # ---- who is who -------------------------------------------------------------------------------------------------

    def _identify(self):
        """Contexts' environments and processes are the same all the while: names may come after the first record."""
        kinds = self.names.kinds
        for record in self.recording.records:
            if record.kind == kinds["SWITCH"]:
                self.env_of[record.context] = record.b
            elif record.kind == kinds["NOTE"] and note_kind(record) in (NOTE_CALL, NOTE_RETURN, NOTE_SIGNAL, NOTE_EXIT):
                track = self._track(record.context)
                track.pid, track.tid = record.b >> 32, record.b & 0xffffffff
            elif record.kind == kinds["NOTE"] and note_kind(record) == NOTE_NAME:
                name = (record.a.to_bytes(8, "little") + record.b.to_bytes(8, "little")).split(b"\0")[0]
                self.process_names[self._track(record.context).pid] = name.decode(errors="replace")
        pid_of_env = {}
        for context, track in self.tracks.items():
            if track.pid:
                pid_of_env[self.env_of.get(context)] = track.pid
        for context, env in self.env_of.items():
            track = self._track(context)
            if not track.pid:
                track.pid = pid_of_env.get(env) or SERVER_PID + env
                track.tid = context
                self.process_names.setdefault(track.pid, self.recording.names.get(env) or f"environment {env}")
        for track in self.tracks.values():
            if not track.pid:  # it never ran as far as we know
                track.pid, track.tid = SERVER_PID, track.context
                self.process_names.setdefault(track.pid, "others")

    def _track(self, context):
        if context not in self.tracks:
            self.tracks[context] = Track(context)
        return self.tracks[context]

    def name_of(self, context):
        track = self._track(context)
        name = self.process_names.get(track.pid, "process")
        return name if track.pid >= SERVER_PID else f"{name}[{track.tid}]"

    # ---- events -----------------------------------------------------------------------------------------------------

    def _put(self, phase, ns, pid, tid, **more):
        event = {"ph": phase, "ts": ns / 1000, "pid": pid, "tid": tid}
        event.update(more)
        self.events.append(event)

    def _begin(self, track, record, kind, key, name, **arguments):
        track.open.append((kind, key))
        self._put("B", record.ns, track.pid, track.tid, name=name, cat=kind, args=arguments)

    def _end_slice(self, track, ns, kind, key=None, **arguments):
        """Ends the innermost slice of the kind, and whatever was left open within it; False: there is none."""
        depth = next((at for at in range(len(track.open) - 1, -1, -1) if track.open[at][0] == kind and key in (None, track.open[at][1])), None)
        if depth is None:
            return False
        while len(track.open) > depth:
            track.open.pop()
            last = len(track.open) == depth
            self._put("E", ns, track.pid, track.tid, **({"args": arguments} if last and arguments else {}))
        return True

    def _instant(self, record, track, name, **arguments):
        self._put("i", record.ns, track.pid, track.tid, name=name, s="t", cat="event", args=arguments)

    def _resume(self, track, ns):
        """Who runs has come back from the kernel call that it slept in, with an answer or a message or without."""
        flow = self.flows.get(track.context)
        if flow and flow[1]:
            self._put("f", ns, track.pid, track.tid, name="ipc", cat="ipc", id=flow[0], bp="e")
            del self.flows[track.context]
        if track.sleeps:
            track.sleeps = False
            self._end_slice(track, ns, "kernel")
        if isinstance(track.serves, tuple):
            caller, flow = track.serves
            track.serves = None
            track.open.append(("serve", caller))
            self._put("B", ns, track.pid, track.tid, name=f"serves {self.name_of(caller)}", cat="serve", args={})
            if flow and self.flows.get(caller, [0])[0] == flow:  # it still waits
                self._put("t", ns, track.pid, track.tid, name="ipc", cat="ipc", id=flow)

    def _leave_cpu(self, cpu, ns, why):
        context = self.running.pop(cpu, None)
        if context is not None:
            self._put("E", ns, CPUS_PID, cpu, args={"then": why})

    def _enter_cpu(self, cpu, ns, context):
        self.running[cpu] = self.last[cpu] = context
        self._put("B", ns, CPUS_PID, cpu, name=self.name_of(context), cat="cpu", args={"context": context})

    def _of_runner(self, record):
        """The track of who makes the record: it runs, also where nothing has said so."""
        track = self._track(record.context)
        if self.running.get(record.cpu) != record.context:
            since = self.woke.get(record.cpu, record.ns) if self.last.get(record.cpu) == record.context else record.ns
            self._leave_cpu(record.cpu, record.ns, "")
            self._enter_cpu(record.cpu, since, record.context)
        self.woke.pop(record.cpu, None)
        self._resume(track, record.ns)
        return track

    # ---- the kinds --------------------------------------------------------------------------------------------------

    def _unknown(self, record):
        pass

    def _switch(self, record):
        self.woke.pop(record.cpu, None)
        self._leave_cpu(record.cpu, record.ns, STATES[record.detail] if record.detail < len(STATES) else "")
        self._enter_cpu(record.cpu, record.ns, record.context)
        self._resume(self._track(record.context), record.ns)

    def _idle(self, record):
        self.woke.pop(record.cpu, None)
        self._leave_cpu(record.cpu, record.ns, "idle")

    def _awake(self, record):
        self.woke[record.cpu] = record.ns

    def _call(self, record):
        track = self._of_runner(record)
        name = self.names.kernel_calls.get(record.detail, f"call {record.detail}")
        if name in RECEIVING:
            self._end_slice(track, record.ns, "serve")
        self._begin(track, record, "kernel", record.detail, name, a=hex(record.a), b=hex(record.b))
        if name == "cap_revoke":
            self._instant(record, track, "revocation", handle=hex(record.a))

    def _return(self, record):
        track = self._of_runner(record) if record.b == READY else self._track(record.context)
        if record.b == READY:
            self._end_slice(track, record.ns, "kernel", record.detail, result=signed(record.a))
            self._resume(track, record.ns)  # a message was there
        else:
            track.sleeps = any(kind == "kernel" for kind, _ in track.open)

    def _fault(self, record):
        track = self._of_runner(record)
        self._instant(record, track, VECTORS.get(record.detail, f"exception {record.detail}"), address=hex(record.a), instruction=hex(record.b))

    def _upcall(self, record):
        track = self._track(record.context)
        self._instant(record, track, f"upcall: {VECTORS.get(record.detail, record.detail)}", address=hex(record.a))

    def _interrupt(self, record):
        self._put("i", record.ns, CPUS_PID, record.cpu, name=VECTORS.get(record.detail, f"interrupt {record.detail}"), s="t", cat="interrupt",
                  args={"instruction": hex(record.a)})

    def _ipc_call(self, record):
        track = self._of_runner(record)
        if record.detail == 2:  # sends: nobody answers
            self._instant(record, track, "send", badge=hex(record.b))
            return
        self.flow_number += 1
        self.flows[record.context] = [self.flow_number, False]
        self._put("s", record.ns, track.pid, track.tid, name="ipc", cat="ipc", id=self.flow_number)

    def _ipc_receive(self, record):
        flow = None if record.detail else self.flows.get(record.a & 0xffffffff)
        track = self._track(record.context)
        track.serves = (record.a & 0xffffffff, flow[0] if flow else 0)

    def _ipc_reply(self, record):
        track = self._of_runner(record)
        caller = record.a & 0xffffffff
        flow = self.flows.get(caller)
        self._end_slice(track, record.ns, "serve", caller)
        if flow:
            self._put("t", record.ns, track.pid, track.tid, name="ipc", cat="ipc", id=flow[0])
            flow[1] = True

    def _of_env(self, record, what):
        name = next((self.name_of(context) for context, env in self.env_of.items() if env == record.a), f"environment {record.a}")
        self._put("i", record.ns, CPUS_PID, record.cpu, name=f"{what}: {name}", s="g", cat="revocation", args={"what": hex(record.b)})

    def _demand(self, record):
        self._of_env(record, "asked back")

    def _taken(self, record):
        self._of_env(record, "taken")

    def _gas(self, record):
        self._put("C", record.ns, CPUS_PID, 0, name=f"gas of {self.recording.names.get(record.a) or f'account {record.a}'}", args={"used": record.b})

    def _sample(self, record):
        pass

    _stack = _sample

    def _note(self, record):
        track = self._of_runner(record)
        number = note_number(record)
        kind = note_kind(record)
        if kind == NOTE_CALL:
            while any(open_kind == "syscall" for open_kind, _ in track.open):  # one that does not return
                self._end_slice(track, record.ns, "syscall")
            self._begin(track, record, "syscall", number, self.names.calls.get(number, f"call {number}"), first=hex(record.a))
        elif kind == NOTE_RETURN:
            self._end_slice(track, record.ns, "syscall", number, result=signed(record.a))
        elif kind == NOTE_SIGNAL:
            self._instant(record, track, f"signal {record.a}")
        elif kind == NOTE_EXIT:
            self._instant(record, track, "exit", status=record.a)

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _end(self):
        """What is open ends with the recording; arrows that lead nowhere go; tracks get their names."""
        last = self.recording.records[-1].ns if self.recording.records else 0
        for track in self.tracks.values():
            while track.open:
                track.open.pop()
                self._put("E", last, track.pid, track.tid)
        for cpu in list(self.running):
            self._leave_cpu(cpu, last, "")
        ended = {event["id"] for event in self.events if event["ph"] == "f"}
        self.events = [event for event in self.events if event["ph"] not in "st" or event["id"] in ended]
        self.events.sort(key=lambda event: event["ts"])  # stable: who goes on after a sleep is known only later
        named = [{"ph": "M", "pid": CPUS_PID, "tid": 0, "name": "process_name", "args": {"name": "CPUs"}}]
        for cpu, lost in enumerate(self.recording.lost):
            text = f"CPU {cpu}" + (f" ({lost} older records are lost)" if lost else "")
            named.append({"ph": "M", "pid": CPUS_PID, "tid": cpu, "name": "thread_name", "args": {"name": text}})
        for pid in sorted({track.pid for track in self.tracks.values()}):
            named.append({"ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": {"name": self.process_names.get(pid, "process")}})
        for track in self.tracks.values():
            named.append({"ph": "M", "pid": track.pid, "tid": track.tid, "name": "thread_name", "args": {"name": self.name_of(track.context)}})
        self.events = named + self.events
