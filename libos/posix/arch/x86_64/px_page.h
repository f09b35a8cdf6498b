/* Which context this is: the kernel lets GS point to its context page whenever it runs in ring 3. */
#ifndef PX_PAGE_H
#define PX_PAGE_H
#include <exo/abi.h>

static inline struct exo_upage *px_upage(void)
{
    struct exo_upage *page;

    __asm__("mov %%gs:%c1, %0" : "=r"(page) : "i"(EXO_UPAGE_SELF)); /* not volatile: it never changes */
    return page;
}

#endif
