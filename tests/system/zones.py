"""./exo run --zone: the command and all that it starts are in a zone of their own."""


def confined(t):
    script = "exo zone | grep label; test $$ -gt 32767 && echo own numbers; echo x > /etc/passwd || echo no writing; echo y > /tmp/y && cat /tmp/y"
    result = t.guest("sh", "-c", script, options=["--zone", "GUEST"], timeout=60)
    t.equal((result.status, result.stdout), (0, b"label          GUEST\nown numbers\nno writing\ny\n"), str(result))


def terminal_stays(t):
    """The zone of the first process has the terminals, whatever its label."""
    result = t.guest("sh", "-c", "test -t 0; echo $?; exec 3<>/dev/ptmx && echo pty; exec 4</dev/console && echo console",
                     options=["--zone", "SANDBOX"], timeout=60)
    t.equal(result.stdout, b"1\npty\nconsole\n", str(result))


def status_and_streams(t):
    result = t.guest("sh", "-c", "cat; echo err >&2; kill -9 $$", options=["--zone=SANDBOX"], stdin=b"in", timeout=60)
    t.equal((result.status, result.stdout, result.stderr), (137, b"in", b"err\n"), str(result))


def unknown_label(t):
    for label in ("NOBODY", "ROOT", "guest", ""):
        result = t.exo("run", "--zone", label, "--", "true", timeout=60)
        t.equal(result.status, 2, str(result))
        t.equal(t.exo("run", "--zone", label, "--dry-run", "true", timeout=60).status, 2, label)
        t.check(b"known are: USER, GUEST, SANDBOX" in result.stderr, str(result))


def cases(_):
    yield "confined", confined
    yield "terminals", terminal_stays
    yield "status-and-streams", status_and_streams
    yield "unknown-label", unknown_label
