"""The link's frames, as libos/posix/proto/link.h defines them."""

import struct

MAX_BYTES = 65536
VERSION = 1

HELLO, HELLO_MORE, INPUT, INPUT_END, WINSIZE, SIGNAL = b"H", b"h", b"I", b"E", b"W", b"S"
OUTPUT, ERROR, TERMINAL, CREDIT, LOG, TRACE, EXIT = b"O", b"R", b"T", b"C", b"L", b"D", b"X"
FROM_GUEST = (OUTPUT, ERROR, TERMINAL, CREDIT, LOG, TRACE, EXIT)

TTY = (1, 2, 4)  # flags: standard input, output, error is a terminal
STRACE = 8
MISSING = 16
NO_REWRITE = 32
BOOT_CHART = 64
STRACE_SUMMARY = 128
NOTE_CALLS = 0x10000
TELL_CODE = 0x20000
GAS_USED_UP = 0x10000  # in EXIT's status: libos/posix/proto/proctab.h, PX_STATUS_GAS
ZONE_SHIFT = 8  # label + 1 of a zone for the command

_HEADER = struct.Struct("<c3xI")
_HELLO = struct.Struct("<IIIHHII")


class LinkError(Exception):
    """The other side sent what no frame looks like."""


def frame(kind, payload=b""):
    return _HEADER.pack(kind, len(payload)) + payload


def frames(kind, data):
    """As many frames as the data needs."""
    return b"".join(frame(kind, data[at:at + MAX_BYTES]) for at in range(0, len(data), MAX_BYTES))


def hello(cwd, arguments, environment, flags, rows, columns):
    """The first frames: what to run and how."""
    strings = b"".join(text + b"\0" for text in (cwd, *arguments, *environment))
    header = _HELLO.pack(VERSION, _HELLO.size + len(strings), flags, rows, columns, len(arguments), len(environment))
    payload = header + strings
    return frame(HELLO, payload[:MAX_BYTES]) + frames(HELLO_MORE, payload[MAX_BYTES:])


def parse_hello(payload):
    """(cwd, arguments, environment, flags, rows, columns): the other direction, for tests."""
    version, total, flags, rows, columns, argc, envc = _HELLO.unpack_from(payload)
    strings = payload[_HELLO.size:total].split(b"\0")[:-1]
    if version != VERSION or total != len(payload) or len(strings) != 1 + argc + envc:
        raise LinkError("malformed hello")
    return strings[0], strings[1:1 + argc], strings[1 + argc:], flags, rows, columns


def number(payload):
    """A payload that is one u32."""
    if len(payload) != 4:
        raise LinkError(f"a number of {len(payload)} bytes")
    return struct.unpack("<I", payload)[0]


def pack_number(value):
    return struct.pack("<I", value)


def window_size(rows, columns, xpixel, ypixel):
    return struct.pack("<HHHH", rows, columns, xpixel, ypixel)


class Decoder:
    """Cuts a byte stream into frames."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        """Yields (kind, payload) for each frame that is complete now."""
        self.buffer += data
        at = 0
        while len(self.buffer) - at >= _HEADER.size:
            kind, size = _HEADER.unpack_from(self.buffer, at)
            if size > MAX_BYTES or self.buffer[at + 1:at + 4] != b"\0\0\0":
                raise LinkError(f"no frame starts like this: {bytes(self.buffer[at:at + 16]).hex(' ')}")
            if len(self.buffer) - at < _HEADER.size + size:
                break
            at += _HEADER.size
            payload = bytes(self.buffer[at:at + size])
            at += size
            yield kind, payload
        del self.buffer[:at]
