"""ExoV6 builds itself: its own sources, compiled inside it with Debian's gcc. With --long all of the unit tests, which also run there, and the kernel's image,
which must be the same to the byte as the one that was built outside; else one unit test. Needs Debian's packages, as the suite programs does."""

import glob
import hashlib
import os
import re
import shutil

from exo.build import ROOT

COMPILER = ("gcc-12", "libc6-dev", "binutils")
BUILDER = COMPILER + ("cmake", "ninja-build", "python3", "musl-tools", "capnproto", "libcapnp-dev")
UNIT = "tests/unit/sched_heap_test.c"
INCLUDES = (".", "kernel", "kernel/include", "kernel/arch/x86_64/include", "libexo/include", "libexo/arch/x86_64/include", "generated")
LEAKS = "ASAN_OPTIONS=detect_leaks=0"  # LeakSanitizer stops a program's threads by ptrace, which is not there


def overlay(t, script):
    """The project's sources as /src, and a script that works on them."""
    folder = os.path.join(t.folder, "overlay")
    shutil.copytree(ROOT, os.path.join(folder, "src"), symlinks=True,
                    ignore=lambda where, names: [name for name in names if name == "__pycache__" or (where == ROOT and name in ("build", ".git"))])
    with open(os.path.join(folder, "build.sh"), "w") as file:
        file.write("set -e\n" + script)
    return folder


def run(t, packages, folder, memory, timeout):
    words = [word for package in packages for word in ("--package", package)]
    result = t.guest("sh", "/build.sh", options=["--memory", memory, "--overlay", folder, *words], timeout=timeout)
    t.equal(result.status, 0, f"status of the build inside; its last words are {result.stdout[-600:]!r} {result.stderr[-600:]!r}")
    return result.stdout.decode()


def one_unit_test(t):
    includes = " ".join("-I" + name for name in INCLUDES)
    folder = overlay(t, f"cd /src; gcc-12 -g -std=gnu17 -fsanitize=address,undefined {includes} -o /tmp/test "
                        f"{UNIT} $(sed -n 's/ *[*]\\/$//; s/.*unit-sources: *//p' {UNIT})\n{LEAKS} /tmp/test; echo passed\n")
    shutil.copytree(os.path.join(t.built, "generated"), os.path.join(folder, "src", "generated"))
    t.check("passed" in run(t, COMPILER, folder, "1G", 200), "the test ran inside")


def unit_tests():
    """The names that tests/CMakeLists.txt gives them."""
    paths = glob.glob(os.path.join(ROOT, "tests", "unit", "**", "*.c"), recursive=True)
    for folder in ("abi", "kernel", "libexo", "libos", "servers", "drivers", "user"):
        paths += glob.glob(os.path.join(ROOT, folder, "**", "*_test.c"), recursive=True)
    return sorted(re.sub(r"(_test)?\.c$", "", os.path.basename(path)) for path in paths)


def all_unit_tests(t):
    folder = overlay(t, "cd /src; cmake --preset host -B /tmp/b >/tmp/log || { tail -30 /tmp/log; exit 1; }; cd /tmp/b\n"
                        "ninja >/tmp/log 2>&1 || { tail -30 /tmp/log; exit 1; }\n"
                        f"export {LEAKS}; for test in unit/*; do [ -x $test ] && if $test >/tmp/out 2>&1; then echo passed $test; else echo failed $test; "
                        "tail -5 /tmp/out; fi; done\n")
    output = run(t, BUILDER, folder, "4G", 7200)
    t.check(not re.search("^failed ", output, re.M), "tests failed inside: " + " / ".join(re.findall(r"^failed .*(?:\n(?!passed ).*)*", output, re.M)))
    t.equal(sorted(re.findall("^passed unit/(.*)", output, re.M)), unit_tests(), "the tests that ran inside")


def kernel(t):
    preset = os.path.basename(t.built)
    folder = overlay(t, f"cd /src; cmake --preset {preset} -B /tmp/b >/tmp/log || {{ tail -30 /tmp/log; exit 1; }}; cd /tmp/b\n"
                        "ninja kernel.elf >/tmp/log 2>&1 || { tail -30 /tmp/log; exit 1; }\nsha256sum kernel.elf\n")
    inside = run(t, BUILDER, folder, "4G", 7200)
    with open(os.path.join(t.built, "kernel.elf"), "rb") as file:
        outside = hashlib.sha256(file.read()).hexdigest()
    t.equal(inside.split()[0], outside, "the kernel's digest")


def cases(t):
    yield "one-unit-test", one_unit_test, 240
    if t.long:
        yield "unit-tests", all_unit_tests, 7300
        yield "kernel-is-the-same", kernel, 7300
