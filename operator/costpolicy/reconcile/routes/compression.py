"""Whether a route's long requests are shortened today: as long as it is proven that they are answered no worse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, assert_never

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.reasons import Reason
from costpolicy.api.types import CompressionMode
from costpolicy.api.validation import Problem
from costpolicy.manifests.router.inputs import Compression
from costpolicy.reconcile.routes.thresholds import DISTRUSTED, DRIFTED_BEFORE, Threshold
from costpolicy.router_plugin.compression import Limits
from costpolicy.routing.compression_proof import (
    CompressionEvidence,
    EvidenceError,
    Harmless,
    Judgement,
    NotProven,
    fewest_pairs,
    judge_compression,
    message,
    parse,
)
from costpolicy.routing.guard import Distrust, TrustedOnly, is_still_drifted
from costpolicy.units import parse_duration, parse_ratio

COMPRESSION: Final = "compression.json"
"""Key of a calibration's ConfigMap."""
_NOTHING_LEFT: Final = (
    "tiers before the trusted one may lose all of spec.maxQualityLoss: calibrate with a smaller --max-loss"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressing:
    """What becomes of a route's long requests.

    Attributes:
        limits: that are wanted.
        config_map: where the proof is to be found; empty: the route names none.
        message: what is proven, or why nothing is.
        problem: why nothing is shortened; ``None``: long requests are.
        evidence: what was found out about these limits.
        needed: pairs that would prove it if no further one is lost; ``None``: it is proven, or no number would.
    """

    limits: Compression
    config_map: str
    message: str
    problem: Problem | None = None
    evidence: CompressionEvidence | None = None
    needed: int | None = None


def read_compression(config_map: str, data: Mapping[str, Any]) -> CompressionEvidence | Problem | None:
    """Return what a ConfigMap's data says of compression; ``None``: nothing."""
    if COMPRESSION not in data:
        return None
    try:
        return parse(json.loads(data[COMPRESSION]))
    except (EvidenceError, ValueError, TypeError) as error:
        return Problem(
            reason=Reason.CALIBRATION_UNREADABLE,
            message=f"ConfigMap {config_map}: {COMPRESSION}: {error}: make it anew with costpolicy route renew "
            "--compress-minimum",
        )


def wanted_compression(route: ModelRoute) -> Compression | None:
    """Return what a route asks for; ``None``: everything is passed on as it comes."""
    wanted = route.spec.context_compression
    if wanted.mode is CompressionMode.DISABLED:
        return None
    return Compression(minimum=wanted.minimum_characters, ratio=parse_ratio(wanted.ratio))


def compression_map_of(route: ModelRoute) -> str:
    """Return the ConfigMap that a proof of compression is in; empty: the route names none.

    It is the route's own, or else that of the first tier which has one.
    """
    calibration = route.spec.calibration
    if calibration.config_map_ref is not None:
        return calibration.config_map_ref.name
    return calibration.tiers[0].config_map_ref.name if calibration.tiers else ""


def compressing(
    route: ModelRoute,
    found: Mapping[str, CompressionEvidence | Problem],
    thresholds: Sequence[Threshold],
    scores: Sequence[int],
    now: datetime,
) -> Compressing | None:
    """Say whether long requests are shortened; ``None``: the route does not ask for it.

    Args:
        route: as stored.
        found: what ConfigMaps say, by name.
        thresholds: in force; losses add up, so compression has what these leave of ``maxQualityLoss``.
        scores: requests of a day by tenth of their complexity.
        now: the time of the decision.
    """
    limits = wanted_compression(route)
    if limits is None:
        return None
    name, left = compression_map_of(route), _left(route, thresholds)
    wanted = Compressing(limits=limits, config_map=name, message="")
    if left <= 0:
        return unproven(wanted, Reason.LOSS_NOT_ALLOWED, _NOTHING_LEFT)
    stored = found.get(name)
    if isinstance(stored, Problem):
        return unproven(wanted, stored.reason, stored.message)
    if stored is None or stored.settings != _settings(limits):
        needed = fewest_pairs(0, left)
        why = f"{_missing(name, stored)}; {needed or 0:,} pairs are needed, even if none is lost"
        return replace(unproven(wanted, Reason.NOT_PROVEN, why), needed=needed)
    judged = judge_compression(stored, left, scores, now.date(), parse_duration(route.spec.calibration.max_age))
    if isinstance(judged, Harmless) and _was_drifted(route, stored) and is_still_drifted(scores):
        judged = TrustedOnly(reason=Distrust.TRAFFIC_DRIFTED, message=DRIFTED_BEFORE.message)
    return _judged(replace(wanted, evidence=stored), judged, message(stored, judged, left))


def _judged(wanted: Compressing, judged: Judgement, told: str) -> Compressing:
    match judged:
        case NotProven(needed=needed):
            return replace(unproven(wanted, Reason.NOT_PROVEN, told), needed=needed)
        case TrustedOnly(reason=reason):
            return unproven(wanted, DISTRUSTED[reason], told)
        case Harmless():
            return replace(wanted, message=told)
        case other:
            assert_never(other)


def unproven(wanted: Compressing, reason: Reason, why: str) -> Compressing:
    """Return it with why nothing is shortened."""
    return replace(wanted, message=why, problem=Problem(reason=reason, message=why))


def _was_drifted(route: ModelRoute, evidence: CompressionEvidence) -> bool:
    """Return whether prompts were unlike those that this same proof rests on when status was written."""
    before = route.status.compression if route.status else None
    if before is None or before.verdict != Reason.TRAFFIC_DRIFTED:
        return False
    return (before.pairs, before.date) == (evidence.pairs.judged, evidence.date.isoformat())


def _left(route: ModelRoute, thresholds: Sequence[Threshold]) -> Fraction:
    taken = (one.proof.loss_bound for one in thresholds if one.below is not None and one.proof is not None)
    return parse_ratio(route.spec.max_quality_loss) - sum(taken, Fraction(0))


def _settings(limits: Compression) -> str:
    return Limits(minimum=limits.minimum, ratio=float(limits.ratio)).settings


def _missing(name: str, stored: CompressionEvidence | None) -> str:
    if not name:
        return "name a ConfigMap in spec.calibration, where pairs of answers prove that compression does no harm"
    if stored is None:
        return f"ConfigMap {name} says nothing of compression yet: sample long requests and have them judged"
    return f"what ConfigMap {name} proves is of another minimumCharacters, ratio or version of the compression"
