"""./exo profile: run a command, look every millisecond at what each CPU does, and draw it as a flame graph."""

import os
import re

from exo import command_run, command_trace, flame, link
from exo.archive import ImageFiles
from exo.build import ROOT
from exo.options import FLAG, VALUE, Option, Parser
from exo.profile import Images, Stacks
from exo.recording import Names


def period(text):
    """Nanoseconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1000:
        raise ValueError("a number of milliseconds from 0.1 to 1000 is expected")
    return round(value * 1e6)


OPTIONS = [
    Option("output", VALUE, "FILE", "where to draw (profile.svg); the folded stacks are beside it, in FILE.folded", "profile.svg", short="o"),
    Option("period", VALUE, "MS", "milliseconds from one sample to the next (1)", period("1"), check=period),
] + command_trace.RECORD_OPTIONS + command_trace.KEPT + [Option("help", FLAG, "", "this text")]
USAGE = """usage: ./exo profile [-o FILE.svg] [OPTIONS] [--] CMD [ARG...]

Boots, runs CMD in the guest as ./exo run does, and draws a flame graph of all processes and servers: functions of the programs, where their files
have symbols, of the libOS and the servers, and kernel calls. Programs without frame pointers show the innermost function, and of the libOS who called it.
Hot system calls stay calls (--no-rewrite), so that they can be told apart. The exit status is CMD's.
"""


def libos_range():
    """Where the libOS's code lies (libos/posix/proto/layout.h)."""
    with open(os.path.join(ROOT, "libos", "posix", "proto", "layout.h")) as file:
        text = file.read()
    return tuple(int(re.search(rf"^#define {name} +(0x[0-9a-f]+)ul", text, re.M)[1], 16) for name in ("PX_IMAGE", "PX_IMAGE_HI"))


def main(arguments):
    parser = Parser("profile", OPTIONS, words_end_options=True)
    values = parser.parse(arguments)
    if values.help:
        print(USAGE + "\n" + parser.help())
        return 0
    values.sample_ns = values.period
    status, recording, session = command_trace.record("profile", values, link.TELL_CODE | link.NO_REWRITE)
    if recording is None:
        return status
    command_trace.say_lost(recording)
    image = session.image
    files = ImageFiles([(image, 0, os.path.getsize(image))] if isinstance(image, str) else image)
    images = next(taker for taker in session.takers if isinstance(taker, Images))
    stacks = Stacks(recording, Names(ROOT), images, os.path.dirname(session.kernel), libos_range(), files.read).stacks
    title = f"{' '.join(values.words)}: {sum(stacks.values())} samples, one each {values.period / 1e6:g} ms"
    with open(values.output, "w") as file:
        file.write(flame.svg(stacks, title[:100]))
    with open(values.output + ".folded", "w") as file:
        file.write(flame.folded(stacks))
    return status
