/* The rings that the kernel records in: made first, so that the servers' start is there too, and then tty's alone. */
#include "record.h"

#include <exo/abi.h>
#include <exo/calls.h>
#include <exo/loop.h>
#include <exo/rights.h>
#include <exo/string.h>

#include "../../libos/posix/proto/record.h"

#define PAGES_MOST 262144u /* of a block */

/* The number behind a word of the command line; 0: it is not there. */
static uint64_t number_behind(const char *line, const char *word)
{
    size_t length = strlen(word);
    uint64_t value = 0;

    while (*line && strncmp(line, word, length) != 0)
        line++;
    for (line += *line ? length : 0; *line >= '0' && *line <= '9' && value < UINT32_MAX; line++)
        value = value * 10 + (uint64_t)(*line - '0');
    return value;
}

static int64_t start_cpu(struct recording *recording, uint64_t machine, uint64_t zone, uint64_t sample_ns)
{
    int64_t frames = exo_frame_claim(zone, recording->pages, EXO_FRAME_ANYWHERE, 0), left = 1, trace;

    while (frames >= 0 && left > 0)
        left = exo_frame_prepare((uint64_t)frames);
    if (frames < 0 || left < 0)
        return frames < 0 ? frames : left;
    trace = exo_trace_bind(machine, (uint64_t)frames, recording->cpus, sample_ns);
    if (trace < 0)
        return exo_cap_delete((uint64_t)frames) < 0 ? -EXO_E_INVAL : trace;
    recording->frames[recording->cpus] = (uint64_t)frames;
    recording->trace[recording->cpus++] = (uint64_t)trace;
    return 0;
}

int64_t record_start(struct recording *recording, const char *command_line, uint64_t machine, uint64_t zone)
{
    uint64_t sample_ns = number_behind(command_line, "exo.trace-sample=");
    int64_t status = 0;

    recording->pages = number_behind(command_line, "exo.trace=");
    if (recording->pages == 0)
        return 0;
    if (recording->pages > PAGES_MOST)
        return -EXO_E_RANGE;
    while (recording->cpus < PX_TRACE_CPUS && status == 0)
        status = start_cpu(recording, machine, zone, sample_ns);
    return status == -EXO_E_RANGE ? 0 : status; /* there is no such CPU: these are all */
}

int64_t record_give(struct recording *recording, uint64_t env)
{
    int64_t status = 0;

    for (unsigned cpu = 0; cpu < recording->cpus && status >= 0; cpu++) {
        status = exo_map_all(env, PX_TRACE_VA + cpu * PX_TRACE_STEP, recording->frames[cpu], 0, recording->pages, EXO_PROT_READ);
        if (status >= 0)
            status = exo_cap_move(env, PX_TRACE_SLOT + cpu, recording->trace[cpu]);
        if (status >= 0)
            status = exo_cap_delete(recording->frames[cpu]);
    }
    return status;
}
