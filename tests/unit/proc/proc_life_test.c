/*
 * Fork, exec, wait, end and reparenting in proc.
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include "fake.h"

static void test_fork_and_wait(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    struct wait_answer answer;

    CHECK(processes[child].parent == first && processes[child].pgid == processes[first].pgid);
    CHECK(!(processes[child].flags & (PX_PF_LEADER | PX_PF_EXECED)));
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.pid == 0 && answer.children == 1);
    CHECK(wait_child(first, 9999, 4, &answer) == -ECHILD);
    CHECK(wait_child(child, -1, 4, &answer) == -ECHILD);
    life_end(child, 3 << 8, true);
    CHECK(fake_pending(first) & PX_SIGBIT(SIGCHLD));
    CHECK(machine_ppage(first)->sig_info[SIGCHLD].code == CLD_EXITED && machine_ppage(first)->sig_info[SIGCHLD].status == 3);
    CHECK(machine_ppage(first)->child_seq == 1);
    CHECK(processes[child].state == PX_ZOMBIE);
    CHECK(wait_child(first, -1, 4 | 0x01000000, &answer) == 0 && answer.pid > 0 && processes[child].state == PX_ZOMBIE);
    CHECK(wait_child(first, -1, 2, &answer) == 0 && answer.pid == 0); /* not asked for */
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.status == 3 << 8 && answer.spent.cpu_ns == 1000 && answer.children == 0);
    CHECK(wait_child(first, -1, 4, &answer) == -ECHILD);
    fake_check();
}

static void test_killed_status(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    struct wait_answer answer;

    life_end(child, SIGSEGV, false);
    CHECK(machine_ppage(first)->sig_info[SIGCHLD].code == CLD_KILLED && machine_ppage(first)->sig_info[SIGCHLD].status == SIGSEGV);
    CHECK(wait_child(first, processes[child].pid, 4, &answer) == 0 && answer.status == SIGSEGV);
    CHECK(fake_fs_notes == 1);
    fake_check();
}

static void test_orphans(void)
{
    uint32_t first = fake_start(), middle = fake_fork(first), dead = fake_fork(middle), living = fake_fork(middle);
    struct wait_answer answer;

    life_end(dead, 0, true);
    CHECK(processes[dead].state == PX_ZOMBIE);
    life_end(middle, 0, true);
    CHECK(processes[dead].state == PX_FREE); /* init reaped it */
    CHECK(processes[living].parent == INIT && table_entry(living)->ppid == 1);
    life_end(living, 0, true);
    CHECK(processes[living].state == PX_FREE);
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.pid > 0);
    fake_check();
}

static void test_nobody_waits(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);

    machine_ppage(first)->child_flags = PX_CHILD_NOWAIT;
    machine_ppage(first)->sig_ignored = PX_SIGBIT(SIGCHLD);
    life_end(child, 0, true);
    CHECK(processes[child].state == PX_FREE && !(fake_pending(first) & PX_SIGBIT(SIGCHLD)) && machine_ppage(first)->child_seq == 1);
    fake_check();
}

static void test_vfork_and_exec(void)
{
    uint32_t first = fake_start();
    struct exec_text text = {.comm = "prog", .exe = "/bin/prog", .length = 1 << 30, .cmdline = "prog\0-x"};
    struct fork_answer answer;

    CHECK(life_fork(first, PX_FORK_VFORK, &fake_state, &answer) == 0);
    CHECK(table_entry(answer.index)->flags & PX_PF_VFORK);
    life_exec(answer.index, &text);
    CHECK(!(table_entry(answer.index)->flags & PX_PF_VFORK) && table_entry(answer.index)->flags & PX_PF_EXECED);
    CHECK(machine_ppage(first)->child_seq == 1);
    CHECK(strcmp(table_entry(answer.index)->comm, "prog") == 0 && strcmp(table_entry(answer.index)->exe, "/bin/prog") == 0);
    CHECK(table_entry(answer.index)->cmdline_len == sizeof(text.cmdline)); /* a false length is cut off */
    memset(&text, 'x', sizeof(text));
    life_exec(answer.index, &text);
    CHECK(table_entry(answer.index)->comm[15] == 0 && table_entry(answer.index)->exe[255] == 0);
    fake_check();
}

static uint32_t lend(uint32_t maker, uint64_t flags)
{
    struct fork_answer answer;

    fake_ppages[maker].sig_pending &= ~PX_SIGBIT(SIGCHLD);
    CHECK(life_fork(maker, PX_FORK_VFORK | PX_FORK_LENT | flags, &fake_state, &answer) == 0 && answer.child.env == 0 && answer.child.ctx == 0);
    CHECK(processes[answer.index].lent && !fake_environment[answer.index] && table_entry(answer.index)->fs_env == 0);
    fake_check();
    return answer.index;
}

/* A vfork child in its maker's environment: its end, and its becoming a process of its own, which nobody but its maker can ask for. */
static void test_lent(void)
{
    uint32_t first = fake_start(), other = fake_fork(first), child = lend(first, 0), posts = fake_posts[first];
    const struct px_siginfo terminate = {.signo = SIGTERM};
    struct exec_text text = {.comm = "prog"};
    struct fork_answer answer;
    struct wait_answer news;
    int32_t pid = processes[child].pid;

    kill_post(child, &terminate);
    CHECK(fake_pending(child) & PX_SIGBIT(SIGTERM) && fake_posts[first] == posts + 1); /* its maker is told */
    CHECK(life_claim(other, pid, &fake_state, NULL, &answer) == -ESRCH && life_lent_exit(other, pid, 0) == -ESRCH);
    CHECK(life_claim(first, processes[other].pid, &fake_state, NULL, &answer) == -ESRCH && life_lent_exit(first, processes[other].pid, 0) == -ESRCH);
    CHECK(life_fork_failed(first, pid) == -ESRCH);
    CHECK(life_lent_exit(first, pid, 7 << 8) == 0 && life_lent_exit(first, pid, 7 << 8) == -ESRCH);
    CHECK(wait_child(first, pid, 4, &news) == 0 && news.status == 7 << 8 && news.spent.cpu_ns == 0);
    fake_check();
    child = lend(first, 0);
    pid = processes[child].pid;
    fake_fail_in = 0;
    CHECK(life_claim(first, pid, &fake_state, NULL, &answer) == -ENOMEM && processes[child].lent);
    fake_fail_in = -1;
    CHECK(life_claim(first, pid, &fake_state, NULL, &answer) == 0 && answer.child.env == 1000 + child && fake_environment[child]);
    CHECK(machine_ppage(child)->hazard_count == PX_HAZARDS_ANY && table_entry(child)->flags & PX_PF_VFORK);
    CHECK(life_claim(first, pid, &fake_state, NULL, &answer) == -ESRCH && life_lent_exit(first, pid, 0) == -ESRCH);
    CHECK(life_fork_failed(first, pid) == 0); /* it was never started */
    fake_check();
    child = lend(first, 0);
    CHECK(life_claim(first, processes[child].pid, &fake_state, &text, &answer) == 0 && !(table_entry(child)->flags & PX_PF_VFORK));
    CHECK(strcmp(table_entry(child)->comm, "prog") == 0);
    fake_check();
}

/* Whoever ends it, nobody is left with an environment that is not his. */
static void test_lent_and_killed(void)
{
    uint32_t first = fake_start(), maker = fake_fork(first), child = lend(maker, 0), posts = fake_posts[maker], second;
    struct fork_answer answer;
    struct wait_answer news;

    life_kill(child);
    life_end_killed();
    CHECK(processes[child].state == PX_ZOMBIE && fake_posts[maker] > posts && fake_environment[maker]);
    CHECK(life_claim(maker, processes[child].pid, &fake_state, NULL, &answer) == -ESRCH);
    CHECK(wait_child(maker, -1, 4, &news) == 0 && news.status == SIGKILL);
    fake_check();
    child = lend(maker, PX_FORK_PARENT); /* a child of its grandparent's */
    CHECK(processes[child].parent == first);
    second = lend(maker, 0); /* one at a time */
    CHECK(processes[child].state == PX_ZOMBIE && processes[second].lent && processes[maker].lends == second);
    life_end(maker, SIGKILL, false); /* takes it along */
    CHECK(processes[second].state == PX_FREE);
    fake_check();
}

static void test_full_table(void)
{
    uint32_t first = fake_start(), made = 0;
    struct fork_answer answer;
    struct wait_answer reaped;
    int64_t status;

    while ((status = life_fork(first, 0, &fake_state, &answer)) == 0)
        made++;
    CHECK(status == -EAGAIN && made == PX_PROCS_MAX - 3);
    fake_check();
    for (uint32_t index = INIT + 1; index < PX_PROCS_MAX; index++)
        if (index != first)
            life_end(index, 0, true);
    while (wait_child(first, -1, 4, &reaped) == 0)
        made--;
    machine_ppage(first)->sig_pending = 0; /* it has taken its SIGCHLD */
    CHECK(made == 0 && life_fork(first, 0, &fake_state, &answer) == 0);
    fake_check();
}

static void test_fork_fails_in_the_middle(void)
{
    for (int nth = 0; nth < 3; nth++) {
        uint32_t first = fake_start(), before = table->count;
        struct fork_answer answer;
        int64_t status;

        fake_fail_in = nth;
        status = life_fork(first, 0, &fake_state, &answer);
        CHECK(status == (nth < 2 ? -ENOMEM : 0));
        CHECK(table->count == before + (status == 0));
        fake_check();
    }
}

static void test_fork_given_up(void)
{
    uint32_t first = fake_start(), bystander = fake_fork(first);
    struct fork_answer answer;
    struct wait_answer none;

    CHECK(life_fork(first, 0, &fake_state, &answer) == 0);
    CHECK(life_fork_failed(bystander, answer.pid) == -ESRCH);
    CHECK(life_fork_failed(first, processes[bystander].pid) == -ESRCH);
    CHECK(life_fork_failed(first, answer.pid) == 0 && processes[answer.index].state == PX_FREE);
    CHECK(wait_child(first, answer.pid, 4, &none) == -ECHILD);
    fake_check();
}

/* A parent that is killed between making a child and starting it leaves no sleeper behind; one that is killed right after lets it live. */
static void test_unstarted_child(void)
{
    for (int started = 0; started < 2; started++)
        for (unsigned flags = 0; flags <= PX_FORK_PARENT; flags += PX_FORK_PARENT) {
            uint32_t first = fake_start(), parent = fake_fork(first);
            struct fork_answer answer;

            CHECK(life_fork(parent, flags, &fake_state, &answer) == 0);
            fake_started[answer.index] = started;
            life_end(parent, SIGKILL, false);
            CHECK(is_alive(answer.index) == started);
            fake_check();
        }
}

/* Somebody kills the child before it is started: the parent's fork has succeeded, and the child's end is told. */
static void test_killed_before_start(void)
{
    uint32_t first = fake_start();
    struct fork_answer answer;
    struct wait_answer told;

    CHECK(life_fork(first, 0, &fake_state, &answer) == 0);
    CHECK(kill_call(first, answer.pid, SIGKILL, 0, 0) == 0);
    life_end_killed();
    CHECK(life_fork_failed(first, answer.pid) == -ESRCH);
    CHECK(wait_child(first, answer.pid, 4, &told) == 0 && told.pid == answer.pid && told.status == SIGKILL);
    fake_check();
}

/* The parent gets the processor as soon as SIGCHLD is posted: it must find child_seq changed and the news there, for it will not look again. */
static uint32_t news_of, news_seq, news_found;

static void look_for_news(uint32_t index)
{
    struct wait_answer answer;

    if (index != news_of)
        return;
    CHECK(machine_ppage(index)->child_seq != news_seq);
    CHECK(wait_child(index, -1, 2 | 4 | 8, &answer) == 0 && answer.pid > 0);
    news_seq = machine_ppage(index)->child_seq;
    news_found++;
}

static void test_news_before_signal(void)
{
    uint32_t first = fake_start(), child = fake_fork(first), other = fake_fork(first);
    const struct px_siginfo cont = {.signo = SIGCONT};

    news_of = first;
    news_seq = machine_ppage(first)->child_seq;
    fake_on_post = look_for_news;
    life_stopped(child, 0x7f | SIGTSTP << 8);
    CHECK(news_found == 1);
    kill_post(child, &cont);
    CHECK(news_found == 2);
    life_end(child, 0, true);
    CHECK(news_found == 3);
    life_end(other, SIGKILL, false);
    CHECK(news_found == 4);
    fake_on_post = NULL;
    fake_check();
}

/* A signal to the group just before a fork comes first; one during or after it reaches the child, too. */
static void test_fork_and_group_signal(void)
{
    uint32_t first = fake_start(), parent = fake_fork(first), entries = table_end();
    struct fork_answer answer;

    CHECK(kill_group(processes[parent].pgid, SIGTERM) == 2);
    CHECK(life_fork(parent, 0, &fake_state, &answer) == -ERESTARTNOINTR && table_end() == entries);
    fake_check();
    machine_ppage(parent)->sig_blocked = PX_SIGBIT(SIGTERM); /* it will not take it: no reason to wait */
    CHECK(life_fork(parent, 0, &fake_state, &answer) == 0 && !fake_pending(answer.index));
    machine_ppage(parent)->sig_blocked = 0;
    machine_ppage(parent)->sig_ignored = PX_SIGBIT(SIGTERM);
    CHECK(life_fork(parent, 0, &fake_state, &answer) == 0);
    CHECK(kill_group(processes[parent].pgid, SIGINT) == 4 && fake_pending(answer.index) == PX_SIGBIT(SIGINT));
    fake_check();
}

static void test_first_process_ends(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);

    life_end(first, 42 << 8, true);
    CHECK(table->first_done == 1 && table->first_status == 42 << 8 && fake_tty_notes & PX_NOTE_FIRST_DONE);
    CHECK(processes[first].state == PX_FREE && processes[child].parent == INIT);
    fake_check();
}

static void test_pids_wrap(void)
{
    uint32_t first = fake_start(), keeper = fake_fork(first);
    int32_t held = processes[keeper].pid;

    table->last_pid = PID_MAX - 2;
    CHECK(processes[fake_fork(first)].pid == PID_MAX - 1);
    for (int i = 0; i < 4; i++) {
        int32_t pid = processes[fake_fork(first)].pid;

        CHECK(pid != held && pid != processes[first].pid && pid > 1 && pid < 10);
    }
    fake_check();
}

static void test_death_signal(void)
{
    uint32_t first = fake_start(), parent = fake_fork(first), child = fake_fork(parent);

    processes[child].death_signal = SIGTERM;
    life_end(parent, 0, true);
    CHECK(fake_pending(child) & PX_SIGBIT(SIGTERM));
    fake_check();
}

static void test_limits(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    const struct px_rlimit low = {2, 3}, high = {2, 4}, odd = {3, 2};
    struct px_rlimit old;

    CHECK(limit_call(first, 0, PX_RLIMITS, NULL, &old) == -EINVAL && limit_call(first, 0, ~0ull, NULL, &old) == -EINVAL);
    CHECK(limit_call(first, 9999, 0, NULL, &old) == -ESRCH && limit_call(first, -1, 0, NULL, &old) == -ESRCH);
    CHECK(limit_call(first, processes[child].pid, PX_LIMIT_NPROC, &odd, &old) == -EINVAL);
    CHECK(limit_call(first, processes[child].pid, PX_LIMIT_NPROC, &low, &old) == 0 && old.hard == PX_PROCS_MAX - 1);
    CHECK(fake_limit_posts == 1 && rlimits[child][PX_LIMIT_NPROC].soft == 2);
    CHECK(rlimits[first][PX_LIMIT_NPROC].soft == PX_PROCS_MAX - 1);
    processes[child].uid = processes[child].euid = processes[child].suid = 5;
    CHECK(limit_call(child, processes[first].pid, PX_LIMIT_NPROC, NULL, &old) == -EPERM);
    CHECK(limit_call(child, 0, PX_LIMIT_NPROC, &high, &old) == -EPERM && limit_call(child, 0, PX_LIMIT_NPROC, &low, &old) == 0);
    CHECK(limit_allows_fork(child)); /* one of two */
    fake_fork(child);
    CHECK(!limit_allows_fork(child));
    fake_check();
}

static void test_subreaper(void)
{
    uint32_t first = fake_start(), reaper = fake_fork(first), middle = fake_fork(reaper), dead = fake_fork(middle), living = fake_fork(middle);

    processes[reaper].subreaper = true;
    life_end(dead, 3 << 8, true);
    CHECK(!(fake_pending(reaper) & PX_SIGBIT(SIGCHLD)));
    life_end(middle, 0, true);
    CHECK(processes[dead].state == PX_ZOMBIE && processes[dead].parent == reaper && table_entry(dead)->ppid == processes[reaper].pid);
    CHECK(processes[living].parent == reaper && fake_pending(reaper) & PX_SIGBIT(SIGCHLD));
    machine_ppage(first)->child_flags = 0;
    life_end(reaper, 0, true);
    CHECK(processes[dead].state == PX_FREE && processes[living].parent == INIT);
    fake_check();
}

int main(void)
{
    test_limits();
    test_subreaper();
    test_fork_and_wait();
    test_killed_status();
    test_orphans();
    test_nobody_waits();
    test_vfork_and_exec();
    test_lent();
    test_lent_and_killed();
    test_full_table();
    test_fork_fails_in_the_middle();
    test_fork_given_up();
    test_unstarted_child();
    test_killed_before_start();
    test_news_before_signal();
    test_fork_and_group_signal();
    test_first_process_ends();
    test_pids_wrap();
    test_death_signal();
    return 0;
}
