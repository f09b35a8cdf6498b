#!/usr/bin/env python3
"""usage: symbols.py NM KERNEL OUT.c  - the function names of a linked kernel as tables for its own backtrace."""
import subprocess
import sys

BASE = 0xffffffff80000000


def main():
    nm, kernel, out = sys.argv[1:]
    listing = subprocess.run([nm, "-n", "--defined-only", kernel], check=True, capture_output=True, text=True).stdout
    rows, names = [], bytearray()
    for line in listing.splitlines():
        address, kind, name = line.split()[:3]
        if kind in "tT" and int(address, 16) >= BASE and not name.startswith("stub_"):
            rows.append((int(address, 16) - BASE, len(names)))
            names += name.encode() + b"\0"
    with open(out, "w") as file:
        file.write("/* Made by kernel/symbols.py. */\n#include <stdint.h>\n")
        file.write("struct kernel_symbol {\n    uint32_t offset, name;\n};\n")
        file.write('#define TABLE __attribute__((section(".kernel_symbols"), used))\n')
        file.write("extern const struct kernel_symbol kernel_symbols[];\nextern const uint32_t kernel_symbol_count;\n")
        file.write("extern const char kernel_symbol_names[];\n")
        file.write("TABLE const struct kernel_symbol kernel_symbols[] = {\n")
        file.writelines(f"    {{{offset:#x}, {name}}},\n" for offset, name in rows)
        file.write(f"}};\nTABLE const uint32_t kernel_symbol_count = {len(rows)};\n")
        file.write("TABLE const char kernel_symbol_names[] =\n")
        file.writelines(f'    "{name}\\0"\n' for name in names.decode().split("\0")[:-1])
        file.write(";\n")


main()
