/* Calls to fs. */
#include "files.h"

PX_APART int64_t px_fs_call(uint64_t op, uint64_t node, uint64_t a, uint64_t b, uint64_t token, uint64_t *answer)
{
    struct exo_message message = {.word = {op, node, a, b, token}};
    int64_t result = px_call_server(PX_SLOT_FS, &message);

    if (answer && result >= 0)
        *answer = message.word[1];
    return result;
}

PX_PACKED(open) int64_t px_fs_create(const struct px_place *place, uint32_t mode, uint64_t rdev, const char *target, uint32_t flags,
                     struct px_fs_made *made)
{
    struct px_fs_create *ask = px_msg();
    struct exo_message message = {.word = {PX_FS_CREATE}};
    size_t target_bytes = target ? strlen(target) : 0;
    int64_t result;

    if (sizeof *ask + place->length + target_bytes > PX_PAGE)
        return -ENAMETOOLONG;
    *ask = (struct px_fs_create){.directory = place->directory,
                                 .rdev = rdev,
                                 .mode = mode,
                                 .flags = flags,
                                 .name_bytes = place->length,
                                 .target_bytes = (uint16_t)target_bytes};
    memcpy(ask + 1, place->name, place->length);
    if (target)
        memcpy((char *)(ask + 1) + place->length, target, target_bytes);
    result = px_call_server(PX_SLOT_FS, &message);
    made->node = message.word[1];
    made->token = message.word[2];
    return result;
}

PX_PACKED(open) int64_t px_fs_names(uint64_t op, uint64_t from, const struct px_place *first, const struct px_place *second,
                    uint32_t flags)
{
    struct px_fs_names *ask = px_msg();
    struct exo_message message = {.word = {op}};
    char *text = (char *)(ask + 1);

    *ask = (struct px_fs_names){.from = from, .flags = flags};
    if (first) {
        ask->directory[0] = first->directory;
        ask->bytes[0] = first->length;
        memcpy(text, first->name, first->length);
        text += first->length;
    }
    if (second) {
        ask->directory[1] = second->directory;
        ask->bytes[1] = second->length;
        memcpy(text, second->name, second->length);
    }
    return px_call_server(PX_SLOT_FS, &message);
}
