"""What a million tokens cost on both arms of a change, while they answer the same traffic at the same time.

A direct comparison needs no model of the traffic; but ready pods share it evenly, whatever they are able to do, so a large
replica beside small ones has little to do and looks dear.  It is held against a canary only where that excuse is missing.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.units import Money

_MILLION_AN_HOUR: Final = Fraction(1_000_000, 3600)
SCATTER: Final = Fraction(1, 5)
"""By how much two equal arms may differ: the rates are those of some minutes, and a hundred requests scatter by a tenth on
each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCost:
    """What one arm costs and does.

    Attributes:
        cost_per_hour: of all accelerators that it holds.
        tokens_per_second: prompt and output tokens of the requests that arrive at it.
        load: share of the requests that its ready replicas are planned for.
    """

    cost_per_hour: Money
    tokens_per_second: float
    load: float

    @property
    def per_million_tokens(self) -> Money | None:
        """Cost of a million prompt and output tokens at the load of now; ``None``: it has nothing to do."""
        if self.tokens_per_second <= 0.0:
            return None
        return Money(round(self.cost_per_hour.micros * _MILLION_AN_HOUR / Fraction(self.tokens_per_second)))


def told(new: ArmCost | None, old: ArmCost | None, currency: str) -> str:
    """Return both costs in words; empty where one of them is not known."""
    costs = _both(new, old)
    if costs is None:
        return ""
    return f"{costs[0].text(2)} against {costs[1].text(2)} {currency} per million tokens"


def dearer(new: ArmCost | None, old: ArmCost | None) -> bool:
    """Return whether the new arm costs clearly more a token although it is at least as busy for its size."""
    costs = _both(new, old)
    if costs is None or new is None or old is None or new.load < old.load:
        return False
    return costs[0].micros > costs[1].micros * (1 + SCATTER)


def _both(new: ArmCost | None, old: ArmCost | None) -> tuple[Money, Money] | None:
    found = [arm.per_million_tokens for arm in (new, old) if arm is not None]
    if len(found) < 2 or found[0] is None or found[1] is None:
        return None
    return found[0], found[1]
