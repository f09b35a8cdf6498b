#!/usr/bin/env python3
"""usage: run.py [--capnp PROGRAM] --schema SCHEMA.CAPNP --out FOLDER FILE.capnp...
Asks capnp's own compiler what it makes of each schema, and generate.py for C17 of that: FOLDER/FILE.capnp.h.

SCHEMA.CAPNP is Cap'n Proto's schema of its own compiler's output (Debian's libcapnp-dev has it), by which capnp turns that into JSON.
"""

import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def request(capnp, schema, path):
    """What the compiler says of the schema at `path`, as JSON."""
    folder, name = os.path.split(os.path.abspath(path))
    compiled = subprocess.run([capnp, "compile", "-I", HERE, "--src-prefix", folder, "-o-", os.path.join(folder, name)], stdout=subprocess.PIPE, check=False)
    if compiled.returncode:
        sys.exit(f"schema: {path}: capnp's messages above say why")
    turned = subprocess.run([capnp, "convert", "binary:json", schema, "CodeGeneratorRequest"], input=compiled.stdout, capture_output=True, check=False)
    if b"AnyPointer" in turned.stderr:  # of a pointer's default, which a text or data has not
        sys.exit(f"schema: {path}: a field is a list, a struct or an interface; a message holds numbers, texts and data")
    if turned.returncode:
        sys.exit(f"schema: {path}: capnp cannot read its own output\n{turned.stderr.decode(errors='replace')}")
    return turned.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--capnp", default="capnp")
    parser.add_argument("--schema", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("files", nargs="+")
    values = parser.parse_args()
    for path in values.files:
        with tempfile.NamedTemporaryFile(suffix=".json") as answer:
            answer.write(request(values.capnp, values.schema, path))
            answer.flush()
            made = subprocess.run([sys.executable, "-B", os.path.join(HERE, "generate.py"), "--request", answer.name, "--out", values.out], check=False)
            if made.returncode:
                sys.exit(f"schema: {path}: see above")


if __name__ == "__main__":
    main()
