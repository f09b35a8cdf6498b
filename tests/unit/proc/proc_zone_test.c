/*
 * Zones of processes: who sees whom, by table, by number, by signal; quotas; the end of a zone.
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include "fake.h"

#include <exo/ipc.h>

static const struct exo_zone_limits limits = {EXO_QUOTA_NONE, 20, EXO_QUOTA_NONE, EXO_ZONE_WEIGHT};

static uint32_t spawn_in(uint32_t parent, unsigned label)
{
    struct fork_answer answer;

    CHECK(life_spawn_in(parent, label, &limits, &answer) == 0);
    CHECK(processes[answer.index].pid == answer.pid && processes[answer.index].sid == answer.pid);
    fake_started[answer.index] = true;
    return answer.index;
}

static bool shown(uint32_t zone, uint32_t index)
{
    return PX_PROC(machine_view(zone), index)->state != PX_FREE;
}

static void test_who_sees_whom(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST), inner = spawn_in(guest, EXO_LABEL_SANDBOX);
    uint32_t other = spawn_in(first, EXO_LABEL_GUEST), user = fake_fork(first), child = fake_fork(guest);
    uint32_t zone = processes[guest].zone, below = processes[inner].zone, beside = processes[other].zone;

    CHECK(zone != below && zone != beside && below != beside && processes[child].zone == zone);
    CHECK(shown(zone, guest) && shown(zone, child) && shown(zone, inner) && !shown(zone, first) && !shown(zone, user) && !shown(zone, other));
    CHECK(shown(below, inner) && !shown(below, guest) && !shown(below, child));
    CHECK(shown(0, first) && shown(0, guest) && shown(0, inner) && shown(0, other));
    CHECK(machine_view(zone)->count == 4 && machine_view(below)->count == 2 && table->count == 7); /* init too */
    CHECK(PX_PROC(machine_view(zone), guest)->ppid == 0 && PX_PROC(machine_view(0), guest)->ppid == processes[first].pid);
    CHECK(PX_PROC(machine_view(zone), child)->ppid == processes[guest].pid && PX_PROC(machine_view(zone), child)->fs_env == 0);
    CHECK(machine_view(zone)->first_pid == 0 && machine_view(beside)->entries > other);
    CHECK(shown(zone, INIT));
    fake_check();
}

static void test_signals(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST), other = spawn_in(first, EXO_LABEL_GUEST);
    uint32_t child = fake_fork(guest);

    for (int signo = 0; signo <= SIGKILL; signo += SIGKILL) {
        CHECK(kill_call(guest, processes[first].pid, (uint64_t)signo, 0, 0) == -ESRCH); /* and not EPERM: there is nobody */
        CHECK(kill_call(guest, processes[other].pid, (uint64_t)signo, 0, 0) == -ESRCH);
        CHECK(kill_call(guest, -processes[first].pgid, (uint64_t)signo, 0, 0) == -ESRCH);
        CHECK(kill_call(guest, 31000, (uint64_t)signo, 0, 0) == -ESRCH);
    }
    CHECK(kill_call(guest, -1, SIGTERM, 0, 0) == 0);
    CHECK(fake_pending(child) & PX_SIGBIT(SIGTERM));
    CHECK(!fake_pending(first) && !fake_pending(other));
    CHECK(group_setpgid(guest, processes[first].pid, 0) == -ESRCH);
    CHECK(credentials_set_priority(guest, 0, (uint32_t)processes[first].pid, 5) == -ESRCH);
    CHECK(credentials_set_priority(guest, 2, 0, 5) == 0 && processes[first].nice == 0 && processes[child].nice == 5);
    CHECK(kill_call(first, processes[child].pid, SIGTERM, 0, 0) == 0); /* from above it can be seen */
    fake_check();
}

static int64_t ask(uint32_t caller, uint64_t operation, uint64_t a, uint64_t b)
{
    struct exo_message message = {.badge = PX_BADGE(caller, processes[caller].gen), .word = {operation, a, b}};

    CHECK(serve(&message));
    return (int64_t)message.word[0];
}

static void test_requests(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST);

    CHECK(ask(guest, PX_PROC_USAGE, (uint64_t)processes[first].pid, 0) == -ESRCH);
    CHECK(ask(guest, PX_PROC_USAGE, 0, 0) == 0);
    CHECK(ask(guest, PX_PROC_REBOOT, 1, 0) == -EPERM && fake_power == 0);
    CHECK(ask(guest, PX_PROC_SETHOSTNAME, 3, 0) == -EPERM);
    CHECK(ask(guest, PX_PROC_AUDIT, 0, 0) == -EPERM && ask(first, PX_PROC_AUDIT, 0, 0) == 0);
    memcpy(machine_message(guest), &limits, sizeof(limits));
    CHECK(ask(guest, PX_PROC_ZONE, EXO_LABEL_USER, 0) == -EPERM);
    CHECK(ask(guest, PX_PROC_ZONE, EXO_LABELS, 0) == -EINVAL);
    CHECK(ask(guest, PX_PROC_ZONE, ~0ull, 0) == -EINVAL);
    CHECK(ask(guest, PX_PROC_ZONE, EXO_LABEL_SANDBOX, 0) == 0);
    CHECK(ask(guest, PX_PROC_RECLAIM, (uint64_t)processes[first].pid, 0) == -ESRCH);
    CHECK(ask(first, PX_PROC_RECLAIM, (uint64_t)processes[guest].pid, 0) == 0 && ask(guest, PX_PROC_RECLAIM, (uint64_t)processes[guest].pid, 0) == 0);
    CHECK(ask(first, PX_PROC_RECLAIM, 1, 0) == -ESRCH && ask(first, PX_PROC_RECLAIM, 0, 0) == -ESRCH && ask(first, PX_PROC_RECLAIM, ~0ull, 0) == -ESRCH);
    CHECK(ask(guest, PX_PROC_INSPECT, (uint64_t)processes[first].pid, 0) == -ESRCH && ask(first, PX_PROC_INSPECT, 1, 0) == -ESRCH);
    CHECK(ask(first, PX_PROC_INSPECT, (uint64_t)processes[guest].pid, 0) == 0 && ((struct px_inspect *)machine_message(first))->env.id == 5000 + guest);
    CHECK(ask(guest, PX_PROC_INSPECT, 0, 0) == 0 && ((struct px_inspect *)machine_message(guest))->env.id == 5000 + guest);
    CHECK(ask(first, PX_PROC_INSPECT, 3, 1) == 0 && ((struct px_inspect *)machine_message(first))->env.id == 6003);
    CHECK(ask(guest, PX_PROC_INSPECT, 3, 1) == -EPERM && ask(first, PX_PROC_INSPECT, 9, 1) == -ESRCH && ask(first, PX_PROC_INSPECT, 0, 2) == -EINVAL);
    processes[first].euid = 1000;
    CHECK(ask(first, PX_PROC_INSPECT, 3, 1) == -EPERM && ask(first, PX_PROC_INSPECT, (uint64_t)processes[guest].pid, 0) == -EPERM);
    CHECK(ask(first, PX_PROC_INSPECT, 0, 0) == 0);
    CHECK(ask(first, PX_PROC_RECLAIM, (uint64_t)processes[guest].pid, 0) == -EPERM);
    CHECK(ask(first, PX_PROC_AUDIT, 0, 0) == -EPERM);
    fake_check();
}

/* Numbers tell nothing of others: they come from the zone's range, in order, whatever others do. */
static void test_numbers(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST), child;
    int32_t pid = processes[guest].pid;
    uint64_t forks = machine_view(processes[guest].zone)->forks;

    for (unsigned i = 0; i < 30; i++)
        life_end(fake_fork(first), 0, true);
    child = fake_fork(guest);
    CHECK(processes[child].pid == pid + 1);
    CHECK(machine_view(processes[guest].zone)->forks == forks + 1 && machine_view(processes[guest].zone)->last_pid == pid + 1);
    for (unsigned i = 0; i < 2000; i++) { /* around the range, and never onto a number that somebody has */
        struct wait_answer answer;

        child = fake_fork(guest);
        CHECK(processes[child].pid >= ZONE_PIDS(processes[guest].zone) && processes[child].pid < ZONE_PIDS(processes[guest].zone + 1));
        life_end(child, 0, true);
        CHECK(wait_child(guest, -1, 4, &answer) == 0);
    }
    fake_check();
}

static void test_quota(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST);
    struct fork_answer answer;
    unsigned made = 0;

    while (life_fork(guest, 0, &fake_state, &answer) == 0)
        made++;
    CHECK(made == 19 && zone_members(processes[guest].zone) == 20);
    CHECK(life_fork(first, 0, &fake_state, &answer) == 0); /* nobody else notices */
    for (made = 0; life_spawn_in(first, EXO_LABEL_GUEST, &limits, &answer) == 0; made++)
        ;
    CHECK(made >= 5 && made < ZONES_MAX); /* zones are promised half of the table together */
    CHECK(life_spawn_in(guest, EXO_LABEL_GUEST, &limits, &answer) == -EAGAIN); /* full as it is */
    CHECK(life_fork(first, 0, &fake_state, &answer) == 0);
    fake_check();
}

/* Zones below a zone take from its share, and there are only so many. */
static void test_zones_below(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST), inner[ZONES_BELOW];
    struct fork_answer answer;
    unsigned made = 0;

    for (unsigned i = 0; i < ZONES_BELOW; i++)
        inner[i] = spawn_in(i ? inner[i - 1] : guest, EXO_LABEL_GUEST);
    CHECK(life_spawn_in(guest, EXO_LABEL_GUEST, &limits, &answer) == -EAGAIN);
    CHECK(life_spawn_in(inner[1], EXO_LABEL_GUEST, &limits, &answer) == -EAGAIN);
    CHECK(life_spawn_in(first, EXO_LABEL_GUEST, &limits, &answer) == 0);
    while (life_fork(inner[0], 0, &fake_state, &answer) == 0)
        made++;
    CHECK(made == 20 - 1 - ZONES_BELOW);
    CHECK(life_fork(guest, 0, &fake_state, &answer) == -EAGAIN && life_fork(inner[2], 0, &fake_state, &answer) == -EAGAIN);
    CHECK(life_fork(first, 0, &fake_state, &answer) == 0);
    fake_check();
}

static void test_end(void)
{
    uint32_t first = fake_start(), guest = spawn_in(first, EXO_LABEL_GUEST), inner = spawn_in(guest, EXO_LABEL_SANDBOX);
    uint32_t zone = processes[guest].zone, below = processes[inner].zone, child = fake_fork(guest);
    struct wait_answer answer;

    life_end(child, 0, true);
    CHECK(wait_child(guest, -1, 4, &answer) == 0 && !shown(zone, child));
    life_end(guest, 7 << 8, true);
    CHECK(fake_zones[zone] && fake_zones[below]); /* a zombie is somebody, and so is who lives below */
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.status == 7 << 8);
    CHECK(fake_zones[zone] && fake_zones[below] && processes[inner].parent == INIT);
    life_end(inner, 0, true);
    CHECK(!fake_zones[zone] && !fake_zones[below]);
    fake_check();
}

static void test_failures(void)
{
    uint32_t first = fake_start();
    struct fork_answer answer;

    for (int fail = 0; fail < 20; fail++) {
        fake_fail_in = fail;
        if (life_spawn_in(first, EXO_LABEL_GUEST, &limits, &answer) == 0)
            break;
        CHECK(fail < 10);
        fake_check(); /* no zone stays behind */
        CHECK(!fake_zones[1]);
    }
    fake_fail_in = -1;
    CHECK(fake_zones[1]);
}

static void test_first_in_zone(void)
{
    int32_t pid;

    fake_start();
    table_start();
    memset(fake_environment, 0, sizeof(fake_environment));
    CHECK(life_spawn(77, EXO_LABEL_ROOT, &pid) == -EPERM);
    CHECK(life_spawn(77, EXO_LABEL_GUEST, &pid) == 0 && pid >= ZONE_PIDS(1));
    CHECK(table->first_pid == pid && machine_view(1)->first_pid == pid);
    CHECK(life_spawn(77, EXO_LABEL_GUEST, &pid) == -EBUSY);
    fake_check();
}

int main(void)
{
    test_who_sees_whom();
    test_signals();
    test_requests();
    test_numbers();
    test_quota();
    test_zones_below();
    test_end();
    test_failures();
    test_first_in_zone();
    puts("1..1\nok 1 - zones of processes");
    return 0;
}
