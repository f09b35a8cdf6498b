"""exo queues, exo gas."""

import gdb

import kernel
from environments import account_name
from kernel import container, each, env_text, listing, rows, struct_at


def name(context):
    return f"{int(context['object']['id'])} of {env_text(context['env'])}"


def objects(kind):
    """All objects of a type that some capability or context knows, by address."""
    number = next(key for key, text in listing("object").items() if text == kind)
    found = {}
    for env in kernel.envs():
        for _, slot in env.slots():
            if int(slot["object"]["type"]) == number and not int(slot["object"]["dead"]):
                found[int(slot["object"])] = slot["object"]
        for context in env.contexts():
            if kind == "endpoint" and int(context["endpoint"]):
                found[int(context["endpoint"])] = context["endpoint"]
            if kind == "slice":
                for member in ("slice", "serves_on"):
                    if int(context[member]):
                        found[int(context[member])] = context[member]
    return sorted(found)


def queues(text):
    """Who runs, who is ready, who sleeps on which word, who stands at which endpoint, and which timers are armed."""
    if text:
        raise gdb.GdbError("exo queues takes nothing")
    for cpu in kernel.cpus():
        context = kernel.current(cpu)
        print(f"cpu {cpu}: " + (f"context {name(context)}" if context is not None else "idle"))
    ready()
    sleepers()
    endpoints()
    timers()


def ready():
    shares = [(f"zone {int(zone['number'])}", zone["share"]) for zone in kernel.zones()]
    shares += [(f"slice {int(struct_at(at, 'slice')['object']['id'])}", struct_at(at, "slice")["share"]) for at in objects("slice")]
    print("ready:")
    for of, share in shares:
        for lane, what in ((0, ""), (1, " (serves)")):
            for context in each(share["ready"][lane], "context", "link"):
                print(f"  {of}{what}: context {name(context)}")


def sleepers():
    print("asleep on words:")
    buckets = kernel.variable("wait_buckets")
    for bucket in range(buckets.type.range()[1] + 1):
        stack = [buckets[bucket]]
        for _ in range(kernel.LIST_MOST):
            if not stack:
                break
            node = stack.pop()
            if not int(node):
                continue
            stack += [node["child"][0], node["child"][1]]
            watched, physical = int(node["physical"]) & 1, int(node["physical"]) & ~1  # waiting.h, WAIT_WATCHED
            word = int.from_bytes(kernel.read(kernel.define("DIRECT_MAP") + physical, 4), "little")
            behind = list(each(node["same"], "wait_node", "same"))
            for one in [node.dereference(), *behind]:
                print(f"  {physical:#x} ({word:#x}): {waiter(int(one.address), watched)}")


def waiter(node, watched):
    """Nodes lie in their contexts, or watches, each of which is a page."""
    if not watched:
        return f"context {name(struct_at(node & -kernel.PAGE, 'context'))}"
    watch = struct_at(node & -kernel.PAGE, "watch")
    place = (node - int(watch["nodes"].address)) // (watch["nodes"].type.target().sizeof * kernel.constant("WATCH_WORDS"))
    return f"watch {int(watch['object']['id'])}, place {place}"


def endpoints():
    print("endpoints:")
    for at in objects("endpoint"):
        endpoint = struct_at(at, "endpoint")
        lines = []
        for first in each(endpoint["callers"], "context", "link"):
            for context in [first, *each(first["peers"], "context", "peers")]:
                lines.append(f"    calls: context {name(context)}")
        lines += [f"    receives: context {name(context)}" for context in each(endpoint["receivers"], "context", "link")]
        lines += [f"    receives, or waits for words: context {name(context)}" for context in each(endpoint["pollers"], "context", "wait_endpoints")]
        lines += [f"    the end of environment {int(env['object']['id'])} is to be told" for env in each(endpoint["deaths"], "env", "death_link")]
        if int(endpoint["notified"]):
            lines.append(f"    notified: {int(endpoint['notified']):#x}")
        if lines:
            print(f"  endpoint {int(endpoint['object']['id'])}:")
            print("\n".join(lines))


KINDS = {"wait": ("context", "wait_timer"), "event": ("context", "event_timer"), "gas": ("gas_account", "timer"), "reserve": ("slice_reservation", "timer")}


def timers():
    print("timers:")
    found = []
    for cpu in kernel.cpus():
        stack = [kernel.of_cpu(cpu, "earliest")]
        for _ in range(kernel.LIST_MOST):
            if not stack:
                break
            node = stack.pop()
            if int(node):
                found.append((int(node["key"]), node))
                stack += [node["child"][0], node["child"][1]]
    for key, node in sorted(found, key=lambda pair: pair[0]):
        timer = struct_at(int(node) - member_offset("timer", "node"), "timer")
        what = kernel.enum_name(int(timer["kind"]), "timer_kind", "TIMER_")
        owner, member = KINDS.get(what, (None, None))
        who = container(timer.address, owner, member) if owner else None
        text = "context " + name(who) if owner == "context" else account_name(who.address) if owner == "gas_account" else ""
        print(f"  {key / 1e9:.6f} s: {what} {text}")


def member_offset(kind, member):
    return next(field.bitpos // 8 for field in gdb.lookup_type("struct " + kind).fields() if field.name == member)


def gas(text):
    """Accounts of gas: what they may still use, how that grows, whom they stopped. A purse is what is paid for and not used yet."""
    if text:
        raise gdb.GdbError("exo gas takes nothing")
    accounts = {}
    for zone in kernel.zones():
        accounts[int(zone["gas"].address)] = zone["gas"]
    users = {}
    for env in kernel.envs():
        at = env.value["gas"]
        if int(at):
            accounts.setdefault(int(at), at.dereference())
            users.setdefault(int(at), []).append(f"{env.id} {env.name}")
    loaded = {int(kernel.of_cpu(cpu, "gas_loaded")): cpu for cpu in kernel.cpus()}
    table = []
    for at, account in accounts.items():
        meter = account["meter"]
        limited = bool(meter["limited"])
        purse = int(kernel.of_cpu(loaded[at], "gas_purse")) if at in loaded else int(account["purse"])
        stopped = [int(context["object"]["id"]) for context in each(account["waiting"], "context", "link")]
        table.append([account_name(account.address), account_name(account["parent"]), int(meter["balance"]) if limited else "no limit",
                      f"{int(meter['rate'])}/s" if int(meter["rate"]) else "", int(meter["paid"]), purse, int(account["stops"]),
                      " ".join(map(str, stopped)), ", ".join(users.get(at, []))])
    rows(["account", "draws on", "balance", "grows", "paid", "purse", "stops", "stopped", "used by"], table)


