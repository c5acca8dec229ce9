"""Which tiers may have what today: the smaller of what is asked for and what is proven, as long as the proof holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final, assert_never

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import ProvenThreshold
from costpolicy.api.reasons import Reason
from costpolicy.api.route_tiers import TierSpec
from costpolicy.api.validation import Problem
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.routes.proofs import Proof
from costpolicy.reconcile.routes.tiers import ServedTier
from costpolicy.routing.calibration import Proven
from costpolicy.routing.guard import (
    DRIFTED,
    Distrust,
    Route,
    Since,
    TrustedOnly,
    guard,
    is_still_drifted,
)
from costpolicy.units import parse_duration, parse_ratio

DISTRUSTED: Final[Mapping[Distrust, Reason]] = {
    Distrust.NOTHING_PROVEN: Reason.NOTHING_PROVEN,
    Distrust.EVIDENCE_STALE: Reason.EVIDENCE_STALE,
    Distrust.TRAFFIC_DRIFTED: Reason.TRAFFIC_DRIFTED,
    Distrust.QUALITY_LOST: Reason.QUALITY_LOST,
}

DRIFTED_BEFORE: Final = Problem(
    reason=Reason.TRAFFIC_DRIFTED,
    message="prompts were not like those of the calibration, and are not clearly like them again (stability index above "
    f"{DRIFTED / 2}, or not known): label today's traffic and calibrate again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What a tier before the trusted one may have.

    Attributes:
        below: in force; ``None``: nothing.
        distrust: why its calibration proves nothing today.
        unserved: why nothing is sent to it whatever is proven.
        proof: what was read of its calibration, whether it holds or not.
    """

    tier: str
    below: Fraction | None = None
    distrust: Problem | None = None
    unserved: Problem | None = None
    proof: Proof | None = None

    @property
    def problem(self) -> Problem | None:
        """Why nothing is sent to it."""
        return self.distrust or self.unserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What thresholds are decided on.

    Attributes:
        proofs: by ConfigMap.
        traffic: what the route had in a day, as far as it is known.
    """

    proofs: Mapping[str, Proof | Problem]
    traffic: RouteTraffic | None
    now: datetime


def thresholds(
    route: ModelRoute, tiers: Mapping[str, ServedTier | Problem], evidence: Evidence
) -> tuple[Threshold, ...]:
    """Return the threshold of each tier before the trusted one, in order.

    The losses of tiers add up, so each proof may only allow what those before it leave of ``maxQualityLoss``.
    """
    left = parse_ratio(route.spec.max_quality_loss)
    found = []
    for spec in route.spec.tiers:
        if spec.complexity_below is None:
            continue
        one = _threshold(route, spec, evidence, left)
        unserved = _unserved(tiers[spec.name]) or _unserved(tiers[route.spec.trusted])
        if unserved is not None:
            one = replace(one, below=None, unserved=unserved)
        elif one.below is not None and one.proof is not None:
            left -= one.proof.loss_bound
        found.append(one)
    return tuple(found)


def _threshold(route: ModelRoute, spec: TierSpec, evidence: Evidence, left: Fraction) -> Threshold:
    proof = _proof(route, spec.name, evidence.proofs)
    if isinstance(proof, Problem):
        return Threshold(tier=spec.name, distrust=proof)
    if proof.loss_bound > left:
        return Threshold(tier=spec.name, distrust=_too_much(proof, left), proof=proof)
    scores = evidence.traffic.scores if evidence.traffic else Since().scores
    since = Since(
        scores=scores, strong_right=proof.since.strong_right, lost=proof.since.lost, gained=proof.since.gained
    )
    held = guard(proof.calibration, since, evidence.now.date(), parse_duration(route.spec.calibration.max_age))
    if isinstance(held, Route) and _still_drifted(route, spec.name, proof, scores):
        return Threshold(tier=spec.name, distrust=DRIFTED_BEFORE, proof=proof)
    match held:
        case TrustedOnly(reason=reason):
            message = proof.message if reason is Distrust.NOTHING_PROVEN else held.message
            problem = Problem(reason=DISTRUSTED[reason], message=f"tier {spec.name}: {message}")
            return Threshold(tier=spec.name, distrust=problem, proof=proof)
        case Route(threshold=threshold):
            asked = Fraction(spec.complexity_below or "0")
            return Threshold(tier=spec.name, below=min(asked, threshold), proof=proof)
        case other:
            assert_never(other)


def _still_drifted(route: ModelRoute, tier: str, proof: Proof, scores: Sequence[int]) -> bool:
    """Return whether prompts were unlike those of this same calibration, and are not clearly like them again.

    Trust that comes and goes would roll the router each time, and metrics that are away are no sign that prompts are back.
    """
    before = next((one for one in route.status.tiers if one.name == tier), None) if route.status else None
    if before is None or before.verdict != Reason.TRAFFIC_DRIFTED or before.proven != proven_threshold(proof):
        return False
    return is_still_drifted(scores)


def proven_threshold(proof: Proof) -> ProvenThreshold | None:
    """Return what status says of a proof; ``None``: it proves nothing."""
    if not isinstance(proof.calibration, Proven):
        return None
    evidence = proof.calibration.evidence
    return ProvenThreshold(
        config_map=proof.config_map,
        threshold=f"{float(proof.calibration.examined.threshold):g}",
        loss_bound=f"{float(proof.loss_bound) * 100:.2f}%",
        labels=evidence.labels,
        date=evidence.date.isoformat(),
    )


def _unserved(tier: ServedTier | Problem) -> Problem | None:
    """Return why nothing is sent to a tier: it cannot be served, or nobody knows what it costs."""
    if isinstance(tier, Problem):
        return tier
    return tier.price if isinstance(tier.price, Problem) else None


def _proof(route: ModelRoute, tier: str, proofs: Mapping[str, Proof | Problem]) -> Proof | Problem:
    name = calibration_of(route).get(tier)
    if name is None:
        return Problem(
            reason=Reason.CALIBRATION_MISSING,
            message=f"tier {tier}: nothing is proven of it; make a ConfigMap of labels with costpolicy route calibrate "
            "--config-map, and name it in spec.calibration",
        )
    found = proofs.get(name)
    if found is None:
        return Problem(
            reason=Reason.CALIBRATION_MISSING,
            message=f"tier {tier}: there is no ConfigMap {name} with a calibration; make it with costpolicy route calibrate --config-map",
        )
    return found


def calibration_of(route: ModelRoute) -> Mapping[str, str]:
    """Return the ConfigMap of each tier that has one; the route's own is for the first tier without."""
    calibration = route.spec.calibration
    named = {one.name: one.config_map_ref.name for one in calibration.tiers}
    if calibration.config_map_ref is None:
        return named
    without = (tier.name for tier in route.spec.tiers if tier.complexity_below is not None and tier.name not in named)
    first = next(without, None)
    return named if first is None else {first: calibration.config_map_ref.name, **named}


def _too_much(proof: Proof, left: Fraction) -> Problem:
    return Problem(
        reason=Reason.LOSS_NOT_ALLOWED,
        message=f"ConfigMap {proof.config_map} proves a loss of at most {float(proof.loss_bound):.2%}, and "
        f"{float(left):.2%} is left of spec.maxQualityLoss: calibrate with --max-loss {float(left):.2%}, or raise it",
    )
