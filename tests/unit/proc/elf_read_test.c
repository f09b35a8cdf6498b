/*
 * The ELF reader that loads servers and the libOS: what it accepts, and that no damaged file leads it astray.
 * unit-sources: libexo/elf.c
 */
#include <exo/abi.h>
#include <exo/elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define LOW 0x400000ul
#define HIGH 0x500000ul

struct header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segments, section_bytes, sections, names;
};
struct segment {
    uint32_t type, flags;
    uint64_t offset, va, physical, file_bytes, memory_bytes, align;
};
struct file {
    struct header header;
    struct segment segment[2];
    uint8_t rest[0x3000 - sizeof(struct header) - 2 * sizeof(struct segment)];
};

static struct file good(void)
{
    return (struct file){
        .header = {.ident = {127, 'E', 'L', 'F', 2, 1}, .type = 2, .entry = 0x401010, .segments_offset = sizeof(struct header),
                   .segment_bytes = sizeof(struct segment), .segments = 2},
        .segment = {{1, 5, 0x1000, 0x401000, 0, 0x800, 0x800, 0x1000}, {1, 6, 0x2010, 0x403010, 0, 0x100, 0x2000, 0x1000}},
    };
}

static int64_t parse(const struct file *file, size_t bytes, struct exo_elf *elf)
{
    void *exact = malloc(bytes ? bytes : 1); /* ASan sees a read beyond the end */
    int64_t status;

    memcpy(exact, file, bytes);
    status = exo_elf_parse(exact, bytes, LOW, HIGH, elf);
    free(exact);
    return status;
}

static int64_t parse_changed(void (*change)(struct file *file))
{
    struct file file = good();
    struct exo_elf elf;

    change(&file);
    return parse(&file, sizeof(file), &elf);
}

static void wrap_offset(struct file *f) { f->segment[0].offset = UINT64_MAX - 0xfff; }
static void beyond_end(struct file *f) { f->segment[0].file_bytes = f->segment[0].memory_bytes = 0x2001; }
static void more_file_than_memory(struct file *f) { f->segment[0].memory_bytes = 0x7ff; }
static void below(struct file *f) { f->segment[0].va = 0x3ff000; }
static void wrap_memory(struct file *f) { f->segment[1].memory_bytes = UINT64_MAX - 0x403000; }
static void above(struct file *f) { f->segment[1].memory_bytes = HIGH - 0x403010 + 1; }
static void writable_code(struct file *f) { f->segment[0].flags = 7; }
static void misaligned(struct file *f) { f->segment[0].va = 0x401004; }
static void overlap(struct file *f) { f->segment[1].va = 0x401010; }
static void entry_outside(struct file *f) { f->header.entry = 0x401800; }
static void entry_in_data(struct file *f) { f->header.entry = 0x403020; }
static void wrong_class(struct file *f) { f->header.ident[4] = 1; }
static void shared_object(struct file *f) { f->header.type = 3; }
static void far_headers(struct file *f) { f->header.segments_offset = sizeof(struct file) - 8; }
static void wrap_headers(struct file *f) { f->header.segments_offset = UINT64_MAX - 8; }
static void many_headers(struct file *f) { f->header.segments = 65535; }
static void no_segments(struct file *f) { f->header.segments = 0; }

static void test_good(void)
{
    struct file file = good();
    struct exo_elf elf;

    CHECK(parse(&file, sizeof(file), &elf) == 0);
    CHECK(elf.segments == 2 && elf.entry == 0x401010);
    CHECK(elf.segment[0].prot == (EXO_PROT_READ | EXO_PROT_EXEC) && elf.segment[1].prot == (EXO_PROT_READ | EXO_PROT_WRITE));
    CHECK(exo_elf_first_page(&elf.segment[1]) == 0x403000 && exo_elf_pages(&elf.segment[1]) == 3 && exo_elf_pages(&elf.segment[0]) == 1);
}

static void test_damaged(void)
{
    void (*const changes[])(struct file *) = {
        wrap_offset, beyond_end, more_file_than_memory, below, wrap_memory, above, writable_code, misaligned, overlap, entry_outside,
        entry_in_data, wrong_class, shared_object, far_headers, wrap_headers, many_headers, no_segments,
    };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        CHECK(parse_changed(changes[i]) < 0);
}

static void test_truncated_and_flipped(void)
{
    struct file file = good();
    struct exo_elf elf;

    for (size_t bytes = 0; bytes < 0x2110; bytes += bytes < 200 ? 1 : 61)
        CHECK(parse(&file, bytes, &elf) < 0);
    for (size_t bit = 0; bit < 8 * 176; bit++) {
        file = good();
        ((uint8_t *)&file)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (parse(&file, sizeof(file), &elf) < 0)
            continue;
        for (unsigned i = 0; i < elf.segments; i++) {
            const struct exo_elf_segment *segment = &elf.segment[i];

            CHECK(segment->va >= LOW && segment->va + segment->memory_bytes <= HIGH);
            CHECK(segment->file_offset + segment->file_bytes <= sizeof(file) && segment->file_bytes <= segment->memory_bytes);
        }
    }
}

int main(void)
{
    test_good();
    test_damaged();
    test_truncated_and_flipped();
    return 0;
}
