"""The command line of ./exo: help, errors in two lines with status 2, what is not there yet in one line."""

import errno
import os
import shutil

from exo.errors import refusal


def help_texts(t):
    for command in ("run", "test", "bench", "debug", "size", "docs", "doctor", "clean"):
        result = t.exo(command, "--help")
        t.equal((result.status, result.stderr), (0, b""), command)
        t.check(result.stdout.startswith(f"usage: ./exo {command}".encode()), result)
    t.equal(t.exo("--help").status, 0)
    t.equal(t.exo().status, 2, "no command")


def usage_errors(t):
    for words in (["nope"], ["run", "--nope"], ["run", "--smp"], ["run", "--smp", "0"], ["run", "--smp=x"], ["run", "--memory", "12Q"],
                  ["run", "--memory=1M"], ["run", "--machine=pc"], ["run", "--arch", "vax"], ["run", "--quiet=yes"], ["run", "-e", "=x"],
                  ["run", "-w", "relative"], ["run", "--timeout=0"], ["run", "--timeout", "soon"], ["run", "--", ""],
                  ["run", "--package", "-o"], ["run", "--package=bash-"], ["run", "--package", "A"], ["run", "--package=a b"],
                  ["run", "--sched"], ["run", "--sched", "lottery"], ["run", "--sched="],
                  ["test", "no-such-suite"], ["test", "--jobs=0"], ["clean", "--nope"], ["doctor", "--nope"], ["docs", "word"], ["docs", "--port", "0"],
                  ["run", "--kernel-log", "/no/such/folder/x", "true"]):
        result = t.exo(*words)
        t.equal((result.status, result.stdout), (2, b""), " ".join(words))
        t.equal(len(result.stderr.splitlines()), 2, f"lines of the error of {' '.join(words)}: {result.stderr}")


def not_yet(t):
    for words in (["image"], ["run", "-p", "80:80"], ["run", "-v", "/a:/b"], ["run", "--disk", "x"]):
        result = t.exo(*words)
        t.equal((result.status, result.stdout), (2, b""), " ".join(words))
        t.equal(len(result.stderr.splitlines()), 1, f"lines: {result.stderr}")
        t.check(b"not available yet" in result.stderr, result)


def built_folder(t):
    folder = os.path.join(t.folder, "built")
    os.makedirs(folder)
    for name in ("kernel.elf", "boot.img"):
        with open(os.path.join(folder, name), "wb"):
            pass
    return folder


def dry_run(t):
    built = built_folder(t)
    for machine, word in (("microvm", b"virtio-serial-device"), ("q35", b"-M q35")):
        result = t.exo("run", "--built", built, "--dry-run", "--machine", machine, "--memory=32M", "--smp", "2", "--append", "a b",
                       "--cpu=qemu64", "--", "true")
        t.equal(result.status, 0, machine)
        for wanted in (word, b"-m 32M", b"-smp 2", b"-cpu qemu64", b"-append 'a b'", b"kernel.elf", b"boot.img"):
            t.check(wanted in result.stdout, f"no {wanted} in {result.stdout}")
    result = t.exo("run", "--built", built, "--dry-run", "--append", "a b", "--sched", "beatty", "true")
    t.check(b"-append 'a b sched=beatty'" in result.stdout, result)
    result = t.exo("run", "--sched=nonsense", "true")
    t.check(b"--sched" in result.stderr and b"known are: stride, rr, beatty, rt, dag, hybrid" in result.stderr, result)
    result = t.exo("run", "--built", os.path.join(t.folder, "empty"), "true")
    t.equal(result.status, 1, "a folder with nothing in it")


def host_program_errors(t):
    built = built_folder(t)
    result = t.exo("run", "--built", built, "./nowhere")
    t.equal((result.status, result.stdout), (127, b""))
    result = t.exo("run", "--built", built, "./tools")
    t.equal(result.status, 126)
    result = t.exo("run", "--built", built, "--overlay", "/nowhere", "true")
    t.equal(result.status, 1)


def clean_stays_at_home(t):
    """clean removes only folders that a build made."""
    base = os.path.join(t.folder, "base")
    os.makedirs(os.path.join(base, "release"))
    os.makedirs(os.path.join(base, "mine"))
    with open(os.path.join(base, "release", "build.ninja"), "w"):
        pass
    result = t.exo("clean", env={"EXO_BUILD": base})
    t.equal(result.status, 0)
    t.equal(os.listdir(base), ["mine"], "what is left")


def play(t, folder_name="bin", **programs):
    """A PATH on which some programs are played by shell scripts."""
    folder = os.path.join(t.folder, folder_name)
    os.makedirs(folder)
    for name, text in programs.items():
        path = os.path.join(folder, name.replace("_", "-"))
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)
    return folder + ":/usr/bin:/bin"


def missing_packages(t):
    """On a machine without a package and without rights, ./exo says what to type."""
    path = play(t, dpkg_query="echo installed cmake; echo 'installed other, libother, qemu-system-x86 (= 1), gdb'; exit 1", id="echo 1000", sudo="exit 1")
    result = t.exo("run", "true", env={"PATH": path, "EXO_BUILD": os.path.join(t.folder, "b")})
    t.equal((result.status, result.stdout), (1, b""))
    t.check(b"apt-get install --no-install-recommends" in result.stderr, result)
    t.check(b" ninja-build" in result.stderr and b" cmake" not in result.stderr, result)
    t.check(b"qemu-system-x86" not in result.stderr, f"what another package provides is there: {result}")
    t.equal(len(result.stderr.splitlines()), 2, "lines of the error")


def packages_are_installed(t):
    """As root, and through sudo without a password, it installs what is missing and goes on."""
    built = built_folder(t)
    log = os.path.join(t.folder, "log")
    path = play(t, dpkg_query="echo installed cmake", id='cat "$FAKE_ID"', sudo='[ "$1" = -n ] || { echo sudo "$@" >>"$FAKE_LOG"; "$@"; }',
                apt_get='echo apt-get "$@" >>"$FAKE_LOG"; echo noise')
    for user, prefix in (("0", ""), ("1000", "sudo ")):
        with open(os.path.join(t.folder, "id"), "w") as file:
            file.write(user + "\n")
        env = {"PATH": path, "FAKE_ID": file.name, "FAKE_LOG": log, "EXO_BUILD": os.path.join(t.folder, "b" + user)}
        result = t.exo("run", "--built", built, "--dry-run", env=env)
        t.equal(result.status, 0, str(result))
        t.check(b"noise" not in result.stdout, "apt's messages are on standard output")
        with open(log) as file:
            text = file.read()
        t.check(f"{prefix}apt-get -q update" in text and "--no-install-recommends python3 ninja-build" in text, text)
        os.remove(log)
        result = t.exo("run", "--built", built, "--dry-run", env=env)
        t.check(not os.path.exists(log), "the second time it asks again")


def packages_of_one_command(t):
    """debug, test and the second compiler need packages of their own; a test can do without, the others cannot."""
    log = os.path.join(t.folder, "log")
    with open(t.path("packages.txt")) as file:
        packages = [line.split()[:2] for line in file if line.strip() and line[0] not in "# "]
    installed = "".join(f"installed {name}\n" for name, when in packages if when == "all")
    said = f"cat <<END\n{installed}END"
    rich = play(t, dpkg_query=said, id="echo 0", apt_get='echo apt-get "$@" >>"$FAKE_LOG"; exit 1')
    poor = play(t, "bin2", dpkg_query=said, id="echo 1000", sudo="exit 1")
    for words, when in ((["debug"], "debug"), (["run", "--compiler", "clang", "true"], "clang"),
                        (["run", "--compiler=clang", "true"], "clang"), (["test", "abi"], "test"),
                        (["test", "--long", "abi"], "test long"), (["test", "-j", "1", "--long", "abi"], "test long")):
        wanted = "".join(" " + name for who in when.split() for name, whens in packages if who in whens.split(",")) + "\n"
        build = os.path.join(t.folder, "b-" + words[0])
        result = t.exo(*words, env={"PATH": rich, "FAKE_LOG": log, "EXO_BUILD": build})
        t.equal((result.status, len(result.stderr.splitlines())), (1, 3), f"{words}: {result}")
        with open(log) as file:
            t.check(file.read().endswith("--no-install-recommends" + wanted), f"{words}: {result}")
        result = t.exo(*words, env={"PATH": poor, "EXO_BUILD": build})
        t.equal(result.status, 0 if words[0] == "test" else 1, f"{words} without rights: {result}")


def refusals(t):
    """What this machine refuses is said in two lines: a folder that cannot be written, a full disk, here or in the compiler."""
    path = play(t, cmake="echo 'ld: final link failed: No space left on device'; exit 1")
    for build, word in (("/sys/kernel/exo-build", b"/sys/kernel/exo-build"), (os.path.join(t.folder, "b"), b"no space is left")):
        result = t.exo("run", "true", env={"PATH": path, "EXO_BUILD": build})
        t.equal((result.status, result.stdout, len(result.stderr.splitlines())), (1, b"", 2), str(result))
        t.check(word in result.stderr, result)
    t.equal(refusal(OSError(errno.ENOSPC, "full")).text().splitlines()[0], "exo: writing: full")
    t.equal(refusal(FileNotFoundError(errno.ENOENT, "a fault of ours")), None)


def path_with_spaces(t):
    """The tree may lie anywhere."""
    tree = os.path.join(t.folder, "a tree")
    shutil.copytree(t.root, tree, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"), symlinks=True)
    build = os.path.join(tree, "build")
    for line in (["cmake", "--preset", "release"], ["ninja", "-C", os.path.join(build, "release"), "kernel", "rs"]):
        result = t.command(*line, cwd=tree, timeout=200)
        t.equal(result.status, 0, str(result))
    shutil.rmtree(tree)


def no_network(t):
    """Without the archive, packages of this machine are used if their files are unchanged; else two lines say what to do."""
    path = play(t, apt_get="exit 100")
    env = {"PATH": path, "XDG_CACHE_HOME": os.path.join(t.folder, "cache")}
    tool = ("/usr/bin/python3", t.path("tools/mkimage.py"), "--tree")
    installed = t.command("dpkg-query", "-W", "busybox-static", "bash-static", "mksh", "zsh-static", "ncurses-base")
    if installed.status == 0:
        result = t.command(*tool, os.path.join(t.folder, "tree"), env=env)
        t.equal(result.status, 0, str(result))
        t.check(b"copied from this machine" in result.stderr, result)
        t.check(os.path.exists(os.path.join(t.folder, "tree", "bin", "busybox")), "no busybox in the tree")
    env["PATH"] = play(t, "bin2", apt_get="exit 100", dpkg_query="exit 1")
    env["XDG_CACHE_HOME"] = os.path.join(t.folder, "cache2")
    result = t.command(*tool, os.path.join(t.folder, "tree2"), env=env)
    t.equal((result.status, len(result.stderr.splitlines())), (1, 2), str(result))
    t.check(b"cannot fetch the Debian package" in result.stderr, result)


def cases(_):
    for case in (help_texts, usage_errors, not_yet, dry_run, host_program_errors, clean_stays_at_home, missing_packages,
                 packages_are_installed, packages_of_one_command, refusals, no_network):
        yield case.__name__.replace("_", "-"), case
    yield "path-with-spaces", path_with_spaces, 240
