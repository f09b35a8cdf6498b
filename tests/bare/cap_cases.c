/* Capability slots: generations, rights, badges, limits. */
#include "bare.h"

CASE(generations, "a handle dies with its slot's content")
{
    int64_t first = MUST(exo_ep_create()), second;

    EXPECT(exo_cap_delete((uint64_t)first), 0);
    EXPECT(exo_cap_delete((uint64_t)first), -EXO_E_STALE);
    second = MUST(exo_ep_create());
    CHECK(first != second && (first & 0xffff) == (second & 0xffff));
    EXPECT(exo_cap_delete((uint64_t)first), -EXO_E_STALE);
    EXPECT(exo_ep_notify((uint64_t)first, 1), -EXO_E_STALE);
    EXPECT(exo_ep_notify((uint64_t)second, 1), 0);
    EXPECT(exo_cap_delete((uint64_t)second), 0);
}

CASE(handles_misuse, "guessed and malformed handles name nothing")
{
    struct exo_cap_info info;
    uint64_t state = 12345;

    EXPECT(exo_cap_info(0, &info), -EXO_E_BADSLOT);
    EXPECT(exo_cap_info(SELF | 1ul << 48, &info), -EXO_E_BADSLOT);
    EXPECT(exo_cap_info(SELF | 1ul << 16, &info), -EXO_E_STALE);
    EXPECT(exo_cap_info(UINT64_MAX, &info), -EXO_E_BADSLOT);
    EXPECT(exo_cap_info(SELF, (void *)8), -EXO_E_FAULT);
    for (unsigned i = 0; i < 100000; i++) {
        state = state * 6364136223846793005ul + 1442695040888963407ul;
        if (state >> 16 == 0 && (state & 0xffff) <= bare_start->slots)
            continue;
        if (exo_cap_info(state, &info) == 0) {
            CHECK(!"random number is a handle");
            break;
        }
    }
}

CASE(rights_shrink, "copies have at most the rights of their source")
{
    struct exo_cap_info info;
    int64_t endpoint = MUST(exo_ep_create()), caller, again;

    caller = MUST(exo_cap_copy(SELF, 0, (uint64_t)endpoint, EXO_RIGHT_CALL | EXO_RIGHT_COPY, 5));
    EXPECT(exo_cap_info((uint64_t)caller, &info), 0);
    CHECK(info.type == EXO_TYPE_ENDPOINT && info.badge == 5 && info.rights == (EXO_RIGHT_CALL | EXO_RIGHT_COPY));
    again = MUST(exo_cap_copy(SELF, 0, (uint64_t)caller, EXO_RIGHTS_ALL, 0));
    EXPECT(exo_cap_info((uint64_t)again, &info), 0);
    CHECK(info.badge == 5 && info.rights == (EXO_RIGHT_CALL | EXO_RIGHT_COPY));
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)caller, EXO_RIGHTS_ALL, 6), -EXO_E_INVAL); /* no MINT */
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)endpoint, EXO_RIGHTS_ALL, EXO_BADGE_KERNEL), -EXO_E_INVAL);
    EXPECT(exo_ep_notify((uint64_t)caller, 1), -EXO_E_RIGHTS);
    EXPECT(exo_cap_copy(SELF, 1, (uint64_t)caller, EXO_RIGHTS_ALL, 0), -EXO_E_EXISTS);
    EXPECT(exo_cap_copy(SELF, 65536, (uint64_t)caller, EXO_RIGHTS_ALL, 0), -EXO_E_INVAL);
    EXPECT(exo_cap_copy(CTX, 0, (uint64_t)caller, EXO_RIGHTS_ALL, 0), -EXO_E_TYPE);
    EXPECT(exo_cap_delete((uint64_t)caller), 0);
    EXPECT(exo_cap_copy(SELF, 0, (uint64_t)caller, EXO_RIGHTS_ALL, 0), -EXO_E_STALE);
    EXPECT(exo_cap_delete((uint64_t)again), 0);
    EXPECT(exo_cap_delete((uint64_t)endpoint), 0);
}

CASE(types_checked, "each call takes only its own type of object")
{
    uint64_t handles[5] = {SELF, CTX, ZONE, MACHINE, 6};

    for (unsigned i = 0; i < 5; i++) {
        if (handles[i] != SELF)
            EXPECT(exo_mem_unmap(handles[i], AREA(0), 1), -EXO_E_TYPE);
        if (handles[i] != CTX)
            EXPECT(exo_ctx_post(handles[i], 0), -EXO_E_TYPE);
        if (handles[i] != ZONE)
            EXPECT(exo_frame_alloc(handles[i], 1), -EXO_E_TYPE);
        if (handles[i] != MACHINE)
            EXPECT(exo_console_write(handles[i], "x", 1), -EXO_E_TYPE);
        if (handles[i] != 6)
            EXPECT(exo_frame_address(handles[i]), -EXO_E_TYPE);
        EXPECT(exo_ep_notify(handles[i], 1), -EXO_E_TYPE);
        EXPECT(exo_irq_ack(handles[i]), -EXO_E_TYPE);
    }
}

CASE(many_slots, "slots up to the limit, in one environment of its own quota")
{
    int64_t zone = MUST(exo_zone_create(ZONE, 2000)), env = MUST(exo_env_create((uint64_t)zone, 0, 0));
    uint64_t count = 0;
    int64_t status = 0;

    for (uint64_t index = 1; index < EXO_SLOTS_MAX && status >= 0; index += 997) {
        status = exo_cap_copy((uint64_t)env, index, SELF, EXO_RIGHT_INSPECT, 0);
        count += status >= 0;
    }
    EXPECT((int64_t)count, 66);
    EXPECT(exo_cap_copy((uint64_t)env, EXO_SLOTS_MAX - 1, SELF, EXO_RIGHT_INSPECT, 0), EXO_SLOTS_MAX - 1);
    while (exo_env_destroy((uint64_t)env, 0) == -EXO_E_AGAIN)
        ;
    EXPECT(exo_cap_delete((uint64_t)env), 0);
    EXPECT(exo_cap_delete((uint64_t)zone), 0);
}

CASE(unknown_calls, "numbers that are no calls")
{
    EXPECT(exo_trap0(EXO_CALL_BASE + 44), -EXO_E_BADCALL);
    EXPECT(exo_trap0(EXO_CALL_BASE + 29), -EXO_E_BADCALL);
    EXPECT(exo_null(), 0);
}
