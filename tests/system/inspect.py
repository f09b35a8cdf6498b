"""./exo inspect: what its page shows is what there was; no network, small, a table beside each picture."""

import os
import re
import shutil
import struct
import xml.etree.ElementTree as ElementTree
import zlib

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
    for words, said in (((), b"which command?"), (("--html", "/nosuch/page.html", "true"), b"--html /nosuch/page.html: no such folder"),
                        (("--buffer", "1K", "true"), b"64K"), (("--nosuch", "true"), b"nosuch")):
        result = t.exo("inspect", "--built", t.built, *words)
        t.equal(result.status, 2, result)
        t.check(said in result.stderr, result)


def chromium(t, *words):
    result = t.command("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={os.path.join(t.folder, 'chromium')}", *words, timeout=120)
    t.equal(result.status, 0, result)
    return result.stdout.decode(errors="replace")


def corner(path):
    """Red, green and blue of a PNG's first pixel."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return tuple(zlib.decompress(packed)[1:4])  # a line begins with its filter; the first pixel has no neighbours to be filtered by


def drawn(t):
    """Chromium draws it: on white or dark paper as the reader has it; a step by keyboard shows one end's lines, and one owner's memory."""
    if not shutil.which("chromium"):
        t.skip("chromium is not installed")
    path = os.path.join(t.folder, "page.html")
    t.equal(t.exo("inspect", "--html", path, "--built", t.built, "--timeout=100", "--", "sh", "-c", "sleep 1 | cat", timeout=150).status, 0, "inspect")
    for scheme, paper in ((1, (255, 255, 255)), (0, (0x16, 0x18, 0x1b))):
        picture = os.path.join(t.folder, f"{scheme}.png")
        chromium(t, f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={picture}", "--window-size=1000,4000", "file://" + path)
        t.equal(corner(picture), paper, picture)
        t.check(os.path.getsize(picture) > 100_000, "there is something on it")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("</body>", """<script>
const said=[];document.querySelector('.node').focus();said.push(document.querySelectorAll('.edge.on').length);
document.querySelector('#frames tr[data-o]').focus();said.push(document.querySelectorAll('.edge.on').length);
said.push(document.querySelectorAll('#frames svg.dim rect.on').length);
document.title='said '+said.join(' ')</script></body>"""))
    found = re.search(r"<title>said (\d+) (\d+) (\d+)", chromium(t, "--dump-dom", "file://" + path))
    t.check(found and int(found[1]) > 0 and int(found[2]) == 0 and int(found[3]) > 0, found and found[0])


def cases(t):
    yield "whole", whole, 240
    yield "misuse", misuse, 60
    if t.long:
        yield "drawn", drawn, 400
