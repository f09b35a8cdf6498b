"""Suites that come as Debian packages: CPython's own tests, for the modules about the operating system, and stress-ng, one stressor after another.
"""

import re

CPYTHON = """asynchat asyncio asyncore bufio concurrent_futures crypt devpoll eintr epoll errno faulthandler fcntl file file_eintr filecmp fileinput
fileio fork1 genericpath getpass glob grp gzip io ioctl largefile memoryio mmap multiprocessing_fork multiprocessing_main_handling openpty os pathlib
pipes poll popen posix posixpath pty pwd queue resource sched select selectors shutil signal socket socketserver spwd sqlite3 stat subprocess syslog
tarfile tempfile thread threadedtempfile threading threading_local threadsignals time timeout univnewlines wait3 wait4 zipfile""".split()

# By what is verified: CPU, memory, pipes, processes, futexes, signals, files, sockets. Left out: what changes or exhausts the host's machine.
STRESSORS = """atomic branch bsearch context cpu crypt fp fp-error funccall funcret getrandom goto hash heapsort hsearch jpeg judy list longjmp lsearch
matrix matrix-3d mergesort nop opcode plugin prefetch priv-instr qsort radixsort rdrand regs rotate shellsort skiplist sparsematrix str stream syncload
tree tsc tsearch vecfp vecmath vecshuf vecwide waitcpu wcs x86cpuid zlib
bad-altstack brk dev-shm env full madvise malloc mcontend membarrier memcpy memfd mincore mlock mmap mmapaddr mmapfixed mmapmany mprotect mremap msync
munmap null pagemove pageswap pkey remap resources rmap seal shm shm-sysv stack stackmmap tlb-shootdown tmpfs urandom vm vm-addr vm-rw vm-segv zero
fifo pipe pipeherd ring-pipe sendfile splice tee vm-splice
clone daemon exit-group fork forkheavy pthread session switch vfork vforkmany wait yield zombie
futex mutex sem sem-sysv
alarm clock fault itimer kill nanosleep pidfd sigabrt sigchld sigfd sigfpe sigio signal signest sigpending sigpipe sigq sigrt sigsegv sigsuspend
sigtrap sleep timer timerfd
access aio chattr chdir chmod chown copy-file dentry dir dirdeep dirmany dnotify dup eventfd fallocate fcntl file-ioctl filename flock fpunch fsize
fstat getdent handle hdd inode-flags inotify io iomix lease link locka lockf lockofd mknod open procfs readahead rename revio seek symlink sync-file
touch utime xattr
affinity bad-ioctl chroot close dynlib enosys epoll get kcmp loadavg mq msg nice personality poll prctl pty race-sched resched rlimit schedpolicy set
sock sockfd sockmany sockpair sysbadaddr syscall sysinfo sysinval udp""".split()

WORDS = {"ok": "pass", "expected": "pass", "skipped": "skip", "FAIL": "fail", "ERROR": "fail"}
VERDICT = r"(ok|FAIL|ERROR|skipped .*|expected failure)"


def cpython_gather(source, folder):
    return [(name, f"cd /tmp && export LC_ALL=C.UTF-8 PYTHONPYCACHEPREFIX=/tmp/pyc\nexec python3 -m test -v test_{name} 2>&1") for name in CPYTHON]


def test_name(method, path):
    """`method (test.test_os.Class.method)` or, of a whole class or module, `setUpClass (test.test_os.Class)`, as one name."""
    path = path.removeprefix("test.")
    return path if path.endswith("." + method) else f"{path}.{method}"


def cpython_read(status, out, err):
    """unittest's lines: a name, perhaps a line of the test's documentation, and at a line's end the verdict. Its status of 2 says only that some failed."""
    found, open_test = {"": {0: "pass", 2: "pass", 124: "hang", 137: "hang"}.get(status, "fail")}, None
    for line in out.splitlines():
        begins = re.match(r"(\w+) \((test\.[\w.]+)\)", line)
        if begins:
            open_test = test_name(begins[1], begins[2])
            found[open_test] = "no end"
        ends = re.search(r"(?:\.\.\. |^)" + VERDICT + "$", line)
        if ends and open_test:
            found[open_test], open_test = WORDS[ends[1].split()[0]], None
        failed = re.match(r"(FAIL|ERROR): (\w+) \((test\.[\w.]+)\)", line)
        if failed:
            found[test_name(failed[2], failed[3])] = "fail"
    return found


def stress_gather(source, folder):
    return [(name, f"exec stress-ng --{name} 1 --{name}-ops {100 if name == 'cpu' else 20} --verify --timeout 20 --temp-path /tmp/case --no-rand-seed 2>&1")
            for name in STRESSORS]


def stress_read(status, out, err):
    """Capabilities cannot be given up here (CAVEATS.md): that alone is no failure of what is stressed."""
    failures = [line for line in out.splitlines() if "fail:" in line and "capset on pid" not in line]
    if status in (124, 137):
        return {"": "hang"}
    if "No stress workers invoked" in out:
        return {"": "skip"}
    return {"": "fail" if failures or status not in (0, 2) or (status == 2 and "capset on pid" not in out) else "pass"}
