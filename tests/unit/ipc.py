"""Messages made by the generated accessors, read by capnp's own program, and the other way round; schemas that the generator must refuse."""

import glob
import json
import os
import subprocess
import sys

from exo.build import build

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <kinds.capnp.h>
#include "libexo/channel.c"
#include "libexo/loop.c"

/* With a word: writes a message, and says before how many words of data and pointers it has. Without: reads one. */
int main(int count, char **words)
{
    struct kinds message;
    const char *title;
    const uint8_t *bytes;

    (void)words;
    if (count > 1) {
        kinds_begin(&message);
        kinds_set_unsigned8(&message, 1), kinds_set_signed8(&message, -2), kinds_set_unsigned16(&message, 65535), kinds_set_signed16(&message, -4);
        kinds_set_unsigned32(&message, 5), kinds_set_signed32(&message, -6), kinds_set_unsigned64(&message, 7), kinds_set_signed64(&message, -8);
        kinds_set_yes(&message, false), kinds_set_no(&message, true), kinds_set_colour(&message, COLOUR_RED);
        kinds_set_place_x(&message, -9), kinds_set_share(&message, 10);
        if (kinds_set_title(&message, "a title", 7) < 0 || kinds_set_bytes(&message, (const uint8_t *)"\x00\xff", 2) < 0)
            return 1;
        uint64_t root = (uint64_t)kinds_layout.data_words << 32 | (uint64_t)kinds_layout.pointers << 48;
        return fwrite(&root, 8, 1, stdout) != 1 || fwrite(message.word, sizeof(message.word), 1, stdout) != 1;
    }
    memset(&message, 0, sizeof(message));
    if (fread(message.word, 8, 1, stdin) != 1 || fread(message.word, 1, sizeof(message.word), stdin) == 0 || kinds_get_title(&message, &title) < 0)
        return 1;
    int64_t length = kinds_get_bytes(&message, &bytes);
    printf("%u %d %u %d %u %d %lu %ld %d %d %u %d %u %u %s %ld", kinds_get_unsigned8(&message), kinds_get_signed8(&message), kinds_get_unsigned16(&message),
           kinds_get_signed16(&message), kinds_get_unsigned32(&message), kinds_get_signed32(&message), kinds_get_unsigned64(&message),
           kinds_get_signed64(&message), kinds_get_yes(&message), kinds_get_no(&message), kinds_get_colour(&message), kinds_get_place_x(&message),
           kinds_get_which(&message), kinds_get_share(&message), title, length);
    return 0;
}
"""
VALUES = {"unsigned8": 1, "signed8": -2, "unsigned16": 65535, "signed16": -4, "unsigned32": 5, "signed32": -6, "unsigned64": "7", "signed64": "-8",
          "yes": False, "no": True, "colour": "red", "nothing": None, "place": {"x": -9, "y": 1}, "share": 10, "title": "a title", "bytes": [0, 255]}
SAID = "1 -2 65535 -4 5 -6 7 -8 0 1 0 -9 2 10 a title 2"


def program(t):
    """The C program above, built with what the generator makes of kinds.capnp."""
    generated = os.path.join(build("host", quiet=True).folder, "generated")
    with open(os.path.join(t.folder, "kinds.c"), "w") as file:
        file.write(PROGRAM)
    made = t.command("gcc-12", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-I", generated, "-I", t.root,
                     "-I", t.path("libexo", "include"), "-I", t.path("libexo", "arch", "x86_64", "include"), "-o", "kinds", "kinds.c", cwd=t.folder)
    t.equal(made.status, 0, made)
    return os.path.join(t.folder, "kinds")


def capnp(t, what, data):
    run = subprocess.run(["capnp", "convert", what, "-I", t.path("libexo", "schema"), t.path("tests", "unit", "ipc", "kinds.capnp"), "Kinds"],
                         input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t.check(run.returncode == 0, run.stderr)
    return run.stdout


def read_by_capnp(t):
    message = t.command(program(t), "write").stdout
    t.equal(json.loads(capnp(t, "flat:json", message)), VALUES)


def written_by_capnp(t):
    message = capnp(t, "json:flat", json.dumps(VALUES).encode())
    read = t.command(program(t), stdin=message)
    t.equal((read.status, read.stdout.decode()), (0, SAID), read)


def refuses(path):
    def body(t):
        schema = os.path.join(os.path.dirname(subprocess.run(["sh", "-c", "command -v capnp"], capture_output=True, text=True).stdout),
                              "..", "include", "capnp", "schema.capnp")
        made = t.command(sys.executable, "-B", t.path("libexo", "schema", "run.py"), "--schema", schema, "--out", t.folder, path)
        t.check(made.status != 0, made)
        t.check(b"schema: " in made.stderr and (b"Bad" in made.stderr or b"list, a struct" in made.stderr) and b"Traceback" not in made.stderr, made)
        t.equal(glob.glob(os.path.join(t.folder, "*.h")), [])
    return body


def cases(t):
    yield "read-by-capnp", read_by_capnp
    yield "written-by-capnp", written_by_capnp
    for path in sorted(glob.glob(t.path("tests", "unit", "ipc", "refused", "*.capnp"))):
        yield "refuses-" + os.path.basename(path)[:-6], refuses(path)
