/*
 * Data pages: numbered from 1. The first are the boot archive's, where they lie; the others are addresses in the data
 * area, backed by fresh frames when they are taken. Adjacent numbers are adjacent addresses within each part, so a
 * run of them is shared in one kernel call.
 */
#include "core.h"

static uint8_t *archive;
static uint64_t archive_pages;
static bool archive_kept;
static uint8_t *area;
static uint64_t area_pages;
static uint64_t *taken; /* a bit a page of the area */
static uint64_t rover;

void fs_data_start(uint8_t *archive_at, uint64_t archive_count, uint8_t *area_at, uint64_t area_count,
                   uint64_t *bitmap, uint64_t quota)
{
    archive = archive_at;
    archive_pages = archive_count;
    area = area_at;
    area_pages = area_count;
    taken = bitmap;
    rover = 0;
    archive_kept = false;
    fs_meta()->data_pages = 0;
    fs_meta()->data_pages_max = quota;
}

uint8_t *fs_page(uint32_t page)
{
    uint64_t index = (uint64_t)page - 1;

    return index < archive_pages ? archive + index * FS_PAGE : area + (index - archive_pages) * FS_PAGE;
}

bool fs_page_archived(uint32_t page)
{
    return page <= archive_pages;
}

static bool is_taken(uint64_t at)
{
    return taken[at / 64] >> (at % 64) & 1;
}

/* First free page of the area from `from` on (cyclic), or area_pages. */
static uint64_t find_free(uint64_t from)
{
    for (uint64_t seen = 0; seen < area_pages;) {
        uint64_t at = from + seen < area_pages ? from + seen : from + seen - area_pages;

        if (at % 64 == 0 && taken[at / 64] == ~0ull) {
            seen += 64;
            continue;
        }
        if (!is_taken(at))
            return at;
        seen++;
    }
    return area_pages;
}

uint64_t fs_data_free(void)
{
    const struct px_meta *meta = fs_meta();

    return meta->data_pages < meta->data_pages_max ? meta->data_pages_max - meta->data_pages : 0;
}

uint32_t fs_data_take(uint32_t near, uint64_t want, uint64_t *got)
{
    uint64_t at, count = 0, left = fs_data_free();

    if (want > left)
        want = left;
    if (want == 0)
        return 0;
    at = find_free(near > archive_pages && near - archive_pages < area_pages ? near - archive_pages : rover);
    if (at == area_pages)
        return 0;
    while (count < want && at + count < area_pages && !is_taken(at + count))
        count++;
    while (!os_pages_take(area + at * FS_PAGE, count)) {
        count /= 2; /* memory is short: less may be there */
        if (count == 0)
            return 0;
    }
    for (uint64_t i = at; i < at + count; i++)
        taken[i / 64] |= 1ull << (i % 64);
    fs_meta()->data_pages += count;
    rover = at + count < area_pages ? at + count : 0;
    *got = count;
    return (uint32_t)(archive_pages + 1 + at);
}

void fs_release_end(struct fs_release *release)
{
    if (release->count && !(archive_kept && release->first <= archive_pages))
        os_pages_give(fs_page(release->first), release->count);
    release->count = 0;
}

void fs_release_page(struct fs_release *release, uint32_t page)
{
    uint64_t index = (uint64_t)page - 1;

    if (index >= archive_pages) {
        index -= archive_pages;
        taken[index / 64] &= ~(1ull << (index % 64));
    }
    fs_meta()->data_pages--;
    if (release->count && page == release->first + release->count && page != archive_pages + 1) {
        release->count++;
        return;
    }
    fs_release_end(release);
    release->first = page;
    release->count = 1;
}

void fs_data_keep_archive(bool keep)
{
    archive_kept = keep;
}

void fs_data_sort_archive(const uint64_t *used)
{
    uint64_t first = 0;

    for (uint64_t page = 1; page <= archive_pages + 1; page++) {
        bool in_use = page > archive_pages || (used[page / 64] >> (page % 64) & 1);

        if (!in_use && !first)
            first = page;
        if (in_use && first) {
            os_pages_give(fs_page((uint32_t)first), page - first);
            first = 0;
        }
    }
}
