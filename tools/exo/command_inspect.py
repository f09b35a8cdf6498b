"""./exo inspect: run a command, and make a page of what the kernel had and did meanwhile."""

import json
import os
import re

from exo import command_run, command_trace
from exo.build import ROOT
from exo.errors import ExoError
from exo.inspect_page import page
from exo.inspect_run import Run
from exo.inspect_views import all_views
from exo.options import FLAG, VALUE, Option, Parser, usage_error
from exo.recording import Names
from exo.watcher import Companion

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


def taken(gdb):
    """What gdb has found, now that the guest has ended."""
    said = gdb.said().strip().rpartition("\n")[2] or "nothing"
    try:
        with open(os.path.join(gdb.folder, "snapshot.json")) as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = None
    if found is None:
        raise ExoError("gdb could not look into the guest", f"it said: {said}")
    return found


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
    built = command_run.the_build(values)
    built.check()
    gdb = Companion(built, f"source {os.path.join(ROOT, 'tools', 'debugger', 'snapshot.py')}")
    try:
        status, recording, _ = command_trace.record("inspect", values, 0, to="html", gdb=gdb.target)
        if recording is None:
            return status
        snapshot = taken(gdb)
    finally:
        gdb.close()
    command_trace.say_lost(recording)
    run = Run(recording, Names(ROOT))
    facts = (f"{len(snapshot['envs'])} environments in {len(snapshot['zones'])} zones at the look; {run.cpus} processor{'s' if run.cpus > 1 else ''}; "
             f"{(run.end - run.begin) / 1e9:.3f} s were recorded.")
    title = " ".join(values.words)
    text = page("exo inspect: " + (title if len(title) <= 60 else title[:59] + "\u2026"), facts, all_views(snapshot, run, labels()), linker(values.html))
    with open(values.html, "w", encoding="utf-8") as file:
        file.write(text)
    return status
