/* Loading a server: its ELF file from the boot image into an environment of its own. */
#ifndef RS_LOAD_H
#define RS_LOAD_H
#include <stdint.h>

/* Where a server lies in its address space. */
#define SERVER_LOW 0x420000ul      /* program; what is below has the same page table */
#define SERVER_HIGH 0x40000000ul
#define SERVER_STACK_PAGES 16ul    /* below the start page, with nothing mapped below */
#define SERVER_START 0x410000ul    /* start page: struct px_server_start, then the command line */
#define SERVER_INFO 0x411000ul     /* the kernel's info page */
#define SERVER_UPAGE 0x412000ul    /* context page */
#define SERVER_GIFT 0x100000000ul  /* archive or libOS file */

/* The boot image as rs has it. */
struct boot_image {
    uint64_t va;         /* mapped here */
    uint64_t frames;     /* capability to its frames */
    uint64_t bytes;
    uint64_t archive_offset, archive_bytes;
    uint64_t scratch_va; /* free addresses of rs for a moment */
};

/* Loads the file at file_offset of the image into env. 0 and the entry point, or -EXO_E_*. */
int64_t load_server(uint64_t env, const struct boot_image *image, uint64_t file_offset, uint64_t file_bytes, uint64_t *entry);

#endif
