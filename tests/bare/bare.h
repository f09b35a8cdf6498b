/*
 * Kernel tests in ring 3: a program that is the first environment and holds every capability. Cases register themselves; output is TAP on the
 * console. A case that fails says where and goes on; only the kernel can end the run early.
 */
#ifndef BARE_H
#define BARE_H
#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/string.h>
#include <stdbool.h>
#include <stdint.h>

struct bare_case {
    const char *name;
    void (*run)(void);
};

#define CASE(function, text)                                                                                           \
    static void function(void);                                                                                        \
    static const struct bare_case case_##function __attribute__((used, section("bare_cases"))) = {text, function};     \
    static void function(void)

#define CHECK(condition) bare_check((condition), #condition, __FILE__, __LINE__)
/* The call must answer exactly this. */
#define EXPECT(call, wanted) bare_expect((call), (wanted), #call, __FILE__, __LINE__)
/* The call must succeed; its value. */
#define MUST(call) bare_must((call), #call, __FILE__, __LINE__)

void bare_check(bool condition, const char *text, const char *file, int line);
void bare_expect(int64_t got, int64_t wanted, const char *text, const char *file, int line);
int64_t bare_must(int64_t got, const char *text, const char *file, int line);
void bare_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum { SELF = 1, CTX = 2, ZONE = 3, MACHINE = 4, AUDIT = 7 };

extern unsigned bare_failures; /* of the case that runs */
extern const struct exo_startup *bare_start;
static inline const struct exo_info *bare_info(void)
{
    return (const struct exo_info *)0x500000002000;
}
uint64_t bare_now(void);
/* Sleeps a little: what the kernel takes apart in pieces is gone afterwards. */
void bare_settle(void);
/* Frames that are free, and capability slots that this environment uses. */
uint64_t bare_frames_free(void);
uint32_t bare_slots_used(void);
/* Frames charged to the zone. */
uint64_t bare_zone_used(uint64_t zone);
/* env_destroy until nothing is left; then the handle is deleted. */
void bare_destroy(uint64_t env);
/* The command line has this word. */
bool bare_asked(const char *word);

/* Scratch addresses of this environment, one page-aligned MiB apart; unmapped again by the case. */
#define AREA(n) (0x100000000ul + (uint64_t)(n) * 0x100000ul)

/* A child environment: the same program text, a copy of the data, a stack, started at function(argument). */
struct child {
    uint64_t env, context, death;
};
#define CHILD_UPAGE 0x300000000000ul
struct child child_new(void (*function)(uint64_t), uint64_t argument);
struct child child_new_in(uint64_t zone, void (*function)(uint64_t), uint64_t argument);
struct child child_make(uint64_t zone, void (*function)(uint64_t), uint64_t argument, uint64_t syscall_entry, uint64_t upcall_entry);
struct child child_new_with(void (*function)(uint64_t), uint64_t argument, uint64_t syscall_entry, uint64_t upcall_entry);
void child_start(const struct child *child);
/* A new child that shares the page, adds one to *said, which lies there, and sleeps then. */
struct child child_asleep(void (*function)(uint64_t), uint64_t argument, uint64_t page, volatile uint32_t *said);
/* Waits for its end: the reason; the environment and its capabilities are gone afterwards. */
uint64_t child_end(const struct child *child);
/* A child with the entries of upcall_cases.c: pages that it misses in AREA(0) it allocates. */
struct child upcall_child(void (*function)(uint64_t), uint64_t argument);
/* In a child with the entries of upcall_cases.c: the events that it was told of. */
uint32_t upcall_events(void);
/* In a child: ends with a fault whose address is the result. */
_Noreturn void child_exit(uint64_t result);
uint64_t child_result(const struct child *child); /* as child_end, but the result given to child_exit */

#endif
