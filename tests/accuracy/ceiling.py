"""How well the decision test can go at all: picks by what was measured itself, and what costs the rest.

The margins of the test are fixed, and the tables that it picks from are coarse: from one row to the next the load
doubles.  So a model without any error loses throughput too, wherever the best row lies within a margin of an objective.
"""

import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import exp, log, log2

from accuracy.decisions import MARGINS, Choice, Decision, Figures
from costpolicy.perf.calibration import INTER_TOKEN_FLOOR, TTFT_FLOOR


class Cause(StrEnum):
    """Why the best configuration was not picked."""

    TTFT_MARGIN = "its measured TTFT lies within the margin of the objective"
    INTER_TOKEN_MARGIN = "its measured inter-token latency does"
    BOTH_MARGINS = "both do"
    PREDICTED_TTFT = "its predicted TTFT is too high"
    PREDICTED_INTER_TOKEN = "its predicted inter-token latency is too high"
    ORDER = "another one's predicted throughput is higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A kept decision that did not pick the best, and why."""

    decision: Decision
    cause: Cause


def measured(among: Sequence[Choice]) -> list[Choice]:
    """Return the choices of a picker that believes what was measured: of a model without error."""
    return [replace(one, believed=one.measured) for one in among]


def measured_again(among: Sequence[Choice], chance: random.Random) -> list[Choice]:
    """Return the choices of a picker that believes a repeat of the measurement, which varies as repeats do."""
    return [replace(one, believed=_again(one.measured, chance)) for one in among]


def refined(among: Sequence[Choice], steps: int) -> list[Choice]:
    """Return the choices with others between them: as many steps for each doubling of the load.

    Latencies between two measured loads of one configuration are interpolated on logarithms, measured ones and
    believed ones alike.
    """
    by_configuration: dict[tuple[Hashable, int], list[Choice]] = {}
    for one in among:
        by_configuration.setdefault((one.group, one.ranks), []).append(one)
    found = list(among)
    for loads in by_configuration.values():
        loads.sort(key=lambda one: one.concurrency)
        for low, high in pairwise(loads):
            count = round(steps * log2(high.concurrency / low.concurrency))
            found += [_between(low, high, index / count) for index in range(1, count)]
    return found


def losses(decided: Sequence[Decision]) -> Iterator[Loss]:
    """Yield the kept decisions that did not pick the best."""
    for one in decided:
        if one.kept and one.picked is not one.best:
            yield Loss(decision=one, cause=_cause(one))


def _cause(decision: Decision) -> Cause:
    too_late, too_slow = _beyond(decision.best.believed, decision)
    margins = _beyond(decision.best.measured, decision)
    if any(margins) and (too_late or too_slow):
        return {
            (True, True): Cause.BOTH_MARGINS,
            (True, False): Cause.TTFT_MARGIN,
            (False, True): Cause.INTER_TOKEN_MARGIN,
        }[margins]
    if too_slow:
        return Cause.PREDICTED_INTER_TOKEN
    return Cause.PREDICTED_TTFT if too_late else Cause.ORDER


def _beyond(figures: Figures, decision: Decision) -> tuple[bool, bool]:
    """Tell for TTFT and inter-token latency whether they, with their margins, are beyond the objective."""
    return (
        figures.ttft * MARGINS.ttft > decision.ttft,
        figures.inter_token * MARGINS.inter_token > decision.inter_token,
    )


def _again(figures: Figures, chance: random.Random) -> Figures:
    slower = exp(chance.gauss(0.0, INTER_TOKEN_FLOOR))
    return Figures(
        figures.ttft * exp(chance.gauss(0.0, TTFT_FLOOR)), figures.inter_token * slower, figures.rate / slower
    )


def _between(low: Choice, high: Choice, share: float) -> Choice:
    return replace(
        low,
        name=f"{low.name} to {high.concurrency:g}",
        concurrency=_mean(low.concurrency, high.concurrency, share),
        measured=_mean_figures(low.measured, high.measured, share),
        believed=_mean_figures(low.believed, high.believed, share),
    )


def _mean_figures(low: Figures, high: Figures, share: float) -> Figures:
    return Figures(*(_mean(one, other, share) for one, other in zip(low, high, strict=True)))


def _mean(low: float, high: float, share: float) -> float:
    return exp((1.0 - share) * log(low) + share * log(high))
