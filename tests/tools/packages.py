"""Debian packages for the root file system: what becomes of a package's files, what apt's answers lead to, and what is said when they are bad."""

import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from exo import apt, deb, debian_root, scripts  # noqa: E402
from exo.errors import ExoError  # noqa: E402

POSTINST = r"""#!/bin/sh
update-alternatives --quiet --install /usr/bin/tool tool /usr/bin/tool.one 20 \
  --slave /usr/bin/toolx toolx /usr/bin/tool.two \
  --slave /usr/share/man/man1/tool.1.gz tool.1.gz /usr/share/man/man1/tool.one.1.gz
update-alternatives --install "$DIR"/w w "$DIR"/w.one 50
update-alternatives --install /usr/bin/other other /usr/bin/nowhere 30
"""


def make_deb(t, name="sample", postinst=POSTINST):
    """A package with all that a file can be."""
    root = os.path.join(t.folder, name)
    for folder in ("DEBIAN", "bin", "sbin", "usr/bin", "usr/share/doc/sample", "var/run/sample"):
        os.makedirs(os.path.join(root, folder))
    files = {"DEBIAN/control": f"Package: {name}\nVersion: 1:2-3\nArchitecture: amd64\nMaintainer: nobody <a@b>\nDescription: x\n",
             "DEBIAN/postinst": postinst, "bin/prog": "p" * 5000, "usr/bin/tool.one": "1", "usr/bin/tool.two": "2",
             "usr/share/doc/sample/copyright": "c", "var/run/sample/pid": "7"}
    for path, text in files.items():
        with open(os.path.join(root, path), "w") as file:
            file.write(text)
        os.chmod(file.name, 0o755)
    os.chmod(os.path.join(root, "bin/prog"), 0o4755)
    os.link(os.path.join(root, "bin/prog"), os.path.join(root, "usr/bin/again"))
    os.symlink("/bin/prog", os.path.join(root, "sbin/prog"))
    os.symlink("../x/y", os.path.join(root, "usr/bin/link"))
    path = os.path.join(t.folder, name + ".deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, path], check=True, capture_output=True)
    return path


def fails(t, status, word, function, *arguments):
    try:
        function(*arguments)
    except ExoError as error:
        t.equal((error.status, len(error.text().splitlines())), (status, 2), error.text())
        t.check(word in error.text(), error.text())
        return
    t.check(False, f"no error about {word}")


def tree_of_a_package(t):
    tree = deb.package_tree(make_deb(t))
    kinds = {path: stat.S_IFMT(entry.mode) for path, entry in tree.entries.items()}
    t.equal({path for path, kind in kinds.items() if kind == stat.S_IFREG},
            {"usr/bin/prog", "usr/bin/again", "usr/bin/tool.one", "usr/bin/tool.two", "run/sample/pid"}, "files, under their merged names")
    t.check(not any(path.startswith("usr/share/doc/") for path in tree.entries), "documentation is left out")
    first, second = (tree.entries[path] for path in ("usr/bin/prog", "usr/bin/again"))
    t.equal((first.names, second.names, sorted((len(first.data), len(second.data)))), (first.names, first.names, [0, 5000]), "one file, two names")
    t.equal((first.names[1], stat.S_IMODE(first.mode), first.owner), (2, 0o4755, (0, 0)))
    t.equal(tree.entries["usr/bin/link"].data, b"../x/y")
    t.check("bin" not in tree.entries and stat.S_ISDIR(tree.entries["run/sample"].mode), sorted(tree.entries))


def registered_alternatives(t):
    found = scripts.alternatives(POSTINST)
    t.equal(found, [("/usr/bin/tool", "tool", "/usr/bin/tool.one", 20), ("/usr/bin/toolx", "toolx", "/usr/bin/tool.two", 20),
                    ("/usr/bin/other", "other", "/usr/bin/nowhere", 30)])
    os.environ["XDG_CACHE_HOME"] = os.path.join(t.folder, "cache")
    package = deb.Deb(make_deb(t), "0123456789abcdef" * 4)
    t.equal([one[1] for one in package.alternatives], ["tool", "toolx"], "only what is in the package")
    t.equal(os.path.getsize(package.path) % 4096, 0)


def what_scripts_compute(t):
    """Variables of plain words and loops are followed; whatever else is computed is left alone."""
    script = r"""#!/bin/sh
priority=1711
base=/usr/lib/jvm
tools='java keytool'
late=$(uname)
if false; then priority=$(expr $priority - 1); fi
case "$1" in
configure)
    if [ "$1" = x ]; then
        priority=$(expr $priority - 1)
    fi
    for i in $tools; do
        if [ -z "$(update-alternatives --list $i)" ]; then more=y; fi
        for n in 1 2; do
            update-alternatives --install /usr/bin/$i$n "${i}$n" \
               $base/bin/$i $priority
        done
    done
    for x in $late; do update-alternatives --install /usr/bin/$x $x /x 1; done
    for x in one two; do update-alternatives --install /usr/bin/$x $x /x/$x 7; done
    base=`pwd`
    update-alternatives --install /usr/bin/late late $base/late 7
    update-alternatives --install /usr/bin/last last /last $(expr 1 + 1)
esac
"""
    t.equal([(one[1], one[2], one[3]) for one in scripts.alternatives(script)],
            [("java1", "/usr/lib/jvm/bin/java", 1711), ("java2", "/usr/lib/jvm/bin/java", 1711), ("keytool1", "/usr/lib/jvm/bin/keytool", 1711),
             ("keytool2", "/usr/lib/jvm/bin/keytool", 1711), ("one", "/x/one", 7), ("two", "/x/two", 7)])
    endless = "for a in 1 2 3 4 5 6 7 8 9 0; do\n" * 12 + "update-alternatives --install /a a /b 1\n" + "done\n" * 12
    t.check(len(scripts.alternatives(endless)) <= scripts.WORDS_MOST, "loops end")
    t.equal(scripts.alternatives("for x in a b; do\nupdate-alternatives --install /$x $x /y 1"), [("/a", "a", "/y", 1), ("/b", "b", "/y", 1)])


def accounts(t):
    script = r"""
who=svc
addgroup --system --quiet extra || true
if ! getent passwd $who >/dev/null; then
    adduser --system --quiet --home /var/lib/svc --no-create-home --shell /bin/sh \
        --group --gecos "The service, of ours" $who >/dev/null
fi
adduser $who extra
adduser --system --ingroup www-data --home=/x web 2>/dev/null || :
useradd -r -d /y -s /bin/false "$unknown"
echo "adduser said 'no
# adduser --system comment
"""
    found = scripts.accounts(script)
    users, groups = debian_root.added(found + found, "root:x:0:0:root:/root:/bin/sh\nold:x:100:5::/:/bin/sh\n", "root:x:0:\nwww-data:x:33:\n")
    t.equal(users.splitlines()[2:], ["svc:x:101:101:The service, of ours:/var/lib/svc:/bin/sh", "web:x:102:33::/x:/usr/sbin/nologin"])
    t.equal(groups.splitlines()[2:], ["extra:x:100:svc", "svc:x:101:"])


def broken_packages(t):
    os.environ["XDG_CACHE_HOME"] = os.path.join(t.folder, "cache")
    path = make_deb(t)
    size = os.path.getsize(path)
    for cut in (0, 10, 100, size // 2, size - 40):
        with open(path, "rb") as file:
            data = file.read()[:cut]
        broken = os.path.join(t.folder, f"cut{cut}.deb")
        with open(broken, "wb") as file:
            file.write(data)
        fails(t, 1, "no sound Debian package", deb.Deb, broken, f"{cut:064x}")
    t.equal([name for name in os.listdir(os.path.join(t.folder, "cache/exov6/segments")) if not name.endswith(".json")], [], "nothing is kept")


def play_apt(t, cache, get):
    """apt's two commands, played by scripts."""
    folder = os.path.join(t.folder, "bin")
    os.makedirs(folder, exist_ok=True)
    for name, text in (("apt-cache", cache), ("apt-get", get)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(f'#!/bin/sh\necho {name} "$@" >>{t.folder}/calls\n{text}\n')
        os.chmod(file.name, 0o755)
    os.environ["PATH"] = folder + ":/usr/bin:/bin"
    os.environ["XDG_CACHE_HOME"] = os.path.join(t.folder, "cache")


def calls(t):
    with open(os.path.join(t.folder, "calls")) as file:
        return len(file.readlines())


SAYS = 'case "$*" in *" -s "*) echo "Inst sample (1:2-3 Debian:12/stable [amd64]) []";; *download*) cp {} {}/sample_1%3a2-3_amd64.deb;; esac'


def what_apt_says(t):
    path = make_deb(t)
    archives = os.path.join(t.folder, "cache/exov6/apt/archives")
    play_apt(t, "exit 0", SAYS.format(path, archives))
    found = apt.Resolver().packages(["sample", "sample"])
    t.equal([os.path.basename(name) for name, _ in found], ["sample_1%3a2-3_amd64.deb"])
    count = calls(t)
    t.equal(apt.Resolver().packages(["sample"]), found, "again")
    t.equal(calls(t), count, "it is remembered")
    os.remove(found[0][0])
    t.equal(apt.Resolver().packages(["sample"]), found, "a file that is gone is fetched again")
    t.check(calls(t) > count, "nothing was fetched")


def what_apt_refuses(t):
    play_apt(t, "exit 100", "exit 100")
    fails(t, 2 if os.path.isdir(apt.SYSTEM_LISTS) and os.listdir(apt.SYSTEM_LISTS) else 1, "sample", apt.Resolver().packages, ["sample"])
    play_apt(t, "exit 0", 'echo "E: Unmet dependencies." >&2; exit 100')
    fails(t, 1, "Unmet dependencies", apt.Resolver().packages, ["sample"])
    play_apt(t, "exit 0", 'case "$*" in *" -s "*) echo "Inst sample (1 Debian [amd64])";; *) echo "E: Temporary failure resolving" >&2; exit 100;; esac')
    fails(t, 1, "Temporary failure", apt.Resolver().packages, ["sample"])
    play_apt(t, "exit 0", 'case "$*" in *" -s "*) echo "Inst sample (1 Debian [amd64])";; esac')
    fails(t, 1, "no file for sample", apt.Resolver().packages, ["sample"])
    t.equal(os.listdir(os.path.join(t.folder, "cache/exov6/sets")), [".lock"], "nothing is remembered")


def cases(_):
    for case in (tree_of_a_package, registered_alternatives, what_scripts_compute, accounts, broken_packages, what_apt_says, what_apt_refuses):
        yield case.__name__.replace("_", "-"), case
