"""A person at the terminal: keys, job control, editors and pagers, resizing. What a key does is waited for, never timed."""

import hashlib
import random
import re

from exo.testing import FOREGROUND_JOB

PROMPT = rb"P#> (\x1b\[6n)?"
MARK = b"up-and-running"
# Says so, then runs on: by then the shell has given it the terminal.
UNTIL_STOPPED = "until grep -q '^State:.T' /proc/$!/status; do :; done; "
READY = "sh -c 'echo up-and-$0; exec \"$@\"' running "


class Shell:
    """A shell of the guest at its prompt."""

    def __init__(self, t, *words, rows=24, columns=80, env=()):
        options = ["-e", "PS1=P#> ", "-e", "TERM=xterm", "-e", "HISTFILE="]
        options += ["-e", f"JOB={FOREGROUND_JOB}"]
        for one in env:
            options += ["-e", one]
        self.terminal = t.guest_terminal(*words, options=options, timeout=90, rows=rows, columns=columns)
        self.expect, self.send, self.resize = self.terminal.expect, self.terminal.send, self.terminal.resize
        self.expect(PROMPT)

    def run(self, line, shows=b""):
        """Types a line, waits for what it shows and for the next prompt."""
        self.send(line + "\r")
        return self.expect(shows + b".*?" + PROMPT)

    def start(self, line):
        """Types a line whose program stays in the foreground, and waits until it runs."""
        self.send(READY + line + "\r")
        self.expect(MARK + rb"\r\n")

    def prompt(self):
        self.expect(PROMPT)

    def start_job(self):
        """Starts a job that says when keys are its own."""
        self.send("busybox sh -c \"$JOB\"\r")
        self.expect(rb"front2\r\n")

    def to_the_background(self):
        self.send("bg\r")
        self.expect(rb"behind2\r\n.*" + PROMPT + b"|" + PROMPT + rb".*behind2\r\n")

    def to_the_foreground(self):
        self.send("fg\r")
        self.expect(rb"front2\r\n")

    def leave(self, t, status=0):
        self.send(f"exit {status}\r")
        t.equal(self.terminal.wait(), status, "exit status")


def busybox(t, **more):
    return Shell(t, "busybox", "sh", "-i", **more)


def line_editing(t):
    """The line discipline's own: erase, word erase, kill, reprint, literal next, end of file."""
    sh = busybox(t)
    sh.start("cat")
    for typed, shown in ((b"abc\x7fd\r", b"abd"), (b"one two\x17three\r", b"one three"), (b"gone\x15kept\r", b"kept"),
                         (b"\x16\x03x\r", b"\x03x"), (b"ab\x12c\r", b"abc"), (b"\xc3\xa9\xc3\xa8\x7f!\r", b"\xc3\xa9!")):
        sh.send(typed)
        sh.expect(rb"\r\n" + re.escape(shown) + rb"\r\n")
    sh.send(b"\x04")
    sh.prompt()
    sh.leave(t, 3)


def end_of_file_ends_the_shell(t):
    sh = busybox(t)
    sh.send(b"\x04")
    t.equal(sh.terminal.wait(), 0, "exit status")


def interrupt_sleeping(t):
    sh = busybox(t)
    sh.start("sleep 1000")
    sh.send(b"\x03")
    sh.prompt()
    sh.run("echo $?", b"130")
    sh.leave(t)


def interrupt_spinning(t):
    sh = busybox(t)
    sh.start("sh -c 'while :; do :; done'")
    sh.send(b"\x03")
    sh.prompt()
    sh.start("sh -c 'yes >/dev/null'")
    sh.send(b"\x03")
    sh.prompt()
    sh.leave(t)


def interrupt_a_flood(t):
    sh = busybox(t)
    sh.send("yes\r")
    sh.expect(rb"(y\r\n){1000}")
    sh.send(b"\x03")
    sh.expect(rb"\^C.*" + PROMPT)
    sh.leave(t)


def quit_key(t):
    sh = busybox(t)
    sh.send("yes\r")  # a shell ignores this signal until it has executed something else
    sh.expect(rb"y\r\ny\r\n")
    sh.send(b"\x1c")
    sh.expect(rb"\^\\.*" + PROMPT)
    sh.run("echo $?", b"131")
    sh.leave(t)


def stop_and_go_on(t):
    sh = busybox(t)
    sh.start_job()
    sh.send(b"\x1a")
    sh.expect(rb"Stopped")
    sh.prompt()
    sh.run("jobs", rb"\[1\]\+  Stopped")
    sh.to_the_background()
    sh.run("jobs", rb"Running")
    sh.to_the_foreground()
    sh.send(b"\x1a")
    sh.expect(rb"Stopped")
    sh.prompt()
    sh.run("kill -9 %1; fg; echo gone", rb"\ngone")
    sh.leave(t)


def reading_in_the_background(t):
    sh = busybox(t)
    sh.run("cat &")
    sh.run(UNTIL_STOPPED + "jobs", rb"Stopped \(tty input\)")
    sh.send("fg\r")
    sh.expect(rb"fg\r\ncat\r\n")
    sh.send("hello\r")
    sh.expect(rb"hello\r\nhello\r\n")
    sh.send(b"\x04")
    sh.prompt()
    sh.leave(t)


def writing_in_the_background(t):
    sh = busybox(t)
    sh.run("sh -c 'echo free' & wait", rb"free\r\n")
    sh.run("stty tostop")
    sh.run("sh -c 'echo held' &")
    sh.run(UNTIL_STOPPED + "jobs", rb"Stopped \(tty output\)")
    sh.send("fg\r")
    sh.expect(rb"\r\nheld\r\n")
    sh.prompt()
    sh.leave(t)


def stopping_output(t):
    sh = busybox(t)
    sh.start("cat")
    sh.send(b"\x13abc\r")
    sh.send(b"\x11")
    sh.expect(rb"abc\r\nabc\r\n")
    sh.send(b"\x04")
    sh.prompt()
    sh.leave(t)


def settings(t):
    sh = busybox(t)
    shown = sh.run("stty -a", rb"speed 38400 baud; rows 24; columns 80").group(0)
    t.check(b" icanon " in shown and b" echo " in shown and b"intr = ^C" in shown, shown)
    sh.run("stty -echo")
    sh.send("echo un''seen\r")
    t.check(b"echo" not in sh.expect(rb"unseen\r\n").group(0), "it was echoed")
    sh.prompt()
    sh.send("stty sane; tty\r")
    sh.expect(rb"/dev/console\r\n")
    sh.prompt()
    sh.run("stty rows 33 columns 44; stty size", rb"33 44")
    sh.leave(t)


def resize(t):
    sh = busybox(t, rows=20, columns=70)
    sh.run("stty size", rb"20 70")
    sh.send("sh -c 'trap \"stty size; exit\" WINCH; echo up-and-$0; while :; do sleep 1; done' running\r")
    sh.expect(MARK)
    sh.resize(41, 102)
    sh.expect(rb"41 102\r\n")
    sh.prompt()
    sh.leave(t)


def vi(t):
    sh = busybox(t)
    sh.send("vi /tmp/file\r")
    sh.expect(rb"/tmp/file")
    sh.send("ihello world")
    sh.expect(rb"world")
    sh.send(b"\x1b")
    sh.expect(rb"- /tmp/file")
    sh.resize(40, 100)
    sh.expect(rb"\x1b\[40;")
    sh.send("0xi*")
    sh.expect(rb"\*")
    sh.send(b"\x1b")
    sh.expect(rb"- /tmp/file")
    sh.send(":wq\r")
    sh.prompt()
    sh.run("cat /tmp/file", rb"\*ello world\r\n")
    sh.run("stty size", rb"40 100")
    sh.leave(t)


def top(t):
    """exo top draws itself anew, sorts as it is told, and leaves the terminal as it was."""
    sh = busybox(t)
    sh.send("exo top -d 1000\r")
    sh.expect(rb"exo top: up .*NAME.*q: end")
    sh.send("m")
    sh.expect(rb"\x1b\[Hexo top: up .* NAME\x1b\[K\r\n +- S .* fs\x1b\[K.*q: end")  # who has most memory comes first
    sh.send(" ")
    sh.expect(rb"\x1b\[Hexo top: up .*q: end")
    sh.send("q")
    sh.expect(rb"\x1b\[\?25h\r\n" + PROMPT)
    sh.run("echo e''cho", rb"echo e''cho\r\necho\r\n")
    sh.send("exo top -d 1000\r")
    sh.expect(rb"q: end")
    sh.send("\x03")
    sh.expect(rb"\x1b\[\?25h\r\n" + PROMPT)
    sh.leave(t)


def less(t):
    sh = busybox(t)
    sh.send("seq 1000 | less\r")
    sh.expect(rb"22\r\n.*23\r\n")
    sh.send(" ")
    sh.expect(rb"46\r\n")
    for key, column in (("/", 2), ("7", 3), ("7", 4)):  # each is taken before the next: what is typed while less draws goes into its line
        sh.send(key)
        sh.expect(rb"\x1b\[24;%dH" % column)
    sh.send("\r")
    sh.expect(rb"98\r\n.*99")
    sh.send("G")
    sh.expect(rb"1000")
    sh.send("q")
    sh.prompt()
    sh.leave(t)


def paste(t):
    """More than any buffer holds, into a program that reads slowly, line by line and raw."""
    sh = busybox(t)
    sh.send("stty -echo; echo up-and-$((1+1)); wc; stty echo\r")
    sh.expect(b"up-and-2\r\n")
    for _ in range(300):
        sh.send("x" * 1000 + "\r")
    sh.send(b"\x04")
    sh.expect(rb"300 +300 +300300\r\n")
    sh.prompt()
    data = random.Random(t.seed).randbytes(100_000).replace(b"\x1d", b"-")  # Ctrl-] is for ./exo itself
    sh.send("stty raw -echo; echo up-and-$((1+2)); head -c 100000 | md5sum; stty sane\r")
    sh.expect(b"up-and-3")
    for at in range(0, len(data), 1000):
        sh.send(data[at:at + 1000])
    sh.expect(hashlib.md5(data).hexdigest().encode())
    sh.prompt()
    sh.leave(t)


def reads_with_time_limits(t):
    """bash's read -t, -n and -s: VMIN, VTIME and poll."""
    sh = Shell(t, "bash", "--norc", "-i")
    sh.run("read -t 0.2 x; echo status=$?", rb"status=142")
    sh.send("read -s -n 3 x; echo got=$x\r")
    sh.expect(rb"got=\$x\r\n")
    sh.send("qwe")
    sh.expect(rb"got=qwe\r\n")
    sh.prompt()
    sh.leave(t)


def bash(t):
    sh = Shell(t, "bash", "--norc", "-i")
    sh.start_job()
    sh.send(b"\x1a")
    sh.expect(rb"Stopped")
    sh.prompt()
    sh.run("jobs", rb"\[1\]\+  Stopped")
    sh.to_the_background()
    sh.to_the_foreground()
    sh.send(b"\x03")
    sh.prompt()
    sh.run("echo $?", b"130")
    sh.send("echo up-and-$((2 + 2)); cat | cat | cat\r")
    sh.expect(b"up-and-4\r\n")
    sh.send("through\r")
    sh.expect(rb"through\r\nthrough\r\n")
    sh.send(b"\x03")
    sh.prompt()
    sh.run("trap 'echo caught' USR1; kill -USR1 $$", rb"caught")
    sh.resize(50, 120)
    sh.run("/bin/true; echo $LINES x $COLUMNS", rb"50 x 120")
    sh.leave(t, 7)


def korn_shells(t):
    for name in ("lksh", "mksh"):
        sh = Shell(t, name, "-i")
        sh.run("echo $((6 * 7))", rb"42")
        sh.start("sleep 1000")
        sh.send(b"\x03")
        sh.prompt()
        sh.start("sleep 1000")
        sh.send(b"\x1a")
        sh.expect(rb"Stopped|Suspended")
        sh.prompt()
        sh.run("kill -9 %1; wait; echo done", rb"\ndone")
        sh.leave(t, 4)


def zsh(t):
    sh = Shell(t, "zsh-static", "-f", "-i")
    sh.send("echo $((6 * 7))\r")
    sh.expect(rb"\n42\r\n")
    sh.prompt()
    sh.start_job()
    sh.send(b"\x1a")
    sh.expect(rb"suspended")
    sh.prompt()
    sh.to_the_background()
    sh.to_the_foreground()
    sh.send(b"\x03")
    sh.prompt()
    sh.leave(t, 5)


def much_output(t):
    sh = busybox(t)
    sh.send("seq 20000\r")
    sh.expect(rb"\r\n20000\r\n")
    t.check(b"".join(b"%d\r\n" % n for n in range(1, 20001)) in sh.terminal.seen, "lines are missing or out of order")
    sh.leave(t)


def cases(t):
    for case in (line_editing, end_of_file_ends_the_shell, interrupt_sleeping, interrupt_spinning, interrupt_a_flood, quit_key,
                 stop_and_go_on, reading_in_the_background, writing_in_the_background, stopping_output, settings, resize, vi, top, less,
                 paste, reads_with_time_limits, bash, korn_shells, zsh, much_output):
        yield case.__name__.replace("_", "-"), case, 120
