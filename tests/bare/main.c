#include "bare.h"

extern const struct bare_case __start_bare_cases[], __stop_bare_cases[];

void exo_main(const struct exo_startup *start);

/* With only=WORD on the command line: cases with this word in their names. */
static bool wanted(const char *name)
{
    const char *word = (const char *)bare_start->command_line_va;
    size_t length = 0;

    while (*word && memcmp(word, "only=", 5) != 0)
        word++;
    if (!*word)
        return true;
    word += 5;
    while (word[length] && word[length] != ' ')
        length++;
    for (; *name; name++)
        if (strncmp(name, word, length) == 0)
            return true;
    return false;
}

/* Slots and frames must be the same after each case as before. */
void exo_main(const struct exo_startup *start)
{
    unsigned number = 0, failed = 0, planned = 0;

    bare_start = start;
    for (const struct bare_case *at = __start_bare_cases; at < __stop_bare_cases; at++)
        planned += wanted(at->name);
    bare_say("1..%u\n# %u processors\n", planned, bare_info()->cpus);
    for (const struct bare_case *at = __start_bare_cases; at < __stop_bare_cases; at++) {
        uint64_t frames;
        uint32_t slots = bare_slots_used();

        if (!wanted(at->name))
            continue;
        at->run(); /* the first run may grow what stays: page tables */
        bare_settle();
        frames = bare_frames_free();
        at->run();
        bare_settle();
        EXPECT((int64_t)bare_frames_free(), (int64_t)frames);
        EXPECT(bare_slots_used(), slots);
        bare_say("%s %u - %s\n", bare_failures ? "not ok" : "ok", ++number, at->name);
        failed += bare_failures > 0;
        bare_failures = 0;
    }
    bare_say("# %u of %u cases failed\n", failed, number);
    EXPECT(exo_power_off(MACHINE, failed ? 0x20 : EXO_POWER_OFF), 0);
}
