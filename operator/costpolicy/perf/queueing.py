"""A queue for one of several servers, arrivals and service times of any variability."""

from math import log, sqrt
from typing import NamedTuple

from costpolicy.perf.latency import Quantiles
from costpolicy.perf.percentiles import Moments

_FULLEST = 0.999
"""Highest utilization that a queue is evaluated at: loads are solved to a thousandth."""


class Queue(NamedTuple):
    """A wait, in seconds: with probability ``waits`` it is exponential with mean ``conditional``, else 0."""

    waits: float
    conditional: float

    @property
    def moments(self) -> Moments:
        """Mean and variance."""
        waits, conditional = self
        return Moments(0.0, waits * conditional, waits * (2.0 - waits) * conditional * conditional)

    def quantiles(self) -> Quantiles:
        """Return mean, median, 95th and 99th percentile."""
        return Quantiles(
            mean=self.waits * self.conditional,
            p50=self._exceeded_by(0.5),
            p95=self._exceeded_by(0.05),
            p99=self._exceeded_by(0.01),
        )

    def _exceeded_by(self, share: float) -> float:
        return self.conditional * log(self.waits / share) if self.waits > share else 0.0


def waiting_share(utilization: float, servers: float) -> float:
    """Return the share of requests that wait in M/M/c, by Sakasegawa's approximation.

    Annals of the Institute of Statistical Mathematics 29, 1977.  For arrivals whose number in service varies more
    than Poisson's, divide the servers by its variance over mean (Hayward's approximation).
    """
    exponent: float = sqrt(2.0 * (servers + 1.0)) - 1.0
    return float(min(1.0, utilization) ** exponent)


def queue(waits: float, rate: float, most: float, variability: float) -> Queue:
    """Return the wait at ``rate`` requests a second where all servers together serve at most ``most``.

    Who waits, a share ``waits`` of all, does so as with one server as fast as all: ``variability``, half the sum of
    the squared coefficients of variation of the times between arrivals and of service, over the spare rate (Kingman;
    Allen and Cunneen).
    """
    return Queue(waits, variability / (most * (1.0 - min(rate / most, _FULLEST))))
