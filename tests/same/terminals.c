/* Pseudo-terminals: packet mode, and what of ioctl network.c does not have. */
#include "probe.h"
#include <termios.h>
#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif
#ifndef TIOCGPKT
#define TIOCGPKT 0x80045438
#endif
#ifndef EXTPROC
#define EXTPROC 0200000
#endif

static int master, slave;

static void open_pair(void)
{
    int number = -1, lock = 0;
    char name[32];

    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    ioctl(master, TIOCGPTN, &number);
    ioctl(master, TIOCSPTLCK, &lock);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
}

/* What poll says, and what a read gives. Linux moves bytes between the sides by and by: what is to come is waited for. */
static void look_for(const char *after, size_t wanted, int limit_ms)
{
    struct pollfd item = {master, POLLIN | POLLPRI | POLLRDNORM, 0};
    unsigned char bytes[64];
    ssize_t got;

    poll(&item, 1, limit_ms);
    got = read(master, bytes, wanted);
    SAY("%s: poll %#x, read %zd%s", after, item.revents, got, got < 0 ? probe_error(errno) : "");
    for (ssize_t i = 0; i < got; i++)
        SAY(" %02x", bytes[i]);
    SAY("\n");
}

static void look(const char *after, size_t wanted) { look_for(after, wanted, 10000); }
static void nothing(const char *after) { look_for(after, 64, 0); }

static void change(tcflag_t *word, struct termios *settings, tcflag_t on, tcflag_t off, int when)
{
    *word = (*word | on) & ~off;
    P(tcsetattr(slave, when, settings));
}

static void packets(void)
{
    struct termios t;
    int on = 1, off = 0, got = -1;

    open_pair();
    P(ioctl(master, TIOCGPKT, &got)); V(got); P(ioctl(slave, TIOCGPKT, &got)); P(ioctl(slave, TIOCPKT, &on)); P(ioctl(master, TIOCPKT, BAD));
    P(tcflow(slave, TCOOFF)); P(tcflow(slave, TCOON)); P(ioctl(master, TIOCPKT, &on)); P(ioctl(master, TIOCGPKT, &got)); V(got);
    nothing("at first"); P(write(slave, "ab\n", 3)); look("written", 64); P(write(slave, "abc", 3)); look("a byte", 1); look("two", 2); look("the rest", 64);
    P(tcflow(slave, TCOOFF)); look("TCOOFF", 64); nothing("again"); P(tcflow(slave, TCOOFF)); nothing("TCOOFF twice"); P(tcflow(slave, TCOON));
    look("TCOON", 64);
    P(tcflow(slave, TCOON)); nothing("TCOON twice"); P(tcflow(slave, TCOOFF)); P(tcflow(slave, TCOON)); look("both", 64);
    P(tcflush(slave, TCIFLUSH)); look("TCIFLUSH", 64); P(tcflush(slave, TCOFLUSH)); look("TCOFLUSH", 64); P(tcflush(slave, TCIOFLUSH)); look("TCIOFLUSH", 64);
    P(tcflush(master, TCIFLUSH)); P(tcflush(master, TCOFLUSH)); P(tcflush(master, TCIOFLUSH)); nothing("by the master");
    P(write(slave, "xy", 2)); P(tcflush(slave, TCIFLUSH)); look("both news and output", 64); look("then", 64);
    P(write(master, "\x13", 1)); look("^S", 64); P(write(slave, "held", 4)); P(write(master, "\x11", 1)); look("^Q", 64); nothing("and more");
    P(write(master, "k", 1)); look("a key", 64); P(write(master, "\x03", 1)); look("^C", 64); look("its echo", 64);
    P(tcgetattr(slave, &t)); change(&t.c_iflag, &t, 0, IXON, TCSANOW); look("no IXON", 64); change(&t.c_iflag, &t, IXON, 0, TCSANOW); look("IXON", 64);
    t.c_cc[VSTOP] = 1; P(tcsetattr(slave, TCSANOW, &t)); look("another stop", 64); t.c_cc[VSTOP] = 19; P(tcsetattr(slave, TCSAFLUSH, &t));
    look("flushed", 64);
    change(&t.c_lflag, &t, EXTPROC, 0, TCSANOW); look("EXTPROC", 64); change(&t.c_lflag, &t, 0, EXTPROC, TCSANOW); look("no EXTPROC", 64);
    change(&t.c_lflag, &t, 0, ECHO, TCSANOW); nothing("echo"); P(ioctl(master, TIOCPKT, &on)); P(tcflow(slave, TCOOFF)); P(ioctl(master, TIOCPKT, &on));
    look("on again", 64); P(tcflow(slave, TCOON)); P(ioctl(master, TIOCPKT, &off)); nothing("off"); P(write(slave, "q", 1)); look("plain", 64);
    P(ioctl(master, TIOCPKT, &on)); nothing("on"); close(slave); look("closed", 64);
}

static volatile sig_atomic_t caught;
static void note(int signal) { caught = signal; }

static void signals(void)
{
    open_pair();
    P(ioctl(slave, TIOCSIG, SIGINT)); P(ioctl(master, TIOCSIG, 0)); P(ioctl(master, TIOCSIG, SIGTERM)); P(ioctl(master, TIOCSIG, 99));
    P(ioctl(master, TIOCSIG, SIGQUIT));
    CHILD(signal(SIGINT, note); setsid(); P(ioctl(slave, TIOCSCTTY, 0)); P(ioctl(master, TIOCSIG, SIGINT)); V(caught));
}

int main(int argc, char **argv)
{
    RUN(packets); RUN(signals);
    return 0;
}
