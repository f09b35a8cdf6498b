/* Private to proc's kernel side (machine.c, image.c, main.c). */
#ifndef PROC_MACHINE_H
#define PROC_MACHINE_H
#include <stdint.h>

#include "../../libos/posix/proto/server.h"

/* Takes over what rs gave; makes the table's first page. 0 or -EXO_E_*. */
int64_t machine_start(const struct px_server_start *from);
int64_t machine_publish(uint32_t page);
uint64_t machine_endpoint(void);
const struct px_server_start *machine_gifts(void);

/* The gas of all processes together (gas.c): 0 or -EXO_E_*; when gas_look is to be called, what it does, and what a notification says. */
int64_t gas_start(const struct px_server_start *from);
uint64_t gas_deadline_ns(void);
void gas_look(void);
void gas_noted(uint64_t bits);

/* The libOS image (image.c): 0 or -EXO_E_*. */
int64_t image_start(void);
int64_t image_entry(uint64_t *entry);
int64_t image_map(uint64_t env);

#endif
