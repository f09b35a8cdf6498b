"""exo top: what it shows is what the kernel counts, of whom the caller may see, and the share that the policies owe."""

HOGS = "while :; do :; done & while :; do :; done & "
GUEST = "exo zone GUEST --weight 300 sh -c 'while :; do :; done' & "


def tables(result):
    """[(lines of the head, {zone: row}, [row, ...])] for each look; rows by column name, the last column's words in one."""
    looks = []
    for text in result.stdout.decode().split("exo top: ")[1:]:
        lines = text.rstrip("\n").split("\n")
        zones = next(i for i, line in enumerate(lines) if line.split()[:1] == ["ZONE"])
        rows = next(i for i, line in enumerate(lines) if line.split()[:1] == ["PID"])
        named = [[dict(zip(lines[head].split(), line.split(None, len(lines[head].split()) - 1))) for line in lines[head + 1:end]]
                 for head, end in ((zones, rows), (rows, len(lines)))]
        looks.append((lines[:zones], {row["LABEL"]: row for row in named[0]}, named[1]))
    return looks


def shares(t):
    """Hogs in two zones, one with three times the weight: each has what it is owed, and the whole is given."""
    result = t.guest("sh", "-c", HOGS + GUEST + "sleep 0.5; exo top -b -n 3 -d 2", options=("--smp", "1"), timeout=90)
    t.equal(result.status, 0, result)
    looks = tables(result)
    t.equal(len(looks), 3, result)
    for _, zones, rows in looks:
        guest, user = float(zones["GUEST"]["DUE%"]), float(zones["USER"]["DUE%"])
        t.check(70 < guest < 76 and 95 < user < 100.5, f"three quarters of what the servers leave: {result}")
        hogs = [row for row in rows if row["NAME"] == "sh" and row["S"] == "R"]
        t.equal(len(hogs), 3, result)
        owed = sum(float(row["DUE%"]) for row in rows if row["PID"] != "-")
        t.check(abs(owed - user) < 1.5, f"what is owed to a zone is owed to those in it: {owed} of {user}")
        for row in rows:
            t.check(row in hogs or row["PID"] == "-" or float(row["DUE%"]) < 5, f"who wakes for a moment, and waits then, is owed what it used: {row}")
        for row in hogs:
            t.check(abs(float(row["CPU%"]) - float(row["DUE%"])) < 12, f"has about what it is owed: {row}")
        t.check(int(zones["GUEST"]["GAS/s"]) > 0 and zones["GUEST"]["WEIGHT"] == "300", result)


def memory(t):
    """All frames are somebody's, and who takes 20 MB has them."""
    script = "exo top -b -n 1 -d 0.1 -o M; x=$(yes | head -c 20000000); exo top -b -n 1 -d 0.1 -o M; [ ${#x} = 20000000 ]"
    looks = tables(t.guest("bash", "-c", script, options=("--memory", "128M"), timeout=90))
    totals = []
    for head, zones, rows in looks:
        sizes, _, stack = head[2].partition(";")
        t.check(500 < max(int(word) for word in stack.rpartition(":")[2].split()) < 8192, head)
        words = sizes.replace(":", "").replace(",", "").split()
        numbers = [int(word) for word in words if word.isdigit()]
        t.equal(sum(numbers[1:]), numbers[0], head)
        totals.append(next(int(row["KiB"]) for row in rows if row["PID"] == "2"))
        t.check(int(zones["USER"]["KiB"]) <= numbers[0], zones)
        sizes = [int(row["KiB"]) for row in rows]
        t.equal(sizes, sorted(sizes, reverse=True), "sorted by memory")
    t.check(totals[1] - totals[0] > 19 << 10, totals)


def seen(t):
    """Servers are shown to root outside of zones; a zone shows its own; who is not root sees his own processes and how many others there are."""
    names = {row["NAME"] for row in tables(t.guest("exo", "top", "-b", "-n", "1", "-d", "0.1"))[0][2]}
    t.equal(names, {"proc", "fs", "tty", "exo"}, "root")
    names = {row["NAME"] for row in tables(t.guest("sh", "-c", "exo zone GUEST exo top -b -n 1 -d 0.1"))[0][2]}
    t.equal(names, {"exo"}, "a zone")
    result = t.guest("sh", "-c", "sleep 100 & su nobody -s /bin/sh -c 'exo top -b -n 1 -d 0.1'")
    t.check(b" exo\n" in result.stdout and b"sleep" not in result.stdout and b"more, of other users\n" in result.stdout, result)


def misuse(t):
    for words, complaint in ((("-x",), b"what is -x"), (("-d", "0"), b"-d 0"), (("-d", "nan"), b"-d nan"), (("-n", "0"), b"-n 0"), (("-n", "1.5"), b"-n 1.5"),
                             (("-o", "Z"), b"-o Z"), (("-o", ""), b"known are"), (("all",), b"takes no words, and there is all")):
        result = t.guest("exo", "top", *words)
        t.equal(result.status, 2, result)
        t.check(complaint in result.stderr and not result.stdout, result)
    result = t.guest("sh", "-c", "exo top -b -d 0.01 | head -n 3 | wc -l")
    t.equal(result.stdout, b"3\n", "ends when nobody reads")


def cases(_):
    yield "shares", shares, 120
    yield "memory", memory, 120
    yield "seen", seen, 120
    yield "misuse", misuse, 120
