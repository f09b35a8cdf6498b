#!/usr/bin/env python3
"""Writes boot.img (docs/architecture.md): header, rs, and the archive with servers, libOS and root file system.

With --tree DIR it writes the root file system as a folder instead (devices are left out), for looking at it and for running
the same programs on Linux.
"""

import argparse
import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from exo import archive, rootfs  # noqa: E402
from exo.errors import ExoError, refusal  # noqa: E402

SERVERS = ("proc", "fs", "tty", "posix")


def stripped(path):
    """An ELF file without symbols and debug information, as bytes. Section headers go too; the segments stay where they are."""
    import subprocess
    import tempfile
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["strip", "-s", "-o", out.name, path], check=True)
        with open(out.name, "rb") as file:
            return file.read()


def image(options):
    first = archive.Tree()
    for name in SERVERS:
        first.entries["exo/" + name] = archive.Entry(stat.S_IFREG | 0o755, 0, stripped(getattr(options, name)))
    root, used = rootfs.build()
    for entry in first.entries.values():
        entry.mtime = root.default_mtime
    for command in options.command:
        root.put("bin/" + os.path.basename(command),
                 archive.Entry(stat.S_IFREG | 0o755, root.default_mtime, stripped(command)))
    data = archive.write_image(stripped(options.rs), archive.write_archive([first, root]))
    temporary = options.output + ".new"
    with open(temporary, "wb") as file:
        file.write(data)
    with open(options.output + ".packages", "w") as file:
        file.writelines(f"{package} {version}\n" for package, version in sorted(used.items()))
    os.rename(temporary, options.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", metavar="FILE")
    parser.add_argument("--rs", metavar="FILE")
    for name in SERVERS:
        parser.add_argument("--" + name, metavar="FILE")
    parser.add_argument("--command", metavar="FILE", action="append", default=[], help="a program for /bin")
    parser.add_argument("--tree", metavar="DIR", help="write the root file system there instead")
    options = parser.parse_args()
    if not options.tree and not all(getattr(options, name) for name in ("output", "rs", *SERVERS)):
        parser.error("--output, --rs, --proc, --fs, --tty and --posix are needed, or --tree")
    try:
        if options.tree:
            archive.export(rootfs.build()[0], options.tree)
        else:
            image(options)
    except ExoError as error:
        print(error.text(), file=sys.stderr)
        return error.status
    except OSError as error:
        if refusal(error) is None:
            raise
        print(refusal(error).text(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
