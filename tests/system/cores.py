"""A core dump of a program here says to gdb what one on Linux says, and the exit status of what left one is the signal's."""

import os
import re
import resource
import shutil

SOURCE = """
#include <pthread.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>
int numbers[4] = {1, 2, 3, 4};
static pthread_barrier_t both;
__attribute__((noinline)) void waits_here(void) { pthread_barrier_wait(&both); for (;;) pause(); }
static void *second(void *argument) { waits_here(); return argument; }
__attribute__((noinline)) int inner(volatile int *at, int depth) { return depth ? inner(at, depth - 1) + 1 : *at; }
int main(int argc, char **argv)
{
    pthread_t thread;

    numbers[2] = 77;
    if (argc > 1 && !strcmp(argv[1], "abort"))
        abort();
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, second, NULL);
    pthread_barrier_wait(&both);
    usleep(50000);
    return inner((int *)0x1234, 3) + argc;
}
"""
GDB = ["-batch", "-ex", "bt", "-ex", "info threads", "-ex", "thread apply all bt 3", "-ex", "p numbers", "-ex", "p $_siginfo._sifields._sigfault.si_addr",
       "-ex", "info auxv", "-ex", "info sharedlibrary"]
# What an auxiliary vector says of the machine and where things are.
MACHINES = r"AT_(SYSINFO|HWCAP|RANDOM|MINSIGSTKSZ|RSEQ|EXECFN|PLATFORM|BASE|CLKTCK|ENTRY|NULL|FLAGS|PHDR)|\?\?\?|libthread_db|0x65786f|vdso|warning"
LIBRARIES = ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6")


def build(t):
    """The program, with debug information, and a tree with its libraries."""
    if not shutil.which("gdb") or not all(os.path.exists(path) for path in LIBRARIES):
        t.skip("gdb, or the C library of this machine, is not there")
    tree = os.path.join(t.folder, "tree")
    for path in LIBRARIES:
        os.makedirs(tree + os.path.dirname(path), exist_ok=True)
        shutil.copy(path, tree + path)
    source, program = os.path.join(t.folder, "faulty.c"), os.path.join(t.folder, "faulty")
    with open(source, "w") as file:
        file.write(SOURCE)
    result = t.command("gcc", "-g", "-O1", "-fno-optimize-sibling-calls", "-pthread", "-o", program, source)
    t.equal(result.status, 0, str(result))
    os.makedirs(tree + "/bin", exist_ok=True)
    shutil.copy(program, tree + "/bin/faulty")
    return tree, program


def core_here(t, tree, *arguments):
    """What a run in the guest leaves: its shell's words, and the core."""
    script = f"cd /tmp; ulimit -c unlimited; faulty {' '.join(arguments)} 2>&1; echo status $? >&2; cat core"
    result = t.guest("sh", "-c", script, options=["--overlay", tree], timeout=60)
    at = result.stdout.find(b"\x7fELF")
    t.check(at >= 0, str(result))
    core = os.path.join(t.folder, "core-here")
    with open(core, "wb") as file:
        file.write(result.stdout[at:])
    return result.stdout[:at] + result.stderr, core


def core_of_linux(t, program, *arguments):
    with open("/proc/sys/kernel/core_pattern") as file:
        if file.read().strip() != "core" or resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
            t.skip("this machine's core dumps go elsewhere")
    t.command("sh", "-c", 'ulimit -c unlimited; exec setarch -R "$@"', "sh", program, *arguments, cwd=t.folder)
    core = os.path.join(t.folder, "core")
    t.check(os.path.exists(core), "Linux left no core")
    return core


def told(t, program, core):
    """What gdb says of it, without what is another machine's: addresses of libraries and the stack, thread numbers."""
    result = t.command("gdb", "-q", *GDB, program, core)
    text = (result.stdout + result.stderr).decode(errors="replace")
    text = text[text.index("Program terminated"):]
    lines = [line.strip() for line in text.split("\n") if line.strip() and not re.search(MACHINES, line)]
    if "SIGABRT" in text:  # its si_addr is a process's number
        lines = [line for line in lines if not line.startswith("$2 ")]
    return re.sub(r"0x0*7f[0-9a-f]+|0x0*55[0-9a-f]+|LWP \d+", "X", re.sub(" +", " ", "\n".join(lines)))


def as_linux(t):
    """Two threads, one with a wild pointer; and a program that aborts."""
    tree, program = build(t)
    for arguments in ((), ("abort",)):
        said, core = core_here(t, tree, *arguments)
        expected = (b"status 134", b"Aborted (core dumped)") if arguments else (b"status 139", b"Segmentation fault (core dumped)")
        for text in expected:
            t.check(text in said, f"no {text} in {said}")
        here, there = told(t, program, core), told(t, program, core_of_linux(t, program, *arguments))
        t.check(("inner (at=" in here or arguments) and "main (argc=" in here and "{1, 2, 77, 4}" in here and "libc.so.6" in here, here)
        t.check(arguments or "waits_here" in here, here)
        t.equal(here, there, "what gdb says of the core")
        os.remove(os.path.join(t.folder, "core"))


def exit_status(t):
    """The first process's end, with a core."""
    result = t.guest("sh", "-c", "cd /tmp; ulimit -c unlimited; kill -ABRT $$; sleep 5", timeout=30)
    t.equal(result.status, 128 + 6, str(result))


def cases(_):
    yield "as-linux", as_linux, 180
    yield "exit-status", exit_status, 60
