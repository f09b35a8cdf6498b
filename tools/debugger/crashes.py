"""./exo run --backtrace: this gdb goes along with a guest, stops where something crashes, and prints the way there."""

import gdb
import kernel

FRAMES = 64
NOBODY = "before anybody runs"


class Crash(gdb.Breakpoint):
    """At the first instruction of a function that nobody calls who is well."""

    def __init__(self, function, describe):
        address = gdb.parse_and_eval(f"(unsigned long)&{function}")
        super().__init__(f"*{int(address):#x}", type=gdb.BP_HARDWARE_BREAKPOINT, internal=True)
        self.describe = describe

    def stop(self):
        return self.describe() is not None


def register(name):
    return int(gdb.selected_frame().read_register(name)) & (1 << 64) - 1


def who():
    """The environment that runs, in words."""
    try:
        kernel.running()
        env = kernel.find_env("")
    except (gdb.error, gdb.GdbError):
        return NOBODY
    return f"process {env.pid} ({env.name})" if env.pid is not None else f"environment {env.id} ({env.name})"


def in_kernel():
    return f"the kernel panics, {who()}"


def in_environment():
    """Only a fault that nobody handles: servers have no upcalls."""
    reason, address, at = register("rsi"), register("rdx"), register("rcx")
    if reason & 0xff != kernel.constant("REASON_FAULT"):
        return None
    return f"{who()} ends by exception {reason >> 8} at {at:#x}, address {address:#x}"


def in_libos():
    return f"fault inside the libOS of {who()}"


def in_program():
    signal = int(kernel.struct_at(register("rdi"), "px_siginfo")["signo"])
    return f"{who()} is ended by signal {signal}"


def report(what):
    print(f"==backtrace\nexo: backtrace: {what}")
    if NOBODY not in what:
        try:
            gdb.execute("exo symbols", to_string=True)
        except gdb.error as error:
            print(f"exo: without the program's symbols: {error}")
    gdb.execute(f"bt {FRAMES}")
    print("==end", flush=True)


def watch():
    """Until the guest is gone."""
    points = [Crash("panic", in_kernel), Crash("env_end", in_environment), Crash("px_core_dump", in_program), Crash("px_fatal", in_libos)]
    while True:
        try:
            gdb.execute("continue", to_string=True)
        except gdb.error:
            return
        if not gdb.selected_inferior().threads():
            return
        pc = gdb.newest_frame().pc()
        for point in points:
            if point.location == f"*{pc:#x}":
                report(point.describe())
