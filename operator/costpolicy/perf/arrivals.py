"""What the coefficient of variation of the times between arrivals does to those that are there together."""

from costpolicy.perf.shape import Workload

_SPREAD = 0.375
"""How a burst spreads in time: the excess of arrivals near an arrival is half the squared coefficient of variation
minus one, ``(n / (1 + n)) ** 0.375`` of it within the time in which ``n`` arrive on average.  An interpolation of
the renewal function of gamma distributed gaps: within a tenth of it for a coefficient of variation of 1.5 to 3 and
0.01 to 10 arrivals."""


def mates(workload: Workload, arrivals: float) -> float:
    """Return how many more requests than on average arrive within a time after an arrival, or before it.

    ``arrivals`` is how many arrive on average in that time.  0 for a Poisson process, negative for a more regular one.
    """
    if workload.arrival_cv == 1.0:
        return 0.0
    excess: float = (workload.arrival_cv**2 - 1.0) / 2.0
    return excess * float((arrivals / (1.0 + arrivals)) ** _SPREAD)


def peakedness(workload: Workload, running: float) -> float:
    """Return variance over mean of the number of requests in service, were service no slower with more of them.

    1 for a Poisson process.  With servers enough for all, the excess of a renewal process is its squared coefficient
    of variation minus one, times the mean of the shorter of two service times over the mean of one: 1 where all are
    equal, a half where they are exponential.  With itself, a request
    meets at least one.
    """
    excess = 2.0 * mates(workload, running) / (1.0 + workload.length_cv**2)
    return 1.0 + max(-running, excess)
