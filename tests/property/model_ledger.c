/* The reference model of visible revocation: what an environment was asked for, and what was taken from it. */
#include "model_calls.h"

/* The kernel wrote to the environment's ledger, and tells its context. */
static void tell(struct m_object *env)
{
    uint64_t page = env->ledger_physical;

    if (!page)
        return;
    m_frames[page / PAGE].tag = *(uint64_t *)((char *)direct(page) + TAG_OFFSET);
    if (env->ledger_context->state != CTX_DEAD)
        m_post(env->ledger_context, 0);
}

void m_taken(struct m_object *env)
{
    env->takings++;
    tell(env);
}

static void demanded(struct m_object *env)
{
    env->demands++;
    tell(env);
}

void m_ledger_release(struct m_object *env)
{
    uint64_t page = env->ledger_physical;
    struct m_object *context = env->ledger_context;

    if (!page)
        return;
    env->ledger_physical = 0;
    env->ledger_context = NULL;
    m_frame_drop(page);
    m_drop(context);
}

void ledger_bind(struct step *s)
{
    const struct m_page *page;
    struct m_object *env = s->env;

    MUST(s, s->a[0] % PAGE, ALIGN);
    if (!s->must)
        MUST(s, !m_wrote(s, env, s->a[0], 1), FAULT);
    if (m_refused(s))
        return;
    page = m_page(env, s->a[0]);
    m_frame_hold(page->physical);
    m_hold(s->caller);
    m_ledger_release(env);
    env->ledger_physical = page->physical;
    env->ledger_context = s->caller;
    m_frames[page->physical / PAGE].tag = *(uint64_t *)((char *)direct(page->physical) + TAG_OFFSET);
}

static uint64_t given_back(const struct m_object *env)
{
    return env->mapped_then > env->page_count ? env->mapped_then - env->page_count : 0;
}

void reclaim_ask(struct step *s)
{
    struct m_object *env = s->caps[0]->object;

    MUST(s, env->ended, PEER);
    MUST(s, s->a[1] == 0 && !env->wanted, INVAL);
    MUST(s, s->a[1] != 0 && env->wanted, BUSY);
    if (m_refused(s))
        return;
    if (s->a[1] == 0) {
        env->wanted = 0;
        return;
    }
    env->wanted = s->a[1] < env->page_count ? s->a[1] : env->page_count;
    env->mapped_then = env->page_count;
    env->taken = 0;
    env->reclaim_ns = s->a[2];
    demanded(env);
}

/* Which pages the kernel took is seen in its page tables; each must have been this environment's alone. */
static void see_taken(struct m_object *env, uint64_t end)
{
    for (unsigned i = env->page_count; i-- > 0;) {
        const struct m_page *page = &env->pages[i];

        if (kernel_pte(env, page->va) & PTE_PRESENT)
            continue;
        REQUIRE(frame_is_ram(page->physical) && m_frames[page->physical / PAGE].references == 1, "page %lx was taken, which others have, too", page->va);
        REQUIRE(page->va < end, "page %lx was taken, not below %lx", page->va, end);
        m_lose(env, page->va);
        m_unmap(env, page->va);
        env->taken++;
        m_taken(env);
    }
}

void reclaim_take(struct step *s)
{
    struct m_object *env = s->caps[0]->object;
    bool met = given_back(env) >= env->wanted;

    MUST(s, !env->wanted, INVAL);
    MUST(s, env->wanted && !met && host_cycles < env->reclaim_ns, BUSY);
    if (!s->must && !met)
        see_taken(env, s->a[1]);
    MAY(s, !s->must && given_back(env) < env->wanted, AGAIN);
    if (m_refused(s))
        return;
    REQUIRE((uint64_t)s->result == env->taken, "reclaim_take answered %ld, %lu were taken", s->result, env->taken);
    REQUIRE(given_back(env) <= env->wanted || met, "%lu pages were taken, %lu wanted", env->taken, env->wanted);
    env->wanted = 0;
}

void reclaim_status(struct step *s)
{
    const struct m_object *env = s->caps[0]->object;
    struct exo_reclaim said;

    if (output(s, s->a[1], sizeof(said)) && m_read(s->env, &said, s->a[1], sizeof(said)))
        REQUIRE(said.wanted == env->wanted && said.demands == env->demands && said.takings == env->takings, "reclaim_status says %lu, %lu, %lu",
                said.wanted, said.demands, said.takings);
}

void cap_ask(struct step *s)
{
    struct m_cap *cap;
    uint64_t children = 0;

    s->must |= m_resolve(s->env, s->a[0], CAP_ANY, 0, &cap);
    MUST(s, s->a[1] > 4096, LIMIT);
    if (m_refused(s))
        return;
    for (unsigned i = 0; i < m_nodes.count; i++)
        children += ((struct m_node *)m_nodes.at[i])->parent == cap->node;
    children = children > s->a[1] ? children - s->a[1] : 0;
    REQUIRE((uint64_t)s->result == (children < 256 ? children : 256), "cap_ask asked %ld of %lu", s->result, children);
    for (unsigned i = 0; i < m_objects.count; i++) { /* which of the children come first is the kernel's choice */
        struct m_object *env = m_objects.at[i];

        if (env->type != EXO_TYPE_ENV || ((struct env *)env->kernel)->ledger.demands == env->demands)
            continue;
        env->demands = ((struct env *)env->kernel)->ledger.demands;
        tell(env);
    }
}
