"""The suites: for each the source package that brings its tests, the Debian packages that are tested and that the tests use, what to run, and
how to read what came. A step is one test script, or a program that runs many tests and says how each went.
"""

import glob
import os
import re
import shutil
import subprocess
import zlib

import glibc
import interpreters
import packaged
from exo.errors import ExoError

USUAL = ("coreutils", "diffutils", "findutils", "gawk", "grep", "gzip", "perl", "sed")


def by_status(status, out, err):
    """A script that says all with its exit status, as automake has it."""
    word = {0: "pass", 77: "skip", 99: "error", 124: "hang", 137: "hang"}.get(status, "fail")
    return {"": word}


class Suite:
    """`gather(source, folder)`: fills the folder with what the tests need of the unpacked source package, and returns [(step, shell text)].
    A step runs in an empty folder with $files leading to that. `read(status, out, err)`: {test: word}. `quick`: which steps run without
    --long, a regular expression; None: none does."""

    def __init__(self, name, gather, read=by_status, packages=(), source=None, quick=".", limit_s=60, memory=None):
        self.name, self.gather, self.read, self.limit_s, self.memory = name, gather, read, limit_s, memory
        self.packages = sorted({*USUAL, *packages})
        self.source = name if source is None else source  # "": the tests come with the packages
        self.quick = re.compile(quick) if quick else None


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
    out = re.sub(r"(terminal process group) \(\d+\)", r"\1", out)
    return {"": f"fail-{zlib.crc32(out.encode()):08x}" if out.strip() else "pass"}


# ---- coreutils, and what is laid out like it: automake runs each script with a few variables ----------------------------------------------

COREUTILS = """[ arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown chroot cksum comm cp csplit cut date dd df dir dircolors
dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv
nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum sha224sum sha256sum
sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname
unexpand uniq unlink users vdir wc who whoami yes""".split()
CONFIG = "HAVE_UTIMENSAT HAVE_LUTIMES HAVE_LINKAT HAVE_SELINUX_SELINUX_H HAVE_CAP USE_XATTR USE_ACL HAVE_INOTIFY"


def getlimits():
    """What coreutils' own program of that name prints here."""
    whole = {"CHAR": 8, "SCHAR": 8, "UCHAR": -8, "SHRT": 16, "INT": 32, "UINT": -32, "LONG": 64, "ULONG": -64, "SIZE": -64, "SSIZE": 64, "TIME_T": 64,
             "UID_T": -32, "GID_T": -32, "PID_T": 32, "OFF_T": 64, "INTMAX": 64, "UINTMAX": -64}
    lines = []
    for name, bits in whole.items():
        high = (1 << -bits) - 1 if bits < 0 else (1 << (bits - 1)) - 1
        lines += [f"{name}_MAX={high}", f"{name}_OFLOW={high + 1}"]
        if bits > 0:
            lines += [f"{name}_MIN={-high - 1}", f"{name}_UFLOW={-high - 2}"]
    lines += ["FLT_MIN=1.17549435e-38", "FLT_MAX=3.40282347e+38", "DBL_MIN=2.2250738585072014e-308", "DBL_MAX=1.7976931348623157e+308",
              "LDBL_MIN=3.3621031431120935063e-4932", "LDBL_MAX=1.189731495357231765e+4932"]
    return "#!/bin/sh\ncat <<end\n" + "\n".join(lines) + "\nend\n"


def programs(folder, names):
    """A build folder with the tested programs: links to Debian's."""
    os.makedirs(os.path.join(folder, "src"))
    for name in names:
        os.symlink("/usr/bin/" + name, os.path.join(folder, "src", "g" + name if name == "install" else name))


def automake(folder, tests, words, modules, below="."):
    """Steps for the scripts `tests`, the paths of which are in the folder `below` of $files."""
    setup = (f"cd $files/{below} && exec 9>&2\nunset TERM\nexport srcdir=. top_srcdir=. abs_srcdir=$PWD abs_top_srcdir=$files abs_top_builddir=$files"
             f" LOCALE_FR=none LOCALE_FR_UTF8=none LOCALE_JA=none SHELL=/bin/sh PERL=perl AWK=gawk EGREP='grep -E' CC=false MAKE=false EXEEXT="
             f" CONFIG_HEADER=$files/config.h host_os=linux-gnu host_triplet=x86_64-pc-linux-gnu TMPDIR=/tmp PATH=$files/src:$PATH fail=0 {words}\n")
    with open(os.path.join(folder, "config.h"), "w") as file:
        file.write("".join(f"#define {name} 1\n" for name in CONFIG.split()))
    steps = []
    for test in tests:
        taint = " -T" if test.endswith(".xpl") else ""
        perl = f"perl{taint} -w -I./{modules} -MCuSkip -MCoreutils -M'CuTmpdir qw({test})' ./{test}"
        name = re.sub(r"\.(sh|x?pl)$", "", test.partition("/")[2] or test)
        steps.append((name, setup + (f"exec {perl}" if test.endswith((".pl", ".xpl")) else f"exec sh ./{test}")))
    return steps


def coreutils_gather(source, folder):
    copy(source, folder, "init.cfg", "tests")
    programs(folder, COREUTILS)
    script(os.path.join(folder, "src"), "getlimits", getlimits())
    with open(os.path.join(source, "tests", "local.mk")) as file:
        tests = sorted(set(re.findall(r"^\s+(tests/\S+\.(?:sh|pl|xpl))\b", file.read(), re.M)) - {"tests/factor/run.sh", "tests/factor/create-test.sh"})
    names = " ".join("ginstall" if name == "install" else name for name in COREUTILS)
    return automake(folder, tests, f"VERSION=9.1 PACKAGE_VERSION=9.1 built_programs='{names}' CU_TEST_NAME=coreutils", "tests")


# ---- grep and sed: like coreutils, in other folders ---------------------------------------------------------------------------------------

MB_CUR_MAX = '#!/bin/sh\ncase $1 in C|POSIX) echo 1;; C.UTF-8|C.utf8) echo 6;; *) exit 1;; esac\n'


def script(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    os.chmod(os.path.join(folder, name), 0o755)


def grep_gather(source, folder):
    copy(os.path.join(source), folder, "tests")
    programs(folder, ("grep", "egrep", "fgrep"))
    script(os.path.join(folder, "tests"), "get-mb-cur-max", MB_CUR_MAX)
    with open(os.path.join(source, "tests", "Makefile.am")) as file:
        words = re.search(r"^TESTS =(.*?[^\\])$", file.read(), re.M | re.S)[1].replace("\\", " ").split()
    return automake(folder, words, "VERSION=3.8 PACKAGE_VERSION=3.8 PCRE_WORKS=1 built_programs='grep egrep fgrep' GREP_TEST_NAME=grep", "", "tests")


def sed_gather(source, folder):
    copy(source, folder, "testsuite", "init.cfg")
    os.makedirs(os.path.join(folder, "sed"))
    os.symlink("/usr/bin/sed", os.path.join(folder, "sed", "sed"))
    script(os.path.join(folder, "testsuite"), "get-mb-cur-max", MB_CUR_MAX)
    tests = sorted(f"testsuite/{name}" for name in os.listdir(os.path.join(source, "testsuite")) if re.search(r"\.(sh|pl)$", name) and
                   name not in ("init.sh", "bsd-wrapper.sh"))
    return automake(folder, tests, "VERSION=4.9 PACKAGE_VERSION=4.9 built_programs=sed SED_TEST_NAME=sed", "testsuite")


# ---- gawk: a makefile with a target for each test; what it prints stays as _NAME when it is not as NAME.ok ------------------------------------

def gawk_gather(source, folder):
    copy(source, folder, "test")
    os.makedirs(os.path.join(folder, "awklib"))
    copy(os.path.join(source, "awklib"), os.path.join(folder, "awklib"), "eg")
    with open(os.path.join(source, "test", "Makefile.in")) as file:
        text = re.sub(r"@[A-Za-z_]+@", lambda match: {"@srcdir@": "."}.get(match[0], ""), file.read())
    # Without the rules that would make it anew.
    made = r"Makefile|\$\(srcdir\)/Makefile\.in|\$\(top_\w+\)/\S+|\$\(ACLOCAL_M4\)|\$\(am__aclocal_m4_deps\)"
    text = re.sub(rf"^({made}):.*\n(\t.*\n)*", "", text, flags=re.M)
    with open(os.path.join(folder, "test", "Makefile"), "w") as file:
        file.write(text)
    return [(name, "cp -r $files/test $files/awklib . && mkdir extension && ln -s /usr/lib/x86_64-linux-gnu/gawk extension/.libs && cd test\n"
                   f"make AWKPROG=/usr/bin/gawk SHELL=/bin/sh {name}\nfor name in _*; do echo \"FAIL $name\"; done")
            for name in ("basic", "unix-tests", "gawk-extensions", "shlib-tests", "mpfr-tests", "machine-tests")]


def gawk_read(status, out, err):
    names = [name for name in re.findall(r"^([a-z][a-z0-9_-]+)$", out, re.M)]
    found = {name: "pass" for name in names}
    found.update((name, "fail") for name in re.findall(r"^FAIL _(\w\S*)$", out, re.M))
    return found if status == 0 else {**found, "": "hang" if status in (124, 137) else "no end"}


SUITES = [
    Suite("mksh", mksh_gather, mksh_read, packages=["mksh"], limit_s=600),
    Suite("bash", bash_gather, bash_read, packages=["bash", "libc6"], limit_s=120, quick="^(redir|trap)$"),  # libc6: its conversions
    Suite("coreutils", coreutils_gather, packages=["attr", "acl"], quick="^readlink/", limit_s=300),
    Suite("grep", grep_gather, quick=None),
    Suite("sed", sed_gather, quick=None, limit_s=300),
    Suite("gawk", gawk_gather, gawk_read, packages=["make", "gawk"], quick=None, limit_s=900),
    Suite("perl", interpreters.perl_gather, interpreters.tap, packages=["perl"], quick=None, limit_s=180),
    Suite("tcl", interpreters.tcl_gather, interpreters.tcl_read, packages=["tcl"], source="tcl8.6", quick=None, limit_s=300),
    Suite("cpython", packaged.cpython_gather, packaged.cpython_read, packages=["python3", "libpython3.11-testsuite"], source="", limit_s=600,
          memory="2G", quick="^(epoll|fcntl)$"),
    Suite("glibc", glibc.gather, packages=["libc6", "libgcc-s1"], quick=None, limit_s=120, memory="2G"),
    Suite("stress", packaged.stress_gather, packaged.stress_read, packages=["stress-ng"], source="", memory="2G", quick="^(pipe|epoll|memfd)$"),
]
