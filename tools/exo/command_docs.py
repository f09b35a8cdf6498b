"""./exo docs: docs/ as a site, built and looked at without a network."""

import os
import subprocess
import sys

from exo.build import ROOT, base_folder
from exo.errors import ExoError
from exo.options import FLAG, VALUE, Option, Parser, number, usage_error

OPTIONS = [
    Option("serve", FLAG, "", "show it at http://127.0.0.1:PORT until Ctrl-C, built again when a page changes; search needs this"),
    Option("port", VALUE, "PORT", "for --serve (8000)", 8000, check=lambda text: number(text, 1, 65535, "--port")),
    Option("out", VALUE, "DIR", "where to (build/site)"),
    Option("help", FLAG, "", "this text"),
]
USAGE = """usage: ./exo docs [OPTIONS]

Builds docs/ as a site (mkdocs.yml), strictly: a warning is a failure. Says where its first page is.
"""
MKDOCS = "/usr/bin/mkdocs"


def main(arguments):
    parser = Parser("docs", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if values.words:
        raise usage_error("docs", f"docs takes no words, and {values.words[0]!r} was given")
    if not os.path.exists(MKDOCS):
        raise ExoError("mkdocs is missing", "as root, type: apt-get install --no-install-recommends mkdocs mkdocs-material")
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if values.serve:
        os.chdir(ROOT)
        os.execve(MKDOCS, [MKDOCS, "serve", "--strict", "--dev-addr", f"127.0.0.1:{values.port}"], environment)
    folder = os.path.abspath(values.out or os.path.join(base_folder(), "site"))
    run = subprocess.run([MKDOCS, "build", "--strict", "--quiet", "--site-dir", folder], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        print(run.stdout, end="", file=sys.stderr)
        raise ExoError("the site has warnings or errors", "mkdocs said which: see above")
    print(os.path.join(folder, "index.html"))
    return 0
