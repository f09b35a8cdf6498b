"""The kernel's contract: a change of a number, size or offset must be made in abi/listing.txt too."""

import difflib
import os
import shutil


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


def refuses(change, words):
    """A table that says two things of one: nothing is made, and the line is named."""
    def body(t):
        folder = os.path.join(t.folder, "abi")
        shutil.copytree(t.path("abi"), folder)
        with open(os.path.join(folder, "exo.abi")) as file:
            text = file.read()
        t.check(change(text) != text, "the case changes nothing")
        with open(os.path.join(folder, "exo.abi"), "w") as file:
            file.write(change(text))
        result = t.command("/usr/bin/python3", os.path.join(folder, "generate.py"), "--out", os.path.join(t.folder, "out"))
        t.equal(result.status, 1, str(result))
        t.check(words in result.stderr.decode() and "exo.abi:" in result.stderr.decode(), f"{words!r} is not in {result.stderr!r}")
        t.check(not os.path.exists(os.path.join(t.folder, "out")), "something was made all the same")
    return body


def cases(_):
    yield "number-twice", refuses(lambda text: text.replace("\ncall 32 ep_send(", "\ncall 33 ep_send("), "call 33 ep_recv is there already")
    yield "name-twice", refuses(lambda text: text.replace("\ncall 32 ep_send(", "\ncall 32 ep_call("), "is there already")
    yield "number-again-at-the-end", refuses(lambda text: text + "\ncall 0 nothing() 0\n", "call 0 null is there already")
    yield "listing", listing
    yield "generator-repeats", generator_repeats
    yield "layouts-compile", layouts_compile
