"""A Deployment reviewed: what it costs, what of that is wasted, and the one change that saves most.

The change is found by planning the same model, demand and promise anew; it is worth the difference between what is held now
and what the plan would hold.  Findings are not added up: several of them are mended by the same change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from costpolicy.advice.adoption import Promise, serving_policy, source_of
from costpolicy.advice.existing import Existing
from costpolicy.advice.findings import (
    Finding,
    Spared,
    eager_mode,
    outdated_engine,
    over_provisioned,
    prefix_caching_off,
    replicas_not_ready,
    small_batch,
    uncompiled,
    unused_accelerators,
)
from costpolicy.advice.steps import steps
from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.engines import Engine, newest_engine
from costpolicy.catalog.techniques import techniques
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import ASSUMED_OUTPUT_TOKENS, ASSUMED_PROMPT_TOKENS, Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Plan, Rejection, Target
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.planning.sizing import size
from costpolicy.planning.supply import Supply
from costpolicy.savings.audit.overrides import FUSION
from costpolicy.savings.replan import with_and_without
from costpolicy.units import ZERO, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a Deployment is reviewed against.

    Attributes:
        promise: what must be kept.
        demand: what was measured; ``None``: nothing.
        supplies: what can be had, its own accelerators counted as free.
        currency: of their prices.
    """

    promise: Promise
    demand: Demand | None
    supplies: tuple[Supply, ...]
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to run instead.

    Attributes:
        saves: an hour, against what is held now.
        alters_answers: it needs a proof of quality first.
        steps: what it takes, one sentence each.
    """

    target: Target
    saves: Money
    alters_answers: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What there is to say about one Deployment.

    Attributes:
        demand: what was planned for; ``Missing``: nothing could be planned, and why.
        change: the one that saves most; ``None``: none does.
        why_not: why nothing is cheaper, or why that cannot be said.
    """

    existing: Existing
    demand: Demand | Missing
    findings: tuple[Finding, ...]
    change: Change | None
    why_not: str


def review(existing: Existing, asked: Asked) -> Review:
    """Review one Deployment."""
    configuration = existing.configuration
    if isinstance(configuration, Missing):
        found = tuple(_findings(existing))
        return Review(
            existing=existing, demand=configuration, findings=found, change=None, why_not=configuration.message
        )
    request = _request(existing, configuration, asked)
    evaluation = Evaluation(request)
    planned = plan(request)
    needed = size(request, configuration, limits_of(request), evaluation)
    change = _best(existing, configuration, planned)
    return Review(
        existing=existing,
        demand=request.demand,
        findings=(*_findings(existing, _fused(existing, request, needed)), *_sized(existing, request, needed)),
        change=change,
        why_not="" if change else planned.infeasible.message if planned.infeasible else planned.why_not_cheaper,
    )


def full_load(request: PlanRequest, configuration: Configuration, replicas: int) -> Demand:
    """Return the demand where nothing was measured: as much as the replicas carry inside the promise, since nobody knows that
    any of them could go; one request at a time where they keep it not even then.
    """
    supply = next((one for one in request.supplies if one.offering.accelerator.name == configuration.accelerator), None)
    carried = 0.0
    if supply is not None:
        replica = Evaluation(request).replica(configuration, supply.offering.accelerator)
        carried = replica.capacity.requests_per_second * replicas
    return replace(request.demand, requests_per_second=carried)


def release_for(existing: Existing) -> Engine:
    """Return the release that is planned with: its own, or the newest where it is not known."""
    return newest_engine() if isinstance(existing.engine, Missing) else existing.engine


def _request(existing: Existing, configuration: Configuration, asked: Asked) -> PlanRequest:
    if isinstance(existing.architecture, Missing):
        raise TypeError("a configuration has an architecture")  # by construction (``existing_of``)
    found = source_of(existing)
    source = {"huggingFace": {"repository": existing.architecture.id}} if isinstance(found, Missing) else found
    document = serving_policy(existing, asked.promise, source)
    spec = CostPolicy.model_validate(_plain(document, configuration)).spec
    request = PlanRequest(
        spec=spec,
        architecture=existing.architecture,
        source_format=existing.source_format,
        demand=asked.demand
        or Demand(
            requests_per_second=0.0,
            prompt_tokens=ASSUMED_PROMPT_TOKENS,
            output_tokens=ASSUMED_OUTPUT_TOKENS,
            source="Assumed",
        ),
        supplies=asked.supplies,
        engine=release_for(existing),
        running=configuration,
        currency=asked.currency,
    )
    if asked.demand is not None:
        return request
    return replace(request, demand=full_load(request, configuration, max(existing.replicas, 1)))


def _plain(document: dict[str, object], configuration: Configuration) -> dict[str, object]:
    """Return the policy as it is planned with: Spot stays allowed where it runs on it, arguments of the user's are not asked
    about.
    """
    spec = dict(document["spec"])  # type: ignore[call-overload]  # a policy's spec is a mapping
    kinds = dict.fromkeys(("OnDemand", "Reserved", configuration.capacity_type.value))
    return {**document, "spec": {**spec, "engine": {}, "hardware": {"capacityTypes": list(kinds)}}}


def _best(existing: Existing, configuration: Configuration, planned: Plan) -> Change | None:
    held = existing.cost_per_hour
    offers = [one for one in (planned.target, planned.recommended) if one is not None]
    if isinstance(held, Missing) or not offers:
        return None
    best = min(offers, key=lambda one: one.compared_cost)
    asked = None if isinstance(existing.holding, Missing) else existing.holding.count
    if best.cost_per_hour >= held:
        return None
    return Change(
        target=best,
        saves=held - best.cost_per_hour,
        alters_answers=best is planned.recommended,
        steps=tuple(steps(configuration, existing.replicas, best, asked)),
    )


def _findings(existing: Existing, fused: Spared | None = None) -> Iterator[Finding]:
    given = existing.given
    yield from filter(
        None,
        (
            replicas_not_ready(existing),
            unused_accelerators(existing),
            eager_mode(given, fused),
            prefix_caching_off(given),
            outdated_engine(existing.engine, existing.version),
        ),
    )


def _fused(existing: Existing, request: PlanRequest, needed: Target | Rejection) -> Spared | None:
    """Return what goes of what is held once kernels are fused again, by the least that is claimed for that.

    Only of measured load: without it replicas are taken to be as full as they are fast with all kernels.
    """
    claim = techniques()[FUSION].claim if uncompiled(existing.given) else None
    running = request.running
    if claim is None or running is None or isinstance(needed, Rejection) or request.demand.source != "Observed":
        return None
    as_it_is, _ = with_and_without(request, claim.low)
    found = size(as_it_is, running, limits_of(request))
    if isinstance(found, Rejection) or isinstance(existing.offering, Missing):
        return None
    going = min(found.replicas, existing.replicas) - needed.replicas
    accelerators = going * running.accelerators_per_replica
    return Spared(share=claim.low, per_hour=existing.offering.hourly * accelerators) if accelerators > 0 else None


def _sized(existing: Existing, request: PlanRequest, needed: Target | Rejection) -> Sequence[Finding]:
    """Return the findings that ask how many replicas the demand needs."""
    configuration = request.running
    if (
        configuration is None
        or isinstance(existing.holding, Missing)
        or isinstance(existing.holding.accelerator, Missing)
    ):
        return ()
    default = request.engine.defaults(
        existing.holding.accelerator, configuration.tensor_parallel_size, configuration.data_parallel_size
    )
    open_limit = size(request, replace(configuration, max_num_seqs=None), limits_of(request))
    spared = None
    if isinstance(open_limit, Target) and isinstance(needed, Target):
        spared = needed.cost_per_hour - open_limit.cost_per_hour
    found = [small_batch(existing.given, default, spared)]
    if request.demand.source == "Observed" and isinstance(needed, Target):
        found.append(over_provisioned(existing, needed.replicas, demand_text(request.demand)))
    return [one for one in found if one is not None]


def demand_text(demand: Demand) -> str:
    """Return a demand in words."""
    shape = f"{demand.prompt_tokens:,.0f} + {demand.output_tokens:,.0f} tokens"
    rate = demand.requests_per_second
    return f"{rate:.2g} requests/s of {shape}" if rate else f"one request at a time of {shape}"


def total(reviews: Sequence[Review]) -> Money:
    """Return the price of what all of them hold, of those whose price is known."""
    costs = (one.existing.cost_per_hour for one in reviews)
    return sum((cost for cost in costs if isinstance(cost, Money)), ZERO)
