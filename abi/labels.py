"""Security labels: from an order that is given as data to checked join, meet and relation tables.

usage: labels.py [--labels FILE] [--rules FILE] --out DIR

DIR/exo/labels.h            the labels, their tables, and the rules as sets of relations
DIR/labels.txt              the labels' names, one a line, for the host side; `zone` after those that a zone of programs can have
"""
import argparse
import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LABELS_MAX = 64
PLACES = ("machine", "servers", "programs", "audit")
RULES = ("read", "write", "grant", "call", "enter")
RELATIONS = {"equal": 1, "above": 2, "below": 4, "apart": 8}
ANY = 15


class Bad(Exception):
    """What is wrong with the data, in one sentence."""


def meaningful(path):
    """(number, words) of each line that says something."""
    with open(path) as text:
        for number, line in enumerate(text, 1):
            words = line.partition("#")[0].split()
            if words:
                yield number, words


class Lattice:
    """The labels in the order of the file; `below[a]` is the set of all labels that a dominates, itself included."""

    def __init__(self, names, directly_above, places):
        self.names = names
        self.places = places
        self.below = self.close(directly_above)
        self.top = self.only("top", [a for a in names if len(self.below[a]) == len(names)])
        self.bottom = self.only("bottom", [a for a in names if all(a in self.below[b] for b in names)])
        self.join = self.table("join", lambda a, b: [c for c in names if a in self.below[c] and b in self.below[c]],
                               lambda c, d: c in self.below[d])
        self.meet = self.table("meet", lambda a, b: [c for c in names if c in self.below[a] and c in self.below[b]],
                               lambda c, d: d in self.below[c])
        check_laws(self)

    def close(self, directly_above):
        """Reflexive and transitive; a label above itself is a cycle."""
        below = {}

        def visit(name, path):
            if name in path:
                raise Bad("cycle: " + " below ".join(path[path.index(name):] + [name]))
            if name not in below:
                found = {name}
                for lower in (other for other in self.names if name in directly_above[other]):
                    found |= visit(lower, path + [name])
                below[name] = found
            return below[name]

        for name in self.names:
            visit(name, [])
        return below

    @staticmethod
    def only(what, found):
        return found[0] if found else None

    def table(self, what, bounds, better):
        """The best bound of each pair: least upper or greatest lower."""
        made = {}
        for a, b in itertools.product(self.names, repeat=2):
            candidates = bounds(a, b)
            best = [c for c in candidates if all(better(c, d) for d in candidates)]
            if not best:
                minimal = [c for c in candidates if not any(d != c and better(d, c) for d in candidates)]
                raise Bad(f"{a} and {b} have no {what}: " + (f"{' and '.join(minimal)} are equally near" if minimal else "nothing bounds both"))
            made[a, b] = best[0]
        return made

    def relation(self, a, b):
        if a == b:
            return "equal"
        return "above" if b in self.below[a] else "below" if a in self.below[b] else "apart"


def check_laws(lattice):
    """Every law of a lattice on every element, pair and triple: of the tables as they are, not of how they were made."""
    join, meet, names = lattice.join, lattice.meet, lattice.names

    def need(law, holds, *labels):
        if not holds:
            raise Bad(f"{law} fails for {', '.join(labels)}")

    for a in names:
        need("idempotence", join[a, a] == a == meet[a, a], a)
        need("the bounds' law", join[a, lattice.top] == lattice.top and meet[a, lattice.top] == a and
             join[a, lattice.bottom] == a and meet[a, lattice.bottom] == lattice.bottom, a)
    for a, b in itertools.product(names, repeat=2):
        need("commutativity", join[a, b] == join[b, a] and meet[a, b] == meet[b, a], a, b)
        need("absorption", join[a, meet[a, b]] == a == meet[a, join[a, b]], a, b)
        need("consistency", (b in lattice.below[a]) == (join[a, b] == a) == (meet[a, b] == b), a, b)
        need("antisymmetry", a == b or not (a in lattice.below[b] and b in lattice.below[a]), a, b)
    for a, b, c in itertools.product(names, repeat=3):
        need("associativity", join[a, join[b, c]] == join[join[a, b], c] and meet[a, meet[b, c]] == meet[meet[a, b], c], a, b, c)
        need("transitivity", not (b in lattice.below[a] and c in lattice.below[b]) or c in lattice.below[a], a, b, c)


def not_distributive(lattice):
    """A triple for which meet does not distribute over join, or None."""
    join, meet = lattice.join, lattice.meet
    for a, b, c in itertools.product(lattice.names, repeat=3):
        if meet[a, join[b, c]] != join[meet[a, b], meet[a, c]]:
            return a, b, c
    return None


def label_line(words, names, above):
    if len(words) < 2 or not re.fullmatch(r"[A-Z][A-Z0-9_]{0,15}", words[1]):
        raise Bad("a label is named by up to 16 capital letters, digits and _")
    if words[1] in above:
        raise Bad(f"{words[1]} is there already")
    if len(words) > 2 and (words[2] != "below" or len(words) == 3):
        raise Bad("after a label comes `below` and the labels directly above it")
    names.append(words[1])
    above[words[1]] = words[3:]


def read_labels(path):
    names, above, places = [], {}, {}
    for number, words in meaningful(path):
        try:
            if words[0] == "label":
                label_line(words, names, above)
            elif words[0] == "place" and len(words) == 3 and words[1] in PLACES:
                places[words[1]] = words[2]
            else:
                raise Bad(f"neither a label nor a place ({', '.join(PLACES)})")
        except Bad as problem:
            raise Bad(f"{path}:{number}: {problem}") from problem
    try:
        if not 1 <= len(names) <= LABELS_MAX:
            raise Bad(f"there must be 1 to {LABELS_MAX} labels")
        for what, name in [(f"label {name}", other) for name in names for other in above[name]] + \
                [(f"place {place}", name) for place, name in places.items()]:
            if name not in above:
                raise Bad(f"{what}: unknown label {name}")
        for place in PLACES:
            if place not in places:
                raise Bad(f"no line says where {place} stand: place {place} LABEL")
        lattice = Lattice(names, above, places)
        for upper, lower in (("servers", "programs"), ("servers", "machine")):
            if places[lower] not in lattice.below[places[upper]]:
                raise Bad(f"place {lower} {places[lower]}: {upper} ({places[upper]}) must dominate it")
        return lattice
    except Bad as problem:
        raise Bad(f"{path}: {problem}") from problem


class Rules:
    """`allowed[rule]`: the set of relations, as a mask; `of_right[right]`: the rule's name, or None for a free right."""

    def __init__(self, path):
        self.allowed, self.of_right = {}, {}
        for number, words in meaningful(path):
            try:
                self.line(words)
            except Bad as problem:
                raise Bad(f"{path}:{number}: {problem}") from problem
        for rule in RULES:
            if rule not in self.allowed:
                raise Bad(f"{path}: no rule {rule}")

    def line(self, words):
        if words[0] == "free":
            return self.rights(words[1:], None)
        if words[0] != "rule" or ":" not in words or len(words) < 3 or words[1] not in RULES:
            raise Bad(f"not a rule: rule {'|'.join(RULES)} RELATION... : RIGHT...")
        relations = words[2:words.index(":")]
        for relation in relations:
            if relation not in RELATIONS:
                raise Bad(f"unknown relation {relation}: known are {', '.join(RELATIONS)}")
        if words[1] in self.allowed:
            raise Bad(f"rule {words[1]} is there already")
        self.allowed[words[1]] = sum(RELATIONS[relation] for relation in set(relations))
        return self.rights(words[words.index(":") + 1:], words[1])

    def rights(self, rights, rule):
        for right in rights:
            if right in self.of_right:
                raise Bad(f"right {right} has a rule already")
            self.of_right[right] = rule

    def check_rights(self, known):
        for right in self.of_right:
            if right not in known:
                raise Bad(f"rules: unknown right {right}")

    def rule_of(self, right):
        return self.of_right.get(right, "write")

    def needed(self, rights):
        """(mask of relations that all these rights allow, name of the strictest one's rule); (ANY, None) where nothing is to check."""
        mask, name = ANY, None
        for right in rights:
            rule = self.rule_of(right)
            if rule and self.allowed[rule] & mask != mask:
                mask &= self.allowed[rule]
                name = name or rule
        return mask, name


def bytes_table(name, doc, rows, attributes="unused"):
    lines = ["    {" + ", ".join(str(value) for value in row) + "}," for row in rows]
    return (f"\n/* {doc} */\n__attribute__(({attributes})) static const uint8_t {name}[EXO_LABELS][EXO_LABEL_ROW] = {{\n" +
            "\n".join(lines) + "\n};\n")


def header(lattice, rules):
    names = lattice.names
    index = {name: number for number, name in enumerate(names)}
    row = 1 << max(4, (len(names) - 1).bit_length())
    out = ["/* Made by abi/labels.py from abi/labels.txt (or the site's own file) and abi/rules.txt: change those. */\n",
           "#ifndef EXO_LABELS_H\n#define EXO_LABELS_H\n"]
    out += [f"#define EXO_LABEL_{name} {number}\n" for name, number in index.items()]
    out.append(f"#define EXO_LABELS {len(names)}\n#define EXO_LABEL_ROW {row}\n")
    out.append(f"#define EXO_LABEL_TOP {index[lattice.top]}\n#define EXO_LABEL_BOTTOM {index[lattice.bottom]}\n")
    out += [f"#define EXO_PLACE_{place.upper()} {index[lattice.places[place]]}\n" for place in PLACES]
    out += [f"#define EXO_RELATION_{name.upper()} {bit}\n" for name, bit in RELATIONS.items()]
    out += [f"#define EXO_RULE_{rule.upper()} {rules.allowed[rule]:#x} /* relations that it allows */\n" for rule in RULES]
    out.append("#define EXO_LABEL_NAMES(X) \\\n" + " \\\n".join(f"    X({number}, {name})" for name, number in index.items()) + "\n")
    out.append("#ifndef __ASSEMBLER__\n#include <stdint.h>\n")
    out.append(bytes_table("exo_label_relation", "of the first label to the second: one EXO_RELATION_*; it lies with the code that looks there at each call",
                           [[RELATIONS[lattice.relation(a, b)] for b in names] for a in names], 'unused, section(".text.hot.labels")'))
    out.append(bytes_table("exo_label_join", "the least label that dominates both", [[index[lattice.join[a, b]] for b in names] for a in names]))
    out.append(bytes_table("exo_label_meet", "the greatest label that both dominate", [[index[lattice.meet[a, b]] for b in names] for a in names]))
    out.append("#endif\n#endif\n")
    return "".join(out)


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if not os.path.exists(path) or open(path).read() != text:
        with open(path, "w") as out:
            out.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", default=os.path.join(HERE, "labels.txt"))
    parser.add_argument("--rules", default=os.path.join(HERE, "rules.txt"))
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    try:
        lattice, rules = read_labels(options.labels), Rules(options.rules)
    except (Bad, OSError) as problem:
        sys.exit(f"labels: {problem}")
    write(os.path.join(options.out, "exo", "labels.h"), header(lattice, rules))
    write(os.path.join(options.out, "labels.txt"), "".join(
        name + (" zone" if name in lattice.below[lattice.places["programs"]] else "") + "\n" for name in lattice.names))


if __name__ == "__main__":
    main()
