/*
 * What the programs that tests/system/strace.py traces have in common: each makes system calls by number, with arguments that are right, wrong
 * and wild, and cares for no answer. What counts is that strace and --strace show them alike.
 */
#ifndef STRACE_H
#define STRACE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALL(name, ...) ((long)syscall(SYS_##name, ##__VA_ARGS__))
#define WILD ((void *)0x1234)
/* Not canonical; the kernel's; the libOS's own. */
static const uint64_t wilder[] = {0x8000000000001000, 0xffff800000000000, 0x7ffff0000000, 0xffffffffffffffff};

#endif
