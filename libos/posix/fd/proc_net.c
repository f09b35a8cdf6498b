/*
 * /proc/PID/net: the sockets of the zone that have names or connections, as fs knows them. Ends of a socketpair, and sockets that are neither bound nor
 * connected, nobody knows but their processes: they are not told. Nothing goes by a device, so the loopback has counted nothing.
 */
#include "procfs.h"

#include "proto/fs.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define TCP_ESTABLISHED 1u
#define TCP_CLOSE 7u
#define TCP_CLOSE_WAIT 8u
#define TCP_LISTEN 10u
#define SS_UNCONNECTED 1u
#define SS_CONNECTED 3u
#define SO_ACCEPTCON 0x10000u
#define LINE_TCP 149 /* lines of tcp are filled up */
#define LINE_UDP 127

/* The socket at that place or after it. */
static bool next_socket(uint64_t *place, struct px_fs_socket *socket)
{
    struct exo_message message = {.word = {PX_FS_SOCKETS, *place}};

    if (px_call_server(PX_SLOT_FS, &message) < 0)
        return false;
    *place = message.word[1];
    memcpy(socket, px_msg(), sizeof *socket);
    for (unsigned i = 0; i < 2; i++)
        if (socket->name_bytes[i] > sizeof socket->name[i])
            socket->name_bytes[i] = 0;
    return true;
}

static unsigned family_of(const struct px_fs_socket *socket, unsigned end)
{
    return socket->name_bytes[end] >= 2 ? socket->name[end][0] | (unsigned)socket->name[end][1] << 8 : 0;
}

/* An address as these files have it: words as they lie in memory, and the port. `name` NULL: none. */
static void put_address(struct px_text *text, unsigned family, const uint8_t *name)
{
    unsigned words = family == AF_INET6 ? 4 : 1, offset = family == AF_INET6 ? 8 : 4;

    for (unsigned i = 0; i < words; i++) {
        uint32_t word = 0;

        if (name)
            memcpy(&word, name + offset + 4 * i, sizeof word);
        px_text_add(text, "%08X", word);
    }
    px_text_add(text, ":%04X ", name ? (unsigned)name[2] << 8 | name[3] : 0u);
}

struct line {
    unsigned number, state, family;
    const uint8_t *near, *far;
    uint32_t waiting, uid;
    uint64_t ino;
    bool datagrams;
};

static void put_line(struct px_text *text, struct line *line)
{
    size_t begin = text->used;

    px_text_add(text, line->datagrams ? "%5u: " : "%4u: ", line->number++);
    put_address(text, line->family, line->near);
    put_address(text, line->family, line->far);
    px_text_add(text, "%02X %08X:%08X 00:00000000 00000000 %5u        0 %lu ", line->state, 0u, line->waiting, line->uid, (unsigned long)line->ino);
    if (line->datagrams)
        px_text_add(text, "2 0000000000000000 0");
    else
        px_text_add(text, "1 0000000000000000 100 0 0 10 0");
    while (line->family == AF_INET && text->used - begin < (line->datagrams ? LINE_UDP : LINE_TCP) && !text->full)
        px_text_put(text, " ", 1);
    px_text_put(text, "\n", 1);
}

/* Both ends of a connection that are of that family, each if somebody has it. */
static void put_connection(struct px_text *text, const struct px_fs_socket *socket, struct line *line)
{
    for (unsigned end = 0; end < 2; end++) {
        if (family_of(socket, end) != line->family || !socket->ino[end])
            continue;
        line->near = socket->name[end];
        line->far = family_of(socket, !end) == line->family ? socket->name[!end] : NULL;
        line->state = socket->ino[!end] || socket->pending ? TCP_ESTABLISHED : TCP_CLOSE_WAIT;
        line->waiting = socket->waiting[end];
        line->uid = socket->uid[end];
        line->ino = socket->ino[end];
        put_line(text, line);
    }
}

static void put_internet(struct px_text *text, unsigned family, unsigned type, bool lite)
{
    struct line line = {.family = family, .datagrams = type == SOCK_DGRAM};
    struct px_fs_socket socket;

    for (uint64_t place = 0; next_socket(&place, &socket);) {
        if (socket.connection && type == SOCK_STREAM)
            put_connection(text, &socket, &line);
        if (socket.connection || socket.domain != family || socket.type != type || socket.lite != lite || (type == SOCK_STREAM && !socket.backlog))
            continue;
        line.near = socket.name[0];
        line.far = NULL;
        line.state = type == SOCK_STREAM ? TCP_LISTEN : TCP_CLOSE;
        line.waiting = type == SOCK_STREAM ? socket.pending : socket.waiting[0];
        line.uid = socket.uid[0];
        line.ino = socket.ino[0];
        put_line(text, &line);
    }
}

static void put_head(struct px_text *text, const char *head, unsigned width)
{
    size_t begin = text->used;

    px_text_add(text, "%s", head);
    while (text->used - begin < width && !text->full)
        px_text_put(text, " ", 1);
    px_text_put(text, "\n", 1);
}

void px_text_net_tcp(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_head(text, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", LINE_TCP);
    put_internet(text, AF_INET, SOCK_STREAM, false);
}

#define HEAD6 "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

void px_text_net_tcp6(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_head(text, HEAD6, 0);
    put_internet(text, AF_INET6, SOCK_STREAM, false);
}

static void put_datagrams(struct px_text *text, unsigned family, bool lite)
{
    if (family == AF_INET)
        put_head(text, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops", LINE_UDP);
    else
        put_head(text, HEAD6 " ref pointer drops", 0);
    put_internet(text, family, SOCK_DGRAM, lite);
}

void px_text_net_udp(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_datagrams(text, AF_INET, false);
}

void px_text_net_udp6(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_datagrams(text, AF_INET6, false);
}

void px_text_net_udplite(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_datagrams(text, AF_INET, true);
}

void px_text_net_udplite6(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    put_datagrams(text, AF_INET6, true);
}

static void put_unix(struct px_text *text, const struct px_fs_socket *socket, unsigned end)
{
    bool listens = !socket->connection && socket->backlog;
    unsigned type = socket->connection ? SOCK_STREAM : socket->type;

    px_text_add(text, "0000000000000000: %08X %08X %08X %04X %02X %5lu", 2u, 0u, listens ? SO_ACCEPTCON : 0u, type,
                socket->connection ? SS_CONNECTED : SS_UNCONNECTED, (unsigned long)socket->ino[end]);
    if (socket->name_bytes[end] > 2)
        px_text_add(text, " ");
    for (unsigned i = 2; i < socket->name_bytes[end]; i++) {
        char letter = (char)socket->name[end][i];

        if (!letter && i > 2 && socket->name[end][2])
            break; /* a path ends there */
        px_text_put(text, letter ? &letter : "@", 1);
    }
    px_text_put(text, "\n", 1);
}

void px_text_net_unix(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    struct px_fs_socket socket;

    px_text_add(text, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (uint64_t place = 0; next_socket(&place, &socket);) {
        for (unsigned end = 0; end < (socket.connection ? 2u : 1u); end++) {
            bool internet = socket.connection ? family_of(&socket, 0) == AF_INET || family_of(&socket, 0) == AF_INET6 || family_of(&socket, 1) == AF_INET6
                                              : socket.domain != AF_UNIX;

            if (!internet && (!socket.connection || socket.ino[end]))
                put_unix(text, &socket, end);
        }
    }
}

static unsigned count(unsigned family, unsigned type, bool lite)
{
    struct px_fs_socket socket;
    unsigned sum = 0;

    for (uint64_t place = 0; next_socket(&place, &socket);) {
        for (unsigned end = 0; socket.connection && type == SOCK_STREAM && end < 2; end++)
            sum += socket.ino[end] && family_of(&socket, end) == family;
        sum += !socket.connection && socket.domain == family && socket.type == type && socket.lite == lite;
    }
    return sum;
}

void px_text_net_sockstat(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    unsigned streams = count(AF_INET, SOCK_STREAM, false), datagrams = count(AF_INET, SOCK_DGRAM, false);

    px_text_add(text,
                "sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc %u mem 0\nUDP: inuse %u mem 0\nUDPLITE: inuse %u\nRAW: inuse 0\n"
                "FRAG: inuse 0 memory 0\n",
                streams + datagrams + count(AF_UNIX, SOCK_STREAM, false) + count(AF_UNIX, SOCK_DGRAM, false) + count(AF_INET6, SOCK_STREAM, false) +
                    count(AF_INET6, SOCK_DGRAM, false),
                streams, streams, datagrams, count(AF_INET, SOCK_DGRAM, true));
}

void px_text_net_sockstat6(struct px_text *text, PX_UNUSED const struct px_proc *process)
{
    px_text_add(text, "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n", count(AF_INET6, SOCK_STREAM, false),
                count(AF_INET6, SOCK_DGRAM, false), count(AF_INET6, SOCK_DGRAM, true));
}
