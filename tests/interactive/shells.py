"""A person at the keyboard: line editing, Ctrl-C, Ctrl-Z, jobs and the end of input in each shell, on a real pseudo-terminal."""

import re

from exo.testing import FOREGROUND_JOB, Failed

PROMPT = rb"READY# "  # with a #: mksh insists on one for root
BUSYBOX, BASH, MKSH, LKSH, ZSH = ("busybox", "sh"), ("bash-static", "--norc", "--noprofile"), ("mksh-static",), ("lksh",), ("zsh-static", "-f")
STATIC = {"sh": BUSYBOX, "bash": BASH, "mksh": MKSH, "lksh": LKSH, "zsh": ZSH}
# Debian's, dynamically linked, from their packages.
PACKAGED = {f"packaged-{name}": (f"/usr/bin/{name}", *words) for name, words in (("bash", BASH[1:]), ("mksh", ()), ("zsh", ("-f",)))}
SHELLS = STATIC | PACKAGED
SPIN = "while :; do :; done"
LIMIT_S = 120


class Shell:
    """A shell at its prompt, and lines typed at it. `\\033` sequences that an editor shows are ignored by looking for words only."""

    def __init__(self, t, command, **more):
        self.t = t
        packages = [f"--package={command[0][len('/usr/bin/'):]}"] if command in PACKAGED.values() else []
        options = [*packages, "-e", "PS1=READY# ", "-e", "HOME=/tmp", "-e", f"JOB={FOREGROUND_JOB}"]
        self.terminal = t.guest_terminal(*command, timeout=90, env={"TERM": "vt100"}, options=options, **more)
        self.terminal.expect(PROMPT, 80 if packages else 30)  # a package may have to be fetched first

    def type(self, text):
        self.terminal.send(text)

    def run(self, line, shows, limit_s=20):
        """A line, what it must show, and the prompt again."""
        self.type(line + "\r")
        match = self.terminal.expect(shows, limit_s)
        self.terminal.expect(PROMPT, limit_s)
        return match

    def end(self, status=0):
        self.type("exit\r")
        self.t.equal(self.terminal.wait(20), status, "exit status")


def sums(name):
    """The answer is not what was typed: an echo cannot be mistaken for it."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.run("echo answer $((6 * 7))", rb"answer 42")
        shell.run("echo one | tr a-z A-Z", rb"ONE")
        shell.end()
    return body


def erase(name):
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.type("echo wrongX\x7f\x7f\x7f\x7f\x7f\x7f")
        shell.run("right$((1 + 1))", rb"right2\r?\n")
        shell.type("echo all of this goes away")
        shell.run("\x15echo line$((2 + 2))", rb"line4\r?\n")
        shell.end()
    return body


def history(name):
    """Arrow up brings the last line back, arrow left moves in it."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.run("echo first$((1 + 2))", rb"first3\r?\n")
        shell.type("\x1b[A")
        shell.run("", rb"first3\r?\n")
        shell.type("echo ac")
        shell.type("\x1b[D")
        shell.run("b", rb"[\r\n]abc\r?\n")
        shell.end()
    return body


def interrupt(name, command, started):
    """Ctrl-C ends a program that sleeps or spins, and the shell goes on with status 130."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.type(command + "\r")
        shell.terminal.expect(started)  # before that the key would reach the line editor
        shell.type("\x03")
        shell.terminal.expect(PROMPT, 20)
        shell.run("echo went on $((40 + 2))", rb"went on 42")
        shell.type("busybox sh -c 'kill -INT $$'\r")  # interactive shells leave the rest of such a line out
        shell.terminal.expect(PROMPT, 20)
        shell.run("echo status $?", rb"status 130")
        shell.end()
    return body


def interrupt_program(name, program):
    """The same with an external program in the foreground."""
    return interrupt(name, f"busybox sh -c 'echo up$((1 + 1)); {program}'", rb"up2")


def stop_and_resume(name):
    """Ctrl-Z, the job list, bg, fg, Ctrl-C."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.type("busybox sh -c \"$JOB\"\r")
        shell.terminal.expect(rb"front2")
        shell.type("\x1a")
        shell.terminal.expect(rb"(?i)stopped|suspended", 20)
        shell.terminal.expect(PROMPT)
        shell.run("jobs", rb"(?i)stopped|suspended")
        shell.type("bg\r")
        shell.terminal.expect(rb"(?s)behind2.*READY# |READY# .*behind2", 20)
        shell.run("jobs", rb"(?i)running")
        shell.type("fg\r")
        shell.terminal.expect(rb"front2")
        shell.type("\x03")
        shell.terminal.expect(PROMPT, 20)
        shell.run("jobs; echo left $((2 + 3))", rb"left 5")
        shell.end()
    return body


def stop_spinning(name):
    def body(t):
        shell = Shell(t, SHELLS[name])
        program = f"trap \"echo on again\" CONT; echo up$((1 + 1)); {SPIN}"
        shell.type(f"busybox sh -c '{program}'\r")
        shell.terminal.expect(rb"up2")
        shell.type("\x1a")
        shell.terminal.expect(rb"(?i)stopped|suspended", 20)
        shell.terminal.expect(PROMPT)
        shell.type("fg\r")
        shell.terminal.expect(rb"\non again")  # by now it has the terminal: before, the key would be the shell's
        shell.type("\x03")
        shell.terminal.expect(PROMPT, 20)
        shell.run("echo left $((2 + 3))", rb"left 5")
        shell.end()
    return body


def quit_key(name):
    """Ctrl-\\ ends the program by SIGQUIT."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.type("echo up$((1 + 1)); cat\r")
        shell.terminal.expect(rb"up2")
        shell.type("typed line\r")
        shell.terminal.expect(rb"typed line\r?\n.*typed line\r?\n")
        shell.type("\x1c")
        shell.terminal.expect(PROMPT, 20)
        shell.run("echo left $((2 + 3))", rb"left 5")
        shell.end()
    return body


def end_of_input(name):
    """Ctrl-D at the prompt ends the shell with the last status; at a program it ends the program's input."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.type("echo up$((1 + 1)); cat\r")
        shell.terminal.expect(rb"up2")
        shell.type("typed line\r")
        shell.terminal.expect(rb"typed line\r?\n.*typed line\r?\n")
        shell.type("\x04")
        shell.terminal.expect(PROMPT)
        shell.type("\x04")
        t.equal(shell.terminal.wait(20), 0, "exit status")
    return body


def background_reader(name):
    """A job in the background that reads from the terminal is stopped; in the foreground it reads."""
    def body(t):
        shell = Shell(t, SHELLS[name])
        shell.run("cat &", rb"\d+")
        shell.run("echo wait $((1 + 1)); sleep 1; jobs", rb"(?i)stopped|suspended")
        shell.type("fg\r")
        shell.terminal.expect(rb"cat")
        shell.type("to the cat\r")
        shell.terminal.expect(rb"to the cat\r?\n.*to the cat\r?\n")
        shell.type("\x04")
        shell.terminal.expect(PROMPT)
        shell.end()
    return body


def settings(t):
    shell = Shell(t, BUSYBOX)
    shell.run("stty size", rb"24 80")
    shown = shell.run("stty -a", rb"intr = \^C.*?icanon.*?echo\b").group()
    t.check(re.search(rb"quit = \^\\.*susp = \^Z", shown, re.S), shown)
    shell.run("stty -echo; stty -a", rb" -echo ")
    shell.type("echo unseen$((1 + 1))\r")
    found = shell.terminal.expect(rb"unseen2").group()
    t.check(b"$((" not in found, found)
    shell.terminal.expect(PROMPT)
    shell.run("stty echo intr ^T; stty -a", rb"intr = \^T")
    shell.type("busybox sh -c 'echo up$((1 + 1)); exec sleep 1000'\r")
    shell.terminal.expect(rb"up2")
    shell.type("\x14")
    shell.terminal.expect(PROMPT)
    shell.run("stty sane; stty -a", rb"intr = \^C")
    shell.run("stty raw; printf 'x\\ny\\n'; stty sane", rb"x\ny\n")
    shell.run("tty", rb"/dev/(console|pts/\d+|tty\w*)")
    shell.end()


def resize(t):
    """A resize of our terminal is the guest's at once, and SIGWINCH says so."""
    shell = Shell(t, BASH)
    shell.run("trap 'echo changed to $(stty size)' WINCH", rb"")
    shell.terminal.resize(40, 132)
    shell.type("\r")
    shell.terminal.expect(rb"changed to 40 132")
    shell.run("stty size", rb"40 132")
    shell.end()


def ctrl_s(t):
    """Ctrl-S holds the output, Ctrl-Q lets it go on."""
    shell = Shell(t, BUSYBOX)
    shell.type("\x13echo held$((1 + 1))\r")
    try:
        shell.terminal.expect(rb"held2", 1.0)
        held = False
    except Failed:
        held = True
    shell.type("\x11")
    shell.terminal.expect(rb"held2")
    t.check(held, "output came although Ctrl-S held it")
    shell.terminal.expect(PROMPT)
    shell.end()


def cases(t):
    for name in PACKAGED:
        yield f"{name}-erase", erase(name), LIMIT_S
        yield f"{name}-interrupt-sleeping", interrupt_program(name, "sleep 1000"), LIMIT_S
        yield f"{name}-stop-and-resume", stop_and_resume(name), LIMIT_S
        yield f"{name}-history", history(name), LIMIT_S
    for name in STATIC:
        yield f"{name}-sums", sums(name), LIMIT_S
        yield f"{name}-erase", erase(name), LIMIT_S
        yield f"{name}-interrupt-sleeping", interrupt_program(name, "sleep 1000"), LIMIT_S
        yield f"{name}-interrupt-spinning", interrupt_program(name, SPIN), LIMIT_S
        yield f"{name}-end-of-input", end_of_input(name), LIMIT_S
        yield f"{name}-quit-key", quit_key(name), LIMIT_S
        yield f"{name}-stop-and-resume", stop_and_resume(name), LIMIT_S
    for name in ("sh", "bash", "zsh", "mksh"):
        yield f"{name}-history", history(name), LIMIT_S
    for name in ("sh", "bash"):
        yield f"{name}-stop-spinning", stop_spinning(name), LIMIT_S
        yield f"{name}-background-reader", background_reader(name), LIMIT_S
    for name in STATIC:
        yield f"{name}-interrupt-itself", interrupt(name, f"echo up$((1 + 1)); {SPIN}", rb"up2"), LIMIT_S
    yield "settings", settings, LIMIT_S
    yield "resize", resize, LIMIT_S
    yield "ctrl-s", ctrl_s, LIMIT_S
