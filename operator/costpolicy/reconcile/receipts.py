"""The receipt of a change: what ran before, what runs after, what showed that it was right, and how it is undone."""

from datetime import datetime

from costpolicy.api.measured import Receipt
from costpolicy.api.status import RolloutStatus
from costpolicy.planning.configuration import Configuration


def receipt_of(
    rollout: RolloutStatus,
    before: tuple[Configuration | None, str],
    after: tuple[Configuration, str],
    proof: str,
    now: datetime,
) -> Receipt:
    """Return the receipt of a change that has just ended.

    Args:
        rollout: the change.
        before: what served, and the same in words.
        after: what serves now, and the same in words.
        proof: what showed that it was right.
        now: the time.
    """
    return Receipt(
        at=now,
        started_at=rollout.started_at,
        change=rollout.message or rollout.trigger,
        before=before[1],
        after=after[1],
        proof=proof,
        undo=_undo(before[0], after[0]),
    )


def _undo(before: Configuration | None, after: Configuration) -> str:
    """Return the fields of the policy that lead back: what is allowed decides what is planned."""
    if before is None:
        return ""
    fields = []
    if before.accelerator != after.accelerator:
        fields.append(f"hardware.accelerators: [{before.accelerator}]")
    if before.capacity_type != after.capacity_type:
        fields.append(f"hardware.capacityTypes: [{before.capacity_type}]")
    if before.weights != after.weights:
        fields.append(
            "techniques.quantization.mode: Disabled"
            if before.checkpoint is None and not before.online_quantization
            else f"techniques.quantization.formats: [{before.weights}]"
        )
    if before.kv_cache_dtype != after.kv_cache_dtype:
        fields.append("techniques.kvCacheQuantization.mode: Disabled")
    if before.max_num_seqs != after.max_num_seqs and before.max_num_seqs is not None:
        fields.append(f"techniques.batching.maxNumSeqs: {before.max_num_seqs}")
    if before.proposer is None and after.proposer is not None:
        fields.append("techniques.speculativeDecoding.mode: Disabled")
    return (
        f"set in spec: {', '.join(fields)}" if fields else "set spec.rollout.mode to Initial and edit spec.techniques"
    )
