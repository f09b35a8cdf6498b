"""Random exokernel calls from ring 3: no panic, nothing leaked, nobody else's memory read or changed."""

import os
import shutil

from exo.testing import parse_tap


def campaign(seed, calls):
    def body(t):
        overlay = os.path.join(t.folder, "overlay")
        os.makedirs(os.path.join(overlay, "tests"))
        shutil.copy2(os.path.join(t.built, "tests", "fuzz", "exofuzz"), os.path.join(overlay, "tests", "exofuzz"))
        limit = 60 + calls // 1000
        result = t.guest("/tests/exofuzz", "--seed", str(seed), "--calls", str(calls), options=["--overlay", overlay], timeout=limit)
        shutil.rmtree(overlay)
        t.check(result.status in (0, 1), result)
        return parse_tap(result.stdout.decode(errors="replace"))
    return body


def cases(t):
    calls = 1000000 if t.long else 100000
    yield f"{calls}-calls-seed-{t.seed}", campaign(t.seed, calls), 120 + calls // 800
