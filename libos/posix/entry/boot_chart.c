/* `./exo run --boot-chart`: the moments of the boot, as each part of the system has noted them, in lines for the host. */
#include "px_arch.h"
#include "fs/files.h"
#include "proto/link.h"

#include <exo/calls.h>

static void tell(const char *moment, uint64_t tsc)
{
    px_log("exo-boot %s %lu\n", moment, (unsigned long)((unsigned __int128)tsc * px_info()->tsc_mult >> 32));
}

void px_boot_chart(uint64_t libos_tsc)
{
    const struct px_bootargs *args = (const struct px_bootargs *)PX_BOOTARGS;
    uint64_t program_tsc = exo_arch_cycles();
    struct exo_stats stats = {0};

    (void)!exo_stats(&stats);
    tell("kernel", stats.boot_tsc);
    tell("memory", stats.memory_tsc);
    tell("devices", stats.devices_tsc);
    tell("processors", stats.cpus_tsc);
    tell("user", stats.user_tsc);
    tell("proc", px_proctab()->begun_tsc);
    tell("proc-ready", px_proctab()->ready_tsc);
    tell("fs", px_meta()->begun_tsc);
    tell("fs-ready", px_meta()->ready_tsc);
    tell("tty", args->begun_tsc);
    tell("tty-ready", args->ready_tsc);
    tell("libos", libos_tsc);
    tell("program", program_tsc);
    tell("end", exo_arch_cycles()); /* when the host hears of it */
}
