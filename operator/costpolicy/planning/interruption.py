"""What Spot capacity costs beyond its price: a replica that may go at any time, and accelerators that load instead of serve.

A replica can be taken away with two minutes' notice or less, and its successor takes longer to load; so a plan on Spot
carries its demand with one replica missing.  What an interruption wastes is small beside that: the accelerators that
load the model again are paid for and serve nobody.
"""

from fractions import Fraction
from typing import Final

from costpolicy.api.types import CapacityType
from costpolicy.planning.supply import Supply
from costpolicy.units import HOURS_PER_MONTH

INTERRUPTIONS_PER_MONTH: Final = Fraction(20, 100)
"""Expected interruptions of a machine in a month.  AWS's Spot Instance Advisor publishes bands (below 5, 5 to 10, 10 to
15, 15 to 20, above 20 %); machines with GPUs are mostly in the upper ones.  An assumption until a cluster's own is known."""

RECOVERY_HOURS: Final = Fraction(15, 60)
"""From the notice to a ready successor: a node, its image and the weights, of the order of minutes each."""

WASTED_SHARE: Final = INTERRUPTIONS_PER_MONTH * RECOVERY_HOURS / HOURS_PER_MONTH
"""Share of what Spot accelerators cost that is spent on loading again."""

_SPOT: Final = CapacityType.SPOT  # looking it up in the enumeration takes as long as all the rest
_WASTED_OF: Final = WASTED_SHARE.as_integer_ratio()


def interruptible(supply: Supply) -> bool:
    """Whether a replica on this supply can be taken away at any time."""
    return supply.offering.capacity_type == _SPOT


def wasted(supply: Supply, micros: int) -> int:
    """Return how much of a cost (micro-units an hour) interruptions are expected to waste on this supply."""
    if not interruptible(supply):
        return 0
    return micros * _WASTED_OF[0] // _WASTED_OF[1]
