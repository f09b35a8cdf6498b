#include <exo/loop.h>

/* One loop for all: `step` does some pages from `at` on and says how many. */
#define REPEAT(pages, done, step)                                                                                      \
    do {                                                                                                               \
        uint64_t at = 0;                                                                                               \
        int64_t status = 0;                                                                                            \
        while (at < (pages)) {                                                                                         \
            status = (step);                                                                                           \
            if (status <= 0)                                                                                           \
                break;                                                                                                 \
            at += (uint64_t)status;                                                                                    \
        }                                                                                                              \
        if (done)                                                                                                      \
            *(uint64_t *)(done) = at;                                                                                  \
        return status < 0 ? status : 0;                                                                                \
    } while (0)

int64_t exo_alloc_all(uint64_t env, uint64_t va, uint64_t pages, uint64_t prot, uint64_t *done)
{
    REPEAT(pages, done, exo_mem_alloc(env, va + at * EXO_PAGE_BYTES, pages - at, prot));
}

int64_t exo_map_all(uint64_t env, uint64_t va, uint64_t frame, uint64_t first, uint64_t pages, uint64_t prot)
{
    REPEAT(pages, (void *)0, exo_mem_map(env, va + at * EXO_PAGE_BYTES, frame, first + at, pages - at, prot));
}

static int64_t share_some(uint64_t env, uint64_t va, uint64_t source_va, uint64_t pages, uint64_t mode_prot)
{
    int64_t status;

    do
        status = exo_mem_share(env, va, source_va, pages, mode_prot);
    while (status == -EXO_E_AGAIN); /* it is soon decided whether the page is to go */
    return status;
}

int64_t exo_share_all(uint64_t env, uint64_t va, uint64_t source_va, uint64_t pages, uint64_t mode_prot)
{
    REPEAT(pages, (void *)0,
           share_some(env, va + at * EXO_PAGE_BYTES, source_va + at * EXO_PAGE_BYTES, pages - at, mode_prot));
}

static int64_t fetch_some(uint64_t env, uint64_t va, uint64_t own_va, uint64_t pages, uint64_t prot)
{
    int64_t status;

    do
        status = exo_mem_fetch(env, va, own_va, pages, prot);
    while (status == -EXO_E_AGAIN);
    return status;
}

int64_t exo_fetch_all(uint64_t env, uint64_t va, uint64_t own_va, uint64_t pages, uint64_t prot)
{
    REPEAT(pages, (void *)0, fetch_some(env, va + at * EXO_PAGE_BYTES, own_va + at * EXO_PAGE_BYTES, pages - at, prot));
}

int64_t exo_protect_all(uint64_t env, uint64_t va, uint64_t pages, uint64_t prot)
{
    REPEAT(pages, (void *)0, exo_mem_protect(env, va + at * EXO_PAGE_BYTES, pages - at, prot));
}

int64_t exo_unmap_all(uint64_t env, uint64_t va, uint64_t pages)
{
    REPEAT(pages, (void *)0, exo_mem_unmap(env, va + at * EXO_PAGE_BYTES, pages - at));
}

int64_t exo_batch_all(struct exo_batch_op *ops, uint64_t count)
{
    uint64_t at = 0;

    while (at < count) {
        uint64_t part = count - at < EXO_BATCH_MOST ? count - at : EXO_BATCH_MOST;
        int64_t made = exo_batch(ops + at, part);
        const struct exo_batch_op *last;

        if (made < 0)
            return at > 0 ? (int64_t)at : made;
        at += (uint64_t)made;
        last = &ops[at - 1];
        if (last->flags & EXO_BATCH_NEEDED && last->result < 0)
            break;
    }
    return (int64_t)at;
}
