"""The commands that README.md and docs/ show, run as a reader would type them, and what they print (tools/exo/pages.py says how it is written)."""

import os
import signal
import subprocess

from exo import pages
from exo.testing import Failed, shorten

LIMIT_S = 90
LONG_S = 900


def reader(t):
    """A folder as a reader's clone: the tree's files, and what is built where ./exo builds."""
    folder = os.path.join(t.folder, "tree")
    os.makedirs(os.path.join(folder, "build"))
    for name in os.listdir(t.root):
        if name != "build" and not name.startswith("."):
            os.symlink(t.path(name), os.path.join(folder, name))
    os.symlink(t.built, os.path.join(folder, "build", "release"))
    return folder


def run(t, command, folder, limit):
    """(status, what was printed) of a line for the shell; nothing that it started is left."""
    environment = t.environment({"EXO_BUILT": t.built})
    for name in ("EXO_SMP", "EXO_NO_REWRITE"):  # what ./exo test passes on; a reader has not asked for it
        environment.pop(name, None)
    process = subprocess.Popen(["/bin/sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        raise Failed(f"{command}: no end after {limit} s; it printed {shorten(said)}") from None
    return process.returncode, said.decode(errors="replace").replace("\r\n", "\n")


def shown(block, limit):
    def body(t):
        folder = reader(t)
        for command, wanted in block.steps:
            status, said = run(t, command, folder, limit)
            t.check(status == 0, lambda: f"{block.page}:{block.line}: {command}: status {status}; it printed\n{said}")
            t.check(wanted is None or pages.fits(said, wanted), lambda: f"{block.page}:{block.line}: {command} printed\n{said}and the page says\n{wanted}")
    return body


def broken(t):
    """A command that fails, prints something else, or does not end is found."""
    for body, word in (("$ false\n", "status 1"), ("$ ./exo nothing\n", "there is no command"), ("$ echo two\none\n", "the page says"),
                       ("$ sleep 60\n", "no end")):
        block, = pages.blocks("page", f"```console\n{body}```\n")
        again = type(t)(os.path.join(t.folder, word.replace(" ", "-")), t.built)
        try:
            shown(block, 2)(again)
        except Failed as problem:
            t.check(word in str(problem), str(problem))
        else:
            raise Failed(f"{body} passed")


def cases(t):
    yield "broken-commands", broken
    for page in pages.pages():
        for number, block in enumerate(pages.blocks(page), 1):
            if block.mark == "shown" or block.mark == "long" and not t.long:
                continue
            limit = LONG_S if block.mark == "long" else LIMIT_S
            yield f"{page.removesuffix('.md').replace('/', '-')}-{number}", shown(block, limit), limit + 30
