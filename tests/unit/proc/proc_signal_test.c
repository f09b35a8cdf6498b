/*
 * Signals, stopping and continuing, groups and sessions in proc.
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include "fake.h"

static void set_user(uint32_t index, uint32_t uid)
{
    processes[index].uid = processes[index].euid = processes[index].suid = uid;
}

static void test_permissions(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first), sid_other;
    int32_t sid;

    set_user(one, 1000);
    set_user(other, 2000);
    CHECK(kill_call(first, processes[one].pid, SIGTERM, 0, 0) == 0 && fake_pending(one) & PX_SIGBIT(SIGTERM));
    CHECK(kill_call(one, processes[other].pid, SIGTERM, 0, 0) == -EPERM && !fake_pending(other));
    CHECK(kill_call(one, processes[other].pid, 0, 0, 0) == -EPERM);
    CHECK(kill_call(one, processes[other].pid, SIGCONT, 0, 0) == 0); /* same session */
    processes[other].suid = 1000;
    CHECK(kill_call(one, processes[other].pid, SIGTERM, 0, 0) == 0); /* saved id counts */
    CHECK(kill_call(one, 31000, SIGTERM, 0, 0) == -ESRCH);
    CHECK(kill_call(one, processes[other].pid, 65, 0, 0) == -EINVAL);
    CHECK(kill_call(one, processes[other].pid, UINT64_MAX, 0, 0) == -EINVAL);
    CHECK(kill_call(one, INT32_MIN, SIGTERM, 0, 0) == -ESRCH);
    CHECK(kill_call(one, 1, SIGKILL, 0, 0) == -EPERM);
    CHECK(kill_call(first, 1, SIGKILL, 0, 0) == 0 && processes[INIT].state == PX_RUNNING);
    sid_other = fake_fork(first);
    set_user(sid_other, 3000);
    CHECK(group_setsid(sid_other, &sid) == 0);
    CHECK(kill_call(one, processes[sid_other].pid, SIGCONT, 0, 0) == -EPERM);
    fake_check();
}

static void test_groups(void)
{
    uint32_t first = fake_start(), leader = fake_fork(first), member = fake_fork(first), outside = fake_fork(first);

    CHECK(group_setpgid(first, processes[leader].pid, 0) == 0);
    CHECK(group_setpgid(first, processes[member].pid, processes[leader].pid) == 0);
    CHECK(kill_call(first, -processes[leader].pid, SIGUSR1, 0, 0) == 0);
    CHECK(fake_pending(leader) & PX_SIGBIT(SIGUSR1) && fake_pending(member) & PX_SIGBIT(SIGUSR1) && !fake_pending(outside));
    CHECK(kill_call(first, -31000, SIGUSR1, 0, 0) == -ESRCH);
    CHECK(kill_call(leader, 0, SIGKILL, 0, 0) == 0);
    CHECK(is_alive(leader) && life_kills_wait()); /* a moment later */
    life_end_killed();
    CHECK(processes[leader].state == PX_ZOMBIE && processes[member].state == PX_ZOMBIE && is_alive(outside));
    CHECK(kill_call(first, processes[leader].pid, SIGTERM, 0, 0) == 0); /* a zombie can be signalled */
    CHECK(kill_call(first, -1, SIGUSR2, 0, 0) == 0 && fake_pending(outside) & PX_SIGBIT(SIGUSR2) && !(fake_pending(first) & PX_SIGBIT(SIGUSR2)));
    fake_check();
}

static void test_ignored_and_blocked(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    unsigned posts = fake_posts[child];

    machine_ppage(child)->sig_ignored = PX_SIGBIT(SIGUSR1) | PX_SIGBIT(SIGUSR2);
    machine_ppage(child)->sig_blocked = PX_SIGBIT(SIGUSR2);
    CHECK(kill_call(first, processes[child].pid, SIGUSR1, 0, 0) == 0 && !fake_pending(child) && fake_posts[child] == posts);
    CHECK(kill_call(first, processes[child].pid, SIGUSR2, 0, 0) == 0 && fake_pending(child) == PX_SIGBIT(SIGUSR2));
    /* SIGSTOP and SIGKILL cannot be ignored, whatever the page says. */
    machine_ppage(child)->sig_ignored = ~0ull;
    machine_ppage(child)->sig_blocked = 0;
    CHECK(kill_call(first, processes[child].pid, SIGSTOP, 0, 0) == 0 && fake_pending(child) & PX_SIGBIT(SIGSTOP));
    CHECK(kill_call(first, processes[child].pid, SIGKILL, 0, 0) == 0);
    life_end_killed();
    CHECK(processes[child].state == PX_ZOMBIE && !life_kills_wait());
    CHECK(processes[child].status == SIGKILL);
}

static void test_queue(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    struct px_ppage *page = machine_ppage(child);

    for (uint64_t i = 0; i < PX_SIGQUEUE + 5; i++)
        CHECK(kill_call(first, processes[child].pid, 40, PX_KILL_SIGQUEUE, i) == 0);
    CHECK(page->queue_tail == PX_SIGQUEUE && page->queue[3].value == 3 && page->queue[3].code == SI_QUEUE);
    page->queue_head = 0xdeadbeef; /* a page full of nonsense must not hurt proc */
    page->queue_tail = 7;
    CHECK(kill_call(first, processes[child].pid, 40, PX_KILL_SIGQUEUE, 1) == 0);
    page->queue_head = page->queue_tail = UINT32_MAX;
    CHECK(kill_call(first, processes[child].pid, 40, PX_KILL_SIGQUEUE, 1) == 0);
}

static void test_stop_and_continue(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    struct wait_answer answer;

    life_stopped(child, 0x7f | SIGTSTP << 8);
    CHECK(machine_ppage(first)->sig_info[SIGCHLD].code == CLD_STOPPED && machine_ppage(first)->sig_info[SIGCHLD].status == SIGTSTP);
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.pid == 0);
    CHECK(wait_child(first, -1, 4 | 2, &answer) == 0 && answer.status == (0x7f | SIGTSTP << 8));
    CHECK(wait_child(first, -1, 4 | 2, &answer) == 0 && answer.pid == 0); /* told once */
    machine_ppage(child)->sig_pending = PX_SIGBIT(SIGTTIN);
    machine_ppage(child)->sig_ignored = PX_SIGBIT(SIGCONT);
    CHECK(kill_call(first, processes[child].pid, SIGCONT, 0, 0) == 0);
    CHECK(processes[child].state == PX_RUNNING && machine_ppage(child)->cont_seq == 1 && fake_pending(child) == 0);
    CHECK(wait_child(first, -1, 4 | 8, &answer) == 0 && answer.status == 0xffff);
    machine_ppage(first)->sig_pending = 0;
    machine_ppage(first)->child_flags = PX_CHILD_NOSTOP;
    life_stopped(child, 0x7f | SIGSTOP << 8);
    CHECK(machine_ppage(first)->sig_pending == 0 && machine_ppage(first)->child_seq > 2);
    CHECK(kill_call(first, processes[child].pid, SIGKILL, 0, 0) == 0); /* also when it is stopped */
    life_end_killed();
    CHECK(wait_child(first, -1, 4 | 2 | 8, &answer) == 0 && answer.status == SIGKILL);
    fake_check();
}

static void test_orphaned_group(void)
{
    uint32_t first = fake_start(), shell = fake_fork(first), job = fake_fork(shell);

    CHECK(group_setpgid(first, processes[shell].pid, 0) == 0);
    CHECK(group_setpgid(shell, processes[job].pid, 0) == 0);
    CHECK(!group_is_orphaned(processes[job].pgid, 0) && group_is_orphaned(processes[first].pgid, 0));
    life_stopped(job, 0x7f | SIGTSTP << 8);
    life_end(shell, 0, true);
    CHECK(fake_pending(job) & PX_SIGBIT(SIGHUP) && fake_pending(job) & PX_SIGBIT(SIGCONT) && processes[job].state == PX_RUNNING);
    fake_check();
}

static void test_setpgid_rules(void)
{
    uint32_t first = fake_start(), child = fake_fork(first), stranger = fake_fork(child);
    struct exec_text text = {.comm = "x"};
    int32_t sid;

    CHECK(group_setpgid(first, 0, 0) == -EPERM); /* session leader */
    CHECK(group_setpgid(first, processes[stranger].pid, 0) == -ESRCH);
    CHECK(group_setpgid(child, 0, -1) == -EINVAL);
    CHECK(group_setpgid(child, 0, 31000) == -EPERM);
    CHECK(group_setpgid(child, 31000, 0) == -ESRCH);
    CHECK(group_setpgid(child, 0, 0) == 0 && processes[child].pgid == processes[child].pid);
    CHECK(group_setsid(child, &sid) == -EPERM); /* leads a group */
    life_exec(stranger, &text);
    CHECK(group_setpgid(child, processes[stranger].pid, 0) == -EACCES);
    CHECK(group_setsid(stranger, &sid) == 0 && sid == processes[stranger].pid && processes[stranger].flags & PX_PF_LEADER);
    CHECK(group_setpgid(child, processes[stranger].pid, 0) == -EPERM); /* another session */
    CHECK(group_setsid(stranger, &sid) == -EPERM);
    stranger = fake_fork(child);
    life_end(stranger, 0, true); /* not yet waited for: as good as alive, for a shell that is slower than its child */
    CHECK(group_setpgid(child, processes[stranger].pid, 0) == 0 && processes[stranger].pgid == processes[stranger].pid);
    CHECK(group_setpgid(first, processes[stranger].pid, 0) == -ESRCH);
    fake_check();
}

static void test_terminal(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);

    group_set_tty(processes[first].sid, 3);
    CHECK(table_entry(first)->tty == 3 && table_entry(child)->tty == 3);
    CHECK(processes[fake_fork(first)].tty == 3);
    fake_tty_notes = 0;
    life_end(first, 0, true);
    CHECK(table_entry(child)->tty == NO_TTY && fake_tty_notes & PX_NOTE_PROCESS);
    fake_check();
}

/* The owner gets it whoever tells, if he shows the cookie, and if who set the owner may signal him. */
static void test_owners(void)
{
    uint32_t first = fake_start(), one = fake_fork(first), other = fake_fork(first);
    struct owner_wish wish = {.who = processes[one].pid, .fd = 5, .nonce = 0x123456789abcdefull};
    uint64_t cookie = 0, before;

    set_user(one, 1000);
    set_user(other, 2000);
    CHECK(owner_set(one, &wish, &cookie) == 0 && cookie && owner_tell(cookie, PX_TELL_IN) == 0);
    CHECK(fake_pending(one) == PX_SIGBIT(SIGIO) && fake_ppages[one].sig_info[SIGIO].code == SI_KERNEL);
    CHECK(owner_tell(cookie, PX_TELL_URGENT) == 0 && fake_pending(one) & PX_SIGBIT(SIGURG));
    CHECK(owner_tell(cookie ^ 1ull << 40, PX_TELL_IN) == -ESRCH && owner_tell(cookie + 1, PX_TELL_IN) == -ESRCH && owner_tell(0, PX_TELL_IN) == -ESRCH);
    CHECK(owner_tell(cookie, 0) == -EINVAL && owner_tell(cookie, PX_TELL_URGENT + 1) == -EINVAL && owner_tell(cookie, ~0ull) == -EINVAL);
    wish.signal = SIGRTMIN;
    CHECK(owner_set(one, &wish, &cookie) == 0 && owner_tell(cookie, PX_TELL_OUT) == 0 && fake_pending(one) & PX_SIGBIT(SIGRTMIN));
    CHECK(fake_ppages[one].sig_info[SIGRTMIN].code == PX_TELL_OUT && fake_ppages[one].sig_info[SIGRTMIN].value == 5);
    wish.signal = SIGCHLD;
    CHECK(owner_set(one, &wish, &cookie) == 0 && owner_tell(cookie, PX_TELL_IN) == 0 && fake_ppages[one].sig_info[SIGCHLD].code == -5);
    wish.signal = 65;
    CHECK(owner_set(one, &wish, &cookie) == -EINVAL);
    wish = (struct owner_wish){.who = processes[other].pid, .nonce = 99};
    CHECK(owner_set(one, &wish, &cookie) == 0 && owner_tell(cookie, PX_TELL_IN) == 0 && !fake_pending(other)); /* another user's */
    wish.who = -processes[one].pgid;
    CHECK(owner_set(one, &wish, &cookie) == 0 && owner_tell(cookie, PX_TELL_IN) == 0 && !fake_pending(other) && !(fake_pending(first) & PX_SIGBIT(SIGIO)));
    wish.who = 31000;
    CHECK(owner_set(one, &wish, &cookie) == -ESRCH);
    wish.who = -31000;
    CHECK(owner_set(one, &wish, &cookie) == -ESRCH);
    wish.who = INT32_MIN;
    CHECK(owner_set(one, &wish, &cookie) == -ESRCH);
    wish.who = 0;
    before = cookie;
    CHECK(owner_set(one, &wish, &cookie) == 0 && cookie == 0 && owner_tell(before, PX_TELL_IN) == -ESRCH);
    /* A process has its share of them, which end with it; and another's cookie changes nothing of his. */
    wish.who = processes[one].pid;
    CHECK(owner_set(one, &wish, &cookie) == 0);
    before = cookie;
    CHECK(owner_set(other, &wish, &cookie) == 0 && cookie != before && owner_tell(before, PX_TELL_IN) == 0);
    for (unsigned i = 0; i < 62; i++) {
        cookie = 0;
        CHECK(owner_set(other, &wish, &cookie) == 0);
    }
    cookie = 0;
    CHECK(owner_set(other, &wish, &cookie) == 0);
    before = cookie;
    cookie = 0;
    CHECK(owner_set(other, &wish, &cookie) == -EAGAIN);
    life_end(other, 0, true);
    CHECK(owner_tell(before, PX_TELL_IN) == -ESRCH && owner_set(one, &wish, &cookie) == 0);
    fake_check();
}

int main(void)
{
    test_permissions();
    test_groups();
    test_ignored_and_blocked();
    test_queue();
    test_stop_and_continue();
    test_orphaned_group();
    test_setpgid_rules();
    test_terminal();
    test_owners();
    return 0;
}
