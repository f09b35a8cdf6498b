"""Whole machines: processor models, memory sizes, both machine types, panic, power, and what an idle guest costs."""

import os
import re
import subprocess
import time


def boots(*options):
    def body(t):
        result = t.guest("sh", "-c", "echo up; exit 9", options=options, timeout=60)
        t.equal((result.status, result.stdout, result.stderr), (9, b"up\n", b""), " ".join(options))
    return body


def copy_of_build(t, **replaced):
    """A build folder like the real one, with some files replaced."""
    folder = os.path.join(t.folder, "built")
    os.makedirs(folder)
    for name in ("kernel.elf", "boot.img"):
        with open(os.path.join(t.built, name), "rb") as file:
            data = file.read()
        with open(os.path.join(folder, name), "wb") as file:
            file.write(replaced.get(name.replace(".", "_"), lambda found: found)(data))
    return folder


def panics(change, text):
    """A boot image that is none: the kernel stops, says why on standard error, and the status is 200."""
    def body(t):
        result = t.exo("run", "--built", copy_of_build(t, boot_img=change), "--timeout=30", "true", timeout=60)
        t.equal((result.status, result.stdout), (200, b""), str(result))
        t.check(b"EXOV6 PANIC" in result.stderr and text in result.stderr, result)
    return body


def policies(t):
    """The kernel stops at a policy that there is not, and names those that there are; the machine works with each, and says which it has."""
    result = t.exo("run", "--built", t.built, "--timeout=30", "--append", "sched=nonsense", "true", timeout=60)
    t.equal((result.status, result.stdout), (200, b""), str(result))
    found = re.search(rb"sched=nonsense: there is no such policy; there are (.*)", result.stderr)
    t.check(found, result)
    names = found[1].decode().strip().replace(" and ", ", ").split(", ")
    shown = t.exo("run", "--sched", "nonsense", "true").stderr.decode()
    t.check("known are: " + ", ".join(names) in shown, f"{names} are not those of {shown!r}")
    for name in names:
        log = os.path.join(t.folder, name)
        result = t.guest("sh", "-c", "echo a | cat; exit 9", options=["--sched", name, "--kernel-log", log], timeout=60)
        t.equal((result.status, result.stdout), (9, b"a\n"), str(result))
        with open(log) as file:
            t.check(f"sched={name}" in file.read(), f"the kernel does not say sched={name}")


def too_little_memory(t):
    """Less than the image needs, and little more: an error that says so, never a hang and never status 0."""
    for memory, statuses in (("8M", (2,)), ("10M", (2, 200, 201))):
        result = t.guest("true", options=["--memory", memory], timeout=30)
        t.check(result.status in statuses and result.stderr, result)
        t.check(result.status != 2 or b"give at least" in result.stderr, result)


def kernel_is_small(t):
    result = t.command("size", "-A", os.path.join(t.built, "kernel.elf"))
    sections = re.findall(r"^\.(?:boot|text|rodata|data)\S*\s+(\d+)", result.stdout.decode(), re.M)
    t.check(len(sections) >= 3, result)
    total = sum(map(int, sections))
    print(f"{total} bytes of text and data")
    t.check(total < 256 << 10, f"{total} bytes of text and data")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def child_of(pid):
    for _ in range(500):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    return None


def idle_costs_nothing(t):
    """A guest whose program sleeps takes under 1 % of a processor over 20 seconds."""
    words = [t.path("exo"), "run", "--built", t.built, "--timeout=90", "--", "sh", "-c", "echo up; exec sleep 60"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        t.equal(process.stdout.readline(), b"up\n")
        qemu = child_of(process.pid)
        time.sleep(1)
        before = cpu_seconds(qemu)
        time.sleep(20)
        used = cpu_seconds(qemu) - before
        process.kill()
    print(f"{used:.2f} s of processor time in 20 s")
    t.check(used < 0.2, f"{used:.2f} s of processor time in 20 s")


def cases(t):
    for options in (["--cpu", "max"], ["--cpu", "qemu64"], ["--memory=32M", "--cpu=qemu64"], ["--memory", "1G"], ["--memory", "8G"],
                    ["--smp", "2"], ["--machine=q35"], ["--machine=q35", "--memory=32M", "--cpu=qemu64"], ["--machine=q35", "--memory=8G"],
                    ["--preset=release", "--append", "some words that nobody knows"]):
        yield "boots/" + "".join(options).replace("--", "-"), boots(*options)
    yield "panic/no-header", panics(lambda image: b"\0" * 4096 + image[4096:], b"image")
    yield "panic/cut", panics(lambda image: image[:5000], b"image")
    yield "panic/empty-program", panics(lambda image: image[:4096] + bytes(4096) + image[8192:], b"ELF")
    yield "policies", policies
    yield "too-little-memory", too_little_memory
    yield "kernel-is-small", kernel_is_small
    yield "idle-costs-nothing", idle_costs_nothing
