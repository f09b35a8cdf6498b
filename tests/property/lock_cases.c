/* A debug kernel stops when the rules of its one lock (kernel/include/lock.h) are broken: each is, in a process of its own. */
#include "cases.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THIS_CPU 1u  /* as lock_holder has it */
#define OTHER_CPU 2u

/* Whether the kernel stops when `holder` has the lock and this CPU does that. */
static bool stops(uint32_t holder, void (*act)(void))
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(2);
        lock_holder = holder;
        act();
        _exit(0);
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid, "no process");
    REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT), "status %x", (unsigned)status);
    return WIFSIGNALED(status);
}

static struct timer timer;

static void hold_object(void)
{
    object_hold(&case_self()->env->object);
}
static void drop_object(void)
{
    object_hold(&case_self()->env->object);
    object_drop(&case_self()->env->object);
}
static void take_frame(void)
{
    (void)frame_take(zones[0], 0, false);
}
static void arm_timer(void)
{
    timer_arm(&timer, 1000);
}
static void insert_capability(void)
{
    (void)cap_insert(case_self()->env, 0, &case_self()->env->object, EXO_RIGHT_READ, 0);
}
static void charge_zone(void)
{
    (void)zone_charge(zones[0], 0);
}
static void make_call(void)
{
    (void)DO(CAP_DELETE, 60000);
}

CASE(lock_needed_by, "what all CPUs share is not touched while another CPU has the lock")
{
    void (*const acts[])(void) = {hold_object, drop_object, take_frame, arm_timer, insert_capability, charge_zone, make_call, lock_needed};

    for (unsigned i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        REQUIRE(!stops(THIS_CPU, acts[i]), "act %u, with the lock", i);
        REQUIRE(!stops(0, acts[i]), "act %u, with one CPU", i);
        REQUIRE(stops(OTHER_CPU, acts[i]), "act %u, without the lock", i);
    }
}

static void nothing(void)
{
}
static void take(void)
{
    lock_taking();
    lock_taken();
}
static void take_and_give(void)
{
    take();
    hold_object();
    lock_giving();
    lock_unwanted();
}

CASE(lock_order, "the kernel's lock is taken once, and given back by who has it")
{
    REQUIRE(!stops(0, nothing) && !stops(OTHER_CPU, nothing), "without any act");
    REQUIRE(!stops(0, take_and_give), "taken, and given back");
    REQUIRE(stops(THIS_CPU, take), "taken twice");
    REQUIRE(stops(THIS_CPU, lock_taking), "waited for by who has it");
    REQUIRE(!stops(OTHER_CPU, lock_taking), "waited for while another one has it");
    REQUIRE(stops(OTHER_CPU, lock_taken), "had by two");
    REQUIRE(!stops(THIS_CPU, lock_giving), "given back");
    REQUIRE(stops(OTHER_CPU, lock_giving), "given back by another one");
    REQUIRE(stops(0, lock_giving), "given back by nobody");
    REQUIRE(stops(THIS_CPU, lock_unwanted), "where others wait for who has it");
    REQUIRE(!stops(OTHER_CPU, lock_unwanted) && !stops(0, lock_unwanted), "and where they do not");
}
