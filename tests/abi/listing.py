"""The kernel's contract: a change of a number, size or offset must be made in abi/listing.txt too."""

import difflib
import os


def generate(t, out, *more):
    return t.command("/usr/bin/python3", t.path("abi/generate.py"), "--out", out, *more)


def listing(t):
    """The checked-in listing is what the table says."""
    found = os.path.join(t.folder, "listing.txt")
    result = generate(t, os.path.join(t.folder, "out"), "--listing", found)
    t.equal(result.status, 0, str(result))
    with open(found) as new, open(t.path("abi/listing.txt")) as old:
        change = list(difflib.unified_diff(old.read().splitlines(), new.read().splitlines(), "abi/listing.txt", "the table says", lineterm=""))
    t.check(not change, "\n".join(change[:60]))


def generator_repeats(t):
    """Twice the same input, twice the same bytes."""
    results = []
    for name in ("one", "two"):
        folder = os.path.join(t.folder, name)
        t.equal(generate(t, folder).status, 0, name)
        found = {}
        for where, _, names in os.walk(folder):
            for entry in names:
                path = os.path.join(where, entry)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
        results.append(found)
    t.check(results[0] == results[1], "the generator's output changes from run to run")
    t.check("exo/abi.h" in results[0] and "exo/calls.h" in results[0], sorted(results[0]))


def layouts_compile(t):
    """The generated header's own assertions hold for both compilers' idea of a layout."""
    folder = os.path.join(t.folder, "out")
    generate(t, folder)
    result = t.command("gcc-12", "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", folder, "-x", "c", "-",
                       stdin=b"#include <exo/abi.h>\n")
    t.equal(result.status, 0, str(result))


def cases(_):
    yield "listing", listing
    yield "generator-repeats", generator_repeats
    yield "layouts-compile", layouts_compile
