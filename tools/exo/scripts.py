"""What maintainer scripts of Debian packages would add to a system, read from their text: nothing of them is run. Variables that are set to plain
words and loops over plain words are followed, for scripts that treat a list of programs alike; what else is computed is not understood.
"""

import re
import shlex

ASSIGNMENT = re.compile(r"\s*(?:local\s+|export\s+|readonly\s+)?([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;&|()`]*)\s*;?\s*$")
COMPUTED = re.compile(r"\s*([A-Za-z_]\w*)=")
LOOP = re.compile(r"\s*for\s+([A-Za-z_]\w*)\s+in\s+([^;]*?)\s*$")
WORDS_MOST = 1000  # that a script's loops give: more is none of Debian's
ALTERNATIVE = re.compile(r"--(install|slave)\s+(/\S+)\s+(\S+)\s+(/\S+)(?:\s+(\d+))?")
ACCOUNT = re.compile(r"(?:^|[\s;&|(])(adduser|addgroup|useradd|groupadd)\s+((?:\"[^\"\n]*\"|'[^'\n]*'|(?!\d?[<>])[^;&|)\n\"'])*)")
# Options of those commands that a word follows.
WITH_WORD = {"--home": "home", "--home-dir": "home", "-d": "home", "--shell": "shell", "-s": "shell", "--ingroup": "group", "--gid": "group",
             "-g": "group", "--gecos": "gecos", "--comment": "gecos", "-c": "gecos", "--uid": None, "-u": None, "--firstuid": None,
             "--lastuid": None, "-G": None, "--groups": None, "-K": None, "--add_extra_groups": None}


def filled(text, values):
    """The text with the values of variables that are known."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values.get(match[1] or match[2], match[0]), text)


def body_end(lines, start):
    """The index of the `done` that ends the loop whose body begins at `start`."""
    depth = 1
    for index in range(start, len(lines)):
        depth += bool(re.match(r"\s*(for|while|until)\b", lines[index])) or bool(re.search(r"\|\s*while\b", lines[index]))
        depth -= bool(re.search(r"(^|[\s;])done\b", lines[index]))
        if depth == 0:
            return index
    return len(lines)


def followed(lines, values, room):
    """The lines as they would be reached, conditions taken as true, with known variables filled in. `room`: [turns of loops that are left]."""
    out, index = [], 0
    while index < len(lines):
        line = lines[index]
        index += 1
        assigned, loop = ASSIGNMENT.match(line), LOOP.match(line)
        if loop:
            end = body_end(lines, index)
            body = lines[index:end]
            index = end + 1
            words = filled(loop[2], values)
            for word in [] if "$" in words or "`" in words else words.replace('"', "").split():
                room[0] -= 1
                if room[0] >= 0:
                    out += followed(body, {**values, loop[1]: word}, room)
        elif assigned:
            value = filled(assigned[2].strip("\"'"), values)
            values.pop(assigned[1], None)
            if "$" not in value and "`" not in value:
                values[assigned[1]] = value
        else:
            # What is computed is unknown; but what it was before is near enough when it is computed from that.
            computed = COMPUTED.match(line)
            if computed and "$" + computed[1] not in line:
                values.pop(computed[1], None)
            out.append(filled(line, values))
    return out


def plain(script):
    """The script's lines, each whole, with what is known of its variables."""
    whole = re.sub(r"\\\n", " ", script)
    lines = [line for line in whole.splitlines() if not re.match(r"\s*#", line)]
    lines = re.sub(r"(;|^)[ \t]*(do|done)\b", r"\n\2\n", "\n".join(lines), flags=re.MULTILINE).splitlines()
    return "\n".join(followed(lines, {}, [WORDS_MOST]))


def alternatives(script):
    """[(link, name, path, priority)] that a maintainer script registers."""
    found = []
    for match in ALTERNATIVE.finditer(re.sub(r"[\"']", "", plain(script))):
        kind, link, name, path, priority = match.groups()
        if "$" in match[0] or link.startswith("/usr/share/man/"):
            continue
        if kind == "install" and priority is None:
            continue
        # A slave follows its master, which stands before it.
        found.append((link, name, path, int(priority) if kind == "install" else found[-1][3] if found else 0))
    return found


def account(command, words):
    """What one command adds: {"user" or "group": name, ...}, or None."""
    told, names, own_group = {}, [], command.startswith("group") or command == "addgroup"
    words = list(words)
    while words:
        word, _, value = words.pop(0).partition("=")
        if word in WITH_WORD:
            value = value or (words.pop(0) if words else "")
            told[WITH_WORD[word]] = value
        elif word in ("--group", "-U", "--user-group"):
            own_group = True
        elif not word.startswith("-"):
            names.append(word)
    if not names or any("$" in word for word in (*names, *told.values())):
        return None
    if command in ("addgroup", "groupadd"):
        return {"group": names[0]}
    if len(names) > 1:
        return {"member": names[0], "of": names[1]}
    return {"user": names[0], "home": told.get("home", "/nonexistent"), "shell": told.get("shell", "/usr/sbin/nologin"),
            "gecos": told.get("gecos", "").strip(",").replace(":", " "), "in": names[0] if own_group else told.get("group", "nogroup")}


def accounts(script):
    """The accounts that a maintainer script adds, as `account` tells them, in its order."""
    found = []
    for match in ACCOUNT.finditer(plain(script)):
        try:
            one = account(match[1], shlex.split(match[2]))
        except ValueError:  # a quote that does not end: text, not a command
            continue
        if one and one not in found:
            found.append(one)
    return found
