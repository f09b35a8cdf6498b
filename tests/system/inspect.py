"""./exo inspect: what its page shows is what there was; no network, small, a table beside each picture."""

import os
import re
import xml.etree.ElementTree as ElementTree

RUN = "exo zone GUEST sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done' & seq 300 | sort -r | wc -l; wait; exit 7"
VIEWS = ("capabilities", "labels", "timeline", "frames", "gas", "ipc")


def table_of(text, view):
    section = re.search(rf'<section id="{view}".*?</section>', text, re.S)[0]
    return [re.findall(r"<td>(.*?)</td>", row, re.S) for row in re.findall(r"<tr.*?</tr>", section, re.S)]


def whole(t):
    """A run in two zones: everybody is there, all memory is somebody's, who computed is shown, and servers answered."""
    path = os.path.join(t.folder, "page.html")
    result = t.exo("inspect", "--html", path, "--built", t.built, "--memory", "64M", "--timeout=100", "--", "sh", "-c", RUN, timeout=150)
    t.equal((result.status, result.stdout), (7, b"300\n"), result)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    t.check(len(text) < 300_000, f"{len(text)} bytes")
    t.equal(re.findall(r'<section id="(\w+)"', text), list(VIEWS), "views")
    for drawn in re.findall(r"<svg.*?</svg>", text, re.S):
        ElementTree.fromstring(drawn)
    t.check(not re.search(r"https?:|src=|@import|url\((?!#)", text), "the page asks for something from outside")
    links = re.findall(r'href="([^#"]+)"', text)
    t.equal(len(links), len(VIEWS), "each view has a page of the tour")
    for link in links:
        t.check(os.path.exists(os.path.join(t.folder, link)), link)
    names = {row[0]: row[1] for row in table_of(text, "capabilities") if row}
    t.check({"rs", "proc", "fs", "tty", "sh[2]"} <= set(names) and "GUEST" in names.values(), names)
    t.equal(sum(int(row[2]) for row in table_of(text, "frames") if len(row) == 3), 64 << 10, "KiB of memory")
    ran = {row[0]: [float(cell) for cell in row[1:]] for row in table_of(text, "timeline") if row}
    t.check(ran and all(used <= wanted + 0.1 for used, _, wanted, _ in ran.values()), ran)
    t.check("sh[2]" in ran, ran)
    answered = {row[0]: int(row[1]) for row in table_of(text, "ipc") if row}
    t.check(answered.get("proc", 0) > 5 and answered.get("fs", 0) > 0, answered)
    paid = {row[0] for row in table_of(text, "gas") if row}
    t.check(any(name.startswith("zone") and name.endswith("USER") for name in paid), paid)
    t.check("prefers-color-scheme:dark" in text and text.count("tabindex") > 15, "dark colours, and keys")


def misuse(t):
    for words, said in (((), b"which command?"), (("--html", "/nosuch/page.html", "true"), b"no such folder"), (("--buffer", "1K", "true"), b"64K"),
                        (("--nosuch", "true"), b"nosuch")):
        result = t.exo("inspect", "--built", t.built, *words)
        t.equal(result.status, 2, result)
        t.check(said in result.stderr, result)


def cases(_):
    yield "whole", whole, 240
    yield "misuse", misuse, 60
