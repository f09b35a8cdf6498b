"""A root file system of Debian packages over the project's own: segments of the boot archive, and what the packages' installation would
set: links of the alternatives system. Maintainer scripts are not run.
"""

import hashlib
import os
import shutil
import subprocess

from exo import rootfs
from exo.apt import Resolver
from exo.archive import Tree, canonical, export
from exo.deb import Deb, broken
from exo.packages import cache_folder

# Debian's essential packages are not named as dependencies. Of them these have what others rely on and the project's own root has not: the
# locale C.UTF-8, and a shell that takes programs from the path and not from itself. The rest (sed, tar, ...) is busybox's until it is asked for.
ALWAYS = ("dash", "libc-bin")


class DebianRoot:
    """`debs`: the packages' files; `segments`: files, in the order in which they go into the archive; `tree`: what comes behind them."""

    def __init__(self, names):
        self.debs = Resolver().packages([*names, *ALWAYS])
        asked = {name.partition("=")[0] for name in names}
        packages = [Deb(path, sha256, os.path.basename(path).partition("_")[0] in asked) for path, sha256 in self.debs]
        self.segments = [package.path for package in packages]
        self.tree = Tree()
        self._alternatives([one for package in packages for one in package.alternatives])

    def _alternatives(self, found):
        best = {}
        for link, name, path, priority in found:
            if link not in best or priority > best[link][2]:
                best[link] = (name, path, priority)
        for link, (name, path, _) in sorted(best.items()):
            if canonical(link) != canonical(path):
                self.tree.link("etc/alternatives/" + name, path)
                self.tree.link(link, "/etc/alternatives/" + name)

    def on_host(self):
        """The same root file system as a folder of the host, in the cache: to run the same programs on Linux."""
        base, _ = rootfs.build()
        name = hashlib.sha256(repr((sorted(base.entries), [sha256 for _, sha256 in self.debs])).encode()).hexdigest()[:32]
        target = os.path.join(cache_folder(), "roots", name)
        if os.path.isdir(target):
            return target
        temporary = f"{target}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        export(base, temporary)
        for path, _ in self.debs:
            # Not dpkg-deb -x: it makes a folder of /bin, which is a link.
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
                run = subprocess.run(["tar", "-xp", "--keep-directory-symlink", "-C", temporary], stdin=process.stdout, stderr=subprocess.DEVNULL)
            if run.returncode != 0 or process.returncode != 0:
                raise broken(path, "it cannot be unpacked")
        export(self.tree, temporary)
        os.chmod(temporary, 0o755)
        os.rename(temporary, target)
        return target
