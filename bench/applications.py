"""Applications as cases: each bench/applications/NAME.sh is one, run by /bin/sh in a folder of its own, with Debian's packages on both systems.

A script prepares what it needs and says `timed PROGRAM ARGUMENT...` once, or `timed_often` for what takes less than a second.
"""

import glob
import os
import shutil

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "applications")
PACKAGE_CASES = ["exec_dynamic"]  # exobench's own that need the packages
MEMORY = "1536M"
LIMIT_S = 1500
BASH = ["bash"]
# What is in use while bash waits at its prompt; its own words read the figures.
PROMPT = """exec bash --norc -i <<'END'
while read -r line; do echo "$line"; done </proc/meminfo
END
"""


def names():
    return sorted(os.path.basename(path)[:-len(".sh")] for path in glob.glob(os.path.join(FOLDER, "*.sh")))


def packages():
    with open(os.path.join(FOLDER, "packages")) as file:
        return [word for line in file for word in line.split("#", 1)[0].split()]


def copy_to(folder):
    """The scripts into `folder`/bench/applications."""
    shutil.copytree(FOLDER, os.path.join(folder, "bench", "applications"), dirs_exist_ok=True)


def text(cases, runs, options=""):
    """The shell text that runs the cases: a figure for the command that each names, `runs` times."""
    lines = ["timed() { /bench/exobench %s -i %d --run $name \"$@\"; }" % (options, runs),
             "timed_often() { /bench/exobench %s -i %d --run $name \"$@\"; }" % (options, 5 * runs)]
    for name in cases:
        lines.append(f"name={name}; mkdir -p /tmp/$name; cd /tmp/$name; . /bench/applications/$name.sh; cd /; rm -rf /tmp/$name")
    return "\n".join(lines)
