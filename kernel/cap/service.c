/*
 * Objects of servers: the kernel only keeps them apart. A server makes one for a thing of its own, derives capabilities with badges and rights that
 * it reads as it likes, and knows them again when they are presented to it.
 */
#include "kernel.h"

bool object_has_badge(unsigned type)
{
    return type == EXO_TYPE_ENDPOINT || type == EXO_TYPE_SERVICE || type == EXO_TYPE_DISK || type == EXO_TYPE_NETWORK;
}

int64_t k_service_create(struct context *caller, uint64_t type)
{
    struct object *service;
    int64_t handle;

    if (type != EXO_TYPE_SERVICE && type != EXO_TYPE_DISK && type != EXO_TYPE_NETWORK)
        return -EXO_E_INVAL;
    service = object_new(caller->env->zone, (unsigned)type, sizeof(*service));
    if (!service)
        return -EXO_E_NOMEM;
    handle = cap_insert(caller->env, 0, service, EXO_RIGHTS_ALL, 0);
    object_drop(service);
    return handle;
}
