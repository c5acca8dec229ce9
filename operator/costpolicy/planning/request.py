"""Everything that a plan depends on: equal requests get equal plans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.types import WeightFormat
from costpolicy.catalog.engines import Engine
from costpolicy.catalog.models import ModelArchitecture
from costpolicy.perf.acceptance import ObservedAcceptance
from costpolicy.planning.calibration import CalibrationBook
from costpolicy.planning.configuration import Answers, Configuration, Proposer
from costpolicy.planning.demand import Demand
from costpolicy.planning.supply import Supply
from costpolicy.units import Money, parse_duration

HOURS_OF_LONGEST_MONTH: Final = 31 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """The question put to the planner.

    Attributes:
        source_format: weight format of ``spec.model.source`` as its repository publishes it.
        supplies: priced offerings with their stock, in any order.
        running: what serves now; its formats need no quality gate, and a budget no longer rejects it.
        currency: of the offerings' prices.
        calibration: what was measured of ``running``; ``None``: nothing.
        ceiling: what the monthly budget leaves an hour for the rest of the month; ``None``: the month is not known.
        acceptance: what was observed of proposers that run or ran for this policy.
        refused: what the quality gate has been asked about and did not let pass; none of it is recommended.
        step_factor: how long every step of an engine takes over what is predicted of it, or was measured where
            ``calibration`` is there; see :class:`~costpolicy.perf.shape.EngineShape`.
    """

    spec: CostPolicySpec
    architecture: ModelArchitecture
    source_format: WeightFormat
    demand: Demand
    supplies: tuple[Supply, ...]
    engine: Engine
    running: Configuration | None = None
    currency: str = "USD"
    calibration: CalibrationBook | None = None
    acceptance: Mapping[Proposer, ObservedAcceptance] = field(default_factory=dict)
    ceiling: Money | None = None
    refused: frozenset[Answers] = frozenset()
    step_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """The promise in seconds; ``None`` where the policy promises nothing."""

    ttft_p95: float | None
    inter_token_p95: float | None
    min_ready_replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What caps a plan besides the promise.  :data:`UNCAPPED` asks what would be chosen without them."""

    max_replicas: int | None = None
    max_accelerators: int | None = None
    hourly_budget: Money | None = None
    stock: bool = field(default=True)


UNCAPPED = Limits(stock=False)


def objectives_of(spec: CostPolicySpec) -> Objectives:
    """Return the objectives of a policy in seconds."""
    ttft, inter_token = spec.objectives.ttft, spec.objectives.inter_token_latency
    return Objectives(
        ttft_p95=parse_duration(ttft.p95).total_seconds() if ttft else None,
        inter_token_p95=parse_duration(inter_token.p95).total_seconds() if inter_token else None,
        min_ready_replicas=spec.objectives.availability.min_ready_replicas,
    )


def hourly_budget(spec: CostPolicySpec, ceiling: Money | None = None, *, serves: bool = False) -> Money | None:
    """Return the tightest hourly budget: the hourly one, or what the monthly one leaves an hour.

    Args:
        spec: whose budget.
        ceiling: what is left of the month's budget over the hours left of it; ``None``: nothing is known of the month.
        serves: something runs already.  A first plan must be affordable in the longest month as well.
    """
    if spec.budget is None:
        return None
    budgets = []
    if spec.budget.hourly is not None:
        budgets.append(Money.parse(spec.budget.hourly))
    if spec.budget.monthly is not None:
        evenly = Money(Money.parse(spec.budget.monthly).micros // HOURS_OF_LONGEST_MONTH)
        if not serves or ceiling is None:
            budgets.append(evenly)
        if ceiling is not None:
            budgets.append(ceiling)
    return min(budgets, default=None)


def limits_of(request: PlanRequest) -> Limits:
    """Return the caps of a policy.  What serves already is never refused for its budget (it stops growth only)."""
    spec = request.spec
    return Limits(
        max_replicas=spec.scaling.max_replicas,
        max_accelerators=spec.hardware.max_accelerators,
        hourly_budget=hourly_budget(spec, request.ceiling, serves=request.running is not None),
    )
