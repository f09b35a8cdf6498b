/* Names and figures of the system that calls and /proc both tell. */
#ifndef PX_SYSTEM_H
#define PX_SYSTEM_H
#include "fd.h"

#define PX_RELEASE "6.1.0-exov6"
#define PX_RELEASE_26 "2.6.61-exov6" /* as programs see it that know no other */
#define PX_VERSION "#1 SMP ExoV6"

extern const char px_arch_platform[];                     /* arch/: uname's machine */
void px_arch_cpuinfo(struct px_text *text, unsigned cpu); /* one processor of /proc/cpuinfo */
extern char px_domain_name[65];

struct px_figures { /* bytes */
    uint64_t total, free, cached;
};
void px_memory_figures(struct px_figures *figures);

#endif
