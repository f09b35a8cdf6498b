"""The root file system, made from its description tools/rootfs/tree.txt and Debian's packages."""

import os
import subprocess

from exo.archive import MERGED, Tree
from exo.errors import ExoError
from exo.packages import Packages

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "rootfs")

# TZif version 1: no transitions, one type (offset 0, no daylight saving, name at 0), the name UTC.
UTC = b"TZif" + bytes(16) + b"".join(count.to_bytes(4, "big") for count in (0, 0, 0, 0, 1, 4)) + bytes(6) + b"UTC\0"


class Description:
    """Reads tree.txt line by line into a tree."""

    def __init__(self, path, packages):
        self.path = path
        self.packages = packages
        self.tree = Tree()
        self.folders = {}

    def read(self):
        with open(self.path) as file:
            lines = [(number, line.split("#", 1)[0].split()) for number, line in enumerate(file, 1)]
        lines = [(number, words) for number, words in lines if words]
        self._newest(lines)
        for number, words in lines:
            try:
                getattr(self, "_" + words[0])(*words[1:])
            except (AttributeError, TypeError, ValueError) as problem:
                raise ExoError(f"{self.path}:{number}: {' '.join(words)}: {problem}", "see the head of that file") from problem
        for link, target in MERGED.items():
            depth = link.count("/")
            # Not put(): the name of the link itself must not be resolved through the link.
            self.tree.directory(os.path.dirname(link) or target)
            self.tree.entries[link] = self._symlink("../" * depth + target)
        return self.tree

    def _symlink(self, target):
        tree = Tree(self.tree.default_mtime)
        tree.link("x", target)
        return tree.entries["x"]

    def _newest(self, lines):
        """Files without a date of their own get that of the newest package file: the image depends on nothing else."""
        newest = 0
        for _, words in lines:
            if words[0] == "file" and ":" in words[3]:
                newest = max(newest, int(os.stat(self._source(words[3])).st_mtime))
        self.tree.default_mtime = newest

    def _source(self, name):
        package, separator, path = name.partition(":")
        if not separator:
            return os.path.join(FOLDER, name)
        if package not in self.folders:
            self.folders[package] = self.packages.folder(package)
        return os.path.join(self.folders[package], path)

    def _dir(self, path, mode):
        self.tree.directory(path, int(mode, 8))

    def _link(self, path, target):
        self.tree.link(path, target)

    def _char(self, path, mode, major, minor):
        self.tree.device(path, int(mode, 8), int(major), int(minor))

    def _file(self, path, mode, source):
        host = self._source(source)
        if ":" in source:
            self.tree.host_file(path, host, int(mode, 8))
            return
        with open(host, "rb") as file:
            self.tree.text(path, file.read(), int(mode, 8))

    def _utc(self, path):
        self.tree.text(path, UTC)

    def _applets(self, folder, source, target):
        run = subprocess.run([self._source(source), "--list"], capture_output=True, text=True, check=True)
        for name in run.stdout.split():
            if name != os.path.basename(target):
                self.tree.link(os.path.join(folder, name), target)


def build(warn=None):
    """(tree, {package: "version sha256"})"""
    packages = Packages(os.path.join(FOLDER, "packages.lock"), warn)
    tree = Description(os.path.join(FOLDER, "tree.txt"), packages).read()
    return tree, packages.used
