"""One guest from start to end: QEMU as a child, the link to the guest, this process's standard streams, and the exit status.

Everything happens in one poll loop. Bytes flow only as fast as their receiver takes them: standard input is read when the guest
gave credit, the link is read when standard output and error are not far behind.
"""

import ctypes
import errno
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

from exo import archive, link, machine
from exo.boot_chart import BootChart
from exo.errors import ExoError
from exo.profile import Images
from exo.strace_summary import StraceSummary
from exo.terminal import RawTerminal, size

STATUS_PANIC = 200
STATUS_QEMU = 201
STATUS_TIME = 202
STATUS_GAS = 203

PENDING_MAX = 1 << 20         # bytes that may wait for standard output before the link is no longer read
SERIAL_GATHER_S = 0.0003      # QEMU's serial port writes byte by byte; to wake for each of them would cost more than all else
PIPE_WRITE_BYTES = 4096       # a pipe that polls writable takes a page without blocking
POWER_OFF_TIME_S = 5.0        # from the exit status to QEMU's end
ESCAPE = b"\x1d"              # Ctrl-], three times within a second, ends the guest
PANIC_MARK = b"EXOV6 PANIC"
PR_SET_PDEATHSIG = 1
TAKERS = {link.TELL_CODE: Images, link.STRACE_SUMMARY: StraceSummary, link.BOOT_CHART: BootChart}


class Sink:
    """Standard output or error: what the guest wrote and the reader has not taken yet."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.pending = bytearray()
        self.broken = False
        self.chunk = 1 << 20 if stat.S_ISREG(os.fstat(descriptor).st_mode) else PIPE_WRITE_BYTES

    def put(self, data):
        if not self.broken:
            self.pending += data

    def write(self):
        """Writes a piece; False when nobody reads any more."""
        try:
            count = os.write(self.descriptor, memoryview(self.pending)[:self.chunk])
        except BlockingIOError:
            return True  # somebody else made the descriptor non-blocking, and was faster
        except OSError as error:
            self.broken = True
            self.pending.clear()
            if error.errno not in (errno.EPIPE, errno.EIO):
                print(f"exo: writing standard output: {error.strerror}", file=sys.stderr)
            return False
        del self.pending[:count]
        return True


def open_standard_streams():
    """A closed standard stream must not become QEMU's socket: it gets /dev/null."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


class Session:
    """Runs a guest. `command` is (cwd, arguments, environment), all bytes."""

    def __init__(self, guest_machine, kernel, image, command, flags=0, timeout_s=None, kernel_log=None):
        self.machine = guest_machine
        self.kernel = kernel
        self.image = image  # a path, or pieces (archive.extend_image)
        self.command = command
        self.flags = flags
        self.timeout_s = timeout_s
        self.kernel_log = kernel_log
        self.takers = [taker() for flag, taker in TAKERS.items() if flags & flag]  # of lines that are not for the user
        self.recorded = bytearray()  # what came in TRACE frames
        self.terminals = [os.isatty(descriptor) for descriptor in (0, 1, 2)]
        self.terminal = next((descriptor for descriptor in (1, 2, 0) if self.terminals[descriptor]), None)
        self.raw = None
        self.decoder = link.Decoder()
        self.outbox = bytearray()
        self.credit = 0
        self.input_open = True
        self.exit_status = None      # the guest's wait status
        self.heard = False           # the guest has said something
        self.signals_sent = 0
        self.forced = None           # exit status of this command when it ended the guest itself
        self.escapes = []

    # ---- life -------------------------------------------------------------------------------------------------------

    def run(self):
        """Starts, serves and ends the guest; returns this command's exit status."""
        self.out, self.err = Sink(1), Sink(2)
        self._catch_signals()
        self._start()
        self._say_hello()
        try:
            if self.terminals[0]:
                with RawTerminal(0) as self.raw:
                    self._serve()
                self.raw = None
            else:
                self._serve()
        finally:
            self._kill()
        return self._status()

    def _catch_signals(self):
        self.wake_read, wake_write = socket.socketpair()
        self.wake_read.setblocking(False)
        wake_write.setblocking(False)
        self.wake_write = wake_write
        signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGTSTP, signal.SIGQUIT):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, lambda *_: None)

    def _start(self):
        ours, theirs = socket.socketpair()
        self.link = ours
        ours.setblocking(False)
        keep = [theirs.fileno()]
        self.log_file = tempfile.TemporaryFile() if self.kernel_log is None else open(self.kernel_log, "wb+")
        keep.append(self.log_file.fileno())
        image = self.image
        if not isinstance(image, str):
            descriptor = os.memfd_create("boot.img")
            archive.write_pieces(descriptor, image)
            keep.append(descriptor)
            image = f"/proc/self/fd/{descriptor}"
        line = self.machine.command_line(self.kernel, image, f"/proc/self/fd/{self.log_file.fileno()}", theirs.fileno())
        self.qemu_errors = tempfile.TemporaryFile()
        parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

        def die_with_parent():
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
        try:
            # Its own session: Ctrl-C and Ctrl-Z at our terminal are for us to pass on, not for QEMU.
            self.qemu = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=self.qemu_errors, stderr=self.qemu_errors,
                                         pass_fds=keep, start_new_session=True, preexec_fn=die_with_parent)
        except OSError as error:
            raise ExoError(f"cannot start {line[0]}: {error.strerror}", "./exo doctor names the package that has it",
                           status=STATUS_QEMU) from error
        theirs.close()
        self.started = time.monotonic()
        self.process = os.pidfd_open(self.qemu.pid)

    def _say_hello(self):
        cwd, arguments, environment = self.command
        flags = self.flags
        for terminal, flag in zip(self.terminals, link.TTY):
            flags |= flag if terminal else 0
        rows, columns = size(self.terminal)[:2] if self.terminal is not None else (0, 0)
        self.outbox += link.hello(cwd, arguments, environment, flags, rows, columns)

    def _kill(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()

    # ---- the loop ---------------------------------------------------------------------------------------------------

    def _serve(self):
        deadline = None if self.timeout_s is None else self.started + self.timeout_s
        self.link_open, self.ended = True, False
        while self.link_open or not self.ended or self._unwritten():
            if self.forced is not None and not self._unwritten():
                return
            if self.exit_status is not None and not self._unwritten():
                # All is said and written; what is left is QEMU's end, which has its own limit.
                limit = time.monotonic() + POWER_OFF_TIME_S
                deadline = limit if deadline is None else min(deadline, limit)
            wait_s = None if deadline is None else deadline - time.monotonic()
            if wait_s is not None and wait_s <= 0:
                if self.exit_status is None:
                    self.forced = STATUS_TIME
                return
            self._handle(self._poll(wait_s))

    def _unwritten(self):
        return self.out.pending or self.err.pending

    def _handle(self, ready):
        """One round: whatever is ready."""
        if self.wake_read in ready:
            self._signals()
        for sink in (self.out, self.err):
            if sink.descriptor in ready and sink.pending and not sink.write():
                self._send_signal(signal.SIGPIPE)
        if 0 in ready and self.input_open and self.credit:
            self._read_input()
        if self.link in ready:
            self.link_open = self._serve_link(ready[self.link])
        if self.process in ready:
            self.ended = True

    def _poll(self, wait_s):
        """What is ready: {object: events}."""
        wanted = {self.wake_read.fileno(): (self.wake_read, select.POLLIN)}
        behind = len(self.out.pending) + len(self.err.pending) > PENDING_MAX
        if self.link_open:
            may_speak = self.heard or not self.machine.guest_speaks_first
            events = (0 if behind else select.POLLIN) | (select.POLLOUT if self.outbox and may_speak else 0)
            if events:
                wanted[self.link.fileno()] = (self.link, events)
        if not self.ended:
            wanted[self.process] = (self.process, select.POLLIN)
        for sink in (self.out, self.err):
            if sink.pending:
                wanted[sink.descriptor] = (sink.descriptor, select.POLLOUT)
        if self.input_open and self.credit and self.link_open and len(self.outbox) < link.MAX_BYTES:
            wanted[0] = (0, select.POLLIN)
        poll = select.poll()
        for descriptor, (_, events) in wanted.items():
            poll.register(descriptor, events)
        found = poll.poll(None if wait_s is None else wait_s * 1000 + 1)
        return {wanted[descriptor][0]: events for descriptor, events in found}

    def _read_input(self):
        try:
            data = os.read(0, min(self.credit, link.MAX_BYTES))
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a terminal that hung up
        if not data:
            self.input_open = False
            self.outbox += link.frame(link.INPUT_END)
            return
        if self.raw and self._escaped(data):
            self._abandon(128 + signal.SIGKILL)
            return
        self.credit -= len(data)
        self.outbox += link.frame(link.INPUT, data)

    def _escaped(self, data):
        """Whether Ctrl-] came three times within a second (the way out that systemd-nspawn has too)."""
        now = time.monotonic()
        self.escapes += [now] * data.count(ESCAPE)
        self.escapes = [moment for moment in self.escapes if now - moment < 1.0]
        return len(self.escapes) >= 3

    def _serve_link(self, events):
        """Moves bytes both ways; False when the guest's end is closed."""
        if events & select.POLLOUT and self.outbox:
            try:
                del self.outbox[:self.link.send(self.outbox[:link.MAX_BYTES])]
            except BlockingIOError:
                pass
            except OSError:
                self.outbox.clear()
                self.input_open = False
        if not events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            return True
        if self.machine.sends_single_bytes:
            time.sleep(SERIAL_GATHER_S)
        try:
            data = self.link.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        try:
            for kind, payload in self.decoder.feed(data):
                self._frame(kind, payload)
        except link.LinkError as error:
            print(f"exo: the guest broke the link's protocol: {error}", file=sys.stderr)
            self.forced = STATUS_QEMU
            return False
        return bool(data)

    def _frame(self, kind, payload):
        self.heard = True
        if kind == link.OUTPUT:
            self.out.put(payload)
        elif kind == link.ERROR:
            self.err.put(payload)
        elif kind == link.TERMINAL:
            # Standard output and error are the same terminal where both are one; one queue keeps the order.
            (self.err if self.terminal == 2 else self.out).put(payload) if self.terminal in (1, 2) else self._to_input(payload)
        elif kind == link.LOG:
            for taker in self.takers:
                payload = taker.take(payload, time.monotonic() - self.started)
            self.err.put(payload.replace(b"\n", b"\r\n") if self.raw and self.terminals[2] else payload)
        elif kind == link.TRACE:
            self.recorded += payload
        elif kind == link.CREDIT:
            self.credit += link.number(payload)
        elif kind == link.EXIT:
            self.exit_status = link.number(payload)
            self.input_open = False
        else:
            raise link.LinkError(f"a frame of type {kind!r}")

    @staticmethod
    def _to_input(payload):
        """Only standard input is a terminal: it shows what the guest's terminal shows."""
        try:
            os.write(0, payload)
        except OSError:
            pass

    # ---- signals ----------------------------------------------------------------------------------------------------

    def _signals(self):
        for number in self.wake_read.recv(64):
            if number == signal.SIGWINCH:
                if self.terminal is not None:
                    self.outbox += link.frame(link.WINSIZE, link.window_size(*size(self.terminal)))
            elif number == signal.SIGTSTP:
                self._stop()
            else:
                self._end_by(number)

    def _end_by(self, number):
        """The first signal is the guest program's, when there is one already; the second is meant for the machine."""
        self.signals_sent += 1
        if self.heard and self.signals_sent == 1 and self.exit_status is None:
            self._send_signal(number)
        else:
            self._abandon(128 + number)

    def _abandon(self, status):
        """Ends the guest now; what nobody has read yet is lost."""
        self.forced = status
        self.out.pending.clear()
        self.err.pending.clear()

    def _send_signal(self, number):
        self.outbox += link.frame(link.SIGNAL, link.pack_number(number))

    def _stop(self):
        """Ctrl-Z at our own terminal: the guest's clock stops with us."""
        os.kill(self.qemu.pid, signal.SIGSTOP)
        if self.raw:
            self.raw.restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self.raw:
            self.raw.raw()
        os.kill(self.qemu.pid, signal.SIGCONT)

    # ---- the end ----------------------------------------------------------------------------------------------------

    def log_text(self):
        self.log_file.seek(0)
        return self.log_file.read()

    def _status(self):
        status = self.qemu.returncode
        log = self.log_text()
        if status == machine.PANIC_STATUS or PANIC_MARK in log:
            self._panic(log)
            return STATUS_PANIC
        if self.forced == STATUS_TIME:
            print(f"exo: the time limit of {self.timeout_s:g} s is over\n  --timeout sets it", file=sys.stderr)
        if self.forced is not None:
            return self.forced
        if self.exit_status is None:
            self._failed(status, log)
            return STATUS_QEMU
        if self.exit_status & link.GAS_USED_UP:
            print("exo: the program's gas is used up, and the run was ended\n  --gas sets how much there is; --gas-summary prints what is used",
                  file=sys.stderr)
            return STATUS_GAS
        if os.WIFSIGNALED(self.exit_status):
            return 128 + os.WTERMSIG(self.exit_status)
        return os.WEXITSTATUS(self.exit_status)

    @staticmethod
    def _panic(log):
        at = max(0, log.find(PANIC_MARK))
        sys.stderr.write("exo: the kernel panicked\n" + log[at:].decode(errors="replace").replace("\r", "").rstrip() + "\n")

    def _failed(self, status, log):
        self.qemu_errors.seek(0)
        said = self.qemu_errors.read().decode(errors="replace").strip()
        if said:
            sys.stderr.write(said + "\n")
        last = log.decode(errors="replace").replace("\r", "").strip().splitlines()[-12:]
        if last:
            sys.stderr.write("".join(f"  | {line}\n" for line in last))
        how = f"signal {-status}" if status < 0 else f"status {status}"
        print(f"exo: the guest ended without an exit status of its program (QEMU: {how})\n"
              "  --kernel-log FILE keeps the kernel's messages; --dry-run prints the QEMU line", file=sys.stderr)
