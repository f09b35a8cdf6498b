/* How strace shows what files are asked and what they tell. */
#include "strace_put.h"

/* ---- stat and its like ---- */

void px_put_mode(struct px_text *text, uint32_t mode)
{
    static const char *const types[16] = {
        [1] = "S_IFIFO", [2] = "S_IFCHR", [4] = "S_IFDIR", [6] = "S_IFBLK", [8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK",
    };
    static const char special[] = "|800 S_ISUID|400 S_ISGID|200 S_ISVTX";
    const char *type = types[mode >> 12 & 15];

    if (type) {
        px_text_add(text, "%s", type);
        (void)!px_put_more(text, special, mode & 07000);
        px_text_add(text, "|");
    }
    px_put_octal(text, type ? mode & 0777 : mode);
}

static void put_device(struct px_text *text, unsigned major, unsigned minor)
{
    px_text_add(text, "makedev(");
    px_put_hex(text, major);
    px_text_add(text, ", ");
    px_put_hex(text, minor);
    px_text_add(text, ")");
}

PX_PUT(mknod)
{
    uint32_t mode = (uint32_t)trace->argument[index], device = (uint32_t)trace->argument[index + 1];

    px_put_mode(text, mode);
    if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK) {
        px_text_add(text, ", ");
        put_device(text, PX_MAJOR(device), PX_MINOR(device));
    }
    return true;
}

void px_put_stat(struct px_text *text, px_user from)
{
    struct px_stat stat;

    if (!px_put_read(text, &stat, from, sizeof stat))
        return;
    px_text_add(text, "{st_mode=");
    px_put_mode(text, stat.st_mode);
    if ((stat.st_mode & S_IFMT) == S_IFCHR || (stat.st_mode & S_IFMT) == S_IFBLK) {
        px_text_add(text, ", st_rdev=");
        put_device(text, PX_MAJOR(stat.st_rdev), PX_MINOR(stat.st_rdev));
    } else {
        px_text_add(text, ", st_size=%ld", (long)stat.st_size);
    }
    px_text_add(text, ", ...}");
}

PX_PUT(statx_flags)
{
    static const char sync[] = "AT_STATX_???|2000 FORCE_SYNC|4000 DONT_SYNC";
    uint32_t flags = (uint32_t)trace->argument[index];

    px_put_flags(text, sync, flags & 0x6000, "AT_STATX_SYNC_AS_STAT");
    (void)!px_put_more(text, px_strace_at_flags, flags & ~0x6000u);
    return true;
}

static const char statx_masks[] = "STATX_???|fff ALL|7ff BASIC_STATS|1 TYPE|2 MODE|4 NLINK|8 UID|10 GID|20 ATIME|40 MTIME|"
    "80 CTIME|100 INO|200 SIZE|400 BLOCKS|800 BTIME|1000 MNT_ID|2000 DIOALIGN";

PX_PUT(statx_mask)
{
    px_put_flags(text, statx_masks, (uint32_t)trace->argument[index], "0");
    return true;
}

PX_PUT(statx)
{
    static const char attributes[] = "STATX_ATTR_???|4 COMPRESSED|10 IMMUTABLE|20 APPEND|40 NODUMP|1000 AUTOMOUNT|"
        "2000 MOUNT_ROOT";
    struct {
        uint32_t mask, block;
        uint64_t attributes;
        uint32_t links, uid, gid;
        uint16_t mode, spare;
        uint64_t inode, bytes;
    } stat;

    if (!px_put_read(text, &stat, trace->argument[index], sizeof stat))
        return true;
    px_text_add(text, "{stx_mask=");
    px_put_flags(text, statx_masks, stat.mask, "0");
    px_text_add(text, ", stx_attributes=");
    px_put_flags(text, attributes, stat.attributes, "0");
    px_text_add(text, ", stx_mode=");
    px_put_mode(text, stat.mode);
    px_text_add(text, ", stx_size=%lu, ...}", (unsigned long)stat.bytes);
    return true;
}

PX_PUT(statfs)
{
    static const char types[] = "XXX_SUPER_MAGIC|1021994 TMPFS_MAGIC|9fa0 PROC_SUPER_MAGIC|62656572 SYSFS_MAGIC|"
        "1cd1 DEVPTS_SUPER_MAGIC|ef53 EXT2_SUPER_MAGIC|50495045 PIPEFS_MAGIC|858458f6 RAMFS_MAGIC|534f434b SOCKFS_MAGIC|"
        "19800202 MQUEUE_MAGIC|9041934 ANON_INODE_FS_MAGIC";
    static const char flags[] = "ST_???|20 VALID|1 RDONLY|2 NOSUID|4 NODEV|8 NOEXEC|10 SYNCHRONOUS|40 MANDLOCK|400 NOATIME|"
        "800 NODIRATIME|1000 RELATIME";
    struct {
        uint64_t type, block, blocks, free, available, files, files_free;
        uint32_t id[2];
        uint64_t name, fragment, flags;
    } stat;

    if (!px_put_read(text, &stat, trace->argument[index], sizeof stat))
        return true;
    px_text_add(text, "{f_type=");
    px_put_enum(text, types, stat.type);
    px_text_add(text, ", f_bsize=%lu, f_blocks=%lu, f_bfree=%lu, f_bavail=%lu, f_files=%lu, f_ffree=%lu, f_fsid={val=[", (unsigned long)stat.block,
                (unsigned long)stat.blocks, (unsigned long)stat.free, (unsigned long)stat.available, (unsigned long)stat.files,
                (unsigned long)stat.files_free);
    px_put_hex(text, stat.id[0]);
    px_text_add(text, ", ");
    px_put_hex(text, stat.id[1]);
    px_text_add(text, "]}, f_namelen=%lu, f_frsize=%lu, f_flags=", (unsigned long)stat.name, (unsigned long)stat.fragment);
    px_put_flags(text, flags, stat.flags, "0");
    px_text_add(text, "}");
    return true;
}

void px_put_uname(struct px_text *text, px_user from)
{
    char name[2][65];

    if (!px_put_read(text, name, from, sizeof name))
        return;
    name[0][64] = name[1][64] = '\0';
    px_text_add(text, "{sysname=\"%s\", nodename=\"%s\", ...}", name[0], name[1]);
}

/* ---- names and places ---- */

/* Names of extended attributes; who offers no room only asks how much they take. */
PX_PUT(xattr_names)
{
    if (!trace->leaving)
        return false;
    if (trace->failed || !trace->argument[index + 1])
        px_put_address(text, trace->argument[index]);
    else
        px_put_bytes(text, trace->argument[index], trace->argument[PX_STRACE_RESULT]);
    return true;
}

/* How many entries stand in the buffer: each tells its length, which is to be believed as far as the buffer goes. */
PX_PUT(entries)
{
    uint64_t bytes = trace->argument[PX_STRACE_RESULT], at = 0;
    unsigned count = 0;
    uint16_t length;

    if (!trace->leaving)
        return false;
    px_put_address(text, trace->argument[index]);
    if (trace->failed)
        return true;
    while (at + 18 <= bytes && px_copy_in(&length, trace->argument[index] + at + 16, sizeof length) == 0 && length) {
        at += length;
        count++;
    }
    px_text_add(text, " /* %u entries */", count);
    return true;
}

PX_PUT(offset)
{
    int64_t offset;

    if (px_put_read(text, &offset, trace->argument[index], sizeof offset))
        px_text_add(text, "[%ld]", (long)offset);
    return true;
}

/* sendfile's: before it and, if it went on, after it. */
PX_PUT(position)
{
    int64_t offset;

    if (!trace->leaving) {
        *trace->kept = px_put_read(text, &offset, trace->argument[index], sizeof offset);
        if (*trace->kept)
            px_text_add(text, "[%ld]", (long)offset);
        return !*trace->kept;
    }
    if (!trace->failed && trace->argument[PX_STRACE_RESULT]) {
        px_text_add(text, " => ");
        if (px_put_read(text, &offset, trace->argument[index], sizeof offset))
            px_text_add(text, "[%ld]", (long)offset);
    }
    return true;
}

PX_PUT(open_how)
{
    static const char resolve[] = "RESOLVE_???|1 NO_XDEV|2 NO_MAGICLINKS|4 NO_SYMLINKS|8 BENEATH|10 IN_ROOT|20 CACHED";
    uint64_t how[3]; /* flags, mode, resolve */

    if (trace->argument[index + 1] < sizeof how) {
        px_put_address(text, trace->argument[index]);
        return true;
    }
    if (!px_put_read(text, how, trace->argument[index], sizeof how))
        return true;
    px_text_add(text, "{flags=");
    px_put_open_flags(text, how[0]);
    if (how[1] || how[0] & O_CREAT || (how[0] & O_TMPFILE) == O_TMPFILE) {
        px_text_add(text, ", mode=");
        px_put_octal(text, how[1]);
    }
    px_text_add(text, ", resolve=");
    px_put_flags(text, resolve, how[2], "0");
    px_text_add(text, "}");
    return true;
}

PX_PUT(mremap)
{
    static const char flags[] = "MREMAP_???|1 MAYMOVE|2 FIXED|4 DONTUNMAP";

    px_put_flags(text, flags, (uint32_t)trace->argument[index], "0");
    if (trace->argument[index] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        px_text_add(text, ", ");
        px_put_address(text, trace->argument[index + 1]);
    }
    return true;
}

/* ---- message queues ---- */

PX_PUT(mq_attr)
{
    int64_t queue[4]; /* flags, most messages, size, messages */

    if (!px_put_read(text, queue, trace->argument[index], sizeof queue))
        return true;
    px_text_add(text, "{mq_flags=");
    px_put_flags(text, px_strace_open_flags, (uint64_t)queue[0], "0");
    px_text_add(text, ", mq_maxmsg=%ld, mq_msgsize=%ld, mq_curmsgs=%ld}", (long)queue[1], (long)queue[2], (long)queue[3]);
    return true;
}

PX_PUT(mq_open)
{
    px_put_open_flags(text, trace->argument[index]);
    if (trace->argument[index] & O_CREAT) {
        px_text_add(text, ", ");
        px_put_octal(text, (uint32_t)trace->argument[index + 1]);
        px_text_add(text, ", ");
        (void)!px_kind_mq_attr(text, index + 2, trace);
    }
    return true;
}
