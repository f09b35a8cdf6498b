"""./exo COMMAND: finds the command and turns errors into two lines and an exit status."""

import importlib
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from exo.errors import ExoError, refusal  # noqa: E402

COMMANDS = {
    "run": "build, boot, give a shell on this terminal, or run one command and power off",
    "test": "all tests, or some suites",
    "trace": "run a command and write a timeline of it, for Perfetto, Chrome and speedscope",
    "profile": "run a command and draw a flame graph of where its time went",
    "inspect": "run a command and make a page of what the kernel had and did meanwhile",
    "bench": "the benchmarks, and the comparison with Linux",
    "debug": "boot under gdb, with the symbols of kernel, libOS and servers",
    "size": "the kernel's parts, its largest symbols, and how deep its stack can get",
    "docs": "build docs/ as a site, or serve it",
    "doctor": "say what is missing on this machine and which package has it",
    "clean": "remove what was built",
}
LATER = ("image",)


def overview():
    lines = ["usage: ./exo COMMAND [OPTIONS] [ARGUMENTS]", ""]
    lines += [f"  {name:8}{text}" for name, text in COMMANDS.items()]
    return "\n".join(lines + ["", "./exo COMMAND --help says more. The first to try: ./exo run"])


def dispatch(arguments):
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(overview())
        return 0 if arguments else 2
    name = arguments[0]
    if name in LATER:
        raise ExoError(f"./exo {name} is not available yet (CAVEATS.md)", status=2)
    if name not in COMMANDS:
        raise ExoError(f"there is no command {name}", "known are: " + ", ".join(COMMANDS), status=2)
    module = importlib.import_module("exo.command_" + name)
    return module.main(arguments[1:])


def main():
    try:
        return dispatch(sys.argv[1:])
    except ExoError as error:
        print(error.text(), file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more to say, also not while Python closes its streams.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except OSError as error:
        known = refusal(error)
        if known is None:
            raise
        print(known.text(), file=sys.stderr)
        return known.status


if __name__ == "__main__":
    sys.exit(main())
