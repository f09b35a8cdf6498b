"""The suites: for each the source package that brings its tests, the Debian packages that are tested and that the tests use, what to run, and
how to read what came. A step is one test script, or a program that runs many tests and says how each went.
"""

import glob
import os
import re
import shutil
import subprocess
import zlib

from exo.errors import ExoError

USUAL = ("coreutils", "diffutils", "findutils", "gawk", "grep", "perl", "sed")


def by_status(status, out, err):
    """A script that says all with its exit status, as automake has it."""
    word = {0: "pass", 77: "skip", 99: "error", 124: "hang", 137: "hang"}.get(status, "fail")
    return {"": word}


class Suite:
    """`gather(source, folder)`: fills the folder with what the tests need of the unpacked source package, and returns [(step, shell text)].
    A step runs in an empty folder with $files leading to that. `read(status, out, err)`: {test: word}. `quick`: which steps run without
    --long, a regular expression."""

    def __init__(self, name, gather, read=by_status, packages=(), source=None, quick=".", limit_s=60, memory=None):
        self.name, self.gather, self.read, self.limit_s, self.memory = name, gather, read, limit_s, memory
        self.packages = sorted({*USUAL, *packages})
        self.source = source or name
        self.quick = re.compile(quick)


# ---- mksh: check.pl runs all of check.t and says pass or FAIL for each ------------------------------------------------------------------

def copy(source, folder, *names):
    for name in names:
        path = os.path.join(source, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(folder, name), symlinks=True)
        else:
            shutil.copy2(path, os.path.join(folder, name))


def compile_helpers(sources, folder, include=()):
    """Small static programs that tests bring with them in C; what they include of their own package is taken as empty."""
    for name in include:
        with open(os.path.join(folder, name), "w"):
            pass
    words = [word for header in ("stdio.h", "stdlib.h", "string.h") for word in ("-include", header)]
    for path in sources:
        program = os.path.join(folder, os.path.basename(path)[:-2])
        run = subprocess.run(["musl-gcc", "-static", "-w", "-O1", "-I", folder, *words, "-o", program, path], capture_output=True, text=True)
        if run.returncode != 0:
            raise ExoError(f"cannot compile {path}: {run.stderr.strip().splitlines()[:1]}")


def mksh_gather(source, folder):
    copy(source, folder, "check.pl", "check.t")
    return [("check", "exec perl $files/check.pl -T /tmp/case -U C.UTF-8 -s $files/check.t -p /bin/mksh -v"
                      " -C regress:no-ctty,shell:legacy-no,shell:textmode-no,int:32")]


def mksh_read(status, out, err):
    found = {}
    for word, name in re.findall(r"^(pass|FAIL|skip) \S*check\.t:(\S+)", out, re.M):
        found[name] = word.lower()
    return found if "Total passed" in out else {**found, "": "no end"}


# ---- bash: each run-NAME compares what NAME.tests prints with NAME.right, and prints the difference --------------------------------------

def bash_gather(source, folder):
    copy(source, folder, "tests")
    programs = [os.path.join(source, "support", name + ".c") for name in ("recho", "zecho", "printenv", "xcase")]
    compile_helpers(programs, os.path.join(folder, "tests"), ["config.h", "bashansi.h"])
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(source, "tests", "run-*")))
    return [(name[4:], "cp -r $files/tests . && cd tests && export THIS_SH=/bin/bash BASH_TSTOUT=/tmp/case/out TMPDIR=/tmp PATH=.:$PATH\n"
                       f"sh ./{name}") for name in names if name not in ("run-all", "run-minimal", "run-gprof")]


def bash_read(status, out, err):
    """Differences from NAME.right that Linux shows, too, shall be the same."""
    if status in (124, 137):
        return {"": "hang"}
    return {"": f"fail-{zlib.crc32(out.encode()):08x}" if out.strip() else "pass"}


SUITES = [
    Suite("mksh", mksh_gather, mksh_read, packages=["mksh"], limit_s=600),
    Suite("bash", bash_gather, bash_read, packages=["bash"], limit_s=120),
]
