/*
 * The gas of all processes together, as the kernel's command line limits it (exo.gas=N or exo.gas=N/s, exo.gas-grace=MILLISECONDS; ./exo run --gas
 * writes them). The kernel stops them when there is none; this decides when that was enough, and ends the run: a fixed amount is used up once, and who
 * has a rate is a runaway when for all of the grace he wanted more than it gives.
 */
#include <exo/calls.h>
#include <exo/string.h>

#include "machine.h"
#include "proc.h"

#define NOTE_GAS 0x100u /* the kernel's notification */
#define GRACE_NS 10000000000ull

static const struct px_server_start *start;
static bool fixed;
static uint64_t grace_ns = GRACE_NS, deadline_ns = EXO_DEADLINE_NEVER;

/* The text behind a word of the command line, which ends with a blank; NULL: it is not there. */
static const char *behind(const char *word)
{
    const char *line = (const char *)start->command_line_va;
    size_t length = strlen(word);

    for (const char *at = line; *at; at++)
        if ((at == line || at[-1] == ' ') && strncmp(at, word, length) == 0)
            return at + length;
    return NULL;
}

/* A number that does not overflow; *end: what follows. */
static bool number(const char *text, uint64_t *value, const char **end)
{
    *value = 0;
    for (*end = text; **end >= '0' && **end <= '9'; (*end)++) {
        if (*value > (EXO_GAS_AMOUNT_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(**end - '0');
    }
    return *end != text;
}

int64_t gas_start(const struct px_server_start *from)
{
    const char *text, *rest;
    uint64_t amount, grace_ms;
    int64_t status;

    start = from;
    text = behind("exo.gas-grace=");
    if (text && number(text, &grace_ms, &rest) && grace_ms < UINT32_MAX)
        grace_ns = grace_ms * 1000000;
    text = behind("exo.gas=");
    if (!text)
        return 0;
    if (!number(text, &amount, &rest))
        return -EXO_E_INVAL;
    fixed = strncmp(rest, "/s", 2) != 0;
    status = exo_gas_set(start->process_zone, fixed ? EXO_GAS_FIXED : amount, amount, 0);
    return status < 0 ? status : exo_gas_notify(start->process_zone, start->endpoint, NOTE_GAS);
}

uint64_t gas_deadline_ns(void)
{
    return deadline_ns;
}

uint64_t machine_gas_used(void)
{
    struct exo_gas_info info;

    return exo_gas_info(start->process_zone, &info) < 0 ? 0 : info.consumed;
}

void gas_look(void)
{
    struct exo_gas_info info;

    deadline_ns = EXO_DEADLINE_NEVER;
    if (exo_gas_info(start->process_zone, &info) < 0 || info.rate == 0 || info.short_since_ns == 0)
        return;
    if (fixed || machine_now_ns() - info.short_since_ns >= grace_ns)
        life_end_run(PX_STATUS_GAS);
    else
        deadline_ns = info.short_since_ns + grace_ns;
}

void gas_noted(uint64_t bits)
{
    if (bits & NOTE_GAS)
        gas_look();
}
