"""Predictions beside measurements, on rows that the constants were fitted to and on rows that were left out."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median

from accuracy.fitting import fit
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.latency import Latency
from measurements import Measured

_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A measured row and what the model says of it."""

    row: Measured
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """Shares: mean absolute, median absolute and mean signed relative error of ``rows`` predictions."""

    mean: float
    median: float
    bias: float
    rows: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "Error":
        """Return the error of (predicted, measured) pairs."""
        relative = [predicted / measured - 1.0 for predicted, measured in pairs]
        absolute = [abs(error) for error in relative]
        return cls(mean=mean(absolute), median=median(absolute), bias=mean(relative), rows=len(pairs))


def predict(rows: Sequence[Measured], constants: Fitted = FITTED) -> list[Predicted]:
    """Return predictions of closed loops."""
    found = []
    for row in rows:
        latency = closed_loop(row.shape, row.workload, row.concurrency, row.rounds, constants)
        if not isinstance(latency, Latency):
            raise TypeError(f"{row.name}: {latency}")
        found.append(Predicted(row=row, latency=latency))
    return found


def ttft(found: Sequence[Predicted]) -> Error:
    """Return the error of TTFT: of the mean where means were measured, else of the median."""
    return Error.of([(_of(one, one.latency.ttft.mean, one.latency.ttft.p50), one.row.ttft) for one in found])


def inter_token(found: Sequence[Predicted]) -> Error:
    """Return the error of inter-token latency, likewise."""
    return Error.of(
        [(_of(one, one.latency.inter_token.mean, one.latency.inter_token.p50), one.row.inter_token) for one in found]
    )


def cross_validated(rows: Sequence[Measured], repeats: int) -> list[Predicted]:
    """Return a prediction of each row by constants fitted on four fifths of the others, in so many draws."""
    chance = random.Random(0)
    found: list[Predicted] = []
    for _ in range(repeats):
        order = list(rows)
        chance.shuffle(order)
        for fold in range(_FOLDS):
            seen = [row for index, row in enumerate(order) if index % _FOLDS != fold]
            found += predict(order[fold::_FOLDS], fit(seen))
    return found


def left_out(rows: Sequence[Measured], key: Callable[[Measured], str], name: str) -> list[Predicted]:
    """Return predictions of the rows of one name, by constants fitted on all others."""
    return predict([row for row in rows if key(row) == name], fit([row for row in rows if key(row) != name]))


def groups(rows: Sequence[Measured], key: Callable[[Measured], str]) -> Iterator[tuple[str, list[Measured]]]:
    """Yield rows by a key, in the order of the keys."""
    for name in sorted({key(row) for row in rows}):
        yield name, [row for row in rows if key(row) == name]


def _of(one: Predicted, of_mean: float, of_median: float) -> float:
    return of_mean if one.row.source == "published" else of_median
