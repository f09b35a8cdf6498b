/* exo caps: the capabilities of this process, each below the one that it derives from. Others' capabilities are not its to see. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <exo/calls.h>
#include <names.inc>

#include "../../libos/posix/proto/layout.h"
#include "exo.h"

#define MOST 4096u
#define AT_ONCE 64u

static struct exo_cap_entry entries[MOST];
static size_t count;

/* False: the kernel refused, or there are more than fit. */
static bool read_all(void)
{
    uint64_t first = 0;

    for (;;) {
        struct exo_cap_entry some[AT_ONCE];
        int64_t got;

        memset(some, 0, sizeof some); /* the kernel writes only to pages that are there */
        got = exo_cap_list(PX_SLOT_SELF, first, some, AT_ONCE);
        if (got == -EXO_E_AGAIN) {
            first += EXO_LIST_SEARCH;
            continue;
        }
        if (got <= 0)
            return got == 0;
        if (count + (size_t)got > MOST)
            return false;
        memcpy(&entries[count], some, (size_t)got * sizeof some[0]);
        count += (size_t)got;
        first = (some[got - 1].handle & 0xffff) + 1;
    }
}

static const char *type_name(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } types[] = {
#define ENTRY(value, name) {value, #name},
        EXO_TYPE_NAMES(ENTRY)
#undef ENTRY
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].name;
    return "?";
}

static void print_rights(uint64_t rights)
{
    static const struct {
        uint64_t mask;
        const char *name;
    } names[] = {
#define ENTRY(mask, name) {mask, #name},
        EXO_RIGHT_NAMES(ENTRY)
#undef ENTRY
    };

    if (rights == EXO_RIGHTS_ALL) {
        printf(" all");
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (rights & names[i].mask)
            printf(" %s", names[i].name);
}

static void print_entry(const struct exo_cap_entry *entry, unsigned level)
{
    printf("%*s%lu.%lu %s %lu", (int)(2 * level), "", entry->handle & 0xffff, entry->handle >> 16, type_name(entry->type), entry->object);
    if (entry->badge)
        printf(" badge %lx", entry->badge);
    printf(":");
    print_rights(entry->rights);
    if (entry->expires_ns != EXO_DEADLINE_NEVER)
        printf(" until %lu.%03lu", entry->expires_ns / 1000000000, entry->expires_ns / 1000000 % 1000);
    if (level == 0 && entry->parent)
        printf(" (from another's)");
    printf("\n");
}

static bool parent_is_here(const struct exo_cap_entry *entry)
{
    for (size_t i = 0; i < count; i++)
        if (entry->parent && entries[i].node == entry->parent)
            return true;
    return false;
}

/* Depth is bounded by the kernel: 255 derivations. */
static void print_below(uint64_t node, unsigned level)
{
    for (size_t i = 0; i < count; i++)
        if (level == 0 ? !parent_is_here(&entries[i]) : entries[i].parent == node) {
            print_entry(&entries[i], level);
            print_below(entries[i].node, level + 1);
        }
}

int exo_caps(int argc, char **argv)
{
    if (argc > 1) {
        fprintf(stderr, "exo: caps takes no words, and %s was given\n", argv[1]);
        return EXO_USAGE;
    }
    if (!read_all()) {
        fprintf(stderr, "exo: caps: the capabilities cannot be listed\n  more than %u of them, or the right INSPECT is missing\n", MOST);
        return EXO_FAILED;
    }
    print_below(0, 0);
    return 0;
}
