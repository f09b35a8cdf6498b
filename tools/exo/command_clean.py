"""./exo clean: removes what was built."""

import os
import shutil

from exo.build import base_folder
from exo.options import FLAG, Option, Parser, usage_error
from exo.packages import cache_folder

OPTIONS = [
    Option("all", FLAG, "", "the packages in the cache too: they are fetched again"),
    Option("help", FLAG, "", "this text"),
]
USAGE = """usage: ./exo clean [OPTIONS]

Removes the build folders and the logs of failed tests.
"""


def made_by_us(path):
    """A folder that CMake was to build in, or the runner's logs. Anything else under build/ stays."""
    return os.path.basename(path) == "test-logs" or any(
        os.path.exists(os.path.join(path, name)) for name in ("build.ninja", "CMakeCache.txt", "exo-build.log"))


def main(arguments):
    parser = Parser("clean", OPTIONS)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    if values.words:
        raise usage_error("clean", f"clean takes no words, and {values.words[0]!r} was given")
    base = base_folder()
    for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
        path = os.path.join(base, name)
        if os.path.isdir(path) and made_by_us(path):
            shutil.rmtree(path)
        elif name == ".packages-ok":
            os.remove(path)
    if os.path.isdir(base) and not os.listdir(base):
        os.rmdir(base)
    if values.all:
        shutil.rmtree(cache_folder(), ignore_errors=True)
    return 0
