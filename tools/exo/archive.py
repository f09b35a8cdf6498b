"""The boot image and its archive: a tree of files in memory, written as a newc cpio whose file data lies on page boundaries.

newc (documented in cpio(5)) has no alignment, but its name field ends with NUL and carries its own length, so the
field is padded with NULs up to the page. GNU cpio and Linux read the result as any other archive. What follows a file's
data in its last page is the next entry's header: a reader that adopts the pages clears that tail itself.
"""

import os
import stat
import struct

PAGE = 4096
MAGIC = b"EXOIMG01"
HEADER_BYTES = 4096
NEWC_HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
NAME_MAX_BYTES = 4096  # Linux skips entries with longer name fields

# The root file system has one folder for programs and one for libraries, under all their historical names.
MERGED = {"usr/bin": "bin", "usr/sbin": "bin", "sbin": "bin", "usr/lib": "lib", "usr/lib64": "lib", "lib64": "lib"}


class Entry:
    """One file, folder, symbolic link or device. Owner is always root."""

    __slots__ = ("mode", "mtime", "data", "source", "rdev")

    def __init__(self, mode, mtime, data=b"", source=None, rdev=(0, 0)):
        self.mode = mode
        self.mtime = int(mtime)
        self.data = data
        self.source = source  # a host path, read when the archive is written
        self.rdev = rdev

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
    """Appends entries to a bytearray that starts on a page boundary of the image."""

    def __init__(self):
        self.out = bytearray()
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
            padded = size + -(len(self.out) + NEWC_HEADER_BYTES + size) % PAGE
            if padded <= NAME_MAX_BYTES:
                return padded
            # Too long by a few bytes: the file's folder is stated once more, which moves everything on.
            parent = os.path.dirname(path) or "."
            folder = self.folders.get(parent, Entry(stat.S_IFDIR | 0o755, 0))
            self._entry(os.fsencode(parent) + b"\0", folder, b"")

    def _entry(self, name, entry, content):
        self.inode += 1
        links = 2 if stat.S_ISDIR(entry.mode) else 1
        fields = (self.inode, entry.mode, 0, 0, links, entry.mtime, len(content), 0, 0, entry.rdev[0], entry.rdev[1],
                  len(name), 0)
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


def extend_image(image, tree):
    """The image with a tree's entries appended to its archive: later entries replace earlier ones of the same name."""
    rs_offset, rs_bytes, cpio_offset, cpio_bytes = read_header(image)
    writer = Writer()
    writer.out = bytearray(image[cpio_offset:cpio_offset + cpio_bytes - trailer_bytes()])
    writer.inode = 1 << 20  # numbers of the appended part never meet those of the first
    for path, entry in tree.entries.items():
        writer.add(path, entry)
    archive = writer.finish()
    return header(rs_bytes, cpio_offset, len(archive)) + image[rs_offset:cpio_offset] + bytes(archive)
