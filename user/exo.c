/* exo: what a person asks of the exokernel in the guest. Each subcommand is a function in exo/; its words are in one table. */
#include <stdio.h>
#include <string.h>

#include "exo/exo.h"

static const struct subcommand {
    const char *name, *usage, *does;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"audit", "", "prints the record of what crossed between zones (root, in a zone whose label may read it)", exo_audit},
    {"caps", "", "prints this process's capabilities, as a tree of what derives from what", exo_caps},
    {"reclaim", "[-n] [-t SECONDS] [-z ZONE | -p PID[,PID...]] N[K|M|G]",
     "asks processes for N MiB, takes after the deadline what they do not give, and says who gave what (root; -n: takes nothing)", exo_reclaim},
    {"top", "[-b] [-d SECONDS] [-n TIMES] [-o P|M|G|C|N]", "shows who uses processor, memory and gas, and what share the policies owe (-b: text, not a screen)",
     exo_top},
    {"zone", "[LABEL [OPTIONS] [--] CMD [ARG...]]", "runs a command in a zone of its own; without a label: says what this zone is", exo_zone},
};

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: exo SUBCOMMAND\n");
    for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++)
        fprintf(to, "  exo %s %s\n      %s\n", subcommands[i].name, subcommands[i].usage, subcommands[i].does);
    return status;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout, 0);
    for (size_t i = 0; argc >= 2 && i < sizeof subcommands / sizeof subcommands[0]; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    if (argc >= 2)
        fprintf(stderr, "exo: there is no subcommand %s\n", argv[1]);
    return usage(stderr, EXO_USAGE);
}
