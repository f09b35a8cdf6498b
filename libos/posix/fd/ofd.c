/*
 * Open file descriptions: 32 to a page of PX_SHARED. A page is made by one process and then shared with all
 * that fork from it, at the same address; any of them may claim a free slot in it, which is one atomic step
 * (`holders` 0 -> 1). A description whose holder was destroyed keeps its count and its slot: lost until the
 * last process that maps the page ends.
 */
#include "fd.h"

#define SLOTS (PX_PAGE / sizeof(struct px_ofd_slot))
#define PAGES_MAX 256u
#define HOLDERS_DYING 0x80000000u

struct px_ofd_slot {
    _Alignas(128) struct px_ofd ofd;
};
_Static_assert((PX_SHARED_HI - PX_SHARED) / PX_PAGE <= 65536, "a page number fits 16 bits");
_Static_assert(sizeof(struct px_ofd_slot) == 128, "PX_ENTRY_BITS are the low seven bits of an address");

static uint16_t
    pages[PAGES_MAX]; /* pages of PX_SHARED that slots may be claimed in: small, because fork copies it */
static unsigned page_count;
static unsigned page_hint;   /* where a slot was last found or freed */
static struct px_ofd *freed; /* the slot last given up here: probably still free */

const struct px_ops px_none_ops = {.name = "none"};
extern const struct px_ops px_file_ops, px_directory_ops, px_path_ops, px_tty_ops;
extern const struct px_ops px_pipe_ops, px_device_ops, px_proc_ops, px_socket_ops, px_event_ops, px_epoll_ops;
extern const struct px_ops px_timerfd_ops, px_signalfd_ops, px_pidfd_ops, px_inotify_ops, px_mqueue_ops;

PX_HOT_TABLE const struct px_ops *const px_ops[PX_OFD_KINDS] = {
    [PX_OFD_FREE] = &px_none_ops,   [PX_OFD_FILE] = &px_file_ops,     [PX_OFD_DIRECTORY] = &px_directory_ops,
    [PX_OFD_PIPE] = &px_pipe_ops,   [PX_OFD_TTY] = &px_tty_ops,       [PX_OFD_DEVICE] = &px_device_ops,
    [PX_OFD_PROC] = &px_proc_ops,   [PX_OFD_SOCKET] = &px_socket_ops, [PX_OFD_PATH] = &px_path_ops,
    [PX_OFD_EVENT] = &px_event_ops, [PX_OFD_EPOLL] = &px_epoll_ops,
    [PX_OFD_TIMER] = &px_timerfd_ops, [PX_OFD_SIGNAL] = &px_signalfd_ops, [PX_OFD_PIDFD] = &px_pidfd_ops,
    [PX_OFD_INOTIFY] = &px_inotify_ops, [PX_OFD_MQUEUE] = &px_mqueue_ops,
};

bool px_ofd_believable(uint64_t address)
{
    return address >= PX_SHARED && address < PX_SHARED_HI && address % sizeof(struct px_ofd_slot) == 0;
}

static struct px_ofd *claim(struct px_ofd *ofd)
{
    uint32_t nobody = 0;

    if (__atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) != 0)
        return NULL;
    if (!__atomic_compare_exchange_n(&ofd->holders, &nobody, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return NULL;
    return ofd;
}

static struct px_ofd *claim_in_page(unsigned page)
{
    struct px_ofd_slot *slot = (struct px_ofd_slot *)(PX_SHARED + pages[page] * PX_PAGE);

    for (unsigned i = 0; i < SLOTS; i++) {
        if (claim(&slot[i].ofd))
            return &slot[i].ofd;
    }
    return NULL;
}

static struct px_ofd *claim_in_new_page(void)
{
    uint64_t va;

    if (page_count == PAGES_MAX)
        return NULL;
    va = px_shared_reserve(1);
    if (!va)
        return NULL;
    if (exo_alloc_all(PX_SLOT_SELF, va, 1, EXO_PROT_READ | EXO_PROT_WRITE, NULL) != 0) {
        px_shared_release(va, 1);
        return NULL;
    }
    page_hint = page_count++;
    pages[page_hint] = (uint16_t)((va - PX_SHARED) / PX_PAGE);
    return claim_in_page(page_hint);
}

static struct px_ofd *claim_any(void)
{
    struct px_ofd *ofd;

    if (freed && (ofd = claim(freed)))
        return ofd;
    for (unsigned i = 0; i < page_count; i++) {
        unsigned page = page_hint + i < page_count ? page_hint + i : page_hint + i - page_count;

        if ((ofd = claim_in_page(page))) {
            page_hint = page;
            return ofd;
        }
    }
    return claim_in_new_page();
}

struct px_ofd *px_ofd_new(enum px_ofd_kind kind, unsigned flags)
{
    struct px_ofd *ofd = claim_any();

    if (!ofd)
        return NULL;
    freed = NULL;
    memset((uint8_t *)ofd + offsetof(struct px_ofd, flags), 0, sizeof *ofd - offsetof(struct px_ofd, flags));
    ofd->kind = kind;
    ofd->flags = flags & ~(unsigned)(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
    return ofd;
}

static void free_slot(struct px_ofd *ofd)
{
    ofd->kind = PX_OFD_FREE;
    freed = ofd;
    __atomic_store_n(&ofd->holders, 0, __ATOMIC_RELEASE);
}

void px_ofd_abandon(struct px_ofd *ofd)
{
    free_slot(ofd);
}

/* ---- twins ---- */

struct px_ofd *px_ofd_twin(const struct px_ofd *ofd)
{
    uint64_t address = ofd->word[PX_WORD_TWIN];

    if (ofd->kind != PX_OFD_FILE || !address || !px_ofd_believable(address) || px_ring_pages(address & ~(PX_PAGE - 1)) != 1)
        return NULL;
    return (struct px_ofd *)address;
}

void px_ofd_set_twin(struct px_ofd *ofd, uint64_t address)
{
    ofd->word[PX_WORD_TWIN] = address;
    __atomic_fetch_add(&ofd->holders, 1, __ATOMIC_RELAXED);
}

void px_position_take(struct px_ofd *ofd)
{
    struct px_ofd *twin = px_ofd_twin(ofd);

    px_lock_take(twin ? &twin->lock : &ofd->lock, PX_RANK_POSITION);
    if (twin && (int64_t)twin->offset >= 0)
        ofd->offset = twin->offset;
}

void px_position_give(struct px_ofd *ofd)
{
    struct px_ofd *twin = px_ofd_twin(ofd);

    if (twin)
        twin->offset = ofd->offset;
    px_lock_give(twin ? &twin->lock : &ofd->lock);
}

uint64_t px_ofd_position(struct px_ofd *ofd)
{
    if (px_ofd_twin(ofd)) {
        px_position_take(ofd);
        px_position_give(ofd);
    }
    return __atomic_load_n(&ofd->offset, __ATOMIC_RELAXED);
}

void px_ofd_set_position(struct px_ofd *ofd, uint64_t offset)
{
    bool twin = px_ofd_twin(ofd);

    if (twin)
        px_position_take(ofd);
    __atomic_store_n(&ofd->offset, offset, __ATOMIC_RELAXED);
    if (twin)
        px_position_give(ofd);
}

/* `last`: of those who share this side. Whoever is the last of both leaves a free slot. */
static void leave_twin(struct px_ofd *twin, bool last)
{
    uint32_t holders = __atomic_load_n(&twin->holders, __ATOMIC_RELAXED);

    while (last && holders && !(holders & HOLDERS_DYING) &&
           !__atomic_compare_exchange_n(&twin->holders, &holders, holders - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
    px_ring_let_go((uint64_t)twin & ~(PX_PAGE - 1));
}

/* One holder fewer. The last one runs destroy while the slot still counts as taken. */
void px_ofd_leave(struct px_ofd *ofd)
{
    const struct px_ops *ops = px_ofd_ops(ofd);
    uint32_t holders = __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED);
    uint32_t left;
    struct px_ofd *twin = ofd->word[PX_WORD_TWIN] ? px_ofd_twin(ofd) : NULL;

    if (ops->drop)
        ops->drop(ofd);
    do {
        if (holders == 0 || holders & HOLDERS_DYING)
            return; /* nonsense, or somebody else's last */
        left = holders <= 1 + (twin != NULL) ? HOLDERS_DYING : holders - 1;
    } while (!__atomic_compare_exchange_n(&ofd->holders, &holders, left, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (twin)
        leave_twin(twin, left == HOLDERS_DYING);
    if (left != HOLDERS_DYING) {
        if (ofd->lock_id)
            px_record_pass_on(ofd);
        return;
    }
    if (ofd->lock_id)
        px_record_forget(ofd);
    if (ops->destroy)
        ops->destroy(ofd);
    free_slot(ofd);
}

void px_ofd_seal(void)
{
    page_count = 0;
    page_hint = 0;
    freed = NULL;
}
