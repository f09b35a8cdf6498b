#!/usr/bin/env python3
"""usage: image.py PROGRAM OUT  - a boot image (struct exo_boot_header) with one program and no archive."""
import struct
import sys

program = open(sys.argv[1], "rb").read()
header = struct.pack("<8sIIQQQQ", b"EXOIMG01", 1, 4096, 4096, len(program), 0, 0)
with open(sys.argv[2], "wb") as out:
    out.write(header.ljust(4096, b"\0") + program)
