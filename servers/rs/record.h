/* Recording for `./exo trace`: libos/posix/proto/record.h. */
#ifndef RS_RECORD_H
#define RS_RECORD_H
#include <stdint.h>

/* A capability of rs's to each CPU's trace and to its frames. */
struct recording {
    unsigned cpus; /* 0: nothing is recorded */
    uint64_t pages;
    uint64_t trace[8], frames[8];
};

/* As the command line says; 0 or -EXO_E_*. `machine`: INSPECT; `zone`: FRAMES, charged. */
int64_t record_start(struct recording *recording, const char *command_line, uint64_t machine, uint64_t zone);
/* Leaves it all to an environment. */
int64_t record_give(struct recording *recording, uint64_t env);

#endif
