/*
 * What a policy owes each of those who divide the processor by weight (max-min fairness): who wants less than his part leaves the rest to the others, by
 * their weights. Beatty, stride and round robin all promise this to those who are ready all the time; how far Beatty may be off says docs/beatty.md.
 */
#include "share.h"

void share_divide(double whole, struct share *shares, unsigned count)
{
    double weights = 0;
    bool changed = true;

    for (unsigned i = 0; i < count; i++) {
        shares[i].settled = shares[i].wants <= 0;
        shares[i].due = 0;
        weights += shares[i].settled ? 0 : shares[i].weight;
    }
    while (changed && weights > 0) {
        double each = whole / weights;

        changed = false;
        for (unsigned i = 0; i < count; i++)
            if (!shares[i].settled && shares[i].wants <= each * shares[i].weight) {
                shares[i].settled = changed = true;
                shares[i].due = shares[i].wants;
                whole -= shares[i].wants;
                weights -= shares[i].weight;
            }
    }
    for (unsigned i = 0; i < count; i++)
        if (!shares[i].settled)
            shares[i].due = whole / weights * shares[i].weight;
}
