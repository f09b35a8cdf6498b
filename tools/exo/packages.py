"""Debian packages as material for the root file system: fetched by apt, unpacked, never installed and never rebuilt.

tools/rootfs/packages.lock names the versions that the project was tested with. apt checks Debian's signatures. When Debian's
archive no longer has a version (a security update replaced it), the current one is taken and a line says so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

from exo.errors import ExoError


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "exov6")


def read_lock(path):
    """{package: (version, sha256)}"""
    lock = {}
    with open(path) as file:
        for line in file:
            words = line.split("#", 1)[0].split()
            if words:
                lock[words[0]] = (words[1], words[2])
    return lock


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(what, folder, options=()):
    """Asks apt for a package; the path of the .deb, or None. `what` is NAME or NAME=VERSION."""
    before = set(os.listdir(folder))
    # Without a sandbox user: apt's own user may not be able to write into the cache of whoever builds.
    run = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", *options, "download", what], cwd=folder,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    new = [name for name in os.listdir(folder) if name not in before and name.endswith(".deb")]
    return os.path.join(folder, new[0]) if run.returncode == 0 and new else None


def _private_lists(folder):
    """Fetches package lists into the cache, for machines whose own lists are empty. Options for apt, or None."""
    state = os.path.join(folder, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"), exist_ok=True)
    os.makedirs(os.path.join(state, "archives", "partial"), exist_ok=True)
    options = ["-o", f"Dir::State::Lists={state}/lists", "-o", f"Dir::Cache={state}"]
    run = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", *options, "update"],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return options if run.returncode == 0 else None


def _installed_copy(package, target):
    """The files of an installed package, when apt can fetch nothing. The version, or None."""
    query = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
                           capture_output=True, text=True)
    if query.returncode != 0 or not query.stdout.startswith("installed "):
        return None
    if subprocess.run(["dpkg", "--verify", package], capture_output=True, text=True).stdout.strip():
        return None  # files of the package were changed on this machine
    for path in subprocess.run(["dpkg", "-L", package], capture_output=True, text=True).stdout.splitlines():
        if os.path.isfile(path) or (os.path.islink(path) and not os.path.isdir(path)):  # /bin is a link on this machine
            os.makedirs(target + os.path.dirname(path), exist_ok=True)
            shutil.copy2(path, target + path, follow_symlinks=False)
    return query.stdout.split()[1]


def _fetch(package, version, sha256, debs):
    """The path of a .deb and whether it is the locked one."""
    cached = os.path.join(debs, sha256 + ".deb")
    if os.path.exists(cached) and digest(cached) == sha256:
        return cached, True
    with tempfile.TemporaryDirectory(dir=debs) as folder:
        path = _download(f"{package}={version}", folder) or _download(package, folder)
        if path is None:
            options = _private_lists(os.path.dirname(debs))
            if options:
                path = _download(f"{package}={version}", folder, options) or _download(package, folder, options)
        if path is None:
            return None, False
        found = digest(path)
        os.rename(path, os.path.join(debs, found + ".deb"))
        return os.path.join(debs, found + ".deb"), found == sha256


def _extract(deb, folder):
    run = subprocess.run(["dpkg-deb", "-x", deb, folder], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if run.returncode != 0:
        raise ExoError(f"cannot unpack {deb}: {(run.stderr.strip().splitlines() or ['no reason given'])[0]}",
                       f"is there room, and may you write, in {cache_folder()}?")


class Packages:
    """Unpacked packages, each a folder in the cache."""

    def __init__(self, lock_path, warn=None):
        self.lock = read_lock(lock_path)
        self.warn = warn or (lambda text: print(f"exo: {text}", file=sys.stderr))
        self.used = {}  # package -> "version sha256", what really went into the image

    def folder(self, package):
        """Where the package's files are; fetches and unpacks on first use."""
        version, sha256 = self.lock[package]
        cache = cache_folder()
        debs = os.path.join(cache, "debs")
        os.makedirs(debs, exist_ok=True)
        deb, locked = _fetch(package, version, sha256, debs)
        if deb:
            found = sha256 if locked else digest(deb)
            target = os.path.join(cache, "unpacked", f"{package}-{found[:16]}")
            self._unpack(target, lambda out: _extract(deb, out))
            if not locked:
                version = subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True).stdout.strip()
                self.warn(f"{package} {version} is used; the lock's version {self.lock[package][0]} is no longer in the archive")
            self.used[package] = f"{version} {found}"
            return target
        return self._from_this_machine(package, cache)

    def _from_this_machine(self, package, cache):
        versions = []
        target = os.path.join(cache, "unpacked", f"{package}-installed")
        shutil.rmtree(target, ignore_errors=True)
        self._unpack(target, lambda out: versions.append(_installed_copy(package, out)))
        if not versions or versions[0] is None:
            shutil.rmtree(target, ignore_errors=True)
            raise ExoError(f"cannot fetch the Debian package {package} for the root file system",
                           f"check the network, then try: apt-get update && apt-get download {package}")
        self.warn(f"{package} {versions[0]} is copied from this machine: apt could not fetch it")
        self.used[package] = f"{versions[0]} installed"
        return target

    @staticmethod
    def _unpack(target, fill):
        """Fills a new folder and gives it its name at the end, so that nobody sees half of it."""
        if os.path.isdir(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        temporary = tempfile.mkdtemp(dir=os.path.dirname(target))
        os.chmod(temporary, 0o755)
        try:
            fill(temporary)
            os.rename(temporary, target)
        except OSError:
            if not os.path.isdir(target):  # else somebody else was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
