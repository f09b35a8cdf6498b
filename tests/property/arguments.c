/* Arguments of random calls, from the grammar that abi/ gives: mostly such that the call can succeed, often just beside that. */
#include "driver.h"

#include <string.h>

static uint64_t anything(uint64_t word)
{
    static const uint64_t edges[] = {0, 1, 2, 3, 7, 8, 63, 64, 4095, 4096, 65535, 65536, UINT32_MAX, 1ul << 32, 1ul << 47, 1ul << 48, INT64_MAX,
                                     1ul << 63, UINT64_MAX - 4095, UINT64_MAX};

    return word % 3 == 0 ? edges[word / 3 % (sizeof(edges) / sizeof(edges[0]))] : word % 3 == 1 ? word / 3 % 64 : word >> word % 64;
}

/* A handle: of a capability that the call wants, or of another, or an old one, or none. */
static uint64_t handle(unsigned type, uint64_t rights, uint64_t word, bool spare_self)
{
    struct m_object *env = m_current->env;
    unsigned found = 0, chosen, strange = word >> 32 & 31;
    const struct m_cap *fitting[64];

    if (strange == 0)
        return anything(word);
    for (unsigned i = 0; i < env->touched_count && found < 64; i++) {
        const struct m_cap *cap = &env->slots[env->touched[i]];

        if (!cap->object || (strange > 2 && ((type != CAP_ANY && cap->object->type != type) || rights & ~cap->rights)))
            continue;
        if (spare_self && (cap->object == env || cap->object == m_current) && word >> 40 & 15)
            continue;
        fitting[found++] = cap;
    }
    if (found == 0)
        return word % 10;
    chosen = (unsigned)(word % found);
    if (strange == 3)
        return m_handle(env, fitting[chosen]) + ((word & 1 ? 1ul : ~0ul) << 16);
    return m_handle(env, fitting[chosen]);
}

uint64_t scratch_page(uint64_t word)
{
    struct m_object *env = m_current->env;

    for (unsigned i = 0; i < env->page_count; i++) {
        const struct m_page *page = &env->pages[(word + i) % env->page_count];
        bool usable = page->want && !page->uncached && page->user;

        for (unsigned c = 0; c < m_objects.count && usable; c++)
            usable = list_object(&m_objects, c)->type != EXO_TYPE_CTX || list_object(&m_objects, c)->upage_physical != page->physical;
        if (usable)
            return page->va;
    }
    return 0;
}

static uint64_t page_address(uint64_t word)
{
    static const uint64_t places[] = {0x10000000, 0x10000000, 0x101fe000, 0x20000000, 0x7f0000000000, 0x400000};
    static const uint64_t edges[] = {0, EXO_USER_TOP - PAGE, EXO_USER_TOP - 2 * PAGE, EXO_USER_TOP, UINT64_MAX - 4095, 0x10000001, 0x1000};
    const struct m_object *env = m_current->env;
    uint64_t choice = word >> 48;

    if (choice % 32 == 0)
        return edges[word % (sizeof(edges) / sizeof(edges[0]))];
    if (choice % 4 == 1 && env->page_count > 0)
        return env->pages[word % env->page_count].va;
    return places[choice / 32 % 6] + word % 12 * PAGE;
}

static uint64_t memory(uint64_t word)
{
    uint64_t choice = word >> 48, page = scratch_page(word);

    if (choice % 16 == 0)
        return anything(word);
    if (choice % 16 < 3 || page == 0)
        return page_address(word) + word % PAGE;
    return page + (choice % 2 ? (word >> 16) % PAGE & ~7ul : PAGE - (word >> 16) % 16 * 8);
}

static uint64_t number(unsigned call_number, const char *name, uint64_t word)
{
    static const uint64_t operations[] = {1, 2, 4, 0x11, 0x12, 0x14, 3, 0x21};

    if (word >> 58 == 0)
        return anything(word);
    if (strcmp(name, "end_va") == 0)
        return word % 4 ? EXO_USER_TOP : page_address(word / 4) + word % 3 * 8;
    if (strcmp(name, "index") == 0)
        return word % 4 ? 0 : word / 4 % 80;
    if (strcmp(name, "badge") == 0)
        return word % 4 ? 0 : word / 4 % 5;
    if (strcmp(name, "physical") == 0)
        return (word % 8 ? HOST_DEVICE : HOST_RAM_START) + word / 8 % 20 * PAGE;
    if (strcmp(name, "how") == 0)
        return word % 3;
    if (call_number == EXO_CALL_FRAME_CLAIM - EXO_CALL_BASE && strcmp(name, "value") == 0) /* an address of RAM, or a colour of a few */
        return word % 2 ? HOST_RAM_START + word / 2 % 1000 * PAGE : (1 + word / 2 % 8) << 32 | word / 32 % 4;
    if (strcmp(name, "line") == 0)
        return word % (HOST_LINES + 1);
    if (strcmp(name, "port") == 0)
        return word % (HOST_PORTS_TAKEN + 2);
    if (strcmp(name, "operation") == 0)
        return operations[word % 8];
    if (strcmp(name, "count") == 0)
        return word % 16;
    if (strcmp(name, "rate") == 0)
        return word % 3 == 0 ? 0 : word % 3 == 1 ? EXO_GAS_FIXED : 1 + word / 8 % EXO_GAS_RATE_MAX;
    if (strcmp(name, "amount") == 0)
        return word % 8 ? word / 8 % 900 : word / 8 % 40000;
    if (strcmp(name, "policy") == 0 && call_number == EXO_CALL_ZONE_POLICY - EXO_CALL_BASE)
        return word % 8;
    if (strcmp(name, "weight") == 0)
        return word % 300;
    if (strcmp(name, "type") == 0)
        return word % 4 < 2 ? EXO_TYPE_SERVICE : word / 4 % 2 ? EXO_TYPE_DISK : word / 8 % 16;
    if (strcmp(name, "bytes") == 0)
        return word % 5000;
    return word % 8;
}

static uint64_t deadline(const char *name, uint64_t word)
{
    if (strcmp(name, "expires_ns") == 0 && word >> 61)
        return EXO_DEADLINE_NEVER;
    switch (word % 4) {
    case 0: return EXO_DEADLINE_NOW;
    case 1: return EXO_DEADLINE_NEVER;
    case 2: return host_cycles + (word >> 8) % 10000;
    default: return (word >> 8) % (host_cycles + 1);
    }
}

uint64_t argument_value(const struct exo_grammar_call *call, unsigned call_number, unsigned index, uint64_t word)
{
    const struct exo_grammar_argument *argument = &call->argument[index];
    bool destroys = call_number == EXO_CALL_ENV_DESTROY - EXO_CALL_BASE || call_number == EXO_CALL_CTX_STOP - EXO_CALL_BASE;

    switch (argument->meaning) {
    case 'c': return handle(argument->type == 255 ? CAP_ANY : argument->type, argument->rights, word, destroys);
    case 'h': return strcmp(argument->name, "death") == 0 && word % 3 ? 0 : handle(CAP_ANY, 0, word, true);
    case 'v': return memory(word);
    case 'a': return page_address(word);
    case 'n': return word >> 60 ? word % 9 : word >> 56 & 1 ? word % 700 : anything(word);
    case 'p': return word >> 59 ? word % 8 : word % 64;
    case 'm': return (word >> 59 ? word % 8 : word % 16) | (word >> 8) % (word >> 60 ? 6 : 8) << 8;
    case 'r': return word % 2 ? UINT64_MAX : word >> 8 | EXO_RIGHT_COPY;
    case 'd': return deadline(argument->name, word);
    default: return number(call_number, argument->name, word);
    }
}
