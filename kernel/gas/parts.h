/* What the calls about gas (calls.c) know of the accounts' workings (account.c) beyond kernel.h. */
#ifndef GAS_PARTS_H
#define GAS_PARTS_H
#include "kernel.h"

extern struct exo_gas_policy gas_policy;
uint32_t gas_class_factor(unsigned class); /* what the oracle asks of a class now */
/* The environment's own account, below the one that it used; NULL, if that is too deep already. */
struct gas_account *gas_make_own(struct env *env);
/* What was used and is not paid is paid now, by those above, too: no change of rules makes it nobody's. */
void gas_pay_debt(struct gas_account *account);
/* What is in its purses: bought, and not used yet. Less than 0: owed. */
int64_t gas_purses(const struct gas_account *account);
int64_t gas_purse_worth(const struct gas_account *account); /* the same in gas */
uint64_t gas_used(const struct gas_account *account);       /* since it was made */
/* Other CPUs' purses go back to the account; they load it anew. */
void gas_gather(struct gas_account *account);
/* Gas has come or the rate is another: whoever waits tries again. */
void gas_changed(struct gas_account *account);

#endif
