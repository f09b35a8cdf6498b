#!/usr/bin/env python3
"""usage: generate.py --request FILE --out FOLDER
C17 accessors for the messages that a Cap'n Proto schema describes.

FILE is what capnp's own compiler says of the schema (a CodeGeneratorRequest) as JSON; run.py asks it. Each struct of the schema becomes a message of fixed
size in Cap'n Proto's encoding: data section, pointer section, then texts and data. What has no place in such a message is refused, and named.
"""

import argparse
import hashlib
import json
import os
import re
import sys

BYTES_ANNOTATION = 0xa7c3d5e1f2b40986  # exo.capnp
WORD = 8
NO_DISCRIMINANT = 0xffff
MESSAGE_WORDS_MAX = 512  # a page
INTEGERS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8}


class Refused(Exception):
    """The schema has something that a message cannot hold."""


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def c_name(node):
    """sample for Sample, sample_place for Sample.place."""
    return "_".join(snake(part) for part in node["displayName"].rsplit(":", 1)[1].split("."))


class Field:
    """A field of a struct or of a group in it: `name` is the path to it."""

    def __init__(self, title, name, raw, discriminant_bits):
        slot = raw["slot"]
        self.name, self.kind = name, next(iter(slot["type"]))
        self.type_id = slot["type"][self.kind]["typeId"] if self.kind == "enum" else None
        self.offset = slot.get("offset", 0)
        self.default = slot["defaultValue"].get(self.kind, 0) if self.kind not in ("text", "data", "void") else None
        self.discriminant = raw.get("discriminantValue", NO_DISCRIMINANT)
        self.discriminant_bits = discriminant_bits  # where the union's tag is, in units of 16 bits
        if self.kind not in INTEGERS and self.kind not in ("bool", "enum", "text", "data", "void"):
            raise Refused(f"{title}.{name}: a message cannot hold {self.kind}")
        if self.kind in ("text", "data") and slot.get("hadExplicitDefault"):
            raise Refused(f"{title}.{name}: a {self.kind} with a default")

    def bytes(self):
        return 2 if self.kind == "enum" else INTEGERS[self.kind]

    def c_type(self):
        if self.kind == "bool":
            return "bool"
        return "uint16_t" if self.kind == "enum" else f"{self.kind}_t"

    def default_bits(self):
        if self.kind == "bool":
            return int(bool(self.default))
        return int(self.default) & (1 << 8 * self.bytes()) - 1

    def wire(self):
        """What two sides must agree on."""
        default = "" if self.default is None else self.default_bits() if self.kind != "void" else ""
        return f"{self.name} {self.kind} {self.offset} {default} {self.discriminant} {self.discriminant_bits}"


class Message:
    """A struct of the schema."""

    def __init__(self, node, nodes):
        struct = node["struct"]
        self.node, self.nodes = node, nodes
        self.name = c_name(node)
        self.title = node["displayName"].rsplit(":", 1)[1]
        self.type_id = int(node["id"])
        self.data_words, self.pointers = struct.get("dataWordCount", 0), struct.get("pointerCount", 0)
        self.fields, self.unions = [], []
        self.collect(struct, "")
        self.words = self.data_words + self.pointers
        room = [note["value"]["uint16"] for note in node.get("annotations", []) if int(note["id"]) == BYTES_ANNOTATION]
        if room:
            if room[0] % WORD or room[0] < self.words * WORD:
                raise Refused(f"{self.title}: $bytes({room[0]}) must be a multiple of {WORD}, and at least {self.words * WORD}")
            self.words = room[0] // WORD
        elif self.pointers:
            raise Refused(f"{self.title}: with text or data it must say how large it is: $bytes(N)")
        if not 0 < self.words <= MESSAGE_WORDS_MAX:
            raise Refused(f"{self.title}: {self.words * WORD} bytes; 8 to {MESSAGE_WORDS_MAX * WORD} are possible")

    def collect(self, struct, prefix):
        """The fields of a struct, and those of its groups with the group's name before theirs."""
        tag = struct.get("discriminantOffset", 0) if struct.get("discriminantCount") else None
        if tag is not None:
            self.unions.append((prefix, tag, [field for field in struct["fields"] if field.get("discriminantValue", NO_DISCRIMINANT) != NO_DISCRIMINANT]))
        for raw in struct.get("fields", []):
            name = prefix + snake(raw["name"])
            if "group" in raw:
                if raw.get("discriminantValue", NO_DISCRIMINANT) != NO_DISCRIMINANT:
                    raise Refused(f"{self.title}.{name}: a group in a union")
                self.collect(self.nodes[raw["group"]["typeId"]]["struct"], name + "_")
            else:
                self.fields.append(Field(self.title, name, raw, tag))

    def hash(self):
        text = "\n".join([f"{self.type_id:016x} {self.data_words} {self.pointers} {self.words}"] + [field.wire() for field in self.fields])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def enum_text(name, title, values):
    lines = [f"/* {title}; a peer may send any other number of 16 bits. */", f"enum {name} {{"]
    lines += [f"    {name.upper()}_{snake(value).upper()} = {number}," for number, value in enumerate(values)]
    return lines + ["};", ""]


def integer_accessors(message, field):
    name, where = f"struct {message.name}", field.offset * field.bytes()
    c_type, unsigned, default = field.c_type(), f"uint{8 * field.bytes()}_t", field.default_bits()
    flip = f" ^ {default:#x}u" if default else ""
    tag = set_tag(field)
    return [f"static inline {c_type} {message.name}_get_{field.name}(const {name} *message)", "{",
            f"    {unsigned} raw;", "",
            f"    __builtin_memcpy(&raw, (const char *)message->word + {where}, sizeof(raw));",
            f"    return ({c_type})(raw{flip});", "}", "",
            f"static inline void {message.name}_set_{field.name}({name} *message, {c_type} value)", "{",
            f"    {unsigned} raw = ({unsigned})(({unsigned})value{flip});", "",
            f"    __builtin_memcpy((char *)message->word + {where}, &raw, sizeof(raw));", *tag, "}", ""]


def bool_accessors(message, field):
    name, word, bit = f"struct {message.name}", field.offset // 64, field.offset % 64
    flip = " ^ 1u" if field.default_bits() else ""
    return [f"static inline bool {message.name}_get_{field.name}(const {name} *message)", "{",
            f"    return (message->word[{word}] >> {bit} & 1u){flip};", "}", "",
            f"static inline void {message.name}_set_{field.name}({name} *message, bool value)", "{",
            f"    message->word[{word}] = (message->word[{word}] & ~(1ul << {bit})) | (uint64_t)(value{flip}) << {bit};", *set_tag(field), "}", ""]


def blob_accessors(message, field):
    name, at = f"struct {message.name}", message.data_words + field.offset
    text = field.kind == "text"
    c_type = "char" if text else "uint8_t"
    said = "Its length without the NUL that ends it" if text else "How many bytes"
    return [f"/* {said}; or -EXO_E_RANGE: the sender wrote nonsense. *value points into the message. */",
            f"static inline int64_t {message.name}_get_{field.name}(const {name} *message, const {c_type} **value)", "{",
            f"    return exo_message_blob(message->word, {message.words}, {at}, {'true' if text else 'false'}, (const void **)value);", "}", "",
            "/* Once for a message. -EXO_E_RANGE: there is no room for so much. */",
            f"static inline int64_t {message.name}_set_{field.name}({name} *message, const {c_type} *value, uint64_t bytes)", "{",
            *set_tag(field),
            f"    return exo_message_add_blob(message->word, {message.words}, {at}, &message->used, {'true' if text else 'false'}, value, bytes);",
            "}", ""]


def set_tag(field):
    if field.discriminant == NO_DISCRIMINANT:
        return []
    return [f"    __builtin_memcpy((char *)message->word + {2 * field.discriminant_bits}, &(uint16_t){{{field.discriminant}}}, 2);"]


def void_accessors(message, field):
    if field.discriminant == NO_DISCRIMINANT:
        return []
    return [f"static inline void {message.name}_set_{field.name}(struct {message.name} *message)", "{", *set_tag(field), "}", ""]


def accessors(message, field):
    if field.kind == "bool":
        return bool_accessors(message, field)
    if field.kind in ("text", "data"):
        return blob_accessors(message, field)
    return void_accessors(message, field) if field.kind == "void" else integer_accessors(message, field)


def union_accessor(message, prefix, tag, members):
    which = f"{message.name}_{prefix}which"
    return enum_text(which, f"Which of the union {message.title}.{prefix.rstrip('_')}" if prefix else f"Which of {message.title}'s union is there",
                     [field["name"] for field in sorted(members, key=lambda field: field.get("discriminantValue", 0))]) + [
        f"static inline uint16_t {message.name}_get_{prefix}which(const struct {message.name} *message)", "{",
        "    uint16_t raw;", "", f"    __builtin_memcpy(&raw, (const char *)message->word + {2 * tag}, sizeof(raw));", "    return raw;", "}", ""]


def message_text(message):
    name, upper = message.name, message.name.upper()
    lines = [f"/* ---- {message.title} ---- */", "",
             f"struct {name} {{", f"    uint64_t word[{message.words}];",
             *(["    uint32_t used; /* words that have something in them; not sent */"] if message.pointers else []), "};", "",
             f"static const struct exo_layout {name}_layout __attribute__((unused)) = {{",
             f"    .type_id = {message.type_id:#x}, .hash = {message.hash():#x}, .words = {message.words},",
             f"    .data_words = {message.data_words}, .pointers = {message.pointers},", "};", f"#define {upper}_WORDS {message.words}u", "",
             "/* All fields have their defaults. */", f"static inline void {name}_begin(struct {name} *message)", "{",
             f"    *message = (struct {name}){{0}};", *([f"    message->used = {message.data_words + message.pointers};"] if message.pointers else []), "}", ""]
    for union in message.unions:
        lines += union_accessor(message, *union)
    for field in message.fields:
        lines += accessors(message, field)
    return lines + channel_text(message)


def channel_text(message):
    """A channel of such messages: a type of its own, so that the compiler knows what goes where."""
    name = message.name
    return [f"struct {name}_channel {{", "    struct exo_channel channel;", "};", "",
            "/* As exo_channel_bind. */",
            f"static inline int64_t {name}_bind(struct {name}_channel *channel, enum exo_channel_side side, void *memory, uint64_t bytes)", "{",
            f"    return exo_channel_bind(&channel->channel, side, memory, bytes, &{name}_layout);", "}", "",
            "/* As exo_channel_send. */",
            f"static inline int64_t {name}_send(struct {name}_channel *channel, const struct {name} *message)", "{",
            f"    return exo_channel_send(&channel->channel, message->word, {message.words});", "}", "",
            "/* As exo_channel_receive. */",
            f"static inline int64_t {name}_receive(struct {name}_channel *channel, struct {name} *message)", "{",
            *([f"    message->used = {message.words}; /* nothing can be added */"] if message.pointers else []),
            f"    return exo_channel_receive(&channel->channel, message->word, {message.words});", "}", ""]


def header(request):
    nodes = {node["id"]: node for node in request["nodes"]}
    file = request["requestedFiles"][0]
    source = os.path.basename(file["filename"])
    guard = re.sub(r"\W", "_", source).upper() + "_H"
    ours = [node for node in request["nodes"] if node["displayName"].startswith(file["filename"] + ":")]
    lines = [f"/* Made by libexo/schema/generate.py from {source}: change that. */", f"#ifndef {guard}", f"#define {guard}",
             "#include <exo/channel.h>", "#include <stdbool.h>", "#include <stdint.h>", ""]
    for node in ours:
        if "enum" in node:
            title = node["displayName"].rsplit(":", 1)[1]
            lines += enum_text(c_name(node), title, [value["name"] for value in node["enum"].get("enumerants", [])])
        elif "struct" in node and not node["struct"].get("isGroup"):
            lines += message_text(Message(node, nodes))
        elif "interface" in node:
            raise Refused(f"{node['displayName']}: an interface; messages only")
    return source, "\n".join(lines + ["#endif", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--request", required=True)
    parser.add_argument("--out", required=True)
    values = parser.parse_args()
    with open(values.request, encoding="utf-8") as file:
        request = json.load(file)
    try:
        source, text = header(request)
    except Refused as problem:
        sys.exit(f"schema: {problem}")
    os.makedirs(values.out, exist_ok=True)
    with open(os.path.join(values.out, source + ".h"), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
