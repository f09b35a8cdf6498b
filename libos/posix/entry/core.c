/* A core dump's headers and notes, in the order in which Linux has them (fs/binfmt_elf.c of Linux says which; core.h). */
#include "core.h"

#include "mm/elf.h"
#include "proto/limit.h"
#include "px_arch.h"
#include "thread.h"
#include "trace.h"

#define DUMPED 0x80 /* of a wait status */
#define ET_CORE 4u
#define PT_NOTE 4u
#define NT_PRSTATUS 1u
#define NT_FPREGSET 2u
#define NT_PRPSINFO 3u
#define NT_AUXV 6u
#define NT_SIGINFO 0x53494749u
#define NT_FILE 0x46494c45u
#define NOTE_ALIGN 4u
#define TICK_NS 1000u /* struct timeval has microseconds */

struct note {
    uint32_t name_bytes, bytes, type;
    char name[8];
};
struct prstatus { /* struct elf_prstatus */
    int32_t signo, code, error;
    int16_t cursig, pad;
    uint64_t pending, held;
    int32_t pid, ppid, pgrp, sid;
    uint64_t time[8]; /* user, system, children's: seconds and microseconds */
    uint8_t regs[PX_USER_REGS_BYTES];
    int32_t fpvalid, pad2;
};
_Static_assert(sizeof(struct prstatus) == 336, "struct elf_prstatus of 64 bits");
struct prpsinfo { /* struct elf_prpsinfo */
    char state, state_name, zombie, nice;
    uint32_t pad;
    uint64_t flag;
    uint32_t uid, gid;
    int32_t pid, ppid, pgrp, sid;
    char name[16], arguments[80];
};
_Static_assert(sizeof(struct prpsinfo) == 136, "struct elf_prpsinfo of 64 bits");

/* ---- notes ------------------------------------------------------------------------------------------------------- */

static void begin_note(struct px_core *core, uint32_t type, uint64_t bytes)
{
    const struct note note = {.name_bytes = 5, .bytes = (uint32_t)bytes, .type = type, .name = "CORE"};

    px_core_put(core, &note, sizeof note);
}

static void end_note(struct px_core *core, uint64_t bytes)
{
    static const uint8_t zeros[NOTE_ALIGN];

    px_core_put(core, zeros, (size_t)(-bytes & (NOTE_ALIGN - 1)));
}

static void put_note(struct px_core *core, uint32_t type, const void *from, uint64_t bytes)
{
    begin_note(core, type, bytes);
    px_core_put(core, from, bytes);
    end_note(core, bytes);
}

static void put_status(struct px_core *core, struct px_thread *thread, const struct px_siginfo *info)
{
    const struct px_proc *self = px_self();
    uint64_t spent = px_thread_cpu_ns(thread), children = self->child_cpu_ns;
    struct prstatus status = {
        .signo = info->signo, .code = info->code, .error = info->errno_, .cursig = (int16_t)info->signo,
        .pending = thread->pending | px_ppage()->sig_pending, .held = thread->kept.blocked,
        .pid = thread->tid, .ppid = self->ppid, .pgrp = self->pgid, .sid = self->sid,
        .time = {spent / PX_SECOND, spent % PX_SECOND / TICK_NS, 0, 0, children / PX_SECOND, children % PX_SECOND / TICK_NS},
        .fpvalid = thread == px_thread(),
    };

    px_arch_core_regs(thread, status.regs);
    put_note(core, NT_PRSTATUS, &status, sizeof status);
}

static void put_process(struct px_core *core)
{
    const struct px_proc *self = px_self();
    struct prpsinfo process = {.state_name = 'R', .nice = (char)self->nice, .uid = self->uid, .gid = self->gid,
                               .pid = self->pid, .ppid = self->ppid, .pgrp = self->pgid, .sid = self->sid};
    unsigned length = self->cmdline_len < sizeof process.arguments - 1 ? self->cmdline_len : sizeof process.arguments - 1;

    memcpy(process.name, self->comm, sizeof process.name);
    memcpy(process.arguments, self->cmdline, length);
    for (unsigned i = 0; i < length; i++)
        if (!process.arguments[i])
            process.arguments[i] = ' ';
    put_note(core, NT_PRPSINFO, &process, sizeof process);
}

static void put_vector(struct px_core *core)
{
    uint64_t va, bytes, word;

    px_core_auxv(&va, &bytes);
    begin_note(core, NT_AUXV, bytes);
    for (uint64_t at = 0; at < bytes; at += sizeof word) {
        if (px_copy_in(&word, va + at, sizeof word) < 0)
            word = 0; /* the program may have unmapped it */
        px_core_put(core, &word, sizeof word);
    }
}

/* The length of the name, with its NUL. */
static size_t file_name(const struct px_node *node, char name[PATH_MAX])
{
    int64_t length = px_node_path(node, name, PATH_MAX - 1);

    if (length < 0)
        length = 0;
    name[length] = 0;
    return (size_t)length + 1;
}

static void put_files(struct px_core *core)
{
    char name[PATH_MAX];
    uint64_t head[2] = {0, PX_PAGE}, bytes = sizeof head;

    for (unsigned at = 0; at < px_mm.count; at++)
        if (px_vma_node(&px_mm.vma[at])) {
            head[0]++;
            bytes += 3 * sizeof(uint64_t) + file_name(px_vma_node(&px_mm.vma[at]), name);
        }
    if (head[0] == 0)
        return;
    begin_note(core, NT_FILE, bytes);
    px_core_put(core, head, sizeof head);
    for (unsigned at = 0; at < px_mm.count; at++) {
        const struct px_vma *vma = &px_mm.vma[at];
        const uint64_t range[3] = {vma->lo, vma->hi, vma->page};

        if (px_vma_node(vma))
            px_core_put(core, range, sizeof range);
    }
    for (unsigned at = 0; at < px_mm.count; at++)
        if (px_vma_node(&px_mm.vma[at])) {
            size_t length = file_name(px_vma_node(&px_mm.vma[at]), name);

            px_core_put(core, name, length);
        }
    end_note(core, bytes);
}

/* The thread that the signal came to is the first. FPU registers of the others nobody can ask for. */
static void put_notes(struct px_core *core, const struct px_siginfo *info)
{
    _Alignas(16) uint8_t fpu[PX_FPU_BYTES];
    uint8_t told[128];

    put_status(core, px_thread(), info);
    put_process(core);
    px_arch_siginfo_out(info, told);
    put_note(core, NT_SIGINFO, told, sizeof told);
    put_vector(core);
    put_files(core);
    px_arch_fpu_keep(fpu);
    put_note(core, NT_FPREGSET, fpu, sizeof fpu);
    for (unsigned number = 0; number < px_threads.made; number++) {
        struct px_thread *thread = px_thread_number(number);

        if (thread != px_thread() && thread->live && !thread->helper)
            put_status(core, thread, info);
    }
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* PF_* of PROT_*, which have the same bits in another order. */
static uint32_t flags_of(uint32_t prot)
{
    return (prot & PROT_READ ? 4u : 0) | (prot & PROT_WRITE ? 2u : 0) | (prot & PROT_EXEC ? 1u : 0);
}

static void put_headers(struct px_core *core, unsigned segments, uint64_t notes)
{
    struct px_elf_header header = {
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1}, .type = ET_CORE, .machine = px_arch_elf_machine, .version = 1, .phoff = sizeof header,
        .ehsize = sizeof header, .phentsize = sizeof(struct px_elf_phdr), .phnum = (uint16_t)(segments + 1),
    };
    struct px_elf_phdr program = {.type = PT_NOTE, .offset = sizeof header + (segments + 1) * sizeof program, .filesz = notes, .align = NOTE_ALIGN};
    uint64_t place = PX_PAGE_UP(program.offset + notes);
    struct px_segment segment;

    px_core_put(core, &header, sizeof header);
    px_core_put(core, &program, sizeof program);
    for (unsigned number = 0; number < segments && px_core_segment(number, &segment); number++) {
        program = (struct px_elf_phdr){.type = PT_LOAD, .offset = place, .vaddr = segment.lo, .filesz = segment.in_file, .memsz = segment.bytes,
                                       .align = PX_PAGE, .flags = flags_of(segment.prot)};
        px_core_put(core, &program, sizeof program);
        place += segment.in_file;
    }
}

static void put_memory(struct px_core *core, unsigned segments)
{
    struct px_segment segment;

    px_core_skip(core, PX_PAGE_UP(core->place) - core->place);
    for (unsigned number = 0; number < segments && px_core_segment(number, &segment); number++)
        px_core_put_segment(core, &segment);
}

/* They do not go on: what they have is looked at. */
static void stop_others(void)
{
    for (unsigned number = 0; number < px_threads.made; number++) {
        const struct px_thread *thread = px_thread_number(number);

        if (thread != px_thread() && thread->context)
            (void)!exo_ctx_stop(thread->context);
    }
}

/* Not in line: ./exo run --backtrace stops here. */
__attribute__((noinline)) int px_core_dump(const struct px_siginfo *info)
{
    struct px_core core = {.limit = px_limit(PX_LIMIT_CORE)};
    unsigned segments = px_mm.count + 1; /* and the vDSO */
    uint64_t notes;

    if (px_self()->dumpable != 1 || core.limit < PX_PAGE || px_lent)
        return 0;
    stop_others();
    put_notes(&core, info); /* only counted */
    notes = core.place;
    core.place = 0;
    if (px_core_open(&core.ofd) < 0)
        return 0;
    put_headers(&core, segments, notes);
    put_notes(&core, info);
    put_memory(&core, segments);
    px_core_close(&core);
    return DUMPED;
}
