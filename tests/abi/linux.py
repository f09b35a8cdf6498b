"""docs/linux-abi.md says what the libOS's table says, and the table what the libOS has."""

import difflib
import os
import re


def document(t):
    """The checked-in list is what the table and its notes come to."""
    found = os.path.join(t.folder, "linux-abi.md")
    result = t.command("/usr/bin/python3", t.path("libos/posix/calls.py"), "--document", found)
    t.equal(result.status, 0, str(result))
    with open(found) as new, open(t.path("docs/linux-abi.md")) as old:
        change = list(difflib.unified_diff(old.read().splitlines(), new.read().splitlines(), "docs/linux-abi.md", "the table says", lineterm=""))
    t.check(not change, "\n".join(change[:60]))


def table_is_true(t):
    """What the table marks as there has a body, and what it does not mark has none."""
    bodies = set()
    for folder, _, names in os.walk(t.path("libos/posix")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name)) as file:
                    text = file.read()
                bodies.update(re.findall(r"(?m)^(?:(?:PX_\w+(?:\(\w+\))? )?PX_SYS\(|GETTER\(|SETTER\(|int64_t px_sys_)(\w+)", text))
                for form in re.findall(r"(?m)^FORMS\((\w+)", text):
                    bodies.update((form, "l" + form, "f" + form))
    with open(t.path("libos/posix/calls.tab")) as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    missing = [row[1] for row in rows if row[2] == "+" and row[1] not in bodies]
    unsaid = [row[1] for row in rows if row[2] == "-" and row[1] in bodies]
    t.check(len(bodies) > 200, f"only {len(bodies)} bodies found")
    t.equal((missing, unsaid), ([], []), "marked and not there, there and not marked")


def unknown_name(t):
    """A note on a call that there is not is refused."""
    folder = os.path.join(t.folder, "posix")
    os.mkdir(folder)
    for name in ("calls.py", "calls.tab", "calls.notes"):
        with open(t.path("libos/posix/" + name)) as old, open(os.path.join(folder, name), "w") as new:
            new.write(old.read())
    with open(os.path.join(folder, "calls.notes"), "a") as file:
        file.write("opne: a call that nobody has\n")
    result = t.command("/usr/bin/python3", os.path.join(folder, "calls.py"), "--document", os.path.join(t.folder, "out.md"))
    t.equal(result.status, 1, str(result))
    t.check("calls.notes:" in result.stderr.decode(), result.stderr)


def cases(t):
    yield "linux-document", document
    yield "linux-table", table_is_true
    yield "linux-note-of-nothing", unknown_name
