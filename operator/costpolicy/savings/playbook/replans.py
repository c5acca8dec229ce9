"""The plans that a playbook compares: the same demand with and without each technique, one plan at a time.

Planning takes some milliseconds, so a reconcile makes one of these plans and keeps the answers; a playbook is whole when all
are there.  When it is made anew is :mod:`.renewal`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final, TypeAlias

from costpolicy.api.missing import Missing
from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.reasons import Reason
from costpolicy.api.types import TechniqueMode
from costpolicy.catalog.arguments import values_of
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.plan import Plan, Target
from costpolicy.planning.planner import cheapest, plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.audit.overrides import ATTENTION, FUSION, Override, claimed_shares, overrides
from costpolicy.savings.replan import with_and_without
from costpolicy.units import Money

SHORTER_PROMPTS: Final = Fraction(2, 5)
SHORTER_ANSWERS: Final = Fraction(3, 10)
"""The most that is claimed for context compression and prompt optimization, and for shorter answers: what does not save
even then is not applicable, whatever texts look like."""


class Case(StrEnum):
    """A world that is planned for."""

    AS_IT_IS = "as it is"
    NOTHING_CACHED = "nothing cached"
    SOURCE_WEIGHTS = "source weights"
    QUANTIZED_WEIGHTS = "quantized weights"
    PLAIN_CACHE = "plain KV cache"
    QUANTIZED_CACHE = "quantized KV cache"
    ENGINE_LIMITS = "the engine's own limits"
    NOTHING_ABANDONED = "nothing abandoned"
    SHORTER_PROMPTS = "shorter prompts"
    SHORTER_ANSWERS = "shorter answers"
    UNFUSED = "kernels not fused"
    FUSED = "kernels fused"
    OTHER_ATTENTION = "another attention"
    FLASH_ATTENTION = "flash attention"
    OVERRIDDEN = "all that is switched off"
    TOGETHER = "together"
    """All that saves, at once; it saves against what is overridden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a case costs an hour, and what it is served with."""

    cost_per_hour: Money
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Replans:
    """Answers for one demand.

    Attributes:
        request: the question that the policy's own plan answers.
        begun: when the first case was planned (UTC).
        abandoned: share of generated tokens that nobody waited for.
        answers: by case, those that were planned so far.
    """

    request: PlanRequest
    begun: datetime
    abandoned: float
    answers: Mapping[Case, Planned | Missing] = field(default_factory=dict)

    @property
    def overrides(self) -> list[Override]:
        """What the policy's own arguments and variables take away that engines have by themselves."""
        engine, told = self.request.engine, self.request.spec.engine
        environment = {one.name: one.value or "" for one in told.env}
        return overrides(values_of(engine.flags, told.extra_args), environment)

    @property
    def complete(self) -> bool:
        """Whether every case was planned."""
        return len(self.answers) == len(Case)

    def with_one_more(self) -> "Replans":
        """Return these with one more plan made, and with all cases that need none; itself when complete."""
        answers = dict(self.answers)
        for case in Case:
            if case not in answers:
                known = self._answered_alike(case, answers)
                answers[case] = known or _planned(self._question(case, answers))
                if known is None:
                    break
        return replace(self, answers=answers)

    def _question(self, case: Case, answers: "_Answers") -> PlanRequest:
        return _CASES[case](replace(self, answers=answers))

    def _answered_alike(self, case: Case, answers: "_Answers") -> "Planned | Missing | None":
        """Return the answer of another case that asks the same: where nothing is cached, say, or abandoned."""
        question = self._question(case, answers)
        same = (one for one in answers if self._question(one, answers) == question)
        return next((answers[one] for one in same), None)

    def saving(self, without: Case, having: Case) -> Money | Missing:
        """Return what one case costs less a month than another; at least 0, as a plan need not use what it may."""
        dearer, cheaper = self.answers[without], self.answers[having]
        if isinstance(dearer, Missing):
            return dearer
        if isinstance(cheaper, Missing):
            return cheaper
        return Money(max(dearer.cost_per_hour.micros - cheaper.cost_per_hour.micros, 0)).monthly()


_Answers: TypeAlias = Mapping[Case, Planned | Missing]


def _planned(request: PlanRequest) -> Planned | Missing:
    found = cheapest(request)
    return answer_of(plan(request)) if found is None else _served_by(found)


def answer_of(found: Plan) -> Planned | Missing:
    """Return what a plan says of a case."""
    if found.target is None:
        why = found.infeasible.message if found.infeasible else "no plan"
        return Missing(reason=Reason.INFEASIBLE, message=why)
    return _served_by(found.target)


def _served_by(target: Target) -> Planned:
    return Planned(cost_per_hour=target.cost_per_hour, configuration=target.configuration)


def _for(replans: Replans, demand: Demand) -> PlanRequest:
    return replace(replans.request, demand=demand)


def _nothing_cached(replans: Replans) -> PlanRequest:
    return _for(replans, replace(replans.request.demand, cached_tokens=0.0))


def _nothing_abandoned(replans: Replans) -> PlanRequest:
    return _for(replans, _without_abandoned(replans.request.demand, replans.abandoned))


def _without_abandoned(demand: Demand, share: float) -> Demand:
    return replace(demand, requests_per_second=demand.requests_per_second * (1.0 - share))


def _shorter_prompts(replans: Replans) -> PlanRequest:
    demand = replans.request.demand
    prompt = max(demand.prompt_tokens * float(1 - SHORTER_PROMPTS), 1.0)
    # What is shared stays shared as far as there is still a prompt around it: the most that shorter prompts could save.
    cached = min(demand.cached_tokens, max(prompt - 1.0, 0.0))
    return _for(replans, replace(demand, prompt_tokens=prompt, cached_tokens=cached))


def _shorter_answers(replans: Replans) -> PlanRequest:
    demand = replans.request.demand
    shorter = max(demand.output_tokens * float(1 - SHORTER_ANSWERS), 1.0)
    return _for(replans, replace(demand, output_tokens=shorter))


def _with_technique(replans: Replans, name: str, mode: TechniqueMode) -> PlanRequest:
    """Return the question with a technique in a mode, as if nothing ran: what runs may always go on."""
    return replace(replans.request, spec=_in_mode(replans.request.spec, name, mode), running=None)


def _in_mode(spec: CostPolicySpec, name: str, mode: TechniqueMode) -> CostPolicySpec:
    technique = getattr(spec.techniques, name).model_copy(update={"mode": mode})
    return spec.model_copy(update={"techniques": spec.techniques.model_copy(update={name: technique})})


def _overridden(replans: Replans, *techniques: str) -> tuple[PlanRequest, PlanRequest]:
    """Return the question with what takes techniques away and without it, by the least that is claimed."""
    shares = claimed_shares(one for one in replans.overrides if one.technique in techniques)
    return (replans.request,) * 2 if shares is None else with_and_without(replans.request, shares.low)


def _together(replans: Replans) -> PlanRequest:
    request = _overridden(replans, FUSION, ATTENTION)[1]
    spec = request.spec
    for name, without, having in (
        ("quantization", Case.SOURCE_WEIGHTS, Case.QUANTIZED_WEIGHTS),
        ("kv_cache_quantization", Case.PLAIN_CACHE, Case.QUANTIZED_CACHE),
    ):
        saves = replans.saving(without, having)
        allowed = getattr(spec.techniques, name).mode != TechniqueMode.DISABLED
        if allowed and isinstance(saves, Money) and saves.micros:
            spec = _in_mode(spec, name, TechniqueMode.ENABLED)
    return replace(request, spec=spec, demand=_without_abandoned(request.demand, replans.abandoned))


_CASES: Final[Mapping[Case, Callable[[Replans], PlanRequest]]] = {
    Case.AS_IT_IS: lambda replans: replans.request,
    Case.NOTHING_CACHED: _nothing_cached,
    Case.SOURCE_WEIGHTS: lambda replans: _with_technique(replans, "quantization", TechniqueMode.DISABLED),
    Case.QUANTIZED_WEIGHTS: lambda replans: _with_technique(replans, "quantization", TechniqueMode.ENABLED),
    Case.PLAIN_CACHE: lambda replans: _with_technique(replans, "kv_cache_quantization", TechniqueMode.DISABLED),
    Case.QUANTIZED_CACHE: lambda replans: _with_technique(replans, "kv_cache_quantization", TechniqueMode.ENABLED),
    Case.ENGINE_LIMITS: lambda replans: _with_technique(replans, "batching", TechniqueMode.DISABLED),
    Case.NOTHING_ABANDONED: _nothing_abandoned,
    Case.SHORTER_PROMPTS: _shorter_prompts,
    Case.SHORTER_ANSWERS: _shorter_answers,
    Case.UNFUSED: lambda replans: _overridden(replans, FUSION)[0],
    Case.FUSED: lambda replans: _overridden(replans, FUSION)[1],
    Case.OTHER_ATTENTION: lambda replans: _overridden(replans, ATTENTION)[0],
    Case.FLASH_ATTENTION: lambda replans: _overridden(replans, ATTENTION)[1],
    Case.OVERRIDDEN: lambda replans: _overridden(replans, FUSION, ATTENTION)[0],
    Case.TOGETHER: _together,
}
