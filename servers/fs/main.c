/* The file server: takes the boot archive over, shares its metadata with proc for processes, and answers calls. */
#include "serve.h"

#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))
/* Three quarters of memory and a little more are for files: their pages, and what is known of them. The rest is for
 * processes. */
#define DATA_QUOTA(frames) ((frames) / 16 * 11)
#define REGION_QUOTA(frames) ((frames) / 8 > 1024 ? (frames) / 8 : 1024)

static _Noreturn void fail(uint64_t reason)
{
    for (;;)
        (void)!exo_env_destroy(fs_start->self, reason);
}

/* A secret for tokens: there is no entropy device yet, so the time of the boot in cycles must do. */
static void make_secret(void)
{
    const struct exo_info *info = (const struct exo_info *)fs_start->info_va;
    uint64_t secret[2] = {exo_arch_cycles() * 0x9e3779b97f4a7c15ull, info->boot_tsc ^ info->wall_offset_ns};

    secret[1] = (secret[1] + exo_arch_cycles()) * 0xbf58476d1ce4e5b9ull;
    fs_token_start(secret);
    secret[0] = fs_token(1, 2, 3);
    secret[1] ^= fs_token(4, 5, 6);
    fs_token_start(secret);
}

static __attribute__((noinline)) void start_core(void)
{
    uint64_t archive_pages = ROUND_UP(fs_start->archive_bytes, FS_PAGE) / FS_PAGE,
             area_pages = fs_start->frames_total;
    uint64_t bitmap_bytes = FS_DATA_BITMAP_BYTES(area_pages), used_bytes = (archive_pages + 2 + 63) / 64 * 8;
    uint64_t tables = ROUND_UP(bitmap_bytes + used_bytes, FS_PAGE), at = ROUND_UP(fs_start->free_va, 1ul << 21);
    uint64_t *bitmap = (uint64_t *)at;

    if (!os_pages_take(bitmap, tables / FS_PAGE))
        fail(1);
    if (!fs_region_start((uint8_t *)PX_META, REGION_QUOTA(fs_start->frames_total), (uint32_t)exo_arch_cycles()))
        fail(2);
    fs_data_start((uint8_t *)fs_start->archive_va, archive_pages, (uint8_t *)(at + ROUND_UP(tables, 1ul << 21)),
                  area_pages, bitmap, DATA_QUOTA(fs_start->frames_total));
    make_secret();
    if (!fs_root_start())
        fail(3);
    (void)fs_load_archive((const uint8_t *)fs_start->archive_va, fs_start->archive_bytes, bitmap + bitmap_bytes / 8);
    fs_mount_proc();
    fs_mount_mqueue();
}

FS_HOT static void answer(struct exo_message *message)
{
    struct fs_request request = {.message = message, .came = message->capability};

    if (!fs_find_caller(message->badge, &request)) {
        exo_message_refuse(message);
        message->word[0] = (uint64_t)-ESRCH;
        return;
    }
    fs_serve(&request);
    if (request.came)
        (void)!exo_cap_delete(request.came);
    if (request.capability && (int64_t)message->word[0] >= 0) {
        (void)!exo_ep_reply_cap(message->word[0], message->word[1], message->word[2], message->word[3],
                                request.capability);
        if (request.passed_on)
            (void)!exo_cap_delete(request.capability);
        message->badge = EXO_BADGE_KERNEL; /* answered */
    }
}

void exo_main(const struct px_server_start *start);
FS_HOT void exo_main(const struct px_server_start *start)
{
    uint64_t begun_tsc = exo_arch_cycles(), endpoint = start->endpoint;
    struct exo_message message;
    bool reply = false;

    fs_system_start(start);
    start_core();
    fs_meta()->begun_tsc = begun_tsc;
    fs_meta()->ready_tsc = exo_arch_cycles();
    if (exo_share_all(start->env_proc, PX_META, PX_META, fs_meta()->pages, EXO_SHARE_SAME | EXO_PROT_READ) < 0)
        fail(4);
    for (;;) {
        int64_t status = reply ? exo_ep_reply_recv(endpoint, &message)
                               : exo_ep_recv(endpoint, &message, EXO_DEADLINE_NEVER);

        reply = false;
        if (status < 0)
            continue;
        if (message.badge == EXO_BADGE_KERNEL) {
            fs_meet_sweep(~0u);
            fs_parcels_sweep();
            sem_sweep();
            if (fs_orphan_count || fs_watched()) {
                fs_change_begin();
                fs_watch_sweep();
                fs_orphans_sweep();
                fs_change_end();
            }
            continue;
        }
        answer(&message);
        reply = message.badge != EXO_BADGE_KERNEL;
    }
}
