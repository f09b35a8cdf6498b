/* What each kernel call may answer, and what it changes. A function judges one call (or several alike) after the kernel made it. */
#include "model_calls.h"

#include <string.h>

#define NUMBER(NAME) (EXO_CALL_##NAME - EXO_CALL_BASE)

/* A struct that the call had to write to the caller's memory: false and judged if it could not. */
bool output(struct step *s, uint64_t va, uint64_t bytes)
{
    MUST(s, !m_wrote(s, s->env, va, bytes), FAULT);
    return !m_refused(s);
}

/* ---- capabilities ---- */

/* Memory may be short before a slot whose object is gone is emptied for something else, or after that. */
static bool was_emptied(const struct m_object *env, const struct m_cap *cap)
{
    struct capability *slot;

    return cap_resolve((struct env *)env->kernel, m_handle(env, cap), CAP_ANY, 0, &slot) == -EXO_E_STALE;
}

/* The slot that is asked for must be usable; what it named, and is gone, goes. */
static void check_slot(struct step *s, struct m_object *env, uint64_t index)
{
    struct m_cap *slot = &env->slots[index & 0xffff];

    MUST(s, env->ended, PEER);
    MUST(s, index >= ANY_SLOT_END, INVAL);
    MAY(s, m_tight(s, env->charged, 3), NOMEM);
    if (s->must || index == 0)
        return;
    if (slot->object && slot->object->dead && (s->result != -EXO_E_NOMEM || was_emptied(env, slot)))
        m_clear(env, (uint32_t)index);
    if (s->result == -EXO_E_NOMEM)
        return;
    MUST(s, slot->object || slot->generation == UINT32_MAX, EXISTS);
}

static bool has_badge(unsigned type)
{
    return type == EXO_TYPE_ENDPOINT || type == EXO_TYPE_SERVICE || type == EXO_TYPE_DISK || type == EXO_TYPE_NETWORK;
}

static void cap_derive_call(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    struct m_cap *source = s->caps[2];
    uint64_t index = s->a[1], badge = s->a[4], has = source->node->badge;
    struct m_make make = m_derive(source, s->a[3], badge ? badge : has, s->a[5]);

    MUST(s, badge != 0 && (!has_badge(source->object->type) || !(source->rights & EXO_RIGHT_MINT) || has != 0 || badge == EXO_BADGE_KERNEL), INVAL);
    MUST(s, !m_may_derive(source->node), LIMIT);
    MAY(s, m_depth(source->node) >= 255, LIMIT);
    check_slot(s, env, index);
    if (m_refused(s))
        return;
    REQUIRE(index == 0 || (uint64_t)(s->result & 0xffff) == index, "cap_derive answered %lx for slot %lu", s->result, index);
    m_inserted(env, (uint64_t)s->result, &make);
}

static void cap_move(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t index = s->a[1];
    struct m_cap *source;

    s->must |= m_resolve(s->env, s->a[2], CAP_ANY, env == s->env ? 0 : EXO_RIGHT_COPY, &source);
    check_slot(s, env, index);
    if (m_refused(s))
        return;
    REQUIRE(index == 0 || (uint64_t)(s->result & 0xffff) == index, "cap_move answered %lx for slot %lu", s->result, index);
    m_move(s->env, source, env, (uint64_t)s->result);
}

/* Do capabilities to frame blocks derive from it? */
static bool has_frames(const struct m_node *root)
{
    for (unsigned i = 0; i < m_nodes.count && root; i++) {
        const struct m_node *node = m_nodes.at[i];

        if (node != root && node->env && m_descends(node, root) && node->env->slots[node->index].object->type == EXO_TYPE_FRAME)
            return true;
    }
    return false;
}

/* What derives from the capability is gone; with AGAIN a part of it. */
static void cap_revoke(struct step *s)
{
    struct m_node *root;
    struct m_cap *cap;
    unsigned below = 0;
    bool goes_on, others = m_recalling();

    s->must |= m_resolve(s->env, s->a[0], CAP_ANY, 0, &cap);
    root = cap ? cap->node : NULL;
    for (unsigned i = 0; i < m_nodes.count && root; i++)
        below += m_descends(m_nodes.at[i], root);
    goes_on = root && root->revoking;
    if (root && !goes_on && cap->object->type == EXO_TYPE_FRAME)
        cap->object->recalled = true;
    MAY(s, below > 100 || m_recalling() || has_frames(root), AGAIN);
    root ? root->revoking = m_refused(s) : (void)m_refused(s);
    for (unsigned i = 0; i < m_nodes.count && root; i++) {
        struct m_node *node = m_nodes.at[i];
        struct capability *slot;

        if (node == root || !node->env || !m_descends(node, root))
            continue;
        if (s->result < 0 && cap_resolve((struct env *)node->env->kernel, m_handle(node->env, &node->env->slots[node->index]), CAP_ANY, 0, &slot) !=
                                 -EXO_E_STALE)
            continue;
        m_taken(node->env);
        if (node->env->slots[node->index].object->type == EXO_TYPE_FRAME)
            node->env->slots[node->index].object->recalled = true;
        m_clear(node->env, node->index);
        i = UINT32_MAX; /* other nodes may have gone with it */
    }
    if (s->result == 0 && !goes_on && !others)
        m_recalled_check();
}

static void cap_list(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    uint64_t count = s->a[3], room, found = 0;
    struct exo_cap_entry said;

    MUST(s, count == 0 || count > 64, INVAL);
    if (s->must) {
        m_refused(s);
        return;
    }
    room = count;
    for (uint64_t index = s->a[1]; index < env->slots_end && index - s->a[1] < EXO_LIST_SEARCH && found < room; index++)
        found += env->slots[index].object != NULL;
    MUST(s, found > 0 && !m_wrote_each(s, s->env, s->a[2], sizeof(said), found), FAULT);
    MUST(s, found == 0 && s->a[1] < env->slots_end && env->slots_end - s->a[1] > EXO_LIST_SEARCH, AGAIN);
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == found, "cap_list answered %ld, expected %lu", s->result, found);
    for (uint64_t i = 0; i < found && m_read(s->env, &said, s->a[2] + i * sizeof(said), sizeof(said)); i++) {
        const struct m_cap *cap = &env->slots[said.handle & 0xffff];

        REQUIRE(cap->object && said.handle == m_handle(env, cap) && said.rights == cap->rights && said.type == cap->object->type &&
                said.badge == cap->node->badge && said.expires_ns == cap->node->expires_ns && !said.parent == !cap->node->parent,
                "cap_list says handle %lx type %u", said.handle, said.type);
    }
}

static void cap_delete(struct step *s)
{
    struct m_cap *cap = &s->env->slots[s->a[0] & 0xffff], *found;

    if (cap->object && cap->generation == s->a[0] >> 16)
        s->must = 0; /* dead and expired ones, too */
    else
        s->must |= m_resolve(s->env, s->a[0], CAP_ANY, 0, &found);
    if (!m_refused(s))
        m_clear(s->env, s->a[0] & 0xffff);
}

static void cap_info(struct step *s)
{
    struct exo_cap_info said;
    struct m_cap *cap;

    s->must |= m_resolve(s->env, s->a[0], CAP_ANY, 0, &cap);
    if (s->must) {
        m_refused(s);
        return;
    }
    if (!output(s, s->a[1], sizeof(said)) || !m_read(s->env, &said, s->a[1], sizeof(said)))
        return;
    REQUIRE(said.type == cap->object->type && said.rights == cap->rights && said.badge == cap->node->badge &&
            (said.references == cap->object->references || (said.references > cap->object->references && m_is_kept(cap->object))) &&
            said.object == cap->object->kernel->id,
            "cap_info says type %u references %u rights %lx badge %lx", said.type, said.references, said.rights, said.badge);
}

static void clone_slots(struct step *s)
{
    struct m_object *env = s->caps[0]->object, *self = s->env;
    uint64_t first = s->a[1], count = s->a[2], most;

    if (first == 0 || first >= ANY_SLOT_END || first >= self->slots_end)
        count = 0;
    else if (count > self->slots_end - first)
        count = self->slots_end - first;
    most = count < 512 ? count : 512;
    MUST(s, env->ended, PEER);
    MAY(s, m_tight(s, env->charged, most + 4), NOMEM);
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result <= most, "env_clone_slots did %ld of %lu", s->result, count);
    REQUIRE((uint64_t)s->result == most || s->may, "env_clone_slots stopped at %ld of %lu", s->result, count);
    for (uint64_t index = first; index < first + (uint64_t)s->result; index++) {
        struct m_cap *source = &self->slots[index], *slot = &env->slots[index];

        if (!source->object || source->object->dead || !(source->rights & EXO_RIGHT_COPY) || slot->object ||
            slot->generation > source->generation || !m_may_derive(source->node) || m_depth(source->node) >= 255)
            continue;
        slot->generation = source->generation;
        m_fill(env, (uint32_t)index, &(struct m_make){source->object, source->node->parent ? source->node->parent : source->node, source->rights,
                                                      source->node->badge, source->node->expires_ns});
    }
}

/* ---- environments ---- */

static void env_create(struct step *s)
{
    struct m_object *zone = s->caps[0]->object, *env;
    struct m_cap *death = NULL;

    if (s->a[1])
        s->must |= m_resolve(s->env, s->a[1], EXO_TYPE_ENDPOINT, EXO_RIGHT_RECV, &death);
    MUST(s, death && !m_label_may(s, death->object, EXO_RULE_READ), DENIED);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, zone, 3) || m_tight(s, s->env->charged, 3), NOMEM);
    if (m_refused(s))
        return;
    env = m_new(EXO_TYPE_ENV, m_kernel_object(s->env, (uint64_t)s->result), zone);
    env->charged = zone;
    m_hold(zone);
    m_gas_join(env, s->caller);
    if (death) {
        env->death = death->object;
        env->cookie = s->a[2];
        m_hold(env->death);
    }
    m_created_below(s, s->caps[0], env, EXO_RIGHTS_ALL);
}

static void env_destroy(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    bool large = env->page_count > 800 || env->slots_end > 256;

    m_hold(env);
    m_env_end(env, EXO_REASON_DESTROYED | s->a[1] << 8, 0, 0);
    if (env != s->env) {
        MAY(s, large, AGAIN);
        if (m_refused(s)) {
            m_env_taken_apart(env);
        } else {
            m_env_clear(env);
            env->dead = true;
        }
    }
    m_drop(env);
}

static void env_info(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    struct exo_env_info said;
    unsigned ready = 0;

    if (!output(s, s->a[1], sizeof(said)) || !m_read(s->env, &said, s->a[1], sizeof(said)))
        return;
    for (unsigned i = 0; i < env->contexts.count; i++)
        ready += list_object(&env->contexts, i)->state == CTX_READY;
    REQUIRE(said.id == env->kernel->id && said.mapped == env->page_count && said.slots == env->slots_used && said.contexts == env->contexts.count &&
            said.ready == ready, "env_info says %lu mapped, %u slots, %u contexts, %lu ready, and %u are", said.mapped, said.slots, said.contexts,
            said.ready, ready);
}

/* ---- contexts ---- */

static bool state_valid(const struct exo_ctx_state *state)
{
    return state->regs.rip < EXO_USER_TOP && state->tls < EXO_USER_TOP && state->syscall_entry < EXO_USER_TOP && state->upcall_entry < EXO_USER_TOP;
}

static void ctx_create(struct step *s)
{
    struct m_object *env = s->caps[0]->object, *context;
    struct context *kernel;

    MUST(s, s->a[1] % PAGE, ALIGN);
    MUST(s, s->a[1] == 0 || s->a[1] >= EXO_USER_TOP, RANGE);
    MUST(s, !s->input_valid, FAULT);
    MUST(s, s->input_valid && !state_valid(&s->state), RANGE);
    MUST(s, env->ended, PEER);
    MUST(s, m_page(env, s->a[1]), EXISTS);
    MUST(s, env->contexts.count >= CONTEXTS_MAX, LIMIT);
    m_check_below(s, s->caps[0]);
    MAY(s, m_tight(s, env->charged, 6) || m_tight(s, s->env->charged, 3), NOMEM);
    if (m_refused(s))
        return;
    kernel = (struct context *)m_kernel_object(s->env, (uint64_t)s->result);
    context = m_new(EXO_TYPE_CTX, &kernel->object, env->charged);
    context->env = env;
    context->upage_va = s->a[1];
    context->upage_physical = pte_physical(kernel_pte(env, s->a[1]));
    context->state = CTX_STOPPED;
    REQUIRE(kernel->upage == direct(context->upage_physical), "a context page lies elsewhere than it is mapped");
    m_frame_new(context->upage_physical, false);
    m_frame_hold(context->upage_physical);
    m_map(env, (struct m_page){.va = s->a[1], .physical = context->upage_physical, .want = true, .user = true});
    m_hold(env);
    list_push(&env->contexts, context);
    m_hold(context);
    m_created_below(s, s->caps[0], context, EXO_RIGHTS_ALL);
}

static void ctx_start(struct step *s)
{
    struct m_object *context = s->caps[0]->object;

    if (!m_refused(s) && context->state == CTX_STOPPED)
        context->state = CTX_READY;
}

static void ctx_stop(struct step *s)
{
    struct m_object *context = s->caps[0]->object;

    if (context != s->caller && m_refused(s))
        return;
    if (context->state == CTX_WAIT || context->state == CTX_RECEIVE) {
        m_finish(context, -EXO_E_EVENT);
    } else if (context->state == CTX_CALL || context->state == CTX_REPLY) {
        m_forget(context);
        m_ready(context, -EXO_E_EVENT);
    }
    context->state = CTX_STOPPED;
}

static void ctx_read(struct step *s)
{
    struct m_object *context = s->caps[0]->object;
    const struct context *kernel = (const struct context *)context->kernel;
    struct exo_ctx_state said;

    MUST(s, context->state != CTX_STOPPED, BUSY);
    if (s->must)
        m_refused(s);
    else if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(memcmp(&said.regs, &kernel->arch.regs, sizeof(said.regs)) == 0, "ctx_read gave other registers");
}

static void ctx_write(struct step *s)
{
    struct m_object *context = s->caps[0]->object;

    MUST(s, context->state != CTX_STOPPED, BUSY);
    MUST(s, !s->input_valid, FAULT);
    MUST(s, s->input_valid && !state_valid(&s->state), RANGE);
    if (m_refused(s))
        return;
    REQUIRE(memcmp(&s->state.regs, &((struct context *)context->kernel)->arch.regs, sizeof(s->state.regs)) == 0, "ctx_write set other registers");
    context->woken = false; /* its registers are what was written */
}

static void ctx_post(struct step *s)
{
    if (!m_refused(s))
        m_post(s->caps[0]->object, s->a[1]);
}

static void ctx_time(struct step *s)
{
    const struct m_object *context = s->caps[0]->object;

    if (m_refused(s))
        return;
    REQUIRE(s->result >= 0 && (uint64_t)s->result <= arch_cycles_to_ns(sched_env_cycles((const struct env *)context->env->kernel)),
            "a context ran %ld ns, longer than its environment", s->result);
}

static void set_addresses(struct step *s)
{
    MUST(s, s->a[0] >= EXO_USER_TOP, RANGE);
    MUST(s, s->number == NUMBER(SET_ENTRIES) && s->a[1] >= EXO_USER_TOP, RANGE);
    m_refused(s);
}

static void always(struct step *s)
{
    m_refused(s);
}

/* ---- small objects ---- */

static void ep_create(struct step *s)
{
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (!m_refused(s))
        m_created(s, m_new(EXO_TYPE_ENDPOINT, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged), EXO_RIGHTS_ALL);
}

static void ep_notify(struct step *s)
{
    if (m_refused(s))
        return;
    m_gas_work(EXO_PRICE_IPC);
    m_notify(s->caps[0]->object, s->a[1]);
}

static void wake(struct step *s)
{
    uint64_t woken = 0;

    MUST(s, s->a[0] % 4, ALIGN);
    MUST(s, !m_readable(s->env, s->a[0], 1), FAULT);
    if (m_refused(s))
        return;
    m_wake(m_page(s->env, s->a[0])->physical + s->a[0] % PAGE, s->a[1], &woken);
    REQUIRE((uint64_t)s->result == woken, "wake answered %ld; %lu slept there", s->result, woken);
}

static void tally_create(struct step *s)
{
    struct m_object *tally;

    MUST(s, s->a[0] % 4, ALIGN);
    if (!s->must)
        MUST(s, !m_wrote(s, s->env, s->a[0], 1), FAULT);
    MAY(s, m_tight(s, s->env->charged, 5), NOMEM);
    if (m_refused(s))
        return;
    tally = m_new(EXO_TYPE_TALLY, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    tally->physical = m_page(s->env, s->a[0])->physical + s->a[0] % PAGE;
    m_frame_hold(tally->physical & ~(PAGE - 1ul));
    m_created(s, tally, EXO_RIGHT_COPY);
}

static void irq_bind(struct step *s)
{
    uint64_t line = s->a[1];
    struct m_object *irq;

    MUST(s, line >= HOST_LINES, RANGE);
    MUST(s, line < HOST_LINES && m_lines[line], EXISTS);
    MUST(s, !m_may_derive(s->caps[0]->node), LIMIT);
    MAY(s, m_depth(s->caps[0]->node) >= 255, LIMIT);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (m_refused(s))
        return;
    irq = m_new(EXO_TYPE_IRQ, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    irq->line = (unsigned)line;
    irq->bits = s->a[3];
    irq->endpoint = s->caps[2]->object;
    m_hold(irq->endpoint);
    m_lines[line] = irq;
    m_created_below(s, s->caps[0], irq, EXO_RIGHTS_ALL);
}

/* ---- the machine ---- */

static void stats_call(struct step *s)
{
    output(s, s->a[0], sizeof(struct exo_stats));
}

static void console_write(struct step *s)
{
    uint64_t bytes = s->a[2] < 4096 ? s->a[2] : 4096, done = 0;

    while (done < bytes && m_readable(s->env, s->a[1] + done, bytes - done < 64 ? bytes - done : 64))
        done += bytes - done < 64 ? bytes - done : 64;
    MUST(s, bytes > 0 && done == 0, FAULT);
    if (!m_refused(s))
        REQUIRE((uint64_t)s->result == done, "console_write answered %ld, expected %lu", s->result, done);
}

static void service_create(struct step *s)
{
    MUST(s, s->a[0] == EXO_TYPE_ENDPOINT || !has_badge(s->a[0] < 64 ? (unsigned)s->a[0] : 0), INVAL);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (!m_refused(s))
        m_created(s, m_new((unsigned)s->a[0], m_kernel_object(s->env, (uint64_t)s->result), s->env->charged), EXO_RIGHTS_ALL);
}

static void ports_create(struct step *s)
{
    uint64_t first = s->a[1], count = s->a[2];
    struct m_object *ports;

    MUST(s, count == 0, INVAL);
    MUST(s, first >= HOST_PORTS_TAKEN || count > HOST_PORTS_TAKEN - first, RANGE);
    MUST(s, !m_may_derive(s->caps[0]->node), LIMIT);
    MAY(s, m_depth(s->caps[0]->node) >= 255, LIMIT);
    MAY(s, m_tight(s, s->env->charged, 4), NOMEM);
    if (m_refused(s))
        return;
    ports = m_new(EXO_TYPE_PORTS, m_kernel_object(s->env, (uint64_t)s->result), s->env->charged);
    ports->first_port = first;
    ports->port_count = count;
    m_created_below(s, s->caps[0], ports, EXO_RIGHTS_ALL);
}

static void port_call(struct step *s)
{
    const struct m_object *ports = s->caps[0]->object;
    uint64_t port = s->a[1], operation = s->a[2], width = operation & EXO_PORT_WIDTH;
    bool write = operation & EXO_PORT_WRITE, one = s->number == NUMBER(PORT_IO);

    MUST(s, operation > 0x1f || (width != 1 && width != 2 && width != 4), INVAL);
    MUST(s, port < ports->first_port || width > ports->port_count || port - ports->first_port > ports->port_count - width, RANGE);
    MUST(s, one && write && width < 8 && s->a[3] >> 8 * width, INVAL);
    if (!s->must && !one) {
        uint64_t count = s->a[4] < EXO_PORT_STRING / width ? s->a[4] : EXO_PORT_STRING / width;

        MUST(s, !(write ? m_readable(s->env, s->a[3], count * width) : m_wrote(s, s->env, s->a[3], count * width)), FAULT);
        if (!m_refused(s))
            REQUIRE((uint64_t)s->result == count, "port_string answered %ld", s->result);
        return;
    }
    m_refused(s);
}

/* ---- all calls ---- */

static void (*const judges[EXO_CALLS])(struct step *) = {
    [NUMBER(NULL)] = always, [NUMBER(CAP_DERIVE)] = cap_derive_call, [NUMBER(CAP_MOVE)] = cap_move,
    [NUMBER(CAP_REVOKE)] = cap_revoke, [NUMBER(CAP_LIST)] = cap_list, [NUMBER(SERVICE_CREATE)] = service_create,
    [NUMBER(PORTS_CREATE)] = ports_create, [NUMBER(CAP_DELETE)] = cap_delete, [NUMBER(CAP_INFO)] = cap_info,
    [NUMBER(ENV_CREATE)] = env_create, [NUMBER(ENV_DESTROY)] = env_destroy, [NUMBER(ENV_CLONE_SLOTS)] = clone_slots,
    [NUMBER(ENV_INFO)] = env_info, [NUMBER(CTX_CREATE)] = ctx_create, [NUMBER(CTX_START)] = ctx_start, [NUMBER(CTX_STOP)] = ctx_stop,
    [NUMBER(CTX_READ)] = ctx_read, [NUMBER(CTX_WRITE)] = ctx_write, [NUMBER(CTX_POST)] = ctx_post, [NUMBER(CTX_TIME)] = ctx_time,
    [NUMBER(SET_TLS)] = set_addresses,
    [NUMBER(YIELD)] = always, [NUMBER(SET_ENTRIES)] = set_addresses, [NUMBER(TIMER_SET)] = call_timer_set, [NUMBER(MEM_ALLOC)] = mem_alloc,
    [NUMBER(MEM_MAP)] = mem_map, [NUMBER(MEM_SHARE)] = mem_share, [NUMBER(MEM_FETCH)] = mem_fetch,
    [NUMBER(MEM_PROTECT)] = mem_protect, [NUMBER(MEM_UNMAP)] = mem_unmap,
    [NUMBER(MEM_QUERY)] = mem_query, [NUMBER(FRAME_ALLOC)] = frame_alloc, [NUMBER(FRAME_DEVICE)] = frame_device,
    [NUMBER(FRAME_ADDRESS)] = frame_address, [NUMBER(EP_CREATE)] = ep_create, [NUMBER(EP_CALL)] = call_ep_call,
    [NUMBER(EP_CALL_UNTIL)] = call_ep_call, [NUMBER(EP_CALL_CAP_UNTIL)] = call_ep_call, [NUMBER(EP_SEND)] = call_ep_call, [NUMBER(EP_CALL_CAP)] = call_ep_call,
    [NUMBER(EP_RECV)] = call_ep_recv, [NUMBER(EP_REPLY_RECV)] = call_ep_reply_recv,
    [NUMBER(EP_REPLY)] = call_ep_reply, [NUMBER(EP_REPLY_CAP)] = call_ep_reply, [NUMBER(EP_NOTIFY)] = ep_notify, [NUMBER(WAIT)] = call_wait,
    [NUMBER(WAIT_WORD)] = call_wait,
    [NUMBER(WAKE)] = wake, [NUMBER(TALLY_CREATE)] = tally_create, [NUMBER(WATCH_CREATE)] = watch_create,
    [NUMBER(WATCH_PLACE)] = watch_place, [NUMBER(IRQ_BIND)] = irq_bind, [NUMBER(IRQ_ACK)] = always,
    [NUMBER(CONSOLE_WRITE)] = console_write, [NUMBER(PORT_IO)] = port_call, [NUMBER(ZONE_CREATE)] = zone_create,
    [NUMBER(ZONE_INFO)] = zone_info, [NUMBER(STATS)] = stats_call, [NUMBER(PORT_STRING)] = port_call, [NUMBER(ZONE_MAKE)] = zone_make,
    [NUMBER(ZONE_ENTER)] = zone_enter, [NUMBER(ZONE_STATUS)] = zone_status, [NUMBER(ZONE_MEMBER)] = zone_member, [NUMBER(AUDIT_READ)] = audit_read,
    [NUMBER(AUDIT_INFO)] = audit_info, [NUMBER(EP_CREATE_IN)] = ep_create_in,
    [NUMBER(FRAME_CLAIM)] = frame_claim, [NUMBER(FRAME_PREPARE)] = frame_prepare_call, [NUMBER(FRAME_SPLIT)] = frame_split,
    [NUMBER(FRAME_MERGE)] = frame_merge, [NUMBER(FRAME_INFO)] = frame_info, [NUMBER(MEM_QUERY_CLEAR)] = mem_query,
    [NUMBER(LEDGER_BIND)] = ledger_bind, [NUMBER(RECLAIM_ASK)] = reclaim_ask, [NUMBER(RECLAIM_TAKE)] = reclaim_take,
    [NUMBER(GAS_INFO)] = gas_info, [NUMBER(GAS_SET)] = gas_set, [NUMBER(GAS_GRANT)] = gas_grant, [NUMBER(GAS_NOTIFY)] = gas_notify,
    [NUMBER(GAS_POLICY)] = gas_policy_call, [NUMBER(GAS_PRICE)] = gas_price, [NUMBER(ZONE_WEIGHT)] = zone_weight,
    [NUMBER(TRACE_BIND)] = trace_bind, [NUMBER(TRACE_NOTE)] = always,
    [NUMBER(DMA_BIND)] = dma_bind, [NUMBER(DMA_INFO)] = dma_info,
    [NUMBER(RECLAIM_STATUS)] = reclaim_status, [NUMBER(CAP_ASK)] = cap_ask, [NUMBER(SLICE_MAKE)] = slice_make, [NUMBER(SLICE_BIND)] = slice_bind,
    [NUMBER(SLICE_UNBIND)] = slice_unbind_call, [NUMBER(SLICE_WEIGHT)] = slice_weight, [NUMBER(SLICE_INFO)] = slice_info,
    [NUMBER(SLICE_AFTER)] = slice_after, [NUMBER(SLICE_DONE)] = slice_done, [NUMBER(ZONE_POLICY)] = zone_policy,
    [NUMBER(YIELD_TO)] = yield_to, [NUMBER(BATCH)] = batch_call,
};

bool model_knows(unsigned number)
{
    return number < EXO_CALLS && judges[number];
}

static void read_inputs(struct step *s)
{
    uint64_t count = 0;

    if (s->number == NUMBER(GAS_POLICY))
        s->input_valid = m_read(s->env, &s->policy, s->a[1], sizeof(s->policy));
    if (s->number == NUMBER(ZONE_MAKE))
        s->input_valid = m_read(s->env, &s->limits, s->a[2], sizeof(s->limits));
    if (s->number == NUMBER(CTX_CREATE) || s->number == NUMBER(CTX_WRITE))
        s->input_valid = m_read(s->env, &s->state, s->a[s->number == NUMBER(CTX_CREATE) ? 2 : 1], sizeof(s->state));
    if (s->number == NUMBER(WAIT_WORD)) {
        s->predicates[0] = (struct exo_predicate){s->a[0], (uint32_t)s->a[1], EXO_WAIT_WORD};
        s->predicates[1] = (struct exo_predicate){s->a[3], (uint32_t)s->a[4], EXO_WAIT_WORD};
        s->input_valid = true;
        count = s->a[3] ? 2 : 1;
    } else if (s->number == NUMBER(WAIT) && s->a[1] <= EXO_WAIT_MAX) {
        count = s->a[1];
        s->input_valid = count == 0 || m_read(s->env, s->predicates, s->a[0], count * sizeof(struct exo_predicate));
    } else if (s->number == NUMBER(WATCH_PLACE) && s->a[3] <= EXO_WATCH_WORDS) {
        count = s->a[3];
        s->input_valid = count == 0 || m_read(s->env, s->predicates, s->a[2], count * sizeof(struct exo_predicate));
    }
    for (uint64_t i = 0; i < count && s->input_valid; i++)
        if (m_predicate_known(&s->predicates[i]) && s->predicates[i].va % 4 == 0)
            (void)m_read(s->env, &s->predicate_word[i], s->predicates[i].va, 4);
}

static uint64_t left_of(uint64_t quota, uint64_t used)
{
    return quota > used ? quota - used : 0;
}

static struct room room_in(const struct zone *zone)
{
    struct room room = {UINT64_MAX, UINT64_MAX, UINT64_MAX};

    for (; zone; zone = zone->parent) {
        const struct room here = {left_of(zone->quota, zone->used), left_of(zone->envs.quota, zone->envs.used),
                                  left_of(zone->slots.quota, zone->slots.used)};

        room.frames = here.frames < room.frames ? here.frames : room.frames;
        room.envs = here.envs < room.envs ? here.envs : room.envs;
        room.slots = here.slots < room.slots ? here.slots : room.slots;
    }
    return room;
}

void step_room(struct step *s)
{
    s->free = frames_free;
    for (unsigned i = 0; i < m_objects.count; i++)
        if (list_object(&m_objects, i)->type == EXO_TYPE_ZONE)
            s->room[list_object(&m_objects, i)->number] = room_in((struct zone *)list_object(&m_objects, i)->kernel);
}

void step_before(struct step *s)
{
    s->caller = m_current;
    s->env = m_current->env;
    s->pending = ((struct context *)s->caller->kernel)->upage->pending;
    step_room(s);
    for (unsigned i = 0; i < exo_grammar[s->number].arguments; i++) {
        const struct exo_grammar_argument *argument = &exo_grammar[s->number].argument[i];

        if (argument->meaning == 'c')
            s->must |= m_resolve(s->env, s->a[i], argument->type == 255 ? CAP_ANY : argument->type, argument->rights, &s->caps[i]);
        MUST(s, s->caps[i] && !m_label_may(s, s->caps[i]->object, argument->relations), DENIED);
    }
    read_inputs(s);
}

void step_after(struct step *s)
{
    m_zones_end();
    ipc_present(s);
    s->blocked = ((struct context *)s->caller->kernel)->state != CTX_READY;
    s->caller->sleeps_in = (uint8_t)s->number;
    if (s->must)
        m_refused(s);
    else
        judges[s->number](s);
}
