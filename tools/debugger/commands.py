"""gdb's side of ./exo debug: the command `exo`, which shows what the kernel has. gdb sources this file."""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import environments  # noqa: E402
import frames  # noqa: E402, F401 - registers itself
import kernel  # noqa: E402
import memory  # noqa: E402
import symbols  # noqa: E402
import waiting  # noqa: E402

COMMANDS = {"envs": environments.envs, "env": environments.env, "caps": environments.caps, "pages": memory.pages, "frames": memory.frames,
            "queues": waiting.queues, "gas": waiting.gas, "symbols": symbols.symbols}


class Exo(gdb.Command):
    """Shows what the kernel has. An environment is its number, a server's or program's name, or `pid N`; without one, who runs.
"""

    def __init__(self):
        super().__init__("exo", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)

    def invoke(self, text, _):
        wrong = f"there is no exo {text.split()[0]}" if text.strip() else "say what"
        raise gdb.GdbError(f"{wrong}: " + ", ".join(f"exo {name}" for name in COMMANDS) + " (help exo)")


def first_line(function):
    return " ".join(function.__doc__.split())


def command(name, function):
    class Shown(gdb.Command):
        def __init__(self):
            super().__init__("exo " + name, gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

        def invoke(self, text, _):
            kernel.running()
            try:
                function(text.strip())
            except gdb.MemoryError as error:
                raise gdb.GdbError(f"exo {name}: the kernel is in the middle of a change, or spoiled: {error}") from error

    Shown.__doc__ = first_line(function)
    Shown()


class In(gdb.Function):
    """$_exo_in(WHO): does this processor run WHO, a number or a name? Processes share their addresses, so breakpoints want it:
break main if $_exo_in("ls")"""

    def __init__(self):
        super().__init__("_exo_in")

    def invoke(self, who):
        try:
            kernel.running()
        except kernel.NoKernel:
            return False
        context = kernel.current(kernel.cpu_here())
        if context is None:
            return False
        env = kernel.Env(context["env"].dereference())
        return env.name == who.string() if who.type.strip_typedefs().code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_PTR) else env.id == int(who)


Exo()
In()
for shown, body in COMMANDS.items():
    command(shown, body)

if gdb.convenience_variable("exo_program") is not None:
    try:
        symbols.begin()
    except (ValueError, OSError) as problem:
        print(f"the boot image cannot be read, so there are no symbols of the program: {problem}")
