"""The question that an allocation answers, and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from costpolicy.units import ZERO, Money

DEFAULT_POOL = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An accelerator that can be had: its price an hour and how many there are (``None``: no limit)."""

    name: str
    hourly: Money
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Traffic that somebody wants served.

    Attributes:
        requests_per_second: offered load, not negative.
        throughput: requests per second of one unit, by accelerator, positive; what cannot serve it is not listed.
        splittable: its traffic may be shared by several accelerators, if a router gives each its weight.
        priority: the higher is served first where limits do not suffice.
        floor: units that its pool keeps at least while it is served, by accelerator.
        pool: workloads of one pool share units.
        surcharge: what it costs an hour to be on an accelerator besides the units (a switch, over its payback horizon).
    """

    name: str
    requests_per_second: Fraction
    throughput: Mapping[str, Fraction]
    splittable: bool = False
    priority: int = 0
    floor: Mapping[str, int] = field(default_factory=dict)
    pool: str = DEFAULT_POOL
    surcharge: Mapping[str, Money] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that an allocation depends on; names are unique among offers and among workloads."""

    offers: tuple[Offer, ...]
    workloads: tuple[Workload, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a workload's traffic that an accelerator serves (0 < share <= 1), and the units that it keeps busy."""

    workload: str
    accelerator: str
    share: Fraction
    units: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Units to pay for, and what they serve.

    Attributes:
        units: by pool and accelerator; only what is not 0.
        cost_per_hour: of the units, exact.
        shares: of every workload that is served, in the order of the question.
        optimal: nothing cheaper serves as much, by proof.
        gap: how much cheaper it could at most be, as a part of this cost (0 when optimal).
    """

    units: Mapping[str, Mapping[str, int]]
    cost_per_hour: Money
    shares: tuple[Share, ...]
    optimal: bool
    gap: float

    def total(self, accelerator: str) -> int:
        """Return the units of an accelerator over all pools."""
        return sum(units.get(accelerator, 0) for units in self.units.values())


class Shortage(StrEnum):
    """Why not every workload can be served."""

    NO_THROUGHPUT = "NoThroughput"
    NOT_ENOUGH_ACCELERATORS = "NotEnoughAccelerators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """Not every workload can be served.

    Attributes:
        workloads: those that are not, in the order of the question; no other choice serves more, by priority.
        allocation: the cheapest of those that serve all others.
    """

    reason: Shortage
    message: str
    workloads: tuple[str, ...]
    allocation: Allocation


def surcharge_of(workload: Workload, accelerator: str) -> Money:
    """Return what being on an accelerator costs besides its units."""
    return workload.surcharge.get(accelerator, ZERO)
