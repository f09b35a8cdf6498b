"""A root file system of Debian packages over the project's own: segments of the boot archive, and what the packages' installation would
set: links of the alternatives system. Maintainer scripts are not run.
"""

from exo.apt import Resolver
from exo.archive import Tree, canonical
from exo.deb import Deb

# Debian's essential packages are not named as dependencies. Of them only this one has what the others rely on and the project's own root
# has not: the locale C.UTF-8. The rest (sh, sed, tar, ...) is busybox's until it is asked for.
ALWAYS = ("libc-bin",)


class DebianRoot:
    """`segments`: files, in the order in which they go into the archive; `tree`: what comes behind them."""

    def __init__(self, names):
        packages = [Deb(path, sha256) for path, sha256 in Resolver().packages([*names, *ALWAYS])]
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
