/*
 * Who may do what: Linux's rules for the classic mode bits, with user 0 in the place of CAP_DAC_OVERRIDE, CAP_FOWNER,
 * CAP_FSETID and CAP_MKNOD; and tokens, which remember what was decided when a file was opened. A token is a keyed
 * hash (SipHash-2-4, Aumasson and Bernstein 2012) of inode number, generation and rights under a secret of this boot.
 */
#include "core.h"

FS_HOT_DATA static uint64_t secret[2];

FS_HOT bool fs_in_group(const struct fs_caller *caller, uint32_t gid)
{
    if (caller->gid == gid)
        return true;
    for (uint32_t i = 0; i < caller->group_count; i++) {
        if (caller->groups[i] == gid)
            return true;
    }
    return false;
}

FS_HOT bool fs_may(const struct fs_caller *caller, const struct px_inode *inode, unsigned want)
{
    unsigned bits = inode->mode;

    if (!fs_label_may(caller, inode, want))
        return false;
    if (caller->uid == 0)
        return !(want & 1) || S_ISDIR(inode->mode) || (inode->mode & 0111);
    if (caller->uid == inode->uid)
        bits >>= 6;
    else if (fs_in_group(caller, inode->gid))
        bits >>= 3;
    return (want & ~bits & 7) == 0;
}

bool fs_owns(const struct fs_caller *caller, const struct px_inode *inode)
{
    return (caller->uid == 0 || caller->uid == inode->uid) && fs_label_dominates(caller, inode);
}

void fs_token_start(const uint64_t key[2])
{
    secret[0] = key[0];
    secret[1] = key[1];
}

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

FS_HOT static void sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

FS_HOT uint64_t fs_token(uint32_t ino, uint32_t gen, unsigned rights)
{
    uint64_t v[4] = {secret[0] ^ 0x736f6d6570736575ull, secret[1] ^ 0x646f72616e646f6dull,
                     secret[0] ^ 0x6c7967656e657261ull, secret[1] ^ 0x7465646279746573ull};
    uint64_t words[3] = {PX_FS_NODE(ino, gen), rights, 16ull << 56}; /* two words of message, and its length */
    uint64_t token;

    for (unsigned i = 0; i < 3; i++) {
        v[3] ^= words[i];
        sip_rounds(v, 2);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    token = v[0] ^ v[1] ^ v[2] ^ v[3];
    return token ? token : 1;
}

bool fs_allowed(const struct fs_caller *caller, const struct px_inode *inode, uint32_t ino, unsigned want,
                uint64_t token)
{
    if (fs_may(caller, inode, want))
        return true;
    if (!token)
        return false;
    if (token == fs_token(ino, inode->gen, 6))
        return (want & ~6u) == 0;
    return (want == 4 && token == fs_token(ino, inode->gen, 4)) ||
           (want == 2 && token == fs_token(ino, inode->gen, 2));
}

void fs_drop_set_id(const struct fs_caller *caller, struct px_inode *inode)
{
    if (caller->uid == 0)
        return;
    inode->mode &= ~(uint32_t)S_ISUID;
    if (inode->mode & 0010)
        inode->mode &= ~(uint32_t)S_ISGID;
}
