"""Requests that wait for a place, and clients that do not: the same for the operator's engines and for those it is
compared with."""

from datetime import datetime

from costpolicy.simulation.engine import Reading
from costpolicy.simulation.traffic import Traffic


def offered(traffic: Traffic, at: datetime, returning: float) -> float:
    """Return requests per second: those that are new and those that come back."""
    return traffic.curve.rate(at) + returning


def waiting(capacity: float, traffic: Traffic, rate: float, before: float, seconds: float) -> float:
    """Return how many requests wait after some time at one rate for all ready replicas together.

    What exceeds capacity queues and is worked off at capacity.  Where clients hang up, a queue is never longer than
    what is worked off until they do.
    """
    queue = max(before + (rate - capacity) * seconds, 0.0)
    return queue if traffic.retries is None else min(queue, capacity * traffic.retries.timeout)


def returning(traffic: Traffic, at: datetime, rate: float, reading: Reading | None) -> float:
    """Return the requests per second that come back because of what clients just met.

    ``None``: nobody answers; who is refused at once does not come back.
    """
    if traffic.retries is None or reading is None:
        return 0.0
    late = reading.share_later_than(traffic.retries.timeout)
    return min(rate * late, traffic.curve.rate(at) * traffic.retries.most)
