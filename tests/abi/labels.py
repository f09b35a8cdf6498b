"""Security labels: the generator takes every lattice and stops at everything else, naming what is wrong."""

import os

GOOD_PLACES = "place machine TOP\nplace servers TOP\nplace programs LOW\nplace audit LOW\n"
DIAMOND = "label TOP\nlabel A below TOP\nlabel B below TOP\nlabel LOW below A B\n"

GOOD = {
    "one": "label TOP\nplace machine TOP\nplace servers TOP\nplace programs TOP\nplace audit TOP\n",
    "chain": "label TOP\nlabel MIDDLE below TOP\nlabel LOW below MIDDLE\n" + GOOD_PLACES,
    "diamond": DIAMOND + GOOD_PLACES,
    "any-order-of-lines": "label LOW below B A # lowest\n\nlabel B below TOP\nlabel A below TOP\nlabel TOP\n" + GOOD_PLACES,
    "redundant-edge": DIAMOND + "label LOWEST below LOW TOP\n" + GOOD_PLACES,
    "sixty-four": "label TOP\n" + "".join(f"label A{i} below TOP\n" for i in range(62)) +
                  "label LOW below " + " ".join(f"A{i}" for i in range(62)) + "\n" + GOOD_PLACES,
}
BAD = {
    "no-join": ("label A\nlabel B\nlabel LOW below A B\nplace machine A\nplace servers A\nplace programs LOW\nplace audit LOW\n",
                "A and B have no join: nothing bounds both"),
    "no-meet": ("label TOP\nlabel A below TOP\nlabel LOW below TOP\n" + GOOD_PLACES, "A and LOW have no meet: nothing bounds both"),
    "two-near-bounds": ("label TOP\nlabel A below TOP\nlabel B below TOP\nlabel C below A B\nlabel D below A B\nlabel LOW below C D\n" + GOOD_PLACES,
                        "C and D have no join: A and B are equally near"),
    "cycle": ("label TOP\nlabel A below TOP B\nlabel B below A\nlabel LOW below B\n" + GOOD_PLACES, "cycle: "),
    "below-itself": ("label TOP\nlabel LOW below LOW\n" + GOOD_PLACES, "cycle: LOW below LOW"),
    "unknown-name": ("label TOP\nlabel LOW below TOPP\n" + GOOD_PLACES, "label LOW: unknown label TOPP"),
    "unknown-place": (DIAMOND + GOOD_PLACES.replace("audit LOW", "audit LAW"), "place audit: unknown label LAW"),
    "missing-place": (DIAMOND + GOOD_PLACES.replace("place audit LOW\n", ""), "no line says where audit stand"),
    "twice": (DIAMOND + "label A below TOP\n" + GOOD_PLACES, ":5: A is there already"),
    "bad-name": ("label Top\n", ":1: a label is named by"),
    "bad-word": ("lable TOP\n", ":1: neither a label nor a place"),
    "empty": ("# nothing\n", "there must be 1 to 64 labels"),
    "too-many": ("label TOP\n" + "".join(f"label A{i} below TOP\n" for i in range(64)), "there must be 1 to 64 labels"),
    "servers-below-programs": (DIAMOND + "place machine LOW\nplace servers LOW\nplace programs TOP\nplace audit LOW\n",
                               "servers (LOW) must dominate it"),
}
RULES_BAD = {
    "missing-rule": (lambda text: text.replace("rule call", "# rule call"), "no rule call"),
    "unknown-relation": (lambda text: text.replace("equal below ", "equal under "), "unknown relation under"),
    "right-twice": (lambda text: text + "free CALL\n", "right CALL has a rule already"),
    "rule-twice": (lambda text: text + "rule call equal :\n", "rule call is there already"),
    "unknown-rule": (lambda text: text + "rule look equal :\n", "not a rule"),
}


def run(t, folder, *more):
    return t.command("/usr/bin/python3", t.path("abi/labels.py"), "--out", os.path.join(t.folder, folder), *more)


def given(t, name, text):
    path = os.path.join(t.folder, name + ".txt")
    with open(path, "w") as out:
        out.write(text)
    return path


def good(text):
    def body(t):
        result = run(t, "out", "--labels", given(t, "order", text))
        t.equal(result.status, 0, str(result))
        for file in ("exo/labels.h", "labels.txt"):
            t.check(os.path.exists(os.path.join(t.folder, "out", file)), f"no {file}")
        check = t.command("gcc-12", "-std=c17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", os.path.join(t.folder, "out"), "-x", "c", "-",
                          stdin=b"#include <exo/labels.h>\n")
        t.equal(check.status, 0, str(check))
    return body


def bad(text, words):
    def body(t):
        result = run(t, "out", "--labels", given(t, "order", text))
        t.equal(result.status, 1, str(result))
        t.check(words in result.stderr.decode(), f"{words!r} is not in {result.stderr!r}")
        t.check(not os.path.exists(os.path.join(t.folder, "out", "exo/labels.h")), "tables were made all the same")
    return body


def bad_rules(change, words):
    def body(t):
        with open(t.path("abi/rules.txt")) as file:
            text = file.read()
        t.check(change(text) != text, "the case changes nothing")
        result = run(t, "out", "--rules", given(t, "rules", change(text)))
        t.equal(result.status, 1, str(result))
        t.check(words in result.stderr.decode(), f"{words!r} is not in {result.stderr!r}")
    return body


def broken_tables(t):
    """The laws are checked on the tables themselves: each entry changed alone is noticed."""
    script = f"""
import sys
sys.path.insert(0, {t.path('abi')!r})
import labels
lattice = labels.read_labels({t.path('abi/labels.txt')!r})
assert labels.not_distributive(lattice), "the default order is distributive"
for table in (lattice.join, lattice.meet):
    for pair, right in list(table.items()):
        for wrong in lattice.names:
            if wrong == right:
                continue
            table[pair] = wrong
            try:
                labels.check_laws(lattice)
                sys.exit(f"nobody noticed {{pair}} -> {{wrong}}")
            except labels.Bad:
                pass
        table[pair] = right
labels.check_laws(lattice)
"""
    result = t.command("/usr/bin/python3", "-c", script)
    t.equal(result.status, 0, str(result))


def unknown_right(t):
    """abi/rules.txt names only rights that there are; the generator of the contract says so."""
    script = f"""
import sys
sys.path.insert(0, {t.path('abi')!r})
import labels
rules = labels.Rules({t.path('abi/rules.txt')!r})
assert rules.needed(["MAP"]) == (rules.allowed["write"], "write")
assert rules.needed(["COPY"]) == (labels.ANY, None)
assert rules.needed(["NO_SUCH"]) == (rules.allowed["write"], "write"), "a right without a rule must need dominance"
assert rules.needed(["CALL", "READ"])[0] == labels.RELATIONS["equal"]
try:
    rules.check_rights(["MAP"])
except labels.Bad as problem:
    assert "unknown right" in str(problem)
else:
    sys.exit("nobody noticed")
"""
    result = t.command("/usr/bin/python3", "-c", script)
    t.equal(result.status, 0, str(result))


def build_stops(t):
    """A site's own labels are taken, and bad ones stop the build with the reason."""
    for name, text, status in (("good", GOOD["diamond"], 0), ("bad", BAD["no-join"][0], 1)):
        folder = os.path.join(t.folder, name)
        result = t.command("cmake", "-S", t.path("."), "-B", folder, "-G", "Ninja", "-DEXO_HOST_TESTS=ON", f"-DEXO_LABELS={given(t, name, text)}")
        t.equal(result.status, status, str(result))
        if status:
            t.check(b"A and B have no join" in result.stdout + result.stderr, str(result))
            continue
        with open(os.path.join(folder, "generated/labels.txt")) as labels:
            t.equal(labels.read(), "TOP\nA\nB\nLOW zone\n")


def cases(_):
    for name, text in GOOD.items():
        yield "lattice-" + name, good(text)
    for name, (text, words) in BAD.items():
        yield "no-lattice-" + name, bad(text, words)
    for name, (change, words) in RULES_BAD.items():
        yield "rules-" + name, bad_rules(change, words)
    yield "broken-tables", broken_tables, 120
    yield "rights-and-rules", unknown_right
    yield "build", build_stops, 120
