"""The bare kernel test (main.c) on both machines and processor models: its TAP comes from the kernel's console."""

import os

from exo.testing import Failed, parse_tap

LIMIT_S = 300
POWER_OFF = 33  # QEMU's status when the guest wrote 0x10 to the debug exit port


def boots(kernel, **machine):
    def body(t):
        status, shown = t.boot(os.path.join(t.built, kernel), os.path.join(t.built, "tests", "bare.img"), timeout=LIMIT_S, **machine)
        lines = shown.splitlines()
        plan = next((index for index, line in enumerate(lines) if line.startswith("1..")), None)
        if plan is None:
            raise Failed(f"no plan; QEMU's status {status}, the console showed\n{shown}")
        notes = [line for line in lines[plan:] if line.startswith("#")]
        try:
            results = parse_tap("\n".join(lines[plan:]))
        except ValueError as problem:
            raise Failed(f"{problem}; QEMU's status {status}, the console showed\n{shown}") from problem
        results = [(name, state, "\n".join(notes)) for name, state, _ in results]
        t.check(status == POWER_OFF or any(state == "fail" for _, state, _ in results), f"QEMU's status {status}\n{shown}")
        return results
    return body


def cases(test):
    yield "microvm-max", boots("kernel.elf"), LIMIT_S + 30
    yield "microvm-qemu64", boots("kernel.elf", cpu="qemu64"), LIMIT_S + 30
    # Instructions instead of time, four nanoseconds each: how much work a share of the processor is can be counted.
    # Always one processor: with -icount QEMU runs several in turns, each so long that no promise about time can be kept.
    yield "microvm-counted", boots("kernel.elf", smp=1, append="counted", extra=["-icount", "shift=2"]), LIMIT_S + 30
    for smp in (2, 4):
        yield f"microvm-smp{smp}", boots("kernel.elf", smp=smp, append="" if test.long or smp == 2 else "only=processors"), LIMIT_S + 30
    for cpu in ("max", "qemu64"):  # room for a page of 1 GiB, which qemu64 has not
        yield f"microvm-3G-{cpu}", boots("kernel.elf", cpu=cpu, memory="3G", append="" if test.long else "only=page"), LIMIT_S + 30
    yield "q35-max", boots("kernel.elf", machine="q35"), LIMIT_S + 30
    # What depends on how much memory there is, and how the kernel was loaded; the rest is as above.
    yield "q35-32M", boots("kernel.elf", machine="q35", memory="32M", append="" if test.long else "only=memory"), LIMIT_S + 30
    yield "q35-multiboot", boots("kernel-multiboot.bin", machine="q35", cpu="qemu64", append="" if test.long else "only=page"), LIMIT_S + 30
