"""Programs that take the whole screen: busybox's vi and less, and a window that changes its size."""

LIMIT_S = 120


def terminal(t, *command, rows=24, columns=80):
    return t.guest_terminal(*command, timeout=90, env={"TERM": "vt100"}, rows=rows, columns=columns)


def vi_edit(t):
    """Opens, inserts, changes, deletes, saves, quits; the file says what was done."""
    screen = terminal(t, "busybox", "sh", "-c", "seq 1 5 >/tmp/f; vi /tmp/f; echo; echo \"[$(tr '\\n' , </tmp/f)]\"")
    screen.expect(rb"1.*?2.*?3.*?4.*?5.*?/tmp/f", 30)
    screen.send("iabove\r\x1b")       # insert a line above
    screen.expect(rb"above")
    screen.send("jdd")                # delete the line 2
    screen.send(":s/3/three/\r")      # change the line 3
    screen.expect(rb"three")
    screen.send("Goend\x1b")          # a line at the end
    screen.expect(rb"end")
    screen.send(":wq\r")
    screen.expect(rb"\[above,1,three,4,5,end,\]")
    t.equal(screen.wait(), 0, "exit status")


def vi_undo_and_abandon(t):
    screen = terminal(t, "busybox", "sh", "-c", "echo kept >/tmp/f; vi /tmp/f; echo; echo \"[$(cat /tmp/f)]\"")
    screen.expect(rb"kept.*?/tmp/f", 30)
    screen.send("ddigone\x1b")
    screen.expect(rb"gone")
    screen.send(":q\r")
    screen.expect(rb"(?i)no write|not saved|override|modified|changed")
    screen.send(":q!\r")
    screen.expect(rb"\[kept\]")
    t.equal(screen.wait(), 0, "exit status")


def vi_search_and_move(t):
    screen = terminal(t, "busybox", "sh", "-c", "seq 1 300 >/tmp/f; vi /tmp/f; echo; echo \"[$(sed -n 250,251p /tmp/f | tr '\\n' ,)]\"")
    screen.expect(rb"/tmp/f", 30)
    screen.send("/25\\(0\\)\r")
    screen.send("cwfound\x1b")
    screen.expect(rb"found")
    screen.send("\x06\x02G1G")        # pages and ends
    screen.send(":wq\r")
    screen.expect(rb"\[found,251,\]")
    t.equal(screen.wait(), 0, "exit status")


def vi_resize(t):
    """vi draws as many lines as the window has: after a resize more of the file is seen."""
    screen = terminal(t, "busybox", "sh", "-c", "seq -f line%g 1 100 2>/dev/null >/tmp/f || seq 1 100 | sed s/^/line/ >/tmp/f; vi /tmp/f", rows=24)
    screen.expect(rb"line23", 30)
    t.check(b"line30" not in screen.seen, "24 rows cannot show line 30")
    screen.resize(50, 100)
    screen.expect(rb"line45", 20)
    screen.send(":q!\r")
    t.equal(screen.wait(), 0, "exit status")


def vi_stop(t):
    """Ctrl-Z in vi gives the shell; fg gives vi again, redrawn."""
    screen = t.guest_terminal("busybox", "sh", timeout=90, env={"TERM": "vt100"}, options=["-e", "PS1=READY# "])
    screen.expect(rb"READY# ", 30)
    screen.send("seq 1 5 >/tmp/f; vi /tmp/f\r")
    screen.expect(rb"/tmp/f 1")
    screen.send("\x1a")
    screen.expect(rb"(?i)stopped")
    screen.expect(rb"READY# ")
    screen.send("echo between $((1 + 1))\r")
    screen.expect(rb"between 2")
    screen.send("fg\r")
    screen.expect(rb"1.*?2.*?3.*?4.*?5")
    screen.send(":q!\r")
    screen.expect(rb"READY# ")
    screen.send("exit\r")
    t.equal(screen.wait(), 0, "exit status")


def less(t):
    """less shows a page, moves, searches, quits."""
    screen = terminal(t, "busybox", "sh", "-c", "seq 1 500 | sed 's/^/row/' >/tmp/f; less /tmp/f; echo; echo after $((1 + 1))")
    screen.expect(rb"row1\D.*?row23", 30)
    screen.send(" ")
    screen.expect(rb"row40")
    screen.send("G")
    screen.expect(rb"row500.*\(END\)")
    screen.send("g")
    screen.expect(rb"row1\D.*row23\r\n")
    for key in "/row250":  # each is shown before the next: what is typed while less draws goes into its line
        screen.send(key)
        screen.expect(key.encode())
    screen.send("\r")
    screen.expect(rb"row250\D.*row272\r\n")
    screen.send("q")
    screen.expect(rb"after 2")
    t.equal(screen.wait(), 0, "exit status")


def less_pipe(t):
    """Text from a pipe, keys from the terminal."""
    screen = terminal(t, "busybox", "sh", "-c", "seq 1 500 | sed 's/^/row/' | less; echo; echo after $((1 + 1))")
    screen.expect(rb"row1\D.*?row23", 30)
    screen.send("G")
    screen.expect(rb"row500")
    screen.send("q")
    screen.expect(rb"after 2")
    t.equal(screen.wait(), 0, "exit status")


def more(t):
    screen = terminal(t, "busybox", "sh", "-c", "seq 1 100 | sed 's/^/row/' >/tmp/f; more /tmp/f; echo after $((1 + 1))")
    screen.expect(rb"row2\D.*?--More--", 30)
    screen.send(" ")
    screen.expect(rb"row40")
    screen.send("q")
    screen.expect(rb"after 2")
    t.equal(screen.wait(), 0, "exit status")


def top(t):
    screen = terminal(t, "busybox", "top", "-d", "1")
    screen.expect(rb"(?i)Mem:.*PID.*top", 30)
    screen.send("q")
    screen.wait()


def cases(t):
    for body in (vi_edit, vi_undo_and_abandon, vi_search_and_move, vi_resize, vi_stop, less, less_pipe, more, top):
        yield body.__name__.replace("_", "-"), body, LIMIT_S
