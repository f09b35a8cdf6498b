"""The whole tree compiles without warnings: gcc 12 and clang 14, release and debug, and the unit tests."""

import os
import shutil


def compiles(preset):
    def body(t):
        if preset.endswith("-clang") and not shutil.which("clang-14"):
            t.skip("clang-14 is not installed")
        folder = t.path("build", "warnings-" + preset) if not os.environ.get("EXO_BUILD") else os.path.join(os.environ["EXO_BUILD"], "warnings-" + preset)
        result = t.command("cmake", "--preset", preset, "-B", folder, "-DEXO_WERROR=ON", timeout=120)
        t.equal(result.status, 0, f"cmake: {result}")
        result = t.command("ninja", "-k", "0", "-C", folder, timeout=600)
        problems = [line for line in result.stdout.decode(errors="replace").splitlines() if "error:" in line or "warning:" in line]
        t.check(result.status == 0, "\n".join(problems[:40]) or str(result))
    return body


def cases(_):
    for preset in ("release", "debug", "release-clang", "host-clang"):
        yield preset, compiles(preset), 700
