"""The condition QualityMaintained."""

from costpolicy.api.conditions import Condition, ConditionType, condition
from costpolicy.api.evaluated import QualityStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.types import TechniqueMode
from costpolicy.reconcile.findings import key_of
from costpolicy.reconcile.snapshot import Snapshot


def quality_condition(snapshot: Snapshot, quality: QualityStatus | None) -> Condition:
    """Return what is known of the answers of what serves."""
    techniques, stable = snapshot.policy.spec.techniques, snapshot.live.stable
    running = stable.configuration if stable else None
    proven = next(
        (
            one
            for one in (quality.proven if quality else ())
            if running is not None and one.key == key_of(running.answers)
        ),
        None,
    )
    if proven is not None:
        return condition(ConditionType.QUALITY_MAINTAINED, True, Reason.QUALITY_PROVEN, proven.message)
    altered = running is not None and (
        (
            techniques.quantization.mode is TechniqueMode.ENABLED
            and (running.checkpoint is not None or running.online_quantization)
        )
        or (techniques.kv_cache_quantization.mode is TechniqueMode.ENABLED and running.kv_cache_dtype != "auto")
    )
    if altered:
        message = "a technique that can alter answers is Enabled: accepted, and not tested"
        return condition(ConditionType.QUALITY_MAINTAINED, None, Reason.ACCEPTED_BY_USER, message)
    return condition(ConditionType.QUALITY_MAINTAINED, True, Reason.NO_CHANGE_YET)
