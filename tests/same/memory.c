/*
 * Memory and IPC: mappings and what is advised of them, memfd, process_vm, System V IPC and message queues.
 * long: a family is a list of calls, and of what they need.
 */
#include "probe.h"
#include <sys/shm.h>
#include <sys/sem.h>
#include <sys/msg.h>
#include <mqueue.h>
#include <sys/mman.h>
#define sys syscall
#define PG 4096

static void maps(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644), ro = open("f", O_RDONLY), wo = open("f", O_WRONLY), p[2], d = open(".", O_RDONLY); ftruncate(fd, 3 * PG);
    pipe(p); char *m, *a; unsigned char v[64];
#define MAP(...) ({ errno = 0; void *q = mmap(__VA_ARGS__); q == MAP_FAILED ? -1 : 0; })
    P(MAP(0, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); P(MAP(0, PG, 3, MAP_ANONYMOUS, -1, 0)); P(MAP(0, PG, 3, MAP_PRIVATE | MAP_SHARED, fd, 0));
    P(MAP(0, PG, 3, 3 /*SHARED_VALIDATE*/, fd, 0)); P(MAP(0, PG, 3, 3 | 0x8000000, fd, 0)); P(sys(9, 0, PG, 3, MAP_PRIVATE, fd, 1));
    P(MAP(0, PG, 3, MAP_PRIVATE, 99, 0)); P(MAP(0, PG, 3, MAP_PRIVATE, -1, 0)); P(MAP(0, PG, 3, MAP_SHARED, ro, 0)); P(MAP(0, PG, 3, MAP_PRIVATE, ro, 0));
    P(MAP(0, PG, 1, MAP_SHARED, wo, 0)); P(MAP(0, PG, 2, MAP_PRIVATE, wo, 0)); P(MAP(0, PG, 1, MAP_SHARED, p[0], 0)); P(MAP(0, PG, 1, MAP_SHARED, d, 0));
    P(MAP((void *)1, PG, 3, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); P(MAP((void *)-PG, PG, 3, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    P(MAP(0, -1, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); P(MAP(0, -PG, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    P(MAP(0, 1l << 47, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); P(MAP(0, PG, 3, MAP_PRIVATE, fd, -PG));
    P(MAP(0, PG, 3, MAP_PRIVATE, fd, LONG_MAX & ~4095l)); P(MAP(0, PG, 0x100, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    P(MAP(0, PG, 3, MAP_PRIVATE | MAP_ANONYMOUS, 99, 0)); P(MAP(0, PG, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
    P(MAP(0, PG, 1, MAP_SHARED, open("/dev/null", O_RDWR), 0)); P(MAP(0, PG, 3, MAP_SHARED, open("/dev/zero", O_RDWR), 0));
    P(MAP(0, PG, 3, MAP_PRIVATE | MAP_GROWSDOWN | MAP_ANONYMOUS, -1, 0)); P(MAP(0, PG, 3, MAP_SHARED | MAP_GROWSDOWN | MAP_ANONYMOUS, -1, 0));
    P(MAP(0, PG, 1, MAP_PRIVATE | MAP_32BIT | MAP_ANONYMOUS, -1, 0));
    a = mmap(0, 8 * PG, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); P(MAP(a, PG, 3, 0x100000 | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); munmap(a + PG, PG);
    P(mmap(a + PG, PG, 3, 0x100000 | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == a + PG);
    P(munmap(a + 1, PG)); P(munmap(a, 0)); P(munmap((void *)-PG, PG)); P(munmap(a, -1)); P(munmap(a + 4 * PG, 1)); P(munmap(a + 4 * PG, PG));
    P(munmap(0, PG)); P(munmap((void *)(1l << 47), PG));
    P(mprotect(a + 1, PG, 1)); P(mprotect(a, 0, 1)); P(mprotect(a + 3 * PG, 2 * PG, 1)); P(mprotect(a, -1, 1)); P(mprotect(a, PG, 0x100));
    P(mprotect(a, PG, PROT_GROWSDOWN | 1)); P(mprotect(a, PG, PROT_GROWSDOWN | PROT_GROWSUP)); P(mprotect((void *)(1l << 47), PG, 1));
    m = mmap(0, PG, 1, MAP_SHARED, ro, 0); P(mprotect(m, PG, 3)); m = mmap(0, PG, 1, MAP_PRIVATE, ro, 0); P(mprotect(m, PG, 3)); CHILD(mprotect(a, PG, 1);
    *(volatile char *)a = 1); CHILD(mprotect(a, PG, 0); (void)*(volatile char *)a);
    P(mremap(a, PG, 0, 0) == MAP_FAILED ? -1 : 0); P(mremap(a + 1, PG, PG, 0) == MAP_FAILED ? -1 : 0); P(mremap(a, PG, PG, 8) == MAP_FAILED ? -1 : 0);
    P(mremap(a, PG, PG, MREMAP_FIXED, a) == MAP_FAILED ? -1 : 0); P(mremap(a, PG, 3 * PG, 0) == MAP_FAILED ? -1 : 0);
    P(mremap(a + 4 * PG, PG, 2 * PG, 1) == MAP_FAILED ? -1 : 0); P(mremap(a, PG, PG, 3, a + 1) == MAP_FAILED ? -1 : 0);
    P(mremap(a, 2 * PG, 2 * PG, 3, a + PG) == MAP_FAILED ? -1 : 0); (void)(mremap(a, PG, 1l << 47, 1) == MAP_FAILED ? -1 : 0);
    P(mremap(a, 0, PG, 1) == MAP_FAILED ? -1 : 0); m = mmap(0, PG, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0); *m = 7; char *m2 = mremap(m, 0, PG, 1);
    (void)(m2 != MAP_FAILED && *m2 == 7); P(mremap(a + 2 * PG, 4 * PG, PG, 0) == MAP_FAILED ? -1 : 0); P(mremap(a, PG, PG, MREMAP_MAYMOVE) == a);
    a = mmap(0, 8 * PG, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); munmap(a + 4 * PG, PG); P(msync(a, PG, 0)); P(msync(a, PG, MS_SYNC | MS_ASYNC));
    P(msync(a, PG, 8)); P(msync(a + 1, PG, MS_SYNC)); P(msync(a + 3 * PG, 3 * PG, MS_ASYNC)); P(msync(a, 0, MS_SYNC)); P(msync(a, -1, MS_SYNC));
    P(msync(a + 4 * PG, PG, MS_SYNC)); mlock(a, PG); (void)(msync(a, PG, MS_INVALIDATE)); P(munlock(a, PG)); P(msync(a, PG, MS_INVALIDATE | MS_SYNC));
    P(msync(a, PG, 1));
    P(mincore(a, PG, v)); P(mincore(a + 1, PG, v)); P(mincore(a, PG, BAD)); P(mincore(a, 6 * PG, v)); P(mincore(a, -1, v));
    P(mincore((void *)(1l << 47), PG, v)); *a = 1; P(mincore(a, 1, v)); V(v[0] & 1); P(mincore(a, 0, v)); P(mincore(a + 6 * PG, PG, v)); V(v[0] & 1);
    P(mlock(a, PG)); P(mlock(a + 3 * PG, 2 * PG)); P(mlock(a + 1, PG)); P(mlock(a, -1)); P(munlock(a + 3 * PG, 2 * PG)); P(munlock(a, -1)); P(mlock(a, 0));
    P(mlockall(0)); P(mlockall(8)); P(mlockall(MCL_CURRENT)); P(mlockall(4)); P(mlockall(MCL_CURRENT | 4)); P(munlockall()); P(sys(325, a, PG, 0));
    P(sys(325, a, PG, 1)); P(sys(325, a, PG, 2)); P(munlockall());
    for (int i = -1; i < 22; i++) if (i != MADV_HUGEPAGE && i != MADV_NOHUGEPAGE && i != MADV_WIPEONFORK) { printf("advice %d ", i); P(madvise(a, PG, i)); }
    P(madvise(a, PG, 100)); P(madvise(a, PG, 101)); P(madvise(a, PG, 9999)); P(madvise(a + 1, PG, 0)); P(madvise(a, 0, 0)); P(madvise(a, -1, 0));
    P(madvise(a, -PG, 0)); P(madvise(a + 3 * PG, 2 * PG, MADV_NORMAL)); P(madvise(a + 3 * PG, 2 * PG, MADV_DONTNEED));
    P(madvise(a + 4 * PG, PG, MADV_WILLNEED)); m = mmap(0, PG, 3, MAP_SHARED, fd, 0); P(madvise(m, PG, MADV_WILLNEED)); (void)(madvise(m, PG, MADV_REMOVE));
    P(madvise(m, PG, MADV_FREE)); P(madvise(m, PG, MADV_DONTNEED)); P(madvise(a, PG, MADV_REMOVE)); m = mmap(0, PG, 1, MAP_SHARED, ro, 0);
    (void)(madvise(m, PG, MADV_REMOVE)); m = mmap(0, PG, 3, MAP_PRIVATE, fd, 0); (void)(madvise(m, PG, MADV_REMOVE)); P(madvise(m, PG, MADV_FREE));
    mlock(a, PG); (void)(madvise(a, PG, MADV_DONTNEED)); (void)(madvise(a, PG, MADV_FREE)); munlock(a, PG); a[0] = a[PG] = 9;
    (void)(madvise(a, PG, MADV_WIPEONFORK)); m = mmap(0, PG, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0); P(madvise(m, PG, MADV_WIPEONFORK));
    P(madvise(a + PG, PG, MADV_DONTFORK));
    P(sys(12, 0) == sys(12, 0)); P(sys(12, 1) == sys(12, 0)); P(sys(12, sys(12, 0) + PG) == sys(12, 0));
    P(sys(329, 1, 2)); (void)(sys(330, 0, 3)); P(sys(330, 1, 0)); P(sys(331, 99)); P(sys(329, a, PG, 1, 99)); P(sys(329, a, PG, 1, -1));
    fd = sys(319, "x", 0); (void)(fd); P(sys(319, "x", 0x100)); P(sys(319, BAD, 0)); memset(page, 'x', 300); page[250] = 0; P(sys(319, page, 0));
    page[249] = 0; (void)(sys(319, page, 0)); P(fcntl(fd, F_GET_SEALS)); P(fcntl(fd, F_ADD_SEALS, 1)); fd = sys(319, "x", 2); P(fcntl(fd, F_GET_SEALS));
    ftruncate(fd, 2 * PG); P(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)); P(ftruncate(fd, PG)); P(ftruncate(fd, 3 * PG)); P(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    P(ftruncate(fd, 4 * PG)); P(pwrite(fd, "x", 1, 5 * PG)); (void)(pwrite(fd, "xx", 2, 3 * PG - 1)); m = mmap(0, PG, 3, MAP_SHARED, fd, 0);
    P(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); P(munmap(m, PG)); P(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)); P(pwrite(fd, "x", 1, 0));
    P(MAP(0, PG, 3, MAP_SHARED, fd, 0)); P(MAP(0, PG, 3, MAP_PRIVATE, fd, 0)); P(MAP(0, PG, 1, MAP_SHARED, fd, 0)); P(fallocate(fd, 3, 0, PG));
    P(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL)); P(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW)); P(fcntl(fd, F_ADD_SEALS, 0x100)); P(fcntl(fd, F_GET_SEALS));
    P(fchmod(fd, 0600)); (void)(sys(447, 0));
    struct iovec l = {page, 10}, r = {page + 100, 10}; P(sys(310, getpid(), &l, 1, &r, 1, 0)); P(sys(310, getpid(), &l, 1, &r, 1, 1));
    P(sys(310, 99999999, &l, 1, &r, 1, 0)); P(sys(310, getpid(), BAD, 1, &r, 1, 0)); P(sys(310, getpid(), &l, 1, BAD, 1, 0));
    P(sys(310, getpid(), &l, 1025, &r, 1, 0)); P(sys(310, getpid(), &l, 1, &r, 1025, 0)); P(sys(310, getpid(), &l, -1, &r, 1, 0));
    P(sys(310, getpid(), &l, 0, &r, 1, 0)); r.iov_base = BAD; P(sys(310, getpid(), &l, 1, &r, 1, 0)); l.iov_base = BAD; r.iov_base = page;
    P(sys(310, getpid(), &l, 1, &r, 1, 0)); P(sys(311, getpid(), &l, 1, &r, 1, 0)); r.iov_len = -1; (void)(sys(311, getpid(), &l, 1, &r, 1, 0));
    AS_USER(l.iov_base = page; r.iov_len = 10; (void)(sys(310, 1, &l, 1, &r, 1, 0)); (void)(sys(311, 1, &l, 1, &r, 1, 0)));
}

static void remapped(void)
{
    int fd = open("f", O_CREAT | O_RDWR, 0600); for (int i = 0; i < 4; i++) { memset(page, '0' + i, 4096); write(fd, page, 4096); }
    char *m = mmap(0, 4 * 4096, 3, MAP_SHARED, fd, 0), *q = mmap(0, 4096, 3, MAP_PRIVATE, fd, 0);
    P(syscall(216, m, 4096, 0, 3, 0)); SAY("%c%c%c%c\n", m[0], m[4096], m[8192], m[12288]); P(syscall(216, m + 4096, 8192, 0, 0, 0));
    SAY("%c%c%c%c\n", m[0], m[4096], m[8192], m[12288]); m[0] = 'x'; SAY("%c\n", m[12288]); P(syscall(216, m, 4096, 1, 0, 0));
    P(syscall(216, m, 0, 0, 0, 0)); P(syscall(216, m, 4096, 0, -1l, 0)); P(syscall(216, q, 4096, 0, 0, 0)); P(syscall(216, (void*)0x5000, 4096, 0, 0, 0));
    P(syscall(216, m + 5, 4097, 0, 2, 0));SAY("%c\n", m[0]); P(munmap(m, 4*4096));
    m = mmap(0, 4096, 3, MAP_SHARED, fd, 0); P(syscall(216, m, 4096, 0, 2, 0)); close(fd); SAY("%c\n", m[0]); m[1] = 'k'; P(munmap(m, 4096));
}

static void sysv(void)
{
    struct shmid_ds sd; struct msqid_ds md; struct semid_ds smd; union { int val; void *p; } u; unsigned short arr[300]; int id, s; struct { long t;
    char b[9000]; } mb = {1, "hello"}; struct sembuf sb[600]; void *a; key_t k = 0x4711;
    P(shmget(k, 0, IPC_CREAT | 0600)); P(shmget(k, PG, 0)); P(shmget(k, -1, IPC_CREAT | 0600)); id = shmget(k, PG, IPC_CREAT | IPC_EXCL | 0600); P(id >= 0);
    P(shmget(k, PG, IPC_CREAT | IPC_EXCL | 0600)); P(shmget(k, 2 * PG, 0600)); P(shmget(k, 1, 0600) == id); P(shmget(k, 0, 0) == id);
    AS_USER(P(shmget(k, 1, 0600)); P(shmat(id, 0, 0) == (void *)-1 ? -1 : 0); P(shmctl(id, IPC_RMID, 0)); P(shmctl(id, IPC_STAT, &sd));
    P(shmctl(id, IPC_SET, &sd))); P(shmat(-1, 0, 0) == (void *)-1 ? -1 : 0); P(shmat(id, (void *)0x12345, 0) == (void *)-1 ? -1 : 0); a = shmat(id, 0, 0);
    P(shmat(id, a, 0) == (void *)-1 ? -1 : 0); P(shmat(id, a, SHM_REMAP) == a); P(shmat(id, 0, SHM_REMAP) == (void *)-1 ? -1 : 0);
    P(shmat(id, 0, SHM_RDONLY) != (void *)-1); P(shmctl(id, IPC_STAT, &sd)); SAY("%ld %o\n", sd.shm_segsz, sd.shm_perm.mode); P(shmctl(id, 99, 0));
    P(shmctl(id, IPC_STAT, BAD)); P(shmctl(id, IPC_SET, BAD)); P(shmctl(99999, IPC_STAT, &sd)); P(shmctl(id, SHM_LOCK, 0)); P(shmctl(id, IPC_STAT, &sd));
    P(shmctl(id, SHM_UNLOCK, 0)); sd.shm_perm.mode = 0644; P(shmctl(id, IPC_SET, &sd)); P(shmctl(0, IPC_INFO, (void *)page) >= 0); P(shmdt(a + 1));
    P(shmdt((void *)(long)PG)); P(shmdt(a)); P(shmctl(id, IPC_RMID, 0)); P(shmctl(id, IPC_STAT, &sd)); SAY("%o %d\n", sd.shm_perm.mode, sd.shm_perm.__key);
    P(shmget(k, PG, 0));
    P(msgget(k, 0)); id = msgget(k, IPC_CREAT | 0600); P(msgget(k, IPC_CREAT | IPC_EXCL)); AS_USER(P(msgget(k, 0600)); P(msgsnd(id, &mb, 1, 0));
    P(msgrcv(id, &mb, 1, 0, 0)); P(msgctl(id, IPC_STAT, &md)); P(msgctl(id, IPC_RMID, 0))); P(msgsnd(id, &mb, 5, 0)); P(msgsnd(-1, &mb, 5, 0));
    P(msgsnd(id, BAD, 5, 0)); P(msgsnd(id, &mb, -1, 0)); P(msgsnd(id, &mb, 8193, 0)); mb.t = 0; P(msgsnd(id, &mb, 5, 0)); mb.t = -1;
    P(msgsnd(id, &mb, 5, 0)); mb.t = 3; P(msgsnd(id, &mb, 0, 0)); P(msgrcv(id, &mb, 2, 0, 0)); P(msgrcv(id, &mb, -1, 0, 0)); P(msgrcv(id, BAD, 5, 0, 0));
    P(msgrcv(id, &mb, 2, 0, MSG_NOERROR)); V(mb.t); P(msgrcv(id, &mb, 5, 9, IPC_NOWAIT)); P(msgrcv(id, &mb, 5, -2, IPC_NOWAIT));
    P(msgrcv(id, &mb, 5, 4, IPC_NOWAIT | MSG_EXCEPT)); P(msgrcv(id, &mb, 5, 0, IPC_NOWAIT)); P(msgrcv(id, &mb, 5, 0, 040000 | IPC_NOWAIT));
    P(msgrcv(id, &mb, 5, 0, 040000)); P(msgrcv(id, &mb, 5, 0, 040000 | MSG_EXCEPT | IPC_NOWAIT)); mb.t = 1;
    for (int i = 0; i < 40; i++) if (msgsnd(id, &mb, 4000, IPC_NOWAIT)) { SAY("%d ", i); V(errno); break; } P(msgctl(id, IPC_STAT, &md));
    SAY("%lu %lu %lu\n", md.msg_qnum, md.msg_qbytes, md.__msg_cbytes); P(msgctl(id, 99, 0)); P(msgctl(id, IPC_STAT, BAD)); P(msgctl(id, IPC_SET, BAD));
    md.msg_qbytes = 1 << 30; (void)(msgctl(id, IPC_SET, &md)); P(msgctl(-1, IPC_STAT, &md)); pid_t pid = fork(); if (!pid) { alarm(5);
    _exit(msgrcv(id, &mb, 1, 77, 0) < 0 ? errno : 0); } usleep(30000); P(msgctl(id, IPC_RMID, 0)); waitpid(pid, &s, 0); probe_status(s);
    P(msgsnd(id, &mb, 1, 0)); P(msgctl(id, IPC_RMID, 0));
    P(semget(k, 1, 0)); P(semget(k, 0, IPC_CREAT)); P(semget(k, -1, IPC_CREAT)); P(semget(k, 32001, IPC_CREAT)); id = semget(k, 3, IPC_CREAT | 0600);
    P(semget(k, 4, 0)); P(semget(k, 1, IPC_CREAT | IPC_EXCL)); AS_USER(P(semget(k, 1, 0600)); P(semctl(id, 0, GETVAL)); P(semctl(id, 0, IPC_RMID));
    u.p = &smd; P(semctl(id, 0, IPC_STAT, u)); sb[0] = (struct sembuf){0, 1, 0}; P(semop(id, sb, 1))); u.val = 5; P(semctl(id, 0, SETVAL, u)); u.val = -1;
    P(semctl(id, 0, SETVAL, u)); u.val = 32768; P(semctl(id, 0, SETVAL, u)); P(semctl(id, 3, GETVAL)); P(semctl(id, -1, GETVAL)); P(semctl(id, 0, GETVAL));
    P(semctl(id, 0, GETPID) == getpid()); P(semctl(id, 0, GETNCNT)); P(semctl(id, 0, GETZCNT)); P(semctl(id, 0, 99)); u.p = arr;
    P(semctl(id, 0, GETALL, u)); V(arr[0]); arr[1] = 3; P(semctl(id, 0, SETALL, u)); arr[2] = 40000; P(semctl(id, 0, SETALL, u)); u.p = BAD;
    P(semctl(id, 0, GETALL, u)); P(semctl(id, 0, SETALL, u)); P(semctl(id, 0, IPC_STAT, u)); P(semctl(id, 0, IPC_SET, u)); P(semctl(-1, 0, GETVAL));
    u.p = &smd; P(semctl(id, 0, IPC_STAT, u)); V(smd.sem_nsems); P(semctl(0, 0, SEM_INFO, u) >= 0); sb[0] = (struct sembuf){0, -6, IPC_NOWAIT};
    P(semop(id, sb, 1)); P(semop(id, sb, 0)); P(semop(id, BAD, 1)); for (int i = 0; i < 600; i++) sb[i] = (struct sembuf){0, 0, IPC_NOWAIT};
    P(semop(id, sb, 501)); P(semop(-1, sb, 1)); sb[0] = (struct sembuf){3, 1, 0}; P(semop(id, sb, 1)); sb[0] = (struct sembuf){-1, 1, 0};
    P(semop(id, sb, 1)); sb[0] = (struct sembuf){0, 32767, 0}; P(semop(id, sb, 1)); sb[0] = (struct sembuf){1, 0, IPC_NOWAIT}; P(semop(id, sb, 1));
    struct timespec ts = {0, 10000000}; sb[0] = (struct sembuf){2, -1, 0}; P(semtimedop(id, sb, 1, &ts)); ts.tv_nsec = -1; P(semtimedop(id, sb, 1, &ts));
    P(semtimedop(id, sb, 1, BAD)); pid = fork(); if (!pid) { alarm(5); sb[0] = (struct sembuf){2, -1, 0}; _exit(semop(id, sb, 1) < 0 ? errno : 0); }
    usleep(30000); P(semctl(id, 2, GETNCNT)); P(semctl(id, 0, IPC_RMID)); waitpid(pid, &s, 0); probe_status(s); P(semop(id, sb, 1));
    id = semget(IPC_PRIVATE, 1, 0600); CHILD(sb[0] = (struct sembuf){0, 3, SEM_UNDO}; P(semop(id, sb, 1)); P(semctl(id, 0, GETVAL)));
    P(semctl(id, 0, GETVAL)); P(semctl(id, 0, IPC_RMID));
    struct mq_attr at = {0, 5, 10}; struct timespec past = {1, 0}, bad = {1, -1}; unsigned prio; mqd_t q, q2; P(mq_open("/none", O_RDWR));
    P(mq_open("none", O_RDWR)); P(sys(240, "/x", O_RDWR, 0, 0)); P(mq_open("/", O_RDWR)); P(sys(240, "", O_RDWR | O_CREAT, 0600, 0));
    memset(page, 'a', 300); page[0] = '/'; page[256] = 0; P(mq_open(page, O_RDWR | O_CREAT, 0600, NULL)); P(q = mq_open("/q", O_RDWR | O_CREAT, 0600, &at));
    P(mq_open("/q", O_RDWR | O_CREAT | O_EXCL, 0600, &at)); at.mq_maxmsg = 0; P(mq_open("/q2", O_RDWR | O_CREAT, 0600, &at)); at.mq_maxmsg = -1;
    P(mq_open("/q2", O_RDWR | O_CREAT, 0600, &at)); at.mq_maxmsg = 5; at.mq_msgsize = 0; P(mq_open("/q2", O_RDWR | O_CREAT, 0600, &at));
    AS_USER(P(mq_open("/q", O_RDONLY)); P(mq_unlink("/q")); at.mq_maxmsg = 11; at.mq_msgsize = 10; P(mq_open("/q3", O_RDWR | O_CREAT, 0600, &at));
    at.mq_maxmsg = 5; at.mq_msgsize = 9000; P(mq_open("/q3", O_RDWR | O_CREAT, 0600, &at))); P(mq_send(q, "hello", 5, 3));
    P(mq_send(q, "hello world", 11, 3)); P(mq_send(q, "x", 1, 32768)); P(mq_send(q, "x", 1, 32767)); P(mq_send(q, BAD, 1, 1)); P(mq_send(-1, "x", 1, 1));
    P(mq_send(1, "x", 1, 1)); P(mq_receive(q, page, 9, &prio)); P(mq_receive(q, page, 10, &prio)); V(prio); P(mq_receive(q, BAD, 10, &prio));
    P(mq_timedreceive(q, page, 10, 0, &past)); P(mq_timedreceive(q, page, 10, 0, &bad)); P(mq_timedreceive(q, page, 10, 0, BAD)); P(mq_getattr(q, &at));
    SAY("%ld %ld %ld %ld\n", at.mq_flags, at.mq_maxmsg, at.mq_msgsize, at.mq_curmsgs); P(mq_getattr(-1, &at)); P(mq_getattr(q, BAD));
    at.mq_flags = O_NONBLOCK; P(mq_setattr(q, &at, 0)); at.mq_flags = 1; P(mq_setattr(q, &at, 0)); P(mq_receive(q, page, 10, 0));
    for (int i = 0; i < 6; i++) P(mq_send(q, "m", 1, i)); P(mq_timedsend(q, "m", 1, 1, &past)); struct pollfd pf = {q, POLLIN | POLLOUT};
    P(poll(&pf, 1, 0)); V(pf.revents); q2 = mq_open("/q", O_RDONLY); P(mq_send(q2, "m", 1, 1)); P(mq_timedsend(q2, "m", 1, 1, &past));
    q2 = mq_open("/q", O_WRONLY); P(mq_receive(q2, page, 10, 0)); P(mq_timedsend(q2, "m", 1, 1, &past)); P(mq_timedsend(q2, "m", 1, 1, &bad));
    struct sigevent se = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99}; P(mq_notify(q, &se)); se.sigev_notify = 9; P(mq_notify(q, &se));
    se.sigev_notify = SIGEV_NONE; P(mq_notify(q, &se)); P(mq_notify(q, &se)); P(mq_notify(q, 0)); P(mq_notify(-1, &se)); P(mq_notify(1, &se));
    P(read(q, page, 100)); P(fstat(q, (void *)page)); P(mq_unlink("/q")); P(mq_unlink("/q")); P(mq_unlink("")); P(mq_close(q)); P(mq_close(q));
}

int main(int argc, char **argv)
{
    RUN(maps);
    RUN(remapped);
    RUN(sysv);
}
