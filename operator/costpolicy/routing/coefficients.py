"""From labels to the coefficients of a score: which parts it has, and how they are weighted and fitted.

What is learned is the *benefit* of the strong model (right minus right of the weak one), not where the weak one fails:
hard questions are often hard for both, and there the strong one buys nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, fmean, pstdev, quantiles
from typing import Any, Final
from zlib import crc32

from costpolicy.router_plugin.features import FEATURES, Prompt, look
from costpolicy.router_plugin.score import VERSION, part_of
from costpolicy.routing.boosting import fit_trees
from costpolicy.routing.labels import Label
from costpolicy.routing.ngrams import fit_ngrams
from costpolicy.routing.ridge import fit_linear

ANCHORED_FROM: Final = 50
LEARNED_FROM: Final = 500
TREES_FROM: Final = 2000
"""Below, trees learn more of chance than of questions: docs/reference/routing.md."""
ANCHOR: Final = 300
"""Labels with which what was learned weighs as much as what needs no label."""
FOLDS: Final = 5
KNOTS: Final = 100

# What prompts look like where nothing is known of them: between exam questions (MMLU) and word problems (GSM8K).
_GENERIC: Final[Mapping[str, tuple[float, float]]] = {"Capitals": (2.3, 0.45), "Length": (5.7, 0.7)}
_GENERIC_DEVIATION: Final = 0.9
"""Of the mean of the two parts, which grow together."""


class Basis(StrEnum):
    """What a score rests on."""

    FORM = "Form"
    """Capitalised words and length; no label."""
    ANCHORED = "Anchored"
    """Form, and what few labels taught, in a proportion that grows with their number."""
    LEARNED = "Learned"
    """What was learned first, and form as one part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """What scores say of questions that they were not fitted on.

    Attributes:
        raw: the sum of the parts of each question.
        scales: mean and deviation of each part.
    """

    raw: Sequence[float]
    scales: Sequence[tuple[float, float]]


def basis_of(labels: int) -> Basis:
    """Return what so many labels suffice for."""
    if labels < ANCHORED_FROM:
        return Basis.FORM
    return Basis.ANCHORED if labels < LEARNED_FROM else Basis.LEARNED


def generic_coefficients() -> dict[str, Any]:
    """Return the coefficients without any label: form alone, scaled as prompts in general are."""
    knots = [NormalDist(0.0, _GENERIC_DEVIATION).inv_cdf((index + 0.5) / (KNOTS + 1)) for index in range(KNOTS + 1)]
    return _document(Basis.FORM, 0, _scaled(_form(), _generic_scales(), _weights(0)), knots)


def fit(labels: Sequence[Label], held_out: OutOfFold) -> dict[str, Any]:
    """Return the coefficients of a score fitted on all labels.

    Args:
        labels: two or more.
        held_out: of the same labels. How far a fit spreads the questions that it knows says nothing about others.
    """
    fitted = _fitted(labels, [look(label.prompt) for label in labels], len(labels))
    parts = _scaled(fitted, held_out.scales, _weights(len(labels)))
    return _document(basis_of(len(labels)), len(labels), parts, _knots(held_out.raw))


def out_of_fold(labels: Sequence[Label], draw: int = 0) -> OutOfFold:
    """Score each question by a fit on other questions, with the parts that all the labels suffice for.

    Folds come from a hash of the prompt: a question that is there twice is never fitted on and scored.

    Args:
        labels: any number.
        draw: which of many ways to divide them.
    """
    folds = [crc32(f"{draw} {label.prompt}".encode(errors="surrogatepass")) % FOLDS for label in labels]
    return out_of_folds(labels, folds)


def out_of_folds(labels: Sequence[Label], folds: Sequence[int]) -> OutOfFold:
    """Score the questions of each fold by a fit on the others."""
    prompts = [look(label.prompt) for label in labels]
    if basis_of(len(labels)) is Basis.FORM:
        columns = [[part_of(part)(prompt) for prompt in prompts] for part in _form()]
        return _blended(columns, _generic_scales(), _weights(len(labels)))
    columns = [[0.0] * len(labels) for _ in _weights(len(labels))]
    for fold in sorted(set(folds)):
        rest = [index for index, other in enumerate(folds) if other != fold]
        parts = _fitted([labels[index] for index in rest], [prompts[index] for index in rest], len(labels))
        for column, part in zip(columns, map(part_of, parts), strict=True):
            for index, other in enumerate(folds):
                if other == fold:
                    column[index] = part(prompts[index])
    scales = [(fmean(column), pstdev(column) or 1.0) for column in columns]
    return _blended(columns, scales, _weights(len(labels)))


def _form() -> list[dict[str, Any]]:
    return [{"kind": "Capitals"}, {"kind": "Length"}]


def _generic_scales() -> list[tuple[float, float]]:
    return [_GENERIC[part["kind"]] for part in _form()]


def _fitted(labels: Sequence[Label], prompts: Sequence[Prompt], size: int) -> list[dict[str, Any]]:
    """Return the parts that ``size`` labels suffice for, without their scales."""
    if basis_of(size) is Basis.FORM:
        return _form()
    import numpy as np

    features = np.array([prompt.values for prompt in prompts])
    target = np.array([float(label.benefit) for label in labels])
    parts = [
        *_form(),
        fit_linear(features, target),
        fit_ngrams([prompt.words for prompt in prompts], target),
    ]
    return [*parts, fit_trees(features, target)] if size >= TREES_FROM else parts


def _weights(labels: int) -> list[float]:
    """Return the weights of the parts in the order of :func:`_fitted`; form counts as one part."""
    match basis_of(labels):
        case Basis.FORM:
            return [0.5, 0.5]
        case Basis.ANCHORED:
            learned = labels / (labels + ANCHOR)
            return [(1 - learned) / 2, (1 - learned) / 2, learned / 2, learned / 2]
        case Basis.LEARNED:
            return [0.5, 0.5, 1.0, 1.0, *([1.0] if labels >= TREES_FROM else [])]


def _blended(
    columns: Sequence[Sequence[float]], scales: Sequence[tuple[float, float]], weights: Sequence[float]
) -> OutOfFold:
    raw = [0.0] * len(columns[0])
    for column, (mean, deviation), weight in zip(columns, scales, weights, strict=True):
        for index, value in enumerate(column):
            raw[index] += weight * (value - mean) / deviation
    return OutOfFold(raw=raw, scales=scales)


def _scaled(
    parts: Sequence[Mapping[str, Any]], scales: Sequence[tuple[float, float]], weights: Sequence[float]
) -> list[dict[str, Any]]:
    return [
        {**part, "weight": weight, "mean": mean, "deviation": deviation}
        for part, (mean, deviation), weight in zip(parts, scales, weights, strict=True)
    ]


def _knots(raw: Sequence[float]) -> list[float]:
    # Between equal scores the interpolation may fall by the last bit.
    return sorted([min(raw), *quantiles(raw, n=KNOTS, method="inclusive"), max(raw)])


def _document(basis: Basis, labels: int, parts: list[dict[str, Any]], knots: list[float]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "features": len(FEATURES),
        "basis": str(basis),
        "labels": labels,
        "parts": parts,
        "knots": knots,
    }
