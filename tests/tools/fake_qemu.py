#!/usr/bin/python3
"""Stands in for QEMU in the tests of ./exo: speaks the guest's side of the link and runs the command on this machine.

FAKE_GUEST says how it misbehaves: panic, crash (ends without a word), hang, garbage (no frames), silent-exit (power-off
without a status), late-panic (after the exit status), deaf (gives no credit), quiet-hang (says nothing), linger (no power-off).
"""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from exo import link  # noqa: E402

WINDOW = 1 << 16


def power_off(code):
    os._exit(code << 1 | 1)


class Guest:
    def __init__(self, peer, log):
        self.peer = peer
        self.log = log
        self.decoder = link.Decoder()
        self.queue = []
        self.mode = os.environ.get("FAKE_GUEST", "")

    def receive(self):
        """The next frame, or None at the end."""
        while not self.queue:
            data = self.peer.recv(1 << 16)
            if not data:
                return None
            self.queue += self.decoder.feed(data)
        return self.queue.pop(0)

    def hello(self):
        kind, payload = self.receive()
        assert kind == link.HELLO
        total = int.from_bytes(payload[4:8], "little")
        while len(payload) < total:
            kind, more = self.receive()
            assert kind == link.HELLO_MORE
            payload += more
        return link.parse_hello(payload)

    def misbehave(self):
        if self.mode == "panic":
            self.log.write(b"booting\nEXOV6 PANIC: page fault in ring 0\n  at k_null+0x10\n")
            self.log.flush()
            power_off(0x64)
        if self.mode == "crash":
            print("fake: device model abort", file=sys.stderr, flush=True)
            os._exit(1)
        if self.mode == "silent-exit":
            self.log.write(b"last words\n")
            self.log.flush()
            power_off(0x10)
        if self.mode == "garbage":
            self.peer.send(b"this is no frame at all")
            time.sleep(60)
        if self.mode == "quiet-hang":
            time.sleep(60)
        if self.mode == "hang":
            self.peer.send(link.frame(link.CREDIT, link.pack_number(WINDOW)))
            time.sleep(60)

    def run(self):
        cwd, arguments, environment, flags, rows, columns = self.hello()
        self.misbehave()
        if arguments[0] == b"fake-hello":
            self.answer_hello(cwd, arguments, environment, flags, rows, columns)
        try:
            self.child = subprocess.Popen(arguments, cwd=cwd, env=dict(item.split(b"=", 1) for item in environment),
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          start_new_session=True)
        except FileNotFoundError:
            self.end(127 << 8)
        self.serve()
        status = self.child.wait()
        self.end(-status if status < 0 else status << 8)

    def answer_hello(self, cwd, arguments, environment, flags, rows, columns):
        text = repr((cwd, arguments, sorted(environment), flags, rows, columns)).encode()
        self.peer.sendall(link.frames(link.TERMINAL if flags & 2 else link.OUTPUT, text))
        if len(arguments) > 1 and arguments[1] == b"winsize":
            self.peer.sendall(link.frame(link.CREDIT, link.pack_number(WINDOW)))
            kind, payload = self.receive()
            self.peer.sendall(link.frame(link.TERMINAL, kind + payload.hex().encode()))
        if len(arguments) > 1 and arguments[1] == b"keys":
            self.peer.sendall(link.frame(link.CREDIT, link.pack_number(WINDOW)))
            while True:
                kind, payload = self.receive()
                if b"q" in payload:
                    break
                self.peer.sendall(link.frame(link.TERMINAL, payload.hex().encode() + b" "))
        self.end(0)

    def serve(self):
        """Pumps until both output streams end."""
        out, err = self.child.stdout.fileno(), self.child.stderr.fileno()
        streams = {out: link.OUTPUT, err: link.ERROR}
        granted = 0
        if self.mode != "deaf":
            self.peer.sendall(link.frame(link.CREDIT, link.pack_number(WINDOW)))
            granted = WINDOW
        pending, ended = bytearray(), False
        while streams:
            readers = [*streams, *([] if len(pending) > WINDOW else [self.peer])]
            writers = [self.child.stdin] if pending else []
            readable, writable, _ = select.select(readers, writers, [])
            for stream in [stream for stream in readable if stream in streams]:
                data = os.read(stream, 50000)
                if data:
                    self.peer.sendall(link.frame(streams[stream], data))
                else:
                    del streams[stream]
            if writable:
                pending, granted = self.feed(pending, granted)
            if self.peer in readable:
                for kind, payload in self.decoder.feed(self.peer.recv(1 << 16)):
                    if kind == link.INPUT:
                        granted -= len(payload)
                        assert granted >= 0, "more input than there was credit for"
                        pending += payload
                    elif kind == link.INPUT_END:
                        ended = True
                    elif kind == link.SIGNAL:
                        self.child.send_signal(link.number(payload))
            if ended and not pending and self.child.stdin:
                self.child.stdin.close()
                self.child.stdin = None

    def feed(self, pending, granted):
        try:
            count = os.write(self.child.stdin.fileno(), pending[:4096])
        except BrokenPipeError:
            count = len(pending)
        self.peer.sendall(link.frame(link.CREDIT, link.pack_number(count)))
        return pending[count:], granted + count

    def end(self, status):
        self.peer.sendall(link.frame(link.LOG, b"fake: done\n") if self.mode == "log" else b"")
        self.peer.sendall(link.frame(link.EXIT, link.pack_number(status)))
        if self.mode == "late-panic":
            self.log.write(b"EXOV6 PANIC: while powering off\n")
            self.log.flush()
            power_off(0x64)
        if self.mode == "linger":
            time.sleep(60)
        power_off(0x10)


def main():
    line = " ".join(sys.argv)
    descriptor = int(re.search(r"id=link,fd=(\d+)", line)[1])
    log = open(re.search(r"id=log,path=(\S+)", line)[1], "wb")
    if os.environ.get("FAKE_IMAGE"):
        image = sys.argv[sys.argv.index("-initrd") + 1]
        with open(image, "rb") as source, open(os.environ["FAKE_IMAGE"], "wb") as target:
            target.write(source.read())
    if os.environ.get("FAKE_PID"):
        with open(os.environ["FAKE_PID"], "w") as file:
            file.write(str(os.getpid()))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    Guest(socket.socket(fileno=descriptor), log).run()


if __name__ == "__main__":
    main()
