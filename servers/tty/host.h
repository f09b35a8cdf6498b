/* What host.c keeps for main.c: the notification bit of its interrupt. */
#ifndef TTY_HOST_H
#define TTY_HOST_H

#define NOTE_INTERRUPT 0x100u /* next to PX_NOTE_* */

#endif
