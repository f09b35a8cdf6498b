/* exo audit: the kernel's record of crossings. proc hands the capability to it to root, where the labels let it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <exo/calls.h>
#include <exo/label.h>

#include "../../libos/posix/proto/proc.h"
#include "exo.h"

static const char *const kinds[] = {
    [EXO_AUDIT_READ] = "read",   [EXO_AUDIT_WRITE] = "write",   [EXO_AUDIT_GRANT] = "grant", [EXO_AUDIT_CALL] = "call",
    [EXO_AUDIT_ENTER] = "enter", [EXO_AUDIT_CREATE] = "create", [EXO_AUDIT_GONE] = "gone",
};

static void print(const struct exo_audit_record *record)
{
    const char *kind = record->kind < sizeof kinds / sizeof kinds[0] && kinds[record->kind] ? kinds[record->kind] : "?";

    printf("%8lu %6lu.%06lu %-6s %8lu %6lu %-8s %6lu %-8s %8lu %6u %s\n", record->sequence, record->time_ns / 1000000000,
           record->time_ns / 1000 % 1000000, kind, record->who, record->from, exo_label_name(record->from_label), record->to,
           exo_label_name(record->to_label), record->object, record->count, record->verdict ? "DENIED" : "done");
}

static int print_all(uint64_t audit)
{
    struct exo_audit_record records[EXO_AUDIT_MOST];
    struct exo_audit_info info;
    uint64_t from = 0;
    int64_t got;

    if (exo_audit_info(audit, &info) < 0)
        return EXO_FAILED;
    memset(records, 0, sizeof records); /* the kernel writes only to pages that are there */
    printf("%8s %13s %-6s %8s %6s %-8s %6s %-8s %8s %6s %s\n", "NUMBER", "TIME", "WHAT", "WHO", "FROM", "", "TO", "", "OBJECT", "TIMES", "");
    while (from < info.next && (got = exo_audit_read(audit, from, records, EXO_AUDIT_MOST)) > 0) {
        for (int64_t i = 0; i < got && records[i].sequence < info.next; i++)
            print(&records[i]);
        from = records[got - 1].sequence + 1;
    }
    printf("%lu records were dropped unread\n", info.dropped);
    return 0;
}

int exo_audit(int argc, char **argv)
{
    uint64_t words[5] = {PX_PROC_AUDIT};
    int64_t status;

    if (argc > 1) {
        fprintf(stderr, "exo: audit takes no words, and %s was given\n", argv[1]);
        return EXO_USAGE;
    }
    status = ask_proc(words);
    if (status < 0) {
        fprintf(stderr, "exo: audit: %s\n  only root may read the record, in a zone whose label lets it\n", strerror((int)-status));
        return EXO_FAILED;
    }
    status = print_all(words[1]);
    if (exo_cap_delete(words[1]) < 0)
        return EXO_FAILED;
    return (int)status;
}
