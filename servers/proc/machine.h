/* Private to proc's kernel side (machine.c, image.c, main.c). */
#ifndef PROC_MACHINE_H
#define PROC_MACHINE_H
#include <stdbool.h>
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

/* The pages of an index (pages.c). New ones for the same process, which pages_put then shows to the servers and maps into `env` unless that is 0. */
bool pages_renew(uint32_t index);
int64_t pages_put(uint32_t index, uint64_t env);
int64_t machine_table_page(uint32_t page); /* sees to it that it is there */

/* What all processes of a zone share (common.c): mapped into an environment; given up with the zone. */
int64_t common_show(uint64_t env, uint32_t zone);
void common_end(uint32_t zone);

/* The libOS image (image.c): 0 or -EXO_E_*. */
int64_t image_start(void);
int64_t image_entry(uint64_t *entry);
int64_t image_map(uint64_t env);

#endif
