"""What a calibration's ConfigMap says, as ``costpolicy route calibrate`` writes it; what cannot be read is a ``Problem``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem
from costpolicy.router_plugin.score import CoefficientError, Scorer
from costpolicy.routing.calibration import Calibration, Evidence, NothingProven, Proven
from costpolicy.routing.guard import Since
from costpolicy.routing.proof import Examined

CALIBRATION: Final = "calibration.json"
COEFFICIENTS: Final = "coefficients.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A calibration that can be read.

    Attributes:
        config_map: name of its ConfigMap.
        calibration: what is proven, or that nothing is.
        message: the same in words.
        coefficients: of the score, a JSON document.
        loss_bound: what the threshold loses at most, as a share of the strong model's score; 0 where nothing is proven.
        since: what was labelled after it.
    """

    config_map: str
    calibration: Calibration
    message: str
    coefficients: str
    loss_bound: Fraction
    since: Since


def is_of_a_tier(data: Mapping[str, Any]) -> bool:
    """Return whether a ConfigMap's data is meant to prove a threshold."""
    return CALIBRATION in data or COEFFICIENTS in data


def read_proof(config_map: str, data: Mapping[str, Any]) -> Proof | Problem:
    """Return what a ConfigMap's data proves, or why that cannot be told."""
    missing = [name for name in (CALIBRATION, COEFFICIENTS) if name not in data]
    if missing:
        return _unreadable(config_map, f"{missing[0]} is missing")
    coefficients = str(data[COEFFICIENTS])
    try:
        Scorer.parse(coefficients)
        told = json.loads(data[CALIBRATION])
        return Proof(
            config_map=config_map,
            calibration=_calibration(told, json.loads(coefficients)),
            message=str(told["message"]),
            coefficients=coefficients,
            loss_bound=_bound(told),
            since=_since(told.get("since", {})),
        )
    except CoefficientError as error:
        return _unreadable(config_map, f"{COEFFICIENTS}: {error}")
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return _unreadable(config_map, f"{CALIBRATION}: {type(error).__name__}: {error}")


def _calibration(told: Mapping[str, Any], coefficients: dict[str, Any]) -> Calibration:
    labels, strong = int(told["labels"]), _share(told["strongScore"])
    evidence = Evidence(
        date=date.fromisoformat(told["date"]),
        labels=labels,
        strong_score=strong,
        max_loss=_share(told["maxQualityLoss"]),
    )
    if told["complexityBelow"] is None:
        return NothingProven(evidence=evidence, coefficients=coefficients)
    counts = told["counts"]
    return Proven(
        evidence=evidence,
        coefficients=coefficients,
        examined=Examined(
            threshold=_share(told["complexityBelow"]),
            routed=int(counts["routed"]),
            lost=int(counts["lost"]),
            gained=int(counts["gained"]),
            strong_right=round(strong * labels),
        ),
    )


def _bound(told: Mapping[str, Any]) -> Fraction:
    """Return the bound of the loss; below 0, where the weak model surely gains, it takes nothing from what is allowed."""
    if told["complexityBelow"] is None:
        return Fraction(0)
    return max(Fraction(0), Fraction(str(told["loss"]["bound"])))


def _since(told: Mapping[str, Any]) -> Since:
    """Return what was labelled since; it may be left out."""
    return Since(
        strong_right=int(told.get("strongRight", 0)), lost=int(told.get("lost", 0)), gained=int(told.get("gained", 0))
    )


def _share(told: Any) -> Fraction:  # noqa: ANN401 - any JSON
    """Return a share.

    Raises:
        ValueError: it is not a number from 0 to 1.
    """
    share = Fraction(str(told))
    if not 0 <= share <= 1:
        raise ValueError(f"{told} is not a share from 0 to 1")
    return share


def _unreadable(config_map: str, why: str) -> Problem:
    return Problem(
        reason=Reason.CALIBRATION_UNREADABLE,
        message=f"ConfigMap {config_map}: {why}: make it anew with costpolicy route calibrate --config-map",
    )
