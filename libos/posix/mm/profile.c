/* ./exo profile: which files' code lies where, told to the host whenever that changes (tools/exo/profile.py, Images). */
#include "mm.h"

#include <exo/calls.h>

#define TEXT_MOST 16384u

bool px_profiled;

/* The line of /proc/PID/maps is of code in a file. */
static bool is_code(const char *line)
{
    const char *rights = strchr(line, ' ');

    return rights && rights[1] && rights[2] && rights[3] == 'x' && strchr(line, '/');
}

void px_profile_tell(void)
{
    struct exo_env_info info = {0};
    unsigned long now_ns = (unsigned long)px_now_ns();
    char *text = px_alloc(TEXT_MOST);
    size_t length;

    if (!text || exo_env_info(PX_SLOT_SELF, &info) < 0) {
        px_free(text);
        return;
    }
    length = px_memory_maps(text, TEXT_MOST - 1, 0, PX_MAPS);
    text[length < TEXT_MOST ? length : TEXT_MOST - 1] = '\0';
    px_log("exo-image %lu %lu task %d %.15s\n", (unsigned long)info.id, now_ns, px_self()->pid, px_self()->comm);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (is_code(line))
            px_log("exo-image %lu %lu map %s\n", (unsigned long)info.id, now_ns, line);
    }
    px_free(text);
}
