/*
 * Marks in page-table entries between real threads, under ThreadSanitizer: one is a CPU that writes to the page, and sets the mark; the other is the
 * kernel, which protects it, and takes marks away that it has seen. No write goes without a mark that the kernel sees: as many as were set newly are seen.
 */
#include "kernel/include/marks.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITABLE 2ul
#define DIRTY 64ul

static uint64_t entry = WRITABLE, set;
static bool over;
static unsigned long rounds = 60000;

static void *processor(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        if (!(__atomic_load_n(&entry, __ATOMIC_RELAXED) & DIRTY))
            set += !(__atomic_fetch_or(&entry, DIRTY, __ATOMIC_RELAXED) & DIRTY);
    return NULL;
}

int main(int count, char **word)
{
    uint64_t seen = 0, was;
    pthread_t thread;

    if (count > 1)
        rounds = strtoul(word[1], NULL, 10);
    if (pthread_create(&thread, NULL, processor, NULL) != 0)
        return 2;
    for (unsigned long i = 0; i < rounds || seen < rounds / 100; i++) {
        was = __atomic_load_n(&entry, __ATOMIC_RELAXED);
        pte_change(&entry, was, was ^ WRITABLE);
        was = __atomic_load_n(&entry, __ATOMIC_RELAXED);
        seen += !!(was & DIRTY);
        pte_unmark(&entry, was & DIRTY);
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    (void)pthread_join(thread, NULL);
    seen += !!(entry & DIRTY);
    if (seen == set)
        return 0;
    fprintf(stderr, "%lu marks were set, %lu seen\n", set, seen);
    return 1;
}
