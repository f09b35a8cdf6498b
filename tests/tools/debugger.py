"""./exo debug: gdb stops in the kernel and in the libOS, with names, and leaves no QEMU."""

import shutil


def stops_by_name(t):
    if not shutil.which("gdb"):
        t.skip("gdb is not installed")
    script = b"hbreak kernel_main\ncontinue\nbt 1\ndelete\nhbreak px_dispatch_slow\ncontinue\nbt 1\nsymbols fs\ndelete\ncontinue\nquit\n"
    result = t.exo("debug", "--", "echo", "from-the-guest", stdin=script, timeout=300)
    t.equal(result.status, 0, str(result))
    for text in (b"kernel_main", b"px_dispatch_slow", b"exo/fs", b"from-the-guest"):
        t.check(text in result.stdout, f"no {text} in {result}")


def cases(_):
    yield "stops-by-name", stops_by_name, 320
