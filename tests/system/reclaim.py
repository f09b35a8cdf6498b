"""exo reclaim: memory comes together from processes, and who asks, and what was not asked, goes on."""

HOG = "(x=$(yes | head -c 40000000); echo > /tmp/ready; sleep 1000; echo ${#x}) & while [ ! -e /tmp/ready ]; do sleep 0.05; done\n"
FREE = "free() { while read name value unit; do [ $name = MemFree: ] && echo free $value; done < /proc/meminfo; }\n"


def run(t, script, *options):
    return t.guest("bash", "-c", script, options=("--memory", "128M", *options), timeout=90)


def rows(result):
    """{(pid, name): (asked, given, taken)}, and the amount of the last line."""
    table = {}
    for line in result.stdout.decode().splitlines():
        words = line.split()
        if len(words) >= 7 and all(word.isdigit() for word in words[:1] + words[4:7]):
            table[int(words[0]), words[1]] = tuple(int(word) for word in words[4:7])
    return table


def half(t):
    """Half of the memory is a hog's: it loses that, and the shell goes on."""
    result = run(t, FREE + HOG + "free; exo reclaim -t 0.5 32M; echo status $?; free; echo goes on; ls -d /bin; (exit 7); echo $?")
    t.equal(result.status, 0, result)
    lines = result.stdout.decode().splitlines()
    t.check("status 0" in lines, result)
    t.equal(lines[-3:], ["goes on", "/bin", "7"], result)
    before, after = [int(line.split()[1]) for line in lines if line.startswith("free ")]
    t.check(after - before >= 31 << 10, f"{after - before} KiB more are free")
    table = rows(result)
    shell = [row for (pid, name), row in table.items() if pid == 2]
    t.check(shell and shell[0][2] == 0, f"nothing is taken from those above: {table}")
    t.check(sum(row[1] + row[2] for row in table.values()) >= 32 << 10, table)


def polite(t):
    """-n takes nothing: the hog keeps what it has, and says so at the end."""
    script = HOG.replace("sleep 1000", "sleep 2") + "exo reclaim -n -t 0.3 32M; echo status $?; wait"
    result = run(t, script)
    t.check(b"status 1\n" in result.stdout and result.stdout.endswith(b"\n39999999\n"), result)
    t.check(all(row[2] == 0 for row in rows(result).values()), result)


def named(t):
    result = run(t, "sleep 100 & sleep 101 & exo reclaim -t 0.2 -p $! 16K; echo status $?")
    t.check(b"status 0" in result.stdout, result)
    t.equal([name for _, name in rows(result)], ["sleep"], result)


def pipeline(t):
    result = run(t, "exo reclaim -t 0.2 64M | (cat; echo read all)")
    t.check(result.stdout.endswith(b"KiB came together\nread all\n"), result)


def zones(t):
    """From a zone only that zone is seen; from above a zone can be chosen."""
    result = run(t, "exo zone GUEST sh -c 'sleep 100 & exo reclaim -t 0.2 -p 2 1M; echo status $?; exo reclaim -n -t 0.2 1M'")
    t.check(b"status 125" in result.stdout and b"-p 2: no process that can be asked" in result.stderr, result)
    t.check(rows(result) and all(pid > 32767 for pid, _ in rows(result)), result)
    result = run(t, "exo zone GUEST sleep 100 & while ! exo reclaim -n -t 0 -z GUEST 4K >/dev/null 2>&1; [ $? = 125 ]; do sleep 0.1; done\n"
                    "exo reclaim -t 0.2 -z GUEST 32K; echo status $?; exo reclaim -z SANDBOX 1M; echo status $?")
    t.check(b"status 0\nstatus 125\n" in result.stdout, result)
    t.check(rows(result) and all(pid > 32767 for pid, _ in rows(result)), result)


def misuse(t):
    words = ["", "0", "x", "-1", "1T", "1MB", "99999999999999999999", "20000000000G", "1M 2M", "-t", "-t x 1M", "-t -1 1M", "-t nan 1M", "-p 0 1M",
             "-p x 1M", "-p 1, 1M", "-q 1M", "-z GUEST -p 2 1M"]
    result = run(t, "\n".join(f"exo reclaim {word} 2> /tmp/said; echo $? $(wc -l < /tmp/said)" for word in words))
    for word, line in zip(words, result.stdout.decode().splitlines()):
        t.equal(line.split(), ["2", "2"], f"exo reclaim {word}: {result}")
    t.equal(len(result.stdout.splitlines()), len(words), result)


def stale(t):
    """An asker that is killed leaves its demands behind: they are withdrawn when their time is over."""
    result = run(t, "sleep 100 & p=$!\nexo reclaim -t 1 -p $p 1M & sleep 0.3; exo reclaim -t 0 -p $p 4K | grep -c busy; kill -9 %2; sleep 2\n"
                    "exo reclaim -t 0 -p $p 4K; echo status $?", "--quiet")
    t.check(result.stdout.startswith(b"1\n") and b"status 0" in result.stdout, result)


def cases(_):
    yield "half-of-the-memory", half, 120
    yield "polite", polite, 120
    yield "named", named, 120
    yield "pipeline", pipeline, 120
    yield "zones", zones, 240
    yield "misuse", misuse, 120
    yield "abandoned", stale, 120
