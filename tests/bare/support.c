/* What every case uses. bench/kernelbench is built with this, too. */
#include "bare.h"

#include <exo/clock.h>
#include <exo/format.h>

const struct exo_startup *bare_start;
unsigned bare_failures;

void bare_say(const char *format, ...)
{
    char line[300];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = exo_vformat(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (exo_console_write(MACHINE, line, (uint64_t)length) < 0)
        __builtin_trap();
}

void bare_check(bool condition, const char *text, const char *file, int line)
{
    if (condition)
        return;
    bare_failures++;
    bare_say("# %s:%d: %s\n", file, line, text);
}

void bare_expect(int64_t got, int64_t wanted, const char *text, const char *file, int line)
{
    if (got == wanted)
        return;
    bare_failures++;
    bare_say("# %s:%d: %s is %ld, not %ld\n", file, line, text, got, wanted);
}

int64_t bare_must(int64_t got, const char *text, const char *file, int line)
{
    if (got < 0) {
        bare_failures++;
        bare_say("# %s:%d: %s failed with %ld\n", file, line, text, got);
    }
    return got;
}

#define SETTLE_MOST 100u

uint64_t bare_now(void)
{
    return exo_clock_ns(bare_info());
}

/* A host with other work may give the guest too little in that time for anybody to get on: nobody but this context is ready then, unless somebody spins. */
void bare_settle(void)
{
    struct exo_stats stats = {0};
    uint64_t before;
    unsigned busy = 0;

    do {
        before = bare_frames_free();
        EXPECT(exo_wait(NULL, 0, bare_now() + 200000), -EXO_E_TIMEOUT);
        EXPECT(exo_stats(&stats), 0);
    } while (bare_frames_free() != before || (stats.running > 1 && ++busy < SETTLE_MOST));
}

bool bare_asked(const char *word)
{
    const char *line = (const char *)bare_start->command_line_va;
    size_t length = strlen(word);

    for (; *line; line++)
        if (memcmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == 0))
            return true;
    return false;
}

uint64_t bare_frames_free(void)
{
    struct exo_stats stats;

    EXPECT(exo_stats(&stats), 0);
    return stats.frames_free;
}

uint32_t bare_slots_used(void)
{
    struct exo_env_info info;

    EXPECT(exo_env_info(SELF, &info), 0);
    return info.slots;
}

uint64_t bare_zone_used(uint64_t zone)
{
    uint64_t account[2] = {0};

    EXPECT(exo_zone_info(zone, account), 0);
    return account[0];
}

void bare_destroy(uint64_t env)
{
    int64_t status;

    do
        status = exo_env_destroy(env, 0);
    while (status == -EXO_E_AGAIN);
    EXPECT(status, 0);
    EXPECT(exo_cap_delete(env), 0);
}
