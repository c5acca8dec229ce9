"""A better plan put to the proof: the stage it is in, and what it has shown beside what serves.

Edits of users are followed without: who edits a policy has decided.
"""

from datetime import datetime, timedelta
from typing import Literal

from costpolicy.api.reasons import Reason
from costpolicy.observe.latency import Tail
from costpolicy.observe.observation import PolicyObservation, VariantObservation
from costpolicy.observe.source import Missing
from costpolicy.planning.plan import Target
from costpolicy.reconcile.change import Trigger, edited
from costpolicy.reconcile.course import last_rollout, running_target
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.evidence import Against, Arm, Enough, Evidence, Gathering, Step, judge_canary
from costpolicy.rollout.side_by_side import ArmCost, dearer
from costpolicy.rollout.side_by_side import told as told_costs
from costpolicy.rollout.transition import Phase
from costpolicy.units import Money, parse_duration

TTFT, INTER_TOKEN = "TTFT", "inter-token latency"
_FAILED = ("abort", "error")
"""vLLM's finished_reason of requests that got no whole answer."""


def asks_for_evidence(outlook: Outlook) -> bool:
    """Return whether the policy wants changes of the operator's own to show evidence."""
    return _duration(outlook) > timedelta(0)


def trigger_of(outlook: Outlook, hash_: str) -> Trigger | Literal[""]:
    """Return why a variant came, from status; where status does not know it, because the process was killed after it was
    created, the more careful answer.
    """
    rollout = last_rollout(outlook)
    if rollout.to_variant != hash_:
        return "SpecChange" if edited(outlook.snapshot) else "BetterPlan"
    match rollout.trigger:
        case "SpecChange" | "BetterPlan" | "OutOfStock" | "DidNotSave" as known:
            return known
        case _:
            return ""


def stage_number(outlook: Outlook, hash_: str) -> int:
    """Return the stage that a variant is in, from 1; 0 before it takes traffic."""
    rollout = last_rollout(outlook)
    return rollout.step if rollout.to_variant == hash_ and rollout.started_at is not None else 0


def evidence_of(outlook: Outlook, stable: LiveVariant, canary: LiveVariant, now: datetime) -> Evidence | None:
    """Return what the canary has shown in its stage; ``None`` while it takes no traffic for evidence."""
    rollout = last_rollout(outlook)
    if not stage_number(outlook, canary.hash) or rollout.phase != Phase.SHARING or rollout.phase_since is None:
        return None
    objectives = _objectives(outlook)
    step = Step(
        since=min(rollout.phase_since, now),
        duration=_duration(outlook),
        wrong_since=rollout.wrong_since,
        objectives=frozenset(objectives),
    )
    found = judge_canary(arm_of(outlook, canary), arm_of(outlook, stable), step, now)
    if not isinstance(found, Enough):
        return found
    return _not_cheaper(outlook, stable, canary) or _dearer_side_by_side(outlook, stable, canary) or found


def told(evidence: Evidence | None) -> str:
    """Return what status says of it."""
    return evidence.message if isinstance(evidence, Gathering) else ""


def _duration(outlook: Outlook) -> timedelta:
    return parse_duration(outlook.snapshot.policy.spec.rollout.canary.duration)


def _objectives(outlook: Outlook) -> dict[str, timedelta]:
    wanted = outlook.snapshot.policy.spec.objectives
    named = {TTFT: wanted.ttft, INTER_TOKEN: wanted.inter_token_latency}
    return {name: parse_duration(objective.p95) for name, objective in named.items() if objective is not None}


def arm_of(outlook: Outlook, variant: LiveVariant) -> Arm | None:
    """Return a variant as it answers now; ``None`` while its metrics cannot be read."""
    seen, objectives = _seen(outlook, variant), _objectives(outlook)
    if seen is None:
        return None
    speculates = variant.configuration is not None and variant.configuration.proposer is not None
    tails = {TTFT: seen.ttft, INTER_TOKEN: seen.per_token(speculates=speculates)}
    answers = {name: _keeps(tails[name], objective) for name, objective in objectives.items()}
    rate = seen.requests_per_second
    return Arm(
        requests_per_second=None if isinstance(rate, Missing) else rate,
        failed_per_second=sum(seen.finished_per_second.get(reason, 0.0) for reason in _FAILED),
        finished_per_second=sum(seen.finished_per_second.values()),
        missed=frozenset(name for name, kept in answers.items() if kept is False),
        kept=frozenset(name for name, kept in answers.items() if kept is True),
    )


def _seen(outlook: Outlook, variant: LiveVariant) -> VariantObservation | None:
    observed = outlook.snapshot.observed
    if not isinstance(observed, PolicyObservation):
        return None
    return next((one for one in observed.variants if one.variant == variant.hash and one.fresh), None)


def cost_of(outlook: Outlook, variant: LiveVariant) -> ArmCost | None:
    """Return what a variant costs and does now; ``None`` where its price, its tokens or its plan is not known."""
    seen = _seen(outlook, variant)
    if seen is None or variant.configuration is None:
        return None
    planned = outlook.capacity(variant.configuration) * variant.ready
    match seen.requests_per_second, seen.prompt_tokens, seen.output_tokens, seen.cost_per_hour:
        case float(rate), float(prompt), float(output), Money() as cost if planned > 0.0:
            return ArmCost(cost_per_hour=cost, tokens_per_second=rate * (prompt + output), load=rate / planned)
        case _:
            return None


def costs_told(outlook: Outlook, canary: LiveVariant, stable: LiveVariant) -> str:
    """Return what a million tokens cost on both arms, in words; empty: not known."""
    return told_costs(cost_of(outlook, canary), cost_of(outlook, stable), outlook.request.currency)


def _keeps(tail: Tail | Missing, objective: timedelta) -> bool | Missing:
    return tail if isinstance(tail, Missing) else tail.keeps(objective)


def _not_cheaper(outlook: Outlook, stable: LiveVariant, canary: LiveVariant) -> Against | None:
    """Return that the change saves nothing any more: prices or load have moved since it began."""
    old = running_target(outlook, stable)
    new = outlook.sized(canary.configuration) if canary.configuration else None
    if not isinstance(old, Target):  # what serves cannot keep the promise at any price
        return None
    if isinstance(new, Target) and new.cost_per_hour < old.cost_per_hour:
        return None
    cost = new.cost_per_hour.text(2) if isinstance(new, Target) else "no price at which it keeps the promise"
    return Against(
        reason=Reason.CANARY_NOT_CHEAPER,
        message=f"for the load of now it costs {cost} an hour, what serves {old.cost_per_hour.text(2)}",
    )


def _dearer_side_by_side(outlook: Outlook, stable: LiveVariant, canary: LiveVariant) -> Against | None:
    """Return that a token costs more on the canary than on what serves, with the same traffic and no less to do."""
    if not dearer(cost_of(outlook, canary), cost_of(outlook, stable)):
        return None
    return Against(
        reason=Reason.CANARY_NOT_CHEAPER,
        message=f"beside what serves it costs {costs_told(outlook, canary, stable)}, though it has no less to do",
    )
