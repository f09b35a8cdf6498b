"""--strace against strace: Debian's runs in the guest, so one boot gives the lines of both, and those of each process that strace watches must be the
same, but for what NORMAL and the comments below say."""

import difflib
import os
import re
import shutil

# Names that strace gives to a number which means something else besides.
NORMAL = (re.compile(r"(?:SNDCTL|BTRFS_IOC)_\w+ or "), "")
RESULT = (re.compile(r" +(= )"), r" \1")

TOOLS = """
cd /tmp; mkdir t; for i in 1 2 3; do echo $i >t/$i; done; ln -s 1 t/link; ln t/2 t/hard; umask 077
tar cf a.tar t; tar tf a.tar | wc -l; mkdir x; tar xf a.tar -C x; find x t -name '[12]' -newer a.tar; find t -type l | sort; cp -a t y; mv y z; rm -r z
du -s t; df /; ls -la t; stat t/1; touch -d 2001-01-01 t/1; chmod 4711 t/1; chown 1:2 t/2; mkfifo f; (cat f & echo hi >f; wait)
dd if=/dev/zero of=t/z bs=4k count=3; truncate -s 100 t/z; sync; sort -R t/1; head -c 5 /dev/urandom | wc -c; date; id; nice -n 3 true; timeout 1 sleep 0.01
env -i /usr/bin/true; tail -n1 t/1; seq 3 | tac; realpath x; nohup true; stty -a; tty; mktemp; flock t true; cat /nowhere; kill -USR1 $$
"""

PYTHON = """
import asyncio, fcntl, mmap, os, resource, select, signal, socket, subprocess, tempfile, threading, time
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    peer, _ = listener.accept()
    peer.sendall(peer.recv(100))
    peer.close()
server = threading.Thread(target=serve)
server.start()
with socket.create_connection(listener.getsockname(), timeout=50) as client:
    client.sendall(b"hello")
    client.recv(100)
server.join()
ours, theirs = socket.socketpair()
socket.send_fds(ours, [b"x"], [0, 1])
socket.recv_fds(theirs, 10, 4)
subprocess.run(["cat"], input=b"abc", capture_output=True)
subprocess.run("exit 3", shell=True)
async def both():
    await asyncio.gather(asyncio.sleep(0.01), asyncio.to_thread(os.getpid))
    await (await asyncio.create_subprocess_exec("true")).wait()
asyncio.run(both())
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.1)
signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
with tempfile.TemporaryFile() as file:
    file.write(b"x" * 5000)
    file.flush()
    mmap.mmap(file.fileno(), 5000).close()
    fcntl.lockf(file, fcntl.LOCK_EX)
ours.send(b"y")
epoll = select.epoll()
epoll.register(theirs, select.EPOLLIN)
epoll.poll(1)
select.select([theirs], [ours], [], 1)
poll = select.poll()
poll.register(theirs)
poll.poll(1)
resource.getrusage(resource.RUSAGE_SELF)
barrier = threading.Barrier(3)
threads = [threading.Thread(target=lambda: (barrier.wait(), time.sleep(0.001))) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def by_process(lines, pattern):
    """{pid: its lines}, where a line that another one interrupted is whole again."""
    found, begun = {}, {}
    for line in lines:
        match = re.match(pattern, line)
        if not match:
            continue
        pid, text = int(match[1]), match[2]
        start = re.match(r"(.*?) ?<unfinished \.\.\.>$", text)
        rest = re.match(r"<\.\.\. \w+ resumed>(.*)$", text)
        if start:
            begun[pid] = start[1]
            continue
        if rest:
            text = begun.pop(pid, "?") + rest[1]
        elif begun.get(pid, "").startswith("exit("):  # a thread's end: strace does not resume it
            found[pid].append(begun.pop(pid) + ") = ?")
        for what, instead in (RESULT, NORMAL):
            text = what.sub(instead, text)
        found.setdefault(pid, []).append(text)
    return found


def differences(theirs, ours):
    """What differs, as a diff. Before its first program a process is strace's own. Who is killed by SIGKILL writes nothing any more."""
    shown = []
    for pid, lines in theirs.items():
        mine = ours.get(pid, [])
        if lines[0] in mine:
            mine = mine[mine.index(lines[0]):]
        if lines[-1] == "+++ killed by SIGKILL +++":
            lines = lines[:-1]
            lines = lines[:-1] if lines and "<unavailable>" in lines[-1] or len(lines) > len(mine) else lines
            mine = mine[:len(lines)]
        shown += difflib.unified_diff(lines, mine, f"strace {pid}", f"--strace {pid}", n=0, lineterm="")
    return shown


def compare(t, files, words, least, options=(), timeout=60):
    """`words` under both; there are at least so many lines."""
    folder = os.path.join(t.folder, "overlay", "w")
    os.makedirs(folder)
    for name, content in files.items():
        if isinstance(content, str):
            with open(os.path.join(folder, name), "w") as file:
                file.write(content)
        else:
            shutil.copy(os.path.join(t.built, *content), os.path.join(folder, name))
    script = "strace -f -o /tmp/.log " + words + " </dev/null >/dev/null 2>&1; cat /tmp/.log"
    result = t.guest("sh", "-c", script, options=["--strace", "--package=strace", f"--overlay={os.path.dirname(folder)}", *options], timeout=timeout)
    theirs = by_process(result.stdout.decode(errors="replace").splitlines(), r"(\d+) +(.*)$")
    ours = by_process(result.stderr.decode(errors="replace").splitlines(), r"\[pid +(\d+)\] (.*)$")
    t.check(sum(map(len, theirs.values())) >= least, f"strace printed too little: {result}")
    shown = differences(theirs, ours)
    t.check(not shown, "\n".join(shown))


def programs_of_ours(t):
    compare(t, {name: ("tests", "system", f"strace_{name}") for name in ("files", "tasks")}, "sh -c '/w/files; /w/tasks'", 450)


def wild_arguments(t):
    """No address leads anywhere: each call has its line, the addresses stand in it as they are, and the program goes on."""
    name = os.path.relpath(os.path.join(t.built, "tests", "system", "strace_files"), t.root)
    result = t.guest("./" + name, "wild", options=["--strace"], timeout=60)
    lines = result.stderr.decode(errors="replace").splitlines()
    t.equal(result.status, 0)
    for call in ("sendmsg", "recvmsg", "select", "statx", "clone3", "ioctl", "fcntl", "prctl", "futex", "epoll_ctl", "semop", "getdents64", "capget"):
        found = [line for line in lines if re.match(rf"(?:\[pid +\d+\] )?{call}\(", line)]
        t.check(len(found) >= 4 and all(re.search(r" = (?:-1 E\w+ \(.*\)|-?\d+|0x[0-9a-f]+.*)$", line) for line in found), f"{call}: {found}")


def tools(t):
    packages = [f"--package={name}" for name in ("dash", "tar", "findutils", "coreutils", "util-linux")]
    compare(t, {"tools.sh": TOOLS}, "dash /w/tools.sh", 4000, packages, 300)


def python(t):
    compare(t, {"work.py": PYTHON}, "python3 /w/work.py", 2500, ["--package=python3", "--memory=256M"], 300)


def summary(t):
    """The table has each call that a line shows, and how often; also those of who is killed."""
    folder = os.path.join(t.folder, "overlay", "w")
    os.makedirs(folder)
    for name in ("files", "tasks"):
        shutil.copy(os.path.join(t.built, "tests", "system", f"strace_{name}"), os.path.join(folder, name))
    # Who is killed has slept for a while: between two lines of his he would have counted a call that no line shows.
    asleep = "n=0; while [ $n -lt 20 ]; do read -r _ name state _ </proc/$p/stat; [ $name$state = '(sleep)S' ] && n=$((n + 1)) || n=0; done"
    script = f"/w/files; /w/tasks; sleep 100 & p=$!; {asleep}; kill -9 $p; wait"
    result = t.guest("sh", "-c", script, options=["--strace", "--strace-summary", "--overlay", os.path.dirname(folder)], timeout=60)
    lines = result.stderr.decode(errors="replace").splitlines()
    at = next((at for at, line in enumerate(lines) if line.startswith("% time")), None)
    t.check(at is not None, result)
    calls, errors = {}, {}
    for line in lines[:at]:
        match = re.match(r"(?:\[pid +\d+\] )?(\w+)\(.*\) += (\?(?= E)|-1 E|-1 \(errno|.)", line)
        if match and not re.match(r".*= \?$", line):
            calls[match[1]] = calls.get(match[1], 0) + 1
            errors[match[1]] = errors.get(match[1], 0) + (match[2] in ("?", "-1 E", "-1 (errno"))
    shown = {words[-1]: (int(words[3]), int(words[4]) if len(words) == 6 else 0) for words in map(str.split, lines[at + 2:-2])}
    t.equal(shown, {name: (calls[name], errors[name]) for name in calls})
    t.check(sum(calls.values()) > 300 and lines[-1].split()[3] == str(sum(calls.values())), lines[-1])


def summary_alone(t):
    result = t.guest("sh", "-c", "cat /nowhere; exit 3", options=["--strace-summary"])
    t.equal((result.status, result.stdout), (3, b""))
    t.check(b"openat(" not in result.stderr and b" openat\n" in result.stderr and b" total\n" in result.stderr, result)
    result = t.guest("no-such-program", options=["--strace-summary"])
    t.check(result.status == 127 and b"nothing to sum up" in result.stderr, result)


def cases(t):
    yield "calls", programs_of_ours, 120
    yield "summary", summary, 120
    yield "summary-alone", summary_alone, 60
    yield "wild-arguments", wild_arguments, 120
    if t.long:
        yield "tools", tools, 400
        yield "python", python, 400
