"""What the model says of an engine under a workload, each question asked once: of the newest, whoever asks again.

The answer depends on nothing else.  So a plan that is made anew because something was learnt, the cases that a playbook
compares, and policies that serve one model alike share what is predicted; what differs between them is the margins.
"""

from functools import lru_cache

from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Capacity, Latency, Saturated, Unpredictable
from costpolicy.perf.load import Replica, reduced
from costpolicy.perf.open_loop import capacity_of, latency_at
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import EngineShape, Workload


class Prediction:
    """An engine under a workload, worked out as far as it is asked for; of equal ones there is one (:func:`prediction`)."""

    __slots__ = ("_reduced", "_served", "_shape", "_workload")

    def __init__(self, shape: EngineShape, workload: Workload) -> None:
        self._shape = shape
        self._workload = workload
        self._served: Service | Unpredictable | None = None
        self._reduced: Replica | Unpredictable | None = None

    @property
    def served(self) -> Service | Unpredictable:
        """The replica and its requests reduced to step times and seats."""
        if self._served is None:
            self._served = service(self._shape, self._workload)
        return self._served

    @property
    def reduced(self) -> Replica | Unpredictable:
        """The same under random arrivals."""
        if self._reduced is None:
            self._reduced = reduced(self._shape, self._workload, self.served)
        return self._reduced

    def capacity(self, ttft_p95: float | None, inter_token_p95: float | None, reached: float) -> Capacity:
        """Return :func:`~costpolicy.perf.open_loop.capacity_of` it."""
        return _capacity(self, ttft_p95, inter_token_p95, reached)

    def at_rate(self, requests_per_second: float) -> Latency | Saturated | Unpredictable:
        """Return what it delivers at a rate; at a rate of zero, to one request at a time."""
        return _at_rate(self, requests_per_second)

    def alone(self) -> Latency | Unpredictable | Saturated:
        """Return what it delivers to one request at a time."""
        return closed_loop(self._shape, self._workload, 1)


@lru_cache(maxsize=512)
def prediction(shape: EngineShape, workload: Workload) -> Prediction:
    """Return the prediction for an engine under a workload: the same object while it is remembered."""
    return Prediction(shape, workload)


@lru_cache(maxsize=256)
def _capacity(of: Prediction, ttft_p95: float | None, inter_token_p95: float | None, reached: float) -> Capacity:
    return capacity_of(of.reduced, ttft_p95, inter_token_p95, reached)


@lru_cache(maxsize=1024)
def _at_rate(of: Prediction, requests_per_second: float) -> Latency | Saturated | Unpredictable:
    if requests_per_second <= 0:
        return of.alone()
    found = of.reduced
    return found if isinstance(found, Unpredictable) else latency_at(found, requests_per_second)
