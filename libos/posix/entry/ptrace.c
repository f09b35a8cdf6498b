/* ptrace(2) and process_vm_readv(2) from the tracer's side: what proc knows proc answers, the rest the traced process. */
#include "px_arch.h"
#include "px_calls.h"
#include "trace.h"

#define USER_BYTES 928u /* struct user */
#define USER_DEBUG 848u /* its debug registers, of which there are none */
#define NT_PRSTATUS 1u
#define NT_PRFPREG 2u
#define INFO_BYTES 128u
#define IOV_MOST 1024u

static int64_t call(uint64_t request, int32_t tid, uint64_t address, uint64_t data, uint64_t *answer)
{
    struct exo_message message = {.word = {PX_PROC_PTRACE, request, (uint64_t)(int64_t)tid, address, data}};
    int64_t status = px_call_proc(&message);

    if (answer)
        *answer = message.word[1];
    return status;
}

static int64_t traceme(void)
{
    struct px_thread *thread = px_thread();
    int64_t status;

    if (thread->trace)
        return -EPERM;
    status = call(PTRACE_TRACEME, thread->tid, 0, 0, NULL);
    return status < 0 ? status : px_trace_begin(thread, false, 0, false);
}

static int64_t ask_simply(int32_t tid, enum px_ask kind, uint64_t first, uint64_t second)
{
    struct px_question *question = px_alloc(sizeof(*question));
    int64_t result;

    if (!question)
        return -ENOMEM;
    *question = (struct px_question){.kind = kind, .word = {first, second}};
    result = px_ask(tid, question);
    px_free(question);
    return result;
}

static int64_t attach(uint64_t request, int32_t tid, uint64_t address, uint64_t options)
{
    bool seize = request == PTRACE_SEIZE;
    int64_t status = call(request, tid, address, options, NULL);

    if (status < 0)
        return status;
    px_children_unknown();
    status = ask_simply(tid, PX_ASK_ATTACH, seize ? PX_ATTACH_SEIZE : 0, options);
    return status > 0 ? 0 : status;
}

/* A part of the stopped thread: bytes, or -errno; `bytes` is what it must have. */
static int64_t get(int32_t tid, enum px_trace_part part, void *to, size_t bytes)
{
    struct px_question *question = px_alloc(sizeof(*question));
    int64_t result;

    if (!question)
        return -ENOMEM;
    *question = (struct px_question){.kind = PX_ASK_GET, .word = {part}};
    result = px_ask(tid, question);
    if (result >= 0) {
        result = question->bytes;
        memset(to, 0, bytes);
        memcpy(to, question->data, question->bytes < bytes ? question->bytes : bytes);
    }
    px_free(question);
    return result;
}

static int64_t set(int32_t tid, enum px_trace_part part, const void *from, size_t bytes)
{
    struct px_question *question = px_alloc(sizeof(*question));
    int64_t result;

    if (!question)
        return -ENOMEM;
    *question = (struct px_question){.kind = PX_ASK_SET, .word = {part}, .bytes = (uint32_t)bytes};
    memcpy(question->data, from, bytes);
    result = px_ask(tid, question);
    px_free(question);
    return result > 0 ? 0 : result;
}

static int64_t get_out(int32_t tid, enum px_trace_part part, px_user to, size_t bytes)
{
    uint8_t buffer[PX_FPU_BYTES];
    int64_t result = get(tid, part, buffer, bytes);

    return result < 0 ? result : px_copy_out(to, buffer, bytes);
}

static int64_t set_from(int32_t tid, enum px_trace_part part, px_user from, size_t bytes)
{
    uint8_t buffer[PX_FPU_BYTES];

    return px_copy_in(buffer, from, bytes) < 0 ? -EFAULT : set(tid, part, buffer, bytes);
}

/* ---- memory and struct user -------------------------------------------------------------------------------------------- */

static int64_t peek(int32_t tid, uint64_t address, px_user to)
{
    uint64_t word;
    int64_t got = px_ask_read(tid, address, &word, sizeof(word), PX_ASK_AS_TRACER | PX_ASK_AS_FORCE);

    if (got != sizeof(word))
        return got < 0 ? got : -EIO;
    return px_copy_out(to, &word, sizeof(word));
}

static int64_t poke(int32_t tid, uint64_t address, uint64_t word)
{
    int64_t done = px_ask_write(tid, address, &word, sizeof(word), PX_ASK_AS_TRACER | PX_ASK_AS_FORCE);

    return done == sizeof(word) ? 0 : done < 0 ? done : -EIO;
}

static int64_t peek_user(int32_t tid, uint64_t offset, px_user to)
{
    uint8_t regs[PX_USER_REGS_BYTES];
    uint64_t word = 0;
    int64_t result = get(tid, PX_PART_REGS, regs, sizeof(regs));

    if (result < 0)
        return result;
    if (offset % sizeof(word) || offset >= USER_BYTES)
        return -EIO;
    if (offset < PX_USER_REGS_BYTES)
        memcpy(&word, regs + offset, sizeof(word));
    return px_copy_out(to, &word, sizeof(word));
}

/* Debug registers can be cleared, and nothing else be done with them. */
static int64_t poke_user(int32_t tid, uint64_t offset, uint64_t word)
{
    uint8_t regs[PX_USER_REGS_BYTES];
    int64_t result = get(tid, PX_PART_REGS, regs, sizeof(regs));

    if (result < 0)
        return result;
    if (offset % sizeof(word) || offset >= USER_BYTES)
        return -EIO;
    if (offset >= PX_USER_REGS_BYTES)
        return offset >= USER_DEBUG && word == 0 ? 0 : -EIO;
    memcpy(regs + offset, &word, sizeof(word));
    return set(tid, PX_PART_REGS, regs, sizeof(regs));
}

/* ---- sets of registers --------------------------------------------------------------------------------------------------- */

static int64_t regset(int32_t tid, bool to_set, uint64_t type, px_user at)
{
    size_t bytes = type == NT_PRSTATUS ? PX_USER_REGS_BYTES : PX_FPU_BYTES;
    enum px_trace_part part = type == NT_PRSTATUS ? PX_PART_REGS : PX_PART_FPU;
    uint8_t buffer[PX_FPU_BYTES];
    struct { uint64_t base, bytes; } vector;
    int64_t result = get(tid, part, buffer, bytes);

    if (result < 0)
        return result;
    if (type != NT_PRSTATUS && type != NT_PRFPREG)
        return type == 0x202 ? -ENODEV : -EINVAL; /* no XSAVE */
    if (px_copy_in(&vector, at, sizeof(vector)) < 0)
        return -EFAULT;
    if (vector.bytes % sizeof(uint64_t))
        return -EINVAL;
    if (vector.bytes > bytes)
        vector.bytes = bytes;
    if (to_set) {
        if (px_copy_in(buffer, vector.base, vector.bytes) < 0)
            return -EFAULT;
        result = set(tid, part, buffer, bytes);
    } else {
        result = px_copy_out(vector.base, buffer, vector.bytes);
    }
    return result < 0 ? result : px_copy_out(at + sizeof(uint64_t), &vector.bytes, sizeof(uint64_t));
}

static int64_t call_info(int32_t tid, uint64_t room, px_user to)
{
    uint8_t info[88];
    int64_t bytes = get(tid, PX_PART_CALL, info, sizeof(info));

    if (bytes < 0)
        return bytes;
    if (px_copy_out(to, info, room < (uint64_t)bytes ? room : (uint64_t)bytes) < 0)
        return -EFAULT;
    return bytes;
}

static int64_t event_message(int32_t tid, px_user to)
{
    uint64_t message;
    int64_t status = call(PTRACE_GETEVENTMSG, tid, 0, 0, &message);

    return status < 0 ? status : px_copy_out(to, &message, sizeof(message));
}

int64_t px_sys_ptrace(uint64_t request, uint64_t pid, uint64_t address, uint64_t data, uint64_t e, uint64_t f)
{
    int32_t tid = (int32_t)pid;

    (void)e, (void)f;
    switch (request) {
    case PTRACE_TRACEME: return traceme();
    case PTRACE_ATTACH:
    case PTRACE_SEIZE: return px_thread_find(tid) ? -EPERM : attach(request, tid, address, data);
    case PTRACE_INTERRUPT: {
        int64_t status = call(request, tid, 0, 0, NULL);

        return status < 0 ? status : ask_simply(tid, PX_ASK_INTERRUPT, 0, 0);
    }
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA: return peek(tid, address, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA: return poke(tid, address, data);
    case PTRACE_PEEKUSER: return peek_user(tid, address, data);
    case PTRACE_POKEUSER: return poke_user(tid, address, data);
    case PTRACE_GETREGS: return get_out(tid, PX_PART_REGS, data, PX_USER_REGS_BYTES);
    case PTRACE_SETREGS: return set_from(tid, PX_PART_REGS, data, PX_USER_REGS_BYTES);
    case PTRACE_GETFPREGS: return get_out(tid, PX_PART_FPU, data, PX_FPU_BYTES);
    case PTRACE_SETFPREGS: return set_from(tid, PX_PART_FPU, data, PX_FPU_BYTES);
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET: return regset(tid, request == PTRACE_SETREGSET, address, data);
    case PTRACE_GETSIGINFO: return get_out(tid, PX_PART_INFO, data, INFO_BYTES);
    case PTRACE_SETSIGINFO: return set_from(tid, PX_PART_INFO, data, INFO_BYTES);
    case PTRACE_GETSIGMASK: return address == 8 ? get_out(tid, PX_PART_MASK, data, 8) : -EINVAL;
    case PTRACE_SETSIGMASK: return address == 8 ? set_from(tid, PX_PART_MASK, data, 8) : -EINVAL;
    case PTRACE_GETEVENTMSG: return event_message(tid, data);
    case PTRACE_GET_SYSCALL_INFO: return call_info(tid, address, data);
    default: return call(request, tid, address, data, NULL);
    }
}

/* ---- process_vm_readv, process_vm_writev ----------------------------------------------------------------------------------- */

struct vector {
    uint64_t base, bytes;
};

/* Vectors of both sides, stretch by stretch as long as both go. */
static int64_t move_all(int32_t pid, bool write, px_user own_at, uint64_t own_count, px_user other_at, uint64_t other_count)
{
    struct vector own = {0}, other = {0};
    int64_t total = 0;

    for (;;) {
        uint64_t bytes;
        int64_t done;

        for (; !own.bytes && own_count; own_count--, own_at += sizeof(own))
            if (px_copy_in(&own, own_at, sizeof(own)) < 0)
                return total ? total : -EFAULT;
        for (; !other.bytes && other_count; other_count--, other_at += sizeof(other))
            if (px_copy_in(&other, other_at, sizeof(other)) < 0)
                return total ? total : -EFAULT;
        bytes = own.bytes < other.bytes ? own.bytes : other.bytes;
        if (!bytes)
            return total;
        done = px_ask_move(pid, write, own.base, other.base, bytes, 0);
        if (done <= 0)
            return total ? total : done == -EIO || !done ? -EFAULT : done;
        total += done;
        if ((uint64_t)done < bytes)
            return total;
        own = (struct vector){own.base + bytes, own.bytes - bytes};
        other = (struct vector){other.base + bytes, other.bytes - bytes};
    }
}

static int64_t process_vm(bool write, uint64_t pid, uint64_t own, uint64_t own_count, uint64_t other, uint64_t other_count, uint64_t flags)
{
    if (flags)
        return -EINVAL;
    if (own_count > IOV_MOST || other_count > IOV_MOST)
        return -EINVAL;
    return move_all((int32_t)pid, write, own, own_count, other, other_count);
}

int64_t px_sys_process_vm_readv(uint64_t pid, uint64_t own, uint64_t own_count, uint64_t other, uint64_t other_count, uint64_t flags)
{
    return process_vm(false, pid, own, own_count, other, other_count, flags);
}

int64_t px_sys_process_vm_writev(uint64_t pid, uint64_t own, uint64_t own_count, uint64_t other, uint64_t other_count, uint64_t flags)
{
    return process_vm(true, pid, own, own_count, other, other_count, flags);
}
