"""The measurements of the study.  Questions that a figure is about were never fitted on, unless it says so."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from statistics import fmean, stdev
from typing import Any

from costpolicy.router_plugin.features import look
from costpolicy.router_plugin.score import Scorer
from costpolicy.routing.calibration import Proven, calibrate
from costpolicy.routing.coefficients import fit, generic_coefficients, out_of_fold, out_of_folds
from costpolicy.routing.evaluation import Effectiveness, evaluate
from costpolicy.routing.labels import Label, strong_score, weak_score
from routing_study.bootstrap import differences

Sets = Mapping[str, Sequence[Label]]

DRAWS = 3
CALIBRATIONS = {"mmlu": 10, "gsm8k": 20}
EFFICIENCY = {"mmlu": (50, 100, 200, 500, 1000, 3000), "gsm8k": (50, 100, 200, 400)}
EFFICIENCY_DRAWS = 4
DEAR = 3000
"""Labels from which a fit takes so long that half of the draws must do."""
MOST_TESTED = 2000
GROUPS = 10
LIMITS = (Fraction(1, 100), Fraction(2, 100))


def by_length(labels: Sequence[Label]) -> list[float]:
    return [float(len(label.prompt)) for label in labels]


def by_form(labels: Sequence[Label]) -> list[float]:
    return by_coefficients(generic_coefficients(), labels)


def by_coefficients(coefficients: dict[str, Any], labels: Sequence[Label]) -> list[float]:
    scorer = Scorer.parse(json.dumps(coefficients))
    return [scorer.raw(look(label.prompt)) for label in labels]


def scores(sets: Sets) -> dict[str, Any]:
    """Five folds, three ways to divide; differences from prompt length by a paired bootstrap."""
    return {
        name: {
            "labels": len(labels),
            "strong": float(strong_score(labels)),
            "weak": float(weak_score(labels)),
            "prompt length": row(labels, [by_length(labels)]),
            "without labels": row(labels, [by_form(labels)]),
            "learned": row(labels, [out_of_fold(labels, draw).raw for draw in range(DRAWS)]),
        }
        for name, labels in sets.items()
    }


def carried(sets: Sets) -> dict[str, Any]:
    """Fitted on other subjects, or on the other set: traffic that is not what was labelled."""
    mmlu = sets["mmlu"]
    subjects = sorted({label.task for label in mmlu})
    groups = {subject: index % GROUPS for index, subject in enumerate(subjects)}
    apart = out_of_folds(mmlu, [groups[label.task] for label in mmlu]).raw
    found = {"MMLU, subjects left out": row(mmlu, [apart])}
    for title, taught, asked in (("from MMLU to GSM8K", "mmlu", "gsm8k"), ("from GSM8K to MMLU", "gsm8k", "mmlu")):
        coefficients = fit(sets[taught], out_of_fold(sets[taught]))
        found[title] = row(sets[asked], [by_coefficients(coefficients, sets[asked])])
    return found


def row(labels: Sequence[Label], draws: Sequence[Sequence[float]]) -> dict[str, Any]:
    found: list[Effectiveness] = [evaluate(labels, scores) for scores in draws]
    return {
        "apgr": round(fmean(one.apgr for one in found), 4),
        "cpt50": round(fmean(one.cpt50 for one in found), 4),
        "cpt80": round(fmean(one.cpt80 for one in found), 4),
        "shareFor95": round(fmean(one.share_for_95 for one in found), 4),
        "overLength": [round(end, 4) for end in differences(labels, draws, by_length(labels))],
    }


def calibrations(sets: Sets) -> dict[str, Any]:
    """Calibrated on one half, routed on the other, many times."""
    return {name: _calibrations(labels, CALIBRATIONS[name]) for name, labels in sets.items()}


def _calibrations(labels: Sequence[Label], count: int) -> dict[str, Any]:
    draws = [drawn(labels, len(labels) // 2, seed) for seed in range(count)]
    found: dict[str, Any] = {"labels": len(labels) // 2}
    for limit in LIMITS:
        found[f"{float(limit):.0%}"] = {"saved": [], "lost": [], "estimated saved": [], "estimated lost": []}
    for one, other in draws:
        held_out = out_of_fold(one)
        for limit in LIMITS:
            routed = routed_by(one, other, limit, held_out)
            for title, value in zip(found[f"{float(limit):.0%}"], routed, strict=True):
                found[f"{float(limit):.0%}"][title].append(round(value, 5))
    return found


def routed_by(
    one: Sequence[Label], other: Sequence[Label], limit: Fraction, held_out: Any = None
) -> tuple[float, float, float, float]:
    """Return what a calibration on ``one`` saves and loses on ``other``, and what an estimate without proof does."""
    held_out = held_out or out_of_fold(one)
    calibration = calibrate(one, held_out, limit, date(2026, 11, 29))
    scorer = Scorer.parse(json.dumps(calibration.coefficients))
    proven = float(calibration.examined.threshold) if isinstance(calibration, Proven) else 0.0
    shares = [scorer.score(label.prompt) for label in other]
    estimate = _estimated(one, [scorer.share(raw) for raw in held_out.raw], limit)
    return *_routed(other, shares, proven), *_routed(other, shares, estimate)


def _estimated(labels: Sequence[Label], scores: Sequence[float], limit: Fraction) -> float:
    allowed, lost, best = limit * sum(label.strong for label in labels), 0, 0.0
    for score, label in sorted(zip(scores, labels, strict=True), key=lambda pair: pair[0]):
        lost += label.benefit
        best = score if lost <= allowed else best
    return best


def _routed(labels: Sequence[Label], scores: Sequence[float], threshold: float) -> tuple[float, float]:
    routed = [label for label, score in zip(labels, scores, strict=True) if score < threshold]
    lost = sum(label.benefit for label in routed) / sum(label.strong for label in labels)
    return len(routed) / len(labels), lost


def label_efficiency(sets: Sets) -> dict[str, Any]:
    """So many labels drawn, the rest asked."""
    found: dict[str, Any] = {}
    for name, labels in sets.items():
        for count in EFFICIENCY[name]:
            found.setdefault(name, {})[str(count)] = _efficiency(labels, count)
    return found


def _efficiency(labels: Sequence[Label], count: int) -> dict[str, Any]:
    rows = []
    draws = EFFICIENCY_DRAWS if count < DEAR else EFFICIENCY_DRAWS // 2
    for seed in range(draws):
        taught, asked = drawn(labels, count, seed)
        asked = asked[:MOST_TESTED]
        scores = by_coefficients(fit(taught, out_of_fold(taught)), asked)
        rows.append([float(evaluate(asked, each).apgr) for each in (by_length(asked), by_form(asked), scores)])
    length, form, score = zip(*rows, strict=True)
    return {
        "prompt length": round(fmean(length), 4),
        "without labels": round(fmean(form), 4),
        "score": round(fmean(score), 4),
        "deviation": round(stdev(score), 4),
        "draws": draws,
        "better than length": sum(one > other for one, other in zip(score, length, strict=True)),
        "better than without labels": sum(one > other for one, other in zip(score, form, strict=True)),
    }


def drawn(labels: Sequence[Label], count: int, seed: int) -> tuple[list[Label], list[Label]]:
    """Return so many, and the rest."""
    shuffled = random.Random(seed).sample(labels, len(labels))
    return shuffled[:count], shuffled[count:]
