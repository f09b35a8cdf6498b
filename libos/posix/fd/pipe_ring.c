/* The rings that this process has mapped, of pipes and sockets: who lies on them, and a few kept ready for the next pipe. */
#include "pipe.h"

#define RINGS_MAX 4096u /* rings that one process can hold */
#define CACHE_MAX 2u

/* This process's rings: how many of its descriptions lie on each, and whether a relative can have it mapped.
 */
struct holding {
    uint64_t va;
    uint32_t descriptions;
    uint16_t pages;
    bool inherited;
};
static struct holding first_holdings[16];
static struct holding *holdings = first_holdings;
static unsigned holding_count, holding_room = 16;

static uint64_t cache[CACHE_MAX]; /* rings that nobody else ever saw, ready for use */
static unsigned cached;

struct px_pipe *px_pipe_ring(const struct px_ofd *ofd)
{
    uint64_t va = ofd->word[0];

    if (va < PX_SHARED || va > PX_SHARED_HI - PX_PIPE_PAGES * PX_PAGE || va % PX_PAGE)
        return NULL;
    return (struct px_pipe *)va;
}

static struct holding *holding_of(uint64_t va)
{
    for (unsigned i = holding_count; i-- > 0;) {
        if (holdings[i].va == va)
            return &holdings[i];
    }
    return NULL;
}

bool px_ring_held(uint64_t va)
{
    return holding_of(va) != NULL;
}

unsigned px_ring_pages(uint64_t va)
{
    const struct holding *known = holding_of(va);

    return known ? known->pages : 0;
}

/* Whose pages they were has taken them back, which he can if they are of a block of his. Zeros are a ring that nobody holds an end of. */
bool px_ring_lost(uint64_t address)
{
    for (unsigned i = 0; i < holding_count; i++) {
        if (address - holdings[i].va >= holdings[i].pages * PX_PAGE)
            continue;
        address &= ~(PX_PAGE - 1);
        return exo_unmap_all(PX_SLOT_SELF, address, 1) == 0 &&
               exo_alloc_all(PX_SLOT_SELF, address, 1, EXO_PROT_READ | EXO_PROT_WRITE, NULL) == 0;
    }
    return false;
}

bool px_ring_hold(uint64_t va, unsigned ring_pages, bool inherited)
{
    struct holding *known = holding_of(va);

    if (known) {
        known->descriptions++;
        return true;
    }
    if (holding_count == holding_room) {
        struct holding *more = holding_room < RINGS_MAX ? px_alloc(2 * holding_room * sizeof *more) : NULL;

        if (!more)
            return false;
        memcpy(more, holdings, holding_count * sizeof *more);
        if (holdings != first_holdings)
            px_free(holdings);
        holdings = more;
        holding_room *= 2;
    }
    holdings[holding_count++] = (struct holding){
        .va = va, .descriptions = 1, .pages = (uint16_t)ring_pages, .inherited = inherited};
    return true;
}

void px_ring_forget(uint64_t va)
{
    struct holding *known = holding_of(va);

    if (known)
        *known = holdings[--holding_count];
}

void px_ring_free(uint64_t va, unsigned ring_pages)
{
    (void)!exo_unmap_all(PX_SLOT_SELF, va, ring_pages);
    px_shared_release(va, ring_pages);
}

PX_APART void px_ring_let_go(uint64_t va)
{
    struct holding *known = holding_of(va);
    unsigned ring_pages;
    bool inherited;

    if (!known || --known->descriptions)
        return;
    inherited = known->inherited;
    ring_pages = known->pages;
    *known = holdings[--holding_count];
    if (px_fd_exiting)
        return;
    if (!inherited && ring_pages == PX_PIPE_PAGES && cached < CACHE_MAX)
        cache[cached++] = va;
    else
        px_ring_free(va, ring_pages);
}

/* A fork is near: from now on others may map these rings. The cache would be copied with its rings shared:
 * give it up. */
void px_pipe_inherited(void)
{
    for (unsigned i = 0; i < holding_count; i++)
        holdings[i].inherited = true;
    while (cached)
        px_ring_free(cache[--cached], PX_PIPE_PAGES);
}

uint64_t px_ring_new(unsigned ring_pages)
{
    uint64_t va = px_shared_reserve(ring_pages);

    if (!va)
        return 0;
    if (exo_alloc_all(PX_SLOT_SELF, va, ring_pages, EXO_PROT_READ | EXO_PROT_WRITE, NULL) != 0) {
        px_ring_free(va, ring_pages);
        return 0;
    }
    return va;
}

uint64_t px_pipe_ring_new(void)
{
    uint64_t va;

    if (!cached)
        return px_ring_new(PX_PIPE_PAGES);
    va = cache[--cached];
    memset((void *)va, 0, sizeof(struct px_pipe));
    return va;
}
