/*
 * A hot `syscall` of a program becomes a jump to the libOS (decision 0025): the two bytes of the instruction a short jump to unused bytes behind the same
 * function, there a jump to a stub nearby, which loads RCX with where the program goes on, as the instruction itself does, and jumps to px_site_entry.
 * Nothing else of the program is touched: who jumps to the instruction meets the short jump, and a call that is made again goes two bytes back.
 *
 * Text is changed by a changed copy of its page, which takes the page's place at once, whoever runs there. It is changed only where the program cannot write,
 * and is as it was before the program can.
 */
#include "rewrite.h"

#include "entry/trace.h"
#include "mm/mm.h"
#include "px_arch.h"

#define STUB_BYTES 32u
#define SITES (PX_PAGE / STUB_BYTES) /* of a page of stubs */
#define PAGES_MOST 16u
#define SHORT_JUMP 127u
#define FUNCTION_ALIGN 16u /* what compilers fill up to */
#define LOOK_BYTES (SHORT_JUMP + 3 * FUNCTION_ALIGN)
#define NEAR_BYTES 0x40000000ul /* of a stub: well within a jump's reach */
#define CALL_BYTES 2u
#define JUMP_BYTES 5u
#define RT_SIGRETURN 15u

struct site {
    uint64_t call; /* address of the instruction; 0: none */
    uint64_t pad;
    uint8_t kept[JUMP_BYTES]; /* what was at `pad` */
};
static struct page {
    uint64_t va; /* 0: none */
    uint64_t lo, hi; /* itself and all of its sites are within */
    struct site *site;
} page[PAGES_MOST];

static const uint8_t call_code[CALL_BYTES] = {0x0f, 0x05};
bool px_rewrite_off;

static void put_relative(uint8_t *to, uint64_t target, uint64_t after)
{
    uint32_t distance = (uint32_t)(target - after);

    __builtin_memcpy(to, &distance, sizeof(distance));
}

static uint64_t stub_of(const struct page *of, unsigned index)
{
    return of->va + index * STUB_BYTES;
}

/* ---- finding the place -------------------------------------------------------------------------------------------- */

/* Instructions after which the next one is reached by jumps only. */
static bool never_falls_through(const uint8_t *code)
{
    while (*code == 0xf2 || *code == 0xf3 || *code == 0x3e || (*code & 0xf0) == 0x40)
        code++;
    switch (*code) {
    case 0xc2: case 0xc3: case 0xe9: case 0xeb: case 0xf4: return true;
    case 0x0f: return code[1] == 0x0b;
    case 0xff: return (code[1] >> 3 & 7) == 4;
    default: return false;
    }
}

static bool does_nothing(const uint8_t *code)
{
    if (*code == 0xcc)
        return true;
    while (*code == 0x66 || *code == 0x2e)
        code++;
    return *code == 0x90 || (*code == 0x0f && code[1] == 0x1f);
}

/*
 * Offset in `code`, which begins behind a system call, of 5 bytes that nobody runs: behind an instruction that does not fall through, filled up with
 * instructions that do nothing to where a function or a loop may begin. 0: there are none in reach.
 */
static unsigned find_pad(const uint8_t *code, uint64_t va, unsigned bytes)
{
    unsigned at = 0;

    while (at <= SHORT_JUMP) {
        unsigned length = px_instruction_length(code + at, bytes - at), end, limit;
        bool last = length && never_falls_through(code + at);

        at += length;
        if (!length || at > SHORT_JUMP)
            return 0;
        if (!last)
            continue;
        limit = at + (unsigned)(-(va + at) % FUNCTION_ALIGN);
        for (end = at; end < limit; end += length) {
            length = px_instruction_length(code + end, bytes - end);
            if (!length || !does_nothing(code + end))
                break;
        }
        if (end >= limit && limit - at >= JUMP_BYTES && (va + at) / PX_PAGE == (va + at + JUMP_BYTES - 1) / PX_PAGE)
            return at;
    }
    return 0;
}

/* ---- pages of stubs ----------------------------------------------------------------------------------------------- */

static bool is_near(uint64_t a, uint64_t b)
{
    return a - b < NEAR_BYTES || b - a < NEAR_BYTES;
}

/* Is the page one that brk will want? */
static bool is_for_brk(uint64_t va)
{
    return va >= PX_PAGE_DOWN(px_mm.brk_lo) && va <= PX_PAGE_UP(px_mm.brk);
}

/* A free page near the text, above it if there is one: just below is where the program's next mapping goes, or one that it has given back lay. 0: none. */
static uint64_t place_near(uint64_t va)
{
    for (unsigned at = px_vma_find(va); at < px_mm.count && is_near(px_mm.vma[at].hi, va); at++)
        if (px_vma_free(px_mm.vma[at].hi, px_mm.vma[at].hi + PX_PAGE) && px_mm.vma[at].hi < PX_PROG_HI && !is_for_brk(px_mm.vma[at].hi))
            return px_mm.vma[at].hi;
    for (unsigned at = px_vma_find(va) + 1; at-- > 0 && is_near(px_mm.vma[at].lo, va);)
        if (px_mm.vma[at].lo >= PX_PROG_LO + PX_PAGE && px_vma_free(px_mm.vma[at].lo - PX_PAGE, px_mm.vma[at].lo) &&
            !(px_mm.vma[at].flags & PX_VMA_STACK))
            return px_mm.vma[at].lo - PX_PAGE;
    return 0;
}

static bool make_page(struct page *of, uint64_t va)
{
    struct px_map map = {.lo = place_near(va), .bytes = PX_PAGE, .prot = PROT_READ | PROT_EXEC};

    if (!map.lo || px_mm_may_grow(1, map.prot, 0) < 0)
        return false;
    of->site = px_alloc(SITES * sizeof(struct site));
    if (!of->site)
        return false;
    memset(of->site, 0, SITES * sizeof(struct site));
    if (px_mm_map(&map) == 0) {
        if (px_mm_replace(map.lo, map.prot, NULL, 0)) {
            of->va = of->lo = map.lo;
            of->hi = map.lo + PX_PAGE;
            return true;
        }
        px_vma_cut(map.lo, map.lo + PX_PAGE);
    }
    px_free(of->site);
    of->site = NULL;
    return false;
}

/* A site that is not used, in a page near the address; its page in *of. NULL: none. */
static struct site *free_site(uint64_t va, struct page **of)
{
    struct page *unused = NULL;

    for (unsigned p = 0; p < PAGES_MOST; p++) {
        if (!page[p].va)
            unused = &page[p];
        for (unsigned i = 0; page[p].va && is_near(page[p].va, va) && i < SITES; i++)
            if (!page[p].site[i].call) {
                *of = &page[p];
                return &page[p].site[i];
            }
    }
    if (!unused || !make_page(unused, va))
        return NULL;
    *of = unused;
    return unused->site;
}

static struct site *known_site(uint64_t call, struct page **of)
{
    for (unsigned p = 0; p < PAGES_MOST; p++)
        for (unsigned i = 0; page[p].va && i < SITES; i++)
            if (page[p].site[i].call == call) {
                *of = &page[p];
                return &page[p].site[i];
            }
    return NULL;
}

/* ---- changing text ------------------------------------------------------------------------------------------------ */

static bool change(const struct px_change *change, unsigned changes)
{
    const struct px_vma *vma = px_vma_at(change->va);

    return vma && px_mm_replace(PX_PAGE_DOWN(change->va), vma->prot, change, changes);
}

/* In this order, for other threads may be on their way, or at once. */
static bool change_both(const struct px_change both[2])
{
    if (PX_PAGE_DOWN(both[0].va) == PX_PAGE_DOWN(both[1].va))
        return change(both, 2);
    return change(&both[0], 1) && change(&both[1], 1);
}

static bool write_stub(const struct page *of, const struct site *site)
{
    uint64_t at = stub_of(of, (unsigned)(site - of->site));
    const uint64_t entry = (uint64_t)px_site_entry;
    /* lea after(%rip), %rcx; movabs $entry, %r11; jmp *%r11: no memory, so a call touches no page more */
    uint8_t code[STUB_BYTES] = {0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3};

    put_relative(code + 3, site->call + CALL_BYTES, at + 7);
    __builtin_memcpy(code + 9, &entry, sizeof(entry));
    return change(&(struct px_change){at, code, sizeof(code)}, 1);
}

static bool write_jumps(const struct page *of, const struct site *site)
{
    uint8_t far[JUMP_BYTES] = {0xe9}, near[CALL_BYTES] = {0xeb, (uint8_t)(site->pad - site->call - CALL_BYTES)};

    put_relative(far + 1, stub_of(of, (unsigned)(site - of->site)), site->pad + JUMP_BYTES);
    return change_both((const struct px_change[]){{site->pad, far, sizeof(far)}, {site->call, near, sizeof(near)}});
}

/* The text as it was loaded; without memory for a copy of the page the file's own comes back. */
static void restore(struct site *site)
{
    const struct px_change both[2] = {{site->call, call_code, CALL_BYTES}, {site->pad, site->kept, JUMP_BYTES}};

    if (!change_both(both) &&
        (exo_unmap_all(PX_SLOT_SELF, PX_PAGE_DOWN(site->call), 1) < 0 || exo_unmap_all(PX_SLOT_SELF, PX_PAGE_DOWN(site->pad), 1) < 0))
        px_log("exo: text at 0x%lx stays rewritten\n", (unsigned long)site->call);
    site->call = 0;
}

void px_rewrite_hot(const struct exo_regs *regs)
{
    uint64_t after = regs->rip, call = after - CALL_BYTES;
    const struct px_vma *vma = px_vma_at(call);
    uint8_t code[CALL_BYTES + LOOK_BYTES + 16];
    struct page *of = NULL;
    struct site *site;
    unsigned bytes, pad;

    if (px_rewrite_off || px_traced || regs->rax == RT_SIGRETURN || regs->ss) /* unwinders know sigreturn's place by its bytes */
        return;
    if (!vma || !vma->file || vma->prot != (PROT_READ | PROT_EXEC) || vma->flags & (PX_VMA_SHARED | PX_VMA_EAGER) || call % PX_PAGE == PX_PAGE - 1)
        return;
    bytes = vma->hi - call < sizeof(code) ? (unsigned)(vma->hi - call) : (unsigned)sizeof(code);
    if (px_copy_in(code, call, bytes) < 0 || memcmp(code, call_code, CALL_BYTES) != 0)
        return;
    pad = find_pad(code + CALL_BYTES, after, bytes - CALL_BYTES);
    if (!pad)
        return;
    site = known_site(call, &of); /* the page was given back since */
    if (!site)
        site = free_site(call, &of);
    if (!site)
        return;
    site->call = call;
    site->pad = after + pad;
    of->lo = call < of->lo ? call : of->lo;
    of->hi = site->pad + JUMP_BYTES > of->hi ? site->pad + JUMP_BYTES : of->hi;
    memcpy(site->kept, code + CALL_BYTES + pad, JUMP_BYTES);
    if (!write_stub(of, site) || !write_jumps(of, site))
        restore(site);
}

/* ---- when the program's memory changes ------------------------------------------------------------------------------- */

static bool within(uint64_t va, uint64_t lo, uint64_t hi)
{
    return va >= lo && va < hi;
}

/* Only the instructions: stubs and the jumps to them stay, for other threads may be between. */
void px_rewrite_calm(void)
{
    for (unsigned p = 0; p < PAGES_MOST; p++)
        for (unsigned i = 0; page[p].va && i < SITES; i++)
            if (page[p].site[i].call)
                (void)!change(&(struct px_change){page[p].site[i].call, call_code, CALL_BYTES}, 1); /* no memory: it looks rewritten, and works */
}

static void drop_page(struct page *of)
{
    px_free(of->site);
    *of = (struct page){0};
}

void px_rewrite_restore(uint64_t lo, uint64_t hi)
{
    for (unsigned p = 0; p < PAGES_MOST; p++) {
        bool lost = within(page[p].va, lo, hi);

        if (page[p].hi <= lo || page[p].lo >= hi)
            continue;
        for (unsigned i = 0; i < SITES; i++) {
            struct site *site = &page[p].site[i];

            if (site->call && (lost || within(site->call, lo, hi) || within(site->pad, lo, hi)))
                restore(site);
        }
        if (lost)
            drop_page(&page[p]);
    }
}

/* A child lives long itself, before anything is rewritten for it. */
void px_rewrite_fork_child(void)
{
    memset(px_traps, 0, sizeof(px_traps));
}

void px_rewrite_reset(void)
{
    for (unsigned p = 0; p < PAGES_MOST; p++)
        if (page[p].va)
            drop_page(&page[p]);
}

/* ---- signals ------------------------------------------------------------------------------------------------------- */

/* The program is as if it had not begun the call: its own address, and not one that it has never heard of. */
void px_rewrite_unwind(struct exo_regs *regs)
{
    if (regs->rip == (uint64_t)px_site_entry) {
        regs->rip = regs->rcx - CALL_BYTES;
        return;
    }
    for (unsigned p = 0; p < PAGES_MOST; p++) {
        if (!within(regs->rip, page[p].lo, page[p].hi))
            continue;
        if (within(regs->rip, page[p].va, page[p].va + PX_PAGE)) {
            regs->rip = page[p].site[(regs->rip - page[p].va) / STUB_BYTES].call;
            return;
        }
        for (unsigned i = 0; i < SITES; i++)
            if (page[p].site[i].call && page[p].site[i].pad == regs->rip) {
                regs->rip = page[p].site[i].call;
                return;
            }
    }
}
