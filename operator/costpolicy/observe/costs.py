"""What policies cost an hour over the last week, as read from recorded series."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from costpolicy.observe.source import Sample
from costpolicy.units import MICROS_PER_UNIT, ZERO, Money

Costs = Mapping[datetime, Money]


def costs_of(samples: Iterable[Sample], observed: Iterable[Sample]) -> Costs:
    """Return a policy's cost an hour at each time of which anything is known.

    Args:
        samples: of the policy.
        observed: at the times when an operator was scraped: a policy that has none then had no accelerators.

    Returns:
        the costs by time; of times with prices in two currencies none.
    """
    costs: dict[datetime, Money] = {sample.timestamp: ZERO for sample in observed}
    seen: set[datetime] = set()
    for sample in samples:
        if sample.timestamp in seen:
            costs.pop(sample.timestamp, None)
            continue
        seen.add(sample.timestamp)
        costs[sample.timestamp] = Money(round(sample.value * MICROS_PER_UNIT))
    return costs


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Return samples by time and currency: Prometheus returns the series of an answer in any order."""
    return tuple(sorted(samples, key=lambda sample: (sample.timestamp, sample.labels.get("currency", ""))))
