/* Circular doubly linked lists with the link inside the member. An unlinked member points to itself. */
#ifndef LIST_H
#define LIST_H
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *previous;
};

#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_before(struct list *at, struct list *member)
{
    member->next = at;
    member->previous = at->previous;
    at->previous->next = member;
    at->previous = member;
}

static inline void list_append(struct list *list, struct list *member)
{
    list_insert_before(list, member);
}

static inline void list_prepend(struct list *list, struct list *member)
{
    list_insert_before(list->next, member);
}

/* Moves all members of `from` to the end of the list. */
static inline void list_append_all(struct list *list, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->previous = list->previous;
    list->previous->next = from->next;
    from->previous->next = list;
    list->previous = from->previous;
    list_init(from);
}

static inline void list_remove(struct list *member)
{
    member->previous->next = member->next;
    member->next->previous = member->previous;
    list_init(member);
}

/* The same for who is known to be the first. */
static inline void list_remove_first(struct list *list, struct list *first)
{
    struct list *next = first->next;

    list->next = next;
    next->previous = list;
    list_init(first);
}

#endif
