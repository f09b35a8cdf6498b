"""docs/ as a site, and that what the pages name is there. tests/system/pages.py runs the commands that they show."""

import html.parser
import json
import os
import re
import sys

from exo import pages

EXTERNAL = re.compile(r"^(https?:)?//")
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src", "object": "data"}
LOADING_LINKS = {"stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "icon", "manifest"}


class Page(html.parser.HTMLParser):
    """What a built page loads, links to, and can be linked to at."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.anchors, self.schemes = [], [], {""}, set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        if values.get("data-md-color-scheme"):
            self.schemes.add(values["data-md-color-scheme"])
        if tag in LOADS:
            self.loads.append(values.get(LOADS[tag]) or "")
        if tag == "link" and LOADING_LINKS & set((values.get("rel") or "").split()):
            self.loads.append(values.get("href") or "")
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])


def built(t):
    if not os.path.exists("/usr/bin/mkdocs") or not os.path.isdir("/usr/share/mkdocs/themes/material"):
        t.skip("needs Debian's mkdocs and mkdocs-material")
    folder = os.path.join(t.folder, "site")
    result = t.exo("docs", "--out", folder, env={"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"})
    t.equal((result.status, result.stderr), (0, b""), result)
    t.equal(result.stdout.decode().strip(), os.path.join(folder, "index.html"))
    return folder


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def site(t):
    """It builds without a warning, loads nothing from elsewhere, its links lead somewhere, and each page can be found."""
    folder = built(t)
    found = {os.path.relpath(os.path.join(where, name), folder): Page(read(where, name))
             for where, _, names in os.walk(folder) for name in names if name.endswith(".html")}
    t.check(len(found) > 50, f"only {len(found)} pages")
    problems = []
    for name, page in found.items():
        problems += [f"{name} loads {url}" for url in page.loads if EXTERNAL.match(url)]
        if name == "404.html":
            continue  # it does not know where it is shown
        for link in page.links:
            if EXTERNAL.match(link) or link.startswith(("mailto:", "data:")):
                continue
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if target == ".":
                target = "index.html"
            if target in found and anchor not in found[target].anchors and anchor != "__skip" or not os.path.exists(os.path.join(folder, target)):
                problems.append(f"{name} links to {link}")
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".css"):
                problems += [f"{name} loads {url}" for url in re.findall(r"(?:url\(|@import )[\"']?((?:https?:)?//[^)\"']*)", read(where, name))]
    t.check(not problems, "\n".join(problems))
    t.equal(found["index.html"].schemes, {"default", "slate"}, "palettes")
    index = {entry["location"].partition("#")[0] for entry in json.loads(read(folder, "search", "search_index.json"))["docs"]}
    t.equal(sorted(set(found) - index - {"404.html"}), [], "pages that search does not find")


def broken_site(t):
    """A page with a link to nowhere, or that quotes what is not there, fails."""
    if not os.path.exists("/usr/bin/mkdocs"):
        t.skip("needs Debian's mkdocs")
    for number, (text, word) in enumerate((("[lost](nowhere.md)", b"nowhere.md"), ("```c\n@kernel/main.c:no_such_function\n```", b"no_such_function"))):
        tree = os.path.join(t.folder, f"tree{number}")
        os.makedirs(os.path.join(tree, "docs"))
        for name in os.listdir(t.root):
            if name not in ("docs", "build") and not name.startswith("."):
                os.symlink(t.path(name), os.path.join(tree, name))
        os.remove(os.path.join(tree, "tools"))
        os.mkdir(os.path.join(tree, "tools"))
        for name in os.listdir(t.path("docs")):
            os.symlink(t.path("docs", name), os.path.join(tree, "docs", name))
        with open(os.path.join(tree, "tools", "site_hooks.py"), "w") as file:
            file.write(read(t.path("tools"), "site_hooks.py"))
        with open(os.path.join(tree, "docs", "new.md"), "w") as file:
            file.write("# New\n\n" + text + "\n")
        result = t.command("/usr/bin/mkdocs", "build", "--strict", "--site-dir", os.path.join(tree, "site"), cwd=tree, env={"PYTHONDONTWRITEBYTECODE": "1"})
        t.check(result.status != 0 and word in result.stdout + result.stderr, result)


def names(t):
    """Files, and symbols in them, that pages name."""
    t.equal([f"{page}: {name}" for page in pages.pages() for name in pages.lost_names(pages.text_of(page))], [], "not in the tree")
    t.equal(pages.lost_names("`kernel/main.c` `kernel/nowhere.c` `kernel/main.c:nobody` `kernel/{main,call}.c` `kernel/sched/*.c:sched_pick`"),
            ["kernel/nowhere.c", "kernel/main.c:nobody"])


def calls(t):
    """Kernel calls and functions of libexo that pages name."""
    known = set(re.findall(r"^call \d+ (\w+)\(", read(t.path("abi/exo.abi")), re.M)) | set(re.findall(r"^struct (\w+)", read(t.path("abi/exo.abi")), re.M))
    for where, _, files in os.walk(t.path("libexo/include")):
        for name in files:
            known |= set(re.findall(r"\bexo_(\w+)", read(where, name)))
    lost = [f"{page}: exo_{name}" for page in pages.pages() for code in pages.CODE.findall(pages.text_of(page))
            for name in re.findall(r"\bexo_(\w+)", code) if name not in known]
    t.equal(lost, [], "not in the contract and not in libexo")


def objects(t):
    """Each object of the contract has a page, each page is one's, and each call is on at least one of them."""
    sys.path.insert(0, t.path("abi"))
    import generate
    abi = generate.read_contract()
    known = {name for name, _, _ in abi.objects if name != "none"} | {"capability"}
    t.equal({name[:-3] for name in os.listdir(t.path("docs/objects"))} - {"README"}, known, "pages and objects")
    t.equal([call["name"] for call in abi.calls if not generate.subjects(call) & known], [], "calls on no page")
    shown = generate.object_reference(abi, "slice")
    for word in ("EXO_TYPE_SLICE", "exo_slice_make(", "`SHARE`", "struct exo_slice_info", "EXO_E_CIRCLE"):
        t.check(word in shown, f"no {word} on the page of slices")


def decisions(t):
    """A number means one decision."""
    numbers = [name[:4] for name in os.listdir(t.path("docs/decisions"))]
    t.equal(sorted({number for number in numbers if numbers.count(number) > 1}), [], "numbers that two notes have")


def options(t):
    """Commands of ./exo, and their options, that pages name."""
    spoken = {}
    for page in pages.pages() + ["CONTRIBUTING.md", "tests/README.md"]:
        for command, found in pages.commands_named(pages.text_of(page)).items():
            spoken.setdefault(command, {}).update({option: page for option in found})
    problems = []
    for command, found in sorted(spoken.items()):
        result = t.exo(command, "--help")
        problems += [] if result.status == 0 else [f"there is no ./exo {command}"]
        problems += [f"{page}: ./exo {command} has no {option}" for option, page in found.items()
                     if not re.search(rf"{option}\b".encode(), result.stdout) and option != "--help"]
    t.check(not problems, "\n".join(problems))


def shown_commands(t):
    """Each command is in a block that is run, or that says why not."""
    found = [f"{page}:{number}: {line}" for page in pages.pages() for number, line in pages.unmarked(pages.text_of(page))]
    t.check(not found, "commands that no test runs:\n" + "\n".join(found))


def matching(t):
    for said, wanted, good in (("a\nb\n", "a\nb\n", True), ("a\nb\nc\n", "a\n...\nc\n", True), ("a\nc\n", "a\n...\nc\n", True), ("a 17 b\n", "a ... b\n", True),
                               ("a\nb\n", "a\n", False), ("a\n", "a\nb\n", False), ("a.c\n", "abc\n", False), ("axc\n", "a.c\n", False), ("", "a\n", False),
                               ("a 17\nb\n", "a ... b\n", False), ("a  \n", "a\n", True), ("a", "a\n", True)):
        t.equal(pages.fits(said, wanted), good, f"{said!r} for {wanted!r}")
    text = "<!-- long: slow -->\n```console\n$ one\n1\n$ two\n```\n\n```console\n$ three\n```\n"
    t.equal([(block.line, block.mark, block.steps) for block in pages.blocks("page", text)],
            [(2, "long", [("one", "1\n"), ("two", None)]), (8, None, [("three", None)])])
    t.equal([line for _, line in pages.unmarked(text + "    $ four\n    ./exo run\n```sh\nfive\n```\n")], ["    $ four", "    ./exo run", "```sh"])


def cases(_):
    for case in (site, broken_site, names, calls, objects, decisions, options, shown_commands, matching):
        yield case.__name__.replace("_", "-"), case
