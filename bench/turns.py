"""Guests that take turns of a fraction of a second, so that each meets what a shared host does to its pace.

Only one runs at a time, and none begins a case before all others have done the last one. A guest is stopped through QMP, which stops its
clocks, too: what it measures leaves the others' turns out.
"""

import json
import os
import select
import socket
import time

from exo.errors import ExoError

TURN_S = 0.25
START_LIMIT_S = 60


class Player:
    """A guest in a game of turns: its QEMU process, and what it has printed so far."""

    def __init__(self, system, folder, text):
        self.system, self.out, self.ended = system, b"", False
        self.path = os.path.join(folder, f"qmp-{system.name.replace(' ', '-')}")
        self.process = system.start(text, ["-S", "-qmp", f"unix:{self.path},server=on,wait=off"])
        self.monitor = None

    def connect(self):
        deadline = time.monotonic() + START_LIMIT_S
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        while True:
            try:
                link.connect(self.path)
                break
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    link.close()
                    raise ExoError(f"{self.system.name}: QEMU did not start", self.finish_text()[-300:]) from None
                time.sleep(0.02)
        self.monitor = link.makefile("rwb", buffering=0)
        link.close()  # the file keeps it
        self.monitor.readline()  # QEMU's greeting
        self.say("qmp_capabilities")

    def say(self, command):
        """Whether QEMU, which may have ended, answered."""
        try:
            self.monitor.write(json.dumps({"execute": command}).encode() + b"\n")
            return any("return" in json.loads(line) for line in iter(self.monitor.readline, b""))
        except (OSError, ValueError):
            return False

    def turn(self, cases):
        """Runs for TURN_S, or until it ends or has printed a case more; `cases` counts them in a text."""
        before, deadline = cases(self.text()), time.monotonic() + TURN_S
        self.say("cont")
        while not self.ended and cases(self.text()) == before and (left := deadline - time.monotonic()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                self.out += data
                self.ended = not data
        if not self.ended:
            self.say("stop")

    def text(self):
        return self.out.decode(errors="replace")

    def finish_text(self):
        """What it printed, checked as after a run alone."""
        rest, err = self.process.communicate()
        return self.system.said(self.process.returncode, self.out + rest, err)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate()
        if self.monitor:
            self.monitor.close()


def play(systems, folder, text, cases, limit_s):
    """[(system, what the shell text printed)], of a run of it in each of them."""
    players = []
    try:
        for system in systems:
            players.append(Player(system, folder, text))
            players[-1].connect()
        deadline = time.monotonic() + limit_s * len(players)
        while playing := [player for player in players if not player.ended]:
            least = min(cases(player.text()) for player in playing)
            for player in playing:
                if cases(player.text()) == least:
                    player.turn(cases)
            if time.monotonic() > deadline:
                raise ExoError(f"no end after {limit_s} s each: " + ", ".join(player.system.name for player in playing),
                               f"the first printed: {playing[0].text()[-300:]!r}")
        return [(player.system, player.finish_text()) for player in players]
    finally:
        for player in players:
            player.close()
