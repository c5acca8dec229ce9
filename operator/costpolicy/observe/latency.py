"""What a histogram can say about a latency objective.

The buckets are read, not only a quantile of them, because an objective can be judged only against the bucket
that the quantile lies in; and reading them once is far cheaper for Prometheus than several
``histogram_quantile``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from costpolicy.api.reasons import Reason
from costpolicy.observe.source import Missing
from costpolicy.units import format_duration

NARROW: Final = 0.1
"""A bucket narrower than this share of the objective is answered by interpolation inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A high percentile in seconds, and the bucket that holds it.

    ``value`` is interpolated; what is known is ``lower < percentile <= upper``.  In the histogram's last,
    open bucket both edges are its largest finite boundary, and the percentile is above it.
    """

    value: float
    lower: float
    upper: float

    def keeps(self, objective: timedelta) -> bool | Missing:
        """Return whether the percentile is at most the objective, or that the bucket is too wide to say."""
        limit = objective.total_seconds()
        if self.lower == self.upper:
            return False if limit <= self.lower else self._too_coarse(objective)
        if self.upper <= limit:
            return True
        if self.lower >= limit:
            return False
        if self.upper - self.lower <= NARROW * limit:
            return self.value <= limit
        return self._too_coarse(objective)

    def _too_coarse(self, objective: timedelta) -> Missing:
        known = f"above {self.lower:g} s" if self.lower == self.upper else f"{self.lower:g} to {self.upper:g} s"
        return Missing(
            reason=Reason.RESOLUTION_TOO_COARSE,
            message=f"the percentile lies in the bucket {known}, which cannot be compared with "
            f"{format_duration(objective)}: give the engine a bucket boundary at the objective "
            "(--custom-histogram-buckets)",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Cumulative counts (or rates) by upper bound in seconds, the last bound infinite, at least one
    request."""

    bounds: tuple[float, ...]
    cumulative: tuple[float, ...]

    def quantile(self, share: float) -> Tail:
        """Return a quantile as Prometheus' ``histogram_quantile`` interpolates it, and its bucket.

        Args:
            share: above 0, at most 1.
        """
        rank = share * self.cumulative[-1]
        place = next(index for index, count in enumerate(self.cumulative) if count >= rank)
        lower = self.bounds[place - 1] if place else 0.0
        upper = self.bounds[place]
        if math.isinf(upper):
            return Tail(value=lower, lower=lower, upper=lower)
        below = self.cumulative[place - 1] if place else 0.0
        inside = (rank - below) / (self.cumulative[place] - below)
        return Tail(value=lower + (upper - lower) * inside, lower=lower, upper=upper)


def histogram(counts: Mapping[str, float]) -> Histogram | None:
    """Read buckets by their ``le`` label; None without requests or without the ``+Inf`` bucket.

    Rates of neighbouring buckets may be out of order by a rounding error, which is smoothed as Prometheus
    does.
    """
    if counts.get("+Inf", 0.0) <= 0:
        return None
    ordered = sorted((float(bound), count) for bound, count in counts.items())
    cumulative: list[float] = []
    for _, count in ordered:
        cumulative.append(max(count, cumulative[-1] if cumulative else 0.0))
    return Histogram(bounds=tuple(bound for bound, _ in ordered), cumulative=tuple(cumulative))
