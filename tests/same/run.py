#!/usr/bin/python3
"""Same as Linux: every case runs with the same binaries on the host's Linux and on ExoV6; stdout, stderr and exit status
are compared byte for byte.

A case is a file GROUP/NAME.sh beside this program. In its opening comment:
    # shell: sh | bash | lksh | mksh | zsh      what runs it (default: sh, which is busybox); several: a case for each
    # stdin: TEXT                               a line of standard input; may be repeated (default: /dev/null)
    # needs: root                               on the host: real root, not only that of a user namespace
    # needs: programs                           the programs that are built from *.c beside this file, in ../same/files
On both sides it runs in an empty scratch folder with the same environment (driver.sh). On Linux the root is a chroot made
from the same Debian packages as ExoV6's; on ExoV6 one boot runs a batch, and what fails in a batch runs again alone.
differences.tsv lists what may differ: case, and the reason.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sides  # noqa: E402
from sides import HERE, TOP  # noqa: E402


def programs():
    """The folder of the programs that the build has made of the C files here."""
    return os.path.join(os.environ.get("EXO_BUILT") or os.path.join(TOP, "build", "release"), "tests", "same")


def main():
    parser = sides.parser(__doc__)
    parser.add_argument("--memory", default="32M")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exo-same-") as folder:
        root = os.path.join(folder, "root")
        subprocess.run(["/usr/bin/python3", os.path.join(TOP, "tools", "mkimage.py"), "--tree", root], check=True)
        words = ["--memory", options.memory, *options.run_option]
        cases = sides.find_cases(HERE, options.pattern)
        counts = [0, 0, 0, 0]
        for material, some in ((None, [case for case in cases if "programs" not in case.needs]),
                               (programs(), [case for case in cases if "programs" in case.needs])):
            if some:
                linux, guest = sides.Linux(root, material), sides.Guest(options.exo, words, material)
                counts = [sum(pair) for pair in zip(counts, sides.judge(options, some, linux, guest, HERE))]
        return sides.report(options, counts)


if __name__ == "__main__":
    sys.exit(main())
