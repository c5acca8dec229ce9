"""The running requests at which a replica is as busy as is asked, to a thousandth, from below.

By Chandrupatla's method (Advances in Engineering Software 28, 1997, 145-149): where the last three points lie on a
smooth curve, that is followed (inverse quadratic interpolation); at the kinks where one limit takes over from another
the interval is halved.
"""

from collections.abc import Callable
from math import exp, log
from typing import NamedTuple

NEARLY_IDLE = 1e-6
"""Running requests of a replica that has next to nothing to do."""

_PRECISION = 1e-3
_STEEPEST = 20.0


class _Point(NamedTuple):
    at: float
    value: float


def crossing(strain: Callable[[float], float], highest: float, ends: tuple[float, float]) -> float:
    """Return the running requests at which an increasing strain reaches 1 (``highest`` if it does not
    before).

    ``ends`` are the strains of a nearly idle replica and of ``highest``.  Sought on the logarithms of both.
    """
    idle, full = _Point(log(NEARLY_IDLE), _log(ends[0])), _Point(log(highest), _log(ends[1]))
    if full.value <= 0.0:
        return highest
    # Strains of latency are flat at first: half of the way from one request to all says more than a secant.
    guess = max(full.at / 2.0, (full.at + idle.at) / 2.0)
    return exp(_zero(lambda at: _log(strain(exp(at))), idle, full, guess, _PRECISION))


def running_at(rate: float, flow: Callable[[float], float], highest: float, ends: tuple[float, float]) -> float:
    """Return the running requests at which an increasing flow reaches a rate, which lies between its ``ends``.

    By Little's law requests are rate times stay, and a stay grows almost evenly with the requests: so what is sought
    is where the stay of so many requests would make them as many.
    """

    def more(running: float, flowing: float) -> float:
        return running - rate * running / flowing

    idle, full = _Point(NEARLY_IDLE, more(NEARLY_IDLE, ends[0])), _Point(highest, more(highest, ends[1]))
    if full.value <= 0.0:
        return highest
    guess = idle.at - idle.value * (full.at - idle.at) / (full.value - idle.value)
    return _zero(lambda running: more(running, flow(running)), idle, full, guess, _PRECISION * guess)


def _zero(value: Callable[[float], float], low: _Point, high: _Point, guess: float, precision: float) -> float:
    """Return where an increasing function, positive at ``high``, is zero; ``low`` if it is not negative there."""
    if low.value >= 0.0:
        return low.at
    newest, opposite, at = high, low, guess
    while True:
        before, newest = newest, _Point(at, value(at))
        if (newest.value > 0.0) != (before.value > 0.0):
            before, opposite = opposite, before
        width = opposite.at - newest.at
        if abs(width) <= precision:
            return (newest if newest.value <= 0.0 else opposite).at
        least = min(0.5, precision / abs(width))
        at = newest.at + min(1.0 - least, max(least, _share(newest, opposite, before))) * width


def _share(newest: _Point, opposite: _Point, before: _Point) -> float:
    """Return the share of the way to the opposite point at which the curve through all three crosses; half where they
    lie on none.
    """
    a, b, c = newest.value, opposite.value, before.value
    along = (newest.at - opposite.at) / (before.at - opposite.at)
    up = (a - b) / (c - b)
    if up * up >= along or (1.0 - up) * (1.0 - up) >= 1.0 - along:
        return 0.5
    from_before = (before.at - newest.at) / (opposite.at - newest.at)
    return a / (b - a) * c / (b - c) + from_before * (a / (c - a) * b / (c - b))


def _log(strain: float) -> float:
    """Return a strain's logarithm; steep ends (a queue without end) are clipped, or they would flatten every curve."""
    return min(_STEEPEST, max(-_STEEPEST, log(strain))) if strain > 0.0 else -_STEEPEST
