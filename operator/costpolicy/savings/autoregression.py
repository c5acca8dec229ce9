"""Linear regression on hours whose errors depend on the hours before: what an effect may be, and what its chance is.

Errors are autoregressive of order 1, ``e[t] = rho * e[t-1] + noise``.  How strong that is (``rho``) is not known, and a
week says little of it where it is strong; so it is not estimated and then believed, but every value counts by how likely
it makes the hours (its integrated likelihood, flat prior).  Exact within each stretch of hours without a gap.  Reference:
Zellner, An Introduction to Bayesian Inference in Econometrics (1971), section 4.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

Row = tuple[float, ...]
Matrix = list[list[float]]

_RHO: Final = (
    *(-0.4, -0.2, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.74, 0.78, 0.81, 0.84, 0.865, 0.885),
    *(0.9, 0.915, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99),
)
"""Where the likelihood is asked: closer together where the width of an interval depends more on it."""
_STEADIEST: Final = 0.995
_NEGLIGIBLE: Final = 1e-9
_NORMAL: Final = NormalDist()


class Expected(NamedTuple):
    """What is known of a coefficient before any hour was seen: about where it is, give or take (a normal prior)."""

    mean: float
    deviation: float


class _Fit(NamedTuple):
    """The regression at one ``rho``, with its share of the likelihood (its logarithm before it is scaled)."""

    rho: float
    coefficients: tuple[float, ...]
    deviations: tuple[float, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What the hours say of every coefficient: a mixture of t distributions, one for each ``rho``."""

    fits: tuple[_Fit, ...]
    degrees: int

    def mean(self, coefficient: int) -> float:
        """Return the expected value of a coefficient."""
        return sum(fit.weight * fit.coefficients[coefficient] for fit in self.fits)

    def steady(self, rho: float) -> float:
        """Return the probability that more of an hour's error than that is left in the next."""
        return sum(fit.weight for fit in self.fits if fit.rho > rho)

    def interval(self, coefficient: int, level: float) -> tuple[float, float]:
        """Return the interval that holds a coefficient with a probability, equally unlikely on both sides."""
        tail = (1.0 - level) / 2.0
        return self._quantile(coefficient, tail), self._quantile(coefficient, 1.0 - tail)

    def _quantile(self, coefficient: int, share: float) -> float:
        widest = max(fit.deviations[coefficient] for fit in self.fits)
        low = min(fit.coefficients[coefficient] for fit in self.fits) - 40.0 * widest
        high = max(fit.coefficients[coefficient] for fit in self.fits) + 40.0 * widest
        for _ in range(50):
            middle = (low + high) / 2.0
            if self._below(coefficient, middle) < share:
                low = middle
            else:
                high = middle
        return (low + high) / 2.0

    def _below(self, coefficient: int, value: float) -> float:
        return sum(
            fit.weight
            * student_cdf((value - fit.coefficients[coefficient]) / fit.deviations[coefficient], self.degrees)
            for fit in self.fits
        )


def student_cdf(value: float, degrees: int) -> float:
    """Return the distribution function of Student's t, to 0.0005 from four degrees of freedom (Wallace, Annals of
    Mathematical Statistics 30, 1959, 1121-1123).
    """
    corrected = (8.0 * degrees + 1.0) / (8.0 * degrees + 3.0)
    normal = corrected * sqrt(degrees * log(1.0 + value * value / degrees))
    return _NORMAL.cdf(normal if value >= 0.0 else -normal)


def posterior(stretches: Sequence[Sequence[Row]], expected: Sequence[Expected | None]) -> Posterior:
    """Regress the last number of each row on the others.

    Args:
        stretches: rows hour by hour; each stretch is without a gap.
        expected: what is known of each coefficient beforehand; ``None`` is nothing.

    Raises:
        ValueError: there are fewer hours than coefficients of which nothing is known, and three more.
    """
    unknown = sum(prior is None for prior in expected)
    hours = sum(len(stretch) for stretch in stretches)
    if hours < unknown + 4:
        raise ValueError(f"{hours} hours are too few for {unknown} coefficients")
    products = _Products.of([stretch for stretch in stretches if stretch])
    fits = [_fit(products, rho, expected, hours - unknown) for rho in _RHO]
    most = max(fit.weight for fit in fits)
    widths = [(above - below) / 2.0 for below, above in zip((-0.6, *_RHO[:-1]), (*_RHO[1:], _STEADIEST), strict=True)]
    likely = [width * exp(fit.weight - most) for fit, width in zip(fits, widths, strict=True)]
    whole = sum(likely)
    shares = [fit._replace(weight=one / whole) for fit, one in zip(fits, likely, strict=True)]
    return Posterior(fits=tuple(fit for fit in shares if fit.weight > _NEGLIGIBLE), degrees=hours - unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Products:
    """Sums of products of the rows' columns: all rows, neighbours, and those inside a stretch.

    With them the products of the rows less ``rho`` times the row before are a polynomial in ``rho``.
    """

    every: Matrix
    neighbours: Matrix
    inside: Matrix
    stretches: int

    @classmethod
    def of(cls, stretches: Sequence[Sequence[Row]]) -> "_Products":
        size = range(len(stretches[0][0]))
        every, neighbours, inside = ([[0.0 for _ in size] for _ in size] for _ in range(3))
        for rows in stretches:
            for row in rows:
                _add(every, row, row, 1.0)
            for before, row in pairwise(rows):
                _add(neighbours, row, before, 1.0)
                _add(neighbours, before, row, 1.0)
            for row in rows[1:-1]:
                _add(inside, row, row, 1.0)
            if len(rows) == 1:
                _add(inside, rows[0], rows[0], -1.0)
        return cls(every=every, neighbours=neighbours, inside=inside, stretches=len(stretches))

    def at(self, rho: float) -> Matrix:
        """Return the products of what is independent from hour to hour."""
        parts = zip(self.every, self.neighbours, self.inside, strict=True)
        return [
            [all_ - rho * near + rho * rho * within for all_, near, within in zip(*rows, strict=True)] for rows in parts
        ]


def _add(sums: Matrix, left: Row, right: Row, sign: float) -> None:
    for total, one in zip(sums, left, strict=True):
        if one:
            for column, other in enumerate(right):
                total[column] += sign * one * other


def _fit(products: _Products, rho: float, expected: Sequence[Expected | None], degrees: int) -> _Fit:
    whole, size = products.at(rho), len(expected)
    normal, target, square = (
        [row[:size] for row in whole[:size]],
        [row[size] for row in whole[:size]],
        whole[size][size],
    )
    floor = _NEGLIGIBLE * (1.0 + square / degrees)
    # The scale of the errors says how much the expectations count; it is taken from the fit without them.
    free = [
        [one + (_NEGLIGIBLE if row == column else 0.0) for column, one in enumerate(line)]
        for row, line in enumerate(normal)
    ]
    scale = max(floor, (square - _dot(_solved(_root(free), target), target)) / degrees)
    for at, prior in enumerate(expected):
        if prior is not None:
            precision = scale / prior.deviation**2
            normal[at][at] += precision
            target[at] += precision * prior.mean
            square += precision * prior.mean**2
    root = _root(normal)
    coefficients = _solved(root, target)
    left = max(floor * degrees, square - _dot(coefficients, target))
    units = [[1.0 if row == at else 0.0 for row in range(size)] for at in range(size)]
    deviations = [sqrt(_solved(root, unit)[at] * left / degrees) for at, unit in enumerate(units)]
    known = sum(log(scale) / 2.0 for prior in expected if prior is not None)
    likelihood = products.stretches / 2.0 * log(1.0 - rho * rho) - degrees / 2.0 * log(left) + known
    likelihood -= sum(log(root[at][at]) for at in range(size))
    return _Fit(rho, tuple(coefficients), tuple(deviations), likelihood)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def _root(matrix: Matrix) -> Matrix:
    """Return the Cholesky factor of a positive definite matrix; what rounding makes negative counts as next to nothing."""
    root: Matrix = []
    for row, line in enumerate(matrix):
        root.append([0.0] * len(matrix))
        for column in range(row + 1):
            rest = line[column] - sum(root[row][at] * root[column][at] for at in range(column))
            root[row][column] = sqrt(max(rest, _NEGLIGIBLE**2)) if row == column else rest / root[column][column]
    return root


def _solved(root: Matrix, right: Sequence[float]) -> list[float]:
    size = len(root)
    half = [0.0] * size
    for row in range(size):
        half[row] = (right[row] - sum(root[row][at] * half[at] for at in range(row))) / root[row][row]
    full = [0.0] * size
    for row in reversed(range(size)):
        full[row] = (half[row] - sum(root[at][row] * full[at] for at in range(row + 1, size))) / root[row][row]
    return full
