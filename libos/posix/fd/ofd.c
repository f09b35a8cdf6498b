/*
 * Open file descriptions: 16 to a page of PX_SHARED. A page is made by one process and then shared with all
 * that fork from it, at the same address; any of them may claim a free slot in it, which is one atomic step
 * (`holders` 0 -> 1). Behind the slots each process notes which of them it holds, and who forks notes it for
 * the child: a process that is destroyed leaves `holders` too high, and who finds no free slot looks then which
 * are held by nobody that lives. What it is about to hold it notes first, and what it holds no more, last.
 */
#include "owner.h"

#define SLOTS 16u
#define FIRST_PAGES 320u /* that need no heap */
#define PAGES_MAX 4096u
#define HOLDERS_DYING 0x80000000u
#define HELD_BITS ((1u << SLOTS) - 1)

struct px_ofd_slot {
    _Alignas(128) struct px_ofd ofd;
};

struct page {
    struct px_ofd_slot slot[SLOTS];
    uint32_t held[PX_PROCS_MAX]; /* by the process of that index: a bit a slot; the upper half is that of its PX_LOCK_HOLDER, which says which process */
};
_Static_assert(sizeof(struct page) <= PX_PAGE, "slots and their holders are a page");
_Static_assert((PX_SHARED_HI - PX_SHARED) / PX_PAGE <= 65536, "a page number fits 16 bits");
_Static_assert(sizeof(struct px_ofd_slot) == 128, "PX_ENTRY_BITS are the low seven bits of an address");

static uint16_t first_pages[FIRST_PAGES]; /* small, because fork copies it */
static uint16_t *pages = first_pages;     /* pages of PX_SHARED that slots may be claimed in */
static unsigned page_room = FIRST_PAGES, page_count;
static unsigned page_hint;   /* where a slot was last found or freed */
PX_HOT_DATA static struct px_ofd *freed; /* the slot last given up here: probably still free */
static bool related;         /* some pages were other processes', too */

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
    return address >= PX_SHARED && address < PX_SHARED_HI && address % sizeof(struct px_ofd_slot) == 0 &&
           address % PX_PAGE < sizeof(((struct page *)NULL)->slot);
}

/* ---- who holds what ---- */

static struct page *page_of(const struct px_ofd *ofd)
{
    return (struct page *)((uint64_t)ofd & ~(PX_PAGE - 1));
}

static uint32_t bit_of(const struct px_ofd *ofd)
{
    return 1u << (uint64_t)ofd % PX_PAGE / sizeof(struct px_ofd_slot);
}

void px_ofd_note(const struct px_ofd *ofd, uint32_t holder)
{
    uint32_t *held = &page_of(ofd)->held[PX_LOCK_INDEX(holder)], before = *held;

    if ((before ^ holder) & ~HELD_BITS) /* of one that had the index before */
        before = holder & ~HELD_BITS;
    __atomic_store_n(held, before | bit_of(ofd), __ATOMIC_RELEASE);
}

static void note_left(const struct px_ofd *ofd)
{
    uint32_t *held = &page_of(ofd)->held[PX_LOCK_INDEX(px_lock_self)];

    __atomic_store_n(held, *held & ~bit_of(ofd), __ATOMIC_RELEASE);
}

/* Index of the first process from `index` on that lives and holds any of the slots, or 0. */
PX_APART static uint32_t next_holder(const struct page *page, uint32_t index, uint32_t slots)
{
    uint32_t end = ((const struct px_proctab *)PX_PROCTAB)->entries;

    for (; index < end && index < PX_PROCS_MAX; index++) {
        uint32_t held = __atomic_load_n(&page->held[index], __ATOMIC_ACQUIRE);

        if (held & slots && !px_holder_is_gone(PX_LOCK_HOLDER(index, held >> 16)))
            return index;
    }
    return 0;
}

uint32_t px_ofd_heir(const struct px_ofd *ofd)
{
    const struct page *page = page_of(ofd);
    uint32_t self = PX_LOCK_INDEX(px_lock_self), index = next_holder(page, 1, bit_of(ofd));

    if (index == self)
        index = next_holder(page, index + 1, bit_of(ofd));
    return index ? PX_LOCK_HOLDER(index, page->held[index] >> 16) : 0;
}

static struct px_ofd *claim(struct px_ofd *ofd)
{
    uint32_t nobody = 0;

    if (__atomic_load_n(&ofd->holders, __ATOMIC_RELAXED) != 0)
        return NULL;
    px_ofd_note(ofd, px_lock_self);
    if (!__atomic_compare_exchange_n(&ofd->holders, &nobody, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        note_left(ofd);
        return NULL;
    }
    return ofd;
}

static struct px_ofd *claim_in_page(unsigned page)
{
    struct px_ofd_slot *slot = ((struct page *)(PX_SHARED + pages[page] * PX_PAGE))->slot;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (claim(&slot[i].ofd))
            return &slot[i].ofd;
    }
    return NULL;
}

/*
 * Is the slot free again that was taken, `holders` times, and that nobody who lives holds? Somebody may have let it go, and another one have claimed it, since
 * that was looked at: then it is that one's.
 */
static bool give_back(struct page *page, unsigned slot, uint32_t holders)
{
    struct px_ofd *ofd = &page->slot[slot].ofd;

    if (!__atomic_compare_exchange_n(&ofd->holders, &holders, HOLDERS_DYING, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    if (next_holder(page, 1, 1u << slot)) {
        __atomic_store_n(&ofd->holders, holders, __ATOMIC_RELEASE);
        return false;
    }
    if (ofd->lock_id)
        px_record_forget(ofd);
    ofd->kind = PX_OFD_FREE;
    __atomic_store_n(&ofd->holders, 0, __ATOMIC_RELEASE);
    return true;
}

/* Slots of those who were destroyed with them. True: there is a free one now. */
static bool sweep(void)
{
    bool any = false;

    for (unsigned i = 0; related && i < page_count; i++) {
        struct page *page = (struct page *)(PX_SHARED + pages[i] * PX_PAGE);
        uint32_t holders[SLOTS], living = 0;

        for (unsigned slot = 0; slot < SLOTS; slot++)
            holders[slot] = __atomic_load_n(&page->slot[slot].ofd.holders, __ATOMIC_ACQUIRE);
        for (uint32_t index = 1; (index = next_holder(page, index, HELD_BITS & ~living)) != 0; index++)
            living |= page->held[index];
        for (unsigned slot = 0; slot < SLOTS; slot++)
            if (holders[slot] && !(living >> slot & 1) && give_back(page, slot, holders[slot])) {
                page_hint = i;
                any = true;
            }
    }
    return any;
}

static bool more_room(void)
{
    uint16_t *more = page_room < PAGES_MAX ? px_alloc(2 * page_room * sizeof *more) : NULL;

    if (!more)
        return false;
    memcpy(more, pages, page_count * sizeof *more);
    if (pages != first_pages)
        px_free(pages);
    pages = more;
    page_room *= 2;
    return true;
}

static struct px_ofd *claim_in_new_page(void)
{
    uint64_t va;

    if (page_count == page_room && !more_room())
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

static struct px_ofd *claim_in_pages(void)
{
    struct px_ofd *ofd;

    for (unsigned i = 0; i < page_count; i++) {
        unsigned page = page_hint + i < page_count ? page_hint + i : page_hint + i - page_count;

        if ((ofd = claim_in_page(page))) {
            page_hint = page;
            return ofd;
        }
    }
    return NULL;
}

PX_APART static struct px_ofd *claim_elsewhere(void)
{
    struct px_ofd *ofd = claim_in_pages();

    if (!ofd && sweep())
        ofd = claim_in_pages();
    return ofd ? ofd : claim_in_new_page();
}

PX_PACKED(held) struct px_ofd *px_ofd_new(enum px_ofd_kind kind, unsigned flags)
{
    struct px_ofd *ofd = freed ? claim(freed) : NULL;

    if (!ofd)
        ofd = claim_elsewhere();
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
    note_left(ofd);
}

void px_ofd_abandon(struct px_ofd *ofd)
{
    free_slot(ofd);
}

/* ---- twins ---- */

PX_APART struct px_ofd *px_ofd_twin(const struct px_ofd *ofd)
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
PX_PACKED(close) void px_ofd_leave(struct px_ofd *ofd)
{
    const struct px_ops *ops = px_ofd_ops(ofd);
    uint32_t holders = __atomic_load_n(&ofd->holders, __ATOMIC_RELAXED);
    uint32_t left;
    struct px_ofd *twin = ofd->word[PX_WORD_TWIN] ? px_ofd_twin(ofd) : NULL;

    if (px_owners)
        px_owner_forget(ofd);
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
        note_left(ofd);
        return;
    }
    if (ofd->lock_id)
        px_record_forget(ofd);
    if (ops->destroy)
        ops->destroy(ofd);
    free_slot(ofd);
}

void px_ofd_forks(void)
{
    related = true;
}

void px_ofd_seal(void)
{
    page_count = 0;
    page_hint = 0;
    freed = NULL;
}
