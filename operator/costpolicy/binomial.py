"""Exact chances of binomial counts, and the bounds that follow from them, with the standard library alone.

Sums over outcomes, not normal approximations: with the few events that matter here those are off by more than they may be.
"""

from math import exp, lgamma, log, log1p
from typing import Final

_BISECTIONS: Final = 50
_NEGLIGIBLE: Final = 1e-12


def chance_of(count: int, trials: int, share: float) -> float:
    """Return the chance of exactly so many; ``share`` is more than 0."""
    if share >= 1:
        return float(count == trials)
    ways = lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1)
    return exp(ways + count * log(share) + (trials - count) * log1p(-share))


def chance_of_at_least(least: int, trials: int, share: float) -> float:
    """Return the chance of at least so many."""
    if least > trials:
        return 0.0
    if least <= 0:
        return 1.0
    if share <= 0 or share >= 1:
        return float(share >= 1)
    if least <= trials * share:  # far below the mean a single chance may be less than any float: sum the other side
        return 1.0 - chance_of_at_least(trials - least + 1, trials, 1 - share)
    term = total = chance_of(least, trials, share)
    for count in range(least, trials):
        term *= (trials - count) / (count + 1) * share / (1 - share)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, total)


def upper_bound(count: int, trials: int, error: float) -> float:
    """Return the largest share that ``count`` of ``trials`` leave possible (Clopper and Pearson, Biometrika 26, 1934).

    The true share is larger in at most ``error`` of repeats, whatever it is.
    """
    if count >= trials:
        return 1.0
    low, high = count / trials, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if chance_of_at_least(trials - count, trials, 1 - middle) <= error:
            high = middle
        else:
            low = middle
    return high


def lower_bound(count: int, trials: int, error: float) -> float:
    """Return the smallest share that they leave possible, likewise."""
    return 1.0 - upper_bound(trials - count, trials, error)
