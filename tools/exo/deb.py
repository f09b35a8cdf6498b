"""A Debian package as a segment of the boot archive: its files with their owners, modes and links, and what its installation would
add. Made once and kept in the cache under the package's hash; nothing of the package is run.
"""

import json
import os
import re
import stat
import subprocess
import tarfile
import zlib

from exo.archive import Entry, Tree, canonical, segment
from exo.errors import ExoError
from exo.packages import cache_folder
from exo.scripts import accounts, alternatives

FORMAT = 4  # of what is kept: another number makes all segments again
# What Debian's own images for containers leave out, too.
LEFT_OUT = tuple("usr/share/" + name for name in ("bug/", "doc/", "doc-base/", "groff/", "info/", "lintian/", "linda/", "locale/", "man/"))
# Of glibc's modules for character sets Debian calls these the basic ones, and the rest extra (gconv-modules-extra.conf), which are most of libc6: they come
# with a package that is asked for by its name.
GCONV = re.compile(r"usr/lib/[^/]+/gconv/(.*\.so|gconv-modules\.d/.*)$")
GCONV_BASIC = ("ISO8859-1.so", "ISO8859-15.so", "CP1252.so", "ANSI_X3.110.so", "UNICODE.so", "UTF-16.so", "UTF-32.so", "UTF-7.so")
# What maintainer scripts register with names that they compute: procps's and xz-utils'.
COMPUTED = [("/usr/bin/w", "w", "/usr/bin/w.procps", 50)] + [
    ("/usr/bin/lz" + name, "lz" + name, "/usr/bin/xz" + name, 20) for name in ("cat", "more", "less", "diff", "cmp", "grep", "egrep", "fgrep")
] + [("/usr/bin/lzma", "lzma", "/usr/bin/xz", 20), ("/usr/bin/unlzma", "unlzma", "/usr/bin/unxz", 20)]


class Deb:
    """One package's segment: `path`, and what a maintainer script would add: `alternatives`, `accounts`. `asked`: it was asked for by its name."""

    def __init__(self, deb, sha256, asked=True):
        folder = os.path.join(cache_folder(), "segments")
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, f"{sha256[:32]}-{FORMAT}{'-asked' if asked else ''}")
        if not os.path.exists(self.path) or not os.path.exists(self.path + ".json"):
            self._make(deb, sha256, asked)
        with open(self.path + ".json") as file:
            kept = json.load(file)
        self.alternatives, self.accounts = kept["alternatives"], kept["accounts"]

    def _make(self, deb, sha256, asked):
        tree = package_tree(deb, asked)
        script = control_file(deb, "postinst")
        offered = [one for one in COMPUTED + alternatives(script) if canonical(one[2]) in tree.entries]
        kept = {"package": os.path.basename(deb), "alternatives": offered, "accounts": accounts(script)}
        write(self.path + ".json", json.dumps(kept).encode())
        write(self.path, segment(tree, zlib.crc32(sha256.encode())))


def write(path, data):
    """All of it or nothing, also when two do it at once."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(data)
    os.rename(temporary, path)


def broken(deb, why):
    return ExoError(f"{deb} is no sound Debian package: {why}", f"remove it, so that it is fetched again: rm {deb}")


def members(deb, part):
    """(name, TarInfo, reader) of each member of a package's `fsys` or `ctrl` archive."""
    with subprocess.Popen(["dpkg-deb", f"--{part}-tarfile", deb], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    yield canonical(member.name), member, archive.extractfile
        except tarfile.TarError as problem:
            process.kill()
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise broken(deb, said[0] if said else problem) from problem
        process.stdout.read()
        said = process.stderr.read().decode(errors="replace").strip().splitlines()
    if process.returncode != 0:
        raise broken(deb, said[0] if said else f"dpkg-deb ended with status {process.returncode}")


def control_file(deb, name):
    """The text of a control file; empty when there is none."""
    for path, member, reader in members(deb, "ctrl"):
        if path == name and member.isreg():
            return reader(member).read().decode(errors="replace")
    return ""


def is_extra(path):
    """Does the file come only with a package that was asked for?"""
    match = GCONV.match(path)
    return match is not None and match[1] not in GCONV_BASIC


def leads_to_itself(path, member):
    """Is it a link between two folders that are one here, such as /sbin/ip to /bin/ip?"""
    return member.issym() and canonical(os.path.join(os.path.dirname(path), member.linkname)
                                        if not member.linkname.startswith("/") else member.linkname) == canonical(path)


def package_tree(deb, asked=True):
    """The package's files as a tree."""
    tree, names = Tree(), {}
    for path, member, reader in members(deb, "fsys"):
        if not path or (path + "/").startswith(LEFT_OUT) or (not asked and is_extra(path)):
            continue
        owner = (member.uid, member.gid)
        mode = stat.S_IMODE(member.mode)
        if member.isdir():
            # Not what is a link here, such as /bin: its permissions are those of the folder that it leads to.
            if canonical(path) == path:
                tree.put(path, Entry(stat.S_IFDIR | mode, member.mtime, owner=owner))
        elif member.issym():
            if not leads_to_itself(path, member):
                tree.put(path, Entry(stat.S_IFLNK | 0o777, member.mtime, os.fsencode(member.linkname), owner=owner))
        elif member.isreg():
            tree.put(path, Entry(stat.S_IFREG | mode, member.mtime, reader(member).read(), owner=owner))
        elif member.islnk():
            names.setdefault(canonical(member.linkname), []).append(path)
    for number, (first, others) in enumerate(sorted(names.items()), 1 << 24):
        join_names(tree, deb, first, others, number)
    return tree


def join_names(tree, deb, first, others, number):
    """Gives one file several names: the data comes with the first entry."""
    if first not in tree.entries:
        raise broken(deb, f"{others[0]} is a link to {first}, which is not in it")
    entry = tree.entries[first]
    entry.names = (number, 1 + len(others))
    for path in others:
        tree.put(path, Entry(entry.mode, entry.mtime, owner=entry.owner, names=entry.names))
