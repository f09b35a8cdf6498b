/*
 * The counters of CPUs (kernel/include/counters.h) between real threads, under ThreadSanitizer: each thread is a CPU that counts in its own, and one adds
 * them up all the while. Sums never go back and never say more than was counted; at the end no count is lost.
 */
#include "kernel/include/counters.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define CPUS 4u

static struct counters of_cpu[CPUS];
static unsigned long rounds = 60000;
static unsigned running = CPUS;

static void *processor(void *mine)
{
    struct counters *counters = mine;

    for (unsigned long i = 0; i < rounds; i++) {
        COUNT_ONE(counters->calls);
        if (i % 3 == 0)
            COUNT_ONE(counters->kicks);
    }
    __atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
    return NULL;
}

static struct counters sum_now(void)
{
    struct counters sum = {0};

    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        counters_add(&sum, &of_cpu[cpu]);
    return sum;
}

int main(int count, char **word)
{
    pthread_t thread[CPUS];
    struct counters before = {0};
    bool good = sizeof(struct counters) % 64 == 0 && (uintptr_t)&of_cpu[1] % 64 == 0; /* no line is two CPUs' */

    if (count > 1)
        rounds = strtoul(word[1], NULL, 10);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        if (pthread_create(&thread[cpu], NULL, processor, &of_cpu[cpu]) != 0)
            return 2;
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
        struct counters now = sum_now();

        good = good && now.calls >= before.calls && now.kicks >= before.kicks && now.calls <= CPUS * rounds && now.switches == 0;
        before = now;
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        (void)pthread_join(thread[cpu], NULL);
    before = sum_now();
    if (good && before.calls == CPUS * rounds && before.kicks == CPUS * ((rounds + 2) / 3))
        return 0;
    fprintf(stderr, "calls %lu, kicks %lu of %lu rounds of %u%s\n", before.calls, before.kicks, rounds, CPUS, good ? "" : "; a sum was not so");
    return 1;
}
