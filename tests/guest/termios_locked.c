/*
 * Terminal settings that are locked: TIOCSLCKTRMIOS. The same on Linux, as root.
 * guest-test: --timeout 60
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) ((call) == -1 && errno == (error))

int main(void)
{
    struct termios was, held, now;
    int master, slave, status;
    pid_t child;

    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return 1;
    memset(&held, 1, sizeof held);
    CASE("at first nothing is locked", ioctl(slave, TIOCGLCKTRMIOS, &held) == 0 && !held.c_iflag && !held.c_oflag && !held.c_cflag && !held.c_lflag &&
                                           !held.c_cc[VINTR]);
    held.c_lflag = ECHO;
    held.c_cc[VINTR] = 1;
    CASE("bits and characters are locked", ioctl(slave, TIOCSLCKTRMIOS, &held) == 0 && ioctl(master, TIOCGLCKTRMIOS, &now) == 0 && now.c_lflag == ECHO);
    tcgetattr(slave, &was);
    now = was;
    now.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    now.c_cc[VINTR] = 7;
    now.c_cc[VQUIT] = 8;
    CASE("they stay, and others change", tcsetattr(slave, TCSANOW, &now) == 0 && tcgetattr(slave, &now) == 0 && now.c_lflag & ECHO && !(now.c_lflag & ICANON) &&
                                             now.c_cc[VINTR] == was.c_cc[VINTR] && now.c_cc[VQUIT] == 8);
    child = fork();
    if (child == 0)
        _exit(setuid(1000) != 0 || !FAILS(ioctl(slave, TIOCSLCKTRMIOS, &held), EPERM) || ioctl(slave, TIOCGLCKTRMIOS, &held) != 0);
    CASE("users may look only", waitpid(child, &status, 0) == child && status == 0);
    CASE("addresses that are none", FAILS(ioctl(slave, TIOCSLCKTRMIOS, (void *)8), EFAULT) && FAILS(ioctl(slave, TIOCGLCKTRMIOS, (void *)8), EFAULT));
    memset(&held, 0, sizeof held);
    now.c_lflag &= ~(tcflag_t)ECHO;
    CASE("until they are unlocked", ioctl(slave, TIOCSLCKTRMIOS, &held) == 0 && tcsetattr(slave, TCSANOW, &now) == 0 && tcgetattr(slave, &now) == 0 &&
                                        !(now.c_lflag & ECHO));
    return tap_finish();
}
