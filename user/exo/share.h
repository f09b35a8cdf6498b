/* Dividing the processor among those who want it: for exo top. */
#ifndef EXO_SHARE_DIVIDE_H
#define EXO_SHARE_DIVIDE_H
#include <stdbool.h>

struct share {
    double weight, wants; /* of the whole; 0: nothing */
    double due;           /* the answer */
    bool settled;         /* share_divide's own */
};

/* Divides `whole` among `count`. Rounds: at most one for each. */
void share_divide(double whole, struct share *shares, unsigned count);

#endif
