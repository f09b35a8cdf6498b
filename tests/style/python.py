"""Python and shell: everything parses; ./exo stays POSIX sh."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sources  # noqa: E402


def python_parses(t):
    problems = []
    for path in sources.files(("tools", "tests", "abi", "bench", "libos"), (".py",)):
        try:
            compile(sources.text(path), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            problems.append(str(error))
    t.check(not problems, "\n".join(problems))


def shell_parses(t):
    for path in ("exo", ".ci/run"):
        result = t.command("/bin/sh", "-n", t.path(path))
        t.equal((result.status, result.stderr), (0, b""), path)


def cases(_):
    yield "python-parses", python_parses
    yield "shell-parses", shell_parses
