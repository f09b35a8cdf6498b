"""Who may include whom: the arrows of docs/architecture.md, and headers that compile alone."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sources  # noqa: E402

FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdalign.h", "stdnoreturn.h", "limits.h", "float.h", "iso646.h"}

# Folder: what it may include, as path prefixes. "generated" is what abi/ and the system-call table make.
ALLOWED = {
    # The kernel shares helpers that know nothing of either side: the memcpy family, the formatter, the ELF reader, the two lattices.
    "kernel/": ["kernel/", "generated", "libexo/include/exo/string.h", "libexo/include/exo/format.h", "libexo/include/exo/elf.h",
                "libexo/include/exo/rights.h", "libexo/include/exo/label.h"],
    "libexo/": ["libexo/", "generated"],
    "libos/posix/": ["libos/posix/", "libexo/", "generated"],
    "servers/rs/": ["servers/rs/", "libos/posix/proto/", "libexo/", "generated"],
    "servers/proc/": ["servers/proc/", "libos/posix/proto/", "libos/posix/linux.h", "libexo/", "generated"],
    "servers/fs/": ["servers/fs/", "libos/posix/proto/", "libos/posix/linux.h", "libexo/", "generated"],
    "servers/tty/": ["servers/tty/", "libos/posix/proto/", "libos/posix/linux.h", "drivers/virtio-console/", "drivers/uart-16550/", "libexo/", "generated"],
    "drivers/": ["drivers/", "libexo/", "generated"],
    "user/": ["user/", "libos/posix/proto/", "servers/tty/stream.h", "libexo/", "generated", "system"],
    "examples/": ["examples/", "libos/posix/proto/", "libexo/", "generated", "system"],
    # kernelbench needs children and complaints as the kernel tests do; and it counts the kernel's own policy.
    "bench/": ["bench/", "libos/posix/proto/", "libexo/", "generated", "system", "tests/bare/bare.h", "kernel/include/policy.h"],
}
# Where a name in <> or "" is looked for, besides the including file's folder.
ROOTS = {
    "kernel/": ["kernel", "kernel/include", "kernel/arch/x86_64", "kernel/arch/x86_64/include", "libexo/include"],
    "libexo/": ["libexo/include", "libexo/arch/x86_64/include"],
    "": ["libexo/include", "libexo/arch/x86_64/include", "libos/posix/proto", "libos/posix", "libos/posix/arch/x86_64",
         "drivers/virtio-console", "drivers/uart-16550"],
}


def owner(path):
    return next((prefix for prefix in ALLOWED if path.startswith(prefix)), None)


def roots(path):
    return next((folders for prefix, folders in ROOTS.items() if path.startswith(prefix)))


def resolve(path, name):
    """The tree's file behind an include, or "generated", or "system"."""
    for folder in [os.path.dirname(path), *roots(path), os.path.join(*path.split("/")[:2])]:
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(sources.TREE, candidate)):
            return candidate
    return "system"


def generated_names(t):
    """Names of generated headers, from the generators themselves."""
    folder = os.path.join(t.folder, "generated")
    t.command("/usr/bin/python3", t.path("abi/generate.py"), "--out", folder)
    t.command("/usr/bin/python3", t.path("abi/labels.py"), "--out", folder)
    t.command("/usr/bin/python3", t.path("libos/posix/calls.py"), "--out", folder)
    return folder, {os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names}


def include_rules(t):
    _, generated = generated_names(t)
    problems = []
    for path in sources.files(ALLOWED, (".c", ".h", ".S")):
        if path.endswith("_test.c"):
            continue
        for number, line in enumerate(sources.text(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match or match[1] in FREESTANDING:
                continue
            target = "generated" if match[1] in generated else resolve(path, match[1])
            if not any(target.startswith(prefix) for prefix in ALLOWED[owner(path)]):
                problems.append(f"{path}:{number}: {owner(path)} may not include {match[1]} ({target})")
    t.check(not problems, "\n".join(problems))


def headers_alone(t):
    folder, _ = generated_names(t)
    problems = []
    for path in sources.files(sources.SYSTEM, (".h",)):
        # Each header's folder, its component's top, and the component's include folders: as the build has it.
        folders = [os.path.dirname(path), os.path.join(*path.split("/")[:2]), *roots(path)]
        result = t.command("gcc-12", "-std=gnu17", "-ffreestanding", "-mgeneral-regs-only", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                           "-I", folder, *[word for name in folders for word in ("-I", t.path(name))], "-x", "c", "-",
                           stdin=f'#include "{t.path(path)}"\n'.encode())
        if result.status:
            problems.append(path + "\n" + result.stderr.decode(errors="replace")[:600])
    t.check(not problems, "\n".join(problems))


def cases(_):
    yield "include-rules", include_rules
    yield "headers-compile-alone", headers_alone
