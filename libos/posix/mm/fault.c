/*
 * Page faults in the program's part: memory that is there by right but not yet by page. The kernel has resolved
 * copies on write already, so a write to a bound page comes here only if the page lacks write access: by
 * mprotect (a real fault), or because it was bound to a file read-only and the mapping became writable since.
 */
#include "mm.h"

#define AROUND_FIRST 4u
#define AROUND_MOST 16u
#define AROUND_FILE 64u
#define STUCK_MOST 8u
#define LATE_MOST 2048u /* several times as many threads as there can be, all of which touch one page */

/* FILES defines it: brings in metadata pages that fs added. */
#pragma weak px_meta_fault

static bool refuse(uint64_t address, int signo, int code)
{
    px_mm.bad_address = PX_PAGE_DOWN(address);
    px_mm.bad_signal = signo;
    px_mm.bad_code = code;
    return false;
}

int px_memory_fault_signal(uint64_t address, int *code)
{
    if (px_mm.bad_signal && px_mm.bad_address == PX_PAGE_DOWN(address)) {
        *code = px_mm.bad_code;
        return px_mm.bad_signal;
    }
    *code = px_memory_mapped(address) ? SEGV_ACCERR : SEGV_MAPERR;
    return SIGSEGV;
}

bool px_memory_mapped(uint64_t address)
{
    return px_vma_at(address) != NULL;
}

bool px_memory_shared(uint64_t address)
{
    const struct px_vma *vma = px_vma_at(address);

    return vma && vma->flags & PX_VMA_SHARED;
}

/* Grows the mapping above down to the address, within RLIMIT_STACK and the guard gap. */
static bool grow_stack(unsigned at, uint64_t address)
{
    struct px_vma *vma = &px_mm.vma[at];
    uint64_t lo = PX_PAGE_DOWN(address), limit = px_limit(RLIMIT_STACK), pages = (vma->lo - lo) / PX_PAGE;

    if (limit != PX_RLIM_INFINITY && vma->hi - lo > limit)
        return false;
    if (at > 0 && vma[-1].prot && !(vma[-1].flags & PX_VMA_STACK) && lo - vma[-1].hi < PX_STACK_GAP)
        return false;
    if (px_mm_may_grow(pages, vma->prot, vma->flags) < 0)
        return false;
    vma->lo = lo;
    px_mm_count(pages);
    return true;
}

bool px_mm_replace(uint64_t va, int prot, const struct px_change *change, unsigned changes)
{
    uint64_t stage = px_big_reserve(1);
    bool copied = stage && exo_mem_alloc(PX_SLOT_SELF, stage, 1, px_mm_prot(PROT_READ | PROT_WRITE | PROT_EXEC)) == 1;

    if (copied) {
        copied = px_raw_copy((void *)stage, (const void *)va, PX_PAGE) == 0;
        for (unsigned i = 0; i < changes; i++)
            memcpy((void *)(stage + change[i].va - va), change[i].bytes, change[i].count);
        copied = copied && exo_mem_share(PX_SLOT_SELF, va, stage, 1, EXO_SHARE_MOVE | px_mm_prot(prot)) == 1;
        if (!copied && exo_unmap_all(PX_SLOT_SELF, stage, 1) < 0)
            return false;
    }
    if (stage)
        px_big_release(stage, 1);
    return copied;
}

/* Gives the page of a private mapping a copy of its own, with write access, by hand. */
static bool copy_page(const struct px_vma *vma, uint64_t va)
{
    return px_mm_replace(va, vma->prot, NULL, 0) ? true : refuse(va, SIGKILL, 0);
}

/* Another thread has brought in meanwhile what the fault was about. */
static bool suffices(const struct px_vma *vma, uint64_t word, bool write)
{
    return word & EXO_QUERY_PRESENT && (!write || (word & (EXO_QUERY_WRITE | EXO_QUERY_COW)) == EXO_QUERY_WRITE) &&
           (!(vma->prot & PROT_EXEC) || word & EXO_QUERY_EXEC);
}

/* Binds the page of a shared mapping anew: it was bound when the mapping was for reading only. */
static bool bind_to_write(const struct px_vma *vma, uint64_t va)
{
    uint64_t word = 0;

    if (!vma->file || vma->flags & (PX_VMA_EAGER | PX_VMA_NOWRITE) || exo_unmap_all(PX_SLOT_SELF, va, 1) < 0)
        return false;
    if (px_node_map(px_vma_node(vma), vma->page + (va - vma->lo) / PX_PAGE, 1, va, vma->prot, MAP_SHARED) < 0)
        return false;
    return exo_mem_query(PX_SLOT_SELF, va, 1, &word) == 1 && word & EXO_QUERY_WRITE;
}

/* The page is bound; the fault was about access. A true fault that binding cannot cure must not be retried for
 * ever. */
static bool fix_bound(const struct px_vma *vma, uint64_t va, bool write)
{
    uint64_t word = 0;

    if (exo_mem_query(PX_SLOT_SELF, va, 1, &word) == 1 && word & EXO_QUERY_TAKEN)
        return refuse(va, SIGBUS, BUS_MCEERR_AR);
    if (!(word & EXO_QUERY_PRESENT))
        return refuse(va, SIGKILL, 0);
    if (px_mm.stuck_address != va)
        px_mm.stuck_count = 0;
    px_mm.stuck_address = va;
    px_mm.stuck_count++;
    /* Another thread has forked since the fault; or, if it is so again and again, the kernel has no frame for the copy. */
    if (write && word & EXO_QUERY_COW && word & EXO_QUERY_WRITE)
        return px_mm.stuck_count <= LATE_MOST ? true : refuse(va, SIGKILL, 0);
    if (suffices(vma, word, write) && px_mm.stuck_count <= LATE_MOST)
        return true;
    if (px_mm.stuck_count > STUCK_MOST)
        return refuse(va, SIGSEGV, SEGV_ACCERR);
    if (exo_mem_protect(PX_SLOT_SELF, va, 1, px_mm_prot(vma->prot)) == 1)
        return true;
    if (!write) /* bound without write authority: as much as there is */
        return exo_mem_protect(PX_SLOT_SELF, va, 1, px_mm_prot(vma->prot & ~PROT_WRITE)) == 1;
    if (vma->flags & PX_VMA_SHARED)
        return bind_to_write(vma, va) ? true : refuse(va, SIGSEGV, SEGV_ACCERR);
    return copy_page(vma, va);
}

/* How many pages to bring in: more as faults come in order, one when memory is short. */
static uint64_t choose_around(const struct px_vma *vma, uint64_t va)
{
    const struct exo_info *info = px_info();
    uint64_t most = (vma->hi - va) / PX_PAGE, around = AROUND_FIRST;

    if (info->frames_free < info->frames_total / 8)
        return 1;
    if (va == px_mm.next_fault && px_mm.around > 0)
        around = px_mm.around * 2;
    if (around > AROUND_MOST)
        around = AROUND_MOST;
    return around < most ? around : most;
}

static bool fault_anonymous(const struct px_vma *vma, uint64_t va, bool write)
{
    uint64_t pages = vma->flags & PX_VMA_STACK ? 1 : choose_around(vma, va);
    int64_t done = exo_mem_alloc(PX_SLOT_SELF, va, pages, px_mm_prot(vma->prot));

    if (done == -EXO_E_EXISTS)
        return fix_bound(vma, va, write);
    if (done <= 0)
        return refuse(va, SIGKILL, 0);
    px_mm.around = (unsigned)done;
    px_mm.next_fault = va + (uint64_t)done * PX_PAGE;
    return true;
}

/* Brings in the file's pages around the fault that are not bound yet: a private mapping may have copies of its own
 * beside it. */
static bool fault_file(const struct px_vma *vma, uint64_t va, bool write)
{
    const struct px_node *node = px_vma_node(vma);
    uint64_t word[AROUND_FILE], lo = va & ~(AROUND_FILE * PX_PAGE - 1), hi = lo + AROUND_FILE * PX_PAGE;
    uint64_t at, first, last, page;
    int64_t status;

    lo = lo < vma->lo ? vma->lo : lo;
    hi = hi > vma->hi ? vma->hi : hi;
    if (exo_mem_query(PX_SLOT_SELF, lo, (hi - lo) / PX_PAGE, word) != (int64_t)((hi - lo) / PX_PAGE))
        return refuse(va, SIGKILL, 0);
    at = (va - lo) / PX_PAGE;
    if (word[at])
        return fix_bound(vma, va, write);
    if (vma->flags & PX_VMA_EAGER)
        return refuse(va, SIGBUS, BUS_ADRERR);
    for (first = at; first > 0 && !word[first - 1]; first--)
        ;
    for (last = at + 1; last < (hi - lo) / PX_PAGE && !word[last]; last++)
        ;
    page = vma->page + (lo - vma->lo) / PX_PAGE;
    status = px_node_map(node, page + first, last - first, lo + first * PX_PAGE, vma->prot,
                         vma->flags & PX_VMA_SHARED ? MAP_SHARED : MAP_PRIVATE);
    word[0] = 0;
    /* A hole of what is shared is a page that others may write to: only the one that is looked at. */
    if (status >= 0 && vma->flags & PX_VMA_SHARED && !(vma->prot & PROT_WRITE) && exo_mem_query(PX_SLOT_SELF, va, 1, word) == 1 && !word[0])
        status = px_node_map(node, page + at, 1, va, vma->prot, MAP_SHARED);
    if (status == -ENOMEM)
        return refuse(va, SIGKILL, 0);
    if (status < 0 || exo_mem_query(PX_SLOT_SELF, va, 1, word) != 1 || !word[0])
        return refuse(va, SIGBUS, BUS_ADRERR); /* past the end of the file */
    return true;
}

bool px_memory_fault(uint64_t address, bool write, bool exec)
{
    uint64_t va = PX_PAGE_DOWN(address);
    unsigned at;
    struct px_vma *vma;

    px_mm.bad_signal = 0;
    if (address >= PX_META && address < PX_META_HI)
        return px_meta_fault && !write && !exec && px_meta_fault(address);
    if (address < PX_PROG_LO || address >= PX_PROG_HI)
        return false;
    at = px_vma_find(va);
    if (at >= px_mm.count)
        return false;
    vma = &px_mm.vma[at];
    if (vma->lo > va && (!(vma->flags & PX_VMA_STACK) || !grow_stack(at, address)))
        return false;
    if (!vma->prot || (write && !(vma->prot & PROT_WRITE)) || (exec && !(vma->prot & PROT_EXEC)))
        return false;
    return vma->file || vma->flags & PX_VMA_EAGER ? fault_file(vma, va, write) : fault_anonymous(vma, va, write);
}
