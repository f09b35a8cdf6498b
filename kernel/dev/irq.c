/* Interrupt lines for drivers in ring 3: a line that fires is masked and becomes a notification; the driver unmasks it when it has served the device. */
#include "kernel.h"
#include "port.h"

#define LINES 256u

static struct irq *bound[LINES];

void irq_fired(unsigned line)
{
    struct irq *irq = line < LINES ? bound[line] : NULL;

    COUNT_ONE(counters.interrupts);
    if (irq)
        endpoint_notify(irq->endpoint, irq->bits);
}

void irq_free(struct object *object)
{
    struct irq *irq = (struct irq *)object;

    arch_irq_release(irq->line);
    bound[irq->line] = NULL;
    object_drop(&irq->endpoint->object);
    object_free(object, sizeof(*irq));
}

int64_t k_irq_bind(struct context *caller, struct capability *machine, uint64_t line, struct capability *endpoint, uint64_t bits)
{
    struct irq *irq;
    int64_t handle;

    if (line >= LINES || !arch_irq_valid((unsigned)line))
        return -EXO_E_RANGE;
    if (bound[line])
        return -EXO_E_EXISTS;
    irq = object_new(caller->env->zone, EXO_TYPE_IRQ, sizeof(*irq));
    if (!irq)
        return -EXO_E_NOMEM;
    irq->line = (unsigned)line;
    irq->bits = bits;
    irq->endpoint = (struct endpoint *)endpoint->object;
    object_hold(&irq->endpoint->object);
    bound[line] = irq;
    arch_irq_bind(irq->line);
    handle = cap_insert_below(caller->env, machine, &irq->object, EXO_RIGHTS_ALL);
    object_drop(&irq->object);
    return handle;
}

int64_t k_irq_ack(struct context *caller, struct capability *capability)
{
    (void)caller;
    arch_irq_unmask(((struct irq *)capability->object)->line);
    return 0;
}
