"""The planner's answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from costpolicy.api.reasons import Reason
from costpolicy.perf.latency import Latency
from costpolicy.perf.memory import MemoryFit
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.interruption import interruptible
from costpolicy.planning.options import Placement
from costpolicy.units import ZERO, Money

SECONDS_PER_HOUR = 3600


class Verdict(StrEnum):
    """What became of a candidate."""

    CHOSEN = "Chosen"
    DOMINATED = "Dominated"
    REJECTED = "Rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why a candidate cannot be used: a stable CamelCase reason and a sentence with the figures.

    ``closeness`` orders rejections of the same reason: the greatest came nearest to being acceptable.  ``cost`` is what
    the candidate would cost an hour, where its replicas are known.
    """

    reason: Reason
    message: str
    closeness: float = 0.0
    cost: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """Why no candidate can be used."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A configuration with as many replicas as the demand needs, and what it costs and reaches.

    Attributes:
        cost_per_hour: price in force x accelerators x replicas.
        marginal_cost_per_hour: the same without reserved accelerators that are paid for anyway.
        interruption_cost_per_hour: what interruptions of Spot capacity are expected to waste.
        predicted: latency at this demand, one replica's share of it; throughput is one replica's.
    """

    configuration: Configuration
    replicas: int
    cost_per_hour: Money
    marginal_cost_per_hour: Money
    predicted: Latency
    memory: MemoryFit
    capacity_per_replica: float
    interruption_cost_per_hour: Money = ZERO

    @property
    def compared_cost(self) -> tuple[Money, Money]:
        """What is minimised: what it adds to the bill, interruptions included, then the full price."""
        return self.marginal_cost_per_hour + self.interruption_cost_per_hour, self.cost_per_hour

    @property
    def accelerators(self) -> int:
        """Accelerators of all replicas together."""
        return self.replicas * self.configuration.accelerators_per_replica

    def cost_per_million_tokens(self, demand: Demand) -> Money | None:
        """Return the cost of a million prompt and output tokens at this demand, or ``None`` without a rate."""
        tokens = demand.requests_per_second * (demand.prompt_tokens + demand.output_tokens) * SECONDS_PER_HOUR
        if tokens <= 0:
            return None
        return self.cost_per_hour.scaled(1_000_000 * 1_000_000, round(tokens * 1_000_000))


class Rival(NamedTuple):
    """A target beside the one that was chosen: how it compares."""

    target: Target
    verdict: Verdict
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A judged option.

    A plan has thousands and somebody reads a few, so what can be derived is derived when it is read.

    Attributes:
        floor: the least that it could cost an hour, in micro-units (one replica, or what its demand needs at least).
        found: why it cannot be used, or how its target compares; ``None`` where its floor alone is too dear.
    """

    placement: Placement
    floor: int
    found: Rejection | Rival | None

    @property
    def configuration(self) -> Configuration:
        """What would be set up."""
        return self.placement.placed.configuration

    @property
    def gated(self) -> bool:
        """Whether it can alter answers and nobody accepted that."""
        return self.placement.option.gated

    @property
    def verdict(self) -> Verdict:
        """What became of it."""
        found = self.found
        if isinstance(found, Rejection):
            return Verdict.REJECTED
        return Verdict.DOMINATED if found is None else found.verdict

    @property
    def reason(self) -> str:
        """The verdict's stable CamelCase reason."""
        return "Dearer" if self.found is None else self.found.reason

    @property
    def message(self) -> str:
        """The reason as a sentence with the figures."""
        if self.found is not None:
            return self.found.message
        spare = " with one replica to spare for interruptions" if interruptible(self.placement.supply) else ""
        return f"it would cost at least {self.cost_floor.text(2)} an hour{spare}"

    @property
    def cost_floor(self) -> Money:
        """The least that it could cost an hour; of a rejected one the cost itself, where its replicas are known."""
        found = self.found
        return found.cost if isinstance(found, Rejection) and found.cost is not None else Money(self.floor)

    @property
    def closeness(self) -> float:
        """How near a rejected one came, compared with others of the same reason."""
        return self.found.closeness if isinstance(self.found, Rejection) else 0.0

    @property
    def target(self) -> Target | None:
        """The target, where it was evaluated to the end."""
        return self.found.target if isinstance(self.found, Rival) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer to a request.

    Attributes:
        target: what would be applied now; ``None`` with ``infeasible``.
        recommended: what Auto would reach through the quality gate, if that is cheaper than ``target``.
        settings: why settings of the target's engine depart from its defaults, a sentence each.
        uncapped: the target without budget, ``maxAccelerators``, ``maxReplicas`` and stock limits.
    """

    demand: Demand
    target: Target | None
    recommended: Target | None
    uncapped: Target | None
    settings: tuple[str, ...]
    why_not_cheaper: str
    infeasible: Infeasible | None
    candidates: tuple[Candidate, ...]
