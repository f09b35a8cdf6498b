/*
 * The names under which the project's papers know the exokernel's operations: thin forms of the calls that do the work here. docs/papers.md says
 * what each notion became. Disks and the resurrection server's services are messages (exo/disk.h, exo/registry.h), and no server of this system
 * answers them yet. New code uses the calls themselves.
 */
#ifndef EXO_PAPERS_H
#define EXO_PAPERS_H
#include <exo/calls.h>
#include <exo/capability.h>
#include <exo/disk.h>
#include <exo/ipc.h>
#include <exo/loop.h>
#include <exo/registry.h>

/* Types of capabilities, in the papers' words; interrupts, ports and DMA in their manner. */
enum cap_type {
    CAP_TYPE_MEMORY = EXO_TYPE_FRAME,
    CAP_TYPE_CPU = EXO_TYPE_CTX,
    CAP_TYPE_DISK = EXO_TYPE_DISK,
    CAP_TYPE_NET = EXO_TYPE_NETWORK,
    CAP_TYPE_IPC = EXO_TYPE_ENDPOINT,
    CAP_TYPE_ZONE = EXO_TYPE_ZONE,
    CAP_TYPE_INTERRUPT = EXO_TYPE_IRQ,
    CAP_TYPE_PORT = EXO_TYPE_PORTS,
    CAP_TYPE_DMA = EXO_TYPE_DMA,
};

/* One zeroed page charged to the zone (right CHARGE): the handle of a frame capability, or -EXO_E_*. exo_frame_address tells its physical name. */
static inline int64_t exo_alloc_page(uint64_t zone)
{
    return exo_frame_alloc(zone, 1);
}

/* Maps `pages` of the caller's pages from `source_va` on into another environment (right MAP), with at most prot (EXO_PROT_*). 0 or -EXO_E_*. */
static inline int64_t exo_share_pages(uint64_t env, uint64_t va, uint64_t source_va, uint64_t pages, uint64_t prot)
{
    return exo_share_all(env, va, source_va, pages, EXO_SHARE_SAME | prot);
}

/* exo_batch: `count` calls in one entry; how many were made, or -EXO_E_*. */
static inline int64_t exo_batch_syscall(struct exo_batch_op *ops, uint64_t count)
{
    return exo_batch(ops, count);
}

/* A device's registers in the caller's own address space (rights DEVICE on the machine, MAP on env), uncached: no call to use them. 0 or -EXO_E_*. */
static inline int64_t exo_direct_io(uint64_t machine, uint64_t env, uint64_t va, uint64_t physical, uint64_t pages)
{
    int64_t window = exo_frame_device(machine, physical, pages), status;

    if (window < 0)
        return window;
    status = exo_map_all(env, va, (uint64_t)window, 0, pages, EXO_PROT_READ | EXO_PROT_WRITE | EXO_PROT_UNCACHED);
    (void)!exo_cap_delete((uint64_t)window); /* the mapping is the binding */
    return status;
}

/* Five words to an endpoint (right CALL) and five back, in registers, with a direct switch. 0 or -EXO_E_*. */
static inline int64_t fastipc_send(uint64_t endpoint, struct exo_message *message)
{
    return exo_ep_call(endpoint, message);
}

/* Maps frames into an environment of a zone: labels of both are looked at as at every binding (DENIED). 0 or -EXO_E_*. */
static inline int64_t zone_map(uint64_t env, uint64_t va, uint64_t frame, uint64_t first, uint64_t pages, uint64_t prot)
{
    return exo_map_all(env, va, frame, first, pages, prot);
}

/* Moves an environment (right ENTER) into a zone (right ENTER) that its label dominates. 0 or -EXO_E_*. */
static inline int64_t zone_transition(uint64_t zone, uint64_t env)
{
    return exo_zone_enter(zone, env);
}

/* What a server answered: at most `most`, or an error; PEER also if it makes no sense. */
static inline int64_t exo_papers_answer(int64_t status, struct exo_message *message, uint64_t most)
{
    int64_t result = (int64_t)message->word[0];

    if (status < 0)
        return status;
    exo_message_refuse(message);
    return result < 0 || (uint64_t)result <= most ? result : -EXO_E_PEER;
}

/* Asks the server of a disk (endpoint, right CALL) to read blocks into pages of a frame block (rights READ, WRITE, COPY). How many were read, or -EXO_E_*. */
static inline int64_t exo_disk_read(uint64_t disk, uint64_t block, uint64_t count, uint64_t frame, uint64_t first_page)
{
    struct exo_message message = {.word = {EXO_DISK_READ, block, count, first_page, frame}};

    return exo_papers_answer(exo_ep_call_cap(disk, &message), &message, count);
}

/* Makes a program (a frame block with an ELF file; rights READ, COPY) known to a server of services (endpoint, right CALL). Its number, or -EXO_E_*. */
static inline int64_t rs_register_service(uint64_t rs, const char *name, uint64_t program, enum rs_policy policy)
{
    struct exo_message message = {.word = {EXO_REGISTRY_REGISTER, 0, 0, policy, program}};
    uint64_t length = 0;

    for (; name[length]; length++) {
        if (length == EXO_REGISTRY_NAME_BYTES)
            return -EXO_E_INVAL;
        message.word[1 + length / 8] |= (uint64_t)(uint8_t)name[length] << length % 8 * 8;
    }
    return exo_papers_answer(exo_ep_call_cap(rs, &message), &message, INT64_MAX);
}

/* `service` is started after `on` only. 0 or -EXO_E_*. */
static inline int64_t rs_add_dependency(uint64_t rs, uint64_t service, uint64_t on)
{
    struct exo_message message = {.word = {EXO_REGISTRY_DEPEND, service, on}};

    return exo_papers_answer(exo_ep_call(rs, &message), &message, 0);
}

/* Starts what it depends on, and then the service. 0 or -EXO_E_*. */
static inline int64_t rs_start_service(uint64_t rs, uint64_t service)
{
    struct exo_message message = {.word = {EXO_REGISTRY_START, service}};

    return exo_papers_answer(exo_ep_call(rs, &message), &message, 0);
}

#endif
