"""From labels to what a router is told: coefficients, a threshold, and the evidence for it; or nothing, and why."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from costpolicy.binomial import lower_bound, upper_bound
from costpolicy.router_plugin.score import Scorer
from costpolicy.routing.coefficients import OutOfFold, fit, generic_coefficients
from costpolicy.routing.labels import Label, strong_score
from costpolicy.routing.newest import Newest, newest_of
from costpolicy.routing.proof import GAINS_ERROR, LOSSES_ERROR, Examined, fewest_labels, largest_proven

LEVEL = 1 - LOSSES_ERROR - GAINS_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a calibration rests on.

    Attributes:
        date: when the labels were gathered.
        max_loss: largest loss accepted, as a share of the strong model's score.
    """

    date: date
    labels: int
    strong_score: Fraction
    max_loss: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A threshold below which the weak model answers, with the proof that quality is kept.

    Attributes:
        newest: what the labels that were made last show of the threshold.
        saved: share of calls that the strong model is spared, with an interval at 95 %.
    """

    evidence: Evidence
    coefficients: dict[str, Any]
    examined: Examined
    newest: Newest = field(default_factory=Newest)

    @property
    def saved(self) -> tuple[float, float, float]:
        """Share of calls that the strong model is spared: low end, estimate, high end; 95 %."""
        routed, labels = self.examined.routed, self.evidence.labels
        error = (1 - LEVEL) / 2
        return lower_bound(routed, labels, error), routed / labels, upper_bound(routed, labels, error)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingProven:
    """No threshold is proven: everything goes to the strong model."""

    evidence: Evidence
    coefficients: dict[str, Any]

    @property
    def fewest_labels(self) -> int | None:
        """Labels that could prove anything, without a single loss; None where there are as many already."""
        fewest = (
            fewest_labels(self.evidence.max_loss, self.evidence.strong_score) if self.evidence.strong_score else None
        )
        return fewest if fewest is None or fewest > self.evidence.labels else None


Calibration = Proven | NothingProven


def calibrate(labels: Sequence[Label], held_out: OutOfFold, max_loss: Fraction, on: date) -> Calibration:
    """Fit a score, and find how much the weak model may have.

    The threshold is proven with each question scored by a fit on other questions; what is then used is fitted on all.

    Args:
        labels: a sample of the traffic that is to be routed; those with a date in the order in which they were made.
        held_out: of the same labels.
        max_loss: largest loss to accept, as a share of the strong model's score; more than 0.
        on: when the labels were gathered.
    """
    coefficients = fit(labels, held_out) if len(labels) > 1 else generic_coefficients()
    scorer = Scorer.parse(json.dumps(coefficients))
    evidence = Evidence(date=on, labels=len(labels), strong_score=strong_score(labels), max_loss=max_loss)
    scores = [scorer.share(raw) for raw in held_out.raw]
    examined = largest_proven(labels, scores, max_loss)
    if examined is None:
        return NothingProven(evidence=evidence, coefficients=coefficients)
    last = newest_of(labels, scores, examined.threshold)
    return Proven(evidence=evidence, coefficients=coefficients, examined=examined, newest=last)


def message(calibration: Calibration) -> str:
    """Return the finding as a sentence, for conditions and for people."""
    evidence = calibration.evidence
    limit = f"{float(evidence.max_loss):.2%} of the strong model's score"
    match calibration:
        case Proven(examined=examined):
            low, share, high = calibration.saved
            return (
                f"{share:.1%} of calls ({low:.1%} to {high:.1%}) may go to the weak model: what scores below "
                f"{float(examined.threshold):.2f} loses at most {examined.loss_bound:.2%} of the strong model's score, by "
                f"{evidence.labels:,} labels; {limit} is allowed"
            )
        case NothingProven(fewest_labels=None):
            return f"Nothing is routed: {evidence.labels:,} labels do not show of any threshold that it loses at most {limit}"
        case NothingProven(fewest_labels=fewest):
            return (
                f"Nothing is routed: {evidence.labels:,} labels cannot prove a loss of at most {limit}; "
                f"about {fewest:,} are needed even if none of the routed questions is lost"
            )


def config_map_data(calibration: Calibration) -> dict[str, str]:
    """Return what the router's ConfigMap holds: coefficients, and threshold with evidence."""
    return {
        "coefficients.json": json.dumps(calibration.coefficients, separators=(",", ":")),
        "calibration.json": json.dumps(summary(calibration), indent=2),
    }


def _since(last: Newest) -> dict[str, Any]:
    if not last.strong_right:
        return {}
    return {"since": {"strongRight": last.strong_right, "lost": last.lost, "gained": last.gained}}


def summary(calibration: Calibration) -> dict[str, Any]:
    """Return threshold and evidence as JSON values; shares are numbers, thresholds ratio strings."""
    evidence = calibration.evidence
    common = {
        "date": evidence.date.isoformat(),
        "labels": evidence.labels,
        "basis": calibration.coefficients["basis"],
        "strongScore": round(float(evidence.strong_score), 4),
        "maxQualityLoss": round(float(evidence.max_loss), 6),
        "level": LEVEL,
    }
    match calibration:
        case NothingProven():
            return {"verdict": "NothingProven", "message": message(calibration), "complexityBelow": None, **common}
        case Proven(examined=examined, newest=last):
            low, share, high = calibration.saved
            return {
                "verdict": "Proven",
                "message": message(calibration),
                "complexityBelow": f"{float(examined.threshold):g}",
                "loss": {"estimate": round(float(examined.loss), 5), "bound": round(examined.loss_bound, 5)},
                "callsSaved": {"low": round(low, 4), "estimate": round(share, 4), "high": round(high, 4)},
                "counts": {"routed": examined.routed, "lost": examined.lost, "gained": examined.gained},
                **_since(last),
                **common,
            }
