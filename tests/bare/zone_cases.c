/* Zones: quotas, members, entering, ending; and the record of what crosses. */
#include "bare.h"

#include <exo/label.h>

#define LOW EXO_LABEL_BOTTOM

static const struct exo_zone_limits unlimited = {EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

static uint64_t zone_with(uint64_t above, unsigned label, uint64_t frames, uint64_t envs, uint64_t slots)
{
    const struct exo_zone_limits limits = {frames, envs, slots, 7};

    return (uint64_t)MUST(exo_zone_make(above, label, &limits));
}

static void end_env(uint64_t env)
{
    int64_t status;

    do
        status = exo_env_destroy(env, 0);
    while (status == -EXO_E_AGAIN);
    EXPECT(status, 0);
    EXPECT(exo_cap_delete(env), 0);
}

static struct exo_zone_status status_of(uint64_t zone)
{
    struct exo_zone_status status = {0};

    EXPECT(exo_zone_status(zone, &status), 0);
    return status;
}

static struct exo_audit_record last_record(void)
{
    struct exo_audit_info info;
    struct exo_audit_record record = {0};

    EXPECT(exo_audit_info(AUDIT, &info), 0);
    EXPECT(exo_audit_read(AUDIT, info.next - 1, &record, 1), 1);
    return record;
}

static uint64_t id_of(uint64_t handle)
{
    struct exo_cap_info info = {0};

    EXPECT(exo_cap_info(handle, &info), 0);
    return info.object;
}

CASE(zone_make_misuse, "a zone is made only of sound parts, at or below the label above")
{
    struct exo_zone_limits limits = unlimited;
    uint64_t low = zone_with(ZONE, LOW, 100, 10, 100);

    EXPECT(exo_zone_make(ZONE, EXO_LABELS, &limits), -EXO_E_INVAL);
    EXPECT(exo_zone_make(ZONE, ~0ul, &limits), -EXO_E_INVAL);
    EXPECT(exo_zone_make(ZONE, LOW, (void *)8), -EXO_E_FAULT);
    limits.weight = 0;
    EXPECT(exo_zone_make(ZONE, LOW, &limits), -EXO_E_INVAL);
    limits.weight = EXO_ZONE_WEIGHT_MAX + 1;
    EXPECT(exo_zone_make(ZONE, LOW, &limits), -EXO_E_INVAL);
    EXPECT(exo_zone_make(low, EXO_LABEL_TOP, &unlimited), EXO_LABEL_TOP == LOW ? 0 : -EXO_E_DENIED);
    EXPECT(exo_zone_make(MACHINE, LOW, &unlimited), -EXO_E_TYPE);
    EXPECT(exo_zone_status(low, (void *)8), -EXO_E_FAULT);
    EXPECT(exo_cap_delete(low), 0);
}

CASE(zone_accounts, "a zone counts frames, environments and slots, and so do those above")
{
    uint64_t outer = zone_with(ZONE, LOW, 500, 10, 1000), inner = zone_with(outer, LOW, 300, 5, 500);
    struct exo_zone_status before = status_of(outer), after;
    int64_t env = MUST(exo_env_create(inner, 0, 0));

    EXPECT(before.label, LOW);
    CHECK(before.limits.frames == 500 && before.limits.envs == 10 && before.limits.slots == 1000 && before.limits.weight == 7);
    EXPECT((int64_t)before.envs, 1); /* the zone below */
    EXPECT((int64_t)status_of(inner).parent, (int64_t)before.id);
    EXPECT(exo_cap_copy((uint64_t)env, 0, SELF, EXO_RIGHT_INSPECT, 0), 1);
    EXPECT(exo_mem_alloc((uint64_t)env, AREA(0), 20, EXO_PROT_READ), 20);
    after = status_of(inner);
    CHECK(after.envs == 1 && after.slots == 1 && after.frames > 20);
    after = status_of(outer);
    CHECK(after.envs == 2 && after.slots == 1 && after.frames > before.frames + 20);
    end_env((uint64_t)env);
    CHECK(status_of(inner).envs == 0 && status_of(inner).slots == 0 && status_of(outer).envs == 1);
    EXPECT(exo_cap_delete(inner), 0);
    EXPECT((int64_t)status_of(outer).envs, 0);
    EXPECT(exo_cap_delete(outer), 0);
}

CASE(zone_quotas, "a full zone says NOMEM, and its neighbour notices nothing")
{
    uint64_t full = zone_with(ZONE, LOW, 200, 3, 5), other = zone_with(ZONE, LOW, 200, 3, 5), env[3];
    int64_t neighbour;

    for (unsigned i = 0; i < 3; i++)
        env[i] = (uint64_t)MUST(exo_env_create(full, 0, 0));
    EXPECT(exo_env_create(full, 0, 0), -EXO_E_NOMEM);
    EXPECT(exo_zone_make(full, LOW, &unlimited), -EXO_E_NOMEM);
    EXPECT(exo_zone_create(full, 1), -EXO_E_NOMEM);
    for (unsigned i = 0; i < 5; i++)
        MUST(exo_cap_copy(env[i % 3], 0, SELF, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_cap_copy(env[0], 0, SELF, EXO_RIGHT_INSPECT, 0), -EXO_E_NOMEM);
    EXPECT(exo_env_clone_slots(env[0], AUDIT, 1), -EXO_E_NOMEM);
    CHECK(exo_mem_alloc(env[0], AREA(0), 1000, EXO_PROT_READ) < 200);
    EXPECT(exo_mem_alloc(env[1], AREA(0), 1, EXO_PROT_READ), -EXO_E_NOMEM);
    EXPECT(exo_frame_alloc(full, 1), -EXO_E_NOMEM);

    neighbour = MUST(exo_env_create(other, 0, 0));
    MUST(exo_cap_copy((uint64_t)neighbour, 0, SELF, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_mem_alloc((uint64_t)neighbour, AREA(0), 50, EXO_PROT_READ), 50);
    end_env((uint64_t)neighbour);
    for (unsigned i = 0; i < 3; i++)
        end_env(env[i]);
    CHECK(status_of(full).slots == 0 && status_of(full).envs == 0);
    EXPECT(exo_cap_delete(full), 0);
    EXPECT(exo_cap_delete(other), 0);
}

CASE(zone_numbers, "zones' numbers are given back, however many are made")
{
    for (unsigned i = 0; i < 3000; i++) {
        int64_t zone = exo_zone_make(ZONE, LOW, &unlimited);

        if (zone < 0) {
            EXPECT(zone, 0);
            break;
        }
        EXPECT(exo_cap_delete((uint64_t)zone), 0);
    }
}

CASE(zone_numbers_all, "a zone without quotas that makes all the zones that it can leaves numbers for others")
{
    static uint64_t made[1024];
    uint64_t greedy = zone_with(ZONE, LOW, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE);
    uint64_t below = zone_with(greedy, LOW, EXO_QUOTA_NONE, EXO_QUOTA_NONE, EXO_QUOTA_NONE);
    unsigned count = 0;
    int64_t handle;

    while (count < 1024 && (handle = exo_zone_create(count % 2 ? greedy : below, 50)) >= 0)
        made[count++] = (uint64_t)handle;
    while (count < 1024 && (handle = exo_zone_create(greedy, 50)) >= 0)
        made[count++] = (uint64_t)handle;
    EXPECT(handle, -EXO_E_LIMIT);
    EXPECT(exo_zone_create(below, 50), -EXO_E_LIMIT);
    CHECK(count > 500 && count < 900);
    EXPECT(exo_cap_delete((uint64_t)MUST(exo_zone_create(ZONE, 50))), 0);
    while (count > 0)
        EXPECT(exo_cap_delete(made[--count]), 0);
    EXPECT(exo_cap_delete((uint64_t)MUST(exo_zone_create(below, 50))), 0);
    EXPECT(exo_cap_delete(below), 0);
    EXPECT(exo_cap_delete(greedy), 0);
}

CASE(zone_chain, "zones of which each keeps the next alive end one after the other, not one within the other")
{
    static uint64_t made[700];
    unsigned count = 0;
    int64_t handle;

    while (count < 700 && (handle = exo_zone_create(ZONE, 50)) >= 0)
        made[count++] = (uint64_t)handle;
    CHECK(count > 500);
    for (unsigned i = 0; i + 1 < count; i++) { /* what its account of gas tells is charged to the next zone, and nobody else has it */
        uint64_t ear = (uint64_t)MUST(exo_ep_create_in(made[i + 1]));

        EXPECT(exo_gas_notify(made[i], ear, 1), 0);
        EXPECT(exo_cap_delete(ear), 0);
        if (i > 0)
            EXPECT(exo_cap_delete(made[i]), 0);
    }
    EXPECT(exo_cap_delete(made[count - 1]), 0);
    EXPECT(exo_cap_delete(made[0]), 0);
    for (unsigned i = 0; i < count; i++) { /* all numbers are free again, the last ones some entries later */
        while ((handle = exo_zone_create(ZONE, 50)) == -EXO_E_LIMIT)
            (void)!exo_wait(NULL, 0, bare_now() + 1000000);
        made[i] = (uint64_t)MUST(handle);
    }
    while (count > 0)
        EXPECT(exo_cap_delete(made[--count]), 0);
}

CASE(zone_depth, "zones below zones end at a depth")
{
    uint64_t zone[EXO_ZONE_DEPTH];
    unsigned depth = 0;
    int64_t made = 0;

    for (; depth < EXO_ZONE_DEPTH; depth++) {
        made = exo_zone_create(depth ? zone[depth - 1] : ZONE, EXO_QUOTA_NONE);
        if (made < 0)
            break;
        zone[depth] = (uint64_t)made;
    }
    EXPECT(made, -EXO_E_LIMIT);
    CHECK(depth == EXO_ZONE_DEPTH - 1);
    for (unsigned i = 0; i < depth; i++) /* from above: each lives on below the handle that is gone */
        EXPECT(exo_cap_delete(zone[i]), 0);
}

CASE(zone_outlives, "a zone ends with the last frame that is charged to it, wherever that is mapped")
{
    uint64_t zone = zone_with(ZONE, LOW, 100, 3, 100), id = status_of(zone).id;
    int64_t frame = MUST(exo_frame_alloc(zone, 2));

    EXPECT(exo_mem_map(SELF, AREA(0), (uint64_t)frame, 0, 2, EXO_PROT_READ | EXO_PROT_WRITE), 2);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_cap_delete(zone), 0);
    *(volatile char *)AREA(0) = 1;
    CHECK(last_record().kind != EXO_AUDIT_GONE || last_record().object != id);
    EXPECT(exo_mem_unmap(SELF, AREA(0), 1), 1);
    CHECK(last_record().kind != EXO_AUDIT_GONE || last_record().object != id);
    EXPECT(exo_mem_unmap(SELF, AREA(0) + EXO_PAGE_BYTES, 1), 1);
    CHECK(last_record().kind == EXO_AUDIT_GONE && last_record().object == id);
}

CASE(zone_enter, "an environment enters a zone at or below its label, and counts there")
{
    uint64_t middle = zone_with(ZONE, EXO_PLACE_PROGRAMS, 500, 10, 100), low = zone_with(ZONE, LOW, 500, 1, 100);
    uint64_t env = (uint64_t)MUST(exo_env_create(middle, 0, 0)), second = (uint64_t)MUST(exo_env_create(middle, 0, 0));
    int64_t weak = MUST(exo_cap_copy(SELF, 0, env, EXO_RIGHTS_ALL & ~EXO_RIGHT_ENTER, 0));
    struct exo_audit_record record;

    MUST(exo_cap_copy(env, 0, SELF, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_zone_enter(low, (uint64_t)weak), -EXO_E_RIGHTS);
    EXPECT(exo_zone_enter(low, env), 0);
    record = last_record();
    CHECK(record.kind == EXO_AUDIT_ENTER && record.verdict == 0 && record.who == id_of(env) && record.to == status_of(low).id &&
          record.from == status_of(middle).id && record.from_label == EXO_PLACE_PROGRAMS && record.to_label == LOW);
    CHECK(status_of(low).envs == 1 && status_of(low).slots == 1);
    CHECK(status_of(middle).envs == 1 && status_of(middle).slots == 0);
    EXPECT(exo_zone_enter(low, second), -EXO_E_NOMEM); /* one environment is its quota */
    CHECK(status_of(middle).envs == 1 && status_of(low).envs == 1);
    EXPECT(exo_zone_enter(middle, env), EXO_PLACE_PROGRAMS == LOW ? 0 : -EXO_E_DENIED); /* never up */
    record = last_record();
    CHECK(record.kind == EXO_AUDIT_ENTER && record.verdict == EXO_E_DENIED);
    EXPECT(exo_mem_alloc(env, AREA(0), 5, EXO_PROT_READ), 5);
    CHECK(status_of(low).frames >= 5);
    EXPECT(exo_cap_delete((uint64_t)weak), 0);
    end_env(env);
    EXPECT((int64_t)status_of(low).envs, 0);
    end_env(second);
    EXPECT(exo_cap_delete(low), 0);
    EXPECT(exo_cap_delete(middle), 0);
}

/* Reads the frame in slot 64 before and after somebody moved it to another zone. */
static void map_twice(uint64_t unused)
{
    struct exo_message message = {0};
    uint64_t answers = 0;

    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        int64_t status = exo_mem_map(SELF, AREA(0) + i * EXO_PAGE_BYTES, 64, 0, 1, EXO_PROT_READ);

        answers = answers << 8 | (uint64_t)(status < 0 ? -status : 0);
        if (i == 0 && exo_ep_call(65, &message) < 0)
            child_exit(99);
    }
    child_exit(answers + 1);
}

CASE(zone_enter_takes, "what an environment could name it cannot after entering a lower zone; what is bound stays")
{
    uint64_t middle = zone_with(ZONE, EXO_PLACE_PROGRAMS, 500, 10, 100), low = zone_with(ZONE, LOW, 500, 10, 100);
    struct child child = child_new_in(middle, map_twice, 0);
    struct exo_message message = {0};
    int64_t frame = MUST(exo_frame_alloc(middle, 1)), endpoint = MUST(exo_ep_create());

    EXPECT(exo_cap_copy(child.env, 64, (uint64_t)frame, EXO_RIGHT_READ, 0), 64);
    EXPECT(exo_cap_copy(child.env, 65, (uint64_t)endpoint, EXO_RIGHT_CALL, 1), 65);
    child_start(&child);
    EXPECT(exo_ep_recv((uint64_t)endpoint, &message, bare_now() + 10000000000ul), 0);
    EXPECT(exo_zone_enter(low, child.env), 0);
    EXPECT(exo_ep_reply(0, 0, 0, 0, 0), 0);
    EXPECT((int64_t)child_result(&child), (EXO_PLACE_PROGRAMS == LOW ? 0 : EXO_E_DENIED) + 1);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
    EXPECT(exo_cap_delete((uint64_t)frame), 0);
    EXPECT(exo_cap_delete(low), 0);
    EXPECT(exo_cap_delete(middle), 0);
}

CASE(audit_records, "making, giving and crossing leave records; the same again only counts")
{
    struct exo_audit_info before, after;
    uint64_t zone = zone_with(ZONE, LOW, 100, 10, 100), env;
    struct exo_audit_record records[8];

    EXPECT(exo_audit_info(AUDIT, &before), 0);
    env = (uint64_t)MUST(exo_env_create(zone, 0, 0));
    for (unsigned i = 0; i < 5; i++)
        MUST(exo_cap_copy(env, 0, CTX, EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_audit_info(AUDIT, &after), 0);
    EXPECT((int64_t)(after.next - before.next), 2);
    EXPECT(exo_audit_read(AUDIT, before.next, records, 8), 2);
    CHECK(records[0].kind == EXO_AUDIT_ENTER && records[0].object == id_of(env) && records[0].to == status_of(zone).id);
    CHECK(records[0].who == id_of(SELF) && records[0].from == status_of(ZONE).id && records[0].verdict == 0);
    CHECK(records[1].kind == EXO_AUDIT_GRANT && records[1].object == id_of(CTX) && records[1].count == 5);
    CHECK(records[1].sequence == records[0].sequence + 1 && records[1].time_ns >= records[0].time_ns);
    end_env(env);
    EXPECT(exo_cap_delete(zone), 0);
}

CASE(audit_calls, "a way to call into another zone is recorded as such")
{
    uint64_t zone = zone_with(ZONE, LOW, 100, 10, 100), env = (uint64_t)MUST(exo_env_create(zone, 0, 0));
    int64_t endpoint = MUST(exo_ep_create());
    struct exo_audit_record record;

    MUST(exo_cap_copy(env, 0, (uint64_t)endpoint, EXO_RIGHT_CALL, 3));
    record = last_record();
    CHECK(record.kind == EXO_AUDIT_CALL && record.object == id_of((uint64_t)endpoint) && record.to_label == LOW);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
    end_env(env);
    EXPECT(exo_cap_delete(zone), 0);
}

CASE(audit_overflow, "a full ring drops the oldest and counts what nobody had read")
{
    struct exo_audit_info start, full;
    static struct exo_audit_record records[EXO_AUDIT_MOST];
    uint64_t at;
    int64_t got;

    EXPECT(exo_audit_info(AUDIT, &start), 0);
    for (at = start.oldest; (got = exo_audit_read(AUDIT, at, records, EXO_AUDIT_MOST)) > 0;)
        at = records[got - 1].sequence + 1;
    EXPECT((int64_t)at, (int64_t)start.next);
    EXPECT(exo_audit_info(AUDIT, &start), 0);
    for (unsigned i = 0; i < 800; i++) { /* two records each: made and gone */
        int64_t zone = MUST(exo_zone_make(ZONE, LOW, &unlimited));

        EXPECT(exo_cap_delete((uint64_t)zone), 0);
    }
    EXPECT(exo_audit_info(AUDIT, &full), 0);
    EXPECT((int64_t)(full.next - start.next), 1600);
    EXPECT((int64_t)(full.next - full.oldest), 1024);
    EXPECT((int64_t)(full.dropped - start.dropped), 1600 - 1024);
    EXPECT(exo_audit_read(AUDIT, 0, records, EXO_AUDIT_MOST), EXO_AUDIT_MOST);
    EXPECT((int64_t)records[0].sequence, (int64_t)full.oldest);
    EXPECT(exo_audit_read(AUDIT, full.next, records, EXO_AUDIT_MOST), 0);
    EXPECT(exo_audit_read(AUDIT, ~0ul, records, EXO_AUDIT_MOST), 0);
}

static void read_audit(uint64_t unused)
{
    struct exo_audit_info info;

    (void)unused;
    child_exit((uint64_t)-exo_audit_info(64, &info) + 1);
}

CASE(audit_misuse, "the record is read by right and label only")
{
    struct exo_audit_record record;
    uint64_t low = zone_with(ZONE, LOW, 500, 10, 100);
    int64_t weak = MUST(exo_cap_copy(SELF, 0, AUDIT, EXO_RIGHTS_ALL & ~EXO_RIGHT_AUDIT, 0));
    struct child child = child_new_in(low, read_audit, 0);

    EXPECT(exo_audit_read((uint64_t)weak, 0, &record, 1), -EXO_E_RIGHTS);
    EXPECT(exo_audit_read(ZONE, 0, &record, 1), -EXO_E_TYPE);
    EXPECT(exo_audit_read(AUDIT, 0, (void *)8, 1), -EXO_E_FAULT);
    EXPECT(exo_audit_info(AUDIT, (void *)8), -EXO_E_FAULT);
    EXPECT(exo_cap_copy(child.env, 64, AUDIT, EXO_RIGHTS_ALL, 0), 64);
    child_start(&child);
    EXPECT((int64_t)child_result(&child), (EXO_PLACE_AUDIT == LOW ? 0 : EXO_E_DENIED) + 1);
    EXPECT(exo_cap_delete((uint64_t)weak), 0);
    EXPECT(exo_cap_delete(low), 0);
}

/* ---- members ---- */

static void spin(uint64_t unused)
{
    (void)unused;
    for (;;)
        ;
}

/* Ends whoever is in the zone or below; how many. */
static unsigned end_members(uint64_t zone)
{
    unsigned count = 0;
    int64_t member;

    while ((member = MUST(exo_zone_member(zone, 0))) > 0 && count < 20) {
        bare_destroy((uint64_t)member);
        count++;
    }
    return count;
}

CASE(orphan, "an environment that runs and that nobody holds is found, and ended, by who holds its zone or one above")
{
    uint64_t outer = zone_with(ZONE, status_of(ZONE).label, 1000, 10, 1000), inner = zone_with(outer, status_of(ZONE).label, 900, 9, 900);
    struct child child = child_new_in(inner, spin, 0);
    struct exo_env_info info = {0};
    struct exo_message message = {0};
    int64_t found;

    child_start(&child);
    EXPECT(exo_yield(), 0);
    EXPECT(exo_cap_delete(child.context), 0);
    EXPECT(exo_revoke_all(child.env), 0); /* its capability to itself, too */
    EXPECT(exo_cap_delete(child.env), 0);
    EXPECT(exo_ep_recv(child.death, &message, bare_now() + 1000000), -EXO_E_TIMEOUT); /* it goes on */
    found = MUST(exo_zone_member(outer, 0));
    EXPECT(exo_env_info((uint64_t)found, &info), 0);
    EXPECT(info.contexts, 1);
    EXPECT(exo_zone_member(outer, (uint64_t)found), 0);
    EXPECT(exo_zone_member(outer, SELF), -EXO_E_INVAL);
    EXPECT(exo_mem_alloc((uint64_t)found, AREA(0), 1, EXO_PROT_READ), -EXO_E_RIGHTS); /* to end it is not to act as it */
    bare_destroy((uint64_t)found);
    EXPECT(exo_ep_recv(child.death, &message, EXO_DEADLINE_NEVER), 0);
    CHECK(message.word[0] == EXO_NOTE_DEATH);
    EXPECT(exo_zone_member(outer, 0), 0);
    EXPECT(exo_cap_delete(child.death), 0);
    EXPECT(exo_cap_delete(inner), 0);
    EXPECT(exo_cap_delete(outer), 0);
}

CASE(members, "the members of a zone and of those below, each once; who enters is there, who ended is not")
{
    uint64_t outer = zone_with(ZONE, status_of(ZONE).label, 1000, 30, 1000), inner = zone_with(outer, status_of(ZONE).label, 900, 9, 900), weak;
    uint64_t env[6], seen = 0, last = 0;
    int64_t member;

    for (unsigned i = 0; i < 6; i++)
        env[i] = (uint64_t)MUST(exo_env_create(i < 3 ? outer : inner, 0, 0));
    EXPECT(exo_zone_enter(inner, env[0]), 0);
    while ((member = MUST(exo_zone_member(outer, last))) > 0) {
        for (unsigned i = 0; i < 6; i++)
            if (id_of(env[i]) == id_of((uint64_t)member)) {
                CHECK(!(seen >> i & 1));
                seen |= 1ul << i;
            }
        if (last)
            EXPECT(exo_cap_delete(last), 0);
        last = (uint64_t)member;
    }
    EXPECT((int64_t)seen, 0x3f);
    EXPECT(exo_cap_delete(last), 0);
    EXPECT(exo_zone_member(inner, env[1]), -EXO_E_INVAL);
    bare_destroy(env[3]);
    EXPECT(end_members(inner), 3);
    EXPECT(exo_zone_member(inner, 0), 0);
    EXPECT(exo_zone_member(inner, env[0]), -EXO_E_BADSLOT);
    weak = (uint64_t)MUST(exo_cap_copy(SELF, 0, outer, EXO_RIGHT_ZONE | EXO_RIGHT_CHARGE | EXO_RIGHT_INSPECT, 0));
    EXPECT(exo_zone_member(weak, 0), -EXO_E_RIGHTS);
    EXPECT(exo_cap_delete(weak), 0);
    EXPECT(end_members(outer), 2);
    for (unsigned i = 0; i < 6; i++)
        if (i != 3)
            EXPECT(exo_cap_delete(env[i]), 0);
    EXPECT(exo_cap_delete(inner), 0);
    EXPECT(exo_cap_delete(outer), 0);
}
