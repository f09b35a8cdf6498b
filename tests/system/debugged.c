/* What tests/system/debugger.py looks at with gdb: a parent with mappings that it tells of, a child that sleeps, and calls of several kinds. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE 0x10000000ul
#define PAGE 4096ul
#define MAGIC 0x65786f2d64656275ul

__attribute__((noinline)) void all_is_there(pid_t parent, pid_t child, volatile uint64_t *word)
{
    __asm__ volatile("" : : "r"(parent), "r"(child), "r"(word) : "memory");
}

/* A system call instruction of the program's own. */
__attribute__((noinline)) long own_call(long number, long first)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first) : "rcx", "r11", "memory");
    return result;
}

__attribute__((noinline)) long middle(long number, long first)
{
    long result = own_call(number, first);

    __asm__ volatile("" : "+r"(result));
    return result;
}

__attribute__((noinline)) void hot(void)
{
    for (int i = 0; i < 300; i++) /* a `syscall` becomes a jump after 256 */
        middle(SYS_getppid, 0);
}

__attribute__((noinline)) int wrong(int *at)
{
    return *at;
}

int main(int argc, char **argv)
{
    uint8_t *place = mmap((void *)PLACE, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    volatile uint64_t *word = (volatile uint64_t *)(void *)place;
    pid_t child;

    if (place == MAP_FAILED)
        return 1;
    memset(place, 1, 3 * PAGE);
    mprotect(place + PAGE, PAGE, PROT_READ);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    *word = MAGIC;
    sleep(1); /* the child gets to its pause */
    all_is_there(getpid(), child, word);
    hot();
    middle(SYS_sched_yield, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (argc > 1 && strcmp(argv[1], "crash") == 0 && wrong((int *)0x1234))
        return 1;
    puts("done");
    return 0;
}
