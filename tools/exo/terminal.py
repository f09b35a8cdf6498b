"""This side's terminal while a guest uses it: raw, and put back whatever happens.

A guardian process holds the old settings. It puts them back when this process ends without having done so, for example by
SIGKILL.
"""

import fcntl
import os
import signal
import struct
import termios

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6


def raw_settings(settings):
    """Every byte goes through as it is, both ways (termios(3), cfmakeraw)."""
    raw = [field[:] if isinstance(field, list) else field for field in settings]
    raw[_IFLAG] &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
                     | termios.ICRNL | termios.IXON)
    raw[_OFLAG] &= ~termios.OPOST
    raw[_CFLAG] = raw[_CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    raw[_LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    raw[_CC][termios.VMIN] = 1
    raw[_CC][termios.VTIME] = 0
    return raw


def size(descriptor):
    """(rows, columns, xpixel, ypixel) of a terminal; zeros when it has none."""
    try:
        return struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return 0, 0, 0, 0


class RawTerminal:
    """`with RawTerminal(fd):` the terminal is raw inside."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def __enter__(self):
        self.saved = termios.tcgetattr(self.descriptor)
        self.guardian, self.pipe = self._start_guardian()
        self.raw()
        return self

    def raw(self):
        termios.tcsetattr(self.descriptor, termios.TCSADRAIN, raw_settings(self.saved))

    def __exit__(self, *_):
        self.restore()
        os.write(self.pipe, b".")
        os.close(self.pipe)
        os.waitpid(self.guardian, 0)

    def restore(self):
        termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self.saved)

    def _start_guardian(self):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child:
            os.close(read_end)
            return child, write_end
        try:
            os.setsid()  # without a controlling terminal no job control stands in the way of tcsetattr
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)
            terminal = os.dup2(self.descriptor, 3 if read_end != 3 else 4)
            for descriptor in range(256):
                if descriptor not in (terminal, read_end):
                    try:
                        os.close(descriptor)
                    except OSError:
                        pass
            if not os.read(read_end, 1):
                termios.tcsetattr(terminal, termios.TCSANOW, self.saved)
        finally:
            os._exit(0)
