/*
 * The guarded copies, as they are, on the host: every fault inside them is sent to px_guarded_fixup, as the libOS's upcall does, and what
 * they report is compared with what was copied.
 *
 * unit-sources: libos/posix/arch/x86_64/copy.S
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

size_t px_raw_copy(void *to, const void *from, size_t bytes);
size_t px_raw_clear(void *to, size_t bytes);
int64_t px_raw_string(char *to, const char *from, size_t most);
int64_t px_raw_length(const char *from, size_t most);
size_t px_raw_load_u32(const void *from, uint32_t *value);
extern const char px_guarded_start[], px_guarded_end[], px_guarded_fixup[];

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static unsigned faults;

static void on_fault(int signo, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

    (void)signo, (void)info;
    if ((const char *)*rip < px_guarded_start || (const char *)*rip >= px_guarded_end)
        abort();
    faults++;
    *rip = (greg_t)px_guarded_fixup;
}

#define SPAN 8192u /* then comes a page without access */
static unsigned char *source, *target;

static unsigned char *make_span(void)
{
    unsigned char *at = mmap(NULL, SPAN + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED && mprotect(at + SPAN, 8192, PROT_NONE) == 0);
    return at;
}

static void fill(void)
{
    for (unsigned at = 0; at < SPAN; at++) {
        source[at] = (unsigned char)(1 + at % 255);
        target[at] = 0xee;
    }
}

/* Copies from `from` bytes before the end of one span to `to` bytes before the end of the other. */
static void check_copy(size_t from, size_t to, size_t bytes)
{
    size_t room = from < to ? from : to, good = bytes < room ? bytes : room;

    fill();
    CHECK(px_raw_copy(target + SPAN - to, source + SPAN - from, bytes) == bytes - good);
    CHECK(memcmp(target + SPAN - to, source + SPAN - from, good) == 0);
    for (size_t at = SPAN - to + good; at < SPAN; at++)
        CHECK(target[at] == 0xee);
    for (size_t at = 0; at < SPAN - to; at++)
        CHECK(target[at] == 0xee);
}

static void test_copy(void)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 71, 72, 100, 127, 128, 500, 4096};

    for (size_t bytes = 0; bytes < 200; bytes++)
        check_copy(300, 301, bytes);
    for (size_t left = 0; left < 80; left++)
        for (unsigned at = 0; at < sizeof(sizes) / sizeof(sizes[0]); at++) {
            check_copy(left, 5000, sizes[at]);
            check_copy(5003, left, sizes[at]);
            check_copy(left, left + 3, sizes[at]);
        }
    CHECK(faults > 1000);
}

static void test_clear(void)
{
    for (size_t left = 0; left < 40; left++)
        for (size_t bytes = 0; bytes < 60; bytes++) {
            size_t good = bytes < left ? bytes : left;

            fill();
            CHECK(px_raw_clear(target + SPAN - left, bytes) == bytes - good);
            for (size_t at = 0; at < SPAN; at++)
                CHECK(target[at] == (at >= SPAN - left && at < SPAN - left + good ? 0 : 0xee));
        }
}

static void test_strings(void)
{
    for (size_t left = 0; left < 40; left++)
        for (size_t length = 0; length < 44; length++)
            for (size_t most = 0; most < 48; most += 1 + most / 10) {
                char *text = (char *)source + SPAN - left;
                int64_t expected;

                fill();
                if (length < left)
                    text[length] = 0;
                expected = most <= length && most <= left ? (int64_t)most : length < left ? (int64_t)length : -1;
                CHECK(px_raw_length(text, most) == expected);
                CHECK(px_raw_string((char *)target, text, most) == expected);
                if (expected >= 0 && (size_t)expected < most)
                    CHECK(strcmp((char *)target, text) == 0);
                CHECK(target[most] == 0xee); /* never more than asked for */
            }
    fill();
    memset(source, 0x80, 64); /* high bits are no zeros */
    source[20] = 1, source[21] = 0;
    CHECK(px_raw_length((char *)source, 64) == 21);
}

static void test_word(void)
{
    uint32_t value = 0;

    fill();
    CHECK(px_raw_load_u32(source + SPAN - 4, &value) == 0 && memcmp(&value, source + SPAN - 4, 4) == 0);
    CHECK(px_raw_load_u32(source + SPAN - 3, &value) != 0 && px_raw_load_u32(source + SPAN, &value) != 0);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, NULL);
    source = make_span();
    target = make_span();
    test_copy();
    test_clear();
    test_strings();
    test_word();
    return 0;
}
