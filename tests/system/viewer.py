"""A trace and a profile open in speedscope, in a headless Chromium: with --long. npm fetches speedscope once (viewer.lock); it is not part of the tree."""

import base64
import functools
import hashlib
import http.server
import os
import re
import shutil
import tarfile
import threading

from exo.packages import cache_folder


def speedscope(t):
    """The folder with its index.html, below the cache."""
    with open(t.path("tests", "system", "viewer.lock")) as file:
        name, version, integrity = file.read().splitlines()[-1].split()
    folder = os.path.join(cache_folder(), "npm")
    archive = os.path.join(folder, f"{name}-{version}.tgz")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(archive):
        result = t.command("npm", "pack", f"{name}@{version}", "--pack-destination", folder, timeout=120)
        if result.status != 0:
            t.skip(f"npm cannot fetch {name} {version}")
    with open(archive, "rb") as file:
        found = "sha512-" + base64.b64encode(hashlib.sha512(file.read()).digest()).decode()
    t.equal(found, integrity, archive)
    with tarfile.open(archive) as tar:
        tar.extractall(t.folder)  # it is what the lock says
    return os.path.join(t.folder, "package", "dist", "release")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def shown(t, folder, name):
    """What stands on speedscope's page when it has opened the file."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        result = t.command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--virtual-time-budget=20000",
                           f"--user-data-dir={os.path.join(t.folder, 'chromium')}", "--dump-dom",
                           f"{place}/index.html#profileURL={place}/{name}", timeout=120)
    finally:
        server.shutdown()
        server.server_close()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", result.stdout.decode(errors="replace")))


def opens(t):
    for name in ("chromium", "npm"):
        if not shutil.which(name):
            t.skip(f"{name} is not installed")
    folder = speedscope(t)
    for command, name in (("trace", "trace.json"), ("profile", "profile.svg")):
        result = t.exo(command, "-o", os.path.join(folder, name), "--built", t.built, "--smp=2", "--", "sh", "-c", "ls / | wc -l", timeout=80)
        t.equal(result.status, 0, result)
    text = shown(t, folder, "trace.json")
    for track in ("CPU 0 (tid 0)", "CPU 1 (tid 1)", "sh[2] (tid 2)", "fs (pid"):
        t.check("trace.json - speedscope" in text and track in text, f"{track} is not in {text}")
    text = shown(t, folder, "profile.svg.folded")
    t.check("profile.svg.folded - speedscope" in text and "Time Order" in text, text)


def cases(t):
    if t.long:
        yield "speedscope", opens, 400
