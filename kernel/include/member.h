/* Zones and what is in them, in one list: zone/members.c. */
#ifndef MEMBER_H
#define MEMBER_H
#include "list.h"

struct env;
struct zone;

/* A mark of a zone (env NULL), or an environment. */
struct member {
    struct list link;
    struct env *env;
};
void members_zone_new(struct zone *zone);
void members_zone_end(struct zone *zone);
void members_add(struct env *env); /* to its zone */
void members_leave(struct env *env);

#endif
