/* Judges of the kernel's calls: each looks at one answer, after the kernel made it, and brings the model up to date. */
#ifndef MODEL_CALLS_H
#define MODEL_CALLS_H
#include "model.h"

/* A struct that the call had to write to the caller's memory: false, and judged, if it could not. */
bool output(struct step *s, uint64_t va, uint64_t bytes);

/* ---- model_calls_memory.c ---- */
void mem_alloc(struct step *s);
void mem_map(struct step *s);
void mem_share(struct step *s);
void mem_fetch(struct step *s);
void mem_protect(struct step *s);
void mem_unmap(struct step *s);
void mem_query(struct step *s);
void frame_alloc(struct step *s);
void frame_device(struct step *s);
void frame_address(struct step *s);
void frame_claim(struct step *s);
void frame_prepare_call(struct step *s);
void frame_info(struct step *s);
void frame_split(struct step *s);
void frame_merge(struct step *s);
void dma_bind(struct step *s);
void dma_info(struct step *s);
void trace_bind(struct step *s);

/* ---- model_calls_zone.c ---- */
void zone_create(struct step *s);
void zone_make(struct step *s);
void zone_enter(struct step *s);
void zone_status(struct step *s);
void audit_read(struct step *s);
void audit_info(struct step *s);
void ep_create_in(struct step *s);
void zone_info(struct step *s);

/* ---- model_gas.c ---- */
void gas_info(struct step *s);
void gas_set(struct step *s);
void gas_grant(struct step *s);
void gas_notify(struct step *s);
void gas_policy_call(struct step *s);
void gas_price(struct step *s);
void zone_weight(struct step *s);

/* ---- model_ledger.c ---- */
void ledger_bind(struct step *s);
void reclaim_ask(struct step *s);
void reclaim_take(struct step *s);
void reclaim_status(struct step *s);
void cap_ask(struct step *s);

/* ---- model_slice.c ---- */
void slice_make(struct step *s);
void slice_bind(struct step *s);
void slice_unbind_call(struct step *s);
void slice_weight(struct step *s);
void slice_info(struct step *s);
void slice_after(struct step *s);
void slice_done(struct step *s);
void zone_policy(struct step *s);
void yield_to(struct step *s);

/* ---- batches.c ---- */
void batch_call(struct step *s);

/* ---- model_zone.c ---- */
void zone_member(struct step *s);

#endif
