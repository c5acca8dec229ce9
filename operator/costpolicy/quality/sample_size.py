"""How much an evaluation can prove: the chance that it finds a canary no worse, and the prompts that this needs.

Chances are exact sums over all outcomes, not normal approximations: with the few pairs that differ in practice an
approximation is off by more than it may be.
"""

from collections.abc import Callable
from math import sqrt
from typing import Final

from costpolicy.binomial import chance_of, chance_of_at_least
from costpolicy.quality.tango import excludes

POWER: Final = 0.9
"""Chance with which a canary that loses nothing must be found no worse."""
MOST_PROMPTS: Final = 1_000_000
"""No evaluation asks more; a number beyond it would help nobody."""

_TEXTBOOK: Final = (1.6449 + 1.2816) ** 2
"""Of the textbook's number of pairs, for chances of error of 5 and 10 % (Connor, Biometrics 43, 1987, 207-211)."""
_TAIL: Final = 7.0
"""Standard deviations after which a sum over outcomes is complete to 11 digits."""
_PRECISION: Final = 1e-5
"""Points to which a loss is told."""


def chance_of_non_inferior(*, pairs: int, discordance: float, loss: float, margin: float) -> float:
    """Return the chance that a canary is found no worse.

    Args:
        pairs: number of prompts.
        discordance: share of prompts on which baseline and canary are judged differently, at least ``loss``.
        loss: the true loss, in points.
        margin: the loss to exclude, in points.
    """
    if discordance <= 0:
        return float(excludes(lost=0, gained=0, pairs=pairs, loss=margin))
    gains = (discordance - loss) / (2 * discordance)
    return sum(
        chance * chance_of_at_least(_fewest_gains(pairs, differing, margin), differing, gains)
        for differing, chance in _binomial(pairs, discordance)
    )


def smallest_excludable_loss(*, pairs: int, discordance: float, power: float = POWER) -> float:
    """Return the smallest loss, in points, that a canary which loses nothing shows not to have, with this power.

    1 if not even a loss of everything can be excluded.
    """

    def proves(margin: float) -> bool:
        return chance_of_non_inferior(pairs=pairs, discordance=discordance, loss=0.0, margin=margin) >= power

    low, high = 0.0, 1.0
    while high - low > _PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high


def prompts_needed(*, discordance: float, margin: float, power: float = POWER) -> int | None:
    """Return how many prompts show with this power that nothing as large as ``margin`` (points) is lost.

    The textbook's (z + z')^2 x discordance / margin^2 is where the search begins.  It is too few: the test's variance
    is that of a loss of the margin, which is larger, and answers come in whole numbers.

    Returns:
        The number; None if it is more than :data:`MOST_PROMPTS` or the margin is 0.
    """
    if margin <= 0:
        return None

    def proves(pairs: int) -> bool:
        return chance_of_non_inferior(pairs=pairs, discordance=discordance, loss=0.0, margin=margin) >= power

    low, high = 1, max(16, int(_TEXTBOOK * discordance / margin**2))
    while high <= MOST_PROMPTS and not proves(high):
        low, high = high, high + max(16, high // 4)
    return _first(proves, low, high) if high <= MOST_PROMPTS else None


def _first(proves: Callable[[int], bool], low: int, high: int) -> int:
    """Return where ``proves`` begins to hold, to half a per cent; it holds at ``high``."""
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high


def _fewest_gains(pairs: int, differing: int, margin: float) -> int:
    """Return how many of the differing pairs must be gains to exclude the margin; one more than all if none
    suffice."""
    low, high = 0, differing + 1
    while low < high:
        middle = (low + high) // 2
        if excludes(lost=differing - middle, gained=middle, pairs=pairs, loss=margin):
            high = middle
        else:
            low = middle + 1
    return low


def _binomial(trials: int, share: float) -> list[tuple[int, float]]:
    """Return the counts that occur, each with its chance."""
    spread = _TAIL * sqrt(trials * share * (1 - share)) + _TAIL
    first, last = max(0, int(trials * share - spread)), min(trials, int(trials * share + spread) + 1)
    return [(count, chance_of(count, trials, share)) for count in range(first, last + 1)]
