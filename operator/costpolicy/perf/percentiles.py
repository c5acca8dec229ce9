"""Percentiles of a latency whose mean, variance and least value are known.

A latency is a floor, which every request pays, and waits of many kinds on top. The waits are taken as gamma
distributed with the mean and variance that they have: an exponential wait has a variance of its mean squared, the
sum of many small ones less, a rare queue more.
"""

from math import sqrt
from typing import Final, NamedTuple

from costpolicy.perf.latency import Quantiles

_P95: Final = 1.6449
_P99: Final = 2.3263
"""Standard deviations from the mean of a normal distribution to its 95th and 99th percentile."""


class Moments(NamedTuple):
    """A duration: seconds every request pays, and mean (s) and variance (s2) of what comes on top."""

    floor: float
    mean: float
    variance: float

    def __add__(self, other: "Moments") -> "Moments":  # type: ignore[override]
        """Return the sum of two independent durations."""
        return Moments(self.floor + other.floor, self.mean + other.mean, self.variance + other.variance)

    def quantiles(self) -> Quantiles:
        """Return mean, median, 95th and 99th percentile.

        Wilson and Hilferty's cube of a normal variable (PNAS 17, 1931): within 3 % of the gamma distribution's own
        up to a variance of the mean squared.  Beyond it, the median falls towards the floor, and the tail is held
        where it is highest: a wait so rare that its p95 were less is not counted on.
        """
        floor, mean, variance = self
        if mean <= 0.0:
            return Quantiles(mean=floor, p50=floor, p95=floor, p99=floor)
        ninth = variance / (9.0 * mean * mean)
        root = sqrt(ninth)
        p95 = max(mean, mean * _cube(_P95, root))
        return Quantiles(
            mean=floor + mean,
            p50=floor + mean * max(0.0, 1.0 - ninth) ** 3,
            p95=floor + p95,
            p99=floor + max(p95, mean * _cube(_P99, root)),
        )


def _cube(score: float, root: float) -> float:
    root = min(root, score / 2.0)
    return float((1.0 - root * root + score * root) ** 3)
