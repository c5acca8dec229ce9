"""What a histogram can say about a latency objective."""

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
    """A 95th percentile in seconds, and the bucket that holds it.

    ``value`` is interpolated; what is known is ``lower < p95 <= upper``.  In the histogram's last, open
    bucket both edges are its largest finite boundary, and the percentile is above it.
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
            message=f"the 95th percentile lies in the bucket {known}, which cannot be compared with "
            f"{format_duration(objective)}: give the engine a bucket boundary at the objective "
            "(--custom-histogram-buckets)",
        )
