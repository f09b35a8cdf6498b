"""./exo run with a real guest: bytes, exit statuses, signals, time limit, host programs, and that no QEMU stays."""

import os
import random
import signal
import subprocess
import time


def binary_both_ways(t):
    data = random.Random(t.seed).randbytes(10_000_000)
    result = t.guest("cat", stdin=data, timeout=60)
    t.equal((result.status, result.stderr), (0, b""))
    t.check(result.stdout == data, f"{len(result.stdout)} bytes came back and they differ")


def streams_apart(t):
    data = random.Random(t.seed).randbytes(2_000_000)
    result = t.guest("sh", "-c", "tee /dev/stderr", stdin=data, timeout=60)
    t.check(result.stdout == data, "stdout differs")
    t.check(result.stderr == data, "stderr differs")


def nothing_else_on_the_streams(t):
    result = t.guest("true")
    t.equal((result.status, result.stdout, result.stderr), (0, b"", b""))


def statuses(t):
    for words, status in ((["sh", "-c", "exit 0"], 0), (["sh", "-c", "exit 255"], 255), (["false"], 1), (["no-such-program"], 127),
                          (["/no/such/program"], 127), (["/etc/passwd"], 126), (["/tmp"], 126), (["sh", "-c", "kill -9 $$"], 137),
                          (["sh", "-c", "kill -SEGV $$"], 139), (["sh", "-c", "kill -TERM $$"], 143)):
        result = t.guest(*words)
        t.equal((result.status, result.stdout), (status, b""), " ".join(words))


def empty_and_closed_input(t):
    t.equal(t.guest("wc", "-c").stdout, b"0\n", "empty")
    result = t.command("sh", "-c", '"$@" <&-', "-", t.path("exo"), "run", "--built", t.built, "--timeout=30", "--", "wc", "-c")
    t.equal((result.status, result.stdout), (0, b"0\n"), "closed")


def unread_input(t):
    """A program that does not read its input ends all the same."""
    result = t.guest("sh", "-c", "head -c 5; exit 4", stdin=b"x" * 5_000_000)
    t.equal((result.status, result.stdout), (4, b"xxxxx"))


def reader_leaves(t):
    result = t.command("bash", "-c", '"$@" | head -n 1; echo "${PIPESTATUS[0]}"', "-", t.path("exo"), "run", "--built", t.built,
                       "--timeout=30", "--", "yes")
    t.equal(result.stdout, b"y\n141\n")


def environment_and_folder(t):
    result = t.guest("sh", "-c", 'pwd; echo "$A|$HOME|$PATH"', options=["-e", "A=b c=d", "-w", "/tmp"])
    t.equal(result.stdout, b"/tmp\nb c=d|/root|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")
    result = t.guest("true", options=["-w", "/no/such/folder"])
    t.check(result.status not in (0, 200, 201), result)


def arguments_arrive(t):
    words = ["", " ", "a\nb", "\u00e9", "*", "'\"\\", "x" * 50_000]
    result = t.guest("sh", "-c", 'for i in "$@"; do printf "%s\\0" "$i"; done', "-", *words)
    t.equal(result.stdout, b"".join(word.encode() + b"\0" for word in words))


def time_limit(t):
    result = t.guest("sh", "-c", "echo early; sleep 60", timeout=3)
    t.equal((result.status, result.stdout), (202, b"early\n"))
    result = t.guest("sh", "-c", "while :; do :; done", timeout=3)
    t.equal(result.status, 202, "a spinning program")


def start(t, *words):
    process = subprocess.Popen([t.path("exo"), "run", "--built", t.built, "--timeout=60", "--", *words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    t.equal(process.stdout.readline(), b"ready\n", "the guest's first line")
    return process


def signals_arrive(t):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = start(t, "sh", "-c", f"trap 'echo caught; exit 5' {number.value}; echo ready; while :; do sleep 0.1; done")
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        t.equal((out, process.returncode), (b"caught\n", 5), number.name)


def killed_leaves_nothing(t):
    process = start(t, "sh", "-c", "echo ready; sleep 60")
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        children = [int(word) for word in file.read().split()]
    t.check(children, "no child of ./exo run")
    process.kill()
    process.communicate()
    for _ in range(250):
        if not any(os.path.exists(f"/proc/{pid}") for pid in children):
            return
        time.sleep(0.02)
    t.check(False, f"left behind: {children}")


def host_programs(t):
    folder = os.path.join(t.folder, "work")
    os.makedirs(os.path.join(folder, "sub"))
    with open(os.path.join(folder, "sub", "script"), "w") as file:
        file.write('#!/bin/sh\necho "$0 $1 $(pwd)"\n')
    os.chmod(os.path.join(folder, "sub", "script"), 0o755)
    line = ["run", "--built", t.built, "--timeout=30"]
    result = t.exo(*line, "./sub/script", "x", cwd=folder)
    t.equal((result.status, result.stdout), (0, b"./sub/script x /\n"), "a script")
    os.symlink(os.path.join(t.built, "tests", "none"), os.path.join(folder, "dangling"))
    t.equal(t.exo(*line, "./dangling", cwd=folder).status, 127, "a dangling link")
    program = ["musl-gcc", "-static", "-x", "c", "-o", os.path.join(t.folder, "static"), "-"]
    subprocess.run(program, input=b'#include <stdio.h>\nint main(void) { puts("static"); }\n', check=True)
    os.symlink(os.path.join(t.folder, "static"), os.path.join(folder, "link"))
    result = t.exo(*line, "./link", cwd=folder)
    t.equal((result.status, result.stdout), (0, b"static\n"), "a static program")


def overlay(t):
    folder = os.path.join(t.folder, "overlay")
    os.makedirs(os.path.join(folder, "etc"))
    os.makedirs(os.path.join(folder, "opt", "data"))
    with open(os.path.join(folder, "etc", "hostname"), "w") as file:
        file.write("replaced\n")
    with open(os.path.join(folder, "opt", "data", "big"), "wb") as file:
        file.write(random.Random(t.seed).randbytes(300_000))
    result = t.guest("sh", "-c", "cat /etc/hostname; cat /etc/group | head -n 1; cat /opt/data/big", options=["--overlay", folder])
    with open(os.path.join(folder, "opt", "data", "big"), "rb") as file:
        t.equal(result.stdout, b"replaced\nroot:x:0:\n" + file.read())


def servers_start_in_any_order(t):
    """What the archive has twice makes fs look at the process table while it loads, which proc may not have given yet."""
    folder = os.path.join(t.folder, "overlay")
    os.makedirs(os.path.join(folder, "etc"))
    with open(os.path.join(folder, "etc", "hostname"), "w") as file:
        file.write("replaced\n")
    for late in ("proc", "fs", "tty"):
        result = t.guest("cat", "/etc/hostname", options=["--overlay", folder, "--append", f"late={late}"])
        t.equal((result.status, result.stdout), (0, b"replaced\n"), late)


def boot_chart(t):
    result = t.guest("sh", "-c", "echo out; echo err >&2; exit 3", options=["--boot-chart"])
    t.equal((result.status, result.stdout), (3, b"out\n"))
    shown = result.stderr.decode().splitlines()
    t.check(shown[0] == "err" and shown[1].startswith("boot: ") and len(shown) == 14, result.stderr)
    times = [[float(word) for word in line.split(" ms ")[0].split()] for line in shown[2:]]
    t.check(all(length >= 0 for _, length in times) and times == sorted(times, key=lambda row: row[0]), times)
    t.check(float(shown[1].split()[1]) == round(times[-1][0] + times[-1][1], 1) or abs(float(shown[1].split()[1]) - sum(times[-1])) < 0.2, shown)
    result = t.guest("no-such-program", options=["--boot-chart"])
    t.check(result.status == 127 and b"no boot to draw" in result.stderr, result)


def strace_is_on_standard_error(t):
    result = t.guest("echo", "hi", options=["--strace"])
    t.equal((result.status, result.stdout), (0, b"hi\n"))
    t.check(b'write(1, "hi\\n", 3)' in result.stderr and b"exit_group(0)" in result.stderr, result)


def cases(_):
    for case in (binary_both_ways, streams_apart, nothing_else_on_the_streams, statuses, empty_and_closed_input, unread_input, reader_leaves,
                 environment_and_folder, arguments_arrive, time_limit, signals_arrive, killed_leaves_nothing, host_programs, overlay,
                 servers_start_in_any_order, boot_chart, strace_is_on_standard_error):
        yield case.__name__.replace("_", "-"), case
