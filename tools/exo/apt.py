"""Which Debian packages belong together, and their files: apt says it, and fetches them into a private state in the cache, where nothing
counts as installed but dpkg, which packages depend on for their maintainer scripts only, and those are not run. What apt has said once for
a set of packages holds until its lists change.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess

from exo.errors import ExoError
from exo.packages import cache_folder, digest

# Not a trailing -, which apt takes for "remove"; and no name that is only a pattern (see `known`).
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.](=[A-Za-z0-9.+:~-]+)?")
SYSTEM_LISTS = "/var/lib/apt/lists"
ASSUMED = ("dpkg",)
INSTALLED = "Package: {}\nStatus: install ok installed\nVersion: 99\nArchitecture: amd64\nMaintainer: nobody\nDescription: taken for granted\n\n"


def package_name(text):
    """For the option --package."""
    if not NAME.fullmatch(text):
        raise ValueError("a package is NAME or NAME=VERSION")
    return text


class Apt:
    """apt with a state of its own."""

    def __init__(self):
        self.folder = os.path.join(cache_folder(), "apt")
        self.archives = os.path.join(self.folder, "archives")
        self.private_lists = os.path.join(self.folder, "lists")
        self.lists = SYSTEM_LISTS
        for name in ("archives/partial", "lists/partial"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        for name, packages in (("status", ()), ("status-assumed", ASSUMED)):
            write_once(os.path.join(self.folder, name), "".join(INSTALLED.format(package) for package in packages))

    def run(self, tool, *words):
        # Without a sandbox user: apt's own user may not be able to write into the cache of whoever runs this.
        asked = {word.partition("=")[0] for word in words}
        status = "status" if asked & set(ASSUMED) else "status-assumed"
        options = {"APT::Sandbox::User": "root", "APT::Architecture": "amd64", "APT::Install-Recommends": "false", "Debug::NoLocking": "1",
                   "Dir::State::status": os.path.join(self.folder, status), "Dir::State::lists": self.lists, "Dir::Cache": self.folder,
                   "Dir::State::extended_states": os.path.join(self.folder, "extended_states"), "APT::Get::Assume-Yes": "true",
                   "Acquire::Retries": "2"}
        line = [tool, "-q"] + [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return subprocess.run([*line, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def knows(self, name):
        return self.run("apt-cache", "show", "--no-all-versions", name.partition("=")[0]).returncode == 0

    def use_private_lists(self):
        """Lists of our own, for machines whose lists are missing or old. False: they cannot be fetched."""
        self.lists = self.private_lists
        return self.run("apt-get", "update", "-o", "APT::Update::Error-Mode=any").returncode == 0

    def together(self, names):
        """[(name, version, architecture)] of the packages and all that they depend on."""
        run = self.run("apt-get", "-s", "install", *names)
        if run.returncode != 0:
            raise ExoError(f"apt cannot put {' '.join(names)} together: {reason(run)}", "apt-cache show NAME says what a package needs")
        found = [re.match(r"Inst (\S+) .*?\(([^ )]+) .*\[([a-z0-9]+)\]\)", line) for line in run.stdout.splitlines()]
        return [match.groups() for match in found if match]

    def fetch(self, names):
        """Brings their .deb files into `archives`; None, or why not."""
        run = self.run("apt-get", "--download-only", "install", *names)
        return None if run.returncode == 0 else reason(run)

    def deb(self, name, version, architecture):
        """Where apt puts a package's file."""
        return os.path.join(self.archives, f"{name.partition(':')[0]}_{version.replace(':', '%3a')}_{architecture}.deb")


def write_once(path, text):
    """Whole, or as it is: others may read it now."""
    with contextlib.suppress(OSError), open(path) as file:
        if file.read() == text:
            return
    with open(f"{path}.{os.getpid()}", "w") as file:
        file.write(text)
    os.rename(file.name, path)


def reason(run):
    """What apt complained about, in a line."""
    lines = [line[3:] for line in run.stderr.splitlines() if line.startswith("E: ")]
    return lines[0] if lines else f"it ended with status {run.returncode}"


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Resolver:
    """Sets of packages, remembered in the cache."""

    def __init__(self):
        self.apt = Apt()
        self.sets = os.path.join(cache_folder(), "sets")
        os.makedirs(self.sets, exist_ok=True)

    def _lists_changed(self):
        """When apt's lists changed last, in nanoseconds."""
        return max(os.stat(path).st_mtime_ns for path in (SYSTEM_LISTS, self.apt.private_lists) if os.path.isdir(path))

    def packages(self, names):
        """[(path of the .deb, its sha256)] of the packages and all that they depend on, each before those that need it where possible."""
        names = sorted(set(names))
        record = os.path.join(self.sets, hashlib.sha256(" ".join((*names, "without", *ASSUMED)).encode()).hexdigest()[:32])
        with locked(os.path.join(self.sets, ".lock")):
            found = self._recorded(record)
            if found is None:
                changed = self._lists_changed()
                members = self._resolve(names)
                found = [(self.apt.deb(*member), digest(self.apt.deb(*member))) for member in members]
                self._write(record, found, max(changed, self._lists_changed()))
            return found

    def _recorded(self, record):
        try:
            with open(record) as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        if not lines or int(lines[0]) != self._lists_changed():
            return None
        found = [tuple(line.split("\t")) for line in lines[1:]]
        return found if all(os.path.exists(path) for path, _ in found) else None

    @staticmethod
    def _write(record, found, changed):
        with open(record + ".new", "w") as file:
            file.write(f"{changed}\n" + "".join(f"{path}\t{sha256}\n" for path, sha256 in found))
        os.rename(record + ".new", record)

    def _resolve(self, names):
        unknown = [name for name in names if not self.apt.knows(name)]
        if unknown and not any("_Packages" in name for name in os.listdir(SYSTEM_LISTS) if os.path.isdir(SYSTEM_LISTS)):
            if not self.apt.use_private_lists():
                raise ExoError("apt has no lists of packages on this machine, and cannot fetch them",
                               "check the network, then try: apt-get update")
            unknown = [name for name in names if not self.apt.knows(name)]
        if unknown:
            raise ExoError(f"Debian has no package {unknown[0]}", f"apt-cache search {unknown[0]} looks for others", status=2)
        members = self.apt.together(names)
        problem = self.apt.fetch(names)
        if problem and self.apt.lists == SYSTEM_LISTS and self.apt.use_private_lists():
            members = self.apt.together(names)  # the lists were older than Debian's archive
            problem = self.apt.fetch(names)
        missing = [member[0] for member in members if not os.path.exists(self.apt.deb(*member))]
        if problem or missing:
            raise ExoError(f"cannot fetch the Debian packages {' '.join(names)}: {problem or 'no file for ' + missing[0]}",
                           "check the network, then try: apt-get update")
        return members
