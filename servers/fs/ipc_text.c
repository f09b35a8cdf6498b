/*
 * Messages' texts, in chains of small blocks: 16 to a page of data, which count as files' pages do. The pages are given back when there is no message at all.
 */
#include "ipc.h"

#define BLOCK 256u
#define PAGE_BLOCKS (FS_PAGE / BLOCK)
#define PAGES_MOST 2048u

struct block {
    uint32_t next, pad;
    union {
        struct {
            struct text_head head;
            uint8_t data[];
        } first;
        uint8_t data[BLOCK - 8];
    };
};
_Static_assert(sizeof(struct block) == BLOCK, "16 to a page");
#define DATA ((uint32_t)sizeof(((struct block *)0)->data))
#define HEAD ((uint32_t)sizeof(struct text_head))

static uint32_t pages[PAGES_MOST], page_count, free_block, used_blocks;

static struct block *block_at(uint32_t number)
{
    return (struct block *)(fs_page(pages[(number - 1) / PAGE_BLOCKS]) + (number - 1) % PAGE_BLOCKS * BLOCK);
}

static bool grow(void)
{
    uint64_t got;
    uint32_t page = page_count < PAGES_MOST ? fs_data_take(0, 1, &got) : 0;

    if (!page)
        return false;
    pages[page_count++] = page;
    for (uint32_t i = 0; i < PAGE_BLOCKS; i++) {
        uint32_t number = page_count * PAGE_BLOCKS - i;

        block_at(number)->next = free_block;
        free_block = number;
    }
    return true;
}

static void shrink(void)
{
    struct fs_release release = {0};

    while (page_count > 0)
        fs_release_page(&release, pages[--page_count]);
    fs_release_end(&release);
    free_block = 0;
}

static uint32_t block_new(void)
{
    uint32_t number;

    if (!free_block && !grow())
        return 0;
    number = free_block;
    free_block = block_at(number)->next;
    block_at(number)->next = 0;
    used_blocks++;
    return number;
}

uint32_t text_new(uint32_t bytes)
{
    uint32_t text = block_new(), last = text, room = DATA - HEAD;

    if (!text)
        return 0;
    block_at(text)->first.head = (struct text_head){.bytes = bytes};
    for (; room < bytes; room += DATA) {
        uint32_t more = block_new();

        if (!more) {
            text_free(text);
            return 0;
        }
        block_at(last)->next = more;
        last = more;
    }
    return text;
}

void text_free(uint32_t text)
{
    while (text) {
        struct block *block = block_at(text);
        uint32_t next = block->next;

        block->next = free_block;
        free_block = text;
        text = next;
        used_blocks--;
    }
    if (used_blocks == 0)
        shrink();
}

struct text_head *text_head(uint32_t text)
{
    return &block_at(text)->first.head;
}

/* Goes through the pieces of a stretch of the text; `offset` and `bytes` lie within it. */
static void move(uint32_t text, uint32_t offset, uint8_t *outside, uint32_t bytes, bool writing)
{
    uint32_t at = offset + HEAD; /* the head takes the first block's first bytes */

    while (at >= DATA) {
        text = block_at(text)->next;
        at -= DATA;
    }
    while (bytes > 0) {
        uint32_t part = DATA - at < bytes ? DATA - at : bytes;
        uint8_t *inside = block_at(text)->data + at;

        memcpy(writing ? inside : outside, writing ? outside : inside, part);
        outside += part;
        bytes -= part;
        at = 0;
        text = block_at(text)->next;
    }
}

void text_write(uint32_t text, uint32_t offset, const void *from, uint32_t bytes)
{
    move(text, offset, (uint8_t *)(uintptr_t)from, bytes, true);
}

void text_read(uint32_t text, uint32_t offset, void *to, uint32_t bytes)
{
    move(text, offset, to, bytes, false);
}
