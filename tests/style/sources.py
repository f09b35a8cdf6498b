"""What the other files here share: the source files of the tree and how C text is taken apart."""

import os
import re

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SYSTEM = ("kernel", "libexo", "libos", "servers", "drivers")  # what the system is made of
OTHER = ("user", "tests", "bench")


def files(folders, endings):
    """Paths relative to the tree."""
    found = []
    for top in folders:
        for folder, names, entries in os.walk(os.path.join(TREE, top)):
            names[:] = [name for name in names if not name.startswith((".", "__"))]
            found += [os.path.relpath(os.path.join(folder, name), TREE) for name in entries if name.endswith(endings)]
    return sorted(found)


def text(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def code_lines(path):
    """The lines of a C or assembler file without comments and strings; as many lines as the file has."""
    def blank(match):
        return '""' if match[0].startswith(('"', "'")) else re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text(path), flags=re.S).split("\n")


def is_architecture(path):
    """Below a folder arch/: the only place for assembly and registers."""
    return "/arch/" in path


def is_test(path):
    return path.startswith("tests/") or path.endswith("_test.c")
