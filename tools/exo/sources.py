"""Debian's source packages, for the tests that they bring along: fetched by apt, unpacked in the cache with Debian's patches, nothing of
them is built. A lock file names the versions (a line: package, version, sha256 of the .dsc); apt checks the signatures up to the .dsc, and
that names the hashes of the rest.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from exo.apt import locked, reason
from exo.errors import ExoError
from exo.packages import cache_folder, digest, read_lock

FORMAT = "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)"


class Sources:
    """Unpacked source packages, each a folder in the cache."""

    def __init__(self, lock_path, warn=None):
        self.lock = read_lock(lock_path)
        self.warn = warn or (lambda text: print(f"exo: {text}", file=sys.stderr))
        self.cache = os.path.join(cache_folder(), "sources")
        os.makedirs(os.path.join(self.cache, "lists", "partial"), exist_ok=True)

    def folder(self, package):
        """Where the package's source is; fetches and unpacks on first use."""
        if package not in self.lock:
            raise ExoError(f"no line for {package} in the lock of source packages")
        version, sha256 = self.lock[package]
        with locked(os.path.join(self.cache, ".lock")):
            target = os.path.join(self.cache, f"{package}-{sha256[:16]}")
            if os.path.isdir(target):
                return target
            with tempfile.TemporaryDirectory(dir=self.cache) as folder:
                dsc = self._fetch(package, version, folder)
                found = digest(dsc)
                if found != sha256:
                    self.warn(f"the source of {package} {version} is no longer in Debian's archive: {os.path.basename(dsc)} ({found}) is used")
                    target = os.path.join(self.cache, f"{package}-{found[:16]}")
                if not os.path.isdir(target):
                    self._unpack(dsc, target)
        return target

    def _run(self, *words, cwd=None):
        options = {"APT::Sandbox::User": "root", "Dir::Etc::sourcelist": os.path.join(self.cache, "sources.list"), "Debug::NoLocking": "1",
                   "Dir::Etc::sourceparts": "/dev/null", "Dir::State::lists": os.path.join(self.cache, "lists"), "Dir::Cache": self.cache,
                   "Acquire::Retries": "2"}
        line = ["apt-get", "-q"] + [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return subprocess.run([*line, *words], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def _update(self):
        """Lists of source packages from where this machine has its Debian packages from."""
        run = subprocess.run(["apt-get", "indextargets", "--format", FORMAT, "Origin: Debian"], capture_output=True, text=True)
        places = sorted({tuple(words[1:4]) for words in map(str.split, run.stdout.splitlines()) if len(words) == 4 and words[0] == "Packages"})
        if not places:
            raise ExoError("apt knows no archive of Debian on this machine", "try: apt-get update")
        with open(os.path.join(self.cache, "sources.list"), "w") as file:
            file.write("".join(f"deb-src {uri} {release} {component}\n" for uri, release, component in places))
        run = self._run("update", "-o", "APT::Update::Error-Mode=any")
        if run.returncode != 0:
            raise ExoError(f"cannot fetch the lists of Debian's source packages: {reason(run)}", "check the network")

    def _fetch(self, package, version, folder):
        """The path of the .dsc, with what it names beside it."""
        for update in (False, True):
            if update:
                self._update()
            elif not os.path.exists(os.path.join(self.cache, "sources.list")):
                continue
            for what in (f"{package}={version}", package) if update else (f"{package}={version}",):
                run = self._run("source", "--download-only", what, cwd=folder)
                found = [name for name in os.listdir(folder) if re.search(r"\.dsc$", name)]
                if run.returncode == 0 and found:
                    return os.path.join(folder, found[0])
        raise ExoError(f"cannot fetch Debian's source package {package}: {reason(run)}", "check the network")

    @staticmethod
    def _unpack(dsc, target):
        temporary = f"{target}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        run = subprocess.run(["dpkg-source", "--no-check", "-x", dsc, temporary], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             errors="replace")
        if run.returncode != 0:
            shutil.rmtree(temporary, ignore_errors=True)
            raise ExoError(f"cannot unpack {os.path.basename(dsc)}: {(run.stderr.strip().splitlines() or ['no reason given'])[-1]}")
        os.rename(temporary, target)
