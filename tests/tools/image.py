"""The boot image: its header, the archive that other tools can read, page alignment, what is added for one run."""

import os
import random
import stat
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from exo import archive, guest_program, link, rootfs  # noqa: E402

PAGE = 4096


def parse(data):
    """[(name, mode, mtime, data, offset of the data)] of a newc archive: written apart from the writer, on purpose."""
    at, entries = 0, []
    while True:
        assert data[at:at + 6] == b"070701", f"no entry at {at}"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + fields[11]].split(b"\0")[0].decode()
        start = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return entries, (start + 3) & ~3
        entries.append((name, fields[1], fields[5], bytes(data[start:start + fields[6]]), start))
        at = (start + fields[6] + 3) & ~3


def sample(seed=7):
    """A tree with files of awkward sizes and names of all lengths."""
    tree = archive.Tree(default_mtime=1_700_000_000)
    maker = random.Random(seed)
    for index in range(300):
        name = f"d{index % 7}/" + "n" * maker.randrange(1, 200) + str(index)
        tree.text(name, maker.randbytes(maker.choice((0, 1, 2, 3, 4095, 4096, 4097, maker.randrange(20000)))))
        if index % 10 == 0:
            tree.link(f"d{index % 7}/link{index}", "t" * maker.randrange(1, 100))
    tree.device("dev/null", 0o666, 1, 3)
    return tree


def image_of(tree, rs=b"RS" * 3000):
    return archive.write_image(rs, archive.write_archive([tree]))


def header_says_where(t):
    image = image_of(sample())
    rs_offset, rs_bytes, cpio_offset, cpio_bytes = archive.read_header(image)
    t.equal((rs_offset, rs_bytes, cpio_offset % PAGE), (4096, 6000, 0))
    t.equal(image[rs_offset:rs_offset + rs_bytes], b"RS" * 3000, "rs")
    t.equal(cpio_offset + cpio_bytes, len(image), "end")
    for broken in (b"", image[:40], b"X" + image[1:], image[:8] + b"\2" + image[9:]):
        try:
            archive.read_header(broken)
        except Exception:
            continue
        t.check(False, f"taken for an image: {broken[:16]!r}")


def data_lies_on_pages(t):
    for seed in range(20):
        tree = sample(seed)
        entries, end = parse(archive.write_archive([tree]))
        t.equal(end, len(archive.write_archive([tree])), "nothing behind the trailer")
        for name, mode, _, data, start in entries:
            if stat.S_ISREG(mode) and data:
                t.equal(start % PAGE, 0, name)
        found = {name: data for name, mode, _, data, _ in entries if not stat.S_ISDIR(mode)}
        wanted = {path: entry.data for path, entry in tree.entries.items() if not stat.S_ISDIR(entry.mode)}
        t.equal(found, wanted, "content")


def name_fields_stay_short(t):
    """Linux skips an entry whose name field is longer than 4096 bytes."""
    data = archive.write_archive([sample(seed) for seed in range(5)])
    at = 0
    while data[at + 110:at + 120] != b"TRAILER!!!":
        size = int(data[at + 94:at + 102], 16)
        t.check(size <= 4096, f"a name field of {size} bytes")
        start = (at + 110 + size + 3) & ~3
        at = (start + int(data[at + 54:at + 62], 16) + 3) & ~3


def gnu_cpio_reads_it(t):
    if subprocess.run(["sh", "-c", "command -v cpio"], capture_output=True).returncode:
        t.skip("cpio is not installed")
    tree = sample()
    target = os.path.join(t.folder, "out")
    os.mkdir(target)
    result = t.command("cpio", "-id", "--quiet", "--nonmatching", "dev/*", stdin=bytes(archive.write_archive([tree])), cwd=target)
    t.equal((result.status, result.stderr), (0, b""))
    for path, entry in tree.entries.items():
        full = os.path.join(target, path)
        if stat.S_ISREG(entry.mode):
            with open(full, "rb") as file:
                t.equal(file.read(), entry.data, path)
        elif stat.S_ISLNK(entry.mode):
            t.equal(os.readlink(full).encode(), entry.data, path)


def extended_image(t):
    first = archive.Tree()
    first.text("etc/motd", b"old")
    first.text("bin/prog", b"x" * 5000, 0o755)
    more = archive.Tree()
    more.text("etc/motd", b"new")
    more.text("etc/more", b"y" * 10000)
    image = extended(t, image_of(first), [], more)
    rs_offset, rs_bytes, cpio_offset, cpio_bytes = archive.read_header(image)
    t.equal(image[rs_offset:rs_offset + rs_bytes], b"RS" * 3000, "rs")
    entries, end = parse(image[cpio_offset:cpio_offset + cpio_bytes])
    t.equal(end, cpio_bytes, "one trailer, at the end")
    t.equal([data for name, _, _, data, _ in entries if name == "etc/motd"], [b"old", b"new"], "the later one wins")
    t.check(all(start % PAGE == 0 for _, mode, _, data, start in entries if stat.S_ISREG(mode)), "alignment")
    t.equal(image_of(first)[cpio_offset:cpio_offset + 4096], image[cpio_offset:cpio_offset + 4096], "what was there stays")


def extended(t, image, segments, tree):
    """extend_image, whole."""
    path = os.path.join(t.folder, "image")
    with open(path, "wb") as file:
        file.write(image)
    pieces = archive.extend_image(path, segments, tree)
    with open(path + ".more", "wb+") as file:
        archive.write_pieces(file.fileno(), pieces)
        t.equal(file.seek(0, os.SEEK_END), archive.image_bytes(pieces), "size")
        file.seek(0)
        return file.read()


def segments(t):
    """Segments are whole pages and may stand in any order; several names of a file stay one file."""
    kept = []
    for number in range(3):
        tree = sample(number)
        tree.text(f"only/{number}", b"z" * 5000)
        tree.entries[f"only/{number}"].names = (9, 2)
        tree.put(f"only/{number}-too", archive.Entry(stat.S_IFREG | 0o644, 0, owner=(3, 4), names=(9, 2)))
        data = archive.segment(tree, 0x12340000 + number)
        t.equal(len(data) % PAGE, 0, "whole pages")
        kept.append(os.path.join(t.folder, f"segment{number}"))
        with open(kept[-1], "wb") as file:
            file.write(data)
    for order in (kept, kept[::-1]):
        image = extended(t, image_of(sample(9)), order, sample(10))
        cpio_offset = archive.read_header(image)[2]
        entries, _ = parse(image[cpio_offset:])
        t.check(all(start % PAGE == 0 for _, mode, _, data, start in entries if stat.S_ISREG(mode) and data), "alignment")
        found = {name: data for name, _, _, data, _ in entries}
        for number in range(3):
            t.equal((found[f"only/{number}"], found[f"only/{number}-too"]), (b"z" * 5000, b""), "the first has the data")
        t.equal(found["d0/link0"], sample(10).entries["d0/link0"].data, "the last one wins")
    os.truncate(kept[0], PAGE)
    pieces = archive.extend_image(os.path.join(t.folder, "image"), kept, sample())
    os.truncate(kept[0], 100)
    try:
        with open(os.path.join(t.folder, "short"), "wb") as file:
            archive.write_pieces(file.fileno(), pieces)
        t.check(False, "a segment that was cut meanwhile")
    except archive.ExoError:
        pass


def paths(t):
    for path, expected in (("/bin/env", "usr/bin/env"), ("./a/../b//c", "b/c"), ("../../x", "x"), ("lib64/ld.so", "usr/lib64/ld.so"),
                           ("/lib/x/y", "usr/lib/x/y"), ("usr/share", "usr/share"), ("/", ""), ("usr/binary", "usr/binary"),
                           ("sbin/x", "usr/bin/x"), ("usr/sbin/x", "usr/bin/x"), ("var/run/x", "run/x"), ("/usr/lib/x", "usr/lib/x")):
        t.equal(archive.canonical(path), expected, path)


def overlay(t):
    folder = os.path.join(t.folder, "overlay")
    os.makedirs(os.path.join(folder, "bin"))
    os.makedirs(os.path.join(folder, "tmp"))
    with open(os.path.join(folder, "bin/tool"), "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(os.path.join(folder, "bin/tool"), 0o751)
    os.utime(os.path.join(folder, "bin/tool"), (1_600_000_000, 1_600_000_000))
    os.symlink("tool", os.path.join(folder, "bin/alias"))
    tree = guest_program.extra_tree("/bin/sh", "/", [folder])
    entry = tree.entries["usr/bin/tool"]
    t.equal((stat.S_IMODE(entry.mode), entry.mtime, entry.content()), (0o751, 1_600_000_000, b"#!/bin/sh\n"))
    t.equal(tree.entries["usr/bin/alias"].data, b"tool")
    t.check("bin" not in tree.entries, "the link /bin would be replaced by a folder")


def host_programs(t):
    cwd = os.getcwd()
    os.chdir(t.folder)
    try:
        os.makedirs("here/build")
        with open("here/build/script", "w") as file:
            file.write("#!/bin/sh\necho hi\n")
        os.chmod("here/build/script", 0o755)
        os.symlink("/bin/true", "here/dynamic")
        os.chdir("here")
        tree = guest_program.extra_tree("./build/script", "/", [])
        t.equal(sorted(tree.entries), ["build", "build/script"])
        tree = guest_program.extra_tree("../here/build/script", "/", [])
        t.check("here/build/script" in tree.entries, sorted(tree.entries))
        tree = guest_program.extra_tree("./build/script", "/work/dir", [])
        t.check("work/dir/build/script" in tree.entries, sorted(tree.entries))
        tree = guest_program.extra_tree("./dynamic", "/", [])
        t.check("dynamic" in tree.entries and "usr/lib64/ld-linux-x86-64.so.2" in tree.entries, sorted(tree.entries))
        t.check(any(path.endswith("/libc.so.6") for path in tree.entries), sorted(tree.entries))
        t.equal(guest_program.extra_tree("build/script", "/", []), None, "no slash in front: a program of the guest")
        for command, status in (("./nowhere", 127), ("./build", 126)):
            try:
                guest_program.extra_tree(command, "/", [])
                t.check(False, f"{command} was accepted")
            except guest_program.ExoError as error:
                t.equal(error.status, status, command)
    finally:
        os.chdir(cwd)


def root_file_system(t):
    tree, used = rootfs.build()
    again, _ = rootfs.build()
    data = archive.write_archive([tree])
    t.equal(zlib.crc32(data), zlib.crc32(archive.write_archive([again])), "two images of the same packages")
    t.check(len(data) < 8 << 20, f"{len(data)} bytes")
    for path in ("bin/busybox", "bin/bash-static", "bin/lksh", "bin/mksh-static", "bin/zsh-static", "lib/terminfo/x/xterm"):
        t.check(stat.S_ISREG(tree.entries["usr/" + path].mode), path)
    for path, target in (("usr/bin/sh", b"busybox"), ("usr/bin/vi", b"busybox"), ("usr/bin/bash", b"bash-static"), ("bin", b"usr/bin"),
                         ("lib64", b"usr/lib64"), ("usr/sbin", b"../usr/bin"), ("var/run", b"../run")):
        t.equal(tree.entries[path].data, target, path)
    t.equal(tree.entries["tmp"].mode, stat.S_IFDIR | 0o1777, "/tmp")
    t.equal(tree.entries["dev/null"].rdev, (1, 3), "/dev/null")
    t.equal(set(used), {"bash-static", "busybox-static", "mksh", "ncurses-base", "zsh-static"})
    for path in tree.entries:
        t.check(not os.path.dirname(path) or os.path.dirname(path) in tree.entries, f"{path} has no folder")


def frames(t):
    maker = random.Random(t.seed)
    sent = [(maker.choice(link.FROM_GUEST), maker.randbytes(maker.choice((0, 1, 7, 8, 65536, maker.randrange(5000)))))
            for _ in range(200)]
    stream = b"".join(link.frame(*item) for item in sent)
    decoder, found, at = link.Decoder(), [], 0
    while at < len(stream):
        size = maker.choice((1, 3, 8, 100000))
        found += decoder.feed(stream[at:at + size])
        at += size
    t.check(found == sent, "frames changed on the way")
    for broken in (b"O\0\0\1\0\0\0\0", b"O\0\0\0\1\0\1\0"):
        try:
            list(link.Decoder().feed(broken))
            t.check(False, f"accepted {broken!r}")
        except link.LinkError:
            pass


def link_header_agrees(t):
    """tools/exo/link.py and libos/posix/proto/link.h name the same numbers."""
    with open(t.path("libos/posix/proto/link.h")) as file:
        text = file.read()
    for name in ("HELLO", "HELLO_MORE", "INPUT", "INPUT_END", "WINSIZE", "SIGNAL", "OUTPUT", "ERROR", "TERMINAL", "CREDIT", "LOG", "EXIT"):
        t.check(f"PX_LINK_{name} = '{getattr(link, name).decode()}'" in text, name)
    t.check("#define PX_LINK_MAX 65536u" in text and link.MAX_BYTES == 65536, "PX_LINK_MAX")
    t.check("#define PX_HELLO_STRACE 8u" in text and "#define PX_HELLO_MISSING 16u" in text, "flags")


def cases(_):
    for case in (header_says_where, data_lies_on_pages, name_fields_stay_short, gnu_cpio_reads_it, extended_image, segments, paths, overlay,
                 host_programs, root_file_system, frames, link_header_agrees):
        yield case.__name__.replace("_", "-"), case
