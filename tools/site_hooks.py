"""What makes docs/ a site (mkdocs.yml, ./exo docs): pages from outside docs/, the reference that abi/exo.abi gives, and sources quoted by name.

A code block whose only line is `@PATH:NAME` shows the definition of NAME in that file, with the comment above it: a page never quotes what is not there.
"""

import os
import re
import sys
import tempfile

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCS = os.path.join(ROOT, "docs")
sys.path.insert(0, os.path.join(ROOT, "abi"))
import generate  # noqa: E402

# Pages from outside docs/: where they lie in the site.
OUTSIDE = {"about.md": "README.md", "caveats.md": "CAVEATS.md", "changes.md": "CHANGES.md", "contributing.md": "CONTRIBUTING.md",
           "tests.md": "tests/README.md", "models.md": "models/README.md"}
FENCE = re.compile(r"^```(\w+)\n@(\S+?):(\w+)\n```$", re.M)
LINK = re.compile(r"(!?\[[^\]\n]*\])\(([^)#\s:]+)(#[^)\s]*)?\)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def definition(path, name):
    """The text that defines a name: a function, structure, macro or table at the left margin, with the comment above; or, in assembly, from its label
    to the next empty line."""
    lines = read(os.path.join(ROOT, path)).split("\n")
    assembly = path.endswith(".S")
    start = rf"{name}:" if assembly else rf"(?!\s|/?\*)(?=.*\b{name}\b(\(|\[| =| \{{|$| [0-9(])).*(?<!;)$|#define {name}\b|.*\b{name}(\[.*\])?;$"
    found = [index for index, line in enumerate(lines) if re.match(start, line)]
    if not found:
        raise PluginError(f"there is no {name} in {path}")
    first = last = found[0]
    if assembly:
        while last + 1 < len(lines) and lines[last + 1]:
            last += 1
    elif lines[first].startswith("#define"):
        while lines[last].endswith("\\"):
            last += 1
    elif not lines[first].endswith((";", "}")):
        last = next(index for index in range(first + 1, len(lines)) if lines[index].startswith(("}", ")")))
    if first and lines[first - 1].endswith("*/"):
        first = next(index for index in range(first - 1, -1, -1) if lines[index].startswith("/*"))
    return "\n".join(lines[first:last + 1])


def quoted(match):
    language, path, name = match.groups()
    return f'```{language} title="{path}"\n{definition(path, name)}\n```'


def source_of(page):
    """Where in the tree a page of the site comes from."""
    return OUTSIDE.get(page, os.path.join("docs", page))


def page_links(text, page, pages):
    """Links between files of the tree become links between pages; a link to what is no page is left as its text."""
    folder = os.path.dirname(source_of(page))
    targets = {os.path.normpath(source_of(other)): other for other in pages}

    def replace(match):
        words, target, anchor = match[1], match[2], match[3] or ""
        in_tree = os.path.normpath(os.path.join(folder, target))
        if target.endswith("/"):
            in_tree = os.path.join(in_tree, "README.md")
        if in_tree in targets:
            return f"{words}({os.path.relpath(targets[in_tree], os.path.dirname(page) or '.')}{anchor})"
        if not words.startswith("!") and os.path.exists(os.path.join(ROOT, in_tree)):
            return words[1:-1]
        return match[0]
    return LINK.sub(replace, text)


def contract():
    return generate.read_contract()


def made_pages():
    """{page: text} of what is in no file of docs/."""
    abi = contract()
    pages = {page: read(os.path.join(ROOT, path)) for page, path in OUTSIDE.items()}
    pages["reference.md"] = generate.reference(abi)
    pages["decisions/README.md"] = "# Decisions\n\nWhy things are as they are: context, decision, what was measured, consequences.\n\n" + "".join(
        f"- [{title('decisions/' + name)}]({name})\n" for name in names_in("decisions"))
    return pages


def names_in(folder):
    path = os.path.join(DOCS, folder)
    return [name for name in sorted(os.listdir(path)) if name.endswith(".md") and name != "README.md"] if os.path.isdir(path) else []


def title(page):
    return re.search(r"^# (.*)$", read(os.path.join(DOCS, page)), re.M)[1]


def named(nav):
    """All pages that a part of the navigation names."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in named(part)]


def on_config(config):
    for section in config["nav"]:
        if "Kernel objects" in section:
            section["Kernel objects"] = (["objects/README.md"] if os.path.exists(os.path.join(DOCS, "objects/README.md")) else []) + [
                "objects/" + name for name in names_in("objects")]
        if "Decisions" in section:
            section["Decisions"] = ["decisions/README.md"] + ["decisions/" + name for name in names_in("decisions")]
    config["nav"] = [section for section in config["nav"] if list(section.values()) != [[]]]
    more = [name for name in names_in(".") if name not in named(config["nav"])]
    reference = next(section["Reference"] for section in config["nav"] if "Reference" in section)
    reference += more
    return config


def on_files(files, config):
    made = tempfile.TemporaryDirectory(prefix="exo-site-")  # goes with this program, however it ends
    config["exo_pages"], folder = made, made.name
    for page, text in made_pages().items():
        path = os.path.join(folder, page)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        files.append(File(page, folder, config["site_dir"], config["use_directory_urls"]))
    return files


def on_page_markdown(markdown, page, config, files):
    name = page.file.src_path
    text = FENCE.sub(quoted, markdown)
    if name == "objects/README.md":
        numbers = {about: (number, words) for about, number, words in contract().objects}
        text += "\n\n| object | type | is |\n|---|---|---|\n" + "".join(
            "| [{}]({}) | {} | {} |\n".format(title("objects/" + each), each, *numbers.get(each[:-3], ("-", "what all of them are held by")))
            for each in names_in("objects"))
    elif name.startswith("objects/"):
        text += "\n\n" + generate.object_reference(contract(), os.path.basename(name)[:-3])
    return page_links(text, name, [file.src_path for file in files.documentation_pages()])
