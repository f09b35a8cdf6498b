#!/usr/bin/python3
"""Debian's programs, dynamically linked and unmodified: each case runs on the host's Linux and on ExoV6, and what it prints is compared.

A group is a folder with a file `packages`: Debian packages, and perhaps a line `memory: SIZE`. Its cases are files NAME.sh as in the suite
same (tests/same/run.py says how they look); `# long` in the opening comment: only with --long. A case may also be a
script for perl, python3, tclsh, lua5.4 or node, named as its shell. One boot with the group's packages runs
all its cases; on Linux they run in a chroot unpacked from the same packages. differences.tsv lists what may differ: case, and the reason.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TOP, "tests", "same"), os.path.join(TOP, "tools")]
sys.dont_write_bytecode = True
import sides  # noqa: E402
from exo.debian_root import DebianRoot  # noqa: E402
from exo.errors import ExoError  # noqa: E402

SHELLS = {"sh": "busybox sh", "zsh": "zsh -f", **{name: name for name in ("bash", "dash", "mksh", "perl", "python3", "tclsh", "lua5.4", "node")}}


class Group:
    """The cases of one set of packages."""

    def __init__(self, name, cases):
        self.cases = cases
        self.packages, self.options = [], []
        with open(os.path.join(HERE, name, "packages")) as file:
            for line in file:
                text = line.split("#", 1)[0].strip()
                if text.startswith("memory:"):
                    self.options += ["--memory", text.split()[1]]
                else:
                    self.packages += text.split()

    def judge(self, options):
        if options.list:
            return sides.judge(options, self.cases, None, None, HERE)
        root = DebianRoot(self.packages)
        words = [word for package in self.packages for word in ("--package", package)]
        guest = sides.Guest(options.exo, [*words, *self.options, *options.run_option])
        return sides.judge(options, self.cases, sides.Linux(root.on_host()), guest, HERE)


def groups(patterns, long_run):
    found = {}
    for case in sides.find_cases(HERE, patterns, SHELLS):
        if long_run or not case.long:
            found.setdefault(os.path.relpath(case.path, HERE).split(os.sep)[0], []).append(case)
    return [Group(name, cases) for name, cases in sorted(found.items())]


def main():
    parser = sides.parser(__doc__)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("EXO_LONG")))
    options = parser.parse_args()
    total = [0, 0, 0, 0]
    for group in groups(options.pattern, options.long):
        try:
            counts = group.judge(options)
        except ExoError as error:
            print(f"FAIL {group.cases[0].name} and {len(group.cases) - 1} more: {error.text()}")
            counts = (0, len(group.cases), 0, 0)
        total = [before + more for before, more in zip(total, counts)]
    return sides.report(options, total)


if __name__ == "__main__":
    sys.exit(main())
