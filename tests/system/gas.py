"""./exo run --gas: runaways end with 203, whatever they are; others are not touched. No time is measured: a runaway ends when its gas does."""

LIMIT_S = 240
SPIN = "while :; do :; done"


def ends(t, script, *options):
    result = t.guest("sh", "-c", script, options=options, timeout=LIMIT_S)
    t.equal(result.status, 203, result)
    t.check(b"gas is used up" in result.stderr, result)
    return result


def spinner(t):
    result = ends(t, f"echo before; echo too >&2; {SPIN}", "--gas", "3M")
    t.equal(result.stdout, b"before\n", "what was written before the end")
    t.check(result.stderr.startswith(b"too\n"), result)


def rate(t):
    ends(t, SPIN, "--gas", "50k/s", "--gas-grace", "1")


def bomb(t):
    ends(t, "while :; do (b() { b & b & wait; }; b) 2> /dev/null; done", "--gas", "30M")


def calls(t):
    ends(t, "while :; do test -e /nowhere; done", "--gas=2M")


def pipes(t):
    ends(t, "yes | cat > /dev/null", "--gas=3M")


def background(t):
    """The first process sleeps; what it started is its tree all the same."""
    ends(t, f"({SPIN}) & sleep 10000", "--gas=3M")


def zone(t):
    """A zone of its own below the processes' has no gas but theirs."""
    ends(t, SPIN, "--gas=3M", "--zone", "GUEST")


def enough(t):
    result = t.guest("sh", "-c", "echo well; exit 7", options=["--gas", "1000G", "--gas-summary"], timeout=LIMIT_S)
    t.equal((result.status, result.stdout), (7, b"well\n"), result)
    t.check(result.stderr.startswith(b"exo: gas used: "), result)
    t.check(1000 < int(result.stderr.split()[-1]) < 10**12, result)


def enough_a_second(t):
    """Who lies idle uses nothing; who was short and is not any more is no runaway."""
    script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; sleep 4; echo well"
    result = t.guest("sh", "-c", script, options=["--gas", "10M/s", "--gas-grace", "60"], timeout=LIMIT_S)
    t.equal((result.status, result.stdout), (0, b"well\n"), result)


def bad_values(t):
    for value in ("", "0", "-1", "x", "1.5", "10k/m", "1K", "10 k", "0/s", "99999999999/s", "10G/s/s", "1" * 30):
        result = t.exo("run", f"--gas={value}", "true")
        t.equal((result.status, result.stdout), (2, b""), f"--gas={value}")
        t.check(result.stderr.startswith(f"exo: --gas {value}:".encode()), result)
    for value in ("0", "-3", "x"):
        t.equal(t.exo("run", "--gas=1/s", f"--gas-grace={value}", "true").status, 2, f"--gas-grace={value}")
    for words in (["--gas-grace=3"], ["--gas-grace=3", "--gas=1M"]):
        result = t.exo("run", *words, "true")
        t.check(result.status == 2 and b"--gas N/s" in result.stderr, result)


def shown(t):
    result = t.exo("run", "--gas=10k/s", "--gas-grace=2.5", "--append=quiet", "--dry-run")
    t.check(b"'quiet exo.gas=10000/s exo.gas-grace=2500'" in result.stdout, result)


def cases(_):
    for body in (spinner, rate, bomb, calls, pipes, background, zone, enough, enough_a_second):
        yield body.__name__.replace("_", "-"), body, LIMIT_S + 30
    yield "bad-values", bad_values
    yield "shown", shown
