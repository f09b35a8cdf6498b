"""Suites of interpreters: what of perl's own tests and its modules', and of Tcl's, speaks with the system. table.py says what a suite is."""

import glob
import os
import re
import shutil

# What of perl's t/op speaks with the system.
PERL_OP = """alarm chdir die_exit exec fh filehandle filetest filetest_stack_ok filetest_t fork getpid getppid glob grent groups kill0 lfs magic
mkdir print pwent rand read readdir readline require_errors select setpgrpstack sigdispatch signame_canonical sigsystem sleep sselect stat
stat_errors sysio taint threads threads-dirh time time_loop unlink utf8cache waitpid write""".split()
PERL_MODULES = """dist/IO ext/POSIX cpan/Socket cpan/IPC-SysV dist/Time-HiRes cpan/File-Temp ext/IPC-Open3 dist/threads dist/threads-shared
dist/Thread-Queue dist/Thread-Semaphore dist/Storable cpan/IPC-Cmd ext/Fcntl ext/Sys-Hostname cpan/File-Path""".split()
TCL = """async chan chanio event exec fCmd fileSystem io ioCmd pid pwd socket timer unixFCmd unixFile unixForkEvent unixInit unixNotfy thread""".split()


def tap(status, out, err):
    """One word for a script that prints TAP: what was not ok, and whether all that was planned came."""
    failed = [number for number, rest in re.findall(r"^not ok (\d+)(.*)$", out, re.M) if not re.search(r"#\s*(T[O]DO|SKIP)", rest, re.I)]
    came = len(re.findall(r"^(?:not )?ok\b", out, re.M))
    plan = re.search(r"^1\.\.(\d+)", out, re.M)
    if status in (124, 137):
        return {"": f"hang after {came}"}
    if plan and plan[1] == "0" and status == 0:
        return {"": "skip"}
    if plan and int(plan[1]) == came and not failed and status == 0:
        return {"": "pass"}
    return {"": f"{came} of {plan[1] if plan else '?'}, status {status}, not ok: {' '.join(failed)}"}


def switches(path):
    """The switch for tainted data must be said on the command line, too."""
    with open(path, encoding="latin-1") as file:
        match = re.match(r"#!.*perl.* -\w*([tT])", file.readline())
    return f" -{match[1]}" if match else ""


def perl_gather(source, folder):
    shutil.copytree(os.path.join(source, "t"), os.path.join(folder, "t"), symlinks=True, ignore=shutil.ignore_patterns("porting", "re", "win32", "uni"))
    for path in glob.glob(os.path.join(folder, "t", "**", "*.t"), recursive=True) + [os.path.join(folder, "t", "test.pl")]:
        with open(path, encoding="latin-1") as file:
            text = file.read()
        # They shall use the installed library, not one that lies beside them.
        text = re.sub(r"@INC = \(\) unless is_miniperl;", "", re.sub(r"@INC = (['\"(].*lib.*);", r"unshift @INC, \1;", text))
        with open(path, "w", encoding="latin-1") as file:
            file.write(text)
    steps = []
    for path in sorted(glob.glob(os.path.join(folder, "t", "io", "*.t"))) + [os.path.join(folder, "t", "op", name + ".t") for name in PERL_OP]:
        name = os.path.relpath(path, os.path.join(folder, "t"))
        steps.append((name[:-2], f"cd $files/t && PERL_SKIP_TTY_TEST=1 exec perl{switches(path)} {name}"))
    for module in PERL_MODULES:
        shutil.copytree(os.path.join(source, module), os.path.join(folder, module), symlinks=True)
        shutil.copy(os.path.join(folder, "t", "test.pl"), os.path.join(folder, module, "t"))
        for path in sorted(glob.glob(os.path.join(source, module, "t", "*.t"))):
            name = os.path.relpath(path, os.path.join(source, module))
            steps.append((f"{os.path.basename(module)}/{os.path.basename(name)[:-2]}", f"cd $files/{module} && exec perl{switches(path)} {name}"))
    return steps


def tcl_gather(source, folder):
    shutil.copytree(os.path.join(source, "tests"), os.path.join(folder, "tests"), symlinks=True)
    names = [name for name in TCL if os.path.exists(os.path.join(folder, "tests", name + ".test"))]
    return [(name, f"cp -r $files/tests . && cd tests && exec tclsh {name}.test -verbose 'pass start' </dev/null")
            for name in names]


def tcl_read(status, out, err):
    found = {name: "pass" for name in re.findall(r"^\++ (\S+) PASSED", out, re.M)}
    found.update((name, "fail") for name in re.findall(r"^==== (\S+) .*FAILED$", out, re.M))
    started = re.findall(r"^---- (\S+) start", out, re.M)
    if status in (124, 137) or (status != 0 and started and started[-1] not in found):
        found[started[-1] if started else ""] = "hang" if status in (124, 137) else "end"
    return found
