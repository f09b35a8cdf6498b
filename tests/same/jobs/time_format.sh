# shell: bash
TIMEFORMAT='%0lR'; time true 2>&1
TIMEFORMAT='format works %%'; time :
