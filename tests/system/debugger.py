"""./exo debug: gdb stops in the kernel, the libOS and the program, with names; the command exo shows what the kernel has."""

import os
import re
import shutil

MAGIC = b"0x65786f2d64656275"
PLACE = 0x10000000


def debug(t, script, *command, options=(), timeout=120):
    """Runs gdb with the commands; the text between `echo ==NAME` marks, by name."""
    if not shutil.which("gdb"):
        t.skip("gdb is not installed")
    lines = "\n".join(script) + "\nkill\nquit\n"
    result = t.command("/bin/sh", "-c", 'exec "$@" 2>&1', "sh", t.path("exo"), "debug", "--built", t.built, "--quiet", *options, "--", *command,
                       stdin=lines.encode(), timeout=timeout, env={"COLUMNS": "400", "EXO_NO_REWRITE": ""})
    t.equal(result.status, 0, str(result))
    parts = re.split(r"==(\w+)\n", result.stdout.decode(errors="replace").replace("(gdb) ", ""))
    return dict(zip(parts[1::2], parts[2::2]))


def marked(*commands):
    """Each command with a mark before it: (name, command)."""
    return [line for name, command in commands for line in (f"echo =={name}\\n", command)]


def program(t):
    return f"{t.built}/tests/system/debugged"


def stops_by_name(t):
    said = debug(t, ["hbreak boot_main", "continue", *marked(("kernel", "bt 1")), "delete", "hbreak px_dispatch_slow", "continue",
                     *marked(("libos", "bt 1"), ("fs", "exo symbols fs"), ("end", "delete")), "continue"], "echo", "from-the-guest")
    for name, text in (("kernel", "boot_main"), ("libos", "px_dispatch_slow"), ("fs", "fs"), ("end", "from-the-guest")):
        t.check(text in said[name], f"no {text} in {said}")


def table(text):
    """The rows of a table as dictionaries: columns are where the head has its words."""
    lines = [line for line in text.split("\n") if line]
    return [re.split(r"  +", line.strip()) for line in lines]


AT_WORK = ["hbreak all_is_there if $_exo_in(\"debugged\")", "continue", "echo ==ids\\n", "printf \"%d %d\\n\", parent, child"]


def shows_the_kernel(t):
    """While the program of tests/system/debugged.c stands at all_is_there: what it did is what is shown."""
    said = debug(t, AT_WORK + marked(
        ("envs", "exo envs"), ("env", "exo env"), ("caps", "exo caps"), ("rw", f"exo pages at {PLACE}"), ("ro", f"exo pages at {PLACE + 4096}"),
        ("none", f"exo pages at {PLACE + 3 * 4096}"), ("pages", "exo pages"), ("queues", "exo queues"), ("gas", "exo gas"), ("frames", "exo frames"),
        ("fs", "exo env fs")), "./" + relative(t, program(t)), options=["--gas", "50M"])
    parent, child = (int(text) for text in said["ids"].split())
    rows = table(said["envs"])
    by_pid = {row[2]: row for row in rows if row[1] == "debugged"}
    t.equal(sorted(by_pid), sorted([str(parent), str(child)]), said["envs"])
    t.check(by_pid[str(parent)][5] == "1 running" and by_pid[str(child)][5] == "1 wait", said["envs"])
    t.equal([row[1] for row in rows if row[1] in ("rs", "proc", "fs", "tty")], ["rs", "proc", "fs", "tty"], said["envs"])
    number = by_pid[str(parent)][0]
    t.check(f"environment {number}: debugged, process {parent}" in said["env"] and "all_is_there" in said["env"], said["env"])
    t.check(re.search(r"^ *1 +0x1 +env " + number + r" \(debugged\) +MAP .* proc slot \d+", said["caps"], re.M), said["caps"])
    check_pages(t, said)
    t.check(re.search(r"cpu \d: context \d+ of " + number + " debugged", said["queues"]), said["queues"])
    t.check("optimised out" not in said["queues"] and "timers:" in said["queues"], said["queues"])
    t.check(f"of {by_pid[str(child)][0]} debugged" in said["queues"].split("asleep on words:")[1].split("endpoints:")[0], said["queues"])
    t.check(re.search(r"receives.*fs", said["queues"]), said["queues"])
    limited = [row for row in table(said["gas"]) if "debugged" in row[-1]]
    t.check(limited and 0 < int(limited[0][2]) < 50_000_000, said["gas"])
    total, free = (int(text) for text in re.search(r"(\d+) frames .*: (\d+) free", said["frames"]).groups())
    t.equal(sum(int(row[2]) for row in table(said["frames"])[2:]), total - free, said["frames"])
    t.check("receive" in said["fs"] and "endpoint" in said["fs"], said["fs"])


def check_pages(t, said):
    t.check(": rw- at 0x" in said["rw"] and "used, 1 references" in said["rw"], said["rw"])
    t.check(": r-- at 0x" in said["ro"], said["ro"])
    t.check("no page" in said["none"], said["none"])
    lines = {row[0]: row for row in table(said["pages"])}
    t.check(lines[f"{PLACE:#x}"][1:4] == [f"{PLACE + 4096:#x}", "1", "rw-"], said["pages"])
    t.check(lines[f"{PLACE + 4096:#x}"][3] == "r--", said["pages"])


def relative(t, path):
    """The path as ./exo takes programs of this machine."""
    return os.path.relpath(path, t.root)


def follows_capabilities(t):
    """A process's own environment is a capability that derives from proc's; the frame that a page is in holds what the program wrote."""
    said = debug(t, AT_WORK + marked(("caps", "exo caps"), ("tree", "exo caps slot 1"), ("rw", f"exo pages at {PLACE}"),
                                     ("word", "x/gx 0xffffff8000000000 + $_exo_physical"), ("who", "exo frames at $_exo_physical")),
                 "./" + relative(t, program(t)))
    parent = re.search(r"^ *1 .* (\d+ proc slot \d+)", said["caps"], re.M)[1]
    lines = said["tree"].split("\n")
    own = next(at for at, line in enumerate(lines) if line.startswith("* "))
    t.check(" slot 1 " in lines[own] and "debugged" in lines[own], said["tree"])
    t.check(parent in lines[own - 1] and indent(lines[own - 1]) < indent(lines[own]), said["tree"])
    t.check(MAGIC in said["word"].encode(), said["word"])
    t.equal(len(re.findall(r"mapped by \d+ debugged at 0x10000000 \(rw-\)", said["who"])), 1, said["who"])


def indent(line):
    return len(line[1:]) - len(line[1:].lstrip())


# In gdb: goes on by instructions to where the program's function is again, and says each way of frames that it sees, once.
STEPS = """python
def chain():
    frame, names = gdb.newest_frame(), []
    while frame is not None and len(names) < 60:
        name = gdb.execute(f"info symbol {frame.pc():#x}", to_string=True).split()[0] if frame.type() == gdb.SIGTRAMP_FRAME else frame.name()
        names.append(name or "?")
        frame = frame.older()
    return names

def walk(most):
    seen = set()
    for number in range(most):
        gdb.execute("stepi", to_string=True)
        names = chain()
        if tuple(names) not in seen:
            print("WAY", *names)
            seen.add(tuple(names))
        if names[0] == "middle":
            break
    print("STEPS", number + 1)

end"""


def ways(t, said):
    """What walk saw, as lists of names. Each leads to the program."""
    found = [line.split()[1:] for line in said.split("\n") if line.startswith("WAY ")]
    t.check(found and "STEPS" in said and int(re.search(r"STEPS (\d+)", said)[1]) < 4000, said)
    for way in found:
        t.check(way[-2:] in (["hot", "main"], ["middle", "main"]) or way[-1] == "main" and "middle" in way, f"no way to the program: {way}\n{said}")
    return found


def steps_through(t):
    """From the program into its libOS and the kernel and back, instruction by instruction: each backtrace leads to the program. On one processor:
    where the kernel's lock is taken gdb does not know every register's place."""
    said = debug(t, AT_WORK + ["delete", 'hbreak own_call if $_exo_in("debugged")', "continue", STEPS] +
                 marked(("getppid", "python walk(4000)")) +
                 ["delete", 'hbreak own_call if $_exo_in("debugged") && number == 24', "continue"] + marked(("yield", "python walk(4000)")),
                 "./" + relative(t, program(t)), options=("--smp", "1"))
    found = ways(t, said["getppid"])
    t.check(any("px_sys_getppid" in way and "px_syscall_entry" in way for way in found), said["getppid"])
    found = ways(t, said["yield"])
    for chain in (["syscall_entry"], ["px_syscall_entry"]):
        t.check(any(way[0] in chain for way in found), said["yield"])
    libos = [way for way in found if any(name.startswith("px_sys") for name in way)]
    t.check(libos, said["yield"])
    kernel = [way for way in found if "px_syscall_entry" in way and any(name in ("syscall_entry", "fast_or_redirect", "trap_call", "any_call", "resume_context")
                                                                         for name in way)]
    t.check(kernel, f"kernel, libOS and program are in no backtrace: {said['yield']}")


def steps_through_rewritten(t):
    """A hot system call is a jump to the libOS by then."""
    said = debug(t, AT_WORK + ["delete", 'hbreak own_call if $_exo_in("debugged")', "ignore 2 290", "continue", STEPS] +
                 marked(("jump", "python walk(4000)")), "./" + relative(t, program(t)))
    found = ways(t, said["jump"])
    t.check(any("px_site_entry" in way for way in found) and not any("redirect" in way for way in found), said["jump"])


def shows_faults(t):
    """A page fault of the program: the kernel's backtrace leads through the trap to the instruction."""
    said = debug(t, ['hbreak wrong if $_exo_in("debugged")', "continue", "delete", "hbreak *trap_user if $rsi == 14", "continue"] +
                 marked(("kernel", "bt"), ("still", "delete")) + ["hbreak px_upcall_program", "continue"] + marked(("libos", "bt"), ("end", "delete")) +
                 ["hbreak px_signal_force", "continue"] + marked(("signal", "bt")), "./" + relative(t, program(t)), "crash")
    for name, first, entry in (("kernel", "trap_user", "trap_common"), ("libos", "px_upcall_program", "px_upcall_entry"),
                               ("signal", "px_signal_force", "px_upcall_entry")):
        t.check(re.search(rf"#0 .*{first}(.*\n)+#.* {entry} (.*\n)+#.* wrong \(.*0x1234(.*\n)+#.* main ", said[name]), said[name])


def refuses(t):
    """What cannot be shown is an error with a reason, and gdb goes on."""
    said = debug(t, marked(("early", "exo envs")) + AT_WORK + marked(
        ("nothing", "exo"), ("env", "exo env 999999"), ("name", "exo env nobody"), ("pid", "exo caps pid 31000"), ("two", "exo env debugged"),
        ("slot", "exo caps 3 slot 60000"), ("word", "exo caps 3 slot x"), ("address", "exo pages at 0x800000000000"), ("symbol", "exo pages at no_such"),
        ("arguments", "exo queues 1"), ("frame", "exo frames 7"), ("device", "exo frames at 0xfee00000"), ("unknown", "exo thing"),
        ("late", "printf \"%d\\n\", 41 + 1")), "./" + relative(t, program(t)))
    for name, text in (("early", "the kernel has not begun"), ("nothing", "say what: exo envs"), ("env", "there is no environment 999999"),
                       ("name", "there is no environment nobody"), ("pid", "there is no environment pid 31000"), ("two", "say which"),
                       ("slot", "slot 60000 of environment 3 is empty"), ("word", "a slot is a number"), ("address", "is no address"),
                       ("symbol", "No symbol"), ("arguments", "exo queues takes nothing"), ("frame", "exo frames takes nothing"),
                       ("device", "no RAM"), ("unknown", "there is no exo thing"), ("late", "42")):
        t.check(text in said[name], f"{name}: {said[name]}")


def crash(t, *command, built=None, options=(), env=None):
    return t.exo("run", "--built", built or t.built, "--quiet", "--backtrace", *options, "--", *command, timeout=120, env=env)


def backtraces_of_programs(t):
    """--backtrace: from the libOS's end of the program to its main; nothing of who is well; the status is the program's."""
    result = crash(t, "./" + relative(t, program(t)), "crash")
    said = result.stderr.decode(errors="replace")
    t.equal((result.status, result.stdout), (139, b"done\n" if b"done" in result.stdout else b""), said)
    t.check(re.search(r"exo: backtrace: process \d+ \(debugged\) is ended by signal 11\n#0 .*px_core_dump(.*\n)+#.* px_upcall_entry "
                      r"(.*\n)+#.* wrong \(.*0x1234(.*\n)+#.* main ", said), said)
    result = crash(t, "sh", "-c", "kill -TERM $$; exit 3")
    t.equal((result.status, result.stderr), (143, b""), "who is ended by a signal that means no crash")
    result = crash(t, "sh", "-c", "echo good; exit 3")
    t.equal((result.status, result.stdout, result.stderr), (3, b"good\n", b""), "who is well")


def backtraces_of_the_kernel(t):
    """A boot image that is cut off, upon which the kernel panics."""
    broken = os.path.join(t.folder, "broken")
    os.makedirs(broken)
    for name in ("kernel.elf", "exo", "generated"):
        os.symlink(os.path.join(os.path.abspath(t.built), name), os.path.join(broken, name))
    with open(os.path.join(t.built, "boot.img"), "rb") as file, open(os.path.join(broken, "boot.img"), "wb") as cut:
        cut.write(file.read(5000))
    result = crash(t, "true", built=broken)
    said = result.stderr.decode(errors="replace")
    t.equal(result.status, 200, said)
    t.check(re.search(r"exo: backtrace: the kernel panics, before anybody runs\n#0 .*panic(.*\n)+#.* boot_main (.*\n)?", said), said)


def backtraces_of_servers(t):
    """fs is made to fault: the way leads from the kernel's end of it to its own functions."""
    said = debug(t, ["hbreak px_dispatch_slow", "continue", "exo symbols fs", "delete", 'hbreak do_create if $_exo_in("fs")', "continue",
                     "set var $rdi = 0x1234", "set var $rsi = 0x1234", "delete", "hbreak *env_end if ($rsi & 0xff) == 2", "continue",
                     "python import crashes; crashes.report(crashes.in_environment())"], "sh", "-c", "echo > /tmp/new")
    t.check(re.search(r"environment \d+ \(fs\) ends by exception 14 at 0x4[0-9a-f]+, address 0x12", said["backtrace"]), said)
    t.check(re.search(r"#0 .*env_end(.*\n)+#.* trap_common (.*\n)+#.* do_create(.*\n)+#.* exo_main ", said["backtrace"]), said)


def backtrace_misuse(t):
    result = crash(t, "true", options=["--gdb"])
    t.equal(result.status, 2, str(result))
    t.check(b"--backtrace" in result.stderr, str(result))
    folder = os.path.join(t.folder, "bin")
    os.makedirs(folder)
    for name in ("python3", "sh", "env", "dirname", "uname", "readlink"):
        if shutil.which(name):
            os.symlink(shutil.which(name), os.path.join(folder, name))
    result = crash(t, "true", env={"PATH": folder})
    t.check(result.status != 0 and b"gdb is not installed" in result.stderr, str(result))


def cases(_):
    yield "stops-by-name", stops_by_name, 150
    yield "shows-the-kernel", shows_the_kernel, 150
    yield "follows-capabilities", follows_capabilities, 150
    yield "refuses", refuses, 150
    yield "steps-through", steps_through, 150
    yield "steps-through-rewritten", steps_through_rewritten, 150
    yield "shows-faults", shows_faults, 150
    yield "backtraces-of-programs", backtraces_of_programs, 150
    yield "backtraces-of-the-kernel", backtraces_of_the_kernel, 150
    yield "backtraces-of-servers", backtraces_of_servers, 150
    yield "backtrace-misuse", backtrace_misuse, 60
