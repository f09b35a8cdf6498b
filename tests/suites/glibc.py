"""glibc's tests of the system interfaces: each is a program that says by its exit status how it went (77: not here). They are compiled by this machine's
compiler against its own glibc, and linked with glibc's support library, as far as that can be had without building glibc itself.
"""

import concurrent.futures
import glob
import os
import re
import subprocess

from exo.errors import ExoError

FOLDERS = ("dirent", "io", "misc", "nptl", "posix", "resource", "rt", "signal", "socket", "sysdeps/pthread", "sysdeps/unix/sysv/linux", "sysvipc", "time")
# Parts of other tests, and what needs a library or arguments that glibc's build would make.
PARTS = re.compile(r"mod[0-9a-z]*$|time64|-static|-common$|aux$")
# What the headers of glibc's build say that an installed glibc does not.
HEADERS = ("include", "", "support", "sysdeps/generic", "sysdeps/x86_64", "sysdeps/x86", "sysdeps/unix/sysv/linux", "sysdeps/pthread", "sysdeps/nptl")
PATHS = {"OBJDIR": "/tmp", "SRCDIR": "/tmp", "OBJDIR_ELF_LDSO": "/lib64/ld-linux-x86-64.so.2", "INSTDIR": "/usr", "LIBDIR": "/lib/x86_64-linux-gnu",
         "SLIBDIR": "/lib/x86_64-linux-gnu", "BINDIR": "/usr/bin", "SBINDIR": "/usr/sbin", "ROOTSBINDIR": "/sbin", "ROOTDIR": "/",
         "COMPLOCALEDIR": "/usr/lib/locale"}
LIBRARIES = ("-lpthread", "-lrt", "-ldl", "-lm", "-lutil")


def flags(source, folder):
    words = ["-std=gnu11", "-O2", "-w", "-include", "limits.h", "-include", "stdbool.h", "-D_GNU_SOURCE", "-DMODULE_NAME=testsuite", "-DTIMEOUTFACTOR=4",
             "-Dlibc_hidden_proto(...)=", "-Dlibc_hidden_def(...)=", "-Dattribute_hidden=", "-I", folder]
    words += [word for name in HEADERS for word in ("-idirafter", os.path.join(source, name))]
    return words + [f'-D{name}_PATH="{path}"' for name, path in PATHS.items()]


def compile_all(jobs):
    """{output: made}, with as many compilers at a time as there are processors."""
    def one(job):
        output, words = job
        return output, subprocess.run(["gcc-12", *words, "-o", output], capture_output=True).returncode == 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(pool.map(one, jobs))


def support(source, folder):
    """The support library: those of its parts that compile."""
    with open(os.path.join(folder, "config.h"), "w") as file:
        file.write('#define LIBGCC_S_SO "libgcc_s.so.1"\n')
    if not os.path.exists(os.path.join(folder, "support")):
        os.symlink(os.path.join(source, "support"), os.path.join(folder, "support"))
    parts = [path for path in sorted(glob.glob(os.path.join(source, "support", "*.c")))
             if not re.match(r"tst-|test-|links-dso|.*-container", os.path.basename(path))]
    made = compile_all([(os.path.join(folder, os.path.basename(path)[:-2] + ".o"), [*flags(source, folder), "-c", path]) for path in parts])
    objects = [path for path, good in made.items() if good]
    library = os.path.join(folder, "libsupport.a")
    if not objects or subprocess.run(["ar", "rcs", library, *objects]).returncode != 0:
        raise ExoError("glibc's support library for tests cannot be compiled", "is gcc-12 installed?")
    for path in objects:
        os.remove(path)
    return library


def gather(source, folder):
    library = support(source, folder)
    jobs = []
    for place in FOLDERS:
        for kind in ("tst-", "tst_", "bug-", "test-"):
            for path in sorted(glob.glob(os.path.join(source, place, kind + "*.c"))):
                name = os.path.basename(path)[:-2]
                if not PARTS.search(name):
                    jobs.append((os.path.join(folder, f"{place.replace('/', '_')}__{name}"), [*flags(source, folder), path, library, *LIBRARIES]))
    made = compile_all(jobs)
    os.remove(library)
    os.remove(os.path.join(folder, "support"))
    return [(os.path.basename(path), f"exec $files/{os.path.basename(path)}") for path, good in made.items() if good]
