/*
 * What a server that starts services, and starts them again when they end, is asked and answers: messages to an endpoint of its own. The badge
 * tells it who asks; a service is its registrant's. No server of this system answers this yet: rs starts a fixed list. Its client
 * is rs_register_service and its relatives (exo/papers.h).
 *
 * Word 0 of a question is the operation, word 0 of the answer its result: 0 or more, or -EXO_E_*. BADCALL: no such operation; RANGE: a number that
 * names no service; DENIED: a service of somebody else's. The server deletes each capability that comes with a question that it refuses.
 *
 * EXO_REGISTRY_REGISTER, by ep_call_cap: words 1 and 2 are the name (1 to 16 bytes, the first in the lowest byte, padded with zeros), 3 the policy, 4 a frame
 * block with the program, an ELF file (READ and COPY), which the server keeps. Result: the service's number, from 1 on. INVAL: no name, or no policy;
 * EXISTS: the name is taken; LIMIT: the table is full; TYPE: no frame came.
 *
 * EXO_REGISTRY_DEPEND: word 1 is a service, 2 the one that has to run before it. Result: 0, also if it was known. INVAL: that one, by itself or
 * through others, depends on the service, or is the service; BUSY: the service runs already.
 *
 * EXO_REGISTRY_START: word 1 is a service. What it depends on is started first, as far as it does not run; then the service. Result: 0. BUSY: it runs
 * already; NOMEM: there is no memory for one of them; those before it run.
 */
#ifndef EXO_REGISTRY_H
#define EXO_REGISTRY_H

#define EXO_REGISTRY_NAME_BYTES 16u

enum exo_registry_operation {
    EXO_REGISTRY_REGISTER = 1,
    EXO_REGISTRY_DEPEND = 2,
    EXO_REGISTRY_START = 3,
};

/* When a service that has ended is started again; what depends on it is not. */
enum rs_policy {
    RS_POLICY_ALWAYS = 1,     /* whatever it ended by */
    RS_POLICY_ON_FAILURE = 2, /* unless it ended by itself, without an error */
};

#endif
