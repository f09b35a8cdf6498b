"""The bound of the kernel's stack (tools/exo/stack.py), on small programs whose bounds are known."""

import os

from exo import stack
from exo.errors import ExoError

ENTRY = "asm(\".section .text.entry,\\\"ax\\\"; .globl _start; _start: call one; hlt; .previous\");"
HOLD = "#define HOLD(n) volatile char held[n]; held[0] = held[(n) - 1] = 1;\n"


def bounds(t, name, text):
    """{entry: (bytes, chain)} of a program, its entry code before all functions."""
    source, program, script = (os.path.join(t.folder, name + end) for end in (".c", "", ".ld"))
    with open(source, "w") as file:
        file.write(HOLD + text + ENTRY)
    with open(script, "w") as file:
        file.write("SECTIONS { . = 0x100000; "
                   ".text : { *(.text.entry) *(.text) kernel_entry_more = .; *(.text.more) kernel_entry_more_end = .; *(.text*) } "
                   ".rodata : { *(.rodata*) } .data : { *(.data*) } }")
    result = t.command("gcc", "-O1", "-fno-pie", "-no-pie", "-nostdlib", "-static", "-fcf-protection=none", "-fno-stack-protector", "-mno-red-zone",
                       "-fno-asynchronous-unwind-tables", "-fno-inline", "-fno-optimize-sibling-calls", "-Wl,--build-id=none", "-T", script,
                       "-o", program, source)
    t.equal(result.status, 0, result.stderr.decode())
    return {entry: (deepest, chain) for entry, deepest, chain in stack.bounds(program)}


def refused(t, name, text, *words):
    try:
        found = bounds(t, name, text)
    except ExoError as error:
        t.check(all(word in error.text() for word in words), error.text())
    else:
        t.check(False, f"a bound where there is none: {found}")


def deepest_call_counts(t):
    text = "void three(void) { HOLD(1000) } void two(void) { HOLD(100) three(); } void four(void) { HOLD(1200) }"
    deepest, chain = bounds(t, "calls", text + "void one(void) { two(); { HOLD(16) } four(); }")["one"]
    t.check(1200 < deepest < 1300, deepest)
    t.equal(list(chain), ["one", "four"], "chain")
    deepest, chain = bounds(t, "deeper", text + "void one(void) { HOLD(500) two(); }")["one"]
    t.check(1600 < deepest < 1720, deepest)
    t.equal(list(chain), ["one", "two", "three"], "chain")


def tables_are_followed(t):
    text = ("void a(void) { HOLD(300) } void b(void) { HOLD(3000) } void c(void) { HOLD(9000) }"
            "struct operations { long number; void (*first)(void), (*second)(void); };"
            "const struct operations table = {1, a, b}; const struct operations *volatile chosen = &table; void (*const all[40])(void) = {a, b, c};"
            "void (*volatile kept)(void);")
    deepest, _ = bounds(t, "first", text + "void one(void) { chosen->first(); }")["one"]
    t.check(300 < deepest < 500, f"the first operation: {deepest}")
    deepest, _ = bounds(t, "second", text + "void one(void) { chosen->second(); }")["one"]
    t.check(3000 < deepest < 3200, f"the second: {deepest}")
    deepest, _ = bounds(t, "array", text + "volatile unsigned long i; void one(void) { all[i](); }")["one"]
    t.check(9000 < deepest < 9200, f"any of an array: {deepest}")
    deepest, _ = bounds(t, "handed", text + "void call(void (*what)(void)) { what(); } void one(void) { call(a); call(b); }")["one"]
    t.check(3000 < deepest < 3300, f"what is handed over: {deepest}")


def entries_in_two_places(t):
    more = "asm(\".section .text.more,\\\"ax\\\"; more: call two; hlt; .previous\");"
    boot = "asm(\".section .text.start,\\\"ax\\\"; boot: call three; hlt; .previous\");"  # has another stack
    found = bounds(t, "more", "void three(void) { HOLD(1000) } void two(void) { HOLD(200) } void one(void) { HOLD(100) }" + more + boot)
    t.equal(sorted(found), ["one", "two"], "entries")


def circles_have_no_bound(t):
    refused(t, "self", "volatile int n; void one(void) { HOLD(10) if (n) one(); }", "no bound", "one calls one")
    text = "volatile int n; void one(void); void two(void) { HOLD(10) one(); } void one(void) { HOLD(10) if (n) two(); }"
    refused(t, "circle", text, "one calls two calls one")


def known_circles_are_counted(t):
    text = "volatile int n; void clear_level(void) { HOLD(1000) if (n) clear_level(); } void one(void) { clear_level(); }"
    deepest, _ = bounds(t, "levels", text)["one"]
    t.check(4000 < deepest < 4300, f"four levels of a thousand: {deepest}")


def switches_are_no_calls(t):
    cases = " ".join(f"case {number}: n = {number * 7 % 5}; two(); break;" for number in range(12))
    deepest, _ = bounds(t, "switch", "volatile int n; void two(void) { HOLD(200) } void one(void) { HOLD(100) switch (n) { " + cases + " } }")["one"]
    t.check(300 < deepest < 450, deepest)


def switches_end_where_others_begin(t):
    """Tables lie side by side: one does not lead into the function of the next."""
    few = " ".join(f"case {number}: n = {number * 7 % 5}; two(); break;" for number in range(12))
    deep = " ".join(f"case {number}: n = {number * 5 % 7}; three(); break;" for number in range(12))
    text = ("volatile int n; void two(void) { HOLD(200) } void three(void) { HOLD(5000) } void one(void) { HOLD(100) switch (n) { " + few + " } }"
            "void other(void) { HOLD(100) switch (n) { " + deep + " } }")
    deepest, _ = bounds(t, "side-by-side", text)["one"]
    t.check(300 < deepest < 450, deepest)


def misuse(t):
    for words in (["size", "word"], ["size", "--chains"], ["size", "--symbols", "-1"], ["size", "--symbols=many"]):
        t.equal(t.exo(*words, timeout=60).status, 2, " ".join(words))


def cases(_):
    for case in (deepest_call_counts, tables_are_followed, entries_in_two_places, circles_have_no_bound, known_circles_are_counted,
                 switches_are_no_calls, switches_end_where_others_begin, misuse):
        yield case.__name__.replace("_", "-"), case
