/*
 * The kernel does bounded work at each entry. These helpers repeat a memory call until all pages are done.
 * Those that can fail return 0 or -EXO_E_*; on failure *done (if given) says how many pages were done before.
 */
#ifndef EXO_LOOP_H
#define EXO_LOOP_H
#include <exo/calls.h>

__attribute__((warn_unused_result)) int64_t exo_alloc_all(uint64_t env, uint64_t va, uint64_t pages, uint64_t prot, uint64_t *done);
__attribute__((warn_unused_result)) int64_t exo_map_all(uint64_t env, uint64_t va, uint64_t frame, uint64_t first, uint64_t pages, uint64_t prot);
__attribute__((warn_unused_result)) int64_t exo_share_all(uint64_t env, uint64_t va, uint64_t source_va, uint64_t pages, uint64_t mode_prot);
__attribute__((warn_unused_result)) int64_t exo_fetch_all(uint64_t env, uint64_t va, uint64_t own_va, uint64_t pages, uint64_t prot);
__attribute__((warn_unused_result)) int64_t exo_protect_all(uint64_t env, uint64_t va, uint64_t pages, uint64_t prot);
__attribute__((warn_unused_result)) int64_t exo_unmap_all(uint64_t env, uint64_t va, uint64_t pages);
/*
 * Any number of ops, in as many batches as that takes: how many were made, fewer than `count` if one that is needed failed or an op is not in
 * memory that can be written to; -EXO_E_* if that is so of the first. An op that unmaps ops is not for this.
 */
__attribute__((warn_unused_result)) int64_t exo_batch_all(struct exo_batch_op *ops, uint64_t count);
/* Wakes all who sleep on the word. */
static inline void exo_wake_all(const void *word)
{
    while (exo_wake(word, UINT64_MAX) == EXO_WAKE_MOST)
        ;
}

#endif
