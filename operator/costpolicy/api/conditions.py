"""Conditions of policies and routes: how the operator answers, in the words of Kubernetes.

``Ready``, ``Reconciling`` and ``Stalled`` follow kstatus (sigs.k8s.io/cli-utils), so that ``kubectl wait``,
Flux and Argo CD understand them without configuration.  The rest describe a deployment that serves and never
make it unready.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from costpolicy.api.model import ObservedModel
from costpolicy.api.reasons import REASONS, Reason
from costpolicy.api.rules import Clip
from costpolicy.api.types import Count, Timestamp

__all__ = [
    "CONDITIONS",
    "REASONS",
    "Condition",
    "ConditionType",
    "Reason",
    "condition",
    "find",
    "kstatus",
    "merge_conditions",
]

MESSAGE_LENGTH = 400


class ConditionType(StrEnum):
    """What a condition is about."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    METRICS_AVAILABLE = "MetricsAvailable"
    OBJECTIVES_MET = "ObjectivesMet"
    WITHIN_BUDGET = "WithinBudget"
    QUALITY_MAINTAINED = "QualityMaintained"
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    ROLLOUT_BLOCKED = "RolloutBlocked"
    SCALING_ACTIVE = "ScalingActive"
    CALIBRATED = "Calibrated"
    ROUTING = "Routing"
    TIERS_READY = "TiersReady"
    COMPRESSING = "Compressing"


CONDITIONS: Mapping[ConditionType, str] = {
    ConditionType.READY: "The answer for this generation exists. Of a ModelRoute: its router serves it. "
    "Of a CostPolicy: in modes Off and Recommend a plan; "
    "otherwise as many "
    "ready replicas of an accepted variant as are promised, or as few as are wanted now (a scheduled night "
    "at 0 is Ready).",
    ConditionType.RECONCILING: "True only while the current generation is not acted on yet. A change that "
    "the operator "
    "starts by itself shows in RolloutInProgress instead.",
    ConditionType.STALLED: "True when only the user can go on; the message says what to do.",
    ConditionType.METRICS_AVAILABLE: "Live metrics of this policy's engines can be read and are sufficient.",
    ConditionType.OBJECTIVES_MET: "The latencies that are observed keep the objectives.",
    ConditionType.WITHIN_BUDGET: "What runs costs no more than the budget.",
    ConditionType.QUALITY_MAINTAINED: "Changes that can alter answers were proven harmless.",
    ConditionType.ROLLOUT_IN_PROGRESS: "A change of configuration is under way.",
    ConditionType.ROLLOUT_BLOCKED: "A change of configuration is wanted and cannot start now.",
    ConditionType.SCALING_ACTIVE: "The autoscaler of scaling.provider follows the load. Absent where that is the "
    "operator and nobody else interferes.",
    ConditionType.CALIBRATED: "Of a ModelRoute: of every tier before the trusted one a threshold is proven, and the proof "
    "holds today.",
    ConditionType.ROUTING: "Of a ModelRoute: some requests go to a tier before the trusted one. False: the trusted tier "
    "answers everything, and the message says why.",
    ConditionType.TIERS_READY: "Of a ModelRoute: every tier can answer. False: the message says which cannot, and which "
    "answer in its place.",
    ConditionType.COMPRESSING: "Of a ModelRoute with contextCompression: long requests to the trusted tier are shortened. False: "
    "they are not, and the message says why. Absent where compression is off.",
}
"""What each type of condition says."""

Status = Literal["True", "False", "Unknown"]


class Condition(ObservedModel):
    """One condition.  Type and reason are text: an older operator can read what a newer one wrote."""

    type: Annotated[str, Field(min_length=1, max_length=64)]
    """What it is about."""
    status: Status
    """Whether it holds."""
    reason: Annotated[str, Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=64)]
    """Why, in one word."""
    message: Annotated[str, Clip(MESSAGE_LENGTH)] = ""
    """Why, and what to do, in a sentence."""
    observed_generation: Count = 0
    """Generation of the object that this is about."""
    last_transition_time: Timestamp | None = None
    """When status changed last."""


def condition(
    kind: ConditionType, status: bool | None, reason: Reason, message: str = "", *, generation: int = 0
) -> Condition:
    """Return a condition that has not been merged yet; a status of ``None`` is Unknown."""
    word: Status = "Unknown" if status is None else "True" if status else "False"
    return Condition(type=kind.value, status=word, reason=reason.value, message=message, observed_generation=generation)


def find(conditions: Iterable[Condition], kind: ConditionType) -> Condition | None:
    """Return the condition of a type, or ``None``."""
    return next((found for found in conditions if found.type == kind), None)


def merge_conditions(previous: Sequence[Condition], new: Sequence[Condition], now: datetime) -> tuple[Condition, ...]:
    """Return the new conditions with their transition times, in the order of :class:`ConditionType`.

    The time moves only when the status does (Kubernetes API conventions).  A condition that is not renewed is
    dropped: an answer that nobody gives any more is not true any more.
    """
    before = {old.type: old for old in previous}
    order = {kind.value: place for place, kind in enumerate(ConditionType)}
    merged = []
    for fresh in sorted(new, key=lambda item: (order.get(item.type, len(order)), item.type)):
        old = before.get(fresh.type)
        kept = old.last_transition_time if old is not None and old.status == fresh.status else None
        merged.append(fresh.model_copy(update={"last_transition_time": kept or now.replace(microsecond=0)}))
    return tuple(merged)


def kstatus(document: Mapping[str, Any]) -> Literal["Terminating", "InProgress", "Failed", "Current"]:
    """Return what kstatus concludes about a custom resource, by its published rules for any kind.

    Deletion, then a generation that was not observed yet, then Stalled, then Reconciling, then Ready.
    """
    metadata, status = document.get("metadata", {}), document.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("observedGeneration", metadata.get("generation")) != metadata.get("generation"):
        return "InProgress"
    states = {entry["type"]: entry["status"] for entry in status.get("conditions", ())}
    if states.get("Stalled") == "True":
        return "Failed"
    if states.get("Reconciling") == "True" or states.get("Ready", "True") != "True":
        return "InProgress"
    return "Current"
