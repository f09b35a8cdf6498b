"""exo envs, exo env, exo caps."""

import gdb

import kernel
from kernel import enum_name, env_text, find_env, labels, listing, place, rights_text, rows, state_name


def envs(_):
    """Every environment: who it is, its zone, contexts, memory, capabilities and gas."""
    table = []
    for env in kernel.envs():
        states = {}
        for context in env.contexts():
            states[state_name(context)] = states.get(state_name(context), 0) + 1
        zone = env.value["zone"]
        table.append([env.id, env.name, "" if env.pid is None else env.pid, int(zone["number"]), label_name(env.value["object"]["label"]),
                      " ".join(f"{count} {state}" for state, count in sorted(states.items())) or ("ended" if int(env.value["ended"]) else "none"),
                      int(env.value["mapped"]), int(env.value["tables"]), int(env.value["slots_used"]), account_name(env.value["gas"])])
    rows(["env", "name", "pid", "zone", "label", "contexts", "pages", "tables", "caps", "gas of"], table)


def label_name(number):
    names = labels()
    return names[int(number)] if int(number) < len(names) else f"?{int(number)}"


def account_name(pointer):
    """Whose an account of gas is."""
    if not int(pointer):
        return "-"
    owner = pointer["owner"]
    if not int(owner):
        return "nobody"
    kind = listing("object").get(int(owner["type"]), "?")
    if kind == "zone":
        return f"zone {int(kernel.struct_at(owner, 'zone')['number'])}"
    return f"{kind} {int(owner['id'])}"


def env(text):
    """env [N | NAME | pid N]: one environment with each of its contexts. Without a name: the one that runs."""
    one = find_env(text)
    value = one.value
    print(f"environment {one.id}: {one.name}" + ("" if one.pid is None else f", process {one.pid} ({one.process['exe'].string(errors='replace')})"))
    print(f"  zone {int(value['zone']['number'])}, label {label_name(value['object']['label'])}, gas of {account_name(value['gas'])}")
    print(f"  {int(value['mapped'])} pages, {int(value['tables'])} tables, root at {one.root:#x}; {int(value['slots_used'])} capabilities; "
          f"{int(value['calls'])} calls, {int(value['faults'])} faults")
    if int(value["death"]):
        print(f"  endpoint {int(value['death']['object']['id'])} is told of its end")
    if int(value["ledger"]["wanted"]):
        print(f"  asked for {int(value['ledger']['wanted'])} pages")
    table = []
    for context in one.contexts():
        at = kernel.where(context)
        table.append([int(context["object"]["id"]), state_name(context), waits_for(context), f"{at:#x}", place(at)])
    rows(["context", "state", "for", "at", ""], table)


def waits_for(context):
    """What a context that does not run waits for, in words."""
    state = enum_name(int(context["state"]), "context_state", "CTX_")
    said = []
    if state in ("call", "receive"):
        said.append(f"endpoint {int(context['endpoint']['object']['id'])}")
    elif state == "reply" and int(context["server"]):
        said.append("an answer of " + env_text(context["server"]["env"]))
    elif state == "wait":
        count = int(context["wait_count"])
        said += [f"word {int(context['nodes'][i]['physical']):#x}" for i in range(min(count, 64)) if int(context["nodes"][i]["physical"])]
        if int(context["endpoint"]):
            said.append(f"endpoint {int(context['endpoint']['object']['id'])}")
    if int(context["client"]):
        said.append("serves " + env_text(context["client"]["env"]))
    return ", ".join(said)


# ---- capabilities --------------------------------------------------------------------------------------------------------------------

def handle(slot):
    return int(slot["key"]) & 0xffffffffffff


def object_text(pointer):
    """`frame 31 (16 pages at 0x1234000)`."""
    kind = listing("object").get(int(pointer["type"]), f"type {int(pointer['type'])}")
    text = f"{kind} {int(pointer['id'])}"
    if int(pointer["dead"]):
        return text + " (destroyed)"
    if kind == "frame":
        block = kernel.struct_at(pointer, "block")
        text += f" ({int(block['pages'])} pages at {int(block['physical']):#x}{', a device' if int(block['device']) else ''})"
    elif kind == "env":
        text += f" ({kernel.Env(kernel.struct_at(pointer, 'env')).name})"
    elif kind == "ctx":
        text += f" (of {env_text(kernel.struct_at(pointer, 'context')['env'])})"
    elif kind == "zone":
        text += f" (number {int(kernel.struct_at(pointer, 'zone')['number'])})"
    elif kind == "tally":
        text += f" (counts {int(kernel.struct_at(pointer, 'tally')['count'])})"
    elif kind == "watch":
        text += f" (rang {int(kernel.struct_at(pointer, 'watch')['count'])} times)"
    return text


def node_slot(node):
    """The capability of a node of the derivation forest, or None: it is gone."""
    if not int(node["env"]):
        return None
    one, wanted = kernel.Env(node["env"].dereference()), int(node["index"])
    return next((slot for index, slot in one.slots() if index == wanted), None)


def node_text(node):
    if not int(node["env"]):
        return "(gone)"
    return f"{env_text(node['env'])} slot {int(node['index'])}"


def children(node):
    at = node["children"]
    for _ in range(kernel.LIST_MOST):
        if not int(at):
            return
        yield at.dereference()
        at = at["next"]


def caps(text):
    """caps [N | NAME | pid N] [slot SLOT]: its capabilities, and of one SLOT all that it derives from, and what derives from it."""
    who, _, slot = text.partition("slot")
    one = find_env(who)
    if slot or text.rstrip().endswith("slot"):
        return tree(one, slot.strip())
    table = []
    for index, entry in one.slots():
        node = entry["node"].dereference()
        table.append([index, f"{handle(entry):#x}", object_text(entry["object"]), rights_text(int(entry["rights"])),
                      f"{int(node['badge']):#x}" if int(node["badge"]) else "", node_text(node["parent"]) if int(node["parent"]) else "",
                      sum(1 for _ in children(node)) or ""])
    rows(["slot", "handle", "object", "rights", "badge", "derived from", "children"], table)


def tree(one, slot):
    if not slot.isdigit():
        raise gdb.GdbError("a slot is a number: exo caps " + f"{one.id} slot 1")
    entry = dict(one.slots()).get(int(slot))
    if entry is None:
        raise gdb.GdbError(f"slot {slot} of environment {one.id} is empty")
    top, above = entry["node"].dereference(), []
    for _ in range(256):  # at most 255 derivations deep
        above.append(int(top.address))
        if not int(top["parent"]):
            break
        top = top["parent"].dereference()
    print(object_text(entry["object"]))
    show(top, 0, int(entry["node"]), set(above), [LINES_MOST])


LINES_MOST = 1000


def show(node, depth, chosen, path, left):
    """The forest's part: everything above the chosen node, and all below it; of others beside it, how many there are."""
    if left[0] == 0:
        return
    left[0] -= 1
    entry = node_slot(node)
    mark = "* " if int(node.address) == chosen else "  "
    rights = rights_text(int(entry["rights"])) if entry is not None else ""
    badge = f"  badge {int(node['badge']):#x}" if int(node["badge"]) else ""
    print(f"{mark}{'  ' * depth}{node_text(node)}  {object_text(entry['object']) if entry is not None else ''}  {rights}{badge}"
          f"{'  being revoked' if int(node['revoking']) else ''}")
    below = list(children(node))
    inside = depth >= len(path) - 1
    shown = [child for child in below if inside or int(child.address) in path]
    for child in shown:
        show(child, depth + 1, chosen, path, left)
    if len(shown) < len(below):
        print(f"  {'  ' * (depth + 1)}and {len(below) - len(shown)} more")
    if left[0] == 0 and depth == 0:
        print(f"cut off after {LINES_MOST} lines")


