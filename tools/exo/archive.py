"""The boot image and its archive: a tree of files in memory, written as a newc cpio whose file data lies on page boundaries.

newc (documented in cpio(5)) has no alignment, but its name field ends with NUL and carries its own length, so the
field is padded with NULs up to the page. GNU cpio and Linux read the result as any other archive. What follows a file's
data in its last page is the next entry's header: a reader that adopts the pages clears that tail itself.
"""

import json
import os
import stat
import struct

from exo.errors import ExoError

PAGE = 4096
MAGIC = b"EXOIMG01"
HEADER_BYTES = 4096
NEWC_HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
NAME_MAX_BYTES = 4096  # Linux skips entries with longer name fields

# Folders under their historical names, as Debian has them since its /usr merge; and one folder for all programs.
MERGED = {"bin": "usr/bin", "sbin": "usr/bin", "usr/sbin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64", "var/run": "run",
          "var/lock": "run/lock"}


class Entry:
    """One file, folder, symbolic link or device."""

    __slots__ = ("mode", "mtime", "data", "source", "rdev", "owner", "names")

    def __init__(self, mode, mtime, data=b"", source=None, rdev=(0, 0), owner=(0, 0), names=None):
        self.mode = mode
        self.mtime = int(mtime)
        self.data = data
        self.source = source  # a host path, read when the archive is written
        self.rdev = rdev
        self.owner = owner    # uid, gid
        self.names = names    # of a file of several names: (a number of its own, how many); the first entry has the data

    def content(self):
        if self.source is None:
            return self.data
        with open(self.source, "rb") as file:
            return file.read()


def canonical(path):
    """The path as the archive stores it: relative, without `.` and `..` (which stops at the root), merged folders resolved."""
    parts = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
            merged = MERGED.get("/".join(parts))
            if merged:
                parts = merged.split("/")
    return "/".join(parts)


class Tree:
    """Entries by path, in the order in which they were added; parents come before children."""

    def __init__(self, default_mtime=0):
        self.entries = {}
        self.default_mtime = default_mtime

    def put(self, path, entry):
        path = canonical(path)
        if not path:
            return
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.put(parent, Entry(stat.S_IFDIR | 0o755, self.default_mtime))
        if path in self.entries and stat.S_ISDIR(entry.mode) != stat.S_ISDIR(self.entries[path].mode):
            del self.entries[path]
        self.entries[path] = entry

    def directory(self, path, mode=0o755):
        self.put(path, Entry(stat.S_IFDIR | mode, self.default_mtime))

    def link(self, path, target):
        self.put(path, Entry(stat.S_IFLNK | 0o777, self.default_mtime, os.fsencode(target)))

    def text(self, path, data, mode=0o644):
        self.put(path, Entry(stat.S_IFREG | mode, self.default_mtime, data))

    def device(self, path, mode, major, minor):
        self.put(path, Entry(stat.S_IFCHR | mode, self.default_mtime, rdev=(major, minor)))

    def host_file(self, path, source, mode=None):
        """A file of the host with its modification time, links followed."""
        status = os.stat(source)
        self.put(path, Entry(stat.S_IFREG | (stat.S_IMODE(status.st_mode) if mode is None else mode), status.st_mtime,
                             source=source))

    def host_tree(self, root, below=""):
        """Everything below the host folder `root`, at `below`; links stay links, sockets and pipes are left out."""
        for folder, names, files in os.walk(root):
            names.sort()
            relative = os.path.relpath(folder, root)
            for name in sorted(files + names):
                source = os.path.join(folder, name)
                path = os.path.normpath(os.path.join(below, relative, name))
                status = os.lstat(source)
                if stat.S_ISLNK(status.st_mode):
                    self.put(path, Entry(status.st_mode, status.st_mtime, os.fsencode(os.readlink(source))))
                elif stat.S_ISDIR(status.st_mode):
                    # A folder that the image has already keeps its permissions: an overlay adds, it does not take away.
                    if canonical(path) not in self.entries and canonical(path) == path:
                        self.put(path, Entry(status.st_mode, status.st_mtime))
                elif stat.S_ISREG(status.st_mode):
                    self.host_file(path, source)


class Writer:
    """Appends entries to a bytearray, behind `before` bytes that start on a page boundary of the image."""

    def __init__(self, before=0, device=0):
        self.out = bytearray()
        self.before = before
        self.device = device  # 32 bits: tells files of several names from those of other writers
        self.inode = 0
        self.folders = {}

    def add(self, path, entry):
        content = entry.content() if stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode) else b""
        name = os.fsencode(path)
        if stat.S_ISDIR(entry.mode):
            self.folders[path] = entry
        size = len(name) + 1
        if stat.S_ISREG(entry.mode) and content:
            size = self._padded(path, size)
        self._entry(name.ljust(size, b"\0"), entry, content)

    def finish(self):
        self._entry(TRAILER.encode() + b"\0", Entry(0, 0), b"")
        return self.out

    def _padded(self, path, size):
        """Length of the name field that puts the data on a page boundary."""
        while True:
            padded = size + -(self.before + len(self.out) + NEWC_HEADER_BYTES + size) % PAGE
            if padded <= NAME_MAX_BYTES:
                return padded
            # Too long by a few bytes: the file's folder is stated once more, which moves everything on.
            parent = os.path.dirname(path) or "."
            folder = self.folders.get(parent, Entry(stat.S_IFDIR | 0o755, 0))
            self._entry(os.fsencode(parent) + b"\0", folder, b"")

    def align(self):
        """Goes on to a page boundary, with one more entry for the root folder."""
        root = Entry(stat.S_IFDIR | 0o755, 0)
        if (self.before + len(self.out)) % PAGE:
            self._entry(b".".ljust(self._padded(".", 2), b"\0"), root, b"")

    def _entry(self, name, entry, content):
        self.inode += 1
        number, links = entry.names or (self.inode, 2 if stat.S_ISDIR(entry.mode) else 1)
        fields = (number, entry.mode, *entry.owner, links, entry.mtime, len(content), self.device >> 16, self.device & 0xffff,
                  *entry.rdev, len(name), 0)
        self.out += b"070701" + b"".join(b"%08X" % (field & 0xffffffff) for field in fields) + name
        self.out += bytes(-len(self.out) % 4) + content
        self.out += bytes(-len(self.out) % 4)


def trailer_bytes():
    return len(Writer().finish())


def write_archive(trees):
    """The archive of several trees, one after the other."""
    writer = Writer()
    for tree in trees:
        for path, entry in tree.entries.items():
            writer.add(path, entry)
    return writer.finish()


def header(rs_bytes, cpio_offset, cpio_bytes):
    fields = struct.pack("<8sIIQQQQ", MAGIC, 1, HEADER_BYTES, HEADER_BYTES, rs_bytes, cpio_offset, cpio_bytes)
    return fields.ljust(HEADER_BYTES, b"\0")


def write_image(rs, archive):
    """The whole boot image: header, rs, archive, each from a page boundary."""
    cpio_offset = HEADER_BYTES + len(rs) + -len(rs) % PAGE
    return header(len(rs), cpio_offset, len(archive)) + rs + bytes(-len(rs) % PAGE) + bytes(archive)


def read_header(image):
    """(rs_offset, rs_bytes, cpio_offset, cpio_bytes) of an image; ValueError when it is none."""
    magic, version, size, *offsets = struct.unpack_from("<8sIIQQQQ", image)
    if magic != MAGIC or version != 1 or size != HEADER_BYTES:
        raise ValueError("not a boot image of version 1")
    return offsets


def segment(tree, device):
    """A piece of an archive, without a trailer and of whole pages: it may stand anywhere in an archive where a page begins."""
    writer = Writer(device=device)
    for path, entry in tree.entries.items():
        writer.add(path, entry)
    writer.align()
    return writer.out


def extend_image(path, segments, tree):
    """The image in the file `path` with more entries; later ones replace earlier ones of the same name. `segments` are files.

    The image comes in pieces, bytes or (path, offset, count): what is large need not pass through this process.
    """
    with open(path, "rb") as file:
        rs_offset, rs_bytes, cpio_offset, cpio_bytes = read_header(file.read(HEADER_BYTES))
    kept = cpio_bytes - trailer_bytes()
    gap, last = Writer(kept), Writer()
    if segments:
        gap.align()
        sizes = [os.path.getsize(name) for name in segments]
    else:
        sizes, last.before = [], kept
    last.inode = 1 << 20  # numbers of the appended part never meet those of the first
    for name, entry in tree.entries.items():
        last.add(name, entry)
    end = last.finish()
    total = kept + len(gap.out) + sum(sizes) + len(end)
    return [header(rs_bytes, cpio_offset, total), (path, rs_offset, cpio_offset + kept - rs_offset), bytes(gap.out),
            *((name, 0, size) for name, size in zip(segments, sizes)), bytes(end)]


def image_bytes(pieces):
    return sum(len(piece) if isinstance(piece, bytes) else piece[2] for piece in pieces)


def write_pieces(descriptor, pieces):
    """Writes an image's pieces to an empty file."""
    for piece in pieces:
        if isinstance(piece, bytes):
            while piece:
                piece = piece[os.write(descriptor, piece):]
            continue
        path, offset, count = piece
        with open(path, "rb") as file:
            while count > 0:
                sent = os.sendfile(descriptor, file.fileno(), offset, count)
                if sent == 0:
                    raise ExoError(f"{path} ends too early", "somebody changed it meanwhile: try again")
                offset, count = offset + sent, count - sent


class ImageFiles:
    """The files in an image's pieces, by their paths in the guest; later entries replace earlier ones."""

    def __init__(self, pieces):
        self.pieces = [piece if isinstance(piece, bytes) else (open(piece[0], "rb"), *piece[1:]) for piece in pieces]
        self.found = {}  # path: (mode, offset, bytes)
        self._scan(read_header(self._bytes(0, HEADER_BYTES)))

    @staticmethod
    def save(path, pieces):
        """Notes the pieces for another process."""
        rows = []
        for number, piece in enumerate(pieces):
            if isinstance(piece, bytes):
                rows.append((f"{path}.{number}", 0, len(piece)))
                with open(rows[-1][0], "wb") as file:
                    file.write(piece)
            else:
                rows.append(piece)
        with open(path, "w") as file:
            json.dump(rows, file)

    @staticmethod
    def load(path):
        with open(path) as file:
            return ImageFiles([tuple(row) for row in json.load(file)])

    def _bytes(self, offset, count):
        out = b""
        for piece in self.pieces:
            size = len(piece) if isinstance(piece, bytes) else piece[2]
            if offset < size and count > 0:
                part = min(count, size - offset)
                if isinstance(piece, bytes):
                    out += piece[offset:offset + part]
                else:
                    piece[0].seek(piece[1] + offset)
                    out += piece[0].read(part)
                offset, count = offset + part, count - part
            offset -= size
            if offset < 0:
                break
        return out

    def _scan(self, header_fields):
        at, end = header_fields[2], header_fields[2] + header_fields[3]
        while at < end:
            fields = self._bytes(at, NEWC_HEADER_BYTES)
            mode, size, length = (int(fields[6 + 8 * i:14 + 8 * i], 16) for i in (1, 6, 11))
            name = os.fsdecode(self._bytes(at + NEWC_HEADER_BYTES, length).rstrip(b"\0"))
            data = at + NEWC_HEADER_BYTES + length
            data += -(data - header_fields[2]) % 4
            if name == TRAILER:
                break
            if not stat.S_ISDIR(mode):
                self.found[canonical(name)] = (mode, data, size)
            at = data + size
            at += -(at - header_fields[2]) % 4

    def read(self, path):
        """A file's content, links followed; None: there is no such file."""
        for _ in range(8):
            mode, offset, size = self.found.get(canonical(path), (0, 0, 0))
            if not stat.S_ISLNK(mode):
                return self._bytes(offset, size) if stat.S_ISREG(mode) else None
            path = os.path.join(os.path.dirname("/" + canonical(path)), os.fsdecode(self._bytes(offset, size)))
        return None


def export(tree, folder):
    """Writes a tree below a folder of the host: owners are not kept, devices are left out."""
    for path, entry in tree.entries.items():
        target = os.path.join(folder, path)
        if stat.S_ISDIR(entry.mode):
            os.makedirs(target, exist_ok=True)
            os.chmod(target, stat.S_IMODE(entry.mode))
            continue
        if os.path.lexists(target):
            os.remove(target)
        if stat.S_ISLNK(entry.mode):
            os.symlink(os.fsdecode(entry.data), target)
        elif stat.S_ISREG(entry.mode):
            with open(target, "wb") as file:
                file.write(entry.content())
            os.chmod(target, stat.S_IMODE(entry.mode))
            os.utime(target, (entry.mtime, entry.mtime))
