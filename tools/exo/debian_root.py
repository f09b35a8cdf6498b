"""A root file system of Debian packages over the project's own: segments of the boot archive, and what the packages' installation would
add: links of the alternatives system, accounts. Maintainer scripts are not run.
"""

import hashlib
import os
import shutil
import stat
import subprocess

from exo import rootfs
from exo.apt import Resolver
from exo.archive import Entry, Tree, canonical, export
from exo.deb import FORMAT, Deb, broken, leads_to_itself, members
from exo.packages import cache_folder

# Debian's essential packages are not named as dependencies. Of them these have what others rely on and the project's own root has not: the
# locale C.UTF-8, and a shell that takes programs from the path and not from itself. The rest (sed, tar, ...) is busybox's until it is asked for.
ALWAYS = ("dash", "libc-bin")
# Folders that every Debian system has, and packages take for granted.
FOLDERS = {"opt": 0o755, "srv": 0o755, "var/backups": 0o755, "var/cache": 0o755, "var/lib": 0o755, "var/lib/misc": 0o755, "var/spool": 0o755,
           "usr/local/lib": 0o755, "usr/local/share": 0o755, "usr/share/locale": 0o755}
FIRST_ID, LAST_ID = 100, 999  # of system accounts


class DebianRoot:
    """`debs`: the packages' files; `segments`: files, in the order in which they go into the archive; `tree`: what comes behind them."""

    def __init__(self, names):
        self.debs = Resolver().packages([*names, *ALWAYS])
        asked = {name.partition("=")[0] for name in names}
        packages = [Deb(path, sha256, os.path.basename(path).partition("_")[0] in asked) for path, sha256 in self.debs]
        self.segments = [package.path for package in packages]
        self.tree = Tree()
        self._alternatives([one for package in packages for one in package.alternatives])
        for path, mode in FOLDERS.items():
            self.tree.put(path, Entry(stat.S_IFDIR | mode, 0))
        self._accounts([one for package in packages for one in package.accounts])

    def _alternatives(self, found):
        best = {}
        for link, name, path, priority in found:
            if link not in best or priority > best[link][2]:
                best[link] = (name, path, priority)
        for link, (name, path, _) in sorted(best.items()):
            if canonical(link) != canonical(path):
                self.tree.link("etc/alternatives/" + name, path)
                self.tree.link(link, "/etc/alternatives/" + name)

    def _accounts(self, found):
        """Adds accounts to those that the project's own root has."""
        if not found:
            return
        texts = {}
        for name in ("etc/passwd", "etc/group"):
            with open(os.path.join(rootfs.FOLDER, name)) as file:
                texts[name] = file.read()
        users, groups = added(found, texts["etc/passwd"], texts["etc/group"])
        for name, text in (("etc/passwd", users), ("etc/group", groups)):
            self.tree.put(name, Entry(stat.S_IFREG | 0o644, 0, text.encode()))

    def on_host(self):
        """The same root file system as a folder of the host, in the cache: to run the same programs on Linux."""
        base, _ = rootfs.build()
        own = [(path, entry.mode, entry.data) for path, entry in sorted(self.tree.entries.items())]
        name = hashlib.sha256(repr((sorted(base.entries), [sha256 for _, sha256 in self.debs], own, FORMAT)).encode()).hexdigest()[:32]
        target = os.path.join(cache_folder(), "roots", name)
        if os.path.isdir(target):
            return target
        temporary = f"{target}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        export(base, temporary)
        for path, _ in self.debs:
            # Not dpkg-deb -x: it makes a folder of /bin, which is a link.
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
                loops = [f"--exclude={member.name}" for name, member, _ in members(path, "fsys") if leads_to_itself(name, member)]
                run = subprocess.run(["tar", "-xp", "--keep-directory-symlink", "--no-wildcards", *loops, "-C", temporary],
                                     stdin=process.stdout, stderr=subprocess.DEVNULL)
            if run.returncode != 0 or process.returncode != 0:
                raise broken(path, "it cannot be unpacked")
        export(self.tree, temporary)
        os.chmod(temporary, 0o755)
        os.rename(temporary, target)
        return target


def added(found, passwd, group):
    """The texts of passwd and group with the accounts `found` (exo/scripts.py) added, numbered in their order as adduser does."""
    users = [line.split(":") for line in passwd.splitlines()]
    groups = [line.split(":") for line in group.splitlines()]

    def number(lines, name):
        same = [int(line[2]) for line in lines if line[0] == name]
        taken = {int(line[2]) for line in lines}
        return same[0] if same else next(one for one in range(FIRST_ID, LAST_ID) if one not in taken)

    def add_group(name):
        gid = number(groups, name)
        if name not in {line[0] for line in groups}:
            groups.append([name, "x", str(gid), ""])
        return gid

    for one in found:
        if "group" in one:
            add_group(one["group"])
        elif "member" in one:
            add_group(one["of"])
            line = next(line for line in groups if line[0] == one["of"])
            line[3] = ",".join([name for name in line[3].split(",") if name and name != one["member"]] + [one["member"]])
        elif one["user"] not in {line[0] for line in users}:
            gid = add_group(one["in"])
            users.append([one["user"], "x", str(number(users, one["user"])), str(gid), one["gecos"], one["home"], one["shell"]])
    return tuple("".join(":".join(line) + "\n" for line in lines) for lines in (users, groups))
