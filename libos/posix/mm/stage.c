/*
 * The new program's stack, made before the old program is given up. Layout from the top: 8 zero bytes, path,
 * environment strings, argument strings, platform name, random bytes, auxiliary vector, environment pointers,
 * argument pointers, argc.
 */
#include "exec.h"

#define RANDOM_BYTES 16u
#define AUX_PAIRS_MAX 26u
#define STACK_MAPPED 0x20000ul
#define STACK_SPARE 1u /* pages bound below what is written: the program begins with some calls */

/* ---- staging pages
 * ----------------------------------------------------------------------------------------------- */

/* Makes sure that the page of `va` and all above are bound. */
static int64_t bind_down(struct px_stage *stage, uint64_t va)
{
    uint64_t lowest = PX_PAGE_DOWN(va), done = 0;

    if (lowest >= stage->bound)
        return 0;
    if (lowest < stage->lo)
        return -ENOMEM;
    if (exo_alloc_all(PX_SLOT_SELF, lowest, (stage->bound - lowest) / PX_PAGE, 7, &done) < 0) {
        int64_t status = exo_unmap_all(PX_SLOT_SELF, lowest, done);

        (void)status;
        return -ENOMEM;
    }
    stage->bound = lowest;
    return 0;
}

/* Room for a string below the others: its address in *at. */
static int64_t make_room(struct px_stage *stage, uint64_t bytes, uint64_t *at)
{
    if (bytes > PX_EXEC_STRING_MAX || stage->at - stage->least < bytes)
        return -E2BIG;
    *at = stage->at - bytes;
    return bind_down(stage, *at);
}

int64_t px_stage_push(struct px_stage *stage, const char *text)
{
    size_t bytes = strlen(text) + 1;
    uint64_t at;
    int64_t status = make_room(stage, bytes, &at);

    if (status < 0)
        return status;
    memcpy((void *)at, text, bytes);
    stage->at = at;
    return 0;
}

void px_stage_pop(struct px_stage *stage)
{
    stage->at += strlen((const char *)stage->at) + 1;
}

/* The program may change its string between the two looks at it: then what was measured is copied, and ended. */
static int64_t push_user(struct px_stage *stage, px_user text)
{
    int64_t length = px_user_length(text, PX_EXEC_STRING_MAX), status;
    uint64_t at;

    if (length < 0)
        return length;
    status = make_room(stage, (uint64_t)length + 1, &at);
    if (status == 0)
        status = px_copy_in((void *)at, text, (uint64_t)length);
    if (status < 0)
        return status;
    ((char *)at)[length] = '\0';
    stage->at = at;
    return 0;
}

static int64_t push_all(struct px_stage *stage, const struct px_strings *strings)
{
    int64_t status = 0;

    for (uint64_t at = strings->count; at-- > 0 && status == 0;) {
        px_user pointer;

        if (strings->libos) {
            status = px_stage_push(stage, strings->libos[at]);
            continue;
        }
        status = px_copy_in(&pointer, strings->user + at * 8, 8);
        if (status == 0)
            status = push_user(stage, pointer);
    }
    return status;
}

int64_t px_strings_count(struct px_strings *strings)
{
    strings->count = 0;
    if (!strings->libos && !strings->user)
        return 0;
    for (;; strings->count++) {
        px_user pointer = 0;

        if (strings->libos)
            pointer = (uint64_t)strings->libos[strings->count];
        else if (px_copy_in(&pointer, strings->user + strings->count * 8, 8) < 0)
            return -EFAULT;
        if (!pointer)
            return 0;
        if (strings->count >= PX_EXEC_LIMIT_MAX / 8)
            return -E2BIG;
    }
}

int64_t px_stage_start(struct px_exec *exec)
{
    struct px_stage *stage = &exec->stage;
    uint64_t limit = px_limit(RLIMIT_STACK) / 4, pointers = (exec->argv.count + exec->envp.count + 2) * 8, bytes;
    int64_t status;

    limit = limit > PX_EXEC_LIMIT_MAX ? PX_EXEC_LIMIT_MAX : limit;
    limit = limit < PX_EXEC_LIMIT_MIN ? PX_EXEC_LIMIT_MIN : limit;
    limit &= ~(PX_PAGE - 1);
    if (pointers >= limit)
        return -E2BIG;
    bytes = limit + PX_PAGE_UP(pointers) + 2 * PX_PAGE; /* the tables come on top of the limit */
    stage->lo = px_big_reserve(bytes / PX_PAGE);
    if (!stage->lo)
        return -ENOMEM;
    stage->hi = stage->bound = stage->lo + bytes;
    stage->least = stage->hi - (limit - pointers);
    stage->shift = PX_STACK_HI - stage->hi;
    stage->at = stage->hi - 8;
    status = bind_down(stage, stage->hi - (STACK_SPARE + 1) * PX_PAGE);
    if (status == 0)
        status = px_stage_push(stage, exec->path);
    exec->execfn = stage->at;
    if (status == 0)
        status = push_all(stage, &exec->envp);
    exec->environment = stage->at;
    if (status == 0)
        status = push_all(stage, &exec->argv);
    exec->argc = exec->argv.count;
    if (status == 0 && exec->argc == 0) { /* as Linux since 5.18: there is always an argv[0] */
        status = px_stage_push(stage, "");
        exec->argc = 1;
    }
    return status;
}

void px_stage_end(struct px_stage *stage)
{
    int64_t status = 0;

    if (!stage->lo)
        return;
    if (stage->bound < stage->hi)
        status = exo_unmap_all(PX_SLOT_SELF, stage->bound, (stage->hi - stage->bound) / PX_PAGE);
    (void)status;
    px_big_release(stage->lo, (stage->hi - stage->lo) / PX_PAGE);
    stage->lo = 0;
}

/* ---- tables
 * ------------------------------------------------------------------------------------------------------ */

enum aux {
    AT_NULL = 0, AT_PHDR = 3, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY, AT_UID = 11, AT_EUID, AT_GID, AT_EGID,
    AT_PLATFORM, AT_HWCAP, AT_CLKTCK, AT_SECURE = 23, AT_RANDOM = 25, AT_HWCAP2, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33, AT_MINSIGSTKSZ = 51,
    AT_EXO_CALL = 0x65786f,
};
#define CLOCK_TICKS 100

/* In Linux's order; the number of words. */
static unsigned fill_auxv(const struct px_exec *exec, uint64_t platform, uint64_t random, uint64_t *aux)
{
    const struct px_proc *self = px_self();
    const struct px_elf *elf = &exec->main;
    const uint64_t pairs[][2] = {
        {AT_SYSINFO_EHDR, (uint64_t)px_vdso},
        {AT_MINSIGSTKSZ, px_arch_signal_stack()},
        {AT_HWCAP, px_arch_hwcap()},
        {AT_PAGESZ, PX_PAGE},
        {AT_CLKTCK, CLOCK_TICKS},
        {AT_PHDR, elf->phdr_va},
        {AT_PHENT, sizeof(struct px_elf_phdr)},
        {AT_PHNUM, elf->header.phnum},
        {AT_BASE, exec->has_interpreter ? exec->interpreter.bias : 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, elf->entry},
        {AT_UID, self->uid},
        {AT_EUID, self->euid},
        {AT_GID, self->gid},
        {AT_EGID, self->egid},
        {AT_SECURE, self->uid != self->euid || self->gid != self->egid},
        {AT_RANDOM, random},
        {AT_HWCAP2, px_arch_hwcap2()},
        {AT_EXECFN, exec->execfn + exec->stage.shift},
        {AT_PLATFORM, platform},
        {AT_EXO_CALL, (uint64_t)px_direct_entry},
        {AT_NULL, 0},
    };
    _Static_assert(sizeof(pairs) / sizeof(pairs[0]) <= AUX_PAIRS_MAX, "room for the auxiliary vector");

    memcpy(aux, pairs, sizeof(pairs));
    return sizeof(pairs) / 8;
}

/* Pointers to `count` strings that lie one after the other from `text` on, and a NULL; the place after them. */
static uint64_t *fill_pointers(uint64_t *to, const struct px_stage *stage, uint64_t text, uint64_t count)
{
    for (uint64_t at = 0; at < count; at++) {
        *to++ = text + stage->shift;
        text += strlen((const char *)text) + 1;
    }
    *to++ = 0;
    return to;
}

int64_t px_stage_tables(struct px_exec *exec, uint64_t *stack)
{
    struct px_stage *stage = &exec->stage;
    uint64_t arguments = stage->at, words, platform, random, *at;
    uint64_t aux[AUX_PAIRS_MAX * 2];
    unsigned aux_words;
    int64_t status;

    words = 1 + exec->argc + 1 + exec->envp.count + 1 + AUX_PAIRS_MAX * 2;
    status = bind_down(stage, stage->at - words * 8 - 128 - STACK_SPARE * PX_PAGE < stage->lo ? stage->lo
                                                          : stage->at - words * 8 - 128 - STACK_SPARE * PX_PAGE);
    if (status < 0)
        return status;
    platform = stage->at - strlen(px_arch_platform) - 1;
    memcpy((void *)platform, px_arch_platform, strlen(px_arch_platform) + 1);
    random = (platform - RANDOM_BYTES) & ~15ul;
    px_random_bytes((void *)random, RANDOM_BYTES);
    aux_words = fill_auxv(exec, platform + stage->shift, random + stage->shift, aux);
    words = 1 + exec->argc + 1 + exec->envp.count + 1 + aux_words;
    at = (uint64_t *)((random - words * 8) & ~15ul);
    stage->at = (uint64_t)at;
    *stack = stage->at + stage->shift;
    *at++ = exec->argc;
    at = fill_pointers(at, stage, arguments, exec->argc);
    at = fill_pointers(at, stage, exec->environment, exec->envp.count);
    memcpy(at, aux, aux_words * 8);
    px_mm.auxv = (uint64_t)at + stage->shift;
    px_mm.auxv_bytes = aux_words * 8;
    px_mm.argument_lo = arguments + stage->shift;
    px_mm.argument_hi = exec->environment + stage->shift;
    px_mm.environment_hi = exec->execfn + stage->shift;
    return 0;
}

/* As Linux has it: the mapping reaches below what is there yet, so that what a program needs at least cannot be refused later. */
static uint64_t stack_begin(uint64_t lo)
{
    uint64_t limit = px_limit(RLIMIT_STACK), most = PX_STACK_HI - lo + STACK_MAPPED;

    if (most > limit)
        most = PX_PAGE_DOWN(limit);
    return most > PX_STACK_HI - lo ? PX_STACK_HI - most : lo;
}

int64_t px_stage_commit(struct px_exec *exec)
{
    struct px_stage *stage = &exec->stage;
    int prot = PROT_READ | PROT_WRITE | (px_elf_stack_executable(&exec->main) ? PROT_EXEC : 0);
    uint64_t lo = stage->bound + stage->shift;
    struct px_vma vma = {.lo = stack_begin(lo), .hi = PX_STACK_HI, .prot = (uint16_t)prot & 7u, .flags = PX_VMA_STACK};
    int64_t status;

    if (px_vma_room(3) < 0 || px_vma_pages(lo, PX_STACK_HI) > 0)
        return -ENOMEM;
    status = exo_share_all(PX_SLOT_SELF, lo, stage->bound, (stage->hi - stage->bound) / PX_PAGE, EXO_SHARE_MOVE | px_mm_prot(prot));
    if (status < 0)
        return -ENOMEM;
    px_vma_add(&vma);
    stage->bound = stage->hi;
    return 0;
}
