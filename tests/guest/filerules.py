"""File calls beside Linux: what filerules_*.c print there, on a tmpfs, and here."""

import os
import tempfile

SHOWN = 20


def beside(name):
    def body(t):
        if os.geteuid() != 0 or not os.path.ismount("/dev/shm"):
            t.skip("needs root and a tmpfs at /dev/shm")
        program = os.path.join(t.built, "tests/guest", name)
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            os.chmod(folder, 0o755)
            there = t.command(program, folder)
        here = t.guest("./" + os.path.relpath(program, t.root), "/tmp/rules", timeout=120)
        t.equal((there.status, here.status), (0, 0), here)
        ours, theirs = here.stdout.decode().splitlines(), there.stdout.decode().splitlines()
        wrong = [f"Linux: {one}\n    here:  {other}" for one, other in zip(theirs, ours) if one != other]
        t.check(len(theirs) > 400 and len(ours) == len(theirs) and not wrong, "\n    ".join([f"{len(wrong)} of {len(theirs)} differ", *wrong[:SHOWN]]))
    return body


def cases(t):
    yield "paths", beside("filerules_paths"), 180
    yield "rights", beside("filerules_rights"), 180
