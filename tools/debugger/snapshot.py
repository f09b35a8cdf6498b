"""What ./exo inspect takes from a guest: everything that the kernel has, at the moment when most environments live. gdb sources this file.

A look is taken when an environment is about to end, so nothing depends on time: the more there are, the later one is ended the first time.
"""

import json
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import environments  # noqa: E402
import kernel  # noqa: E402
from kernel import PAGE, define, listing  # noqa: E402

LOOKS_MOST = 24
NOBODY, FREE, KERNEL, UNMAPPED, SHARED, FIRST_ENV = range(6)  # owners of frames; from FIRST_ENV on environments, in their order


def envs(found):
    for one in found:
        states = {}
        for context in one.contexts():
            states[kernel.state_name(context)] = states.get(kernel.state_name(context), 0) + 1
        yield {"id": one.id, "name": one.name, "pid": one.pid, "zone": int(one.value["zone"]["object"]["id"]), "states": states,
               "label": environments.label_name(one.value["object"]["label"]), "pages": int(one.value["mapped"]), "tables": int(one.value["tables"]),
               "calls": int(one.value["calls"]), "faults": int(one.value["faults"]), "gas": environments.account_name(one.value["gas"])}


def zones():
    for zone in kernel.zones():
        parent = int(zone["parent"])
        yield {"id": int(zone["object"]["id"]), "number": int(zone["number"]), "parent": int(zone["parent"]["object"]["id"]) if parent else 0,
               "label": environments.label_name(zone["object"]["label"]), "frames": int(zone["used"]),
               "weight": int(zone["part"]["weight"])}


def capabilities(found):
    """Who holds what: the object, and, where it is or leads to an environment, which."""
    kinds = listing("object")
    for one in found:
        for index, slot in one.slots():
            pointer = slot["object"]
            kind = kinds.get(int(pointer["type"]), "?")
            target = 0
            if kind == "env":
                target = int(pointer["id"])
            elif kind == "ctx":
                target = int(kernel.struct_at(pointer, "context")["env"]["object"]["id"])
            node = slot["node"].dereference()
            parent = node["parent"]
            yield {"env": one.id, "slot": index, "kind": kind, "object": int(pointer["id"]), "to": target, "rights": kernel.rights_text(int(slot["rights"])),
                   "badge": int(node["badge"]), "node": int(node.address), "parent": int(parent) if int(parent) else 0}


def frames(found):
    """[[owner, count], ...] from the first frame on."""
    end, size = int(kernel.variable("frames_end")), gdb.lookup_type("struct frame").sizeof
    data = kernel.read(int(kernel.variable("frames")), end * size)
    offset = {field.name: field.bitpos // 8 for field in gdb.lookup_type("struct frame").fields()}
    state = {field.name: field.enumval for field in gdb.lookup_type("enum frame_state").fields()}
    owners = bytearray(end)
    for number in range(end):
        at = number * size
        said = data[at + offset["state"]]
        used = any(data[at + offset["references"]:at + offset["references"] + 4])
        owners[number] = (NOBODY if said == state["FRAME_RESERVED"] else KERNEL if said == state["FRAME_KERNEL"]
                          else UNMAPPED if said == state["FRAME_USED"] and used else FREE)
    for place, one in enumerate(found):
        own = min(FIRST_ENV + place, 255)
        for _, level, word in one.mapped():
            if not word & define("PTE_PRESENT"):
                continue
            first = (word & define("PTE_ADDRESS")) // (PAGE << 9 * level) * (1 << 9 * level)
            for number in range(first, min(first + (1 << 9 * level), end)):
                owners[number] = own if owners[number] in (UNMAPPED, own) else owners[number] if owners[number] in (NOBODY, KERNEL) else SHARED
    runs = []
    for owner in owners:
        if runs and runs[-1][0] == owner:
            runs[-1][1] += 1
        else:
            runs.append([owner, 1])
    return runs


def receivers():
    """{endpoint: environment that waits there, or has a right to}: what a capability to call leads to."""
    receive = 1 << next(bit for bit, name in listing("right").items() if name == "RECV")
    found = {}
    for one in kernel.envs():
        for _, slot in one.slots():
            if listing("object").get(int(slot["object"]["type"])) == "endpoint" and int(slot["rights"]) & receive:
                found[int(slot["object"]["id"])] = one.id
    return found


def take():
    found = list(kernel.envs())
    return {"envs": list(envs(found)), "zones": list(zones()), "capabilities": list(capabilities(found)), "receivers": receivers(), "frames": frames(found),
            "cpus": len(kernel.cpus())}


def look(best):
    """A better one, or `best`."""
    try:
        kernel.running()
        count = sum(1 for _ in kernel.envs())
        return take() if best is None or count > len(best["envs"]) else best
    except (gdb.GdbError, gdb.MemoryError):
        return best  # in the middle of a change


def main():
    best, looks = None, 0
    gdb.execute("break env_end", to_string=True)
    while looks < LOOKS_MOST:
        try:
            gdb.execute("continue", to_string=True)
        except gdb.error:
            break
        if not gdb.selected_inferior().threads():
            break
        before = best
        best = look(best)
        looks += best is not before
    with open(os.path.join(gdb.convenience_variable("exo_left").string(), "snapshot.json"), "w") as file:
        json.dump(best, file)
    if gdb.selected_inferior().threads():
        gdb.execute("detach", to_string=True)


main()
