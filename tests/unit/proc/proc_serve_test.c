/*
 * Messages to proc: who may say what, credentials, and a storm of random messages after which everything must still hold.
 * unit-sources: servers/proc/table.c servers/proc/zone.c servers/proc/life.c servers/proc/wait.c servers/proc/kill.c
 * unit-sources: servers/proc/group.c servers/proc/credentials.c servers/proc/limit.c servers/proc/renew.c servers/proc/serve.c
 * unit-sources: servers/proc/ask.c servers/proc/trace.c servers/proc/owner.c servers/proc/inspect.c
 */
#include <exo/ipc.h>

#include "fake.h"

static uint64_t badge_of(uint32_t index)
{
    return PX_BADGE(index, processes[index].gen);
}

static int64_t say(uint64_t badge, uint64_t op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct exo_message message = {.word = {op, a, b, c, d}, .badge = badge};

    return serve(&message) ? (int64_t)message.word[0] : -1000;
}

static void test_badges(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    uint64_t badge = badge_of(child), old_gen = processes[child].gen;
    struct wait_answer answer;

    CHECK(say(badge, PX_PROC_SETPGID, 0, 0, 0, 0) == 0);
    CHECK(say(PX_BADGE(child, processes[child].gen + 1), PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH);
    CHECK(say(PX_BADGE(INIT, 1), PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH);
    CHECK(say(0, PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH);
    CHECK(say(PX_BADGE(40000, 1), PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH);
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_FS), PX_PROC_TTYSIGNAL, 5, 9, 0, 0) == -EINVAL); /* fs may only send signals of queues */
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_FS), PX_PROC_KILL, 30000, SIGUSR1, 0, 0) == -ESRCH);
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_FS), PX_PROC_KILL, (uint64_t)processes[child].pid, 65, 0, 0) == -EINVAL);
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_FS), PX_PROC_KILL, (uint64_t)processes[child].pid, 0, 0, 0) == -EINVAL);
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_FS), PX_PROC_KILL, (uint64_t)processes[child].pid | 77ull << 32, SIGUSR1 | 5ull << 32, (uint32_t)-3, 9) == 0);
    CHECK(machine_ppage(child)->sig_info[SIGUSR1].pid == 77 && machine_ppage(child)->sig_info[SIGUSR1].code == -3);
    CHECK(machine_ppage(child)->sig_info[SIGUSR1].uid == 5 && machine_ppage(child)->sig_info[SIGUSR1].value == 9);
    CHECK(say(badge, PX_PROC_EXIT, 7 << 8, 0, 0, 0) == -1000); /* no answer */
    CHECK(say(badge, PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH);
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.status == 7 << 8);
    CHECK(fake_fork(first) == child && processes[child].gen != old_gen);
    CHECK(say(badge, PX_PROC_SETPGID, 0, 0, 0, 0) == -ESRCH); /* the index has a new owner */
}

/* What the parent says between making a child and giving it up (it may meet a page of the table that it has not seen) changes nothing. */
static void test_given_up_later(void)
{
    uint32_t first = fake_start(), started = fake_fork(first), count = table->count;
    struct exo_message message = {.word = {PX_PROC_FORK}, .badge = badge_of(first)};

    CHECK(serve(&message) && message.word[0] == 0 && table->count == count + 1);
    CHECK(say(badge_of(first), PX_PROC_TABLE, 3, 0, 0, 0) == 0);
    CHECK(say(badge_of(first), PX_PROC_FORK_DONE, (uint64_t)processes[started].pid, 1, 0, 0) == -ESRCH);
    CHECK(say(badge_of(started), PX_PROC_FORK_DONE, message.word[1], 1, 0, 0) == -ESRCH);
    CHECK(say(badge_of(first), PX_PROC_FORK_DONE, message.word[1], 1, 0, 0) == 0 && table->count == count);
    fake_check();
}

static void test_only_tty(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    uint64_t tty = PX_SERVER_BADGE(PX_SERVER_TTY);
    struct exo_message message = {.word = {PX_PROC_SPAWN, 0, 0, 0, 77}, .badge = tty};

    CHECK(say(badge_of(child), PX_PROC_SPAWN, 0, 0, 0, 77) < 0);
    CHECK(say(badge_of(child), PX_PROC_TTYSIGNAL, (uint64_t)processes[first].pgid, SIGKILL, 0, 0) < 0 && is_alive(first));
    CHECK(say(badge_of(child), PX_PROC_SETTTY, 2, (uint64_t)processes[first].sid, 0, 0) == -EPERM && processes[first].tty == NO_TTY);
    CHECK(say(tty, PX_PROC_SETTTY, 2, (uint64_t)processes[first].sid, 0, 0) == 0 && processes[child].tty == 2);
    CHECK(say(badge_of(child), PX_PROC_SETTTY, (uint64_t)-1, 0, 0, 0) == 0 && processes[child].tty == NO_TTY && processes[first].tty == 2);
    CHECK(say(tty, PX_PROC_TTYSIGNAL, (uint64_t)processes[first].pgid, SIGINT, 0, 0) == 0);
    CHECK(fake_pending(first) & PX_SIGBIT(SIGINT) && fake_pending(child) & PX_SIGBIT(SIGINT));
    CHECK(say(tty, PX_PROC_TTYSIGNAL, 0, SIGINT, 0, 0) == -EINVAL);
    CHECK(say(tty, PX_PROC_TTYSIGNAL, 1, SIGINT, 0, 0) == -EINVAL);
    CHECK(say(tty, PX_PROC_TTYSIGNAL, 5, 65, 0, 0) == -EINVAL);
    CHECK(say(tty, PX_PROC_SPAWN, 0, 0, 0, 77) == -EINVAL); /* a number is no capability */
    message.capability = 77;
    CHECK(serve(&message) && (int64_t)message.word[0] == -EBUSY);
    CHECK(say(tty, PX_PROC_FORK, 0, 0, 0, 0) == -EPERM);
    CHECK(say(tty, PX_PROC_REBOOT, 1, 0, 0, 0) == -EPERM && fake_power == 0);
}

static void test_stop_race(void)
{
    uint32_t first = fake_start(), shell = fake_fork(first), job = fake_fork(shell);
    struct exo_message message = {.word = {PX_PROC_STOPPED, 0, SIGTSTP}, .badge = badge_of(job)};
    uint32_t seq = machine_ppage(job)->cont_seq;

    CHECK(group_setpgid(shell, 0, 0) == 0 && group_setpgid(shell, processes[job].pid, 0) == 0);
    CHECK(kill_call(shell, processes[job].pid, SIGTSTP, 0, 0) == 0); /* the job takes it */
    CHECK(kill_call(shell, processes[job].pid, SIGCONT, 0, 0) == 0); /* came while the stop was under way */
    CHECK(serve(&message) && message.word[0] == 0 && message.word[1] == 1 && processes[job].state == PX_RUNNING);
    CHECK(machine_ppage(job)->cont_seq == seq + 1);
    message = (struct exo_message){.word = {PX_PROC_STOPPED, 0, SIGTSTP}, .badge = badge_of(job)};
    CHECK(kill_call(shell, processes[job].pid, SIGSTOP, 0, 0) == 0); /* another one does not bring the old one back */
    CHECK(serve(&message) && message.word[0] == 0 && message.word[1] == 1 && processes[job].state == PX_RUNNING);
    message = (struct exo_message){.word = {PX_PROC_STOPPED, 0, SIGTSTP}, .badge = badge_of(job)};
    CHECK(kill_call(shell, processes[job].pid, SIGTSTP, 0, 0) == 0); /* stop, continue, stop: the job has only seen the first */
    CHECK(serve(&message) && message.word[1] == 0 && message.word[2] == seq + 1 && processes[job].state == PX_STOPPED);
    CHECK(kill_call(shell, processes[job].pid, SIGCONT, 0, 0) == 0 && !(fake_pending(job) & (PX_SIGBIT(SIGTSTP) | PX_SIGBIT(SIGSTOP))));
    /* Nobody sent one: nothing stops. */
    message = (struct exo_message){.word = {PX_PROC_STOPPED, 0, 0}, .badge = badge_of(job)};
    CHECK(serve(&message) && message.word[1] == 1 && processes[job].state == PX_RUNNING);
    /* Orphaned: only SIGSTOP stops. */
    CHECK(kill_call(first, processes[first].pid, SIGTSTP, 0, 0) == 0 && kill_call(first, processes[first].pid, SIGSTOP, 0, 0) == 0);
    message = (struct exo_message){.word = {PX_PROC_STOPPED, 0, SIGTSTP}, .badge = badge_of(first)};
    CHECK(serve(&message) && message.word[1] == 1 && processes[first].state == PX_RUNNING);
    message = (struct exo_message){.word = {PX_PROC_STOPPED, 0, SIGSTOP}, .badge = badge_of(first)};
    CHECK(serve(&message) && message.word[1] == 0 && processes[first].state == PX_STOPPED);
}

static void test_deaths(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    struct exo_message note = {.badge = EXO_BADGE_KERNEL, .word = {EXO_NOTE_DEATH, badge_of(child), EXO_REASON_FAULT | 14 << 8}};
    struct wait_answer answer;

    CHECK(!serve(&note) && processes[child].state == PX_ZOMBIE);
    note = (struct exo_message){.badge = EXO_BADGE_KERNEL, .word = {EXO_NOTE_DEATH, badge_of(child), EXO_REASON_FAULT}};
    CHECK(!serve(&note)); /* told twice: nothing happens */
    CHECK(wait_child(first, -1, 4, &answer) == 0 && answer.status == SIGSEGV);
    note = (struct exo_message){.badge = EXO_BADGE_KERNEL, .word = {EXO_NOTE_DEATH, PX_BADGE(60000, 3), EXO_REASON_FAULT}};
    CHECK(!serve(&note));
    fake_check();
}

static void test_credentials(void)
{
    uint32_t first = fake_start(), child = fake_fork(first);
    uint64_t badge = badge_of(child);
    const uint64_t leave = UINT32_MAX;
    uint32_t groups[32] = {5, 6};

    memcpy(machine_message(child), groups, sizeof(groups));
    CHECK(say(badge, PX_PROC_SETGROUPS, 2, 0, 0, 0) == 0 && table_entry(child)->ngroups == 2 && table_entry(child)->groups[1] == 6);
    CHECK(say(badge, PX_PROC_SETGROUPS, 33, 0, 0, 0) == -EINVAL);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_RESUID, 100, 200, 300) == 0);
    CHECK(processes[child].uid == 100 && processes[child].euid == 200 && processes[child].suid == 300);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_UID, 0, 0, 0) == -EPERM);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_UID, 300, 0, 0) == 0 && processes[child].euid == 300 && processes[child].uid == 100);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_UID, leave, 0, 0) == -EINVAL);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_RESUID, 100, 999, leave) == -EPERM && processes[child].euid == 300);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_REUID, 300, 100, 0) == 0 && processes[child].uid == 300 && processes[child].suid == 100);
    CHECK(say(badge, PX_PROC_SETCRED, PX_CRED_GID, 7, 0, 0) == -EPERM);
    CHECK(say(badge, PX_PROC_SETCRED, 99, 0, 0, 0) == -EINVAL);
    CHECK(say(badge, PX_PROC_SETGROUPS, 0, 0, 0, 0) == -EPERM);
    CHECK(say(badge, PX_PROC_REBOOT, 1, 0, 0, 0) == -EPERM && fake_power == 0);
    CHECK(say(badge, PX_PROC_SETPRIORITY, 0, 0, 5, 0) == 0 && processes[child].nice == 5);
    CHECK(say(badge, PX_PROC_SETPRIORITY, 0, 0, 4, 0) == -EACCES);
    CHECK(say(badge, PX_PROC_SETPRIORITY, 0, (uint64_t)processes[first].pid, 9, 0) == -EPERM);
    CHECK(say(badge_of(first), PX_PROC_SETCRED, PX_CRED_UID, 50, 0, 0) == 0 && processes[first].suid == 50);
    /* A forked child has its parent's groups and ids. */
    child = fake_fork(child);
    CHECK(table_entry(child)->ngroups == 2 && processes[child].suid == 100);
    fake_check();
}

static uint64_t seed = 12345;
static uint64_t roll(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t random_word(void)
{
    switch (roll() % 5) {
    case 0: return roll();
    case 1: return (uint64_t)-(int64_t)(roll() % 40);
    case 2: return roll() % 70;
    case 3: return (uint64_t)processes[roll() % PX_PROCS_MAX].pid;
    default: return 0;
    }
}

/* Random processes say random things; init and the invariants stay. */
static void test_storm(void)
{
    fake_start();
    for (unsigned round = 0; round < 60000; round++) {
        struct exo_message message = {.word = {roll() % (PX_PROC_LENT_EXIT + 2), random_word(), random_word(), random_word(), random_word()}};
        uint32_t index = (uint32_t)(2 + roll() % 24);

        if (message.word[0] == PX_PROC_REBOOT || message.word[0] == PX_PROC_SPAWN)
            continue;
        if (roll() % 4) /* keep the population up */
            message.word[0] = PX_PROC_FORK;
        message.badge = roll() % 50 == 0 ? PX_SERVER_BADGE(PX_SERVER_TTY) : roll() % 50 == 0 ? roll() : badge_of(index);
        if (roll() % 100 == 0) {
            message.badge = EXO_BADGE_KERNEL;
            message.word[0] = EXO_NOTE_DEATH;
            message.word[1] = badge_of(index);
        }
        for (unsigned i = 0; i < sizeof(fake_ppages[index]); i += 1 + (unsigned)(roll() % 400))
            ((uint8_t *)&fake_ppages[index])[i] ^= (uint8_t)roll(); /* a process may write anything there */
        if (roll() % 8)
            fake_ppages[index].sig_pending = 0; /* or a fork has to wait for its signals */
        fake_started[index] = roll() % 2;
        serve(&message);
        if (round % 64 == 0)
            fake_check();
        if (table->count == 1) {
            table->first_pid = 0;
            fake_start();
        }
    }
    fake_check();
}

#define KEEPCAPS 8
#define CAPBSET_DROP 24

/* Root's right to take any ids is kept by who asked for it as root, and by nobody else. */
static void test_kept(void)
{
    uint32_t first = fake_start(), child = fake_fork(first), other = fake_fork(first), grandchild;
    struct exec_text text = {.comm = "x"};

    CHECK(credentials_set(other, PX_CRED_UID, 1000, 0, 0, NULL) == 0 && say(badge_of(other), PX_PROC_PRCTL, KEEPCAPS, 1, 0, 0) == 0);
    CHECK(credentials_set(other, PX_CRED_UID, 1001, 0, 0, NULL) == -EPERM && credentials_set(other, PX_CRED_GID, 7, 0, 0, NULL) == -EPERM);
    CHECK(credentials_set_groups(other, NULL, 0) == -EPERM);

    CHECK(say(badge_of(child), PX_PROC_PRCTL, KEEPCAPS, 1, 0, 0) == 0 && credentials_set(child, PX_CRED_RESUID, 1000, 1000, 1000, NULL) == 0);
    CHECK(credentials_set(child, PX_CRED_GID | PX_CRED_WITHOUT, 7, 0, 0, NULL) == -EPERM && processes[child].gid == 0);
    CHECK(credentials_set(child, PX_CRED_GID, 7, 0, 0, NULL) == 0 && processes[child].gid == 7 && credentials_set_groups(child, NULL, 0) == 0);
    grandchild = fake_fork(child);
    CHECK(credentials_set(grandchild, PX_CRED_UID, 1002, 0, 0, NULL) == 0 && processes[grandchild].euid == 1002);
    CHECK(say(badge_of(grandchild), PX_PROC_PRCTL, CAPBSET_DROP, 0, 0, 0) == 0);
    CHECK(credentials_set(grandchild, PX_CRED_UID, 1003, 0, 0, NULL) == -EPERM && credentials_set_groups(grandchild, NULL, 0) == -EPERM);
    life_exec(child, &text);
    CHECK(credentials_set(child, PX_CRED_UID, 0, 0, 0, NULL) == -EPERM && credentials_set(child, PX_CRED_GID, 8, 0, 0, NULL) == -EPERM);
    fake_check();
}

/* Ids are raised for who has begun anew and run nothing since, by fs alone, once. */
static void test_renewal(void)
{
    uint32_t first = fake_start(), child = fake_fork(first), relative = fake_fork(first);
    uint64_t badge = badge_of(child), fs = PX_SERVER_BADGE(PX_SERVER_FS), both = PX_SETID_UID | PX_SETID_GID;
    struct exec_text text = {.comm = "x"};

    CHECK(say(badge, PX_PROC_CHROOT, 4711, 0, 0, 0) == 0 && credentials_set(child, PX_CRED_UID, 1000, 0, 0, NULL) == 0);
    CHECK(processes[child].dumpable == 0);
    CHECK(say(badge, PX_PROC_CHROOT, 4712, 0, 0, 0) == -EPERM && processes[child].root == 4711);
    CHECK(say(fs, PX_PROC_SETID, badge, 0, PX_SETID_UID, 0) == -EPERM && processes[child].euid == 1000);
    CHECK(say(badge, PX_PROC_RENEW, 0x1000, 0, 0, 0) == -EINVAL && say(badge, PX_PROC_RENEW, 0x1001, 1, 0, 0) == -EINVAL);
    CHECK(say(badge, PX_PROC_RENEW, ~0xfffull, 1, 0, 0) == -EINVAL && say(badge, PX_PROC_RENEW, 0x1000, PX_RENEWAL_PAGES + 1, 0, 0) == -EINVAL);
    life_exec(child, &text);
    CHECK(credentials_set(relative, PX_CRED_UID, 1000, 0, 0, NULL) == 0 && trace_may(relative, child, true));
    fake_renewal = -ENOMEM;
    CHECK(say(badge, PX_PROC_RENEW, 0x1000, 1, 0, 0) == -ENOMEM && !processes[child].fresh && processes[child].life == 0);
    CHECK(trace_may(relative, child, true));
    fake_renewal = 0;
    CHECK(say(badge, PX_PROC_RENEW, 0x1000, 1, 0, 0) == -1000 && fake_renewals == 1 && fake_root == 4711); /* nobody is left to answer */
    CHECK(!trace_may(relative, child, true) && !trace_may(relative, child, false) && trace_may(first, child, true));
    CHECK(say(EXO_BADGE_KERNEL, EXO_NOTE_DEATH, badge, EXO_REASON_DESTROYED, 0, 0) == -1000 && is_alive(child)); /* the old environment's */
    CHECK(say(badge, PX_PROC_SETID, badge, 0, both, 0) == -EINVAL);
    CHECK(say(PX_SERVER_BADGE(PX_SERVER_TTY), PX_PROC_SETID, badge, 0, both, 0) == -EPERM && processes[child].euid == 1000);
    CHECK(say(fs, PX_PROC_SETID, badge + 5, 0, both, 0) == -ESRCH);
    CHECK(say(fs, PX_PROC_SETID, badge, 7 | 8ull << 32, both, 0) == 0 && processes[child].fresh == false);
    CHECK(processes[child].uid == 1000 && processes[child].euid == 7 && processes[child].suid == 7 && processes[child].egid == 8);
    CHECK(say(fs, PX_PROC_SETID, badge, 0, both, 0) == -EPERM);
    life_exec(child, &text);
    CHECK(processes[child].dumpable == 0 && table_entry(child)->suid == 7);
    CHECK(say(badge, PX_PROC_RENEW, 0x1000, 1, 0, 0) == -1000);
    life_exec(child, &text); /* something else than it was begun anew for */
    CHECK(say(fs, PX_PROC_SETID, badge, 0, both, 0) == -EPERM && processes[child].euid == 7);
    CHECK(say(badge, PX_PROC_PRCTL, 38, 0, 0, 0) == 0 && say(badge, PX_PROC_RENEW, 0x1000, 1, 0, 0) == -1000);
    CHECK(say(fs, PX_PROC_SETID, badge, 0, both, 0) == 0 && processes[child].euid == 7); /* no_new_privs */
    CHECK(processes[fake_fork(child)].flags & PX_PF_NO_NEW_PRIVS);
    fake_renewal = -EFAULT;
    CHECK(say(badge, PX_PROC_RENEW, 0x1000, 1, 0, 0) == -1000 && !is_alive(child) && fake_soiled[child]);
    fake_renewal = 0;
    fake_check();
}

int main(void)
{
    test_badges();
    test_renewal();
    test_kept();
    test_given_up_later();
    test_only_tty();
    test_stop_race();
    test_deaths();
    test_credentials();
    test_storm();
    return 0;
}
