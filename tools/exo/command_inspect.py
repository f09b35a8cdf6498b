"""./exo inspect: run a command, and make a page of what the kernel had and did meanwhile."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

from exo import command_debug, command_run, command_trace
from exo.build import ROOT
from exo.errors import ExoError
from exo.inspect_page import page
from exo.inspect_run import Run
from exo.inspect_views import all_views
from exo.options import FLAG, VALUE, Option, Parser, usage_error
from exo.recording import Names

OPTIONS = [
    Option("html", VALUE, "FILE", "where to write the page (inspect.html)", "inspect.html"),
] + command_trace.RECORD_OPTIONS + command_trace.KEPT + [Option("help", FLAG, "", "this text")]
USAGE = """usage: ./exo inspect [--html FILE] [OPTIONS] [--] CMD [ARG...]

Boots, runs CMD in the guest as ./exo run does, and writes one page, which needs no network: who holds capabilities to what and whose the memory is, at
the moment when most environments lived; the lattice of labels; who ran when beside what the policies owed him; gas; how long calls took. gdb takes the
look, so the guest stands still for that moment. The exit status is CMD's.
"""


def labels():
    """{label: those directly above it}, in the file's order."""
    with open(os.path.join(ROOT, "abi", "labels.txt")) as file:
        return {words[0]: words[2:] for words in (line.split("#")[0].split()[1:] for line in file if re.match(r"label ", line))}


class Look(threading.Thread):
    """gdb beside the guest, whose socket comes to be when QEMU starts."""

    def __init__(self, built, folder):
        super().__init__(daemon=True)
        self.socket, self.snapshot = os.path.join(folder, "gdb"), os.path.join(folder, "snapshot.json")
        self.script, self.log = os.path.join(folder, "script"), os.path.join(folder, "log")
        self.kernel, self.over = built.kernel, False
        with open(self.script, "w") as file:
            file.write(command_debug.gdb_script(built, self.socket, folder, ())
                       + f'set $exo_snapshot = "{self.snapshot}"\nsource {os.path.join(ROOT, "tools", "debugger", "snapshot.py")}\n')

    def run(self):
        while not os.path.exists(self.socket) and not self.over:
            time.sleep(0.01)
        if not self.over:
            with open(self.log, "w") as log:
                subprocess.run(["gdb", "-q", "-batch", self.kernel, "-x", self.script], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def taken(self):
        """What was found, when the guest has ended."""
        self.over = True
        self.join(60)
        try:
            with open(self.snapshot) as file:
                found = json.load(file)
        except (OSError, ValueError):
            found = None
        if found is None:
            raise ExoError("gdb could not look into the guest", "it said: " + self.said())
        return found

    def said(self):
        try:
            with open(self.log) as file:
                return file.read().strip().rpartition("\n")[2] or "nothing"
        except OSError:
            return "nothing"


def linker(path):
    """Where pages of the tour are: in the site, if it was built, else their sources."""
    site = os.path.join(ROOT, "build", "site")

    def link(name):
        built = os.path.join(site, re.sub(r"\.md$", ".html", name))
        return os.path.relpath(built if os.path.exists(built) else os.path.join(ROOT, "docs", name), os.path.dirname(os.path.abspath(path)))
    return link


def main(arguments):
    parser = Parser("inspect", OPTIONS, words_end_options=True)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if not values.words:
        raise usage_error("inspect", "which command?")
    if not shutil.which("gdb"):
        raise ExoError("gdb is not installed", "as root, type: apt-get install --no-install-recommends gdb")
    values.output = values.html
    built = command_run.the_build(values)
    built.check()
    with tempfile.TemporaryDirectory(prefix="exo-inspect-") as folder:
        look = Look(built, folder)
        look.start()
        try:
            status, recording, _ = command_trace.record("inspect", values, 0, f"unix:{look.socket},server=on,wait=off")
        finally:
            look.over = True
        if recording is None:
            return status
        snapshot = look.taken()
    command_trace.say_lost(recording)
    run = Run(recording, Names(ROOT))
    facts = (f"{len(snapshot['envs'])} environments in {len(snapshot['zones'])} zones at the look; {run.cpus} processor{'s' if run.cpus > 1 else ''}; "
             f"{(run.end - run.begin) / 1e9:.3f} s were recorded.")
    title = " ".join(values.words)
    text = page("exo inspect: " + (title if len(title) <= 60 else title[:59] + "\u2026"), facts, all_views(snapshot, run, labels()), linker(values.html))
    with open(values.html, "w", encoding="utf-8") as file:
        file.write(text)
    return status
