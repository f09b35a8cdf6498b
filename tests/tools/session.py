"""./exo run against a fake guest (fake_qemu.py): streams, exit statuses, signals, time limits, terminals, and that nothing is left."""

import os
import random
import re
import signal
import subprocess
import time


def fake(t, mode=""):
    """A build folder without a system in it, and the environment that replaces QEMU."""
    built = os.path.join(t.folder, "built")
    os.makedirs(built, exist_ok=True)
    for name in ("kernel.elf", "boot.img"):
        with open(os.path.join(built, name), "wb"):
            pass
    env = {"EXO_QEMU": t.path("tests/tools/fake_qemu.py"), "FAKE_GUEST": mode, "FAKE_PID": os.path.join(t.folder, "pid")}
    return ["run", "--built", built], env


def run(t, *words, mode="", options=(), **more):
    line, env = fake(t, mode)
    return t.exo(*line, *options, "--", *words, env=env, **more)


def gone(t):
    """Waits for the fake QEMU's end; fails when it stays."""
    with open(os.path.join(t.folder, "pid")) as file:
        pid = int(file.read())
    for _ in range(200):
        if not os.path.exists(f"/proc/{pid}"):
            return
        time.sleep(0.02)
    t.check(False, f"process {pid} was left behind")


def start(t, *words, mode="", stdin=subprocess.PIPE):
    """./exo run in the background, once its guest runs."""
    line, env = fake(t, mode)
    process = subprocess.Popen([t.path("exo"), *line, "--", *words], stdin=stdin, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=t.environment(env), start_new_session=True)
    for _ in range(500):
        if os.path.exists(env["FAKE_PID"]) and os.path.getsize(env["FAKE_PID"]):
            return process
        time.sleep(0.02)
    process.kill()
    t.check(False, "the guest did not start")


def binary_both_ways(t):
    data = random.Random(t.seed).randbytes(10_000_000)
    result = run(t, "cat", stdin=data)
    t.equal(result.status, 0, "status")
    t.check(result.stdout == data, f"{len(result.stdout)} bytes came back and they differ")
    t.equal(result.stderr, b"", "stderr")


def streams_apart(t):
    data = random.Random(t.seed).randbytes(3_000_000)
    result = run(t, "sh", "-c", "tee /dev/stderr", stdin=data)
    t.check(result.stdout == data and result.stderr == data, "stdout or stderr differs")


def slow_reader(t):
    """The guest may not run far ahead of a reader that stops."""
    process = start(t, "sh", "-c", "yes | head -c 50000000", stdin=subprocess.DEVNULL)
    time.sleep(1)
    with open(f"/proc/{process.pid}/status") as file:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])
    out, _ = process.communicate(timeout=60)
    t.equal(len(out), 50_000_000, "bytes")
    t.check(resident < 60_000, f"{resident} kB resident while nobody read")


def no_input_without_credit(t):
    result = run(t, "sh", "-c", "echo unfed", mode="deaf", stdin=b"x" * 100_000)
    t.equal(result.stdout, b"unfed\n")


def statuses(t):
    for words, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "exit 255"], 255),
                          (["sh", "-c", "kill -9 $$"], 137), (["sh", "-c", "kill -SEGV $$"], 139), (["no-such-program"], 127)):
        t.equal(run(t, *words).status, status, " ".join(words))


def guest_ends_badly(t):
    for mode, status, text in (("panic", 200, b"page fault in ring 0\n  at k_null"), ("late-panic", 200, b"while powering off"),
                               ("crash", 201, b"device model abort"), ("silent-exit", 201, b"last words"),
                               ("garbage", 201, b"protocol")):
        result = run(t, "true", mode=mode)
        t.equal(result.status, status, mode)
        t.check(text in result.stderr, f"{mode}: {result}")
        t.equal(result.stdout, b"", mode)


def no_power_off(t):
    result = run(t, "sh", "-c", "echo done; exit 3", mode="linger")
    t.equal((result.status, result.stdout), (3, b"done\n"))
    gone(t)


def no_qemu(t):
    line, env = fake(t)
    result = t.exo(*line, "true", env=dict(env, EXO_QEMU="/nonexistent/qemu"))
    t.equal(result.status, 201, "status")
    t.equal(len(result.stderr.splitlines()), 2, "lines of the error")


def time_limit(t):
    for mode in ("hang", "quiet-hang"):
        result = run(t, "true", mode=mode, options=["--timeout=0.5"])
        t.equal(result.status, 202, mode)
        gone(t)
    result = run(t, "sh", "-c", "echo early; sleep 60", options=["--timeout", "1"])
    t.equal((result.status, result.stdout), (202, b"early\n"))


def killed_leaves_nothing(t):
    process = start(t, "sleep", "60")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone(t)


def first_signal_is_the_programs(t):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = start(t, "sh", "-c", f"trap 'echo caught; exit 5' {number.value}; echo ready; while :; do sleep 0.1; done")
        t.equal(process.stdout.readline(), b"ready\n")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        t.equal((out, process.returncode), (b"caught\n", 5), number.name)
        os.remove(os.path.join(t.folder, "pid"))


def second_signal_ends_the_machine(t):
    process = start(t, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    t.equal(process.stdout.readline(), b"ready\n")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    t.equal(process.returncode, 128 + signal.SIGTERM, "status")
    gone(t)


def signal_before_the_guest_speaks(t):
    process = start(t, "true", mode="quiet-hang")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    t.equal(process.returncode, 130, "status")
    gone(t)


def reader_leaves(t):
    line, env = fake(t)
    result = t.command("bash", "-c", '"$@" | head -n 2; echo "${PIPESTATUS[0]}"', "-", t.path("exo"), *line, "--", "yes", env=env)
    t.equal(result.stdout, b"y\ny\n141\n")
    gone(t)


def full_disk(t):
    line, env = fake(t)
    result = t.command("bash", "-c", '"$@" >/dev/full', "-", t.path("exo"), *line, "--", "yes", env=env)
    t.equal(result.status, 141, "status")
    t.check(b"No space left" in result.stderr, result)


def closed_streams(t):
    line, env = fake(t)
    result = t.command("bash", "-c", '"$@" <&- 2>&-', "-", t.path("exo"), *line, "--", "sh", "-c", "cat; echo out; echo err >&2", env=env)
    t.equal((result.status, result.stdout), (0, b"out\n"))


def environment_and_folder(t):
    result = run(t, "fake-hello", options=["-e", "A=b=c", "-e", "FROM_HERE", "--env=EMPTY=", "-w", "/tmp"])
    cwd, arguments, environment, flags, rows, columns = eval(result.stdout)
    t.equal((cwd, arguments, flags), (b"/tmp", [b"fake-hello"], 0))
    for item in (b"A=b=c", b"EMPTY=", b"HOME=/root"):
        t.check(item in environment, f"{item} is not in {environment}")
    t.check(not any(item.startswith(b"FROM_HERE") for item in environment), "an unset variable was passed")
    line, env = fake(t)
    result = t.exo(*line, "-e", "FROM_HERE", "fake-hello", env=dict(env, FROM_HERE="yes"))
    t.check(b"FROM_HERE=yes" in eval(result.stdout)[2], result)


def long_command_lines(t):
    words = ["x" * 100_000, "", "a b", "\u00e4"]
    result = run(t, "fake-hello", *words)
    t.equal(eval(result.stdout)[1][1:], [word.encode() for word in words])


def options_end_at_the_command(t):
    result = run(t, "echo", "--nope", "-e", "--", "--smp")
    t.equal(result.stdout, b"--nope -e -- --smp\n")
    line, env = fake(t)
    t.equal(t.exo(*line, "echo", "--nope", env=env).stdout, b"--nope\n")


def terminal_is_raw_and_comes_back(t):
    line, env = fake(t)
    terminal = t.host_terminal(t.path("exo"), *line, "fake-hello", "keys", env=env, rows=33, columns=101)
    before = terminal.settings()
    hello = eval(terminal.expect(rb"\(.*?\)\n?(?=$|[0-9a-f])").group(0))
    t.equal(hello[3:], (7, 33, 101))
    terminal.send(b"\x03\x1a\r\x04")
    terminal.expect(rb"03 ?1a ?0d ?04")
    terminal.send(b"q")
    t.equal(terminal.wait(), 0, "status")
    t.equal(terminal.settings(), before, "settings of the terminal")


def terminal_comes_back_after_kill(t):
    line, env = fake(t)
    script = '"$@" & echo pid $!; fg >/dev/null; sleep 1; echo after'
    terminal = t.host_terminal("/bin/bash", "-ic", script, "-", t.path("exo"), *line, "fake-hello", "keys", env=env)
    pid = int(terminal.expect(rb"pid (\d+)").group(1))
    terminal.expect(rb"fake-hello")
    t.check(not terminal.settings()[3] & 8, "echo is on while the guest has the terminal")
    os.kill(pid, signal.SIGKILL)
    terminal.expect(rb"after")
    t.check(terminal.settings()[3] & 8, "echo stayed off")
    t.check(terminal.settings()[1] & 1, "output processing stayed off")
    gone(t)
    terminal.wait()


def window_size(t):
    line, env = fake(t)
    terminal = t.host_terminal(t.path("exo"), *line, "fake-hello", "winsize", env=env)
    terminal.expect(rb"fake-hello")
    time.sleep(0.2)
    terminal.resize(50, 132)
    match = terminal.expect(rb"W([0-9a-f]{16})")
    t.equal(bytes.fromhex(match[1].decode())[:4], b"\x32\x00\x84\x00")
    t.equal(terminal.wait(), 0, "status")


def way_out_of_a_hung_guest(t):
    line, env = fake(t, "hang")
    terminal = t.host_terminal(t.path("exo"), *line, env=env)
    before = terminal.settings()
    time.sleep(0.5)
    terminal.send(b"\x1d\x1d\x1d")
    t.equal(terminal.wait(), 137, "status")
    t.equal(terminal.settings()[3], before[3], "local modes")
    gone(t)


def kernel_log_is_kept(t):
    log = os.path.join(t.folder, "with,comma.log")
    run(t, "true", mode="silent-exit", options=["--kernel-log", log])
    with open(log, "rb") as file:
        t.equal(file.read(), b"last words\n")


def cases(_):
    for case in (binary_both_ways, streams_apart, slow_reader, no_input_without_credit, statuses, guest_ends_badly, no_power_off,
                 no_qemu, time_limit, killed_leaves_nothing, first_signal_is_the_programs, second_signal_ends_the_machine,
                 signal_before_the_guest_speaks, reader_leaves, full_disk, closed_streams, environment_and_folder,
                 long_command_lines, options_end_at_the_command, terminal_is_raw_and_comes_back, terminal_comes_back_after_kill,
                 window_size, way_out_of_a_hung_guest, kernel_log_is_kept):
        yield case.__name__.replace("_", "-"), case
