"""The project's pages as tests see them: the commands that they show, what these should print, and what in the tree they name.

A block ```console has lines `$ COMMAND`, each followed by what it prints (nothing: that is not said). In what it prints, `...` stands for anything, and on
a line of its own for any lines. A comment before a block marks it: <!-- long: WHY --> is run with --long, <!-- shown: WHY --> is not run.
"""

import glob
import os
import re

from exo.build import ROOT

BLOCK = re.compile(r"(?:^<!-- (?P<mark>long|shown): (?P<why>[^>]+?) -->\n)?^```console\n(?P<body>.*?)^```$", re.M | re.S)
TOPS = "abi bench cmake docs drivers examples kernel libexo libos models servers tests tools user".split()
PATH = re.compile(rf"`((?:{'|'.join(TOPS)})/[\w./*{{}},-]*)(?::(\w+))?`")
MADE = ("docs/benchmarks.*",)  # ./exo bench --vs linux draws it
CODE = re.compile(r"`([^`\n]+)`")


class Block:
    """Commands that a page shows: `steps` are (command, what it prints or None)."""

    def __init__(self, page, line, mark, body):
        self.page, self.line, self.mark, self.steps = page, line, mark, []
        for text in body.splitlines():
            if text.startswith("$ "):
                self.steps.append((text[2:], None))
            elif self.steps:
                command, said = self.steps[-1]
                self.steps[-1] = (command, (said or "") + text + "\n")
            else:
                raise ValueError(f"{page}:{line}: a console block begins with a command")


def pages():
    """All that a reader is led to, relative to the tree."""
    return ["README.md"] + sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "docs", "**", "*.md"), recursive=True))


def text_of(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def blocks(page, text=None):
    text = text_of(page) if text is None else text
    return [Block(page, text.count("\n", 0, match.start("body")), match["mark"], match["body"]) for match in BLOCK.finditer(text)]


def unmarked(text):
    """Lines that look like commands and are in no block that is tested."""
    rest = BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
    return [(number, line) for number, line in enumerate(rest.splitlines(), 1)
            if re.match(r"(    |\t)?(\$ |\./exo )", line) or re.match(r"```(sh|bash|shell)\b", line)]


def fits(said, wanted):
    """What a command printed is what the page says."""
    pattern = "".join("(?:.*\n)*" if line.strip() == "..." else ".*".join(map(re.escape, line.rstrip().split("..."))) + "[ \t]*\n"
                      for line in wanted.splitlines())
    return re.fullmatch(pattern, said if not said or said.endswith("\n") else said + "\n") is not None


def lost_names(text):
    """What a page names as `PATH` or `PATH:NAME` and the tree has not."""
    lost = []
    for path, name in PATH.findall(text):
        found = [each for form in braces(path) for each in glob.glob(os.path.join(ROOT, form))]
        if not found and path not in MADE:
            lost.append(path)
        elif name and not any(os.path.isfile(each) and re.search(rf"\b{name}\b", text_of(each)) for each in found):
            lost.append(f"{path}:{name}")
    return lost


def braces(path):
    """`a/{b,c}.d` as two paths."""
    match = re.search(r"\{([^}]*)\}", path)
    return [path] if not match else [path[:match.start()] + each + path[match.end():] for each in match[1].split(",")]


def commands_named(text):
    """{command of ./exo: its long options} of what a page says in passing, between backquotes or in blocks."""
    found = {}
    spoken = CODE.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)) + [command for match in BLOCK.finditer(text)
                                                                                  for command in re.findall(r"^\$ (.*)", match["body"], re.M)]
    for code in spoken:
        for match in re.finditer(r"\./exo ([a-z]+)\b(.*?)(?=; |\||&&| -- | \./| #|$)", code):  # not the words of a guest's program
            words = match[2].split()
            found.setdefault(match[1], set()).update(word.partition("=")[0] for word in words if re.match(r"--[a-z]", word))
    return found
