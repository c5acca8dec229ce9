"""Whether a proof still holds for the traffic of today; where it does not, the trusted tier answers everything.

A proof is about the prompts that were labelled.  It ends when it is old, when scores are spread differently than over
those prompts, or when the questions labelled last show more loss than was allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from math import log
from typing import Final, assert_never

from costpolicy.binomial import lower_bound, upper_bound
from costpolicy.routing.calibration import Calibration, NothingProven, Proven, message
from costpolicy.routing.proof import GAINS_ERROR, LOSSES_ERROR

BINS: Final = 10
"""Scores are shares of the calibrated prompts, so a tenth of unchanged traffic falls into each."""
DRIFTED: Final = 0.2
"""Population stability index from which a distribution counts as another one, by the usual rule of credit scoring."""
FEWEST_SCORES: Final = 500
"""Below, chance alone moves the index: its mean is 9 / scores."""
OLDEST: Final = timedelta(days=30)


class Distrust(StrEnum):
    """Why the trusted tier answers everything."""

    NOTHING_PROVEN = "NothingProven"
    EVIDENCE_STALE = "EvidenceStale"
    TRAFFIC_DRIFTED = "TrafficDrifted"
    QUALITY_LOST = "QualityLost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What was seen of late.

    Attributes:
        scores: requests by tenth of the score, from the simplest.
        strong_right: the questions labelled last, of all scores, that the strong model got right.
        lost: of those that the weak model has, the ones that only the strong model got right.
        gained: the ones that only the weak model got right.
    """

    scores: Sequence[int] = (0,) * BINS
    strong_right: int = 0
    lost: int = 0
    gained: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The weak model may have what scores below the threshold."""

    threshold: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedOnly:
    """Everything goes to the trusted tier."""

    reason: Distrust
    message: str


Guarded = Route | TrustedOnly


def guard(calibration: Calibration, since: Since, today: date, oldest: timedelta = OLDEST) -> Guarded:
    """Decide whether to route.

    Args:
        calibration: the last one.
        since: what was seen after it.
        today: the date of the decision.
        oldest: age from which evidence counts no more.
    """
    match calibration:
        case NothingProven():
            return TrustedOnly(reason=Distrust.NOTHING_PROVEN, message=message(calibration))
        case Proven():
            found = (
                staleness(calibration.evidence.date, today, oldest)
                or _lost(calibration, since)
                or drifted(since.scores)
            )
            return found or Route(threshold=calibration.examined.threshold)
        case other:
            assert_never(other)


def stability_index(scores: Sequence[int]) -> float:
    """Return how far requests by tenth are from a tenth each: 0 is not at all, 0.2 and more another distribution.

    Half a request is added to each tenth, so that an empty one is not infinitely far.
    """
    total = sum(scores) + BINS / 2
    shares = [(count + 0.5) / total for count in scores]
    return sum((share - 1 / BINS) * log(share * BINS) for share in shares)


def is_still_drifted(scores: Sequence[int]) -> bool:
    """Return whether requests that were spread otherwise are not clearly as before again, or not known to be."""
    return sum(scores) < FEWEST_SCORES or stability_index(scores) >= DRIFTED / 2


def staleness(gathered: date, today: date, oldest: timedelta) -> TrustedOnly | None:
    """Distrust labels that are too old."""
    if today - gathered <= oldest:
        return None
    return TrustedOnly(
        reason=Distrust.EVIDENCE_STALE,
        message=f"the labels are of {gathered}, more than {oldest.days} days old: calibrate on new ones",
    )


def _lost(calibration: Proven, since: Since) -> TrustedOnly | None:
    """Distrust what new labels show to lose more than was allowed, with the chances of error of the proof."""
    if not since.strong_right:
        return None
    gained = upper_bound(since.gained, since.strong_right + since.gained, GAINS_ERROR)
    surely = lower_bound(since.lost, since.strong_right, LOSSES_ERROR) - gained / (1 - gained)
    if surely <= calibration.evidence.max_loss:
        return None
    return TrustedOnly(
        reason=Distrust.QUALITY_LOST,
        message=f"the newest labels show a loss of at least {surely:.2%} of the strong model's score, "
        f"{float(calibration.evidence.max_loss):.2%} is allowed: calibrate on them",
    )


def drifted(scores: Sequence[int]) -> TrustedOnly | None:
    """Distrust proofs while requests, by tenth of the score, are spread otherwise than those of the calibration."""
    if sum(scores) < FEWEST_SCORES:
        return None
    index = stability_index(scores)
    if index < DRIFTED:
        return None
    return TrustedOnly(
        reason=Distrust.TRAFFIC_DRIFTED,
        message=f"prompts are not like those of the calibration (stability index {index:.2f}, {DRIFTED} is the limit): "
        "label today's traffic and calibrate again",
    )
