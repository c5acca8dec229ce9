"""The HorizontalPodAutoscaler (autoscaling/v2) on requests in flight, as its documentation and defaults say.

Every 15 seconds ``desired = ceil(current * metric / target)``, unless the ratio is within 10 % of 1.  Replicas that do
not answer yet count as idle while growing.  Growth is followed at once, by at most 4 replicas or twice as many;
shrinking only to the most that was desired in the last 300 seconds.
(kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale, read 2026-11.)

The metric is what vLLM exports as running plus waiting requests, per replica.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from costpolicy.simulation.deployed import Service
from costpolicy.simulation.engine import Reading

SYNC_PERIOD: Final = timedelta(seconds=15)
TOLERANCE: Final = 0.1
STABILIZATION: Final = timedelta(seconds=300)
MOST_PODS: Final = 4
"""Replicas added in one period at most, or as many again as there are."""
HEADROOM: Final = 0.8
"""Share of the highest rate inside the objectives at which the target is set: what a careful owner would choose."""


@dataclass(slots=True)
class HorizontalPodAutoscaler:
    """Implements :class:`costpolicy.simulation.deployed.Controller`.

    Attributes:
        target: requests in flight per replica.
    """

    target: float
    most: int
    least: int = 1
    interval: timedelta = SYNC_PERIOD
    _recent: deque[tuple[datetime, int]] = field(default_factory=deque)

    def wanted(self, at: datetime, ready: int, asked: int, reading: Reading | None) -> int:
        """See :class:`Controller`."""
        desired = asked if reading is None else self._desired(ready, asked, reading.running + reading.waiting)
        desired = min(desired, max(asked + MOST_PODS, 2 * asked))
        desired = max(self.least, min(desired, self.most))
        while self._recent and self._recent[-1][1] <= desired:
            self._recent.pop()  # it is never the most again
        self._recent.append((at, desired))
        while self._recent[0][0] <= at - STABILIZATION:
            self._recent.popleft()
        return desired if desired >= asked else min(asked, self._recent[0][1])

    def _desired(self, ready: int, asked: int, in_flight: float) -> int:
        ratio = in_flight / self.target
        if ratio > 1.0:
            ratio *= ready / asked
            if ratio <= 1.0:
                return asked
        if abs(ratio - 1.0) <= TOLERANCE:
            return asked
        return ceil(ratio * (asked if ratio > 1.0 else ready))


def autoscaler(service: Service, most: int) -> HorizontalPodAutoscaler:
    """Return an autoscaler that an owner has set who knows the engine: its target is what a replica has in flight at
    ``HEADROOM`` of the highest rate inside the objectives."""
    low, high = 0.0, service.engine.capacity(service.traffic)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if service.replicas_for(middle) == 1 else (low, middle)
    return HorizontalPodAutoscaler(target=max(service.alone(low * HEADROOM, 1).running, 1.0), most=most)
