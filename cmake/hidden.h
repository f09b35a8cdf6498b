/*
 * Included before every freestanding source: what is declared, and not only what is defined, is inside this program. Otherwise the compilers
 * reach external data and function addresses through a table (GOT), which costs a load and cannot be resolved at the libOS's address.
 */
#pragma GCC visibility push(hidden)
