/* shmget, shmat, shmdt, shmctl. A segment is a file without a name (servers/fs/shm.c): attaching is mapping it. */
#include "fs/files.h"
#include "mm.h"
#include "px_calls.h"

#include "proto/shm.h"

#define SHM_MARK (~0ull) /* rdev of a segment's node, in the list of mappings */
#define SHMMNI 4096u
enum { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, SHM_LOCK = 11, SHM_UNLOCK, SHM_STAT, SHM_INFO, SHM_STAT_ANY };

struct shmid_ds {
    int32_t key;
    uint32_t uid, gid, cuid, cgid, mode;
    uint16_t seq, pad0[3];
    uint64_t pad1[2];
    uint64_t size;
    int64_t atime, dtime, ctime;
    int32_t cpid, lpid;
    uint64_t attached, pad2[2];
};
_Static_assert(sizeof(struct shmid_ds) == 112, "struct shmid64_ds");
struct shminfo {
    uint64_t max, min, mni, seg, all, pad[4];
};
struct shm_info {
    int32_t used, pad;
    uint64_t total, resident, swapped, attempts, successes;
};

static int64_t ask(enum px_shm_call call, struct px_shm *shm, uint64_t *token)
{
    struct exo_message message = {.word = {PX_FS_SHM, 0, call}};
    int64_t result;

    memcpy(px_msg(), shm, sizeof *shm);
    result = px_call_server(PX_SLOT_FS, &message);
    if (result >= 0)
        memcpy(shm, px_msg(), sizeof *shm);
    if (token)
        *token = message.word[1];
    return result;
}

PX_SYS(shmget)
{
    struct px_shm shm = {.key = (int32_t)a, .size = b, .flags = (uint32_t)c};

    return ask(PX_SHM_GET, &shm, NULL);
}

/* Where: 0 in *va is anywhere. */
static int64_t place(uint64_t *va, uint64_t bytes, uint64_t flags)
{
    if (*va == 0) {
        *va = flags & SHM_REMAP ? 0 : px_vma_gap(bytes);
        return *va ? 0 : flags & SHM_REMAP ? -EINVAL : -ENOMEM;
    }
    if (*va % PX_PAGE && !(flags & SHM_RND))
        return -EINVAL;
    *va = PX_PAGE_DOWN(*va);
    if (*va < PX_PROG_LO || bytes > PX_PROG_HI || *va > PX_PROG_HI - bytes)
        return -EINVAL;
    return flags & SHM_REMAP || px_vma_pages(*va, *va + bytes) == 0 ? 0 : -EINVAL;
}

PX_SYS(shmat)
{
    struct px_shm shm = {.id = (int32_t)a, .flags = (uint32_t)c};
    bool readonly = c & SHM_RDONLY;
    struct px_node node;
    struct px_map map = {
        .lo = b, .prot = PROT_READ | (readonly ? 0 : PROT_WRITE) | (c & SHM_EXEC ? PROT_EXEC : 0), .flags = PX_VMA_SHARED, .lazy = true};
    int64_t status = (int32_t)a < 0 ? -EINVAL : ask(PX_SHM_ATTACH, &shm, NULL);

    if (status < 0)
        return status;
    map.bytes = PX_PAGE_UP(shm.size);
    map.flags |= readonly ? PX_VMA_NOWRITE : 0;
    status = place(&map.lo, map.bytes, c);
    if (status == 0)
        status = px_mm_may_grow(map.bytes / PX_PAGE - px_vma_pages(map.lo, map.lo + map.bytes), map.prot, map.flags);
    if (status < 0)
        return status;
    node = (struct px_node){
        .kind = PX_NODE_FS, .mode = S_IFREG, .ino = PX_FS_INO(shm.node), .gen = PX_FS_GEN(shm.node), .size = map.bytes, .rdev = SHM_MARK};
    map.node = &node;
    status = px_mm_map(&map);
    return status < 0 ? (status == -ENOENT ? -EIDRM : status) : (int64_t)map.lo;
}

/* Is the mapping a part of the segment that was attached at `base`? */
static bool is_part(const struct px_vma *vma, uint64_t base, const struct px_node *of)
{
    const struct px_node *node = px_vma_node(vma);

    return node && node->rdev == SHM_MARK && (!of || node->ino == of->ino) && vma->lo >= base && vma->page == (vma->lo - base) / PX_PAGE;
}

PX_SYS(shmdt)
{
    unsigned at = px_vma_find(a);
    struct px_node node;
    struct px_shm shm = {0};
    uint64_t end;

    if (a % PX_PAGE || at == px_mm.count)
        return -EINVAL;
    while (at < px_mm.count && !is_part(&px_mm.vma[at], a, NULL))
        at++;
    if (at == px_mm.count || px_vma_room(2) < 0)
        return -EINVAL;
    node = *px_vma_node(&px_mm.vma[at]);
    shm.node = PX_FS_NODE(node.ino, node.gen);
    end = a + node.size;
    for (; at < px_mm.count && px_mm.vma[at].lo < end;) {
        uint64_t lo = px_mm.vma[at].lo, hi = px_mm.vma[at].hi;

        if (is_part(&px_mm.vma[at], a, &node))
            px_vma_cut(lo, hi);
        else
            at++;
    }
    (void)!ask(PX_SHM_DETACH, &shm, NULL);
    return 0;
}

/* ---- shmctl ---- */

static void to_user(const struct px_shm *shm, struct shmid_ds *to)
{
    *to = (struct shmid_ds){.key = shm->key,
        .uid = shm->uid,
        .gid = shm->gid,
        .cuid = shm->cuid,
        .cgid = shm->cgid,
        .mode = shm->mode,
        .seq = (uint16_t)(shm->id >> 15),
        .size = shm->size,
        .atime = shm->atime,
        .dtime = shm->dtime,
        .ctime = shm->ctime,
        .cpid = shm->cpid,
        .lpid = shm->lpid,
        .attached = shm->attached};
}

static int64_t control_stat(int32_t id, uint64_t command, px_user to)
{
    struct px_shm shm = {.id = id, .flags = (command == IPC_STAT ? 0 : PX_SHM_BY_INDEX) | (command == SHM_STAT_ANY ? PX_SHM_ANYBODY : 0)};
    int64_t result = ask(PX_SHM_STAT, &shm, NULL);
    struct shmid_ds text;

    if (result < 0)
        return result;
    to_user(&shm, &text);
    if (px_copy_out(to, &text, sizeof text) != 0)
        return -EFAULT;
    return command == IPC_STAT ? 0 : result;
}

static int64_t control_info(uint64_t command, px_user to)
{
    const struct px_meta *meta = px_meta();
    const struct shminfo limits = {
        .max = meta->data_pages_max * PX_PAGE, .min = 1, .mni = PX_SHM_MAX, .seg = PX_SHM_MAX, .all = meta->data_pages_max};
    struct px_shm shm = {0};
    int64_t result = ask(PX_SHM_INFO, &shm, NULL);
    struct shm_info info = {.used = (int32_t)shm.used, .total = shm.pages, .resident = shm.pages};

    if (result < 0)
        return result;
    if (px_copy_out(to, command == IPC_INFO ? (const void *)&limits : &info, command == IPC_INFO ? sizeof limits : sizeof info) != 0)
        return -EFAULT;
    return result;
}

PX_SYS(shmctl)
{
    struct px_shm shm = {.id = (int32_t)a};
    struct shmid_ds text;

    if ((int32_t)a < 0 || (int32_t)b < 0)
        return -EINVAL;
    switch ((uint32_t)b) {
    case IPC_RMID:
        return ask(PX_SHM_REMOVE, &shm, NULL);
    case IPC_SET:
        if (px_copy_in(&text, c, sizeof text) != 0)
            return -EFAULT;
        shm.uid = text.uid;
        shm.gid = text.gid;
        shm.mode = text.mode;
        return ask(PX_SHM_SET, &shm, NULL);
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return control_stat((int32_t)a, (uint32_t)b, c);
    case IPC_INFO:
    case SHM_INFO:
        return control_info((uint32_t)b, c);
    case SHM_LOCK: /* nothing is ever moved out */
    case SHM_UNLOCK: {
        int64_t result = ask(PX_SHM_STAT, (shm.flags = PX_SHM_ANYBODY, &shm), NULL);

        return result < 0 ? result : px_self()->euid == 0 || px_self()->euid == shm.uid || px_self()->euid == shm.cuid ? 0 : -EPERM;
    }
    default:
        return -EINVAL;
    }
}
