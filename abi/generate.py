#!/usr/bin/env python3
"""Makes everything that follows from abi/exo.abi.

usage: generate.py --out DIR [--listing FILE]

DIR/exo/abi.h               constants, structures, call numbers (C and assembler)
DIR/exo/calls.h             user stubs
DIR/kernel_calls.h          prototypes of the kernel bodies
DIR/kernel_dispatch.inc     the kernel's decoding of arguments and capabilities
DIR/names.inc               X-macro tables of calls, errors and objects
DIR/reference.md            the reference pages
DIR/grammar.json            the same, for tests in Python
DIR/exo/grammar.h           the same, for fuzzers and tests in C
Which label rule each right falls under comes from abi/rules.txt (abi/labels.py).
The listing (numbers, sizes, offsets) is printed to --listing: checked in as abi/listing.txt.
"""
import argparse
import json
import os
import re
import sys

import labels

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s64": 8}
CTYPES = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "s64": "int64_t"}


class Abi:
    def __init__(self, path, rules):
        self.rules = rules
        self.version = self.base = 0
        self.errors, self.objects, self.lanes, self.rights = [], [], {}, []
        self.prices, self.consts, self.structs, self.calls = [], [], [], []
        self.unbatched = []
        current = None
        with open(path) as text:
            for number, line in enumerate(text, 1):
                try:
                    current = self.line(line.rstrip("\n"), current)
                except (ValueError, KeyError, IndexError) as problem:
                    sys.exit(f"{path}:{number}: {problem}: {line.rstrip()}")

    def line(self, line, current):
        if line.startswith("  ") and current:
            if current["kind"] == "struct":
                self.field(current, line.split())
            else:
                current["doc"].append(line.strip())
            return current
        words = line.split(None, 3)
        if not words or words[0].startswith("#"):
            return None
        kind = words[0]
        if kind == "abi_version":
            self.version = int(words[1])
        elif kind == "call_base":
            self.base = int(words[1], 0)
        elif kind == "error":
            self.errors.append((words[1], int(words[2]), words[3]))
        elif kind == "object":
            self.objects.append((words[1], int(words[2]), words[3]))
        elif kind == "lane":
            self.lanes[words[1]] = int(words[2])
        elif kind == "right":
            bit, doc = words[3].split(None, 1)
            self.rights.append((words[1], words[2], int(bit), doc))
        elif kind == "price":
            self.prices.append((words[1], int(words[2]), words[3]))
        elif kind == "const":
            self.consts.append((words[1], int(words[2], 0), words[3] if len(words) > 3 else ""))
        elif kind == "struct":
            doc = " ".join(words[2:])
            current = {"kind": "struct", "name": words[1], "doc": doc, "fields": []}
            self.structs.append(current)
            return current
        elif kind == "unbatched":
            self.unbatched += line.split()[1:]
        elif kind == "end":
            return None
        elif kind == "call":
            current = self.call(line)
            for before in self.calls:
                if before["number"] == current["number"] or before["name"] == current["name"]:
                    raise ValueError(f"call {before['number']} {before['name']} is there already")
            self.calls.append(current)
            return current
        else:
            raise ValueError("unknown word " + kind)
        return None

    def field(self, struct, words):
        base = words[0]
        count = 1
        if len(words) > 2 and words[2].isdigit():
            struct["fields"].append((base, words[1], int(words[2]), " ".join(words[3:])))
            return
        if struct["name"] == "regs":
            struct["fields"] += [(base, name, count, "") for name in words[1:]]
            return
        struct["fields"].append((base, words[1], 1, " ".join(words[2:])))

    def call(self, line):
        match = re.match(r"call (\d+) (\w+)\((.*?)\) (\w+)(?: ! (.*))?$", line)
        if not match:
            raise ValueError("not a call line")
        number, name, arguments, result, errors = match.groups()
        parsed = []
        for argument in filter(None, (a.strip() for a in arguments.split(","))):
            words = argument.split()
            item = {"kind": words[0], "name": words[1]}
            if words[0] == "cap":
                item.update(type=words[2], rights=words[3:])
            elif words[0] not in ("u64", "va"):
                raise ValueError("unknown argument kind " + words[0])
            parsed.append(item)
        if len(parsed) > 6:
            raise ValueError("more than six arguments")
        errors = (errors or "").split()
        if any(a["kind"] == "cap" for a in parsed):
            errors = ["BADSLOT", "STALE", "EXPIRED", "TYPE"] + (
                ["RIGHTS"] if any(a.get("rights") for a in parsed) else []) + errors
        if any(self.rules.needed(a.get("rights", ()))[1] for a in parsed):
            errors.append("DENIED")
        errors = list(dict.fromkeys(errors))
        known = {e[0] for e in self.errors}
        for error in errors:
            if error not in known:
                raise ValueError("unknown error " + error)
        return {"kind": "call", "number": int(number), "name": name, "args": parsed, "result": result,
                "errors": errors, "doc": []}

    def struct_size(self, name):
        for struct in self.structs:
            if struct["name"] == name:
                return sum(self.size(f[0]) * f[2] for f in struct["fields"])
        raise ValueError("unknown type " + name)

    def size(self, base):
        return SIZES[base] if base in SIZES else self.struct_size(base)

    def offsets(self, struct):
        at = 0
        for base, name, count, doc in struct["fields"]:
            size = self.size(base)
            if at % min(size, 8):
                raise ValueError(f"struct {struct['name']}: {name} is not aligned")
            yield name, at, size * count, doc
            at += size * count


def right_bit(abi, name):
    for right, lane, bit, _ in abi.rights:
        if right == name:
            return abi.lanes[lane] * 8 + bit
    raise ValueError("unknown right " + name)


HEAD = "/* Made by abi/generate.py from abi/exo.abi: change that. */\n"


def header(abi):
    out = [HEAD, "#ifndef EXO_ABI_H\n#define EXO_ABI_H\n"]
    out.append(f"#define EXO_ABI_VERSION {abi.version}\n#define EXO_CALL_BASE {abi.base:#x}\n")
    count = max(c["number"] for c in abi.calls) + 1
    out.append(f"#define EXO_CALLS {count}\n")
    for name, value, doc in abi.errors:
        out.append(f"#define EXO_E_{name} {value} /* {doc} */\n")
    for name, value, doc in abi.objects:
        out.append(f"#define EXO_TYPE_{name.upper()} {value} /* {doc} */\n")
    for name, value, doc in abi.prices:
        out.append(f"#define EXO_PRICE_{name} {value} /* {doc} */\n")
    for name, value, doc in abi.consts:
        out.append(f"#define EXO_{name} {value:#x}" + (f" /* {doc} */\n" if doc else "\n"))
    for name, lane, bit, doc in abi.rights:
        out.append(f"#define EXO_RIGHT_{name} {1 << (abi.lanes[lane] * 8 + bit):#x} /* {doc} */\n")
    out.append(f"#define EXO_RIGHTS_ALL 0xffffffffffffffff\n")
    for call in abi.calls:
        out.append(f"#define EXO_CALL_{call['name'].upper()} {abi.base + call['number']:#x}\n")
    for struct in abi.structs:
        for name, at, _, _ in abi.offsets(struct):
            out.append(f"#define EXO_{struct['name'].upper()}_{name.upper()} {at}\n")
        out.append(f"#define EXO_{struct['name'].upper()}_BYTES {abi.struct_size(struct['name'])}\n")
    out.append("#ifndef __ASSEMBLER__\n#include <stddef.h>\n#include <stdint.h>\n")
    for struct in abi.structs:
        tag = "exo_" + struct["name"]
        out.append(f"\n/* {struct['doc'] or struct['name']} */\nstruct {tag} {{\n")
        for base, name, count, doc in struct["fields"]:
            ctype = CTYPES.get(base, "struct exo_" + base)
            array = f"[{count}]" if count > 1 else ""
            out.append(f"    {ctype} {name}{array};" + (f" /* {doc} */\n" if doc else "\n"))
        out.append("};\n")
        out.append(f"_Static_assert(sizeof(struct {tag}) == {abi.struct_size(struct['name'])}, \"{tag}\");\n")
        for name, at, _, _ in abi.offsets(struct):
            out.append(f"_Static_assert(offsetof(struct {tag}, {name}) == {at}, \"{tag}.{name}\");\n")
    out.append("#endif\n#endif\n")
    text = "".join(out)
    defined = re.findall(r"^#define (\w+)", text, re.MULTILINE)
    for name in set(defined):
        if defined.count(name) > 1:
            sys.exit(f"abi/exo.abi: {name} comes from two lines")
    return text


def stubs(abi):
    out = [HEAD, "#ifndef EXO_CALLS_H\n#define EXO_CALLS_H\n#include <exo/abi.h>\n#include <exo/trap.h>\n"]
    for call in abi.calls:
        if call["result"] == "message":
            continue  # several result registers: libexo's own <exo/ipc.h>
        params = ", ".join(("const void *" if a["kind"] == "va" else "uint64_t ") + a["name"] for a in call["args"])
        values = "".join(", (uint64_t)" + a["name"] for a in call["args"])
        out.append("\n/*\n * " + "\n * ".join(call["doc"]) + "\n")
        for a in call["args"]:
            if a["kind"] == "cap":
                out.append(f" * {a['name']}: {a['type']}" + (f" with {', '.join(a['rights'])}" if a["rights"] else "") + "\n")
        out.append(f" * Returns {call['result']}" + (f" or -EXO_E_*: {', '.join(call['errors'])}" if call["errors"] else "") + "\n */\n")
        out.append("__attribute__((warn_unused_result)) ")
        out.append(f"static inline int64_t exo_{call['name']}({params or 'void'})\n{{\n")
        out.append(f"    return exo_trap{len(call['args'])}(EXO_CALL_{call['name'].upper()}{values});\n}}\n")
    out.append("#endif\n")
    return "".join(out)


def prototypes(abi):
    out = [HEAD, "#ifndef KERNEL_CALLS_H\n#define KERNEL_CALLS_H\n#include <stdint.h>\nstruct context;\nstruct capability;\n"]
    for call in abi.calls:
        params = ["struct context *caller"]
        for a in call["args"]:
            if a["kind"] == "cap":
                params.append("struct capability *" + a["name"])
            else:
                params.append("uint64_t " + a["name"])
        out.append(f"int64_t k_{call['name']}({', '.join(params)});\n")
    out.append("#endif\n")
    return "".join(out)


def dispatch(abi, rules):
    out = [HEAD]
    for call in abi.calls:
        out.append(f"static int64_t decode_{call['name']}(struct context *caller)\n{{\n")
        values = ["caller"]
        caps = [a for a in call["args"] if a["kind"] == "cap"]
        if caps:
            out.append("    int64_t status;\n")
        for position, a in enumerate(call["args"]):
            register = f"ARGUMENT{position}(caller)"
            if a["kind"] == "cap":
                mask = 0
                for right in a["rights"]:
                    mask |= 1 << right_bit(abi, right)
                kind = "CAP_ANY" if a["type"] == "any" else "EXO_TYPE_" + a["type"].upper()
                out.append(f"    struct capability *{a['name']};\n"
                           f"    status = cap_resolve(caller->env, {register}, {kind}, {mask:#x}, &{a['name']});\n"
                           f"    if (status < 0)\n        return status;\n")
                allowed, rule = rules.needed(a["rights"])
                if rule:
                    out.append(f"    if (!label_may(caller->env, {a['name']}->object, {allowed:#x}))\n"
                               f"        return label_refused(caller->env, {a['name']}->object, EXO_AUDIT_{rule.upper()});\n")
                values.append(a["name"])
            else:
                values.append(register)
        out.append(f"    return k_{call['name']}({', '.join(values)});\n}}\n")
    # A power of two, and no hole: an index is only masked, and a number that nobody has answers as one that is too high.
    calls = {call["number"]: call["name"] for call in abi.calls}
    size = 1 << max(calls).bit_length()
    out.append("static int64_t decode_none(struct context *caller)\n{\n    (void)caller;\n    return -EXO_E_BADCALL;\n}\n")
    out.append(f"#define DISPATCH_SIZE {size}\nstatic int64_t (*const dispatch[DISPATCH_SIZE])(struct context *) = {{\n")
    for number in range(size):
        out.append(f"    [{number}] = decode_{calls.get(number, 'none')},\n")
    out.append("};\n")
    for name in set(abi.unbatched) - {call["name"] for call in abi.calls}:
        sys.exit(f"abi/exo.abi: unbatched {name}: there is no such call")
    out.append("static const bool batched[EXO_CALLS] = {\n")
    out += [f"    [{call['number']}] = true,\n" for call in abi.calls if call["name"] not in abi.unbatched]
    out.append("};\n")
    return "".join(out)


def names(abi):
    out = [HEAD]
    out.append("#define EXO_CALL_NAMES(X) \\\n" + " \\\n".join(
        f"    X({c['number']}, {c['name']}, {len(c['args'])})" for c in abi.calls) + "\n")
    out.append("#define EXO_ERROR_NAMES(X) \\\n" + " \\\n".join(
        f"    X({v}, {n}, \"{d}\")" for n, v, d in abi.errors) + "\n")
    out.append("#define EXO_RIGHT_NAMES(X) \\\n" + " \\\n".join(
        f"    X(EXO_RIGHT_{name}, {name})" for name, _, _, _ in abi.rights) + "\n")
    out.append("#define EXO_TYPE_NAMES(X) \\\n" + " \\\n".join(
        f"    X({v}, {n})" for n, v, d in abi.objects) + "\n")
    out.append("#define EXO_PRICE_NAMES(X) \\\n" + " \\\n".join(
        f"    X({v}, {n})" for n, v, d in abi.prices) + "\n")
    return "".join(out)


# What a number means to a fuzzer, by its name: a handle, a page address, a count of pages, a protection, a sharing mode, rights, a time, an address.
MEANINGS = {"handle": "h", "death": "h", "va": "a", "source_va": "a", "upage_va": "a", "pages": "n", "quota_frames": "n", "prot": "p",
            "mode_prot": "m", "rights": "r", "deadline_ns": "d", "expires_ns": "d", "base": "v", "syscall_entry": "v", "upcall_entry": "v"}


def grammar(abi, rules):
    out = [HEAD, "/* The calls as data: what each argument means, and a bit for each error that the call may answer. */\n",
           "#ifndef EXO_GRAMMAR_H\n#define EXO_GRAMMAR_H\n#include <exo/abi.h>\n\n",
           "struct exo_grammar_argument {\n    char meaning; /* c capability, x number, v memory, or a number that is: h a handle, a page address, n pages,\n"
           "                     p protection, m sharing mode, r rights, d time */\n    uint8_t type; /* of a capability; 255: any */\n"
           "    uint64_t rights;\n    unsigned relations; /* EXO_RELATION_* of the caller's label to the object's; 0: any */\n"
           "    const char *name;\n};\n\n",
           "struct exo_grammar_call {\n    const char *name; /* NULL: no such call */\n    unsigned arguments;\n    uint64_t errors;\n"
           "    struct exo_grammar_argument argument[6];\n};\n\n",
           "static const struct exo_grammar_call exo_grammar[EXO_CALLS] = {\n"]
    types = {name: value for name, value, _ in abi.objects}
    numbers = {name: value for name, value, _ in abi.errors}
    for call in abi.calls:
        items = []
        for a in call["args"]:
            meaning = "c" if a["kind"] == "cap" else "v" if a["kind"] == "va" else MEANINGS.get(a["name"], "x")
            rights = sum(1 << right_bit(abi, right) for right in a.get("rights", ()))
            items.append(f"{{'{meaning}', {types.get(a.get('type'), 255)}, {rights:#x}, {rules.needed(a.get('rights', ()))[0]:#x}, \"{a['name']}\"}}")
        errors = sum(1 << numbers[name] for name in call["errors"])
        out.append(f"    [{call['number']}] = {{\"{call['name']}\", {len(items)}, {errors:#x}, {{{', '.join(items) or '{0}'}}}}},\n")
    out.append("};\n\n")
    out.append("static const char *const exo_error_names[] = {\n" + "".join(f"    [{v}] = \"{n}\",\n" for n, v, _ in abi.errors) + "};\n#endif\n")
    return "".join(out)


def reference(abi):
    out = ["# Kernel reference\n\nMade by `abi/generate.py` from `abi/exo.abi`.\n\n## Errors\n\n| number | name | meaning |\n|---|---|---|\n"]
    out += [f"| {v} | `EXO_E_{n}` | {d} |\n" for n, v, d in abi.errors]
    out.append("\n## Objects\n\n| number | type | is |\n|---|---|---|\n")
    out += [f"| {v} | {n} | {d} |\n" for n, v, d in abi.objects]
    out.append("\n## Rights\n\nThe last column is the label rule under which the right is used (`abi/rules.txt`).\n\n"
               "| right | lane | bit | allows to | rule |\n|---|---|---|---|---|\n")
    out += [f"| `{n}` | {lane} | {bit} | {d} | {abi.rules.rule_of(n) or '-'} |\n" for n, lane, bit, d in abi.rights]
    out.append("\n## Prices\n\n| operation | gas | is |\n|---|---|---|\n")
    out += [f"| `EXO_PRICE_{n}` | {v} | {d} |\n" for n, v, d in abi.prices]
    out.append("\n## Calls\n")
    out += [call_reference(c) for c in abi.calls]
    out.append("\n## Structures\n")
    out += [struct_reference(abi, s) for s in abi.structs]
    return "".join(out)


def call_reference(c):
    args = ", ".join(a["name"] for a in c["args"])
    out = [f"\n### {c['number']} `exo_{c['name']}({args})`\n\n" + " ".join(c["doc"]) + "\n\n"]
    for a in c["args"]:
        if a["kind"] == "cap":
            rights = ", ".join(a["rights"]) or "no right needed"
            out.append(f"- `{a['name']}`: capability, {a['type']}, {rights}\n")
        elif a["kind"] == "va":
            out.append(f"- `{a['name']}`: address in the caller's memory\n")
        else:
            out.append(f"- `{a['name']}`: number\n")
    out.append(f"- returns {c['result']}; errors: {', '.join(c['errors']) or 'none'}\n")
    return "".join(out)


def struct_reference(abi, s):
    return (f"\n### `struct exo_{s['name']}` ({abi.struct_size(s['name'])} bytes)\n\n{s['doc']}\n\n| offset | field | meaning |\n|---|---|---|\n"
            + "".join(f"| {at} | {name} | {doc} |\n" for name, at, _, doc in abi.offsets(s)))


# What a call is about by its name, besides the objects that its capabilities name. `capability` is what all objects have in common.
ABOUT = (("cap_", "capability"), ("env_", "env"), ("ledger_", "env"), ("ctx_", "ctx"), ("set_", "ctx"), ("timer_", "ctx"), ("wait", "ctx"), ("wake", "ctx"),
         ("yield", "ctx"), ("null", "ctx"), ("batch", "ctx"), ("frame_", "frame"), ("ep_", "endpoint"), ("tally_", "tally"), ("irq_", "irq"), ("zone_", "zone"),
         ("gas_", "zone"), ("stats", "machine"), ("audit_", "audit"), ("service_", "service"), ("port", "ports"), ("slice_", "slice"), ("dma_", "dma"),
         ("trace_", "trace"), ("watch_", "watch"))


def subjects(call):
    """The objects that a call is about: those of its capabilities, and what its name says."""
    return {a["type"] for a in call["args"] if a["kind"] == "cap"} - {"any"} | {about for prefix, about in ABOUT if call["name"].startswith(prefix)}


def object_reference(abi, name):
    """What the contract says of one object: number, calls, the rights and errors that they know, structures that they name."""
    calls = [c for c in abi.calls if name in subjects(c)]
    used = {right for c in calls for a in c["args"] if a["kind"] == "cap" and a["type"] in (name, "any") for right in a["rights"]}
    errors = {error for c in calls for error in c["errors"]}
    about = " ".join(" ".join(c["doc"]) for c in calls)
    out = ["## Reference\n\nMade from `abi/exo.abi`.\n\n"]
    out += [f"`EXO_TYPE_{n.upper()}` is {v}: {d}.\n" for n, v, d in abi.objects if n == name]
    if used:
        out.append("\n| right | allows to | label rule |\n|---|---|---|\n")
        out += [f"| `{n}` | {d} | {abi.rules.rule_of(n) or '-'} |\n" for n, _, _, d in abi.rights if n in used]
    out += [call_reference(c) for c in sorted(calls, key=lambda c: c["name"])]
    out += [struct_reference(abi, s) for s in abi.structs if re.search(rf"struct exo_{s['name']}\b", about)]
    if errors:
        out.append("\n### Errors\n\n| error | meaning |\n|---|---|\n")
        out += [f"| `EXO_E_{n}` | {d} |\n" for n, _, d in abi.errors if n in errors]
    return "".join(out)


def listing(abi):
    out = [f"abi_version {abi.version}\n"]
    out += [f"error {v} {n}\n" for n, v, _ in abi.errors]
    out += [f"object {v} {n}\n" for n, v, _ in abi.objects]
    out += [f"right {right_bit(abi, n)} {n}\n" for n, _, _, _ in abi.rights]
    out += [f"price {n} {v}\n" for n, v, _ in abi.prices]
    out += [f"const {n} {v:#x}\n" for n, v, _ in abi.consts]
    for s in abi.structs:
        out.append(f"struct {s['name']} {abi.struct_size(s['name'])}\n")
        out += [f"  {at} {name} {size}\n" for name, at, size, _ in abi.offsets(s)]
    for c in abi.calls:
        args = ", ".join(" ".join([a["kind"], a["name"]] + ([a["type"]] + a["rights"] if a["kind"] == "cap" else [])) for a in c["args"])
        out.append(f"call {c['number']} {c['name']}({args}) {c['result']} ! {' '.join(c['errors'])}\n")
    return "".join(out)


def read_contract():
    """abi/exo.abi and the label rules beside it; labels.Bad when they do not fit."""
    here = os.path.dirname(os.path.abspath(__file__))
    rules = labels.Rules(os.path.join(here, "rules.txt"))
    abi = Abi(os.path.join(here, "exo.abi"), rules)
    rules.check_rights({right for right, _, _, _ in abi.rights})
    return abi


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", help="folder to write to")
    parser.add_argument("--listing", help="file for the listing of numbers and layouts")
    options = parser.parse_args()
    try:
        abi = read_contract()
    except labels.Bad as problem:
        sys.exit(f"abi: {problem}")
    files = {}
    if options.out:
        for name, text in (("exo/abi.h", header(abi)), ("exo/calls.h", stubs(abi)), ("kernel_calls.h", prototypes(abi)),
                           ("kernel_dispatch.inc", dispatch(abi, abi.rules)), ("exo/grammar.h", grammar(abi, abi.rules)),
                           ("names.inc", names(abi)), ("reference.md", reference(abi)),
                           ("grammar.json", json.dumps({"base": abi.base, "calls": abi.calls}, indent=1) + "\n")):
            files[os.path.join(options.out, name)] = text
    if options.listing:
        files[options.listing] = listing(abi)
    for path, text in files.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if not os.path.exists(path) or open(path).read() != text:
            with open(path, "w") as out:
                out.write(text)


if __name__ == "__main__":
    main()
